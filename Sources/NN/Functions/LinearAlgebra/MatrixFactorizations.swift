public import LatheCore

/// Factors of matrices.
extension Linalg {

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
    /// The elements on the diagonal and below.
    case lower = "L"
    /// The elements on the diagonal and above.
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

  /// The first columns of the product of Householder's reflections `1 - tau v vᵀ`, as many as `a[.., m, n]` has: column
  /// `k` of `a` below the diagonal, with a one on it, is `v` of number `k` of `tau[.., k]`.
  public static func householderProduct(_ a: Tensor, _ tau: Tensor) -> Tensor {
    composite("linalg.householder_product", [a, tau]) { () throws(TypeFault) -> Tensor in
      try requireMatrix(a)
      let (rows, columns) = (try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
      guard rows >= columns, tau.rank == a.rank - 1, tau.shape.dropLast() == a.shape.dropLast(2),
        try tau.knownSize(tau.rank - 1) <= columns
      else { throw TypeFault("\(a.type) has more columns than rows, or \(tau.type) does not fit it") }
      let count = try tau.knownSize(tau.rank - 1)
      let below = a.slice(axis: a.rank - 1, from: 0, to: count).tril(diagonal: -1)
      let vectors = (below + identity(below)).mT.movedim(a.rank - 2, 0)
      let (state, _) = scan(
        [identity(a)], over: [vectors, tau.movedim(tau.rank - 1, 0)], reverse: true
      ) { state, elements in
        let (v, factor) = (elements[0].unsqueeze(dim: -1), elements[1].unsqueeze(dim: -1).unsqueeze(dim: -1))
        return ([state[0] - v * factor * matmul(v.mT, state[0])], [])
      }
      return state[0]
    }
  }

  private static func unpacked(_ packed: Tensor, _ permutation: Tensor) throws(TypeFault) -> [Tensor] {
    let (rows, columns) = (try packed.knownSize(packed.rank - 2), try packed.knownSize(packed.rank - 1))
    let least = min(rows, columns)
    let below = packed.slice(axis: packed.rank - 1, from: 0, to: least).tril(diagonal: -1)
    let upper = packed.slice(axis: packed.rank - 2, from: 0, to: least).triu()
    return [permutation.permutationMatrix(packed.dtype).mT, below + identity(below), upper]
  }

  /// The permutation that exchanging rows one after the other makes.
  static func permutation(_ pivots: Tensor, rows: Int) throws(TypeFault) -> Tensor {
    let axis = pivots.rank - 1
    let places = pivots.convert(to: .i64) - 1
    let index = places.builder.iota(
      places.type.with(shape: Array(places.shape.dropLast()) + [Dim(rows)]), axis: axis)
    if rows == 0 { return index }
    let first = index.slice(axis: axis, from: 0, to: 1)
    let steps = places.unsqueeze(dim: 0).transpose(0, axis + 1)
    let (state, _) = scan([index, first], over: [steps]) { state, elements in
      let (order, step, other) = (state[0], state[1], elements[0])
      let (own, found) = (order.gatherAlong(axis: axis, indices: step), order.gatherAlong(axis: axis, indices: other))
      let exchanged = (index .== step).select(
        found.expand(order.shape), (index .== other).select(own.expand(order.shape), order))
      return ([exchanged, step + 1], [])
    }
    return state[0]
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
