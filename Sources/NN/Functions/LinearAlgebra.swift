public import LatheCore

/// PyTorch's `torch.linalg`, on the matrices in the last two axes of `f32` and `f64` tensors.
///
/// A matrix that has no inverse or factorization fails the run: the interpreter says which operation and why, emitted C
/// returns `NAME_ERROR_SINGULAR`.
public enum Linalg {
  // MARK: Factorizations

  /// The lower triangular `l` with `a = l lᵀ` for symmetric positive-definite matrices, or `lᵀ`.
  public static func cholesky(_ a: Tensor, upper: Bool = false) -> Tensor {
    composite("linalg.cholesky", [a]) {
      let source = upper ? a.mT : a
      return upper ? source.cholesky().mT : source.cholesky()
    }
  }

  /// The factors of `a = p l u`: a permutation, `l` with ones on the diagonal and the upper triangular `u`.
  public static func lu(_ a: Tensor) -> (p: Tensor, l: Tensor, u: Tensor) {
    let results = composite("linalg.lu", [a], count: 3) { () throws(TypeFault) -> [Tensor] in
      let (packed, _, permutation) = a.lu()
      return try unpacked(try packed.checked(), permutation)
    }
    return (results[0], results[1], results[2])
  }

  /// The factors of `lu` in one matrix, and the pivots counted from 1, for `luSolve` and `luUnpack`.
  public static func luFactor(_ a: Tensor) -> (lu: Tensor, pivots: Tensor) {
    let results = composite("linalg.lu_factor", [a], count: 2) {
      let (packed, pivots, _) = a.lu()
      return [packed, pivots]
    }
    return (results[0], results[1])
  }

  /// The factors that `luFactor` has packed: `torch.lu_unpack`.
  public static func luUnpack(_ lu: Tensor, _ pivots: Tensor) -> (p: Tensor, l: Tensor, u: Tensor) {
    let results = composite("lu_unpack", [lu, pivots], count: 3) { () throws(TypeFault) -> [Tensor] in
      try unpacked(lu, try permutation(pivots, rows: try lu.knownSize(lu.axis(-2))))
    }
    return (results[0], results[1], results[2])
  }

  /// The solution `x` of `a x = b` by the factors of `a`.
  public static func luSolve(_ lu: Tensor, _ pivots: Tensor, _ b: Tensor) -> Tensor {
    composite("linalg.lu_solve", [lu, pivots, b]) { () throws(TypeFault) -> Tensor in
      let rows = try permutation(pivots, rows: try lu.knownSize(lu.axis(-2)))
      let moved = matmul(oneHot(rows, lu.dtype), b)
      return lu.triangularSolve(lu.triangularSolve(moved, upper: false, unit: true), upper: true, checked: true)
    }
  }

  /// Which of the factors of `qr` are asked for.
  public enum QRMode: String, Sendable {
    /// As many columns of `q` as there are singular values.
    case reduced
    /// A square `q`.
    case complete
    /// `r` only; `q` is empty.
    case r
  }

  /// `a = q r` with orthonormal columns of `q` and an upper triangular `r`.
  public static func qr(_ a: Tensor, mode: QRMode = .reduced) -> (q: Tensor, r: Tensor) {
    let results = composite("linalg.qr", [a], count: 2) { () throws(TypeFault) -> [Tensor] in
      let (q, r) = a.qr(complete: mode == .complete)
      return [mode == .r ? r.builder.zeros(TensorType(a.dtype, [0])) : try q.checked(), r]
    }
    return (results[0], results[1])
  }

  /// Which triangle of a symmetric matrix is read.
  public enum Triangle: String, Sendable {
    case lower = "L"
    case upper = "U"
  }

  /// The eigenvalues, ascending, and the eigenvectors of symmetric matrices.
  ///
  /// The first of the large numbers of each eigenvector is positive. The gradient of eigenvectors is not finite where
  /// eigenvalues are equal.
  public static func eigh(_ a: Tensor, uplo: Triangle = .lower) -> (eigenvalues: Tensor, eigenvectors: Tensor) {
    let results = composite("linalg.eigh", [a], count: 2) {
      let (values, vectors) = (uplo == .upper ? a.mT : a).eigh()
      return [values, vectors]
    }
    return (results[0], results[1])
  }

  /// The eigenvalues of symmetric matrices, ascending.
  public static func eigvalsh(_ a: Tensor, uplo: Triangle = .lower) -> Tensor {
    composite("linalg.eigvalsh", [a]) { (uplo == .upper ? a.mT : a).eigh().values }
  }

  /// The complex eigenvalues and eigenvectors of square matrices, in no order.
  ///
  /// Of conjugate pairs the one with the positive imaginary part comes first. Eigenvectors have norm one and a real,
  /// positive first large number.
  public static func eig(_ a: Tensor) -> (eigenvalues: ComplexPair, eigenvectors: ComplexPair) {
    let results = composite("linalg.eig", [a], count: 4) {
      let (values, vectors) = a.eig()
      return [values.real, values.imaginary, vectors.real, vectors.imaginary]
    }
    return (ComplexPair(results[0], results[1]), ComplexPair(results[2], results[3]))
  }

  /// The complex eigenvalues of square matrices, in no order.
  public static func eigvals(_ a: Tensor) -> ComplexPair { eig(a).eigenvalues }

  /// `a = u diag(s) vh` with orthonormal columns of `u` and rows of `vh` and descending singular values `s`.
  ///
  /// - Parameter fullMatrices: Whether `u` and `vh` are square; what that adds is not unique and has no gradient.
  public static func svd(_ a: Tensor, fullMatrices: Bool = true) -> (u: Tensor, s: Tensor, vh: Tensor) {
    let results = composite("linalg.svd", [a], count: 3) { () throws(TypeFault) -> [Tensor] in
      let (u, s, vh) = a.svd()
      guard fullMatrices, !u.isPoisoned else { return [u, s, vh] }
      let (rows, columns) = (try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
      return [
        rows > columns ? completed(u, from: columns, to: rows) : u, s,
        columns > rows ? completed(vh.mT, from: rows, to: columns).mT : vh,
      ]
    }
    return (results[0], results[1], results[2])
  }

  /// Orthonormal columns with others that make the matrices square.
  private static func completed(_ q: Tensor, from count: Int, to size: Int) -> Tensor {
    let all = q.detach().qr(complete: true).q
    return Tensor.concatenate([q, all.slice(axis: q.rank - 1, from: count, to: size)], axis: q.rank - 1)
  }

  /// The singular values, descending.
  public static func svdvals(_ a: Tensor) -> Tensor { composite("linalg.svdvals", [a]) { a.svd().s } }

  // MARK: Systems of equations

  /// The solution `x` of `a x = b`, or of `x a = b` where not `left`; `b` is a matrix, or one vector for each matrix.
  public static func solve(_ a: Tensor, _ b: Tensor, left: Bool = true) -> Tensor {
    composite("linalg.solve", [a, b]) { () throws(TypeFault) -> Tensor in
      guard a.rank >= 2, b.rank >= 1 else { throw TypeFault("\(a.type) and \(b.type) are no matrix and no vector") }
      let isVector = b.rank == 1 || b.rank == a.rank - 1 && b.shape == Array(a.shape.dropLast())
      if isVector {
        guard left else { throw TypeFault("the right-hand side \(b.type) is a vector", help: "give a matrix") }
        return try solved(a, b.unsqueeze(dim: -1)).squeeze(dim: -1)
      }
      return left ? try solved(a, b) : try solved(a.mT, b.mT).mT
    }
  }

  private static func solved(_ a: Tensor, _ b: Tensor) throws(TypeFault) -> Tensor {
    let (a, b) = try broadcast(a, b)
    return withGradient("linalg.solve", [a, b]) {
      [$0[0].solved($0[1])]
    } backward: { inputs, outputs, gradients in
      let db = inputs[0].solvedTransposed(gradients[0])
      return [-matmul(db, outputs[0].mT), db]
    }[0]
  }

  /// Matrices with their leading axes broadcast.
  private static func broadcast(_ a: Tensor, _ b: Tensor) throws(TypeFault) -> (Tensor, Tensor) {
    guard a.rank >= 2, b.rank >= 2 else { throw TypeFault("\(a.type) and \(b.type) are no matrices") }
    let batch = try Tensor.broadcastShape([
      a.type.with(shape: Array(a.shape.dropLast(2))), b.type.with(shape: Array(b.shape.dropLast(2))),
    ])
    return (a.expanded(to: batch + a.shape.suffix(2)), b.expanded(to: batch + b.shape.suffix(2)))
  }

  /// The solution `x` of `a x = b` for triangular `a`, or of `x a = b` where not `left`.
  ///
  /// A zero on the diagonal gives what is not finite.
  public static func solveTriangular(
    _ a: Tensor, _ b: Tensor, upper: Bool, left: Bool = true, unitriangular: Bool = false
  ) -> Tensor {
    composite("linalg.solve_triangular", [a, b]) { () throws(TypeFault) -> Tensor in
      let (a, b) = try broadcast(left ? a : a.mT, left ? b : b.mT)
      let x = a.triangularSolve(b, upper: upper == left, unit: unitriangular)
      return left ? x : x.mT
    }
  }

  /// The least-norm solution `x` of least squares `|a x - b|`, whatever the rank of `a`.
  ///
  /// - Parameter rcond: Singular values up to this part of the largest count as zero; by default the precision times the
  ///   larger size.
  public static func lstsq(_ a: Tensor, _ b: Tensor, rcond: Double? = nil) -> Tensor {
    composite("linalg.lstsq", [a, b]) { () throws(TypeFault) -> Tensor in
      let isVector = b.rank == a.rank - 1
      let x = matmul(try inverted(a, atol: nil, rtol: rcond), isVector ? b.unsqueeze(dim: -1) : b)
      return isVector ? x.squeeze(dim: -1) : x
    }
  }

  // MARK: Inverses and determinants

  /// The inverses of square matrices.
  public static func inv(_ a: Tensor) -> Tensor {
    composite("linalg.inv", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      return withGradient("linalg.inv", [a]) {
        [$0[0].solved(identity($0[0]))]
      } backward: { _, outputs, gradients in
        [-matmul(matmul(outputs[0].mT, gradients[0]), outputs[0].mT)]
      }[0]
    }
  }

  /// The pseudo-inverses of matrices: those of Moore and Penrose.
  ///
  /// - Parameters:
  ///   - atol: Singular values up to this count as zero; by default 0.
  ///   - rtol: So do those up to this part of the largest; by default, and without `atol`, the precision times the larger
  ///     size.
  public static func pinv(_ a: Tensor, atol: Double? = nil, rtol: Double? = nil) -> Tensor {
    composite("linalg.pinv", [a]) { () throws(TypeFault) -> Tensor in try inverted(a, atol: atol, rtol: rtol) }
  }

  /// Source of the gradient: Golub and Pereyra, The differentiation of pseudo-inverses (1973).
  private static func inverted(_ a: Tensor, atol: Double?, rtol: Double?) throws(TypeFault) -> Tensor {
    try requireMatrix(a)
    let (rows, columns) = (try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
    if min(rows, columns) == 0 { return a.mT }
    let tolerance = tolerance(atol, rtol, a.dtype, max(rows, columns))
    return withGradient("linalg.pinv", [a]) { inputs in
      let (u, s, vh) = inputs[0].svd()
      let isKept = s .> threshold(s, tolerance)
      let inverse = isKept.select(1 / isKept.select(s, s.onesLike()), s.zerosLike())
      return [matmul(vh.mT * inverse.unsqueeze(dim: -2), u.mT)]
    } backward: { inputs, outputs, gradients in
      let (a, p, g) = (inputs[0], outputs[0], gradients[0].mT)
      if rows <= columns {
        let k = matmul(g, p)
        let kp = matmul(k, p.mT)
        return [
          kp - matmul(p, k).mT - matmul(matmul(a, p), kp) + matmul(matmul(p.mT, p), g - matmul(k, a))
        ]
      }
      let k = matmul(p, g)
      let pk = matmul(p.mT, k)
      return [
        pk - matmul(k, p).mT + matmul(matmul(g - matmul(a, k), p), p.mT) - matmul(matmul(pk, p), a)
      ]
    }[0]
  }

  /// The determinants of square matrices.
  ///
  /// As in PyTorch the gradient is zero where a matrix is singular.
  public static func det(_ a: Tensor) -> Tensor {
    composite("linalg.det", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      return withGradient("linalg.det", [a]) { inputs in
        let (diagonal, sign) = pivots(inputs[0])
        return [diagonal.reduce(.product, axes: [diagonal.rank - 1]) * sign]
      } backward: { inputs, outputs, gradients in
        let scale = (gradients[0] * outputs[0]).unsqueeze(dim: -1).unsqueeze(dim: -1)
        let right = identity(inputs[0]) * scale
        let tiny = inputs[0].dtype == .f64 ? 0x1p-52 : 0x1p-23
        return [inputs[0].solvedTransposed(right, replacingZeroPivotsBy: tiny)]
      }[0]
    }
  }

  /// The signs and the logarithms of the magnitudes of determinants; 0 and minus infinity where a matrix is singular.
  public static func slogdet(_ a: Tensor) -> (sign: Tensor, logabsdet: Tensor) {
    let results = composite("linalg.slogdet", [a], count: 2) { () throws(TypeFault) -> [Tensor] in
      try requireSquare(a)
      return withGradient("linalg.slogdet", [a]) { inputs in
        let (diagonal, sign) = pivots(inputs[0])
        return [
          diagonal.sign().reduce(.product, axes: [diagonal.rank - 1]) * sign,
          diagonal.abs().log().reduce(.sum, axes: [diagonal.rank - 1]),
        ]
      } backward: { inputs, _, gradients in
        [inputs[0].solvedTransposed(identity(inputs[0]) * gradients[1].unsqueeze(dim: -1).unsqueeze(dim: -1))]
      }
    }
    return (results[0], results[1])
  }

  /// The diagonal of `u`, and the sign of the permutation.
  private static func pivots(_ a: Tensor) -> (diagonal: Tensor, sign: Tensor) {
    let (packed, pivots, _) = a.lu()
    let step = pivots.builder.iota(pivots.type, axis: pivots.rank - 1) + 1
    let swaps = (pivots .!= step).convert(to: a.dtype)
    let sign = (1 - swaps * 2).reduce(.product, axes: [swaps.rank - 1])
    return (packed.diagonal(dim1: -2, dim2: -1), sign)
  }

  // MARK: Powers and functions of matrices

  /// The `n`-th powers of square matrices; negative ones of their inverses.
  public static func matrixPower(_ a: Tensor, _ n: Int) -> Tensor {
    composite("linalg.matrix_power", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      try requireBounded(n, "n")
      var (power, rest) = (n < 0 ? inv(a) : a, n.magnitude)
      var result: Tensor?
      while rest > 0 {
        if rest % 2 == 1 { result = result.map { matmul($0, power) } ?? power }
        rest /= 2
        if rest > 0 { power = matmul(power, power) }
      }
      return result ?? identity(a)
    }
  }

  /// The exponentials of square matrices.
  ///
  /// By scaling and squaring of a polynomial of degree 16, which is exact to rounding where the norm is at most 1/2. NaN
  /// where the largest norm is beyond 2^63.
  public static func matrixExp(_ a: Tensor) -> Tensor {
    composite("linalg.matrix_exp", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      if a.shape.contains(0) { return a }
      let norm = a.detach().abs().reduce(.sum, axes: [a.rank - 2]).amax()
      let count = (norm.log2() + 1).ceil().maximum(0)
      let x = a * (-count).exp2()
      let x2 = matmul(x, x)
      let (x3, x4) = (matmul(x2, x), matmul(x2, x2))
      func block(_ start: Int) -> Tensor {
        var factor = (1...max(start, 1)).reduce(1.0) { $0 / Double($1) }
        if start == 0 { factor = 1 }
        var sum = identity(a) * factor
        for (offset, power) in [x, x2, x3].enumerated() {
          factor /= Double(start + offset + 1)
          sum = sum + power * factor
        }
        return sum
      }
      let last = (1...16).reduce(1.0) { $0 / Double($1) }
      var sum = block(12) + x4 * last
      for start in [8, 4, 0] { sum = block(start) + matmul(x4, sum) }
      // A branch, so that steps that are not needed cost nothing.
      let zero = a.builder.scalar(.float(0), a.dtype)
      let (state, _) = scan([sum, zero], over: [], length: Dimension(mostSquarings)) { state, _ in
        let next = LatheNN.cond(state[1] .< count) {
          [matmul(state[0], state[0])]
        } otherwise: {
          [state[0]]
        }
        return ([next[0], state[1] + 1], [])
      }
      let isComputed = count .<= Double(mostSquarings)
      return isComputed.select(state[0], state[0].filled(.float(.nan)))
    }
  }

  /// Matrices with norms beyond 2^63 have no exponential that means anything.
  private static let mostSquarings = 64

  /// The product of several matrices, in the order of multiplications that needs the fewest; the first and the last may
  /// be vectors.
  public static func multiDot(_ tensors: [Tensor]) -> Tensor {
    composite("linalg.multi_dot", tensors) { () throws(TypeFault) -> Tensor in
      guard tensors.count >= 2 else { throw TypeFault("needs at least two tensors, \(tensors.count) given") }
      var all = tensors
      if all[0].rank == 1 { all[0] = all[0].unsqueeze(dim: 0) }
      if all[all.count - 1].rank == 1 { all[all.count - 1] = all[all.count - 1].unsqueeze(dim: 1) }
      for (position, tensor) in all.enumerated() { try tensor.requireRank(2...2, "tensor \(position)") }
      var sizes: [Int] = []
      for tensor in all { sizes.append(try tensor.knownSize(0)) }
      sizes.append(try all[all.count - 1].knownSize(1))
      var result = product(all[...], sizes, 0)
      if tensors[0].rank == 1 { result = result.squeeze(dim: 0) }
      if tensors[tensors.count - 1].rank == 1 { result = result.squeeze(dim: -1) }
      return result
    }
  }

  /// Splits a chain of matrices, whose sizes are from `first` on, where that costs least.
  private static func product(_ tensors: ArraySlice<Tensor>, _ sizes: [Int], _ first: Int) -> Tensor {
    var known: [Range<Int>: (cost: Double, split: Int)] = [:]
    func best(_ range: Range<Int>) -> (cost: Double, split: Int) {
      if range.count == 1 { return (0, range.lowerBound) }
      if let best = known[range] { return best }
      var least = (cost: Double.infinity, split: range.lowerBound + 1)
      for split in range.dropFirst() {
        let own = Double(sizes[range.lowerBound]) * Double(sizes[split]) * Double(sizes[range.upperBound])
        let cost = best(range.lowerBound..<split).cost + best(split..<range.upperBound).cost + own
        if cost < least.cost { least = (cost, split) }
      }
      known[range] = least
      return least
    }
    func multiply(_ range: Range<Int>) -> Tensor {
      if range.count == 1 { return tensors[tensors.startIndex + range.lowerBound] }
      let split = best(range).split
      return matmul(multiply(range.lowerBound..<split), multiply(split..<range.upperBound))
    }
    return multiply(0..<tensors.count)
  }

  // MARK: Norms

  /// What `matrixNorm` and `cond` measure.
  public enum MatrixNorm: Hashable, Sendable {
    /// The root of the sum of squares.
    case frobenius
    /// The sum of the singular values.
    case nuclear
    /// The largest or, negative, the smallest: singular value for 2, sum of a column for 1, sum of a row for infinity.
    case order(Double)
  }

  /// The norms of matrices, `torch.linalg.matrix_norm`.
  public static func matrixNorm(
    _ a: Tensor, ord: MatrixNorm = .frobenius, dim: [Int] = [-2, -1], keepdim: Bool = false
  ) -> Tensor {
    composite("linalg.matrix_norm", [a]) { () throws(TypeFault) -> Tensor in
      try a.requireFloat("the input")
      let axes = try a.axes(dim)
      guard axes.count == 2 else { throw TypeFault("dim \(dim) are not two axes") }
      let result: Tensor
      switch ord {
      case .frobenius: return a.norm(p: 2, dim: axes, keepdim: keepdim)
      case .nuclear: result = matrices(a, axes).svd().s.sum(dim: -1)
      case .order(let order):
        let matrices = matrices(a, axes)
        let numbers: Tensor
        switch order.magnitude {
        case 2: numbers = matrices.svd().s
        case 1: numbers = matrices.abs().sum(dim: -2)
        case .infinity: numbers = matrices.abs().sum(dim: -1)
        default: throw TypeFault("ord \(order) is none of 1, 2, infinity and their negatives")
        }
        result = order > 0 ? numbers.amax(dim: [-1]) : numbers.amin(dim: [-1])
      }
      guard keepdim else { return result }
      return axes.sorted().reduce(result) { $0.unsqueeze(dim: $1) }
    }
  }

  private static func matrices(_ a: Tensor, _ axes: [Int]) -> Tensor {
    a.permute(a.shape.indices.filter { !axes.contains($0) } + axes)
  }

  /// The norms of vectors, `torch.linalg.vector_norm`; without axes of all elements.
  public static func vectorNorm(_ x: Tensor, ord: Double = 2, dim: [Int]? = nil, keepdim: Bool = false) -> Tensor {
    x.norm(p: ord, dim: dim, keepdim: keepdim)
  }

  /// The condition numbers of matrices: by default of the largest and the smallest singular value.
  public static func cond(_ a: Tensor, p: MatrixNorm = .order(2)) -> Tensor {
    composite("linalg.cond", [a]) { () throws(TypeFault) -> Tensor in
      try requireMatrix(a)
      if case .order(let order) = p, order.magnitude == 2 {
        let s = a.svd().s
        let (largest, smallest) = (s.amax(dim: [-1]), s.amin(dim: [-1]))
        return order > 0 ? largest / smallest : smallest / largest
      }
      return matrixNorm(a, ord: p) * matrixNorm(inv(a), ord: p)
    }
  }

  /// How many singular values count, as `i64`.
  ///
  /// - Parameters:
  ///   - atol: Those up to this do not; by default 0.
  ///   - rtol: Nor do those up to this part of the largest; by default, and without `atol`, the precision times the larger
  ///     size.
  public static func matrixRank(_ a: Tensor, atol: Double? = nil, rtol: Double? = nil) -> Tensor {
    composite("linalg.matrix_rank", [a]) { () throws(TypeFault) -> Tensor in
      try requireMatrix(a)
      let size = max(try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
      let s = a.svd().s
      if s.shape[s.rank - 1] == 0 { return s.convert(to: .i64).reduce(.sum, axes: [s.rank - 1]) }
      let isKept = s .> threshold(s, tolerance(atol, rtol, a.dtype, size))
      return isKept.convert(to: .i64).reduce(.sum, axes: [s.rank - 1])
    }
  }

  private static func tolerance(
    _ atol: Double?, _ rtol: Double?, _ dtype: ScalarType, _ size: Int
  ) -> (absolute: Double, relative: Double) {
    let precision = dtype == .f64 ? 0x1p-52 : 0x1p-23
    let own = (atol ?? 0) > 0 ? 0 : precision * Double(size)
    return (atol ?? 0, rtol ?? own)
  }

  private static func threshold(_ s: Tensor, _ tolerance: (absolute: Double, relative: Double)) -> Tensor {
    (s.amax(dim: [-1], keepdim: true) * tolerance.relative).maximum(tolerance.absolute)
  }

  // MARK: Tensors as matrices

  /// The inverse of a tensor as a map from its last axes to its first `ind`.
  public static func tensorinv(_ a: Tensor, ind: Int = 2) -> Tensor {
    composite("linalg.tensorinv", [a]) { () throws(TypeFault) -> Tensor in
      guard ind > 0, ind < a.rank else { throw TypeFault("ind \(ind) leaves no axes of \(a.type) on one side") }
      let (first, last) = (Array(a.shape.prefix(ind)), Array(a.shape.dropFirst(ind)))
      return inv(a.reshape([first.elementCount, last.elementCount])).reshape(last + first)
    }
  }

  /// The solution `x` of `tensordot(a, x, x.rank) = b`.
  public static func tensorsolve(_ a: Tensor, _ b: Tensor) -> Tensor {
    composite("linalg.tensorsolve", [a, b]) { () throws(TypeFault) -> Tensor in
      guard b.rank < a.rank else { throw TypeFault("\(a.type) has no more axes than \(b.type)") }
      let rest = Array(a.shape.dropFirst(b.rank))
      return solve(a.reshape([b.shape.elementCount, rest.elementCount]), b.reshape([b.shape.elementCount]))
        .reshape(rest)
    }
  }

  // MARK: Parts

  private static func requireMatrix(_ a: Tensor) throws(TypeFault) {
    try a.requireFloat("the input")
    guard a.rank >= 2 else { throw TypeFault("\(a.type) is no matrix") }
  }

  private static func requireSquare(_ a: Tensor) throws(TypeFault) {
    try requireMatrix(a)
    guard a.shape[a.rank - 2] == a.shape[a.rank - 1] else {
      throw TypeFault("the matrices in \(a.type) are not square")
    }
  }

  private static func identity(_ a: Tensor) -> Tensor {
    let index = a.type.with(dtype: .i64)
    let isDiagonal = a.builder.iota(index, axis: a.rank - 2) .== a.builder.iota(index, axis: a.rank - 1)
    return isDiagonal.convert(to: a.dtype)
  }

  /// Rows of zeros with a one at the given place.
  private static func oneHot(_ places: Tensor, _ dtype: ScalarType) -> Tensor {
    let wide = places.unsqueeze(dim: -1).expand(places.shape + [places.shape[places.rank - 1]])
    return (wide .== wide.builder.iota(wide.type, axis: wide.rank - 1)).convert(to: dtype)
  }

  private static func unpacked(_ packed: Tensor, _ permutation: Tensor) throws(TypeFault) -> [Tensor] {
    let (rows, columns) = (try packed.knownSize(packed.rank - 2), try packed.knownSize(packed.rank - 1))
    let least = min(rows, columns)
    let below = packed.slice(axis: packed.rank - 1, from: 0, to: least).tril(diagonal: -1)
    let index = below.type.with(dtype: .i64)
    let ones = below.builder.iota(index, axis: below.rank - 2) .== below.builder.iota(index, axis: below.rank - 1)
    let upper = packed.slice(axis: packed.rank - 2, from: 0, to: least).triu()
    return [oneHot(permutation, packed.dtype).mT, below + ones.convert(to: packed.dtype), upper]
  }

  /// The permutation that exchanging rows one after the other makes.
  private static func permutation(_ pivots: Tensor, rows: Int) throws(TypeFault) -> Tensor {
    let axis = pivots.rank - 1
    let count = try pivots.knownSize(axis)
    let places = pivots.convert(to: .i64) - 1
    let type = places.type.with(shape: Array(places.shape.dropLast()) + [Dimension(rows)])
    let index = places.builder.iota(type, axis: axis)
    var order = index
    for step in 0..<count {
      let other = places.slice(axis: axis, from: step, to: step + 1)
      let own = order.slice(axis: axis, from: step, to: step + 1)
      let found = order.gatherAlong(axis: axis, indices: other)
      order = (index .== Double(step)).select(
        found.expand(type.shape), (index .== other).select(own.expand(type.shape), order))
    }
    return order
  }
}

/// The inverses of square matrices: `torch.inverse`, the older name of `Linalg.inv`.
public func inverse(_ a: Tensor) -> Tensor { Linalg.inv(a) }

/// The pseudo-inverses of matrices: `torch.pinverse`.
public func pinverse(_ a: Tensor, rcond: Double = 1e-15) -> Tensor { Linalg.pinv(a, rtol: rcond) }

/// The determinants of square matrices: `torch.det`.
public func det(_ a: Tensor) -> Tensor { Linalg.det(a) }

/// The signs and the logarithms of the magnitudes of determinants: `torch.slogdet`.
public func slogdet(_ a: Tensor) -> (sign: Tensor, logabsdet: Tensor) { Linalg.slogdet(a) }

/// The logarithms of determinants; NaN where they are negative.
public func logdet(_ a: Tensor) -> Tensor {
  composite("logdet", [a]) {
    let (sign, logarithm) = Linalg.slogdet(a)
    let nan = logarithm.filled(.float(.nan))
    return (sign .< 0).select(nan, logarithm)
  }
}

/// The solution `x` of `a x = b`, given a Cholesky factor of `a`.
public func choleskySolve(_ b: Tensor, _ l: Tensor, upper: Bool = false) -> Tensor {
  composite("cholesky_solve", [b, l]) {
    let lower = upper ? l.mT : l
    let half = Linalg.solveTriangular(lower, b, upper: false)
    return Linalg.solveTriangular(lower.mT, half, upper: true)
  }
}

/// The inverse of a symmetric positive-definite matrix, given its Cholesky factor.
public func choleskyInverse(_ l: Tensor, upper: Bool = false) -> Tensor {
  composite("cholesky_inverse", [l]) {
    let lower = (upper ? l.mT : l).tril()
    let index = l.type.with(dtype: .i64)
    let ones = l.builder.iota(index, axis: l.rank - 2) .== l.builder.iota(index, axis: l.rank - 1)
    let inverse = Linalg.solveTriangular(lower, ones.convert(to: l.dtype), upper: false)
    return matmul(inverse.mT, inverse)
  }
}

/// The eigenvalues `[n, 2]` of one matrix as real and imaginary parts, and its eigenvectors in columns, of conjugate pairs
/// the real and the imaginary part: `torch.eig`, which PyTorch has removed for `Linalg.eig`.
public func eig(_ a: Tensor) -> (eigenvalues: Tensor, eigenvectors: Tensor) {
  let results = composite("eig", [a], count: 2) { () throws(TypeFault) -> [Tensor] in
    try a.requireRank(2...2, "the input")
    let (values, vectors) = Linalg.eig(a)
    let pairs = stack([values.real, values.imaginary], dim: -1)
    // Of a pair, the second column holds the imaginary part of the first.
    let isSecond = values.imaginary .< 0
    return [pairs, isSecond.select(-vectors.imaginary, vectors.real)]
  }
  return (results[0], results[1])
}
