internal import LatheCore
internal import LatheData
internal import LatheNN

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
  /// Whether nodes in training mode are taken as in evaluation.
  let evaluating: Bool
  /// The tensors of the module, by their names there, that are variables because the program changes them.
  private let variables: Set<String>
  /// The tensors of the module that the program has turned out to change.
  var changed: Set<String> = []

  private let graph: ProgramGraph
  var scope: Scope
  var memory: SharedMemory
  private(set) var userInputs: Set<String> = []
  /// The names of parameters and buffers in the module by the graph's names.
  private(set) var states: [String: String] = [:]
  private(set) var constants: Set<String> = []
  var writtenInputs: Set<String> = []
  private var unsupported: [(target: String, nodes: [String], location: Location)] = []

  init(
    _ archive: Archive, file: String, sizes: [String: Int], trainable: Bool, changed: Set<String>,
    evaluating: Bool = false
  ) {
    self.archive = archive
    self.file = file
    self.sizes = sizes
    self.trainable = trainable
    self.evaluating = evaluating
    variables = changed
    graph = archive.program.module.graph.inlined()
    scope = Scope(types: graph.types)
    memory = SharedMemory(graph, kept: archive.program.module.signature.inputs.compactMap(\.argument))
  }

  /// The graph of the whole program.
  func imported() throws(DiagnosticsError) -> Graph {
    let signature = archive.program.module.signature
    guard graph.inputs.count == signature.inputs.count else {
      throw DiagnosticsError(
        "the graph has \(graph.inputs.count) inputs, its signature \(signature.inputs.count)",
        location: Location(file: file))
    }
    for input in signature.inputs { add(input) }
    for (index, node) in graph.nodes.enumerated() { run(node, index) }
    var outputs: [(name: String, tensor: Tensor)] = []
    var names = Set<String>()
    for output in signature.outputs { add(output, &outputs, &names) }
    for input in writtenInputs.sorted() {
      add(.mutatedInput(argument: input, name: input), &outputs, &names)
    }
    for (name, state) in states where changed.contains(state) && variables.contains(state) {
      switch scope.values[name] {
      case .tensor(let content)? where !content.isPoisoned: builder.update(state, to: asserted(content))
      case .complex(let content)? where !content.parts.isPoisoned: builder.update(state, to: asserted(content.parts))
      default: continue
      }
    }
    outputs = outputs.map { ($0.name, asserted($0.tensor)) }
    let unsupported = self.unsupported.map { target, nodes, location in
      let more = nodes.count > 20 ? ["and \(nodes.count - 20) more"] : []
      return Diagnostic(
        "operator \(target) is not supported", operands: nodes.prefix(20).dropFirst().map { "node '\($0)'" } + more,
        location: location)
    }
    guard unsupported.isEmpty else { throw DiagnosticsError(unsupported + builder.diagnostics) }
    return try builder.finish(name: "main", outputs: outputs)
  }

  /// A result of the graph that is being built: the run has to need what the program asserts for it.
  func asserted(_ result: Tensor) -> Tensor {
    guard let first = scope.requirements.first, !result.isPoisoned else { return result }
    return result.behind(scope.requirements.dropFirst().reduce(first, +))
  }

  // MARK: Inputs and outputs

  private func add(_ input: Signature.Input) {
    switch input {
    case .parameter(let argument, let name): define(argument, stored(name, argument, .parameter))
    case .buffer(let argument, let name, _): define(argument, stored(name, argument, .buffer))
    case .constant(let argument, let name): define(argument, stored(name, argument, nil))
    case .user(.tensor(let name)):
      userInputs.insert(name)
      guard let type = scope.types[name].flatMap({ TensorType($0, sizes) }) else {
        report("input '\(name)' has a type that Lathe lacks")
        scope.values[name] = .tensor(builder.poison)
        return
      }
      define(name, builder.at(Location(file: file, node: name)) { builder.input(name, type) })
    case .user(.symbol(let name)):
      report("input '\(name)' is a number, not a tensor", help: "export the program with a tensor in its place")
      scope.values[name] = .tensor(builder.poison)
    case .user, .fixed: break
    case .other(let kind): report("an input of the kind '\(kind)' is not supported")
    }
  }

  /// Gives a name a value: pairs are complex numbers where the program says so.
  private func define(_ name: String, _ tensor: Tensor) {
    let isComplex = scope.types[name]?.isComplex == true && !tensor.isPoisoned
    scope.values[name] = isComplex ? .complex(ComplexTensor(parts: tensor)) : .tensor(tensor)
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
      guard let role else {
        constants.insert(argument)
        return builder.constant(array)
      }
      let first = archive.firstNames[name] ?? name
      if let tied = states.first(where: { $0.value == first }) {
        memory.add(argument, SharedMemory.View(source: tied.key, isWhole: true, node: nil, result: 0))
      }
      states[argument] = first
      guard variables.contains(first) || trainable && array.dtype.isFloat else { return builder.constant(array) }
      return builder.variable(named: first)
        ?? builder.variable(Variable(name: first, role: role, initial: array))
    }
  }

  private func add(
    _ output: Signature.Output, _ outputs: inout [(name: String, tensor: Tensor)], _ names: inout Set<String>
  ) {
    func add(_ name: String, _ argument: String) {
      guard let value = scope.values[argument] else { return report("nothing defines the output '\(argument)'") }
      var unique = name
      while !names.insert(unique).inserted { unique += "_" }
      switch value {
      case .tensor(let tensor), .number(let tensor, _, _): outputs.append((unique, tensor))
      case .complex(let number): outputs.append((unique, number.parts))
      case .size(let size): outputs.append((unique, Call.tensor(of: size, in: builder)))
      case .bool(let bool?): outputs.append((unique, builder.scalar(.integer(bool ? 1 : 0), .bool)))
      case .bool(nil): report("the output '\(argument)' depends on sizes that are not known")
      case .unread: report("the output '\(argument)' is meant for PyTorch's own gradients, and not computed")
      }
    }
    switch output {
    case .user(.tensor(let name)), .user(.symbol(let name)): add(name, name)
    case .user(.tensors(let list)): for name in list { add(name, name) }
    case .user(.other(let kind)): report("an output of the kind '\(kind)' is not supported")
    case .user: break  // None and numbers, which the program knows
    case .mutatedInput(let argument, let name): add("\(name)_updated", argument)
    case .state(let argument, let name):
      let first = archive.firstNames[name] ?? name
      changed.insert(first)
      states = states.filter { $0.value != first }
      states[argument] = first
    case .other(let kind): report("an output of the kind '\(kind)' is not supported")
    }
  }

  private func report(_ message: String, help: String? = nil) {
    builder.report(Diagnostic(message, location: Location(file: file), help: help))
  }

  // MARK: Nodes

  func run(_ node: ProgramNode, _ index: Int) {
    let location = Location(node, file)
    builder.at(location) {
      builder.imported(node.shortTarget, operands: described(node), function: node.function) {
        let before = builder.diagnostics.count
        do throws(TypeFault) {
          try apply(node, index, location)
        } catch {
          for name in node.outputNames { scope.values[name] = .tensor(builder.poison) }
          // What follows from a fault that an inner operation has reported is not reported again.
          guard error != .poisoned, builder.diagnostics.count == before else { return }
          builder.record(error, operation: node.shortTarget, operands: [])
        }
      }
    }
  }

  private func apply(_ node: ProgramNode, _ index: Int, _ location: Location) throws(TypeFault) {
    if node.shortTarget == "higher_order.with_effects" {
      // A factorization that does not succeed ends the run by itself.
      guard node.inputs.contains(where: { $0.arg.isSame(as: .string("torch.ops.aten._linalg_check_errors.default")) })
      else { throw TypeFault("calls an operator for its effects, which are not known") }
      for name in node.outputNames { scope.values[name] = .unread }
      return
    }
    if let results = try controlFlow(node) {
      guard results.count == node.outputNames.count else {
        throw TypeFault("\(node.outputNames.count) results are named, there are \(results.count)")
      }
      for (name, result) in zip(node.outputNames, results) {
        try check(.tensor(result), scope.types[name], name)
        scope.values[name] = .tensor(result)
      }
      return
    }
    let isComplex =
      node.outputNames.contains { scope.types[$0]?.isComplex == true }
      || node.inputs.flatMap(\.arg.names).contains { scope.values[$0]?.isComplex == true }
    guard let (definition, schema) = Operator.named(node.target, ofComplex: isComplex) else {
      let name = node.name ?? node.outputNames.first ?? "\(index)"
      let target = node.shortTarget + (isComplex ? " of complex numbers" : "")
      if let known = unsupported.firstIndex(where: { $0.target == target }) {
        unsupported[known].nodes.append(name)
      } else {
        unsupported.append((target, [name], location))
      }
      throw .poisoned
    }
    let call = Call(node, schema, scope, builder, evaluating: evaluating)
    var results = try definition.apply(call)
    try call.requireSeen()
    if schema?.isInPlace == true {
      guard let result = results.first else { throw TypeFault("gives no tensor to write") }
      let written = try written(result, call)
      results = [written]
      call.write("self", written)
    }
    let names = node.outputs.flatMap { $0.names.isEmpty ? [nil] : $0.names.map(Optional.some) }
    guard names.count <= results.count else {
      throw TypeFault("\(names.count) results are named, there are \(results.count)")
    }
    for (position, (name, result)) in zip(names, results).enumerated() {
      guard let name else { continue }
      try check(result, scope.types[name], name)
      let tensor: Tensor?
      switch result {
      case .tensor(let real): tensor = real
      case .complex: tensor = nil
      case .size, .number, .bool, .unread: continue
      }
      guard let (source, use) = call.memory(of: tensor, named: name) else { continue }
      memory.add(name, SharedMemory.View(source: source, isWhole: use == .same, node: node, result: position))
    }
    for (name, content) in try call.writes() { try write(content, to: name, at: index) }
    for case (let name?, let result) in zip(names, results) {
      if case .number(let tensor, nil, nil) = result {
        let symbol = symbol(of: name)
        scope.values[name] = .number(tensor, symbol: symbol, most: symbol.flatMap { archive.program.bounds?[$0]?.most })
      } else {
        scope.values[name] = result
      }
    }
  }

  /// What an operator writes to its first argument, in the type and the shape of that.
  private func written(_ content: ProgramValue, _ call: Call) throws(TypeFault) -> ProgramValue {
    func fitted(_ content: Tensor, _ target: Tensor) throws(TypeFault) -> Tensor {
      if content.isPoisoned { throw .poisoned }
      let shape = try Tensor.broadcastShape([target.type, content.type])
      guard shape == target.shape else { throw TypeFault("writes \(content.type) to \(target.type)") }
      return content.convert(to: target.dtype).expanded(to: shape)
    }
    switch content {
    case .tensor(let content): return .tensor(try fitted(content, try call.tensor("self")))
    case .complex(let content):
      let target = try call.complex()
      guard target.imaginary != nil else { throw TypeFault("writes complex numbers to real ones") }
      return .complex(
        ComplexTensor(
          real: try fitted(content.real, target.real), imaginary: try fitted(content.imag, target.real)))
    default: throw TypeFault("gives no tensor to write")
    }
  }

  /// The symbol that a number which data decides has in the program.
  private func symbol(of name: String) -> String? {
    guard case .expression(let text)? = graph.sizes?[name], let dimension = SizeExpression.dimension(text, [:]),
      dimension.symbols.count == 1, let symbol = dimension.symbols.first, dimension == Dim(symbol: symbol)
    else { return nil }
    return symbol
  }

  /// Compares what was built with what the program says: it has been run when it was exported.
  private func check(_ result: ProgramValue, _ meta: TensorMeta?, _ name: String) throws(TypeFault) {
    guard let meta, !name.contains("_unused_"), let built = result.type else { return }
    if result.isPoisoned { throw .poisoned }
    guard let type = TensorType(meta, sizes) else { return }
    let differs =
      result.isComplex != meta.isComplex || built.dtype != type.dtype || built.rank != type.rank
      || zip(built.shape, type.shape).contains { built, said in
        built.known != nil && said.known != nil && built != said
      }
    if differs {
      throw TypeFault(
        "gives \(result.isComplex ? "complex numbers, " : "")\(built), the program says "
          + "\(meta.isComplex ? "complex numbers, " : "")\(type)")
    }
  }

  /// The operands as diagnostics show them.
  private func described(_ node: ProgramNode) -> [String] {
    node.inputs.flatMap { input in
      input.arg.names.compactMap { name in
        guard let value = scope.values[name], let type = value.type else { return nil }
        return "'\(name)': \(value.isPoisoned ? "(faulty)" : value.isComplex ? "complex pairs, \(type)" : "\(type)")"
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
    case .tensor(let name), .symbol(let name): [name]
    case .tensors(let names): names
    case .optionalTensors(let names): names.compactMap { $0 }
    case .sizes(let sizes): sizes.flatMap(\.names)
    default: []
    }
  }
}

extension ProgramNode {
  var outputNames: [String] { outputs.flatMap(\.names) }

  /// The operator as PyTorch's users write it: `aten.add.Tensor`.
  var shortTarget: String { target.hasPrefix("torch.ops.") ? String(target.dropFirst(10)) : target }

  /// The operator without its namespace and overload: `add`.
  var function: String {
    let parts = shortTarget.split(separator: ".")
    return String(parts.count > 1 ? parts[1] : parts.first ?? "")
  }
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
