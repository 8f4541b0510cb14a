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
  func map<T, R>(_ instruction: Instruction, _: T.Type, _ f: (T) -> R) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, R.self, from: first)
    let a = lanes(instruction.a, T.self, from: first)
    for lane in 0..<count { out[lane] = f(a[lane]) }
  }

  /// `dst = f(a, b)` on every lane, where one of the operands may be uniform.
  @inline(__always)
  func map<T, R>(_ instruction: Instruction, _: T.Type, _ f: (T, T) -> R) {
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
  static func maximum<F: StripFloat>(_ a: F, _ b: F) -> F {
    let larger = b >= a ? b : a
    return a != a || b != b ? F.nan : larger
  }

  @inline(__always)
  static func minimum<F: StripFloat>(_ a: F, _ b: F) -> F {
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
    default: internalError("\(instruction.function) on bool")
    }
  }
}
