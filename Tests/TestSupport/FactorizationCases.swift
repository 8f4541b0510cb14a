import LatheCore

extension PrimitiveCase {
  /// The factorizations, on matrices far from singular and with eigenvalues far from each other.
  static let factorizations: [PrimitiveCase] = [
    PrimitiveCase("cholesky", [.spread([2, 3, 3], -1...1)]) { _, x in [symmetric(x[0], 4).cholesky()] },
    PrimitiveCase("cholesky of one number", [.values([1, 1], [2.5])]) { _, x in [x[0].cholesky()] },
    triangular("triangular solve, lower", upper: false), triangular("triangular solve, upper", upper: true),
    triangular("triangular solve with ones", upper: false, unit: true),
    PrimitiveCase("triangular solve, checked", [.spread([2, 2], 0.5...1), .spread([2, 1], -1...1)]) { _, x in
      [x[0].triangularSolve(x[1], upper: true, checked: true)]
    },
    lu("lu", [2, 3, 3]), lu("lu of wide matrices", [2, 4]), lu("lu of tall matrices", [2, 4, 2]),
    PrimitiveCase("solve", [.spread([2, 3, 3], -1...1), .spread([2, 3, 2], -1...1)]) { _, x in
      [x[0].solved(x[1])]
    },
    qr("qr", [2, 3, 3]), qr("qr of wide matrices", [2, 4]), qr("qr of tall matrices", [2, 4, 2]),
    qr("qr of a column", [3, 1]), qr("qr, complete", [2, 4], complete: true),
    PrimitiveCase("qr, complete, of tall matrices", [.spread([4, 2], -1...1)], smoothness: .none) { _, x in
      let (q, r) = x[0].qr(complete: true)
      return [q, r]
    },
    PrimitiveCase("eigh", [.values([2, 2, 2], [1, 0.3, -0.5, 2, -1, 0.25, 0.5, 3])]) { _, x in
      let (w, v) = symmetric(x[0], 0).eigh()
      return [w, v]
    },
    PrimitiveCase("eigenvalues of symmetric matrices", [.values([3, 3], [1, 0.3, -0.5, 2, -1, 0.25, 0.5, 3, 4])]) {
      _, x in [symmetric(x[0], 0).eigh().values]
    },
    svd("svd", [2, 2, 2], [1, 0.3, -0.5, 2, -1, 0.25, 0.5, 3]),
    svd("svd of wide matrices", [2, 3], [1, 0, 1, -1, 2, 0.5]),
    svd("svd of tall matrices", [3, 2], [1, 0, 1, -1, 2, 0.5]),
    PrimitiveCase("singular values", [.values([2, 3], [1, 0, 1, -1, 2, 0.5])]) { _, x in [x[0].svd().s] },
    PrimitiveCase("eig, real", [.values([2, 2, 2], [1, 0.3, 0.2, 2, 3, 0.25, 0.5, 1])]) { _, x in
      let (w, v) = x[0].eig()
      return [w.real, w.imaginary, v.real, v.imaginary]
    },
    PrimitiveCase("eig, complex", [.values([2, 2], [0.6, 0.8, -1.1, 0.5])]) { _, x in
      let (w, v) = x[0].eig()
      return [w.real, w.imaginary, v.real, v.imaginary]
    },
    PrimitiveCase("eig of a matrix with both", [.values([3, 3], [0.6, 0.8, 0.1, -1.1, 0.5, 0.2, 0.3, -0.1, 2])]) {
      _, x in
      // The order of eigenvalues is not fixed: what does not depend on it.
      let (w, v) = x[0].eig()
      return [(w.real * w.real).reduce(.sum, axes: [0]), (v.real * v.real).reduce(.sum, axes: [0, 1])]
    },
    PrimitiveCase(
      "factorizations of nothing", [.spread([2, 3, 0], -1...1), .spread([0, 2], -1...1)], smoothness: .none
    ) {
      _, x in
      let (q, r) = x[0].qr(complete: true)
      let (lu, pivots, permutation) = x[0].lu()
      return [q, r, lu, pivots, permutation, x[1].svd().u, x[1].svd().s]
    },
    PrimitiveCase("factorizations inside of a scan", [.spread([3, 2, 2], -1...1)]) { builder, x in
      let types = [x[0].type.with(shape: [2, 2]), x[0].type.with(shape: [2, 2])]
      let body = try builder.region(types) { _, state in
        [state[0] + symmetric(state[1], 3).cholesky(), state[0].reduce(.sum, axes: [1])]
      }
      return builder.apply(
        .scan(Scan(body: body, length: 3, carryCount: 1, sequenceCount: 1)),
        [builder.zeros(types[0]), x[0]])
    },
  ]

  /// Symmetric matrices, with a number on the diagonal.
  private static func symmetric(_ x: Tensor, _ diagonal: Double) -> Tensor {
    let axes = Array(0..<x.rank - 2) + [x.rank - 1, x.rank - 2]
    return (x + x.permute(axes)) * 0.5 + identity(x) * diagonal
  }

  private static func identity(_ x: Tensor) -> Tensor {
    let index = x.type.with(dtype: .i64)
    let mask = x.builder.iota(index, axis: x.rank - 2) .== x.builder.iota(index, axis: x.rank - 1)
    return mask.convert(to: x.dtype)
  }

  private static func triangular(_ name: String, upper: Bool, unit: Bool = false) -> PrimitiveCase {
    PrimitiveCase(name, [.spread([2, 3, 3], 0.5...1), .spread([2, 3, 2], -1...1)]) { _, x in
      [x[0].triangularSolve(x[1], upper: upper, unit: unit)]
    }
  }

  private static func lu(_ name: String, _ shape: [Int]) -> PrimitiveCase {
    PrimitiveCase(name, [.spread(shape, -1...1)]) { _, x in
      let (lu, pivots, permutation) = x[0].lu()
      return [lu, pivots, permutation]
    }
  }

  private static func qr(_ name: String, _ shape: [Int], complete: Bool = false) -> PrimitiveCase {
    PrimitiveCase(name, [.spread(shape, -1...1)]) { _, x in
      let (q, r) = x[0].qr(complete: complete)
      return [q, r]
    }
  }

  private static func svd(_ name: String, _ shape: [Int], _ numbers: [Double]) -> PrimitiveCase {
    PrimitiveCase(name, [.values(shape, numbers)]) { _, x in
      let (u, s, vh) = x[0].svd()
      return [u, s, vh]
    }
  }
}
