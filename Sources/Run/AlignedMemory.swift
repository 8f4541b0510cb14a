internal import LatheCore

/// Aligned memory with one owner, zeroed when it is made.
struct AlignedMemory: ~Copyable {
  let start: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = Swift.max(byteCount, PlannedProgram.alignment)
    start = UnsafeMutableRawPointer.allocate(
      byteCount: self.byteCount, alignment: PlannedProgram.alignment)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: self.byteCount)
  }

  deinit {
    start.deallocate()
  }
}
