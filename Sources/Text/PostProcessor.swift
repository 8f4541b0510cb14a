import LatheCore

/// What is done to the tokens of a text, or of a pair: special ones are added.
struct PostProcessor: Sendable {
  /// A part of a template.
  enum Part: Sendable {
    /// One of the two texts, with the type of its tokens.
    case text(Int, type: Int)
    case special(ids: [Int], tokens: [String], type: Int)
  }

  private enum Step: Sendable {
    /// Leaves spaces out of offsets.
    case trimOffsets(hasPrefixSpace: Bool)
    case template(single: [Part], pair: [Part])
  }

  private var steps: [Step] = []

  init() {}

  init(single: [Part], pair: [Part]) { steps = [.template(single: single, pair: pair)] }

  init(_ field: JSONField) throws(TokenizerFault) { steps = try Self.steps(field) }

  private static func steps(_ field: JSONField) throws(TokenizerFault) -> [Step] {
    func trimming() throws(TokenizerFault) -> [Step] {
      guard try field.flag("trim_offsets", default: true) else { return [] }
      return [.trimOffsets(hasPrefixSpace: try field.flag("add_prefix_space", default: true))]
    }
    switch try field.type() {
    case "Sequence":
      var steps: [Step] = []
      for part in try field.required("processors").array() { steps += try Self.steps(part) }
      return steps
    case "ByteLevel": return try trimming()
    case "BertProcessing":
      let (first, last) = (try special(field.required("cls"), type: 0), try field.required("sep"))
      let end = try special(last, type: 0)
      return [
        .template(
          single: [first, .text(0, type: 0), end],
          pair: [first, .text(0, type: 0), end, .text(1, type: 1), try special(last, type: 1)])
      ]
    case "RobertaProcessing":
      let (first, last) = (try special(field.required("cls"), type: 0), try special(field.required("sep"), type: 0))
      return try trimming() + [
        .template(
          single: [first, .text(0, type: 0), last],
          pair: [first, .text(0, type: 0), last, last, .text(1, type: 0), last])
      ]
    case "TemplateProcessing":
      let specials = try field.required("special_tokens")
      func template(_ name: String) throws(TokenizerFault) -> [Part] {
        try field.required(name).array().map { part throws(TokenizerFault) in try Self.part(part, specials) }
      }
      return [.template(single: try template("single"), pair: try template("pair"))]
    case let type: throw field.fault("the post-processor '\(type)' is not supported")
    }
  }

  /// `["[SEP]", 102]`.
  private static func special(_ field: JSONField, type: Int) throws(TokenizerFault) -> Part {
    let pair = try field.array()
    guard pair.count == 2 else { throw field.fault("is not a token with its number") }
    return .special(ids: [try pair[1].count()], tokens: [try pair[0].text()], type: type)
  }

  private static func part(_ field: JSONField, _ specials: JSONField) throws(TokenizerFault) -> Part {
    if let text = field["Sequence"] {
      let name = try text.required("id").text()
      guard let place = ["A", "B"].firstIndex(of: name) else { throw text.fault("'\(name)' is not A or B") }
      return .text(place, type: try text.required("type_id").count())
    }
    let special = try field.required("SpecialToken")
    let token = try specials.required(special.required("id").text())
    let ids = try token.required("ids").array().map { id throws(TokenizerFault) in try id.count() }
    let tokens = try token.required("tokens").array().map { token throws(TokenizerFault) in try token.text() }
    guard ids.count == tokens.count else { throw token.fault("has not as many tokens as numbers") }
    return .special(ids: ids, tokens: tokens, type: try special.required("type_id").count())
  }

  /// How many tokens are added to one text, or to two.
  func addedCount(isPair: Bool) -> Int {
    steps.reduce(0) { count, step in
      guard case .template(let single, let pair) = step else { return count }
      return (isPair ? pair : single).reduce(count) { count, part in
        if case .special(let ids, _, _) = part { count + ids.count } else { count }
      }
    }
  }

  func apply(_ encodings: [Encoding], addSpecialTokens: Bool) -> Encoding {
    var encodings = encodings
    for step in steps {
      switch step {
      case .trimOffsets(let hasPrefixSpace):
        for place in encodings.indices { Self.trimOffsets(&encodings[place], hasPrefixSpace) }
      case .template(let single, let pair):
        encodings = [Self.fill(encodings.count == 2 ? pair : single, encodings, addSpecialTokens)]
      }
    }
    guard var result = encodings.first else { return Encoding() }
    if encodings.count == 2 {
      result.append(encodings[1])
      result.overflowing = []
    }
    return result
  }

  private static func fill(_ template: [Part], _ encodings: [Encoding], _ addSpecialTokens: Bool) -> Encoding {
    var result = Encoding()
    for part in template {
      switch part {
      case .text(let place, let type):
        guard place < encodings.count else { continue }
        var text = encodings[place]
        text.typeIds = text.typeIds.map { _ in type }
        result.append(text)
      case .special(let ids, let tokens, let type):
        guard addSpecialTokens else { continue }
        for (id, token) in zip(ids, tokens) { result.append(id: id, type: type, token: token, isSpecial: true) }
      }
    }
    // Of a pair, pieces that were cut off would be those of both; they are not kept.
    if encodings.count == 1 {
      result.overflowing = encodings[0].overflowing.map { fill(template, [$0], addSpecialTokens) }
    }
    return result
  }

  private static func trimOffsets(_ encoding: inout Encoding, _ hasPrefixSpace: Bool) {
    func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == ByteAlphabet.space || scalar.isSpace }
    for (place, token) in encoding.tokens.enumerated() {
      var range = encoding.offsets[place]
      var leading = token.unicodeScalars.prefix(while: isSpace).count
      let trailing = token.unicodeScalars.reversed().prefix(while: isSpace).count
      // A space that was put before the text is not in it; of several, none was put there.
      if leading == 1, hasPrefixSpace, place == 0 || range.lowerBound == 0 { leading = 0 }
      range = min(range.lowerBound + leading, range.upperBound)..<range.upperBound
      if trailing > 0, range.upperBound >= trailing {
        range = range.lowerBound..<max(range.upperBound - trailing, range.lowerBound)
      }
      encoding.offsets[place] = range
    }
    for place in encoding.overflowing.indices { trimOffsets(&encoding.overflowing[place], hasPrefixSpace) }
  }
}
