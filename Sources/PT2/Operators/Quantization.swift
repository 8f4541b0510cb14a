internal import LatheCore
internal import LatheNN

/// Numbers as quantization rounds them, in floats.
extension Operator {
  static let quantization: [String: Operator] = [
    "fake_quantize_per_tensor_affine": .one(wholeTensor),
    "fake_quantize_per_tensor_affine_cachemask": .first(of: 2, wholeTensor),
    "fake_quantize_per_channel_affine": .one(channels),
    "fake_quantize_per_channel_affine_cachemask": .first(of: 2, channels),
  ]

  private static func wholeTensor(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor()
    return fakeQuantizePerTensorAffine(
      x, scale: try call.operand("scale").tensor(beside: x), zeroPoint: try call.tensor("zero_point"),
      quantMin: try call.integer("quant_min"), quantMax: try call.integer("quant_max"))
  }

  private static func channels(_ call: Call) throws(TypeFault) -> Tensor {
    fakeQuantizePerChannelAffine(
      try call.tensor(), scale: try call.tensor("scale"), zeroPoint: try call.tensor("zero_point"),
      axis: try call.integer("axis"), quantMin: try call.integer("quant_min"), quantMax: try call.integer("quant_max"))
  }
}
