import Foundation
import LatheCore
import LatheData
import SwiftProtobuf
import Testing

@testable import LatheTensorBoard

/// The events of a file, as far as its records are whole, as TensorBoard reads it.
func events(in bytes: [UInt8]) throws -> [Tensorboard_Event] {
  func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
    (0..<Number.bitWidth / 8).reduce(0) { $0 | Number(bytes[offset + $1]) << Number(8 * $1) }
  }
  var found: [Tensorboard_Event] = []
  var position = 0
  while position + 12 <= bytes.count {
    let length = Int(number(UInt64.self, at: position))
    #expect(number(UInt32.self, at: position + 8) == Checksum.masked(bytes[position..<position + 8]))
    let content = position + 12
    guard content + length + 4 <= bytes.count else { break }
    let record = bytes[content..<content + length]
    #expect(number(UInt32.self, at: content + length) == Checksum.masked(record))
    found.append(try Tensorboard_Event(serializedBytes: Array(record)))
    position = content + length + 4
  }
  return found
}

/// The only event file in a folder.
func eventFile(in folder: String) throws -> FileContent {
  let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("tfevents") }
  #expect(names.count == 1)
  return try FileContent(reading: folder + "/" + #require(names.first))
}

/// A fresh folder that is removed after `body`.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}
