/// The canonical text form of a graph, which `Graph(parsing:)` reads back to an equal graph.
///
///     func main(%x: f32[N,64]) -> (%logits: f32[N,10]) {
///       var @fc.weight: f32[10,64] parameter = base64"…"
///       %0 = dot %x, @fc.weight {left_batch: [], …} : f32[N,10]  // in mlp.fc
///       return %0
///     }
///
/// Sources (inputs, variables) are named in the head and the `var` lines; every other node is one line, with the types
/// of its results. Trailing comments say where nodes come from.
extension Graph: CustomStringConvertible {
  /// The canonical, exact text, literals included.
  public var text: String { print(elidingLiteralsAbove: nil) }

  /// The text for people: large literals are left out, so that it does not parse back where there are any.
  public var description: String { print(elidingLiteralsAbove: 64) }

  /// The text form.
  ///
  /// - Parameter limit: Literals of more elements are written as `<n elements>`; nil writes all of them.
  public func print(elidingLiteralsAbove limit: Int?) -> String {
    var printer = Printer(limit: limit)
    printer.write(self, indent: "")
    return printer.text + "\n"
  }
}

/// The canonical text form of a model, which `Model(parsing:)` reads back to an equal model.
///
///     model counter {
///       var @count: i64[] buffer = 0
///
///       func step() -> (%count: i64[]) {
///         …
///       }
///     }
///
/// Variables are declared once, before the functions. A model that is one function of its own name is written as that
/// function alone.
extension Model: CustomStringConvertible {
  /// The canonical, exact text, literals included.
  public var text: String { print(elidingLiteralsAbove: nil) }

  /// The text for people: large literals are left out, so that it does not parse back where there are any.
  public var description: String { print(elidingLiteralsAbove: 64) }

  /// The text form.
  ///
  /// - Parameter limit: Literals of more elements are written as `<n elements>`; nil writes all of them.
  public func print(elidingLiteralsAbove limit: Int?) -> String {
    if functions.count == 1, functions[0].name == name { return functions[0].print(elidingLiteralsAbove: limit) }
    var printer = Printer(limit: limit)
    printer.write(self)
    return printer.text + "\n"
  }
}

private struct Printer {
  let limit: Int?
  var text = ""

  /// The names of a graph's values: inputs and variables by name, results of nodes numbered in order.
  private func names(_ graph: Graph) -> [Value: String] {
    var names: [Value: String] = [:]
    var count = 0
    for (position, node) in graph.nodes.enumerated() {
      switch node.operation {
      case .input(let input): names[Value(node: position)] = "%" + TextName.quoted(input.argument)
      case .variable(let read): names[Value(node: position)] = "@" + TextName.quoted(read.variable)
      default:
        for result in node.types.indices {
          names[Value(node: position, result: result)] = "%\(count)"
          count += 1
        }
      }
    }
    return names
  }

  mutating func write(_ model: Model) {
    text += "model \(TextName.quoted(model.name)) {\n"
    for variable in model.variables { write(variable, indent: "  ") }
    for (position, function) in model.functions.enumerated() {
      text += position == 0 && model.variables.isEmpty ? "  " : "\n  "
      write(function, indent: "  ", declaresVariables: false)
      text += "\n"
    }
    text += "}"
  }

  private mutating func write(_ variable: Variable, indent: String) {
    text += "\(indent)var @\(TextName.quoted(variable.name)): \(variable.type.text) \(variable.role.rawValue) = "
    text += literal(variable.initial) + "\n"
  }

  /// - Parameter declaresVariables: Whether the function is all there is, and not one of a model.
  mutating func write(_ graph: Graph, indent: String, declaresVariables: Bool = true) {
    let names = names(graph)
    func name(_ value: Value) -> String { names[value] ?? "%?" }
    let inputs = graph.inputs.map { "\(name($0)): \(graph.type(of: $0).text)" }
    let outputs = graph.outputs.map { "%\(TextName.quoted($0.name)): \(graph.type(of: $0).text)" }
    text += "func \(TextName.quoted(graph.name))(\(inputs.joined(separator: ", ")))"
    text += " -> (\(outputs.joined(separator: ", "))) {\n"
    let inner = indent + "  "
    if declaresVariables { for variable in graph.variables { write(variable, indent: inner) } }
    for (position, node) in graph.nodes.enumerated() {
      switch node.operation {
      case .input, .variable: continue
      default: write(node, position, graph, indent: inner, name: name)
      }
    }
    for update in graph.updates {
      text += "\(inner)update @\(TextName.quoted(update.variable)) = \(name(update.value))\n"
    }
    let results = graph.outputs.map { name($0.value) }
    text += inner + (["return"] + (results.isEmpty ? [] : [results.joined(separator: ", ")])).joined(separator: " ")
    text += "\n\(indent)}"
  }

  private mutating func write(
    _ node: Node, _ position: Int, _ graph: Graph, indent: String, name: (Value) -> String
  ) {
    let results = node.types.indices.map { name(Value(node: position, result: $0)) }
    text += "\(indent)\(results.joined(separator: ", "))\(results.isEmpty ? "" : " ")= \(node.operation.name)"
    if case .constant(let constant) = node.operation {
      text += " " + literal(constant.array)
    } else {
      if !node.operands.isEmpty { text += " " + node.operands.map(name).joined(separator: ", ") }
      write(node.operation.definition.attributes, indent: indent)
    }
    text += " : " + node.types.map(\.text).joined(separator: ", ")
    let comment = TextComment.text(graph.locations[position])
    if !comment.isEmpty { text += "  // " + comment }
    text += "\n"
  }

  private mutating func write(_ attributes: [(name: String, value: Attribute)], indent: String) {
    if attributes.isEmpty { return }
    let isNested = attributes.contains { if case .graph = $0.value { true } else { false } }
    let separator = isNested ? "\n\(indent)  " : ""
    text += " {" + separator
    for (position, attribute) in attributes.enumerated() {
      if position > 0 { text += isNested ? "," + separator : ", " }
      text += attribute.name + ": "
      switch attribute.value {
      case .integer(let value): text += String(value)
      case .integers(let values): text += "[" + values.map(String.init).joined(separator: ", ") + "]"
      case .dimensions(let shape): text += "[" + shape.map(\.text).joined(separator: ", ") + "]"
      case .flag(let value): text += String(value)
      case .word(let word): text += TextName.quoted(word)
      case .type(let type): text += type.rawValue
      case .array(let array): text += "\(array.type.text) \(literal(array))"
      case .graph(let graph): write(graph, indent: indent + "  ")
      }
    }
    text += isNested ? "\n\(indent)}" : "}"
  }

  private func literal(_ array: NDArray) -> String {
    if let limit, array.count > limit { return "<\(array.count) elements>" }
    return TextLiteral.text(array)
  }
}

/// Names of values, variables, functions and symbols: bare where they are identifiers, else quoted.
enum TextName {
  static func isIdentifier(_ name: String) -> Bool {
    guard let first = name.utf8.first, isStart(first) else { return false }
    return name.utf8.allSatisfy(isInner)
  }

  /// Whether an identifier may begin with this character.
  static func isStart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// Whether an identifier may go on with this character.
  static func isInner(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): true
    default: isStart(byte)
    }
  }

  static func quoted(_ name: String) -> String { isIdentifier(name) ? name : string(name) }

  /// A string literal: control characters, quotes and backslashes are escaped, so that it stays on one line.
  static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
