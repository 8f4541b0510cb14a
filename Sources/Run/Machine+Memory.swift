internal import LatheCore

/// Loads and stores.
extension Machine {
  /// The first byte of the tensor or array that an address lies in.
  @inline(__always)
  func base(_ address: Address) -> UnsafeMutableRawPointer {
    address.buffer >= 0 ? buffers[Int(address.buffer)] : locals + address.localOffset
  }

  /// Checks both ends of a strip against the tensor.
  @inline(__always)
  private mutating func isInside(_ start: Int, _ stride: Int, _ count: Int, _ address: Address) -> Bool {
    let last = start &+ stride &* (count - 1)
    if start >= 0 && start < address.count && last >= 0 && last < address.count { return true }
    fail(address, start >= 0 && start < address.count ? last : start)
    return false
  }

  mutating func load(_ instruction: Instruction) {
    let address = tape.addresses[Int(instruction.extra)]
    let (first, count) = span(instruction)
    if address.block >= 0 { return loadBlock(instruction, address, count) }
    let stride = address.affine.stride
    let start = value(address.affine) &+ stride &* first
    if instruction.b >= 0 { return loadMasked(instruction, address, start, stride, nil) }
    guard isInside(start, stride, count, address) else { return }
    read(
      address.type, at: base(address) + start &* address.size, stride: stride, count, into: instruction.dst,
      from: first)
  }

  /// Reads elements of a type into the lanes of a register from `first` on.
  ///
  /// - Parameter stride: From one element to the next, in elements.
  func read(
    _ type: ScalarType, at memory: UnsafeMutableRawPointer, stride: Int, _ count: Int, into register: Int32,
    from first: Int
  ) {
    @inline(__always)
    func read<Source, Target>(_: Source.Type, _: Target.Type, _ convert: (Source) -> Target) {
      readEach(memory, stride, count, lanes(register, Target.self, from: first), convert)
    }
    @inline(__always)
    func copy<Element>(_ type: Element.Type) {
      if stride == 1 {
        lanes(register, type, from: first).update(from: memory.assumingMemoryBound(to: type), count: count)
      } else {
        read(type, type) { $0 }
      }
    }
    switch type {
    case .f32: copy(Float.self)
    case .f64: copy(Double.self)
    case .bool: read(UInt8.self, UInt8.self) { $0 == 0 ? 0 : 1 }
    case .f16: read(UInt16.self, Float.self) { Half.float(fromHalf: $0) }
    case .bf16: read(UInt16.self, Float.self) { Half.float(fromBrain: $0) }
    case .i64, .u64: copy(Int.self)
    case .i32: read(Int32.self, Int.self) { Int($0) }
    case .i16: read(Int16.self, Int.self) { Int($0) }
    case .i8: read(Int8.self, Int.self) { Int($0) }
    case .u32: read(UInt32.self, Int.self) { Int($0) }
    case .u16: read(UInt16.self, Int.self) { Int($0) }
    case .u8: read(UInt8.self, Int.self) { Int($0) }
    default:
      guard let format = type.narrow else { return }
      if format.isFloat {
        read(UInt8.self, Float.self) { format.float($0) }
      } else {
        read(UInt8.self, Int.self) { format.wrapped(Int($0)) }
      }
    }
  }

  @inline(__always)
  private func readEach<Source, Target>(
    _ memory: UnsafeMutableRawPointer, _ stride: Int, _ count: Int, _ out: UnsafeMutablePointer<Target>,
    _ convert: (Source) -> Target
  ) {
    let source = memory.assumingMemoryBound(to: Source.self)
    switch stride {
    case 1: for lane in 0..<count { out[lane] = convert(source[lane]) }
    case 0:
      let element = convert(source[0])
      for lane in 0..<count { out[lane] = element }
    default: for lane in 0..<count { out[lane] = convert(source[lane &* stride]) }
    }
  }

  mutating func store(_ instruction: Instruction) {
    let address = tape.addresses[Int(instruction.extra)]
    let (first, count) = span(instruction)
    if address.block >= 0 { return storeBlock(instruction, address, count) }
    let stride = address.affine.stride
    let start = value(address.affine) &+ stride &* first
    if instruction.b >= 0 { return storeMasked(instruction, address, start, stride, nil) }
    guard isInside(start, stride, count, address) else { return }
    let uniform = instruction.uniform & 1 != 0
    write(
      address.type, at: base(address) + start &* address.size, stride: stride, count, of: instruction.a,
      from: instruction.lanes && !uniform ? first : 0, uniform: uniform)
  }

  /// Writes the lanes of a register from `first` on, or one number for all, to elements of a type.
  ///
  /// - Parameter stride: From one element to the next, in elements.
  func write(
    _ type: ScalarType, at memory: UnsafeMutableRawPointer, stride: Int, _ count: Int, of register: Int32,
    from first: Int, uniform: Bool
  ) {
    @inline(__always)
    func write<Source, Target>(_: Target.Type, _: Source.Type, _ convert: (Source) -> Target) {
      writeEach(memory, stride, count, lanes(register, Source.self, from: first), uniform, convert)
    }
    @inline(__always)
    func copy<Element>(_ type: Element.Type) {
      if stride == 1 && !uniform {
        memory.assumingMemoryBound(to: type).update(from: lanes(register, type, from: first), count: count)
      } else {
        write(type, type) { $0 }
      }
    }
    switch type {
    case .f32: copy(Float.self)
    case .f64: copy(Double.self)
    case .bool: copy(UInt8.self)
    case .f16: write(UInt16.self, Float.self) { Half.half($0) }
    case .bf16: write(UInt16.self, Float.self) { Half.brain($0) }
    case .i64, .u64: copy(Int.self)
    case .i32, .u32: write(Int32.self, Int.self) { Int32(truncatingIfNeeded: $0) }
    case .i16, .u16: write(Int16.self, Int.self) { Int16(truncatingIfNeeded: $0) }
    case .i8, .u8, .i4, .u4, .i2, .u2: write(Int8.self, Int.self) { Int8(truncatingIfNeeded: $0) }
    default: if let format = type.narrow { write(UInt8.self, Float.self) { format.code($0) } }
    }
  }

  @inline(__always)
  private func writeEach<Source, Target>(
    _ memory: UnsafeMutableRawPointer, _ stride: Int, _ count: Int, _ values: UnsafeMutablePointer<Source>,
    _ uniform: Bool, _ convert: (Source) -> Target
  ) {
    let target = memory.assumingMemoryBound(to: Target.self)
    if uniform {
      let element = convert(values[0])
      if stride == 1 {
        for lane in 0..<count { target[lane] = element }
      } else {
        for lane in 0..<count { target[lane &* stride] = element }
      }
    } else if stride == 1 {
      for lane in 0..<count { target[lane] = convert(values[lane]) }
    } else {
      for lane in 0..<count { target[lane &* stride] = convert(values[lane]) }
    }
  }

  mutating func gather(_ instruction: Instruction) {
    let address = tape.addresses[Int(instruction.extra)]
    let first = span(instruction).first
    loadMasked(instruction, address, 0, 0, lanes(instruction.a, Int.self, from: first))
  }

  mutating func scatter(_ instruction: Instruction) {
    let address = tape.addresses[Int(instruction.extra)]
    let first = span(instruction).first
    storeMasked(instruction, address, 0, 0, lanes(instruction.c, Int.self, from: first))
  }

  /// Loads lane by lane: from `positions` where given, and only where the mask `b` allows.
  private mutating func loadMasked(
    _ instruction: Instruction, _ address: Address, _ start: Int, _ stride: Int, _ positions: UnsafeMutablePointer<Int>?
  ) {
    let (first, count) = span(instruction)
    let allowed = instruction.b >= 0 ? lanes(instruction.b, UInt8.self, from: first) : nil
    let source = base(address)
    switch Lane(address.type) {
    case .float where address.type == .f32:
      let out = lanes(instruction.dst, Float.self, from: first)
      for lane in 0..<count where allowed.map({ $0[lane] != 0 }) ?? true {
        let position = positions.map { $0[lane] } ?? (start &+ stride &* lane)
        guard position >= 0 && position < address.count else { return fail(address, position) }
        out[lane] = source.assumingMemoryBound(to: Float.self)[position]
      }
    default:
      for lane in 0..<count where allowed.map({ $0[lane] != 0 }) ?? true {
        let position = positions.map { $0[lane] } ?? (start &+ stride &* lane)
        guard position >= 0 && position < address.count else { return fail(address, position) }
        setElement(source, position, address.type, instruction.dst, first + lane)
      }
    }
  }

  private mutating func storeMasked(
    _ instruction: Instruction, _ address: Address, _ start: Int, _ stride: Int, _ positions: UnsafeMutablePointer<Int>?
  ) {
    let (first, count) = span(instruction)
    let allowed = instruction.b >= 0 ? lanes(instruction.b, UInt8.self, from: first) : nil
    let target = base(address)
    let uniform = instruction.uniform & 1 != 0
    for lane in 0..<count where allowed.map({ $0[lane] != 0 }) ?? true {
      let position = positions.map { $0[lane] } ?? (start &+ stride &* lane)
      guard position >= 0 && position < address.count else { return fail(address, position) }
      putElement(target, position, address.type, instruction.a, uniform ? 0 : first + lane)
    }
  }

  mutating func fail(_ address: Address, _ position: Int) {
    fault = .access(address, position: position)
  }

  /// Reads one element of memory into one lane of a register.
  @inline(__always)
  func setElement(
    _ memory: UnsafeMutableRawPointer, _ position: Int, _ type: ScalarType, _ register: Int32, _ lane: Int
  ) {
    let place = registers + Int(register)
    switch type {
    case .f32: place.assumingMemoryBound(to: Float.self)[lane] = memory.assumingMemoryBound(to: Float.self)[position]
    case .f64: place.assumingMemoryBound(to: Double.self)[lane] = memory.assumingMemoryBound(to: Double.self)[position]
    case .f16:
      place.assumingMemoryBound(to: Float.self)[lane] =
        Half.float(fromHalf: memory.assumingMemoryBound(to: UInt16.self)[position])
    case .bf16:
      place.assumingMemoryBound(to: Float.self)[lane] =
        Half.float(fromBrain: memory.assumingMemoryBound(to: UInt16.self)[position])
    case .bool:
      place.assumingMemoryBound(to: UInt8.self)[lane] =
        memory.assumingMemoryBound(to: UInt8.self)[position] == 0 ? 0 : 1
    case .i64, .u64: place.assumingMemoryBound(to: Int.self)[lane] = memory.assumingMemoryBound(to: Int.self)[position]
    case .i32:
      place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: Int32.self)[position])
    case .u32:
      place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: UInt32.self)[position])
    case .i16:
      place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: Int16.self)[position])
    case .u16:
      place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: UInt16.self)[position])
    case .i8: place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: Int8.self)[position])
    case .u8: place.assumingMemoryBound(to: Int.self)[lane] = Int(memory.assumingMemoryBound(to: UInt8.self)[position])
    default:
      guard let format = type.narrow else { return }
      let code = memory.assumingMemoryBound(to: UInt8.self)[position]
      if format.isFloat {
        place.assumingMemoryBound(to: Float.self)[lane] = format.float(code)
      } else {
        place.assumingMemoryBound(to: Int.self)[lane] = format.wrapped(Int(code))
      }
    }
  }

  /// Writes one lane of a register to one element of memory.
  @inline(__always)
  func putElement(
    _ memory: UnsafeMutableRawPointer, _ position: Int, _ type: ScalarType, _ register: Int32, _ lane: Int
  ) {
    let place = registers + Int(register)
    switch type {
    case .f32: memory.assumingMemoryBound(to: Float.self)[position] = place.assumingMemoryBound(to: Float.self)[lane]
    case .f64: memory.assumingMemoryBound(to: Double.self)[position] = place.assumingMemoryBound(to: Double.self)[lane]
    case .f16:
      memory.assumingMemoryBound(to: UInt16.self)[position] =
        Half.half(place.assumingMemoryBound(to: Float.self)[lane])
    case .bf16:
      memory.assumingMemoryBound(to: UInt16.self)[position] =
        Half.brain(place.assumingMemoryBound(to: Float.self)[lane])
    case .bool: memory.assumingMemoryBound(to: UInt8.self)[position] = place.assumingMemoryBound(to: UInt8.self)[lane]
    case .i64, .u64: memory.assumingMemoryBound(to: Int.self)[position] = place.assumingMemoryBound(to: Int.self)[lane]
    case .i32, .u32:
      memory.assumingMemoryBound(to: Int32.self)[position] =
        Int32(truncatingIfNeeded: place.assumingMemoryBound(to: Int.self)[lane])
    case .i16, .u16:
      memory.assumingMemoryBound(to: Int16.self)[position] =
        Int16(truncatingIfNeeded: place.assumingMemoryBound(to: Int.self)[lane])
    case .i8, .u8, .i4, .u4, .i2, .u2:
      memory.assumingMemoryBound(to: Int8.self)[position] =
        Int8(truncatingIfNeeded: place.assumingMemoryBound(to: Int.self)[lane])
    default:
      guard let format = type.narrow else { return }
      memory.assumingMemoryBound(to: UInt8.self)[position] = format.code(
        place.assumingMemoryBound(to: Float.self)[lane])
    }
  }
}
