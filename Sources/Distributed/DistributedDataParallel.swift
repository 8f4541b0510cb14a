internal import COpenMPI
public import Lathe
public import LatheCore
internal import LatheNN
internal import LatheRun

/// How gradients go from process to process: DDP's communication hooks.
public enum CommunicationHook: Sendable {
  /// As they are, while others are still computed.
  case allReduce
  /// Rounded to 16 bits on the way, summed in 32: `fp16_compress_hook`, `bf16_compress_hook`.
  case compressed(ScalarType)
  /// One's own: given the sum's terms of this process, a bucket of `f32` numbers, the sum over all processes.
  case custom(@Sendable (NDArray, ProcessGroup) throws(DiagnosticsError) -> NDArray)
}

/// A model that several processes train together, each on its part of a batch:
/// `torch.nn.parallel.DistributedDataParallel`.
///
/// The model is one of ``splitTrainable(_:optimizer:inputs:targets:options:predict:loss:metrics:)``. The processes start
/// with the state of the first one. In a step each computes the gradients of its own batch, in the interpreter; as soon
/// as all gradients of a bucket are complete its sum over the processes is begun, in the memory in which they were
/// computed, and goes on while the backward pass does. Each process then applies the same mean, so that all keep the same
/// parameters, and what one process would do with the whole batch is done to within rounding.
///
/// Running statistics are each process's own; ``synchronizeBuffers()`` gives them those of the first.
public struct DistributedDataParallel: ~Copyable {
  private var session: Session
  private let group: ProcessGroup
  private let hook: CommunicationHook
  /// The outputs that are no gradients.
  private let results: [String]
  /// How many outputs of `gradients` come before the gradients.
  private var offset: Int { results.count }
  /// Which bucket each gradient belongs to, in their order; nil for those that are no results of a kernel.
  private let buckets: [Int?]
  private let buffers: [String]
  /// How long steps waited for communication that had not ended with the backward pass, in seconds.
  public private(set) var waited = 0.0

  /// Prepares a model for training, in all processes at once.
  ///
  /// - Parameters:
  ///   - bucketBytes: How many bytes of gradients are summed at once, at least.
  ///   - threads: Threads of each process.
  /// - Throws: That the model has no split step, and what compilation and communication throw.
  public init(
    _ model: CompiledModel, _ group: ProcessGroup, bucketBytes: Int = 25 << 20, hook: CommunicationHook = .allReduce,
    threads: Int = getNumThreads()
  ) throws(DiagnosticsError) {
    let prefix = gradientName(of: "")
    let graph = try model.function(named: "gradients").graph
    let computed = Set(try model.function(named: "gradients").executable().program.completions.values.joined())
    var buckets: [Int?] = []
    var (bucket, bytes) = (0, 0)
    for (position, output) in graph.outputs.enumerated() where output.name.hasPrefix(prefix) {
      let type = graph.type(of: output.value)
      guard type.dtype == .f32, let size = type.byteCount else {
        throw DiagnosticsError("\(output.name) is \(type), gradients are summed as f32")
      }
      guard computed.contains(position) else {
        buckets.append(nil)
        continue
      }
      if bytes >= bucketBytes { (bucket, bytes) = (bucket + 1, 0) }
      buckets.append(bucket)
      bytes += size
    }
    var session = try model.session(threads: threads)
    try session.decodeState(group.broadcast(session.encodedState()))
    self.session = session
    self.group = group
    self.hook = hook
    self.buckets = buckets
    results = graph.outputs.map(\.name).filter { !$0.hasPrefix(prefix) }
    buffers = model.variables.filter { $0.role == .buffer && $0.type.dtype.isFloat }.map(\.name)
  }

  /// Draws the parameters in the first process, and gives them to all.
  public mutating func initialize(seed: UInt64) throws(DiagnosticsError) {
    _ = try session.run("initialize", [NDArray([seed]).reshaped([])])
    try synchronize()
  }

  /// Gives all processes the whole state of the first.
  public mutating func synchronize() throws(DiagnosticsError) {
    try session.decodeState(group.broadcast(session.encodedState()))
  }

  /// Gives all processes the running statistics of the first.
  public mutating func synchronizeBuffers() throws(DiagnosticsError) {
    for name in buffers { try session.setVariable(named: name, to: group.broadcast(session.variable(named: name))) }
  }

  /// One step on this process's part of the batch.
  ///
  /// - Parameters:
  ///   - inputs: The inputs and targets.
  ///   - runtime: The hyper-parameters that are inputs, in order: by default the learning rate.
  /// - Returns: The loss and the metrics by name, means over all processes.
  public mutating func step(
    _ inputs: [NDArray], _ runtime: [NDArray]
  ) throws(DiagnosticsError) -> [String: NDArray] {
    try step(inputs, runtime, share: 1 / Double(group.size))
  }

  private mutating func step(
    _ inputs: [NDArray], _ runtime: [NDArray], share: Double
  ) throws(DiagnosticsError) -> [String: NDArray] {
    var communication = Communication(group: group, hook: hook, buckets: buckets, offset: offset)
    let outputs = try session.run("gradients", inputs, observer: &communication)
    waited += communication.waited
    return try finish(outputs, runtime, share)
  }

  /// Applies the sums of gradients.
  private mutating func finish(
    _ outputs: [NDArray], _ runtime: [NDArray], _ share: Double
  ) throws(DiagnosticsError) -> [String: NDArray] {
    var gradients = Array(outputs.dropFirst(offset))
    for position in gradients.indices {
      // One of a parameter without influence is a literal.
      if buckets[position] == nil { gradients[position] = try group.allReduce(gradients[position]) }
      gradients[position].scale(by: Float(share))
    }
    _ = try session.run("apply", gradients + runtime)
    var means: [String: NDArray] = [:]
    for (name, output) in zip(results, outputs) {
      let sum = try group.allReduce(output.converted(to: .f64))
      let mean = try NDArray(sum.doubles.map { $0 * share }, shape: output.shape)
      means[name] = mean.converted(to: output.dtype)
    }
    return means
  }

  /// One step for batches that some processes have and others have no more: `Join`.
  ///
  /// A process whose batches have ended adds zeros to the gradients until the others have ended, too.
  ///
  /// - Parameters:
  ///   - inputs: This process's part of the batch; nil where there is none any more.
  ///   - divideByInitialWorldSize: Whether means are over all processes, or over those that still have a batch.
  /// - Returns: The loss and the metrics, means over the processes that have a batch, or over all as said; nil when no
  ///   process has any.
  public mutating func joinedStep(
    _ inputs: [NDArray]?, _ runtime: [NDArray], divideByInitialWorldSize: Bool = true
  ) throws(DiagnosticsError) -> [String: NDArray]? {
    let active = try group.allReduce(NDArray(scalar: .integer(inputs == nil ? 0 : 1), dtype: .i64)).integers[0]
    guard active > 0 else { return nil }
    let share = 1 / Double(divideByInitialWorldSize ? group.size : active)
    if let inputs { return try step(inputs, runtime, share: share) }
    // The same sums in the same order, of zeros.
    var zeros = try session.zeroOutputs(of: "gradients")
    var communication = Communication(group: group, hook: hook, buckets: buckets, offset: offset)
    try communication.shadow(session.outputMemory(of: "gradients"), &zeros)
    return try finish(zeros, runtime, share)
  }

  /// Runs another function, as `evaluate` or `predict`, in this process alone.
  public mutating func run(_ function: String, _ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    try session.run(function, inputs)
  }

  /// The contents of all variables, by name.
  public func savedState() -> [String: NDArray] { session.savedState() }

  /// Writes all variables from what the first process has read, in all processes.
  public mutating func restoreState(_ saved: [String: NDArray]) throws(DiagnosticsError) {
    if group.rank == 0 { try session.restoreState(saved) }
    try synchronize()
  }
}

/// The sums of one step's gradients.
private struct Communication: RunObserver {
  private let group: ProcessGroup
  private let hook: CommunicationHook
  private let buckets: [Int?]
  private let offset: Int
  /// The gradients of each bucket that are complete.
  private var complete: [[CompletedOutput]]
  /// How many each bucket has.
  private var expected: [Int]
  private var requests: [lathe_mpi_request] = []
  /// The bucket whose sum is begun next: in one order in all processes.
  private var next = 0
  private(set) var waited = 0.0

  init(group: ProcessGroup, hook: CommunicationHook, buckets: [Int?], offset: Int) {
    self.group = group
    self.hook = hook
    self.buckets = buckets
    self.offset = offset
    let count = (buckets.compactMap(\.self).max() ?? -1) + 1
    complete = Array(repeating: [], count: count)
    expected = Array(repeating: 0, count: count)
    for case let bucket? in buckets { expected[bucket] += 1 }
  }

  mutating func stepped(_ completed: [CompletedOutput]) throws(DiagnosticsError) {
    for output in completed where output.position >= offset {
      if let bucket = buckets[output.position - offset] { complete[bucket].append(output) }
    }
    while next < complete.count, complete[next].count == expected[next] {
      try begin(complete[next])
      next += 1
    }
    // What was begun goes on in calls of MPI only.
    if let last = requests.indices.last {
      var isDone: Int32 = 0
      try ProcessGroup.check(lathe_mpi_test(&requests[last], &isDone), "test")
    }
  }

  private mutating func begin(_ gradients: [CompletedOutput]) throws(DiagnosticsError) {
    let gradients = gradients.sorted { $0.position < $1.position }
    switch hook {
    case .allReduce:
      for memory in gradients.map(\.memory).joinedWhereNear {
        var request = lathe_mpi_request()
        let count = try ProcessGroup.count(memory.count / 4)
        try ProcessGroup.check(
          lathe_mpi_start_all_reduce(
            memory.baseAddress, count, ProcessGroup.type(.f32), ReduceOperation.sum.code, &request), "allReduce")
        requests.append(request)
      }
    case .compressed(let type):
      try exchange(gradients) { bucket, group throws(DiagnosticsError) in
        let parts = try group.allGather(bucket.converted(to: type))
        var sum = [Float](repeating: 0, count: bucket.count)
        for part in parts {
          for (position, number) in (part.converted(to: .f32).elements(as: Float.self) ?? []).enumerated() {
            sum[position] += number
          }
        }
        return NDArray(sum)
      }
    case .custom(let function): try exchange(gradients, function)
    }
  }

  /// Replaces a bucket's numbers by what a function makes of them.
  private func exchange(
    _ gradients: [CompletedOutput], _ function: (NDArray, ProcessGroup) throws(DiagnosticsError) -> NDArray
  ) throws(DiagnosticsError) {
    let numbers = gradients.flatMap { Array($0.memory.bindMemory(to: Float.self)) }
    let sum = try function(NDArray(numbers), group)
    guard sum.dtype == .f32, sum.shape == [numbers.count], let elements = sum.elements(as: Float.self) else {
      throw DiagnosticsError("the hook gives \(sum.type) for a bucket f32[\(numbers.count)]")
    }
    var start = 0
    for gradient in gradients {
      let target = gradient.memory.bindMemory(to: Float.self)
      for position in target.indices { target[position] = elements[start + position] }
      start += target.count
    }
  }

  mutating func finished() throws(DiagnosticsError) {
    guard next == complete.count else {
      internalError("\(complete.count - next) buckets of gradients are not complete at the end of the step")
    }
    let start = ContinuousClock.now
    for position in requests.indices { try ProcessGroup.check(lathe_mpi_wait(&requests[position]), "wait") }
    waited = (ContinuousClock.now - start) / .seconds(1)
  }

  /// Takes part with zeros in the memory of a run, and gives the sums.
  mutating func shadow(_ outputs: [CompletedOutput], _ arrays: inout [NDArray]) throws(DiagnosticsError) {
    for output in outputs { output.memory.initializeMemory(as: UInt8.self, repeating: 0) }
    try stepped(outputs)
    try finished()
    for output in outputs where output.position >= offset {
      let numbers = Array(output.memory.bindMemory(to: Float.self))
      arrays[output.position] = try NDArray(numbers, shape: arrays[output.position].shape)
    }
  }
}

extension [UnsafeMutableRawBufferPointer] {
  /// Neighbours as one memory, with the bytes between them, which nobody reads.
  fileprivate var joinedWhereNear: [UnsafeMutableRawBufferPointer] {
    var result: [UnsafeMutableRawBufferPointer] = []
    for memory in self where memory.count > 0 {
      if let last = result.last, let start = last.baseAddress, let next = memory.baseAddress,
        next >= start + last.count, next < start + last.count + 64
      {
        result[result.count - 1] = UnsafeMutableRawBufferPointer(start: start, count: next - start + memory.count)
      } else {
        result.append(memory)
      }
    }
    return result
  }
}

extension Session {
  /// Zeros of the types of a function's outputs.
  fileprivate func zeroOutputs(of function: String) throws(DiagnosticsError) -> [NDArray] {
    guard let executable = functions.first(where: { $0.program.name == function }) else {
      throw DiagnosticsError("the model has no function '\(function)'")
    }
    var result: [NDArray] = []
    for port in executable.program.outputs {
      result.append(try NDArray.zeros(port.type.dtype, port.type.shape.compactMap(\.known)))
    }
    return result
  }
}

extension NDArray {
  fileprivate mutating func scale(by factor: Float) {
    withUnsafeMutableBytes { bytes in
      let numbers = bytes.bindMemory(to: Float.self)
      for position in numbers.indices { numbers[position] *= factor }
    }
  }
}
