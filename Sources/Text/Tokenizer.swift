public import LatheCore
public import LatheData

/// Makes numbers of texts and texts of numbers, as a `tokenizer.json` of Hugging Face says.
///
/// ```swift
/// let tokenizer = try Tokenizer(path: "tokenizer.json")
/// let encoding = try tokenizer.encode("Hello, world!")
/// encoding.ids                                  // [101, 7592, 1010, 2088, 999, 102]
/// try tokenizer.decode(encoding.ids)            // "hello, world!"
/// ```
///
/// Results are those of the Python package `tokenizers`.
public struct Tokenizer: Sendable {
  private let normalizer: Normalizer?
  private let preTokenizer: PreTokenizer?
  private let model: any TokenModel
  private let postProcessor: PostProcessor
  private let decoder: Decoder?
  private let added: AddedTokens
  /// How texts that are too long are cut; nil where they are not.
  public var truncation: Truncation?
  /// How texts that are too short are filled up; nil where they are not.
  public var padding: Padding?

  /// Reads a `tokenizer.json`.
  ///
  /// - Throws: That the file cannot be read, is damaged, or asks for something that is not supported.
  public init(path: String) throws(DiagnosticsError) { try self.init(file: FileContent(reading: path)) }

  /// Reads the content of a `tokenizer.json`.
  ///
  /// - Throws: That the file is damaged, or asks for something that is not supported.
  public init(file: FileContent) throws(DiagnosticsError) {
    let parsed: JSON
    do throws(JSONFault) { parsed = try JSON(parsing: file.bytes) } catch {
      throw DiagnosticsError(error.message, location: Location(file: file.path, line: error.line))
    }
    try self.init(JSONField(parsed), file: file.path)
  }

  init(_ root: JSONField, file: String) throws(DiagnosticsError) {
    let parts: Parts
    do throws(TokenizerFault) { parts = try Parts(root) } catch {
      throw DiagnosticsError(error.message, location: Location(file: file))
    }
    normalizer = parts.normalizer
    preTokenizer = parts.preTokenizer
    model = parts.model
    postProcessor = parts.postProcessor
    decoder = parts.decoder
    truncation = parts.truncation
    padding = parts.padding
    added = try AddedTokens(parts.added, vocabulary: model.vocabulary, normalizer: normalizer)
  }

  /// What a file holds.
  private struct Parts {
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: any TokenModel
    let postProcessor: PostProcessor
    let decoder: Decoder?
    let truncation: Truncation?
    let padding: Padding?
    let added: [AddedToken]

    init(_ root: JSONField) throws(TokenizerFault) {
      func part<Part>(
        _ name: String, _ read: (JSONField) throws(TokenizerFault) -> Part
      ) throws(TokenizerFault) -> Part? {
        guard let field = root[name] else { return nil }
        return try read(field)
      }
      normalizer = try part("normalizer", Normalizer.init)
      preTokenizer = try part("pre_tokenizer", PreTokenizer.init)
      postProcessor = try part("post_processor", PostProcessor.init) ?? PostProcessor()
      decoder = try part("decoder", Decoder.init)
      truncation = try part("truncation", Truncation.init)
      padding = try part("padding", Padding.init)
      model = try Tokenizer.model(root.required("model"))
      added =
        try part("added_tokens") { field throws(TokenizerFault) in
          try field.array().map { token throws(TokenizerFault) in try AddedToken(token) }
        } ?? []
    }
  }

  init(
    normalizer: Normalizer, preTokenizer: PreTokenizer, model: any TokenModel, postProcessor: PostProcessor,
    decoder: Decoder, added: [AddedToken]
  ) throws(DiagnosticsError) {
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.model = model
    self.postProcessor = postProcessor
    self.decoder = decoder
    self.added = try AddedTokens(added, vocabulary: model.vocabulary, normalizer: normalizer)
  }

  private static func model(_ field: JSONField) throws(TokenizerFault) -> any TokenModel {
    // Files of old do not say which model it is.
    let type =
      try field["type"].map { field throws(TokenizerFault) in try field.text() }
      ?? [("merges", "BPE"), ("unk_id", "Unigram"), ("max_input_chars_per_word", "WordPiece")]
      .first { field[$0.0] != nil }?.1 ?? "WordLevel"
    return switch type {
    case "BPE": try BytePairEncoding(field)
    case "WordPiece": try WordPiece(field)
    case "WordLevel": try WordLevel(field)
    case "Unigram": try Unigram(field)
    default: throw field.fault("the model '\(type)' is not supported")
    }
  }

  // MARK: Vocabulary

  /// How many tokens there are, with those that were added.
  public var vocabularyCount: Int {
    model.vocabulary.count + added.all.count { model.vocabulary[$0.content] == nil }
  }

  /// The number of a token: `token_to_id`.
  public func id(of token: String) -> Int? { added.id(of: token) ?? model.vocabulary[token] }

  /// The token of a number: `id_to_token`.
  public func token(of id: Int) -> String? { added[id] ?? model.vocabulary[id] }

  // MARK: Encoding

  /// The tokens of a text, or of two.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - textPair: The second text of a pair.
  ///   - addSpecialTokens: Whether tokens are added that models want to see: `[CLS]`, `[SEP]`.
  /// - Throws: For texts that the tokenizer has no tokens for, and lengths that cannot be had.
  public func encode(
    _ text: String, textPair: String? = nil, addSpecialTokens: Bool = true
  ) throws(DiagnosticsError) -> Encoding {
    try padded([unpadded(text, textPair, addSpecialTokens)])[0]
  }

  /// The tokens of several texts, filled up to one length where there is a ``padding``.
  ///
  /// - Throws: As for one text.
  public func encode(_ texts: [String], addSpecialTokens: Bool = true) throws(DiagnosticsError) -> [Encoding] {
    try padded(texts.map { text throws(DiagnosticsError) in try unpadded(text, nil, addSpecialTokens) })
  }

  /// The tokens of several pairs of texts.
  ///
  /// - Throws: As for one text.
  public func encode(
    pairs: [(String, String)], addSpecialTokens: Bool = true
  ) throws(DiagnosticsError) -> [Encoding] {
    try padded(pairs.map { pair throws(DiagnosticsError) in try unpadded(pair.0, pair.1, addSpecialTokens) })
  }

  private func padded(_ encodings: [Encoding]) -> [Encoding] {
    var encodings = encodings
    padding?.apply(to: &encodings)
    return encodings
  }

  private func unpadded(
    _ text: String, _ textPair: String?, _ addSpecialTokens: Bool
  ) throws(DiagnosticsError) -> Encoding {
    var encodings = [try encode(text, type: 0)]
    if let textPair { encodings.append(try encode(textPair, type: 1)) }
    if let truncation {
      let count = addSpecialTokens ? postProcessor.addedCount(isPair: textPair != nil) : 0
      encodings = try truncation.apply(encodings, added: count)
    }
    return postProcessor.apply(encodings, addSpecialTokens: addSpecialTokens)
  }

  private func encode(_ text: String, type: Int) throws(DiagnosticsError) -> Encoding {
    var pieces = try added.divide(text, normalizer)
    if let preTokenizer { pieces = try preTokenizer.apply(to: pieces) }
    var encoding = Encoding()
    for (word, piece) in pieces.enumerated() {
      let tokens = if let known = piece.tokens { known } else { try model.tokenize(piece.text.scalars) }
      for token in tokens {
        encoding.append(
          id: token.id, type: type, token: token.text, word: word, offsets: piece.text.origin(of: token.range))
      }
    }
    return encoding
  }

  // MARK: Decoding

  /// The text of tokens.
  ///
  /// - Parameters:
  ///   - ids: The numbers; those of no token are left out.
  ///   - skipSpecialTokens: Whether special tokens are left out.
  /// - Throws: For patterns of the tokenizer that take too many steps.
  public func decode(_ ids: [Int], skipSpecialTokens: Bool = true) throws(DiagnosticsError) -> String {
    let tokens = ids.compactMap { token(of: $0) }.filter { !skipSpecialTokens || !added.isSpecial($0) }
    guard let decoder else { return tokens.joined(separator: " ") }
    return try decoder.apply(to: tokens).joined()
  }
}

extension [Encoding] {
  /// The numbers of the tokens as an array, `i64[B, L]`: `input_ids`.
  ///
  /// - Throws: That the texts are not of one length.
  public func inputIds() throws(DiagnosticsError) -> NDArray { try array(\.ids) }

  /// `attention_mask`, `i64[B, L]`.
  ///
  /// - Throws: That the texts are not of one length.
  public func attentionMask() throws(DiagnosticsError) -> NDArray { try array(\.attentionMask) }

  /// `token_type_ids`, `i64[B, L]`.
  ///
  /// - Throws: That the texts are not of one length.
  public func tokenTypeIds() throws(DiagnosticsError) -> NDArray { try array(\.typeIds) }

  private func array(_ numbers: (Encoding) -> [Int]) throws(DiagnosticsError) -> NDArray {
    let length = first?.count ?? 0
    guard allSatisfy({ $0.count == length }) else {
      throw DiagnosticsError(
        "the texts have from \(map(\.count).min() ?? 0) to \(map(\.count).max() ?? 0) tokens",
        help: "give the tokenizer a padding")
    }
    return try NDArray(flatMap(numbers).map { Int64($0) }, shape: [count, length])
  }
}
