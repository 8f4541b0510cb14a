import LatheCore

/// What a text has become: the numbers of its tokens, and what is known of each.
public struct Encoding: Sendable {
  /// The numbers of the tokens: `input_ids`.
  public internal(set) var ids: [Int] = []
  /// Which of two texts each token is of: `token_type_ids`.
  public internal(set) var typeIds: [Int] = []
  /// The tokens as texts.
  public internal(set) var tokens: [String] = []
  /// The part of the text that each token is of, as the pre-tokenizer divided it; nil for tokens that were added.
  public internal(set) var words: [Int?] = []
  /// Where in the text each token is, in Unicode scalars (Python's characters).
  public internal(set) var offsets: [Range<Int>] = []
  /// 1 for tokens that were added, 0 for those of the text.
  public internal(set) var specialTokensMask: [Int] = []
  /// 1 for tokens, 0 for what fills up.
  public internal(set) var attentionMask: [Int] = []
  /// What was cut off, in pieces as long as this one.
  public internal(set) var overflowing: [Encoding] = []

  init() {}

  /// How many tokens there are.
  public var count: Int { ids.count }

  mutating func append(
    id: Int, type: Int, token: String, word: Int? = nil, offsets range: Range<Int> = 0..<0, isSpecial: Bool = false,
    isAttended: Bool = true
  ) {
    ids.append(id)
    typeIds.append(type)
    tokens.append(token)
    words.append(word)
    offsets.append(range)
    specialTokensMask.append(isSpecial ? 1 : 0)
    attentionMask.append(isAttended ? 1 : 0)
  }

  mutating func append(_ other: Encoding) {
    ids += other.ids
    typeIds += other.typeIds
    tokens += other.tokens
    words += other.words
    offsets += other.offsets
    specialTokensMask += other.specialTokensMask
    attentionMask += other.attentionMask
  }

  func part(_ range: Range<Int>) -> Encoding {
    var part = Encoding()
    part.ids = Array(ids[range])
    part.typeIds = Array(typeIds[range])
    part.tokens = Array(tokens[range])
    part.words = Array(words[range])
    part.offsets = Array(offsets[range])
    part.specialTokensMask = Array(specialTokensMask[range])
    part.attentionMask = Array(attentionMask[range])
    return part
  }
}

/// How texts that are too long are cut.
public struct Truncation: Hashable, Sendable {
  /// Which of two texts is cut.
  public enum Strategy: String, Hashable, Sendable {
    /// Both, the longer one first.
    case longestFirst = "LongestFirst"
    /// The first.
    case onlyFirst = "OnlyFirst"
    /// The second.
    case onlySecond = "OnlySecond"
  }

  /// An end of a text.
  public enum Side: String, Hashable, Sendable {
    /// The beginning.
    case left = "Left"
    /// The end.
    case right = "Right"
  }

  /// How many tokens are left, those that are added among them.
  public var maxLength: Int
  /// Which of two texts is cut.
  public var strategy: Strategy
  /// How many tokens a piece of what is cut off has in common with the one before.
  public var stride: Int
  /// Where it is cut.
  public var side: Side

  /// Cuts to so many tokens.
  public init(maxLength: Int, strategy: Strategy = .longestFirst, stride: Int = 0, side: Side = .right) {
    self.maxLength = maxLength
    self.strategy = strategy
    self.stride = stride
    self.side = side
  }

  init(_ field: JSONField) throws(TokenizerFault) {
    self.init(
      maxLength: try field.required("max_length").count(),
      strategy: try field.choice("strategy", default: .longestFirst),
      stride: try field["stride"].map { field throws(TokenizerFault) in try field.count() } ?? 0,
      side: try field.choice("direction", default: .right))
  }

  /// Cuts one or two texts to which `added` tokens come.
  func apply(_ encodings: [Encoding], added: Int) throws(DiagnosticsError) -> [Encoding] {
    guard maxLength >= added else {
      throw DiagnosticsError("\(maxLength) tokens are too few for the \(added) that are added")
    }
    let limit = maxLength - added
    let lengths = encodings.map(\.count)
    let total = lengths.reduce(0, +)
    if limit == 0 { return try encodings.map { text throws(DiagnosticsError) in try cut(text, to: 0) } }
    guard total > limit else { return encodings }
    switch strategy {
    case .longestFirst where encodings.count == 2:
      var (short, long) = (lengths.min() ?? 0, lengths.max() ?? 0)
      long = short > limit ? short : max(short, limit - short)
      if short + long > limit { (short, long) = (limit / 2, limit / 2 + limit % 2) }
      let isSwapped = lengths[0] > lengths[1]
      return [
        try cut(encodings[0], to: isSwapped ? long : short), try cut(encodings[1], to: isSwapped ? short : long),
      ]
    case .longestFirst: return [try cut(encodings[0], to: limit)]
    case .onlyFirst, .onlySecond:
      let place = strategy == .onlyFirst ? 0 : 1
      guard encodings.count > place else { throw DiagnosticsError("there is no second text that could be cut") }
      let left = lengths[place] - (total - limit)
      guard left > 0 else {
        throw DiagnosticsError(
          "a text of \(lengths[place]) tokens is too short to cut \(total - limit) off",
          help: "cut the longest first, or leave more tokens")
      }
      var result = encodings
      result[place] = try cut(encodings[place], to: left)
      return result
    }
  }

  /// A text's first or last tokens; the others are pieces that overlap.
  private func cut(_ encoding: Encoding, to length: Int) throws(DiagnosticsError) -> Encoding {
    guard length < encoding.count else { return encoding }
    if length == 0 {
      var empty = Encoding()
      empty.overflowing = [encoding]
      return empty
    }
    guard stride >= 0, stride < length else {
      throw DiagnosticsError("a stride of \(stride) is not less than the \(length) tokens that are left")
    }
    var parts: [Range<Int>] = []
    switch side {
    case .right:
      var start = 0
      repeat {
        parts.append(start..<min(start + length, encoding.count))
        start += length - stride
      } while parts.last?.upperBound != encoding.count
    case .left:
      var end = encoding.count
      repeat {
        parts.append(max(0, end - length)..<end)
        end -= length - stride
      } while parts.last?.lowerBound != 0
    }
    var result = encoding.part(parts[0])
    result.overflowing = parts.dropFirst().map { encoding.part($0) }
    return result
  }
}

/// How texts that are too short are filled up.
public struct Padding: Hashable, Sendable {
  /// The length that texts are filled up to.
  public enum Length: Hashable, Sendable {
    /// That of the longest in the batch.
    case longest
    /// So many tokens.
    case fixed(Int)
  }

  /// The length that texts are filled up to.
  public var length: Length
  /// Where texts are filled up.
  public var side: Truncation.Side
  /// What the length is to be a multiple of.
  public var multiple: Int?
  /// The number of the token that fills up.
  public var padId: Int
  /// Its type.
  public var padTypeId: Int
  /// The token that fills up.
  public var padToken: String

  /// Fills texts up.
  public init(
    _ length: Length = .longest, side: Truncation.Side = .right, multiple: Int? = nil, padId: Int = 0,
    padTypeId: Int = 0, padToken: String = "[PAD]"
  ) {
    self.length = length
    self.side = side
    self.multiple = multiple
    self.padId = padId
    self.padTypeId = padTypeId
    self.padToken = padToken
  }

  init(_ field: JSONField) throws(TokenizerFault) {
    let strategy = try field.required("strategy")
    if strategy.isText {
      guard try strategy.text() == "BatchLongest" else { throw strategy.fault("is not BatchLongest or Fixed") }
      length = .longest
    } else {
      length = .fixed(try strategy.required("Fixed").count())
    }
    side = try field.choice("direction", default: .right)
    multiple = try field["pad_to_multiple_of"].map { field throws(TokenizerFault) in try field.count() }
    padId = try field.required("pad_id").count()
    padTypeId = try field.required("pad_type_id").count()
    padToken = try field.required("pad_token").text()
  }

  func apply(to encodings: inout [Encoding]) {
    var wanted =
      switch length {
      case .longest: encodings.map(\.count).max() ?? 0
      case .fixed(let count): count
      }
    if let multiple, multiple > 0, wanted % multiple > 0 { wanted += multiple - wanted % multiple }
    for place in encodings.indices {
      apply(to: &encodings[place], wanted)
    }
  }

  private func apply(to encoding: inout Encoding, _ wanted: Int) {
    for place in encoding.overflowing.indices { apply(to: &encoding.overflowing[place], wanted) }
    var filling = Encoding()
    for _ in 0..<max(0, wanted - encoding.count) {
      filling.append(id: padId, type: padTypeId, token: padToken, isSpecial: true, isAttended: false)
    }
    let overflowing = encoding.overflowing
    var (first, second) = side == .right ? (encoding, filling) : (filling, encoding)
    second.overflowing = []
    first.append(second)
    encoding = first
    encoding.overflowing = overflowing
  }
}

extension JSONField {
  /// A word of a few.
  fileprivate func choice<Choice: RawRepresentable>(
    _ name: String, default value: Choice
  ) throws(TokenizerFault) -> Choice where Choice.RawValue == String {
    guard let field = self[name] else { return value }
    guard let choice = Choice(rawValue: try field.text()) else {
      throw field.fault("'\(try field.text())' is not known")
    }
    return choice
  }
}
