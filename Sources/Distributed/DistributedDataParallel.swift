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
/// The model is one of ``trainable(_:loss:optimizer:metric:_:_:options:)`` and its kin with `TrainingOptions.bucketBytes`. The
/// processes start with the state of the first one. In a step each computes the gradients of its own batch, in the
/// interpreter; as soon as all gradients of a bucket are complete its sum over the processes is begun, in the memory in
/// which they were computed, and goes on while the backward pass does. Each process then applies the same mean, so that
/// all keep the same parameters, and what one process would do with the whole batch is done to within rounding.
///
/// Running statistics are each process's own; ``synchronizeBuffers()`` gives them those of the first.
public struct DistributedDataParallel: ~Copyable {
  private var session: Session
  private let group: ProcessGroup
  private let hook: CommunicationHook
  /// The outputs of a step.
  private let results: [Port]
  /// What a step takes before the hyper-parameters.
  private let inputs: [Port]
  private let buffers: [String]
  /// The running statistics: what steps change and `evaluate` reads beside the parameters.
  private let statistics: [String]
  /// How long steps waited for communication that had not ended with the backward pass, in seconds.
  public private(set) var waited = 0.0

  private static let step = "train_step"

  /// Prepares a model for training, in all processes at once.
  ///
  /// - Parameter threads: Threads of each process.
  /// - Throws: That the model has no step which hands its gradients out, and what compilation and communication throw.
  public init(
    _ model: CompiledModel, _ group: ProcessGroup, hook: CommunicationHook = .allReduce,
    threads: Int = getNumThreads()
  ) throws(DiagnosticsError) {
    let program = try model.function(named: Self.step).executable().program
    guard !program.exchangedGradients.isEmpty else {
      throw DiagnosticsError(
        "\(Self.step) keeps its gradients to itself", help: "give TrainingOptions a number of bytes for bucketBytes")
    }
    var session = try model.session(threads: threads)
    try session.decodeState(group.broadcast(session.encodedState()))
    self.session = session
    self.group = group
    self.hook = hook
    results = program.outputs
    inputs = program.inputs
    let evaluation = model.functions.first { $0.name == "evaluate" }
    statistics = evaluation?.graph.variables.filter { $0.role == .buffer }.map(\.name) ?? []
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
    try step(inputs + runtime, share: 1 / Double(group.size), isActive: true)
  }

  /// - Parameters:
  ///   - share: What sums over the processes are multiplied with.
  ///   - isActive: Whether this process's gradients and results count.
  private mutating func step(
    _ inputs: [NDArray], share: Double, isActive: Bool
  ) throws(DiagnosticsError) -> [String: NDArray] {
    var communication = Communication(group: group, hook: hook, share: Float(share), isActive: isActive)
    let outputs = try session.run(Self.step, inputs, exchange: &communication)
    waited += communication.waited
    var means: [String: NDArray] = [:]
    for (port, output) in zip(results, outputs) {
      let own = isActive ? output.converted(to: .f64) : try NDArray.zeros(.f64, output.shape)
      let sum = try group.allReduce(own)
      let mean = try NDArray(sum.doubles.map { $0 * share }, shape: output.shape)
      means[port.name] = mean.converted(to: output.dtype)
    }
    return means
  }

  /// One step for batches that some processes have and others have no more: `Join`.
  ///
  /// A process whose batches have ended adds zeros to the gradients until the others have ended, too; it runs the step on a
  /// batch of zeros for that, of which neither its running statistics nor any result keep anything.
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
    if let inputs { return try step(inputs + runtime, share: share, isActive: true) }
    var kept: [String: NDArray] = [:]
    for name in statistics { kept[name] = try session.variable(named: name) }
    var zeros: [NDArray] = []
    for port in self.inputs.dropLast(runtime.count) {
      zeros.append(try NDArray.zeros(port.type.dtype, port.type.shape.compactMap(\.known)))
    }
    let means = try step(zeros + runtime, share: share, isActive: false)
    try session.restoreState(kept)
    return means
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
private struct Communication: GradientExchange {
  let group: ProcessGroup
  let hook: CommunicationHook
  /// What sums are multiplied with.
  let share: Float
  /// Whether this process's gradients count; else zeros take their place.
  let isActive: Bool
  private(set) var waited = 0.0
  /// The buckets that are ready, in their order, and their sums that have been begun and not waited for.
  private var buckets: [UnsafeMutableBufferPointer<Float>] = []
  private var requests: [lathe_mpi_request?] = []

  init(group: ProcessGroup, hook: CommunicationHook, share: Float, isActive: Bool) {
    self.group = group
    self.hook = hook
    self.share = share
    self.isActive = isActive
  }

  mutating func ready(_ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>) throws(DiagnosticsError) {
    if !isActive { gradients.update(repeating: 0) }
    buckets.append(gradients)
    switch hook {
    case .allReduce:
      var request = lathe_mpi_request()
      try ProcessGroup.check(
        lathe_mpi_start_all_reduce(
          gradients.baseAddress, try ProcessGroup.count(gradients.count), ProcessGroup.type(.f32),
          ReduceOperation.sum.code, &request), "allReduce")
      requests.append(request)
    case .compressed(let type):
      try exchange(gradients) { (bucket, group) throws(DiagnosticsError) in
        let parts = try group.allGather(bucket.converted(to: type))
        var sum = [Float](repeating: 0, count: bucket.count)
        for part in parts {
          for (position, number) in (part.converted(to: .f32).elements(as: Float.self) ?? []).enumerated() {
            sum[position] += number
          }
        }
        return NDArray(sum)
      }
      requests.append(nil)
    case .custom(let function):
      try exchange(gradients, function)
      requests.append(nil)
    }
    // What was begun goes on in calls of MPI only.
    for position in requests.indices.dropLast() {
      guard var request = requests[position] else { continue }
      var isDone: Int32 = 0
      try ProcessGroup.check(lathe_mpi_test(&request, &isDone), "test")
      requests[position] = isDone == 0 ? request : nil
    }
  }

  mutating func wait(_ bucket: Int) throws(DiagnosticsError) {
    if var request = requests[bucket] {
      let start = ContinuousClock.now
      try ProcessGroup.check(lathe_mpi_wait(&request), "wait")
      waited += (ContinuousClock.now - start) / .seconds(1)
      requests[bucket] = nil
    }
    let gradients = buckets[bucket]
    for position in gradients.indices { gradients[position] *= share }
  }

  /// Replaces a bucket's numbers by what a function makes of them.
  private func exchange(
    _ gradients: UnsafeMutableBufferPointer<Float>,
    _ function: (NDArray, ProcessGroup) throws(DiagnosticsError) -> NDArray
  ) throws(DiagnosticsError) {
    let sum = try function(NDArray(Array(gradients)), group)
    guard sum.dtype == .f32, sum.shape == [gradients.count], let elements = sum.elements(as: Float.self) else {
      throw DiagnosticsError("the hook gives \(sum.type) for a bucket f32[\(gradients.count)]")
    }
    _ = gradients.update(fromContentsOf: elements)
  }
}
