private import CRoutines

extension ReferenceEvaluator {
  /// The results of a routine for every matrix of the operands; nil where it fails.
  static func run(_ routine: Routine, _ operands: [NDArray], _ types: [TensorType]) -> [NDArray]? {
    let given = operands.map(\.values)
    var results: [[ScalarValue]] = types.map { _ in [] }
    // Operands have two axes behind the leading ones, which all have in common.
    for matrix in 0..<operands[0].shape.dropLast(2).reduce(1, *) {
      let blocks = zip(given, routine.operandCounts).map { Array($0[(matrix * $1)..<((matrix + 1) * $1)]) }
      guard let computed = run(routine, blocks) else { return nil }
      for (position, values) in computed.enumerated() { results[position] += values }
    }
    return zip(results, types).map { values, type in
      unfailing { try NDArray(dtype: type.dtype, shape: type.sizes, values: values) }
    }
  }

  /// The results of a routine for single matrices, computed in double precision by the text that emitted C contains; nil
  /// where it fails.
  package static func run(_ routine: Routine, _ blocks: [[ScalarValue]]) -> [[ScalarValue]]? {
    let operands = blocks.map { $0.map(\.double) }
    let numbers = routine.numbers
    var reals = routine.results.map { [Double](repeating: 0, count: $0.type.isFloat ? $0.count : 0) }
    var work = [Double](repeating: 0, count: routine.workCount)
    var pivots: [Int32] = []
    var permutation: [Int64] = []
    let status: Int32
    switch routine.name {
    case .cholesky: status = lathe_cholesky(numbers[0], operands[0], &reals[0])
    case .lu:
      pivots = Array(repeating: 0, count: min(numbers[0], numbers[1]))
      permutation = Array(repeating: 0, count: numbers[0])
      status = lathe_lu(numbers[0], numbers[1], operands[0], &reals[0], &pivots, &permutation)
    case .triangularSolve:
      status = lathe_triangular_solve(
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], operands[0], operands[1], &reals[0])
    case .qr:
      var (q, r) = (reals[0], reals[1])
      status = lathe_qr(numbers[0], numbers[1], numbers[2], operands[0], &q, &r, &work)
      reals = [q, r]
    case .eigh:
      var (w, v) = (reals[0], reals[1])
      status = lathe_eigh(numbers[0], operands[0], &w, &v, &work)
      reals = [w, v]
    case .svd:
      var (u, s, vh) = (reals[0], reals[1], reals[2])
      status = lathe_svd(numbers[0], numbers[1], operands[0], &u, &s, &vh, &work)
      reals = [u, s, vh]
    case .eig:
      var (re, im, vr, vi) = (reals[0], reals[1], reals[2], reals[3])
      status = lathe_eig(numbers[0], operands[0], &re, &im, &vr, &vi, &work)
      reals = [re, im, vr, vi]
    }
    guard status == 0 else { return nil }
    return zip(routine.results, reals).map { result, numbers in
      switch result.type {
      case .i32: pivots.map { .integer(Int($0)) }
      case .i64: permutation.map { .integer(Int($0)) }
      default: numbers.map { .float($0) }
      }
    }
  }
}
