import Foundation
import Lathe
import LatheData
import TestSupport
import Testing

@testable import LathePT2

/// A program of Programs with what PyTorch makes of it.
struct Program: CustomTestStringConvertible {
  let name: String

  var testDescription: String { name }

  static let folder = Bundle.module.resourcePath.map { $0 + "/Programs/" } ?? ""
  static let all =
    (try? FileManager.default.contentsOfDirectory(atPath: folder))?.filter { $0.hasSuffix(".pt2") }
    .sorted().map { Program(name: String($0.dropLast(4))) } ?? []

  var path: String { Self.folder + name + ".pt2" }

  func expected() throws -> (inputs: [NDArray], outputs: [NDArray], state: [String: NDArray]) {
    let file = try TorchFile(reading: Self.folder + name.replacing("-aten", with: "") + ".pt")
    var state: [String: NDArray] = [:]
    for member in file.members where member.name.hasPrefix("state.") {
      state[String(member.name.dropFirst("state.".count))] = member.array
    }
    return (
      file.members.filter { $0.name.hasPrefix("inputs.") }.map(\.array),
      file.members.filter { $0.name.hasPrefix("outputs.") }.map(\.array), state
    )
  }

  func graph(trainable: Bool = false, evaluating: Bool = false) throws -> Graph {
    let inputs = try expected().inputs
    let names = try PT2Signature(path: path).inputs
    let graph = try importPT2(
      path: path, bindings: Dictionary(uniqueKeysWithValues: zip(names, inputs)), trainable: trainable,
      evaluating: evaluating)
    let unbounded = graph.capacities.filter { $0.capacity == nil }
    return try graph.limiting(Dictionary(uniqueKeysWithValues: unbounded.map { ($0.size, 8) }))
  }
}

@Suite("Exported programs")
struct ImportTests {
  @Test("there are programs in both dialects") func programs() {
    #expect(Program.all.count > 20)
    #expect(Program.all.contains { $0.name.hasSuffix("-aten") })
  }

  @Test("outputs and new states are PyTorch's, interpreted and as C", arguments: Program.all)
  func agrees(program: Program) throws {
    let (inputs, outputs, state) = try program.expected()
    let compiled = try compile(program.graph())
    var session = try compiled.session()
    var native = try compiled.native()
    for (kind, results, saved) in [
      ("interpreter", try session.run(inputs), session.savedState()),
      ("native", try native.run(inputs), native.savedState()),
    ] {
      #expect(results.count == outputs.count)
      for (position, (result, expected)) in zip(results, outputs).enumerated() {
        if let text = deviation(result, expected, rtol: 1e-5, atol: 2e-6) {
          Issue.record("\(kind): output \(position) \(text)")
        }
      }
      #expect(Set(saved.keys) == Set(state.keys))
      for (name, expected) in state {
        if let text = deviation(saved[name], expected, rtol: 1e-5, atol: 1e-6) {
          Issue.record("\(kind): \(name) \(text)")
        }
      }
    }
  }

  @Test(
    "a program in training mode trains by its batches, and is evaluated by its running statistics",
    arguments: ["tiny_training", "tiny_training-aten"])
  func trains(name: String) throws {
    let program = Program(name: name)
    let loss = try #require(NamedLoss.all.first { $0.name == "cross-entropy" })
    let model = try program.graph(trainable: true).trainable(
      loss: loss, optimizer: .sgd(lr: 0.5), evaluation: program.graph(trainable: true, evaluating: true))
    let compiled = try compile(model)
    var session = try compiled.session()
    var native = try compiled.native()
    let (x, target) = (try program.expected().inputs, NDArray([1, 3] as [Int64]))
    func close(_ array: NDArray?, _ expected: [Double]) {
      #expect(array?.count == expected.count)
      for (a, b) in zip(array?.doubles ?? [], expected) { #expect(abs(a - b) < 1e-5, "\(array as Any)") }
    }
    // PyTorch's, in f64.
    for expected in [1.2488559418666063, 1.0953083773374492, 0.9800972297060988] {
      let inputs = x + [target, NDArray(scalar: .float(0.5), dtype: .f64)]
      close(try session.run("train_step", inputs)[0], [expected])
      close(try native.run("train_step", inputs)[0], [expected])
    }
    for state in [session.savedState(), native.savedState()] {
      close(state["bn.running_mean"], [0.1004424175439125, -0.06419350506661445, -0.24216209115192275])
      close(state["bn.running_var"], [0.28924163917747425, 0.32662244600848067, 0.2082301620362522])
      #expect(state["bn.num_batches_tracked"]?.integers == [4] && state["steps"]?.integers == [4])
    }
    close(try session.run("evaluate", x + [target])[0], [0.8863379079522191])
    close(
      try native.run("predict", x)[0],
      [
        4.4654889616574485, 5.858655463567064, 4.150343432557875, 5.415893874974829, 4.333927991957443,
        5.4622045042993035, 4.609797830463116, 5.411281595623269,
      ])
  }

  @Test("slices and tensors of sizes that data decides, with several of them") func slices() throws {
    let compiled = try compile(Program(name: "tiny_slices").graph())
    var session = try compiled.session()
    var native = try compiled.native()
    let x = (0..<12).map { Float($0) }
    func columns(_ places: [Int], of scale: Float = 1) throws -> NDArray {
      try NDArray([0, 6].flatMap { row in places.map { x[row + $0] * scale } }, shape: [2, places.count])
    }
    func sums(_ places: some Sequence<Int>) -> NDArray {
      NDArray([0, 6].map { row in places.reduce(Float(0)) { $0 + x[row + $1] } })
    }
    func inputs(_ n: Int64, _ m: Int64) throws -> [NDArray] {
      [try NDArray(x, shape: [2, 6]), try NDArray([n], shape: []), try NDArray([m], shape: [])]
    }
    for (n, m) in [(0, 0), (3, 8), (6, 2), (9, 1), (-1, 3), (-9, 5)] {
      let end = min(max(n < 0 ? n + 6 : n, 0), 6)
      for results in [try session.run(inputs(Int64(n), Int64(m))), try native.run(inputs(Int64(n), Int64(m)))] {
        #expect(results[0] == (try columns(Array(0..<end), of: 2)) && results[1].shape == [2, 6 - end], "\(n)")
        #expect(results[2] == sums(0..<end) && results[3] == sums(Swift.min(3, end)..<end), "\(n)")
        #expect(results[4] == (try columns(Array(stride(from: end, to: 6, by: 2)))), "\(n)")
        #expect(results[5] == NDArray((0..<m).map { Float($0) }), "\(m)")
      }
    }
    #expect(throws: DiagnosticsError.self) { _ = try session.run(inputs(1, 9)) }
    #expect(throws: DiagnosticsError.self) { _ = try native.run(inputs(1, 9)) }
    let open = try importPT2(path: Program(name: "tiny_slices").path)
    let error = #expect(throws: DiagnosticsError.self) { try open.bounded() }
    #expect(error?.diagnostics.map(\.message) == ["nothing says how large ?u1 may be, a size that data decides"])
  }

  @Test("a run fails where what the program asserts of its data does not hold") func assertions()
    throws
  {
    let compiled = try compile(Program(name: "tiny_assertions").graph())
    var session = try compiled.session()
    var native = try compiled.native()
    let x = (0..<8).map { Float($0) }
    func inputs(_ n: Int64, _ m: Int64, _ row: [Float]) throws -> [NDArray] {
      [NDArray(x), try NDArray([n], shape: []), try NDArray([m], shape: []), NDArray(row)]
    }
    for (n, row, last) in [(0, [1, 2, 3], [2, 3, 4]), (8, [4, -1, 1], [5, 0, 2]), (3, [6, -1, 3], [7, 0, 4])]
      as [(Int, [Float], [Float])]
    {
      let sums = (0..<n).map { x[$0] + x[8 - n + $0] }
      let expected = [NDArray(sums), NDArray(x.map { $0 * Float(n) }), NDArray(last)]
      #expect(try session.run(inputs(Int64(n), Int64(n), row)) == expected)
      #expect(try native.run(inputs(Int64(n), Int64(n), row)) == expected)
    }
    for (n, m, row) in [
      (5, 4, [1, 2, 3]), (9, 9, [1, 2, 3]), (-1, -1, [1, 2, 3]), (5, 5, [-1, 0, 0]),
    ]
      as [(Int64, Int64, [Float])]
    {
      #expect(throws: DiagnosticsError.self, "\(n), \(m), \(row)") { _ = try session.run(inputs(n, m, row)) }
      #expect(throws: DiagnosticsError.self, "\(n), \(m), \(row)") { _ = try native.run(inputs(n, m, row)) }
    }
  }

  @Test("parameters are variables under their own names where they are to be trained")
  func trainable() throws {
    let graph = try Program(name: "tiny_resnet").graph(trainable: true)
    #expect(graph.variables.contains { $0.name == "layer1.0.conv1.weight" && $0.role == .parameter })
    #expect(graph.variables.contains { $0.name == "bn1.running_mean" && $0.role == .buffer })
  }

  @Test("open sizes are symbols, which --dim and the inputs' shapes bind") func symbols() throws {
    let program = Program(name: "tiny_mlp_batch")
    let graph = try importPT2(path: program.path)
    let symbol = try #require(graph.symbols.first)
    #expect(graph.symbols.count == 1)
    #expect(try importPT2(path: program.path, dims: [symbol: 3]).symbols.isEmpty)
    #expect(try PT2Signature(path: program.path).openSymbols(dims: [:], given: [:]) == [symbol])
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(path: program.path, dims: ["batch": 3]) }
    #expect(
      error?.description
        == "\(program.path): error: the model has no symbol 'batch'\n  help: its symbols are \(symbol)")
  }

  @Test("a size beyond the range that a program was exported for is refused") func ranges() throws {
    let path = Program(name: "tiny_mlp_batch").path
    let symbol = try #require(try PT2Signature(path: path).openSymbols(dims: [:], given: [:]).first)
    #expect(try importPT2(path: path, dims: [symbol: 1024]).symbols == [])
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(path: path, dims: [symbol: 1025]) }
    #expect(
      error?.diagnostics.first?.message == "the size 1025 for \(symbol) is more than the program was exported for, 1024"
    )
  }

  @Test("the signature counts what is trained, equal contents each, tied ones once", arguments: Program.all)
  func parameters(program: Program) throws {
    let trained = try program.graph(trainable: true, evaluating: true).variables.filter { $0.role == .parameter }
    #expect(try PT2Signature(path: program.path).parameterCount == trained.reduce(0) { $0 + $1.initial.count })
  }

  @Test(
    "sizes are sympy's expressions",
    arguments: [
      ("Symbol('s0', positive=True, integer=True)", "s0"), ("Integer(7)", "7"),
      ("Add(Integer(-1), Mul(Integer(2), Symbol('s0', integer=True)))", "2*s0 - 1"),
      ("FloorDiv(Mul(Integer(4), Symbol('s0', integer=True)), Integer(2))", "2*s0"),
      ("FloorDiv(Integer(7), Integer(2))", "3"), ("Mod(Integer(7), Integer(4))", "3"),
      ("Max(Integer(3), Integer(5))", "5"), ("Pow(Symbol('s0'), Integer(2))", "s0*s0"),
      ("FloorDiv(Add(Symbol('s0'), Integer(1)), Integer(2))", "floor((s0 + 1) / 2)"),
      ("FloorDiv(Integer(-7), Integer(2))", "-4"), ("PythonMod(Integer(-7), Integer(4))", "1"),
      ("Mod(Symbol('s0'), Integer(2))", "-2*floor((s0) / 2) + s0"),
    ])
  func expressions(_ row: (text: String, size: String)) {
    #expect(SizeExpression.dimension(row.text, [:])?.description == row.size)
  }

  @Test(
    "texts that are no sizes give none",
    arguments: [
      "", "Symbol('s0'", "Integer(x)", "Add()", "Integer(1) Integer(2)", "FloorDiv(Integer(1), Integer(0))",
      "Foo(Integer(1))", "Integer(99999999999999999999)", "Integer(-9223372036854775808)",
      "Pow(Symbol('s0'), Integer(9))",
    ])
  func noExpressions(_ text: String) { #expect(SizeExpression.dimension(text, [:]) == nil) }
}

/// The bytes of a program with its JSON, or a member, changed.
private func changed(
  _ name: String, _ change: (_ member: String, _ content: [UInt8]) -> [UInt8]?
) throws -> [UInt8] {
  let bytes = try FileContent(reading: Program(name: name).path).bytes
  let files = try ZIPReader.reading(bytes, from: name, as: ".pt2") { archive throws(DiagnosticsError) in
    var files: [FileContent] = []
    for (index, name) in archive.names.enumerated() {
      guard let content = try? archive.content(at: index), let content = change(name, content) else { continue }
      files.append(FileContent(path: name, bytes: content))
    }
    return files
  }
  return try files.zipped(.deflated, for: name, as: ".pt2")
}

private func edited(_ name: String, _ old: String, _ new: String) throws -> [UInt8] {
  try changed(name) { member, content in
    guard member.hasSuffix("model.json") else { return content }
    let text = String(decoding: content, as: UTF8.self)
    #expect(text.contains(old))
    return Array(text.replacing(old, with: new).utf8)
  }
}

@Suite("Faulty programs")
struct FaultyProgramTests {
  @Test("an operator that is not supported is named with its nodes and the line of Python") func unsupported() throws {
    let bytes = try edited("tiny_training", "aten.relu_.default", "aten.foo.default")
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(error?.diagnostics.count == 1)
    #expect(diagnostic.message == "operator aten.foo.default is not supported")
    #expect(diagnostic.location.file?.hasSuffix("pt2.py") == true)
    #expect(diagnostic.location.line ?? 0 > 0)
    #expect(diagnostic.location.node == "relu_")
    let lstm = try edited("tiny_lstm", "aten.lstm.input", "aten.foo.input")
    let other = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: lstm) }
    #expect(other?.diagnostics.first?.message == "operator aten.foo.input is not supported")
  }

  @Test("a shape that does not fit is told with the operands and the module") func shapes() throws {
    let bytes = try edited("tiny_training", "aten.relu_.default", "aten.linear.default")
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    #expect(error?.diagnostics.map(\.message) == ["aten.linear.default: the argument 'input' is missing"])
    let other = try edited(
      "tiny_training", #""name": "dim", "arg": {"as_ints": [2, 3]}"#, #""name": "dim", "arg": {"as_ints": [2, 9]}"#)
    let outside = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: other) }
    #expect(outside?.diagnostics.first?.message == "aten.mean.dim: dim 9 is outside f32[2,3,4,4], which has 4 axes")
  }

  @Test(
    "strides may say what is in the operand's memory, and nothing else", arguments: [(3, true), (1, true), (4, false)])
  func strides(_ row: (stride: Int, isView: Bool)) throws {
    let mean = #"{"name": "self", "arg": {"as_tensor": {"name": "mean"}}, "kind": 1}"#
    let bytes = try edited(
      "tiny_training",
      #""target": "torch.ops.aten.linear.default", "inputs": [{"name": "input", "arg": {"as_tensor": {"name": "mean"}}, "kind": 1}"#,
      #""target": "torch.ops.aten.as_strided.default", "inputs": [\#(mean), "#
        + #"{"name": "size", "arg": {"as_ints": [2, 1, 3]}, "kind": 1}, "#
        + #"{"name": "stride", "arg": {"as_ints": [\#(row.stride), 5, 1]}, "kind": 1}"#)
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    // What is left of a linear layer comes after.
    let expected =
      row.isView
      ? "the argument 'weight' is not supported"
      : "reaches out of the operand"
    #expect(error?.diagnostics.first?.message == "aten.as_strided.default: \(expected)")
  }

  @Test("results have the types that the program declares") func declarations() throws {
    let bytes = try edited("tiny_training", "aten.relu_.default", "aten.isnan.default")
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    #expect(
      error?.diagnostics.first?.message
        == "aten.isnan.default: gives bool[2,3,4,4], the program says f32[2,3,4,4]")
  }

  @Test(
    "what complex numbers cannot be is told with the operator",
    arguments: [
      ("aten.neg.default", "aten.erf.default", "operator aten.erf.default of complex numbers is not supported"),
      (
        "aten.neg.default", "aten.abs.default",
        "aten.abs.default: gives f32[4,5], the program says complex numbers, f32[4,5,2]"
      ),
      (
        "aten.linalg_matrix_exp.default", "aten.view_as_complex.default",
        "operator aten.view_as_complex.default is not supported"
      ),
    ])
  func complex(_ row: (old: String, new: String, message: String)) throws {
    let program = row.old.contains("linalg") ? "tiny_algebra" : "tiny_fourier"
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: edited(program, row.old, row.new)) }
    #expect(error?.diagnostics.first?.message == row.message)
  }

  @Test("dropout has memory of its own in training only", arguments: [false, true])
  func dropout(_ isTraining: Bool) throws {
    let bytes = try edited(
      "tiny_memory", #""arg": {"as_float": 0.5}, "kind": 1}, {"name": "train", "arg": {"as_bool": false}"#,
      #""arg": {"as_float": 0}, "kind": 1}, {"name": "train", "arg": {"as_bool": \#(isTraining)}"#)
    let inputs = try Program(name: "tiny_memory").expected().inputs
    var session = try compile(importPT2(bytes: bytes)).session()
    let results = try session.run(inputs)
    #expect((results[0] == results[1]) == !isTraining)
  }

  @Test("every operator of ATen has its schema") func schemas() {
    let functions = Set(Schema.all.keys.map { String($0.prefix { $0 != "." }) })
    for name in Operator.names where !name.hasPrefix("_operator.") && !name.hasPrefix("torch.") {
      let function = String(name.prefix { $0 != "." })
      #expect(
        functions.contains(function) || functions.contains(function + "_"),
        "tools/models/schemas.py has not been run: \(name)")
    }
  }

  @Test(
    "arguments that an operator does not look at, and numbers that are none, are mistakes",
    arguments: [
      ("tiny_arguments", "aten.round.decimals", "aten.ceil.decimals", "operator aten.ceil.decimals is not supported"),
      (
        "tiny_arguments", #""name": "decimals""#, #""name": "places""#,
        "aten.round.decimals: the argument 'places' is not supported"
      ),
      (
        "tiny_arguments", #""name": "scales_w", "arg": {"as_float": 1.3}"#,
        #""name": "scales_w", "arg": {"as_none": true}"#,
        "aten.upsample_nearest2d.default: some axes have factors, others have none"
      ),
      (
        "tiny_arguments", #""as_float": 1.3"#, #""as_float": 1.6"#,
        "aten.upsample_nearest2d.default: the factors [1.6, 1.6] do not make [5, 5] of f32[2,3,4,4]"
      ),
      (
        "tiny_statistics", "aten.msort.default", "aten.mode.default",
        "aten.mode.default: gives f32[3], the program says f32[3,4]"
      ),
      (
        "tiny_special", #""name": "n", "arg": {"as_int": 3}"#, #""name": "n", "arg": {"as_float": 2.5}"#,
        "aten.special_chebyshev_polynomial_t.n_scalar: the argument 'n' is no size"
      ),
      (
        "tiny_lstm", #""num_layers", "arg": {"as_int": 2}"#, #""num_layers", "arg": {"as_int": 9223372036854775807}"#,
        "aten.lstm.input: the argument 'num_layers' is 9223372036854775807, which is out of range"
      ),
      (
        "tiny_memory", #""parameter": {"arg": {"name": "p_scale"}, "parameter_name""#,
        #""tensor_constant": {"arg": {"name": "p_scale"}, "tensor_constant_name""#,
        "aten.mul_.Tensor: writes to 'p_scale', a constant, which would keep its new content for the next run"
      ),
    ])
  func arguments(_ row: (program: String, old: String, new: String, message: String)) throws {
    let bytes = try edited(row.program, row.old, row.new)
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    #expect(error?.diagnostics.first?.message == row.message)
  }

  @Test("a small file does not expand to what no memory holds") func expansion() throws {
    let bytes = try changed("tiny_training") { name, content in
      guard name.hasSuffix("weights_config.json") else { return content }
      let text = String(decoding: content, as: UTF8.self)
      let old =
        #""sizes": [{"as_int": 3}], "requires_grad": true, "device": {"type": "cpu", "index": null}, "strides": [{"as_int": 1}]"#
      #expect(text.contains(old))
      return Array(
        text.replacing(
          old,
          with: old.replacing(#"{"as_int": 3}"#, with: #"{"as_int": 1000000000}"#)
            .replacing(#"{"as_int": 1}"#, with: #"{"as_int": 0}"#)
        ).utf8)
    }
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes) }
    #expect(error?.description.contains("too much of an expansion") == true, "\(error?.description ?? "")")
  }

  @Test("members that are missing are named") func members() throws {
    for (part, message) in [
      ("archive_format", "is no exported program: it has no member 'tiny_training/archive_format'"),
      ("model.json", "has 0 models, takes one"), ("weight_0", "has no member 'tiny_training/data/weights/weight_0'"),
    ] {
      let bytes = try changed("tiny_training") { name, content in name.hasSuffix(part) ? nil : content }
      let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: bytes, file: "x.pt2") }
      #expect(error?.description == "x.pt2: error: \(message)")
    }
    let garbled = try edited("tiny_training", #""nodes""#, #""knots""#)
    let error = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: garbled, file: "x.pt2") }
    #expect(error?.description.contains("is garbled: 'graph_module.graph': ") == true, "\(error?.description ?? "")")
    let short = try changed("tiny_training") { name, content in
      name.hasSuffix("weight_0") ? Array(content.dropLast(4)) : content
    }
    let view = #expect(throws: DiagnosticsError.self) { try importPT2(bytes: short, file: "x.pt2") }
    #expect(view?.description.contains("of a storage of 53 elements") == true, "\(view?.description ?? "")")
  }

  @Test("no changed byte of the program traps", arguments: [UInt8(ascii: "9"), UInt8(ascii: "\""), 0x80])
  func flippedBytes(_ value: UInt8) throws {
    for position in stride(from: 0, to: 24_000, by: 97) {
      let bytes = try changed("tiny_training") { name, content in
        guard name.hasSuffix("model.json"), position < content.count else { return content }
        var content = content
        content[position] = value
        return content
      }
      do throws(DiagnosticsError) {
        _ = try importPT2(bytes: bytes)
      } catch {
        #expect(!error.diagnostics.isEmpty)
      }
    }
  }
}
