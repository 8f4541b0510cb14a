internal import LatheCore

/// How each operation is said in ONNX: one rule each.
extension GraphExport {
  /// Writes an operation.
  ///
  /// - Returns: Its results; none of those that are written where they are read, since whoever reads them broadcasts.
  /// - Throws: What ONNX cannot express.
  func write(_ node: Node) throws(TypeFault) -> [ONNXValue] {
    let type = node.types[0]
    switch node.operation {
    case .input, .variable: internalError("\(node.operation.name) is known before nodes are written")
    case .constant(let constant): return [literal(constant.array)]
    case .iota, .broadcast: return []
    case .randomBits(let random): return [try write(random, try operand(node, 0))]
    case .pointwise(let function):
      return [try write(function, try broadcasting(node.operands, to: type.shape), type)]
    case .convert(let convert): return [try write(convert, node.operands[0])]
    case .bitcast: return [try write(bitcast: try operand(node, 0), type)]
    case .detach: return [try operand(node, 0)]
    case .reshape(let reshape): return [try self.reshape(try operand(node, 0), to: reshape.shape)]
    case .permute(let permute): return [transpose(try operand(node, 0), permute.permutation)]
    case .slice(let slice): return [try write(slice, try operand(node, 0))]
    case .reverse(let reverse): return [self.reverse(try operand(node, 0), reverse.axes)]
    case .pad(let pad): return [try write(pad, try operand(node, 0), try operand(node, 1))]
    case .concatenate(let concatenate):
      return [emit("Concat", try operands(node), type, [.int("axis", concatenate.axis)])]
    case .gather(let gather): return [try write(gather.indexed, try operand(node, 0), try operand(node, 1), type)]
    case .scatter(let scatter): return [try write(scatter, try operands(node))]
    case .reduce(let reduce): return [try write(reduce, try operand(node, 0), type)]
    case .argReduce(let argReduce): return [try write(argReduce, try operand(node, 0), type)]
    case .argSort(let sort): return [try write(sort, try operand(node, 0), type)]
    case .cumulative(let cumulative): return [try write(cumulative, try operand(node, 0))]
    case .dot(let dot): return [try write(dot, try operand(node, 0), try operand(node, 1), type)]
    case .convolution(let convolution): return [try write(convolution, node)]
    case .windowReduce(let reduce): return [try write(reduce, try operand(node, 0), type)]
    case .windowArgReduce(let reduce): return [try write(reduce, try operand(node, 0), type)]
    case .conditional(let conditional): return try write(conditional, try operands(node), node.types)
    case .whileLoop(let loop): return try write(loop, try operands(node))
    case .scan(let scan): return try write(scan, try operands(node), node.types)
    case .call(let call): return try inline(call.body, try operands(node))
    case .extent(let extent): return [try write(extent, try operand(node, 0))]
    case .exchange(let exchange):
      throw TypeFault(
        "gradients that are handed out, as '\(exchange.label)' is, are not written to ONNX",
        help: "leave out bucketBytes")
    case .factorization:
      throw TypeFault(
        "ONNX has no factorizations of matrices", help: "compile the graph with lathe compile, or leave it out")
    }
  }

  private func operand(_ node: Node, _ position: Int) throws(TypeFault) -> ONNXValue {
    try value(node.operands[position])
  }

  private func operands(_ node: Node) throws(TypeFault) -> [ONNXValue] {
    var written: [ONNXValue] = []
    for operand in node.operands { written.append(try value(operand)) }
    return written
  }
}
