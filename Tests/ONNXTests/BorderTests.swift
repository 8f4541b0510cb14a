import Foundation
import LatheCore
import SwiftProtobuf
import Testing

@testable import LatheONNX

/// A model whose input `s` is a sequence of `f32` tensors, or an optional one.
private func model(
  _ nodes: [Onnx_NodeProto], of sizes: [Int]? = nil, isOptional: Bool = false, outputs: [String] = ["y"]
) -> TestModel {
  var list = Onnx_TypeProto()
  list.sequenceType.elemType.tensorType.elemType = 1
  if let sizes {
    list.sequenceType.elemType.tensorType.shape.dim = sizes.map { size in .with { $0.dimValue = Int64(size) } }
  }
  return TestModel(opset: 16, nodes, outputs: outputs).changed {
    $0.graph.input = [.with { $0.name = "s" }]
    if isOptional {
      $0.graph.input[0].type.optionalType.elemType = list
    } else {
      $0.graph.input[0].type = list
    }
  }
}

/// What is in the sequence `s`, or the number 7 where there is none.
private let content = [
  node("OptionalHasElement", ["s"], ["there"]),
  node(
    "If", ["there"], ["y"],
    .graph(
      "then_branch",
      [node("OptionalGetElement", ["s"], ["l"]), node("ConcatFromSequence", ["l"], ["a"], .int("axis", 0))],
      outputs: ["a"]),
    .graph("else_branch", [node("Constant", [], ["b"], .float("value_float", 7))], outputs: ["b"])),
]

@Suite("Sequences and optionals among a model's inputs and outputs")
struct BorderTests {
  @Test("a sequence is as long as its length says", arguments: [1, 3])
  func length(_ count: Int) throws {
    let model = model([node("ConcatFromSequence", ["s"], .int("axis", 0))], of: [2])
    let graph = try importONNX(bytes: model.bytes, lengths: ["s": count])
    #expect(graph.inputs.map(graph.inputName) == (0..<count).map { "s.\($0)" })
    #expect(graph.type(of: graph.outputs[0].value) == .f32(Dim(2 * count)))
  }

  @Test("an empty sequence has no inputs of its own")
  func empty() throws {
    let model = model([node("SequenceLength", ["s"])])
    let graph = try importONNX(bytes: model.bytes, lengths: ["s": 0])
    #expect(graph.inputs.isEmpty)
    #expect(try ReferenceEvaluator.run(graph, inputs: [:]).outputs["y"]?.integers == [0])
  }

  @Test("an optional holds something unless it is said to hold nothing")
  func optional() throws {
    let model = model(content, of: [2], isOptional: true)
    var remarks: [Diagnostic] = []
    let without = try importONNX(bytes: model.bytes, absent: ["s"]) { remarks.append($0) }
    #expect(without.inputs.isEmpty && remarks.isEmpty)
    #expect(try ReferenceEvaluator.run(without, inputs: [:]).outputs["y"]?.doubles == [7])
    let given = ["s.0": f32([2], [1, 2]), "s.1": f32([2], [3, 4])]
    let with = try importONNX(bytes: model.bytes, bindings: given) { remarks.append($0) }
    #expect(remarks.isEmpty)
    #expect(try ReferenceEvaluator.run(with, inputs: given).outputs["y"]?.doubles == [1, 2, 3, 4])
    #expect(throws: DiagnosticsError.self) {
      _ = try importONNX(bytes: model.bytes, file: "m") { remarks.append($0) }
    }
  }

  @Test("an optional that nothing is said of is remarked on")
  func remark() throws {
    let model = TestModel(opset: 16, [node("Identity", ["o"])]).changed {
      $0.graph.input = [.tensor("o", .f32(2))]
      let tensor = $0.graph.input[0].type
      $0.graph.input[0].type.optionalType.elemType = tensor
    }
    var remarks: [Diagnostic] = []
    #expect(try importONNX(bytes: model.bytes) { remarks.append($0) }.inputs.count == 1)
    #expect(remarks.map(\.message) == ["input 'o' is optional, and taken to hold something"])
    #expect(remarks.map(\.help) == ["--absent o builds the model without it"])
    // Nothing goes out as nothing.
    let both = model.changed {
      $0.graph.node.append(node("Constant", [], ["c"], .float("value_float", 1)))
      $0.graph.output.append(.with { $0.name = "c" })
    }
    #expect(try importONNX(bytes: both.bytes, absent: ["o"]).outputs.map(\.name) == ["c"])
  }

  @Test("a value that an element of a sequence decides is taken from its array")
  func decidingElement() throws {
    let model = model([
      node("SequenceAt", ["s", "zero"], ["n"]), node("Cast", ["n"], ["i"], .int("to", 7)),
      node("Expand", ["one", "i"]),
    ]).initializer("zero", i64([0], shape: [])).initializer("one", f32([1], [1]))
    #expect(try model.run(["s.0": f32([1], [3])])["y"]?.doubles == [1, 1, 1])
  }

  @Test("what is said of inputs that are no sequences or optionals, or too long, is a mistake")
  func mistakes() throws {
    let model = model([node("SequenceLength", ["s"])])
    func message(_ lengths: [String: Int], _ absent: Set<String> = []) -> [String] {
      do {
        _ = try importONNX(bytes: model.bytes, bindings: ["s.0": f32([1], [1])], lengths: lengths, absent: absent)
        return []
      } catch {
        return error.diagnostics.flatMap { [$0.message, $0.help ?? ""] }
      }
    }
    #expect(message(["x": 1]) == ["the model has no input 'x' that is a sequence", "it has s"])
    #expect(message([:], ["s"]) == ["the model has no input 's' that is optional", "it has none"])
    #expect(message(["s": 0]).first == "input 's': there are arrays for 1 elements, its length is 0")
    #expect(message(["s": 2]).first == "input 's': the number of axes of its element s.1 is not declared")
  }

  /// A serialized `SequenceProto` or `OptionalProto`: the kind of its values, and the fields that hold them.
  private func stored(_ kind: UInt8, _ field: UInt8, _ values: [[UInt8]], name: String = "value") -> [UInt8] {
    let head = [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x10, kind]
    return head + values.flatMap { [field << 3 | 2, UInt8($0.count)] + $0 }
  }

  @Test("ONNX's files of sequences and optionals are read, also those that hold the value alone")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-border-\(UUID().uuidString)")
    let set = folder.appendingPathComponent("test_data_set_0")
    try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tensor = f32([2], [1, 2])
    let bytes = tensor.onnxTensor(name: "t")
    let list = stored(1, 3, [bytes, bytes])
    func read(_ model: TestModel, _ file: [UInt8]) throws -> BackendTest.DataSet {
      try Data(model.bytes).write(to: folder.appendingPathComponent("model.onnx"))
      for name in ["input_0.pb", "output_0.pb"] { try Data(file).write(to: set.appendingPathComponent(name)) }
      return try BackendTest(folder: folder.path).dataSets[0]
    }
    func same(_ type: Onnx_TypeProto) -> TestModel {
      TestModel(opset: 16, [node("Identity", ["s"])]).changed {
        $0.graph.input = [.with { $0.name = "s" }]
        $0.graph.input[0].type = type
        $0.graph.output[0].type = type
      }
    }
    let lists = same(model([], isOptional: true).proto.graph.input[0].type)
    for file in [list, stored(3, 5, [list])] {
      let set = try read(lists, file)
      #expect(set.inputs == ["s.0": tensor, "s.1": tensor] && set.lengths == ["s": 2] && set.absentInputs.isEmpty)
      #expect(set.outputs.map(\.name) == ["y.0", "y.1"])
    }
    #expect(try read(lists, stored(1, 3, [])).lengths == ["s": 0])
    let one = same(.with { $0.optionalType.elemType = Onnx_ValueInfoProto.tensor("o", .f32(2)).type })
    for file in [bytes, stored(1, 3, [bytes])] { #expect(try read(one, file).inputs == ["s": tensor]) }
    for model in [lists, one] {
      for file in [[], stored(0, 3, [])] {
        let set = try read(model, file)
        #expect(set.inputs.isEmpty && set.absentInputs == ["s"] && set.absentOutputs == ["y"])
      }
      #expect(throws: DiagnosticsError.self) { try read(model, Array(list.dropLast())) }
    }
  }
}
