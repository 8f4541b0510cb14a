import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Functions against PyTorch")
struct GoldenFunctionTests {
  @Test("results and gradients agree with PyTorch in f64", arguments: GoldenCase.all)
  func agrees(golden: GoldenCase) throws {
    let withGradients = Self.withoutGradient[golden.name] == nil
    guard let graph = try golden.graph(.f64, withGradients: withGradients) else { return }
    let results = try ReferenceEvaluator.run(graph, inputs: golden.inputs(.f64)).outputs
    for (name, expected) in golden.expected().sorted(by: { $0.key < $1.key })
    where withGradients || name.hasPrefix("output") {
      // Expected numbers were computed in f64 and rounded to f32.
      if let text = deviation(results[name], expected, rtol: 1e-6, atol: 1e-7) { Issue.record("\(name) \(text)") }
    }
  }

  @Test("every function of the goldens has a counterpart, except those that come later")
  func coverage() throws {
    #expect(GoldenCase.all.count > 900)
    var missing = Set<String>()
    for golden in GoldenCase.all where try golden.graph(.f64, withGradients: false) == nil {
      missing.insert(golden.function)
    }
    #expect(missing.sorted() == Self.later)
  }

  /// Cases whose gradient is not compared, and why.
  static let withoutGradient: [String: String] = {
    var reasons = ["lgamma_0": "needs digamma", "gammaln_0": "needs digamma"]
    for number in 4...9 { reasons["scatter_reduce_\(number)"] = "scatter has gradients for sums and replacement only" }
    reasons["ldexp_0"] = "PyTorch takes powers of 2 as integers in the gradient: 0 for negative exponents"
    return reasons
  }()

  /// What needs sorting, factorizations, random numbers or special functions that are no primitives yet, or is not
  /// written.
  static let later: [String] = []
}
