/// What lowering knows of the machine that the loops will run on.
///
/// A new machine is a new description: schedules and layouts are chosen from these numbers alone.
public struct Target: Hashable, Sendable {
  /// As on the command line and for `-march`: `x86-64-v3`.
  public var name: String
  /// Bytes of a vector register; 0 where loops are left to the C compiler, as they come.
  public var vectorBytes: Int
  /// Vector registers, or, for a target without vectors, scalar floating-point registers.
  public var registers: Int
  /// Whether arithmetic takes an operand from memory, repeated in all lanes, without a register for it.
  public var broadcastsFromMemory: Bool
  /// Bytes of the caches that belong to one core.
  public var level1Bytes: Int
  public var level2Bytes: Int

  public init(
    name: String, vectorBytes: Int, registers: Int, broadcastsFromMemory: Bool = false, level1Bytes: Int = 32 << 10,
    level2Bytes: Int = 256 << 10
  ) {
    self.name = name
    self.vectorBytes = vectorBytes
    self.registers = registers
    self.broadcastsFromMemory = broadcastsFromMemory
    self.level1Bytes = level1Bytes
    self.level2Bytes = level2Bytes
  }

  /// Plain loops for any machine: C compilers vectorize them as they can, the interpreter strips them.
  public static let generic = Target(name: "generic", vectorBytes: 0, registers: 16)
  /// SSE4.2: 16 registers of 4 floats, no fused multiply-add.
  public static let x86V2 = Target(name: "x86-64-v2", vectorBytes: 16, registers: 16)
  /// AVX2 and FMA: 16 registers of 8 floats.
  public static let x86V3 = Target(name: "x86-64-v3", vectorBytes: 32, registers: 16)
  /// AVX-512: 32 registers of 16 floats.
  public static let x86V4 = Target(
    name: "x86-64-v4", vectorBytes: 64, registers: 32, broadcastsFromMemory: true, level2Bytes: 1 << 20)
  /// NEON: 32 registers of 4 floats; a lane of one is a factor of its own.
  public static let armV8 = Target(
    name: "armv8-a", vectorBytes: 16, registers: 32, broadcastsFromMemory: true, level2Bytes: 512 << 10)

  /// All that have a name.
  public static let all = [generic, x86V2, x86V3, x86V4, armV8]

  /// How many elements of a type a vector holds; 1 without vectors.
  public func lanes(_ type: ScalarType) -> Int { max(1, vectorBytes / type.byteCount) }

  /// Whether loops are tiled to registers and tensors laid out for that.
  public var isTiled: Bool { vectorBytes > 0 }
}
