/// Reductions in registers.
extension NestEmitter {
  mutating func reduce(_ combiner: Combiner, _ variables: [LoopVariable], _ body: Scalar, _ type: ScalarType)
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
    let lanes = last.extent >= Schedule.lanes && hasContiguousLoad(value, last) ? Schedule.lanes : 1
    // Of a block, where there are any.
    var sum = accumulator
    let blocks = SumBlocks(combiner, type, over: ordered, partials: lanes) { emitter, loops in
      sum = emitter.register(type)
      emitter.append(.declare(sum, .constant(combiner.identity(type), type)))
      loops(&emitter)
      emitter.append(
        .assign(accumulator, .pointwise(combiner.function, [.register(accumulator), .register(sum)])))
    }
    reductionLoops(ordered.dropLast(), constraints, in: blocks) { emitter, remaining in
      let (lower, upper) = emitter.bounds(last, remaining)
      let open = remaining.filter { !emitter.restricts($0, last) }
      emitter.loop(over: last, from: lower, to: upper, in: blocks) { emitter, lower, upper in
        var result: Expression?
        let prologue = emitter.block(binding: [last]) { emitter in
          if open.isEmpty {
            result = emitter.expression(value)
          } else {
            let converted = open.map { constraint in constraint.mapIndex { emitter.index($0) } }
            let statements = emitter.block(isConditional: true) { emitter in
              let joined = Expression.pointwise(combiner.function, [.register(sum), emitter.expression(value)])
              emitter.append(.assign(sum, joined))
            }
            emitter.append(.when(converted, statements))
          }
        }
        if let result, prologue.allSatisfy(\.isDeclaration) {
          let isLong = (upper.known ?? last.extent) - (lower.known ?? 0) >= Schedule.lanes
          emitter.append(
            .accumulate(
              Accumulation(
                last, lower: lower, upper: upper, combiner: combiner, accumulator: sum, lanes: isLong ? lanes : 1,
                prologue: prologue, value: result)))
        } else {
          var statements = prologue
          if let result {
            statements.append(.assign(sum, .pointwise(combiner.function, [.register(sum), result])))
          }
          emitter.append(.loop(Loop(last, lower: lower, upper: upper, body: statements)))
        }
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

  mutating func argReduce(_ combiner: Combiner, _ variable: LoopVariable, _ body: Scalar) -> Register {
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
  static func isBetter(_ candidate: Expression, than best: Expression, _ combiner: Combiner) -> Expression {
    let better = Expression.pointwise(combiner == .max ? .greater : .less, [candidate, best])
    guard candidate.type.isFloat else { return better }
    // The first NaN wins over every number, and is kept.
    let isFirstNaN = Expression.pointwise(
      .and, [.pointwise(.notEqual, [candidate, candidate]), .pointwise(.equal, [best, best])])
    return .pointwise(.or, [better, isFirstNaN])
  }

  /// A register with the value.
  mutating func declared(_ value: Expression) -> Expression {
    let register = register(value.type)
    append(.declare(register, value))
    return .register(register)
  }
}
