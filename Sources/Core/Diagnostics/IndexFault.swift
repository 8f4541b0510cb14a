/// An index from data that lies outside of the axis that it addresses.
package struct IndexFault: Error, Hashable, Sendable {
  /// The index.
  package var index: Int
  /// How many elements there are: indices from 0 on, below it, would fit.
  package var size: Int

  /// An index for an axis of a size that it does not fit.
  package init(index: Int, size: Int) {
    self.index = index
    self.size = size
  }

  /// One sentence with both numbers.
  package var message: String { "index \(index) is out of range for an axis of size \(size)" }
}
