import Lathe
import LatheLoading
import Testing

/// The numbers below a bound, one after the other.
struct Countdown: IterableDataset {
  let start: Int

  func makeIterator() -> () throws(DiagnosticsError) -> Int? {
    var number = start
    return {
      number -= 1
      return number < 0 ? nil : number
    }
  }
}

@Suite("Datasets")
struct DatasetTests {
  private let images = NDArray([Float(0), 1, 2, 3, 4, 5])

  @Test("TensorDataset has the rows of its arrays") func tensors() throws {
    let dataset = try TensorDataset(images.reshaped([3, 2]), NDArray([Int64(7), 8, 9]))
    #expect(dataset.count == 3)
    #expect(try dataset[1] == [NDArray([Float(2), 3]), NDArray(scalar: .integer(8), dtype: .i64)])
    let missing = #expect(throws: DiagnosticsError.self) { try dataset[3] }
    #expect(missing?.description == "error: there is no sample 3 in a TensorDataset of 3")
    let fault = #expect(throws: DiagnosticsError.self) { try TensorDataset(images, NDArray([Int64(1)])) }
    #expect(fault?.description.contains("not all of f32[6], i64[1] have a row for each sample") == true)
    #expect(throws: DiagnosticsError.self) { try TensorDataset(NDArray(scalar: .integer(1), dtype: .i64)) }
  }

  @Test("ConcatDataset counts through") func concatenated() throws {
    let dataset = ConcatDataset<Int>([Numbers(count: 2), Numbers(count: 0), Numbers(count: 3)])
    #expect(dataset.count == 5)
    #expect(try (0..<5).map { try dataset[$0] } == [0, 1, 0, 1, 2])
    #expect(throws: DiagnosticsError.self) { try dataset[5] }
    #expect(ConcatDataset<Int>([]).count == 0)
  }

  @Test("ChainDataset reads one stream after the other") func chained() throws {
    let next = ChainDataset<Int>([Countdown(start: 2), Countdown(start: 0), Countdown(start: 1)]).makeIterator()
    #expect(try (0..<5).map { _ in try next() } == [1, 0, 0, nil, nil])
  }

  @Test("a Subset holds what its dataset has") func subsets() throws {
    let subset = try Subset(Numbers(count: 5), [4, 1, 1])
    #expect(subset.count == 3)
    #expect(try (0..<3).map { try subset[$0] } == [4, 1, 1])
    #expect(throws: DiagnosticsError.self) { try Subset(Numbers(count: 5), [5]) }
    #expect(throws: DiagnosticsError.self) { try subset[-1] }
  }

  @Test("randomSplit says what does not add up", arguments: [[3, 8], [-1, 11], []])
  func splits(_ lengths: [Int]) {
    #expect(throws: DiagnosticsError.self) { try randomSplit(Numbers(count: 10), lengths) }
  }

  @Test("shares add up to 1", arguments: [[0.5, 0.6], [-0.5, 1.5], [0.1]]) func shares(_ fractions: [Double]) {
    #expect(throws: DiagnosticsError.self) { try randomSplit(Numbers(count: 10), fractions) }
  }

  @Test("samplers refuse what they cannot draw") func samplers() {
    #expect(throws: DiagnosticsError.self) { try RandomSampler(0) }
    #expect(throws: DiagnosticsError.self) { try RandomSampler(3, numSamples: 0) }
    #expect(throws: DiagnosticsError.self) { try WeightedRandomSampler([1, 2], numSamples: 0) }
    #expect(throws: DiagnosticsError.self) {
      try WeightedRandomSampler([1, 0], numSamples: 2, replacement: false).order(epoch: 0)
    }
    #expect(throws: DiagnosticsError.self) { try BatchSampler(SequentialSampler(4), batchSize: 0) }
    #expect(throws: DiagnosticsError.self) { try DistributedSampler(4, numReplicas: 2, rank: 2) }
  }

  @Test("SequentialSampler and BatchSampler") func batches() throws {
    #expect(SequentialSampler(4).order(epoch: 0) == [0, 1, 2, 3])
    #expect(try BatchSampler(SequentialSampler(5), batchSize: 2).order(epoch: 0) == [[0, 1], [2, 3], [4]])
    let dropping = try BatchSampler(SequentialSampler(5), batchSize: 2, dropLast: true)
    #expect(try dropping.order(epoch: 0) == [[0, 1], [2, 3]])
    #expect(dropping.count == 2)
  }

  @Test("batches of all kinds of samples") func collation() throws {
    #expect(try defaultCollate([1, 2]) == NDArray([Int64(1), 2]))
    #expect(try defaultCollate([1.5, 2]) == NDArray([1.5, 2]))
    #expect(try defaultCollate([true, false]) == NDArray([true, false]))
    #expect(try defaultCollate(["a", "b"]) == ["a", "b"])
    #expect(try defaultCollate([[1, 2], [3, 4]]) == [NDArray([Int64(1), 3]), NDArray([Int64(2), 4])])
    #expect(try defaultCollate([["x": 1], ["x": 2]]) == ["x": NDArray([Int64(1), 2])])
    let pair = try defaultCollate([(images, 1), (images, 2)])
    #expect(pair.0.shape == [2, 6])
    #expect(pair.1 == NDArray([Int64(1), 2]))
    #expect(throws: DiagnosticsError.self) { try defaultCollate([images, NDArray([Float(1)])]) }
    #expect(throws: DiagnosticsError.self) { try defaultCollate([[1], [1, 2]]) }
    #expect(throws: DiagnosticsError.self) { try defaultCollate([["x": 1], ["y": 2]]) }
    #expect(throws: DiagnosticsError.self) { try defaultCollate([Int]()) }
  }
}
