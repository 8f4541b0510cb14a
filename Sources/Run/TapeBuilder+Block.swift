internal import LatheCore

extension TapeBuilder {
  /// The most lanes of a block: what one kernel step works on stays in the first-level cache.
  private static let blockLanes = 2048
  /// Loops that are this long make strips by themselves.
  private static let longLoop = 512

  /// Emits a nest as blocks of lanes; false where it is not made of what blocks can do.
  mutating func emitBlocks(_ chain: LoopChain) throws(TapeFault) -> Bool {
    guard lane == nil else { return false }
    var tileLoops: [LoopVariable] = []
    var wideLanes: LoopVariable?
    var shape = BlockShape(builder: self)
    let hasRows = chain.core.contains { RowPattern($0) != nil }
    if let tile = TileArray(chain.core) {
      tileLoops = tile.loops
      wideLanes = tile.wideLanes
      for array in tile.arrays { shape.arrays[array.id] = tile.places }
    } else {
      guard chain.core.allSatisfy({ $0.isStraight || RowPattern($0) != nil }), let last = chain.loops.last,
        hasRows || chain.loops.count > 1 && last.variable.extent < Self.longLoop
      else { return false }
    }
    // The block grows from the inside.
    var count = tileLoops.reduce(1) { $0 * $1.extent }
    var start = chain.loops.count
    var chunk: Int?
    for variable in tileLoops + [wideLanes].compactMap({ $0 }) { shape.variables.insert(variable) }
    guard count <= 2 * Self.blockLanes, shape.allows(chain.core) else { return false }
    while start > 0, chunk == nil {
      let next = chain.loops[start - 1]
      // Of a loop that threads share, as much as leaves parts enough to balance.
      let most = next.variable == shared ? next.variable.extent / 16 : next.variable.extent
      var wider = shape
      wider.variables.insert(next.variable)
      guard next.lower.known == 0, next.upper.known == next.variable.extent, next.variable.extent > 0,
        2 * count <= Self.blockLanes, most > 1, wider.allows(chain.core),
        chain.declarations[(start - 1)...].allSatisfy({ wider.allows($0) }),
        !tileLoops.isEmpty || wider.storesOnce(chain.core)
      else { break }
      shape = wider
      if count * most > Self.blockLanes || most < next.variable.extent { chunk = min(most, Self.blockLanes / count) }
      count *= chunk ?? next.variable.extent
      start -= 1
    }
    let variables = chain.loops[start...].map(\.variable) + tileLoops
    guard let first = variables.first, !tileLoops.isEmpty || variables.count > 1 || hasRows else { return false }
    var block = LaneBlock(loops: [])
    var lanes = 1
    for variable in variables.reversed() {
      block.loops.insert((variable, lanes), at: 0)
      lanes *= variable == first ? (chunk ?? variable.extent) : variable.extent
    }
    for array in shape.arrays.keys { block.arrays[array] = .some(nil) }
    block.wideLanes = wideLanes
    block.tileDepth = tileLoops.count
    try emit(chain, from: 0, to: start, block, length: chunk ?? first.extent, lanes: lanes)
    return true
  }

  private mutating func emit(
    _ chain: LoopChain, from level: Int, to start: Int, _ block: LaneBlock, length: Int, lanes: Int
  ) throws(TapeFault) {
    var inner = block
    if level < start || length < block.loops[0].variable.extent {
      inner.hoisted += try hoisted(chain, chain.loops[level..<start].map(\.variable), block, lanes: lanes)
    }
    if level < start {
      let loop = chain.loops[level]
      try counted(loop.variable, loop.lower, loop.upper) { [inner] builder, _ throws(TapeFault) in
        try builder.emit(chain.declarations[level]) { builder throws(TapeFault) in
          try builder.emit(chain, from: level + 1, to: start, inner, length: length, lanes: lanes)
        }
      }
    } else {
      try strips(inner, length: length, lanes: lanes) { builder throws(TapeFault) in
        try builder.emitBlockBody(chain, from: start)
      }
    }
    inStrips(of: block, lanes: lanes) { builder in
      for (_, register) in inner.hoisted[block.hoisted.count...] { builder.reuse(register) }
    }
  }

  /// Reads what a block reads that depends neither on some loops around it nor on its outermost, for all its lanes.
  private mutating func hoisted(
    _ chain: LoopChain, _ around: [LoopVariable], _ block: LaneBlock, lanes: Int
  ) throws(TapeFault) -> [(load: Expression, register: Operand)] {
    let varying = Set(around + [block.loops[0].variable])
    let statements = chain.declarations.joined() + chain.core
    let written = Set(statements.flatMap(\.storedBuffers))
    var loads: [Expression] = []
    for load in statements.flatMap({ $0.loads(in: block) }) {
      guard case .load(.buffer(let buffer), let index, _) = load, !written.contains(buffer), index.isAffine,
        !index.isDynamic, index.variables.isDisjoint(with: varying),
        block.loops.contains(where: { index.coefficient(of: $0.variable) != 0 }),
        !loads.contains(load), !block.hoisted.contains(where: { $0.load == load })
      else { continue }
      loads.append(load)
    }
    guard !loads.isEmpty else { return [] }
    setWindow(to: lanes)
    let result = try inStrips(of: block, lanes: lanes) { builder throws(TapeFault) in
      var result: [(load: Expression, register: Operand)] = []
      for load in loads {
        var register = try builder.emit(load)
        register.isTemporary = false
        result.append((load, register))
      }
      return result
    }
    setWindow(to: 1)
    return result
  }

  private mutating func setWindow(to lanes: Int) {
    var instruction = Instruction(.widen)
    instruction.a = literal(.integer(0), .i64).offset
    instruction.b = literal(.integer(lanes), .i64).offset
    append(instruction)
  }

  /// Runs what emits instructions, or makes or gives back registers, for the lanes of a block.
  @discardableResult
  private mutating func inStrips<Result, Failure: Error>(
    of block: LaneBlock, lanes: Int, _ body: (inout TapeBuilder) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lane = block.loops[0].variable
    self.block = block
    let saved = stripLength
    stripLength = lanes
    defer {
      stripLength = saved
      self.block = nil
      lane = nil
    }
    return try body(&self)
  }

  private mutating func emitBlockBody(_ chain: LoopChain, from level: Int) throws(TapeFault) {
    guard level < chain.loops.count else { return try emit(chain.core) }
    try emit(chain.declarations[level]) { builder throws(TapeFault) in
      try builder.emitBlockBody(chain, from: level + 1)
    }
  }

  /// Runs the loops of a block as lanes.
  private mutating func strips(
    _ block: LaneBlock, length: Int, lanes: Int, _ body: (inout TapeBuilder) throws(TapeFault) -> Void
  ) throws(TapeFault) {
    let outermost = block.loops[0]
    var enter = Instruction(.enterStrips)
    enter.a = integerRegister()
    enter.b = integerRegister()
    enter.c = Int32(length)
    enter.dst = Int32(outermost.lanes)
    enter.extra = try bounds(Bound(0), Bound(outermost.variable.extent))
    let start = append(enter)
    noteShared(outermost.variable, start)
    variables[outermost.variable] = enter.a
    let bodyStart = position
    try inStrips(of: block, lanes: lanes) { builder throws(TapeFault) in
      try body(&builder)
      for array in block.arrays.keys { if let used = builder.block?.arrays[array] ?? nil { builder.reuse(used) } }
    }
    var again = enter
    again.code = .repeatStrips
    again.target = bodyStart
    append(again)
    tape.code[start].target = position
  }

  /// The strides of an index that is affine in a block's loops, those that go on in step joined: outermost first.
  func blockStrides(_ index: Index, _ block: LaneBlock) -> [(extent: Int, stride: Int)] {
    var result: [(extent: Int, stride: Int)] = []
    for (variable, _) in block.loops.reversed() {
      let stride = block.stride(of: index, along: variable)
      if let inner = result.last, stride == inner.stride * inner.extent {
        result[result.count - 1].extent *= variable.extent
      } else if variable.extent > 1 {
        result.append((variable.extent, stride))
      }
    }
    return result.isEmpty ? [(1, 0)] : result.reversed()
  }
}

extension Expression {
  /// What is read of buffers on every way through the expression.
  fileprivate var certainLoads: [Expression] {
    switch self {
    case .load: [self]
    case .pointwise(_, let operands): operands.flatMap(\.certainLoads)
    case .convert(let inner, _), .bitcast(let inner, _), .checked(let inner, _): inner.certainLoads
    case .select(_, _, let otherwise): otherwise.certainLoads
    case .constant, .register, .index: []
    }
  }
}

extension Statement {
  /// What is read of buffers by every lane of a block, once.
  fileprivate func loads(in block: LaneBlock) -> [Expression] {
    switch self {
    case .declare(_, let value), .store(_, _, let value): value.certainLoads
    case .loop(let loop) where block.contains(loop.variable): loop.body.flatMap { $0.loads(in: block) }
    default: []
    }
  }

  /// The buffers that are written.
  fileprivate var storedBuffers: [BufferID] {
    switch self {
    case .store(.buffer(let buffer), _, _): [buffer]
    case .loop(let loop): loop.body.flatMap(\.storedBuffers)
    case .when(_, let body), .whenTrue(_, let body): body.flatMap(\.storedBuffers)
    case .call(let call): call.writes.map(\.block.buffer)
    case .store, .declare, .allocate, .assign, .accumulate: []
    }
  }
}
