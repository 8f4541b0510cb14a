public import LatheCore

/// Reductions. Without `dim` they run over all axes; `keepdim` keeps reduced axes with size 1.
extension Tensor {
  private func reduction(
    _ name: String, _ dims: [Int]?, _ keepdim: Bool, _ dtype: ScalarType? = nil,
    _ body: (_ x: Tensor, _ axes: [Int]) throws(TypeFault) -> Tensor
  ) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      let axes = try reducedAxes(dims)
      let result = try body(dtype.map { convert(to: $0) } ?? self, axes)
      return keepdim ? try result.checked().reshape(keeping(axes)) : result
    }
  }

  /// PyTorch reads an empty list of axes as all axes, and takes axis 0 of a scalar.
  private func reducedAxes(_ dims: [Int]?) throws(TypeFault) -> [Int] {
    guard let dims, !dims.isEmpty else { return Array(0..<rank) }
    if rank == 0, dims.allSatisfy({ $0 == 0 || $0 == -1 }) { return [] }
    return try axes(dims)
  }

  /// This shape with size 1 on some axes.
  private func keeping(_ axes: [Int]) -> [Dim] { shape.indices.map { axes.contains($0) ? 1 : shape[$0] } }

  /// How many elements go into one result.
  private func count(_ axes: [Int]) throws(TypeFault) -> Int {
    var count = 1
    for axis in axes { count *= try knownSize(axis) }
    return count
  }

  /// The same as a number in the type of sums, also where data or symbols decide it.
  private func number(_ axes: [Int]) -> Tensor {
    builder.number(axes.map { shape[$0] }.elementCount).convert(to: wide.dtype)
  }

  /// `bool` and small integers as `i64`, as PyTorch sums them.
  private var summable: Tensor { dtype.isFloat ? wide : convert(to: .i64) }

  /// A result in the type that was asked for, or that of floats.
  private func narrowed(_ result: Tensor, _ wanted: ScalarType? = nil) -> Tensor {
    result.convert(to: wanted ?? (dtype.isFloat ? dtype : result.dtype))
  }

  /// The sum of the elements.
  ///
  /// - Parameter dtype: The type that elements are converted to before; by default that of floats, and `i64` for all else.
  public func sum(dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("sum", dim, keepdim, dtype) { x, axes in x.narrowed(x.summable.reduce(.sum, axes: axes), dtype) }
  }

  /// The sum of the elements.
  public func sum(dim: Int, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    sum(dim: [dim], keepdim: keepdim, dtype: dtype)
  }

  /// The mean of the elements.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public func mean(dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("mean", dim, keepdim, dtype) { (x, axes) throws(TypeFault) -> Tensor in
      try x.requireFloat("the input")
      return x.narrowed(x.wide.reduce(.sum, axes: axes) / x.number(axes))
    }
  }

  /// The mean of the elements.
  public func mean(dim: Int, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    mean(dim: [dim], keepdim: keepdim, dtype: dtype)
  }

  /// The product of the elements.
  ///
  /// - Parameter dtype: The type that elements are converted to before; by default that of floats, and `i64` for all else.
  public func prod(dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("prod", dim, keepdim, dtype) { x, axes in x.narrowed(x.summable.reduce(.product, axes: axes), dtype) }
  }

  /// The product of the elements.
  public func prod(dim: Int, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    prod(dim: [dim], keepdim: keepdim, dtype: dtype)
  }

  /// The greatest elements; ties share the gradient evenly.
  public func amax(dim: [Int]? = nil, keepdim: Bool = false) -> Tensor {
    reduction("amax", dim, keepdim) { x, axes in x.reduce(.max, axes: axes) }
  }

  /// The greatest elements; ties share the gradient evenly.
  public func amax(dim: Int, keepdim: Bool = false) -> Tensor { amax(dim: [dim], keepdim: keepdim) }

  /// The least elements; ties share the gradient evenly.
  public func amin(dim: [Int]? = nil, keepdim: Bool = false) -> Tensor {
    reduction("amin", dim, keepdim) { x, axes in x.reduce(.min, axes: axes) }
  }

  /// The least elements; ties share the gradient evenly.
  public func amin(dim: Int, keepdim: Bool = false) -> Tensor { amin(dim: [dim], keepdim: keepdim) }

  /// The greatest element of all.
  public func max() -> Tensor { amax() }

  /// The least element of all.
  public func min() -> Tensor { amin() }

  /// The greatest elements along an axis and the first places where they are; those places take the gradient.
  public func max(dim: Int, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    extreme("max", .max, dim, keepdim)
  }

  /// The least elements along an axis and the first places where they are; those places take the gradient.
  public func min(dim: Int, keepdim: Bool = false) -> (values: Tensor, indices: Tensor) {
    extreme("min", .min, dim, keepdim)
  }

  private func extreme(_ name: String, _ combiner: Combiner, _ dim: Int, _ keepdim: Bool) -> (Tensor, Tensor) {
    let results = composite(name, [self], count: 2) { () throws(TypeFault) -> [Tensor] in
      if rank == 0, dim == 0 || dim == -1 { return [self, builder.scalar(.integer(0), .i64)] }
      let axis = try axis(dim)
      let places = try argReduce(combiner, axis: axis).checked()
      let kept = places.unsqueeze(dim: axis)
      // The places are its own: there is nothing to check.
      let values = gatherAlong(axis: axis, indices: kept, outside: .ignored)
      return keepdim ? [values, kept] : [values.squeeze(dim: axis), places]
    }
    return (results[0], results[1])
  }

  /// The place of the greatest element along an axis, the first on ties; of the flattened tensor without `dim`.
  public func argmax(dim: Int? = nil, keepdim: Bool = false) -> Tensor { place("argmax", .max, dim, keepdim) }

  /// The place of the least element along an axis, the first on ties; of the flattened tensor without `dim`.
  public func argmin(dim: Int? = nil, keepdim: Bool = false) -> Tensor { place("argmin", .min, dim, keepdim) }

  private func place(_ name: String, _ combiner: Combiner, _ dim: Int?, _ keepdim: Bool) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      guard let dim else {
        let result = flatten().argReduce(combiner, axis: 0)
        return keepdim ? result.reshape([Dim](repeating: 1, count: rank)) : result
      }
      if rank == 0, dim == 0 || dim == -1 { return builder.scalar(.integer(0), .i64) }
      let axis = try axis(dim)
      let result = argReduce(combiner, axis: axis)
      return keepdim ? try result.checked().unsqueeze(dim: axis) : result
    }
  }

  /// Whether every element is true or not zero.
  public func all(dim: [Int]? = nil, keepdim: Bool = false) -> Tensor {
    reduction("all", dim, keepdim) { x, axes in
      (x.dtype == .bool ? x : x .!= 0).reduce(.min, axes: axes).convert(to: x.dtype.truth)
    }
  }

  /// Whether every element is true or not zero.
  public func all(dim: Int, keepdim: Bool = false) -> Tensor { all(dim: [dim], keepdim: keepdim) }

  /// Whether some element is true or not zero.
  public func any(dim: [Int]? = nil, keepdim: Bool = false) -> Tensor {
    reduction("any", dim, keepdim) { x, axes in
      (x.dtype == .bool ? x : x .!= 0).reduce(.max, axes: axes).convert(to: x.dtype.truth)
    }
  }

  /// Whether some element is true or not zero.
  public func any(dim: Int, keepdim: Bool = false) -> Tensor { any(dim: [dim], keepdim: keepdim) }

  /// The variance; `correction` 1 is Bessel's.
  public func `var`(dim: [Int]? = nil, correction: Double = 1, keepdim: Bool = false) -> Tensor {
    reduction("var", dim, keepdim) { (x, axes) throws(TypeFault) -> Tensor in
      x.narrowed(try x.wideVariance(axes, correction: correction))
    }
  }

  /// The variance; `correction` 1 is Bessel's.
  public func `var`(dim: Int, correction: Double = 1, keepdim: Bool = false) -> Tensor {
    `var`(dim: [dim], correction: correction, keepdim: keepdim)
  }

  /// The standard deviation; `correction` 1 is Bessel's.
  public func std(dim: [Int]? = nil, correction: Double = 1, keepdim: Bool = false) -> Tensor {
    reduction("std", dim, keepdim) { (x, axes) throws(TypeFault) -> Tensor in
      x.narrowed(try x.wideVariance(axes, correction: correction).rootOrZero())
    }
  }

  /// The standard deviation; `correction` 1 is Bessel's.
  public func std(dim: Int, correction: Double = 1, keepdim: Bool = false) -> Tensor {
    std(dim: [dim], correction: correction, keepdim: keepdim)
  }

  private func wideVariance(_ axes: [Int], correction: Double) throws(TypeFault) -> Tensor {
    try requireFloat("the input")
    let count = number(axes)
    let centred = wide - wide.reduce(.sum, axes: axes).reshape(keeping(axes)) / count
    return (centred * centred).reduce(.sum, axes: axes) / (count - correction).maximum(0)
  }

  /// `log(sum(exp(x)))` without overflow.
  public func logsumexp(dim: [Int], keepdim: Bool = false) -> Tensor {
    reduction("logsumexp", dim, keepdim) { x, axes in
      let wide = x.floating.wide
      let greatest = wide.detach().reduce(.max, axes: axes)
      // An infinite maximum is its own logarithm and would make NaN as a shift.
      let shift = greatest.isFinite().select(greatest, greatest.zerosLike())
      let sum = (wide - shift.reshape(x.keeping(axes))).exp().reduce(.sum, axes: axes)
      return x.narrowed(sum.log() + shift)
    }
  }

  /// `log(sum(exp(x)))` without overflow.
  public func logsumexp(dim: Int, keepdim: Bool = false) -> Tensor { logsumexp(dim: [dim], keepdim: keepdim) }

  /// The `p`-norm of the elements along axes.
  ///
  /// `.infinity` gives the greatest magnitude, 0 the number of elements that are not 0.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public func norm(p: Double = 2, dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("norm", dim, keepdim, dtype) { (x, axes) throws(TypeFault) -> Tensor in
      try x.requireFloat("the input")
      guard p.isFinite && p >= 0 || axes.allSatisfy({ x.shape[$0] != 0 }) else {
        throw TypeFault("\(x.type) has no elements to take the norm \(p) of")
      }
      return x.narrowed(x.wide.powerNorm(p, axes))
    }
  }

  /// A norm by its name: Frobenius' of the elements along axes, or the nuclear one of matrices in two axes.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public func norm(
    _ p: Linalg.MatrixNorm, dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil
  ) -> Tensor {
    switch p {
    case .frobenius: norm(p: 2, dim: dim, keepdim: keepdim, dtype: dtype)
    case .nuclear:
      Linalg.matrixNorm(self, ord: .nuclear, dim: dim ?? Array(shape.indices), keepdim: keepdim, dtype: dtype)
    case .order(let order): norm(p: order, dim: dim, keepdim: keepdim, dtype: dtype)
    }
  }

  /// The `p`-norm of the elements along an axis.
  public func norm(p: Double = 2, dim: Int, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    norm(p: p, dim: [dim], keepdim: keepdim, dtype: dtype)
  }

  private func powerNorm(_ p: Double, _ axes: [Int]) -> Tensor {
    switch p {
    case 0: return (self .!= 0).convert(to: dtype).reduce(.sum, axes: axes)
    case 1: return abs().reduce(.sum, axes: axes)
    case 2:
      return (self * self).reduce(.sum, axes: axes).rootOrZero()
    case .infinity: return abs().reduce(.max, axes: axes)
    case -.infinity: return abs().reduce(.min, axes: axes)
    default:
      return abs().powerOrZero(p).reduce(.sum, axes: axes).powerOrZero(1 / p)
    }
  }

  /// The power, whose slope at 0 counts as 0 rather than infinite: as with `rootOrZero`.
  func powerOrZero(_ exponent: Double) -> Tensor {
    let isZero = self .== 0
    return isZero.select(detach().pow(exponent), isZero.select(onesLike(), self).pow(exponent))
  }

  /// The square root, whose slope at 0 counts as 0 rather than infinite, as in PyTorch's `norm` and `std`.
  private func rootOrZero() -> Tensor {
    let isZero = self .== 0
    return isZero.select(zerosLike(), isZero.select(onesLike(), self).sqrt())
  }

  /// The `p`-norm of the difference.
  public func dist(_ other: Tensor, p: Double = 2) -> Tensor { (self - other).norm(p: p) }

  /// The running sum along an axis.
  ///
  /// - Parameter dtype: The type that elements are converted to before; by default that of floats, and `i64` for all else.
  public func cumsum(dim: Int, dtype: ScalarType? = nil) -> Tensor {
    cumulation("cumsum", dim, dtype) { $0.narrowed($0.summable.cumulative(.sum, axis: $1), dtype) }
  }

  /// The running product along an axis.
  ///
  /// - Parameter dtype: The type that elements are converted to before; by default that of floats, and `i64` for all else.
  public func cumprod(dim: Int, dtype: ScalarType? = nil) -> Tensor {
    cumulation("cumprod", dim, dtype) { $0.narrowed($0.summable.cumulative(.product, axis: $1), dtype) }
  }

  /// The greatest elements so far along an axis, and the last places where they were met.
  public func cummax(dim: Int) -> (values: Tensor, indices: Tensor) { running("cummax", .max, dim) }

  /// The least elements so far along an axis, and the last places where they were met.
  public func cummin(dim: Int) -> (values: Tensor, indices: Tensor) { running("cummin", .min, dim) }

  private func running(_ name: String, _ combiner: Combiner, _ dim: Int) -> (Tensor, Tensor) {
    let results = composite(name, [self], count: 2) { () throws(TypeFault) -> [Tensor] in
      if rank == 0 { return [self, builder.scalar(.integer(0), .i64)] }
      let axis = try axis(dim)
      let values = try cumulative(combiner, axis: axis).checked()
      let place = builder.iota(TensorType(.i64, shape), axis: axis)
      let met = (self .== values).select(place, place.filled(.integer(0)))
      return [values, met.cumulative(.max, axis: axis)]
    }
    return (results[0], results[1])
  }

  /// `log(cumsum(exp(x)))`, added up in logarithms, so that neither large nor small elements are lost.
  public func logcumsumexp(dim: Int) -> Tensor {
    cumulation("logcumsumexp", dim) { (x, axis) throws(TypeFault) -> Tensor in
      try x.requireFloat("the input")
      let elements = x.wide.movedim(axis, 0)
      let nothing = x.builder.full(elements.type.with(shape: Array(elements.shape.dropFirst())), .float(-.infinity))
      let sums = scan([nothing], over: [elements]) { state, elements in
        let sum = state[0].logaddexp(elements[0])
        return (state: [sum], outputs: [sum])
      }
      return x.narrowed(sums.outputs[0]).movedim(0, axis)
    }
  }

  private func cumulation(
    _ name: String, _ dim: Int, _ dtype: ScalarType? = nil, _ body: (Tensor, Int) throws(TypeFault) -> Tensor
  ) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      let x = dtype.map { convert(to: $0) } ?? self
      if rank == 0, dim == 0 || dim == -1 { return try body(x.reshape([1]), 0).reshape([Int]()) }
      return try body(x, try axis(dim))
    }
  }

  /// How many elements are not zero.
  public func countNonzero(dim: [Int]? = nil) -> Tensor {
    reduction("countNonzero", dim, false) { x, axes in (x .!= 0).convert(to: .i64).reduce(.sum, axes: axes) }
  }

  /// The sum of the elements that are not NaN.
  ///
  /// - Parameter dtype: The type that elements are converted to before; by default that of floats, and `i64` for all else.
  public func nansum(dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("nansum", dim, keepdim, dtype) { x, axes in
      let present = x.dtype.isFloat ? x.isNaN().select(x.zerosLike(), x) : x
      return x.narrowed(present.summable.reduce(.sum, axes: axes), dtype)
    }
  }

  /// The mean of the elements that are not NaN.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public func nanmean(dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil) -> Tensor {
    reduction("nanmean", dim, keepdim, dtype) { (x, axes) throws(TypeFault) -> Tensor in
      try x.requireFloat("the input")
      let counts = x.isNaN().logicalNot().convert(to: x.wide.dtype).reduce(.sum, axes: axes)
      let sum = x.isNaN().select(x.zerosLike(), x).wide.reduce(.sum, axes: axes)
      return x.narrowed(sum / counts)
    }
  }

  /// The sum of a matrix's diagonal.
  public func trace() -> Tensor {
    composite("trace", [self]) { () throws(TypeFault) -> Tensor in
      try requireRank(2...2, "the input")
      return diagonal().sum()
    }
  }

  /// The covariance matrix of variables in rows, observations in columns.
  ///
  /// - Parameters:
  ///   - correction: What is taken off the number of observations.
  ///   - fweights: How often each observation counts, integers `[columns]`.
  ///   - aweights: How much each observation counts, `[columns]`.
  public func cov(correction: Double = 1, fweights: Tensor? = nil, aweights: Tensor? = nil) -> Tensor {
    composite("cov", [self, fweights, aweights]) { () throws(TypeFault) -> Tensor in
      try requireRank(1...2, "the input")
      let x = rank == 1 ? unsqueeze(dim: 0) : self
      let count = Double(try x.knownSize(1))
      for weights in [fweights, aweights].compactMap({ $0 }) where weights.shape != [x.shape[1]] {
        throw TypeFault("the weights are \(weights.type), need one for each of \(x.shape[1]) observations")
      }
      func products(_ centred: Tensor, _ weighted: Tensor) -> Tensor {
        let products = centred.matmul(weighted.t())
        return rank == 1 ? products.view([Int]()) : products
      }
      let given = [fweights, aweights].compactMap { $0?.convert(to: x.dtype) }
      guard let first = given.first else {
        let centred = x - x.mean(dim: 1, keepdim: true)
        return products(centred, centred) / Swift.max(count - correction, 0)
      }
      let weights = given.dropFirst().reduce(first) { $0 * $1 }
      let total = weights.sum()
      let centred = x - (x * weights).sum(dim: 1, keepdim: true) / total
      let lost = aweights.map { (weights * $0.convert(to: x.dtype)).sum() / total * correction }
      let divisor = (lost.map { total - $0 } ?? total - correction).clamp(min: 0)
      return products(centred, centred * weights) / divisor
    }
  }

  /// The correlation matrix of variables in rows, observations in columns.
  public func corrcoef() -> Tensor {
    composite("corrcoef", [self]) { () throws(TypeFault) -> Tensor in
      try requireRank(2...2, "the input")
      let covariance = cov()
      let deviations = covariance.diagonal().sqrt()
      return covariance / deviations.unsqueeze(dim: 1) / deviations.unsqueeze(dim: 0)
    }
  }

  /// The integral along an axis by trapezoids between points `dx` apart.
  public func trapezoid(dx: Double = 1, dim: Int = -1) -> Tensor {
    composite("trapezoid", [self]) { () throws(TypeFault) -> Tensor in (try trapezoids(dx, dim)).sum(dim: dim) }
  }

  /// The running integral along an axis by trapezoids between points `dx` apart.
  public func cumulativeTrapezoid(dx: Double = 1, dim: Int = -1) -> Tensor {
    composite("cumulativeTrapezoid", [self]) { () throws(TypeFault) -> Tensor in
      (try trapezoids(dx, dim)).cumsum(dim: dim)
    }
  }

  /// The integral along an axis by trapezoids between points at places `x`: of the axis alone, or of all elements.
  public func trapezoid(x: Tensor, dim: Int = -1) -> Tensor {
    composite("trapezoid", [self, x]) { () throws(TypeFault) -> Tensor in try trapezoids(x, dim).sum(dim: dim) }
  }

  /// The running integral along an axis by trapezoids between points at places `x`: of the axis alone, or of all
  /// elements.
  public func cumulativeTrapezoid(x: Tensor, dim: Int = -1) -> Tensor {
    composite("cumulativeTrapezoid", [self, x]) { () throws(TypeFault) -> Tensor in
      try trapezoids(x, dim).cumsum(dim: dim)
    }
  }

  private func trapezoids(_ x: Tensor, _ dim: Int) throws(TypeFault) -> Tensor {
    let axis = try axis(dim)
    let size = try knownSize(axis)
    guard size > 0 else { return self }
    var places = x
    if x.rank == 1 {
      guard x.shape[0] == shape[axis] else {
        throw TypeFault("\(x.type) are not the places along axis \(axis) of \(type)")
      }
      places = x.reshape([x.shape[0]] + [Dim](repeating: 1, count: rank - axis - 1))
    }
    return pairSums(axis, size) * places.diff(dim: axis - rank) / 2
  }

  private func trapezoids(_ dx: Double, _ dim: Int) throws(TypeFault) -> Tensor {
    let axis = try axis(dim)
    let size = try knownSize(axis)
    return size > 0 ? pairSums(axis, size) * (dx / 2) : self
  }

  /// The sums of neighbours.
  private func pairSums(_ axis: Int, _ size: Int) -> Tensor {
    slice(axis: axis, from: 1, to: size) + slice(axis: axis, from: 0, to: size - 1)
  }

  /// The differences of neighbours along an axis, taken `n` times.
  public func diff(n: Int, dim: Int = -1) -> Tensor {
    composite("diff", [self]) { () throws(TypeFault) -> Tensor in
      guard n >= 0 else { throw TypeFault("n is \(n)") }
      // More than there are leave nothing.
      let times = n == 0 ? 0 : Swift.min(n, try knownSize(try axis(dim)))
      return (0..<times).reduce(self) { x, _ in x.diff(dim: dim) }
    }
  }

  /// The differences of neighbours along an axis.
  public func diff(dim: Int = -1) -> Tensor {
    composite("diff", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      let size = try knownSize(axis)
      guard size > 0 else { return self }
      return slice(axis: axis, from: 1, to: size) - slice(axis: axis, from: 0, to: size - 1)
    }
  }
}

/// Variance and mean at once.
public func varMean(_ x: Tensor, dim: [Int]? = nil, correction: Double = 1, keepdim: Bool = false) -> (Tensor, Tensor) {
  (x.var(dim: dim, correction: correction, keepdim: keepdim), x.mean(dim: dim, keepdim: keepdim))
}

/// Standard deviation and mean at once.
public func stdMean(_ x: Tensor, dim: [Int]? = nil, correction: Double = 1, keepdim: Bool = false) -> (Tensor, Tensor) {
  (x.std(dim: dim, correction: correction, keepdim: keepdim), x.mean(dim: dim, keepdim: keepdim))
}

/// The `p`-norms of all differences of rows: `[.., P, M]` and `[.., R, M]` to `[.., P, R]`.
public func cdist(_ a: Tensor, _ b: Tensor, p: Double = 2) -> Tensor {
  composite("cdist", [a, b]) { () throws(TypeFault) -> Tensor in
    guard a.rank >= 2, b.rank >= 2, a.shape[a.rank - 1] == b.shape[b.rank - 1] else {
      throw TypeFault("\(a.type) and \(b.type) are not rows of one size")
    }
    return (a.unsqueeze(dim: -2) - b.unsqueeze(dim: -3)).norm(p: p, dim: -1)
  }
}

/// The `p`-norms of the differences of every pair of rows, in the order of the upper triangle.
public func pdist(_ x: Tensor, p: Double = 2) -> Tensor {
  composite("pdist", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(2...2, "the input")
    let size = try x.knownSize(0)
    try requireTable(size, size, of: "pairs")
    let pairs = (0..<size).flatMap { row in ((row + 1)..<Swift.max(size, row + 1)).map { (row, $0) } }
    func rows(_ numbers: [Int]) -> Tensor {
      x.indexSelect(
        dim: 0,
        x.builder.constant(NDArray(dtype: .i64, values: numbers.map { .integer($0) })))
    }
    return (rows(pairs.map(\.0)) - rows(pairs.map(\.1))).norm(p: p, dim: 1)
  }
}

extension ScalarType {
  /// The type of truth values of a tensor of this one: bytes keep theirs, as in PyTorch.
  fileprivate var truth: ScalarType { self == .u8 ? .u8 : .bool }
}
