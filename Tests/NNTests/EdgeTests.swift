import Foundation
import LatheCore
import LatheNN
import TestSupport
import Testing

/// Results and gradients where definitions that are right elsewhere give NaN, infinities or another number.
///
/// The expected numbers are PyTorch's in `f64`; a gradient is that of the sum of the results.
struct EdgeCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let inputs: [NDArray]
  let values: [Double]
  /// By input; nil for one that PyTorch has no finite number for.
  let gradients: [[Double]?]
  let build: @Sendable ([Tensor]) -> Tensor

  init(
    _ name: String, _ inputs: [NDArray], gives values: [Double], gradients: [[Double]?] = [],
    _ build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    testDescription = name
    self.inputs = inputs
    self.values = values
    self.gradients = gradients
    self.build = build
  }
}

private func row(_ numbers: Double...) -> NDArray { NDArray(numbers) }

private func rows(_ numbers: [Double], _ shape: [Int]) -> NDArray { unfailing { try NDArray(numbers, shape: shape) } }

private func line(_ size: Int) -> NDArray { rows((1...size).map(Double.init), [1, 1, size]) }

private let dividends = row(1, -1, 5, -5, 1, 0, -0.0, .infinity, 1, -1, .nan, 7.5, -7.5)
private let divisors = row(0.1, 0.1, -2, -2, 0, 0, 3, 2, .infinity, .infinity, 1, 2, 2)
private let huge = 1_000_000_000_000.0

let edgeCases: [EdgeCase] = [
  EdgeCase(
    "tensordot over an axis of one element", [rows([2, 3], [2, 1]), rows([1, 2, 3, 4, 5, 6], [3, 2])],
    gives: [18, 24, 27, 36], gradients: [[21, 21], [5, 5, 5, 5, 5, 5]]
  ) { tensordot($0[0], $0[1], dims: 1) },
  EdgeCase(
    "floorDivide", [dividends, divisors], gives: [9, -10, -3, 2, .infinity, .nan, -0.0, .nan, 0, -1, .nan, 3, -4]
  ) { $0[0].floorDivide($0[1]) },
  EdgeCase("floorDivide in f32", [NDArray([1, -1] as [Float]), NDArray([0.1, 0.1] as [Float])], gives: [9, -10]) {
    $0[0].floorDivide($0[1])
  },
  EdgeCase("fmod", [row(5, -5, 1, 1, -7.5), row(-2, -2, 0, .infinity, 2)], gives: [1, -1, .nan, 1, -1.5]) {
    $0[0].fmod($0[1])
  },
  EdgeCase("remainder", [row(5, -5, 1, 7.5, -7.5), row(-2, -2, 0, 2, 2)], gives: [-1, -1, .nan, 1.5, 0.5]) {
    $0[0].remainder($0[1])
  },
  EdgeCase("remainder of integers by a fraction", [NDArray([5, -5, 6] as [Int64])], gives: [0, 0, 1]) {
    $0[0].remainder(2.5)
  },
  EdgeCase(
    "erfinv towards 1",
    [NDArray([1, 5, 10, 20, 30, 40, 50, 52, 53].map { 1 - exp2(-$0) } + [0, 1e-300, -0.71, 1, -1])],
    gives: [
      0.4769362762044699, 1.523019401996956, 2.331467773621948, 3.465505025803331, 4.328028275800946, 5.05125408524939,
      5.686128441310391, 5.805018683193453, 5.8635847487551676, 0, 8.86226925452758e-301, -0.7482049711849852,
      .infinity,
      -.infinity,
    ]
  ) { $0[0].erfinv() },
  EdgeCase("matrixRank of a symmetric matrix", [rows([1, 2, 2, 4], [2, 2])], gives: [1]) {
    Linalg.matrixRank($0[0].convert(to: .f32), hermitian: true)
  },
  EdgeCase("clamp of integers by fractions", [NDArray([0, 1, 5] as [Int64])], gives: [0.5, 1, 3.5]) {
    $0[0].clamp(min: 0.5, max: 3.5)
  },
  EdgeCase(
    "binaryCrossEntropy at saturated probabilities", [row(0, 0, 1, 1, 0.5, 1e-50), row(0, 1, 0, 1, 1, 1)],
    gives: [0, 100, 100, 0, 0.6931471805599453, 100],
    // PyTorch's clamp is exact to 4e-9; at 1e-50, as at 0, its slope is that of 1e-12.
    gradients: [[0, -huge, huge, 0, -2, -huge], nil]
  ) { binaryCrossEntropy($0[0], $0[1], reduction: .none) },
  EdgeCase(
    "std without spread", [rows([2, 2, 2, 1, 2, 3], [2, 3])], gives: [0, 1], gradients: [[0, 0, 0, -0.5, 0, 0.5]]
  ) { $0[0].std(dim: [1]) },
  EdgeCase("norm of 0, p 0.5", [rows([0, 0, 0, 2], [2, 2])], gives: [0, 2], gradients: [[0, 0, 0, 1]]) {
    $0[0].norm(p: 0.5, dim: 1)
  },
  EdgeCase("norm of 0, p 1", [rows([0, 0, 0, 2], [2, 2])], gives: [0, 2], gradients: [[0, 0, 0, 1]]) {
    $0[0].norm(p: 1, dim: 1)
  },
  EdgeCase("norm of 0, p 2", [rows([0, 0, 0, 2], [2, 2])], gives: [0, 2], gradients: [[0, 0, 0, 1]]) {
    $0[0].norm(p: 2, dim: 1)
  },
  EdgeCase("norm of 0, p 3", [rows([0, 0, 0, 2], [2, 2])], gives: [0, 2], gradients: [[0, 0, 0, 1]]) {
    $0[0].norm(p: 3, dim: 1)
  },
  EdgeCase("norm of 0, p infinite", [rows([0, 0, 0, 2], [2, 2])], gives: [0, 2], gradients: [[0, 0, 0, 1]]) {
    $0[0].norm(p: .infinity, dim: 1)
  },
  EdgeCase("dist of equals", [row(1, 2), row(1, 2)], gives: [0], gradients: [[0, 0], [0, 0]]) { $0[0].dist($0[1]) },
  EdgeCase(
    "cdist of equals, p 2", [rows([1, 2], [1, 2]), rows([1, 2, 1, 3], [2, 2])], gives: [0, 1],
    gradients: [[0, -1], [0, 0, 0, 1]]
  ) { cdist($0[0], $0[1]) },
  EdgeCase(
    "cdist of equals, p 3", [rows([1, 2], [1, 2]), rows([1, 2, 1, 3], [2, 2])], gives: [0, 1],
    gradients: [[0, -1], [0, 0, 0, 1]]
  ) { cdist($0[0], $0[1], p: 3) },
  EdgeCase(
    "lpPool of 0, p 2", [rows([0, 0, 3, 4], [1, 1, 4])], gives: [0, 5], gradients: [[0, 0, 0.6, 0.8]]
  ) { lpPool1d($0[0], normType: 2, kernelSize: 2) },
  EdgeCase(
    "lpPool of 0, p 3", [rows([0, 0, 3, 4], [1, 1, 4])], gives: [0, 4.497941445275415],
    gradients: [[0, 0, 0.4448513517305353, 0.7908468475209517]]
  ) { lpPool1d($0[0], normType: 3, kernelSize: 2) },
  EdgeCase(
    "logcumsumexp of a wide spread", [row(0, 1000, -1000, 1000)], gives: [0, 1000, 1000, 1000.6931471805599],
    gradients: [[1, 2.5, 0, 0.5]]
  ) { $0[0].logcumsumexp(dim: 0) },
  EdgeCase(
    "logcumsumexp after nothing", [row(-.infinity, -.infinity, 1, -.infinity)], gives: [-.infinity, -.infinity, 1, 1]
  ) {
    $0[0].logcumsumexp(dim: 0)
  },
  EdgeCase("logcumsumexp of infinity and NaN", [row(.infinity, 1, .nan, 2)], gives: [.infinity, .infinity, .nan, .nan])
  {
    $0[0].logcumsumexp(dim: 0)
  },
  EdgeCase("softplus of large numbers", [row(1000, -1000, 20, 21)], gives: [1000, 0, 20.000000002061153, 21]) {
    softplus($0[0])
  },
  EdgeCase(
    "frexp of what has no exponent, and of the least and the greatest number",
    [row(0, -0.0, .infinity, .nan, 0x1p-1074, -3, 1, 0.5, 1.7976931348623157e308)],
    gives: [0, -0.0, .infinity, .nan, 0.5, -0.75, 0.5, 0.5, 0.9999999999999999, 0, 0, 0, 0, -1073, 2, 1, 0, 1024]
  ) { x in
    let (mantissa, exponent) = x[0].frexp()
    return cat([mantissa, exponent.convert(to: .f64)])
  },
  EdgeCase("frexp", [row(-3, 1, 0.5)], gives: [-0.75, 0.5, 0.5], gradients: [[0.25, 0.5, 1]]) {
    $0[0].frexp().mantissa
  },
  EdgeCase(
    "gcd and lcm of zeros, negative and large numbers",
    [NDArray([0, -6, 1 << 62, 7] as [Int64]), NDArray([0, 4, 1 << 61, 0] as [Int64])],
    gives: [0, 2, 2_305_843_009_213_693_952, 7, 0, 12, 4_611_686_018_427_387_904, 0]
  ) { cat([$0[0].gcd($0[1]), $0[0].lcm($0[1])]) },
  EdgeCase(
    "cov of observations that count more than once, and more or less",
    [
      rows([0, 1, 2, 4, 3, -1, 0.5, 2], [2, 4]), NDArray([1, 2, 3, 1] as [Int64]), row(0.5, 1, 2, 0.25),
    ],
    gives: [
      0.6024096385542169, 0.12048192771084339, 0.12048192771084339, 1.1204819277108435, 1.3469387755102038,
      0.18367346938775508, 0.18367346938775508, 1.836734693877551,
    ]
  ) { cat([$0[0].cov(fweights: $0[1], aweights: $0[2]), $0[0].cov(correction: 0, fweights: $0[1])]) },
  EdgeCase(
    "complex sqrt of 0, of negative and of imaginary numbers",
    [rows([0, 0, -4, 0, -4, -0.0, -3, -4, 0, 1e-8], [5, 2])],
    gives: [0, 0, 0, 2, 0, 2, 1, -2, 7.071067811865475e-05, 7.071067811865475e-05]
  ) { Complex.sqrt($0[0]) },
  EdgeCase(
    "complex powers of 0", [rows([0, 0, 0, 0, 0, 2], [3, 2]), rows([0, 0, 2, 0, 1, -1], [3, 2])],
    gives: [1, 0, 0, 0, 6.1474175340389845, 7.4008126711400495]
  ) { Complex.pow($0[0], $0[1]) },
  EdgeCase(
    "complex tanh far from 0", [rows([500, 1, -500, 2, 0, 0.3], [3, 2])], gives: [1, 0, -1, 0, 0, 0.3093362496096232]
  ) { Complex.tanh($0[0]) },
  EdgeCase("sign of NaN", [row(.nan, -2, 0)], gives: [0, -1, 0]) { $0[0].sign() },
  EdgeCase("multiMarginLoss, p 1", [rows([0.1, 0.5, 0.2], [1, 3]), NDArray([0] as [Int64])], gives: [2.5 / 3]) {
    multiMarginLoss($0[0], $0[1])
  },
  EdgeCase("multiMarginLoss, p 2", [rows([0.1, 0.5, 0.2], [1, 3]), NDArray([0] as [Int64])], gives: [3.17 / 3]) {
    multiMarginLoss($0[0], $0[1], p: 2)
  },
  EdgeCase("maxPool of less than a window, ceilMode", [line(2)], gives: [2]) {
    maxPool1d($0[0], kernelSize: 3, stride: 2, ceilMode: true)
  },
  EdgeCase("maxPool of less than a window with padding, ceilMode", [line(1)], gives: [1]) {
    maxPool1d($0[0], kernelSize: 4, stride: 3, padding: 1, ceilMode: true)
  },
  EdgeCase("avgPool of less than a window, ceilMode", [line(2)], gives: [1.5]) {
    avgPool1d($0[0], kernelSize: 3, stride: 2, ceilMode: true)
  },
  EdgeCase("avgPool of less than a window with padding, ceilMode", [line(2)], gives: [0.75]) {
    avgPool1d($0[0], kernelSize: 4, stride: 3, padding: 1, ceilMode: true)
  },
  EdgeCase("lpPool of less than a window, ceilMode", [line(2)], gives: [2.7386127875258306]) {
    lpPool1d($0[0], normType: 2, kernelSize: 3, stride: 2, ceilMode: true)
  },
  EdgeCase("lpPool over the edge, ceilMode", [line(4)], gives: [3.7416573867739413, 6.123724356957945]) {
    lpPool1d($0[0], normType: 2, kernelSize: 3, stride: 2, ceilMode: true)
  },
  EdgeCase(
    "attention of a query that sees no key",
    [rows([1, 2], [2, 1]), rows([0.5, -1], [2, 1]), rows([3, 4], [2, 1])],
    gives: [3, 0], gradients: [[0, 0], [0, 0], [1, 0]]
  ) { x in
    let seen = x[0].builder.constant(rows([1, 0, 0, 0], [2, 2])) .!= 0
    return scaledDotProductAttention(x[0], x[1], x[2], attnMask: seen)
  },
  EdgeCase(
    "attention of a query to whose scores -infinity is added",
    [rows([1, 2], [2, 1]), rows([0.5, -1], [2, 1]), rows([3, 4], [2, 1])],
    gives: [3, 0], gradients: [[0, 0], [0, 0], [1, 0]]
  ) { x in
    let added = x[0].builder.constant(rows([0.5, -.infinity, -.infinity, -.infinity], [2, 2]))
    return scaledDotProductAttention(x[0], x[1], x[2], attnMask: added)
  },
  EdgeCase(
    "cosineSimilarity of what is repeated along the axis", [rows([0.5, -2, 3], [1, 3]), rows([1, 2, -1], [3, 1])],
    gives: [0.4714045207910318, -0.4714045207910318, 0.4714045207910317],
    gradients: [nil, [0.15713484026367722, 0.0785674201318386, 0.3142696805273545]]
  ) { cosineSimilarity($0[0], $0[1], dim: 0) },
]

@Suite struct EdgeTests {
  @Test("edges are PyTorch's", arguments: edgeCases)
  func edge(_ edge: EdgeCase) throws {
    let builder = Builder()
    let inputs = edge.inputs.enumerated().map { builder.input("x\($0)", $1.type) }
    let result = edge.build(inputs)
    var outputs = [("y", result)]
    if !edge.gradients.isEmpty {
      let gradients = builder.gradients(of: [(result, result.onesLike())], withRespectTo: inputs)
      for (position, gradient) in gradients.enumerated() { outputs.append(("g\(position)", gradient)) }
    }
    let graph = try builder.finish(name: "edge", outputs: outputs)
    let arrays = Dictionary(uniqueKeysWithValues: edge.inputs.enumerated().map { ("x\($0)", $1) })
    let found = try ReferenceEvaluator.run(graph, inputs: arrays).outputs
    Self.expect(try #require(found["y"]).doubles, edge.values, "the result")
    for (position, gradient) in edge.gradients.enumerated() {
      guard let gradient else { continue }
      Self.expect(try #require(found["g\(position)"]).doubles, gradient, "gradient \(position)")
    }
  }

  private static func expect(_ found: [Double], _ wanted: [Double], _ what: String) {
    #expect(found.count == wanted.count, "\(what): \(found)")
    for (a, b) in zip(found, wanted) {
      let isClose = a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-8 * abs(b) + 1e-12
      #expect(isClose, "\(what): \(found), not \(wanted)")
    }
  }

  @Test func aLayerThatIsAppliedTwiceGoesOnFromItsOwnUpdate() throws {
    struct Twice: Module {
      let norm = BatchNorm1d(1)
      func callAsFunction(_ x: Tensor) -> Tensor { norm(x) + norm(x * 2) }
    }
    let graph = try trace(Twice(), .f32(2, 1), isTraining: true)
    let run = try ReferenceEvaluator.run(
      graph, inputs: [graph.inputName(graph.inputs[0]): NDArray([Float(1), 3], shape: [2, 1])])
    let numbers = Dictionary(uniqueKeysWithValues: run.updates.map { ($0.key, $0.value.doubles) })
    #expect(abs((numbers["norm.running_mean"]?.first ?? .nan) - 0.58) < 1e-6, "\(numbers)")
    #expect(abs((numbers["norm.running_var"]?.first ?? .nan) - 1.79) < 1e-6, "\(numbers)")
    #expect(numbers["norm.num_batches_tracked"] == [2], "\(numbers)")
  }
}
