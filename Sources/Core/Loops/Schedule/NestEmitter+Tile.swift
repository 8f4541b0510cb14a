extension NestEmitter {
  /// The statements of a register tile.
  mutating func emit(_ tile: Tile) -> [Statement] {
    let nest = tile.nest
    countUses(nest)
    guard let reduction = nest.onlyReduction, case .reduce(let combiner, _, let body) = scalars.node(reduction) else {
      internalError("a tile has no reduction")
    }
    separate(reduction)
    let type = scalars.type(reduction)
    let width = tile.sumLanes.extent
    let rows = tile.rows?.extent ?? 1
    let count = (tile.columns?.extent ?? 1) * rows
    let sums = local(type, (tile.partials?.extent ?? 1) * count * width, lanes: width)
    let row = (tile.columns.map { Index($0) * rows } ?? Index(0)) + (tile.rows.map { Index($0) } ?? Index(0))
    let place = row * width + Index(tile.sumLanes)
    let partialPlace = (tile.partials.map { Index($0) * (count * width) } ?? Index(0)) + place
    let byColumn = [tile.columns, tile.rows].compactMap { $0 }
    /// The body for every result of the block.
    func block(
      _ emitter: inout NestEmitter, _ order: [LoopVariable], _ lanes: LoopVariable, _ body: (inout NestEmitter) -> Void
    ) {
      let loops = order.map { ($0, LoopKind.unrolled) } + [(lanes, LoopKind.lanes)]
      emitter.nested(loops[...], body)
    }
    func clear(_ emitter: inout NestEmitter, _ array: LocalArray, _ order: [LoopVariable], _ place: Index) {
      emitter.append(.allocate(array))
      block(&emitter, order, tile.sumLanes) {
        $0.append(.store(.local(array), place, .constant(combiner.identity(type), type)))
      }
    }
    func join(_ emitter: inout NestEmitter, _ value: Expression, into array: LocalArray, _ place: Index) {
      emitter.append(
        .store(
          .local(array), place, .pointwise(combiner.function, [.load(.local(array), place, type), value])))
    }
    /// Loops of the reduction, with sums that begin before them.
    func sum(_ emitter: inout NestEmitter, _ loops: (inout NestEmitter) -> Void) {
      clear(&emitter, sums, [tile.partials].compactMap { $0 } + byColumn, partialPlace)
      loops(&emitter)
      for other in 1..<(tile.partials?.extent ?? 1) {
        block(&emitter, byColumn, tile.sumLanes) {
          join(&$0, .load(.local(sums), Index(other * count * width) + place, type), into: sums, place)
        }
      }
    }
    // Where the sums of blocks meet.
    var total = sums
    let blocks = SumBlocks(combiner, type, over: tile.order, partials: tile.partials?.extent ?? 1) { emitter, loops in
      sum(&emitter, loops)
      block(&emitter, byColumn, tile.sumLanes) { join(&$0, .load(.local(sums), place, type), into: total, place) }
    }
    if blocks != nil { total = local(type, count * width, lanes: width) }
    func reduce(_ emitter: inout NestEmitter) {
      let (constraints, value) = emitter.scalars.liftedGuard(tile.summand ?? body, combiner)
      let serial = tile.order.dropLast(tile.unrolledCount)
      emitter.reductionLoops(serial, constraints, in: blocks) { emitter, conditions in
        emitter.requireNone(conditions)
        let unrolled = tile.order.suffix(tile.unrolledCount).map { ($0, LoopKind.unrolled) }
        emitter.nested(unrolled[...]) { emitter in
          block(&emitter, byColumn.reversed(), tile.sumLanes) {
            let value = $0.expression(value)
            join(&$0, value, into: sums, partialPlace)
          }
        }
      }
    }
    let outer = tile.outer.enumerated().map { ($1, $0 < tile.parallelCount ? LoopKind.parallel : LoopKind.serial) }
    nested(outer[...]) { emitter in
      if blocks == nil {
        sum(&emitter, reduce)
      } else {
        clear(&emitter, total, byColumn, place)
        reduce(&emitter)
      }
      block(&emitter, byColumn, tile.lanes) { emitter in
        emitter.read(reduction, as: .load(.local(total), row * width + Index(tile.lanes), type))
        for store in nest.stores { emitter.store(store) }
      }
    }
    return scopes[0].statements
  }

  /// The statements of a nest without reductions: the innermost loop in lanes.
  mutating func emit(inLanes nest: Nest, parallelCount: Int) -> [Statement] {
    countUses(nest)
    var loops = nest.domain.enumerated().map { ($1, $0 < parallelCount ? LoopKind.parallel : LoopKind.serial) }
    if !loops.isEmpty { loops[loops.count - 1].1 = .lanes }
    nested(loops[...]) { emitter in
      for store in nest.stores { emitter.store(store) }
    }
    return scopes[0].statements
  }

  /// Loops with constant ends around a body.
  private mutating func nested(
    _ loops: ArraySlice<(LoopVariable, LoopKind)>, _ body: (inout NestEmitter) -> Void
  ) {
    guard let (variable, kind) = loops.first else { return body(&self) }
    let statements = block(binding: [variable]) { $0.nested(loops.dropFirst(), body) }
    append(.loop(Loop(variable, kind: kind, body: statements)))
  }
}

extension Nest {
  /// The reduction of a nest that has one.
  var onlyReduction: Scalar? {
    var found: [Scalar] = []
    scalars.forEach(stores.map(\.value)) { scalar, node in
      if case .reduce = node { found.append(scalar) }
    }
    return found.count == 1 ? found[0] : nil
  }
}
