import Foundation
import LatheCore

/// What is done to a text before it is divided.
indirect enum Normalizer: Sendable {
  case sequence([Normalizer])
  case form(NormalizationForm)
  case bert(cleans: Bool, separatesIdeographs: Bool, stripsAccents: Bool, lowercases: Bool)
  case lowercase
  case strip(left: Bool, right: Bool)
  case stripAccents
  case nmt
  case characterMap(CharacterMap)
  case replace(TextPattern, [Unicode.Scalar])
  case prepend([Unicode.Scalar])
  case byteLevel

  init(_ field: JSONField) throws(TokenizerFault) {
    switch try field.type() {
    case "Sequence":
      self = .sequence(
        try field.required("normalizers").array().map { field throws(TokenizerFault) in try Normalizer(field) })
    case "BertNormalizer":
      let lowercases = try field.flag("lowercase", default: true)
      self = .bert(
        cleans: try field.flag("clean_text", default: true),
        separatesIdeographs: try field.flag("handle_chinese_chars", default: true),
        stripsAccents: try field.flag("strip_accents", default: lowercases), lowercases: lowercases)
    case "Lowercase": self = .lowercase
    case "Strip":
      self = .strip(
        left: try field.flag("strip_left", default: true), right: try field.flag("strip_right", default: true))
    case "StripAccents": self = .stripAccents
    case "Nmt": self = .nmt
    case "Precompiled":
      let table = try field.required("precompiled_charsmap")
      guard let data = Data(base64Encoded: try table.text()) else { throw table.fault("is not in base 64") }
      self = .characterMap(try CharacterMap([UInt8](data)))
    case "Replace":
      self = .replace(
        try TextPattern(field.required("pattern")), Array(try field.required("content").text().unicodeScalars))
    case "Prepend": self = .prepend(Array(try field.required("prepend").text().unicodeScalars))
    case "ByteLevel": self = .byteLevel
    case let type:
      guard let form = NormalizationForm(rawValue: type) else {
        throw field.fault("the normalizer '\(type)' is not supported")
      }
      self = .form(form)
    }
  }

  func apply(to text: inout AlignedText) throws(DiagnosticsError) {
    switch self {
    case .sequence(let parts): for part in parts { try part.apply(to: &text) }
    case .form(let form): form.apply(to: &text)
    case .bert(let cleans, let separatesIdeographs, let stripsAccents, let lowercases):
      if cleans {
        text.filter { $0.value != 0 && $0.value != 0xfffd && !$0.isBERTControl }
        text.map { $0.isSpace ? " " : $0 }
      }
      if separatesIdeographs { text.expand { $0.isBERTIdeograph ? [" ", $0, " "] : [$0] } }
      if stripsAccents {
        NormalizationForm.nfd.apply(to: &text)
        text.filter { !$0.isBERTAccent }
      }
      if lowercases { text.expand(\.lowercased) }
    case .lowercase: text.expand(\.lowercased)
    case .strip(let left, let right):
      let first = left ? text.scalars.firstIndex { !$0.isSpace } ?? text.scalars.count : 0
      let end = right ? (text.scalars.lastIndex { !$0.isSpace } ?? -1) + 1 : text.scalars.count
      text.keep(first..<max(first, end))
    case .stripAccents: text.filter { !$0.isAccent }
    case .nmt:
      text.filter {
        switch $0.value {
        case 0x01...0x08, 0x0b, 0x0e...0x1f, 0x7f, 0x8f, 0x9f: false
        default: true
        }
      }
      text.map {
        switch $0.value {
        case 0x09, 0x0a, 0x0c, 0x0d, 0x1680, 0x200b...0x200f, 0x2028, 0x2029, 0x2581, 0xfeff, 0xfffd: " "
        default: $0
        }
      }
    case .characterMap(let map): map.apply(to: &text)
    case .replace(let pattern, let content): text.replace(try pattern.matches(in: text.scalars), with: content)
    case .prepend(let prefix): text.prepend(prefix)
    case .byteLevel: text.expand { ByteAlphabet.scalars(of: $0) }
    }
  }
}

extension Unicode.Scalar {
  fileprivate var lowercased: [Unicode.Scalar] {
    value < 0x80
      ? [(0x41...0x5a).contains(value) ? Unicode.Scalar(UInt8(value) + 32) : self]
      : Array(properties.lowercaseMapping.unicodeScalars)
  }
}

/// A pattern in a file: a text as it is, or a regular expression.
enum TextPattern: Sendable {
  case text([Unicode.Scalar])
  case expression(Pattern)

  /// `{"String": "x"}` or `{"Regex": "x+"}`.
  init(_ field: JSONField) throws(TokenizerFault) {
    if let expression = field["Regex"] {
      do throws(TokenizerFault) { self = .expression(try Pattern(expression.text())) } catch {
        throw expression.fault(error.message)
      }
    } else {
      self = .text(Array(try field.required("String").text().unicodeScalars))
    }
  }

  func matches(in text: [Unicode.Scalar]) throws(DiagnosticsError) -> [Range<Int>] {
    switch self {
    case .expression(let pattern): return try pattern.matches(in: text)
    case .text(let wanted):
      var found: [Range<Int>] = []
      guard let first = wanted.first else { return found }
      var position = 0
      while position + wanted.count <= text.count {
        if text[position] == first, text[position...].starts(with: wanted) {
          found.append(position..<position + wanted.count)
          position += wanted.count
        } else {
          position += 1
        }
      }
      return found
    }
  }
}

/// The characters that stand for bytes in byte-level vocabularies: visible ones for all 256.
enum ByteAlphabet {
  private static let table: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) in
      let isVisible = (0x21...0x7e).contains(byte) || (0xa1...0xac).contains(byte) || (0xae...0xff).contains(byte)
      defer { if !isVisible { next += 1 } }
      return Unicode.Scalar(isVisible ? byte : next) ?? internalError("no scalar \(next)")
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: table.enumerated().map { ($1, UInt8($0)) })

  /// What stands for a space.
  static let space = table[0x20]

  static func scalars(of scalar: Unicode.Scalar) -> [Unicode.Scalar] { String(scalar).utf8.map { table[Int($0)] } }

  /// The bytes that a text stands for; those of the text itself where it has other characters.
  static func bytes(of text: String) -> [UInt8] {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar] else { return Array(text.utf8) }
      result.append(byte)
    }
    return result
  }
}
