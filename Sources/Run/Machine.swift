internal import LatheCore

/// Runs one tape.
///
/// Lives for one run of one kernel; all memory belongs to the session.
///
/// Every access to memory is checked against its tensor, once per strip: a fault stops the tape and is reported.
struct Machine {
  /// Why a tape stopped: nothing in it is counted by references, so that a machine costs nothing to make and to drop.
  enum Fault {
    /// An access outside its tensor: a mistake of the lowering.
    case access(Address, position: Int)
    /// An index from data that is out of range.
    case index(IndexFault)
    /// The routine call of this position failed.
    case routine(call: Int32, RoutineFailure)
  }

  private let view: UnsafePointer<TapeView>
  /// The register file.
  let registers: UnsafeMutableRawPointer
  /// The local arrays.
  let locals: UnsafeMutableRawPointer
  let buffers: UnsafePointer<UnsafeMutableRawPointer>
  /// The window: lanes that instructions with `lanes` work on.
  var first = 0
  var end = 1
  var fault: Fault?
  /// The part of the shared loop that is run here; nil for all of it.
  var part: Range<Int>?

  /// Runs a tape, with the parameters' values given by position.
  ///
  /// - Parameter part: Of the loop that threads share, what is to be run.
  static func run(
    _ prepared: PreparedTape, registers: UnsafeMutableRawPointer, locals: UnsafeMutableRawPointer,
    buffers: UnsafePointer<UnsafeMutableRawPointer>, part: Range<Int>? = nil, parameter: (LoopVariable) -> Int
  ) -> Fault? {
    let tape = prepared.view.pointee
    for literal in tape.literals {
      let place = registers + Int(literal.offset)
      switch literal.lane {
      case .float: place.storeBytes(of: UInt32(truncatingIfNeeded: literal.bits), as: UInt32.self)
      case .bool: place.storeBytes(of: UInt8(truncatingIfNeeded: literal.bits), as: UInt8.self)
      case .double, .integer: place.storeBytes(of: literal.bits, as: UInt64.self)
      }
    }
    for expected in tape.parameters {
      (registers + Int(expected.offset)).storeBytes(of: parameter(expected.variable), as: Int.self)
    }
    var machine = Machine(view: prepared.view, registers: registers, locals: locals, buffers: buffers, part: part)
    machine.run()
    return machine.fault
  }

  var tape: TapeView { @inline(__always) get { view.pointee } }

  private mutating func run() {
    let code = tape.code
    var counter = 0
    while counter < code.count {
      let instruction = code + counter
      counter += 1
      switch instruction.pointee.code {
      case .enterLoop, .enterStrips:
        if !enterLoop(instruction.pointee, at: counter - 1) { counter = Int(instruction.pointee.target) }
      case .repeatLoop:
        let next = self[instruction.pointee.a] &+ 1
        self[instruction.pointee.a] = next
        if next < self[instruction.pointee.b] { counter = Int(instruction.pointee.target) }
      case .repeatStrips:
        if repeatStrips(instruction.pointee) { counter = Int(instruction.pointee.target) }
      case .narrow:
        if !narrow(instruction.pointee) { counter = Int(instruction.pointee.target) }
      case .widen:
        first = self[instruction.pointee.a]
        end = self[instruction.pointee.b]
      case .jumpUnless:
        if (registers + Int(instruction.pointee.a)).load(as: UInt8.self) == 0 {
          counter = Int(instruction.pointee.target)
        }
      case .pointwise: pointwise(instruction.pointee)
      case .load: load(instruction.pointee)
      case .store: store(instruction.pointee)
      case .gather: gather(instruction.pointee)
      case .scatter: scatter(instruction.pointee)
      case .copy: copy(instruction.pointee)
      case .blend: blend(instruction.pointee)
      case .check: check(instruction.pointee)
      case .ramp, .addScaled, .floorDivide, .modulo: integerStep(instruction.pointee)
      case .round: round(instruction.pointee)
      case .convert: convert(instruction.pointee)
      case .bitcast: bitcast(instruction.pointee)
      case .join, .joinProduct, .joinStrip, .foldPartials, .joinPartial: join(instruction.pointee)
      case .mask: mask(instruction.pointee)
      case .reduceTiles: reduceTiles(instruction.pointee)
      case .reduceRows: reduceRows(instruction.pointee)
      case .call: call(instruction.pointee)
      }
      if fault != nil { return }
    }
  }

  // MARK: Control

  /// An integer register.
  subscript(offset: Int32) -> Int {
    @inline(__always) get { (registers + Int(offset)).load(as: Int.self) }
    @inline(__always) nonmutating set { (registers + Int(offset)).storeBytes(of: newValue, as: Int.self) }
  }

  /// The expression's value at lane 0.
  @inline(__always)
  func value(_ affine: Affine) -> Int {
    var result = affine.constant
    var term = tape.terms + Int(affine.firstTerm)
    let last = term + Int(affine.termCount)
    while term < last {
      result = result &+ self[term.pointee.offset] &* term.pointee.coefficient
      term += 1
    }
    return result
  }

  /// Evaluates the bounds; with bounds that differ between lanes, the loop covers all of them.
  private mutating func enterLoop(_ instruction: Instruction, at position: Int) -> Bool {
    var (lower, upper) = ends(Int(instruction.extra))
    if let part, tape.sharedEntry == position {
      lower = max(lower, part.lowerBound)
      upper = min(upper, part.upperBound)
    }
    self[instruction.a] = lower
    self[instruction.b] = upper
    guard lower < upper else { return false }
    if instruction.code == .enterStrips {
      first = 0
      end = min(Int(instruction.c), upper - lower) * Int(instruction.dst)
    }
    return true
  }

  /// The ends of a loop, now.
  func ends(_ position: Int) -> (lower: Int, upper: Int) {
    let bounds = tape.bounds[position]
    var lower = bounds.lower
    var upper = bounds.upper
    let lowerCount = Int(bounds.lowerCount)
    for position in 0..<(lowerCount + Int(bounds.upperCount)) {
      let quotient = tape.quotients[Int(bounds.firstQuotient) + position]
      let base = value(quotient.affine)
      let one = base &+ quotient.affine.stride &* first
      let other = base &+ quotient.affine.stride &* (end - 1)
      if position < lowerCount {
        lower = max(lower, min(one, other).dividedRoundingUp(by: quotient.divisor))
      } else {
        upper = min(upper, max(one, other).dividedRoundingUp(by: quotient.divisor))
      }
    }
    return (lower, upper)
  }

  private mutating func repeatStrips(_ instruction: Instruction) -> Bool {
    let next = self[instruction.a] &+ Int(instruction.c)
    let upper = self[instruction.b]
    self[instruction.a] = next
    guard next < upper else {
      first = 0
      end = 1
      return false
    }
    end = min(Int(instruction.c), upper - next) * Int(instruction.dst)
    return true
  }

  private mutating func narrow(_ instruction: Instruction) -> Bool {
    self[instruction.a] = first
    self[instruction.b] = end
    var low = first
    var high = end
    for position in 0..<Int(instruction.c) {
      let condition = tape.conditions[Int(instruction.extra) + position]
      let base = value(condition.affine)
      let stride = condition.affine.stride
      if condition.divisor > 0 {
        if base % condition.divisor != 0 { return false }
      } else if stride == 0 {
        if base < condition.lower || base >= condition.upper { return false }
      } else if stride > 0 {
        low = max(low, saturatingDifference(condition.lower, base).dividedRoundingUp(by: stride))
        high = min(high, saturatingDifference(condition.upper, base).dividedRoundingUp(by: stride))
      } else {
        // base - m * lane is in lower ..< upper when base - upper < m * lane <= base - lower.
        low = max(low, saturatingDifference(base, condition.upper).dividedRoundingDown(by: -stride) &+ 1)
        high = min(high, saturatingDifference(base, condition.lower).dividedRoundingDown(by: -stride) &+ 1)
      }
      if low >= high { return false }
    }
    first = low
    end = high
    return true
  }

  /// The difference, held within a range in which adding 1 cannot overflow.
  @inline(__always)
  private func saturatingDifference(_ a: Int, _ b: Int) -> Int {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? (a < 0 ? Int.min / 2 : Int.max / 2) : difference
  }

  // MARK: Integers

  /// Lanes of the instruction: the first, and how many.
  @inline(__always)
  func span(_ instruction: Instruction) -> (first: Int, count: Int) {
    instruction.lanes ? (first, end - first) : (0, 1)
  }

  /// A register's lanes from the first of the window on; of a uniform operand its only element.
  @inline(__always)
  func lanes<T>(_ offset: Int32, _: T.Type, from first: Int) -> UnsafeMutablePointer<T> {
    (registers + Int(offset)).assumingMemoryBound(to: T.self) + first
  }

  private func integerStep(_ instruction: Instruction) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, Int.self, from: first)
    switch instruction.code {
    case .ramp:
      let affine = tape.affines[Int(instruction.extra)]
      let start = value(affine) &+ affine.stride &* first
      for lane in 0..<count { out[lane] = start &+ affine.stride &* lane }
    case .addScaled:
      let factor = tape.factors[Int(instruction.extra)]
      if instruction.uniform & 1 != 0 {
        let addend = self[instruction.a] &* factor
        for lane in 0..<count { out[lane] &+= addend }
      } else {
        let values = lanes(instruction.a, Int.self, from: first)
        for lane in 0..<count { out[lane] &+= values[lane] &* factor }
      }
    default:
      let divisor = tape.factors[Int(instruction.extra)]
      let values = lanes(instruction.a, Int.self, from: first)
      let quotient = instruction.code == .floorDivide
      if divisor & (divisor - 1) == 0 {
        let shift = divisor.trailingZeroBitCount
        let low = divisor - 1
        for lane in 0..<count { out[lane] = quotient ? values[lane] >> shift : values[lane] & low }
      } else {
        for lane in 0..<count {
          let whole = values[lane].dividedRoundingDown(by: divisor)
          out[lane] = quotient ? whole : values[lane] &- whole &* divisor
        }
      }
    }
  }

  /// Leaves a fault where an index is out of range.
  private mutating func check(_ instruction: Instruction) {
    let (first, count) = span(instruction)
    let size = tape.factors[Int(instruction.extra)]
    let isUniform = instruction.uniform & 1 != 0
    let values = lanes(instruction.a, Int.self, from: isUniform ? 0 : first)
    let allowed = instruction.b >= 0 ? lanes(instruction.b, UInt8.self, from: first) : nil
    for lane in 0..<count {
      let value = values[isUniform ? 0 : lane]
      if UInt(bitPattern: value) >= UInt(bitPattern: size), allowed.map({ $0[lane] != 0 }) ?? true {
        fault = .index(IndexFault(index: value, size: size))
        return
      }
    }
  }

  /// Which lanes satisfy a condition that no window can express, joined with the mask of the surrounding statements.
  private func mask(_ instruction: Instruction) {
    let (first, count) = span(instruction)
    let condition = tape.conditions[Int(instruction.extra)]
    let out = lanes(instruction.dst, UInt8.self, from: first)
    let values = lanes(instruction.b, Int.self, from: first)
    if condition.divisor > 0 {
      for lane in 0..<count { out[lane] = values[lane] % condition.divisor == 0 ? 1 : 0 }
    } else {
      for lane in 0..<count { out[lane] = values[lane] >= condition.lower && values[lane] < condition.upper ? 1 : 0 }
    }
    guard instruction.a >= 0 else { return }
    let outer = lanes(instruction.a, UInt8.self, from: first)
    for lane in 0..<count { out[lane] &= outer[lane] }
  }
}

extension Int {
  /// The quotient rounded towards negative infinity, by a positive divisor.
  @inline(__always)
  func dividedRoundingDown(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }

  /// What that quotient leaves: 0 or more.
  func remainder(by divisor: Int) -> Int { self - dividedRoundingDown(by: divisor) * divisor }

  /// The quotient rounded towards positive infinity, by a positive divisor.
  @inline(__always)
  func dividedRoundingUp(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor > 0 ? quotient + 1 : quotient
  }
}
