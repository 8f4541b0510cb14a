/// Definitions as expressions: what is computed, in order, under names.
final class MathRecorder {
  let scalars = ScalarBuilder()
  fileprivate(set) var names: [Scalar: String] = [:]

  /// The argument of the function that is recorded.
  var argument: RecordedFloat { RecordedFloat(self, scalars.load(BufferID(0), Index(0), .f32)) }

  fileprivate func float(_ value: Float) -> Scalar { scalars.constant(.float(Double(value)), .f32) }
  fileprivate func word(_ value: UInt32) -> Scalar { scalars.constant(.integer(Int(value)), .u32) }

  /// What is computed twice, or has a name, becomes a register; everything else stands where it is used.
  func expansion(of result: RecordedFloat) -> ScalarExpansion {
    let argument = argument.scalar
    var order: [Scalar] = []
    var uses: [Scalar: Int] = [:]
    scalars.forEach([result.scalar]) { scalar, node in
      order.append(scalar)
      for operand in scalars.operands(node) { uses[operand, default: 0] += 1 }
    }
    var expressions: [Scalar: Expression] = [:]
    var taken: Set<String> = ["x"]
    let parameter = Register(id: 0, type: .f32)
    var expansion = ScalarExpansion(parameter: parameter, steps: [], result: .register(parameter))
    for scalar in order {
      if scalar == argument {
        expressions[scalar] = .register(parameter)
        continue
      }
      let operands = scalars.operands(scalars.node(scalar)).compactMap { expressions[$0] }
      let type = scalars.type(scalar)
      let value: Expression
      switch scalars.node(scalar) {
      case .constant(let number):
        expressions[scalar] = .constant(number, type)
        continue
      case .pointwise(let function, _): value = .pointwise(function, operands)
      case .bitcast: value = .bitcast(operands[0], type)
      default: value = .convert(operands[0], type)
      }
      expressions[scalar] = value
      guard scalar != result.scalar, names[scalar] != nil || uses[scalar, default: 0] > 1 else { continue }
      let register = Register(id: expansion.steps.count + 1, type: type)
      let stem = names[scalar] ?? "t"
      var name = stem
      var number = 1
      while !taken.insert(name).inserted {
        number += 1
        name = "\(stem)\(number)"
      }
      expansion.steps.append(ScalarExpansion.Step(register: register, name: name, value: value))
      expressions[scalar] = .register(register)
    }
    if let value = expressions[result.scalar] { expansion.result = value }
    return expansion
  }
}

struct RecordedFloat: MathFloat {
  typealias Condition = RecordedCondition

  let recorder: MathRecorder
  let scalar: Scalar

  init(_ recorder: MathRecorder, _ scalar: Scalar) {
    self.recorder = recorder
    self.scalar = scalar
  }

  private func apply(_ function: Pointwise, _ others: Scalar...) -> Scalar {
    recorder.scalars.pointwise(function, [scalar] + others)
  }

  private func number(_ function: Pointwise, _ others: Scalar...) -> Self {
    Self(recorder, recorder.scalars.pointwise(function, [scalar] + others))
  }

  static func + (a: Self, b: Self) -> Self { a.number(.add, b.scalar) }
  static func - (a: Self, b: Self) -> Self { a.number(.subtract, b.scalar) }
  static func * (a: Self, b: Self) -> Self { a.number(.multiply, b.scalar) }
  static func / (a: Self, b: Self) -> Self { a.number(.divide, b.scalar) }
  static func + (a: Self, b: Float) -> Self { a + a.constant(b) }
  static func - (a: Self, b: Float) -> Self { a - a.constant(b) }
  static func - (a: Float, b: Self) -> Self { b.constant(a) - b }
  static func * (a: Self, b: Float) -> Self { a * a.constant(b) }
  static func / (a: Float, b: Self) -> Self { b.constant(a) / b }
  static prefix func - (a: Self) -> Self { a.number(.negate) }

  static func < (a: Self, b: Float) -> Condition { Condition(scalar: a.apply(.less, a.recorder.float(b))) }
  static func > (a: Self, b: Float) -> Condition { Condition(scalar: a.apply(.greater, a.recorder.float(b))) }
  static func == (a: Self, b: Float) -> Condition { Condition(scalar: a.apply(.equal, a.recorder.float(b))) }

  var absolute: Self { number(.abs) }
  var squareRoot: Self { number(.sqrt) }
  var bits: RecordedBits { RecordedBits(recorder, recorder.scalars.bitcast(scalar, .u32)) }
  func constant(_ value: Float) -> Self { Self(recorder, recorder.float(value)) }

  static func choose(_ condition: Condition, _ a: Self, _ b: Self) -> Self {
    Self(a.recorder, a.recorder.scalars.pointwise(.select, condition.scalar, a.scalar, b.scalar))
  }

  func named(_ name: String) -> Self {
    recorder.names[scalar] = name
    return self
  }
}

struct RecordedCondition {
  let scalar: Scalar
}

struct RecordedBits: MathBits {
  typealias Number = RecordedFloat

  let recorder: MathRecorder
  let scalar: Scalar

  init(_ recorder: MathRecorder, _ scalar: Scalar) {
    self.recorder = recorder
    self.scalar = scalar
  }

  private func word(_ function: Pointwise, _ other: Scalar) -> Self {
    Self(recorder, recorder.scalars.pointwise(function, scalar, other))
  }

  static func + (a: Self, b: Self) -> Self { a.word(.add, b.scalar) }
  static func - (a: Self, b: Self) -> Self { a.word(.subtract, b.scalar) }
  static func * (a: Self, b: Self) -> Self { a.word(.multiply, b.scalar) }
  static func + (a: Self, b: UInt32) -> Self { a + a.constant(b) }
  static func - (a: Self, b: UInt32) -> Self { a - a.constant(b) }
  static func - (a: UInt32, b: Self) -> Self { b.constant(a) - b }
  static func & (a: Self, b: UInt32) -> Self { a.word(.and, a.recorder.word(b)) }
  static func | (a: Self, b: Self) -> Self { a.word(.or, b.scalar) }
  static func | (a: Self, b: UInt32) -> Self { a | a.constant(b) }
  static func ^ (a: Self, b: Self) -> Self { a.word(.xor, b.scalar) }
  static func << (a: Self, b: UInt32) -> Self { a << a.constant(b) }
  static func >> (a: Self, b: UInt32) -> Self { a >> a.constant(b) }
  static func << (a: Self, b: Self) -> Self { a.word(.shiftLeft, b.scalar) }
  static func >> (a: Self, b: Self) -> Self { a.word(.shiftRight, b.scalar) }
  static func < (a: Self, b: UInt32) -> RecordedCondition {
    RecordedCondition(scalar: a.word(.less, a.recorder.word(b)).scalar)
  }
  static func < (a: Self, b: Self) -> RecordedCondition { RecordedCondition(scalar: a.word(.less, b.scalar).scalar) }
  static func == (a: Self, b: UInt32) -> RecordedCondition {
    RecordedCondition(scalar: a.word(.equal, a.recorder.word(b)).scalar)
  }

  var number: RecordedFloat { RecordedFloat(recorder, recorder.scalars.bitcast(scalar, .f32)) }

  private var signed: Scalar { recorder.scalars.bitcast(scalar, .i32) }

  func signedShiftRight(_ count: UInt32) -> Self {
    let count = recorder.scalars.constant(.integer(Int(count)), .i32)
    return Self(recorder, recorder.scalars.bitcast(recorder.scalars.pointwise(.shiftRight, signed, count), .u32))
  }

  var signedValue: RecordedFloat { RecordedFloat(recorder, recorder.scalars.convert(signed, .f32)) }

  static func choose(_ condition: RecordedCondition, _ a: Self, _ b: Self) -> Self {
    Self(a.recorder, a.recorder.scalars.pointwise(.select, condition.scalar, a.scalar, b.scalar))
  }

  func constant(_ value: UInt32) -> Self { Self(recorder, recorder.word(value)) }

  func named(_ name: String) -> Self {
    recorder.names[scalar] = name
    return self
  }
}
