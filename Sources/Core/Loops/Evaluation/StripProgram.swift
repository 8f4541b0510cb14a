/// A scalar expression with affine loads, as a tape of instructions that each compute a strip of elements.
struct StripProgram {
  /// A position in memory, or a number, that moves by a fixed step along every loop.
  private struct Walk {
    var start: Int
    var steps: [Int]
  }

  private enum Instruction {
    case constant(ScalarValue)
    case load(operand: Int, Walk)
    case index(Walk)
    case pointwise(Pointwise, [Int])
    case convert(Int)
  }

  private static let stripLimit = 4096

  /// The loops, outermost first; neighbours that every walk passes through as if they were one are joined.
  private var extents: [Int]
  private var tape: [(instruction: Instruction, type: ScalarType)] = []
  private let operands: [NDArray]

  /// Nil when the expression has anything but affine loads, indices, scalar functions and conversions.
  init?(_ root: Scalar, _ variables: [LoopVariable], _ scalars: ScalarBuilder, _ operands: [NDArray]) {
    self.operands = operands
    let loops = variables.filter { $0.extent != 1 }
    extents = loops.map(\.extent)
    var registers: [Scalar: Int] = [:]

    func walk(_ index: Index) -> Walk? {
      var walk = Walk(start: index.constant, steps: Array(repeating: 0, count: loops.count))
      for term in index.terms {
        guard case .variable(let variable) = term.atom, let loop = loops.firstIndex(of: variable) else { return nil }
        walk.steps[loop] += term.coefficient
      }
      return walk
    }
    func place(_ scalar: Scalar, _ tape: inout [(instruction: Instruction, type: ScalarType)]) -> Int? {
      if let known = registers[scalar] { return known }
      let instruction: Instruction
      switch scalars.node(scalar) {
      case .constant(let value): instruction = .constant(value)
      case .index(let index):
        guard let walk = walk(index) else { return nil }
        instruction = .index(walk)
      case .load(let buffer, let index):
        guard let walk = walk(index) else { return nil }
        instruction = .load(operand: buffer.position, walk)
      case .pointwise(let function, let arguments):
        var places: [Int] = []
        for argument in arguments {
          guard let place = place(argument, &tape) else { return nil }
          places.append(place)
        }
        instruction = .pointwise(function, places)
      case .convert(let inner):
        guard let place = place(inner, &tape) else { return nil }
        instruction = .convert(place)
      case .bitcast, .checked, .guarded, .reduce, .argReduce: return nil
      }
      tape.append((instruction, scalars.type(scalar)))
      registers[scalar] = tape.count - 1
      return tape.count - 1
    }
    guard place(root, &tape) != nil else { return nil }
    joinLoops()
  }

  /// Joins a loop with the next inner one where one step of it is as far as all steps of the inner.
  private mutating func joinLoops() {
    for outer in extents.indices.dropLast().reversed() {
      let fits = tape.allSatisfy { item in
        switch item.instruction {
        case .load(_, let walk), .index(let walk): walk.steps[outer] == walk.steps[outer + 1] * extents[outer + 1]
        default: true
        }
      }
      guard fits else { continue }
      extents[outer] *= extents[outer + 1]
      extents.remove(at: outer + 1)
      for position in tape.indices {
        switch tape[position].instruction {
        case .load(let operand, var walk):
          walk.steps.remove(at: outer)
          tape[position].instruction = .load(operand: operand, walk)
        case .index(var walk):
          walk.steps.remove(at: outer)
          tape[position].instruction = .index(walk)
        default: break
        }
      }
    }
  }

  /// Computes all elements.
  func run(into result: UnsafeMutableRawBufferPointer) {
    if tape.count == 1, case .load(let operand, let walk) = tape[0].instruction {
      return copy(operands[operand], walk, into: result)
    }
    let inner = extents.last ?? 1
    let outer = extents.dropLast()
    let width = min(inner, Self.stripLimit)
    let registers = UnsafeMutableBufferPointer<Strip>.allocate(capacity: tape.count)
    for position in tape.indices { registers[position] = Strip(width) }
    defer {
      for register in registers { register.deallocate() }
      registers.deallocate()
    }
    for (position, item) in tape.enumerated() {
      if case .constant(let value) = item.instruction { registers[position].fill(value, width) }
    }
    var counters = [Int](repeating: 0, count: outer.count)
    var written = 0
    for _ in 0..<outer.reduce(1, *) {
      var first = 0
      while first < inner {
        let length = min(width, inner - first)
        for position in tape.indices { compute(position, registers, counters, first, length) }
        registers[tape.count - 1].store(tape[tape.count - 1].type, into: result, at: written, length)
        first += length
        written += length
      }
      for loop in outer.indices.reversed() {
        counters[loop] += 1
        if counters[loop] < extents[loop] { break }
        counters[loop] = 0
      }
    }
  }

  /// Copies elements without looking at them: what views come to.
  private func copy(_ source: NDArray, _ walk: Walk, into result: UnsafeMutableRawBufferPointer) {
    switch source.dtype.byteCount {
    case 1: copy(source, walk, into: result, as: UInt8.self)
    case 2: copy(source, walk, into: result, as: UInt16.self)
    case 4: copy(source, walk, into: result, as: UInt32.self)
    default: copy(source, walk, into: result, as: UInt64.self)
    }
  }

  private func copy<Element: BitwiseCopyable>(
    _ source: NDArray, _ walk: Walk, into result: UnsafeMutableRawBufferPointer, as: Element.Type
  ) {
    let target = result.assumingMemoryBound(to: Element.self)
    let inner = extents.last ?? 1
    let step = walk.steps.last ?? 0
    var counters = [Int](repeating: 0, count: max(0, extents.count - 1))
    var start = walk.start
    var written = 0
    source.withUnsafeBytes { memory in
      let size = MemoryLayout<Element>.size
      for _ in 0..<extents.dropLast().reduce(1, *) {
        for element in 0..<inner {
          target[written + element] = memory.loadUnaligned(
            fromByteOffset: (start + element * step) * size, as: Element.self)
        }
        written += inner
        for loop in counters.indices.reversed() {
          counters[loop] += 1
          start += walk.steps[loop]
          if counters[loop] < extents[loop] { break }
          start -= extents[loop] * walk.steps[loop]
          counters[loop] = 0
        }
      }
    }
  }

  private func compute(
    _ position: Int, _ registers: UnsafeMutableBufferPointer<Strip>, _ counters: [Int], _ first: Int, _ length: Int
  ) {
    let target = registers[position]
    func start(_ walk: Walk) -> (Int, Int) {
      var start = walk.start
      for loop in counters.indices { start += counters[loop] * walk.steps[loop] }
      let step = walk.steps.last ?? 0
      return (start + first * step, step)
    }
    switch tape[position].instruction {
    case .constant: break
    case .index(let walk):
      let (start, step) = start(walk)
      target.count(from: start, by: step, length)
    case .load(let operand, let walk):
      let (start, step) = start(walk)
      operands[operand].withUnsafeBytes { target.load(tape[position].type, from: $0, start, step, length) }
    case .pointwise(let function, let arguments):
      let type = arguments.last.map { tape[$0].type } ?? tape[position].type
      target.compute(function, arguments.map { registers[$0] }, type, tape[position].type, length)
    case .convert(let inner): target.convert(registers[inner], from: tape[inner].type, to: tape[position].type, length)
    }
  }
}

/// A strip of numbers: `Double` for floats, `Int` for integers and `bool`, as in `ScalarValue`.
private struct Strip {
  private let floats: UnsafeMutablePointer<Double>
  private let integers: UnsafeMutablePointer<Int>

  init(_ width: Int) {
    floats = .allocate(capacity: width)
    integers = .allocate(capacity: width)
    floats.initialize(repeating: 0, count: width)
    integers.initialize(repeating: 0, count: width)
  }

  func deallocate() {
    floats.deallocate()
    integers.deallocate()
  }

  private func set(_ value: ScalarValue, at position: Int) {
    switch value {
    case .float(let number): floats[position] = number
    case .integer(let number): integers[position] = number
    }
  }

  private func value(_ type: ScalarType, at position: Int) -> ScalarValue {
    type.isFloat ? .float(floats[position]) : .integer(integers[position])
  }

  func fill(_ value: ScalarValue, _ width: Int) {
    for position in 0..<width { set(value, at: position) }
  }

  func count(from start: Int, by step: Int, _ length: Int) {
    for position in 0..<length { integers[position] = start + position * step }
  }

  func load(_ type: ScalarType, from memory: UnsafeRawBufferPointer, _ start: Int, _ step: Int, _ length: Int) {
    switch type {
    case .f32:
      for position in 0..<length {
        floats[position] = Double(
          memory.loadUnaligned(fromByteOffset: (start + position * step) * 4, as: Float.self))
      }
    case .f64:
      for position in 0..<length {
        floats[position] = memory.loadUnaligned(fromByteOffset: (start + position * step) * 8, as: Double.self)
      }
    default:
      for position in 0..<length { set(type.load(from: memory, at: start + position * step), at: position) }
    }
  }

  func store(_ type: ScalarType, into memory: UnsafeMutableRawBufferPointer, at start: Int, _ length: Int) {
    switch type {
    case .f32:
      for position in 0..<length {
        memory.storeBytes(of: Float(floats[position]), toByteOffset: (start + position) * 4, as: Float.self)
      }
    case .f64:
      for position in 0..<length {
        memory.storeBytes(of: floats[position], toByteOffset: (start + position) * 8, as: Double.self)
      }
    default:
      for position in 0..<length { type.store(value(type, at: position), to: memory, at: start + position) }
    }
  }

  func convert(_ source: Strip, from: ScalarType, to type: ScalarType, _ length: Int) {
    for position in 0..<length {
      set(type.converted(source.value(from, at: position), from: from), at: position)
    }
  }

  /// - Parameters:
  ///   - type: The type of the last operand.
  ///   - resultType: The type of the result.
  func compute(
    _ function: Pointwise, _ operands: [Strip], _ type: ScalarType, _ resultType: ScalarType, _ length: Int
  ) {
    switch function.rule.evaluation {
    case .real1(let body) where type.isFloat, .number1(let body, _) where type.isFloat:
      let x = operands[0].floats
      for position in 0..<length { floats[position] = body(x[position]) }
      round(to: resultType, length)
    case .real2(let body) where type.isFloat, .number2(let body, _) where type.isFloat:
      let (x, y) = (operands[0].floats, operands[1].floats)
      for position in 0..<length { floats[position] = body(x[position], y[position]) }
      round(to: resultType, length)
    default:
      // `select` has a predicate of another type before its numbers.
      let types = operands.indices.map { function == .select && $0 == 0 ? ScalarType.bool : type }
      for position in 0..<length {
        let values = operands.indices.map { operands[$0].value(types[$0], at: position) }
        set(function.evaluate(values, type), at: position)
      }
    }
  }

  private func round(to type: ScalarType, _ length: Int) {
    switch type {
    case .f64: break
    case .f32: for position in 0..<length { floats[position] = Double(Float(floats[position])) }
    default:
      for position in 0..<length { floats[position] = type.rounded(.float(floats[position])).double }
    }
  }
}
