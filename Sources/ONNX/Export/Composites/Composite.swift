internal import LatheCore

/// Several nodes that are one operator of ONNX, so that runtimes find it fast, and people find it at all.
struct Composite {
  /// What the operator reads.
  var operands: [Value]
  /// Writes the operator in place of the last of the nodes, whose results it gives.
  var write: (_ export: GraphExport, _ types: [TensorType]) throws(TypeFault) -> [ONNXValue]

  private init(
    operands: [Value],
    results: @escaping (_ export: GraphExport, _ types: [TensorType]) throws(TypeFault) -> [ONNXValue]
  ) {
    self.operands = operands
    write = results
  }

  /// An operator in place of a node with several results.
  static func several(
    _ operands: [Value],
    _ write: @escaping (_ export: GraphExport, _ types: [TensorType]) throws(TypeFault) -> [ONNXValue]
  ) -> Composite {
    Composite(operands: operands, results: write)
  }

  /// An operator in place of a node with one result.
  init(
    operands: [Value], result: @escaping (_ export: GraphExport, _ type: TensorType) throws(TypeFault) -> ONNXValue
  ) {
    self.operands = operands
    write = { (export, types) throws(TypeFault) -> [ONNXValue] in [try result(export, types[0])] }
  }
}

/// Looks at values of a graph backwards, through the views that say nothing of what is computed.
struct Matcher {
  let graph: Graph
  private let uses: Uses
  /// The nodes that sizes which data decides get their values from.
  let extents: [String: Value]

  init(graph: Graph) {
    self.graph = graph
    uses = Uses(graph)
    var extents: [String: Value] = [:]
    for position in graph.nodes.indices {
      if let size = graph.size(definedBy: Value(node: position)) { extents[size] = Value(node: position) }
    }
    self.extents = extents
  }

  /// The composites in the graph by the position of their last node.
  ///
  /// Where one holds another, the outer one counts: nodes that nothing else reads are not written.
  func composites() -> [Int: Composite] {
    var found = matrixFunctions().merging(orders()) { $1 }.merging(dataSizes()) { $1 }
    found.merge(resizes()) { $1 }
    found.merge(splits(besides: Set(found.keys))) { $1 }
    for position in graph.nodes.indices where found[position] == nil {
      for pattern in Self.patterns {
        guard let composite = pattern(self)(Value(node: position)) else { continue }
        found[position] = composite
        break
      }
    }
    return found
  }

  typealias Pattern = (Matcher) -> (Value) -> Composite?

  /// Every composite that is known; the first that fits counts.
  static var patterns: [Pattern] {
    [
      attention, recurrence, countedLoop, softmax, logSoftmax, layerNormalization, batchNormalization, gelu, hardSwish,
      hardSigmoid, elu, softplus, leakyRelu, relu, clip, saturatingCast, biasedProduct, biasedConvolution, averagePool,
      mean, sign, countedGather, blocks, sizeNumber,
    ]
  }

  func type(_ value: Value) -> TensorType { graph.type(of: value) }

  /// Whether nothing but one node reads a value.
  func isReadOnce(_ value: Value) -> Bool { uses.count(Int(value.node)) == 1 }

  func operands(_ value: Value, _ function: Pointwise) -> [Value]? {
    guard case .pointwise(function) = graph[value].operation else { return nil }
    return graph[value].operands
  }

  /// The operand of a function of one.
  func operand(_ value: Value, _ function: Pointwise) -> Value? { operands(value, function)?[0] }

  /// The operands of a function of two, in the order that fits; nil where neither does.
  func either<Found>(_ value: Value, _ function: Pointwise, _ match: (Value, Value) -> Found?) -> Found? {
    guard let operands = operands(value, function) else { return nil }
    return match(operands[0], operands[1]) ?? match(operands[1], operands[0])
  }

  /// The operands of a sum or product of which one is a number everywhere, and that number.
  func scaled(_ value: Value, _ function: Pointwise) -> (x: Value, number: Double)? {
    guard let operands = operands(value, function) else { return nil }
    if let number = number(operands[1]) { return (operands[0], number) }
    guard function != .divide, function != .subtract, let number = number(operands[0]) else { return nil }
    return (operands[1], number)
  }

  /// The one number that a value is everywhere.
  func number(_ value: Value) -> Double? {
    let source = broadcast(value)?.source ?? value
    guard let literal = graph.literal(source), literal.count == 1 else { return nil }
    return literal.first?.double
  }

  func isNumber(_ value: Value, _ number: Double) -> Bool {
    guard let found = self.number(value) else { return false }
    return found == number || found == type(value).dtype.rounding(number)
  }

  func broadcast(_ value: Value) -> (source: Value, axes: [Int])? {
    guard case .broadcast(let broadcast) = graph[value].operation else { return nil }
    return (graph[value].operands[0], broadcast.axes)
  }

  /// What a value is but for axes of size 1.
  func squeezed(_ value: Value) -> Value {
    guard case .reshape = graph[value].operation else { return value }
    let source = graph[value].operands[0]
    return nonUnit(source) == nonUnit(value) ? source : value
  }

  private func nonUnit(_ value: Value) -> [Dim] { type(value).shape.filter { $0 != 1 } }

  /// What is repeated along some axes of a shape and on the others has its sizes, and only there more than one element.
  func spread(_ value: Value, alongAllBut axes: [Int], of shape: [Dim]) -> Value? {
    if let (source, places) = broadcast(value) {
      for (position, axis) in places.enumerated() where axes.contains(axis) && type(source).shape[position] != 1 {
        return nil
      }
      let kept = shape.indices.filter { !axes.contains($0) && shape[$0] != 1 }
      guard
        kept.allSatisfy({ axis in
          places.firstIndex(of: axis).map { type(source).shape[$0] == shape[axis] } ?? false
        })
      else { return nil }
      return squeezed(source)
    }
    // Where the axes have one element each, nothing is repeated.
    return axes.allSatisfy { shape[$0] == 1 } ? squeezed(value) : nil
  }

  /// The operand and the axes of a sum, or of a mean.
  func reduced(_ value: Value, _ combiner: Combiner) -> (x: Value, axes: [Int])? {
    guard case .reduce(let reduce) = graph[squeezed(value)].operation, reduce.combiner == combiner else { return nil }
    return (graph[squeezed(value)].operands[0], reduce.axes.sorted())
  }

  func averaged(_ value: Value) -> (x: Value, axes: [Int])? {
    let value = squeezed(value)
    for function in [Pointwise.multiply, .divide] {
      guard let (sum, number) = scaled(value, function), let (x, axes) = reduced(sum, .sum),
        let count = axes.map({ type(x).shape[$0] }).elementCount.known
      else { continue }
      let factor = function == .multiply ? number : 1 / number
      if abs(factor * Double(count) - 1) < 1e-6 { return (x, axes) }
    }
    return nil
  }

  /// A composite of floats that reads one value.
  func floating(
    _ x: Value, _ operation: String, _ attributes: [Onnx_AttributeProto] = []
  ) -> Composite? {
    // Where ONNX Runtime has no such operator of f64, it has those that it is made of.
    guard type(x).dtype.isFloat, type(x).dtype != .f64 || OperatorTypes.of(operation).types.contains(.f64) else {
      return nil
    }
    return Composite(operands: [x]) { export, type throws(TypeFault) in
      try export.compute(operation, [try export.value(x)], in: type.dtype, type, attributes)
    }
  }
}

extension ScalarType {
  /// A number as the type holds it.
  fileprivate func rounding(_ number: Double) -> Double {
    NDArray(scalar: .float(number), dtype: self).first?.double ?? number
  }
}
