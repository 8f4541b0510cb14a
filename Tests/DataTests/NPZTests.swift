import LatheCore
import LatheData
import Testing

@Suite struct NPZTests {
  private var members: [NamedArray] {
    [
      NamedArray(name: "weight", array: fixtureArray(.f32)),
      NamedArray(name: "layer.0/bias", array: NDArray([Int64(0), 1, 2])),
      NamedArray(name: "größe", array: NDArray(scalar: .float(2), dtype: .f64)),
    ]
  }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func readsWhatNumPyWrites(_ name: String) throws {
    let file = try fixture(name)
    #expect(try NPZ(bytes: file.bytes, from: name).members == members)
  }

  @Test(arguments: [NPZ.Compression.stored, .deflated])
  func readsBackWhatItWrites(_ compression: NPZ.Compression) throws {
    let bytes = try NPZ(members).bytes(compression, for: "x.npz")
    #expect(try NPZ(bytes: bytes, from: "x.npz").members == members)
    #expect(try NPZ(members).bytes(compression, for: "x.npz") == bytes)
  }

  @Test func anArchiveMayBeEmpty() throws {
    let bytes = try NPZ([]).bytes(for: "x.npz")
    #expect(try NPZ(bytes: bytes, from: "x.npz").members == [])
  }

  @Test func twoMembersOfOneNameAreADiagnostic() throws {
    let twice = NPZ([members[0], members[0]])
    let error = #expect(throws: DiagnosticsError.self) { try twice.bytes(for: "x.npz") }
    #expect(error?.description == "x.npz: error: two arrays have the name 'weight'")
    // In a file: two names of equal length, one overwritten by the other.
    var bytes = try NPZ([
      NamedArray(name: "aa", array: members[0].array), NamedArray(name: "ab", array: members[0].array),
    ])
    .bytes(for: "x.npz")
    let name = Array("ab.npy".utf8)
    for start in bytes.indices.dropLast(name.count) where Array(bytes[start..<start + name.count]) == name {
      bytes[start + 1] = UInt8(ascii: "a")
    }
    let found = #expect(throws: DiagnosticsError.self) { try NPZ(bytes: bytes, from: "x.npz") }
    #expect(found?.description == "x.npz: error: two members have one name")
  }

  @Test func allFaultyMembersAreReported() throws {
    var bytes = try NPZ([
      NamedArray(name: "a", array: members[0].array), NamedArray(name: "b", array: members[0].array),
    ])
    .bytes(for: "x.npz")
    // Another element changes a checksum.
    for start in bytes.indices.dropLast(4) where Array(bytes[start..<start + 4]) == [0, 0, 0xc8, 0x42] {
      bytes[start] = 1
    }
    let error = #expect(throws: DiagnosticsError.self) { try NPZ(bytes: bytes, from: "x.npz") }
    #expect(
      error?.diagnostics.map(\.message) == [
        "member 'a.npy' cannot be unpacked: CRC error", "member 'b.npy' cannot be unpacked: CRC error",
      ])
  }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func everyTruncationIsADiagnostic(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for length in 0..<bytes.count {
      let error = #expect(throws: DiagnosticsError.self) { try NPZ(bytes: Array(bytes[..<length]), from: name) }
      #expect(error?.diagnostics.first?.location.file == name)
    }
  }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func everyFlippedByteIsADiagnosticOrTheSameArrays(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for position in bytes.indices {
      for mask: UInt8 in [0x01, 0xff] {
        var flipped = bytes
        flipped[position] ^= mask
        do throws(DiagnosticsError) {
          // Dates, attributes and names are not guarded by a checksum; the arrays are.
          #expect(try NPZ(bytes: flipped, from: name).members.map(\.array) == members.map(\.array))
        } catch {
          #expect(error.diagnostics.first?.location.file == name)
        }
      }
    }
  }
}
