public import LatheCore

/// Datasets one behind the other: `torch.utils.data.ConcatDataset`.
public struct ConcatDataset<Element: Sendable>: Dataset {
  /// The datasets.
  public let datasets: [any Dataset<Element>]
  /// Where each dataset ends.
  public let cumulativeSizes: [Int]

  /// Joins datasets of equal samples.
  public init(_ datasets: [any Dataset<Element>]) {
    self.datasets = datasets
    var end = 0
    cumulativeSizes = datasets.map { dataset in
      end += dataset.count
      return end
    }
  }

  /// The samples of all.
  public var count: Int { cumulativeSizes.last ?? 0 }

  /// The sample of a number that counts through all datasets.
  public subscript(index: Int) -> Element {
    get throws(DiagnosticsError) {
      try requireSample(index)
      let position = cumulativeSizes.firstIndex { index < $0 } ?? internalError("sample \(index) is in no dataset")
      return try datasets[position][index - (position == 0 ? 0 : cumulativeSizes[position - 1])]
    }
  }
}

/// Streams one behind the other: `torch.utils.data.ChainDataset`.
public struct ChainDataset<Element: Sendable>: IterableDataset {
  /// The streams.
  public let datasets: [any IterableDataset<Element>]

  /// Joins streams of equal samples.
  public init(_ datasets: [any IterableDataset<Element>]) { self.datasets = datasets }

  /// Reads one stream after the other; each is opened when those before it have ended.
  public func makeIterator() -> () throws(DiagnosticsError) -> Element? {
    var rest = datasets[...]
    var next: (() throws(DiagnosticsError) -> Element?)?
    return { () throws(DiagnosticsError) -> Element? in
      while true {
        if let sample = try next?() { return sample }
        guard let dataset = rest.popFirst() else { return nil }
        next = try dataset.makeIterator()
      }
    }
  }
}
