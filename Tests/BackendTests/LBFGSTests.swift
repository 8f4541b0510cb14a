import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// LBFGS in the graph against PyTorch's, which the host drives: the same losses, iterations and evaluations.
struct LBFGSTests {
  struct Golden: Decodable, CustomTestStringConvertible {
    struct Options: Decodable {
      var lr = 1.0
      var maxIter = 20
      var maxEval: Int?
      var toleranceGrad = 1e-7
      var toleranceChange = 1e-9
      var historySize = 100
      var lineSearch: String?

      enum CodingKeys: String, CodingKey {
        case lr, maxIter = "max_iter", maxEval = "max_eval", toleranceGrad = "tolerance_grad",
          toleranceChange = "tolerance_change", historySize = "history_size", lineSearch = "line_search_fn"
      }

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        lr = try values.decodeIfPresent(Double.self, forKey: .lr) ?? lr
        maxIter = try values.decodeIfPresent(Int.self, forKey: .maxIter) ?? maxIter
        maxEval = try values.decodeIfPresent(Int.self, forKey: .maxEval)
        toleranceGrad = try values.decodeIfPresent(Double.self, forKey: .toleranceGrad) ?? toleranceGrad
        toleranceChange = try values.decodeIfPresent(Double.self, forKey: .toleranceChange) ?? toleranceChange
        historySize = try values.decodeIfPresent(Int.self, forKey: .historySize) ?? historySize
        lineSearch = try values.decodeIfPresent(String.self, forKey: .lineSearch)
      }
    }

    let problem: String
    let options: Options
    let losses: [Double]
    let iterations: Int
    let evaluations: Int

    enum CodingKeys: String, CodingKey {
      case problem, options, losses, iterations = "n_iter", evaluations = "func_evals"
    }

    var testDescription: String { "\(problem) \(options)" }

    static let all: [Golden] = {
      guard let data = FileManager.default.contents(atPath: goldenFolder + "lbfgs.json") else { return [] }
      return (try? JSONDecoder().decode([Golden].self, from: data)) ?? []
    }()

    var optimizer: Optimizer {
      .lbfgs(
        lr: options.lr, maxIter: options.maxIter, maxEval: options.maxEval, toleranceGrad: options.toleranceGrad,
        toleranceChange: options.toleranceChange, historySize: options.historySize,
        lineSearch: options.lineSearch.flatMap(LineSearch.init))
    }

    /// One step as a graph, and its inputs.
    func step() throws -> (graph: Graph, inputs: [NDArray]) {
      if problem == "rosenbrock" {
        let valley = Valley()
        let graph = try trainingStep(
          valley, optimizer: optimizer, inputs: [.f64(1)], options: TraceOptions(floatType: .f64)
        ) { _, inputs in valley(inputs[0]) }
        return (graph, [NDArray([0] as [Double])])
      }
      return try Generator.$scoped.withValue(Generator()) {
        manualSeed(3)
        let model = Sequential(Linear(4, 8), Tanh(), Linear(8, 1))
        let x = try rand([20, 4]).doubles.map { $0 - 0.5 }
        let y = (0..<20).map { row in
          let row = x[4 * row..<4 * row + 4]
          return row.reduce(0) { $0 + $1 * $1 } - (row.first ?? 0)
        }
        let graph = try trainingStep(
          model, optimizer: optimizer, inputs: [.f64(20, 4), .f64(20, 1)], options: TraceOptions(floatType: .f64)
        ) { _, inputs in mseLoss(model(inputs[0]), inputs[1]) }
        return (graph, [try NDArray(x, shape: [20, 4]), try NDArray(y, shape: [20, 1])])
      }
    }
  }

  /// Rosenbrock's valley in three dimensions, of two parameters.
  private struct Valley: Module {
    let first = Parameter(NDArray([Double(Float(-1.2))])), rest = Parameter(NDArray([1, -0.5] as [Double]))

    func callAsFunction(_ x: Tensor) -> Tensor {
      let p = cat([first(for: x), rest(for: x)], dim: 0)
      let (a, b) = (p.narrow(dim: 0, start: 0, length: 2), p.narrow(dim: 0, start: 1, length: 2))
      return ((b - a * a).pow(2) * 100 + (1 - a).pow(2)).sum()
    }
  }

  private static func check(
    _ model: inout some BackendModel & ~Copyable, _ outputs: [NDArray], _ golden: Golden, _ inputs: [NDArray],
    _ way: String
  ) throws {
    var outputs = outputs
    for (step, expected) in golden.losses.enumerated() {
      try model.run(inputs, into: &outputs)
      let loss = outputs[0].doubles[0]
      #expect(abs(loss - expected) <= 1e-6 * abs(expected) + 1e-10, "\(way), step \(step): \(loss), not \(expected)")
    }
    #expect(try model.variable(named: "optimizer.n_iter").integers == [golden.iterations], "\(way)")
    #expect(try model.variable(named: "optimizer.func_evals").integers == [golden.evaluations], "\(way)")
  }

  @Test("losses, iterations and evaluations are PyTorch's in both back-ends", arguments: Golden.all)
  func losses(golden: Golden) throws {
    let (graph, inputs) = try golden.step()
    let compiled = try compile(graph)
    let outputs = compiled.planned.program.makeOutputs()
    var session = try compiled.session()
    try Self.check(&session, outputs, golden, inputs, "interpreted")
    var native = try compiled.native()
    try Self.check(&native, outputs, golden, inputs, "native")
  }

  @Test("there are cases") func cases() { #expect(Golden.all.count == 10) }

  @Test("what LBFGS cannot do is said") func mistakes() throws {
    let model = Sequential(Linear(4, 1))
    let error = #expect(throws: DiagnosticsError.self) {
      try trainingStep(
        model, loss: { mseLoss($0, $1) }, optimizer: .lbfgs(historySize: 0).group("*.bias", ["lr": 1]), .f32(20, 4),
        .f32(20, 1), clipping: .norm(1), accumulation: 2)
    }
    let text = error?.description ?? ""
    for what in ["no clipping", "no accumulation", "no groups of parameters", "remembers 0 iterations"] {
      #expect(text.contains(what), "\(text)")
    }
  }
}
