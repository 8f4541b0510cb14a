import Foundation
import LatheCore
import SwiftProtobuf
import Testing

@testable import LatheONNX

/// A wrong model, and what should be said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
  let name: String
  let model: TestModel
  /// A part of each diagnostic's message, in order.
  let messages: [String]
  var node: String?

  init(_ name: String, _ model: TestModel, _ messages: String..., node: String? = nil) {
    self.name = name
    self.model = model
    self.messages = messages
    self.node = node
  }

  var testDescription: String { name }
}

private let relu = TestModel([node("Relu", ["x"], name: "r")], inputs: [("x", .f32(2, 3))])
private let constant = TestModel([node("Relu", ["x"], name: "r")])

private func tensor(_ change: (inout Onnx_TensorProto) -> Void) -> TestModel {
  constant.changed {
    var tensor = Onnx_TensorProto.tensor("x", f32([2], [1, 2]))
    change(&tensor)
    $0.graph.initializer = [tensor]
  }
}

private let mistakes: [Mistake] = [
  Mistake("no graph", relu.changed { $0.clearGraph() }, "it has no graph"),
  Mistake("no operator set", relu.changed { $0.opsetImport = [] }, "imports no operator set"),
  Mistake("a newer operator set", relu.changed { $0.opsetImport[0].version = 99 }, "opset 99"),
  Mistake(
    "a name that nothing defines", relu.changed { $0.graph.node[0].input = ["z"] }, "nothing defines its operand 'z'",
    node: "r"),
  Mistake(
    "an output that nothing defines", relu.changed { $0.graph.output[0].name = "z" }, "nothing defines the output 'z'"),
  Mistake("no outputs", relu.changed { $0.graph.output = [] }, "no outputs"),
  Mistake(
    "a cycle",
    TestModel(
      [node("Add", ["x", "b"], ["a"], name: "p"), node("Relu", ["a"], ["b"], name: "q"), node("Relu", ["x"])],
      inputs: [("x", .f32(1))]),
    "2 nodes depend on each other in a circle"),
  Mistake(
    "an output's name used twice",
    TestModel([node("Relu", ["x"]), node("Abs", ["x"], name: "second")], inputs: [("x", .f32(1))]),
    "'y' is defined twice", node: "second"),
  Mistake(
    "statistics of what has none",
    TestModel(
      [node("LayerNormalization", ["x", "x"], ["y", "m", "d"], name: "n")], inputs: [("x", TensorType(.bool, [2, 3]))]),
    "needs floats", node: "n"),
  Mistake(
    "an input declared twice", relu.changed { $0.graph.input.append($0.graph.input[0]) }, "input 'x' is declared twice"),
  Mistake(
    "an initializer defined twice", tensor { _ in }.changed { $0.graph.initializer.append($0.graph.initializer[0]) },
    "initializer 'x' is defined twice"),
  Mistake(
    "an output declared twice", relu.changed { $0.graph.output.append($0.graph.output[0]) },
    "output 'y' is declared twice"),
  Mistake(
    "a negative size of an input", relu.changed { $0.graph.input[0].type.tensorType.shape.dim[0].dimValue = -2 },
    "size -2"),
  Mistake(
    "a huge size of an input", relu.changed { $0.graph.input[0].type.tensorType.shape.dim[0].dimValue = 1 << 60 },
    "absurdly large"),
  Mistake(
    "sizes of an input that are huge together",
    relu.changed { for axis in 0..<2 { $0.graph.input[0].type.tensorType.shape.dim[axis].dimValue = 1 << 30 } },
    "absurdly many elements"),
  Mistake("an input without type", relu.changed { $0.graph.input[0].clearType() }, "not declared"),
  Mistake(
    "an input that is a sequence", relu.changed { $0.graph.input[0].type.sequenceType = .init() },
    "whose length is not known"),
  Mistake("an input that is a map", relu.changed { $0.graph.input[0].type.mapType = .init() }, "only tensors"),
  Mistake(
    "an element type that does not exist", relu.changed { $0.graph.input[0].type.tensorType.elemType = 77 },
    "element type 77"),
  Mistake("strings", relu.changed { $0.graph.input[0].type.tensorType.elemType = 8 }, "not supported"),
  Mistake("an initializer of the wrong length", tensor { $0.rawData = Data([1, 2, 3]) }, "needs 8 bytes, 3 are there"),
  Mistake("an initializer without data", tensor { $0.clearRawData() }, "needs 2 elements, 0 are there"),
  Mistake("an initializer with a negative size", tensor { $0.dims = [-1] }, "is negative"),
  Mistake("an initializer with 2^60 elements", tensor { $0.dims = [1 << 30, 1 << 30] }, "absurdly large"),
  Mistake("an initializer whose sizes overflow", tensor { $0.dims = [.max, .max, .max] }, "absurdly large"),
  Mistake("an initializer of an unknown type", tensor { $0.dataType = 99 }, "element type 99"),
  Mistake("an initializer in segments", tensor { $0.segment.begin = 0 }, "segments"),
  Mistake(
    "external data without a folder",
    tensor {
      $0.dataLocation = .external
      $0.externalData = [
        .with {
          $0.key = "location"
          $0.value = "x.bin"
        }
      ]
    }, "in another file"),
  Mistake(
    "an attribute of the wrong type",
    relu.changed { $0.graph.node = [node("Concat", ["x"], name: "c", .float("axis", 1))] },
    "attribute 'axis' is of type float, not int", node: "c"),
  Mistake(
    "a missing attribute", relu.changed { $0.graph.node = [node("Concat", ["x", "x"], name: "c")] },
    "attribute 'axis' is missing", node: "c"),
  Mistake(
    "an attribute out of range", relu.changed { $0.graph.node = [node("Concat", ["x", "x"], .int("axis", .min))] },
    "out of range"),
  Mistake(
    "an attribute given twice",
    relu.changed { $0.graph.node = [node("Concat", ["x", "x"], .int("axis", 0), .int("axis", 0))] },
    "given twice"),
  Mistake(
    "a missing operand", relu.changed { $0.graph.node = [node("Add", ["x"], name: "a")] }, "takes 2 operands, 1 given",
    node: "a"),
  Mistake("no operands", relu.changed { $0.graph.node = [node("Relu", [])] }, "operand 0 is missing"),
  Mistake("more results than there are", relu.changed { $0.graph.node[0].output = ["y", "z"] }, "2 results are named"),
  Mistake(
    "shapes that do not broadcast",
    TestModel([node("Add", ["a", "b"], name: "sum")], inputs: [("a", .f32(2)), ("b", .f32(3))]), "Add: ", node: "sum"),
  Mistake(
    "element types that differ",
    TestModel([node("Add", ["a", "b"])], inputs: [("a", .f32(2)), ("b", .i64(2))]), "different element types"),
  Mistake(
    "channels that differ",
    TestModel([node("Conv", ["x", "w"], name: "c")], inputs: [("x", .f32(1, 3, 8, 8)), ("w", .f32(4, 2, 3, 3))]),
    "channels", node: "c"),
  Mistake(
    "a window that stands out of the operand by less than a stride, of which runtimes give nothing or something",
    TestModel(
      [node("MaxPool", ["x"], .ints("kernel_shape", [4]), .ints("strides", [2]))], inputs: [("x", .f32(1, 1, 3))]),
    "larger than"),
  Mistake(
    "a window beyond the operand",
    TestModel([node("MaxPool", ["x"], .ints("kernel_shape", [9, 9]))], inputs: [("x", .f32(1, 1, 4, 4))]), "larger than"
  ),
  Mistake(
    "a window of huge size",
    TestModel(
      [node("MaxPool", ["x"], .ints("kernel_shape", [1 << 31 - 1]), .ints("dilations", [1 << 31 - 1]))],
      inputs: [("x", .f32(1, 1, 4))]), "are 1 to"),
  Mistake(
    "a huge tensor",
    TestModel([node("Expand", ["x", "s"])], inputs: [("x", .f32(1))]).initializer("s", i64([1 << 30, 1 << 30])),
    "has more than 2^40 elements"),
  Mistake(
    "a shape that does not fit",
    TestModel([node("Reshape", ["x", "s"])], inputs: [("x", .f32(2, 3))]).initializer("s", i64([4, -1])),
    "do not divide"),
  Mistake(
    "a shape that the inputs decide",
    TestModel([node("Unsqueeze", ["x", "s"])], inputs: [("x", .f32(2, 3)), ("s", .i64(1))]), "computed from input 's'"),
  Mistake(
    "an axis outside", TestModel([node("Softmax", ["x"], .int("axis", 5))], inputs: [("x", .f32(2, 3))]),
    "axis 5 is outside"),
  Mistake(
    "an operator set that is not imported", relu.changed { $0.opsetImport[0].domain = "other" },
    "does not import the operator set 'ai.onnx'"),
  Mistake(
    "a function that calls itself",
    relu.changed {
      $0.functions = [
        .with {
          $0.name = "F"
          $0.domain = "local"
          $0.input = ["a"]
          $0.output = ["b"]
          $0.node = [node("F", ["a"], ["b"], domain: "local")]
        }
      ]
      $0.graph.node = [node("F", ["x"], domain: "local")]
    }, "calls itself"),
  Mistake(
    "a declared element type that contradicts", relu.changed { $0.graph.output = [.tensor("y", .i64(2, 3))] },
    "'y' is declared with elements of type i64, it is f32[2,3]"),
  Mistake(
    "branches of different types",
    TestModel(
      [
        node(
          "If", ["c"], name: "if", .graph("then_branch", [node("Relu", ["x"], ["t"])], outputs: ["t"]),
          .graph("else_branch", [node("Shape", ["x"], ["e"])], outputs: ["e"]))
      ], inputs: [("x", .f32(2)), ("c", .bool())]), "branches give different types", node: "if"),
]

@Test("a wrong model gives diagnostics with their places", arguments: mistakes)
func mistakeIsFound(_ mistake: Mistake) {
  let found = mistake.model.mistakes()
  #expect(found.count == mistake.messages.count, "\(found.map { $0.rendered() })")
  for (diagnostic, message) in zip(found, mistake.messages) {
    #expect(diagnostic.message.contains(message), "\(diagnostic.rendered())")
    #expect(diagnostic.location.file == "test.onnx")
    if let node = mistake.node { #expect(diagnostic.location.node == node) }
  }
}

@Test("independent mistakes are reported together, what follows from them is not")
func independentMistakes() {
  let model = TestModel(
    [
      node("Add", ["x", "b"], ["p"], name: "first"), node("Relu", ["p"], ["q"], name: "follower"),
      node("Concat", ["x"], ["r"], name: "second"), node("MatMul", ["x", "x"], ["s"], name: "third"),
      node("Sum", ["q", "r", "s"]),
    ], inputs: [("x", .f32(2, 3)), ("b", .f32(4))])
  #expect(model.mistakes().compactMap(\.location.node) == ["first", "second", "third"])
}

@Test("operators that are not supported are listed all at once, with their nodes, besides other mistakes")
func unsupportedOperators() {
  let model = TestModel(
    [
      node("Foo", ["x"], ["a"], name: "f1", domain: "com.example"),
      node("Foo", ["x"], ["b"], name: "f2", domain: "com.example"),
      node("StringSplit", ["x"], ["c"], name: "n"), node("Concat", ["x"], ["d"], name: "also wrong"),
    ], inputs: [("x", .f32(2))], outputs: ["a"])
  let found = model.mistakes()
  #expect(found.map(\.location.node) == ["f1", "n", "also wrong"])
  #expect(found[0].message.contains("Foo of com.example"))
  #expect(found[0].operands == ["node 'f2'"])
  #expect(found[1].message.contains("opset 17"))

  let alone = TestModel([node("Foo", ["x"], ["y"], name: "f", domain: "com.example")], inputs: [("x", .f32(2))])
  #expect(alone.mistakes().map(\.location.node) == ["f"])
}

/// A model with most things in it that a file can have.
private let sample = TestModel(
  [
    node("Constant", [], ["s"], .tensor("value", i64([1, -1]))),
    node("Reshape", ["x", "s"], ["f"], name: "/flat/Reshape"),
    node("Gemm", ["f", "w", "b"], ["g"], name: "/fc/Gemm", .int("transB", 1), .float("alpha", 0.5)),
    node(
      "If", ["c"], ["i"], .graph("then_branch", [node("Relu", ["g"], ["t"])], outputs: ["t"]),
      .graph("else_branch", [node("Neg", ["g"], ["e"])], outputs: ["e"])),
    node("Pad", ["i", "p"], ["y"], .string("mode", "constant")),
  ], inputs: [("x", .f32(1, 2, 2)), ("c", .bool())]
)
.initializer("w", f32([2, 4], [1, 2, 3, 4, 5, 6, 7, 8])).initializer("b", f32([2], [1, 2])).initializer(
  "p", i64([0, 0, 0, 1]))

@Test("the damaged forms of a file give diagnostics or graphs, never a trap")
func damagedFiles() throws {
  let bytes = sample.bytes
  _ = try importONNX(bytes: bytes)
  var refused = 0
  for length in bytes.indices {
    do { _ = try importONNX(bytes: Array(bytes[..<length])) } catch {
      refused += 1
      #expect(!error.diagnostics.isEmpty)
    }
  }
  #expect(refused > bytes.count / 2)
  for position in bytes.indices {
    for bit in [0x01, 0x40, 0x80, 0xff] as [UInt8] {
      var damaged = bytes
      damaged[position] ^= bit
      do { _ = try importONNX(bytes: damaged) } catch { #expect(!error.diagnostics.isEmpty) }
    }
  }
}

@Test(
  "an operator that is not known is asked for by the name that was probably meant",
  arguments: [
    ("MatMull", "", "did you mean 'MatMul'?"), ("relu", "", "did you mean 'Relu'?"), ("Frobnicate", "", nil),
    ("BiasGelu", "", "com.microsoft has an operator of this name"), ("Scalar", "ai.onnx.ml", "did you mean 'Scaler'?"),
    ("Softmax", "my.domain", "ai.onnx has an operator of this name"),
  ])
func probableName(_ row: (name: String, domain: String, help: String?)) {
  let model = TestModel([node(row.name, ["x"], domain: row.domain)], inputs: [("x", .f32(2))])
  #expect(model.mistakes().first?.help == row.help)
}
