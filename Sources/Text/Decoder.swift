import LatheCore

/// What makes a text of tokens again.
indirect enum Decoder: Sendable {
  case sequence([Decoder])
  case byteLevel
  case wordPiece(prefix: String, cleansUp: Bool)
  case metaspace(Unicode.Scalar, PreTokenizer.Prepending)
  case bpe(suffix: String)
  case byteFallback
  case fuse
  case strip(Unicode.Scalar, start: Int, stop: Int)
  case replace(TextPattern, String)
  case ctc(pad: String, delimiter: String, cleansUp: Bool)

  init(_ field: JSONField) throws(TokenizerFault) {
    switch try field.type() {
    case "Sequence":
      self = .sequence(
        try field.required("decoders").array().map { field throws(TokenizerFault) in try Decoder(field) })
    case "ByteLevel": self = .byteLevel
    case "WordPiece":
      self = .wordPiece(
        prefix: try field.required("prefix").text(), cleansUp: try field.flag("cleanup", default: true))
    case "Metaspace":
      let (scalar, prepending) = try PreTokenizer.metaspace(field)
      self = .metaspace(scalar, prepending)
    case "BPEDecoder": self = .bpe(suffix: try field.required("suffix").text())
    case "ByteFallback": self = .byteFallback
    case "Fuse": self = .fuse
    case "Strip":
      self = .strip(
        try field.required("content").scalar(), start: try field.required("start").count(),
        stop: try field.required("stop").count())
    case "Replace":
      self = .replace(try TextPattern(field.required("pattern")), try field.required("content").text())
    case "CTC":
      self = .ctc(
        pad: try field.required("pad_token").text(), delimiter: try field.required("word_delimiter_token").text(),
        cleansUp: try field.flag("cleanup", default: true))
    case let type: throw field.fault("the decoder '\(type)' is not supported")
    }
  }

  /// The tokens as pieces of the text.
  func apply(to tokens: [String]) throws(DiagnosticsError) -> [String] {
    switch self {
    case .sequence(let parts):
      var tokens = tokens
      for part in parts { tokens = try part.apply(to: tokens) }
      return tokens
    case .byteLevel: return [String(decoding: tokens.flatMap { ByteAlphabet.bytes(of: $0) }, as: UTF8.self)]
    case .wordPiece(let prefix, let cleansUp):
      return tokens.enumerated().map { place, token in
        let isInside = token.unicodeScalars.starts(with: prefix.unicodeScalars)
        let text =
          place == 0
          ? token
          : isInside ? String(token.unicodeScalars.dropFirst(prefix.unicodeScalars.count)) : " " + token
        return cleansUp ? Self.cleanedUp(text) : text
      }
    case .metaspace(let scalar, let prepending):
      return tokens.enumerated().map { place, token in
        String(
          token.unicodeScalars.compactMap { part -> Unicode.Scalar? in
            part != scalar ? part : place == 0 && prepending != .never ? nil : " "
          })
      }
    case .bpe(let suffix):
      return tokens.enumerated().map { place, token in
        token.replacingScalars(suffix, with: place == tokens.count - 1 ? "" : " ")
      }
    case .byteFallback: return Self.joiningBytes(tokens)
    case .fuse: return [tokens.joined()]
    case .strip(let scalar, let start, let stop):
      return tokens.map { token in
        let scalars = Array(token.unicodeScalars)
        let first = scalars.prefix(start).prefix { $0 == scalar }.count
        let last = scalars.count - scalars.suffix(stop).reversed().prefix { $0 == scalar }.count
        return String(scalars[first..<max(first, last)])
      }
    case .replace(let pattern, let content):
      return try tokens.map { token throws(DiagnosticsError) in
        var text = AlignedText(token)
        text.replace(try pattern.matches(in: text.scalars), with: Array(content.unicodeScalars))
        return text.text
      }
    case .ctc(let pad, let delimiter, let cleansUp):
      var kept: [String] = []
      for (place, token) in tokens.enumerated() where place == 0 || !token.isIdentical(to: tokens[place - 1]) {
        var text = token.replacingScalars(pad, with: "")
        if cleansUp { text = Self.cleanedUp(text).replacingScalars(delimiter, with: " ") }
        if !text.isEmpty { kept.append(text) }
      }
      return kept
    }
  }

  /// English as it is written: no space before a full stop, and none in "don't".
  private static func cleanedUp(_ text: String) -> String {
    [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
      (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].reduce(text) { $0.replacingScalars($1.0, with: $1.1) }
  }

  private static func joiningBytes(_ tokens: [String]) -> [String] {
    var result: [String] = []
    var bytes: [UInt8] = []
    func flush() {
      guard !bytes.isEmpty else { return }
      if let text = String(validating: bytes, as: UTF8.self) {
        result.append(text)
      } else {
        result += bytes.map { _ in "\u{fffd}" }
      }
      bytes = []
    }
    for token in tokens {
      if let byte = ByteFallback.byte(of: token) {
        bytes.append(byte)
      } else {
        flush()
        result.append(token)
      }
    }
    flush()
    return result
  }
}

extension String {
  /// The text with others in the place of parts, which are found by scalars.
  fileprivate func replacingScalars(_ part: String, with other: String) -> String {
    guard utf8.count >= part.utf8.count, !part.isEmpty else { return self }
    let ranges = (try? TextPattern.text(Array(part.unicodeScalars)).matches(in: Array(unicodeScalars))) ?? []
    guard !ranges.isEmpty else { return self }
    var text = AlignedText(self)
    text.replace(ranges, with: Array(other.unicodeScalars))
    return text.text
  }
}
