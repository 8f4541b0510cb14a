/// Scalars, each computed at the outermost loop that it depends on.
extension NestEmitter {
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
  mutating func at<R>(_ depth: Int, _ body: (inout NestEmitter) -> R) -> R {
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
  mutating func index(_ index: Index) -> Index {
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
