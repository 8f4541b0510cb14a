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
    elements(axis: axis, at: start, step: builder.scalar(.integer(step), .i64), count: count)
  }

  /// So many elements of an axis from a place on, where the run tells the step too.
  package func elements(axis: Int, at start: Tensor, step: Tensor, count: Dim) -> Tensor {
    let builder = Tensor.innermostBuilder(of: [self, start, step])
    let places = builder.iota(TensorType(.i64, [count]), axis: 0) * step + start
    return gather(places.reshape([count, 1]), IndexedAxes(axes: [axis], outside: .ignored)).movedim(0, axis)
  }
}
