internal import LatheCore

extension GraphExport {
  /// The same bits as Lathe's own, in operations on integers: ONNX's random operators promise no numbers.
  func write(_ random: RandomBits, _ seed: ONNXValue) throws(TypeFault) -> ONNXValue {
    let positions = try numbers(random.shape.elementCount, .i64)
    let bits = try inline([positions, seed]) { operands in
      let scalars = ScalarBuilder()
      // What stands for the words of the counter and of the key.
      func leaf(_ position: Int) -> Scalar { scalars.load(BufferID(position), Index(0), .u32) }
      let word = RandomBits.philox(
        [leaf(0), leaf(1), scalars.constant(.integer(random.stream), .u32), scalars.constant(.integer(0), .u32)],
        (low: leaf(2), high: leaf(3)), scalars)[0]
      let position = operands[0].convert(to: .u64)
      let seed = operands[1].broadcast(to: position.shape, axes: [])
      func halves(_ x: Tensor) -> [Tensor] { [x.convert(to: .u32), (x >> 32).convert(to: .u32)] }
      return scalars.tensor(word, loads: halves(position) + halves(seed))
    }
    return try reshape(bits, to: random.shape)
  }
}

extension ScalarBuilder {
  /// A scalar as a tensor, computed for all elements at once.
  ///
  /// - Parameter loads: What stands for the elements of each buffer.
  fileprivate func tensor(_ scalar: Scalar, loads: [Tensor]) -> Tensor {
    var tensors: [Scalar: Tensor] = [:]
    forEach([scalar]) { scalar, node in
      let operands = self.operands(node).compactMap { tensors[$0] }
      switch node {
      case .constant(let value):
        tensors[scalar] = loads[0].builder.full(TensorType(type(scalar), loads[0].shape), value)
      case .load(let buffer, _): tensors[scalar] = loads[buffer.position]
      case .pointwise(let function, _): tensors[scalar] = .pointwise(function, operands)
      case .convert: tensors[scalar] = operands[0].convert(to: type(scalar))
      case .bitcast: tensors[scalar] = operands[0].bitcast(to: type(scalar))
      case .index, .checked, .guarded, .reduce, .argReduce: internalError("\(node) is no function of loads")
      }
    }
    guard let tensor = tensors[scalar] else { internalError("\(scalar) is not reached") }
    return tensor
  }
}
