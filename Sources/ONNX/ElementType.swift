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
    case .f8e4m3fn: .float8E4M3Fn
    case .f8e4m3fnuz: .float8E4M3Fnuz
    case .f8e5m2: .float8E5M2
    case .f8e5m2fnuz: .float8E5M2Fnuz
    case .f8e8m0: .float8E8M0
    case .f6e2m3: .float6E2M3
    case .f6e3m2: .float6E3M2
    case .f4e2m1: .float4E2M1
    case .i4: .int4
    case .u4: .uint4
    case .i2: .int2
    case .u2: .uint2
    }
  }

  /// The first version of ONNX's file format that has the type, from 8 on, which is the oldest that is written.
  var irVersion: Int { firstVersions.file }

  /// The first operator set that converts numbers to the type.
  var castVersion: Int { firstVersions.cast }

  private var firstVersions: (file: Int, cast: Int) {
    switch self {
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz: (9, 19)
    case .i4, .u4: (10, 21)
    case .f4e2m1: (11, 23)
    case .f8e8m0: (12, 24)
    case .i2, .u2: (13, 25)
    case .f6e2m3, .f6e3m2: (14, 28)
    default: (8, 13)
    }
  }

  /// The type that a number of ONNX's `TensorProto.DataType` stands for.
  init(onnx number: Int) throws(TypeFault) {
    guard let type = Onnx_TensorProto.DataType(rawValue: number), type != .undefined else {
      throw TypeFault("the element type \(number) does not exist")
    }
    guard let scalar = Self.allCases.first(where: { $0.onnx == type }) else {
      throw TypeFault(
        "the element type \(type) is not supported",
        help: type == .string ? "Lathe has no strings: turn texts into numbers before the model" : nil)
    }
    self = scalar
  }
}
