public import LatheCore

/// Memory to run the functions of a model in: the arena, the state of their variables, and scratch space.
///
/// One run at a time; make a session per thread to run side by side.
public struct Session: ~Copyable {
  /// The functions, at least one; all have the same variables.
  package let functions: [Executable]
  /// Threads that share the work of kernels; results do not depend on their number.
  public let threads: Int
  private let model: String
  private let pool: ThreadPool?
  private let arena: AlignedMemory
  private let state: ProgramState
  private let outputs: AlignedMemory
  private let constants: AlignedMemory
  private var layouts: [Layout]
  private let registers: AlignedMemory
  private let locals: AlignedMemory
  /// How long the kernels of each function ran in all runs so far; nil where they are not measured.
  private var times: [KernelTimes]?

  /// Allocates everything that runs of one function need; variables get their initial values.
  package init(_ executable: Executable, threads: Int = 1, measuresKernels: Bool = false) {
    self.init(
      functions: [executable], of: executable.program.name, threads: threads, measuresKernels: measuresKernels)
  }

  /// Allocates everything that runs need; variables get their initial values.
  ///
  /// - Parameters:
  ///   - functions: At least one, lowered with the same variables.
  ///   - model: Their model's name, for diagnostics.
  package init(functions: [Executable], of model: String, threads: Int = 1, measuresKernels: Bool = false) {
    guard let first = functions.first else { internalError("model \(model) has no functions") }
    for function in functions where function.planned.variableOffsets != first.planned.variableOffsets {
      internalError("functions of \(model) have states of their own")
    }
    self.functions = functions
    self.model = model
    self.threads = max(1, threads)
    times = measuresKernels ? functions.map { KernelTimes(kernelCount: $0.kernels.count) } : nil
    func most(_ size: (Executable) -> Int) -> Int { functions.map(size).max() ?? 0 }
    arena = AlignedMemory(byteCount: most(\.planned.arenaBytes))
    state = ProgramState(first.planned)
    outputs = AlignedMemory(byteCount: most(\.outputBytes))
    pool = ThreadPool(threads: threads)
    let places = pool?.count ?? 1
    registers = AlignedMemory(byteCount: most(\.registerBytes) * places)
    locals = AlignedMemory(byteCount: most(\.localBytes) * places)
    // A content that several functions read is there once.
    var offsets: [[Int: Int]] = []
    var known: [ConstantContent: Int] = [:]
    var total = 0
    for function in functions {
      offsets.append([:])
      for position in function.copiedConstants {
        guard case .constant(let content) = function.program.buffers[position].kind else { continue }
        if known[content] == nil {
          known[content] = total
          total += function.program.buffers[position].byteCount.aligned
        }
        offsets[offsets.count - 1][position] = known[content]
      }
    }
    constants = AlignedMemory(byteCount: total)
    for (content, offset) in known { content.array.copy(to: constants.start + offset) }
    layouts = []
    layouts = zip(functions, offsets).map { layout(of: $0, constantOffsets: $1) }
  }

  /// Where a function's buffers are: found once, so that the run of a small model costs little.
  private struct Layout {
    /// By position; nil for inputs and for constants that are not copied.
    var places: [UnsafeMutableRawPointer?] = []
    var inputs: [(position: Int, input: Int)] = []
    /// The constants that are read where they are.
    var constants: [(position: Int, array: NDArray)] = []
  }

  private func layout(of executable: Executable, constantOffsets: [Int: Int]) -> Layout {
    var layout = Layout()
    for (position, buffer) in executable.program.buffers.enumerated() {
      var place: UnsafeMutableRawPointer?
      switch buffer.kind {
      case .temporary: place = executable.planned.offsets[position].map { arena.start + $0 }
      case .variable(let variable): place = state.start + executable.planned.variableOffsets[variable]
      case .output(let output): place = outputs.start + executable.outputOffsets[output]
      case .input(let input): layout.inputs.append((position, input))
      case .constant(let content):
        place = constantOffsets[position].map { constants.start + $0 }
        if place == nil { layout.constants.append((position, content.array)) }
      }
      layout.places.append(place)
    }
    return layout
  }

  /// The first function, which mostly is the only one.
  package var executable: Executable { functions[0] }

  /// How long the kernels of the first function ran in all runs so far; nil where they are not measured.
  public var kernelTimes: KernelTimes? { times?[0] }

  // MARK: Variables

  /// Gives all variables their initial values back.
  public mutating func reset() { state.reset() }

  /// The names of the variables, in the order of the state.
  public var variableNames: [String] { state.names }

  /// What a variable holds now.
  ///
  /// - Throws: when there is no such variable.
  public func variable(named name: String) throws(DiagnosticsError) -> NDArray { try state.variable(named: name) }

  /// Writes a variable.
  ///
  /// - Throws: when there is no such variable, or the value's type is another.
  public mutating func setVariable(named name: String, to value: NDArray) throws(DiagnosticsError) {
    try state.setVariable(named: name, to: value)
  }

  /// The contents of all variables, by name: what is saved between processes.
  public func savedState() -> [String: NDArray] { state.saved() }

  /// The contents of all variables as a file: the same that the model's C saves and loads.
  public func encodedState() -> [UInt8] { state.encoded() }

  /// Writes all variables from such a file.
  ///
  /// - Throws: That it is no state, another model's, or damaged; nothing is written then.
  public mutating func decodeState(_ bytes: [UInt8]) throws(DiagnosticsError) { try state.decode(bytes) }

  /// Writes all variables that are given; the others stay.
  ///
  /// - Throws: every name and type that does not fit; nothing is written then.
  public mutating func restoreState(_ saved: [String: NDArray]) throws(DiagnosticsError) { try state.restore(saved) }

  // MARK: Runs

  /// Runs the only function once; see `run(_:_:)`.
  public mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] { try run(nil, inputs) }

  /// Runs the only function once, into tensors that are there; see `run(_:_:into:)`.
  public mutating func run(_ inputs: [NDArray], into outputs: inout [NDArray]) throws(DiagnosticsError) {
    try run(nil, inputs, into: &outputs)
  }

  /// Runs a function once.
  ///
  /// - Parameters:
  ///   - function: The function's name; nil for the only one.
  ///   - inputs: one tensor per input, in order, of exactly the input's type.
  /// - Returns: the outputs, in order; where data decides a size, with as many elements as there are.
  /// - Throws: a name that no function has, every input that does not fit, and an index in the data that is out of range.
  public mutating func run(
    _ function: String?, _ inputs: [NDArray]
  ) throws(DiagnosticsError) -> [NDArray] {
    var exchange = NoExchange()
    return try run(function, inputs, exchange: &exchange)
  }

  /// Runs a function once; what it hands out is exchanged.
  ///
  /// - Parameter exchange: What becomes of gradients; see `TrainingOptions.bucketBytes`.
  /// - Throws: As `run(_:_:)`, and what the exchange throws: the run then ends at once, buckets that are ready are not
  ///   waited for, and what the variables hold is undefined.
  public mutating func run(
    _ function: String?, _ inputs: [NDArray], exchange: inout some GradientExchange
  ) throws(DiagnosticsError) -> [NDArray] {
    let position = try position(of: function)
    let executable = functions[position]
    try execute(position, inputs, &exchange)
    let outputs = executable.program.outputs.map { port in
      let type = executable.program[port.buffer]
      return NDArray(copying: place(ofOutput: port, executable, inputs), dtype: port.type.dtype, shape: type.shape)
    }
    return executable.program.results(outputs)
  }

  /// The gradients that a function hands out, in their order in memory; none without `TrainingOptions.bucketBytes`.
  ///
  /// - Throws: a name that no function has.
  public func exchangedGradients(of function: String? = nil) throws(DiagnosticsError) -> [ExchangedGradient] {
    functions[try position(of: function)].program.exchangedGradients
  }

  /// Runs a function once, into tensors that are there.
  ///
  /// - Parameters:
  ///   - function: The function's name; nil for the only one.
  ///   - inputs: one tensor per input, in order, of exactly the input's type.
  ///   - outputs: one tensor per output, in order, of exactly the output's type, as `makeOutputs` gives them; their memory is written, unless somebody
  ///     else still holds it. Where the run fails, they stay as they are.
  /// - Throws: a name that no function has, every input and output that does not fit, and an index in the data that is
  ///   out of range.
  public mutating func run(
    _ function: String?, _ inputs: [NDArray], into outputs: inout [NDArray]
  ) throws(DiagnosticsError) {
    let position = try position(of: function)
    let executable = functions[position]
    try executable.program.check(outputs: outputs)
    var exchange = NoExchange()
    try execute(position, inputs, &exchange)
    for (position, port) in executable.program.outputs.enumerated() {
      outputs[position].copyElements(from: place(ofOutput: port, executable, inputs))
    }
  }

  private func position(of function: String?) throws(DiagnosticsError) -> Int {
    try functions.map(\.program.name).position(ofFunction: function, in: model)
  }

  private mutating func execute(
    _ function: Int, _ inputs: [NDArray], _ exchange: inout some GradientExchange
  ) throws(DiagnosticsError) {
    let executable = functions[function]
    try executable.program.check(inputs: inputs)
    let layout = layouts[function]
    var places = layout.places
    let borrowed = layout.constants + layout.inputs.map { ($0.position, inputs[$0.input]) }
    var measured = times?[function]
    let fault = Self.withPlaces(borrowed[...], &places) { run(executable, in: $0, &measured, &exchange) }
    if let measured { times?[function] = measured }
    if let fault { throw fault }
  }

  /// An output's memory; a port may also name an input, a constant or a variable.
  private func place(ofOutput port: Port, _ executable: Executable, _ inputs: [NDArray]) -> OutputPlace {
    switch executable.program[port.buffer].kind {
    case .output(let output): .memory(outputs.start + executable.outputOffsets[output])
    // A tensor without elements has no place.
    case .temporary: .memory(arena.start + (executable.planned.offsets[port.buffer.position] ?? 0))
    case .variable(let variable): .memory(state.start + executable.planned.variableOffsets[variable])
    case .input(let input): .array(inputs[input])
    case .constant(let content): .array(content.array)
    }
  }

  /// Borrows the bytes of all arrays at once.
  private static func withPlaces(
    _ arrays: ArraySlice<(position: Int, array: NDArray)>, _ places: inout [UnsafeMutableRawPointer?],
    _ body: ([UnsafeMutableRawPointer?]) -> DiagnosticsError?
  ) -> DiagnosticsError? {
    guard let (position, array) = arrays.first else { return body(places) }
    return array.withUnsafeBytes { bytes in
      places[position] = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
      return withPlaces(arrays.dropFirst(), &places, body)
    }
  }

  private func run(
    _ executable: Executable, in places: [UnsafeMutableRawPointer?], _ times: inout KernelTimes?,
    _ exchange: inout some GradientExchange
  ) -> DiagnosticsError? {
    // Tensors without elements have no place; nothing is read from or written to there.
    let buffers = places.map { $0 ?? arena.start }
    return buffers.withUnsafeBufferPointer { buffers -> DiagnosticsError? in
      guard let base = buffers.baseAddress else { return nil }
      var runner = StepRunner(
        executable: executable, buffers: base, registers: registers.start, locals: locals.start, pool: pool,
        times: times)
      defer { times = runner.times }
      do throws(DiagnosticsError) {
        for step in executable.program.steps { try runner.run(step, &exchange) }
        return nil
      } catch {
        return error
      }
    }
  }
}

/// Where an output is found after a run.
private enum OutputPlace {
  case memory(UnsafeMutableRawPointer)
  case array(NDArray)
}

extension NDArray {
  /// Takes the elements of another tensor of the type.
  fileprivate mutating func copyElements(from place: OutputPlace) {
    withUnsafeMutableBytes { bytes in
      guard let target = bytes.baseAddress else { return }
      switch place {
      case .memory(let start): target.copyMemory(from: start, byteCount: bytes.count)
      case .array(let array): array.copy(to: target)
      }
    }
  }

  fileprivate init(copying place: OutputPlace, dtype: ScalarType, shape: [Int]) {
    switch place {
    case .memory(let start): self.init(copying: start, dtype: dtype, shape: shape)
    case .array(let array): self = unfailing { try array.reshaped(shape) }
    }
  }
}
