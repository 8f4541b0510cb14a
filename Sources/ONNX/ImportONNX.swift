internal import Foundation
public import LatheCore

/// Builds the graph of an ONNX model.
///
/// Initializers become constants, also where they are declared as inputs too. Axes of the inputs that have no size become
/// symbols.
///
/// - Parameters:
///   - path: The `.onnx` file. Tensors in external files are read from its folder, and from nowhere else.
///   - dims: Sizes for symbolic axes.
///   - bindings: Values for inputs; they are used, and the input becomes a constant, only where the input's value
///     decides a shape.
///   - trainable: Whether initializers of float types become variables, which have gradients, in place of constants;
///     not where their values decide what is built.
///   - warning: Takes remarks about the file that do not stop the import.
/// - Throws: All mistakes in the model; operators that are not supported come alone, all at once.
public func importONNX(
  path: String, dims: [String: Int] = [:], bindings: [String: NDArray] = [:], trainable: Bool = false,
  warning: (Diagnostic) -> Void = { _ in }
) throws(DiagnosticsError) -> Graph {
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
  return try Model(try Onnx_ModelProto(reading: path), file: path, external: ExternalData(folder: folder))
    .graph(dims, bindings, trainable: trainable, warning)
}

/// Builds the graph of an ONNX model that is in memory; its tensors cannot be in external files.
///
/// - Parameter file: The name that messages give to the model.
/// - Throws: As `importONNX(path:dims:bindings:warning:)`.
public func importONNX(
  bytes: [UInt8], file: String = "model.onnx", dims: [String: Int] = [:], bindings: [String: NDArray] = [:],
  warning: (Diagnostic) -> Void = { _ in }
) throws(DiagnosticsError) -> Graph {
  try Model(try Onnx_ModelProto(checking: bytes, file: file), file: file, external: nil).graph(dims, bindings, warning)
}

/// A parsed model.
struct Model {
  /// The versions of the standard operator set that the operators' definitions here cover.
  static let opsets = 7...28

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
    _ dims: [String: Int], _ bindings: [String: NDArray], trainable: Bool = false, _ warning: (Diagnostic) -> Void
  ) throws(DiagnosticsError) -> Graph {
    try checkHeader()
    let unsupported = unsupportedOperators()
    for (name, size) in dims where size < 0 || size > Call.largestSize {
      throw DiagnosticsError("the size \(size) for \(name) is out of range", location: Location(file: file))
    }
    var used: [String: NDArray] = [:]
    var variables = Set(trainable ? proto.graph.initializer.map(\.name) : [])
    while true {
      let importer = Importer(file: file, external: external, dims: dims, functions: proto.functions)
      let graph: Graph
      do {
        graph = try importer.graph(proto, used, variables: variables)
      } catch {
        let needed = importer.neededInputs.filter { used[$0] == nil && bindings[$0] != nil }
        let literals = importer.neededInputs.intersection(variables)
        if needed.isEmpty && literals.isEmpty { throw DiagnosticsError(unsupported + error.diagnostics) }
        for name in needed { used[name] = bindings[name] }
        variables.subtract(literals)
        continue
      }
      guard unsupported.isEmpty else { throw DiagnosticsError(unsupported) }
      try checkSymbols(dims, importer, graph)
      importer.warnings.forEach(warning)
      return graph
    }
  }

  /// Checks that sizes were given for symbols that there are.
  private func checkSymbols(
    _ dims: [String: Int], _ importer: Importer, _ graph: Graph
  ) throws(DiagnosticsError) {
    let unknown = Set(dims.keys).subtracting(importer.boundSymbols).sorted()
    guard !unknown.isEmpty else { return }
    let known = importer.boundSymbols.union(graph.symbols).sorted()
    let help = known.isEmpty ? "all its sizes are numbers" : "its symbols are \(known.joined(separator: ", "))"
    throw DiagnosticsError(
      unknown.map { Diagnostic("the model has no symbol '\($0)'", location: Location(file: file), help: help) })
  }

  private func checkHeader() throws(DiagnosticsError) {
    let place = Location(file: file)
    guard proto.hasGraph else { throw DiagnosticsError("not an ONNX model: it has no graph", location: place) }
    guard !proto.opsetImport.isEmpty else {
      throw DiagnosticsError("not an ONNX model: it imports no operator set", location: place)
    }
    if let version = Importer.opsets(proto.opsetImport)[""], !Self.opsets.contains(version) {
      throw DiagnosticsError(
        "the model is in opset \(version); opsets \(Self.opsets.lowerBound) to \(Self.opsets.upperBound) are supported",
        location: place, help: "onnx.version_converter can convert it")
    }
  }

  /// Every operator that has no definition here, with its nodes; the results of such nodes are poison.
  private func unsupportedOperators() -> [Diagnostic] {
    let importer = Importer(file: file, external: nil, dims: [:], functions: proto.functions)
    var users: [String: [String]] = [:]
    var order: [(key: String, message: String)] = []
    func visit(_ nodes: [Onnx_NodeProto], _ opsets: [String: Int], _ path: String) {
      for (index, node) in nodes.enumerated() {
        let name = path + Importer.name(node, index)
        let domain = Importer.domain(node.domain)
        if importer.function(node) == nil, Operator.named(node.opType, domain: domain) == nil {
          let version = opsets[domain].map { "opset \($0)" } ?? "which the model does not import"
          let message =
            "operator \(node.opType) of \(domain.isEmpty ? "ai.onnx" : domain), \(version), is not supported"
          if users[message] == nil { order.append((message, message)) }
          users[message, default: []].append(name)
        }
        for attribute in node.attribute {
          for graph in (attribute.hasG ? [attribute.g] : []) + attribute.graphs {
            visit(graph.node, opsets, name + "/")
          }
        }
      }
    }
    visit(proto.graph.node, Importer.opsets(proto.opsetImport), "")
    for function in proto.functions { visit(function.node, Importer.opsets(function.opsetImport), function.name + "/") }
    return order.map { key, message in
      let nodes = users[key] ?? []
      let more = nodes.count > 20 ? ["and \(nodes.count - 20) more"] : []
      return Diagnostic(
        message, operation: nil, operands: nodes.prefix(20).dropFirst().map { "node '\($0)'" } + more,
        location: Location(file: file, node: nodes.first))
    }
  }
}

extension Importer {
  /// Builds the whole model.
  ///
  /// - Parameters:
  ///   - bindings: The inputs that are constants.
  ///   - variables: The initializers that are variables, where their type is a float.
  func graph(
    _ model: Onnx_ModelProto, _ bindings: [String: NDArray], variables: Set<String> = []
  ) throws(DiagnosticsError) -> Graph {
    let graph = model.graph
    var scope = Scope(opsets: Self.opsets(model.opsetImport))
    if !graph.sparseInitializer.isEmpty { report("sparse initializers are not supported") }
    for tensor in graph.initializer {
      if scope.values[tensor.name] != nil { report("initializer '\(tensor.name)' is defined twice") }
      scope.values[tensor.name] = constant(tensor, in: builder, isVariable: variables.contains(tensor.name))
    }
    let initialized = Set(scope.values.keys)
    for input in graph.input where !initialized.contains(input.name) {
      guard scope.values[input.name] == nil else {
        report("input '\(input.name)' is declared twice")
        continue
      }
      scope.values[input.name] = argument(input, bindings[input.name])
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
      guard let tensor = operand.tensor(in: builder) else {
        report("output '\(output.name)' is a \(operand.type); only tensors can leave the graph")
        continue
      }
      compare(Operand(tensor), output.type, name: output.name, Location(file: file), isOutput: true)
      outputs.append((output.name, tensor))
    }
    if graph.output.isEmpty { report("the model has no outputs") }
    let name = graph.name.isEmpty ? "main" : graph.name
    // Every fault that makes an output faulty has been reported; `finish` throws them.
    return try builder.finish(name: name, outputs: Array(outputs))
  }

  private func argument(_ input: Onnx_ValueInfoProto, _ value: NDArray?) -> Operand {
    let location = Location(file: file, node: input.name)
    return builder.at(location) {
      do throws(TypeFault) {
        if let value {
          if let type = try declaredType(input.type, name: input.name) {
            let fits =
              type.dtype == value.dtype && type.rank == value.shape.count
              && zip(type.shape, value.shape).allSatisfy { $0.known == nil || $0.known == $1 }
            guard fits else { throw TypeFault("is \(type), the value given for it is \(value.type)") }
          }
          return Operand(builder.constant(value))
        }
        guard let type = try declaredType(input.type, name: input.name) else {
          throw TypeFault("its type or shape is not declared")
        }
        return Operand(builder.input(input.name, type), inputs: [input.name])
      } catch {
        report("input '\(input.name)': \(error.message)", help: error.help)
        return Operand(builder.poison)
      }
    }
  }
}
