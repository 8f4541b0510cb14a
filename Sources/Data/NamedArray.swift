public import LatheCore

/// An array with its name in a file of several.
public struct NamedArray: Hashable, Sendable {
  /// The name.
  public var name: String
  /// The content.
  public var array: NDArray

  /// Names an array.
  public init(name: String, array: NDArray) {
    self.name = name
    self.array = array
  }
}

extension [NamedArray] {
  /// Checks that no file gets two arrays of one name.
  ///
  /// - Throws: A diagnostic with the file as its place.
  func requireDistinctNames(for file: String) throws(DiagnosticsError) {
    var names = Set<String>()
    for member in self where !names.insert(member.name).inserted {
      throw DiagnosticsError("two arrays have the name '\(member.name)'", location: Location(file: file))
    }
  }
}
