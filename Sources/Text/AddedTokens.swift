import LatheCore

/// A token that is found in a text before the model looks at it: `[MASK]`, `<|endoftext|>`.
public struct AddedToken: Hashable, Sendable {
  /// The text that is the token.
  public var content: String
  /// Whether letters must not touch it.
  public var singleWord: Bool
  /// Whether spaces before it belong to it.
  public var lstrip: Bool
  /// Whether spaces behind it belong to it.
  public var rstrip: Bool
  /// Whether it is looked for in the normalized text.
  public var normalized: Bool
  /// Whether `decode` leaves it out.
  public var special: Bool

  /// A token; by default a special one that is taken as it is.
  public init(
    _ content: String, singleWord: Bool = false, lstrip: Bool = false, rstrip: Bool = false, normalized: Bool = false,
    special: Bool = true
  ) {
    self.content = content
    self.singleWord = singleWord
    self.lstrip = lstrip
    self.rstrip = rstrip
    self.normalized = normalized
    self.special = special
  }

  init(_ field: JSONField) throws(TokenizerFault) {
    content = try field.required("content").text()
    singleWord = try field.flag("single_word", default: false)
    lstrip = try field.flag("lstrip", default: false)
    rstrip = try field.flag("rstrip", default: false)
    special = try field.flag("special", default: false)
    normalized = try field.flag("normalized", default: !special)
  }
}

/// The tokens that are found before the model looks at a text, with their numbers.
struct AddedTokens: Sendable {
  private var tokens: [Int: AddedToken] = [:]
  /// What tokens are called that stand for a text as it is normalized.
  private var texts: [Int: String] = [:]
  /// The contents of special tokens.
  private var specials = Trie()
  private var plain = Trie()
  private var normalized = Trie()

  /// - Parameter normalizer: What the contents of some tokens are changed by, as texts are.
  init(_ added: [AddedToken], vocabulary: Vocabulary, normalizer: Normalizer?) throws(DiagnosticsError) {
    // Special ones come first where two have one text.
    var last = -1
    for token in added where !token.content.isEmpty {
      let known = vocabulary[token.content] ?? tokens.first { $0.value.content.isIdentical(to: token.content) }?.key
      let id = known ?? max(last + 1, vocabulary.count)
      last = max(last, id)
      tokens[id] = token
    }
    for (id, token) in tokens.sorted(by: { ($0.value.special ? 0 : 1, $0.key) > ($1.value.special ? 0 : 1, $1.key) }) {
      if token.special { specials.insert(token.content.unicodeScalars, id) }
      var text = AlignedText(token.content)
      if token.normalized {
        try normalizer?.apply(to: &text)
        normalized.insert(text.scalars, id)
      } else {
        plain.insert(text.scalars, id)
      }
      texts[id] = text.text
    }
  }

  /// The text of a token.
  subscript(id: Int) -> String? { texts[id] }

  var all: [AddedToken] { Array(tokens.values) }

  func isSpecial(_ text: String) -> Bool { specials.value(text.unicodeScalars) != nil }

  func id(of content: String) -> Int? { tokens.first { $0.value.content.isIdentical(to: content) }?.key }

  /// The parts of a text: first the tokens that are taken as they are, then, in the rest, the normalized ones.
  func divide(_ text: String, _ normalizer: Normalizer?) throws(DiagnosticsError) -> [Piece] {
    var pieces: [Piece] = []
    for piece in parts(of: AlignedText(text), plain) {
      guard piece.tokens == nil else {
        pieces.append(piece)
        continue
      }
      var text = piece.text
      try normalizer?.apply(to: &text)
      pieces += parts(of: text, normalized)
    }
    return pieces
  }

  private func parts(of text: AlignedText, _ trie: Trie) -> [Piece] {
    let scalars = text.scalars
    var pieces: [Piece] = []
    var end = 0
    func addText(to start: Int) {
      if end < start { pieces.append(Piece(text: text.part(end..<start))) }
    }
    var position = 0
    while position < scalars.count {
      guard let match = trie.longest(in: scalars, at: position), let token = tokens[match.value] else {
        position += 1
        continue
      }
      var range = position..<match.end
      position = match.end
      if token.singleWord {
        let touchesBefore = range.lowerBound > 0 && scalars[range.lowerBound - 1].isWord
        let touchesBehind = range.upperBound < scalars.count && scalars[range.upperBound].isWord
        if touchesBefore || touchesBehind { continue }
      }
      if token.lstrip {
        let start = scalars[..<range.lowerBound].lastIndex { !$0.isSpace }.map { $0 + 1 } ?? 0
        range = max(start, min(end, range.lowerBound))..<range.upperBound
      }
      if token.rstrip {
        range = range.lowerBound..<(scalars[range.upperBound...].firstIndex { !$0.isSpace } ?? scalars.count)
      }
      addText(to: range.lowerBound)
      let part = text.part(range)
      pieces.append(Piece(text: part, tokens: [Token(id: match.value, text: part.text, range: part.scalars.indices)]))
      end = range.upperBound
    }
    addText(to: scalars.count)
    return pieces
  }
}

extension String {
  /// Equality by scalars, where `==` is canonical equivalence.
  func isIdentical(to other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
