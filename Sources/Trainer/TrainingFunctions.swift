import Lathe
import LatheCore

/// The functions of a model that is trained, compiled for every size of batch that comes, over one state.
///
/// A compiled function has one size. For each there is a program of its own, and the state goes along from one to the other.
final class TrainingFunctions {
  /// A function and the types of its inputs.
  private struct Key: Hashable {
    let function: String
    let inputs: [TensorType]
  }

  /// The model's functions for some types of inputs and targets.
  private let build: ([TensorType], [TensorType]) throws(DiagnosticsError) -> LatheCore.Model
  /// The model alone for some types of inputs.
  private let prediction: ([TensorType]) throws(DiagnosticsError) -> Graph
  private let backend: TrainerBackend
  private var programs: [Key: any FunctionProgram] = [:]
  /// Which state each program has; the present one's number, the program that has it, or arrays that were loaded.
  private var versions: [Key: Int] = [:]
  private var version = 0
  private var owner: (any FunctionProgram)?
  private var loaded: [String: NDArray]

  init(
    _ state: [String: NDArray], _ backend: TrainerBackend,
    build: @escaping ([TensorType], [TensorType]) throws(DiagnosticsError) -> LatheCore.Model,
    prediction: @escaping ([TensorType]) throws(DiagnosticsError) -> Graph
  ) {
    loaded = state
    self.backend = backend
    self.build = build
    self.prediction = prediction
  }

  /// The contents of all variables: of the model, and of the optimizer once it has made a step.
  var state: [String: NDArray] {
    get { loaded.merging(owner?.state ?? [:]) { $1 } }
    set {
      loaded = newValue
      owner = nil
      version += 1
    }
  }

  /// Makes a step.
  ///
  /// - Parameter hyperparameters: What the step takes behind its targets.
  /// - Returns: The names of its outputs, and these.
  func step(
    _ inputs: [NDArray], _ targets: [NDArray], _ hyperparameters: [NDArray]
  ) throws(DiagnosticsError) -> (names: [String], outputs: [NDArray]) {
    let key = Key(function: "train_step", inputs: (inputs + targets).map(\.type))
    let program = try program(key, inputs, targets.map(\.type))
    let outputs = try program.run(inputs + targets + hyperparameters)
    version += 1
    versions[key] = version
    owner = program
    return (program.outputNames, outputs)
  }

  /// The loss and what metrics make of a batch.
  func evaluate(
    _ inputs: [NDArray], _ targets: [NDArray]
  ) throws(DiagnosticsError) -> (names: [String], outputs: [NDArray]) {
    let key = Key(function: "evaluate", inputs: (inputs + targets).map(\.type))
    let program = try program(key, inputs, targets.map(\.type))
    return (program.outputNames, try program.run(inputs + targets))
  }

  /// The model's outputs.
  func predict(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    let key = Key(function: "predict", inputs: inputs.map(\.type))
    return try program(key, inputs, nil).run(inputs)
  }

  /// The program of a function, with the present state.
  private func program(
    _ key: Key, _ inputs: [NDArray], _ targets: [TensorType]?
  ) throws(DiagnosticsError) -> any FunctionProgram {
    let program: any FunctionProgram
    if let known = programs[key] {
      program = known
    } else {
      let types = inputs.map(\.type)
      let function =
        if let targets { try build(types, targets).function(named: key.function) } else { try prediction(types) }
      program = try backend.program(function)
      programs[key] = program
    }
    if versions[key] != version {
      try program.restore(state)
      versions[key] = version
    }
    return program
  }
}

/// What runs a trainer's functions.
public enum TrainerBackend: Sendable {
  /// Machine code, by way of the system's C compiler.
  case native(threads: Int = 1)
  /// The interpreter, which needs no compiler.
  case interpreter(threads: Int = 1)

  fileprivate func program(_ function: Graph) throws(DiagnosticsError) -> any FunctionProgram {
    var options = CompileOptions()
    // What is no update here is one of the step's: variables stay variables.
    if function.updates.isEmpty { options.pipeline = .inference.without("freeze-variables") }
    let compiled = try compile(function, options: options)
    switch self {
    case .native(let threads): return CompiledProgram(try compiled.native(threads: threads), function)
    case .interpreter(let threads): return CompiledProgram(try compiled.session(threads: threads), function)
    }
  }
}

/// A compiled function with its state.
private protocol FunctionProgram: AnyObject {
  var outputNames: [String] { get }
  var state: [String: NDArray] { get }
  func restore(_ state: [String: NDArray]) throws(DiagnosticsError)
  func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray]
}

/// What can run one function: a session or native code.
private protocol Runnable: ~Copyable {
  var variableNames: [String] { get }
  func savedState() -> [String: NDArray]
  mutating func restoreState(_ saved: [String: NDArray]) throws(DiagnosticsError)
  mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray]
}

extension Session: Runnable {}
extension NativeModel: Runnable {}

private final class CompiledProgram<Content: Runnable & ~Copyable>: FunctionProgram {
  private var content: Content
  private let types: [String: ScalarType]
  let outputNames: [String]

  init(_ content: consuming Content, _ function: Graph) {
    self.content = content
    outputNames = function.outputs.map(\.name)
    types = Dictionary(function.variables.map { ($0.name, $0.type.dtype) }) { first, _ in first }
  }

  var state: [String: NDArray] { content.savedState() }

  /// Takes over what belongs to the function, in its types.
  func restore(_ state: [String: NDArray]) throws(DiagnosticsError) {
    var own: [String: NDArray] = [:]
    for name in content.variableNames {
      guard let array = state[name], let type = types[name] else { continue }
      own[name] = array.converted(to: type)
    }
    try content.restoreState(own)
  }

  func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] { try content.run(inputs) }
}
