import Foundation
import LatheCore
import LatheData
import Testing

@Suite struct FilesTests {
  @Test func replacesAFileAndKeepsItsMode() throws {
    try withTemporaryFolder { folder throws in
      let path = folder + "/a.txt"
      try "old".writeAtomically(to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      try "new".writeAtomically(to: path)
      #expect(try FileContent(reading: path).bytes == Array("new".utf8))
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.txt"])
    }
  }

  @Test func writesThroughASymbolicLink() throws {
    try withTemporaryFolder { folder throws in
      try "old".writeAtomically(to: folder + "/a.txt")
      try FileManager.default.createSymbolicLink(atPath: folder + "/b.txt", withDestinationPath: "a.txt")
      try "new".writeAtomically(to: folder + "/b.txt")
      #expect(try FileContent(reading: folder + "/a.txt").bytes == Array("new".utf8))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/b.txt") == "a.txt")
    }
  }

  @Test func writesAllFilesOrNone() throws {
    try withTemporaryFolder { folder throws in
      let files = [FileContent(path: folder + "/a", text: "a"), FileContent(path: folder + "/none/b", text: "b")]
      let error = #expect(throws: DiagnosticsError.self) { try files.writeAtomically() }
      #expect(error?.description == "\(folder)/none/b: error: cannot be written: No such file or directory")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }

  @Test func aFolderInTheWayIsADiagnostic() throws {
    try withTemporaryFolder { folder throws in
      let error = #expect(throws: DiagnosticsError.self) { try "x".writeAtomically(to: folder) }
      #expect(error?.description == "\(folder): error: cannot be written: it is a folder")
      #expect(throws: DiagnosticsError.self) { try FileContent(reading: folder) }
    }
  }

  @Test func aFileInPlaceOfAFolderIsADiagnostic() throws {
    try withTemporaryFolder { folder throws in
      try "x".writeAtomically(to: folder + "/a")
      let error = #expect(throws: DiagnosticsError.self) { try "x".writeAtomically(to: folder + "/a/b") }
      #expect(error?.description == "\(folder)/a/b: error: cannot be written: Not a directory")
    }
  }

  #if os(Linux)
    /// The device that is always full stands for a full disk; a full file system is in the tests of the command line.
    @Test func aFullDiskIsADiagnostic() throws {
      let error = #expect(throws: DiagnosticsError.self) { try "x".writeAtomically(to: "/dev/full") }
      #expect(error?.description == "/dev/full: error: cannot be written: No space left on device")
    }

    @Test func devicesAreWrittenDirectly() throws {
      try "x".writeAtomically(to: "/dev/null")
      #expect(try FileContent(reading: "/dev/null").bytes == [])
    }
  #endif

  @Test func readsLargeFilesWhole() throws {
    try withTemporaryFolder { folder throws in
      let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try bytes.writeAtomically(to: folder + "/a")
      #expect(try FileContent(reading: folder + "/a").bytes == bytes)
      let error = #expect(throws: DiagnosticsError.self) { try FileContent(reading: folder + "/b") }
      #expect(error?.description == "\(folder)/b: error: cannot be opened: No such file or directory")
    }
  }
}
