import LatheCore
import LatheNN
import TestSupport
import Testing

/// An expression of tensors and numbers, and what PyTorch makes of it.
struct PromotionCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let dtype: ScalarType
  let values: [Double]
  let build: @Sendable (Sample) -> Tensor

  init(
    _ name: String, _ dtype: ScalarType, _ values: [Double], _ build: @escaping @Sendable (Sample) -> Tensor
  ) {
    testDescription = name
    self.dtype = dtype
    self.values = values
    self.build = build
  }
}

/// One tensor of each kind, all inputs of a graph: nothing is folded.
struct Sample {
  let builder = Builder()

  let b: Tensor
  let i: Tensor
  let i8: Tensor
  let f: Tensor
  let h: Tensor
  let d0: Tensor
  let i0: Tensor

  init() {
    b = builder.input("b", TensorType(.bool, [3]))
    i = builder.input("i", TensorType(.i64, [3]))
    i8 = builder.input("i8", TensorType(.i8, [3]))
    f = builder.input("f", TensorType(.f32, [3]))
    h = builder.input("h", TensorType(.f16, [3]))
    d0 = builder.input("d0", .scalar(.f64))
    i0 = builder.input("i0", .scalar(.i64))
  }

  /// An image, [1, 1, 2, 3].
  var bytes: Tensor { builder.tensor([1, 254, 3, 100, 7, 50], dtype: .u8).reshape([1, 1, 2, 3]) }

  static let contents: [String: NDArray] = [
    "b": NDArray([true, false, true]), "i": NDArray([1, -2, 3] as [Int64]), "i8": NDArray([100, -2, 3] as [Int8]),
    "f": NDArray([0.5, -2, 3] as [Float]), "h": NDArray([0.5, -2, 3] as [Float]).converted(to: .f16),
    "d0": NDArray(scalar: .float(0.25), dtype: .f64), "i0": NDArray(scalar: .integer(2), dtype: .i64),
  ]
}

private let k = 3
private let half = 0.5

let promotionCases: [PromotionCase] = [
  PromotionCase("integers times a float", .f32, [2, -4, 6]) { $0.i * 2.0 },
  PromotionCase("integers times an integer", .i64, [2, -4, 6]) { $0.i * 2 },
  PromotionCase("a variable of Int on the left", .i64, [2, 5, 0]) { k - $0.i },
  PromotionCase("a variable of Double on the right", .f32, [1.5, -1.5, 3.5]) { $0.i + half },
  PromotionCase("small integers keep their type", .i8, [101, -1, 4]) { $0.i8 + 1 },
  PromotionCase("small integers keep their type in multiples of products", .i8, [-124, -18, 27]) {
    let column = $0.i8.reshape([3, 1])
    return addmm(column, column, $0.i8.slice(axis: 0, from: 2, to: 3).reshape([1, 1]), beta: 3, alpha: 2).flatten()
  },
  PromotionCase("integers keep their type in sums of products", .i8, [-124, -18, 27]) {
    let column = $0.i8.reshape([1, 3, 1])
    let third = $0.i8.slice(axis: 0, from: 2, to: 3).reshape([1, 1, 1])
    return addbmm(column.squeeze(dim: 0), column, third, beta: 3, alpha: 2).flatten()
  },
  PromotionCase("bytes are taken off as integers", .u8, [0, 0, 0]) {
    let bytes = $0.i.to(.u8)
    return bytes.indexAdd(dim: 0, bytes.builder.arange(3), bytes, alpha: -1)
  },
  PromotionCase("truth of bytes is a byte", .u8, [1]) { $0.i.to(.u8).any() },
  PromotionCase("truth of other integers is none", .bool, [0]) { ($0.i - 1).all() },
  PromotionCase("images of bytes are rounded along each axis", .u8, [1, 102, 254, 103, 3, 51, 83, 131, 68, 27]) {
    interpolate($0.bytes, size: [3, 5], mode: .linear).flatten().slice(axis: 0, from: 0, to: 10)
  },
  PromotionCase("cubic images of bytes, too", .u8, [0, 122, 255, 127, 0, 55, 89, 131, 73, 27]) {
    interpolate($0.bytes, size: [3, 5], mode: .cubic).flatten().slice(axis: 0, from: 0, to: 10)
  },
  PromotionCase("and those that are smoothed", .u8, [81, 66]) {
    interpolate($0.bytes, size: [1, 2], mode: .linear, antialias: true).flatten()
  },
  PromotionCase("small integers wrap", .i8, [-56, -4, 6]) { $0.i8 + $0.i8 },
  PromotionCase("small integers meet a float", .f32, [50, -1, 1.5]) { $0.i8 * 0.5 },
  PromotionCase("half floats keep their type", .f16, [1.5, -1, 4]) { $0.h + 1 },
  PromotionCase("half floats meet floats", .f32, [1, -4, 6]) { $0.h + $0.f },
  PromotionCase("a tensor without axes of a higher category", .f64, [0.25, -0.5, 0.75]) { $0.i * $0.d0 },
  PromotionCase("a tensor without axes of the same category", .f32, [0.125, -0.5, 0.75]) { $0.f * $0.d0 },
  PromotionCase("integers without axes", .i8, [102, 0, 5]) { $0.i8 + $0.i0 },
  PromotionCase("integers without axes and floats", .f32, [2.5, 0, 5]) { $0.f + $0.i0 },
  PromotionCase("bool and bool", .bool, [1, 0, 1]) { $0.b + $0.b },
  PromotionCase("bool times bool", .bool, [1, 0, 1]) { $0.b * $0.b },
  PromotionCase("bool and a number", .i64, [2, 1, 2]) { $0.b + 1 },
  PromotionCase("bool and a fraction", .f32, [0.5, 0, 0.5]) { $0.b * 0.5 },
  PromotionCase("bool and integers", .i8, [101, -2, 4]) { $0.b + $0.i8 },
  PromotionCase("bool over bool", .f32, [1, 0, 1]) { $0.b / ($0.b .| ~$0.b) },
  PromotionCase("integers over integers", .f32, [0.5, -1, 1.5]) { $0.i / $0.i0 },
  PromotionCase("integers over a number", .f32, [0.5, -1, 1.5]) { $0.i / 2 },
  PromotionCase("a number over integers", .f32, [6, -3, 2]) { 6 / $0.i },
  PromotionCase("integers modulo", .i64, [1, 1, 0]) { $0.i % 3 },
  PromotionCase("integers modulo a fraction", .f32, [1, 0.5, 0.5]) { $0.i % 2.5 },
  PromotionCase("a number modulo integers", .i64, [0, -1, 1]) { 7 % $0.i },
  PromotionCase("powers", .i64, [1, 4, 9]) { $0.i ** 2 },
  PromotionCase("powers with fractions", .f32, [1, 4, 9]) { $0.i ** 2.0 },
  PromotionCase("powers of a number", .i64, [2, 16, 16]) { 2 ** ($0.i * $0.i % 5) },
  PromotionCase("powers of a fraction", .f32, [0.5, 4, 0.125]) { 0.5 ** $0.i },
  PromotionCase("pow binds closer than times", .f32, [0.5, 8, 18]) { 2 * $0.f ** 2 },
  PromotionCase("integers against a fraction", .bool, [0, 0, 1]) { $0.i .> 2.5 },
  PromotionCase("a number on the left of a comparison", .bool, [1, 0, 1]) { 0 .< $0.i },
  PromotionCase("integers against floats", .bool, [0, 1, 1]) { $0.i .== $0.f },
  PromotionCase("where of numbers", .i64, [1, 0, 1]) { `where`($0.b, 1, 0) },
  PromotionCase("where of fractions", .f32, [1.5, 0, 1.5]) { `where`($0.b, 1.5, 0.0) },
  PromotionCase("where of a number and a fraction", .f32, [1, 0.5, 1]) { `where`($0.b, 1, 0.5) },
  PromotionCase("where of a tensor and a number", .i64, [1, 0, 3]) { `where`($0.b, $0.i, 0) },
  PromotionCase("where of a number and a tensor", .f32, [0.5, -2, 0.5]) { `where`($0.b, 0.5, $0.i) },
  PromotionCase("where of infinity", .f32, [0.5, -.infinity, 3]) { `where`($0.b, $0.f, -.infinity) },
  PromotionCase("maximum of a fraction", .f32, [1, 0.5, 3]) { $0.i.maximum(0.5) },
  PromotionCase("clamp of integers", .i64, [1, 0, 2]) { $0.i.clamp(min: 0, max: 2) },
  PromotionCase("clamp of integers by a fraction", .f32, [1, 0.5, 3]) { $0.i.clamp(min: 0.5) },
  PromotionCase("clamp by tensors", .f32, [0.5, 0.25, 3]) { $0.f.clamp(min: $0.d0, max: $0.f.abs()) },
  PromotionCase("div with a rounding mode", .i64, [0, -1, 1]) { $0.i.div(2, roundingMode: .floor) },
  PromotionCase("div with truncation", .i64, [0, -1, 1]) { $0.i.div(2, roundingMode: .trunc) },
  PromotionCase("add with alpha", .i64, [3, 0, 5]) { $0.i.add(1, alpha: 2) },
  PromotionCase("sub with a fractional alpha", .f32, [0.5, -1, 1.5]) { $0.i.sub($0.i, alpha: 0.5) },
  PromotionCase("augmented assignment rebinds", .f32, [1.5, -1, 4]) {
    var x = $0.f
    x *= 2
    x += 2
    x /= 2
    return x
  },
  PromotionCase("bits", .i64, [3, 0, 1]) { ($0.i .^ 2) .& 3 },
  PromotionCase("shifts", .i64, [4, -8, 12]) { $0.i << 2 },
  PromotionCase("opposite", .bool, [0, 1, 0]) { ~$0.b },
  PromotionCase("exponential of integers", .f32, [2, 0.25, 8]) { $0.i.exp2() },
  PromotionCase("conversions", .i32, [0, -2, 3]) { $0.f.double().half().int() },
  PromotionCase("to another's type", .i8, [0, -2, 3]) { $0.f.to($0.i8) },
  PromotionCase("arange of integers", .i64, [1, 2, 3]) { $0.builder.arange(1, 4) },
  PromotionCase("arange of one fraction", .f32, [0, 1, 2]) { $0.builder.arange(2.5) },
  PromotionCase("arange backwards", .i64, [3, 1]) { $0.builder.arange(3, -1, step: -2) },
  PromotionCase("arange with a type", .f16, [0, 1]) { $0.builder.arange(2, dtype: .f16) },
  PromotionCase("full of an integer", .i64, [7, 7]) { $0.builder.full([2], 7) },
  PromotionCase("full of truths", .bool, [1, 1]) { $0.builder.full([2], true) },
  PromotionCase("nested literals", .i64, [1, 2, 3, 4]) { $0.builder.tensor([[1, 2], [3, 4]]) },
  PromotionCase("nested literals of floats", .f32, [1, 2.5]) { $0.builder.tensor([[1, 2.5]]) },
  PromotionCase("a literal of truths", .bool, [1, 0]) { $0.builder.tensor([true, false]) },
  PromotionCase("a literal without axes", .i64, [5]) { $0.builder.tensor(5) },
  PromotionCase("a literal of bytes", .u8, [5, 255]) { $0.builder.tensor([5, 255] as [UInt8]) },
  PromotionCase("another default", .f64, [0.5, 1]) { sample in
    withDefaultDtype(.f64) { sample.builder.tensor([0.5, 1.0]) * sample.builder.ones(2) }
  },
  PromotionCase("another default for quotients", .f64, [0.5, -1, 1.5]) { sample in
    withDefaultDtype(.f64) { sample.i / 2 }
  },
]

@Suite("Type promotion")
struct TypePromotionTests {
  @Test("tensors and numbers meet as in PyTorch", arguments: promotionCases)
  func promotion(promotion: PromotionCase) throws {
    let sample = Sample()
    let result = promotion.build(sample)
    let graph = try sample.builder.finish(name: "promotion", outputs: [("y", result)])
    let found = try #require(try ReferenceEvaluator.run(graph, inputs: Sample.contents).outputs["y"])
    #expect(found.dtype == promotion.dtype)
    #expect(found.doubles == promotion.values)
  }

  @Test("integers of 64 bits are exact")
  func exactIntegers() throws {
    let builder = Builder()
    let big = Int.max - 1
    let x = builder.input("x", TensorType(.i64, [1]))
    let outputs = [("a", x + 1), ("b", builder.full([1], big)), ("c", builder.tensor([[big]])), ("d", x.fullLike(big))]
    let graph = try builder.finish(name: "exact", outputs: outputs)
    let found = try ReferenceEvaluator.run(graph, inputs: ["x": NDArray([Int64(big)])]).outputs
    #expect(found.mapValues(\.integers) == ["a": [Int.max], "b": [big], "c": [big], "d": [big]])
  }

  @Test("what has no type in common or no number is told")
  func mistakes() throws {
    func message(_ build: (Sample) -> Tensor) -> String? {
      let sample = Sample()
      _ = build(sample)
      return sample.builder.diagnostics.first?.message
    }
    #expect(message { $0.b - $0.b } == "subtract: is not defined on bool, only on numbers")
    #expect(message { $0.i ** -1 } == "pow: integers have no power of -1")
    #expect(message { $0.i.div(0, roundingMode: .floor) } == "floorDivide: integers are divided by 0")
    #expect(message { $0.builder.tensor([[1, 2], [3]]) } == "tensor: arrays side by side differ in size")
    #expect(message { $0.builder.full([2], 300, dtype: .u8) } == "full: 300 is no u8")
    #expect(message { $0.builder.arange(0, 1e300) } == "arange: no steps of 1 lead from 0 to 1e+300")
    #expect(message { $0.f.permute([0, 1]) } == "permute: [0, 1] is not a permutation of the axes of f32[3]")
  }

  @Test("sizes and axes may be negative in every form")
  func negativeNumbers() {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f32, [2, 3, 4]))
    #expect(x.reshape([4, -1]).shape == [4, 6])
    #expect(x.reshape(4, -1).shape == [4, 6])
    #expect(x.view([-1]).shape == [24])
    #expect(x.permute([0, -1, 1]).shape == [2, 4, 3])
    #expect(x.permute(0, -1, 1).shape == [2, 4, 3])
    #expect(x.sum(dim: [0, -1]).shape == [3])
    #expect(x.T.shape == [4, 3, 2])
    #expect(x.size(-1) == 4)
    #expect(x.size() == [2, 3, 4])
    #expect(x.numel() == 24)
    #expect(x.dim() == 3)
    #expect((x • builder.ones(4, 5)).shape == [2, 3, 5])
    #expect(isTensor(x) && !isTensor(1))
    #expect(builder.diagnostics.isEmpty)
  }

  @Test("tensors print what is known of them") func description() {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f32, [2]))
    #expect("\(x + 1)" == "tensor(f32[2], add)")
    #expect("\(builder.tensor([1.5, 2]))" == "tensor([1.5000, 2.0000])")
    #expect("\(x + builder.ones(3))" == "tensor(faulty)")
  }

  @Test("views of bytes", arguments: [ScalarType.u8, .i16, .f32, .i64])
  func viewsOfBytes(dtype: ScalarType) throws {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f32, [2, 2]))
    let viewed = x.view(dtype)
    #expect(viewed.shape == [2, Dim(8 / dtype.byteCount)])
    let graph = try builder.finish(name: "bytes", outputs: [("y", viewed), ("z", viewed.view(.f32))])
    let array = try NDArray([1.5, -2, 1e-3, 7] as [Float], shape: [2, 2])
    let found = try ReferenceEvaluator.run(graph, inputs: ["x": array]).outputs
    #expect(found["y"]?.bytes == array.bytes)
    #expect(found["z"] == array)
  }

  @Test("clamp passes NaN on, as an element and as an end")
  func clampOfNaN() throws {
    let builder = Builder()
    let (x, low) = (builder.input("x", TensorType(.f64, [3])), builder.input("low", TensorType(.f64, [3])))
    let graph = try builder.finish(
      name: "clamp", outputs: [("a", x.clamp(min: low)), ("b", x.clamp(min: 0, max: .nan))])
    let found = try ReferenceEvaluator.run(
      graph, inputs: ["x": NDArray([1, .nan, -1]), "low": NDArray([.nan, 0, 0])]
    )
    .outputs
    #expect(found["a"]?.doubles.map(\.isNaN) == [true, true, false])
    #expect(found["b"]?.doubles.map(\.isNaN) == [true, true, true])
  }
}
