import LatheCore
import LatheData
import Testing

@Suite struct NPYTests {
  @Test(arguments: ScalarType.computed)
  func readsWhatNumPyWrites(_ dtype: ScalarType) throws {
    let file = try fixture("\(dtype).npy")
    #expect(try NDArray(npy: file.bytes, from: file.path) == fixtureArray(dtype))
  }

  @Test(arguments: ScalarType.computed.filter { $0 != .bf16 })
  func writesTheBytesThatNumPyWrites(_ dtype: ScalarType) throws {
    #expect(try fixtureArray(dtype).npy() == fixture("\(dtype).npy").bytes)
  }

  @Test func writesBrainFloatsAsFloat32() throws {
    #expect(try fixtureArray(.bf16).npy() == fixture("f32.npy").bytes)
  }

  @Test(arguments: ["version2", "version3", "big-endian"])
  func readsOtherVersionsAndByteOrders(_ name: String) throws {
    let file = try fixture("\(name).npy")
    #expect(try NDArray(npy: file.bytes, from: file.path) == fixtureArray(.f32))
  }

  @Test func transposesColumnMajorArrays() throws {
    let file = try fixture("fortran.npy")
    #expect(try NDArray(npy: file.bytes, from: file.path) == NDArray((0..<24).map { Int32($0) }, shape: [2, 3, 4]))
  }

  @Test func readsAndWritesArraysWithoutAxesAndWithoutElements() throws {
    let scalar = try fixture("scalar.npy")
    #expect(try NDArray(npy: scalar.bytes, from: "") == NDArray([Float(1.5)], shape: []))
    #expect(try NDArray([Float(1.5)], shape: []).npy() == scalar.bytes)
    let empty = try fixture("empty.npy")
    #expect(try NDArray(npy: empty.bytes, from: "") == .zeros(.f32, [0, 3]))
    #expect(try NDArray.zeros(.f32, [0, 3]).npy() == empty.bytes)
  }

  @Test(arguments: [("complex", "'<c8'"), ("fields", "with fields"), ("text", "'<U2'")])
  func refusesElementsThatTensorsCannotHave(_ name: String, _ words: String) throws {
    let file = try fixture("\(name).npy")
    let error = #expect(throws: DiagnosticsError.self) { try NDArray(npy: file.bytes, from: "x.npy") }
    #expect(error?.diagnostics.count == 1)
    #expect(error?.diagnostics.first?.message.contains(words) == true)
    #expect(error?.diagnostics.first?.location.file == "x.npy")
  }

  @Test(arguments: ["f32.npy", "bool.npy", "fortran.npy", "big-endian.npy", "version2.npy", "scalar.npy", "empty.npy"])
  func everyTruncationIsADiagnostic(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for length in 0..<bytes.count {
      let error = #expect(throws: DiagnosticsError.self) { try NDArray(npy: Array(bytes[..<length]), from: name) }
      #expect(error?.diagnostics.first?.location.file == name)
    }
  }

  /// Neither a flip in the elements, another number, nor one in the header, nearly always a mistake, may trap.
  @Test(arguments: ["f32.npy", "bool.npy", "fortran.npy", "big-endian.npy", "version3.npy"])
  func everyFlippedByteIsADiagnosticOrAnArray(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for position in bytes.indices {
      for mask: UInt8 in [0x01, 0x10, 0x80, 0xff] {
        var flipped = bytes
        flipped[position] ^= mask
        do throws(DiagnosticsError) {
          let array = try NDArray(npy: flipped, from: name)
          #expect(array.bytes.count == array.shape.reduce(array.dtype.byteCount, *))
          #expect(position >= 6, "the magic is checked")
        } catch {
          #expect(error.diagnostics.first?.location.file == name)
        }
      }
    }
  }

  @Test(arguments: [
    ("(4611686018427387904, 4)", "absurd"), ("(4611686018427387904, 4, 0)", "absurd"),
    ("(99999999999999999999,)", "more than memory can hold"), ("(-1,)", "not a size"), ("(1.5,)", "'"),
    ("(2, 3", "missing"), ("2", "missing"), ("('a',)", "not a size"),
    ("(" + String(repeating: "1, ", count: 65) + ")", "65 axes"), ("(2,)", "truncated"), ("(), 'shape': ()", "twice"),
    ("(), 'more': ()", "unknown"), ("()} ", "follows"), ("(0,)", "more than"),
  ])
  func impossibleShapesAreDiagnostics(_ shape: String, _ words: String) {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}\n"
    let length = UInt16(text.utf8.count)
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
    let error = #expect(throws: DiagnosticsError.self) { try NDArray(npy: header + [0, 0, 0, 0], from: "x.npy") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func saysWhatAFileIsNot() throws {
    let error = #expect(throws: DiagnosticsError.self) { try NDArray(npy: Array("PK".utf8), from: "x.npy") }
    #expect(error?.description == "x.npy: error: is not an .npy file: the magic bytes \\x93NUMPY are missing")
  }
}
