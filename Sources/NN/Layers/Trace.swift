public import LatheCore

/// How a model is traced.
public struct TraceOptions: Sendable {
  /// The graph's name.
  public var name: String
  /// The names of the inputs.
  ///
  /// By default `input`, `input1`, …
  public var inputNames: [String]
  /// Whether layers behave as in training: batch statistics, updates of running averages.
  public var isTraining: Bool
  /// The contents of the parameters by name; empty for drawn ones.
  ///
  /// Buffers that are missing keep their initial content.
  public var parameters: [String: NDArray]
  /// What drawn parameters depend on.
  public var seed: UInt64
  /// The element type of all float parameters and buffers, PyTorch's `model.double()`; their own by default.
  public var floatType: ScalarType?
  /// Called with what every layer gives, inner ones first: PyTorch's forward hooks.
  ///
  /// Layers are the library's, those that keep a ``LayerIdentity``, and whatever stands in a ``Sequential``.
  public var forwardHook: (@Sendable (LayerOutput) -> Void)?

  /// Makes it from its parts.
  public init(
    name: String = "main", inputNames: [String] = [], isTraining: Bool = false, parameters: [String: NDArray] = [:],
    seed: UInt64 = 0, floatType: ScalarType? = nil
  ) {
    self.floatType = floatType
    self.name = name
    self.inputNames = inputNames
    self.isTraining = isTraining
    self.parameters = parameters
    self.seed = seed
  }
}

/// What a layer gave when a model was traced.
public struct LayerOutput: Sendable {
  /// The layer's place in the model.
  public let path: String
  /// The types of its results.
  public let types: [TensorType]
}

/// Records what a model computes as a graph, given the types of its arguments.
///
/// - Throws: All mistakes in the model at once.
public func trace<M: Module, each Argument: TracedArgument>(
  _ module: M, _ inputs: TensorType..., name: String = "main", inputNames: [String] = [], isTraining: Bool = false,
  parameters: [String: NDArray] = [:], seed: UInt64 = 0
) throws(DiagnosticsError) -> Graph where M.Input == (repeat each Argument) {
  try trace(
    module, inputs: inputs,
    options: TraceOptions(
      name: name, inputNames: inputNames, isTraining: isTraining, parameters: parameters, seed: seed)
  ) { builder, tensors in
    var wanted = 0
    repeat (each Argument).count(&wanted)
    guard tensors.count == wanted else {
      builder.report(Diagnostic("\(tensors.count) input types are given for a module of \(wanted) tensors"))
      return [builder.poison] as [Any]
    }
    var rest = tensors[...]
    return [module((repeat (each Argument).first(of: &rest)))] as [Any]
  }
}

/// What a traced module takes: tensors.
public protocol TracedArgument: SendableMetatype {
  /// The next argument.
  static func first(of tensors: inout ArraySlice<Tensor>) -> Self
}

extension TracedArgument {
  fileprivate static func count(_ count: inout Int) { count += 1 }
}

extension Tensor: TracedArgument {
  /// The next argument.
  public static func first(of tensors: inout ArraySlice<Tensor>) -> Tensor { tensors.removeFirst() }
}

/// Records what a function of one tensor computes as a graph.
///
/// - Throws: All mistakes in the function at once.
public func trace<Result>(
  _ input: TensorType, options: TraceOptions = TraceOptions(), _ body: (Tensor) -> Result
) throws(DiagnosticsError) -> Graph {
  try trace(nil, inputs: [input], options: options) { body($1[0]) }
}

/// Records what a function of two tensors computes as a graph.
///
/// - Throws: All mistakes in the function at once.
public func trace<Result>(
  _ first: TensorType, _ second: TensorType, options: TraceOptions = TraceOptions(),
  _ body: (Tensor, Tensor) -> Result
) throws(DiagnosticsError) -> Graph {
  try trace(nil, inputs: [first, second], options: options) { body($1[0], $1[1]) }
}

/// Records what a function of three tensors computes as a graph.
///
/// - Throws: All mistakes in the function at once.
public func trace<Result>(
  _ first: TensorType, _ second: TensorType, _ third: TensorType, options: TraceOptions = TraceOptions(),
  _ body: (Tensor, Tensor, Tensor) -> Result
) throws(DiagnosticsError) -> Graph {
  try trace(nil, inputs: [first, second, third], options: options) { body($1[0], $1[1], $1[2]) }
}

/// Records what a function of any number of tensors computes as a graph: the general form of `trace`.
///
/// - Parameters:
///   - model: What to look for parameters in, by a walk over its stored properties.
///   - body: Given the builder, for tensors from nothing, and one tensor for each input. The result is a tensor, or a
///     tuple, array, dictionary or struct of tensors, whose labels name the outputs: `output`, `output1`, … without.
/// - Throws: All mistakes in the function at once.
public func trace<Result>(
  _ model: (any Parameterized)? = nil, inputs: [TensorType], options: TraceOptions = TraceOptions(),
  _ body: (Builder, [Tensor]) -> Result
) throws(DiagnosticsError) -> Graph {
  let names = ModuleNames(
    model, values: options.parameters, seed: options.seed, floatType: options.floatType,
    forwardHook: options.forwardHook)
  let builder = Builder(isTraining: options.isTraining, context: names)
  builder.report(names.diagnostics)
  if !options.inputNames.isEmpty, options.inputNames.count != inputs.count {
    builder.report(Diagnostic("\(options.inputNames.count) input names are given for \(inputs.count) inputs"))
  }
  let tensors = inputs.enumerated().map { position, type in
    builder.input(
      options.inputNames.indices.contains(position) ? options.inputNames[position] : numbered("input", position), type)
  }
  // Declared first, so that variables are in the order of the model whatever the order of their use.
  for variable in names.ordered { _ = builder.variable(variable) }
  let outputs = Builder.$current.withValue(builder) { namedTensors(body(builder, tensors), in: builder) }
  return try builder.finish(name: options.name, outputs: outputs)
}

extension Builder {
  /// The parameters of the model that is traced which require gradients, in its order.
  public var parameters: [(name: String, tensor: Tensor)] {
    let variables = (context as? ModuleNames)?.trained ?? []
    return variables.map { ($0.name, variable($0)) }
  }
}

func numbered(_ stem: String, _ position: Int) -> String { position == 0 ? stem : "\(stem)\(position)" }

/// The tensors in a result of any kind, in order.
func tensors(in value: Any) -> [Tensor] {
  if let tensor = value as? Tensor { return [tensor] }
  if let list = value as? TensorList { return Array(list) }
  let mirror = Mirror(reflecting: value)
  guard [.optional, .tuple, .struct, .collection].contains(mirror.displayStyle) else { return [] }
  return mirror.children.flatMap { tensors(in: $0.value) }
}

/// Outputs with names in an order that matters.
struct NamedOutputs {
  let all: [(name: String?, tensor: Tensor)]
}

/// The tensors in a traced function's result with their names.
func namedTensors(_ result: Any, in builder: Builder) -> [(name: String, tensor: Tensor)] {
  var found: [(name: String?, tensor: Tensor)] = []
  func walk(_ value: Any, _ path: String?) {
    if let tensor = value as? Tensor { return found.append((path, tensor)) }
    if let outputs = value as? NamedOutputs { return found.append(contentsOf: outputs.all) }
    if let list = value as? TensorList { return list.forEach { walk($0, path) } }
    if let dictionary = value as? [String: Any] {
      for key in dictionary.keys.sorted() { if let child = dictionary[key] { walk(child, joined(path, key)) } }
      return
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: if let child = mirror.children.first { walk(child.value, path) }
    case .tuple, .struct, .collection:
      for child in mirror.children {
        // Unlabelled elements of tuples are `.0`, `.1`; they and those of arrays are numbered through.
        let label = child.label.flatMap { $0.hasPrefix(".") ? nil : $0 }
        walk(child.value, label.map { joined(path, $0) ?? $0 } ?? path)
      }
    default:
      builder.report(
        Diagnostic(
          "the traced function gives a \(Swift.type(of: value)), which holds no tensors",
          help: "return a tensor, or a tuple, array, dictionary or struct of tensors"))
    }
  }
  func joined(_ path: String?, _ name: String) -> String? { path.map { "\($0).\(name)" } ?? name }
  walk(result, nil)
  if found.isEmpty { builder.report(Diagnostic("the traced function gives no tensor")) }
  // A name that several unlabelled tensors share is numbered.
  var counts: [String: Int] = [:]
  return found.map { path, tensor in
    let stem = path ?? "output"
    let position = counts[stem, default: 0]
    counts[stem] = position + 1
    return (numbered(stem, position), tensor)
  }
}
