import LatheCore
import LatheText
import Testing

@Suite struct PadSequencesTests {
  private struct Case: Decodable {
    var sequences: [[Double]]
    var maxlen: Int?
    var padding: String
    var truncating: String
    var dtype: String
    var value: Double
    var result: [[Double]]
  }

  @Test func sequencesArePaddedAsInKeras() throws {
    let cases: [Case] = try Golden.decode("pads.json")
    #expect(cases.count == 108)
    let types: [String: ScalarType] = ["int32": .i32, "int64": .i64, "float32": .f32]
    for golden in cases {
      let dtype = try #require(types[golden.dtype])
      let array = try padSequences(
        golden.sequences, maxlen: golden.maxlen, dtype: dtype, padding: golden.padding == "pre" ? .pre : .post,
        truncating: golden.truncating == "pre" ? .pre : .post, value: golden.value)
      #expect(array.dtype == dtype && array.shape == [golden.result.count, golden.result.first?.count ?? 0])
      #expect(array.doubles == golden.result.joined().map { dtype == .f32 ? Double(Float($0)) : $0 }, "\(golden)")
    }
  }

  @Test func integersStayExact() throws {
    #expect(try padSequences([[1], [2, 3]]).integers == [0, 1, 2, 3])
    #expect(try padSequences([[Int.max], []], dtype: .i64, value: -1).integers == [.max, -1])
    #expect(throws: DiagnosticsError.self) { try padSequences([[1]], maxlen: -1) }
  }
}
