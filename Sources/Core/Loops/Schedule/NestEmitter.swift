/// Turns a nest into statements: places every scalar at the outermost loop that it depends on, turns conditions into
/// bounds of loops, and applies the schedule.
struct NestEmitter {
  /// A block under construction and the loop variables bound in it and around it.
  struct Scope {
    var bound: Set<LoopVariable>
    /// Whether the block runs under a condition, which keeps its loads inside.
    var isConditional = false
    var statements: [Statement] = []
    var registers: [Scalar: Register] = [:]
  }

  let scalars: ScalarBuilder
  var scopes: [Scope]
  var free: [Scalar: Set<LoopVariable>] = [:]
  var useCounts: [Scalar: Int] = [:]
  /// What reads the results of reductions that statements of their own carry out.
  var replacements: [Scalar: Expression] = [:]
  /// For each of these, a variable that is bound where its results can be read.
  private var readers: [Scalar: LoopVariable] = [:]
  private var nextRegister: Int
  private var nextLocal: Int
  /// Inside of a condition: nothing may be moved out of it.
  var isGuarded = false
  /// Variables of the program around the kernel; always bound.
  let parameters: Set<LoopVariable>

  init(_ scalars: ScalarBuilder, parameters: [LoopVariable], nextRegister: Int = 0, nextLocal: Int = 0) {
    self.scalars = scalars
    self.parameters = Set(parameters)
    self.nextRegister = nextRegister
    self.nextLocal = nextLocal
    scopes = [Scope(bound: Set(parameters))]
  }

  /// The numbers of registers and local arrays used so far, for the next nest of the same kernel.
  var used: (registers: Int, locals: Int) { (nextRegister, nextLocal) }

  mutating func register(_ type: ScalarType) -> Register {
    nextRegister += 1
    return Register(id: nextRegister - 1, type: type)
  }

  mutating func local(_ type: ScalarType, _ count: Int, lanes: Int? = nil) -> LocalArray {
    nextLocal += 1
    return LocalArray(id: nextLocal - 1, type: type, count: count, lanes: lanes)
  }

  mutating func append(_ statement: Statement) { scopes[scopes.count - 1].statements.append(statement) }

  /// Builds a block in a scope of its own.
  mutating func block(
    binding variables: [LoopVariable] = [], isConditional: Bool = false, _ body: (inout NestEmitter) -> Void
  ) -> [Statement] {
    scopes.append(Scope(bound: scopes[scopes.count - 1].bound.union(variables), isConditional: isConditional))
    body(&self)
    return scopes.removeLast().statements
  }

  // MARK: Reductions by statements of their own

  /// Says that statements of their own will carry a reduction out, before anything is emitted that depends on it.
  ///
  /// Its results are no function of loop variables alone: they can be read only behind those statements, and what is
  /// computed from them belongs there too, however few variables it depends on. A variable that no loop has stands for
  /// that place: the reduction depends on it, and ``read(_:as:)`` binds it.
  mutating func separate(_ reduction: Scalar) {
    let reader = scalars.variable(1)
    readers[reduction] = reader
    free[reduction] = scalars.freeVariables(reduction, &free).union([reader])
  }

  /// From here to the end of the current block, a reduction's result is read by the expression.
  mutating func read(_ reduction: Scalar, as expression: Expression) {
    guard let reader = readers[reduction] else { internalError("a reduction is read that is not separate") }
    scopes[scopes.count - 1].bound.insert(reader)
    replacements[reduction] = expression
  }

  // MARK: Nests

  /// The statements of a nest under its schedule.
  mutating func emit(_ schedule: Schedule) -> [Statement] {
    let nest = schedule.nest
    countUses(nest)
    switch schedule.reduction {
    case .register:
      loops(
        nest.domain[...], limits: nest.limits, innermost: true, parallelCount: schedule.parallelCount
      ) { emitter, limits in
        emitter.requireNone(limits)
        for store in nest.stores { emitter.store(store) }
      }
    case .row(let reduction): row(nest, reduction, parallelCount: schedule.parallelCount)
    }
    return scopes[0].statements
  }

  /// The statements of two nests over the same domain, row by row.
  mutating func emitRows(_ first: Nest, _ second: Nest, parallelCount: Int) -> [Statement] {
    countUses(first)
    countUses(second)
    loops(first.domain.dropLast(), innermost: false, parallelCount: parallelCount) { emitter, _ in
      for nest in [first, second] {
        emitter.loops(nest.domain.suffix(1), innermost: true) { emitter, _ in
          for store in nest.stores { emitter.store(store) }
        }
      }
    }
    return scopes[0].statements
  }

  mutating func countUses(_ nest: Nest) {
    scalars.forEach(nest.stores.map(\.value)) { _, node in
      for operand in scalars.operands(node) { useCounts[operand, default: 0] += 1 }
    }
  }

  mutating func store(_ store: Nest.Store) {
    let value = expression(store.value)
    append(.store(.buffer(store.buffer), index(store.position), value))
  }

  /// Loops over variables, restricted by the limits, around a body, which is given the limits that are not met yet.
  ///
  /// - Parameter parallelCount: How many of the outermost loops threads may share.
  mutating func loops(
    _ variables: ArraySlice<LoopVariable>, limits: [Constraint] = [], innermost: Bool, parallelCount: Int = 0,
    _ body: (inout NestEmitter, [Constraint]) -> Void
  ) {
    guard let variable = variables.first else { return body(&self, limits) }
    let (lower, upper) = bounds(variable, limits)
    let open = limits.filter { !restricts($0, variable) }
    let statements = block(binding: [variable]) { emitter in
      emitter.loops(
        variables.dropFirst(), limits: open, innermost: innermost, parallelCount: parallelCount - 1, body)
    }
    let isVector = innermost && variables.count == 1 && statements.allSatisfy(\.isStraight)
    let kind = isVector ? LoopKind.vector : parallelCount > 0 ? .parallel : .serial
    append(.loop(Loop(variable, lower: lower, upper: upper, kind: kind, body: statements)))
  }

  /// Conditions that nobody tests would be forgotten.
  func requireNone(_ conditions: [Constraint]) {
    guard conditions.isEmpty else { internalError("no loop's ends express \(conditions)") }
  }

  /// Reduces runs of results along the innermost variable, of one or several rows, in a local array.
}

extension Statement {
  /// Whether the statement has no loop inside.
  fileprivate var isStraight: Bool {
    switch self {
    case .loop, .accumulate, .call: false
    case .when(_, let body), .whenTrue(_, let body): body.allSatisfy(\.isStraight)
    case .declare, .assign, .allocate, .store: true
    }
  }
}
