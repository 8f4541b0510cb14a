public import LatheCore

/// Memory to run an executable in: the arena, the state of its variables, and scratch space.
///
/// One run at a time; make a session per thread to run side by side.
public struct Session: ~Copyable {
  /// What is run.
  public let executable: Executable
  /// Threads that share the work of kernels; results do not depend on their number.
  public let threads: Int
  private let pool: ThreadPool?
  private let arena: AlignedMemory
  private let state: ProgramState
  private let outputs: AlignedMemory
  private let constants: AlignedMemory
  private let registers: AlignedMemory
  private let locals: AlignedMemory
  /// How long the kernels ran in all runs so far; nil where they are not measured.
  public private(set) var kernelTimes: KernelTimes?

  /// Allocates everything that runs need; variables get their initial values.
  public init(_ executable: Executable, threads: Int = 1, measuresKernels: Bool = false) {
    self.executable = executable
    self.threads = max(1, threads)
    kernelTimes = measuresKernels ? KernelTimes(kernelCount: executable.kernels.count) : nil
    arena = AlignedMemory(byteCount: executable.planned.arenaBytes)
    state = ProgramState(executable.planned)
    outputs = AlignedMemory(byteCount: executable.outputBytes)
    constants = AlignedMemory(byteCount: executable.constantBytes)
    pool = ThreadPool(threads: threads)
    let places = pool?.count ?? 1
    registers = AlignedMemory(byteCount: executable.registerBytes * places)
    locals = AlignedMemory(byteCount: executable.localBytes * places)
    for (position, offset) in executable.constantOffsets {
      if case .constant(let content) = executable.program.buffers[position].kind {
        content.array.copy(to: constants.start + offset)
      }
    }
  }

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

  /// Writes all variables that are given; the others stay.
  ///
  /// - Throws: every name and type that does not fit; nothing is written then.
  public mutating func restoreState(_ saved: [String: NDArray]) throws(DiagnosticsError) { try state.restore(saved) }

  // MARK: Runs

  /// Runs the program once.
  ///
  /// - Parameter inputs: one tensor per input, in order, of exactly the input's type.
  /// - Returns: the outputs, in order.
  /// - Throws: every input that does not fit, and an index in the data that is out of range.
  public mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    try execute(inputs)
    return executable.program.outputs.map { port in
      let type = executable.program[port.buffer]
      return NDArray(copying: place(ofOutput: port, inputs), dtype: port.type.dtype, shape: type.shape)
    }
  }

  /// Runs the program once, into tensors that are there.
  ///
  /// - Parameters:
  ///   - inputs: one tensor per input, in order, of exactly the input's type.
  ///   - outputs: one tensor per output, in order, of exactly the output's type; their memory is written, unless somebody
  ///     else still holds it. Where the run fails, they stay as they are.
  /// - Throws: every input and output that does not fit, and an index in the data that is out of range.
  public mutating func run(_ inputs: [NDArray], into outputs: inout [NDArray]) throws(DiagnosticsError) {
    try executable.program.check(outputs: outputs)
    try execute(inputs)
    for (position, port) in executable.program.outputs.enumerated() {
      outputs[position].copyElements(from: place(ofOutput: port, inputs))
    }
  }

  private mutating func execute(_ inputs: [NDArray]) throws(DiagnosticsError) {
    let program = executable.program
    try program.check(inputs: inputs)
    var places: [UnsafeMutableRawPointer?] = []
    var large: [(position: Int, array: NDArray)] = []
    for (position, buffer) in program.buffers.enumerated() {
      switch buffer.kind {
      case .temporary: places.append(executable.planned.offsets[position].map { arena.start + $0 })
      case .variable(let variable): places.append(state.start + executable.planned.variableOffsets[variable])
      case .output(let output): places.append(outputs.start + executable.outputOffsets[output])
      case .input(let input):
        places.append(nil)
        large.append((position, inputs[input]))
      case .constant(let content):
        places.append(executable.constantOffsets[position].map { constants.start + $0 })
        if places[position] == nil { large.append((position, content.array)) }
      }
    }
    var times = kernelTimes
    let fault = Self.withPlaces(large[...], &places) { run(in: $0, &times) }
    kernelTimes = times
    if let fault { throw fault }
  }

  /// An output's memory; a port may also name an input, a constant or a variable.
  private func place(ofOutput port: Port, _ inputs: [NDArray]) -> OutputPlace {
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

  private func run(in places: [UnsafeMutableRawPointer?], _ times: inout KernelTimes?) -> DiagnosticsError? {
    // Tensors without elements have no place; nothing is read from or written to there.
    let buffers = places.map { $0 ?? arena.start }
    return buffers.withUnsafeBufferPointer { buffers -> DiagnosticsError? in
      guard let base = buffers.baseAddress else { return nil }
      var runner = StepRunner(
        executable: executable, buffers: base, registers: registers.start, locals: locals.start, pool: pool,
        times: times)
      defer { times = runner.times }
      do throws(DiagnosticsError) {
        try runner.run(executable.program.steps)
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
