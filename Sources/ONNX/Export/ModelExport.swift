internal import LatheCore
internal import SwiftProtobuf

/// What all graphs of a model that is being written share: names, literals, sizes and faults.
final class ModelExport {
  /// The operator set that is written for.
  let opset: Int
  /// The operator set that the nodes so far need.
  private(set) var needed: Int
  /// The version of the file format that the types so far need.
  private(set) var irVersion = 8
  /// The operator sets besides the standard's, each in its first version.
  var otherDomains: [String] { domains.subtracting([""]).sorted() }
  private var domains: Set<String> = []
  /// The inputs of the model, whose shapes tell what symbols stand for.
  private var inputs: [ONNXValue] = []
  /// Nodes that everything else may read: numbers, and what computes sizes.
  let prologue = Block()
  private(set) var initializers: [(name: String, array: NDArray)] = []
  private(set) var faults: [Diagnostic] = []

  private var names: Set<String> = []
  private var nodeNames: Set<String> = []
  private var counts: [String: Int] = [:]
  private var literals: [NDArray: ONNXValue] = [:]
  private var contents: [String: NDArray] = [:]
  private var computedSizes: [Dim: ONNXValue] = [:]

  init(opset: Int) {
    self.opset = opset
    needed = OperatorTypes.oldest
  }

  /// Notes that a node needs an operator set.
  func require(opset: Int) { needed = max(needed, opset) }

  /// Notes that a node is of an operator set.
  func require(domain: String) { domains.insert(domain) }

  /// Notes that the model has values of a type.
  func require(_ type: ScalarType) { irVersion = max(irVersion, type.irVersion) }

  func report(_ fault: Diagnostic) {
    if !faults.contains(fault) { faults.append(fault) }
  }

  // MARK: Names

  /// Takes a name that stands for something outside; false where it is taken.
  func reserve(_ name: String) -> Bool { names.insert(name).inserted }

  /// A name for a value that nothing else has.
  func name(_ stem: String) -> String { unique(stem, in: &names) }

  /// A name for a node that no other node has.
  func nodeName(_ stem: String) -> String { unique(stem, in: &nodeNames) }

  private func unique(_ stem: String, in taken: inout Set<String>) -> String {
    if taken.insert(stem).inserted { return stem }
    while true {
      let count = counts[stem, default: 0] + 1
      counts[stem] = count
      let name = "\(stem)_\(count)"
      if taken.insert(name).inserted { return name }
    }
  }

  // MARK: Literals

  /// How many floats a node holds; more are an initializer.
  static let largestConstant = 1024

  /// An array under a name that it is to keep.
  func keep(_ array: NDArray, as name: String) -> ONNXValue {
    require(array.dtype)
    initializers.append((name, array))
    return ONNXValue(name: name, type: array.type)
  }

  /// An array, once for all that read it.
  func literal(_ array: NDArray, _ stem: String) -> ONNXValue {
    if let known = literals[array] { return known }
    let name = name(stem)
    let value: ONNXValue
    // Floats among the initializers are taken for parameters, which a few numbers of a computation are not.
    if array.dtype.isFloat, array.dtype.irVersion == 8, array.count <= Self.largestConstant {
      value = ONNXValue(name: name, type: array.type)
      prologue.nodes.append(
        .with {
          $0.name = nodeName("constants/\(name)")
          $0.opType = "Constant"
          $0.output = [name]
          $0.attribute = [.tensor("value", array)]
        })
      prologue.produced[name] = array.type
    } else {
      value = keep(array, as: name)
    }
    literals[array] = value
    contents[value.name] = array
    return value
  }

  /// Notes that a value is a literal.
  func note(_ array: NDArray, of value: ONNXValue) { contents[value.name] = array }

  /// The content of a value that is a literal.
  func literal(named name: String) -> NDArray? { contents[name] }

  /// The `i64` vector of numbers.
  func vector(_ numbers: [Int], _ stem: String) -> ONNXValue { literal(NDArray(numbers.map { Int64($0) }), stem) }

  func scalar(_ value: ScalarValue, _ dtype: ScalarType) -> ONNXValue {
    literal(NDArray(scalar: value, dtype: dtype), "scalar")
  }

  // MARK: Sizes

  /// Declares an input of the model.
  func declare(_ input: ONNXValue) {
    require(input.dtype)
    inputs.append(input)
  }

  /// A size that data does not decide as `i64[1]`, computed from the shapes of the inputs.
  func size(_ dimension: Dim) throws(TypeFault) -> ONNXValue {
    if let known = dimension.known { return vector([known], "size") }
    if let known = computedSizes[dimension] { return known }
    let type = TensorType(.i64, [1])
    let value = dimension.computed(
      in: try sizeArithmetic(
        for: dimension, extent: { internalError("?\($0) is computed where it is known, not in front of everything") },
        node: { self.node($0, $1, type) }))
    computedSizes[dimension] = value
    return value
  }

  /// The arithmetic of a size in nodes that give `i64[1]`.
  ///
  /// - Parameters:
  ///   - extent: What a size that data decides is.
  ///   - node: Writes a node.
  func sizeArithmetic(
    for dimension: Dim, extent: @escaping (String) -> ONNXValue,
    node: @escaping (_ operation: String, _ operands: [ONNXValue]) -> ONNXValue
  ) throws(TypeFault) -> DimensionArithmetic<ONNXValue> {
    if let unknown = dimension.symbols.first(where: { source(of: $0) == nil }) {
      throw TypeFault(
        "the size \(dimension) is needed, and no input has an axis that tells \(unknown)",
        unbound: [Dim(symbol: unknown)])
    }
    return DimensionArithmetic(
      number: { self.vector([$0], "size") }, symbol: { self.symbol($0) }, extent: extent,
      add: { node("Add", [$0, $1]) }, multiply: { node("Mul", [$0, $1]) },
      // Sizes are not negative, so that truncation is the floor.
      floorDivide: { node("Div", [$0, self.vector([$1], "size")]) }, minimum: { node("Min", [$0, $1]) })
  }

  /// The axis of an input whose size tells a symbol: the symbol alone, or a multiple of it and a number more.
  private func source(of symbol: String) -> (input: ONNXValue, axis: Int, factor: Int, offset: Int)? {
    var found: (input: ONNXValue, axis: Int, factor: Int, offset: Int)?
    for input in inputs {
      for (axis, size) in input.shape.enumerated() {
        if size == Dim(symbol: symbol) { return (input, axis, 1, 0) }
        guard found == nil, size.symbols == [symbol], size.solved(for: 0)?.symbol == symbol,
          let offset = size.substituting([symbol: 0]).known, let one = size.substituting([symbol: 1]).known,
          one > offset
        else { continue }
        found = (input, axis, one - offset, offset)
      }
    }
    return found
  }

  private func symbol(_ name: String) -> ONNXValue {
    let dimension = Dim(symbol: name)
    if let known = computedSizes[dimension] { return known }
    guard let (input, axis, factor, offset) = source(of: name) else { internalError("symbol \(name) has no source") }
    let type = TensorType(.i64, [1])
    let shape = node("Shape", [input], TensorType(.i64, [input.rank]))
    var value = node("Gather", [shape, vector([axis], "axis")], type)
    if offset != 0 { value = node("Sub", [value, vector([offset], "size")], type) }
    if factor != 1 { value = node("Div", [value, vector([factor], "size")], type) }
    computedSizes[dimension] = value
    return value
  }

  private func node(_ operation: String, _ operands: [ONNXValue], _ type: TensorType) -> ONNXValue {
    let result = ONNXValue(name: name("size_of_\(operation.lowercased())"), type: type)
    prologue.nodes.append(
      .with {
        $0.name = nodeName("sizes/\(operation)")
        $0.opType = operation
        $0.input = operands.map(\.name)
        $0.output = [result.name]
      })
    prologue.produced[result.name] = type
    return result
  }
}
