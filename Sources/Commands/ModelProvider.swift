public import ArgumentParser
public import LatheCore
public import LatheData

/// What is known of a model's inputs before it is built.
public struct ModelBindings: Sendable {
  /// The sizes that symbols stand for.
  public var dimensions: [String: Int]
  /// The most that sizes which data decides may be, where that is less than the model says.
  public var maxima: [String: Int] = [:]
  /// The numbers of tensors in inputs that are sequences, which ONNX has.
  public var lengths: [String: Int] = [:]
  /// The optional inputs that hold nothing, which ONNX has.
  public var absent: Set<String> = []
  /// Inputs that are constants, by name.
  public var constants: [String: NDArray] = [:]
  /// The arrays that inputs will be given, by name: their shapes tell sizes, and one that decides a shape must be known
  /// when a model is imported.
  public var inputs: [String: NDArray]
  /// Whether parameters are to be variables, which have names and gradients, also where they are literals in a file.
  public var trainable: Bool
  /// Whether what a file has in training mode, batch statistics and dropout, is taken as in inference.
  public var evaluating = false

  /// Collects what is known; by default nothing is.
  public init(
    dimensions: [String: Int] = [:], inputs: [String: NDArray] = [:], trainable: Bool = false,
    lengths: [String: Int] = [:], absent: Set<String> = []
  ) {
    self.dimensions = dimensions
    self.lengths = lengths
    self.absent = absent
    self.inputs = inputs
    self.trainable = trainable
  }
}

extension ModelBindings {
  /// Checks that nothing was said of sequences and optionals where a model can have none.
  func requireTensors(file: String? = nil) throws(DiagnosticsError) {
    guard let name = (Array(lengths.keys) + Array(absent)).min() else { return }
    throw DiagnosticsError(
      "the model has no input '\(name)' that is a sequence or optional", location: Location(file: file),
      help: "models of ONNX alone have such inputs")
  }
}

/// Where the subcommands get their model from: a file named on the command line, or Swift code.
///
/// A model in Swift needs one function, and may declare options of its own as properties:
///
/// ```swift
/// struct LeNetModel: ModelProvider {
///   func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
///     try trace(LeNet(), .f32(1, 1, 32, 32))
///   }
/// }
/// ```
public protocol ModelProvider: ParsableArguments {
  /// Builds the model.
  ///
  /// - Parameter bindings: What is known of the inputs. Symbols that remain in the graph are bound afterwards.
  /// - Throws: All mistakes of the model.
  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph

  /// Builds the model with all its functions, where there may be several.
  ///
  /// - Parameter bindings: As for `graph`.
  /// - Throws: All mistakes of the model.
  func model(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model

  /// The names of the inputs in order, where they can be told before the model is built, which may use their values.
  ///
  /// - Throws: What keeps the model from being read.
  func inputNames() throws(DiagnosticsError) -> [String]?

  /// The symbols of the inputs' types that would stay open, where they can be told though the model cannot be built.
  ///
  /// - Throws: What keeps the model from being read.
  func openSymbols(_ bindings: ModelBindings) throws(DiagnosticsError) -> [String]

  /// The elements of the parameters that the model's file names; nil where they are the variables of the graph.
  ///
  /// - Throws: What keeps the model from being read.
  func parameterCount() throws(DiagnosticsError) -> Int?

  /// The files of the model with other parameters, as it is in an `.onnx` file; nil where it is in none.
  ///
  /// - Parameters:
  ///   - parameters: The new contents by name.
  ///   - output: Where the model is to be written.
  /// - Throws: Parameters that the file does not have.
  func files(
    withParameters parameters: [String: NDArray], for output: String
  ) throws(DiagnosticsError) -> [FileContent]?

  /// The file that the model is in; nil for models of Swift code.
  var file: String? { get }

  /// Whether `graph` itself binds sizes and inputs, and reports names that are none; if not, that is done afterwards.
  var bindsDimensions: Bool { get }
}

extension ModelProvider {
  /// Most models are one function.
  public func model(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model { Model(try graph(bindings)) }

  /// Most models are built without a look at their inputs' values.
  public func inputNames() throws(DiagnosticsError) -> [String]? { nil }

  /// Most models are built for symbols as for numbers.
  public func openSymbols(_ bindings: ModelBindings) throws(DiagnosticsError) -> [String] { [] }

  /// Most models are Swift code, whose parameters are variables.
  public func parameterCount() throws(DiagnosticsError) -> Int? { nil }

  /// Most models are in no form of other tools.
  public func files(
    withParameters parameters: [String: NDArray], for output: String
  ) throws(DiagnosticsError) -> [FileContent]? { nil }

  /// Most models are Swift code.
  public var file: String? { nil }

  /// Most models are built without a look at sizes.
  public var bindsDimensions: Bool { false }

  /// The model with the symbols that are known replaced by their sizes.
  ///
  /// - Throws: Also names of sizes that are not symbols of the model.
  func boundGraph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    try bound(bindings) { (bindings) throws(DiagnosticsError) in Model(try graph(bindings)) }.functions[0]
  }

  /// The same of the model with all its functions.
  func boundModel(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model {
    try bound(bindings) { (bindings) throws(DiagnosticsError) in try model(bindings) }
  }

  private func bound(
    _ bindings: ModelBindings, _ build: (ModelBindings) throws(DiagnosticsError) -> Model
  ) throws(DiagnosticsError) -> Model {
    Console.progress("reading the model")
    defer { Console.endProgress() }
    let model = try build(bindings)
    if bindsDimensions { return try model.limiting(bindings.maxima) }
    try bindings.requireTensors(file: file)
    try SymbolSizes.require(bindings.dimensions.keys, among: model.symbols)
    let bound = try model.mapFunctions { (function) throws(DiagnosticsError) in
      // Names of sizes and inputs that a function does not have are another's.
      let dimensions = bindings.dimensions.filter { function.symbols.contains($0.key) }
      let names = Set(function.inputs.map(function.inputName))
      let constants =
        model.functions.count == 1 ? bindings.constants : bindings.constants.filter { names.contains($0.key) }
      return try function.binding(dimensions).fixing(constants)
    }
    return try bound.limiting(bindings.maxima)
  }
}
