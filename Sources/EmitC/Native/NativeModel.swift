public import Foundation
public import LatheCore

/// The functions of a model as machine code in this process: their C compiled by the system's compiler, loaded, with an
/// arena and the state of their variables.
///
/// One run at a time; make a model per thread to run side by side (the cache has the code).
public struct NativeModel: ~Copyable {
  /// The functions, at least one, without their places.
  package let functions: [Program]
  private let model: String
  /// The library that was loaded.
  public let library: URL
  private let handle: UnsafeMutableRawPointer
  private let entries: [UnsafeMutableRawPointer]
  private let arena: AlignedMemory
  private let weights: AlignedMemory
  private let state: ProgramState
  /// Nanoseconds and calls of every kernel, where the code counts them.
  private let profile: UnsafePointer<UInt64>?
  /// The number that a capacity was too small for in this thread's last run that failed so.
  private let exceedingSize: (@convention(c) () -> Int64)?
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

  /// Compiles and loads a program of one function.
  ///
  /// - Parameters:
  ///   - threads: How many threads share the work, with the one that calls; results do not depend on it.
  ///   - measuresKernels: Whether the code counts how long its kernels run (see `kernelTimes`).
  /// - Throws: when there is no compiler, when it fails (with its output), or when the cache cannot be written.
  package init(
    _ planned: PlannedProgram, compiler: CCompiler? = nil, cache: CompilationCache = .user(),
    threads: Int = 1, flags: [String] = CCompiler.optimizing, measuresKernels: Bool = false
  ) throws(DiagnosticsError) {
    try self.init(
      functions: [planned], of: planned.program.name, compiler: compiler, cache: cache, threads: threads, flags: flags,
      measuresKernels: measuresKernels)
  }

  /// Compiles and loads the functions of a model.
  ///
  /// - Parameters:
  ///   - functions: At least one, lowered for one target with the same variables.
  ///   - model: The model's name.
  ///   - threads: How many threads share the work, with the one that calls; results do not depend on it.
  ///   - measuresKernels: Whether the code counts how long its kernels run (see `kernelTimes`).
  /// - Throws: when there is no compiler, when it fails (with its output), or when the cache cannot be written.
  package init(
    functions: [PlannedProgram], of model: String, compiler: CCompiler? = nil, cache: CompilationCache = .user(),
    threads: Int = 1, flags: [String] = CCompiler.optimizing, measuresKernels: Bool = false
  ) throws(DiagnosticsError) {
    guard let first = functions.first else { internalError("model \(model) has no functions") }
    let options = COptions(
      name: model.isEmpty ? nil : model, weights: .auto, inlineLimit: Self.inlineLimit,
      threads: threads > 1 ? .pthreads : .none, uniformEntry: true, measuresKernels: measuresKernels)
    let files = emitC(functions.map { CFunction($0) }, options: options)
    let chosen: CCompiler
    if let compiler { chosen = compiler } else { chosen = try CCompiler.system() }
    let library = try cache.library(files, compiler: chosen, flags: flags + (threads > 1 ? ["-pthread"] : []))
    guard let handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL) else {
      throw DiagnosticsError("the compiled model \(library.path) cannot be loaded: \(Self.loaderMessage)")
    }
    var entries: [UnsafeMutableRawPointer] = []
    for name in files.entries {
      guard let symbol = dlsym(handle, name) else {
        dlclose(handle)
        throw DiagnosticsError("the compiled model \(library.path) has no function \(name)")
      }
      entries.append(symbol)
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
    self.entries = entries
    self.model = model
    profile =
      measuresKernels
      ? dlsym(handle, "\(files.name)_profile").map { UnsafePointer($0.assumingMemoryBound(to: UInt64.self)) } : nil
    exceedingSize = dlsym(handle, "\(files.name)_exceeding").map {
      unsafeBitCast($0, to: (@convention(c) () -> Int64).self)
    }
    self.functions = functions.map(\.program)
    arena = AlignedMemory(byteCount: functions.map(\.arenaBytes).max() ?? 0)
    state = ProgramState(first)
    weights = AlignedMemory(byteCount: files.weights?.count ?? 0)
    var end = weights.start
    files.weights?.withParts { part in
      guard let start = part.baseAddress else { return }
      end.copyMemory(from: start, byteCount: part.count)
      end += part.count
    }
  }

  /// The first function, which mostly is the only one.
  package var program: Program { functions[0] }

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

  // MARK: Profile

  /// How long the kernels of the first function ran in all runs so far, in all models of the same code; zeros where they are not measured.
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
    var outputs = functions[try position(of: function)].makeOutputs()
    try run(function, inputs, into: &outputs)
    return functions[try position(of: function)].results(outputs)
  }

  /// Runs a function once, into tensors that are there.
  ///
  /// - Parameters:
  ///   - function: The function's name; nil for the only one.
  ///   - inputs: one tensor per input, in order, of exactly the input's type.
  ///   - outputs: one tensor per output, in order, of exactly the output's type; their memory is written, unless somebody
  ///     else still holds it. What they hold is not specified where the run fails.
  /// - Throws: a name that no function has, every input and output that does not fit, and an index in the data that is
  ///   out of range.
  public mutating func run(
    _ function: String?, _ inputs: [NDArray], into outputs: inout [NDArray]
  ) throws(DiagnosticsError) {
    let position = try position(of: function)
    let program = functions[position]
    try program.check(inputs: inputs)
    try program.check(outputs: outputs)
    let status = call(entries[position], inputs.map(\.normalized)[...], [], &outputs, [])
    guard status == CStatus.okay.rawValue else { throw failure(status, program) }
  }

  private func position(of function: String?) throws(DiagnosticsError) -> Int {
    try functions.map(\.name).position(ofFunction: function, in: model)
  }

  /// What a status means.
  private func failure(_ status: Int32, _ program: Program) -> DiagnosticsError {
    let position = Int(status / CStatus.kernelFactor) - 1
    guard program.kernels.indices.contains(position), let failure = CStatus(rawValue: status % CStatus.kernelFactor)
    else {
      internalError("\(program.name): the compiled model returned \(status)")
    }
    let kernel = program.kernels[position]
    let number = failure == .capacity ? exceedingSize.map { Int($0()) } : nil
    let message =
      switch failure {
      case .index: "an index is out of range"
      case .singular: "a matrix has no such factorization or inverse"
      case .capacity: kernel.counted?.message(number) ?? "a size exceeds its capacity"
      default: internalError("\(program.name): the compiled model returned \(status)")
      }
    return DiagnosticsError(
      "kernel \(kernel.name): \(message)", location: kernel.location, help: kernel.counted?.help(number))
  }

  /// Borrows the bytes of all inputs and outputs at once, then calls.
  ///
  /// - Parameters:
  ///   - inputs: Those that are not borrowed yet; `given` are the others' places.
  ///   - outputs: Those that are not borrowed yet, without the last ones, whose places `results` are.
  private func call(
    _ entry: UnsafeMutableRawPointer, _ inputs: ArraySlice<NDArray>, _ given: [UnsafeRawPointer?],
    _ outputs: inout [NDArray],
    _ results: [UnsafeMutableRawPointer?]
  ) -> Int32 {
    if let first = inputs.first {
      return first.withUnsafeBytes { call(entry, inputs.dropFirst(), given + [$0.baseAddress], &outputs, results) }
    }
    if var last = outputs.popLast() {
      defer { outputs.append(last) }
      return last.withUnsafeMutableBytes { call(entry, [], given, &outputs, [$0.baseAddress] + results) }
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
