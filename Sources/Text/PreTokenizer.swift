import LatheCore

/// A part of a text on its way to tokens.
struct Piece: Sendable {
  var text: AlignedText
  /// Nil until there are some.
  var tokens: [Token]?
}

/// A token that a model has found in a part of a text.
struct Token: Sendable {
  var id: Int
  var text: String
  /// In scalars of the part.
  var range: Range<Int>
}

/// What becomes of the matches where a text is divided by a pattern.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case contiguous = "Contiguous"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"

  init(_ field: JSONField) throws(TokenizerFault) {
    guard let behavior = SplitBehavior(rawValue: try field.text()) else {
      throw field.fault("the behavior '\(try field.text())' is not supported")
    }
    self = behavior
  }

  /// The parts that are left of a text with matches, which are in order.
  func parts(of count: Int, matches: [Range<Int>], isInverted: Bool = false) -> [Range<Int>] {
    var all: [(range: Range<Int>, isMatch: Bool)] = []
    var end = 0
    for match in matches {
      if end < match.lowerBound { all.append((end..<match.lowerBound, isInverted)) }
      all.append((match, !isInverted))
      end = match.upperBound
    }
    if end < count { all.append((end..<count, isInverted)) }
    switch self {
    case .removed: return all.filter { !$0.isMatch }.map(\.range)
    case .isolated: return all.map(\.range)
    case .contiguous: return Self.joined(all, isReversed: false) { $0 == $1 }
    case .mergedWithPrevious: return Self.joined(all, isReversed: false) { !$0 && $1 }
    case .mergedWithNext: return Self.joined(all, isReversed: true) { !$0 && $1 }
    }
  }

  /// Joins a part to the one before where a condition on whether both are matches says so.
  private static func joined(
    _ parts: [(range: Range<Int>, isMatch: Bool)], isReversed: Bool, _ joins: (Bool, Bool) -> Bool
  ) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var wasMatch = false
    for part in isReversed ? parts.reversed() : parts {
      if joins(wasMatch, part.isMatch), let last = result.popLast() {
        result.append(min(last.lowerBound, part.range.lowerBound)..<max(last.upperBound, part.range.upperBound))
      } else {
        result.append(part.range)
      }
      wasMatch = part.isMatch
    }
    return isReversed ? result.reversed() : result
  }
}

/// How a text is divided before a model finds tokens in the parts.
indirect enum PreTokenizer: Sendable {
  /// When Metaspace puts its character before a text.
  enum Prepending: String, Sendable { case always, first, never }

  case sequence([PreTokenizer])
  case bert
  case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
  case whitespace
  case whitespaceSplit
  case metaspace(Unicode.Scalar, Prepending, splits: Bool)
  case split(TextPattern, SplitBehavior, isInverted: Bool)
  case punctuation(SplitBehavior)
  case delimiter(Unicode.Scalar)
  case digits(areIndividual: Bool)
  case fixedLength(Int)

  init(_ field: JSONField) throws(TokenizerFault) {
    switch try field.type() {
    case "Sequence":
      self = .sequence(
        try field.required("pretokenizers").array().map { field throws(TokenizerFault) in try PreTokenizer(field) })
    case "BertPreTokenizer": self = .bert
    case "ByteLevel":
      self = .byteLevel(
        addsPrefixSpace: try field.flag("add_prefix_space", default: true),
        usesPattern: try field.flag("use_regex", default: true))
    case "Whitespace": self = .whitespace
    case "WhitespaceSplit": self = .whitespaceSplit
    case "Metaspace":
      let (scalar, prepending) = try Self.metaspace(field)
      self = .metaspace(scalar, prepending, splits: try field.flag("split", default: true))
    case "Split":
      self = .split(
        try TextPattern(field.required("pattern")), try SplitBehavior(field.required("behavior")),
        isInverted: try field.flag("invert", default: false))
    case "Punctuation":
      self = .punctuation(
        try field["behavior"].map { field throws(TokenizerFault) in try SplitBehavior(field) } ?? .isolated)
    case "CharDelimiterSplit": self = .delimiter(try field.required("delimiter").scalar())
    case "Digits": self = .digits(areIndividual: try field.flag("individual_digits", default: false))
    case "FixedLength":
      let length = try field.required("length").count()
      guard length > 0 else { throw field.fault("pieces of no length") }
      self = .fixedLength(length)
    case let type: throw field.fault("the pre-tokenizer '\(type)' is not supported")
    }
  }

  /// What pre-tokenizer and decoder have in common.
  static func metaspace(_ field: JSONField) throws(TokenizerFault) -> (Unicode.Scalar, Prepending) {
    let scalar = try field.required("replacement").scalar()
    // Files of old say it in another word.
    if try !field.flag("add_prefix_space", default: true) { return (scalar, .never) }
    guard let scheme = field["prepend_scheme"] else { return (scalar, .always) }
    guard let prepending = Prepending(rawValue: try scheme.text()) else {
      throw scheme.fault("is not always, first or never")
    }
    return (scalar, prepending)
  }

  /// GPT-2's words.
  private static let words = unfailing {
    try Pattern("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+")
  }

  func apply(to pieces: [Piece]) throws(DiagnosticsError) -> [Piece] {
    if case .sequence(let parts) = self {
      var pieces = pieces
      for part in parts { pieces = try part.apply(to: pieces) }
      return pieces
    }
    var result: [Piece] = []
    for piece in pieces {
      guard piece.tokens == nil else {
        result.append(piece)
        continue
      }
      var text = piece.text
      for part in try divide(&text) where !part.isEmpty {
        result.append(
          Piece(text: part == text.scalars.indices && text.start == piece.text.start ? text : text.part(part)))
      }
    }
    guard case .byteLevel = self else { return result }
    for place in result.indices where result[place].tokens == nil {
      result[place].text.expand { ByteAlphabet.scalars(of: $0) }
    }
    return result
  }

  /// Changes a text where that is asked for, and gives its parts.
  private func divide(_ text: inout AlignedText) throws(DiagnosticsError) -> [Range<Int>] {
    func parts(_ behavior: SplitBehavior, _ isMatch: (Unicode.Scalar) -> Bool) -> [Range<Int>] {
      let matches = text.scalars.indices.filter { isMatch(text.scalars[$0]) }.map { $0..<$0 + 1 }
      return behavior.parts(of: text.scalars.count, matches: matches)
    }
    let count = text.scalars.count
    switch self {
    case .sequence: internalError("a sequence divides nothing itself")
    case .bert:
      return parts(.removed, \.isSpace).flatMap { range in
        let matches = range.filter { text.scalars[$0].isBERTPunctuation }.map {
          $0 - range.lowerBound..<$0 - range.lowerBound + 1
        }
        return SplitBehavior.isolated.parts(of: range.count, matches: matches).map {
          $0.lowerBound + range.lowerBound..<$0.upperBound + range.lowerBound
        }
      }
    case .byteLevel(let addsPrefixSpace, let usesPattern):
      if addsPrefixSpace, text.scalars.first != " " { text.prepend([" "]) }
      guard usesPattern else { return [text.scalars.indices] }
      return SplitBehavior.isolated.parts(of: text.scalars.count, matches: try Self.words.matches(in: text.scalars))
    case .whitespace: return Self.wordsAndOthers(text.scalars)
    case .whitespaceSplit: return parts(.removed, \.isSpace)
    case .metaspace(let scalar, let prepending, let splits):
      text.map { $0 == " " ? scalar : $0 }
      let isWanted = prepending == .always || (prepending == .first && text.start == 0)
      if isWanted, text.scalars.first != scalar { text.prepend([scalar]) }
      return splits ? parts(.mergedWithNext) { $0 == scalar } : [text.scalars.indices]
    case .split(let pattern, let behavior, let isInverted):
      return behavior.parts(of: count, matches: try pattern.matches(in: text.scalars), isInverted: isInverted)
    case .punctuation(let behavior): return parts(behavior, \.isBERTPunctuation)
    case .delimiter(let scalar): return parts(.removed) { $0 == scalar }
    case .digits(let areIndividual): return parts(areIndividual ? .isolated : .contiguous, \.isNumeric)
    case .fixedLength(let length): return stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
    }
  }

  /// `\w+|[^\w\s]+`, as Rust reads it.
  private static func wordsAndOthers(_ scalars: [Unicode.Scalar]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = 0
    while start < scalars.count {
      let (isWord, isSpace) = (scalars[start].isWord, scalars[start].isSpace)
      let end =
        scalars[start...].firstIndex { $0.isWord != isWord || (!isWord && $0.isSpace != isSpace) } ?? scalars.count
      if isWord || !isSpace { result.append(start..<end) }
      start = end
    }
    return result
  }
}
