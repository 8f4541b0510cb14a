import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Functions against PyTorch")
struct GoldenFunctionTests {
  @Test("results and gradients agree with PyTorch in f64", arguments: GoldenCase.all)
  func agrees(golden: GoldenCase) throws {
    let withGradients = GoldenCase.withoutGradient[golden.name] == nil
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
    #expect(GoldenCase.all.count > 1200)
    var missing = Set<String>()
    for golden in GoldenCase.all where try golden.graph(.f64, withGradients: false) == nil {
      missing.insert(golden.function)
    }
    #expect(missing.sorted() == Self.later)
  }

  /// Functions with at least one case that has no counterpart, or an option that is not written.
  static let later: [String] = [
    "torch.Tensor.__getitem__", "torch.as_strided", "torch.bartlett_window", "torch.blackman_window",
    "torch.combinations", "torch.diagonal_scatter", "torch.gcd",
    "torch.hamming_window", "torch.hann_window", "torch.lcm",
    "torch.nn.functional.embedding_bag",
    "torch.nn.functional.rrelu",
    "torch.repeat_interleave",
  ]
}
