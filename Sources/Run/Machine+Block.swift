internal import CKernels
internal import LatheCore

/// Blocks of lanes, and the tiles among them.
extension Machine {
  /// Checks the ends of a block against its tensor; false leaves a fault.
  @inline(__always)
  mutating func isInside(_ start: Int, from low: Int, to high: Int, _ address: Address) -> Bool {
    if start &+ low >= 0 && start &+ high < address.count { return true }
    fail(address, start &+ low < 0 ? start &+ low : start &+ high)
    return false
  }

  /// A block's elements now, as kernels take them, and the first; nil, and a fault, where some lie outside the tensor.
  private mutating func block(_ address: Address, _ count: Int) -> (elements: lathe_block, start: Int)? {
    let depth = tape.tables[Int(address.block)]
    let extents = tape.tables + Int(address.block) + 1
    let strides = extents + depth
    var outermost = count
    var (low, high) = (0, 0)
    func reach(_ stride: Int, _ extent: Int) {
      let last = stride &* (extent &- 1)
      if last < 0 { low &+= last } else { high &+= last }
    }
    for level in 1..<depth {
      reach(strides[level], extents[level])
      outermost /= extents[level]
    }
    reach(strides[0], outermost)
    let start = value(address.affine)
    guard isInside(start, from: low, to: high, address) else { return nil }
    return (lathe_block(depth: Int32(depth), count: outermost, extents: extents, strides: strides), start)
  }

  mutating func loadBlock(_ instruction: Instruction, _ address: Address, _ count: Int) {
    guard let (block, start) = block(address, count) else { return }
    var elements = block
    let (type, size) = (address.type, address.size)
    let source = base(address) + start &* size
    if type == .f32 || type == .f64 {
      lathe_load_block(&elements, size, source, registers + Int(instruction.dst))
    } else {
      withElements(size &* count) { memory in
        lathe_load_block(&elements, size, source, memory)
        read(type, at: memory, stride: 1, count, into: instruction.dst, from: 0)
      }
    }
  }

  mutating func storeBlock(_ instruction: Instruction, _ address: Address, _ count: Int) {
    guard let (block, start) = block(address, count) else { return }
    var elements = block
    let (type, size) = (address.type, address.size)
    let target = base(address) + start &* size
    let uniform = instruction.uniform & 1 != 0
    func move(_ values: UnsafeMutableRawPointer) {
      if uniform {
        lathe_fill_block(&elements, size, target, values)
      } else {
        lathe_store_block(&elements, size, target, values)
      }
    }
    if type == .f32 || type == .f64 {
      move(registers + Int(instruction.a))
    } else {
      let count = uniform ? 1 : count
      withElements(size &* count) { memory in
        write(type, at: memory, stride: 1, count, of: instruction.a, from: 0, uniform: uniform)
        move(memory)
      }
    }
  }

  /// Lends space for elements next to each other, as they are in tensors.
  private func withElements(_ byteCount: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: max(1, byteCount), alignment: 8) { memory in
      if let start = memory.baseAddress { body(start) }
    }
  }

  /// The sums of all tiles of a block.
  mutating func reduceTiles(_ instruction: Instruction) {
    let plan = tape.tiles[Int(instruction.extra)]
    guard let kernel = plan.kernel else { return }
    let depth = plan.depth
    let size = plan.columns &* plan.rows &* plan.lanes
    var outermost = end / size
    let extents = tape.tables + plan.table
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
    tile.adds = plan.adds ? 1 : 0
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
    guard isEmpty || isInside(aStart, from: aLow, to: aHigh, plan.a) else { return }
    let width = plan.isDouble ? 8 : 4
    var second: UnsafeRawPointer?
    if let b = plan.b {
      let start = value(b.affine)
      guard isEmpty || isInside(start, from: bLow, to: bHigh, b) else { return }
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
