public import LatheCore

/// Functions with results whose size data decides.
///
/// Such a size is a symbol, `?n0`, with a capacity, which is how many elements there can be: `trace` gives it a name, and
/// what follows may compute with it as with any other. A run gives as many elements as there are.
extension Tensor {
  /// The row-major places of the elements that are not zero, ascending: `i64[?n0]`.
  ///
  /// - Parameter most: How many there may be, where not all; a run with more fails.
  private func found(atMost most: Dim? = nil) throws(TypeFault) -> Tensor {
    let isFound = flatten() .!= 0
    if let literal {
      let places = literal.values.indices.filter { literal.element(at: $0).double != 0 }
      if let most = most?.known, places.count > most {
        throw TypeFault("\(places.count) elements are not zero, more than \(most)")
      }
      return builder.constant(NDArray(places.map { Int64($0) }))
    }
    let total = isFound.shape[0]
    let capacity = most.map { Dim.minimum(total, $0) } ?? total
    let numbers = isFound.convert(to: .i64)
    let size = builder.extent(numbers.reduce(.sum, axes: [0]), capacity: capacity)
    // Each is written to the place that its number says, the others to none.
    let number = isFound.select(numbers.cumulative(.sum, axis: 0) - 1, numbers.filled(.integer(-1)))
    return builder.zeros(TensorType(.i64, [capacity]))
      .scatterAlong(
        axis: 0, indices: number, updates: builder.iota(TensorType(.i64, [total]), axis: 0), combiner: nil,
        outside: .ignored
      )
      .slice(start: [0], limit: [size], stride: [1])
  }

  /// The coordinates in this tensor's axes of row-major places.
  private func coordinates(_ places: Tensor) -> [Tensor] {
    var rest = places
    var columns: [Tensor] = []
    for axis in shape.indices.reversed() {
      let extent = builder.number(shape[axis])
      columns.insert(axis == 0 ? rest : .pointwise(.fmod, rest, extent), at: 0)
      rest = .pointwise(.divide, rest, extent)
    }
    return columns
  }

  private func rows(_ columns: [Tensor], _ places: Tensor) -> Tensor {
    columns.isEmpty ? builder.zeros(TensorType(.i64, [places.shape[0], 0])) : stack(columns, dim: 1)
  }

  /// An axis with more places behind its elements, which hold a number.
  private func filled(axis: Int, to size: Dim, with number: ScalarValue) -> Tensor {
    let place = builder.iota(TensorType(.i64, [size]), axis: 0)
    let taken = gather(place.unsqueeze(dim: 1), IndexedAxes(axes: [axis], outside: .ignored)).movedim(0, axis)
    let isInside = (place .< builder.number(shape[axis])).broadcast(to: taken.shape, axes: [axis])
    return isInside.select(taken, taken.filled(number))
  }

  // MARK: Masks

  /// The places of the elements that are not zero, one row each, in row-major order: `i64[?n0,rank]`.
  public func nonzero() -> Tensor { nonzero(atMost: nil) }

  /// The same where it is known that there are at most so many.
  func nonzero(atMost most: Dim?) -> Tensor {
    composite("nonzero", [self]) { () throws(TypeFault) -> Tensor in
      let places = try found(atMost: most)
      return rows(coordinates(places), places)
    }
  }

  /// The places of the elements that are not zero, one tensor for each axis: `nonzero(as_tuple=True)`.
  public func nonzeroTuple() -> [Tensor] {
    composite("nonzero", [self], count: Swift.max(1, rank)) { () throws(TypeFault) -> [Tensor] in
      let x = rank == 0 ? reshape([1]) : self
      return x.coordinates(try x.found())
    }
  }

  /// The places of the elements that are not zero, one row each, in `size` rows, which the run fails on when they do
  /// not suffice; and how many there are.
  ///
  /// - Parameter fillValue: What the rows behind the last one hold.
  public func nonzero(size: Int, fillValue: Int = -1) -> (indices: Tensor, count: Tensor) {
    let results = composite("nonzero", [self], count: 2) { () throws(TypeFault) -> [Tensor] in
      guard size >= 0 else { throw TypeFault("the size \(size) is negative") }
      let places = try found(atMost: Dim(size))
      let indices = rows(coordinates(places), places)
      return [
        indices.filled(axis: 0, to: Dim(size), with: .integer(fillValue)), builder.number(places.shape[0]),
      ]
    }
    return (results[0], results[1])
  }

  /// How often each number from 0 on is among the elements, or the sum of their weights: `[?n0]` up to the largest number.
  ///
  /// Nothing says how large that may be; whoever compiles does. A negative number fails the run.
  ///
  /// - Parameters:
  ///   - weights: One for each element.
  ///   - minlength: How many numbers there are at least.
  public func bincount(weights: Tensor? = nil, minlength: Int = 0) -> Tensor {
    composite("bincount", [self, weights]) { () throws(TypeFault) -> Tensor in
      guard dtype.isInteger, rank == 1 else { throw TypeFault("counts a vector of integers, not \(type)") }
      guard minlength >= 0 else { throw TypeFault("minlength \(minlength) is negative") }
      if let weights, weights.shape != shape { throw TypeFault("the weights are \(weights.type), not \(shape.text)") }
      let numbers = convert(to: .i64)
      let last = numbers.reduce(.max, axes: [0]) + 1
      let isNegative = numbers.reduce(.min, axes: [0]) .< 0
      let count = isNegative.select(last.filled(.integer(-1)), last.maximum(last.filled(.integer(minlength))))
      let size = builder.extent(shape[0] == 0 ? last.filled(.integer(minlength)) : count, capacity: nil)
      let dtype: ScalarType = weights.map { $0.dtype == .f32 ? .f32 : .f64 } ?? .i64
      let added = (weights ?? numbers.onesLike()).convert(to: dtype)
      return builder.zeros(TensorType(dtype, [size])).indexAdd(dim: 0, numbers, added)
    }
  }

  /// The elements where the mask holds, in row-major order; the two broadcast.
  public func maskedSelect(_ mask: Tensor) -> Tensor {
    composite("maskedSelect", [self, mask]) { () throws(TypeFault) -> Tensor in
      guard mask.dtype == .bool else { throw TypeFault("the mask is \(mask.type), needs bool") }
      let shape = try Tensor.broadcastShape([type, mask.type])
      return expanded(to: shape).flatten().taken(try mask.expanded(to: shape).found())
    }
  }

  /// The slices of an axis where a mask with one axis holds; it may be shorter than the axis.
  public func compress(_ mask: Tensor, dim: Int) -> Tensor {
    composite("compress", [self, mask]) { () throws(TypeFault) -> Tensor in
      try mask.requireRank(1...1, "the mask")
      let axis = try axis(dim)
      return movedim(axis, 0).taken(try mask.found()).movedim(0, axis)
    }
  }

  /// The slices of the first axis at places that are known to be there.
  private func taken(_ places: Tensor) -> Tensor {
    gather(places.unsqueeze(dim: 1), IndexedAxes(axes: [0]))
  }

  /// Indices for one axis each, nil for all of an axis: a mask is replaced by the places where it holds.
  func places(of indices: [Tensor?]) throws(TypeFault) -> [Tensor?] {
    var places: [Tensor?] = []
    for index in indices {
      guard let index, index.dtype == .bool else {
        places.append(index)
        continue
      }
      let axes = places.count..<places.count + index.rank
      guard index.rank > 0, axes.upperBound <= rank, Array(shape[axes]) == index.shape else {
        throw TypeFault("the mask \(index.type) does not fit axes \(axes.lowerBound) ..< \(axes.upperBound) of \(type)")
      }
      places += index.coordinates(try index.found())
    }
    return places
  }

  // MARK: Different elements

  /// The elements in ascending order, each once.
  public func unique() -> Unique { distinct("unique", nil, 0, isSorted: true) }

  /// The elements in ascending order, each once, in `size` places, which the run fails on when they do not suffice.
  ///
  /// - Parameter fillValue: What the places behind the last element hold.
  public func unique(size: Int, fillValue: some Number = 0) -> Unique {
    distinct("unique", size, fillValue, isSorted: true)
  }

  /// The elements in order, runs of equal ones once.
  public func uniqueConsecutive() -> Unique { distinct("uniqueConsecutive", nil, 0, isSorted: false) }

  /// The elements in order, runs of equal ones once, in `size` places, which the run fails on when they do not suffice.
  ///
  /// - Parameter fillValue: What the places behind the last element hold.
  public func uniqueConsecutive(size: Int, fillValue: some Number = 0) -> Unique {
    distinct("uniqueConsecutive", size, fillValue, isSorted: false)
  }

  private func distinct(_ name: String, _ size: Int?, _ fillValue: some Number, isSorted: Bool) -> Unique {
    let results = composite(name, [self], count: 5) { () throws(TypeFault) -> [Tensor] in
      if let size, size < 0 { throw TypeFault("the size \(size) is negative") }
      let filling = try dtype.number(fillValue)
      let x = flatten()
      let order = isSorted ? x.argSort(axis: 0) : builder.iota(TensorType(.i64, x.shape), axis: 0)
      let sorted = x.gatherAlong(axis: 0, indices: order, outside: .ignored)
      let isFirst = sorted.isFirst(0)
      let slots = isFirst.slots(atMost: size)
      var results = [
        slots.collect(sorted, nil), slots.collect(order.onesLike(), .sum), slots.collectFirst(order, isFirst),
      ]
      if let size {
        for (position, number) in [filling, .integer(0), .integer(0)].enumerated() {
          results[position] = results[position].filled(axis: 0, to: Dim(size), with: number)
        }
      }
      return results + [slots.inverse(order).reshape(shape), builder.number(slots.size)]
    }
    return Unique(
      values: results[0], counts: results[1], indices: results[2], inverse: results[3], count: results[4])
  }

  /// The different slices of an axis, each once: `unique` with `dim`.
  ///
  /// - Parameter isSorted: Whether they are in lexicographic order; if not, in that in which they come first.
  public func unique(dim: Int, isSorted: Bool = true) -> Unique {
    distinct("unique", dim, isSorted ? .ascending : .first)
  }

  /// The slices of an axis in order, runs of equal ones once: `unique_consecutive` with `dim`.
  public func uniqueConsecutive(dim: Int) -> Unique { distinct("uniqueConsecutive", dim, .given) }

  /// Which order slices that are kept once are in.
  private enum SliceOrder {
    /// Lexicographic.
    case ascending
    /// That in which they come first.
    case first
    /// As they are, only neighbours being compared.
    case given
  }

  private func distinct(_ name: String, _ dim: Int, _ wanted: SliceOrder) -> Unique {
    let results = composite(name, [self], count: 5) { () throws(TypeFault) -> [Tensor] in
      let axis = try axis(dim)
      let slices = movedim(axis, 0)
      let rows = slices.reshape([slices.shape[0], Array(slices.shape.dropFirst()).elementCount])
      let width = try rows.knownSize(1)
      guard wanted == .given || width <= Self.widestRow else {
        throw TypeFault("slices of \(width) elements are too long to be compared")
      }
      // From the last element to the first, each order keeping that of the others.
      var order = builder.iota(TensorType(.i64, [rows.shape[0]]), axis: 0)
      for column in (0..<(wanted == .given ? 0 : width)).reversed() {
        let keys = rows.select(dim: 1, index: column).gatherAlong(axis: 0, indices: order, outside: .ignored)
        order = order.gatherAlong(axis: 0, indices: keys.argSort(axis: 0), outside: .ignored)
      }
      let places = IndexedAxes(axes: [0], outside: .ignored)
      func sorted() -> Tensor { rows.gather(order.unsqueeze(dim: 1), places) }
      func isFirst() -> Tensor {
        width == 0
          ? builder.iota(TensorType(.i64, [rows.shape[0]]), axis: 0) .== 0 : sorted().isFirst(0).any(dim: 1)
      }
      var slots = isFirst().slots()
      if wanted == .first {
        // Runs in the order of their first slices: all slices by the place where their run begins.
        let first = slots.collectFirst(order, isFirst())
        let begins = first.gather(slots.inverse(order).unsqueeze(dim: 1), places)
        order = begins.argSort(axis: 0)
        slots = isFirst().slots()
      }
      let first = slots.collectFirst(order, isFirst())
      var kept = slices.shape
      kept[0] = slots.size
      let values = rows.gather(first.unsqueeze(dim: 1), places).reshape(kept).movedim(0, axis)
      return [
        values, slots.collect(order.onesLike(), .sum), first, slots.inverse(order), builder.number(slots.size),
      ]
    }
    return Unique(
      values: results[0], counts: results[1], indices: results[2], inverse: results[3], count: results[4])
  }

  /// Each element of a slice costs a sort.
  private static var widestRow: Int { 256 }

  /// The runs that begin where this mask of one axis holds.
  func slots(atMost most: Int? = nil) -> Slots {
    let isFirst = convert(to: .i64)
    let capacity = most.map { Dim.minimum(shape[0], Dim($0)) } ?? shape[0]
    let size = builder.extent(isFirst.reduce(.sum, axes: [0]), capacity: capacity)
    return Slots(number: isFirst.cumulative(.sum, axis: 0) - 1, size: size, capacity: capacity)
  }
}

/// Runs of neighbouring elements that are one element of a result.
struct Slots {
  /// The number of the run that each element belongs to.
  let number: Tensor
  /// How many runs there are, and at most.
  let size: Dim
  let capacity: Dim

  /// What the elements of each run are joined to; without a combiner, the last one.
  func collect(_ elements: Tensor, _ combiner: Combiner?) -> Tensor { collect(elements, at: number, combiner) }

  /// The first element of each run.
  func collectFirst(_ elements: Tensor, _ isFirst: Tensor) -> Tensor {
    collect(elements, at: isFirst.select(number, number.filled(.integer(-1))), nil)
  }

  /// For each element of what was sorted by `order`, the number of its run.
  func inverse(_ order: Tensor) -> Tensor {
    order.zerosLike()
      .scatterAlong(axis: 0, indices: order, updates: number, combiner: nil, outside: .ignored)
  }

  private func collect(_ elements: Tensor, at places: Tensor, _ combiner: Combiner?) -> Tensor {
    elements.builder.zeros(TensorType(elements.dtype, [capacity]))
      .scatterAlong(axis: 0, indices: places, updates: elements, combiner: combiner, outside: .ignored)
      .slice(start: [0], limit: [size], stride: [1])
  }
}

/// The different elements of a tensor.
public struct Unique: Sendable {
  /// The elements; where a size was asked for, behind them the filling.
  public var values: Tensor
  /// How often each is there; 0 behind the last one.
  public var counts: Tensor
  /// Where each is for the first time, in row-major order; 0 behind the last one.
  public var indices: Tensor
  /// For each element of the tensor, its place among the values.
  public var inverse: Tensor
  /// How many there are.
  public var count: Tensor
}
