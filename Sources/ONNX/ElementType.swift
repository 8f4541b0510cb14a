internal import LatheCore

extension ScalarType {
  /// The number of the type in ONNX's `TensorProto.DataType`.
  var onnx: Onnx_TensorProto.DataType {
    switch self {
    case .f64: .double
    case .f32: .float
    case .f16: .float16
    case .bf16: .bfloat16
    case .i8: .int8
    case .i16: .int16
    case .i32: .int32
    case .i64: .int64
    case .u8: .uint8
    case .u16: .uint16
    case .u32: .uint32
    case .u64: .uint64
    case .bool: .bool
    }
  }

  /// The type that a number of ONNX's `TensorProto.DataType` stands for.
  init(onnx number: Int) throws(TypeFault) {
    guard let type = Onnx_TensorProto.DataType(rawValue: number), type != .undefined else {
      throw TypeFault("the element type \(number) does not exist")
    }
    guard let scalar = Self.allCases.first(where: { $0.onnx == type }) else {
      throw TypeFault("the element type \(type) is not supported")
    }
    self = scalar
  }
}
