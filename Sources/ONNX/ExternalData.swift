internal import Foundation
internal import LatheCore

/// Reads tensors from files beside the model, and from nowhere else.
struct ExternalData {
  /// The model's folder.
  let folder: URL

  /// The bytes that entries of a tensor point at.
  ///
  /// - Parameter count: How many bytes the tensor's type needs.
  func bytes(_ entries: [Onnx_StringStringEntryProto], count: Int) throws(TypeFault) -> [UInt8] {
    var fields: [String: String] = [:]
    for entry in entries { fields[entry.key] = entry.value }
    guard let location = fields["location"], !location.isEmpty else {
      throw TypeFault("its external data has no location")
    }
    let path = try confined(location)
    let offset = try number(fields["offset"], "offset", default: 0)
    let length = try number(fields["length"], "length", default: count)
    guard length == count else {
      throw TypeFault("its type needs \(count) bytes, '\(location)' is said to have \(length)")
    }
    if count == 0 { return [] }
    do {
      let handle = try FileHandle(forReadingFrom: path)
      defer { try? handle.close() }
      let size = try handle.seekToEnd()
      guard let start = UInt64(exactly: offset), start <= size, UInt64(count) <= size - start else {
        throw TypeFault("bytes \(offset) and the \(count) from there on are outside '\(location)', which has \(size)")
      }
      try handle.seek(toOffset: start)
      guard let data = try handle.read(upToCount: count), data.count == count else {
        throw TypeFault("'\(location)' ends early")
      }
      return [UInt8](data)
    } catch let fault as TypeFault {
      throw fault
    } catch {
      throw TypeFault("its data file '\(location)' cannot be read: \(error.localizedDescription)")
    }
  }

  /// The file that a location names, which must be inside of the model's folder even where links lead.
  private func confined(_ location: String) throws(TypeFault) -> URL {
    let parts = location.split(whereSeparator: { $0 == "/" || $0 == "\\" })
    guard !location.hasPrefix("/"), !location.hasPrefix("\\"), !location.contains("\0"), !parts.isEmpty,
      !parts.contains("..")
    else {
      throw TypeFault(
        "its data file '\(location.prefix(200))' is not inside of the model's folder",
        help: "locations are relative, without ..")
    }
    let root = folder.resolvingSymlinksInPath().standardizedFileURL.pathComponents
    let file = folder.appendingPathComponent(location).resolvingSymlinksInPath().standardizedFileURL
    guard file.pathComponents.starts(with: root) else {
      throw TypeFault("its data file '\(location)' is a link that leads out of the model's folder")
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue else {
      throw TypeFault(
        "its data file '\(location)' does not exist", help: "it belongs beside the model, in \(folder.path)")
    }
    return file
  }

  private func number(_ text: String?, _ field: String, default other: Int) throws(TypeFault) -> Int {
    guard let text else { return other }
    guard let number = Int(text), number >= 0 else {
      throw TypeFault("the \(field) '\(text.prefix(40))' of its external data is not a natural number")
    }
    return number
  }
}
