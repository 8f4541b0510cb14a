import Foundation
import Lathe
import TestSupport
import Testing

/// What draws look like, many of them; the formulas are compared with PyTorch's among the functions.
@Suite("Distributions")
struct DistributionTests {
  typealias D = Distributions

  /// A distribution by number parameters, and how many draws tell its moments.
  struct Drawn: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (Builder) -> any Distribution

    init(_ name: String, _ make: @escaping @Sendable (Builder) -> any Distribution) {
      testDescription = name
      self.make = make
    }
  }

  private static func numbers(_ builder: Builder, _ values: [Double]) -> Tensor {
    builder.tensor(values, dtype: .f32)
  }

  static let drawn: [Drawn] = [
    Drawn("Normal") { D.Normal(numbers($0, [-1, 2]), numbers($0, [0.5, 2])) },
    Drawn("LogNormal") { D.LogNormal(numbers($0, [-1, 0.5]), numbers($0, [0.5, 0.25])) },
    Drawn("HalfNormal") { D.HalfNormal(numbers($0, [0.5, 2])) },
    Drawn("Uniform") { D.Uniform(numbers($0, [-1, 2]), numbers($0, [0.5, 7])) },
    Drawn("Exponential") { D.Exponential(numbers($0, [0.5, 4])) },
    Drawn("Laplace") { D.Laplace(numbers($0, [-1, 2]), numbers($0, [0.5, 2])) },
    Drawn("Gumbel") { D.Gumbel(numbers($0, [-1, 2]), numbers($0, [0.5, 2])) },
    Drawn("Gamma") { D.Gamma(numbers($0, [0.25, 1, 7.5]), numbers($0, [1, 0.5, 2])) },
    Drawn("Chi2") { D.Chi2(numbers($0, [1, 9])) },
    Drawn("Beta") { D.Beta(numbers($0, [0.5, 3]), numbers($0, [0.75, 1.5])) },
    Drawn("StudentT") { D.StudentT(numbers($0, [8, 20]), numbers($0, [-1, 2]), numbers($0, [0.5, 2])) },
    Drawn("Dirichlet") { D.Dirichlet(numbers($0, [0.5, 2, 4])) },
    Drawn("MultivariateNormal") {
      D.MultivariateNormal(
        numbers($0, [-1, 2]), covarianceMatrix: $0.tensor([[2, 0.5], [0.5, 1]] as [[Double]], dtype: .f32))
    },
    Drawn("Bernoulli") { D.Bernoulli(probs: numbers($0, [0.125, 0.75])) },
    Drawn("OneHotCategorical") { D.OneHotCategorical(probs: numbers($0, [1, 5, 2])) },
    Drawn("Multinomial") { D.Multinomial(5, probs: numbers($0, [1, 5, 2])) },
    Drawn("Poisson") { D.Poisson(numbers($0, [0.25, 4, 9.5, 12, 300])) },
    Drawn("Binomial") { D.Binomial(40.0, probs: numbers($0, [0.05, 0.375, 0.5, 0.875, 0.98])) },
    Drawn("Geometric") { D.Geometric(probs: numbers($0, [0.25, 0.75])) },
    Drawn("NegativeBinomial") { D.NegativeBinomial(5.0, probs: numbers($0, [0.25, 0.75])) },
    Drawn("Independent") { D.Independent(D.Normal(numbers($0, [-1, 2]), 1.0), 1) },
    Drawn("MixtureSameFamily") {
      D.MixtureSameFamily(D.Categorical(probs: numbers($0, [1, 3])), D.Normal(numbers($0, [-4, 2]), 0.5))
    },
  ]

  @Test("draws have the mean and the variance", arguments: drawn)
  func moments(_ drawn: Drawn) throws {
    let count = 2000
    let graph = try trace(inputs: [], options: TraceOptions(seed: 7)) { builder, _ in
      let distribution = drawn.make(builder)
      let draws = distribution.sample([count])
      #expect(draws.shape == [Dim(count)] + distribution.batchShape + distribution.eventShape)
      let wide = draws.convert(to: .f64)
      let fourth = (wide - wide.mean(dim: [0], keepdim: true)).pow(4).mean(dim: [0])
      return [
        wide.mean(dim: [0]), distribution.mean.convert(to: .f64), wide.var(dim: [0]),
        distribution.variance.convert(to: .f64), fourth,
      ]
    }
    let results = try compile(graph).run([]).map(\.doubles)
    for position in results[1].indices {
      let (mean, variance) = (results[1][position], results[3][position])
      #expect(abs(results[0][position] - mean) <= 5 * (variance / Double(count)).squareRoot())
      let error = ((results[4][position] - variance * variance) / Double(count)).squareRoot()
      #expect(abs(results[2][position] - variance) <= 6 * error, "\(position)")
    }
  }

  @Test("whole numbers are drawn as often as their probabilities say")
  func frequencies() throws {
    let count = 4000
    let graph = try trace(inputs: []) { builder, _ in
      let poisson = D.Poisson(Self.numbers(builder, [4, 25]))
      let binomial = D.Binomial(60.0, probs: Self.numbers(builder, [0.05, 0.7]))
      let categories = D.Categorical(probs: Self.numbers(builder, [1, 4, 3]))
      let values = builder.arange(64, dtype: .f32)
      return [
        poisson.sample([count]), poisson.logProb(values.unsqueeze(dim: 1)).exp(), binomial.sample([count]),
        binomial.logProb(values.unsqueeze(dim: 1)).exp(), categories.sample([count]).unsqueeze(dim: 1).float(),
        categories.probs.unsqueeze(dim: 1),
      ]
    }
    let results = try compile(graph).run([])
    for pair in [0, 2, 4] {
      let (draws, chances) = (results[pair], results[pair + 1])
      let columns = draws.shape[1]
      for column in 0..<columns {
        var frequency: [Int: Int] = [:]
        for row in 0..<count { frequency[Int(try draws[row, column].double), default: 0] += 1 }
        for value in 0..<chances.shape[0] where pair != 2 || value <= 60 {
          let chance = try chances[value, column].double
          let expected = chance * Double(count)
          #expect(
            abs(Double(frequency[value] ?? 0) - expected) <= 6 * (expected + 1).squareRoot(),
            "\(pair) \(column) \(value)")
        }
      }
    }
  }

  @Test("gradients go through draws")
  func reparameterized() throws {
    let count = 4000
    let graph = try trace(inputs: []) { builder, _ in
      let a = Self.numbers(builder, [0.5, 1.5, 6])
      let b = Self.numbers(builder, [2, 2, 2])
      let draws = D.Gamma(a, b).rsample([count])
      // E x = a / b, E x^2 = a (a + 1) / b^2
      let first = gradients(of: draws.mean(dim: [0]).sum(), withRespectTo: [a, b])
      let second = gradients(of: (draws * draws).mean(dim: [0]).sum(), withRespectTo: [a])[0]
      let share = gradients(of: D.Beta(a, b).rsample([count]).mean(dim: [0]).sum(), withRespectTo: [a])[0]
      return [first[0], first[1], second, share]
    }
    let results = try compile(graph).run([]).map(\.doubles)
    for (position, a) in [0.5, 1.5, 6].enumerated() {
      #expect(abs(results[0][position] - 0.5) < 0.06)
      #expect(abs(results[1][position] + a / 4) < 0.06 * a + 0.03)
      #expect(abs(results[2][position] - (2 * a + 1) / 4) < 0.09 * (2 * a + 1))
      #expect(abs(results[3][position] - 2 / ((a + 2) * (a + 2))) < 0.03)
    }
  }

  @Test("transforms of one's own, and their order")
  func transformed() throws {
    let graph = try trace(.f32(3)) { x in
      let scaled = D.TransformedDistribution(
        D.Normal(x.zerosLike(), 1.0), [.affine(loc: 0, scale: -2), .exp])
      let log = D.LogNormal(x.zerosLike(), 2.0)
      return [
        scaled.logProb(x), log.logProb(x), scaled.cdf(x), log.cdf(x), scaled.icdf(log.cdf(x)),
        D.TransformedDistribution(D.Exponential(x.onesLike()), [.power(0.5)]).logProb(x),
        D.TransformedDistribution(D.Normal(x.zerosLike(), 1.0), [.softplusTransform]).logProb(x),
      ]
    }
    let results = try compile(graph).run([NDArray([0.5, 1, 2.5] as [Float])]).map(\.doubles)
    func near(_ a: [Double], _ b: [Double]) { for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5 * (1 + abs(y))) } }
    near(results[0], results[1])
    near(results[2], results[3])
    near(results[4], [0.5, 1, 2.5])
    near(results[5], [0.5, 1, 2.5].map { -$0 * $0 + log(2 * $0) })
    let y = [0.5, 1, 2.5].map { (x: Double) in log(exp(x) - 1) }
    near(results[6], zip(y, [0.5, 1, 2.5]).map { -0.5 * $0 * $0 - 0.918_938_533_204_672_7 - ($0 - $1) })
  }

  @Test("what a distribution has not is a fault with its name")
  func faults() {
    func message(_ body: @escaping (Tensor) -> Tensor) -> String? {
      do throws(DiagnosticsError) {
        _ = try trace(.f32(3)) { body($0) }
        return nil
      } catch {
        return error.diagnostics[0].message
      }
    }
    #expect(message { D.Poisson($0).rsample() }?.contains("has no rsample") == true)
    #expect(message { D.Poisson($0).icdf($0) }?.contains("Poisson has no icdf") == true)
    #expect(message { klDivergence(D.Poisson($0), D.Normal($0, 1.0)) }?.contains("no formula") == true)
    #expect(message { D.Normal($0, $0.reshape([3, 1]).expanded(to: [3, 2])).mean } != nil)
  }
}
