import Foundation
import LatheCore
import LatheData
import Testing

@testable import LatheText

/// For tools/tokenizer_goldens.py: what a tokenizer of the environment makes of the sample.
@Suite struct GivenTokenizerTests {
  private struct Result: Encodable {
    var ids: [Int]
    var types: [Int]
    var tokens: [String]
    var offsets: [[Int]]
    var special: [Int]
    var attention: [Int]
    var overflowing: [[Int]]
    var decoded: String
  }

  @Test func theSampleIsEncoded() throws {
    let environment = ProcessInfo.processInfo.environment
    guard let path = environment["LATHE_TOKENIZER"], let folder = environment["LATHE_TOKENIZER_RESULTS"] else { return }
    let tokenizer = try Tokenizer(path: path)
    let results = try Sample.strings().map { text in
      let encoding = try tokenizer.encode(text)
      return Result(
        ids: encoding.ids, types: encoding.typeIds, tokens: encoding.tokens,
        offsets: encoding.offsets.map { [$0.lowerBound, $0.upperBound] }, special: encoding.specialTokensMask,
        attention: encoding.attentionMask, overflowing: encoding.overflowing.map(\.ids),
        decoded: try tokenizer.decode(encoding.ids))
    }
    let bytes = [UInt8](try JSONEncoder().encode(results))
    try bytes.writeAtomically(to: folder + "/results.json")
  }
}
