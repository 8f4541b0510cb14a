public import LatheCore
import LatheData

extension Tokenizer {
  /// BERT's tokenizer of a `vocab.txt`, which has a piece in each line: `BertTokenizer`.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - lowercase: Whether capital letters are made small, and accents taken off.
  ///   - stripAccents: Whether accents are taken off, where that is not as capital letters have it.
  ///   - tokenizeChineseChars: Whether each ideograph is a word.
  /// - Throws: That the file cannot be read, or has not the special tokens.
  public static func bert(
    vocabulary path: String, lowercase: Bool = true, stripAccents: Bool? = nil, tokenizeChineseChars: Bool = true
  ) throws(DiagnosticsError) -> Tokenizer {
    let text = try FileContent(reading: path).text()
    var vocabulary = Vocabulary()
    // By scalars, so that a carriage return ends no line inside of a character.
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    for (id, line) in lines.enumerated() {
      vocabulary.insert(String(line.last == "\r" ? line.dropLast() : line), id)
    }
    func special(_ token: String, type: Int) throws(DiagnosticsError) -> PostProcessor.Part {
      guard let id = vocabulary[token] else {
        throw DiagnosticsError("is no vocabulary of BERT: it has no \(token)", location: Location(file: path))
      }
      return .special(ids: [id], tokens: [token], type: type)
    }
    let (first, last) = (try special("[CLS]", type: 0), try special("[SEP]", type: 0))
    _ = try special("[UNK]", type: 0)
    return try Tokenizer(
      normalizer: .bert(
        cleans: true, separatesIdeographs: tokenizeChineseChars, stripsAccents: stripAccents ?? lowercase,
        lowercases: lowercase),
      preTokenizer: .bert, model: WordPiece(vocabulary: vocabulary),
      postProcessor: PostProcessor(
        single: [first, .text(0, type: 0), last],
        pair: [first, .text(0, type: 0), last, .text(1, type: 1), special("[SEP]", type: 1)]),
      decoder: .wordPiece(prefix: "##", cleansUp: true),
      added: ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"].filter { vocabulary[$0] != nil }.map { AddedToken($0) })
  }
}
