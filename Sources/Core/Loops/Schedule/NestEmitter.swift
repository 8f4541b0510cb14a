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
  private var free: [Scalar: Set<LoopVariable>] = [:]
  private var useCounts: [Scalar: Int] = [:]
  /// What reads the results of reductions that statements of their own carry out.
  private var replacements: [Scalar: Expression] = [:]
  /// For each of these, a variable that is bound where its results can be read.
  private var readers: [Scalar: LoopVariable] = [:]
  private var nextRegister: Int
  private var nextLocal: Int
  /// Inside of a condition: nothing may be moved out of it.
  private var isGuarded = false
  /// Variables of the program around the kernel; always bound.
  private let parameters: Set<LoopVariable>

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
  private mutating func row(_ nest: Nest, _ row: Schedule.RowReduction, parallelCount: Int) {
    let (reduction, tile) = (row.scalar, row.tile)
    guard let (combiner, variables, body, findsPlace) = scalars.reduction(reduction), let inner = nest.domain.last
    else { internalError("a row is reduced by \(scalars.node(reduction)) over \(nest.domain)") }
    let type = scalars.type(body)
    separate(reduction)
    loops(
      nest.domain.dropLast(row.jammed == nil ? 1 : 2), limits: nest.limits, innermost: false,
      parallelCount: parallelCount
    ) { emitter, limits in
      let count = tile * (row.jammed?.extent ?? 1)
      let sums = emitter.local(type, count)
      /// Where the extremes were found.
      let found = findsPlace ? emitter.local(.i64, count) : nil
      /// Loops over the rows.
      func along(
        _ emitter: inout NestEmitter, from start: Index, conditions: [Constraint] = [],
        _ body: (inout NestEmitter, Index) -> Statement
      ) {
        guard let jammed = row.jammed else { return alongRow(&emitter, from: start, conditions, body) }
        let statements = emitter.block(binding: [jammed]) { emitter in
          alongRow(&emitter, from: start, conditions) { body(&$0, $1 + Index(jammed) * tile) }
        }
        emitter.append(.loop(Loop(jammed, body: statements)))
      }
      func alongRow(
        _ emitter: inout NestEmitter, from start: Index, _ conditions: [Constraint],
        _ body: (inout NestEmitter, Index) -> Statement
      ) {
        // The tile's own loop runs over the part of the variable that lies in the tile.
        let conditions = limits + conditions
        var (lower, upper) = emitter.bounds(inner, conditions)
        // Conditions that the loop's ends cannot express are tested in it.
        let open = conditions.filter { !emitter.restricts($0, inner) }
        if tile < inner.extent {
          lower.quotients.append(Bound.Quotient(dividend: start, divisor: 1))
          upper.quotients.append(Bound.Quotient(dividend: start + tile, divisor: 1))
        }
        let statements = emitter.block(binding: [inner]) { emitter in
          guard !open.isEmpty else {
            let statement = body(&emitter, Index(inner) - start)
            return emitter.append(statement)
          }
          let converted = open.map { constraint in constraint.mapIndex { emitter.index($0) } }
          let statements = emitter.block(isConditional: true) { emitter in
            let statement = body(&emitter, Index(inner) - start)
            emitter.append(statement)
          }
          emitter.append(.when(converted, statements))
        }
        emitter.append(.loop(Loop(inner, lower: lower, upper: upper, kind: .vector, body: statements)))
      }
      func tileBody(_ emitter: inout NestEmitter, _ start: Index) {
        emitter.append(.allocate(sums))
        along(&emitter, from: start) { _, place in
          .store(.local(sums), place, .constant(combiner.identity(type), type))
        }
        if let found {
          emitter.append(.allocate(found))
          along(&emitter, from: start) { _, place in .store(.local(found), place, .constant(.integer(0), .i64)) }
        }
        let (constraints, value) = findsPlace ? ([], body) : emitter.scalars.liftedGuard(body, combiner)
        let ordered = Schedule.order(variables.filter { $0.extent != 1 }, body, emitter.scalars)
        emitter.reductionLoops(ordered[...], constraints) { emitter, remaining in
          along(&emitter, from: start, conditions: remaining) { emitter, place in
            if let found, let variable = variables.first {
              let best = Expression.load(.local(sums), place, type)
              let candidate = emitter.declared(emitter.expression(value))
              let isBetter = emitter.declared(Self.isBetter(candidate, than: best, combiner))
              func chosen(_ new: Expression, _ old: Expression) -> Expression {
                .pointwise(.select, [isBetter, new, old])
              }
              emitter.append(
                .store(
                  .local(found), place, chosen(.index(Index(variable)), .load(.local(found), place, .i64))))
              return .store(.local(sums), place, chosen(candidate, best))
            }
            let joined = Expression.pointwise(
              combiner.function, [.load(.local(sums), place, type), emitter.expression(value)])
            return .store(.local(sums), place, joined)
          }
        }
        along(&emitter, from: start) { emitter, place in
          emitter.read(
            reduction,
            as: found.map { emitter.declared(.load(.local($0), place, .i64)) } ?? .load(.local(sums), place, type))
          for store in nest.stores.dropLast() { emitter.store(store) }
          let last = nest.stores[nest.stores.count - 1]
          let value = emitter.expression(last.value)
          return .store(.buffer(last.buffer), emitter.index(last.position), value)
        }
      }
      if tile < inner.extent {
        let tiles = emitter.scalars.variable((inner.extent + tile - 1) / tile)
        let statements = emitter.block(binding: [tiles]) { tileBody(&$0, Index(tiles) * tile) }
        emitter.append(.loop(Loop(tiles, body: statements)))
      } else {
        tileBody(&emitter, Index(0))
      }
    }
  }

  // MARK: Imperative definitions

  /// Running reductions along an axis, one after another; the axis' variables, outermost first, count its elements.
  mutating func emitCumulative(
    outer: [LoopVariable], along axis: [LoopVariable], combiner: Combiner, value: Scalar, type: ScalarType,
    to memory: Memory, at position: Index
  ) -> [Statement] {
    loops(outer[...], innermost: false) { emitter, _ in
      let running = emitter.register(type)
      emitter.append(.declare(running, .constant(combiner.identity(type), type)))
      emitter.loops(axis[...], innermost: false) { emitter, _ in
        let joined = Expression.pointwise(combiner.function, [.register(running), emitter.expression(value)])
        emitter.append(.assign(running, joined))
        emitter.append(.store(memory, position, .register(running)))
      }
    }
    return scopes[0].statements
  }

  /// Joins updates into computed places, in order; places outside are left out, unless they are checked.
  mutating func emitScatter(
    domain: [LoopVariable], target: [Index], isChecked: Bool, layout: Layout, update: Scalar, combiner: Combiner?,
    type: ScalarType,
    to memory: Memory, at start: Index
  ) -> [Statement] {
    loops(domain[...], innermost: false) { emitter, _ in
      let places = target.map { emitter.index($0) }
      let constraints =
        isChecked ? [] : zip(places, layout.shape).map { Constraint.inRange($0, 0..<$1) }.filter { $0.known != true }
      let statements = emitter.block(isConditional: !constraints.isEmpty) { emitter in
        let position = start + layout.position(places)
        let value = emitter.expression(update)
        let joined =
          combiner.map { Expression.pointwise($0.function, [.load(memory, position, type), value]) } ?? value
        emitter.append(.store(memory, position, joined))
      }
      if constraints.isEmpty {
        for statement in statements { emitter.append(statement) }
      } else {
        emitter.append(.when(constraints, statements))
      }
    }
    return scopes[0].statements
  }

  // MARK: Conditions

  /// The ends of a loop under the constraints whose innermost variable it is.
  private func bounds(_ variable: LoopVariable, _ constraints: [Constraint]) -> (lower: Bound, upper: Bound) {
    var lower = Bound(0)
    var upper = Bound(variable.extent)
    for constraint in constraints where restricts(constraint, variable) {
      guard case .inRange(let index, let range) = constraint else { continue }
      let factor = index.coefficient(of: variable)
      let rest = index - Index(variable) * factor
      if factor > 0 {
        lower.raise(toAtLeast: Index(range.lowerBound) - rest, by: factor)
        upper.restrict(toAtMost: Index(range.upperBound) - rest, by: factor)
      } else {
        // factor * v + rest < upper  <=>  v >= ceil((rest - upper + 1) / -factor)
        lower.raise(toAtLeast: rest - (range.upperBound - 1), by: -factor)
        // factor * v + rest >= lower  <=>  v < floor((rest - lower) / -factor) + 1 = ceil((rest - lower + 1) / -factor)
        upper.restrict(toAtMost: rest - (range.lowerBound - 1), by: -factor)
      }
    }
    return (lower, upper)
  }

  /// Whether a constraint can be met by restricting a loop: affine in its variable, which is the innermost it depends
  /// on.
  private func restricts(_ constraint: Constraint, _ variable: LoopVariable) -> Bool {
    guard case .inRange(let index, _) = constraint, index.coefficient(of: variable) != 0, !index.isDynamic,
      !index.divisions.contains(where: { $0.0.variables.contains(variable) })
    else { return false }
    let known = scopes[scopes.count - 1].bound
    return index.variables.allSatisfy { $0 == variable || known.contains($0) || parameters.contains($0) }
  }

  /// Loops of a reduction, restricted by constraints; hands over those that only an inner loop can meet.
  mutating func reductionLoops(
    _ variables: ArraySlice<LoopVariable>, _ constraints: [Constraint],
    _ body: (inout NestEmitter, [Constraint]) -> Void
  ) {
    // Conditions that are decided here and that no loop's ends can express are tested here.
    let bound = scopes[scopes.count - 1].bound
    let ready = constraints.filter {
      $0.index.variables.isSubset(of: bound.union(parameters)) && $0.index.values.isEmpty
    }
    let rest = constraints.filter { !ready.contains($0) }
    if !ready.isEmpty {
      let converted = ready.map { $0.mapIndex { index($0) } }
      let statements = block(isConditional: true) { $0.reductionLoops(variables, rest, body) }
      append(.when(converted, statements))
      return
    }
    guard let variable = variables.first else { return body(&self, rest) }
    let (lower, upper) = bounds(variable, rest)
    let open = rest.filter { !restricts($0, variable) }
    let statements = block(binding: [variable]) { $0.reductionLoops(variables.dropFirst(), open, body) }
    append(.loop(Loop(variable, lower: lower, upper: upper, body: statements)))
  }

  // MARK: Reductions in registers

  private mutating func reduce(_ combiner: Combiner, _ variables: [LoopVariable], _ body: Scalar, _ type: ScalarType)
    -> Register
  {
    let accumulator = register(type)
    append(.declare(accumulator, .constant(combiner.identity(type), type)))
    let (constraints, value) = scalars.liftedGuard(body, combiner)
    let ordered = Schedule.order(variables.filter { $0.extent != 1 }, body, scalars)
    guard let last = ordered.last else {
      // One element, where its conditions hold.
      func join(_ emitter: inout NestEmitter) {
        let joined = Expression.pointwise(combiner.function, [.register(accumulator), emitter.expression(value)])
        emitter.append(.assign(accumulator, joined))
      }
      if constraints.isEmpty {
        join(&self)
      } else {
        let converted = constraints.map { constraint in constraint.mapIndex { index($0) } }
        let statements = block(isConditional: true) { join(&$0) }
        append(.when(converted, statements))
      }
      return accumulator
    }
    reductionLoops(ordered.dropLast(), constraints) { emitter, remaining in
      let (lower, upper) = emitter.bounds(last, remaining)
      let open = remaining.filter { !emitter.restricts($0, last) }
      var result: Expression?
      let prologue = emitter.block(binding: [last]) { emitter in
        if open.isEmpty {
          result = emitter.expression(value)
        } else {
          let converted = open.map { constraint in constraint.mapIndex { emitter.index($0) } }
          let statements = emitter.block(isConditional: true) { emitter in
            let joined = Expression.pointwise(combiner.function, [.register(accumulator), emitter.expression(value)])
            emitter.append(.assign(accumulator, joined))
          }
          emitter.append(.when(converted, statements))
        }
      }
      if let result, prologue.allSatisfy(\.isDeclaration) {
        let isLong = (upper.known ?? last.extent) - (lower.known ?? 0) >= Schedule.lanes
        let isContiguous = emitter.hasContiguousLoad(value, last)
        emitter.append(
          .accumulate(
            Accumulation(
              last, lower: lower, upper: upper, combiner: combiner, accumulator: accumulator,
              lanes: isLong && isContiguous ? Schedule.lanes : 1, prologue: prologue, value: result)))
      } else {
        var statements = prologue
        if let result {
          statements.append(.assign(accumulator, .pointwise(combiner.function, [.register(accumulator), result])))
        }
        emitter.append(.loop(Loop(last, lower: lower, upper: upper, body: statements)))
      }
    }
    return accumulator
  }

  private func hasContiguousLoad(_ value: Scalar, _ variable: LoopVariable) -> Bool {
    var result = false
    scalars.forEach([value]) { _, node in
      if case .load(_, let position) = node, position.coefficient(of: variable) == 1 { result = true }
    }
    return result
  }

  private mutating func argReduce(_ combiner: Combiner, _ variable: LoopVariable, _ body: Scalar) -> Register {
    let type = scalars.type(body)
    let best = register(type)
    let place = register(.i64)
    append(.declare(best, .constant(combiner.identity(type), type)))
    append(.declare(place, .constant(.integer(0), .i64)))
    let statements = block(binding: [variable]) { emitter in
      let candidate = emitter.declared(emitter.expression(body))
      emitter.append(
        .whenTrue(
          Self.isBetter(candidate, than: .register(best), combiner),
          [.assign(best, candidate), .assign(place, .index(Index(variable)))]))
    }
    append(.loop(Loop(variable, body: statements)))
    return place
  }

  /// Whether a candidate takes the place of the best so far: the first of equals is kept.
  private static func isBetter(_ candidate: Expression, than best: Expression, _ combiner: Combiner) -> Expression {
    let better = Expression.pointwise(combiner == .max ? .greater : .less, [candidate, best])
    guard candidate.type.isFloat else { return better }
    // The first NaN wins over every number, and is kept.
    let isFirstNaN = Expression.pointwise(
      .and, [.pointwise(.notEqual, [candidate, candidate]), .pointwise(.equal, [best, best])])
    return .pointwise(.or, [better, isFirstNaN])
  }

  /// A register with the value.
  private mutating func declared(_ value: Expression) -> Expression {
    let register = register(value.type)
    append(.declare(register, value))
    return .register(register)
  }

  // MARK: Scalars

  /// The scope in which a scalar can be computed first.
  private mutating func depth(_ scalar: Scalar) -> Int {
    let variables = scalars.freeVariables(scalar, &free)
    let condition = scopes.lastIndex(where: \.isConditional) ?? 0
    for (position, scope) in scopes.enumerated() where position >= condition && variables.isSubset(of: scope.bound) {
      return position
    }
    return scopes.count - 1
  }

  /// Runs the body as if the scopes below a depth were not there.
  private mutating func at<R>(_ depth: Int, _ body: (inout NestEmitter) -> R) -> R {
    let inner = Array(scopes[(depth + 1)...])
    scopes.removeLast(inner.count)
    let result = body(&self)
    scopes += inner
    return result
  }

  /// An expression for a scalar in the current block; declares what is shared or can be computed further out.
  mutating func expression(_ scalar: Scalar) -> Expression {
    if let replacement = replacements[scalar] { return replacement }
    for scope in scopes { if let register = scope.registers[scalar] { return .register(register) } }
    let type = scalars.type(scalar)
    let node = scalars.node(scalar)
    switch node {
    case .constant(let value): return .constant(value, type)
    case .index(let index): return .index(self.index(index))
    case .reduce(let combiner, let variables, let body):
      return .register(hoisted(scalar) { .register($0.reduce(combiner, variables, body, type)) })
    case .argReduce(let combiner, let variable, let body):
      return .register(hoisted(scalar) { .register($0.argReduce(combiner, variable, body)) })
    default: break
    }
    let place = depth(scalar)
    let isShared = (useCounts[scalar] ?? 0) > 1
    if !isGuarded && (place < scopes.count - 1 || isShared) {
      return .register(hoisted(scalar) { $0.tree(node, type) })
    }
    return tree(node, type)
  }

  /// Computes a scalar at the outermost place and keeps it in a register.
  private mutating func hoisted(_ scalar: Scalar, _ make: (inout NestEmitter) -> Expression) -> Register {
    at(isGuarded ? scopes.count - 1 : depth(scalar)) { emitter in
      let expression = make(&emitter)
      let register: Register
      if case .register(let known) = expression {
        register = known
      } else {
        register = emitter.register(emitter.scalars.type(scalar))
        emitter.append(.declare(register, expression))
      }
      emitter.scopes[emitter.scopes.count - 1].registers[scalar] = register
      return register
    }
  }

  private mutating func tree(_ node: ScalarNode, _ type: ScalarType) -> Expression {
    switch node {
    case .load(let buffer, let position): return .load(.buffer(buffer), index(position), type)
    case .pointwise(let function, let operands): return .pointwise(function, operands.map { expression($0) })
    case .convert(let operand): return .convert(expression(operand), type)
    case .bitcast(let operand): return .bitcast(expression(operand), type)
    case .checked(let operand, let extent): return .checked(expression(operand), extent)
    case .guarded(let constraints, let then, let otherwise):
      let converted = constraints.map { constraint in constraint.mapIndex { index($0) } }
      let fallback = expression(otherwise)
      if needsStatements(then) {
        let result = register(type)
        append(.declare(result, fallback))
        let statements = block(isConditional: true) { emitter in
          let before = emitter.isGuarded
          emitter.isGuarded = true
          let value = emitter.expression(then)
          emitter.append(.assign(result, value))
          emitter.isGuarded = before
        }
        append(.when(converted, statements))
        return .register(result)
      }
      let before = isGuarded
      isGuarded = true
      defer { isGuarded = before }
      return .select(converted, then: expression(then), otherwise: fallback)
    case .constant(let value): return .constant(value, type)
    case .index(let index): return .index(self.index(index))
    case .reduce, .argReduce: internalError("`expression` makes reductions")
    }
  }

  /// Whether computing a scalar takes statements of its own: reductions, and indices from data not known yet.
  private func needsStatements(_ scalar: Scalar) -> Bool {
    var result = false
    scalars.forEach([scalar]) { part, node in
      switch node {
      case .reduce, .argReduce: if replacements[part] == nil { result = true }
      default: break
      }
      for index in scalars.indices(node) {
        for value in index.values where !scopes.contains(where: { $0.registers[value] != nil }) { result = true }
      }
    }
    return result
  }

  /// An index with the integers from data in registers.
  private mutating func index(_ index: Index) -> Index {
    guard index.isDynamic else { return index }
    var registers: [Scalar: Register] = [:]
    for scalar in index.values {
      registers[scalar] = hoistedRegister(scalar)
    }
    return index.substituting({ Index($0) }) { scalar in
      guard let register = registers[scalar] else { internalError("\(scalar) of \(index) has no register") }
      return Index(Scalar(id: register.id))
    }
  }

  private mutating func hoistedRegister(_ scalar: Scalar) -> Register {
    for scope in scopes { if let register = scope.registers[scalar] { return register } }
    let known = expression(scalar)
    if case .register(let register) = known { return register }
    return hoisted(scalar) { _ in known }
  }
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

extension Bound {
  /// For a lower end: also at least the quotient, rounded up.
  fileprivate mutating func raise(toAtLeast dividend: Index, by divisor: Int) {
    if let known = dividend.known {
      constant = max(constant, -((-known).floorDivided(by: divisor)))
    } else if let bounds = dividend.bounds, -((-bounds.upperBound).floorDivided(by: divisor)) <= constant {
      return
    } else {
      quotients.append(Quotient(dividend: dividend, divisor: divisor))
    }
  }

  /// For an upper end: also at most the quotient, rounded up.
  fileprivate mutating func restrict(toAtMost dividend: Index, by divisor: Int) {
    if let known = dividend.known {
      constant = min(constant, -((-known).floorDivided(by: divisor)))
    } else if let bounds = dividend.bounds, -((-bounds.lowerBound).floorDivided(by: divisor)) >= constant {
      return
    } else {
      quotients.append(Quotient(dividend: dividend, divisor: divisor))
    }
  }
}
