/// How a nest's loops run. Heuristics only choose here; `NestEmitter` applies.
struct Schedule {
  enum Reduction {
    /// Each result is reduced on its own, in a register.
    case register
    /// A run of results along the innermost variable is reduced together, in a local array: the innermost loop walks
    /// along results and is independent.
    case row(Scalar, tile: Int)
  }

  var reduction: Reduction

  /// The longest run of results that is reduced together.
  private static let rowTile = 512
  /// Partial results of a reduction along contiguous elements.
  static let lanes = 16

  /// Chooses from the shape of the accesses.
  init(_ nest: Nest) {
    reduction = .register
    guard let inner = nest.domain.last, inner.extent >= 4 else { return }
    let scalars = nest.scalars
    var memo: [Scalar: Set<LoopVariable>] = [:]
    // Reductions that every result needs on its own; those of whole rows are hoisted anyway.
    var reductions: [Scalar] = []
    var sequential = false
    scalars.forEach(nest.stores.map(\.value)) { scalar, node in
      switch node {
      case .reduce where scalars.freeVariables(scalar, &memo).contains(inner): reductions.append(scalar)
      case .argReduce where scalars.freeVariables(scalar, &memo).contains(inner): sequential = true
      default: break
      }
    }
    guard reductions.count == 1, !sequential, case .reduce(_, let variables, let body) = scalars.node(reductions[0]) else { return }
    // Along the results when some operand moves with them contiguously or nothing moves contiguously along the sum.
    var alongResult = 0
    var alongSum = 0
    var loads = 0
    var nested = false
    scalars.forEach([body]) { _, node in
      switch node {
      case .load(_, let position):
        loads += 1
        if position.coefficient(of: inner) == 1 { alongResult += 1 }
        if variables.contains(where: { $0.extent > 1 && position.coefficient(of: $0) == 1 }) { alongSum += 1 }
      case .reduce, .argReduce: nested = true
      default: break
      }
    }
    // A long contiguous sum is worth its lanes; short windows are better walked across results.
    let longSum = variables.contains { $0.extent >= Self.lanes }
    if nested || (alongResult == 0 && alongSum == loads && longSum) { return }
    reduction = .row(reductions[0], tile: min(inner.extent, Self.rowTile))
  }

  /// The order of a reduction's loops: the one along contiguous elements innermost, else as defined.
  static func order(_ variables: [LoopVariable], _ body: Scalar, _ scalars: ScalarBuilder) -> [LoopVariable] {
    var contiguous: [LoopVariable: Int] = [:]
    scalars.forEach([body]) { _, node in
      guard case .load(_, let position) = node else { return }
      for variable in variables where position.coefficient(of: variable) == 1 { contiguous[variable, default: 0] += 1 }
    }
    guard let best = variables.max(by: { (contiguous[$0] ?? 0, $0.id) < (contiguous[$1] ?? 0, $1.id) }),
      let position = variables.firstIndex(of: best), contiguous[best] ?? 0 > 0
    else { return variables }
    var order = variables
    order.remove(at: position)
    order.append(best)
    return order
  }
}
