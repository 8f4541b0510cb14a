/// How a nest's loops run.
///
/// Heuristics only choose here; `NestEmitter` applies.
struct Schedule {
  enum Reduction {
    /// Each result is reduced on its own, in a register.
    case register
    /// A run of results along the innermost variable is reduced together, in a local array: the innermost loop walks
    /// along results and is independent.
    case row(RowReduction)
  }

  /// Results that are reduced together.
  struct RowReduction {
    /// The reduction.
    var scalar: Scalar
    /// How many results along the innermost variable.
    var tile: Int
    /// The last but one variable, when several rows are reduced together: they share what is read along the row.
    var jammed: LoopVariable?
  }

  var reduction: Reduction
  /// The nest with its variables split and ordered as the loops run.
  var nest: Nest
  /// How many of the outermost loops threads may share.
  var parallelCount = 0

  /// The most results that are reduced together along the innermost variable: alone, and with other rows.
  private static let longestRow = 512
  private static let longestJammedRow = 128
  /// Rows that are reduced together.
  private static let jamFactors = [8, 6, 5, 4, 7, 3]
  /// Partial results of a reduction along contiguous elements.
  static let lanes = 16

  /// Chooses from the shape of the accesses.
  init(_ given: Nest, for target: Target) {
    reduction = .register
    nest = given
    guard Self.rowReduction(given, target) != nil, let inner = given.domain.last else { return }
    var jammed: LoopVariable?
    if let variable = Self.jammable(given, target),
      let factor = Self.jamFactors.first(where: { variable.extent % $0 == 0 })
    {
      if factor == variable.extent { jammed = variable } else { (nest, _, jammed) = nest.split(variable, by: factor) }
      if let jammed, let position = nest.domain.firstIndex(of: jammed) {
        nest.domain.remove(at: position)
        nest.domain.insert(jammed, at: nest.domain.count - 1)
      }
    }
    // Rows of equal length have constant bounds; without a fitting divisor, the last tile is shorter.
    let longest = jammed == nil ? Self.longestRow : Self.longestJammedRow
    var tile = min(inner.extent, longest)
    if inner.extent > longest, let divisor = (longest / 4...longest).last(where: { inner.extent % $0 == 0 }) {
      (nest, _, _) = nest.split(inner, by: divisor)
      if let jammed, let position = nest.domain.firstIndex(of: jammed) {
        nest.domain.swapAt(position, nest.domain.count - 2)
      }
      tile = divisor
    }
    if let scalar = Self.rowReduction(nest, target) {
      reduction = .row(RowReduction(scalar: scalar, tile: tile, jammed: jammed))
    } else {
      nest = given
    }
  }

  /// How many of the outermost loops have work for several threads.
  var loopsToShare: Int {
    guard nest.limits.isEmpty else { return 0 }
    var own = 1
    if case .row(let row) = reduction, row.jammed != nil { own = 2 }
    // An element of a plain loop costs as much as several multiplications in a tile.
    return Tile.parallel(Array(nest.domain.dropLast(own)), work: nest.domain.reduce(4) { $0 * $1.extent })
  }

  /// The one reduction that every result needs on its own, if it is best carried out along results.
  private static func rowReduction(_ nest: Nest, _ target: Target) -> Scalar? {
    guard let inner = nest.domain.last, inner.extent >= 4 else { return nil }
    let scalars = nest.scalars
    var memo: [Scalar: Set<LoopVariable>] = [:]
    // Reductions of whole rows are hoisted anyway.
    var reductions: [Scalar] = []
    scalars.forEach(nest.stores.map(\.value)) { scalar, node in
      switch node {
      case .reduce, .argReduce:
        if scalars.freeVariables(scalar, &memo).contains(inner) { reductions.append(scalar) }
      default: break
      }
    }
    guard reductions.count == 1, let (_, variables, body, findsPlace) = scalars.reduction(reductions[0]),
      // Compilers branch faster than they choose places side by side; the interpreter's strips do not.
      !findsPlace || target.isInterpreted
    else { return nil }
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
    let longSum = variables.contains { $0.extent >= target.longSum }
    return nested || (alongResult == 0 && alongSum == loads && longSum) ? nil : reductions[0]
  }

  /// A variable whose rows share what they read along the innermost one: outputs of a convolution, rows of a matrix.
  private static func jammable(_ nest: Nest, _ target: Target) -> LoopVariable? {
    guard let scalar = rowReduction(nest, target), case .reduce(_, _, let body) = nest.scalars.node(scalar),
      let inner = nest.domain.last, nest.limits.isEmpty
    else { return nil }
    var shared = Set(nest.domain.dropLast())
    var varying = Set<LoopVariable>()
    nest.scalars.forEach([body]) { _, node in
      switch node {
      case .load(_, let position):
        if position.variables.contains(inner) {
          shared.subtract(position.variables)
        } else {
          varying.formUnion(position.variables)
        }
      case .guarded(let constraints, _, _):
        for constraint in constraints { shared.subtract(constraint.index.variables) }
      default: break
      }
    }
    return shared.intersection(varying).max { ($0.extent, -$0.id) < ($1.extent, -$1.id) }
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
