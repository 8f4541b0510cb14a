import LatheCore
import TestSupport
import Testing

/// Every pullback against central differences of the oracle's values, in `f64`.
@Suite struct GradientTests {
  private static let step = 1e-6

  @Test("the gradient agrees with central differences", arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func first(_ row: PrimitiveCase) throws { try check(row, order: 1) }

  @Test(
    "the gradient of the gradient agrees with central differences",
    arguments: PrimitiveCase.all.filter { $0.smoothness >= .twice })
  func second(_ row: PrimitiveCase) throws { try check(row, order: 2) }

  private func check(_ row: PrimitiveCase, order: Int) throws {
    let inputs = row.inputs(.f64)
    let loss = try row.lossGraph(.f64, order: order)
    let gradients = try ReferenceEvaluator.run(try row.gradientGraph(.f64, order: order), inputs: inputs).outputs
    for (name, array) in inputs where array.dtype == .f64 {
      let gradient = try #require(gradients["grad/\(name)"])
      #expect(gradient.type == array.type)
      for position in array.doubles.indices {
        func value(_ offset: Double) throws -> Double {
          var moved = array.doubles
          moved[position] += offset
          var changed = inputs
          changed[name] = try NDArray(moved, shape: array.shape)
          return try #require(try ReferenceEvaluator.run(loss, inputs: changed).outputs["loss"]).doubles[0]
        }
        let expected = (try value(Self.step) - value(-Self.step)) / (2 * Self.step)
        let actual = gradient.doubles[position]
        #expect(
          abs(actual - expected) <= 1e-5 * abs(expected) + 1e-7,
          "\(name)[\(position)]: \(actual), differences give \(expected)")
      }
    }
  }

  // MARK: What differences cannot show

  /// The gradient of the sum of a function of one vector.
  private func gradient(
    _ dtype: ScalarType, at numbers: [Double], _ body: (Tensor) -> Tensor
  ) throws -> [Double] {
    let builder = Builder()
    let x = builder.input("x", TensorType(dtype, [numbers.count]))
    let y = body(x)
    let gradient = builder.gradients(of: [(y, y.onesLike())], withRespectTo: [x])[0]
    let graph = try builder.finish(name: "main", outputs: [("d", gradient)])
    let array = try NDArray(dtype: dtype, shape: [numbers.count], values: numbers.map { .float($0) })
    return try #require(try ReferenceEvaluator.run(graph, inputs: ["x": array]).outputs["d"]).doubles
  }

  @Test("at kinks and ties the gradient is PyTorch's") func kinks() throws {
    #expect(try gradient(.f64, at: [0, -1, 2]) { $0.abs() } == [0, -1, 1])
    #expect(try gradient(.f64, at: [3, 1, 3]) { $0.reduce(.max, axes: [0]) } == [0.5, 0, 0.5])
    #expect(try gradient(.f64, at: [0, 1, -1]) { $0.maximum(0) } == [0.5, 1, 0])
    #expect(try gradient(.f64, at: [1, 2, 2, 1]) { $0.cumulative(.max, axis: 0) } == [1, 1, 2, 0])
    #expect(
      try gradient(.f64, at: [2, 2, 1]) {
        $0.windowReduce(.max, WindowShape(size: [2], stride: [1], low: [0], high: [0]))
      } == [1, 1, 0])
    #expect(try gradient(.f64, at: [0, 4]) { $0.pow(0) } == [0, 0])
    #expect(try gradient(.f64, at: [0, 2]) { $0.pow(1) } == [1, 1])
  }

  @Test("nothing flows through detach, conversions to integers and tests") func stops() throws {
    #expect(try gradient(.f64, at: [1, 2]) { $0.detach() * $0 } == [1, 2])
    #expect(try gradient(.f64, at: [1, 2]) { $0.convert(to: .i32).convert(to: .f64) * $0 } == [1, 2])
    #expect(try gradient(.f64, at: [1, 2]) { ($0 .> 1.5).select($0, $0 * 3) } == [3, 1])
    #expect(try gradient(.f64, at: [1, 2]) { $0.floor() } == [0, 0])
  }

  @Test("conversions between floats hand the gradient on, rounded") func conversions() throws {
    #expect(try gradient(.f64, at: [0.1, 2]) { $0.convert(to: .f16) * 3 } == [3, 3])
    #expect(try gradient(.bf16, at: [1, 2]) { $0.convert(to: .f32) * $0.convert(to: .f32) } == [2, 4])
  }

  @Test(
    "an operation without a gradient is a fault at its place",
    arguments: [
      ("window_product", "gradient of window_product: has no gradient; multiply slices of the operand instead"),
      (
        "while",
        "gradient of while: has no gradient, because the number of steps is not known when the graph is built"
      ),
    ])
  func faults(_ name: String, _ message: String) throws {
    let row = try #require(PrimitiveCase.all.first { $0.name == name })
    let error = #expect(throws: DiagnosticsError.self) { try row.gradientGraph(.f64, order: 1) }
    #expect(error?.diagnostics.contains { $0.message == message } == true)
  }

  @Test("gradients of factorizations that need the sizes of their matrices say so") func unboundMatrices() {
    let bodies: [@Sendable (Tensor) -> Tensor] = [
      { $0.eig().values.real }, { $0.qr().r }, { $0.svd().u }, { $0.lu().lu },
    ]
    for body in bodies {
      let builder = Builder()
      let a = builder.input("a", TensorType(.f64, ["n", "n"]))
      let result = body(a)
      let slope = builder.gradients(of: [(result, result.onesLike())], withRespectTo: [a])[0]
      let error = #expect(throws: DiagnosticsError.self) { try builder.finish(name: "f", outputs: [("slope", slope)]) }
      #expect(error?.diagnostics.contains { $0.message.contains("needs the sizes of the matrices") } == true)
    }
  }

  @Test("a symbolic batch does not stand in the way of the gradient") func symbolic() throws {
    func gradients(_ batch: Dim) throws -> Graph {
      let builder = Builder()
      let x = builder.input("x", TensorType(.f64, [batch, 2, 5, 4]))
      let weight = builder.input("w", .f64(4, 1, 2, 2))
      let convolution = Convolution(
        stride: [2, 1], low: [1, 0], high: [0, 0], inputDilation: [1, 1], dilation: [1, 1], groups: 2)
      let window = WindowShape(size: [2, 2], stride: [1, 2], low: [0, 1], high: [0, 0])
      let features = x.convolution(weight, convolution).tanh()
      let pooled = Tensor.concatenate(
        [features.windowReduce(.max, window), features.windowReduce(.sum, window)], axis: 1)
      let rows = pooled.slice(axis: 1, from: 1, to: 7, stride: 2).reshape([batch, 12])
      let centred = rows - rows.reduce(.max, axes: [1]).reshape([batch, 1])
      let loss = centred.exp().reduce(.sum, axes: [1]).log().cumulative(.sum, axis: 0).reduce(.sum, axes: [0])
      let gradients = builder.gradients(of: [(loss, loss.onesLike())], withRespectTo: [x, weight])
      return try builder.finish(name: "main", outputs: [("dx", gradients[0]), ("dw", gradients[1])])
    }
    let numbers = (0..<120).map { Double(($0 * 37) % 101) / 50 - 1 }
    let inputs = [
      "x": try NDArray(numbers, shape: [3, 2, 5, 4]), "w": try NDArray(Array(numbers.prefix(16)), shape: [4, 1, 2, 2]),
    ]
    let symbolic = try ReferenceEvaluator.run(try gradients("N"), inputs: inputs).outputs
    let known = try ReferenceEvaluator.run(try gradients(3), inputs: inputs).outputs
    #expect(symbolic == known)
    #expect(symbolic["dw"]?.doubles.contains { abs($0) > 1e-3 } == true)
  }

  @Test("a tensor that does not take part has a gradient of zero") func independent() throws {
    let builder = Builder()
    let (x, z) = (builder.input("x", .f64(2)), builder.input("z", .f64(3)))
    let y = x.exp()
    let gradients = builder.gradients(of: [(y, y.onesLike())], withRespectTo: [z])
    let graph = try builder.finish(name: "main", outputs: [("d", gradients[0])])
    let run = try ReferenceEvaluator.run(graph, inputs: ["x": .zeros(.f64, [2]), "z": .zeros(.f64, [3])])
    #expect(try run.outputs["d"] == .zeros(.f64, [3]))
  }
}
