import Foundation

/// Literals in the text form: exact to the last bit.
///
/// One number stands for every element; up to 16 elements are listed in row-major order; more are base64 of their
/// little-endian bytes, and so are the few that numbers cannot say, such as NaNs with a payload.
enum TextLiteral {
  /// The longest list of numbers.
  private static let listLimit = 16

  static func text(_ array: NDArray) -> String {
    guard let first = array.first else { return "[]" }
    if isSplat(array) {
      let element = text(first, array.dtype)
      if NDArray(scalar: first, dtype: array.dtype).bytes == Array(array.bytes.prefix(array.dtype.byteCount)),
        value(element, array.dtype) == first
      {
        return element
      }
    } else if array.count <= listLimit {
      let elements = array.values.map { text($0, array.dtype) }
      let read = NDArray(dtype: array.dtype, values: elements.compactMap { value($0, array.dtype) })
      if read.bytes == array.bytes {
        return "[" + elements.joined(separator: ", ") + "]"
      }
    }
    return "base64\"" + Data(array.bytes).base64EncodedString() + "\""
  }

  private static func isSplat(_ array: NDArray) -> Bool {
    let size = array.dtype.byteCount
    return array.withUnsafeBytes { raw in (size..<max(size, raw.count)).allSatisfy { raw[$0] == raw[$0 - size] } }
  }

  /// The shortest decimal that reads back as the same number.
  private static func text(_ value: ScalarValue, _ type: ScalarType) -> String {
    switch (type, value) {
    case (.f64, .float(let x)): x.description
    case (_, .float(let x)): Float(x).description
    case (.bool, .integer(let x)): x == 0 ? "false" : "true"
    case (.u64, .integer(let x)): UInt(bitPattern: x).description
    case (_, .integer(let x)): x.description
    }
  }

  /// The text of one number; the bits of a float that decimals cannot say.
  static func exactText(_ value: ScalarValue, _ type: ScalarType) -> String {
    let text = text(value, type)
    if case .float(let float) = value, self.value(text, type) != value {
      return "0x" + String(float.bitPattern, radix: 16)
    }
    return text
  }

  /// What `exactText` has written; nil for anything else.
  static func exactValue(_ text: String, _ type: ScalarType) -> ScalarValue? {
    guard type.isFloat, text.hasPrefix("0x") else { return value(text, type) }
    return UInt64(text.dropFirst(2), radix: 16).map { .float(Double(bitPattern: $0)) }
  }

  /// The number that a text means, or nil when it is none of the type's.
  static func value(_ text: String, _ type: ScalarType) -> ScalarValue? {
    switch type {
    case .f64: return Double(text).map { .float($0) }
    // 16-bit floats go through `f32` as they do everywhere, so that decimals are rounded once by `Float` itself.
    case .f32, .f16, .bf16: return Float(text).map { type.rounded(.float(Double($0))) }
    case .bool: return text == "true" ? .integer(1) : text == "false" ? .integer(0) : nil
    case .u64: return UInt(text).map { .integer(Int(bitPattern: $0)) }
    case _ where type.isFloat: return Float(text).map { type.rounded(.float(Double($0))) }
    default:
      guard let integer = Int(text), type.rounded(.integer(integer)) == .integer(integer) else { return nil }
      return .integer(integer)
    }
  }

  /// The bytes that a base64 text means, or nil when it is none.
  static func bytes(_ text: some Collection<UInt8>) -> [UInt8]? {
    Data(base64Encoded: Data(text)).map { [UInt8]($0) }
  }
}

/// Locations as trailing comments: `// model.swift:12:5 in encoder.layers.0 node "Gemm_3" by Gemm call 7`.
enum TextComment {
  static func text(_ location: Location) -> String {
    var parts: [String] = []
    if let position = location.position {
      parts.append(location.line == nil ? "file " + TextName.string(position) : position)
    }
    if let path = location.modulePath {
      parts.append("in " + (path.contains(where: needsQuotes) ? TextName.string(path) : path))
    }
    if let node = location.node { parts.append("node " + TextName.string(node)) }
    if let call = location.call {
      let function = call.function.contains(where: needsQuotes) ? TextName.string(call.function) : call.function
      parts.append("by \(function) call \(call.number)")
    }
    return parts.joined(separator: " ")
  }

  private static func needsQuotes(_ character: Character) -> Bool {
    character.isWhitespace || character == "\"" || character.isNewline
  }

  /// The location that a comment says; nil for any other comment.
  static func location(_ text: String) -> Location? {
    var rest = text[...].drop { $0 == " " }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    var location = Location()
    guard var words = words(String(rest)) else { return nil }
    func take(_ keyword: String) -> String? {
      guard words.count >= 2, words[words.count - 2] == keyword else { return nil }
      defer { words.removeLast(2) }
      return words.last
    }
    if let number = take("call").flatMap({ Int($0) }) {
      guard let function = take("by") else { return nil }
      location.call = Location.Call(function, number: number)
    }
    location.node = take("node")
    location.modulePath = take("in")
    location.file = take("file")
    if !words.isEmpty {
      // Paths may contain spaces; what is left must end in `:line` or `:line:column`.
      let parts = words.joined(separator: " ").split(separator: ":", omittingEmptySubsequences: false)
      guard location.file == nil, parts.count > 1, let last = Int(parts[parts.count - 1]), last > 0 else { return nil }
      if parts.count > 2, let line = Int(parts[parts.count - 2]), line > 0 {
        (location.line, location.column) = (line, last)
      } else {
        location.line = last
      }
      location.file = parts.dropLast(location.column == nil ? 1 : 2).joined(separator: ":")
    }
    return location.isEmpty ? nil : location
  }

  /// The words of a comment, strings unescaped; nil where a string does not end.
  private static func words(_ text: String) -> [String]? {
    var words: [String] = []
    let bytes = Array(text.utf8)
    var position = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: " ") {
        position += 1
      } else if bytes[position] == UInt8(ascii: "\"") {
        guard let (string, end) = TextString.read(bytes, from: position) else { return nil }
        words.append(string)
        position = end
      } else {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: " ")) ?? bytes.count
        words.append(String(decoding: bytes[position..<end], as: UTF8.self))
        position = end
      }
    }
    return words
  }
}

/// Reading of string literals.
enum TextString {
  /// The string literal that begins with the quote at `start`, and where it ends; nil when it does not end on its line
  /// or has an unknown escape.
  static func read(_ bytes: [UInt8], from start: Int) -> (text: String, end: Int)? {
    var result: [UInt8] = []
    var position = start + 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""): return (String(decoding: result, as: UTF8.self), position + 1)
      case UInt8(ascii: "\n"): return nil
      case UInt8(ascii: "\\"):
        guard position + 1 < bytes.count else { return nil }
        position += 1
        switch bytes[position] {
        case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(bytes[position])
        case UInt8(ascii: "u"):
          guard let close = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: "}")), close > position + 2,
            let code = UInt32(String(decoding: bytes[(position + 2)..<close], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
          else { return nil }
          result += Array(String(scalar).utf8)
          position = close
        default: return nil
        }
      default: result.append(bytes[position])
      }
      position += 1
    }
    return nil
  }
}
