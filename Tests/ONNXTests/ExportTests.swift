import Foundation
import Lathe
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import LatheONNX

private let models: [String] = {
  guard let folder = Bundle.module.url(forResource: "Models", withExtension: nil) else { return [] }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return names.filter { $0 != "README.md" }.sorted()
}()

/// What comes out as ONNX comes in again, and means the same.
@Suite struct ExportTests {
  // MARK: Meaning

  @Test("every primitive comes back with its meaning", arguments: PrimitiveCase.all)
  func primitive(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes { try check(try row.graph(dtype), row.inputs(dtype)) }
  }

  @Test("gradients come back with their meaning", arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func gradient(_ row: PrimitiveCase) throws {
    try check(try row.gradientGraph(.f32, order: 1), row.inputs(.f32))
    guard row.smoothness >= .twice else { return }
    try check(try row.gradientGraph(.f32, order: 2), row.inputs(.f32))
  }

  @Test("what lowering once got wrong comes back with its meaning", arguments: try LoweringCase.all())
  func lowering(_ row: LoweringCase) throws {
    let names = row.graph.inputs.map { row.graph.inputName($0) }
    try check(row.graph, row.inputs.filter { names.contains($0.key) })
  }

  @Test("random graphs come back with their meaning", arguments: UInt64(0)..<60)
  func random(_ seed: UInt64) throws {
    let inference = try RandomGraph(seed: seed)
    try check(inference.graph, inference.inputs)
    let differentiable = try RandomGraph(differentiable: seed)
    try check(differentiable.graph, differentiable.inputs)
  }

  /// Exports, imports, and compares what both graphs compute.
  private func check(_ graph: Graph, _ inputs: [String: NDArray]) throws {
    let bytes: [UInt8]
    do throws(DiagnosticsError) {
      bytes = try exportONNX(graph)
    } catch {
      #expect(error.diagnostics.allSatisfy { Self.isInexpressible($0.message) }, "\(error)")
      return
    }
    #expect(try exportONNX(graph) == bytes)
    let expected = try ReferenceEvaluator.run(graph, inputs: inputs)
    let updates = expected.updates.map { ("next/" + $0.key, $0.value) }
    let actual = try ReferenceEvaluator.run(try importONNX(bytes: bytes), inputs: inputs).outputs
    #expect(RandomGraph.differences(actual, expected.outputs.merging(updates) { $1 }) == [])
  }

  /// What ONNX has no words for.
  private static func isInexpressible(_ message: String) -> Bool {
    message.contains("ONNX has no") || message.contains("ONNX can express")
  }

  @Test("networks come back with their outputs", arguments: models)
  func network(_ name: String) throws {
    let folder = try #require(Bundle.module.url(forResource: "Models/\(name)", withExtension: nil))
    let test = try BackendTest(folder: folder.path)
    let set = try #require(test.dataSets.first)
    let bytes = try exportONNX(try importONNX(path: test.model, bindings: set.inputs, trainable: true))
    let graph = try importONNX(bytes: bytes, bindings: set.inputs)
    var sizes: [String: Int] = [:]
    for input in graph.inputs {
      let array = try #require(set.inputs[graph.inputName(input)])
      for (dimension, size) in zip(graph.type(of: input).shape, array.shape) {
        if let symbol = dimension.symbols.first { sizes[symbol] = size }
      }
    }
    let bound = try graph.binding(sizes)
    var session = Session(try Executable(PlannedProgram(planning: Program(lowering: bound))))
    let results = try session.run(try bound.inputs.map { try #require(set.inputs[bound.inputName($0)]) })
    #expect(bound.outputs.map(\.name) == set.outputs.map(\.name))
    for ((_, expected), actual) in zip(set.outputs, results) {
      #expect(actual.type == expected.type)
      let scale = expected.doubles.map(abs).max() ?? 0
      #expect((zip(actual.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0) <= 1e-5 * max(1, scale))
    }
  }

  @Test("networks come back as the same graph", arguments: models)
  func sameGraph(_ name: String) throws {
    let folder = try #require(Bundle.module.url(forResource: "Models/\(name)", withExtension: nil))
    let path = folder.appendingPathComponent("model.onnx").path
    func simplified(_ graph: Graph) throws -> Graph { try Pipeline([.dropDetach, .simplify]).run(graph).graph }
    let first = try simplified(try importONNX(path: path, trainable: true))
    let second = try simplified(try importONNX(bytes: try exportONNX(first), trainable: true))
    #expect(second.outputs.map(\.name) == first.outputs.map(\.name))
    #expect(Set(second.variables.map(\.name)).isSubset(of: first.variables.map(\.name)))
    let (expected, actual) = (try first.signatures(), try second.signatures())
    #expect(actual == expected)
  }

  // MARK: Form

  private func model(_ text: String) throws -> Onnx_ModelProto {
    try Onnx_ModelProto(serializedBytes: try exportONNX(try Graph(parsing: "func main" + text)))
  }

  @Test("names and symbols are kept") func names() throws {
    let proto = try model(
      """
      (%x: f32[N,4]) -> (%y: f32[N,3], %half: f32[2*N,2]) {
        var @"fc.weight": f32[3,4] parameter = <zeros>
        %0 = dot %x, @"fc.weight" {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : f32[N,3]
        %1 = reshape %x {shape: [2*N, 2]} : f32[2*N,2]
        return %0, %1
      }
      """.replacingOccurrences(
        of: "<zeros>", with: "[" + [String](repeating: "0.0", count: 12).joined(separator: ", ") + "]"))
    #expect(proto.graph.name == "main")
    #expect(proto.graph.input.map(\.name) == ["x"])
    #expect(proto.graph.input[0].type.tensorType.shape.dim[0].dimParam == "N")
    #expect(proto.graph.output.map(\.name) == ["y", "half"])
    #expect(proto.graph.output[1].type.tensorType.shape.dim[0].dimParam == "2*N")
    #expect(proto.graph.initializer.map(\.name).contains("fc.weight"))
    #expect(proto.graph.node.map(\.opType) == ["Gemm", "Reshape"])
  }

  @Test("the state goes in and out") func state() throws {
    let proto = try model(
      """
      (%x: f32[2]) -> (%y: f32[2]) {
        var @step: f32[2] buffer = [1.0, 2.0]
        var @fixed: f32[2] parameter = [3.0, 4.0]
        %0 = add @step, %x : f32[2]
        %1 = multiply %0, @fixed : f32[2]
        update @step = %0
        return %1
      }
      """)
    #expect(proto.graph.input.map(\.name) == ["x", "step"])
    #expect(proto.graph.output.map(\.name) == ["y", "next/step"])
    #expect(Set(proto.graph.initializer.map(\.name)) == ["step", "fixed"])
  }

  @Test(
    "the operator set is the oldest that has the operators",
    arguments: [
      ("(%x: f32[2]) -> (%y: f32[2]) {\n  %0 = exp %x : f32[2]\n  return %0\n}", 13),
      ("(%x: i32[2]) -> (%y: i32[2]) {\n  %0 = not %x : i32[2]\n  return %0\n}", 18),
      ("(%x: f32[2]) -> (%y: i32[2]) {\n  %0 = bitcast %x {to: i32} : i32[2]\n  return %0\n}", 26),
      // The axes of a maximum are an operand where an operator asks for a newer set.
      (
        """
        (%x: i32[2,3]) -> (%y: i32[2]) {
          %0 = not %x : i32[2,3]
          %1 = reduce_max %0 {axes: [1]} : i32[2]
          return %1
        }
        """, 18
      ),
    ])
  func opset(_ text: String, _ version: Int) throws {
    let proto = try model(text)
    #expect(proto.opsetImport.map(\.version) == [Int64(version)])
    for node in proto.graph.node where node.opType == "ReduceMax" {
      #expect(node.input.count == (version < 18 ? 1 : 2))
    }
  }

  struct Recognized: CustomTestStringConvertible, Sendable {
    var operators: [String]
    var body: @Sendable (Tensor) -> Tensor

    init(_ operators: String..., body: @escaping @Sendable (Tensor) -> Tensor) {
      self.operators = operators
      self.body = body
    }

    var testDescription: String { operators.joined(separator: " ") }
  }

  @Test(
    "composites are operators",
    arguments: [
      Recognized("Relu") { relu($0) }, Recognized("Softmax") { softmax($0, dim: 1) },
      Recognized("LogSoftmax") { logSoftmax($0, dim: -1) }, Recognized("Gelu") { gelu($0) },
      Recognized("Gelu") { gelu($0, approximate: .tanh) }, Recognized("LeakyRelu") { leakyRelu($0) },
      Recognized("Elu") { elu($0, alpha: 0.5) }, Recognized("Softplus") { softplus($0) },
      Recognized("HardSwish") { hardswish($0) }, Recognized("Clip") { relu6($0) },
      Recognized("Sigmoid", "Mul") { silu($0) }, Recognized("ReduceMean") { $0.mean(dim: 1) },
      Recognized("ReduceMean", "Unsqueeze") { $0.reduce(.sum, axes: [1]).reshape([2, 1, 4, 4]) / 3 },
      Recognized("LayerNormalization") { x in
        layerNorm(x, [4], weight: x.builder.constant(NDArray([1, 2, 3, 4] as [Float])))
      },
      // ONNX Runtime 1.31 is wrong about products of permuted matrices with vectors.
      Recognized("Transpose", "Einsum") { x in
        x.permute([0, 1, 3, 2]).dot(
          x.builder.constant(NDArray([1, 2, 3, 4] as [Float])), DotGeneral(leftContracting: [3], rightContracting: [0]))
      },
      Recognized("TopK") { $0.sort(dim: 3).values }, Recognized("TopK") { $0.sort(dim: 1, descending: true).values },
      Recognized("TopK") { $0.topk(2, dim: 2).values }, Recognized("TopK") { $0.argsort(dim: 3) },
      Recognized("Det") { Linalg.det($0) },
      Recognized("Add", "Inverse") { Linalg.inv($0 + Layer.weight($0.builder, 4, 4)) },
      Recognized("Split", "Add") { $0.narrow(dim: 3, start: 0, length: 2) + $0.narrow(dim: 3, start: 2, length: 2) },
      Recognized("SpaceToDepth") { x in unfailing { try Operator.spaceToDepth(x, size: 2, mode: "DCR") } },
      Recognized("Transpose", "DepthToSpace") { pixelShuffle($0.permute([0, 2, 1, 3]), 2) },
      Recognized("Transpose", "DepthToSpace") { x in
        unfailing { try Operator.depthToSpace(x.permute([0, 2, 1, 3]), size: 2, mode: "DCR") }
      },
      Recognized("Resize") { interpolate($0, scaleFactor: 2) },
      Recognized("Resize") { interpolate($0, size: [3, 7], mode: .bilinear) },
      Recognized("Resize") { interpolate($0, size: [6, 3], mode: .bilinear, alignCorners: true) },
      Recognized("Resize") { interpolate($0, size: [8, 5], mode: .bicubic) },
      Recognized("Reshape", "Gemm") { x in
        linear(x.reshape([1, 96]), Layer.weight(x.builder, 5, 96), Layer.weight(x.builder, 5))
      },
      Recognized("Reshape", "Gemm") { x in matmul(x.reshape([6, 16]), x.reshape([6, 16]).mT) },
      Recognized("AveragePool") { avgPool2d($0, kernelSize: 2) },
      Recognized("MaxPool") { maxPool2d($0, kernelSize: 2) },
    ])
  func composite(_ row: Recognized) throws {
    let builder = Builder()
    let y = row.body(builder.input("x", .f32(2, 3, 4, 4)))
    let graph = try builder.finish(name: "main", outputs: [("y", y)])
    let proto = try Onnx_ModelProto(serializedBytes: try exportONNX(graph))
    #expect(proto.graph.node.map(\.opType).filter { $0 != "Constant" } == row.operators)
    let numbers = (0..<96).map { Float($0 % 17) - 8 }
    try check(graph, ["x": try NDArray(numbers, shape: [2, 3, 4, 4])])
  }

  /// A layer of `[2, 3, 4, 4]`, and the operator that it is.
  struct Layer: CustomTestStringConvertible, Sendable {
    var name: String
    var operation: String
    var body: @Sendable (Tensor) -> [Tensor]

    init(_ name: String, is operation: String, body: @escaping @Sendable (Tensor) -> [Tensor]) {
      self.name = name
      self.operation = operation
      self.body = body
    }

    var testDescription: String { name }

    /// Numbers between -1 and 1.
    static func weight(_ builder: Builder, _ shape: Int..., from seed: Int = 0) -> Tensor {
      let count = shape.reduce(1, *)
      let numbers = (0..<count).map { Float((($0 + seed) * 37) % 101) / 50 - 1 }
      return builder.constant(unfailing { try NDArray(numbers, shape: shape) })
    }

    /// A recurrent layer of 5 units over 6 steps, 4 sequences and 4 features.
    static func recurrence(
      _ name: String, _ cell: RecurrentCell, is operation: String, hasBias: Bool = true, hasState: Bool = false,
      reverse: Bool = false, hasLengths: Bool = false
    ) -> Layer {
      Layer(name, is: operation) { x in
        let rows = 5 * cell.gateCount
        let states = hasState ? (0..<cell.stateCount).map { weight(x.builder, 4, 5, from: $0) } : []
        let weights = RecurrentWeights(
          weight(x.builder, rows, 4), weight(x.builder, rows, 5, from: 3),
          hasBias ? weight(x.builder, rows, from: 5) : nil, hasBias ? weight(x.builder, rows, from: 7) : nil)
        let lengths =
          hasLengths
          ? (x.select(dim: 0, index: 0).flatten().slice(axis: 0, from: 0, to: 4).abs() * 3).convert(to: .i64) : nil
        let (output, last) = recurrentLayer(
          cell, x.reshape([6, 4, 4]), states, weights, reverse: reverse, lengths: lengths)
        return [output] + last
      }
    }
  }

  @Test(
    "layers are operators, whoever built them",
    arguments: [
      Layer("attention", is: "Attention") { [scaledDotProductAttention($0, $0 * 2, $0 + 1)] },
      Layer("attention with a scale", is: "Attention") { [scaledDotProductAttention($0, $0, $0, scale: 0.25)] },
      Layer("causal attention", is: "Attention") { [scaledDotProductAttention($0, $0, $0, isCausal: true)] },
      Layer("causal attention of more keys", is: "Attention") { x in
        [scaledDotProductAttention(x, cat([x, x], dim: 2), cat([x, x], dim: 2), isCausal: true)]
      },
      Layer("attention with a mask", is: "Attention") { x in
        // The second query sees nothing.
        let mask = x.builder.constant(
          unfailing { try NDArray([1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1] as [Int32], shape: [4, 4]) })
        return [scaledDotProductAttention(x, x, x, attnMask: mask .!= 0)]
      },
      Layer("attention with a padding mask", is: "Attention") { x in
        let seen = x.builder.constant(
          unfailing { try NDArray([1, 1, 0, 1, 1, 0, 0, 0] as [Int32], shape: [2, 1, 1, 4]) })
        return [scaledDotProductAttention(x, x, x, attnMask: seen .!= 0)]
      },
      Layer("attention with what is added", is: "Attention") { x in
        let bias = x.slice(axis: 1, from: 0, to: 1)
        return [scaledDotProductAttention(x, x, x, attnMask: (bias .> 0).select(bias.fullLike(-.infinity), bias))]
      },
      Layer("attention of one batch", is: "Attention") { x in
        let one = x.slice(axis: 0, from: 0, to: 1)
        return [scaledDotProductAttention(one, one, one)]
      },
      Layer("attention of one head", is: "Attention") { x in
        let one = x.slice(axis: 1, from: 0, to: 1)
        return [scaledDotProductAttention(one, one, one, isCausal: true)]
      },
      Layer("attention without heads", is: "Attention") { x in
        let one = x.slice(axis: 1, from: 0, to: 1).squeeze(dim: 1)
        return [scaledDotProductAttention(one, one, one)]
      },
      Layer("attention of shared heads", is: "Attention") { x in
        let one = x.slice(axis: 1, from: 0, to: 1)
        return [scaledDotProductAttention(x, one, one, enableGqa: true)]
      },
      Layer("a layer of attention", is: "Attention") { x in
        let weights = (0..<4).map { Layer.weight(x.builder, 4, 4, from: $0) }
        return [
          multiHeadAttention(
            x.select(dim: 1, index: 0), x.select(dim: 1, index: 1), x.select(dim: 1, index: 2), numHeads: 2,
            inProj: (weights[0], weights[1], weights[2]), outProjWeight: weights[3], isCausal: true, batchFirst: true
          ).output
        ]
      },
      Layer.recurrence("an LSTM", .lstm, is: "LSTM"),
      Layer.recurrence("an LSTM without biases", .lstm, is: "LSTM", hasBias: false),
      Layer.recurrence("an LSTM from a state", .lstm, is: "LSTM", hasState: true),
      Layer.recurrence("an LSTM backwards", .lstm, is: "LSTM", hasState: true, reverse: true),
      Layer.recurrence("a GRU", .gru(), is: "GRU", hasState: true),
      Layer.recurrence("a plain recurrence", .tanh, is: "RNN"),
      Layer.recurrence("a rectified recurrence", .relu, is: "RNN", hasState: true),
      Layer.recurrence("a GRU with the reset before the product", .gru(resetAfter: false), is: "GRU"),
      Layer.recurrence("the same from a state", .gru(resetAfter: false), is: "GRU", hasBias: false, hasState: true),
      Layer.recurrence("an LSTM over lengths", .lstm, is: "LSTM", hasLengths: true),
      Layer.recurrence(
        "an LSTM over lengths backwards", .lstm, is: "LSTM", hasState: true, reverse: true, hasLengths: true),
      Layer.recurrence("a GRU over lengths", .gru(), is: "GRU", hasState: true, hasLengths: true),
      Layer.recurrence("another GRU over lengths", .gru(resetAfter: false), is: "GRU", hasLengths: true),
      Layer.recurrence("a plain recurrence over lengths", .tanh, is: "RNN", hasLengths: true),
      Layer.recurrence("a rectified recurrence over lengths", .relu, is: "RNN", hasBias: false, hasLengths: true),
    ])
  func layer(_ row: Layer) throws {
    let builder = Builder()
    let outputs = row.body(builder.input("x", .f32(2, 3, 4, 4)))
    let graph = try builder.finish(name: "main", outputs: outputs.enumerated().map { ("y\($0)", $1) })
    let bytes = try exportONNX(graph)
    let operators = try Onnx_ModelProto(serializedBytes: bytes).graph.node.map(\.opType)
    #expect(operators.filter { $0 == row.operation }.count == 1, "\(operators)")
    #expect(!operators.contains("Scan") && !operators.contains("Softmax"))
    let numbers = (0..<96).map { Float($0 % 17) / 4 - 2 }
    try check(graph, ["x": try NDArray(numbers, shape: [2, 3, 4, 4])])
  }

  @Test(
    "sizes that data decides are those of operators, or of what takes a number of elements",
    arguments: [
      Layer("places that are not zero", is: "NonZero") { [$0.nonzero()] },
      Layer("a selection", is: "Compress") { x in
        let kept = x.maskedSelect(x .> 0)
        return [kept, softmax(kept, dim: 0), kept.sum(), cat([kept, kept], dim: 0)]
      },
      Layer("slices that a mask selects", is: "Compress") { x in
        let mask = x.sum(dim: [0, 1, 2]) .> 0
        let kept = x.compress(mask, dim: 3)
        return [kept, kept.reshape([2, -1]), matmul(kept, kept.mT), kept.mean(dim: 3), kept.flip(dims: [3])]
      },
      Layer("rows at places", is: "NonZero") { x in
        let rows = x.select(dim: 0, index: 0).reshape([12, 4])
        return [rows.maskedSelect(rows.sum(dim: 1, keepdim: true) .> 0), (rows .> 1).nonzero().convert(to: .f32) * 2]
      },
      Layer("different elements", is: "Unique") { x in
        let unique = x.unique()
        return [unique.values, unique.counts, unique.indices, unique.inverse, unique.count]
      },
      Layer("different slices", is: "Unique") { x in
        let unique = x.reshape([24, 4]).round().unique(dim: 0)
        return [unique.values, unique.inverse, unique.counts]
      },
      Layer("different slices in their order", is: "Unique") { x in
        [x.reshape([8, 3, 4]).sign().unique(dim: 1, isSorted: false).values]
      },
      Layer("as many as a number says", is: "TopK") { x in
        let k = (x.select(dim: 0, index: 0).sum().convert(to: .i64)).clamp(min: 0, max: 3)
        let (values, indices) = x.topk(k, dim: 2)
        return [values, indices, values + x.slice(axis: 2, from: 0, to: 1)]
      },
      Layer("a number that is no operator's", is: "TopK") { x in
        let count = (x.sum().convert(to: .i64)).clamp(min: 0, max: 4)
        let size = x.builder.extent(count, capacity: 4)
        let kept = x.slice(start: [0, 0, 0, 0], limit: [2, 3, 4, size], stride: [1, 1, 1, 1])
        // All but the first, of which there may be none.
        let rest = kept.slice(
          start: [0, 0, 0, 0], limit: [2, 3, 4, .maximum(size - 1, 0)], stride: [1, 1, 1, 1])
        return [
          kept, kept.max(dim: 3).values.exp(), kept.cumsum(dim: 3), kept.reshape([6, -1]).sum(dim: 1), rest,
          rest + x.builder.iota(TensorType(.f32, rest.shape), axis: 3),
        ]
      },
      Layer("boxes", is: "NonMaxSuppression") { x in
        let boxes = x.reshape([1, 24, 4])
        let threshold = x.builder.scalar(.float(0.3), .f32)
        let kept = nonMaxSuppression(
          boxes, x.reshape([1, 4, 24]), most: x.builder.scalar(.integer(5), .i64), iouThreshold: threshold,
          scoreThreshold: threshold)
        return [kept, boxes.squeeze(dim: 0).gather(kept.slice(axis: 1, from: 2, to: 3), IndexedAxes(axes: [0]))]
      },
      Layer("all boxes", is: "NonMaxSuppression") { x in
        [nms(x.reshape([24, 4]), x.reshape([24, 4]).sum(dim: 1), iouThreshold: 0.25)]
      },
    ])
  func sized(_ row: Layer) throws {
    let builder = Builder()
    let outputs = row.body(builder.input("x", .f32(2, 3, 4, 4)))
    let graph = try builder.finish(name: "main", outputs: outputs.enumerated().map { ("y\($0)", $1) })
    let bytes = try exportONNX(graph)
    let operators = try Onnx_ModelProto(serializedBytes: bytes).graph.node.map(\.opType)
    #expect(operators.contains(row.operation), "\(operators)")
    let again = try importONNX(bytes: bytes)
    for seed in 0..<6 {
      let numbers = (0..<96).map { Float(($0 * (seed + 5) + seed) % 17) / 4 - 2 + Float(seed - 3) }
      let inputs = ["x": try NDArray(numbers, shape: [2, 3, 4, 4])]
      let (expected, actual) = (try computed(graph, inputs), try computed(again, inputs))
      #expect(RandomGraph.differences(actual, expected) == [])
    }
  }

  /// What a graph with sizes that data decides computes.
  private func computed(_ graph: Graph, _ inputs: [String: NDArray]) throws -> [String: NDArray] {
    let plan = try PlannedProgram(planning: Program(lowering: graph))
    var session = Session(try Executable(plan))
    let results = try session.run(try graph.inputs.map { try #require(inputs[graph.inputName($0)]) })
    return Dictionary(uniqueKeysWithValues: zip(graph.outputs.map(\.name), results))
  }

  @Test(
    "formats that numbers are stored in need newer files",
    arguments: [
      (ScalarType.f8e4m3fn, 19, 9), (.f8e5m2, 19, 9), (.f8e4m3fnuz, 19, 9), (.f8e5m2fnuz, 19, 9), (.f8e8m0, 24, 12),
      (.f6e2m3, 28, 14), (.f6e3m2, 28, 14), (.f4e2m1, 23, 11), (.i4, 21, 10), (.u4, 21, 10), (.i2, 25, 13),
      (.u2, 25, 13),
    ])
  func stored(_ type: ScalarType, _ opset: Int64, _ version: Int64) throws {
    let builder = Builder()
    let x = builder.input("x", .f32(6))
    let numbers = builder.constant(NDArray([0.5, 1, 2, 3, 1, 0.5] as [Float]).converted(to: type))
    let graph = try builder.finish(
      name: "main",
      outputs: [
        ("y", x.convert(to: type).convert(to: .f32)), ("z", numbers.convert(to: .f32) + x),
        ("w", x.convert(to: type).broadcast(to: [2, 6], axes: [1]).convert(to: .f32)),
      ])
    let proto = try Onnx_ModelProto(serializedBytes: try exportONNX(graph))
    #expect(proto.opsetImport.map(\.version) == [opset])
    #expect(proto.irVersion == version)
    try check(graph, ["x": NDArray([0.3, 1, -2.5, 7, 100, 1e-3] as [Float])])
  }

  @Test(
    "formats that numbers are stored in are moved as the numbers that they are",
    arguments: ScalarType.allCases.filter { $0.narrow != nil })
  func moved(_ type: ScalarType) throws {
    let builder = Builder()
    let x = builder.input("x", .f32(2, 3))
    let stored = x.convert(to: type)
    let numbers = builder.constant(
      try NDArray([0.5, 1, 2, 3, 1, 0.5] as [Float], shape: [2, 3]).converted(to: type))
    let both = cat([stored, numbers], dim: 0)
    let graph = try builder.finish(
      name: "main",
      outputs: [
        ("joined", both.convert(to: .f32)), ("flat", both.flatten().convert(to: .f16)),
        ("turned", both.mT.convert(to: .f32)),
        ("part", both.narrow(dim: 0, start: 1, length: 2).unsqueeze(dim: 0).convert(to: .f32)),
        ("repeated", stored.broadcast(to: [2, 2, 3], axes: [0, 2]).convert(to: .f32)),
        ("chosen", both.indexSelect(dim: 0, builder.constant(NDArray([3, 0] as [Int64]))).convert(to: .f32)),
      ])
    // Out of range is infinity, NaN or the last number, as the type says.
    let inputs = ["x": try NDArray([0.3, 1e9, -2.5, 7, -1e9, 1e-3] as [Float], shape: [2, 3])]
    try check(graph, inputs)
  }

  @Test("a conversion that takes the ends of an 8-bit float is one Cast") func saturatingCast() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(4))
    let graph = try builder.finish(
      name: "main", outputs: [("y", x.maximum(-448).minimum(448).convert(to: .f8e4m3fn).convert(to: .f32))])
    let proto = try Onnx_ModelProto(serializedBytes: try exportONNX(graph))
    #expect(proto.graph.node.map(\.opType) == ["Cast", "Cast"])
    try check(graph, ["x": NDArray([1, -1e9, 500, .infinity] as [Float])])
  }

  @Test("attention whose weights are read too stays as it is") func readWeights() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(2, 3, 4, 4))
    let weights = softmax(matmul(x * 0.5, x.mT), dim: -1)
    let graph = try builder.finish(name: "main", outputs: [("y", matmul(weights, x)), ("weights", weights)])
    let proto = try Onnx_ModelProto(serializedBytes: try exportONNX(graph))
    #expect(proto.graph.node.map(\.opType).contains("Softmax"))
    #expect(proto.opsetImport.map(\.version) == [13])
  }

  // MARK: Files

  @Test("large tensors are in a file beside the model") func externalData() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("export-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let builder = Builder()
    let x = builder.input("x", .f32(600))
    let weight = builder.variable(
      Variable(name: "weight", role: .parameter, initial: NDArray((0..<600).map { Float($0) })))
    let graph = try builder.finish(name: "main", outputs: [("y", x * weight + 0.5)])
    let path = folder.appendingPathComponent("model.onnx").path
    let files = try onnxFiles(of: graph, path: path, state: [], largestInline: 1000)
    #expect(files.map(\.path) == [path, path + ".data"])
    try files.writeAtomically()
    let imported = try importONNX(path: path, trainable: true)
    #expect(imported.variables == graph.variables)
    #expect(try onnxFiles(of: graph, path: path, state: []).count == 1)
  }

  @Test("each function is a model of its own") func functions() throws {
    let text = """
      model counting {
        var @count: f32[] buffer = 0.0

        func step(%x: f32[]) -> (%y: f32[]) {
          %0 = add @count, %x : f32[]
          update @count = %0
          return %0
        }

        func read(%x: f32[]) -> (%y: f32[]) {
          %0 = multiply @count, %x : f32[]
          return %0
        }
      }

      """
    let model = try LatheCore.Model(parsing: text)
    let files = try onnxFiles(of: model, path: "/x/count.onnx")
    #expect(files.map(\.path) == ["/x/count.step.onnx", "/x/count.read.onnx"])
    // What one function updates, the other is given.
    let reading = try Onnx_ModelProto(serializedBytes: files[1].bytes)
    #expect(reading.graph.input.map(\.name) == ["x", "count"])
    #expect(reading.graph.output.map(\.name) == ["y"])
  }

  // MARK: Mistakes

  @Test("what ONNX cannot express is told, all of it, with its place") func inexpressible() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(2, 2))
    let factor = builder.scope("solver") { x.cholesky() }
    let graph = try builder.finish(name: "main", outputs: [("y", factor), ("z", x.erfc().convert(to: .f64).erfc())])
    do throws(DiagnosticsError) {
      _ = try exportONNX(graph)
      Issue.record("was exported")
    } catch {
      #expect(error.diagnostics.count == 2)
      #expect(error.description.contains("cholesky: ONNX has no factorizations of matrices"))
      #expect(error.description.contains("in solver"))
      #expect(error.description.contains("erfc: ONNX has no complementary error function"))
    }
  }

  @Test("two values of one name are a mistake") func equalNames() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(2))
    let graph = try builder.finish(name: "main", outputs: [("x", x + 1)])
    #expect(throws: DiagnosticsError.self) { try exportONNX(graph) }
    // An argument that is a result is one value.
    let passing = try builder.finish(name: "main", outputs: [("x", x), ("y", x + 1)])
    let proto = try Onnx_ModelProto(serializedBytes: try exportONNX(passing))
    #expect(proto.graph.output.map(\.name) == ["x", "y"])
    #expect(proto.graph.node.map(\.opType) == ["Constant", "Add"])
  }
}

extension Graph {
  /// What each output is, whatever the order of the nodes is: texts that are equal where the outputs are.
  fileprivate func signatures(arguments: [Int]? = nil) throws -> [Int] {
    var known: [Value: Int] = [:]
    for (position, input) in inputs.enumerated() {
      known[input] = arguments?[position] ?? Signatures.number("input \(inputName(input)): \(type(of: input))")
    }
    for (position, node) in nodes.enumerated() where known[Value(node: position)] == nil {
      let operands = try node.operands.map { try #require(known[$0]) }
      var text = "\(node.operation.name) \(operands)"
      if case .variable(let read) = node.operation { text += read.variable }
      for (name, attribute) in node.operation.definition.attributes {
        guard case .graph(let body) = attribute else {
          text += " \(name): \(attribute)"
          continue
        }
        let arguments = body.inputs.indices.map { Signatures.number("argument \($0) of \(name)") }
        text += " \(name): \(try body.signatures(arguments: arguments))"
      }
      for result in node.types.indices {
        known[Value(node: position, result: result)] = Signatures.number(
          "\(text) result \(result): \(node.types[result])")
      }
    }
    return try outputs.map { try #require(known[$0.value]) }
  }
}

/// Numbers for texts, the same for the same text.
private enum Signatures {
  private static let numbers = Mutex<[String: Int]>([:])

  static func number(_ text: String) -> Int {
    numbers.withLock { numbers in
      if let known = numbers[text] { return known }
      numbers[text] = numbers.count
      return numbers.count - 1
    }
  }
}
