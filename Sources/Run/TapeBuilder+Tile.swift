internal import CKernels
internal import LatheCore

/// The reduction of a register tile, as one call of a compiled kernel for all tiles of a block.
///
/// Numbers in `tape.tables`, from `table` on: the extents of the loops around a tile (the first is what the block has at
/// the time), their strides for a, for b; then for each step an offset for a and one for b.
struct TileReduction: Sendable {
  var kernel: lathe_tile_kernel?
  var isDouble: Bool
  var columns: Int
  var rows: Int
  var lanes: Int
  var aRow = 0
  var bRow = 0
  var bColumn = 0
  var a: Address
  /// Missing where only one operand is read.
  var b: Address?
  /// Loops around a tile that belong to the block.
  var depth = 0
  var table = 0
  /// Steps, where they do not depend on where the tile is; else they are found at the time, from the loops.
  var steps = 0
  var inner = 1
  var aInner = 0
  var bInner = 0
  /// The least and the greatest offset of one step's elements and of the loops in the block but the first.
  var aLow = 0
  var aHigh = 0
  var bLow = 0
  var bHigh = 0
  /// Where the reduction's own loops are in `tape.tileLoops`, if their ends depend on the tile.
  var firstLoop = 0
  var loopCount = 0
  /// Whether the sums are added to what is there.
  var adds = false
  /// Space for the offsets that are found at the time.
  var scratch: Int32 = 0

  /// The most steps that a table has.
  static let mostSteps = 1 << 16

  /// Widens what is read by a loop with strides for a and b.
  mutating func widen(_ a: Int, _ b: Int, _ extent: Int) {
    aLow += min(0, a * (extent - 1))
    aHigh += max(0, a * (extent - 1))
    bLow += min(0, b * (extent - 1))
    bHigh += max(0, b * (extent - 1))
  }

  /// Widens what is read by steps, and counts them.
  mutating func take(_ offsets: [(a: Int, b: Int)]) {
    steps = offsets.count
    aLow += offsets.map(\.a).min() ?? 0
    aHigh += offsets.map(\.a).max() ?? 0
    bLow += offsets.map(\.b).min() ?? 0
    bHigh += offsets.map(\.b).max() ?? 0
  }
}

/// A loop of a reduction whose ends depend on where the tile is.
struct TileLoop: Sendable {
  /// In `tape.bounds`.
  var bounds: Int32
  var aStride: Int
  var bStride: Int
}

/// A reduction nest taken apart.
private struct TilePattern {
  struct Operand {
    var buffer: BufferID
    var index: Index
    var type: ScalarType
  }

  /// What the sums are in.
  var array: LocalArray
  var kind: lathe_tile_kind
  var function: Pointwise
  var loops: [Loop]
  var a: Operand
  var b: Operand?

  /// - Parameter block: The loops that are lanes; the last are the tile's.
  init?(_ statement: Loop, _ block: LaneBlock) {
    var known: [Int32: Expression] = [:]
    var loops: [Loop] = []
    var current = statement
    var stored: (array: LocalArray, value: Expression)?
    while stored == nil {
      if !block.contains(current.variable) { loops.append(current) }
      for declaration in current.body.dropLast() {
        guard case .declare(let register, let value) = declaration else { return nil }
        known[register.id] = value
      }
      switch current.body.last {
      case .loop(let next): current = next
      case .store(.local(let array), _, let value):
        guard block.arrays.keys.contains(array.id) else { return nil }
        stored = (array, value)
      default: return nil
      }
    }
    guard let stored, case .pointwise(let function, let operands) = stored.value, operands.count == 2,
      case .load(.local(stored.array), _, let type) = operands[0], type == .f32 || type == .f64
    else { return nil }
    func resolved(_ expression: Expression) -> Expression {
      if case .register(let register) = expression, let value = known[register.id] { return resolved(value) }
      return expression
    }
    func operand(_ expression: Expression) -> Operand? {
      guard case .load(.buffer(let buffer), let index, type) = resolved(expression), !index.isDynamic else {
        return nil
      }
      return Operand(buffer: buffer, index: index, type: type)
    }
    array = stored.array
    self.function = function
    self.loops = loops
    switch (function, resolved(operands[1])) {
    case (.add, .pointwise(.multiply, let factors)):
      guard let first = operand(factors[0]), let second = operand(factors[1]) else { return nil }
      (kind, a, b) = (lathe_tile_product, first, second)
    case (.add, let value), (.maximum, let value):
      guard let only = operand(value) else { return nil }
      (kind, a, b) = (function == .add ? lathe_tile_sum : lathe_tile_maximum, only, nil)
    default: return nil
    }
    startAtZero()
  }
}

extension TilePattern {
  /// Lets loops whose ends move together, as those of a sum's blocks do, run from 0, and moves what they read instead.
  private mutating func startAtZero() {
    for position in loops.indices {
      let (lower, upper) = (loops[position].lower, loops[position].upper)
      guard lower.quotients.count == 1, upper.quotients.count == 1, lower.quotients[0].divisor == 1,
        upper.quotients[0].divisor == 1, let start = lower.quotients[0].dividend.bounds,
        let end = upper.quotients[0].dividend.bounds, start.lowerBound >= lower.constant,
        end.upperBound <= upper.constant,
        let count = (upper.quotients[0].dividend - lower.quotients[0].dividend).known
      else { continue }
      let variable = loops[position].variable
      func moved(_ index: Index) -> Index {
        index.substituting { $0 == variable ? lower.quotients[0].dividend + Index(variable) : Index($0) }
      }
      a.index = moved(a.index)
      if let index = b?.index { b?.index = moved(index) }
      (loops[position].lower, loops[position].upper) = (Bound(0), Bound(count))
    }
  }

  func strideA(_ variable: LoopVariable?) -> Int { variable.map { a.index.coefficient(of: $0) } ?? 0 }
  func strideB(_ variable: LoopVariable?) -> Int { variable.flatMap { b?.index.coefficient(of: $0) } ?? 0 }
}

/// The loops that sum a block of a long sum in an array of its own and add that to another.
struct BlockSum {
  var total: LocalArray
  var reduction: Loop

  /// - Parameter statements: All that follow where the array is made.
  init?(_ array: LocalArray, _ statements: ArraySlice<Statement>) {
    let loops = statements.compactMap { if case .loop(let loop) = $0 { loop } else { nil } }
    guard statements.count == 3, loops.count == 3,
      case .store(.local(array), _, .constant(let start, _)) = loops[0].onlyStatement, start.double == 0,
      case .store(.local(let total), let place, .pointwise(.add, let operands)) = loops[2].onlyStatement,
      operands.count == 2, case .load(.local(total), place, _) = operands[0],
      case .load(.local(array), place, _) = operands[1]
    else { return nil }
    (self.total, reduction) = (total, loops[1])
  }
}

extension Loop {
  /// What loops one inside the other do, where it is one statement.
  fileprivate var onlyStatement: Statement? {
    guard body.count == 1 else { return nil }
    if case .loop(let inner) = body[0] { return inner.onlyStatement }
    return body[0]
  }
}

/// The offsets of a reduction's steps, one by one.
private struct TileSteps {
  var a: [Int] = []
  var b: [Int] = []

  var offsets: [(a: Int, b: Int)] { zip(a, b).map { ($0, $1) } }

  init(_ loops: [Loop], _ first: Index, _ second: Index?) {
    let reduced = Set(loops.map(\.variable))
    var values: [LoopVariable: Int] = [:]
    func visit(_ loops: ArraySlice<Loop>) {
      guard let loop = loops.first else {
        a.append(first.part(over: reduced, values))
        b.append(second?.part(over: reduced, values) ?? 0)
        return
      }
      for value in loop.knownRange {
        values[loop.variable] = value
        visit(loops.dropFirst())
      }
    }
    visit(loops[...])
  }

  /// Takes runs of steps at one stride together, where all are of one length.
  mutating func joined() -> (count: Int, a: Int, b: Int) {
    guard a.count > 1 else { return (1, 0, 0) }
    let (strideA, strideB) = (a[1] - a[0], b[1] - b[0])
    func follows(_ position: Int) -> Bool {
      a[position] - a[position - 1] == strideA && b[position] - b[position - 1] == strideB
    }
    let run = a.indices.dropFirst().first { !follows($0) } ?? a.count
    guard a.count % run == 0, a.indices.allSatisfy({ $0 % run == 0 || follows($0) }) else { return (1, 0, 0) }
    a = stride(from: 0, to: a.count, by: run).map { a[$0] }
    b = stride(from: 0, to: b.count, by: run).map { b[$0] }
    return (run, strideA, strideB)
  }
}

extension Loop {
  /// The values of the variable of a loop whose ends are numbers.
  fileprivate var knownRange: Range<Int> {
    guard let lower = lower.known, let upper = upper.known else {
      internalError("the ends of the loop over \(variable) are no numbers")
    }
    return lower..<max(lower, upper)
  }
}

extension Index {
  /// The value of the terms that depend on the given variables alone, at some place.
  fileprivate func part(over variables: Set<LoopVariable>, _ values: [LoopVariable: Int]) -> Int {
    terms.reduce(0) { sum, term in
      switch term.atom {
      case .variable(let variable) where variables.contains(variable):
        sum + (values[variable] ?? internalError("\(variable) has no value")) * term.coefficient
      case .variable: sum
      case .floorDivide(let inner, let divisor):
        sum + (inner.constant + inner.part(over: variables, values)).dividedRoundingDown(by: divisor) * term.coefficient
      case .modulo(let inner, let divisor):
        sum + (inner.constant + inner.part(over: variables, values)).remainder(by: divisor) * term.coefficient
      case .value: sum
      }
    }
  }
}

extension TapeBuilder {
  /// Emits the reduction of a tile as a kernel's call; false where it is none that there are kernels for.
  ///
  /// - Parameter total: What its sums are added to; by default, they are the array's content.
  mutating func emitTile(_ loop: Loop, addingTo total: LocalArray? = nil) throws(TapeFault) -> Bool {
    guard mask == nil, let block, var pattern = TilePattern(loop, block),
      let register = block.arrays[(total ?? pattern.array).id] ?? nil
    else { return false }
    let tileLoops = block.loops.suffix(block.tileDepth).map(\.variable)
    guard tileLoops.count <= 3, let lanes = tileLoops.last else { return false }
    let around = block.loops.dropLast(block.tileDepth).map(\.variable)
    // One of two loops is columns or rows, as the operands say.
    let second = pattern.b?.index
    func isVector(_ index: Index) -> Bool { lanes.extent == 1 || block.stride(of: index, along: lanes) == 1 }
    func isScalar(_ index: Index) -> Bool { block.stride(of: index, along: lanes) == 0 }
    var columns: LoopVariable?
    var rows: LoopVariable?
    func assign(scalar: Index, vector: Index) -> Bool {
      guard isScalar(scalar), isVector(vector) else { return false }
      let others = tileLoops.dropLast()
      let candidates: [(LoopVariable?, LoopVariable?)] =
        others.count == 2
        ? [(others[0], others[1])] : others.count == 1 ? [(others[0], nil), (nil, others[0])] : [(nil, nil)]
      for (column, row) in candidates
      where column.map({ scalar.coefficient(of: $0) == 0 }) ?? true
        && row.map({ vector.coefficient(of: $0) == 0 }) ?? true
      {
        (columns, rows) = (column, row)
        return true
      }
      return false
    }
    if pattern.kind == lathe_tile_product, let second {
      if assign(scalar: pattern.a.index, vector: second) {
        pattern.kind = lathe_tile_outer
      } else if assign(scalar: second, vector: pattern.a.index), let other = pattern.b {
        (pattern.a, pattern.b) = (other, pattern.a)
        pattern.kind = lathe_tile_outer
      }
    }
    if pattern.kind == lathe_tile_outer, lanes.extent == 1, rows == nil, columns != nil, let other = pattern.b {
      // Of single numbers either operand may be the vector; there are kernels of more rows than of columns.
      (pattern.a, pattern.b) = (other, pattern.a)
      (columns, rows) = (nil, columns)
    }
    if pattern.kind != lathe_tile_outer {
      guard tileLoops.count <= 2, isVector(pattern.a.index), pattern.b.map({ isVector($0.index) }) ?? true else {
        return false
      }
      rows = tileLoops.count == 2 ? tileLoops[0] : nil
    }
    guard
      pattern.loops.allSatisfy({ loop in
        (loop.lower.quotients + loop.upper.quotients).allSatisfy { quotient in
          !quotient.dividend.isDynamic && quotient.dividend.isAffine
            && quotient.dividend.variables.allSatisfy { variable in !pattern.loops.contains { $0.variable == variable }
            }
        }
      })
    else { return false }
    // Divisions by what is reduced are looked up.
    let reduced = Set(pattern.loops.map(\.variable))
    guard
      [pattern.a.index, pattern.b?.index].compactMap({ $0 }).allSatisfy({ index in
        index.terms.allSatisfy { term in
          switch term.atom {
          case .variable: true
          case .floorDivide(let dividend, _), .modulo(let dividend, _): dividend.variables.isSubset(of: reduced)
          case .value: false
          }
        }
      })
    else { return false }
    return try emitTile(pattern, columns, rows, lanes, around, register, adds: total != nil)
  }

  private mutating func emitTile(
    _ pattern: TilePattern, _ columns: LoopVariable?, _ rows: LoopVariable?, _ lanes: LoopVariable,
    _ around: [LoopVariable], _ sums: Operand, adds: Bool
  ) throws(TapeFault) -> Bool {
    let own = Set(pattern.loops.map(\.variable) + around + [columns, rows, lanes, block?.wideLanes].compactMap { $0 })
    func address(_ operand: TilePattern.Operand) throws(TapeFault) -> Address {
      try self.address(inBlockOf: operand.buffer, operand.index, operand.type, varying: own)
    }
    let isDouble = pattern.a.type == .f64
    let isOuter = pattern.kind == lathe_tile_outer
    let columnCount = columns?.extent ?? 1
    let rowCount = rows?.extent ?? 1
    var second: Address?
    if let b = pattern.b { second = try address(b) }
    var tile = TileReduction(
      kernel: lathe_tile_kernel_for(
        pattern.kind, isDouble ? 1 : 0, Int32(columnCount), Int32(rowCount), Int32(lanes.extent), Int32(vectorBytes)),
      isDouble: isDouble, columns: columnCount, rows: rowCount, lanes: lanes.extent, a: try address(pattern.a),
      b: second)
    tile.aRow = pattern.strideA(rows)
    tile.bRow = pattern.strideB(rows)
    tile.bColumn = pattern.strideB(columns)
    tile.depth = around.count
    if let rows { tile.widen(tile.aRow, tile.bRow, rows.extent) }
    if let columns { tile.widen(0, tile.bColumn, columns.extent) }
    tile.widen(isOuter ? 0 : 1, 1, lanes.extent)
    for variable in around.dropFirst() {
      tile.widen(pattern.strideA(variable), pattern.strideB(variable), variable.extent)
    }
    tile.table = tape.tables.count
    let numbers = around.map(\.extent) + around.map(pattern.strideA) + around.map(pattern.strideB)
    guard let offsets = try steps(of: pattern, &tile) else { return false }
    tape.tables += numbers + offsets.flatMap { [$0.a, $0.b] }
    tile.adds = adds
    // Joined aside where the array holds something already.
    let isFresh = adds || self.block?.isFresh ?? false
    if isFresh, !adds, let last = tape.code.last, last.code == .copy, last.dst == sums.offset {
      // What the kernel does by itself.
      tape.code.removeLast()
    }
    let target = isFresh ? sums : self.register(sums.type, perLane: true)
    var instruction = Instruction(.reduceTiles)
    instruction.type = sums.type
    instruction.dst = target.offset
    instruction.lanes = true
    instruction.extra = Int32(tape.tiles.count)
    tape.tiles.append(tile)
    append(instruction)
    if !isFresh {
      join(target, into: sums, pattern.function)
      release(target)
    }
    return true
  }

  /// Describes the steps of a reduction in its tile; their offsets where they do not depend on where the tile is, none
  /// where they do, and nil where tables cannot say them.
  private mutating func steps(
    of pattern: TilePattern, _ tile: inout TileReduction
  ) throws(TapeFault) -> [(a: Int, b: Int)]? {
    let isKnown = pattern.loops.allSatisfy { $0.lower.known != nil && $0.upper.known != nil }
    let isAffine = pattern.a.index.isAffine && pattern.b?.index.isAffine ?? true
    if !isKnown { return isAffine ? try stepsFoundAtTheTime(pattern, &tile) : nil }
    if isAffine { return Self.affineSteps(pattern, &tile) }
    var steps = TileSteps(pattern.loops, pattern.a.index, pattern.b?.index)
    guard steps.a.count <= TileReduction.mostSteps, !steps.a.isEmpty else { return nil }
    // The reach of all steps, before runs of them are taken together.
    tile.take(steps.offsets)
    (tile.inner, tile.aInner, tile.bInner) = steps.joined()
    tile.steps = steps.a.count
    return steps.offsets
  }

  /// Loops that go on in step are one, and the innermost is no part of the table.
  private static func affineSteps(_ pattern: TilePattern, _ tile: inout TileReduction) -> [(a: Int, b: Int)]? {
    var loops: [(count: Int, a: Int, b: Int)] = []
    var offsets = [(a: 0, b: 0)]
    for loop in pattern.loops {
      let (lower, count) = (loop.knownRange.lowerBound, loop.knownRange.count)
      guard count > 0 else { return nil }
      let (strideA, strideB) = (pattern.strideA(loop.variable), pattern.strideB(loop.variable))
      offsets[0].a += lower * strideA
      offsets[0].b += lower * strideB
      if count == 1 { continue }
      if let outer = loops.last, outer.a == count * strideA, pattern.b == nil || outer.b == count * strideB {
        loops[loops.count - 1] = (outer.count * count, strideA, strideB)
      } else {
        loops.append((count, strideA, strideB))
      }
    }
    if let last = loops.popLast() { (tile.inner, tile.aInner, tile.bInner) = last }
    guard loops.reduce(1, { $0 * $1.count }) <= TileReduction.mostSteps else { return nil }
    for loop in loops {
      offsets = offsets.flatMap { offset in
        (0..<loop.count).map { (offset.a + $0 * loop.a, offset.b + $0 * loop.b) }
      }
    }
    tile.take(offsets)
    tile.widen(tile.aInner, tile.bInner, tile.inner)
    return offsets
  }

  private mutating func stepsFoundAtTheTime(
    _ pattern: TilePattern, _ tile: inout TileReduction
  ) throws(TapeFault) -> [(a: Int, b: Int)]? {
    let steps = pattern.loops.dropLast().reduce(1) { $0 * max(1, $1.variable.extent) }
    guard steps <= TileReduction.mostSteps else { return nil }
    tile.firstLoop = tape.tileLoops.count
    tile.loopCount = pattern.loops.count
    for loop in pattern.loops {
      tape.tileLoops.append(
        TileLoop(
          bounds: try bounds(loop.lower, loop.upper), aStride: pattern.strideA(loop.variable),
          bStride: pattern.strideB(loop.variable)))
    }
    tile.scratch = space(steps * 16)
    return []
  }
}
