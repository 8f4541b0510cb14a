import Foundation
import LatheCore
import LatheData
import Testing

/// Sizes and values that are known while a model is compiled.
@Suite struct BindingTests {
  private func bench() throws -> Workbench {
    let bench = try Workbench(["mlp.lathe": perceptron])
    for name in ["halves", "shaped", "hinted"] {
      let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/\(name).onnx")
      try FileManager.default.copyItem(at: fixture, to: bench.path("\(name).onnx"))
    }
    func write(_ array: NDArray, _ name: String) throws { try array.npy().writeAtomically(to: bench.path(name).path) }
    try write(NDArray([Float(1), 2, 3, 4, 5, 6, 7, 8], shape: [4, 2]), "x.npy")
    try write(NDArray([Float(1), 2, 3, 4, 5, 6, 7, 8], shape: [2, 4]), "wide.npy")
    try write(NDArray([Int64(-1)]), "s.npy")
    return bench
  }

  @Test func aShapeThatIsOnlyDeclaredIsAWarning() throws {
    let outcome = try bench().run("lathe", "check", "hinted.onnx")
    #expect(outcome.status == 0)
    #expect(outcome.errors.hasPrefix("hinted.onnx: warning: 'y' is declared as f32[7], it is f32[n,2]\n"))
  }

  @Test func whatSequencesAndOptionalsHoldIsFoundInMessages() throws {
    let bench = try bench()
    let operators = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../ONNXTests/Operators").standardized.path
    let optional = "\(operators)/test_optional_get_element_optional_tensor/model.onnx"
    let taken = try bench.run("lathe", "check", optional)
    #expect(taken.status == 0)
    #expect(taken.errors.contains("help: --absent optional_input builds the model without it"))
    let absent = try bench.run("lathe", "check", optional, "--absent", "optional_input")
    #expect(absent.status == 1)
    #expect(absent.errors.contains("OptionalGetElement: the optional holds nothing"))
    let sequence = "\(operators)/test_sequence_insert_at_front/model.onnx"
    let unknown = try bench.run("lathe", "check", sequence)
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("or --length sequence=0 where it is empty"))
    let other = try bench.run("lathe", "check", "mlp.lathe", "--absent", "x")
    #expect(other.status == 1)
    #expect(other.errors.contains("models of ONNX alone have such inputs"))
  }

  @Test func whatOnlyUnknownSizesKeepFromBeingToldIsANote() throws {
    let outcome = try bench().run("lathe", "check", "halves.onnx")
    #expect(outcome.status == 0)
    #expect(
      outcome.errors == """
        halves.onnx: note: Split: the size of the axis that is split [n] must be known here
          note: node 'Split_0'
          note: 'x': f32[n,2]
          help: give sizes: --dim n=SIZE
        note: whether the model is sound depends on sizes; with n=2 it is
          help: check the sizes that are wanted: --dim n=SIZE

        """)
    #expect(try bench().run("lathe", "check", "halves.onnx", "--dim", "n=3").status == 1)
    #expect(try bench().run("lathe", "check", "halves.onnx", "--dim", "n=4").status == 0)
  }

  @Test func inputsThatAreGivenBindSizes() throws {
    let bench = try bench()
    let outcome = try bench.run("lathe", "run", "halves.onnx", "--input", "x=x.npy")
    #expect(outcome.output == "y: f32[2,2] = [1, 2, 3, 4]\n", "\(outcome.errors)")
    let conflict = try bench.run("lathe", "run", "halves.onnx", "--input", "x=x.npy", "--dim", "n=2")
    #expect(conflict.status == 1)
    #expect(conflict.errors.contains("n is 2 by --dim, 4 by axis 0 of input 'x'"))
    let unknown = try bench.run("lathe", "run", "halves.onnx")
    #expect(unknown.errors == "halves.onnx: error: the size n is not known\n  help: add --dim n=SIZE\n")
  }

  @Test(arguments: [
    "check shaped.onnx", "compile shaped.onnx --dim n=4 -o a.c", "info shaped.onnx", "convert shaped.onnx -o a.lathe",
  ])
  func anInputThatDecidesAShapeIsBound(_ arguments: String) throws {
    let bench = try bench()
    #expect(try bench.shell("$lathe \(arguments) --bind s=s.npy").status == 0)
    // One size that data decides is as many elements as there are.
    #expect(try bench.shell("$lathe \(arguments)").status == 0)
  }

  @Test func anInputThatDecidesAShapeIsGiven() throws {
    let bench = try bench()
    let run = "$lathe run shaped.onnx --input x=x.npy"
    let results = try ["--bind s=s.npy", "--input s=s.npy"].map { try bench.shell("\(run) \($0)") }
    #expect(results.allSatisfy { $0.status == 0 } && results[0].output == results[1].output, "\(results)")
    #expect(try bench.shell(run).errors.contains("--input s=FILE.npy"))
  }

  @Test func anyInputMayBeAConstant() throws {
    let bench = try bench()
    let outcome = try bench.run("lathe", "run", "mlp.lathe", "--bind", "x=wide.npy")
    #expect(outcome.output.hasPrefix("y: f32[2,3] = [6, 7, 8, 14, 15, 16]"), "\(outcome.errors)")
    #expect(try bench.run("lathe", "check", "mlp.lathe", "--bind", "z=wide.npy").errors.contains("no input 'z'"))
    #expect(try bench.run("lathe", "check", "shaped.onnx", "--bind", "z=wide.npy").errors.contains("no input 'z'"))
    #expect(try bench.run("lathe", "check", "mlp.lathe", "--bind", "x=x.npy").errors.contains("its array is f32[4,2]"))
  }
}
