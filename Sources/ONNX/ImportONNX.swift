internal import Foundation
public import LatheCore

/// Builds the graph of an ONNX model.
///
/// Initializers become constants, also where they are declared as inputs too. Axes of the inputs that have no size become
/// symbols. What the file declares of other shapes is a hint, on which nothing depends. A sequence `s` that is an input or
/// output is `s.0`, `s.1` and so on: as many as `lengths` says or `bindings` has arrays for. An optional that holds nothing
/// is no input or output of the graph.
///
/// - Parameters:
///   - path: The `.onnx` file. Tensors in external files are read from its folder, and from nowhere else.
///   - dims: Sizes for symbolic axes.
///   - constants: Inputs that are constants.
///   - bindings: Arrays that inputs will be given: their shapes bind symbols; their values are used, and the input becomes
///     a constant, only where the input's value decides what is built.
///   - trainable: Whether initializers of float types become variables, which have gradients, in place of constants;
///     not where their values decide what is built, nor single numbers that are constants of the computation: scales
///     and epsilons, which only element-wise operators read and no module's path names.
///   - evaluating: Whether nodes that the file has in training mode, batch normalization and dropout, are taken as in
///     inference: what `evaluate` and `predict` are of a model that is trained further.
///   - maxima: The capacities that sizes will get (`Graph.limiting`). Inputs of `bindings` that decide a size stay inputs
///     where such a size is among these.
///   - lengths: The numbers of tensors in inputs that are sequences.
///   - absent: The optional inputs that hold nothing; all others hold something.
///   - warning: Takes remarks about the file that do not stop the import.
/// - Throws: All mistakes in the model; operators that are not supported are listed first, each with its nodes.
public func importONNX(
  path: String, dims: [String: Int] = [:], constants: [String: NDArray] = [:], bindings: [String: NDArray] = [:],
  trainable: Bool = false, evaluating: Bool = false, maxima: [String: Int] = [:],
  lengths: [String: Int] = [:], absent: Set<String> = [], warning: (Diagnostic) -> Void = { _ in }
) throws(DiagnosticsError) -> Graph {
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
  return try Model(try Onnx_ModelProto(reading: path), file: path, external: ExternalData(folder: folder))
    .graph(
      dims, constants, bindings, trainable: trainable, evaluating: evaluating, maxima: maxima, lengths: lengths,
      absent: absent, warning)
}

/// Builds the graph of an ONNX model that is in memory; its tensors cannot be in external files.
///
/// - Parameter file: The name that messages give to the model.
/// - Throws: As `importONNX(path:dims:constants:bindings:trainable:evaluating:maxima:lengths:absent:warning:)`.
public func importONNX(
  bytes: [UInt8], file: String = "model.onnx", dims: [String: Int] = [:], constants: [String: NDArray] = [:],
  bindings: [String: NDArray] = [:], trainable: Bool = false, evaluating: Bool = false, maxima: [String: Int] = [:],
  lengths: [String: Int] = [:], absent: Set<String> = [], warning: (Diagnostic) -> Void = { _ in }
) throws(DiagnosticsError) -> Graph {
  try Model(try Onnx_ModelProto(checking: bytes, file: file), file: file, external: nil)
    .graph(
      dims, constants, bindings, trainable: trainable, evaluating: evaluating, maxima: maxima, lengths: lengths,
      absent: absent, warning)
}

/// A parsed model.
struct Model {
  /// The versions of the standard operator set that the operators' definitions here cover.
  static let opsets = 1...28
  /// The newest version of the file format that is understood.
  static let newestFormat = 14

  let proto: Onnx_ModelProto
  let file: String
  let external: ExternalData?

  init(_ proto: Onnx_ModelProto, file: String, external: ExternalData?) {
    self.proto = proto
    self.file = file
    self.external = external
  }

  /// Imports, and does so again with inputs made constants when their values turn out to be needed.
  func graph(
    _ dims: [String: Int], _ constants: [String: NDArray], _ bindings: [String: NDArray], trainable: Bool,
    evaluating: Bool, maxima: [String: Int], lengths: [String: Int], absent: Set<String>,
    _ warning: (Diagnostic) -> Void
  ) throws(DiagnosticsError) -> Graph {
    try checkHeader()
    try checkInputs("a sequence", named: lengths.keys) { $0.sequence != nil }
    try checkInputs("optional", named: absent, where: \.isOptional)
    for (name, size) in dims where size < 0 || size > Call.largestSize {
      throw DiagnosticsError("the size \(size) for \(name) is out of range", location: Location(file: file))
    }
    let given = bindings.merging(constants) { $1 }
    let sizes = try sizes(dims, given.mapValues(\.type))
    var used = constants
    var variables = trainable ? proto.graph.parameterNames : []
    while true {
      let mode = trainable ? Importer.Mode.training(evaluating: evaluating) : .inference
      let importer = Importer(file: file, external: external, dims: sizes, functions: proto.functions, mode: mode)
      importer.maxima = maxima
      importer.lengths = lengths
      importer.absent = absent
      let graph: Graph
      do {
        graph = try importer.graph(proto, constants: used, given: given.mapValues(\.type), variables: variables)
      } catch {
        // What follows may want to know a size that data decides, too.
        let asked = importer.neededInputs.union(importer.decidingInputs)
        let needed = arrays(of: asked, in: bindings).filter { used[$0] == nil }
        let literals = importer.neededInputs.intersection(variables)
        if needed.isEmpty && literals.isEmpty {
          let unsupported = unsupportedOperators(importer)
          // What these leave unknown is no fault of its own.
          let found = unsupported.isEmpty ? error.diagnostics : importer.builder.diagnostics
          throw DiagnosticsError(unsupported + found)
        }
        for name in needed { used[name] = bindings[name] }
        variables.subtract(literals)
        continue
      }
      let unsupported = unsupportedOperators(importer)
      guard unsupported.isEmpty else { throw DiagnosticsError(unsupported) }
      // What is given once decides sizes here, unless they are to stay open up to a capacity.
      let deciding = arrays(of: importer.decidingInputs, in: bindings).filter { used[$0] == nil }
      if !deciding.isEmpty, !graph.capacities.contains(where: { maxima[$0.size] != nil }) {
        for name in deciding { used[name] = bindings[name] }
        continue
      }
      try checkSymbols(dims, importer, graph)
      importer.warnings.forEach(warning)
      return graph
    }
  }

  /// The names of the arrays that are given for inputs, of which a sequence has several.
  private func arrays(of inputs: Set<String>, in bindings: [String: NDArray]) -> [String] {
    let sequences = inputs.filter { bindings[$0] == nil }
    return bindings.keys.filter { name in
      inputs.contains(name) || sequences.contains { Importer.isElement(name, of: $0) }
    }
  }

  /// The sizes that options and the shapes of given arrays tell.
  func sizes(
    _ dims: [String: Int], _ given: [String: TensorType]
  ) throws(DiagnosticsError) -> [String: Int] {
    // Sizes have to be named as the graph names them: symbols that are bound already would vanish.
    let importer = Importer(file: file, external: nil, dims: [:], functions: [])
    var inputs: [(name: String, type: TensorType, given: TensorType)] = []
    for input in proto.graph.input {
      // What is wrong with a declaration is said when the input is built.
      guard let array = given[input.name], let type = try? importer.declaredType(input.type, name: input.name) else {
        continue
      }
      inputs.append((input.name, type, array))
    }
    var symbols = SymbolSizes(importer.identifiers(dims))
    try symbols.learnAll(inputs) { Location(file: file, node: inputs[$0].name) }
    return symbols.sizes.merging(dims) { $1 }
  }

  /// Checks that sizes were given for symbols that there are.
  private func checkSymbols(
    _ dims: [String: Int], _ importer: Importer, _ graph: Graph
  ) throws(DiagnosticsError) {
    try SymbolSizes.require(
      dims.keys, among: importer.boundSymbols.union(graph.symbols), at: Location(file: file))
  }

  /// Checks that inputs of a kind have the names that something was said about.
  private func checkInputs(
    _ kind: String, named names: some Collection<String>, where isOne: (Onnx_TypeProto) -> Bool
  ) throws(DiagnosticsError) {
    let known = proto.graph.input.filter { isOne($0.type) }.map(\.name)
    let unknown = names.filter { !known.contains($0) }.sorted()
    guard !unknown.isEmpty else { return }
    let help = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
    throw DiagnosticsError(
      unknown.map {
        Diagnostic("the model has no input '\($0)' that is \(kind)", location: Location(file: file), help: help)
      })
  }

  private func checkHeader() throws(DiagnosticsError) {
    let place = Location(file: file)
    guard proto.hasGraph else { throw DiagnosticsError("not an ONNX model: it has no graph", location: place) }
    guard !proto.opsetImport.isEmpty else {
      throw DiagnosticsError("not an ONNX model: it imports no operator set", location: place)
    }
    guard proto.irVersion <= Self.newestFormat else {
      throw DiagnosticsError(
        "the file is of IR version \(proto.irVersion); versions up to \(Self.newestFormat) are supported",
        location: place, help: "write it with an older version of onnx")
    }
    if let version = Importer.opsets(proto.opsetImport)[""], !Self.opsets.contains(version) {
      throw DiagnosticsError(
        "the model is in opset \(version); opsets \(Self.opsets.lowerBound) to \(Self.opsets.upperBound) are supported",
        location: place, help: "onnx.version_converter can convert it")
    }
  }

  /// Every operator that has no definition here, with its nodes; the results of such nodes are poison.
  ///
  /// Sub-graphs that are never run are left out.
  private func unsupportedOperators(_ importer: Importer) -> [Diagnostic] {
    var found: [(message: String, help: String?, unsupported: UnsupportedOperator)] = []
    func visit(_ nodes: [Onnx_NodeProto], _ opsets: [String: Int], _ path: String, _ place: String) {
      for (index, node) in nodes.enumerated() {
        let name = path + Importer.name(node, index)
        let domain = Importer.domain(node.domain)
        if importer.function(node) == nil, Operator.named(node.opType, domain: domain) == nil {
          let (opset, shown) = (opsets[domain], domain.isEmpty ? "ai.onnx" : domain)
          let version = opset.map { "opset \($0)" } ?? "which the model does not import"
          let message = "operator \(node.opType) of \(shown), \(version), is not supported"
          let known = found.firstIndex { $0.message == message } ?? found.count
          if known == found.count {
            let operation = UnsupportedOperator(name: node.opType, domain: shown, opset: opset, nodes: [])
            found.append((message, Operator.remedy(forUnknown: node.opType, domain: domain), operation))
          }
          found[known].unsupported.nodes.append(name)
        }
        for attribute in node.attribute {
          let inner = Importer.place(ofSubgraph: attribute.name, in: place + Importer.name(node, index))
          guard !importer.isSkipped(inner) else { continue }
          for graph in (attribute.hasG ? [attribute.g] : []) + attribute.graphs {
            visit(graph.node, opsets, name + "/", inner)
          }
        }
      }
    }
    visit(proto.graph.node, Importer.opsets(proto.opsetImport), "", "")
    for function in proto.functions {
      visit(
        function.node, Importer.opsets(function.opsetImport), function.name + "/", Importer.place(of: function))
    }
    return found.map { message, help, unsupported in
      let nodes = unsupported.nodes
      let more = nodes.count > 20 ? ["and \(nodes.count - 20) more"] : []
      var diagnostic = Diagnostic(
        message, operation: nil, operands: nodes.prefix(20).dropFirst().map { "node '\($0)'" } + more,
        location: Location(file: file, node: nodes.first), help: help)
      diagnostic.unsupported = unsupported
      return diagnostic
    }
  }
}

extension Importer {
  /// Builds the whole model.
  ///
  /// - Parameters:
  ///   - constants: The inputs that are constants.
  ///   - given: The types of arrays that inputs will be given.
  ///   - variables: The initializers that are variables, where their type is a float.
  func graph(
    _ model: Onnx_ModelProto, constants: [String: NDArray], given: [String: TensorType], variables: Set<String> = []
  ) throws(DiagnosticsError) -> Graph {
    let graph = model.graph
    var scope = Scope(opsets: Self.opsets(model.opsetImport))
    for tensor in graph.initializer {
      if scope.values[tensor.name] != nil { report("initializer '\(tensor.name)' is defined twice") }
      scope.values[tensor.name] = constant(tensor, in: builder, isVariable: variables.contains(tensor.name))
    }
    for tensor in graph.sparseInitializer {
      let name = tensor.values.name
      if scope.values[name] != nil { report("initializer '\(name)' is defined twice") }
      scope.values[name] = constant(tensor, in: builder)
    }
    let initialized = Set(scope.values.keys)
    var declared = Set<String>()
    for input in graph.input {
      guard declared.insert(input.name).inserted else {
        report("input '\(input.name)' is declared twice")
        continue
      }
      if initialized.contains(input.name) {
        if let value = scope.values[input.name] {
          compare(value, input.type, name: input.name, Location(file: file, node: input.name))
        }
      } else {
        scope.values[input.name] = argument(input, constants, given)
      }
    }
    let types = Dictionary(graph.valueInfo.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    run(graph.node, &scope, in: builder, checking: types)

    var outputs: [(name: String, tensor: Tensor)] = []
    var names = Set<String>()
    for output in graph.output {
      guard names.insert(output.name).inserted else {
        report("output '\(output.name)' is declared twice")
        continue
      }
      guard let operand = scope.values[output.name] else {
        report("nothing defines the output '\(output.name)'")
        continue
      }
      if case .sequence(let tensors) = operand.content {
        for (place, tensor) in tensors.enumerated() { outputs.append(("\(output.name).\(place)", tensor)) }
        continue
      }
      if case .absent = operand.content { continue }
      guard let tensor = operand.tensor(in: builder) else {
        report("output '\(output.name)' is a \(operand.type); only tensors can leave the graph")
        continue
      }
      compare(Operand(tensor), output.type, name: output.name, Location(file: file))
      outputs.append((output.name, tensor))
    }
    if graph.output.isEmpty { report("the model has no outputs") }
    let name = graph.name.isEmpty ? "main" : graph.name
    // Every fault that makes an output faulty has been reported; whoever calls says which operators are not supported.
    return try builder.finish(name: name, outputs: Array(outputs))
  }
}
