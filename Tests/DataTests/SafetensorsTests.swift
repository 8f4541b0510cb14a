import LatheCore
import LatheData
import Testing

@Suite struct SafetensorsTests {
  @Test(arguments: ScalarType.computed)
  func readsWhatSafetensorsWrites(_ dtype: ScalarType) throws {
    let file = try fixture("types.safetensors")
    #expect(try Safetensors(bytes: file.bytes, from: "x")[dtype.rawValue] == fixtureArray(dtype))
  }

  @Test func readsNamesScalarsAndMetadata() throws {
    let file = try Safetensors(bytes: fixture("types.safetensors").bytes, from: "x")
    #expect(file.members.count == ScalarType.computed.count + 3)
    #expect(file["layer.0/größe"] == NDArray(scalar: .float(2), dtype: .f32))
    #expect(file["empty"]?.shape == [0, 3])
    #expect(file["a \"quoted\"\n\u{1} name"] == NDArray([Int64(0), 1, 2]))
    #expect(file.metadata == ["format": "pt"])
  }

  @Test func writesTheBytesOfSafetensors() throws {
    let bytes = try fixture("types.safetensors").bytes
    let file = try Safetensors(bytes: bytes, from: "x")
    #expect(try Safetensors(file.members.reversed(), metadata: file.metadata).bytes(for: "x") == bytes)
    let empty = try Safetensors([]).bytes(for: "x")
    #expect(try Safetensors(bytes: empty, from: "x").members == [])
  }

  @Test func typesThatLatheLacksAreNamed() throws {
    let bytes = try fixture("foreign.safetensors").bytes
    let error = #expect(throws: DiagnosticsError.self) { try Safetensors(bytes: bytes, from: "x") }
    #expect(
      error?.diagnostics.map(\.message) == [
        "array 'c' has elements of type 'C64', which Lathe does not have"
      ])
  }

  @Test(arguments: [
    ("[1]", 0, "is not a .safetensors file: its header does not begin with '{'"),
    ("{", 0, "has a garbled header: "),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "has a garbled header: "),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "has a garbled header: 'a.data_offsets': there are 1"
    ),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "has a garbled header: "),
    (
      #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, "has a garbled header: "
    ),
    (#"{"__metadata__":{"a":1}}"#, 0, "has a garbled header: '__metadata__.a'"),
    (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "array 'a' has elements of type 'F31'; known are "),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "array 'a' has the bytes 0 ..< 4, of 3 in the file"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "has 1 bytes that belong to no array"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "array 'a' is f32[2], which does not take 4 bytes"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "array 'a' is f32[-1], which does not take 4"),
    (
      #"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}"#, 4,
      "array 'a' is f32[9223372036854775807, 4], which does not take 4 bytes"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3,
      "array 'b' has the bytes 1 ..< 3, of 3 in the file, of which 2 belong to arrays before it"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#, 3,
      "array 'b' has the bytes 2 ..< 3, of 3 in the file, of which 1 belong to arrays before it"
    ),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[4,3]}}"#, 4, "array 'a' has the bytes 4 ..< 3, of 4 in the file"),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}"#, 4, "array 'a' has the bytes -1 ..< 0, of 4"),
  ])
  func hostileHeadersAreDiagnostics(_ header: String, _ count: Int, _ message: String) {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> ($0 * 8)) }
    let bytes = length + Array(header.utf8) + [UInt8](repeating: 0, count: count)
    let error = #expect(throws: DiagnosticsError.self) { try Safetensors(bytes: bytes, from: "x.safetensors") }
    #expect(error?.diagnostics.count == 1)
    #expect(error?.description.hasPrefix("x.safetensors: error: \(message)") == true, "\(error?.description ?? "")")
  }

  @Test func lengthsOfHeadersAreChecked() {
    for (bytes, message) in [
      ([1, 2, 3], "is not a .safetensors file: it ends within the header's length"),
      ([2, 0, 0, 0, 0, 0, 0, 0, 0x7b], "is truncated: the header takes 2 bytes, 1 are there"),
      (
        [UInt8](repeating: 0xff, count: 9),
        "is not a .safetensors file: the header would take 18446744073709551615 bytes, of 100000000 at the most"
      ),
    ] {
      let error = #expect(throws: DiagnosticsError.self) { try Safetensors(bytes: bytes, from: "x") }
      #expect(error?.diagnostics.first?.message == message)
    }
  }

  @Test func everyTruncationIsADiagnostic() throws {
    let bytes = try fixture("types.safetensors").bytes
    for length in bytes.indices {
      let error = #expect(throws: DiagnosticsError.self) { try Safetensors(bytes: Array(bytes[..<length]), from: "x") }
      #expect(error?.diagnostics.first?.location.file == "x")
    }
  }

  @Test func namesHaveToBeFitForAFile() throws {
    let array = NDArray([Float(1)])
    for (names, message) in [
      (["a", "a"], "two arrays have the name 'a'"),
      (["__metadata__"], "an array cannot have the name '__metadata__'"),
    ] {
      let file = Safetensors(names.map { NamedArray(name: $0, array: array) })
      let error = #expect(throws: DiagnosticsError.self) { try file.bytes(for: "x") }
      #expect(error?.diagnostics.first?.message == message)
    }
  }
}
