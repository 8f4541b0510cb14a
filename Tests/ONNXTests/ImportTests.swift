import LatheCore
import SwiftProtobuf
import Testing

@testable import LatheONNX

@Test(
  "node names and exporters' notes give module paths",
  arguments: [
    ("/layer1/layer1.0/conv1/Conv", nil, "layer1.0.conv1"), ("/fc/Gemm", nil, "fc"), ("/Relu", nil, nil),
    ("Conv_3", nil, nil),
    ("n", "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']", "layer1.0.conv1"), ("n", "['', 'relu']", nil),
  ] as [(String, String?, String?)])
func modulePaths(_ name: String, _ scopes: String?, _ path: String?) {
  var node = node("Relu", ["x"], name: name)
  if let scopes {
    node.metadataProps = [
      .with {
        $0.key = "pkg.torch.onnx.name_scopes"
        $0.value = scopes
      }
    ]
  }
  #expect(modulePath(node) == path)
}

@Test("nodes carry their file, name and module path")
func locations() throws {
  let graph = try TestModel([node("Relu", ["x"], name: "/act/Relu")], inputs: [("x", .f32(2))]).graph()
  let location = graph.locations[Int(graph.outputs[0].value.node)]
  #expect(location.file == "test.onnx")
  #expect(location.node == "/act/Relu")
  #expect(location.modulePath == "act")
}

@Test("a single number that only arithmetic reads is no parameter, unless a module's path names it")
func parameters() throws {
  let one = f32([1], [0.5])
  let model = TestModel(
    [
      node("Mul", ["x", "val_68"], ["scaled"]), node("Add", ["scaled", "fc.bias"], ["a"]),
      node("PRelu", ["a", "slope"], ["b"]), node("Add", ["b", "row"], ["y"]),
    ], inputs: [("x", .f32(2))]
  ).initializer("val_68", one).initializer("fc.bias", one).initializer("slope", one).initializer(
    "row", f32([2], [1, 2]))
  #expect(model.proto.graph.parameterNames == ["fc.bias", "slope", "row"])
  let graph = try model.graph(trainable: true)
  #expect(Set(graph.variables.map(\.name)) == ["fc.bias", "slope", "row"])
}

@Test("an input that is an initializer too is a constant")
func initializedInput() throws {
  let model = TestModel([node("Add", ["x", "w"])], inputs: [("x", .f32(2)), ("w", .f32(2))]).initializer(
    "w", f32([2], [1, 2]))
  #expect(try model.graph().inputs.count == 1)
  #expect(try model.run(["x": f32([2], [1, 1])])["y"]?.doubles == [2, 3])
}

@Test("nodes may come in any order")
func anyOrder() throws {
  let model = TestModel([node("Neg", ["a"]), node("Abs", ["x"], ["a"])], inputs: [("x", .f32(2))])
  #expect(try model.run(["x": f32([2], [1, -2])])["y"]?.doubles == [-1, -2])
}

@Test("axes without size are symbols, which sizes can be bound to")
func symbols() throws {
  let model = TestModel([node("Relu", ["x"])], inputs: [("x", .f32("batch size", 3))])
  #expect(try model.graph().argumentTypes == [.f32("batch_size", 3)])
  #expect(try model.graph(dims: ["batch_size": 5]).argumentTypes == [.f32(5, 3)])
}

@Test("one check covers every batch size: arithmetic on shapes works on symbols")
func symbolicShapes() throws {
  // torch's older exporter: x.view(x.shape[0] * 2, -1), with the shape taken apart and put together again.
  let model = TestModel(
    [
      node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]), node("Mul", ["n", "two"], ["m"]),
      node("Unsqueeze", ["m", "axis"], ["u"]), node("Concat", ["u", "rest"], ["t"], .int("axis", 0)),
      node("Reshape", ["x", "t"]),
    ], inputs: [("x", .f32("N", 6))]
  )
  .initializer("zero", i64([0], shape: [])).initializer("two", i64([2], shape: [])).initializer("axis", i64([0]))
  .initializer("rest", i64([-1]))
  let graph = try model.graph()
  #expect(graph.type(of: graph.outputs[0].value).description == "f32[2*N,3]")
  let x = f32([2, 6], (1...12).map(Double.init))
  #expect(try model.run(["x": x])["y"] == x.reshaped([4, 3]))
}

@Test("a symbolic size that becomes data has its value at run time")
func symbolicData() throws {
  let model = TestModel(
    [node("Shape", ["x"], ["s"]), node("Cast", ["s"], .int("to", 1))], inputs: [("x", .f32("N", 6))])
  #expect(try model.run(["x": .zeros(.f32, [4, 6])])["y"]?.doubles == [4, 6])
}

@Test("where a size must be known, the help names the option that gives it")
func sizeNeeded() {
  let model = TestModel([node("Split", ["x"], ["y", "z"], .int("axis", 0))], inputs: [("x", .f32("N", 6))])
  #expect(model.mistakes().first?.help == "give sizes: --dim N=SIZE")
}

@Test("an input that decides a shape becomes a constant when its value is given, others stay inputs")
func boundInputs() throws {
  let model = TestModel([node("Reshape", ["x", "s"])], inputs: [("x", .f32(2, 3)), ("s", .i64(1))])
  let x = f32([2, 3], [1, 2, 3, 4, 5, 6])
  let graph = try model.graph(bindings: ["x": x, "s": i64([6])])
  #expect(graph.inputs.map { graph.inputName($0) } == ["x"])
  #expect(graph.type(of: graph.outputs[0].value) == .f32(6))
  // The elements tell the one size that is not given.
  let open = try model.graph()
  #expect(open.type(of: open.outputs[0].value) == .f32(6) && open.inputs.count == 2)
  let axes = TestModel([node("Unsqueeze", ["x", "s"])], inputs: [("x", .f32(2, 3)), ("s", .i64(1))])
  #expect(axes.mistakes().first?.help == "give inputs values: --bind s=FILE.npy")
}

@Test("functions of the model are put in place of their calls, with their attributes")
func functions() throws {
  let model = TestModel(
    [node("Scaled", ["x"], name: "call", domain: "local", .float("by", 0.5))], inputs: [("x", .f32(2))]
  )
  .changed {
    $0.opsetImport.append(
      .with {
        $0.domain = "local"
        $0.version = 1
      })
    var inner = node("LeakyRelu", ["a"], ["b"], .float("alpha", 0))
    inner.attribute[0] = .with {
      $0.name = "alpha"
      $0.type = .float
      $0.refAttrName = "by"
    }
    $0.functions = [
      .with {
        $0.name = "Scaled"
        $0.domain = "local"
        $0.input = ["a"]
        $0.output = ["b"]
        $0.attribute = ["by"]
        $0.opsetImport = [.with { $0.version = 17 }]
        $0.node = [inner]
      }
    ]
  }
  #expect(try model.run(["x": f32([2], [4, -4])])["y"]?.doubles == [4, -2])
}

private let branches = TestModel(
  [
    node("Abs", ["x"], ["a"]),
    node(
      "If", ["c"], .graph("then_branch", [node("Add", ["x", "a"], ["t"])], outputs: ["t"]),
      .graph("else_branch", [node("Neg", ["a"], ["e"])], outputs: ["e"])),
  ], inputs: [("x", .f32(2)), ("c", .bool())])

@Test("branches see the values around them", arguments: [(true, [2.0, 0]), (false, [-1, -2])])
func choice(_ condition: Bool, _ expected: [Double]) throws {
  let inputs = ["x": f32([2], [1, -2]), "c": try NDArray([condition], shape: [])]
  #expect(try branches.run(inputs)["y"]?.doubles == expected)
  // A condition that is known leaves no choice in the graph.
  var known = branches.initializer("c", try NDArray([condition], shape: []))
  known.proto.graph.input.removeLast()
  #expect(try known.run(inputs)["y"]?.doubles == expected)
  #expect(try known.graph().nodes.allSatisfy { $0.operation.definition.name != "cond" })
}

/// Doubles `v` in every step and stacks its values.
private func loop(_ condition: [Onnx_NodeProto], outputs: [String] = ["again", "w", "w"]) -> TestModel {
  TestModel(
    [
      node(
        "Loop", ["m", "", "v0"], outputs.count == 3 ? ["y", "all"] : ["y"],
        .graph(
          "body", [node("Add", ["v", "v"], ["w"])] + condition,
          inputs: [("i", .i64()), ("before", .bool()), ("v", .f32(1))], outputs: outputs))
    ], inputs: [("v0", .f32(1))], outputs: outputs.count == 3 ? ["y", "all"] : ["y"]
  ).initializer("m", i64([3], shape: []))
}

@Test("a loop of known length is a scan, and stacks results")
func countedLoop() throws {
  let model = loop([node("Identity", ["before"], ["again"])])
  let results = try model.run(["v0": f32([1], [1])])
  #expect(results["y"]?.doubles == [8])
  #expect(results["all"] == f32([3, 1], [2, 4, 8]))
  #expect(try model.graph().nodes.contains { $0.operation.definition.name == "scan" })
}

@Test("a loop ends when its condition says so")
func conditionalLoop() throws {
  let condition = [
    node("Constant", [], ["four"], .tensor("value", f32([1], [4]))), node("Less", ["w", "four"], ["less"]),
    node("Squeeze", ["less"], ["again"]),
  ]
  #expect(try loop(condition, outputs: ["again", "w"]).run(["v0": f32([1], [1])])["y"]?.doubles == [4])
  // How many steps there are decides how many values are stacked: at most three.
  #expect(try loop(condition).run(["v0": f32([1], [1])])["all"] == f32([2, 1], [2, 4]))
  #expect(try loop(condition).run(["v0": f32([1], [0.5])])["all"] == f32([3, 1], [1, 2, 4]))
}

@Test("a scan walks its sequences, backwards where asked for")
func scan() throws {
  let model = TestModel(
    [
      node(
        "Scan", ["s0", "x"], ["s", "y"], .int("num_scan_inputs", 1), .ints("scan_input_directions", [1]),
        .graph(
          "body", [node("Add", ["s", "e"], ["t"]), node("Identity", ["t"], ["o"])],
          inputs: [("s", .f32()), ("e", .f32())],
          outputs: ["t", "o"]))
    ], inputs: [("s0", .f32()), ("x", .f32(3))], outputs: ["s", "y"])
  let results = try model.run(["s0": f32([], [0]), "x": f32([3], [1, 2, 3])])
  #expect(results["s"]?.doubles == [6])
  #expect(results["y"]?.doubles == [3, 5, 6])
}

@Test("sequences live while the graph is built")
func sequences() throws {
  let model = TestModel(
    [
      node("SplitToSequence", ["x", "n"], ["l"], .int("axis", 0)), node("SequenceAt", ["l", "i"], ["p"]),
      node("SequenceLength", ["l"], ["c"]), node("Cast", ["c"], ["f"], .int("to", 1)), node("Add", ["p", "f"]),
    ], inputs: [("x", .f32(4))]
  ).initializer("n", i64([2], shape: [])).initializer("i", i64([-1], shape: []))
  #expect(try model.run(["x": f32([4], [1, 2, 3, 4])])["y"]?.doubles == [5, 6])
}

/// What the import remarks on, as `importONNX` gives it.
private func remarks(_ model: TestModel) throws -> [Diagnostic] {
  var remarks: [Diagnostic] = []
  _ = try importONNX(bytes: model.bytes) { remarks.append($0) }
  return remarks
}

@Test("declared shapes of outputs and initializers are hints, too")
func contradictingHints() throws {
  let relu = TestModel([node("Relu", ["x"])], inputs: [("x", .f32(2, 3))])
  for declared in [TensorType.f32(2, 4), .f32(6), .f32()] {
    let output = relu.changed { $0.graph.output = [.tensor("y", declared)] }
    #expect(try remarks(output).map(\.message) == ["'y' is declared as \(declared), it is f32[2,3]"])
    let initializer = relu.changed { $0.graph.input = [.tensor("x", declared)] }.initializer(
      "x", try .zeros(.f32, [2, 3]))
    #expect(try remarks(initializer).map(\.severity) == [.warning])
  }
}

@Test(
  "sizes that are not known are symbols of their own",
  arguments: [
    (.some("?"), "f32[x_dim0,x_dim1]"), ("None", "f32[x_dim0,x_dim1]"), ("", "f32[x_dim0,x_dim1]"),
    (nil, "f32[x_dim0,x_dim1]"),
    ("n", "f32[n,n]"), ("a-b", "f32[a_b,a_b]"), ("past + 1", "f32[past + 1,past + 1]"),
    ("2*(n + 1)", "f32[2*n + 2,2*n + 2]"), ("n//2", "f32[floor((n) / 2),floor((n) / 2)]"),
  ] as [(String?, String)])
func unknownSizes(_ name: String?, _ type: String) throws {
  let model = TestModel([node("Relu", ["x"])], inputs: [("x", .f32(1, 1))]).changed {
    for axis in 0..<2 {
      if let name {
        $0.graph.input[0].type.tensorType.shape.dim[axis].dimParam = name
      } else {
        $0.graph.input[0].type.tensorType.shape.dim[axis].dimValue = -1
      }
    }
  }
  #expect(try model.graph().argumentTypes.map(\.description) == [type])
}

@Test("the shapes of given inputs bind symbols, also those of formulas, and ranks that are not declared")
func boundByShapes() throws {
  let model = TestModel(
    [node("Relu", ["x"]), node("Relu", ["m"], ["n"]), node("Relu", ["u"], ["v"])],
    inputs: [("x", .f32("N", 3)), ("m", .f32(1)), ("u", .f32())], outputs: ["y", "n", "v"]
  ).changed {
    $0.graph.input[1].type.tensorType.shape.dim[0].dimParam = "past + N"
    $0.graph.input[2].type.tensorType.clearShape()
  }
  #expect(model.mistakes().map(\.message) == ["input 'u': the number of its axes is not declared"])
  let inputs = try ["x": NDArray.zeros(.f32, [2, 3]), "m": .zeros(.f32, [5]), "u": .zeros(.f32, [1, 4])]
  #expect(try model.graph(bindings: inputs).argumentTypes == [.f32(2, 3), .f32(5), .f32(1, 4)])
}

@Test("inputs that tell two sizes for a symbol are a mistake that names both")
func conflictingShapes() throws {
  let model = TestModel([node("Add", ["a", "b"])], inputs: [("a", .f32("N")), ("b", .f32("N"))])
  let inputs = try ["a": NDArray.zeros(.f32, [2]), "b": .zeros(.f32, [3])]
  let error = #expect(throws: DiagnosticsError.self) { try model.graph(bindings: inputs) }
  #expect(
    error?.diagnostics.map(\.message) == [
      "input 'b' is f32[N], its array is f32[3]: N is 2 by axis 0 of input 'a', 3 by axis 0 of input 'b'"
    ])
}

@Test("a slice to a number beyond a symbol is as long as the smaller of both")
func slicedSymbol() throws {
  let model = TestModel([node("Slice", ["x", "from", "to"])], inputs: [("x", .f32("N"))])
    .initializer("from", i64([0])).initializer("to", i64([1000]))
  let graph = try model.graph()
  #expect(graph.type(of: graph.outputs[0].value).description == "f32[min(N, 1000)]")
  for (size, expected) in [(7, 7), (1000, 1000), (2000, 1000)] {
    let bound = try graph.binding(["N": size])
    #expect(bound.type(of: bound.outputs[0].value) == .f32(Dim(expected)))
    #expect(try model.graph(dims: ["N": size]).resultTypes == [.f32(Dim(expected))])
  }
}

@Test("an untaken branch is not looked at, whatever is in it", arguments: [true, false])
func untakenBranch(_ condition: Bool) throws {
  let model = TestModel(
    [
      node(
        "If", ["c"], .graph("then_branch", [node("Reshape", ["x", "six"], ["t"])], outputs: ["t"]),
        .graph("else_branch", [node("NoSuchOperator", ["x"], ["e"])], outputs: ["e"]))
    ], inputs: [("x", .f32(2, 3)), ("c", .bool())]
  ).initializer("six", i64([6]))
  func graph() throws -> Graph {
    try importONNX(bytes: model.bytes, constants: ["c": NDArray([condition], shape: [])])
  }
  if condition {
    #expect(try graph().resultTypes == [.f32(6)])
  } else {
    #expect(throws: DiagnosticsError.self) { try graph() }
  }
  #expect(model.mistakes().contains { $0.message.contains("NoSuchOperator") })
}

@Test("branches of different ranks are a mistake unless the condition is known")
func branchesOfDifferentRanks() throws {
  let model = TestModel(
    [
      node(
        "If", ["c"], .graph("then_branch", [node("Reshape", ["x", "six"], ["t"])], outputs: ["t"]),
        .graph("else_branch", [node("Relu", ["x"], ["e"])], outputs: ["e"]))
    ], inputs: [("x", .f32(2, 3)), ("c", .bool())]
  ).initializer("six", i64([6]))
  let mistake = try #require(model.mistakes().first)
  #expect(mistake.message.contains("f32[6] and f32[2,3]"))
  #expect(mistake.help == "give inputs values: --bind c=FILE.npy")
  // The value of an input that is given decides.
  #expect(try model.graph(bindings: ["c": NDArray(scalar: .integer(1), dtype: .bool)]).resultTypes == [.f32(6)])
  #expect(try model.graph(bindings: ["c": NDArray(scalar: .integer(0), dtype: .bool)]).resultTypes == [.f32(2, 3)])
}

@Test("a loop that takes no step gives its state back, and empty stacks", arguments: [true, false])
func emptyLoop(_ byCount: Bool) throws {
  let model = loop([node("Identity", ["before"], ["again"])]).changed {
    $0.graph.initializer = [
      .tensor("m", i64([byCount ? 0 : 3], shape: [])),
      .tensor("no", NDArray(scalar: .integer(byCount ? 1 : 0), dtype: .bool)),
    ]
    $0.graph.node[0].input[1] = "no"
  }
  let results = try model.run(["v0": f32([1], [5])])
  #expect(results["y"]?.doubles == [5])
  #expect(try results["all"] == .zeros(.f32, [0, 1]))
}

@Test("a loop whose state grows is built step by step")
func growingLoop() throws {
  let model = TestModel(
    [
      node(
        "Loop", ["m", "", "v0"],
        .graph(
          "body", [node("Concat", ["v", "v"], ["w"], .int("axis", 0)), node("Identity", ["before"], ["again"])],
          inputs: [("i", .i64()), ("before", .bool()), ("v", .f32(1))], outputs: ["again", "w"]))
    ], inputs: [("v0", .f32(1))]
  ).initializer("m", i64([3], shape: []))
  #expect(try model.run(["v0": f32([1], [2])])["y"]?.doubles == Array(repeating: 2, count: 8))
}

@Test("a declared type that contradicts is remarked on, and does not stop the import")
func contradictingDeclaration() throws {
  let model = TestModel([node("Relu", ["x"], ["a"]), node("Neg", ["a"])], inputs: [("x", .f32(2))])
    .changed { $0.graph.valueInfo = [.tensor("a", .f32(3))] }
  let found = try remarks(model)
  #expect(found.map(\.message) == ["'a' is declared as f32[3], it is f32[2]"])
  #expect(found.first?.severity == .warning)
}

@Test("weights of four and two bits stay packed where they are large", arguments: [ScalarType.i4, .u4, .f4e2m1, .u2])
func packedWeights(_ type: ScalarType) throws {
  let count = 5001
  let numbers = (0..<count).map { ScalarValue.integer($0 % 2) }
  let weights = try NDArray(dtype: type, shape: [3, 1667], values: numbers)
  let model = TestModel(
    opset: 23, [node("DequantizeLinear", ["w", "s"], ["d"]), node("Mul", ["d", "x"])], inputs: [("x", .f32(3, 1667))]
  ).initializer("w", weights).initializer("s", f32([], [0.5]))
  let bytes = try model.graph().nodes.reduce(0) { sum, node in
    if case .constant(let constant) = node.operation { sum + constant.array.bytes.count } else { sum }
  }
  #expect(bytes < count * type.bitCount / 8 + 16)
  let x = f32([3, 1667], [Double](repeating: 2, count: count))
  #expect(try model.run(["x": x])["y"]?.doubles == numbers.map(\.double))
}

@Test("sparse initializers are arrays with all their zeros", arguments: [false, true])
func sparseInitializer(_ isLinear: Bool) throws {
  let model = TestModel([node("Identity", ["s"])]).changed {
    $0.graph.sparseInitializer = [
      .with {
        $0.values = .tensor("s", f32([2], [5, 7]))
        $0.indices = .tensor("", isLinear ? i64([1, 5]) : i64([0, 1, 1, 2], shape: [2, 2]))
        $0.dims = [2, 3]
      }
    ]
  }
  #expect(try model.run()["y"] == f32([2, 3], [0, 5, 0, 0, 0, 7]))
  let outside = model.changed { $0.graph.sparseInitializer[0].dims = [1, 2] }
  #expect(outside.mistakes().contains { $0.message.contains("sparse initializer 's'") })
}

@Test("a file of a newer format than is known is refused")
func newerFormat() {
  let model = TestModel([node("Relu", ["x"])], inputs: [("x", .f32(2))]).changed { $0.irVersion = 15 }
  #expect(model.mistakes().map(\.message) == ["the file is of IR version 15; versions up to 14 are supported"])
}

@Test("a sequence that is an input is as long as there are arrays for it")
func sequenceInput() throws {
  let model = TestModel(
    opset: 13, [node("ConcatFromSequence", ["s"], .int("axis", 0)), node("Identity", ["s"], ["again"])],
    outputs: ["y", "again"]
  ).changed {
    $0.graph.input = [.with { $0.name = "s" }]
    $0.graph.input[0].type.sequenceType.elemType.tensorType.elemType = 1
  }
  let arrays = ["s.0": f32([1], [1]), "s.1": f32([2], [2, 3])]
  let results = try model.run(arrays)
  #expect(results["y"]?.doubles == [1, 2, 3])
  #expect(results["again.0"] == arrays["s.0"] && results["again.1"] == arrays["s.1"])
  #expect(model.mistakes().map(\.message) == ["input 's': is a sequence, whose length is not known"])
}

@Test("a vector is quantized in blocks as any other tensor is")
func vectorInBlocks() throws {
  let model = TestModel(
    opset: 21,
    [
      node("QuantizeLinear", ["x", "scale", "zero"], ["q"], .int("axis", 0), .int("block_size", 3)),
      node("DequantizeLinear", ["q", "scale", "zero"], .int("axis", 0), .int("block_size", 3)),
    ], inputs: [("x", .f32(6))]
  )
  .initializer("scale", NDArray([1, 10] as [Float])).initializer("zero", NDArray([0, 3] as [Int8]))
  let results = try model.run(["x": NDArray([1.2, -2.7, 3, 41, 57, -12] as [Float])])
  #expect(results["y"] == NDArray([1, -3, 3, 40, 60, -10] as [Float]))
}
