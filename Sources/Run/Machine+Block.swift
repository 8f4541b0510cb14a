internal import CKernels
internal import LatheCore

/// Blocks of lanes, and the tiles among them.
extension Machine {
  /// Checks the ends of a block against its tensor; false leaves a fault.
  @inline(__always)
  private mutating func isInside(_ start: Int, _ low: Int, _ high: Int, _ address: Address) -> Bool {
    if start &+ low >= 0 && start &+ high < address.count { return true }
    fail(address, start &+ low < 0 ? start &+ low : start &+ high)
    return false
  }

  /// The outermost extent now, and the reach of all strides.
  private func extents(
    _ table: UnsafePointer<Int>, _ depth: Int, _ count: Int
  ) -> (first: Int, low: Int, high: Int) {
    var inner = 1
    var low = 0
    var high = 0
    for position in 1..<depth {
      let reach = table[1 + depth + position] &* (table[1 + position] &- 1)
      if reach < 0 { low &+= reach } else { high &+= reach }
      inner &*= table[1 + position]
    }
    let first = count / inner
    let reach = table[1 + depth] &* (first &- 1)
    if reach < 0 { low &+= reach } else { high &+= reach }
    return (first, low, high)
  }

  mutating func loadBlock(_ instruction: Instruction, _ address: Address, _ count: Int) {
    let table = tables + Int(address.block)
    let depth = table[0]
    let start = value(address.affine)
    let (outermost, low, high) = extents(table, depth, count)
    guard isInside(start, low, high, address) else { return }
    let source = base(address)
    if address.type == .f32 {
      lathe_load_block(
        Int32(depth), outermost, table + 1, table + 1 + depth, source.assumingMemoryBound(to: Float.self) + start,
        lanes(instruction.dst, Float.self, from: 0))
      return
    }
    eachPlace(table, depth, outermost, start) { machine, position, lane in
      machine.setElement(source, position, address.type, instruction.dst, lane)
    }
  }

  mutating func storeBlock(_ instruction: Instruction, _ address: Address, _ count: Int) {
    let table = tables + Int(address.block)
    let depth = table[0]
    let start = value(address.affine)
    let (outermost, low, high) = extents(table, depth, count)
    guard isInside(start, low, high, address) else { return }
    let target = base(address)
    let uniform = instruction.uniform & 1 != 0
    if address.type == .f32 {
      let place = target.assumingMemoryBound(to: Float.self) + start
      let values = lanes(instruction.a, Float.self, from: 0)
      if uniform {
        lathe_fill_block(Int32(depth), outermost, table + 1, table + 1 + depth, place, values[0])
      } else {
        lathe_store_block(Int32(depth), outermost, table + 1, table + 1 + depth, place, values)
      }
      return
    }
    eachPlace(table, depth, outermost, start) { machine, position, lane in
      machine.putElement(target, position, address.type, instruction.a, uniform ? 0 : lane)
    }
  }

  /// Visits all places of a block in the order of the lanes.
  private func eachPlace(
    _ table: UnsafePointer<Int>, _ depth: Int, _ outermost: Int, _ start: Int, _ body: (Machine, Int, Int) -> Void
  ) {
    var lane = 0
    func visit(_ level: Int, _ position: Int) {
      let extent = level == 0 ? outermost : table[1 + level]
      let stride = table[1 + depth + level]
      for step in 0..<extent {
        if level == depth - 1 {
          body(self, position &+ step &* stride, lane)
          lane &+= 1
        } else {
          visit(level + 1, position &+ step &* stride)
        }
      }
    }
    visit(0, start)
  }

  /// The sums of all tiles of a block.
  mutating func reduceTiles(_ instruction: Instruction) {
    let plan = tape.tiles[Int(instruction.extra)]
    guard let kernel = plan.kernel else { return }
    let depth = plan.depth
    let size = plan.columns &* plan.rows &* plan.lanes
    var outermost = end / size
    let extents = tables + plan.table
    let aStrides = extents + depth
    let bStrides = aStrides + depth
    for level in 1..<max(1, depth) { outermost /= extents[level] }
    var tile = lathe_tile()
    tile.columns = Int32(plan.columns)
    tile.rows = Int32(plan.rows)
    tile.lanes = Int32(plan.lanes)
    tile.a_row = plan.aRow
    tile.b_row = plan.bRow
    tile.b_column = plan.bColumn
    tile.steps = plan.steps
    tile.offsets = bStrides + depth
    tile.inner = plan.inner
    tile.a_inner = plan.aInner
    tile.b_inner = plan.bInner
    var (aLow, aHigh, bLow, bHigh) = (plan.aLow, plan.aHigh, plan.bLow, plan.bHigh)
    if plan.loopCount > 0 {
      let reach = findSteps(plan, &tile)
      aLow += reach.aLow
      aHigh += reach.aHigh
      bLow += reach.bLow
      bHigh += reach.bHigh
    }
    if depth > 0 {
      aLow += min(0, aStrides[0] &* (outermost - 1))
      aHigh += max(0, aStrides[0] &* (outermost - 1))
      bLow += min(0, bStrides[0] &* (outermost - 1))
      bHigh += max(0, bStrides[0] &* (outermost - 1))
    }
    let isEmpty = tile.steps == 0 || tile.inner == 0
    let aStart = value(plan.a.affine)
    guard isEmpty || isInside(aStart, aLow, aHigh, plan.a) else { return }
    let width = plan.isDouble ? 8 : 4
    var second: UnsafeRawPointer?
    if let b = plan.b {
      let start = value(b.affine)
      guard isEmpty || isInside(start, bLow, bHigh, b) else { return }
      second = UnsafeRawPointer(base(b) + start &* width)
    }
    lathe_run_tiles(
      kernel, &tile, plan.isDouble ? 1 : 0, Int32(depth), outermost, extents, aStrides, bStrides,
      UnsafeRawPointer(base(plan.a) + aStart &* width), second, registers + Int(instruction.dst))
  }

  /// Writes the offsets of a reduction whose ends depend on where the tile is; the offsets' reach.
  private func findSteps(
    _ plan: TileReduction, _ tile: inout lathe_tile
  ) -> (aLow: Int, aHigh: Int, bLow: Int, bHigh: Int) {
    let offsets = (registers + Int(plan.scratch)).assumingMemoryBound(to: Int.self)
    offsets[0] = 0
    offsets[1] = 0
    var steps = 1
    var (aLow, aHigh, bLow, bHigh) = (0, 0, 0, 0)
    for position in 0..<plan.loopCount {
      let loop = tape.tileLoops[plan.firstLoop + position]
      let (lower, upper) = ends(Int(loop.bounds))
      let count = max(0, upper - lower)
      let last = lower + max(0, count - 1)
      aLow += min(loop.aStride * lower, loop.aStride * last)
      aHigh += max(loop.aStride * lower, loop.aStride * last)
      bLow += min(loop.bStride * lower, loop.bStride * last)
      bHigh += max(loop.bStride * lower, loop.bStride * last)
      if position == plan.loopCount - 1 {
        for step in 0..<steps {
          offsets[2 * step] += lower * loop.aStride
          offsets[2 * step + 1] += lower * loop.bStride
        }
        (tile.inner, tile.a_inner, tile.b_inner) = (count, loop.aStride, loop.bStride)
      } else {
        // From the last to the first, so that none is overwritten before it is read.
        for step in stride(from: steps - 1, through: 0, by: -1) {
          let (a, b) = (offsets[2 * step], offsets[2 * step + 1])
          for iteration in stride(from: count - 1, through: 0, by: -1) {
            offsets[2 * (step * count + iteration)] = a + (lower + iteration) * loop.aStride
            offsets[2 * (step * count + iteration) + 1] = b + (lower + iteration) * loop.bStride
          }
        }
        steps *= count
      }
    }
    tile.steps = steps
    tile.offsets = UnsafePointer(offsets)
    return (aLow, aHigh, bLow, bHigh)
  }
}
