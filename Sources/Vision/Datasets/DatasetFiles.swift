import Foundation
import LatheCore
import LatheData

/// The folder in which the files of a dataset are looked for.
struct DatasetFiles {
  /// The dataset's name.
  let name: String
  /// Where its files are.
  let folder: String
  /// Where people get them.
  let source: String
  /// Whether they were to be downloaded.
  let download: Bool

  /// The content of the first file of several names that is there.
  ///
  /// - Throws: What is looked for and where, and where to get it.
  func content(_ names: String...) throws(DiagnosticsError) -> FileContent {
    let paths = names.map { folder + "/" + $0 }
    if let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) {
      return try FileContent(reading: path)
    }
    let looked = names.map { "'\($0)'" }.joined(separator: " or ")
    throw DiagnosticsError(
      "\(name): \(looked) is not there\(download ? ", and Lathe downloads nothing" : "")",
      location: Location(file: folder), help: "get it from \(source), and put it there")
  }

  /// Whether a file or folder is there.
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/" + name) }

  /// The content of a file that may be packed by gzip.
  func unpacked(_ name: String) throws(DiagnosticsError) -> FileContent {
    let file = try content(name, name + ".gz")
    return file.path.hasSuffix(".gz") ? try file.gunzipped() : file
  }
}

/// A fault of a file.
func fault(_ file: FileContent, _ message: String) -> DiagnosticsError {
  DiagnosticsError(message, location: Location(file: file.path))
}
