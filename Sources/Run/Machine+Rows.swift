internal import CKernels
internal import LatheCore

/// Sums of neighbours, for all lanes of a block.
extension Machine {
  /// A sum for every lane of a block.
  mutating func reduceRows(_ instruction: Instruction) {
    let (terms, depth) = (tape.tables[Int(instruction.extra)], tape.tables[Int(instruction.extra) + 1])
    let extents = tape.tables + Int(instruction.extra) + 2
    let (a, b) = (extents + depth, extents + depth + depth + 1)
    var rows = lathe_rows(
      depth: Int32(depth), count: end, extents: extents, terms: terms, a_strides: a + 1, b_strides: b + 1)
    for level in 1..<depth { rows.count /= extents[level] }
    let isDouble: Int32 = instruction.type == .f64 ? 1 : 0
    let sums = registers + Int(instruction.dst)
    withRows(instruction.a, step: a[0], strides: a + 1, of: rows) { machine, first, strides in
      rows.a_strides = strides
      guard instruction.b >= 0 else { return lathe_reduce_rows(&rows, isDouble, first, nil, sums) }
      machine.withRows(instruction.b, step: b[0], strides: b + 1, of: rows) { _, second, strides in
        rows.b_strides = strides
        lathe_reduce_rows(&rows, isDouble, first, second, sums)
      }
    }
  }

  /// Lends an operand of sums and its strides; terms that are `step` apart in memory are copied to be neighbours.
  private mutating func withRows(
    _ number: Int32, step: Int, strides: UnsafePointer<Int>, of rows: lathe_rows,
    _ body: (inout Machine, UnsafeRawPointer, UnsafePointer<Int>) -> Void
  ) {
    let address = tape.addresses[Int(number)]
    guard let extents = rows.extents else { return }
    let (depth, terms) = (Int(rows.depth), rows.terms)
    var (low, high) = (min(0, step &* (terms &- 1)), max(0, step &* (terms &- 1)))
    for level in 0..<depth {
      let last = strides[level] &* ((level == 0 ? rows.count : extents[level]) &- 1)
      if last < 0 { low &+= last } else { high &+= last }
    }
    let start = value(address.affine)
    guard terms == 0 || isInside(start, from: low, to: high, address) else { return }
    let elements = UnsafeRawPointer(base(address) + start &* address.size)
    if step == 1 || terms == 0 { return body(&self, elements, strides) }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 3 * (depth + 1)) { memory in
      guard let loops = memory.baseAddress else { return }
      let (steps, packed) = (loops + (depth + 1), loops + 2 * (depth + 1))
      var (count, size) = (0, terms)
      for level in 0..<depth where strides[level] != 0 {
        loops[count] = level == 0 ? rows.count : extents[level]
        steps[count] = strides[level]
        count += 1
      }
      (loops[count], steps[count]) = (terms, step)
      for level in (0..<depth).reversed() {
        packed[level] = strides[level] == 0 ? 0 : size
        if strides[level] != 0 { size *= level == 0 ? rows.count : extents[level] }
      }
      var nest = lathe_block(depth: Int32(count + 1), count: loops[0], extents: loops, strides: steps)
      withUnsafeTemporaryAllocation(byteCount: size * address.size, alignment: 64) { copy in
        guard let start = copy.baseAddress else { return }
        lathe_load_block(&nest, address.size, elements, start)
        body(&self, start, packed)
      }
    }
  }
}
