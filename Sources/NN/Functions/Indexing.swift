public import LatheCore

/// Reading and writing at places given by data. A place outside of its axis is an error: at once where it is a literal,
/// else when the model runs. Negative places count from the end only where PyTorch lets them.
extension Tensor {
  private func requireIndices(_ index: Tensor) throws(TypeFault) {
    guard index.dtype.isInteger else { throw TypeFault("the index is \(index.type), needs integers") }
  }

  /// Places on an axis with those that count from the end counted from the front.
  package func fromFront(_ index: Tensor, _ axis: Int) -> Tensor {
    guard index.dtype.isSigned else { return index }
    if let literal = index.literal, literal.integers.allSatisfy({ $0 >= 0 }) { return index }
    return (index .< 0).select(index + builder.number(shape[axis]).convert(to: index.dtype), index)
  }

  /// The slices of an axis at the places of `index`, which has one axis.
  public func indexSelect(dim: Int, _ index: Tensor) -> Tensor {
    composite("indexSelect", [self, index]) { () throws(TypeFault) -> Tensor in
      try requireIndices(index)
      try index.requireRank(0...1, "the index")
      return try taken(axis(dim), index.rank == 0 ? index.reshape([1]) : index)
    }
  }

  /// The slices of an axis at places of any shape, whose axes replace it: NumPy's `take`.
  public func take(dim: Int, _ index: Tensor) -> Tensor {
    composite("take", [self, index]) { () throws(TypeFault) -> Tensor in
      try requireIndices(index)
      return try taken(axis(dim), index)
    }
  }

  private func taken(_ axis: Int, _ index: Tensor) throws(TypeFault) -> Tensor {
    let places = index.rank
    let gathered = try gather(index.unsqueeze(dim: -1), IndexedAxes(axes: [axis])).checked()
    // The places come first; they belong where the axis was.
    let order = (places..<(places + axis)) + Array(0..<places) + ((places + axis)..<gathered.rank)
    return gathered.permute(Array(order))
  }

  /// The elements at places given for some axes, which broadcast against each other: `x[i, :, j]` with tensors.
  ///
  /// The places' axes stand where the first indexed axis was, or first of all where axes without places lie between. A
  /// `bool` mask stands for the places where it holds, of as many axes as it has: how many there are data decides.
  ///
  /// - Parameter indices: One for each of the first axes; nil for all of an axis.
  public func index(_ indices: [Tensor?]) -> Tensor {
    composite("index", [self] + indices) { () throws(TypeFault) -> Tensor in
      let indices = try self.places(of: indices)
      let given = indices.compactMap { $0 }
      for index in given { try requireIndices(index) }
      let axes = indices.indices.filter { indices[$0] != nil }
      guard let first = axes.first, let last = axes.last, indices.count <= rank else {
        throw TypeFault("\(indices.count) indices address \(type)")
      }
      let places = try Tensor.broadcastShape(given.map(\.type))
      var coordinates: [Tensor] = []
      for (axis, index) in zip(axes, given) {
        coordinates.append(fromFront(index.convert(to: .i64), axis).expanded(to: places))
      }
      let gathered = try gather(stack(coordinates, dim: -1), IndexedAxes(axes: axes)).checked()
      // The places come first; where the indexed axes are neighbours, they belong where those were.
      guard last - first + 1 == axes.count, first > 0 else { return gathered }
      let order = (places.count..<places.count + first) + Array(0..<places.count)
      return gathered.permute(order + Array(places.count + first..<gathered.rank))
    }
  }

  /// `result[.., i, ..] = self[.., index[.., i, ..], ..]`; `index` may be smaller on the other axes.
  public func gather(dim: Int, _ index: Tensor) -> Tensor {
    composite("gather", [self, index]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      let source = try aligned(index, axis)
      return source.gatherAlong(axis: axis, indices: index)
    }
  }

  /// This tensor cut to the index on every axis but one.
  private func aligned(_ index: Tensor, _ axis: Int) throws(TypeFault) -> Tensor {
    try requireIndices(index)
    guard index.rank == rank else {
      throw TypeFault("the index \(index.type) needs as many axes as \(type)")
    }
    var limit = shape
    for other in shape.indices where other != axis && index.shape[other] != shape[other] {
      guard let wanted = index.shape[other].known, let size = shape[other].known, wanted <= size else {
        throw TypeFault("the index \(index.type) is larger than \(type) on axis \(other)")
      }
      limit[other] = index.shape[other]
    }
    return slice(start: limit.map { _ in 0 }, limit: limit, stride: limit.map { _ in 1 })
  }

  /// As `gather`, after broadcasting both on the other axes.
  public func takeAlongDim(_ indices: Tensor, dim: Int) -> Tensor {
    composite("takeAlongDim", [self, indices]) { () throws(TypeFault) -> Tensor in
      try requireIndices(indices)
      let axis = try axis(dim)
      guard indices.rank == rank else { throw TypeFault("the indices \(indices.type) need as many axes as \(type)") }
      var (left, right) = (shape, indices.shape)
      left[axis] = 1
      right[axis] = 1
      var outer = try Tensor.broadcastShape([type.with(shape: left), type.with(shape: right)])
      outer[axis] = shape[axis]
      let source = expanded(to: outer)
      outer[axis] = indices.shape[axis]
      return source.gatherAlong(axis: axis, indices: indices.expanded(to: outer))
    }
  }

  /// Writes elements of `source` at `self[.., index[.., i, ..], ..]`; of several for one place the last one stays, and
  /// takes the gradient.
  public func scatter(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
    scattering("scatter", dim, index, source, nil)
  }

  /// Writes a number at `self[.., index[.., i, ..], ..]`.
  public func scatter(dim: Int, _ index: Tensor, value: some Number) -> Tensor {
    composite("scatter", [self, index]) { () throws(TypeFault) -> Tensor in
      let number = try dtype.number(value)
      return scattering("scatter", dim, index, builder.full(type.with(shape: index.shape), number), nil)
    }
  }

  /// Adds elements of `source` at `self[.., index[.., i, ..], ..]`.
  public func scatterAdd(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
    scattering("scatterAdd", dim, index, source, .sum)
  }

  /// Joins elements of `source` into `self[.., index[.., i, ..], ..]`: PyTorch's `scatter` with `reduce`.
  public func scatter(dim: Int, _ index: Tensor, _ source: Tensor, reduce: ScatterReduction) -> Tensor {
    scatterReduce(dim: dim, index, source, reduce: reduce)
  }

  /// Joins a number into `self[.., index[.., i, ..], ..]`.
  public func scatter(dim: Int, _ index: Tensor, value: some Number, reduce: ScatterReduction) -> Tensor {
    composite("scatter", [self, index]) { () throws(TypeFault) -> Tensor in
      let source = builder.full(type.with(shape: index.shape), try dtype.number(value))
      return scatterReduce(dim: dim, index, source, reduce: reduce)
    }
  }

  /// Joins elements of `source` into `self[.., index[.., i, ..], ..]`; what is joined shares gradients evenly where it
  /// is equal.
  ///
  /// - Parameter includeSelf: Whether the elements that are there take part.
  public func scatterReduce(
    dim: Int, _ index: Tensor, _ source: Tensor, reduce: ScatterReduction, includeSelf: Bool = true
  ) -> Tensor {
    joining("scatterReduce", index, source, reduce, includeSelf) { base, updates, combiner in
      scattering("scatterReduce", dim, index, updates, combiner, base: base)
    }
  }

  /// Joins slices of `source` into the slices of an axis at `index`.
  ///
  /// - Parameter includeSelf: Whether the elements that are there take part.
  public func indexReduce(
    dim: Int, _ index: Tensor, _ source: Tensor, reduce: ScatterReduction, includeSelf: Bool = true
  ) -> Tensor {
    joining("indexReduce", index, source, reduce, includeSelf) { base, updates, combiner in
      indexing("indexReduce", dim, index, updates, combiner, base: base)
    }
  }

  private func joining(
    _ name: String, _ index: Tensor, _ source: Tensor, _ reduce: ScatterReduction, _ includesSelf: Bool,
    _ write: (_ base: Tensor, _ updates: Tensor, Combiner?) -> Tensor
  ) -> Tensor {
    composite(name, [self, index, source]) { () throws(TypeFault) -> Tensor in
      var base = self
      if !includesSelf {
        // Elements that are hit start from the identity, the others stay.
        let hit = try write(zerosLike(), source.onesLike(), nil).checked() .!= 0
        base = hit.select(filled(reduce.combiner.identity(dtype)), self)
      }
      let joined = write(base, source, reduce.combiner)
      guard reduce == .mean else { return joined }
      let counts = write(includesSelf ? onesLike() : zerosLike(), source.onesLike(), .sum)
      return joined.div(counts.maximum(1), roundingMode: dtype.isFloat ? nil : .floor)
    }
  }

  private func scattering(
    _ name: String, _ dim: Int, _ index: Tensor, _ source: Tensor, _ combiner: Combiner?, base: Tensor? = nil
  ) -> Tensor {
    composite(name, [self, index, source]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      try requireIndices(index)
      guard index.rank == rank, source.rank == rank else {
        throw TypeFault("the index \(index.type) and the source \(source.type) need as many axes as \(type)")
      }
      var limit: [Dim] = []
      for other in shape.indices {
        let wanted = index.shape[other]
        if let wanted = wanted.known, let size = source.shape[other].known, wanted > size {
          throw TypeFault("the index \(index.type) is larger than the source \(source.type) on axis \(other)")
        }
        if other != axis, let wanted = wanted.known, let size = shape[other].known, wanted > size {
          throw TypeFault("the index \(index.type) is larger than \(type) on axis \(other)")
        }
        limit.append(wanted)
      }
      let updates = source.convert(to: dtype)
        .slice(start: limit.map { _ in 0 }, limit: limit, stride: limit.map { _ in 1 })
      let base = base ?? self
      if shape.indices.allSatisfy({ $0 == axis || shape[$0] == limit[$0] }) {
        return base.scatterAlong(axis: axis, indices: index, updates: updates, combiner: combiner)
      }
      // A smaller index addresses every axis: the other places are its own.
      let places = shape.indices.map { other in
        other == axis ? index.convert(to: .i64) : builder.iota(TensorType(.i64, index.shape), axis: other)
      }
      return base.scatter(stack(places, dim: rank), updates, IndexedAxes(axes: Array(0..<rank)), combiner: combiner)
    }
  }

  /// Adds slices of `source` to the slices of an axis at `index`.
  public func indexAdd(dim: Int, _ index: Tensor, _ source: Tensor, alpha: Double = 1) -> Tensor {
    indexing("indexAdd", dim, index, source.multiple(alpha), .sum)
  }

  /// Replaces the slices of an axis at `index` by those of `source`.
  public func indexCopy(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
    indexing("indexCopy", dim, index, source, nil)
  }

  /// Fills the slices of an axis at `index`.
  public func indexFill(dim: Int, _ index: Tensor, _ value: some Number) -> Tensor {
    composite("indexFill", [self, index]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      try index.requireRank(1...1, "the index")
      var shape = shape
      shape[axis] = index.shape[0]
      let number = try dtype.number(value)
      return indexing(
        "indexFill", dim, fromFront(index, axis), builder.full(type.with(shape: shape), number), nil)
    }
  }

  private func indexing(
    _ name: String, _ dim: Int, _ index: Tensor, _ source: Tensor, _ combiner: Combiner?, base: Tensor? = nil
  ) -> Tensor {
    composite(name, [self, index, source]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      try requireIndices(index)
      try index.requireRank(1...1, "the index")
      var wanted = shape
      wanted[axis] = index.shape[0]
      guard source.shape == wanted else {
        throw TypeFault("the source is \(source.type), needs shape \(wanted.text)")
      }
      let updates = source.convert(to: dtype).movedim(axis, 0)
      return (base ?? self).scatter(index.unsqueeze(dim: 1), updates, IndexedAxes(axes: [axis]), combiner: combiner)
    }
  }

  /// Writes values at places given by one index for each of the first axes, nil for all places; the indices broadcast.
  ///
  /// A mask stands for the places where it holds, of as many axes as it has.
  ///
  /// - Parameter accumulate: Whether values are added to the elements that are there.
  public func indexPut(_ indices: [Tensor?], _ values: Tensor, accumulate: Bool = false) -> Tensor {
    composite("indexPut", [self] + indices + [values]) { () throws(TypeFault) -> Tensor in
      let indices = try self.places(of: indices)
      let known = indices.compactMap { $0 }
      let axes = indices.indices.filter { indices[$0] != nil }
      guard let first = axes.first, axes != Array(0..<axes.count), indices.count <= rank else {
        return try putting(known, values, accumulate)
      }
      // The axes with an index come first, as do their places among the values, which are elsewhere where the axes are
      // one beside the other.
      let order = axes + (0..<rank).filter { !axes.contains($0) }
      let places = try Tensor.broadcastShape(known.map { $0.type })
      var values = values
      if axes == Array(first..<first + axes.count) {
        let wanted = Array(shape[..<first]) + places + Array(shape[(first + axes.count)...])
        try requireBroadcast(values, to: wanted, "the values")
        values = values.expanded(to: wanted)
          .permute(Array(first..<first + places.count) + Array(0..<first) + Array(first + places.count..<wanted.count))
      }
      var inverse = order
      for (position, axis) in order.enumerated() { inverse[axis] = position }
      return try permute(order).putting(known, values, accumulate).permute(inverse)
    }
  }

  private func putting(_ indices: [Tensor], _ values: Tensor, _ accumulate: Bool) throws(TypeFault) -> Tensor {
    for index in indices { try requireIndices(index) }
    guard !indices.isEmpty, indices.count <= rank else { throw TypeFault("\(indices.count) indices address \(type)") }
    let places = try Tensor.broadcastShape(indices.map { $0.type })
    var coordinates: [Tensor] = []
    for (axis, index) in indices.enumerated() {
      coordinates.append(fromFront(index.convert(to: .i64), axis).expanded(to: places))
    }
    let joined = stack(coordinates, dim: -1)
    let wanted = places + shape[indices.count...]
    try requireBroadcast(values, to: wanted, "the values")
    return scatter(
      joined, values.convert(to: dtype).expanded(to: wanted), IndexedAxes(axes: Array(indices.indices)),
      combiner: accumulate ? .sum : nil)
  }

  /// Puts the elements of `source` one after another where the mask holds.
  public func maskedScatter(_ mask: Tensor, _ source: Tensor) -> Tensor {
    composite("maskedScatter", [self, mask, source]) { () throws(TypeFault) -> Tensor in
      guard mask.dtype == .bool else { throw TypeFault("the mask is \(mask.type), needs bool") }
      try requireBroadcast(mask, to: shape, "the mask")
      let mask = mask.expanded(to: shape)
      let number = mask.flatten().convert(to: .i64).cumulative(.sum, axis: 0) - 1
      let place = mask.flatten().select(number, number.zerosLike())
      return mask.select(source.convert(to: dtype).flatten().take(dim: 0, place).reshape(shape), self)
    }
  }

  /// Replaces one slice of an axis.
  public func selectScatter(_ source: Tensor, dim: Int, index: Int) -> Tensor {
    composite("selectScatter", [self, source]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      let size = try knownSize(axis)
      let place = index < 0 ? index + size : index
      guard place >= 0, place < size else { throw TypeFault("index \(index) is outside axis \(axis) of \(type)") }
      return sliceScatter(source.unsqueeze(dim: axis), dim: axis, start: place, end: place + 1)
    }
  }

  /// Replaces the slices `start ..< end` of an axis, every `step`-th of them.
  public func sliceScatter(_ source: Tensor, dim: Int = 0, start: Int = 0, end: Int? = nil, step: Int = 1) -> Tensor {
    composite("sliceScatter", [self, source]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      let size = try knownSize(axis)
      guard step > 0 else { throw TypeFault("the step \(step) is not positive") }
      func bounded(_ place: Int) -> Int { Swift.min(Swift.max(place < 0 ? place + size : place, 0), size) }
      try requireTable(size, of: "places")
      let places = Array(stride(from: bounded(start), to: bounded(end ?? size), by: step))
      let index = builder.constant(
        NDArray(dtype: .i64, values: places.map { .integer($0) }))
      return indexCopy(dim: axis, index, source)
    }
  }

  /// A number where the mask holds.
  public func maskedFill(_ mask: Tensor, _ value: some Number) -> Tensor { filled(where: mask) { $0.fullLike(value) } }

  /// A number where the mask holds.
  public func maskedFill(_ mask: Tensor, _ value: Double) -> Tensor { filled(where: mask) { $0.fullLike(value) } }

  private func filled(where mask: Tensor, _ value: (Tensor) -> Tensor) -> Tensor {
    composite("maskedFill", [self, mask]) { () throws(TypeFault) -> Tensor in
      guard mask.dtype == .bool else { throw TypeFault("the mask is \(mask.type), needs bool") }
      let x = expanded(to: try Tensor.broadcastShape([type, mask.type]))
      return mask.select(value(x), x)
    }
  }

  /// A tensor without axes where the mask holds.
  public func maskedFill(_ mask: Tensor, _ value: Tensor) -> Tensor {
    composite("maskedFill", [self, mask, value]) { () throws(TypeFault) -> Tensor in
      guard mask.dtype == .bool else { throw TypeFault("the mask is \(mask.type), needs bool") }
      try value.requireRank(0...0, "the value")
      let x = expanded(to: try Tensor.broadcastShape([type, mask.type]))
      return mask.select(value.convert(to: dtype), x)
    }
  }
}

/// How `scatterReduce` joins elements.
public enum ScatterReduction: String, Sendable {
  /// The sum, product, mean, maximum or minimum of what meets.
  case sum, prod, mean, amax, amin

  var combiner: Combiner {
    switch self {
    case .sum, .mean: .sum
    case .prod: .product
    case .amax: .max
    case .amin: .min
    }
  }
}

/// Ones at the places that `x` names along a new last axis, zeros elsewhere, as `i64`.
public func oneHot(_ x: Tensor, numClasses: Int) -> Tensor {
  composite("oneHot", [x]) { () throws(TypeFault) -> Tensor in
    guard x.dtype.isInteger else { throw TypeFault("the classes are \(x.type), need integers") }
    guard numClasses > 0 else { throw TypeFault("numClasses is \(numClasses)", help: "give the number of classes") }
    let classes = x.builder.iota(TensorType(.i64, [Dim(numClasses)]), axis: 0)
    // A class is read from the list of all, which has no place for any other.
    let known = classes.gather(x.unsqueeze(dim: -1), IndexedAxes(axes: [0]))
    let place = x.builder.iota(TensorType(.i64, x.shape + [Dim(numClasses)]), axis: x.rank)
    return (known.unsqueeze(dim: -1) .== place).convert(to: .i64)
  }
}
