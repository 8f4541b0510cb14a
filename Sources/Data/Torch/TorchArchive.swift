/// Where the members of a zip archive that PyTorch wrote are: all in one folder, whose name does not matter.
package struct TorchArchive {
  /// The folder.
  package let root: String
  private let positions: [String: Int]

  /// Notes the members.
  ///
  /// - Throws: That the numbers are those of a big-endian machine.
  package init(_ archive: borrowing ZIPReader) throws(FileFault) {
    positions = Dictionary(archive.names.enumerated().map { ($1, $0) }) { first, _ in first }
    root = archive.names.first.map { String($0.prefix { $0 != "/" }) } ?? ""
    if let order = self["byteorder"], try archive.content(at: order) != Array("little".utf8) {
      throw FileFault("has the bytes of a big-endian machine")
    }
  }

  /// The position of a member by its path in the folder.
  package subscript(_ path: String) -> Int? { positions["\(root)/\(path)"] }

  /// The content of a member that has to be there.
  ///
  /// - Throws: That there is none, or that it is damaged.
  package func content(of path: String, in archive: borrowing ZIPReader) throws(FileFault) -> [UInt8] {
    guard let position = self[path] else { throw FileFault("has no member '\(root)/\(path)'") }
    return try archive.content(at: position)
  }
}
