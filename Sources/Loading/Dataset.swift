public import LatheCore

/// Samples by their numbers: `torch.utils.data.Dataset`.
///
/// ```swift
/// struct Squares: Dataset {
///   let count = 10
///   subscript(index: Int) -> (Int, Int) { (index, index * index) }
/// }
/// ```
///
/// A sample may be anything. Of ``Collatable`` samples, and of tuples of them, a ``DataLoader`` makes batches by itself.
public protocol Dataset<Element>: Sendable {
  /// A sample.
  associatedtype Element: Sendable

  /// How many samples there are.
  var count: Int { get }

  /// The sample of a number in `0 ..< count`.
  ///
  /// It may be asked for by several workers at once.
  subscript(index: Int) -> Element { get throws(DiagnosticsError) }
}

extension Dataset {
  /// Throws unless there is a sample of a number.
  package func requireSample(_ index: Int) throws(DiagnosticsError) {
    guard index >= 0, index < count else {
      throw DiagnosticsError("there is no sample \(index) in a \(Self.self) of \(count)")
    }
  }
}

/// Samples one after the other, of which nobody knows how many come: `torch.utils.data.IterableDataset`.
///
/// ```swift
/// struct Countdown: IterableDataset {
///   func makeIterator() -> () throws(DiagnosticsError) -> Int? {
///     var number = 3
///     return { number -= 1; return number < 0 ? nil : number }
///   }
/// }
/// ```
///
/// However many workers a ``DataLoader`` has, it reads such a dataset once, in its order.
public protocol IterableDataset<Element>: Sendable {
  /// A sample.
  associatedtype Element: Sendable

  /// Begins anew: a function that gives one sample after the other, and nil behind the last.
  func makeIterator() throws(DiagnosticsError) -> () throws(DiagnosticsError) -> Element?
}
