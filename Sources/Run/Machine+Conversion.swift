internal import LatheCore

/// Conversions between types.
extension Machine {
  /// Rounds floats to 16 bits or fewer and wraps integers.
  func round(_ instruction: Instruction) {
    let (first, count) = span(instruction)
    switch instruction.type {
    case .f16:
      let out = lanes(instruction.dst, Float.self, from: first)
      for lane in 0..<count { out[lane] = Half.float(fromHalf: Half.half(out[lane])) }
    case .bf16:
      let out = lanes(instruction.dst, Float.self, from: first)
      for lane in 0..<count { out[lane] = Half.float(fromBrain: Half.brain(out[lane])) }
    case .i8: wrap(instruction) { Int(Int8(truncatingIfNeeded: $0)) }
    case .i16: wrap(instruction) { Int(Int16(truncatingIfNeeded: $0)) }
    case .i32: wrap(instruction) { Int(Int32(truncatingIfNeeded: $0)) }
    case .u8: wrap(instruction) { $0 & 0xff }
    case .u16: wrap(instruction) { $0 & 0xffff }
    case .u32: wrap(instruction) { $0 & 0xffff_ffff }
    case .f32, .f64, .i64, .u64, .bool: break
    default:
      guard let format = instruction.type.narrow else { return }
      if format.isFloat {
        let out = lanes(instruction.dst, Float.self, from: first)
        for lane in 0..<count { out[lane] = format.float(format.code(out[lane])) }
      } else {
        wrap(instruction) { format.wrapped($0) }
      }
    }
  }

  @inline(__always)
  private func wrap(_ instruction: Instruction, _ f: (Int) -> Int) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, Int.self, from: first)
    for lane in 0..<count { out[lane] = f(out[lane]) }
  }

  /// Changes the native type; a `round` to the target's width follows where it is narrower.
  func convert(_ instruction: Instruction) {
    switch (Lane(instruction.sourceType), Lane(instruction.type)) {
    case (.float, .float): map(instruction, Float.self) { (x: Float) -> Float in x }
    case (.float, .double): map(instruction, Float.self) { (x: Float) -> Double in Double(x) }
    case (.float, .integer): map(instruction, Float.self) { (x: Float) -> Int in integer(Double(x), instruction.type) }
    case (.float, .bool): map(instruction, Float.self) { (x: Float) -> UInt8 in x == 0 ? 0 : 1 }
    case (.double, .float): map(instruction, Double.self) { (x: Double) -> Float in Float(x) }
    case (.double, .double): map(instruction, Double.self) { (x: Double) -> Double in x }
    case (.double, .integer): map(instruction, Double.self) { (x: Double) -> Int in integer(x, instruction.type) }
    case (.double, .bool): map(instruction, Double.self) { (x: Double) -> UInt8 in x == 0 ? 0 : 1 }
    case (.integer, .float) where instruction.sourceType == .u64:
      map(instruction, UInt.self) { (x: UInt) -> Float in Float(x) }
    case (.integer, .double) where instruction.sourceType == .u64:
      map(instruction, UInt.self) { (x: UInt) -> Double in Double(x) }
    case (.integer, .float): map(instruction, Int.self) { (x: Int) -> Float in Float(x) }
    case (.integer, .double): map(instruction, Int.self) { (x: Int) -> Double in Double(x) }
    case (.integer, .integer): map(instruction, Int.self) { (x: Int) -> Int in x }
    case (.integer, .bool): map(instruction, Int.self) { (x: Int) -> UInt8 in x == 0 ? 0 : 1 }
    case (.bool, .float): map(instruction, UInt8.self) { (x: UInt8) -> Float in Float(x) }
    case (.bool, .double): map(instruction, UInt8.self) { (x: UInt8) -> Double in Double(x) }
    case (.bool, .integer): map(instruction, UInt8.self) { (x: UInt8) -> Int in Int(x) }
    case (.bool, .bool): map(instruction, UInt8.self) { (x: UInt8) -> UInt8 in x }
    }
  }

  /// A float as an integer of a type: truncated and held within the range, as `ScalarType.rounded` says.
  @inline(__always)
  private func integer(_ x: Double, _ type: ScalarType) -> Int {
    if x.magnitude < 0x1p31 && type.byteCount >= 4 && type.isSigned { return Int(x) }
    if case .integer(let result) = type.rounded(.float(x)) { return result }
    return 0
  }

  /// Reads the bytes of one type as another of the same size, through memory.
  func bitcast(_ instruction: Instruction) {
    let (first, count) = span(instruction)
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { bytes in
      guard let memory = bytes.baseAddress else { return }
      for lane in first..<(first + count) {
        putElement(memory, 0, instruction.sourceType, instruction.a, lane)
        setElement(memory, 0, instruction.type, instruction.dst, lane)
      }
    }
  }
}
