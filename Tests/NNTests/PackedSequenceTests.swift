import Lathe
import TestSupport
import Testing

@Suite("Sequences of different lengths")
struct PackedSequenceTests {
  private typealias Layer = @Sendable (PackedSequence, [Tensor]) -> (output: PackedSequence, last: [(String, Tensor)])

  private static let lengths = [2, 5, 1, 5]

  private static let layers: [String: @Sendable () -> (any Parameterized, Layer)] = [
    "lstm": { lstm(LSTM(3, 4, numLayers: 2, bidirectional: true)) },
    "projected": { lstm(LSTM(3, 4, projSize: 2)) },
    "gru": {
      let layer = GRU(3, 4, numLayers: 2, batchFirst: true, bidirectional: true)
      return (
        layer,
        { x, states in
          let (output, h) = layer(x, states.first)
          return (output, [("h", h)])
        }
      )
    },
    "rnn": {
      let layer = RNN(3, 4, nonlinearity: .relu, bidirectional: true)
      return (
        layer,
        { x, _ in
          let (output, h) = layer(x)
          return (output, [("h", h)])
        }
      )
    },
  ]

  private static func lstm(_ layer: LSTM) -> (any Parameterized, Layer) {
    (
      layer,
      { x, _ in
        let (output, h, c) = layer(x)
        return (output, [("h", h), ("c", c)])
      }
    )
  }

  @Test(
    "recurrent layers end where each sequence ends, as PyTorch's do", arguments: layers.keys.sorted(), [true, false])
  func recurrent(name: String, areLengthsKnown: Bool) throws {
    let arrays = goldenArrays("packed.npz").filter { $0.key.hasPrefix("\(name)/") }
    func array(_ key: String) throws -> NDArray { try #require(arrays["\(name)/\(key)"]) }
    func named(_ kind: String) -> [String: NDArray] {
      let prefix = "\(name)/\(kind)/"
      let found = arrays.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
      return Dictionary(uniqueKeysWithValues: found)
    }
    let make = try #require(Self.layers[name])
    let (layer, call) = make()
    let x = try array("input")
    let states = named("state").sorted { $0.key < $1.key }
    let options = TraceOptions(
      inputNames: ["x", "lengths"] + states.map(\.key), parameters: named("param"), floatType: .f64)
    let cotangents = named("cotangent")
    let graph = try trace(layer, inputs: [x.type, .i64(4)] + states.map(\.value.type), options: options) {
      builder, inputs in
      let packed =
        areLengthsKnown
        ? packPaddedSequence(inputs[0], lengths: Self.lengths, enforceSorted: false)
        : packPaddedSequence(inputs[0], lengths: inputs[1])
      let given = Array(inputs.dropFirst(2))
      let (output, last) = call(packed, given)
      let padded = padPackedSequence(output, paddingValue: -1).output
      // Where the lengths are known only when running, there is room for the longest that may be.
      let shown = padded.narrow(dim: 0, start: 0, length: 5)
      let results = [("output", shown)] + last
      let targets =
        [("input", inputs[0])] + zip(states.map(\.key), given) + builder.parameters.map { ($0.name, $0.tensor) }
      let slopes = gradients(
        of: results.compactMap { name, tensor in cotangents[name].map { (tensor, builder.tensor($0)) } },
        withRespectTo: targets.map(\.1))
      var all = Dictionary(uniqueKeysWithValues: [("output", shown)] + last.map { ("last/\($0.0)", $0.1) })
      for (target, slope) in zip(targets, slopes) { all["grad/\(target.0)"] = slope }
      return all
    }
    var inputs = ["x": x, "lengths": NDArray(Self.lengths.map { Int64($0) })]
    for (name, state) in states { inputs[name] = state }
    let results = try ReferenceEvaluator.run(graph, inputs: inputs).outputs
    #expect(results.count > 4 && cotangents.count == 1 + named("last").count)
    for (key, found) in results {
      if let text = deviation(found, try array(key), rtol: 1e-9, atol: 1e-10) { Issue.record("\(key) \(text)") }
    }
  }

  @Test("known lengths give PyTorch's layout")
  func layout() throws {
    let arrays = goldenArrays("packed.npz")
    let x = try #require(arrays["lstm/input"])
    let graph = try trace(x.type) { x in
      let packed = packPaddedSequence(x, lengths: Self.lengths, enforceSorted: false)
      #expect(packed.batchSizes.map { $0.map(Double.init) } == arrays["lstm/batch_sizes"]?.doubles)
      #expect(packed.sortedIndices.map { $0.map(Double.init) } == arrays["lstm/sorted_indices"]?.doubles)
      #expect(packed.unsortedIndices.map { $0.map(Double.init) } == arrays["lstm/unsorted_indices"]?.doubles)
      return packed.data
    }
    #expect(try ReferenceEvaluator.run(graph, inputs: ["input": x]).outputs["output"] == arrays["lstm/data"])
  }

  // The ledger's example, and what PyTorch's functions give of the same.
  @Test("packing, padding, and back")
  func functions() throws {
    let x = try NDArray([1, 2, 3, 4, 0, 0] as [Float], shape: [2, 3])
    let graph = try trace(x.type) { x -> [String: Tensor] in
      let packed = packPaddedSequence(x, lengths: [3, 1], batchFirst: true)
      #expect(packed.batchSizes == [2, 1, 1] && packed.sortedIndices == nil && packed.unsortedIndices == nil)
      let (padded, lengths) = padPackedSequence(packed, batchFirst: true, paddingValue: -1, totalLength: 5)
      let sequences = unpackSequence(packed)
      let again = packSequence([sequences[1], sequences[0]], enforceSorted: false)
      #expect(again.sortedIndices == [1, 0])
      return [
        "data": packed.data, "padded": padded, "lengths": lengths, "first": sequences[0], "second": sequences[1],
        "again": again.data, "columns": padSequence([sequences[1], sequences[0]], paddingValue: 9),
        "left": padSequence(Array(sequences), batchFirst: true, paddingValue: 7, paddingSide: .left),
        "unpadded": unpadSequence(x, lengths: [2, 1], batchFirst: true)[0],
      ]
    }
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x]).outputs.mapValues { ($0.shape, $0.doubles) }
    let expected: [String: ([Int], [Double])] = [
      "data": ([4], [1, 4, 2, 3]), "padded": ([2, 5], [1, 2, 3, -1, -1, 4, -1, -1, -1, -1]), "lengths": ([2], [3, 1]),
      "first": ([3], [1, 2, 3]), "second": ([1], [4]), "again": ([4], [1, 4, 2, 3]),
      "columns": ([3, 2], [4, 1, 9, 2, 9, 3]), "left": ([2, 3], [1, 2, 3, 7, 7, 4]), "unpadded": ([2], [1, 2]),
    ]
    for (name, (shape, numbers)) in expected {
      let found = try #require(results[name])
      #expect(found.0 == shape && found.1 == numbers, "\(name)")
    }
  }

  @Test("what cannot be packed is refused")
  func refused() {
    func expectFault(_ text: String, _ body: (Tensor) -> Tensor) {
      let error = #expect(throws: DiagnosticsError.self, "\(text)") { try trace(.f32(4, 3, 2)) { body($0) } }
      let message = "\(error.map { "\($0)" } ?? "")"
      #expect(message.contains(text), "\(message)")
    }
    expectFault("do not descend") { packPaddedSequence($0, lengths: [1, 2, 3]).padded }
    expectFault("not all positive") { packPaddedSequence($0, lengths: [3, 1, 0]).padded }
    expectFault("do not fit") { packPaddedSequence($0, lengths: [5, 1, 1]).padded }
    expectFault("do not fit") { packPaddedSequence($0, lengths: [2, 1]).padded }
    expectFault("needs integers of shape [3]") { x in
      packPaddedSequence(x, lengths: x.builder.tensor([1.0, 2, 3])).padded
    }
    expectFault("known only when the graph runs") { x in
      packPaddedSequence(x, lengths: x.builder.tensor([1, 2, 3])).data
    }
    expectFault("known only when the graph runs") { x in
      unpackSequence(packPaddedSequence(x, lengths: x.builder.tensor([1, 2, 3])))[0]
    }
    expectFault("totalLength is 2") { x in
      padPackedSequence(packPaddedSequence(x, lengths: [3, 3, 3]), totalLength: 2).output
    }
    expectFault("there are no sequences") { _ in padSequence([]) }
    expectFault("differ in more than their lengths") { padSequence([$0, $0.narrow(dim: 1, start: 0, length: 1)]) }
  }
}
