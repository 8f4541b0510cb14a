/// An index from data that lies outside of the axis that it addresses.
public struct IndexFault: Error, Hashable, Sendable {
  /// The index.
  public var index: Int
  /// How many elements there are: indices from 0 on, below it, would fit.
  public var size: Int

  /// An index for an axis of a size that it does not fit.
  public init(index: Int, size: Int) {
    self.index = index
    self.size = size
  }

  /// One sentence with both numbers.
  public var message: String { "index \(index) is out of range for an axis of size \(size)" }
}
