import Foundation
import LatheCore
import LatheData
import Testing

@testable import LatheText

@Suite struct TokenizerTests {
  private struct Index: Decodable {
    var stages: [String]
    var trained: [String]
  }

  /// As many strings as one hash is of.
  private static let group = 10

  private static func hashes() throws -> [UInt32] {
    let bytes = try Golden.file("hashes.bin").bytes
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
  }

  private static func hashes(_ tokenizer: Tokenizer, _ strings: [String], decodes: Bool) throws -> [UInt32] {
    try stride(from: 0, to: strings.count, by: group).map { start in
      var fingerprint = Fingerprint()
      for text in strings[start..<min(start + group, strings.count)] {
        let encoding = try tokenizer.encode(text)
        fingerprint.mix(Fingerprint.of(encoding))
        guard decodes else { continue }
        fingerprint.mix(Fingerprint.of(try tokenizer.decode(encoding.ids)))
        fingerprint.mix(Fingerprint.of(try tokenizer.decode(encoding.ids, skipSpecialTokens: false)))
      }
      return fingerprint.value
    }
  }

  @Test func whatIsBeforeAModelIsAsInPython() throws {
    let (strings, hashes) = (try Sample.strings(), try Self.hashes())
    let index: Index = try Golden.decode("index.json")
    let stages = JSONField(try JSON(parsing: Golden.file("stages.json").bytes))
    let size = strings.count / Self.group
    #expect(strings.count >= 2000 && hashes.count == size * (index.stages.count + index.trained.count))
    for (place, name) in index.stages.enumerated() {
      let tokenizer = try Tokenizer(try stages.required(name), file: name)
      let ours = try Self.hashes(tokenizer, strings, decodes: false)
      let wrong = zip(ours, hashes[place * size..<(place + 1) * size]).enumerated().filter { $1.0 != $1.1 }
      #expect(
        wrong.isEmpty,
        "\(name): \(wrong.count) of \(size) groups, the first of string \((wrong.first?.offset ?? 0) * 10)")
    }
  }

  @Test(arguments: ["bert", "gpt2", "roberta", "llama3", "llama2", "clip", "prefixed", "t5", "words"])
  func tokenizersAreAsInPython(_ name: String) throws {
    let (strings, hashes) = (try Sample.strings(), try Self.hashes())
    let index: Index = try Golden.decode("index.json")
    let size = strings.count / Self.group
    let place = index.stages.count + (try #require(index.trained.firstIndex(of: name)))
    let ours = try Self.hashes(Golden.tokenizer(name), strings, decodes: true)
    let wrong = zip(ours, hashes[place * size..<(place + 1) * size]).enumerated().filter { $1.0 != $1.1 }
    #expect(
      wrong.isEmpty, "\(name): \(wrong.count) of \(size) groups, the first of string \((wrong.first?.offset ?? 0) * 10)"
    )
  }

  @Test func aVocabularyOfBERTIsItsTokenizer() throws {
    let folder = try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
    let tokenizer = try Tokenizer.bert(vocabulary: folder.appendingPathComponent("vocab.txt").path)
    let golden = try Golden.tokenizer("bert")
    #expect(tokenizer.vocabularyCount == golden.vocabularyCount)
    for text in try Sample.strings().prefix(300) where text.count < 20 {
      let (ours, theirs) = (try tokenizer.encode(text, textPair: "b"), try golden.encode(text, textPair: "b"))
      #expect(ours.ids == theirs.ids && ours.offsets == theirs.offsets && ours.typeIds == theirs.typeIds, "\(text)")
      #expect(try tokenizer.decode(ours.ids) == golden.decode(theirs.ids))
    }
  }

  // MARK: Pairs, truncation, padding

  private struct Case: Decodable {
    struct Settings: Decodable {
      struct Padding: Decodable {
        var length: Int?
        var direction: String?
        var padToMultipleOf: Int?
        var padId: Int?
        var padTypeId: Int?
        var padToken: String?
      }

      var special: Bool?
      var maxLength: Int?
      var strategy: String?
      var direction: String?
      var stride: Int?
      var padding: Padding?
    }

    struct Result: Decodable {
      var ids: [Int]
      var types: [Int]
      var tokens: [String]
      var offsets: [[Int]]
      var special: [Int]
      var attention: [Int]
      var overflowing: [[Int]]
    }

    var tokenizer: String
    var settings: Settings
    var text: String?
    var pair: String?
    var result: Result?
    var batch: [String]?
    var results: [Result]?
  }

  private static func expect(_ ours: Encoding, _ theirs: Case.Result, _ comment: String, isPair: Bool) {
    #expect(ours.ids == theirs.ids, "\(comment)")
    #expect(ours.typeIds == theirs.types, "\(comment)")
    #expect(ours.tokens == theirs.tokens, "\(comment)")
    #expect(ours.offsets.map { [$0.lowerBound, $0.upperBound] } == theirs.offsets, "\(comment)")
    #expect(ours.specialTokensMask == theirs.special, "\(comment)")
    #expect(ours.attentionMask == theirs.attention, "\(comment)")
    if !isPair { #expect(ours.overflowing.map(\.ids) == theirs.overflowing, "\(comment)") }
  }

  @Test func pairsTruncationAndPaddingAreAsInPython() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let cases = try decoder.decode([Case].self, from: Data(Golden.file("options.json").bytes))
    #expect(cases.count > 300)
    var tokenizers: [String: Tokenizer] = [:]
    for name in Set(cases.map(\.tokenizer)) { tokenizers[name] = try Golden.tokenizer(name) }
    for golden in cases {
      var tokenizer = try #require(tokenizers[golden.tokenizer])
      let settings = golden.settings
      if let length = settings.maxLength {
        let strategies: [String: Truncation.Strategy] = ["only_first": .onlyFirst, "only_second": .onlySecond]
        tokenizer.truncation = Truncation(
          maxLength: length, strategy: settings.strategy.flatMap { strategies[$0] } ?? .longestFirst,
          stride: settings.stride ?? 0, side: settings.direction == "left" ? .left : .right)
      }
      if let padding = settings.padding {
        tokenizer.padding = Padding(
          padding.length.map { .fixed($0) } ?? .longest, side: padding.direction == "left" ? .left : .right,
          multiple: padding.padToMultipleOf, padId: padding.padId ?? 0, padTypeId: padding.padTypeId ?? 0,
          padToken: padding.padToken ?? "[PAD]")
      }
      let comment = "\(golden.tokenizer) \(settings) \(golden.text ?? "") \(golden.pair ?? "")"
      if let batch = golden.batch {
        for (ours, theirs) in zip(try tokenizer.encode(batch), golden.results ?? []) {
          Self.expect(ours, theirs, comment, isPair: false)
        }
      } else if let result = golden.result {
        let ours = try tokenizer.encode(
          golden.text ?? "", textPair: golden.pair, addSpecialTokens: settings.special ?? true)
        Self.expect(ours, result, comment, isPair: golden.pair != nil)
      } else {
        #expect(throws: DiagnosticsError.self, "\(comment)") {
          try tokenizer.encode(golden.text ?? "", textPair: golden.pair, addSpecialTokens: settings.special ?? true)
        }
      }
    }
  }

  @Test func batchesAreArrays() throws {
    var tokenizer = try Golden.tokenizer("bert")
    let texts = ["The quick brown fox", "dog"]
    let error = #expect(throws: DiagnosticsError.self) { try tokenizer.encode(texts).inputIds() }
    #expect(error?.description.contains("give the tokenizer a padding") == true)
    tokenizer.padding = Padding()
    let batch = try tokenizer.encode(texts)
    let ids = try batch.inputIds()
    #expect(ids.dtype == .i64 && ids.shape == [2, batch[0].count])
    #expect(ids.integers == batch.flatMap(\.ids))
    #expect(try batch.attentionMask().integers == batch.flatMap(\.attentionMask))
    #expect(try batch.tokenTypeIds().integers == batch.flatMap(\.typeIds))
  }

  @Test func piecesThatAreCanonicallyEqualAreTwo() throws {
    let json = """
      {"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "\\u00e9": 1, "e\\u0301": 2}}}
      """
    let tokenizer = try Tokenizer(file: FileContent(path: "x.json", text: json))
    #expect(try tokenizer.encode("\u{e9}").ids == [1])
    #expect(try tokenizer.encode("e\u{301}").ids == [2])
    #expect(tokenizer.vocabularyCount == 3 && tokenizer.id(of: "e\u{301}") == 2 && tokenizer.token(of: 3) == nil)
  }

  // MARK: Mistakes

  @Test(arguments: [
    ("", ":1: error: is no JSON: a value is missing"), ("{", ":1: error: is no JSON: a name is missing"),
    ("{}", "error: has no 'model'"), ("[]", "error: has no 'model'"),
    ("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}}}", "error: model: has no 'merges'"),
    (
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}",
      "error: model.vocab.a: is not a number from 0"
    ),
    (
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}",
      "error: model.merges[0]: a piece is not in the vocabulary"
    ),
    (
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}",
      "error: model.merges[0]: are not two pieces"
    ),
    ("{\"model\": {\"type\": \"Unigram\", \"vocab\": []}}", "error: model.vocab: is empty"),
    (
      "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 1, \"vocab\": [[\"a\", 0]]}}",
      "error: model.unk_id: 1 is not in the vocabulary"
    ),
    ("{\"model\": {\"type\": \"Rnn\"}}", "error: model: the model 'Rnn' is not supported"),
    (
      "{\"normalizer\": {\"type\": \"Spell\"}, \"model\": {}}",
      "error: normalizer: the normalizer 'Spell' is not supported"
    ),
    (
      "{\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}, \"model\": {}}",
      "the table of characters is damaged"
    ),
    (
      "{\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"?\"}, \"model\": {}}",
      "is not in base 64"
    ),
    (
      "{\"pre_tokenizer\": {\"type\": \"UnicodeScripts\"}, \"model\": {}}",
      "the pre-tokenizer 'UnicodeScripts' is not supported"
    ),
    (
      "{\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a\"}, \"behavior\": \"Removed\"}, \"model\": {}}",
      "error: pre_tokenizer.pattern.Regex: the pattern \"(a\": a group does not end"
    ),
    (
      "{\"decoder\": {\"type\": \"Strip\", \"content\": \"ab\", \"start\": 0, \"stop\": 0}, \"model\": {}}",
      "decoder.content: is not one character"
    ),
    ("{\"padding\": {\"strategy\": \"Sometimes\"}, \"model\": {}}", "padding.strategy: is not BatchLongest or Fixed"),
    ("{\"a\": \"\\ud800\"}", "half a surrogate pair"), ("{\"a\": 1} 2", "something behind the end"),
    (String(repeating: "[", count: 100_000), "values are nested too deeply"),
  ])
  func damagedFilesAreDiagnostics(_ text: String, _ message: String) throws {
    let error = #expect(throws: DiagnosticsError.self) { try Tokenizer(file: FileContent(path: "t.json", text: text)) }
    #expect(error?.description.hasPrefix("t.json:") == true)
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: ["bert", "gpt2", "llama2", "t5", "words"])
  func filesThatAreCutOffOrChangedNeverTrap(_ name: String) throws {
    let bytes = try Golden.file(name + ".json").bytes
    var state: UInt64 = 1
    for _ in 0..<60 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var damaged = bytes
      let place = Int(state >> 33) % bytes.count
      if state & 1 << 40 == 0 {
        damaged.removeLast(bytes.count - place)
      } else {
        // Mostly near the end, where the settings are not; and anywhere.
        damaged[place] = [0x30, 0x22, 0x5b, 0x2c, 0xff, 0x7d][Int(state >> 20) % 6]
      }
      guard let tokenizer = try? Tokenizer(file: FileContent(path: "t.json", bytes: damaged)) else { continue }
      guard let encoding = try? tokenizer.encode("The quick größer 日本", textPair: "dog") else { continue }
      _ = try? tokenizer.decode(encoding.ids + [0, 1_000_000])
    }
  }

  @Test func textsWithoutTokensAreDiagnostics() throws {
    let json = "{\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"[UNK]\", \"vocab\": {\"a\": 0}}}"
    let tokenizer = try Tokenizer(file: FileContent(path: "x.json", text: json))
    #expect(try tokenizer.encode("a").ids == [0])
    let error = #expect(throws: DiagnosticsError.self) { try tokenizer.encode("b") }
    #expect(error?.description.contains("its vocabulary has no '[UNK]' for it") == true)
  }

  @Test(arguments: [
    "a{1001}", "(?P<x>a)", "\\p{Klingon}", "[a", "a)", "*a", "\\q", "[z-a]", "(?<name>a)", "\\",
    String(repeating: "(", count: 1000),
    "((((a{1000}){1000}){1000}){1000})",
  ])
  func patternsThatAreNoneAreDiagnostics(_ expression: String) {
    #expect(throws: TokenizerFault.self) { try Pattern(expression) }
  }

  @Test func patternsThatTakeTooLongAreDiagnostics() throws {
    let pattern = try Pattern("(?:a|a)*(?:a|a)*(?:a|a)*b")
    let text = [Unicode.Scalar](repeating: "a", count: 60)
    let error = #expect(throws: DiagnosticsError.self) { try pattern.matches(in: text) }
    #expect(error?.description.contains("takes too many steps") == true)
  }
}
