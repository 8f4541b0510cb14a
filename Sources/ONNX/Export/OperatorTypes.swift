internal import LatheCore

/// What has to be known of an ONNX operator to write it: since when it is as it is written here, and for which element
/// types it can be used.
struct OperatorTypes {
  /// The first operator set with the operator in the form that is written.
  var since: Int
  /// The types that the standard allows and ONNX Runtime's CPU provider computes.
  var types: Set<ScalarType>
  /// Types that the standard alone allows: used where no other type holds the numbers.
  var standardOnly: Set<ScalarType>

  private init(_ types: Set<ScalarType>, standardOnly: Set<ScalarType> = [], since: Int = OperatorTypes.oldest) {
    self.since = since
    self.types = types
    self.standardOnly = standardOnly
  }

  /// The oldest operator set that is written: since it, axes and sizes are operands.
  static let oldest = 13

  /// The type that an operator computes operands of a type in; nil where there is none that holds the results.
  func working(_ type: ScalarType) -> ScalarType? {
    if types.contains(type) { return type }
    let wider: [ScalarType] =
      switch type {
      case .f16, .bf16: [.f32]
      case .bool: [.u8, .i32]
      case .i8, .u8, .i16, .u16: [.i32, .i64, .f32]
      case .i32: [.i64, .f64]
      case .u32: [.i64, .f64]
      // Sums, products and copies have the same bits, signed or not.
      case .u64: [.i64]
      case .f32: [.f64]
      default: type.narrow != nil ? [type.moved] : []
      }
    return wider.first(where: types.contains) ?? (standardOnly.contains(type) ? type : nil)
  }

  /// The first operator set in which an operator takes a format that numbers are only stored in; nil where none does, or
  /// ONNX Runtime has no kernel.
  static func since(_ operation: String, storing type: ScalarType) -> Int? {
    let hasOperators = type != .f6e2m3 && type != .f6e3m2
    switch operation {
    case "Cast": return type.castVersion
    case "Identity", "Shape", "If", "Loop", "Scan": return hasOperators ? max(type.castVersion, 21) : nil
    case "Transpose": return hasOperators && type != .f8e8m0 ? max(type.castVersion, 21) : nil
    case "BitCast": return hasOperators ? 26 : nil
    default: return nil
    }
  }

  /// The set that an operator is in, where it is not the standard's: what ONNX has no operator for, but its runtime has.
  static func domain(of operation: String) -> String { operation == "Inverse" ? "com.microsoft" : "" }

  /// Whether an operator gives elements of its operands as they are, so that it can do so in a type that holds them all.
  static func movesElements(_ operation: String) -> Bool {
    switch operation {
    case "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Slice", "Concat", "Split", "Expand", "Pad", "Gather",
      "GatherND", "GatherElements", "ScatterND", "ScatterElements", "Compress", "Where", "Identity", "Shape":
      true
    default: false
    }
  }

  private static let floats: Set<ScalarType> = [.f64, .f32, .f16]
  private static let singles: Set<ScalarType> = [.f32, .f16]
  private static let integers: Set<ScalarType> = [.i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64]
  private static let words: Set<ScalarType> = [.i32, .i64, .u32, .u64]
  /// Formats that numbers are only stored in are not written.
  private static let all = Set(ScalarType.computed)

  private static let float = OperatorTypes(floats)
  private static let single = OperatorTypes(singles, standardOnly: [.f64])
  private static let arithmetic = OperatorTypes(floats.union(words))
  private static let comparison = OperatorTypes(floats.union(integers))
  private static let bitwise = OperatorTypes(integers, since: 18)
  private static let truth = OperatorTypes([.bool])
  private static let reduction = OperatorTypes(floats.union([.i32, .i64]))
  private static let extreme = OperatorTypes(floats.union([.i8, .i32, .i64, .u8]))
  private static let any = OperatorTypes(all)

  /// The row of an operator.
  ///
  /// Kernels of the provider that are left out are only those that a test of ONNX Runtime 1.31 did not find.
  static func of(_ name: String) -> OperatorTypes {
    switch name {
    case "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos", "Tanh", "Sigmoid", "Floor", "Ceil", "Round", "Relu", "IsNaN",
      "Softmax", "LogSoftmax", "BatchNormalization":
      float
    case "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Erf", "Softplus", "Elu",
      "LeakyRelu", "HardSigmoid", "Conv", "ConvTranspose", "AveragePool":
      single
    case "Gelu": OperatorTypes(singles, standardOnly: [.f64], since: 20)
    case "HardSwish": OperatorTypes(singles, standardOnly: [.f64], since: 14)
    case "LayerNormalization": OperatorTypes(floats, since: 17)
    case "Neg": OperatorTypes(floats.union([.i8, .i16, .i32, .i64]))
    case "Abs", "Sign", "Mod", "Less", "LessOrEqual", "Greater", "GreaterOrEqual": comparison
    case "Equal": OperatorTypes(floats.union(integers).union([.bool]))
    case "Add", "Sub", "Mul", "Div", "MatMul": arithmetic
    case "Pow": OperatorTypes(floats.union([.i32, .i64]))
    case "Max", "Min", "Clip": OperatorTypes(floats.union(words).union([.i8, .u8]))
    case "And", "Or", "Xor", "Not": truth
    case "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot": bitwise
    case "BitShift": OperatorTypes([.u8, .u32, .u64])
    case "Where": OperatorTypes(floats.union([.i8, .i32, .i64, .u8, .u32]))
    case "Gemm": float
    case "Einsum", "ReduceSum": reduction
    case "CumSum": OperatorTypes([.f64, .f32, .i32, .i64])
    // Axes are an operand since 18, an attribute before, and both are written.
    case "ReduceProd", "ReduceMean": reduction
    case "ReduceMax", "ReduceMin", "ArgMax", "ArgMin": extreme
    case "NonZero": OperatorTypes([.f32, .bool, .i32, .i64, .u8])
    case "Unique": OperatorTypes([.f32, .f64, .i8, .i64])
    case "Det": OperatorTypes([.f32], standardOnly: [.f64])
    case "Inverse": float
    case "Resize": OperatorTypes([.f32])
    case "DepthToSpace", "SpaceToDepth": OperatorTypes([.f32, .f64])
    case "NonMaxSuppression": OperatorTypes([.f32])
    case "TopK": OperatorTypes(floats.union([.i8, .i16, .i32, .i64, .u8]))
    case "MaxPool": OperatorTypes(floats.union([.i8, .u8]))
    case "Pad": OperatorTypes(floats.union(words).union([.i8, .u8, .bool]))
    case "Expand": OperatorTypes(all.subtracting([.bf16]))
    case "Range": OperatorTypes([.f64, .f32, .i16, .i32, .i64])
    case "Trilu": OperatorTypes(floats.union([.i32, .i64, .bool]), since: 14)
    case "BitCast": OperatorTypes(all.subtracting([.bool]), since: 26)
    case "Attention": OperatorTypes([.f32], since: 23)
    case "LSTM", "GRU", "RNN": OperatorTypes([.f32], standardOnly: [.f64], since: 14)
    case "Slice", "Concat", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Identity", "Gather", "GatherND",
      "GatherElements", "ScatterND", "ScatterElements", "Cast", "Shape", "Compress", "Constant", "If", "Loop", "Scan",
      "Split":
      any
    default: internalError("ONNX operator \(name) has no row")
    }
  }
}

extension ScalarType {
  /// The type that elements are moved in where an operator does not take their own: it holds the same numbers.
  var moved: ScalarType {
    guard let narrow else { return self }
    return narrow.isFloat ? .f32 : narrow.isSigned ? .i8 : .u8
  }

  /// Whether ONNX's `Cast` to the type takes the nearest end for what is out of range unless told otherwise, although the
  /// type has infinities or NaN.
  var saturates: Bool {
    switch self {
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0: true
    default: false
    }
  }
}
