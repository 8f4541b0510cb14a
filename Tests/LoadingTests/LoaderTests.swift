import Lathe
import LatheLoading
import Synchronization
import Testing

/// Samples of which one is damaged.
private struct Damaged: Dataset {
  let count = 8
  subscript(index: Int) -> Int {
    get throws(DiagnosticsError) {
      if index == 5 { throw DiagnosticsError("sample 5 is damaged") }
      return index
    }
  }
}

/// Counts how many samples are loaded at once.
private final class Busy: Dataset {
  let count = 40
  private let state = Mutex((now: 0, most: 0, loaded: 0))

  var most: Int { state.withLock { $0.most } }
  var loaded: Int { state.withLock { $0.loaded } }

  subscript(index: Int) -> Int {
    state.withLock { state in
      state.now += 1
      state.loaded += 1
      state.most = max(state.most, state.now)
    }
    var sum = 0
    for number in 0..<10_000 { sum &+= number }
    state.withLock { $0.now -= 1 }
    return index + sum - sum
  }
}

@Suite("DataLoader")
struct LoaderTests {
  private func noise(_ workers: Int, seed: Int) throws -> DataLoader<(NDArray, NDArray)> {
    try DataLoader(
      Noise(), batchSize: 3, shuffle: true, numWorkers: workers, generator: Generator().manualSeed(seed))
  }

  @Test("a state in the middle of an epoch goes on to the bit", arguments: [0, 1, 3], [0, 1, 3, 4])
  func resumes(workers: Int, taken: Int) async throws {
    var expected: [[NDArray]] = []
    var state: [String: NDArray] = [:]
    try await Generator.$scoped.withValue(Generator().manualSeed(1)) {
      let loader = try noise(workers, seed: 2)
      for try await _ in loader {}
      if taken == 0 { state = loader.stateDict() }
      var number = 0
      for try await batch in loader {
        number += 1
        if number > taken { expected.append([batch.0, batch.1]) }
        if number == taken { state = loader.stateDict() }
      }
      for try await batch in loader { expected.append([batch.0, batch.1]) }
    }
    try await Generator.$scoped.withValue(Generator().manualSeed(99)) {
      let loader = try noise(workers, seed: 98)
      try loader.loadStateDict(state)
      #expect(loader.epoch == (taken == 4 ? 2 : 1))
      var found: [[NDArray]] = []
      for _ in loader.epoch..<3 {
        for try await batch in loader { found.append([batch.0, batch.1]) }
      }
      #expect(found == expected)
    }
  }

  @Test("a state goes through a file") func savedState() async throws {
    let loader = try noise(2, seed: 3)
    for try await _ in loader { break }
    let path = "/tmp/lathe-loader-\(UInt64.random(in: 0 ... .max)).pt"
    try save(loader.stateDict(), path)
    let other = try noise(2, seed: 4)
    try other.loadStateDict(load(path))
    #expect(other.stateDict() == loader.stateDict())
  }

  @Test("a state that is loaded seeds nothing: parameters are drawn when a model is initialized, as before")
  func parametersAfterLoading() throws {
    try Generator.$scoped.withValue(Generator()) {
      let loader = try DataLoader(Noise(), batchSize: 3, shuffle: true)
      try loader.loadStateDict(loader.stateDict())
      #expect(Linear(2, 2).weight.data == nil)
      manualSeed(1)
      #expect(Linear(2, 2).weight.data != nil)
    }
  }

  @Test("states of others are refused, and nothing is changed") func foreignStates() async throws {
    let loader = try noise(2, seed: 5)
    for try await _ in loader { break }
    let state = loader.stateDict()
    let smaller = try DataLoader(Numbers(count: 4), batchSize: 3, numWorkers: 2)
    for (key, value) in [
      ("progress", NDArray([Int64(0)])), ("batches", NDArray([Int64(10)])), ("sizes", NDArray([Int64(-1), 11])),
      ("sizes", NDArray([Int64.max, Int64.max, 12])), ("worker.1", NDArray([UInt8(1)])),
      ("generator", NDArray([UInt8(1)])),
      ("worker.2", NDArray([UInt8(1)])),
    ] {
      var changed = state
      changed[key] = value
      #expect(throws: DiagnosticsError.self, "\(key)") { try loader.loadStateDict(changed) }
    }
    for key in state.keys {
      var changed = state
      changed[key] = nil
      #expect(throws: DiagnosticsError.self, "\(key)") { try loader.loadStateDict(changed) }
    }
    #expect(throws: DiagnosticsError.self) { try smaller.loadStateDict(state) }
    #expect(loader.stateDict() == state)
  }

  @Test("without waiting, batches are the same", arguments: [0, 2]) func synchronous(workers: Int) async throws {
    let (one, other) = (try noise(workers, seed: 6), try noise(workers, seed: 6))
    try await Generator.$scoped.withValue(Generator().manualSeed(1)) {
      var expected: [NDArray] = []
      for try await batch in one { expected += [batch.0, batch.1] }
      manualSeed(1)
      #expect(try all(other) == expected)
    }
  }

  private func all(_ loader: DataLoader<(NDArray, NDArray)>) throws -> [NDArray] {
    var found: [NDArray] = []
    try loader.forEach { found += [$0, $1] }
    return found
  }

  @Test("a damaged sample ends the epoch where it is", arguments: [0, 2]) func faults(workers: Int) async throws {
    let loader = try DataLoader(Damaged(), batchSize: 2, numWorkers: workers)
    var found: [[Int]] = []
    let fault = await #expect(throws: DiagnosticsError.self) {
      for try await batch in loader { found.append(batch.integers) }
    }
    #expect(fault?.description == "error: sample 5 is damaged")
    #expect(found == [[0, 1], [2, 3]])
    #expect(loader.stateDict()["progress"] == NDArray([Int64(0), 2, 0]))
  }

  @Test("not more load at once than there are workers, and not more ahead than is asked for")
  func workers() async throws {
    let dataset = Busy()
    let loader = try DataLoader(dataset, batchSize: 2, numWorkers: 2, prefetchFactor: 3)
    var found: [Int] = []
    for try await batch in loader {
      found += batch.integers
      #expect(dataset.loaded <= found.count + 2 * 2 * 3)
    }
    #expect(found == Array(0..<40))
    #expect(dataset.most <= 2)
  }

  @Test("streams are read in order", arguments: [0, 2]) func streams(workers: Int) async throws {
    let loader = try DataLoader(Countdown(start: 7), batchSize: 3, numWorkers: workers)
    var state: [String: NDArray] = [:]
    var found: [[Int]] = []
    for try await batch in loader {
      found.append(batch.integers)
      if found.count == 1 { state = loader.stateDict() }
    }
    #expect(found == [[6, 5, 4], [3, 2, 1], [0]])
    #expect(loader.epoch == 1 && loader.count == nil)
    try loader.loadStateDict(state)
    found = []
    for try await batch in loader { found.append(batch.integers) }
    #expect(found == [[3, 2, 1], [0]])
    let dropping = try DataLoader(Countdown(start: 7), batchSize: 3, dropLast: true, numWorkers: workers)
    found = []
    for try await batch in dropping { found.append(batch.integers) }
    #expect(found == [[6, 5, 4], [3, 2, 1]])
  }

  @Test("a short batch is filled up", arguments: [0, 2]) func padding(workers: Int) async throws {
    func expect(_ loader: DataLoader<PaddedBatch<NDArray>>, _ numbers: [[Int]]) async throws {
      var found: [PaddedBatch<NDArray>] = []
      for try await batch in loader { found.append(batch) }
      #expect(found.map(\.values.integers) == numbers)
      #expect(found.map(\.mask) == [NDArray([true, true, true, true]), NDArray([true, true, false, false])])
    }
    let loader = try DataLoader(Numbers(count: 6), batchSize: 4, numWorkers: workers)
    try await expect(loader.padded(), [[0, 1, 2, 3], [4, 5, 4, 5]])
    let stream = try DataLoader(Countdown(start: 6), batchSize: 4, numWorkers: workers)
    try await expect(stream.padded(), [[5, 4, 3, 2], [1, 0, 1, 0]])
    let batches = try BatchSampler(SequentialSampler(6), batchSize: 4)
    #expect(throws: DiagnosticsError.self) { try DataLoader(Numbers(count: 6), batchSampler: batches).padded() }
  }

  @Test("options that exclude each other") func options() throws {
    let (numbers, sampler) = (Numbers(count: 6), SequentialSampler(6))
    let batches = try BatchSampler(sampler, batchSize: 4)
    #expect(throws: DiagnosticsError.self) { try DataLoader(numbers, shuffle: true, sampler: sampler) }
    #expect(throws: DiagnosticsError.self) { try DataLoader(numbers, batchSize: 2, batchSampler: batches) }
    #expect(throws: DiagnosticsError.self) { try DataLoader(numbers, batchSize: 0) }
    #expect(throws: DiagnosticsError.self) { try DataLoader(numbers, numWorkers: -1) }
    #expect(throws: DiagnosticsError.self) { try DataLoader(numbers, numWorkers: 1, prefetchFactor: 0) }
  }

  @Test("a function makes batches of one's own") func collates() async throws {
    let loader = try DataLoader(Numbers(count: 3), batchSize: 2) { samples in samples.reduce(0, +) }
    var sums: [Int] = []
    for try await sum in loader { sums.append(sum) }
    #expect(sums == [1, 2])
  }
}
