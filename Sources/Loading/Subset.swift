public import LatheCore
public import LatheNN

/// Some samples of a dataset: `torch.utils.data.Subset`.
public struct Subset<Base: Dataset>: Dataset {
  /// The whole dataset.
  public let dataset: Base
  /// The numbers of the samples in the whole.
  public let indices: [Int]

  /// The samples of some numbers, which may come several times.
  ///
  /// - Throws: That the dataset has no such sample.
  public init(_ dataset: Base, _ indices: [Int]) throws(DiagnosticsError) {
    for index in indices { try dataset.requireSample(index) }
    self.dataset = dataset
    self.indices = indices
  }

  /// How many samples there are in the subset.
  public var count: Int { indices.count }

  /// The sample of a number in the subset.
  public subscript(index: Int) -> Base.Element {
    get throws(DiagnosticsError) {
      try requireSample(index)
      return try dataset[indices[index]]
    }
  }
}

/// Splits a dataset at random into parts of given counts: `torch.utils.data.random_split`.
///
/// - Throws: That the counts are not those of all samples.
public func randomSplit<Base: Dataset>(
  _ dataset: Base, _ lengths: [Int], generator: Generator = .default
) throws(DiagnosticsError) -> [Subset<Base>] {
  guard lengths.allSatisfy({ $0 >= 0 }), lengths.reduce(0, +) == dataset.count else {
    throw DiagnosticsError("randomSplit: parts of \(lengths) samples are not a dataset of \(dataset.count)")
  }
  var rest = generator.permutation(dataset.count)[...]
  var parts: [Subset<Base>] = []
  for length in lengths {
    parts.append(try Subset(dataset, Array(rest.prefix(length))))
    rest = rest.dropFirst(length)
  }
  return parts
}

/// Splits a dataset at random into parts of given shares, which add up to 1; what is left by rounding down goes to the
/// first parts, one sample to each.
///
/// - Throws: That the shares do not add up to 1, or that one is negative.
public func randomSplit<Base: Dataset>(
  _ dataset: Base, _ fractions: [Double], generator: Generator = .default
) throws(DiagnosticsError) -> [Subset<Base>] {
  let sum = fractions.reduce(0, +)
  guard sum <= 1, sum >= 1 - 1e-9, fractions.allSatisfy({ $0 >= 0 }) else {
    throw DiagnosticsError("randomSplit: the shares \(fractions) do not add up to 1")
  }
  var lengths = fractions.map { Int(Double(dataset.count) * $0) }
  for position in 0..<dataset.count - lengths.reduce(0, +) { lengths[position % lengths.count] += 1 }
  return try randomSplit(dataset, lengths, generator: generator)
}
