package import LatheCore

/// Slices of which data decides where they begin or end.
extension Tensor {
  /// The elements of an axis between Python's bounds, which may count from the end.
  ///
  /// - Parameters:
  ///   - from: The first element.
  ///   - to: The one behind the last in the direction of the step; a number beyond all sizes is the end of the axis.
  ///   - step: Not 0.
  package func elements(axis: Int, from: ListedSize, to: ListedSize, step: Int) throws(TypeFault) -> Tensor {
    func isCounted(_ place: Dim) -> Bool { place.known != nil || place.isAtLeast(0) }
    if case .size(let first) = from, case .size(let last) = to, isCounted(first), isCounted(last) {
      return elements(axis: axis, from: first, to: last, step: step)
    }
    let size = builder.number(shape[axis])
    func bound(_ entry: ListedSize) -> Tensor {
      let place = builder.number(entry)
      let counted = (place .< 0).select(place + size, place)
      return step > 0 ? counted.maximum(0).minimum(size) : counted.maximum(-1).minimum((size - 1).maximum(-1))
    }
    let (start, end) = (bound(from), bound(to))
    let distance = step > 0 ? end - start : start - end
    let length = Swift.abs(step)
    let count = (distance + (length - 1)).maximum(0).div(length, roundingMode: .floor)
    var most = (shape[axis] + Dim(length - 1)).floorDivided(by: length)
    // `x[i:i + 1]` is one element at most.
    if step > 0, let steps = from.mostSteps(to: to) { most = .minimum(most, Dim((steps + length - 1) / length)) }
    return elements(axis: axis, at: start, step: step, count: builder.extent(count, capacity: most))
  }

  /// The same between ends that can be told, at least by name.
  private func elements(axis: Int, from: Dim, to: Dim, step: Int) -> Tensor {
    let size = shape[axis]
    func bound(_ place: Dim) -> Dim {
      var counted = place
      if let known = place.known {
        counted = known < 0 ? size + Dim(Swift.max(known, -Int.max)) : known < Int(Int32.max) ? place : size
      }
      let (least, most) = step > 0 ? (Dim(0), size) : (Dim(-1), size - 1)
      return .maximum(builder.isAtMost(counted, most) ? counted : .minimum(counted, most), least)
    }
    let (start, end, length) = (bound(from), bound(to), Swift.abs(step))
    let distance = Dim.maximum(step > 0 ? end - start : start - end, 0)
    let count = (distance + Dim(length - 1)).floorDivided(by: length)
    if start == 0, step == 1 {
      var limit = shape
      limit[axis] = count
      return slice(start: limit.map { _ in 0 }, limit: limit, stride: limit.map { _ in 1 })
    }
    return elements(axis: axis, at: builder.number(start), step: step, count: count)
  }

  /// So many elements of an axis from a place on; those that are not there are 0.
  package func elements(axis: Int, at start: Tensor, step: Int, count: Dim) -> Tensor {
    let places = builder.iota(TensorType(.i64, [count]), axis: 0) * step + start
    return gather(places.reshape([count, 1]), IndexedAxes(axes: [axis], outside: .ignored)).movedim(0, axis)
  }
}

extension Tensor {
  /// The tensor, where a condition of the run holds; elsewhere the run fails, as by an index out of range.
  package func required(_ condition: Tensor) -> Tensor {
    // The only place along a new axis.
    reshape([1] + shape).gather(condition.zeroWhereTrue.reshape([1]), IndexedAxes(axes: [0])).reshape(shape)
  }

  /// 0 where a condition without axes holds; elsewhere the run fails, as by an index out of range.
  ///
  /// It is a number that only the run knows, so that no pass takes the check away from what is computed with it.
  private var zeroWhereTrue: Tensor {
    let (zero, one) = (builder.scalar(.integer(0), .i64), builder.scalar(.integer(1), .i64))
    let found = convert(to: .i64).reshape([1]).gather(select(zero, one).reshape([1]), IndexedAxes(axes: [0]))
    return found - 1
  }

  /// The tensor with sizes that are not told to be its own; where they are not, the run fails.
  ///
  /// - Parameter wanted: A shape of the same rank. Of an axis that differs, data decides the size here or there.
  package func assumed(_ wanted: [Dim]) -> Tensor {
    guard !isPoisoned, wanted.count == rank, wanted != shape else { return self }
    var result = self
    for axis in wanted.indices where wanted[axis] != shape[axis] {
      let isEqual = builder.number(shape[axis]) .== builder.number(wanted[axis])
      result = result.elements(axis: axis, at: isEqual.zeroWhereTrue, step: 1, count: wanted[axis])
    }
    return result
  }

  /// The tensor with another one's sizes where data decides either, as `assumed`; `except` is an axis that stays.
  package func assumed(alike other: Tensor, except kept: Int? = nil) -> Tensor {
    guard !isPoisoned, !other.isPoisoned, rank == other.rank, !(shape + other.shape).extents.isEmpty else {
      return self
    }
    let wanted = zip(shape.indices, zip(shape, other.shape)).map { axis, sizes in
      let (own, size) = sizes
      let isOfData = !(own.extents + size.extents).isEmpty && (own.symbols + size.symbols).isEmpty
      return isOfData && axis != kept ? size : own
    }
    return assumed(wanted)
  }

  /// Operands that are to be broadcast together, where data decides sizes of which it is not told that they are equal:
  /// they are taken to be, and the run fails where they are not.
  package static func assumedAlike(_ operands: [Tensor]) -> [Tensor] {
    guard operands.contains(where: { !$0.shape.extents.isEmpty }), !operands.contains(where: \.isPoisoned) else {
      return operands
    }
    let rank = operands.map(\.rank).max() ?? 0
    var common = [Dim](repeating: 1, count: rank)
    for operand in operands {
      for (size, axis) in zip(operand.shape.reversed(), common.indices.reversed())
      where size != 1 && (common[axis] == 1 || size.known != nil) {
        common[axis] = size
      }
    }
    return operands.map { operand in
      let wanted = zip(operand.shape, common.suffix(operand.rank)).map { own, size in
        let isOfData = !(own.extents + size.extents).isEmpty && (own.symbols + size.symbols).isEmpty
        return own != 1 && isOfData ? size : own
      }
      return operand.assumed(wanted)
    }
  }
}
