import Foundation
import LatheCore
import LatheData

/// The entries of an LMDB database, in the order of their keys, read from the mapped file.
///
/// Every number of the file is checked before it is followed: the library itself trusts its files, and ends the process
/// where one is damaged.
///
/// Source: https://git.openldap.org/openldap/openldap, libraries/liblmdb/mdb.c
struct LMDB: Sendable {
  /// Where the value of each entry is.
  let values: [Range<Int>]
  private let data: Data
  private let path: String

  /// Opens the database in a folder, or in a file.
  ///
  /// - Throws: With the file as its place, that it is none, or damaged.
  init(_ folder: String) throws(DiagnosticsError) {
    let inside = folder + "/data.mdb"
    path = FileManager.default.fileExists(atPath: inside) ? inside : folder
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw DiagnosticsError("cannot be read", location: Location(file: path))
    }
    let pages = Pages(data: data)
    values = try located(path) { () throws(FileFault) in try pages.values() }
  }

  /// The value of an entry.
  func value(at index: Int) -> FileContent { FileContent(path: path, bytes: Array(data[values[index]])) }
}

/// The pages of a database.
private struct Pages {
  let data: Data

  private enum Flag { static let branch = 1, leaf = 2, big = 1, dupSort = 4 }
  private static let header = 16
  private static let none = Int(bitPattern: UInt.max)

  /// A number of the file.
  private func number(_ offset: Int, _ bytes: Int) throws(FileFault) -> Int {
    guard offset >= 0, offset <= data.count - bytes else { throw FileFault("is a damaged database: it ends too early") }
    return (0..<bytes).reversed().reduce(0) { $0 << 8 | Int(data[offset + $1]) }
  }

  /// The values of the main database, of which the file's first two pages describe two states.
  func values() throws(FileFault) -> [Range<Int>] {
    guard try number(Self.header, 4) == 0xbeef_c0de, try number(Self.header + 4, 4) == 1 else {
      throw FileFault("is no LMDB database")
    }
    // The size of pages stands with the database of free ones.
    let size = try number(Self.header + 24, 4)
    guard (256...65536).contains(size), size & (size - 1) == 0 else { throw damage("pages of \(size) bytes") }
    var newest = Self.header
    let other = size + Self.header
    if try number(other, 4) == 0xbeef_c0de, try number(other + 128, 8) > number(newest + 128, 8) { newest = other }
    let main = newest + 24 + 48
    guard try number(main + 4, 2) & Flag.dupSort == 0 else { throw FileFault("has several values of a key") }
    let root = try number(main + 40, 8)
    var found: [Range<Int>] = []
    var visits = 0
    if root != Self.none { try collect(root, size, depth: 0, &visits, &found) }
    guard found.count == (try number(main + 32, 8)) else { throw damage("other entries than it counts") }
    return found
  }

  private func damage(_ what: String) -> FileFault { FileFault("is a damaged database: it has \(what)") }

  private func collect(
    _ page: Int, _ size: Int, depth: Int, _ visits: inout Int, _ found: inout [Range<Int>]
  ) throws(FileFault) {
    visits += 1
    guard page >= 0, page <= data.count / size, visits <= data.count / size, depth < 64 else {
      throw damage("a page outside of itself")
    }
    let start = page * size
    let (flags, lower) = (try number(start + 10, 2), try number(start + 12, 2))
    guard lower >= Self.header, lower <= size, flags & (Flag.branch | Flag.leaf) != 0 else {
      throw damage("a page of another kind")
    }
    for index in 0..<(lower - Self.header) / 2 {
      let node = start + (try number(start + Self.header + 2 * index, 2))
      let (low, high) = (try number(node, 2), try number(node + 2, 2))
      let (nodeFlags, keySize) = (try number(node + 4, 2), try number(node + 6, 2))
      if flags & Flag.branch != 0 {
        try collect(low | high << 16 | nodeFlags << 32, size, depth: depth + 1, &visits, &found)
        continue
      }
      let count = low | high << 16
      var value = node + 8 + keySize
      if nodeFlags & Flag.big != 0 {
        let overflow = try number(value, 8)
        guard overflow >= 0, overflow <= data.count / size else { throw damage("a value outside of itself") }
        value = overflow * size + Self.header
      }
      guard value <= data.count - count else { throw damage("a value outside of itself") }
      found.append(value..<value + count)
    }
  }
}
