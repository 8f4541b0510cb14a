import LatheCore
import LatheData
import Testing

@Suite struct GZIPTests {
  /// Python's gzip.compress of "hello " and of "worldworldworld".
  private static let hello: [UInt8] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 87, 0, 0, 246, 249, 129, 237, 6, 0, 0, 0,
  ]
  private static let world: [UInt8] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 43, 207, 47, 202, 73, 41, 135, 19, 0, 136, 43, 38, 221, 15, 0, 0, 0,
  ]

  private func unpacked(_ bytes: [UInt8]) throws -> String {
    try FileContent(path: "x.gz", bytes: bytes).gunzipped().text()
  }

  @Test func unpacksOneAndSeveral() throws {
    #expect(try unpacked(Self.hello) == "hello ")
    #expect(try unpacked(Self.hello + Self.world) == "hello worldworldworld")
  }

  @Test func damageIsAFault() {
    for end in Self.hello.indices {
      #expect(throws: DiagnosticsError.self) { try unpacked(Array(Self.hello.prefix(end))) }
    }
    for position in Self.hello.indices where !(4...9).contains(position) {
      var bytes = Self.hello
      bytes[position] ^= 0x55
      #expect(throws: DiagnosticsError.self, "\(position)") { try unpacked(bytes) }
    }
    #expect(throws: DiagnosticsError.self) { try unpacked(Self.hello + [1, 2, 3]) }
  }
}
