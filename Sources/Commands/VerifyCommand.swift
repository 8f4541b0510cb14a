import ArgumentParser
import Foundation
import LatheCore
import LatheData
import LatheONNX

/// `lathe verify DIR...`: models against the outputs that ONNX's test data expects of them.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run models on their test data, as ONNX lays it out, and compare the outputs.",
    discussion: """
      A folder holds model.onnx and test_data_set_*/{input,output}_*.pb. The tolerances are those of ONNX's own tests, \
      1e-3 relative and 1e-7 absolute, unless the folder's data.json or an option says otherwise.
      """)

  @Argument(help: ArgumentHelp("Folders with a model and its test data.", valueName: "DIR"))
  var folders: [String]

  @OptionGroup var execution: ExecutionOptions

  @Option(help: "The relative difference that is allowed.", transform: number(.fromZero))
  var rtol: Double?

  @Option(help: "The absolute difference that is allowed.", transform: number(.fromZero))
  var atol: Double?

  func validate() throws {
    guard !folders.isEmpty else { throw ValidationError("Missing expected argument 'DIR'") }
  }

  func run() throws {
    var diagnostics: [Diagnostic] = []
    var mismatches = 0
    for folder in folders {
      do throws(DiagnosticsError) {
        mismatches += try verify(folder)
      } catch {
        diagnostics += error.diagnostics
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    if mismatches > 0 { throw ExitCode.mismatch }
  }

  /// Runs all data sets of a folder; gives how many outputs differ.
  private func verify(_ folder: String) throws(DiagnosticsError) -> Int {
    let test = try BackendTest(folder: folder)
    let tolerance = try Tolerance(folder: folder)
    let file = ModelFile(path: test.model)
    var mismatches = 0
    // Data sets mostly have the same shapes: one compilation serves them all.
    var compiled: (graph: Graph, model: PreparedModel)?
    for set in test.dataSets {
      let given = set.inputs.mapValues { GivenInputs.Entry(array: $0, file: "\(folder)/\(set.name)") }
      let ready = try given.ready(file, ModelBindings(lengths: set.lengths, absent: set.absentInputs))
      let model: PreparedModel
      if let compiled, compiled.graph == ready.graph {
        model = compiled.model
      } else {
        model = try execution.prepared(ready.graph)
      }
      compiled = (ready.graph, model)
      let results = Dictionary(zip(ready.graph.outputs.map(\.name), try model.run(ready.arrays))) { $1 }
      // Elements of a sequence that nobody expects, and what an optional should not hold; other outputs may be left out.
      let expected = Set(set.outputs.map(\.name) + test.outputs).subtracting(set.absentOutputs)
      for output in ready.graph.outputs where !expected.contains(output.name) {
        mismatches += 1
        try Console.output("\(folder)/\(set.name): \(output.name): MISMATCH: nothing is expected\n")
      }
      for (name, expected) in set.outputs {
        guard let result = results[name] else {
          mismatches += 1
          try Console.output("\(folder)/\(set.name): \(name): MISMATCH: there is no such output\n")
          continue
        }
        let difference = Difference(
          result, expected, rtol: rtol ?? tolerance.rtol(expected.dtype), atol: atol ?? tolerance.atol)
        if !difference.isWithin { mismatches += 1 }
        try Console.output("\(folder)/\(set.name): \(name): \(difference)\n")
      }
    }
    return mismatches
  }
}

/// The differences that ONNX allows a test, by its `data.json` or by default.
///
/// Source: onnx/backend/test/loader, where a test without them has these defaults.
private struct Tolerance {
  private struct File: Decodable {
    var rtol: Double?
    var atol: Double?
  }

  private let rtol: Double
  let atol: Double

  /// The runner of ONNX's tests allows two units in the last place of a bf16, whatever the test says.
  ///
  /// Source: onnx/backend/test/runner, `assert_similar_outputs`.
  func rtol(_ type: ScalarType) -> Double { type == .bf16 ? max(rtol, 0x1p-6) : rtol }

  init(folder: String) throws(DiagnosticsError) {
    let path = folder + "/data.json"
    var file = File()
    if FileManager.default.fileExists(atPath: path) {
      let bytes = try FileContent(reading: path).bytes
      do {
        file = try JSONDecoder().decode(File.self, from: Data(bytes))
      } catch {
        throw DiagnosticsError(
          "is not the description of a test: rtol and atol must be numbers in a JSON object",
          location: Location(file: path))
      }
    }
    rtol = file.rtol ?? 1e-3
    atol = file.atol ?? 1e-7
  }
}

/// How far an array is from the one expected.
struct Difference: CustomStringConvertible {
  /// Whether types agree and every element is within the tolerance.
  let isWithin: Bool
  let description: String

  /// Compares as NumPy's `allclose` does, with NaN equal to NaN.
  init(_ array: NDArray, _ expected: NDArray, rtol: Double, atol: Double) {
    guard array.type == expected.type else {
      isWithin = false
      description = "MISMATCH: \(array.type) instead of \(expected.type)"
      return
    }
    var wrong = 0
    var first: Int?
    var largest = 0.0
    for (index, (a, b)) in zip(array.doubles, expected.doubles).enumerated() where a != b && !(a.isNaN && b.isNaN) {
      let distance = abs(a - b)
      largest = distance.isNaN ? .infinity : max(largest, distance)
      // The negation catches NaN and infinity.
      if !(distance <= atol + rtol * abs(b)) || b.isInfinite {
        wrong += 1
        if first == nil { first = index }
      }
    }
    isWithin = wrong == 0
    let distance = "largest difference \(largest == 0 ? "0" : String(format: "%.3g", largest))"
    if let first {
      description =
        "MISMATCH: \(wrong) of \(array.count) elements, \(distance), the first is element \(first): "
        + "\(array.element(at: first).double) instead of \(expected.element(at: first).double)"
    } else {
      description = "ok, \(distance)"
    }
  }
}
