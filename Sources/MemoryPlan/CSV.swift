/// What is wrong with a line of a problem in CSV form.
public struct CSVFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of mistake.
  public enum Reason: Sendable, Hashable {
    /// There is no header line.
    case empty
    /// A header name is not one of those known.
    case unknownColumn(String)
    /// Two header names mean the same column.
    case duplicateColumn(String)
    /// A column that must be there is not.
    case missingColumn(String)
    /// The line has another number of fields than the header.
    case fieldCount(Int, expected: Int)
    /// A quoted field does not end on its line, or text follows its closing quote.
    case badQuote
    /// A field is not a decimal integer, or does not fit 64 bits.
    case notAnInteger(column: String, text: String)
    /// The lifetime ends before it begins.
    case backwards(lower: Int, upper: Int)
    /// Two lines have the same id.
    case duplicateID(String, firstLine: Int)
    /// The buffers are readable but make no sense.
    case problem(ProblemFault)
  }

  /// The line, counted from 1.
  public var line: Int

  /// The mistake.
  public var reason: Reason

  /// Creates a fault.
  public init(line: Int, reason: Reason) {
    self.line = line
    self.reason = reason
  }

  /// One line in the form `line 3: what is wrong`.
  public var description: String { "line \(line): \(reason)" }
}

extension CSVFault.Reason: CustomStringConvertible {
  /// The mistake in words, without the line.
  public var description: String {
    switch self {
    case .empty: "there is no header; expected for example 'id,lower,upper,size'"
    case .unknownColumn(let name): "unknown column '\(name)'; known are \(Column.spellings)"
    case .duplicateColumn(let name): "the column '\(name)' occurs twice"
    case .missingColumn(let name): "the column '\(name)' is missing"
    case .fieldCount(let count, let expected): "\(count) fields, but the header has \(expected)"
    case .badQuote: "a quoted field must end with a quote, followed by a comma or the end of the line"
    case .notAnInteger(let column, let text): "'\(text)' in column '\(column)' is not a 64-bit decimal integer"
    case .backwards(let lower, let upper): "the lifetime ends at \(upper), before it begins at \(lower)"
    case .duplicateID(let id, let firstLine): "the id '\(id)' is already that of line \(firstLine)"
    case .problem(let fault): fault.description
    }
  }
}

/// The columns of the CSV form.
private enum Column: String {
  case id, lower, upper, size, alignment, offset

  static let spellings =
    "id|buffer|buffer_id, lower|start|begin, upper|end (inclusive), size, alignment, offset"

  init?(header: String) {
    switch header.lowercased() {
    case "id", "buffer", "buffer_id": self = .id
    case "lower", "start", "begin": self = .lower
    case "upper", "end": self = .upper
    case "size": self = .size
    case "alignment": self = .alignment
    case "offset": self = .offset
    default: return nil
    }
  }
}

extension Problem {
  /// Reads a problem from CSV text in the form of the MiniMalloc benchmarks.
  ///
  /// The names in the first line decide the columns: `id` (or `buffer`, `buffer_id`), `lower` (`start`, `begin`), `upper`
  /// or, counted inclusively, `end`; `size`; and optionally `alignment` and `offset`. An `offset` fixes the buffer; where
  /// the field is empty the planner is free, and an empty `alignment` is 1. Empty lines are skipped.
  ///
  /// - Throws: ``CSVFault``, with the line of the first mistake.
  public init(csv text: String, capacity: Int? = nil) throws(CSVFault) {
    var header: Header?
    var buffers: [Buffer] = []
    var lines: [Int] = []
    var lineOfID: [String: Int] = [:]
    for (number, line) in Self.lines(of: text) {
      let fields = try Self.fields(of: line, number: number)
      guard let known = header else {
        header = try Header(fields, line: number)
        continue
      }
      let buffer = try known.buffer(fields, line: number)
      if let first = lineOfID.updateValue(number, forKey: buffer.id) {
        throw CSVFault(line: number, reason: .duplicateID(buffer.id, firstLine: first))
      }
      buffers.append(buffer)
      lines.append(number)
    }
    if header == nil { throw CSVFault(line: 1, reason: .empty) }
    do throws(ProblemFault) {
      try self.init(buffers: buffers, capacity: capacity)
    } catch {
      throw CSVFault(line: error.buffer.map { lines[$0] } ?? 1, reason: .problem(error))
    }
  }

  /// The problem as CSV text, with the offsets of a plan where one is given, else with the fixed ones.
  ///
  /// The columns `alignment` and `offset` are written only when they say something. Aliases have no CSV form.
  public func csv(offsets: [Int]? = nil) -> String {
    let aligned = buffers.contains { $0.alignment != 1 }
    let placed = offsets != nil || buffers.contains { $0.fixedOffset != nil }
    var text = "id,lower,upper,size" + (aligned ? ",alignment" : "") + (placed ? ",offset" : "") + "\n"
    for (index, buffer) in buffers.enumerated() {
      let span = buffer.lifetime
      text += "\(Self.quoted(buffer.id)),\(span.lowerBound),\(span.upperBound),\(buffer.size)"
      if aligned { text += ",\(buffer.alignment)" }
      if placed {
        let offset = offsets.flatMap { index < $0.count ? $0[index] : nil } ?? buffer.fixedOffset
        text += "," + (offset.map(String.init) ?? "")
      }
      text += "\n"
    }
    return text
  }

  // MARK: Lines and fields

  /// The lines that are not blank, with their numbers from 1; a line may end in CR LF, and a byte order mark is dropped.
  private static func lines(of text: String) -> [(number: Int, line: Substring.UTF8View)] {
    let bytes = text.hasPrefix("\u{FEFF}") ? text.utf8.dropFirst(3) : text.utf8[...]
    return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
      .compactMap { number, line in
        let line = trimmed(line)
        return line.isEmpty ? nil : (number + 1, line)
      }
  }

  private static func trimmed(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
  }

  /// The fields of a line: separated by commas, blanks around them dropped, a quoted one taken literally.
  private static func fields(of line: Substring.UTF8View, number: Int) throws(CSVFault) -> [String] {
    let (comma, quote) = (UInt8(ascii: ","), UInt8(ascii: "\""))
    var fields: [String] = []
    var rest = line
    while true {
      var start = rest.drop { $0 == 0x20 || $0 == 0x09 }
      if start.first == quote {
        var bytes: [UInt8] = []
        start.removeFirst()
        while true {
          guard let end = start.firstIndex(of: quote) else { throw CSVFault(line: number, reason: .badQuote) }
          bytes += start[..<end]
          start = start[start.index(after: end)...]
          guard start.first == quote else { break }
          // A doubled quote stands for one.
          bytes.append(quote)
          start.removeFirst()
        }
        fields.append(String(decoding: bytes, as: UTF8.self))
        rest = start.drop { $0 == 0x20 || $0 == 0x09 }
        if let next = rest.first, next != comma { throw CSVFault(line: number, reason: .badQuote) }
      } else {
        let end = start.firstIndex(of: comma) ?? start.endIndex
        fields.append(String(Substring(trimmed(start[..<end]))))
        rest = start[end...]
      }
      guard rest.first == comma else { return fields }
      rest.removeFirst()
    }
  }

  private static func quoted(_ id: String) -> String {
    let special = id.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 <= 0x20 }
    if !special && !id.isEmpty { return id }
    // By scalars: a quote with a combining mark is one character, and no quote.
    return "\"" + id.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
  }
}

/// The meaning of each field of a line.
private struct Header {
  private let position: [Column: Int]
  private let names: [String]
  /// 1 where the last step is given instead of the one after it.
  private let upperIsInclusive: Bool

  init(_ names: [String], line: Int) throws(CSVFault) {
    var position: [Column: Int] = [:]
    for (index, name) in names.enumerated() {
      guard let column = Column(header: name) else { throw CSVFault(line: line, reason: .unknownColumn(name)) }
      if position.updateValue(index, forKey: column) != nil {
        throw CSVFault(line: line, reason: .duplicateColumn(column.rawValue))
      }
    }
    for column in [Column.id, .lower, .upper, .size] where position[column] == nil {
      throw CSVFault(line: line, reason: .missingColumn(column.rawValue))
    }
    self.position = position
    self.names = names
    upperIsInclusive = position[.upper].map { names[$0].lowercased() == "end" } ?? false
  }

  func buffer(_ fields: [String], line: Int) throws(CSVFault) -> Buffer {
    if fields.count != names.count {
      throw CSVFault(line: line, reason: .fieldCount(fields.count, expected: names.count))
    }
    func text(_ column: Column) -> String { position[column].map { fields[$0] } ?? "" }
    func integer(_ column: Column) throws(CSVFault) -> Int {
      guard let value = Int(text(column)) else {
        let name = position[column].map { names[$0] } ?? column.rawValue
        throw CSVFault(line: line, reason: .notAnInteger(column: name, text: text(column)))
      }
      return value
    }
    let lower = try integer(.lower)
    let (upper, overflow) = try integer(.upper).addingReportingOverflow(upperIsInclusive ? 1 : 0)
    if overflow { throw CSVFault(line: line, reason: .notAnInteger(column: "end", text: text(.upper))) }
    if upper < lower { throw CSVFault(line: line, reason: .backwards(lower: lower, upper: upper)) }
    return Buffer(
      id: text(.id), lifetime: lower..<upper, size: try integer(.size),
      alignment: text(.alignment).isEmpty ? 1 : try integer(.alignment),
      fixedOffset: text(.offset).isEmpty ? nil : try integer(.offset))
  }
}
