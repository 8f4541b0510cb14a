import ArgumentParser
import Foundation
import Lathe
import LatheC
import LatheCore
import LatheData

/// `train`: the model's parameters are moved, natively.
struct TrainCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "train", abstract: "Train the model on arrays, and write what it has learned.",
      discussion: """
        Where the model's batch is a symbol, it becomes --batch-size; where it is a number that divides --batch-size, \
        gradients are gathered over several runs. Samples are shuffled in every epoch; those that do not fill a batch \
        are left out. Ctrl-C ends the training after the present step, and writes what is there; with --resume and the \
        same options, it goes on to the bit.
        """)
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions
  @OptionGroup var settings: TrainingSettings

  @Option(help: ArgumentHelp("The samples, along the first axis.", valueName: "X.npy"))
  var inputs: String

  @Option(help: ArgumentHelp("Their targets, along the first axis.", valueName: "Y.npy"))
  var targets: String

  @Option(
    help: ArgumentHelp("How often every sample is seen, before --resume and after. (default: 1)", valueName: "N"),
    transform: wholeNumber(from: 1))
  var epochs = 1

  @Option(
    help: ArgumentHelp("How many samples make one step. (default: 32)", valueName: "B"),
    transform: wholeNumber(from: 1))
  var batchSize = 32

  @Option(
    help: ArgumentHelp("What the order of the samples depends on. (default: 0)", valueName: "S"),
    transform: wholeNumber(from: 0))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Go on from what a training before has written.", valueName: "FILE.npz|.safetensors|.pt"))
  var resume: String?

  @Option(
    help: ArgumentHelp("How many threads to use; by default one for each core.", valueName: "T"),
    transform: wholeNumber(from: 1))
  var threads: Int?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write: the whole state, from which --resume goes on, or the model with its new parameters.",
      valueName: "FILE.npz|.safetensors|.pt|.lathe|.onnx"))
  var output: String

  func validate() throws {
    guard StateFormat(path: output) != nil || output.hasSuffix(".lathe") || output.hasSuffix(".onnx") else {
      throw ValidationError(
        "'\(output)' names no form of a trained model: its suffix must be .lathe, .onnx, \(StateFormat.suffixes)")
    }
  }

  func perform() throws {
    try requireWritable(output)
    if output.hasSuffix(".onnx") { _ = try model.files(withParameters: [:], for: output) }
    var samples = try Samples(NDArray(readingNPY: inputs), NDArray(readingNPY: targets), targetsFile: targets)
    var bindings = try known.bindings(of: model, trainable: true)
    let graph = try bound(model.boundGraph(bindings), like: samples.inputs)
    bindings.evaluating = true
    let inference = try model.boundGraph(bindings)
    let evaluation = try bound(inference, like: samples.inputs)
    guard graph.inputs.count == 1, let input = graph.inputs.first else {
      throw DiagnosticsError("the model has \(graph.inputs.count) inputs, training from files takes one")
    }
    guard let batch = graph.type(of: input).shape.first?.known, batch > 0, batchSize % batch == 0 else {
      throw DiagnosticsError(
        "input '\(graph.inputName(input))' is \(graph.type(of: input)), whose batch does not divide \(batchSize)",
        help: "give a multiple as --batch-size")
    }
    let trained = try settings.model(graph, evaluation: evaluation, name: graph.name, accumulation: batchSize / batch)
    samples = try samples.checked(against: trained.function(named: "train_step"), files: [inputs, targets])
    if let classes = try graph.classCount(for: settings.loss, of: settings.lossOutput) {
      try samples.check(classes: classes, file: targets)
    }
    guard samples.count >= batchSize else {
      throw DiagnosticsError(
        "there are \(samples.count) samples, fewer than one batch of \(batchSize)", location: Location(file: inputs))
    }
    let state = try resume.map { path throws(DiagnosticsError) in try self.state(path, of: trained, samples) }
    note(trained)
    var options = CompileOptions.shown
    let compiler = try CCompiler.system()
    options.targets = [compiler.hostTarget()]
    let compiled = try compile(trained, options: options)
    Console.progress("compiling C")
    var native = try compiled.native(threads: min(threads ?? ProcessInfo.processInfo.activeProcessorCount, 64))
    Console.endProgress()
    if let state { try native.restoreState(state) }
    try train(&native, samples, batch: batch, of: compiled)
    try write(native, inference, parameters: graph.variables.filter { $0.role == .parameter }.map(\.name))
  }

  /// The state that a training before has written.
  ///
  /// - Throws: That it is another training's, or that no epoch is left.
  private func state(
    _ path: String, of trained: Model, _ samples: Samples
  ) throws(DiagnosticsError) -> [String: NDArray] {
    let state = try load(path)
    let place = Location(file: path)
    let names = Set(trained.variables.map(\.name))
    let foreign = state.keys.filter { !names.contains($0) }.sorted()
    if let first = foreign.first {
      throw DiagnosticsError(
        "is the state of another training: \(foreign.count) of its arrays are unknown here, '\(first)' the first",
        location: place, help: "give the model and the --optimizer that it was written with")
    }
    guard let done = state["optimizer.step"]?.integers.first else {
      Console.report([
        Diagnostic(
          "has no state of an optimizer: the training begins with its weights", severity: .warning, location: place)
      ])
      return state
    }
    guard done >= 0 else { throw DiagnosticsError("has \(done) steps done, which no training has", location: place) }
    let perEpoch = samples.count / batchSize
    guard done / perEpoch < epochs else {
      throw DiagnosticsError(
        "has \(done) steps done, and \(epochs) epochs are of \(perEpoch) each", location: place,
        help: "--epochs counts all epochs, those before --resume too; its steps are of the same --batch-size")
    }
    return state
  }

  /// Says what is trained.
  private func note(_ trained: Model) {
    let parameters = trained.variables.filter { $0.role == .parameter }
    let numbers = parameters.reduce(0) { $0 + $1.initial.count }
    let names = parameters.prefix(8).map(\.name) + (parameters.count > 8 ? ["\(parameters.count - 8) more"] : [])
    Console.note("trains \(numbers.grouped) numbers: \(names.joined(separator: ", "))")
  }

  /// The graph with the symbols of its input bound: the first size to the batch, the others to those of the samples.
  private func bound(_ graph: Graph, like samples: NDArray) throws(DiagnosticsError) -> Graph {
    guard let input = graph.inputs.first else { return try fullyBound(graph) }
    var sizes: [String: Int] = [:]
    for (size, given) in zip(graph.type(of: input).shape, [batchSize] + samples.shape.dropFirst()) {
      guard let symbol = size.symbols.first, size == Dim(symbol: symbol), sizes[symbol] == nil, given > 0 else {
        continue
      }
      sizes[symbol] = given
    }
    return try fullyBound(graph.binding(sizes))
  }

  private func train(
    _ native: inout NativeModel, _ samples: Samples, batch: Int, of compiled: CompiledModel
  ) throws(DiagnosticsError) {
    let step = try compiled.function(named: "train_step").planned.program
    let perEpoch = samples.count / batchSize
    let runs = batchSize / batch
    let done = try native.variable(named: "optimizer.step").integers[0]
    let interruption = Interruption()
    var outputs = step.makeOutputs()
    for epoch in done / perEpoch..<epochs {
      let order = samples.order(seed: seed, epoch: epoch)
      var sums = [Double](repeating: 0, count: outputs.count)
      let first = max(done - epoch * perEpoch, 0)
      let start = ContinuousClock.now
      var count = 0
      for position in first * runs..<perEpoch * runs {
        let batch = samples.batch(order[position * batch..<(position + 1) * batch])
        try native.run("train_step", [batch.inputs, batch.targets, settings.learningRate], into: &outputs)
        for (index, output) in outputs.enumerated() { sums[index] += output.doubles[0] }
        count += 1
        if count % 16 == 0 { Console.progress("epoch \(epoch + 1)/\(epochs), step \(position / runs + 1)/\(perEpoch)") }
        if interruption.isRequested, (position + 1) % runs == 0 { break }
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      Console.endProgress()
      for (output, sum) in zip(step.outputs, sums) where output.name == "loss" && !sum.isFinite {
        throw DiagnosticsError(
          "the loss is \(sum) in epoch \(epoch + 1): nothing is written",
          help: samples.isFinite ? "try a smaller --lr, or --clip-norm" : "there are NaN or infinities in the samples")
      }
      let numbers = zip(step.outputs, sums).map { "\($0.name) \(String(format: "%.4f", $1 / Double(max(count, 1))))" }
      let speed = Int(Double(count * batch) / max(seconds, 1e-9)).grouped
      try Console.output(
        "epoch \(epoch + 1)/\(epochs): \(numbers.joined(separator: ", ")), \(speed) samples/s\n")
      if interruption.isRequested {
        Console.note("interrupted; --resume goes on from what is written")
        return
      }
    }
  }

  /// - Parameters:
  ///   - inference: What predicts, for any size of the batch that the model is for.
  ///   - parameters: The names of those that the `.onnx` file has, where the model is in one.
  private func write(
    _ native: borrowing NativeModel, _ inference: Graph, parameters: [String]
  ) throws(DiagnosticsError) {
    let state = native.savedState()
    if let form = ModelForm(path: output) {
      let parameters = Set(parameters)
      let own =
        form == .onnx
        ? try model.files(withParameters: state.filter { parameters.contains($0.key) }, for: output) : nil
      if let own {
        try own.writeAtomically()
      } else {
        var learned = inference.settingVariables(state)
        learned.name = "predict"
        try form.files(of: Model(learned), path: output).writeAtomically()
      }
    } else {
      try save(
        native.variableNames.compactMap { name in state[name].map { NamedArray(name: name, array: $0) } }, output)
    }
    Console.note("wrote \(output)")
  }
}

/// Arrays of samples, along their first axis.
private struct Samples {
  let inputs: NDArray
  let targets: NDArray
  let count: Int

  init(_ inputs: NDArray, _ targets: NDArray, targetsFile: String) throws(DiagnosticsError) {
    guard let count = inputs.shape.first, count == targets.shape.first else {
      throw DiagnosticsError(
        "the inputs are \(inputs.type), the targets \(targets.type): not one for each sample",
        location: Location(file: targetsFile))
    }
    self.inputs = inputs
    self.targets = targets
    self.count = count
  }

  /// Whether no number among them is NaN or infinite.
  var isFinite: Bool { !inputs.dtype.isFloat || inputs.doubles.allSatisfy(\.isFinite) }

  /// Checks that targets are classes, or the one that losses leave out.
  func check(classes count: Int, file: String) throws(DiagnosticsError) {
    let values = targets.integers
    guard let position = values.firstIndex(where: { !(0..<count).contains($0) && $0 != -100 }) else { return }
    let sample = position / max(values.count / max(self.count, 1), 1)
    throw DiagnosticsError(
      "sample \(sample) has the class \(values[position]), and the model's are 0 to \(count - 1)",
      location: Location(file: file))
  }

  /// The samples in the types that a step takes; integers of other widths are converted.
  func checked(against step: Graph, files: [String]) throws(DiagnosticsError) -> Samples {
    var arrays = [inputs, targets]
    var faults: [Diagnostic] = []
    for (position, type) in step.inputs.prefix(2).map({ step.type(of: $0) }).enumerated() {
      let array = arrays[position]
      if array.dtype.isInteger, type.dtype.isInteger, array.dtype != type.dtype,
        array.dtype.byteCount < type.dtype.byteCount
      {
        arrays[position] = array.converted(to: type.dtype)
      }
      guard arrays[position].dtype != type.dtype || array.type.shape.dropFirst() != type.shape.dropFirst() else {
        continue
      }
      faults.append(
        Diagnostic(
          "the \(position == 0 ? "inputs" : "targets") are \(array.type), of which the model takes \(type)",
          location: Location(file: files[position]), help: Self.help(array.type, type)))
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    return try Samples(arrays[0], arrays[1], targetsFile: files[1])
  }

  /// How NumPy makes of an array what a step takes; nil where that is not told.
  private static func help(_ given: TensorType, _ wanted: TensorType) -> String? {
    var calls: [String] = []
    if let sizes = Array(wanted.shape.dropFirst()).known, given.shape.dropFirst() != wanted.shape.dropFirst() {
      guard Array(given.shape.dropFirst()).elementCount == Array(wanted.shape.dropFirst()).elementCount else {
        return nil
      }
      calls.append("reshape(\(([-1] + sizes).map(String.init).joined(separator: ", ")))")
    }
    let types: [ScalarType: String] = [
      .f32: "float32", .f64: "float64", .f16: "float16", .i64: "int64", .i32: "int32", .u8: "uint8", .bool: "bool",
    ]
    if given.dtype != wanted.dtype {
      guard let name = types[wanted.dtype] else { return nil }
      calls.append("astype('\(name)')")
    }
    return "in NumPy: x.\(calls.joined(separator: "."))"
  }

  /// The samples in the order of an epoch.
  func order(seed: UInt64, epoch: Int) -> [Int] {
    var generator = SplitMix64(seed: seed &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(epoch))
    return Array(0..<count).shuffled(using: &generator)
  }

  func batch(_ rows: ArraySlice<Int>) -> (inputs: NDArray, targets: NDArray) {
    (inputs.rows(at: rows), targets.rows(at: rows))
  }
}

/// Ctrl-C, noted to be obeyed when a step is done.
private struct Interruption {
  private let source: any DispatchSourceSignal
  private let flag = Flag()

  private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
  }

  init() {
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { [flag] in flag.set() }
    source.resume()
  }

  var isRequested: Bool { flag.isSet }
}
