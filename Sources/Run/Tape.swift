internal import LatheCore

/// The native type in which the interpreter keeps elements of a scalar type.
///
/// 16-bit floats are kept as `Float` and rounded after every operation, all integers as 64-bit patterns that are wrapped
/// to their width after every operation, as `ScalarValue` keeps them.
enum Lane: UInt8, Sendable {
  case float, double, integer, bool

  init(_ type: ScalarType) {
    switch type {
    case .f64: self = .double
    case .bool: self = .bool
    default: self = type.isFloat ? .float : .integer
    }
  }

  var byteCount: Int {
    switch self {
    case .float: 4
    case .double, .integer: 8
    case .bool: 1
    }
  }
}

/// One step of a tape.
///
/// Offsets are bytes in the register file; what else they mean is said at each code.
struct Instruction: Sendable {
  enum Code: UInt8, Sendable {
    /// `a` = lower bound, `b` = upper bound (of `extra`); jumps to `target` when empty.
    case enterLoop
    /// Counts `a` up; jumps to `target` while below `b`.
    case repeatLoop
    /// As `enterLoop`, for strips of at most `c` iterations of `dst` lanes; sets the window.
    case enterStrips
    case repeatStrips
    /// Narrows the window to the lanes where `c` conditions from `extra` hold, keeping the old one in `a` and `b`; jumps
    /// to `target` when none is left.
    case narrow
    /// Takes the window back from `a` and `b`.
    case widen
    /// Jumps to `target` when the bool `a` is false.
    case jumpUnless
    /// `dst` = `a`, broadcast where `a` is uniform.
    case copy
    /// `dst` = `b` where the bool `a` holds.
    case blend
    /// `dst` = the affine expression `extra`.
    case ramp
    /// `dst` = `dst` + `a` * constant `extra`, on integers.
    case addScaled
    /// Ends the run where an integer `a` is not in `0 ..< extra`, among the lanes that the mask `b` allows.
    case check
    /// `dst` = `a` divided by `extra`, rounded down; the remainder of that.
    case floorDivide
    case modulo
    /// `dst` = element of address `extra`; lanes where the mask `b` is false are left out (`b` negative: no mask).
    case load
    /// The same at positions `a`.
    case gather
    /// Element of address `extra` = `a`, with mask `b`.
    case store
    /// The same at positions `c`.
    case scatter
    /// `dst` = function of `a`, `b`, `c`; `type` is the operands'.
    case pointwise
    /// Rounds or wraps `dst` to `type`.
    case round
    /// `dst` of `type` = `a` of `sourceType`.
    case convert
    case bitcast
    /// `dst` = join of `dst` and `a`, element by element; `function` is the combiner's.
    case join
    /// `dst` = `dst` + `a` * `b`, rounded twice.
    case joinProduct
    /// Joins the strip `a` into the `extra` partial results at `dst`.
    case joinStrip
    /// Joins `dst` with the `extra` partial results at `a`, pairwise.
    case foldPartials
    /// `dst` = the mask `a` and the condition `extra` on the integers `b`.
    case mask
    /// `dst` = the sums of the tiles `extra`.
    case reduceTiles
    /// `dst` = the sums that `tables` describes from `extra` on, of what the addresses `a` and `b` begin (`b` negative:
    /// of `a` alone): the terms, the number of loops and their extents, then for each the step from one term to the next
    /// and the strides.
    case reduceRows
    /// Joins strip `a` into partial result `(counter b - lower end of extra) % c` at `dst`.
    case joinPartial
    /// Runs the routine call `extra`.
    case call
  }

  var code: Code
  var function: Pointwise = .add
  var type: ScalarType = .f32
  var sourceType: ScalarType = .f32
  /// Runs for every lane of the window, not once.
  var lanes = false
  /// Bits for `a`, `b`, `c`: the operand is one element for all lanes.
  var uniform: UInt8 = 0
  var dst: Int32 = 0
  var a: Int32 = -1
  var b: Int32 = -1
  var c: Int32 = -1
  var extra: Int32 = 0
  var target: Int32 = 0

  init(_ code: Code) {
    self.code = code
  }
}

/// `constant + sum of integer registers times coefficients`, at lane 0; `stride` more for each further lane.
struct Affine: Sendable {
  var constant: Int
  var firstTerm: Int32
  var termCount: Int32
  var stride: Int
}

struct AffineTerm: Sendable {
  var offset: Int32
  var coefficient: Int
}

/// A place in a buffer or in a local array.
struct Address: Sendable {
  var affine: Affine
  /// The buffer's position, or -1 for a local array.
  var buffer: Int32
  /// Where a local array starts in the kernel's local memory.
  var localOffset: Int
  /// How many elements there are.
  var count: Int
  var type: ScalarType
  /// The bytes of one element.
  var size: Int
  /// In a block whose lanes do not follow each other at one stride, where `tables` describes them; otherwise negative.
  ///
  /// There is the number of strides, then what each is for, then the strides, outermost first.
  var block: Int32 = -1

  /// Whether lanes have places of their own.
  var isPerLane: Bool { affine.stride != 0 || block >= 0 }
}

/// `lower <= affine < upper`, or `affine` is a multiple of `divisor` where that is positive.
struct Condition: Sendable {
  var affine: Affine
  var lower: Int
  var upper: Int
  var divisor: Int
}

/// Both ends of a loop.
struct LoopBounds: Sendable {
  var lower: Int
  var upper: Int
  var firstQuotient: Int32
  var lowerCount: Int32
  var upperCount: Int32
}

/// A quotient rounded up.
struct BoundQuotient: Sendable {
  var affine: Affine
  var divisor: Int
}

/// A kernel's statements as instructions over a register file: what the machine runs.
struct Tape: Sendable {
  /// A number that is put into the register file before the tape runs.
  struct Literal: Sendable {
    var offset: Int32
    var lane: Lane
    var bits: UInt64
  }

  /// A kernel's parameter, and where its value is expected.
  struct Parameter: Sendable {
    var variable: LoopVariable
    var offset: Int32
  }

  var code: [Instruction] = []
  var addresses: [Address] = []
  var terms: [AffineTerm] = []
  var affines: [Affine] = []
  var conditions: [Condition] = []
  var bounds: [LoopBounds] = []
  var quotients: [BoundQuotient] = []
  var factors: [Int] = []
  var literals: [Literal] = []
  var tiles: [TileReduction] = []
  var tileLoops: [TileLoop] = []
  var calls: [PreparedCall] = []
  /// Numbers of blocks and tiles.
  var tables: [Int] = []
  /// The loop that threads may share: where it is entered, and how often it runs.
  var shared: (entry: Int32, extent: Int)?
  var parameters: [Parameter] = []
  /// The size of the register file.
  var registerBytes = 0
  /// The size of the local arrays.
  var localBytes = 0

  /// Iterations that one strip holds at most.
  static let stripLength = 512
}

/// A routine and its matrices, by their addresses; LAPACK brings its own memory to work in.
struct PreparedCall: Sendable {
  var routine: Routine
  var operands: [Int32]
  var results: [Int32]
}

/// A tape as it is run.
///
/// Sendable, as nothing that the view points to changes while this is there.
final class PreparedTape: @unchecked Sendable {
  let view: UnsafePointer<TapeView>
  /// How often the loop runs that threads may share; nil where there is none.
  let sharedExtent: Int?
  /// The sizes of the register file and of the local arrays.
  let registerBytes: Int
  let localBytes: Int

  init(_ tape: Tape) {
    let view = UnsafeMutablePointer<TapeView>.allocate(capacity: 1)
    view.initialize(to: TapeView(copying: tape))
    self.view = UnsafePointer(view)
    sharedExtent = tape.shared?.extent
    registerBytes = tape.registerBytes
    localBytes = tape.localBytes
  }

  deinit {
    view.pointee.deallocate()
    view.deallocate()
  }
}
