import Foundation
import Lathe
import LatheLoading
import Testing

/// The orders that PyTorch takes: tools/golden_loading.py.
struct OrderCase: Decodable, Sendable, CustomTestStringConvertible {
  let kind: String
  let size: Int
  let seed: Int
  let count: Int?
  let replacement: Int?
  let dropLast: Int?
  let shuffle: Int?
  let workers: Int?
  let lengths: [Double]?
  let orders: [Order]

  /// Numbers, or of batches the numbers.
  enum Order: Decodable, Hashable {
    case numbers([Int])
    case batches([[Int]])
    case noise([[[Double]]])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let numbers = try? container.decode([Int].self) {
        self = .numbers(numbers)
      } else if let batches = try? container.decode([[Int]].self) {
        self = .batches(batches)
      } else {
        self = .noise(try container.decode([[[Double]]].self))
      }
    }
  }

  static let all: [OrderCase] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Goldens/orders.json"
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return (try? JSONDecoder().decode([OrderCase].self, from: data)) ?? []
  }()

  var testDescription: String { "\(kind) \(size) \(count ?? 0) \(lengths ?? [])" }
}

/// The numbers from 0 on.
struct Numbers: Dataset {
  let count: Int
  subscript(index: Int) -> Int { index }
}

/// The numbers from 0 on, each with one that is drawn.
struct Noise: Dataset {
  let count = 10
  subscript(index: Int) -> (Int, Double) {
    get throws(DiagnosticsError) { (index, try rand(1).doubles[0]) }
  }
}

@Suite("Orders are PyTorch's with the same seed")
struct OrderTests {
  @Test("cases are there") func cases() {
    #expect(OrderCase.all.count == 28)
  }

  @Test(arguments: OrderCase.all) func order(_ test: OrderCase) async throws {
    let (size, count, generator) = (test.size, test.count ?? 0, Generator(seed: UInt64(test.seed)))
    func orders(_ sampler: any Sampler<Int>) throws -> [OrderCase.Order] {
      let orders = try [0, 1].map { try sampler.order(epoch: $0) }
      for order in orders { #expect(order.count == sampler.count) }
      return orders.map { .numbers($0) }
    }
    func epochs(_ loader: DataLoader<NDArray>) async throws -> [OrderCase.Order] {
      var orders: [OrderCase.Order] = []
      for _ in 0..<2 {
        var batches: [[Int]] = []
        for try await batch in loader { batches.append(batch.integers) }
        #expect(batches.count == loader.count)
        orders.append(.batches(batches))
      }
      return orders
    }
    let isReplacing = test.replacement == 1
    switch test.kind {
    case "random":
      let sampler = try RandomSampler(size, replacement: isReplacing, numSamples: count, generator: generator)
      #expect(try orders(sampler) == test.orders)
    case "subset":
      #expect(try orders(SubsetRandomSampler([3, 5, 7, 11, 13], generator: generator)) == test.orders)
    case "weighted":
      let sampler = try WeightedRandomSampler(
        [0.1, 0.9, 0.4, 0.7, 3, 0.6], numSamples: count, replacement: isReplacing, generator: generator)
      #expect(try orders(sampler) == test.orders)
    case "distributed":
      let samplers = try (0..<count).map { rank in
        try DistributedSampler(
          size, numReplicas: count, rank: rank, shuffle: test.shuffle == 1, seed: test.seed,
          dropLast: test.dropLast == 1)
      }
      #expect([0, 1].flatMap { epoch in samplers.map { .numbers($0.order(epoch: epoch)) } } == test.orders)
    case "loader":
      let loader = try DataLoader(
        Numbers(count: size), batchSize: count, shuffle: true, dropLast: test.dropLast == 1, generator: generator)
      #expect(try await epochs(loader) == test.orders)
    case "default":
      let loader = try DataLoader(Numbers(count: size), batchSize: count, shuffle: true)
      let orders = try await Generator.$scoped.withValue(generator) { try await epochs(loader) }
      #expect(orders == test.orders)
    case "split":
      let lengths = test.lengths ?? []
      let parts =
        lengths.allSatisfy { $0 == $0.rounded() }
        ? try randomSplit(Numbers(count: size), lengths.map { Int($0) }, generator: generator)
        : try randomSplit(Numbers(count: size), lengths, generator: generator)
      #expect(parts.map { .numbers($0.indices) } == test.orders)
    case "noise":
      let loader = try DataLoader(
        Noise(), batchSize: count, shuffle: true, numWorkers: test.workers ?? 0, generator: generator)
      try await Generator.$scoped.withValue(Generator().manualSeed(8)) {
        for order in test.orders {
          var drawn: [[[Double]]] = []
          for try await (indices, noise) in loader { drawn.append([indices.doubles, noise.doubles]) }
          #expect(.noise(drawn) == order)
        }
      }
    default: Issue.record("\(test.kind) is no kind of case")
    }
  }
}
