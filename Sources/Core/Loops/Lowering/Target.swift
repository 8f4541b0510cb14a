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
  /// Bytes of the first-level data cache.
  public var level1Bytes: Int
  /// Bytes of the second-level cache that belongs to one core.
  public var level2Bytes: Int
  /// How many contiguous elements a sum needs to be computed on its own, in partial sums, rather than beside its
  /// neighbours.
  public var longSum: Int
  /// Whether the interpreter runs the loops, whose tiles are compiled already.
  public var isInterpreted: Bool
  /// The machine whose vectors and registers decide the order of tensors in memory; nil for its own.
  ///
  /// Targets that share it read the same packed constants: see `sharing(with:)`.
  public internal(set) var order: Order?

  /// What of a machine decides how tensors are laid out.
  public struct Order: Hashable, Sendable {
    var vectorBytes: Int
    var registers: Int
    var level2Bytes: Int
  }

  /// A machine; by default with the caches of most, and run as C.
  public init(
    name: String, vectorBytes: Int, registers: Int, level1Bytes: Int = 32 << 10, level2Bytes: Int = 256 << 10,
    longSum: Int? = nil, isInterpreted: Bool = false
  ) {
    self.name = name
    self.vectorBytes = vectorBytes
    self.registers = registers
    self.level1Bytes = level1Bytes
    self.level2Bytes = level2Bytes
    self.longSum = longSum ?? Schedule.lanes
    self.isInterpreted = isInterpreted
  }

  /// Plain loops for any machine: C compilers vectorize them as they can, the interpreter strips them.
  public static let generic = Target(name: "generic", vectorBytes: 0, registers: 16)
  /// SSE4.2: 16 registers of 4 floats, no fused multiply-add.
  public static let x86V2 = Target(name: "x86-64-v2", vectorBytes: 16, registers: 16)
  /// AVX2 and FMA: 16 registers of 8 floats.
  public static let x86V3 = Target(name: "x86-64-v3", vectorBytes: 32, registers: 16)
  /// AVX-512: 32 registers of 16 floats.
  public static let x86V4 = Target(name: "x86-64-v4", vectorBytes: 64, registers: 32, level2Bytes: 1 << 20)
  /// NEON: 32 registers of 4 floats.
  public static let armV8 = Target(name: "armv8-a", vectorBytes: 16, registers: 32, level2Bytes: 512 << 10)

  /// An ARM microcontroller with a floating-point unit: 32 scalar registers, no caches to speak of.
  ///
  /// The DSP extension has vectors of small integers only.
  public static let cortexM4F = Target(
    name: "cortex-m4f", vectorBytes: 4, registers: 32, level1Bytes: 16 << 10, level2Bytes: 64 << 10)

  /// All that have a name.
  public static let all = [generic, x86V2, x86V3, x86V4, armV8, cortexM4F]

  /// A target for each processor that one C file is to run on, best first, all with the same order of constants.
  ///
  /// The last is plain C for any other.
  public static let auto = [x86V4, x86V3, x86V2, armV8, portable].map { $0.sharing(with: x86V4) }

  /// Tiles of any machine, for the order that their constants have: `generic` in company of others.
  private static let portable = Target(name: generic.name, vectorBytes: 16, registers: 16)

  /// The target with layouts and packed constants in the order that another has: one copy of the constants serves both.
  ///
  /// The other's vectors are a multiple of its own; where they are not, the target stays as it is.
  public func sharing(with other: Target) -> Target {
    guard isTiled, other.isTiled, other.vectorBytes % vectorBytes == 0 else { return self }
    var target = self
    target.order = Order(
      vectorBytes: other.vectorBytes, registers: other.registers, level2Bytes: other.level2Bytes)
    return target
  }

  /// The machine that decides the order of tensors in memory.
  var ordering: Target {
    guard let order else { return self }
    return Target(
      name: name, vectorBytes: order.vectorBytes, registers: order.registers, level2Bytes: order.level2Bytes)
  }

  /// How many elements of a type a vector holds; 1 without vectors.
  public func lanes(_ type: ScalarType) -> Int { max(1, vectorBytes / type.byteCount) }

  /// Whether loops are tiled to registers and tensors laid out for that.
  public var isTiled: Bool { vectorBytes > 0 }
}
