internal import LatheCore

/// The parameters of an overload of an ATen operator, as PyTorch declares them.
struct Schema: Sendable {
  struct Parameter: Sendable {
    let name: String
    /// What stands for an argument that is left out; nil where none is needed, or one must be given.
    let fallback: Argument?
    /// Whether the results are in the argument's memory.
    let isShared: Bool
    /// Whether the argument is written to.
    let isWritten: Bool
  }

  let parameters: [Parameter]

  /// The schemas by the names of overloads: `add_.Tensor`, and `relu` of the one without a name.
  static let all: [String: Schema] = text.split(separator: "\n").reduce(into: [:]) { table, line in
    let words = line.split(separator: " ")
    table[String(words[0])] = Schema(parameters: words.dropFirst().map { Parameter($0) })
  }

  subscript(name: String) -> Parameter? { parameters.first { $0.name == name } }
}

extension Schema.Parameter {
  /// Reads `dim`, `self!` and `alpha=1`.
  fileprivate init(_ text: Substring) {
    let parts = text.split(separator: "=", maxSplits: 1)
    isShared = parts[0].hasSuffix("&")
    isWritten = parts[0].hasSuffix("!")
    name = String(isShared || isWritten ? parts[0].dropLast() : parts[0])
    fallback = parts.count > 1 ? Argument(literal: parts[1]) : nil
  }
}

extension Argument {
  /// What a default of a schema says: a truth value, a number, a list of integers or a quoted word.
  fileprivate init(literal text: Substring) {
    if text.hasPrefix("[") {
      self = .integers(text.dropFirst().dropLast().split(separator: ",").compactMap { Int($0) })
    } else if text.hasPrefix("\"") {
      self = .string(String(text.dropFirst().dropLast()))
    } else if text == "true" || text == "false" {
      self = .bool(text == "true")
    } else if let integer = Int(text) {
      self = .integer(integer)
    } else if let number = Double(text) {
      self = .float(number)
    } else {
      internalError("'\(text)' is no default of a schema")
    }
  }

  /// Whether an argument says the same as a default does; a number stands for a list of equal ones.
  func isSame(as other: Argument) -> Bool {
    if case (.string(let word), .string(let same)) = (self, other) { return word == same }
    guard let numbers, let others = other.numbers else { return false }
    return numbers == others || (others.count == 1 && numbers.allSatisfy { $0 == others[0] })
  }

  private var numbers: [Double]? {
    switch self {
    case .bool(let value): [value ? 1 : 0]
    case .integer(let value): [Double(value)]
    case .integers(let values): values.map { Double($0) }
    case .float(let value): [value]
    case .floats(let values): values
    default: nil
    }
  }
}
