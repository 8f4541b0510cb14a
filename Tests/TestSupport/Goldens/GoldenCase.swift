import Foundation
public import LatheCore
import LatheData
import LatheNN
public import Testing

/// One call of a PyTorch function with its arguments, results and gradients, as `tools/goldens.py` wrote it.
public struct GoldenCase: Sendable, CustomTestStringConvertible {
  /// The case's name in the golden files.
  public let name: String
  /// The function in PyTorch, `torch.nn.functional.relu`.
  public let function: String
  let arguments: [GoldenArgument]
  let keywords: [String: GoldenArgument]
  /// How many results there are.
  public let outputs: Int
  /// The arguments that have gradients, by their numbers.
  public let gradients: [Int]

  /// The case's name.
  public var testDescription: String { name }

  /// All cases in `functions.json`, `linalg.json` and `special.json`; none where a file cannot be read, which a test
  /// notices.
  public static let all: [GoldenCase] = cases("functions") + cases("linalg") + cases("special")

  private static func cases(_ file: String) -> [GoldenCase] {
    guard let data = FileManager.default.contents(atPath: goldenFolder + file + ".json"),
      let entries = try? JSONDecoder().decode([Entry].self, from: data)
    else { return [] }
    return entries.map {
      GoldenCase(
        name: $0.case, function: $0.function, arguments: $0.args, keywords: $0.kwargs, outputs: $0.outputs,
        gradients: $0.grads)
    }
  }

  private struct Entry: Decodable {
    let `case`: String
    let function: String
    let args: [GoldenArgument]
    let kwargs: [String: GoldenArgument]
    let outputs: Int
    let grads: [Int]
  }

  /// The arrays of all cases by name, `relu_0/input/0`.
  private static let arrays: [String: NDArray] = goldenArrays("functions.npz")
    .merging(goldenArrays("linalg.npz")) { $1 }
    .merging(goldenArrays("special.npz")) { $1 }

  /// An array of this case, with floats in another type: they were computed in `f64` and stored in `f32`.
  public func array(_ key: String, _ dtype: ScalarType? = nil) -> NDArray? {
    guard let array = Self.arrays["\(name)/\(key)"] else { return nil }
    return array.dtype.isFloat && array.dtype != dtype ? array.converted(to: dtype ?? array.dtype) : array
  }

  /// The call as a graph.
  ///
  /// It has inputs `x0` …, `cotangent0` …; outputs `output0` …, `gradient0` …. It is
  /// nil where the function has no counterpart yet.
  ///
  /// - Parameters:
  ///   - dtype: The element type of the floats.
  ///   - withGradients: Whether the gradients are outputs too.
  /// - Throws: What tracing has against the call.
  public func graph(
    _ dtype: ScalarType = .f64, withGradients: Bool = true
  ) throws(DiagnosticsError) -> Graph? {
    let builder = Builder()
    var inputs: [Tensor] = []
    while let array = array("input/\(inputs.count)", dtype) {
      inputs.append(builder.input("x\(inputs.count)", array.type))
    }
    let call = GoldenCall(
      function: function.replacing("torch.", with: "", maxReplacements: 1), builder: builder, inputs: inputs,
      arguments: arguments, keywords: keywords)
    guard let results = call.results() else { return nil }
    var named = results.enumerated().map { (name: "output\($0)", tensor: $1) }
    let seeds = results.indices.compactMap { position -> (tensor: Tensor, cotangent: Tensor)? in
      guard let array = array("cotangent/\(position)", dtype) else { return nil }
      return (results[position], builder.input("cotangent\(position)", array.type))
    }
    if withGradients, !gradients.isEmpty, builder.diagnostics.isEmpty {
      let cotangents = LatheNN.gradients(of: seeds, withRespectTo: gradients.map { inputs[$0] })
      named += zip(gradients, cotangents).map { ("gradient\($0)", $1) }
    }
    return try builder.finish(name: "golden", outputs: named)
  }

  /// The contents of the graph's inputs.
  public func inputs(_ dtype: ScalarType = .f64) -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for position in 0..<16 {
      if let array = array("input/\(position)", dtype) { result["x\(position)"] = array }
      if let array = array("cotangent/\(position)", dtype) { result["cotangent\(position)"] = array }
    }
    return result
  }

  /// Cases whose gradient is not compared, and why.
  public static let withoutGradient: [String: String] = {
    var reasons: [String: String] = [:]
    for name in ["cholesky_solve_0", "cholesky_inverse_0"] {
      reasons[name] = "PyTorch's gradient is not zero in the triangle that is not read"
    }
    reasons["ldexp_0"] = "PyTorch takes powers of 2 as integers in the gradient: 0 for negative exponents"
    return reasons
  }()

  /// Cases of matrices whose condition times the precision of `f32` is more than results may be off.
  private static let illConditioned: Set<String> = ["linalg_pinv_2", "linalg_pinv_7", "linalg_solve_5"]

  /// The element type in which back-ends are to run the case.
  public var runType: ScalarType { Self.illConditioned.contains(name) ? .f64 : .f32 }

  /// What the graph's outputs should be.
  public func expected() -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for position in 0..<outputs { result["output\(position)"] = array("output/\(position)") }
    for position in gradients { result["gradient\(position)"] = array("grad/\(position)") }
    return result
  }
}

/// Where the goldens lie.
public let goldenFolder: String = {
  let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  return parts.joined(separator: "/") + "/NNTests/Goldens/"
}()

/// The arrays of a golden file by name; empty where it cannot be read, which a test notices.
public func goldenArrays(_ file: String) -> [String: NDArray] {
  guard let archive = try? NPZ(reading: goldenFolder + file) else { return [:] }
  return Dictionary(archive.members.map { ($0.name, $0.array) }) { first, _ in first }
}

/// The greatest deviation of two arrays beyond a tolerance, said in words; nil where they agree.
///
/// Where `f32` is expected
/// the actual numbers are rounded to it, so that both overflow alike.
public func deviation(_ actual: NDArray?, _ expected: NDArray, rtol: Double, atol: Double) -> String? {
  guard let actual else { return "is missing" }
  guard actual.shape == expected.shape else { return "has shape \(actual.shape), expected \(expected.shape)" }
  let fits = expected.dtype.isFloat ? actual.dtype.isFloat : actual.dtype == expected.dtype
  guard fits else { return "is \(actual.dtype), expected \(expected.dtype)" }
  var worst: (excess: Double, text: String)?
  let rounded = expected.dtype == .f32 ? actual.converted(to: .f32) : actual
  for (position, (x, y)) in zip(rounded.doubles, expected.doubles).enumerated() {
    if x == y || (x.isNaN && y.isNaN) { continue }
    let excess = abs(x - y) - (atol + rtol * abs(y))
    if excess <= 0 { continue }
    if let worst, !excess.isNaN, worst.excess >= excess { continue }
    worst = (excess.isNaN ? .infinity : excess, "element \(position) is \(x), expected \(y)")
  }
  return worst?.text
}
