internal import LatheCore
internal import LatheNN

/// Random numbers, from the graph's own seed: other numbers in every run. The `seed` of a node is not used, as no two
/// runtimes agree on what it means.
extension Operator {
  static let random: [String: Operator] = [
    "RandomUniform": .one { call throws(TypeFault) in
      try uniform(call, try call.integers("shape").map { Dim($0) }, try call.elementType("dtype") ?? .f32)
    },
    "RandomUniformLike": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      return try uniform(call, x.shape, try call.elementType("dtype") ?? x.dtype)
    },
    "RandomNormal": .one { call throws(TypeFault) in
      try normal(call, try call.integers("shape").map { Dim($0) }, try call.elementType("dtype") ?? .f32)
    },
    "RandomNormalLike": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      return try normal(call, x.shape, try call.elementType("dtype") ?? x.dtype)
    },
    "Bernoulli": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      return x.bernoulli().convert(to: try call.elementType("dtype") ?? x.dtype)
    },
    "Multinomial": .one { call throws(TypeFault) in
      // The place of the largest logarithm of a probability plus Gumbel noise.
      let x = try call.tensor(0)
      guard x.rank == 2 else { throw TypeFault("the operand \(x.type) is not a batch of logarithms") }
      let count = Dim(try call.integer("sample_size", default: 1))
      let shape = [x.shape[0], count, x.shape[1]]
      let noise = -(-(1 - call.builder.rand(shape, dtype: .f32)).log()).log()
      let scores = x.convert(to: .f32).inserting(axes: [1]) + noise
      return scores.argReduce(.max, axis: 2).convert(to: try call.elementType("dtype") ?? .i32)
    },
    "Dropout": .several(dropout),
  ]

  private static func uniform(_ call: Call, _ shape: [Dim], _ type: ScalarType) throws(TypeFault) -> Tensor {
    let (low, high) = (try call.float("low", default: 0), try call.float("high", default: 1))
    return call.builder.rand(shape, dtype: type) * (high - low) + low
  }

  private static func normal(_ call: Call, _ shape: [Dim], _ type: ScalarType) throws(TypeFault) -> Tensor {
    call.builder.normal(
      mean: try call.float("mean", default: 0), std: try call.float("scale", default: 1), shape, dtype: type)
  }

  /// The operand and a mask of ones, which is `bool` since opset 10; in training mode a share of the elements is 0 and
  /// the others are scaled so that their sum stays.
  private static func dropout(_ call: Call) throws(TypeFault) -> [Tensor] {
    let x = try call.tensor(0)
    let isWritten = call.has(2) ? try call.number(2, "the training mode") != 0 : false
    let isTraining = isWritten && !call.importer.isEvaluating
    let ratio = isTraining ? call.has(1) ? try call.number(1, "the ratio") : 0.5 : 0
    let mask = TensorType(call.opset < 10 ? x.dtype : .bool, x.shape)
    guard ratio != 0 else { return [x, call.builder.full(mask, mask.dtype.isFloat ? .float(1) : .integer(1))] }
    guard (0..<1).contains(ratio) else { throw TypeFault("the ratio \(ratio) is not below 1") }
    let kept = call.builder.bernoulli(x.shape, p: 1 - ratio)
    return [kept.select(x * (1 / (1 - ratio)), x.zerosLike()), kept.convert(to: mask.dtype)]
  }
}
