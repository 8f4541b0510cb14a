internal import LatheCore

/// The names that nodes can read, and what the operators around them mean.
struct Scope {
  var values: [String: Operand] = [:]
  /// The version of each imported operator set.
  var opsets: [String: Int] = [:]
  /// The attributes that a function was called with; nodes of its body refer to them.
  var attributes: [String: Onnx_AttributeProto] = [:]
  /// The functions and nodes around, as a prefix of node names.
  var path = ""
  /// The nodes around within the definition that the nodes are written in: the model or a function.
  var place = ""
  /// The layer that the nodes around were exported from.
  var modulePath: String?
}

/// Builds a graph from a model, node by node: looks names up, applies operators, and turns faults into diagnostics.
final class Importer {
  struct FunctionKey: Hashable {
    var domain: String
    var name: String
    var overload: String
  }

  /// What a model is imported for.
  enum Mode {
    case inference
    /// Initializers are variables. Nodes of batch normalization and dropout that are in training mode train, unless they
    /// are to be evaluated, and update the running statistics.
    case training(evaluating: Bool)
  }

  /// More applications than any honest model has; functions calling functions can multiply without end.
  private static let applicationLimit = 2_000_000

  let file: String
  let external: ExternalData?
  private var symbolNames: SymbolNames
  let functions: [FunctionKey: Onnx_FunctionProto]
  let builder = Builder()
  /// The inputs whose value is needed to tell a shape.
  var neededInputs: Set<String> = []
  /// The numbers of tensors in inputs that are sequences, where arrays do not tell them.
  var lengths: [String: Int] = [:]
  /// The optional inputs that hold nothing.
  var absent: Set<String> = []
  /// The capacities that sizes which data decides will get, by name.
  var maxima: [String: Int] = [:]
  /// The inputs whose values decide sizes that the graph could have as symbols.
  var decidingInputs: Set<String> = []
  /// The sub-graphs that are built, and those that known values keep from being built, by their places.
  private var builtSubgraphs: Set<String> = []
  private var skippedSubgraphs: Set<String> = []
  /// The symbols that sizes were found for, as the file and as the graph spell them.
  var boundSymbols: Set<String> { symbolNames.bound }
  var warnings: [Diagnostic] = []
  private let mode: Mode
  private var variableNames: [Value: String] = [:]
  private var applications = 0
  private var callStack: [FunctionKey] = []

  init(
    file: String, external: ExternalData?, dims: [String: Int], functions: [Onnx_FunctionProto], mode: Mode = .inference
  ) {
    self.file = file
    self.mode = mode
    self.external = external
    symbolNames = SymbolNames(dims)
    self.functions = Dictionary(
      functions.map { (FunctionKey(domain: Self.domain($0.domain), name: $0.name, overload: $0.overload), $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The standard domain has two names.
  static func domain(_ name: String) -> String { name == "ai.onnx" ? "" : name }

  static func opsets(_ imports: [Onnx_OperatorSetIdProto]) -> [String: Int] {
    Dictionary(imports.map { (domain($0.domain), Int($0.version)) }, uniquingKeysWith: max)
  }

  func function(_ node: Onnx_NodeProto) -> Onnx_FunctionProto? {
    functions[FunctionKey(domain: Self.domain(node.domain), name: node.opType, overload: node.overload)]
  }

  static func name(_ node: Onnx_NodeProto, _ index: Int) -> String {
    node.name.isEmpty ? "\(node.opType)_\(index)" : node.name
  }

  func report(_ message: String, node: String? = nil, help: String? = nil) {
    builder.report(Diagnostic(message, location: Location(file: file, node: node), help: help))
  }

  /// Sizes for symbols, by the names that the graph has for them.
  func identifiers(_ dims: [String: Int]) -> [String: Int] { symbolNames.identified(dims) }

  // MARK: Training

  /// Whether the model is trained, and nodes in training mode are trained.
  var isTraining: Bool { if case .training(evaluating: false) = mode { true } else { false } }

  /// Whether nodes in training mode are taken as in inference.
  var isEvaluating: Bool { if case .training(evaluating: true) = mode { true } else { false } }

  /// Lets a variable of the model have another content after a run; nothing where the tensor is none.
  func update(_ tensor: Tensor, to content: Tensor) {
    if let name = variableNames[tensor.value] { builder.update(name, to: content) }
  }

  // MARK: Constants and types

  func constant(_ tensor: Onnx_TensorProto, in builder: Builder, isVariable: Bool = false) -> Operand {
    let location = Location(file: file, node: tensor.name)
    return builder.at(location) {
      do throws(TypeFault) {
        let array = try tensor.array(external)
        guard isVariable, array.dtype.isFloat else { return Operand(Self.constant(array, in: builder)) }
        let variable = builder.variable(Variable(name: tensor.name, role: .parameter, initial: array))
        variableNames[variable.value] = tensor.name
        return Operand(variable, origin: Origin(inputs: [tensor.name]))
      } catch {
        builder.report(
          Diagnostic("initializer '\(tensor.name)': \(error.message)", location: location, help: error.help))
        return Operand(builder.poison)
      }
    }
  }

  /// Arrays of elements of 4 or 2 bits stay packed where they have more than this many.
  private static let packedCount = 1 << 12

  /// A literal; large ones of elements of 4 or 2 bits are bytes of several elements, which are taken apart where they are
  /// read.
  private static func constant(_ array: NDArray, in builder: Builder) -> Tensor {
    let bits = array.dtype.bitCount
    guard bits < 8, 8 % bits == 0, array.count > packedCount else { return builder.constant(array) }
    let bytes = array.bytes.packed(array.dtype)
    let (each, mask) = (8 / bits, (1 << bits) - 1)
    let packed = builder.constant(unfailing { try NDArray(dtype: .u8, shape: [bytes.count, 1], bytes: bytes) })
    let shifts = builder.constant(NDArray((0..<each).map { UInt8($0 * bits) }))
    let codes = ((packed >> shifts) .& mask).reshape([bytes.count * each]).slice(axis: 0, from: 0, to: array.count)
    let unsigned: ScalarType = bits == 4 ? .u4 : .u2
    return codes.convert(to: unsigned).bitcast(to: array.dtype).reshape(array.shape)
  }

  func constant(_ tensor: Onnx_SparseTensorProto, in builder: Builder) -> Operand {
    let name = tensor.values.name
    let location = Location(file: file, node: name)
    return builder.at(location) {
      do throws(TypeFault) {
        return Operand(builder.constant(try tensor.array(external)))
      } catch {
        builder.report(
          Diagnostic("sparse initializer '\(name)': \(error.message)", location: location, help: error.help))
        return Operand(builder.poison)
      }
    }
  }

  /// The tensor type that a file declares; axes without size, or of size -1, get symbols.
  ///
  /// - Returns: nil where the type or its rank is not declared.
  func declaredType(_ type: Onnx_TypeProto, name: String) throws(TypeFault) -> TensorType? {
    guard let dtype = try declaredElementType(type), type.tensor.hasShape else { return nil }
    var shape: [Dim] = []
    for (axis, size) in type.tensor.shape.dim.enumerated() {
      let unnamed = "\(name)_dim\(axis)"
      switch size.value {
      case .dimValue(let value) where value != -1:
        guard value >= 0 else { throw TypeFault("the size \(value) of axis \(axis) is negative") }
        guard value <= Call.largestSize else { throw TypeFault("the size \(value) of axis \(axis) is absurdly large") }
        shape.append(Dim(Int(value)))
      case .dimParam(let symbol): shape.append(symbolNames.size(symbol, unnamed: unnamed))
      default: shape.append(symbolNames.size("", unnamed: unnamed))
      }
    }
    if let count = shape.elementCount.known, count > Onnx_TensorProto.largestElementCount {
      throw TypeFault("\(shape.text) has absurdly many elements")
    }
    return TensorType(dtype, shape)
  }

  /// The element type that a file declares for a tensor; nil where no type is declared.
  func declaredElementType(_ type: Onnx_TypeProto) throws(TypeFault) -> ScalarType? {
    guard type.value != nil else { return nil }
    guard type.isTensor else {
      throw TypeFault(
        "is a \(type.kindText); only tensors enter and leave a model",
        help: "give the model the elements as tensors of their own")
    }
    return type.tensor.elemType == 0 ? nil : try ScalarType(onnx: Int(type.tensor.elemType))
  }

  // MARK: Nodes

  /// Applies nodes in an order in which every operand is known, and gives names to their results.
  func run(
    _ nodes: [Onnx_NodeProto], _ scope: inout Scope, in builder: Builder, checking types: [String: Onnx_TypeProto] = [:]
  ) {
    let order = NodeOrder(nodes, defined: Set(scope.values.keys))
    for fault in order.faults {
      let name = scope.path + Self.name(nodes[fault.node], fault.node)
      builder.report(Diagnostic(fault.message, location: Location(file: file, node: name), help: fault.help))
    }
    for name in order.undefined where scope.values[name] == nil { scope.values[name] = Operand(builder.poison) }
    for index in order.order {
      let node = nodes[index]
      let path = modulePath(node)
      let location = Location(
        file: file, modulePath: path ?? scope.modulePath, node: scope.path + Self.name(node, index))
      let operands = node.input.map { $0.isEmpty ? nil : scope.values[$0] }
      let results = builder.at(location) {
        builder.imported(node.opType, operands: Self.described(node, operands)) {
          apply(node, Self.name(node, index), operands, location, scope, builder)
        }
      }
      for (position, name) in node.output.enumerated() where !name.isEmpty {
        if scope.values[name] != nil && !order.undefined.contains(name) {
          builder.report(Diagnostic("'\(name)' is defined twice", location: location, help: "names are defined once"))
        }
        let result = position < results.count ? results[position] : Operand(builder.poison)
        scope.values[name] = result
        if let type = types[name] { compare(result, type, name: name, location) }
      }
    }
  }

  /// The results of one node; poison after a fault, which is recorded.
  private func apply(
    _ node: Onnx_NodeProto, _ name: String, _ operands: [Operand?], _ location: Location, _ scope: Scope,
    _ builder: Builder
  ) -> [Operand] {
    let poison = node.output.map { _ in Operand(builder.poison) }
    applications += 1
    guard applications <= Self.applicationLimit else {
      if applications == Self.applicationLimit + 1 {
        builder.report(Diagnostic("the model's functions expand to more than \(Self.applicationLimit) nodes"))
      }
      return poison
    }
    guard !operands.contains(where: { $0?.isPoisoned == true }) else { return poison }
    let before = builder.diagnostics.count
    do throws(TypeFault) {
      let attributes = try resolved(node, scope)
      if let function = function(node) {
        return try call(function, node, operands, attributes, location, scope, builder)
      }
      let domain = Self.domain(node.domain)
      // Operators that are not supported are listed before, once each.
      guard let definition = Operator.named(node.opType, domain: domain) else { return poison }
      guard let opset = scope.opsets[domain] else {
        throw TypeFault("the model does not import the operator set '\(domain.isEmpty ? "ai.onnx" : domain)'")
      }
      var call = Call(
        node: node, name: name, operation: node.opType, opset: opset, operands: operands, attributes: attributes,
        builder: builder, importer: self, scope: scope)
      if domain.isEmpty, let adapter = Adapter.standard[node.opType], opset < adapter.version {
        try adapter.adapt(&call)
      }
      var origin = operands.compactMap { $0?.origin }.reduce(Origin()) { $0.union($1) }
      // What sub-graphs read counts, too.
      if node.attribute.contains(where: \.hasG) {
        for name in NodeOrder.names(readBy: node) { origin = origin.union(scope.values[name]?.origin ?? Origin()) }
      }
      if Operator.typeOnly.contains(node.opType) { origin = Origin() }
      let results: [Operand]
      if domain.isEmpty, let sizes = try Sizes.evaluated(call) {
        results = [Operand(.sizes(sizes))]
      } else {
        results = try definition.apply(call)
      }
      let named = node.output.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0
      guard named <= results.count else {
        throw TypeFault("\(named) results are named, but in opset \(opset) there are \(results.count)")
      }
      for case .tensor(let tensor) in results.map(\.content) where !tensor.isPoisoned {
        if let count = tensor.type.elementCount, count > Onnx_TensorProto.largestElementCount || count < 0 {
          throw TypeFault("the result \(tensor.type) is absurdly large")
        }
      }
      return results.map { Operand($0.content, origin: $0.origin.union(origin)) }
    } catch {
      // What follows from a fault that an inner operation has reported is not reported again.
      guard error != .poisoned, builder.diagnostics.count == before else { return poison }
      builder.record(error, operation: node.opType, operands: [])
      return poison
    }
  }

  /// The operands as diagnostics show them.
  private static func described(_ node: Onnx_NodeProto, _ operands: [Operand?]) -> [String] {
    zip(node.input, operands).compactMap { name, operand in operand.map { "'\(name)': \($0.type)" } }
  }

  /// The attributes by name, those that refer to a function's replaced by what it was called with.
  private func resolved(_ node: Onnx_NodeProto, _ scope: Scope) throws(TypeFault) -> [String: Onnx_AttributeProto] {
    var attributes: [String: Onnx_AttributeProto] = [:]
    for attribute in node.attribute {
      guard attributes[attribute.name] == nil else { throw TypeFault("attribute '\(attribute.name)' is given twice") }
      if attribute.refAttrName.isEmpty {
        attributes[attribute.name] = attribute
      } else if var referred = scope.attributes[attribute.refAttrName] {
        referred.name = attribute.name
        attributes[attribute.name] = referred
      }
    }
    return attributes
  }

  /// Builds the body of a function in place of its call.
  private func call(
    _ function: Onnx_FunctionProto, _ node: Onnx_NodeProto, _ operands: [Operand?],
    _ attributes: [String: Onnx_AttributeProto], _ location: Location, _ scope: Scope, _ builder: Builder
  ) throws(TypeFault) -> [Operand] {
    let key = FunctionKey(domain: Self.domain(function.domain), name: function.name, overload: function.overload)
    guard !callStack.contains(key) else { throw TypeFault("the function calls itself") }
    guard operands.count <= function.input.count else {
      throw TypeFault("the function takes \(function.input.count) operands, \(operands.count) given")
    }
    callStack.append(key)
    defer { callStack.removeLast() }
    var inner = Scope(
      opsets: Self.opsets(function.opsetImport), path: (location.node ?? "") + "/", place: Self.place(of: function),
      modulePath: location.modulePath)
    for attribute in function.attributeProto { inner.attributes[attribute.name] = attribute }
    for (name, attribute) in attributes { inner.attributes[name] = attribute }
    var absent: Set<String> = []
    for (position, name) in function.input.enumerated() {
      if position < operands.count, let operand = operands[position] {
        inner.values[name] = operand
      } else {
        absent.insert(name)
      }
    }
    // A parameter that is left out is left out wherever the body names it.
    let body = function.node.map { node in
      var node = node
      node.input = node.input.map { absent.contains($0) ? "" : $0 }
      return node
    }
    run(body, &inner, in: builder)
    var results: [Operand] = []
    for name in function.output {
      guard let result = inner.values[name] else {
        throw TypeFault("the function does not define its output '\(name)'")
      }
      results.append(result)
    }
    return results
  }

  /// What the places of a function's nodes start with.
  static func place(of function: Onnx_FunctionProto) -> String {
    "\(domain(function.domain))::\(function.name)::\(function.overload)/"
  }

  /// The place of a sub-graph that an attribute of a node holds.
  static func place(ofSubgraph attribute: String, in node: String) -> String { "\(node)/\(attribute)/" }

  /// Notes that a sub-graph of a node is not built, because values that are known keep it from being run.
  func skip(_ attribute: String, of call: Call) {
    skippedSubgraphs.insert(Self.place(ofSubgraph: attribute, in: call.scope.place + call.name))
  }

  /// Whether a sub-graph is not built for any use of the definition that it stands in.
  func isSkipped(_ place: String) -> Bool { skippedSubgraphs.contains(place) && !builtSubgraphs.contains(place) }

  /// The results of a sub-graph, an attribute of a node, for given arguments.
  ///
  /// Names of the graphs around are visible.
  func subgraph(
    _ attribute: String, _ arguments: [Operand], _ call: Call, in builder: Builder
  ) throws(TypeFault) -> [Operand] {
    let graph = try call.graph(attribute)
    guard graph.input.count == arguments.count else {
      throw TypeFault("the sub-graph takes \(graph.input.count) arguments, \(arguments.count) are given")
    }
    var scope = call.scope
    scope.path += call.name + "/"
    scope.place = Self.place(ofSubgraph: attribute, in: scope.place + call.name)
    builtSubgraphs.insert(scope.place)
    for tensor in graph.initializer { scope.values[tensor.name] = constant(tensor, in: builder) }
    for tensor in graph.sparseInitializer { scope.values[tensor.values.name] = constant(tensor, in: builder) }
    for (input, argument) in zip(graph.input, arguments) { scope.values[input.name] = argument }
    for node in graph.node { for name in node.output { scope.values[name] = nil } }
    run(graph.node, &scope, in: builder)
    var results: [Operand] = []
    for output in graph.output {
      guard let result = scope.values[output.name] else {
        throw TypeFault("the sub-graph does not define its output '\(output.name)'")
      }
      results.append(result)
    }
    return results
  }

  /// Compares what was inferred for a name with what the file declares.
  ///
  /// Declared shapes are hints, on which nothing depends: one that contradicts is remarked on. Another element type is a
  /// mistake.
  func compare(_ operand: Operand, _ type: Onnx_TypeProto, name: String, _ location: Location) {
    guard case .tensor(let tensor) = operand.content, !tensor.isPoisoned else { return }
    do throws(TypeFault) {
      guard let dtype = try declaredElementType(type) else { return }
      guard dtype == tensor.dtype else {
        throw TypeFault("is declared with elements of type \(dtype), it is \(tensor.type)")
      }
      guard let declared = try declaredType(type, name: name) else { return }
      let agrees =
        declared.rank == tensor.rank
        && zip(declared.shape, tensor.shape).allSatisfy { $0.known == nil || $1.known == nil || $0 == $1 }
      guard !agrees else { return }
      warnings.append(
        Diagnostic(
          "'\(name)' is declared as \(declared), it is \(tensor.type)", severity: .warning, location: location,
          help: "the declaration is not used"))
    } catch {
      builder.report(Diagnostic("'\(name)' \(error.message)", location: location, help: error.help))
    }
  }
}
