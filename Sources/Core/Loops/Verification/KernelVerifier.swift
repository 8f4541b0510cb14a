/// Checks one kernel: scopes, types, kinds of loops, accesses, races.
struct KernelVerifier {
  /// What statements may use, and what is known at their place.
  fileprivate struct Scope {
    var variables: Set<LoopVariable> = []
    var registers: [Int32: ScalarType] = [:]
    var locals: [Int: LocalArray] = [:]
    /// The loop whose iterations run at once.
    var lanes: LoopVariable?
    /// The loops around that are written out.
    var unrolled: Set<LoopVariable> = []
    var loops: [Access.Loop] = []
    var facts = IndexFacts()
    /// Whether no data decides that the place is reached.
    var isCertain = true
  }

  /// A read or write, in the order of the text.
  struct Access {
    /// A loop around an access.
    struct Loop: Equatable {
      /// Tells loops over one variable apart.
      var id: Int
      var variable: LoopVariable
      var kind: LoopKind
    }

    var memory: Memory
    var index: Index
    var isStore: Bool
    /// Whether it happens whatever the data are.
    var isCertain: Bool
    var loops: [Loop]
    var facts: IndexFacts
    /// The kernel's part that it belongs to.
    var part: Int
    var statement: Statement
  }

  /// The most faults told of one kernel.
  private static let faultLimit = 10

  let program: Program
  let kernel: Kernel
  /// Whether indices from data are taken to lie inside, as whoever runs the kernel answers for.
  let trustsIndices: Bool
  private let printer: LoopPrinter
  private(set) var diagnostics: [Diagnostic] = []
  private var scope = Scope()
  /// How many loops are around each register and local array; each is declared once in a kernel.
  private(set) var registerDepths: [Int32: Int] = [:]
  private(set) var localDepths: [Int: Int] = [:]
  private(set) var accesses: [Access] = []
  /// All that a register is given, where that happens in several places.
  private var assignments: [Int32: [Expression]] = [:]
  private var statement: Statement?
  private var part = 0
  private var loopCount = 0

  init(_ program: Program, _ kernel: Kernel, trustsIndices: Bool) {
    self.trustsIndices = trustsIndices
    self.program = program
    self.kernel = kernel
    printer = LoopPrinter(program: program)
  }

  mutating func run() {
    var used = Accesses()
    kernel.parts.joined().forEach { used.add($0) }
    if kernel.reads != used.reads.sorted() || kernel.writes != used.writes.sorted() {
      report("the buffers that it is said to read and write are others than its statements do")
    }
    guard (kernel.reads + kernel.writes + kernel.inPlace).allSatisfy({ program.buffers.indices.contains($0.position) })
    else { return report("it uses a buffer that the program does not have") }
    for buffer in kernel.writes {
      switch program[buffer].kind {
      case .input, .constant: report("it writes the \(program[buffer].kind.word) '\(program[buffer].name)'")
      case .output, .variable, .temporary: break
      }
    }
    for parameter in kernel.parameters {
      if parameter.id >= 0 { report("its parameter \(LoopPrinter.text(parameter)) is no variable of the program") }
      scope.variables.insert(parameter)
    }
    for part in kernel.parts { collectAssignments(part) }
    for (position, part) in kernel.parts.enumerated() {
      self.part = position
      block(part)
    }
    if diagnostics.isEmpty { races() }
  }

  /// The faults, the last of which shows the kernel.
  var report: [Diagnostic] {
    var result = diagnostics
    if !result.isEmpty {
      let text = printer.lines(kernel).joined(separator: "\n")
      result[result.count - 1].help = "\(ProgramVerifier.help), with the kernel's text:\n\(text)"
    }
    return result
  }

  // MARK: Reports

  private mutating func report(_ message: String) { report(message, in: statement) }

  mutating func report(_ message: String, in statement: Statement?) {
    guard diagnostics.count < Self.faultLimit else { return }
    diagnostics.append(
      Diagnostic(
        "kernel '\(kernel.name)': \(message)", operands: statement.map { ["in: " + printer.summary($0)] } ?? [],
        location: kernel.location, help: ProgramVerifier.help))
  }

  // MARK: Statements

  private mutating func block(_ statements: [Statement], _ prepare: (inout Scope) -> Void = { _ in }) {
    let (outer, around) = (scope, statement)
    prepare(&scope)
    for statement in statements {
      self.statement = statement
      check(statement)
    }
    (scope, statement) = (outer, around)
  }

  private mutating func check(_ statement: Statement) {
    switch statement {
    case .loop(let loop): check(loop)
    case .accumulate(let accumulation): check(accumulation)
    case .declare(let register, let value):
      check(value, is: register.type)
      declare(register)
      let values = [value] + (assignments[register.id] ?? [])
      if register.type.isInteger {
        let ranges = values.map { scope.facts.range($0) }
        scope.facts.narrow(.value(Scalar(id: register.id)), to: ranges.dropFirst().reduce(ranges[0]) { $0.union($1) })
      }
    case .assign(let register, let value):
      check(value, is: register.type)
      check(written: register)
    case .allocate(let array):
      if localDepths.updateValue(scope.loops.count, forKey: array.id) != nil {
        report("local array a\(array.id) is declared twice")
      }
      if array.count <= 0 { report("local array a\(array.id) has \(array.count) elements") }
      if let lanes = array.lanes, lanes < 1 || array.count % lanes != 0 {
        report("local array a\(array.id) has \(array.count) elements in vectors of \(lanes)")
      }
      scope.locals[array.id] = array
    case .store(let memory, let index, let value):
      let own = type(value)
      if let type = check(memory, index, isStore: true), let own, own != type {
        report("a value of type \(own) is stored where elements are \(type)")
      }
    case .when(let constraints, let body):
      check(constraints)
      let assignments = assignments
      block(body) { $0.assume(constraints, assignments) }
    case .whenTrue(let condition, let body):
      check(condition, is: .bool)
      block(body) { $0.isCertain = false }
    case .call(let call): check(call)
    }
  }

  /// A routine reads and writes whole blocks, outside of whatever runs at once.
  private mutating func check(_ call: RoutineCall) {
    let routine = call.routine
    guard routine.type == .f32 || routine.type == .f64, routine.numbers.count == Routine.numberCount(routine.name),
      call.operands.count == routine.operandCounts.count, call.results.count == routine.results.count,
      (call.work == nil) == (routine.workCount == 0)
    else { return report("the routine is given other numbers or matrices than it takes") }
    let types =
      call.operands.map { _ in routine.type } + routine.results.map(\.type) + (call.work == nil ? [] : [routine.type])
    let written = Set(call.writes.map(\.block.buffer))
    if written.count < call.writes.count
      || call.reads.contains(where: { $0.count > 0 && written.contains($0.block.buffer) })
    {
      report("a routine writes what it reads, or one buffer twice")
    }
    for (position, (block, count)) in (call.reads + call.writes).enumerated() where count > 0 {
      let outer = scope
      loopCount += 1
      let element = LoopVariable(id: Int.max - position, extent: count)
      scope.enter(
        Access.Loop(id: loopCount, variable: element, kind: .serial), Bound(0), Bound(count))
      let type = check(
        .buffer(block.buffer), block.start + Index(element), isStore: position >= call.operands.count)
      if let type, type != types[position] { report("a routine takes \(types[position]) where elements are \(type)") }
      scope = outer
    }
  }

  private mutating func declare(_ register: Register) {
    if registerDepths.updateValue(scope.loops.count, forKey: register.id) != nil {
      report("register r\(register.id) is declared twice")
    }
    scope.registers[register.id] = register.type
  }

  private mutating func check(_ register: Register) {
    switch scope.registers[register.id] {
    case register.type?: break
    case let type?: report("register r\(register.id) is \(type), not \(register.type)")
    case nil: report("register r\(register.id) is not in scope")
    }
  }

  /// Iterations that may run at once must not write one register.
  private mutating func check(written register: Register) {
    check(register)
    guard let depth = registerDepths[register.id] else { return }
    if scope.loops.dropFirst(depth).contains(where: \.kind.isIndependent) {
      report("register r\(register.id) is written by iterations that may run at once")
    }
  }

  /// Where each register that is not only declared gets its values.
  private mutating func collectAssignments(_ statements: [Statement]) {
    for statement in statements {
      switch statement {
      case .assign(let register, let value): assignments[register.id, default: []].append(value)
      case .accumulate(let accumulation):
        // Any number may come of it.
        assignments[accumulation.accumulator.id, default: []].append(.register(accumulation.accumulator))
      case .loop(let loop): collectAssignments(loop.body)
      case .when(_, let body), .whenTrue(_, let body): collectAssignments(body)
      case .declare, .allocate, .store, .call: break
      }
    }
  }

  private mutating func check(_ loop: Loop) {
    let variable = loop.variable
    check(loop.lower, loop.upper, of: variable)
    let isConstant = loop.lower.known != nil && loop.upper.known != nil
    switch loop.kind {
    case .serial, .vector, .parallel: break
    case .unrolled: if !isConstant { report("the ends of an unrolled loop are not constant") }
    case .lanes:
      if !isConstant || loop.lower.known != 0 { report("a loop over lanes does not run from 0 to a constant") }
      if !loop.body.allSatisfy(\.isStraightInLanes) { report("a loop over lanes has a body that is not straight") }
      if scope.lanes != nil { report("a loop over lanes is inside of another") }
    }
    loopCount += 1
    let id = loopCount
    block(loop.body) { scope in
      scope.enter(Access.Loop(id: id, variable: variable, kind: loop.kind), loop.lower, loop.upper)
      if loop.kind == .unrolled { scope.unrolled.insert(variable) }
      if loop.kind == .lanes { scope.lanes = variable }
    }
  }

  private mutating func check(_ lower: Bound, _ upper: Bound, of variable: LoopVariable) {
    for quotient in lower.quotients + upper.quotients {
      check(quotient.dividend)
      if quotient.divisor <= 0 { report("an end of a loop is divided by \(quotient.divisor)") }
    }
    // What is known of a variable is that it lies in its extent: indices are simplified by that.
    if lower.constant < 0 || upper.constant > variable.extent {
      report(
        "\(LoopPrinter.text(variable)) runs over \(lower.constant) ..< \(upper.constant), its extent is \(variable.extent)"
      )
    }
    if scope.variables.contains(where: { $0.id == variable.id }) {
      report("\(LoopPrinter.text(variable)) is bound by a loop around already")
    }
  }

  private mutating func check(_ accumulation: Accumulation) {
    let accumulator = accumulation.accumulator
    check(written: accumulator)
    check(accumulation.lower, accumulation.upper, of: accumulation.variable)
    if accumulation.lanes < 1 || accumulation.lanes & (accumulation.lanes - 1) != 0 {
      report("\(accumulation.lanes) lanes are no power of two")
    }
    if !accumulation.prologue.allSatisfy(\.isDeclaration) { report("what runs before the value is no declaration") }
    let function = accumulation.combiner.function
    if !function.rule.domain.contains(accumulator.type) {
      report("\(function.name) is not defined on \(accumulator.type)")
    }
    let (outer, around) = (scope, statement)
    loopCount += 1
    scope.enter(
      Access.Loop(id: loopCount, variable: accumulation.variable, kind: .serial), accumulation.lower,
      accumulation.upper)
    for statement in accumulation.prologue { check(statement) }
    check(accumulation.value, is: accumulator.type)
    (scope, statement) = (outer, around)
  }

  // MARK: Indices

  private mutating func check(_ index: Index) {
    for variable in index.variables where !scope.variables.contains(variable) {
      report("loop variable \(LoopPrinter.text(variable)) is not in scope")
    }
    for value in index.values {
      switch scope.registers[value.id] {
      case .i64?: break
      case let type?: report("register r\(value.id), which is \(type), stands in an index")
      case nil: report("register r\(value.id) is not in scope")
      }
    }
    for (_, divisor) in index.divisions where divisor <= 0 { report("an index is divided by \(divisor)") }
  }

  private mutating func check(_ constraints: [Constraint]) {
    for constraint in constraints {
      check(constraint.index)
      if case .multiple(_, let divisor) = constraint, divisor <= 0 { report("a multiple of \(divisor) is asked for") }
    }
  }

  /// The element type of what is addressed; nil where there is none.
  private mutating func check(_ memory: Memory, _ index: Index, isStore: Bool) -> ScalarType? {
    let before = diagnostics.count
    check(index)
    defer { if diagnostics.count == before { record(memory, index, isStore: isStore) } }
    switch memory {
    case .buffer(let buffer): return program[buffer].dtype
    case .local(let array):
      guard let own = scope.locals[array.id] else {
        report("local array a\(array.id) is not in scope")
        return nil
      }
      if own != array { report("local array a\(array.id) is not what was declared") }
      if let lanes = array.lanes { check(index, ofVectors: lanes) }
      return array.type
    }
  }

  /// Keeps an access, which must lie inside of the memory.
  private mutating func record(_ memory: Memory, _ index: Index, isStore: Bool) {
    guard !scope.facts.areContradictory, let statement else { return }
    let (name, count) =
      switch memory {
      case .buffer(let buffer): (program[buffer].name, program[buffer].count)
      case .local(let array): ("a\(array.id)", array.count)
      }
    if !(trustsIndices && index.isDynamic), !scope.facts.proves(index, in: 0..<count) {
      let range = scope.facts.range(index)
      let reach = "\(range.low.map(String.init) ?? "-inf") ... \(range.high.map(String.init) ?? "inf")"
      report("\(name)[\(printer.text(index))] is not known to be one of \(count) elements: it may lie in \(reach)")
    }
    accesses.append(
      Access(
        memory: memory, index: index, isStore: isStore, isCertain: scope.isCertain, loops: scope.loops,
        facts: scope.facts, part: part, statement: statement))
  }

  /// An array in registers is addressed by whole vectors once loops are unrolled, and by a lane in them.
  private mutating func check(_ index: Index, ofVectors width: Int) {
    for term in index.terms {
      guard case .variable(let variable) = term.atom else { return report("data decides a place in registers") }
      if variable == scope.lanes {
        if term.coefficient != 1 || variable.extent > width { report("lanes are no neighbours in registers") }
      } else if !scope.unrolled.contains(variable) {
        report("a loop that is not unrolled decides a place in registers")
      } else if term.coefficient % width != 0 {
        report("a place in registers begins inside of a vector")
      }
    }
    if index.constant % width != 0 { report("a place in registers begins inside of a vector") }
  }

  // MARK: Expressions

  private mutating func check(_ expression: Expression, is type: ScalarType) {
    guard let own = self.type(expression), own != type else { return }
    report("a value is \(own) where \(type) belongs")
  }

  /// The type of an expression whose parts fit; nil after a report.
  private mutating func type(_ expression: Expression) -> ScalarType? {
    switch expression {
    case .constant(let value, let type):
      let isFloat = if case .float = value { true } else { false }
      if isFloat != type.isFloat { report("the constant \(value) is no \(type)") }
      return type
    case .register(let register):
      check(register)
      return register.type
    case .index(let index):
      check(index)
      return .i64
    case .load(let memory, let index, let type):
      if let own = check(memory, index, isStore: false), own != type {
        report("elements of type \(own) are read as \(type)")
      }
      return type
    case .pointwise(let function, let operands): return type(function, operands)
    case .convert(let operand, let type):
      _ = self.type(operand)
      return type
    case .bitcast(let operand, let type):
      if let own = self.type(operand), own.byteCount != type.byteCount {
        report("the bits of \(own) are read as \(type)")
      }
      return type
    case .checked(let operand, let extent):
      if let own = self.type(operand), own != .i64 { report("an index of type \(own) is checked") }
      if extent < 1 { report("an index is checked for \(extent) elements") }
      return .i64
    case .select(let constraints, let then, let otherwise):
      check(constraints)
      let around = scope
      scope.assume(constraints, assignments)
      let own = type(then)
      scope = around
      let types = (own, type(otherwise))
      if let then = types.0, let otherwise = types.1, then != otherwise {
        report("a choice is between \(then) and \(otherwise)")
      }
      return types.0 ?? types.1
    }
  }

  /// The rules of scalar functions.
  private mutating func type(_ function: Pointwise, _ operands: [Expression]) -> ScalarType? {
    var types: [ScalarType] = []
    for operand in operands { if let type = type(operand) { types.append(type) } }
    guard types.count == operands.count else { return nil }
    let rule = function.rule
    guard operands.count == rule.arity else {
      report("\(function.name) has \(operands.count) operands")
      return nil
    }
    if function == .select, types[0] != .bool { report("the predicate of select is \(types[0])") }
    let numbers = types.dropFirst(function == .select ? 1 : 0)
    guard let first = numbers.first, numbers.allSatisfy({ $0 == first }) else {
      report("\(function.name) has operands of types \(types.map(\.rawValue).joined(separator: ", "))")
      return nil
    }
    if !rule.domain.contains(first) {
      report("\(function.name) is not defined on \(first), only on \(rule.domain.text)")
    }
    return function.resultType(types)
  }
}

extension KernelVerifier.Scope {
  fileprivate mutating func enter(_ loop: KernelVerifier.Access.Loop, _ lower: Bound, _ upper: Bound) {
    variables.insert(loop.variable)
    loops.append(loop)
    facts.enter(loop.variable, from: lower, to: upper)
  }

  /// Takes constraints for facts, but for those on registers that are written again.
  fileprivate mutating func assume(_ constraints: [Constraint], _ assignments: [Int32: [Expression]]) {
    for constraint in constraints {
      let values = constraint.index.values
      if !values.isEmpty { isCertain = false }
      if case .multiple = constraint { isCertain = false }
      if values.allSatisfy({ assignments[$0.id] == nil }) { facts.learn(constraint) }
    }
  }
}

extension Statement {
  /// Whether the statement may stand in a loop over lanes.
  fileprivate var isStraightInLanes: Bool {
    switch self {
    case .declare, .assign, .store: true
    case .when(_, let body), .whenTrue(_, let body): body.allSatisfy(\.isStraightInLanes)
    case .loop, .accumulate, .allocate, .call: false
    }
  }
}
