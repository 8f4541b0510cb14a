internal import LatheCore

/// A vector type of GCC's and Clang's extensions: so many elements that are computed on at once.
struct CVector: Hashable, Sendable {
  let type: ScalarType
  /// A power of two.
  let lanes: Int

  /// A vector that holds `count` elements, with spare lanes where that is no power of two; nil for types without.
  init?(_ type: ScalarType, holding count: Int) {
    switch type {
    case .f32, .f64, .i32, .u32, .i64, .u64: break
    default: return nil
    }
    var lanes = 1
    while lanes < count { lanes *= 2 }
    self.init(type, lanes: lanes)
  }

  init(_ type: ScalarType, lanes: Int) {
    self.type = type
    self.lanes = lanes
  }

  /// `f32x16`.
  var name: String { "\(type)x\(lanes)" }
  /// The same anywhere in memory.
  var memoryName: String { name + "u" }
  var byteCount: Int { type.byteCount * lanes }
  /// The type of masks for the elements: all bits of a lane set, or none.
  var mask: CVector { CVector(type.byteCount == 8 ? .i64 : .i32, lanes: lanes) }
  /// Where integers wrap.
  var wrapping: CVector { CVector(type.byteCount == 8 ? .u64 : .u32, lanes: lanes) }

  /// The definitions of both types.
  var definition: String {
    """
    typedef \(type.cValue) \(name) __attribute__((vector_size(\(byteCount))));
    typedef \(type.cValue) \(memoryName) __attribute__((vector_size(\(byteCount)), aligned(\(type.byteCount)), may_alias));
    """
  }
}

/// A value of all lanes of a loop at once.
struct CLanesValue {
  enum Form: Hashable {
    /// A scalar that all lanes have in common.
    case uniform
    case vector(CVector)
    /// A truth per lane, as a mask.
    case mask(CVector)
  }

  var text: CText
  var form: Form

  init(_ text: CText, _ form: Form) {
    self.text = text
    self.form = form
  }
}

/// The loop whose iterations are being written at once.
struct CLanes {
  let variable: LoopVariable
  /// The largest vector that fits a register, in bytes; nil where that is not known.
  let registerBytes: Int?
  var count: Int { variable.extent }

  /// The vector for elements of a type, if it has one.
  func vector(_ type: ScalarType) -> CVector? {
    CVector(type, holding: count).flatMap { $0.byteCount <= registerBytes ?? .max ? $0 : nil }
  }
}

/// Vector forms of expressions: of whatever has one; anything else is computed lane by lane.
extension CKernelRenderer {
  /// An expression in all lanes.
  mutating func render(_ expression: Expression, in lanes: CLanes) -> CLanesValue {
    if !dependsOnLane(expression, lanes) { return CLanesValue(render(expression), .uniform) }
    switch expression {
    case .register(let register):
      if let form = laneRegisters[register.id] { return CLanesValue(CText(registerName(register.id)), form) }
    case .load(let memory, let index, let type):
      if let vector = lanes.vector(type),
        let text = vectorLoad(memory, index, type, lanes) ?? vectorOfElements(memory, index, type, lanes)
      {
        return CLanesValue(text, .vector(vector))
      }
    case .pointwise(let function, let operands):
      if let value = pointwise(function, operands, lanes) { return value }
    case .convert(let operand, let type):
      if let value = convert(operand, to: type, lanes) { return value }
    case .bitcast(let operand, let type):
      if operand.type.byteCount == type.byteCount, let vector = lanes.vector(type), lanes.vector(operand.type) != nil {
        let value = render(operand, in: lanes)
        return CLanesValue(.cast(vector.name, vectorText(value, operand.type, lanes)), .vector(vector))
      }
    case .select(let constraints, let then, let otherwise):
      if let value = select(constraints, then, otherwise, lanes) { return value }
    case .constant, .index, .checked: break
    }
    return laneByLane(expression, lanes)
  }

  /// The value as a vector of `type`, or a mask as one of numbers.
  mutating func vectorText(_ value: CLanesValue, _ type: ScalarType, _ lanes: CLanes) -> CText {
    guard case .uniform = value.form, let vector = lanes.vector(type) else { return value.text }
    let zeros = "(\(helpers.name(vector))){0}"
    if ["0", "0u", "0.0", "0.0f"].contains(value.text.text) { return CText(zeros, .unary) }
    // The difference keeps -0 and NaN as they are, and compilers know that there is nothing to subtract.
    let scalar = vector.type.isFloat ? value.text.at(.sum) : CText.cast(type.cValue, value.text).text
    return CText("\(scalar) - \(zeros)", .sum)
  }

  /// Whether lanes differ in the value.
  func dependsOnLane(_ expression: Expression, _ lanes: CLanes) -> Bool {
    switch expression {
    case .constant: false
    case .register(let register): laneRegisters[register.id] != nil
    case .index(let index): dependsOnLane(index, lanes)
    case .load(_, let index, _): dependsOnLane(index, lanes)
    case .pointwise(_, let operands): operands.contains { dependsOnLane($0, lanes) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): dependsOnLane(operand, lanes)
    case .select(let constraints, let then, let otherwise):
      constraints.contains { dependsOnLane($0.index, lanes) } || dependsOnLane(then, lanes)
        || dependsOnLane(otherwise, lanes)
    }
  }

  private func dependsOnLane(_ index: Index, _ lanes: CLanes) -> Bool {
    index.terms.contains { term in
      switch term.atom {
      case .variable(let variable): variable == lanes.variable
      case .value(let scalar): laneRegisters[scalar.id] != nil
      case .floorDivide(let inner, _), .modulo(let inner, _): dependsOnLane(inner, lanes)
      }
    }
  }

  /// The position of lane 0, where lanes are neighbours in memory.
  func vectorStart(_ index: Index, _ lanes: CLanes) -> Index? {
    guard index.coefficient(of: lanes.variable) == 1 else { return nil }
    let start = index - Index(lanes.variable)
    return dependsOnLane(start, lanes) ? nil : start
  }

  /// The positions of all lanes, where those are at equal distances that are no neighbours'.
  func strided(_ index: Index, _ lanes: CLanes) -> [Index]? {
    let stride = index.coefficient(of: lanes.variable)
    let start = index - Index(lanes.variable) * stride
    guard stride != 0, stride != 1, !dependsOnLane(start, lanes) else { return nil }
    return (0..<lanes.count).map { start + $0 * stride }
  }

  /// A vector of elements that are apart from each other, one by one: a loop over the lanes of a variable would go
  /// through memory.
  private mutating func vectorOfElements(
    _ memory: Memory, _ index: Index, _ type: ScalarType, _ lanes: CLanes
  ) -> CText? {
    guard case .buffer = memory, let vector = lanes.vector(type), let positions = strided(index, lanes) else {
      return nil
    }
    let elements = positions.map { plainElement(memory, $0, type).text }
    return CText("(\(helpers.name(vector))){\(elements.joined(separator: ", "))}", .unary)
  }

  // MARK: Functions

  private mutating func pointwise(_ function: Pointwise, _ operands: [Expression], _ lanes: CLanes) -> CLanesValue? {
    let type = operands[operands.count - 1].type
    if type == .bool { return logic(function, operands, lanes) }
    guard let vector = lanes.vector(type) else { return nil }
    if helpers.math == .own, type == .f32, function.hasExpansion {
      let value = vectorText(render(operands[0], in: lanes), type, lanes)
      return CLanesValue(.call(helpers.name(.lanesExpansion(function, vector)), [value]), .vector(vector))
    }
    switch function {
    case .shiftLeft, .shiftRight:
      if let (symbol, count) = shift(function, operands) {
        let value = vectorText(render(operands[0], in: lanes), type, lanes)
        return CLanesValue(CText("\(value.at(.unary)) \(symbol) \(count)", .shift), .vector(vector))
      }
      if type.isSigned { return nil }
      let values = operands.map { vectorText(render($0, in: lanes), type, lanes) }
      return CLanesValue(.call(helpers.name(.lanes(function.rawValue, vector)), values), .vector(vector))
    case .negate, .add, .subtract, .multiply, .divide:
      if type.isInteger && function == .divide { return nil }
      if type.isInteger { return wrapping(function, operands, vector, lanes) }
      let texts = operands.map { render($0, in: lanes).text }
      return CLanesValue(arithmetic(function == .divide ? .infix("/") : function.spelling, texts), .vector(vector))
    case .and, .or, .xor, .not: return wrapping(function, operands, vector, lanes)
    case .maximum, .minimum:
      let values = operands.map { vectorText(render($0, in: lanes), type, lanes) }
      let name = helpers.name(.lanes(extreme(function, operands, type), vector))
      return CLanesValue(.call(name, values), .vector(vector))
    case .abs where type.isFloat:
      let value = vectorText(render(operands[0], in: lanes), type, lanes)
      return CLanesValue(.call(helpers.name(.lanes("abs", vector)), [value]), .vector(vector))
    case .isNaN:
      let value = vectorText(render(operands[0], in: lanes), type, lanes)
      let name = helpers.name(.lanes("is_nan", vector))
      return CLanesValue(.call(name, [value]), .mask(vector.mask))
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
      guard case .comparison(let symbol) = function.spelling else { return nil }
      let texts = operands.map { vectorText(render($0, in: lanes), type, lanes).at(.shift) }
      let mask = vector.mask
      return CLanesValue(
        .cast(helpers.name(mask), CText("\(texts[0]) \(symbol) \(texts[1])", .relation)), .mask(mask))
    case .select:
      let test = render(operands[0], in: lanes)
      let values = operands.dropFirst().map { vectorText(render($0, in: lanes), type, lanes) }
      guard let mask = self.mask(test, vector.mask) else {
        // What is read from memory has another type, and C wants the two to have the same.
        let choices = values.map { CText.cast(helpers.name(vector), $0) }
        return CLanesValue(
          CText("\(test.text.at(.or)) ? \(choices[0].at(.or)) : \(choices[1].at(.conditional))", .conditional),
          .vector(vector))
      }
      return CLanesValue(.call(helpers.name(.lanes("select", vector)), [mask] + values), .vector(vector))
    default: return nil
    }
  }

  /// The helper for a maximum or minimum; a number among the operands that is not NaN needs no test for NaN.
  private func extreme(_ function: Pointwise, _ operands: [Expression], _ type: ScalarType) -> String {
    guard type.isFloat else { return function.rawValue }
    func isNumber(_ expression: Expression) -> Bool {
      if case .constant(let value, _) = expression, value == value, case .float(let number) = value {
        return !number.isNaN
      }
      return false
    }
    if isNumber(operands[1]) { return function == .maximum ? "maximum_of_number" : "minimum_of_number" }
    return function.rawValue
  }

  /// Integer arithmetic that wraps.
  private mutating func wrapping(
    _ function: Pointwise, _ operands: [Expression], _ vector: CVector, _ lanes: CLanes
  ) -> CLanesValue? {
    guard vector.type.isInteger else { return nil }
    let unsigned = vector.wrapping
    let texts = operands.map { operand -> CText in
      let text = vectorText(render(operand, in: lanes), operand.type, lanes)
      return unsigned == vector ? text : .cast(helpers.name(unsigned), text)
    }
    let result = arithmetic(function.spelling, texts)
    return CLanesValue(unsigned == vector ? result : .cast(helpers.name(vector), result), .vector(vector))
  }

  /// Truths joined as masks.
  private mutating func logic(_ function: Pointwise, _ operands: [Expression], _ lanes: CLanes) -> CLanesValue? {
    let symbol: String
    switch function {
    case .not: symbol = "~"
    case .and, .minimum: symbol = "&"
    case .or, .maximum: symbol = "|"
    case .xor, .notEqual: symbol = "^"
    default: return nil
    }
    let values = operands.map { render($0, in: lanes) }
    let masks = values.compactMap { value in if case .mask(let mask) = value.form { mask } else { nil } }
    guard let wanted = masks.first, masks.count == values.count else { return nil }
    let texts = values.compactMap { mask($0, wanted) }
    if function == .not { return CLanesValue(CText("~\(texts[0].at(.unary))", .unary), .mask(wanted)) }
    return CLanesValue(CText("\(texts[0].at(.unary)) \(symbol) \(texts[1].at(.unary))", .bitOr), .mask(wanted))
  }

  /// A mask as one for elements of another width; nil for what all lanes have in common.
  private mutating func mask(_ value: CLanesValue, _ wanted: CVector) -> CText? {
    guard case .mask(let own) = value.form else { return nil }
    return own == wanted ? value.text : .call("__builtin_convertvector", [value.text, CText(helpers.name(wanted))])
  }

  private mutating func convert(_ operand: Expression, to type: ScalarType, _ lanes: CLanes) -> CLanesValue? {
    let source = operand.type
    if source == type { return render(operand, in: lanes) }
    guard let vector = lanes.vector(type) else { return nil }
    if source == .bool {
      let value = render(operand, in: lanes)
      guard case .mask(let mask) = value.form else { return nil }
      // A mask is 0 or -1.
      let number = CText("-(\(value.text.text))", .unary)
      return CLanesValue(
        mask == vector ? number : .call("__builtin_convertvector", [number, CText(helpers.name(vector))]),
        .vector(vector))
    }
    guard lanes.vector(source) != nil, !(source.isFloat && type.isInteger),
      !(source.byteCount == 8 && type == .f32 && source.isInteger)
    else { return nil }
    if case .index = operand { return nil }
    let value = vectorText(render(operand, in: lanes), source, lanes)
    return CLanesValue(
      .call("__builtin_convertvector", [value, CText(helpers.name(vector))]), .vector(vector))
  }

  /// A value that is taken where conditions hold that all lanes have in common.
  private mutating func select(
    _ constraints: [Constraint], _ then: Expression, _ otherwise: Expression, _ lanes: CLanes
  ) -> CLanesValue? {
    guard let vector = lanes.vector(then.type), !constraints.contains(where: { dependsOnLane($0.index, lanes) })
    else { return nil }
    let name = names.numbered("x")
    let other = vectorText(render(otherwise, in: lanes), then.type, lanes)
    writer.line("\(helpers.name(vector)) \(name) = \(other.text);")
    writer.open("if (\(render(constraints).text))")
    conditionally { renderer in
      let value = renderer.vectorText(renderer.render(then, in: lanes), then.type, lanes)
      renderer.writer.line("\(name) = \(value.text);")
    }
    writer.close()
    return CLanesValue(CText(name), .vector(vector))
  }

  // MARK: Lane by lane

  /// A value without vector form, computed by a loop over the lanes into a variable of its own.
  private mutating func laneByLane(_ expression: Expression, _ lanes: CLanes) -> CLanesValue {
    let vector = expression.type == .bool ? lanes.vector(.i32) : lanes.vector(expression.type)
    guard let vector else { return CLanesValue(render(expression), .uniform) }
    let expression = withOperandsDeclared(expression, lanes)
    let name = names.numbered("x")
    let isPadded = vector.lanes != lanes.count
    writer.line("\(helpers.name(vector)) \(name)\(isPadded ? " = {0}" : "");")
    eachLane(lanes) { renderer, lane in
      let value = renderer.render(expression)
      let text = expression.type == .bool ? "-(int32_t)\(value.at(.unary))" : value.text
      renderer.writer.line("\(name)[\(lane)] = \(text);")
    }
    return CLanesValue(CText(name), expression.type == .bool ? .mask(vector) : .vector(vector))
  }

  /// The expression with operands that have a vector form as registers.
  mutating func withOperandsDeclared(_ expression: Expression, _ lanes: CLanes) -> Expression {
    switch expression {
    case .pointwise(let function, let operands): .pointwise(function, operands.map { declared($0, lanes) })
    case .convert(let operand, let type): .convert(declared(operand, lanes), type)
    default: expression
    }
  }

  /// A register with the value, where the value is worth one and has a vector form.
  private mutating func declared(_ operand: Expression, _ lanes: CLanes) -> Expression {
    guard case .pointwise = operand, lanes.vector(operand.type) != nil, dependsOnLane(operand, lanes) else {
      return operand
    }
    let value = render(operand, in: lanes)
    let register = copy(Register(id: -2, type: operand.type))
    declare(register, value, lanes)
    return .register(register)
  }

  /// Introduces a register whose lanes may differ.
  mutating func declare(_ register: Register, _ value: CLanesValue, _ lanes: CLanes) {
    switch value.form {
    case .uniform where lanes.vector(register.type) == nil || !assigned.contains(register.id):
      let const = assigned.contains(register.id) ? "" : "const "
      writer.line("\(const)\(register.type.cValue) \(declare(register)) = \(value.text.text);")
    case .uniform, .vector:
      guard let vector = lanes.vector(register.type) else { return }
      let const = assigned.contains(register.id) ? "" : "const "
      let text = vectorText(value, register.type, lanes).text
      writer.line("\(const)\(helpers.name(vector)) \(declare(register)) = \(text);")
      laneRegisters[register.id] = .vector(vector)
    case .mask(let mask):
      let const = assigned.contains(register.id) ? "" : "const "
      writer.line("\(const)\(helpers.name(mask)) \(declare(register)) = \(value.text.text);")
      laneRegisters[register.id] = .mask(mask)
    }
  }

  /// Writes a loop over the lanes, in whose body values are scalars.
  mutating func eachLane(_ lanes: CLanes, _ body: (inout CKernelRenderer, String) -> Void) {
    naming(lanes.variable) { renderer, name in
      renderer.writer.open("for (ptrdiff_t \(name) = 0; \(name) < \(lanes.count); \(name)++)")
      let outer = renderer.lane
      renderer.lane = (lanes, name)
      renderer.conditionally { body(&$0, name) }
      renderer.lane = outer
      renderer.writer.close()
    }
  }
}
