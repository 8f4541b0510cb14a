internal import LatheCore
internal import LatheData

/// Builds a graph from a program, node by node: looks names up, applies operators, and turns faults into diagnostics.
///
/// Programs in the training dialect write to tensors. Here a write makes a name stand for another value; who shares the
/// tensor's memory in PyTorch shares the new value.
final class Importer {
  let file: String
  let builder = Builder()
  private let archive: Archive
  private let sizes: [String: Int]
  private let trainable: Bool
  /// The buffers, by their names in the module, that are variables because the program changes them.
  private let variables: Set<String>
  /// The buffers that the program has turned out to change.
  private(set) var changed: Set<String> = []

  private var values: [String: ProgramValue] = [:]
  private var userInputs: Set<String> = []
  /// The names of buffers in the module by the graph's names.
  private var buffers: [String: String] = [:]
  private var memory = SharedMemory()
  private var writtenInputs: Set<String> = []
  private var unsupported: [(target: String, nodes: [String], location: Location)] = []

  init(_ archive: Archive, file: String, sizes: [String: Int], trainable: Bool, changed: Set<String>) {
    self.archive = archive
    self.file = file
    self.sizes = sizes
    self.trainable = trainable
    variables = changed
  }

  /// The graph of the whole program.
  func graph() throws(DiagnosticsError) -> Graph {
    let module = archive.program.module
    let (graph, signature) = (module.graph, module.signature)
    guard graph.inputs.count == signature.inputs.count else {
      throw DiagnosticsError(
        "the graph has \(graph.inputs.count) inputs, its signature \(signature.inputs.count)",
        location: Location(file: file))
    }
    for input in signature.inputs { add(input, graph) }
    memory = SharedMemory(graph, kept: Set(buffers.keys).union(signature.inputs.compactMap(\.argument)))
    for (index, node) in graph.nodes.enumerated() { run(node, index, graph.types) }
    var outputs: [(name: String, tensor: Tensor)] = []
    var names = Set<String>()
    for output in signature.outputs { add(output, &outputs, &names) }
    for input in writtenInputs.sorted() {
      add(.mutatedInput(argument: input, name: input), &outputs, &names)
    }
    for (name, buffer) in buffers.sorted(by: { $0.value < $1.value }) where changed.contains(buffer) {
      guard variables.contains(buffer), case .tensor(let content)? = values[name], !content.isPoisoned else { continue }
      builder.update(buffer, to: content)
    }
    let unsupported = self.unsupported.map { target, nodes, location in
      let more = nodes.count > 20 ? ["and \(nodes.count - 20) more"] : []
      return Diagnostic(
        "operator \(target) is not supported", operands: nodes.prefix(20).dropFirst().map { "node '\($0)'" } + more,
        location: location)
    }
    guard unsupported.isEmpty else { throw DiagnosticsError(unsupported + builder.diagnostics) }
    return try builder.finish(name: "main", outputs: outputs)
  }

  // MARK: Inputs and outputs

  private func add(_ input: Signature.Input, _ graph: ProgramGraph) {
    switch input {
    case .parameter(let argument, let name): values[argument] = .tensor(stored(name, argument, .parameter))
    case .buffer(let argument, let name, _):
      buffers[argument] = name
      values[argument] = .tensor(stored(name, argument, .buffer))
    case .constant(let argument, let name): values[argument] = .tensor(stored(name, argument, nil))
    case .user(.tensor(let name)):
      userInputs.insert(name)
      guard let type = graph.types[name].flatMap({ TensorType($0, sizes) }) else {
        report("input '\(name)' has a type that Lathe lacks")
        values[name] = .tensor(builder.poison)
        return
      }
      values[name] = .tensor(builder.at(Location(file: file, node: name)) { builder.input(name, type) })
    case .user(.size(.name(let name))):
      report("input '\(name)' is a number, not a tensor", help: "export the program with a tensor in its place")
      values[name] = .tensor(builder.poison)
    case .user, .fixed: break
    case .other(let kind): report("an input of the kind '\(kind)' is not supported")
    }
  }

  /// A tensor that the file holds.
  ///
  /// - Parameter role: What it is as a variable; nil where it never is one.
  private func stored(_ name: String, _ argument: String, _ role: Variable.Role?) -> Tensor {
    builder.at(Location(file: file, node: argument)) {
      guard let array = archive.tensors[name] else {
        report("the file has no tensor '\(name)'")
        return builder.poison
      }
      let first = archive.firstNames[name] ?? name
      if role == .buffer && variables.contains(name) {
        return builder.variable(Variable(name: name, role: .buffer, initial: array))
      }
      guard trainable, let role, array.dtype.isFloat else { return builder.constant(array) }
      return builder.variable(named: first)
        ?? builder.variable(Variable(name: first, role: role, initial: array))
    }
  }

  private func add(
    _ output: Signature.Output, _ outputs: inout [(name: String, tensor: Tensor)], _ names: inout Set<String>
  ) {
    func add(_ name: String, _ argument: String) {
      guard let value = values[argument] else { return report("nothing defines the output '\(argument)'") }
      var unique = name
      while !names.insert(unique).inserted { unique += "_" }
      switch value {
      case .tensor(let tensor): outputs.append((unique, tensor))
      case .size(let size): outputs.append((unique, Call.tensor(of: size, in: builder)))
      case .bool(let bool): outputs.append((unique, builder.scalar(.integer(bool ? 1 : 0), .bool)))
      case .float(let float): outputs.append((unique, builder.scalar(.float(float), .f64)))
      }
    }
    switch output {
    case .user(.tensor(let name)), .user(.size(.name(let name))): add(name, name)
    case .user(.tensors(let list)): for name in list { add(name, name) }
    case .user(.other(let kind)): report("an output of the kind '\(kind)' is not supported")
    case .user: break  // None and numbers, which the program knows
    case .mutatedInput(let argument, let name): add("\(name)_updated", argument)
    case .buffer(let argument, let name):
      changed.insert(name)
      guard variables.contains(name), case .tensor(let content)? = values[argument], !content.isPoisoned else { return }
      builder.update(name, to: content)
      buffers = buffers.filter { $0.value != name }
    case .other(let kind): report("an output of the kind '\(kind)' is not supported")
    }
  }

  private func report(_ message: String, help: String? = nil) {
    builder.report(Diagnostic(message, location: Location(file: file), help: help))
  }

  // MARK: Nodes

  private func run(_ node: ProgramNode, _ index: Int, _ types: [String: TensorMeta]) {
    let location = Location(node, file)
    builder.at(location) {
      builder.imported(node.shortTarget, operands: described(node)) {
        let before = builder.diagnostics.count
        do throws(TypeFault) {
          try apply(node, index, location, types)
        } catch {
          for name in node.outputNames { values[name] = .tensor(builder.poison) }
          // What follows from a fault that an inner operation has reported is not reported again.
          guard error != .poisoned, builder.diagnostics.count == before else { return }
          builder.record(error, operation: node.shortTarget, operands: [])
        }
      }
    }
  }

  private func apply(
    _ node: ProgramNode, _ index: Int, _ location: Location, _ types: [String: TensorMeta]
  ) throws(TypeFault) {
    guard let (definition, isInPlace) = Operator.named(node.target) else {
      let name = node.name ?? node.outputNames.first ?? "\(index)"
      if let known = unsupported.firstIndex(where: { $0.target == node.shortTarget }) {
        unsupported[known].nodes.append(name)
      } else {
        unsupported.append((node.shortTarget, [name], location))
      }
      throw .poisoned
    }
    let call = Call(
      target: node.shortTarget, arguments: Dictionary(node.inputs.map { ($0.name, $0.arg) }) { first, _ in first },
      values: values, types: types, builder: builder, writes: Call.Writes())
    var results = try definition.apply(call)
    if isInPlace {
      let argument = node.inputs.first?.name ?? "self"
      let target = try call.tensor(argument)
      guard case .tensor(let content)? = results.first else { throw TypeFault("gives no tensor to write") }
      if content.isPoisoned { throw .poisoned }
      let shape = try Tensor.broadcastShape([target.type, content.type])
      guard shape == target.shape else { throw TypeFault("writes \(content.type) to \(target.type)") }
      let written = content.convert(to: target.dtype).expanded(to: shape)
      results = [.tensor(written)]
      call.write(argument, written)
    }
    for (argument, content) in call.writes.contents {
      guard case .tensor(let name)? = call.arguments[argument] else { throw TypeFault("writes to '\(argument)'") }
      let shared = try memory.shared(with: name, writtenBy: index)
      for name in shared {
        values[name] = .tensor(content)
        if let buffer = buffers[name] { changed.insert(buffer) }
        if userInputs.contains(name) { writtenInputs.insert(name) }
      }
    }
    var position = 0
    for output in node.outputs {
      for name in output.names {
        guard position < results.count else {
          throw TypeFault("\(node.outputNames.count) results are named, there are \(results.count)")
        }
        try check(results[position], types[name], name)
        values[name] = results[position]
        position += 1
      }
      if output.names.isEmpty { position += 1 }
    }
  }

  /// Compares what was built with what the program says: it has been run when it was exported.
  private func check(_ result: ProgramValue, _ meta: TensorMeta?, _ name: String) throws(TypeFault) {
    guard let meta, case .tensor(let tensor) = result, !name.contains("_unused_") else { return }
    if tensor.isPoisoned { throw .poisoned }
    guard let type = TensorType(meta, sizes) else { return }
    let differs =
      tensor.dtype != type.dtype || tensor.rank != type.rank
      || zip(tensor.shape, type.shape).contains { built, said in
        built.known != nil && said.known != nil && built != said
      }
    if differs { throw TypeFault("gives \(tensor.type), the program says \(type)") }
  }

  /// The operands as diagnostics show them.
  private func described(_ node: ProgramNode) -> [String] {
    node.inputs.flatMap { input in
      input.arg.names.compactMap { name in
        guard case .tensor(let tensor)? = values[name] else { return nil }
        return "'\(name)': \(tensor.isPoisoned ? "(faulty)" : tensor.type.description)"
      }
    }
  }
}

// MARK: Names

extension Signature.Input {
  /// The graph's name of a tensor.
  fileprivate var argument: String? {
    switch self {
    case .parameter(let argument, _), .buffer(let argument, _, _), .constant(let argument, _): argument
    case .user(.tensor(let name)): name
    default: nil
    }
  }
}

extension Argument {
  /// The names of values in it.
  var names: [String] {
    switch self {
    case .tensor(let name), .size(.name(let name)): [name]
    case .tensors(let names): names
    case .optionalTensors(let names): names.compactMap { $0 }
    case .sizes(let sizes): sizes.compactMap { if case .name(let name) = $0 { name } else { nil } }
    default: []
    }
  }
}

extension ProgramNode {
  var outputNames: [String] { outputs.flatMap(\.names) }

  /// The operator as PyTorch's users write it: `aten.add.Tensor`.
  var shortTarget: String { target.hasPrefix("torch.ops.") ? String(target.dropFirst(10)) : target }
}

extension Location {
  /// The line of Python that a node was exported from, and the module.
  fileprivate init(_ node: ProgramNode, _ file: String) {
    let stack = node.metadata?["nn_module_stack"]?.split(separator: ";").last
    let fields = stack?.split(separator: ",", omittingEmptySubsequences: false) ?? []
    let path = fields.count > 1 && !fields[1].isEmpty ? String(fields[1]) : nil
    self.init(file: file, modulePath: path, node: node.name ?? node.outputNames.first)
    // `File "x.py", line 8, in forward`, outermost first; PyTorch's own modules say nothing to their users.
    let frames = (node.metadata?["stack_trace"] ?? "").split(separator: "\n").compactMap { line -> (String, Int)? in
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts[0].trimmingPrefix(while: { $0 == " " }) == "File ",
        let number = parts[2].split(separator: ",").first(where: { $0.hasPrefix(" line ") }).flatMap({
          Int($0.dropFirst(6))
        })
      else { return nil }
      return (String(parts[1]), number)
    }
    if let frame = frames.last(where: { !$0.0.contains("/site-packages/torch/") }) ?? frames.last {
      (self.file, line) = frame
    }
  }
}
