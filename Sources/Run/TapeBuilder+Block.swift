internal import LatheCore

/// Nests of loops whose iterations are lanes all together, so that short loops cost no more than long ones.
///
/// The lanes are in the order of the loops, the innermost one next to each other. The outermost loop may be worked on in
/// chunks. Everything inside is affine in the loops: an operand is a block of memory with a stride for each of them.
struct LaneBlock {
  /// The loops, outermost first, with the lanes that one iteration of each has.
  var loops: [(variable: LoopVariable, lanes: Int)]
  /// Where a tile reduces more lanes than it has results, the loop over all of them: it runs as the results' own.
  var wideLanes: LoopVariable?
  /// Arrays of a register tile, each of which is one register.
  var arrays: [Int: TapeBuilder.Operand?] = [:]
  /// How many of the innermost loops are a register tile's own.
  var tileDepth = 0
  /// What the block reads that is the same for all its iterations, read before them.
  var hoisted: [(load: Expression, register: TapeBuilder.Operand)] = []
  /// Whether a tile's array holds nothing but the identity of its combiner.
  var isFresh = false

  func contains(_ variable: LoopVariable) -> Bool {
    variable == wideLanes || loops.contains { $0.variable == variable }
  }

  /// How far an index moves with one of the loops.
  func stride(of index: Index, along variable: LoopVariable) -> Int {
    let own = index.coefficient(of: variable)
    guard let wideLanes, variable == loops.last?.variable else { return own }
    return own + index.coefficient(of: wideLanes)
  }
}

/// Loops one inside the other, and what is declared between them.
struct LoopChain {
  var loops: [Loop] = []
  /// What precedes the next loop inside of each.
  var declarations: [[Statement]] = []
  /// The body of the innermost.
  var core: [Statement] = []

  init(core: [Statement]) { self.core = core }

  init(_ loop: Loop) {
    var current = loop
    while true {
      loops.append(current)
      let prefix = current.body.prefix { if case .declare = $0 { true } else { false } }
      if current.body.count == prefix.count + 1, case .loop(let next) = current.body[prefix.count] {
        declarations.append(Array(prefix))
        current = next
      } else {
        declarations.append([])
        core = current.body
        return
      }
    }
  }
}

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
    if let tile = TileArray(chain.core) {
      tileLoops = tile.loops
      wideLanes = tile.wideLanes
      shape.arrays[tile.array.id] = tile.places
    } else {
      guard chain.core.allSatisfy(\.isStraight), chain.loops.count > 1,
        let last = chain.loops.last, last.variable.extent < Self.longLoop
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
    guard let first = variables.first, !tileLoops.isEmpty || variables.count > 1 else { return false }
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

/// What statements are allowed in a block.
private struct BlockShape {
  let builder: TapeBuilder
  /// The loops that become lanes.
  var variables = Set<LoopVariable>()
  /// Where the arrays of a tile are touched.
  var arrays: [Int: [Index]] = [:]

  init(builder: TapeBuilder) { self.builder = builder }

  func allows(_ statements: [Statement]) -> Bool { statements.allSatisfy(allows) }

  private func allows(_ statement: Statement) -> Bool {
    switch statement {
    case .declare(_, let value): allows(value)
    case .store(let memory, let index, let value): allows(memory, index) && allows(value)
    case .loop(let loop):
      if variables.contains(loop.variable) {
        allows(loop.body)
      } else {
        loop.kind != .lanes && (loop.lower.quotients + loop.upper.quotients).allSatisfy { isUniform($0.dividend) }
          && allows(loop.body)
      }
    case .when(let constraints, let body): constraints.allSatisfy { isUniform($0.index) } && allows(body)
    case .allocate(let array): arrays[array.id] != nil
    case .assign, .accumulate, .whenTrue: false
    }
  }

  private func allows(_ value: Expression) -> Bool {
    switch value {
    case .constant, .register: true
    case .index(let index): isUniform(index)
    case .load(let memory, let index, _): allows(memory, index)
    case .pointwise(_, let operands): operands.allSatisfy { allows($0) }
    case .convert(let inner, _), .bitcast(let inner, _): allows(inner)
    case .select(let constraints, let then, let otherwise):
      constraints.allSatisfy { isUniform($0.index) } && allows(then) && allows(otherwise)
    }
  }

  private func allows(_ memory: Memory, _ index: Index) -> Bool {
    switch memory {
    case .local(let array): arrays[array.id]?.contains(index) ?? false
    case .buffer:
      index.terms.allSatisfy { term in
        switch term.atom {
        case .variable: true
        case .floorDivide(let inner, _), .modulo(let inner, _): isUniform(inner)
        // Registers from around the nest only.
        case .value(let scalar): builder.registers[scalar.id].map { !$0.isPerLane } ?? false
        }
      }
    }
  }

  /// Whether all lanes have the same value.
  private func isUniform(_ index: Index) -> Bool {
    index.variables.isDisjoint(with: variables)
      && !index.isDynamic
  }

  /// Whether every lane stores elements of its own, and reads none that another one stores.
  func storesOnce(_ statements: [Statement]) -> Bool {
    var stored: [BufferID: Index] = [:]
    for case .store(.buffer(let buffer), let index, _) in statements {
      guard stored.updateValue(index, forKey: buffer) == nil, isInjective(index) else { return false }
    }
    return statements.allSatisfy { statement in
      switch statement {
      case .declare(_, let value), .store(_, _, let value):
        value.loads.allSatisfy { stored[$0.buffer] ?? $0.index == $0.index }
      default: true
      }
    }
  }

  private func isInjective(_ index: Index) -> Bool {
    var reach = 0
    for (stride, extent) in variables.map({ (abs(index.coefficient(of: $0)), $0.extent) }).sorted(by: <)
    where extent > 1 {
      guard stride > reach else { return false }
      reach += stride * (extent - 1)
    }
    return true
  }
}

extension Expression {
  fileprivate func reads(_ array: LocalArray) -> Bool {
    switch self {
    case .load(let memory, _, _): memory == .local(array)
    case .pointwise(_, let operands): operands.contains { $0.reads(array) }
    case .convert(let inner, _), .bitcast(let inner, _): inner.reads(array)
    case .select(_, let then, let otherwise): then.reads(array) || otherwise.reads(array)
    case .constant, .register, .index: false
    }
  }

  /// What is read of buffers on every way through the expression.
  fileprivate var certainLoads: [Expression] {
    switch self {
    case .load: [self]
    case .pointwise(_, let operands): operands.flatMap(\.certainLoads)
    case .convert(let inner, _), .bitcast(let inner, _): inner.certainLoads
    case .select(_, _, let otherwise): otherwise.certainLoads
    case .constant, .register, .index: []
    }
  }

  /// All elements of buffers that are read.
  fileprivate var loads: [(buffer: BufferID, index: Index)] {
    switch self {
    case .load(.buffer(let buffer), let index, _): [(buffer, index)]
    case .pointwise(_, let operands): operands.flatMap(\.loads)
    case .convert(let inner, _), .bitcast(let inner, _): inner.loads
    case .select(_, let then, let otherwise): then.loads + otherwise.loads
    case .constant, .register, .index, .load: []
    }
  }
}

extension Statement {
  /// Whether it is a step of the tile that an array is made for.
  func belongs(to array: LocalArray) -> Bool {
    switch self {
    case .declare: true
    case .allocate, .accumulate, .assign, .whenTrue: false
    case .store: mentions(array)
    case .loop, .when: mentions(array)
    }
  }

  private func mentions(_ array: LocalArray) -> Bool {
    switch self {
    case .declare(_, let value), .assign(_, let value): value.reads(array)
    case .store(let memory, _, let value): memory == .local(array) || value.reads(array)
    case .loop(let loop): loop.body.contains { $0.mentions(array) }
    case .when(_, let body), .whenTrue(_, let body): body.contains { $0.mentions(array) }
    case .allocate, .accumulate: false
    }
  }

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
    case .store, .declare, .allocate, .assign, .accumulate: []
    }
  }

  /// The variables of all loops over lanes.
  fileprivate var laneLoops: [LoopVariable] {
    switch self {
    case .loop(let loop): (loop.kind == .lanes ? [loop.variable] : []) + loop.body.flatMap(\.laneLoops)
    case .when(_, let body): body.flatMap(\.laneLoops)
    default: []
    }
  }

  /// Whether it is a plain step of an element-wise nest.
  fileprivate var isStraight: Bool {
    switch self {
    case .declare, .store(.buffer, _, _): true
    default: false
    }
  }
}

/// The array of a register tile that statements make and fill, where it is touched, and the tile's loops.
private struct TileArray {
  var array: LocalArray
  var places: [Index]
  var loops: [LoopVariable]
  /// The loop over all lanes, where results are fewer.
  var wideLanes: LoopVariable?

  init?(_ statements: [Statement]) {
    var arrays: [LocalArray] = []
    for case .allocate(let array) in statements { arrays.append(array) }
    guard arrays.count == 1, arrays[0].lanes != nil,
      let filling = statements.lazy.compactMap({ if case .loop(let loop) = $0 { loop } else { nil } }).first
    else { return nil }
    var loops: [LoopVariable] = []
    var current = filling
    while current.kind == .unrolled || current.kind == .lanes {
      guard current.lower.known == 0, current.upper.known == current.variable.extent, current.body.count == 1
      else { return nil }
      loops.append(current.variable)
      if case .loop(let next) = current.body[0] {
        current = next
      } else if case .store(.local(arrays[0]), let place, .constant) = current.body[0] {
        guard loops.reduce(1, { $0 * $1.extent }) == arrays[0].count,
          place == Index.flattened(loops.map { Index($0) }, shape: loops.map(\.extent))
        else { return nil }
        (array, places, self.loops) = (arrays[0], [place], loops)
        let others = Set(statements.flatMap(\.laneLoops)).subtracting([current.variable])
        guard others.count <= 1 else { return nil }
        if let narrow = others.first {
          guard narrow.extent <= current.variable.extent else { return nil }
          wideLanes = current.variable
          self.loops[loops.count - 1] = narrow
          places.append(place.substituting { [wide = current.variable] in Index($0 == wide ? narrow : $0) })
        }
        return
      } else {
        return nil
      }
    }
    return nil
  }
}
