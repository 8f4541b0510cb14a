public import LatheCore

/// Sorting and what follows from it. Equal elements keep their order, and NaN counts as greater than everything.
extension Tensor {
  /// The places of the elements of an axis in sorted order; always stable.
  public func argsort(dim: Int = -1, descending: Bool = false, stable: Bool = true) -> Tensor {
    composite("argsort", [self]) { () throws(TypeFault) -> Tensor in
      if rank == 0, dim == 0 || dim == -1 { return builder.scalar(.integer(0), .i64) }
      return argSort(axis: try axis(dim), descending: descending)
    }
  }

  /// The elements of an axis in sorted order, and the places where they were; always stable.
  public func sort(
    dim: Int = -1, descending: Bool = false, stable: Bool = true
  ) -> (values: Tensor, indices: Tensor) {
    ordered("sort", dim) { (x, axis) throws(TypeFault) in x.argSort(axis: axis, descending: descending) }
  }

  /// The elements in ascending order along the first axis.
  public func msort() -> Tensor { sort(dim: 0).values }

  /// The `k` greatest elements of an axis in descending order, or the least ones in ascending order, and their places.
  ///
  /// - Parameter sorted: Taken for PyTorch's sake: the elements are always in order.
  public func topk(
    _ k: Int, dim: Int = -1, largest: Bool = true, sorted: Bool = true
  ) -> (values: Tensor, indices: Tensor) {
    ordered("topk", dim) { (x, axis) throws(TypeFault) in
      let size = try x.knownSize(axis)
      guard k >= 0, k <= size else { throw TypeFault("k is \(k)", help: "axis \(axis) has \(size) elements") }
      return x.argSort(axis: axis, descending: largest).slice(axis: axis, from: 0, to: k)
    }
  }

  /// The same for a `k` that data decides, an integer without axes; a run with more than there are elements fails.
  public func topk(
    _ k: Tensor, dim: Int = -1, largest: Bool = true, sorted: Bool = true
  ) -> (values: Tensor, indices: Tensor) {
    ordered("topk", dim) { (x, axis) throws(TypeFault) in
      try k.requireRank(0...0, "k")
      var limit = x.shape
      limit[axis] = x.builder.extent(k.convert(to: .i64), capacity: limit[axis])
      let order = x.argSort(axis: axis, descending: largest)
      return order.slice(start: limit.map { _ in 0 }, limit: limit, stride: limit.map { _ in 1 })
    }
  }

  /// The `k`-th least element of an axis, counted from 1, and its place.
  public func kthvalue(_ k: Int, dim: Int = -1, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered("kthvalue", dim, keepdim) { (x, axis) throws(TypeFault) in
      let size = try x.knownSize(axis)
      guard k >= 1, k <= size else { throw TypeFault("k is \(k)", help: "axis \(axis) has \(size) elements") }
      return x.argSort(axis: axis).slice(axis: axis, from: k - 1, to: k)
    }
  }

  /// The lower of the middle elements of an axis, and its place; NaN where any is.
  public func median(dim: Int, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered("median", dim, keepdim) { (x, axis) throws(TypeFault) in
      let size = try x.knownSize(axis)
      guard size > 0 else { throw TypeFault("axis \(axis) of \(x.type) is empty") }
      let order = x.argSort(axis: axis)
      let middle = order.slice(axis: axis, from: (size - 1) / 2, to: (size + 1) / 2)
      guard x.dtype.isFloat else { return middle }
      // The first NaN stands behind all numbers.
      let count = x.numbers(axis)
      return (count .< size).select(order.gatherAlong(axis: axis, indices: count.minimum(size - 1)), middle)
    }
  }

  /// The lower of the middle elements of an axis of those that are not NaN, and its place.
  public func nanmedian(dim: Int, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered("nanmedian", dim, keepdim) { (x, axis) throws(TypeFault) in
      guard x.dtype.isFloat else { return x.median(dim: axis, keepdim: true).indices }
      guard try x.knownSize(axis) > 0 else { throw TypeFault("axis \(axis) of \(x.type) is empty") }
      let middle = (x.numbers(axis) - 1).maximum(0).div(2, roundingMode: .trunc)
      return x.argSort(axis: axis).gatherAlong(axis: axis, indices: middle)
    }
  }

  /// The lower of the middle elements of all; NaN where any is, and equal elements share the gradient.
  public func median() -> Tensor { middle("median") { $0.median(dim: 0) } }

  /// The lower of the middle elements of all that are not NaN; equal elements share the gradient.
  public func nanmedian() -> Tensor { middle("nanmedian") { $0.nanmedian(dim: 0) } }

  private func middle(_ name: String, _ body: (Tensor) -> (values: Tensor, indices: Tensor)) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      let flat = flatten()
      if flat.shape[0] == 0 { return builder.scalar(try dtype.number(dtype.isFloat ? Double.nan : 0), dtype) }
      let value = body(flat).values.detach()
      // The greatest of those that are equal to it: they share the gradient.
      let isMiddle = flat .== value
      let present = isMiddle.select(flat, flat.filled(dtype.lowest)).amax()
      return dtype.isFloat ? value.isNaN().select(value, present) : present
    }
  }

  /// How many elements of an axis are numbers, the axis kept.
  private func numbers(_ axis: Int) -> Tensor { isNaN().logicalNot().convert(to: .i64).sum(dim: axis, keepdim: true) }

  /// The most frequent element of an axis, the least of several, and the last place where it is.
  public func mode(dim: Int = -1, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered("mode", dim, keepdim) { (x, axis) throws(TypeFault) in
      let order = x.argSort(axis: axis)
      let runs = try x.gatherAlong(axis: axis, indices: order, outside: .ignored).detach().runs(axis)
      // How many of its run have come so far is greatest at the end of the longest.
      let longest = (runs.place - runs.start).argReduce(.max, axis: axis).unsqueeze(dim: axis)
      return order.gatherAlong(axis: axis, indices: longest, outside: .ignored)
    }
  }

  /// Whether each element is another one than that before it on an axis.
  func isFirst(_ axis: Int) -> Tensor {
    var (low, high) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
    (low[axis], high[axis]) = (1, -1)
    let before = pad(low: low, high: high, interior: low.map { _ in 0 })
    return (builder.iota(TensorType(.i64, shape), axis: axis) .== 0) .| (self .!= before)
  }

  /// For each place of a sorted axis: the place itself, whether a run of equal elements starts there, and where the
  /// run does.
  private func runs(_ axis: Int) throws(TypeFault) -> (place: Tensor, isStart: Tensor, start: Tensor) {
    if shape[axis] == 0 { throw TypeFault("axis \(axis) of \(type) is empty") }
    let place = builder.iota(TensorType(.i64, shape), axis: axis)
    let isStart = isFirst(axis)
    let start = isStart.select(place, place.filled(.integer(0))).cumulative(.max, axis: axis)
    return (place, isStart, start)
  }

  /// What some places of an axis hold, and the places.
  private func ordered(
    _ name: String, _ dim: Int, _ keepdim: Bool = true,
    _ places: (Tensor, _ axis: Int) throws(TypeFault) -> Tensor
  ) -> (values: Tensor, indices: Tensor) {
    let results = composite(name, [self], count: 2) { () throws(TypeFault) -> [Tensor] in
      let isScalar = rank == 0 && (dim == 0 || dim == -1)
      let x = isScalar ? reshape([1]) : self
      let axis = try x.axis(dim)
      let indices = try places(x, axis).checked()
      // The places are its own: there is nothing to check.
      let values = x.gatherAlong(axis: axis, indices: indices, outside: .ignored)
      if isScalar { return [values.reshape([Int]()), indices.reshape([Int]())] }
      return keepdim ? [values, indices] : [values.squeeze(dim: axis), indices.squeeze(dim: axis)]
    }
    return (results[0], results[1])
  }

  // MARK: Quantiles

  /// The elements below which the shares `q` of an axis lie, one for each share along a new first axis.
  ///
  /// Without an axis, of all elements. NaN where any is.
  public func quantile(
    _ q: Tensor, dim: Int? = nil, keepdim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor { quantile("quantile", q, dim, keepdim, interpolation, ignoresNaN: false) }

  /// The element below which the share `q` of an axis lies.
  ///
  /// Without an axis, of all elements. NaN where any is.
  public func quantile(
    _ q: Double, dim: Int? = nil, keepdim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor { quantile(floating.lift(q), dim: dim, keepdim: keepdim, interpolation: interpolation) }

  /// As `quantile`, of the elements that are not NaN.
  public func nanquantile(
    _ q: Tensor, dim: Int? = nil, keepdim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor { quantile("nanquantile", q, dim, keepdim, interpolation, ignoresNaN: true) }

  /// As `quantile`, of the elements that are not NaN.
  public func nanquantile(
    _ q: Double, dim: Int? = nil, keepdim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor { nanquantile(floating.lift(q), dim: dim, keepdim: keepdim, interpolation: interpolation) }

  private func quantile(
    _ name: String, _ q: Tensor, _ dim: Int?, _ keepdim: Bool, _ interpolation: QuantileInterpolation, ignoresNaN: Bool
  ) -> Tensor {
    composite(name, [self, q]) { () throws(TypeFault) -> Tensor in
      try requireFloat("the input")
      try q.requireRank(0...1, "q")
      if let shares = q.literal?.doubles, shares.contains(where: { !(0...1).contains($0) }) {
        throw TypeFault("q is outside of 0 to 1")
      }
      let x = dim == nil || rank == 0 ? flatten() : self
      let axis = try x.axis(dim ?? 0)
      guard try x.knownSize(axis) > 0 else { throw TypeFault("axis \(axis) of \(x.type) is empty") }
      // The axis comes last, so that the shares' axis can take its place.
      let sorted = x.movedim(axis, -1).sort().values
      let last = sorted.rank - 1
      let count = sorted.numbers(last)
      let shares = q.convert(to: dtype).reshape([-1])
      let rank = shares * (count - 1).convert(to: dtype).maximum(0)
      let places =
        switch interpolation {
        case .lower: rank.floor()
        case .higher: rank.ceil()
        case .nearest: rank.round()
        case .linear, .midpoint: rank.floor()
        }
      func at(_ places: Tensor) -> Tensor { sorted.gatherAlong(axis: last, indices: places.convert(to: .i64)) }
      var result = try at(places).checked()
      switch interpolation {
      case .linear: result = result.lerp(at(rank.ceil()), weight: rank - places)
      case .midpoint: result = result.lerp(at(rank.ceil()), weight: 0.5)
      case .lower, .higher, .nearest: break
      }
      let size = try sorted.knownSize(last)
      let isUndefined = ignoresNaN ? count .== 0 : count .< size
      result = isUndefined.select(result.fullLike(Double.nan), result).movedim(-1, 0)
      if keepdim {
        let kept =
          dim == nil ? self.shape.map { _ in Dim(1) } : x.shape.indices.map { $0 == axis ? 1 : x.shape[$0] }
        result = result.reshape([result.shape[0]] + kept)
      }
      return q.rank == 0 ? result.squeeze(dim: 0) : result
    }
  }

  // MARK: Searching

  /// For each value, how many elements of a sorted last axis lie before it: where it would be put.
  ///
  /// - Parameters:
  ///   - values: Of any shape where this tensor has one axis; else alike on all axes but the last.
  ///   - right: Whether a value goes behind its equals.
  ///   - sorter: The places of this tensor's elements in sorted order, where it is not sorted itself.
  public func searchsorted(_ values: Tensor, right: Bool = false, sorter: Tensor? = nil) -> Tensor {
    composite("searchsorted", [self, values, sorter]) { () throws(TypeFault) -> Tensor in
      guard rank >= 1 else { throw TypeFault("the sorted sequence \(type) has no axis") }
      let last = rank - 1
      let size = try knownSize(last)
      let sequence = sorter.map { gather(dim: last, $0) } ?? self
      let isShared = rank == 1
      guard isShared || (values.rank == rank && values.shape.dropLast() == shape.dropLast()) else {
        throw TypeFault("the values \(values.type) and the sorted \(type) differ before their last axis")
      }
      var found = builder.full(TensorType(.i64, values.shape), .integer(0))
      var step = 1
      while step <= size / 2 { step *= 2 }
      // As many as can be shown to lie before, from large steps to small ones.
      while step > 0, size > 0 {
        let next = found + step
        let place = (next - 1).minimum(size - 1)
        let element =
          isShared
          ? sequence.gather(place.unsqueeze(dim: -1), IndexedAxes(axes: [0], outside: .ignored))
          : sequence.gatherAlong(axis: last, indices: place, outside: .ignored)
        let isBefore = (right ? element .> values : element .>= values).logicalNot()
        found = (isBefore .& (next .<= size)).select(next, found)
        step /= 2
      }
      return found
    }
  }

  /// The number of the interval between sorted boundaries that each element lies in.
  ///
  /// - Parameter right: Whether an element that is a boundary belongs to the interval above.
  public func bucketize(_ boundaries: Tensor, right: Bool = false) -> Tensor {
    composite("bucketize", [self, boundaries]) { () throws(TypeFault) -> Tensor in
      try boundaries.requireRank(1...1, "the boundaries")
      return boundaries.searchsorted(self, right: right)
    }
  }
}

/// What `quantile` gives where a share lies between two elements.
public enum QuantileInterpolation: String, Sendable {
  /// In proportion, the lower or higher of both, their middle, or the nearer.
  case linear, lower, higher, midpoint, nearest
}

extension Builder {
  /// The numbers from 0 below `n` in random order.
  public func randperm(_ n: Int, dtype: ScalarType = .i64) -> Tensor {
    guard n >= 0 else {
      record(TypeFault("n is \(n)"), operation: "randperm", operands: [])
      return poison
    }
    // 64 bits have no ties to speak of.
    let (high, low) = (randomBits([Dim(n)]).convert(to: .u64), randomBits([Dim(n)]).convert(to: .u64))
    return ((high << 32) .| low).argSort(axis: 0).convert(to: dtype)
  }
}
