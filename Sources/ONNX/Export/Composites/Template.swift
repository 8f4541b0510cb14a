internal import LatheCore

/// What a function of `LatheNN` builds, to be found in a graph: its own definition says what it looks like.
///
/// At most one size of it is decided by data.
struct Template {
  private let graph: Graph
  private let arguments: [Value?]
  private let matcher: Matcher
  /// The node that gives the size that data decides its value.
  private let extent: Value?
  private let extentName: String?

  /// What a function builds of values of a graph; nil where it does not take them.
  ///
  /// - Parameter operands: Literals are known to the function, of others it knows the types.
  init?(of operands: [MatchedOperand], in matcher: Matcher, _ function: ([Tensor]) -> [Tensor]) {
    self.matcher = matcher
    let builder = Builder()
    let tensors = operands.enumerated().map { position, operand in
      operand.literal(in: matcher).map { builder.constant($0) }
        ?? builder.input("\(position)", operand.type(in: matcher).renaming(extent: { Dim(symbol: Extent.prefix + $0) }))
    }
    let results = function(tensors)
    guard let built = try? builder.finish(name: "", outputs: results.enumerated().map { ("\($0)", $1) }),
      let graph = try? Pipeline([.dropDetach, .simplify]).run(built).graph
    else { return nil }
    self.graph = graph
    arguments = graph.inputs.map { Int(graph.inputName($0)).flatMap { operands[$0].value } }
    let extents = graph.nodes.indices.map { Value(node: $0) }.filter { graph.size(definedBy: $0) != nil }
    guard extents.count <= 1 else { return nil }
    extent = extents.first
    extentName = extents.first.flatMap { graph.size(definedBy: $0) }
  }

  /// The values of the matcher's graph that are what each result is.
  ///
  /// - Parameter extent: The node there that gives the size that data decides its value; nil is the answer where it is
  ///   computed otherwise.
  func results(deciding extent: Value? = nil) -> [[Value]]? {
    let name = extent.flatMap { matcher.graph.size(definedBy: $0) }
    guard (name == nil) == (extentName == nil) else { return nil }
    var comparison = Comparison(
      graph, matcher.graph,
      inputs: zip(graph.inputs, arguments).compactMap { input, argument in argument.map { (input, $0) } },
      extents: extentName.flatMap { own in name.map { [own: $0] } } ?? [:])
    if let own = self.extent, let extent, !comparison.areEqual(own, extent) { return nil }
    return graph.outputs.map { output in
      let operation = graph[output.value].operation.name
      return matcher.graph.nodes.indices.filter { matcher.graph.nodes[$0].operation.name == operation }
        .map { Value(node: $0, result: Int(output.value.result)) }
        .filter { comparison.areEqual(output.value, $0) }
    }
  }
}

/// What an operator is given: a value of the graph, or a literal that stands in a sub-graph of it.
enum MatchedOperand {
  case value(Value)
  case literal(NDArray)

  var value: Value? { if case .value(let value) = self { value } else { nil } }

  func literal(in matcher: Matcher) -> NDArray? {
    switch self {
    case .value(let value): matcher.graph.literal(value)
    case .literal(let array): array
    }
  }

  func type(in matcher: Matcher) -> TensorType {
    switch self {
    case .value(let value): matcher.type(value)
    case .literal(let array): array.type
    }
  }

  func written(_ export: GraphExport) throws(TypeFault) -> ONNXValue {
    switch self {
    case .value(let value): try export.value(value)
    case .literal(let array): export.model.literal(array, export.literalName)
    }
  }
}

/// Compares what values of two graphs are computed by.
private struct Comparison {
  let own: Graph
  let other: Graph
  /// What is known to be the same.
  private var known: [Value: Value]
  /// The names that sizes have in the other graph.
  let extents: [String: String]

  init(_ own: Graph, _ other: Graph, inputs: [(Value, Value)], extents: [String: String]) {
    self.own = own
    self.other = other
    known = Dictionary(uniqueKeysWithValues: inputs)
    self.extents = extents
  }

  mutating func areEqual(_ a: Value, _ b: Value) -> Bool {
    if let found = known[a] { return found == b }
    let (left, right) = (own[a], other[b])
    guard a.result == b.result, left.operation.name == right.operation.name,
      left.operands.count == right.operands.count, left.types.map(renamed) == right.types
    else { return false }
    // An argument that is not given yet is none that is asked for.
    if case .input = left.operation { return false }
    let (attributes, others) = (left.operation.definition.attributes, right.operation.definition.attributes)
    guard attributes.count == others.count, zip(attributes, others).allSatisfy({ areEqual($0.value, $1.value) }) else {
      return false
    }
    let before = known
    if operandsAreEqual(left.operands, right.operands) {
      known[a] = b
      return true
    }
    known = before
    // The order of two operands may come of that of the nodes.
    guard case .pointwise(let function) = left.operation, Self.commutative.contains(function),
      operandsAreEqual(left.operands, right.operands.reversed())
    else {
      known = before
      return false
    }
    known[a] = b
    return true
  }

  private static let commutative: Set<Pointwise> = [
    .add, .multiply, .maximum, .minimum, .equal, .notEqual, .and, .or, .xor,
  ]

  private mutating func operandsAreEqual(_ a: [Value], _ b: [Value]) -> Bool {
    for (a, b) in zip(a, b) where !areEqual(a, b) { return false }
    return true
  }

  private func areEqual(_ a: Attribute, _ b: Attribute) -> Bool {
    switch (a, b) {
    case (.dimensions(let a), .dimensions(let b)): a.map(renamed) == b
    case (.graph(let a), .graph(let b)): areEqual(a, b)
    default: a == b
    }
  }

  /// Whether two sub-graphs compute the same.
  private func areEqual(_ a: Graph, _ b: Graph) -> Bool {
    guard a.inputs.count == b.inputs.count, a.outputs.count == b.outputs.count,
      zip(a.inputs, b.inputs).allSatisfy({ renamed(a.type(of: $0)) == b.type(of: $1) })
    else { return false }
    var inner = Comparison(a, b, inputs: Array(zip(a.inputs, b.inputs)), extents: extents)
    return zip(a.outputs, b.outputs).allSatisfy { inner.areEqual($0.value, $1.value) }
  }

  private func renamed(_ size: Dim) -> Dim {
    size.renaming(
      symbol: {
        $0.hasPrefix(Extent.prefix) ? Dim(extent: String($0.dropFirst(Extent.prefix.count))) : Dim(symbol: $0)
      },
      extent: { Dim(extent: extents[$0] ?? $0) })
  }

  private func renamed(_ type: TensorType) -> TensorType { type.with(shape: type.shape.map(renamed)) }
}

extension TensorType {
  /// The type with other sizes in place of those that data decides.
  fileprivate func renaming(extent: @escaping (String) -> Dim) -> TensorType {
    with(shape: shape.map { $0.renaming(symbol: { Dim(symbol: $0) }, extent: extent) })
  }
}

extension Dim {
  fileprivate func renaming(symbol: @escaping (String) -> Dim, extent: @escaping (String) -> Dim) -> Dim {
    if known != nil { return self }
    return computed(
      in: DimensionArithmetic<Dim>(
        number: { Dim($0) }, symbol: symbol, extent: extent, add: +, multiply: *,
        floorDivide: { $0.floorDivided(by: $1) }, minimum: { Dim.minimum($0, $1) }))
  }
}

extension Graph {
  /// The name of the size that data decides whose number a value is.
  func size(definedBy value: Value) -> String? {
    if case .extent(let extent) = self[value].operation { extent.size } else { nil }
  }
}
