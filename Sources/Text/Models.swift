import LatheCore

/// What finds tokens in a part of a text.
protocol TokenModel: Sendable {
  var vocabulary: Vocabulary { get }

  /// The tokens of a part that is not empty.
  func tokenize(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Token]
}

extension TokenModel {
  /// - Throws: For a piece that should stand for what is unknown, and is not there.
  func unknown(_ piece: String?, _ range: Range<Int>) throws(DiagnosticsError) -> Token {
    guard let piece, let id = vocabulary[piece] else {
      throw DiagnosticsError(
        "the tokenizer meets a text that it does not know, and its vocabulary has no \(piece.map { "'\($0)'" } ?? "piece") for it"
      )
    }
    return Token(id: id, text: piece, range: range)
  }
}

/// Reads a vocabulary that is an object of pieces with their numbers.
func readVocabulary(_ field: JSONField) throws(TokenizerFault) -> Vocabulary {
  var vocabulary = Vocabulary()
  for (piece, id) in try field.members() { vocabulary.insert(piece, try id.count()) }
  return vocabulary
}

/// Whole words.
struct WordLevel: TokenModel {
  let vocabulary: Vocabulary
  private let unknown: String

  init(_ field: JSONField) throws(TokenizerFault) {
    vocabulary = try readVocabulary(field.required("vocab"))
    unknown = try field["unk_token"].map { field throws(TokenizerFault) in try field.text() } ?? "<unk>"
  }

  func tokenize(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Token] {
    if let id = vocabulary[scalars] { return [Token(id: id, text: String(scalars), range: scalars.indices)] }
    return [try unknown(unknown, scalars.indices)]
  }
}

/// The longest pieces from the left on; those inside of a word begin with a prefix.
struct WordPiece: TokenModel {
  let vocabulary: Vocabulary
  private let unknown: String
  private let longestWord: Int
  /// Where pieces inside of a word begin.
  private let inside: Int?

  init(vocabulary: Vocabulary, unknown: String = "[UNK]", prefix: String = "##", longestWord: Int = 100) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.longestWord = longestWord
    inside = vocabulary.trie.node(prefix.unicodeScalars)
  }

  init(_ field: JSONField) throws(TokenizerFault) {
    func text(_ name: String, default value: String) throws(TokenizerFault) -> String {
      try field[name].map { field throws(TokenizerFault) in try field.text() } ?? value
    }
    self.init(
      vocabulary: try readVocabulary(field.required("vocab")), unknown: try text("unk_token", default: "[UNK]"),
      prefix: try text("continuing_subword_prefix", default: "##"),
      longestWord: try field["max_input_chars_per_word"].map { field throws(TokenizerFault) in try field.count() }
        ?? 100)
  }

  func tokenize(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Token] {
    var tokens: [Token] = []
    var start = 0
    while scalars.count <= longestWord, start < scalars.count {
      guard let root = start == 0 ? Trie.root : inside,
        let (id, end) = vocabulary.trie.longest(in: scalars, at: start, from: root)
      else { break }
      tokens.append(Token(id: id, text: vocabulary[id] ?? "", range: start..<end))
      start = end
    }
    return start == scalars.count ? tokens : [try unknown(unknown, scalars.indices)]
  }
}

/// Byte pair encoding: neighbours are joined, those first that were most frequent when it was trained.
struct BytePairEncoding: TokenModel {
  private struct Merge: Sendable {
    var rank: Int
    var id: Int
  }

  let vocabulary: Vocabulary
  /// By the numbers of both pieces.
  private let merges: [UInt64: Merge]
  private let unknown: String?
  private let prefix: [Unicode.Scalar]
  private let suffix: [Unicode.Scalar]
  private let joinsUnknown: Bool
  private let fallsBackToBytes: Bool
  /// Whether a word of the vocabulary is a token whatever merges say.
  private let ignoresMerges: Bool

  init(_ field: JSONField) throws(TokenizerFault) {
    func scalars(_ name: String) throws(TokenizerFault) -> [Unicode.Scalar] {
      try field[name].map { field throws(TokenizerFault) in Array(try field.text().unicodeScalars) } ?? []
    }
    if let dropout = field["dropout"], try dropout.number() > 0 {
      throw dropout.fault("dropout would give other tokens each time; set it to null")
    }
    vocabulary = try readVocabulary(field.required("vocab"))
    unknown = try field["unk_token"].map { field throws(TokenizerFault) in try field.text() }
    (prefix, suffix) = (try scalars("continuing_subword_prefix"), try scalars("end_of_word_suffix"))
    joinsUnknown = try field.flag("fuse_unk", default: false)
    fallsBackToBytes = try field.flag("byte_fallback", default: false)
    ignoresMerges = try field.flag("ignore_merges", default: false)
    var merges: [UInt64: Merge] = [:]
    for (rank, line) in try field.required("merges").array().enumerated() {
      let pair: [Substring.UnicodeScalarView]
      if line.isText {
        // A space divides; scalars, because a mark behind it would make one character of both.
        pair = try line.text()[...].unicodeScalars.split(separator: " ", omittingEmptySubsequences: false).map { $0 }
      } else {
        pair = try line.array().map { field throws(TokenizerFault) in try field.text()[...].unicodeScalars }
      }
      guard pair.count == 2 else { throw line.fault("are not two pieces") }
      guard let first = vocabulary[pair[0]], let second = vocabulary[pair[1]],
        let joined = vocabulary[Array(pair[0]) + pair[1].dropFirst(prefix.count)]
      else { throw line.fault("a piece is not in the vocabulary") }
      merges[Self.key(first, second)] = Merge(rank: rank, id: joined)
    }
    self.merges = merges
  }

  private static func key(_ first: Int, _ second: Int) -> UInt64 { UInt64(first) << 32 | UInt64(second) }

  func tokenize(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Token] {
    if ignoresMerges, let id = vocabulary[scalars] {
      return [Token(id: id, text: String(scalars), range: scalars.indices)]
    }
    return merged(try symbols(scalars)).map { Token(id: $0.id, text: vocabulary[$0.id] ?? "", range: $0.range) }
  }

  private struct Symbol {
    var id: Int
    var range: Range<Int>
    var previous: Int
    var next: Int
  }

  /// The pieces of the single scalars, or of their bytes.
  private func symbols(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Symbol] {
    var symbols: [Symbol] = []
    symbols.reserveCapacity(scalars.count)
    var wasUnknown = false
    for (position, scalar) in scalars.enumerated() {
      let range = position..<position + 1
      func add(_ id: Int) {
        symbols.append(Symbol(id: id, range: range, previous: symbols.count - 1, next: symbols.count + 1))
      }
      let piece =
        prefix.isEmpty && suffix.isEmpty
        ? [scalar]
        : (position > 0 ? prefix : []) + [scalar] + (position == scalars.count - 1 ? suffix : [])
      if let id = vocabulary[piece] {
        add(id)
        wasUnknown = false
        continue
      }
      if fallsBackToBytes {
        let bytes = String(piece).utf8.map { vocabulary[ByteFallback.piece(of: $0)] }
        if !bytes.contains(nil) {
          for case let id? in bytes { add(id) }
          continue
        }
      }
      guard let unknown else { continue }
      if wasUnknown, joinsUnknown, let last = symbols.indices.last {
        symbols[last].range = symbols[last].range.lowerBound..<range.upperBound
      } else {
        add(try self.unknown(unknown, range).id)
      }
      wasUnknown = true
    }
    return symbols
  }

  /// A pair that may be joined.
  private struct Candidate: Comparable {
    var rank: Int
    var place: Int
    var id: Int

    static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.place) < (b.rank, b.place) }
  }

  /// Joins the pair of the lowest rank, the leftmost one of several, until none is left.
  private func merged(_ given: [Symbol]) -> [Symbol] {
    var symbols = given
    var isJoined = [Bool](repeating: false, count: symbols.count)
    var heap = Heap<Candidate>()
    func propose(_ place: Int) {
      guard symbols.indices.contains(place), symbols.indices.contains(symbols[place].next),
        let merge = merges[Self.key(symbols[place].id, symbols[symbols[place].next].id)]
      else { return }
      heap.insert(Candidate(rank: merge.rank, place: place, id: merge.id))
    }
    for place in symbols.indices { propose(place) }
    while let best = heap.popLeast() {
      let next = isJoined[best.place] ? symbols.count : symbols[best.place].next
      // What was proposed may have been joined to something else since.
      guard next < symbols.count, merges[Self.key(symbols[best.place].id, symbols[next].id)]?.id == best.id else {
        continue
      }
      symbols[best.place].id = best.id
      symbols[best.place].range = symbols[best.place].range.lowerBound..<symbols[next].range.upperBound
      symbols[best.place].next = symbols[next].next
      isJoined[next] = true
      if symbols[next].next < symbols.count { symbols[symbols[next].next].previous = best.place }
      propose(symbols[best.place].previous)
      propose(best.place)
    }
    return symbols.indices.filter { !isJoined[$0] }.map { symbols[$0] }
  }
}

/// The pieces that stand for single bytes.
enum ByteFallback {
  static func piece(of byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
  }

  static func byte(of piece: String) -> UInt8? {
    guard piece.utf8.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
    return UInt8(piece.dropFirst(3).dropLast(), radix: 16)
  }
}

/// The least element first.
private struct Heap<Element: Comparable> {
  private var elements: [Element] = []

  mutating func insert(_ element: Element) {
    elements.append(element)
    var place = elements.count - 1
    while place > 0, elements[place] < elements[(place - 1) / 2] {
      elements.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func popLeast() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let least = elements.first else { return last }
    elements[0] = last
    var place = 0
    while true {
      var child = 2 * place + 1
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      guard child < elements.count, elements[child] < elements[place] else { return least }
      elements.swapAt(place, child)
      place = child
    }
  }
}

/// The most probable division into pieces, each with a probability of its own.
///
/// Source: Kudo, Subword regularization, 2018; the search is SentencePiece's.
struct Unigram: TokenModel {
  /// What an unknown scalar is worth less than the least probable piece.
  private static let penalty = 10.0

  let vocabulary: Vocabulary
  private let scores: [Double]
  private let least: Double
  private let unknownID: Int?
  private let fallsBackToBytes: Bool

  init(_ field: JSONField) throws(TokenizerFault) {
    var vocabulary = Vocabulary()
    var scores: [Double] = []
    let pieces = try field.required("vocab")
    for entry in try pieces.array() {
      let pair = try entry.array()
      guard pair.count == 2 else { throw entry.fault("is not a piece with its score") }
      vocabulary.insert(try pair[0].text(), scores.count)
      scores.append(try pair[1].number())
    }
    guard let least = scores.min() else { throw pieces.fault("is empty") }
    unknownID = try field["unk_id"].map { field throws(TokenizerFault) in
      let id = try field.count()
      guard id < scores.count else { throw field.fault("\(id) is not in the vocabulary") }
      return id
    }
    (self.vocabulary, self.scores, self.least) = (vocabulary, scores, least)
    fallsBackToBytes = try field.flag("byte_fallback", default: false)
  }

  func tokenize(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Token] {
    var tokens: [Token] = []
    for range in try divide(scalars) {
      let piece = scalars[range]
      let text = String(piece)
      if let id = vocabulary[piece] {
        tokens.append(Token(id: id, text: text, range: range))
        continue
      }
      if fallsBackToBytes {
        let bytes = text.utf8.map { byte in
          let name = ByteFallback.piece(of: byte)
          return vocabulary[name].map { Token(id: $0, text: name, range: range) }
        }
        if !bytes.contains(where: { $0 == nil }) {
          tokens += bytes.compactMap { $0 }
          continue
        }
      }
      tokens.append(Token(id: try unknown(), text: text, range: range))
    }
    return tokens
  }

  private func unknown() throws(DiagnosticsError) -> Int {
    guard let unknownID else {
      throw DiagnosticsError("the tokenizer meets a text that it does not know, and has no unk_id")
    }
    return unknownID
  }

  private struct Path {
    var score = 0.0
    var start = -1
    var id = 0
  }

  /// The parts of the best path; unknown ones that touch are one.
  private func divide(_ scalars: [Unicode.Scalar]) throws(DiagnosticsError) -> [Range<Int>] {
    var best = [Path](repeating: Path(), count: scalars.count + 1)
    for start in scalars.indices {
      let score = best[start].score
      func offer(_ end: Int, _ worth: Double, _ id: Int) {
        if best[end].start < 0 || worth > best[end].score { best[end] = Path(score: worth, start: start, id: id) }
      }
      var node = Trie.root
      var isKnown = false
      for end in start..<scalars.count {
        guard let next = vocabulary.trie.child(node, scalars[end]) else { break }
        node = next
        guard let id = vocabulary.trie[node] else { continue }
        offer(end + 1, scores[id] + score, id)
        if end == start { isKnown = true }
      }
      if !isKnown { offer(start + 1, least - Self.penalty + score, try unknown()) }
    }
    var parts: [Range<Int>] = []
    var isUnknown = false
    var end = scalars.count
    while end > 0 {
      let path = best[end]
      if path.id == unknownID, isUnknown, let last = parts.popLast() {
        parts.append(path.start..<last.upperBound)
      } else {
        parts.append(path.start..<end)
      }
      isUnknown = path.id == unknownID
      end = path.start
    }
    return parts.reversed()
  }
}
