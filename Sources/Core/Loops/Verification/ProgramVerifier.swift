/// The invariants of loop programs: what lowering and every pass over programs must keep.
extension Program {
  /// Checks that the program is one that can be run: variables, registers and local arrays in scope where they are read,
  /// types as the scalar functions take them, legal kinds of loops, every access inside of its buffer, every element
  /// written before it is read, nothing written that others may read or write at the same time, and names and buffers
  /// that fit together.
  ///
  /// - Parameter trustsIndices: Whether indices from data are taken to lie inside, because they are not checked.
  /// - Throws: Everything that is wrong, with the kernel and the statement. It is Lathe's mistake, whatever the model.
  package func verify(trustsIndices: Bool = false) throws(DiagnosticsError) {
    var verifier = ProgramVerifier(self, trustsIndices: trustsIndices)
    verifier.run()
    guard verifier.diagnostics.isEmpty else { throw DiagnosticsError(verifier.diagnostics) }
  }
}

/// Checks a program kernel by kernel, then the order of its steps.
struct ProgramVerifier {
  let program: Program
  private let trustsIndices: Bool
  var diagnostics: [Diagnostic] = []
  /// What each kernel reads and writes, in order.
  var accesses: [[KernelVerifier.Access]] = []

  /// What a mistake of Lathe's own says beside the fault.
  static let help = "this is a mistake in Lathe, please report it"

  init(_ program: Program, trustsIndices: Bool) {
    self.trustsIndices = trustsIndices
    self.program = program
  }

  mutating func run() {
    buffers()
    exchanges()
    guard diagnostics.isEmpty else { return }
    for position in program.kernels.indices { kernel(position) }
    var called = Set<Int>()
    for step in program.steps { self.step(step, [], &called) }
    for (position, kernel) in program.kernels.enumerated() where !called.contains(position) {
      report("no step runs kernel '\(kernel.name)'")
    }
    if diagnostics.isEmpty { definedness() }
  }

  mutating func report(_ message: String) {
    diagnostics.append(Diagnostic("program '\(program.name)': \(message)", help: Self.help))
  }

  private func exists(_ buffer: BufferID) -> Bool { program.buffers.indices.contains(buffer.position) }

  // MARK: Buffers

  /// Names are unique identifiers; ports, variables and constants are what their buffers are.
  private mutating func buffers() {
    var names = Set<String>()
    for buffer in program.buffers {
      if !Self.isIdentifier(buffer.name) { report("the buffer name '\(buffer.name)' is no identifier") }
      if !names.insert(buffer.name).inserted { report("two buffers are called '\(buffer.name)'") }
      if buffer.shape.contains(where: { $0 < 0 }) { report("buffer '\(buffer.name)' has the shape \(buffer.shape)") }
      if case .constant(let content) = buffer.kind, content.dtype != buffer.dtype || content.count != buffer.count {
        report(
          "constant '\(buffer.name)' is \(TensorType(buffer.dtype, buffer.shape)), its content is \(content.type)")
      }
    }
    ports(program.inputs, "input") { .input($0) }
    ports(program.outputs, "output") { .output($0) }
    guard program.variableBuffers.count == program.variables.count else {
      return report("\(program.variables.count) variables have \(program.variableBuffers.count) buffers")
    }
    for (position, (variable, buffer)) in zip(program.variables, program.variableBuffers).enumerated() {
      port(variable.name, variable.type, buffer, is: .variable(position), "variable")
    }
    names = []
    for kernel in program.kernels {
      if !Self.isIdentifier(kernel.name) { report("the kernel name '\(kernel.name)' is no identifier") }
      if !names.insert(kernel.name).inserted { report("two kernels are called '\(kernel.name)'") }
    }
  }

  private mutating func ports(_ ports: [Port], _ word: String, _ kind: (Int) -> Buffer.Kind) {
    for (position, port) in ports.enumerated() {
      self.port(port.name, port.type, port.buffer, is: kind(position), word)
    }
  }

  private mutating func port(
    _ name: String, _ type: TensorType, _ buffer: BufferID, is kind: Buffer.Kind, _ word: String
  ) {
    guard exists(buffer) else { return report("\(word) '\(name)' has no buffer") }
    let own = program[buffer]
    if own.kind != kind { report("\(word) '\(name)' is in '\(own.name)', which is for something else") }
    if TensorType(own.dtype, own.shape) != type {
      report("\(word) '\(name)' is \(type), its buffer \(TensorType(own.dtype, own.shape))")
    }
  }

  private static func isIdentifier(_ name: String) -> Bool {
    TextName.isIdentifier(name) && !name.utf8.contains(UInt8(ascii: "."))
  }

  // MARK: Kernels and steps

  private mutating func kernel(_ position: Int) {
    var verifier = KernelVerifier(program, program.kernels[position], trustsIndices: trustsIndices)
    verifier.run()
    diagnostics += verifier.report
    accesses.append(verifier.accesses)
  }

  /// Kernels exist and run inside the loops that they are parameterized by; predicates are scalars of type `bool`.
  private mutating func step(_ step: Step, _ loops: [LoopVariable], _ called: inout Set<Int>) {
    switch step {
    case .kernel(let position):
      guard program.kernels.indices.contains(position) else {
        return report("a step runs kernel \(position) of \(program.kernels.count)")
      }
      called.insert(position)
      let kernel = program.kernels[position]
      for parameter in kernel.parameters where !loops.contains(parameter) {
        report("kernel '\(kernel.name)' runs outside of the loop over \(LoopPrinter.text(parameter))")
      }
    case .loop(let variable, let body):
      if variable.id >= 0 || loops.contains(where: { $0.id == variable.id }) {
        report("a loop of steps binds \(LoopPrinter.text(variable))")
      }
      for step in body { self.step(step, loops + [variable], &called) }
    case .branch(let predicate, let then, let otherwise):
      check(predicate: predicate)
      for step in then + otherwise { self.step(step, loops, &called) }
    case .whileLoop(let condition, let predicate, let body):
      check(predicate: predicate)
      for step in condition + body { self.step(step, loops, &called) }
    case .ready, .wait: break
    }
  }

  private mutating func check(predicate: BufferID) {
    guard exists(predicate) else { return report("a condition has no buffer") }
    let buffer = program[predicate]
    if buffer.dtype != .bool || buffer.count != 1 {
      report("the condition '\(buffer.name)' is \(TensorType(buffer.dtype, buffer.shape)), not a scalar of type bool")
    }
  }
}
