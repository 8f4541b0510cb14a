internal import LatheCore

/// An integer tensor of rank 0 or 1 that is made of sizes, some of them symbolic: what `Shape` gives and `Reshape` takes.
///
/// Graphs hold shapes as attributes, not as tensors; so arithmetic on such tensors is carried out while importing.
struct Sizes {
  var dimensions: [Dim]
  var isScalar: Bool
  var dtype: ScalarType

  init(_ dimensions: [Dim], isScalar: Bool = false, dtype: ScalarType = .i64) {
    self.dimensions = dimensions
    self.isScalar = isScalar
    self.dtype = dtype
  }

  var type: TensorType { TensorType(dtype, isScalar ? [] : [dimensions.count]) }

  /// The value as a tensor.
  ///
  /// A symbolic size becomes a sum of ones, which has its value once the symbol is bound.
  func tensor(in builder: Builder) -> Tensor {
    let shape = isScalar ? [] : [dimensions.count]
    if let known = dimensions.known {
      return builder.constant(unfailing { try NDArray(dtype: dtype, shape: shape, values: known.map { .integer($0) }) })
    }
    let elements = dimensions.map { size in
      if let known = size.known {
        return builder.constant(unfailing { try NDArray(dtype: dtype, shape: [1], values: [.integer(known)]) })
      }
      return builder.number(size).convert(to: dtype).reshape([1])
    }
    return Tensor.concatenate(elements, axis: 0).reshape(shape)
  }

  // MARK: Operators on sizes

  /// The result of an operator where it can be told from sizes that are not all known; nil leaves it to the operator's
  /// definition on tensors.
  static func evaluated(_ call: Call) throws(TypeFault) -> Sizes? {
    let operands = call.operands.map { $0?.sizes }
    guard call.operands.contains(where: { if case .sizes = $0?.content { true } else { false } }) else { return nil }
    guard let first = operands.first ?? nil else { return nil }
    let second = operands.count > 1 ? operands[1] : nil
    switch call.operation {
    case "Identity": return first
    case "Cast":
      let target = try ScalarType(onnx: try call.integer("to"))
      return target.isInteger ? Sizes(first.dimensions, isScalar: first.isScalar, dtype: target) : nil
    case "Gather":
      guard let places = second, let known = places.dimensions.known, !first.isScalar else { return nil }
      let count = first.dimensions.count
      for place in known where place < -count || place >= count {
        throw TypeFault("index \(place) is outside of \(count) elements")
      }
      return Sizes(
        known.map { first.dimensions[$0 < 0 ? $0 + count : $0] }, isScalar: places.isScalar, dtype: first.dtype)
    case "Concat":
      let all = operands.compactMap { $0 }
      guard all.count == operands.count, all.allSatisfy({ !$0.isScalar && $0.dtype == first.dtype }) else { return nil }
      return Sizes(all.flatMap(\.dimensions), dtype: first.dtype)
    case "Unsqueeze": return first.isScalar ? Sizes(first.dimensions, dtype: first.dtype) : nil
    case "Squeeze", "Reshape":
      guard first.dimensions.count == 1 else { return call.operation == "Reshape" ? reshaped(first, operands) : nil }
      let toScalar = call.operation == "Squeeze" || second?.dimensions.isEmpty == true
      return toScalar || second?.dimensions.count == 1
        ? Sizes(first.dimensions, isScalar: toScalar, dtype: first.dtype) : nil
    case "Slice": return try sliced(first, call)
    case "Add": return zipped(operands, +)
    case "Sub": return zipped(operands, -)
    case "Mul": return zipped(operands, *)
    case "Min": return zipped(operands, Dim.minimum)
    case "Max": return zipped(operands, Dim.maximum)
    case "Div":
      // Exact division, or that of a positive polynomial, where rounding down is rounding towards zero.
      return zipped(operands) { a, b in
        guard let divisor = b.known else { return a.divided(exactlyBy: b) }
        guard divisor > 0 else { return nil }
        return a.floorDivided(by: divisor)
      }
    case "ReduceProd":
      let keeps = try call.integer("keepdims", default: 1) != 0
      return first.isScalar ? nil : Sizes([first.dimensions.elementCount], isScalar: !keeps, dtype: first.dtype)
    default: return nil
    }
  }

  private static func reshaped(_ first: Sizes, _ operands: [Sizes?]) -> Sizes? {
    guard operands.count == 2, let target = operands[1], target.dimensions.count == 1 else { return nil }
    guard target.dimensions[0] == -1 || target.dimensions[0] == Dim(first.dimensions.count) else { return nil }
    return first
  }

  private static func sliced(_ first: Sizes, _ call: Call) throws(TypeFault) -> Sizes? {
    guard !first.isScalar, let slice = try? SliceArguments(call), slice.axes.allSatisfy({ $0 == 0 || $0 == -1 }) else {
      return nil
    }
    guard slice.starts.count == 1, let start = slice.starts[0].known, let end = slice.ends[0].known else { return nil }
    let range = SliceArguments.resolved(start: start, end: end, step: slice.steps[0], size: first.dimensions.count)
    return Sizes(range.map { first.dimensions[$0] }, dtype: first.dtype)
  }

  private static func zipped(_ operands: [Sizes?], _ join: (Dim, Dim) -> Dim?) -> Sizes? {
    guard operands.count == 2, let a = operands[0], let b = operands[1], a.dtype == b.dtype else { return nil }
    let count = max(a.dimensions.count, b.dimensions.count)
    guard [1, count].contains(a.dimensions.count), [1, count].contains(b.dimensions.count) else { return nil }
    var joined: [Dim] = []
    for position in 0..<count {
      guard
        let size = join(
          a.dimensions[a.dimensions.count == 1 ? 0 : position], b.dimensions[b.dimensions.count == 1 ? 0 : position])
      else { return nil }
      joined.append(size)
    }
    return Sizes(joined, isScalar: a.isScalar && b.isScalar, dtype: a.dtype)
  }
}
