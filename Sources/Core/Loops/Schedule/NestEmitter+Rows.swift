/// Rows of results that are reduced together.
extension NestEmitter {
  mutating func row(_ nest: Nest, _ row: Schedule.RowReduction, parallelCount: Int) {
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
        func clear(_ emitter: inout NestEmitter, _ array: LocalArray) {
          emitter.append(.allocate(array))
          along(&emitter, from: start) { _, place in
            .store(.local(array), place, .constant(combiner.identity(type), type))
          }
        }
        func join(_ emitter: inout NestEmitter, _ place: Index, _ value: Expression, into array: LocalArray)
          -> Statement
        {
          .store(.local(array), place, .pointwise(combiner.function, [.load(.local(array), place, type), value]))
        }
        clear(&emitter, sums)
        if let found {
          emitter.append(.allocate(found))
          along(&emitter, from: start) { _, place in .store(.local(found), place, .constant(.integer(0), .i64)) }
        }
        let (constraints, value) = findsPlace ? ([], body) : emitter.scalars.liftedGuard(body, combiner)
        let ordered = Schedule.order(variables.filter { $0.extent != 1 }, body, emitter.scalars)
        // Of a block, where there are any.
        var ofBlock = sums
        let blocks = SumBlocks(combiner, type, over: ordered) { emitter, loops in
          ofBlock = emitter.local(type, count)
          clear(&emitter, ofBlock)
          loops(&emitter)
          along(&emitter, from: start) { emitter, place in
            join(&emitter, place, .load(.local(ofBlock), place, type), into: sums)
          }
        }
        emitter.reductionLoops(ordered[...], constraints, in: blocks) { emitter, remaining in
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
            return join(&emitter, place, emitter.expression(value), into: ofBlock)
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
}
