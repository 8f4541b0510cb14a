internal import CKernels
internal import LatheCore

extension Pointwise {
  /// The compiled loops for two `f32` operands, of which the result may take the place of one.
  var compiledStrip: lathe_strip_function? {
    switch self {
    case .add: lathe_strip_add
    case .subtract: lathe_strip_subtract
    case .multiply: lathe_strip_multiply
    case .divide: lathe_strip_divide
    case .maximum: lathe_strip_maximum
    case .minimum: lathe_strip_minimum
    default: nil
    }
  }
}

/// The scalar functions over strips. What they mean is said by `Pointwise`; floats are computed in their own precision.
extension Machine {
  func pointwise(_ instruction: Instruction) {
    if instruction.function == .select { return select(instruction) }
    switch Lane(instruction.type) {
    case .float where isCompiled(instruction): break
    case .float: float(instruction, Float.self)
    case .double: float(instruction, Double.self)
    case .integer: integer(instruction)
    case .bool: bool(instruction)
    }
  }

  /// Computes a function on `f32` by compiled loops, where there are any.
  private func isCompiled(_ instruction: Instruction) -> Bool {
    guard instruction.type == .f32 else { return false }
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, Float.self, from: first)
    guard let function = instruction.function.compiledStrip else {
      switch instruction.function {
      // the C library's are faster than definitions without the instructions of newer processors
      case .sin, .cos, .acos: return false
      default:
        return instruction.function.expanded(lanes(instruction.a, Float.self, from: first), into: out, count: count)
      }
    }
    let uniform = instruction.lanes ? Int32(instruction.uniform & 3) : 0
    guard uniform != 3 else { return false }
    lathe_strip(
      function, out, lanes(instruction.a, Float.self, from: uniform & 1 != 0 ? 0 : first),
      lanes(instruction.b, Float.self, from: uniform & 2 != 0 ? 0 : first), count, uniform)
    return true
  }

  // MARK: Shapes of loops

  /// `dst = f(a)` on every lane.
  @inline(__always)
  private func map<T, R>(_ instruction: Instruction, _: T.Type, _ f: (T) -> R) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, R.self, from: first)
    let a = lanes(instruction.a, T.self, from: first)
    for lane in 0..<count { out[lane] = f(a[lane]) }
  }

  /// `dst = f(a, b)` on every lane, where one of the operands may be uniform.
  @inline(__always)
  private func map<T, R>(_ instruction: Instruction, _: T.Type, _ f: (T, T) -> R) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, R.self, from: first)
    if !instruction.lanes || instruction.uniform & 3 == 0 {
      let a = lanes(instruction.a, T.self, from: first)
      let b = lanes(instruction.b, T.self, from: first)
      for lane in 0..<count { out[lane] = f(a[lane], b[lane]) }
    } else if instruction.uniform & 1 != 0 {
      let a = lanes(instruction.a, T.self, from: 0)[0]
      let b = lanes(instruction.b, T.self, from: first)
      for lane in 0..<count { out[lane] = f(a, b[lane]) }
    } else {
      let a = lanes(instruction.a, T.self, from: first)
      let b = lanes(instruction.b, T.self, from: 0)[0]
      for lane in 0..<count { out[lane] = f(a[lane], b) }
    }
  }

  // MARK: Floats

  private func float<F: StripFloat>(_ instruction: Instruction, _ type: F.Type) {
    switch instruction.function {
    case .add: map(instruction, type) { $0 + $1 }
    case .subtract: map(instruction, type) { $0 - $1 }
    case .multiply: map(instruction, type) { $0 * $1 }
    case .divide: map(instruction, type) { $0 / $1 }
    case .maximum: map(instruction, type) { Self.maximum($0, $1) }
    case .minimum: map(instruction, type) { Self.minimum($0, $1) }
    case .negate: map(instruction, type) { -$0 }
    case .abs: map(instruction, type) { $0.magnitude }
    case .sqrt: map(instruction, type) { $0.squareRoot() }
    case .equal: map(instruction, type) { $0 == $1 ? UInt8(1) : 0 }
    case .notEqual: map(instruction, type) { $0 != $1 ? UInt8(1) : 0 }
    case .less: map(instruction, type) { $0 < $1 ? UInt8(1) : 0 }
    case .lessEqual: map(instruction, type) { $0 <= $1 ? UInt8(1) : 0 }
    case .greater: map(instruction, type) { $0 > $1 ? UInt8(1) : 0 }
    case .greaterEqual: map(instruction, type) { $0 >= $1 ? UInt8(1) : 0 }
    default: slowFloat(instruction, type)
    }
  }

  private func slowFloat<F: StripFloat>(_ instruction: Instruction, _ type: F.Type) {
    switch instruction.function {
    case .exp: map(instruction, type) { F.exp($0) }
    case .exp2: map(instruction, type) { F.exp2($0) }
    case .expm1: map(instruction, type) { F.expm1($0) }
    case .log: map(instruction, type) { F.log($0) }
    case .log1p: map(instruction, type) { F.log1p($0) }
    case .log2: map(instruction, type) { F.log2($0) }
    case .log10: map(instruction, type) { F.log10($0) }
    case .rsqrt: map(instruction, type) { 1 / $0.squareRoot() }
    case .sin: map(instruction, type) { F.sin($0) }
    case .cos: map(instruction, type) { F.cos($0) }
    case .tan: map(instruction, type) { F.tan($0) }
    case .asin: map(instruction, type) { F.asin($0) }
    case .acos: map(instruction, type) { F.acos($0) }
    case .atan: map(instruction, type) { F.atan($0) }
    case .sinh: map(instruction, type) { F.sinh($0) }
    case .cosh: map(instruction, type) { F.cosh($0) }
    case .tanh: map(instruction, type) { F.tanh($0) }
    case .asinh: map(instruction, type) { F.asinh($0) }
    case .acosh: map(instruction, type) { F.acosh($0) }
    case .atanh: map(instruction, type) { F.atanh($0) }
    case .sigmoid:
      map(instruction, type) { x in
        let e = F.exp(-x.magnitude)
        return x >= 0 ? 1 / (1 + e) : e / (1 + e)
      }
    case .erf: map(instruction, type) { F.erf($0) }
    case .erfc: map(instruction, type) { F.erfc($0) }
    case .lgamma: map(instruction, type) { F.lgamma($0) }
    case .floor: map(instruction, type) { $0.rounded(.down) }
    case .ceil: map(instruction, type) { $0.rounded(.up) }
    case .round: map(instruction, type) { $0.rounded(.toNearestOrEven) }
    case .trunc: map(instruction, type) { $0.rounded(.towardZero) }
    case .isNaN: map(instruction, type) { $0.isNaN ? UInt8(1) : 0 }
    case .isFinite: map(instruction, type) { $0.isFinite ? UInt8(1) : 0 }
    case .sign: map(instruction, type) { (x: F) -> F in x > 0 ? 1 : x < 0 ? -1 : 0 }
    case .fmod: map(instruction, type) { F.fmod($0, $1) }
    case .power: map(instruction, type) { F.pow($0, $1) }
    case .atan2: map(instruction, type) { F.atan2($0, $1) }
    default: defined(instruction, type)
    }
  }

  /// The rarest functions on floats, by their definition; a new function works without a row above.
  private func defined<F: StripFloat>(_ instruction: Instruction, _: F.Type) {
    let function = instruction.function
    let type = instruction.type
    func evaluate(_ operands: [F]) -> Double { function.evaluate(operands.map { .float(Double($0)) }, type).double }
    switch (function.arity, function.isTest) {
    case (1, false): map(instruction, F.self) { (a: F) -> F in F(evaluate([a])) }
    case (1, true): map(instruction, F.self) { (a: F) -> UInt8 in evaluate([a]) == 0 ? 0 : 1 }
    case (_, false): map(instruction, F.self) { (a: F, b: F) -> F in F(evaluate([a, b])) }
    case (_, true): map(instruction, F.self) { (a: F, b: F) -> UInt8 in evaluate([a, b]) == 0 ? 0 : 1 }
    }
  }

  @inline(__always)
  private static func maximum<F: StripFloat>(_ a: F, _ b: F) -> F {
    let larger = b >= a ? b : a
    return a != a || b != b ? F.nan : larger
  }

  @inline(__always)
  private static func minimum<F: StripFloat>(_ a: F, _ b: F) -> F {
    let smaller = b < a ? b : a
    return a != a || b != b ? F.nan : smaller
  }

  // MARK: Integers and bool

  private func integer(_ instruction: Instruction) {
    // The order of u64 is that of the patterns with the highest bit turned.
    let flip = instruction.type == .u64 ? Int.min : 0
    let bits = UInt(instruction.type.byteCount * 8)
    switch instruction.function {
    case .add: map(instruction, Int.self) { $0 &+ $1 }
    case .subtract: map(instruction, Int.self) { $0 &- $1 }
    case .multiply: map(instruction, Int.self) { $0 &* $1 }
    case .negate: map(instruction, Int.self) { 0 &- $0 }
    case .not: map(instruction, Int.self) { ~$0 }
    case .and: map(instruction, Int.self) { $0 & $1 }
    case .or: map(instruction, Int.self) { $0 | $1 }
    case .xor: map(instruction, Int.self) { $0 ^ $1 }
    case .maximum: map(instruction, Int.self) { $0 ^ flip < $1 ^ flip ? $1 : $0 }
    case .minimum: map(instruction, Int.self) { $1 ^ flip < $0 ^ flip ? $1 : $0 }
    case .shiftLeft: map(instruction, Int.self) { UInt(bitPattern: $1) < bits ? $0 &<< $1 : 0 }
    case .shiftRight where flip != 0:
      map(instruction, UInt.self) { (a: UInt, b: UInt) -> UInt in b < bits ? a &>> b : 0 }
    case .shiftRight: map(instruction, Int.self) { UInt(bitPattern: $1) < bits ? $0 &>> $1 : $0 &>> 63 }
    case .equal: map(instruction, Int.self) { $0 == $1 ? UInt8(1) : 0 }
    case .notEqual: map(instruction, Int.self) { $0 != $1 ? UInt8(1) : 0 }
    case .less: map(instruction, Int.self) { $0 ^ flip < $1 ^ flip ? UInt8(1) : 0 }
    case .lessEqual: map(instruction, Int.self) { $0 ^ flip <= $1 ^ flip ? UInt8(1) : 0 }
    case .greater: map(instruction, Int.self) { $0 ^ flip > $1 ^ flip ? UInt8(1) : 0 }
    case .greaterEqual: map(instruction, Int.self) { $0 ^ flip >= $1 ^ flip ? UInt8(1) : 0 }
    default: defined(instruction)
    }
  }

  /// The rarer functions on integers, by their definition.
  private func defined(_ instruction: Instruction) {
    let function = instruction.function
    let type = instruction.type
    func evaluate(_ operands: [Int]) -> Int {
      if case .integer(let result) = function.evaluate(operands.map { .integer($0) }, type) { result } else { 0 }
    }
    if function.arity == 1 {
      map(instruction, Int.self) { (a: Int) -> Int in evaluate([a]) }
    } else {
      map(instruction, Int.self) { (a: Int, b: Int) -> Int in evaluate([a, b]) }
    }
  }

  private func bool(_ instruction: Instruction) {
    switch instruction.function {
    case .not: map(instruction, UInt8.self) { $0 ^ 1 }
    case .and, .minimum: map(instruction, UInt8.self) { $0 & $1 }
    case .or, .maximum: map(instruction, UInt8.self) { $0 | $1 }
    case .xor, .notEqual: map(instruction, UInt8.self) { $0 ^ $1 }
    case .equal: map(instruction, UInt8.self) { $0 ^ $1 ^ 1 }
    case .less: map(instruction, UInt8.self) { ($0 ^ 1) & $1 }
    case .lessEqual: map(instruction, UInt8.self) { ($0 ^ 1) | $1 }
    case .greater: map(instruction, UInt8.self) { $0 & ($1 ^ 1) }
    case .greaterEqual: map(instruction, UInt8.self) { $0 | ($1 ^ 1) }
    default: break  // the type rules admit no other function on bool
    }
  }

  // MARK: Choosing and moving

  private func select(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: select(instruction, UInt32.self)
    case .double, .integer: select(instruction, UInt64.self)
    case .bool: select(instruction, UInt8.self)
    }
  }

  private func select<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    let predicate = lanes(instruction.a, UInt8.self, from: instruction.uniform & 1 != 0 ? 0 : first)
    let then = lanes(instruction.b, type, from: instruction.uniform & 2 != 0 ? 0 : first)
    let otherwise = lanes(instruction.c, type, from: instruction.uniform & 4 != 0 ? 0 : first)
    switch instruction.lanes ? instruction.uniform : 0 {
    case 0: for lane in 0..<count { out[lane] = predicate[lane] != 0 ? then[lane] : otherwise[lane] }
    case 2:
      let fixed = then[0]
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? fixed : otherwise[lane] }
    case 4:
      let fixed = otherwise[0]
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? then[lane] : fixed }
    case 6:
      let (one, other) = (then[0], otherwise[0])
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? one : other }
    default:
      let (chosen, step) =
        predicate[0] != 0 ? (then, instruction.uniform & 2) : (otherwise, instruction.uniform & 4)
      for lane in 0..<count { out[lane] = chosen[step == 0 ? lane : 0] }
    }
  }

  func copy(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: copy(instruction, UInt32.self)
    case .double, .integer: copy(instruction, UInt64.self)
    case .bool: copy(instruction, UInt8.self)
    }
  }

  private func copy<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    if instruction.uniform & 1 != 0 {
      let element = lanes(instruction.a, type, from: 0)[0]
      for lane in 0..<count { out[lane] = element }
    } else {
      out.update(from: lanes(instruction.a, type, from: first), count: count)
    }
  }

  func blend(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: blend(instruction, UInt32.self)
    case .double, .integer: blend(instruction, UInt64.self)
    case .bool: blend(instruction, UInt8.self)
    }
  }

  private func blend<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    let mask = lanes(instruction.a, UInt8.self, from: instruction.uniform & 1 != 0 ? 0 : first)
    let values = lanes(instruction.b, type, from: instruction.uniform & 2 != 0 ? 0 : first)
    for lane in 0..<count where mask[instruction.uniform & 1 != 0 ? 0 : lane] != 0 {
      out[lane] = values[instruction.uniform & 2 != 0 ? 0 : lane]
    }
  }

  // MARK: Conversions

  /// Rounds floats to 16 bits and wraps integers.
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
      map(instruction, UInt.self) { (x: UInt) -> Float in Float(Double(x)) }
    case (.integer, .double) where instruction.sourceType == .u64:
      map(instruction, UInt.self) { (x: UInt) -> Double in Double(x) }
    case (.integer, .float): map(instruction, Int.self) { (x: Int) -> Float in Float(Double(x)) }
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
    if x.magnitude < 0x1p31 && type != .i8 && type != .i16 && type.isSigned { return Int(x) }
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

  // MARK: Reductions

  func join(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: join(instruction, Float.self)
    case .double: join(instruction, Double.self)
    case .integer: joinIntegers(instruction)
    case .bool:
      if instruction.function == .maximum || instruction.function == .add {
        join(instruction, UInt8.self) { $0 | $1 }
      } else {
        join(instruction, UInt8.self) { $0 & $1 }
      }
    }
  }

  private func join<F: StripFloat>(_ instruction: Instruction, _ type: F.Type) {
    if instruction.code == .joinProduct { return joinProduct(instruction, type) { $0 + $1 * $2 } }
    switch instruction.function {
    case .add: join(instruction, type) { $0 + $1 }
    case .multiply: join(instruction, type) { $0 * $1 }
    case .maximum: join(instruction, type) { Self.maximum($0, $1) }
    default: join(instruction, type) { Self.minimum($0, $1) }
    }
  }

  private func joinIntegers(_ instruction: Instruction) {
    if instruction.code == .joinProduct { return joinProduct(instruction, Int.self) { $0 &+ $1 &* $2 } }
    let flip = instruction.type == .u64 ? Int.min : 0
    switch instruction.function {
    case .add: join(instruction, Int.self) { $0 &+ $1 }
    case .multiply: join(instruction, Int.self) { $0 &* $1 }
    case .maximum: join(instruction, Int.self) { $0 ^ flip < $1 ^ flip ? $1 : $0 }
    default: join(instruction, Int.self) { $1 ^ flip < $0 ^ flip ? $1 : $0 }
    }
  }

  @inline(__always)
  private func joinProduct<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T, T) -> T) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    if !instruction.lanes || instruction.uniform & 3 == 0 {
      let a = lanes(instruction.a, type, from: first)
      let b = lanes(instruction.b, type, from: first)
      for lane in 0..<count { out[lane] = f(out[lane], a[lane], b[lane]) }
    } else {
      // Multiplication is commutative, so that either operand may be the uniform one.
      let uniformFirst = instruction.uniform & 1 != 0
      let fixed = lanes(uniformFirst ? instruction.a : instruction.b, type, from: 0)[0]
      let values = lanes(uniformFirst ? instruction.b : instruction.a, type, from: first)
      for lane in 0..<count { out[lane] = f(out[lane], values[lane], fixed) }
    }
  }

  @inline(__always)
  private func join<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let (first, count) = span(instruction)
    switch instruction.code {
    case .join:
      let out = lanes(instruction.dst, type, from: first)
      if instruction.uniform & 1 != 0 && instruction.lanes {
        let a = lanes(instruction.a, type, from: 0)[0]
        for lane in 0..<count { out[lane] = f(out[lane], a) }
      } else {
        let a = lanes(instruction.a, type, from: first)
        for lane in 0..<count { out[lane] = f(out[lane], a[lane]) }
      }
    case .joinPartial:
      let partial = self[instruction.b] % Int(instruction.c)
      let out = lanes(instruction.dst + Int32(partial) * instruction.extra, type, from: first)
      if instruction.uniform & 1 != 0 {
        let a = lanes(instruction.a, type, from: 0)[0]
        for lane in 0..<count { out[lane] = f(out[lane], a) }
      } else {
        let a = lanes(instruction.a, type, from: first)
        for lane in 0..<count { out[lane] = f(out[lane], a[lane]) }
      }
    case .joinStrip:
      joinStrip(instruction, type, f)
    default:
      foldPartials(instruction, type, f)
    }
  }

  /// The window is whole here: nothing narrows it around an accumulation's value.
  @inline(__always)
  private func joinStrip<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let partials = lanes(instruction.dst, type, from: 0)
    let width = Int(instruction.extra)
    let values = lanes(instruction.a, type, from: 0)
    let uniform = instruction.uniform & 1 != 0
    if width == 1 {
      var result = partials[0]
      if uniform {
        for _ in 0..<end { result = f(result, values[0]) }
      } else {
        for lane in 0..<end { result = f(result, values[lane]) }
      }
      partials[0] = result
      return
    }
    var base = 0
    while base + width <= end {
      if uniform {
        for lane in 0..<width { partials[lane] = f(partials[lane], values[0]) }
      } else {
        for lane in 0..<width { partials[lane] = f(partials[lane], values[base + lane]) }
      }
      base += width
    }
    for lane in base..<end { partials[lane - base] = f(partials[lane - base], values[uniform ? 0 : lane]) }
  }

  @inline(__always)
  private func foldPartials<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let partials = lanes(instruction.a, type, from: 0)
    var width = Int(instruction.extra)
    while width > 1 {
      width /= 2
      for lane in 0..<width { partials[lane] = f(partials[lane], partials[lane + width]) }
    }
    let out = lanes(instruction.dst, type, from: 0)
    out[0] = f(out[0], partials[0])
  }
}
