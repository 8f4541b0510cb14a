/// Definitions that are statements.
extension NestEmitter {
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
}
