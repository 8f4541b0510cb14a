internal import LatheCore
internal import SwiftProtobuf

/// Writes nodes into a block, with casts where an operator does not take a type, and names that say where they come from.
class NodeWriter {
  let model: ModelExport
  let block: Block
  /// Where the nodes that are being written come from.
  var location = Location()

  init(in block: Block, of model: ModelExport) {
    self.block = block
    self.model = model
  }

  // MARK: Nodes

  /// Writes a node with one result.
  func emit(
    _ operation: String, _ operands: [ONNXValue?], _ type: TensorType, _ attributes: [Onnx_AttributeProto] = []
  ) -> ONNXValue {
    emit(operation, operands, results: [type], attributes)[0]
  }

  /// Writes a node; results without a type are not named.
  func emit(
    _ operation: String, _ operands: [ONNXValue?], results: [TensorType?], _ attributes: [Onnx_AttributeProto] = []
  ) -> [ONNXValue] {
    model.require(opset: OperatorTypes.of(operation).since)
    model.require(domain: OperatorTypes.domain(of: operation))
    for type in operands.compactMap({ $0?.dtype }) + results.compactMap({ $0?.dtype }) where type.narrow != nil {
      model.require(type)
      if let since = OperatorTypes.since(operation, storing: type) {
        model.require(opset: since)
      } else if OperatorTypes.movesElements(operation) {
        return moving(operation, operands, results: results, attributes)
      } else {
        model.report(
          Diagnostic(
            "ONNX has no \(operation) of \(type)", operation: operation, location: location,
            help: "convert to a type that is computed with before"))
      }
    }
    let name = model.nodeName(stem + operation)
    let written = results.enumerated().compactMap { position, type in
      type.map { ONNXValue(name: model.name("\(name)_output_\(position)"), type: $0) }
    }
    var names = written.map(\.name)[...]
    block.nodes.append(
      .with {
        $0.name = name
        $0.opType = operation
        $0.domain = OperatorTypes.domain(of: operation)
        $0.input = operands.map { $0?.name ?? "" }
        $0.output = results.map { $0 == nil ? "" : names.removeFirst() }
        $0.attribute = attributes
      })
    for value in written { block.produced[value.name] = value.type }
    return written
  }

  /// A node that moves elements of formats that numbers are only stored in, which the operator does not take: it moves the
  /// same numbers in a type that holds them all.
  private func moving(
    _ operation: String, _ operands: [ONNXValue?], results: [TensorType?], _ attributes: [Onnx_AttributeProto]
  ) -> [ONNXValue] {
    let written = emit(
      operation, operands.map { operand in operand.map { cast($0, to: $0.dtype.moved) } },
      results: results.map { type in type.map { $0.with(dtype: $0.dtype.moved) } }, attributes)
    return zip(written, results.compactMap { $0 }).map { narrowed($0, to: $1.dtype) }
  }

  /// What a literal is called: as in the file that it comes from, or after its module.
  var literalName: String { location.node ?? location.modulePath.map { $0 + ".constant" } ?? "constant" }

  /// What the names of a node's operators start with: the node of the file that it comes from, or its module.
  private var stem: String {
    let path = location.modulePath.map { "/" + $0.split(separator: ".").joined(separator: "/") + "/" } ?? "/"
    guard let node = location.node else { return path }
    return (node.hasPrefix("/") ? node : path + node) + "/"
  }

  /// A literal of the graph: short ones of a branch or a loop's body stay there, since what is made of them alone and of
  /// values around would be computed outside.
  func literal(_ array: NDArray) -> ONNXValue {
    guard block.isInner, array.dtype.irVersion == 8, array.count <= ModelExport.largestConstant else {
      return model.literal(array, literalName)
    }
    if let known = block.literals[array] { return known }
    let value = emit("Constant", [], array.type, [.tensor("value", array)])
    block.literals[array] = value
    model.note(array, of: value)
    return value
  }

  /// Writes a node whose operands of one element type are computed in a type that the operator has: casts are put around
  /// it where the type is another.
  ///
  /// - Parameters:
  ///   - dtype: The element type in question.
  ///   - type: Of the result, which is cast back where its element type is the same.
  func compute(
    _ operation: String, _ operands: [ONNXValue?], in dtype: ScalarType, _ type: TensorType,
    _ attributes: [Onnx_AttributeProto] = []
  ) throws(TypeFault) -> ONNXValue {
    try compute(operation, operands, in: dtype, results: [type], attributes)[0]
  }

  func compute(
    _ operation: String, _ operands: [ONNXValue?], in dtype: ScalarType, results: [TensorType?],
    _ attributes: [Onnx_AttributeProto] = []
  ) throws(TypeFault) -> [ONNXValue] {
    guard let working = OperatorTypes.of(operation).working(dtype) else {
      throw TypeFault("ONNX has no \(operation) of \(dtype)")
    }
    if working == dtype { return emit(operation, operands, results: results, attributes) }
    let wide = operands.map { operand in
      operand.map { $0.dtype == dtype ? cast($0, to: working) : $0 }
    }
    let types = results.map { type in type.map { $0.dtype == dtype ? $0.with(dtype: working) : $0 } }
    let written = emit(operation, wide, results: types, attributes)
    return zip(written, results.compactMap { $0 }).map { narrowed($0, to: $1.dtype) }
  }

  /// Numbers in another type; what is out of the range of a float becomes infinity or NaN.
  func cast(_ x: ONNXValue, to dtype: ScalarType) -> ONNXValue {
    if x.dtype == dtype { return x }
    // What is known in a type that holds all of them need not be converted to it.
    if let wide = block.wide[x.name] { return cast(wide, to: dtype) }
    let result = newCast(x, to: dtype)
    if x.dtype.narrow != nil, dtype == x.dtype.moved { block.wide[x.name] = result }
    return result
  }

  /// Numbers that have been computed in a wider type back in their own.
  private func narrowed(_ x: ONNXValue, to dtype: ScalarType) -> ONNXValue {
    let result = cast(x, to: dtype)
    if dtype.narrow != nil, x.dtype == dtype.moved { block.wide[result.name] = x }
    return result
  }

  private func newCast(_ x: ONNXValue, to dtype: ScalarType) -> ONNXValue {
    let type = x.type.with(dtype: dtype)
    let target = Onnx_AttributeProto.int("to", dtype.onnx.rawValue)
    let isOpen = Onnx_AttributeProto.int("saturate", 0)
    guard dtype == .f8e8m0 else {
      return emit("Cast", [x], type, [target] + (dtype.saturates ? [isOpen] : []))
    }
    // ONNX drops signs, and rounds exponents up unless it is told otherwise.
    let number = cast(x, to: .f32)
    func scalar(_ value: Double) -> ONNXValue { literal(NDArray(scalar: .float(value), dtype: .f32)) }
    let isNegative = emit("Less", [number, scalar(0)], number.type.with(dtype: .bool))
    let scale = emit("Where", [isNegative, scalar(.nan), number], number.type)
    return emit("Cast", [scale], type, [target, isOpen, .string("round_mode", "nearest")])
  }

  // MARK: Shapes

  /// A size as `i64[1]`: one that data decides is computed where it is needed, from the tensor that has it.
  func size(_ dimension: Dim) throws(TypeFault) -> ONNXValue {
    if dimension.extents.isEmpty { return try model.size(dimension) }
    if let known = block.size(dimension) { return known }
    let type = TensorType(.i64, [1])
    let value = dimension.computed(
      in: try model.sizeArithmetic(
        for: dimension, extent: { self.measured($0) }, node: { self.emit($0, $1.map { $0 }, type) }))
    block.note(value, of: dimension)
    return value
  }

  /// The size of the axis that has a size that data decides.
  private func measured(_ size: String) -> ONNXValue {
    let dimension = Dim(extent: size)
    if let known = block.size(dimension) { return known }
    guard let witness = block.witness(of: size) else { internalError("?\(size) is read before it is defined") }
    let shape = emit("Shape", [witness.value], TensorType(.i64, [Dim(witness.value.rank)]))
    let value =
      witness.value.rank == 1
      ? shape : emit("Gather", [shape, model.vector([witness.axis], "axis")], TensorType(.i64, [1]))
    block.note(value, of: dimension)
    return value
  }

  /// A shape as an operand.
  func shape(_ shape: [Dim]) throws(TypeFault) -> ONNXValue {
    if let known = shape.known { return model.vector(known, "shape") }
    var parts: [ONNXValue] = []
    var run: [Int] = []
    for size in shape {
      if let known = size.known {
        run.append(known)
        continue
      }
      if !run.isEmpty { parts.append(model.vector(run, "shape")) }
      run = []
      parts.append(try self.size(size))
    }
    if !run.isEmpty { parts.append(model.vector(run, "shape")) }
    if parts.count == 1 { return parts[0] }
    return emit("Concat", parts, TensorType(.i64, [shape.count]), [.int("axis", 0)])
  }

  func reshape(_ x: ONNXValue, to shape: [Dim]) throws(TypeFault) -> ONNXValue {
    if x.shape == shape { return x }
    if let source = block.reshaped[x.name] { return try reshape(source, to: shape) }
    let result = try reshaped(x, to: shape)
    block.reshaped[result.name] = x
    return result
  }

  private func reshaped(_ x: ONNXValue, to shape: [Dim]) throws(TypeFault) -> ONNXValue {
    let type = x.type.with(shape: shape)
    // Axes of size 1 come and go whatever the other sizes are.
    if let added = Self.units(from: x.shape, to: shape) {
      return emit("Unsqueeze", [x, model.vector(added, "axes")], type)
    }
    if let dropped = Self.units(from: shape, to: x.shape) {
      return emit("Squeeze", [x, model.vector(dropped, "axes")], type)
    }
    var listed: [Int] = []
    var holes = 0
    for (axis, size) in shape.enumerated() {
      if let known = size.known {
        listed.append(known)
      } else if axis < x.rank, x.shape[axis] == size {
        listed.append(0)
      } else {
        listed.append(-1)
        holes += 1
      }
    }
    // Sizes that data decides may be 0, which leaves none over for what the others do not tell.
    let mayBeEmpty = holes > 0 && listed.contains(0) && !(x.shape + shape).extents.isEmpty
    if shape.contains(0) || mayBeEmpty {
      model.require(opset: 14)
      return emit("Reshape", [x, try self.shape(shape)], type, [.int("allowzero", 1)])
    }
    return emit("Reshape", [x, holes > 1 ? try self.shape(shape) : model.vector(listed, "shape")], type)
  }

  /// The axes of size 1 that make one shape of another; nil where the two differ in more.
  private static func units(from: [Dim], to: [Dim]) -> [Int]? {
    guard from.count < to.count else { return nil }
    var axes: [Int] = []
    var rest = from[...]
    for (axis, size) in to.enumerated() {
      if let next = rest.first, next == size, size != 1 || to.count - axis == rest.count {
        rest.removeFirst()
      } else if size == 1 {
        axes.append(axis)
      } else {
        return nil
      }
    }
    return rest.isEmpty ? axes : nil
  }

  func transpose(_ x: ONNXValue, _ permutation: [Int]) -> ONNXValue {
    if permutation == Array(0..<x.rank) { return x }
    if let inner = block.transposed[x.name] {
      return transpose(inner.source, permutation.map { inner.permutation[$0] })
    }
    let result = emit(
      "Transpose", [x], x.type.with(shape: permutation.map { x.shape[$0] }), [.ints("perm", permutation)])
    block.transposed[result.name] = (x, permutation)
    return result
  }

  func expand(_ x: ONNXValue, to shape: [Dim]) throws(TypeFault) -> ONNXValue {
    if x.shape == shape { return x }
    return try compute("Expand", [x, try self.shape(shape)], in: x.dtype, x.type.with(shape: shape))
  }

  /// `x[start ..< limit by stride]` on some axes.
  func slice(
    _ x: ONNXValue, axes: [Int], start: [Int], limit: [Dim], stride: [Int]
  ) throws(TypeFault) -> ONNXValue {
    if axes.isEmpty { return x }
    var shape = x.shape
    for (position, axis) in axes.enumerated() {
      let extent = limit[position] - Dim(start[position])
      shape[axis] = (extent + Dim(stride[position] - 1)).floorDivided(by: stride[position])
    }
    // To the end of an axis, whatever its size is.
    let ends = zip(axes, limit).map { axis, limit in limit == x.shape[axis] ? Dim(Int.max) : limit }
    return emit(
      "Slice",
      [
        x, model.vector(start, "starts"), try self.shape(ends), model.vector(axes, "axes"),
        model.vector(stride, "steps"),
      ], x.type.with(shape: shape))
  }

  func reverse(_ x: ONNXValue, _ axes: [Int]) -> ONNXValue {
    if axes.isEmpty { return x }
    return emit(
      "Slice",
      [
        x, model.vector(axes.map { _ in -1 }, "starts"), model.vector(axes.map { _ in Int.min }, "ends"),
        model.vector(axes, "axes"), model.vector(axes.map { _ in -1 }, "steps"),
      ], x.type)
  }

  /// Values around the elements; negative amounts cut elements off.
  func pad(_ x: ONNXValue, low: [Int], high: [Int], value: ONNXValue) throws(TypeFault) -> ONNXValue {
    if (low + high).allSatisfy({ $0 == 0 }) { return x }
    let shape = x.shape.indices.map { x.shape[$0] + Dim(low[$0] + high[$0]) }
    return try compute(
      "Pad", [x, model.vector(low + high, "pads"), value], in: x.dtype, x.type.with(shape: shape))
  }

  /// The number that changes nothing when it is joined.
  func identity(_ combiner: Combiner, _ dtype: ScalarType) -> ONNXValue {
    model.scalar(combiner.identity(dtype), dtype)
  }

  /// The numbers from 0 on.
  func numbers(_ count: Dim, _ dtype: ScalarType) throws(TypeFault) -> ONNXValue {
    if let count = count.known, count <= ModelExport.largestConstant {
      let numbers = (0..<count).map { ScalarValue.integer($0) }
      return model.literal(
        NDArray(dtype: .i64, values: numbers).converted(to: dtype), "iota")
    }
    let isOwn = count.known != nil && OperatorTypes.of("Range").types.contains(dtype)
    let counted = isOwn ? dtype : .i64
    let limit =
      if let known = count.known { model.scalar(.integer(known), counted) } else {
        try reshape(try size(count), to: [])
      }
    let range = emit(
      "Range", [model.scalar(.integer(0), counted), limit, model.scalar(.integer(1), counted)],
      TensorType(counted, [count]))
    return cast(range, to: dtype)
  }

  // MARK: Sub-graphs

  /// Writes a graph in place, on arguments.
  func inline(_ body: Graph, _ arguments: [ONNXValue]) throws(TypeFault) -> [ONNXValue] {
    let inner = GraphExport(body, in: block, of: model, arguments: arguments, place: location)
    inner.run()
    var results: [ONNXValue] = []
    for output in body.outputs {
      // What is wrong has been told where it is.
      if inner.isPoisoned(output.value) { throw .poisoned }
      results.append(try inner.value(output.value))
    }
    return results
  }

  /// Writes a function of tensors in place: what ONNX has no operator for, in terms of what it has.
  func inline(
    _ operands: [ONNXValue], _ function: ([Tensor]) throws(TypeFault) -> Tensor
  ) throws(TypeFault) -> ONNXValue {
    let builder = Builder()
    let body = try builder.region(operands.map(\.type)) { _, tensors throws(TypeFault) in [try function(tensors)] }
    guard builder.diagnostics.isEmpty else { internalError("an expansion is faulty: \(builder.diagnostics)") }
    return try inline(body, operands)[0]
  }

  /// A graph as an attribute: a branch, or the body of a loop.
  ///
  /// - Parameters:
  ///   - parameters: What the graph takes for itself; all else it sees where it stands.
  ///   - body: Writes the nodes and gives the results.
  func subgraph(
    _ name: String, parameters: [ONNXValue], _ body: (NodeWriter) throws(TypeFault) -> [ONNXValue]
  ) throws(TypeFault) -> Onnx_GraphProto {
    let block = Block(in: self.block)
    let inner = NodeWriter(in: block, of: model)
    inner.location = location
    var taken: Set<String> = []
    var results: [ONNXValue] = []
    for result in try body(inner) {
      // A result is one of the graph's own nodes, and each a different one.
      let isOwn = block.produced[result.name] != nil && taken.insert(result.name).inserted
      results.append(isOwn ? result : inner.emit("Identity", [result], result.type))
    }
    block.prune(keeping: results.map(\.name))
    return .with {
      $0.name = model.nodeName(stem + name)
      $0.node = block.nodes
      $0.input = parameters.map { Onnx_ValueInfoProto($0.name, $0.type) }
      $0.output = results.map { Onnx_ValueInfoProto($0.name, $0.type) }
    }
  }

  /// A parameter of a sub-graph.
  func parameter(_ stem: String, _ type: TensorType) -> ONNXValue {
    ONNXValue(name: model.name(self.stem + stem), type: type)
  }
}
