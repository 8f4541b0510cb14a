public import Foundation
public import LatheCore

/// A program as machine code in this process: its C compiled by the system's compiler, loaded, with an arena and the
/// state of its variables.
///
/// One run at a time; make a model per thread to run side by side (the cache has the code).
public struct NativeModel: ~Copyable {
  /// The program, without its places.
  public let program: Program
  /// The library that was loaded.
  public let library: URL
  private let handle: UnsafeMutableRawPointer
  private let entry: UnsafeMutableRawPointer
  private let arena: AlignedMemory
  private let weights: AlignedMemory
  private let state: ProgramState
  /// Nanoseconds and calls of every kernel, where the code counts them.
  private let profile: UnsafePointer<UInt64>?
  /// The compiled code's threads; nil where one does all work.
  private let pool: NativePool?
  /// The threads that share the work, with the one that calls.
  public let threads: Int

  private typealias SharingEntry =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?,
      UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeMutableRawPointer?>?
    ) -> Int32
  private typealias Entry =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?, UnsafePointer<UnsafeRawPointer?>?,
      UnsafePointer<UnsafeMutableRawPointer?>?
    ) -> Int32

  /// Constants up to this size are compiled in; larger ones are handed over as a pointer.
  private static let inlineLimit = 64 << 10

  /// Compiles and loads a program.
  ///
  /// - Parameters:
  ///   - threads: How many threads share the work, with the one that calls; results do not depend on it.
  ///   - measuresKernels: Whether the code counts how long its kernels run (see `kernelTimes`).
  /// - Throws: when there is no compiler, when it fails (with its output), or when the cache cannot be written.
  public init(
    _ planned: PlannedProgram, compiler: CCompiler? = nil, cache: CompilationCache = .user(),
    threads: Int = 1, flags: [String] = CCompiler.optimizing, measuresKernels: Bool = false
  ) throws(DiagnosticsError) {
    let options = COptions(
      weights: .auto, inlineLimit: Self.inlineLimit, threads: threads > 1 ? .pthreads : .none, uniformEntry: true,
      measuresKernels: measuresKernels)
    let files = emitC(planned, options: options)
    let chosen: CCompiler
    if let compiler { chosen = compiler } else { chosen = try CCompiler.system() }
    let library = try cache.library(files, compiler: chosen, flags: flags + (threads > 1 ? ["-pthread"] : []))
    guard let handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL) else {
      throw DiagnosticsError("the compiled model \(library.path) cannot be loaded: \(Self.loaderMessage)")
    }
    guard let symbol = dlsym(handle, "\(files.name)_call") else {
      dlclose(handle)
      throw DiagnosticsError("the compiled model \(library.path) has no function \(files.name)_call")
    }
    do {
      pool = threads > 1 ? try NativePool(handle, files.name, threads) : nil
    } catch {
      dlclose(handle)
      throw error
    }
    self.threads = threads
    self.library = library
    self.handle = handle
    entry = symbol
    profile =
      measuresKernels
      ? dlsym(handle, "\(files.name)_profile").map { UnsafePointer($0.assumingMemoryBound(to: UInt64.self)) } : nil
    program = planned.program
    arena = AlignedMemory(byteCount: planned.arenaBytes)
    state = ProgramState(planned)
    weights = AlignedMemory(byteCount: files.weights?.count ?? 0)
    files.weights?.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { weights.start.copyMemory(from: start, byteCount: bytes.count) }
    }
  }

  deinit {
    pool?.stop()
    dlclose(handle)
  }

  private static var loaderMessage: String { dlerror().map { String(cString: $0) } ?? "unknown reason" }

  // MARK: Variables

  /// The names of the variables, in the order of the state.
  public var variableNames: [String] { state.names }

  /// Gives all variables their initial values back.
  public mutating func reset() { state.reset() }

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

  // MARK: Profile

  /// How long the kernels ran in all runs so far, in all models of the same code; zeros where they are not measured.
  public var kernelTimes: KernelTimes {
    var times = KernelTimes(kernelCount: program.kernels.count)
    if let profile {
      for kernel in program.kernels.indices {
        times.nanoseconds[kernel] = profile[2 * kernel]
        times.calls[kernel] = profile[2 * kernel + 1]
      }
    }
    return times
  }

  // MARK: Runs

  /// Runs the program once.
  ///
  /// - Parameter inputs: one tensor per input, in order, of exactly the input's type.
  /// - Returns: the outputs, in order.
  /// - Throws: every input that does not fit.
  public mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var outputs = program.makeOutputs()
    try run(inputs, into: &outputs)
    return outputs
  }

  /// Runs the program once, into tensors that are there.
  ///
  /// - Parameters:
  ///   - inputs: one tensor per input, in order, of exactly the input's type.
  ///   - outputs: one tensor per output, in order, of exactly the output's type; their memory is written, unless somebody
  ///     else still holds it. What they hold is not specified where the run fails.
  /// - Throws: every input and output that does not fit, and an index in the data that is out of range.
  public mutating func run(_ inputs: [NDArray], into outputs: inout [NDArray]) throws(DiagnosticsError) {
    try program.check(inputs: inputs)
    try program.check(outputs: outputs)
    let status = call(inputs.map(\.normalized)[...], [], &outputs, [])
    guard status == CStatus.okay.rawValue else { throw failure(status) }
  }

  /// What a status means.
  private func failure(_ status: Int32) -> DiagnosticsError {
    let (kernels, message): ([Kernel], String) =
      switch status {
      case CStatus.index.rawValue: (program.kernels.filter(\.checksIndices), "an index is out of range")
      case CStatus.singular.rawValue:
        (program.kernels.filter(\.callsFailing), "a matrix has no such factorization or inverse")
      default: internalError("\(program.name): the compiled model returned \(status)")
      }
    guard kernels.count == 1 else {
      return DiagnosticsError([
        Diagnostic(
          "\(message) in one of \(kernels.count) kernels", operands: kernels.prefix(8).map(\.name),
          help: "the interpreter says in which")
      ])
    }
    return DiagnosticsError("kernel \(kernels[0].name): \(message)", location: kernels[0].location)
  }

  /// Borrows the bytes of all inputs and outputs at once, then calls.
  ///
  /// - Parameters:
  ///   - inputs: Those that are not borrowed yet; `given` are the others' places.
  ///   - outputs: Those that are not borrowed yet, without the last ones, whose places `results` are.
  private func call(
    _ inputs: ArraySlice<NDArray>, _ given: [UnsafeRawPointer?], _ outputs: inout [NDArray],
    _ results: [UnsafeMutableRawPointer?]
  ) -> Int32 {
    if let first = inputs.first {
      return first.withUnsafeBytes { call(inputs.dropFirst(), given + [$0.baseAddress], &outputs, results) }
    }
    if var last = outputs.popLast() {
      defer { outputs.append(last) }
      return last.withUnsafeMutableBytes { call([], given, &outputs, [$0.baseAddress] + results) }
    }
    guard let pool else {
      return unsafeBitCast(entry, to: Entry.self)(arena.start, state.start, weights.start, given, results)
    }
    return unsafeBitCast(entry, to: SharingEntry.self)(
      pool.start, arena.start, state.start, weights.start, given, results)
  }
}

extension NDArray {
  /// The same tensor with every `bool` stored as 0 or 1, which C relies on; files may hold other bytes.
  fileprivate var normalized: NDArray {
    guard dtype == .bool, bytes.contains(where: { $0 > 1 }) else { return self }
    return unfailing { try NDArray(dtype: dtype, shape: shape, bytes: bytes.map { $0 == 0 ? 0 : 1 }) }
  }
}
