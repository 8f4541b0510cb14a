/// An attribute of an operation as the text form writes it.
package enum Attribute: Hashable, Sendable {
  case integer(Int)
  case integers([Int])
  case dimensions([Dim])
  case flag(Bool)
  case word(String)
  case type(ScalarType)
  case array(NDArray)
  case graph(Graph)
}

/// The attributes of an operation being read from text, by name.
package struct Attributes: Sendable {
  package private(set) var values: [String: Attribute]

  package init(_ values: [String: Attribute]) {
    self.values = values
  }

  private func required<T>(_ name: String, _ kind: String, _ read: (Attribute) -> T?) throws(TypeFault) -> T {
    guard let attribute = values[name] else { throw TypeFault("attribute '\(name)' is missing") }
    guard let value = read(attribute) else { throw TypeFault("attribute '\(name)' is not \(kind)") }
    return value
  }

  package func integer(_ name: String) throws(TypeFault) -> Int {
    try required(name, "an integer") { if case .integer(let value) = $0 { value } else { nil } }
  }

  package func integers(_ name: String) throws(TypeFault) -> [Int] {
    try required(name, "a list of integers") {
      switch $0 {
      case .integers(let value): value
      case .dimensions(let value): value.known
      default: nil
      }
    }
  }

  package func dimensions(_ name: String) throws(TypeFault) -> [Dim] {
    try required(name, "a shape") {
      switch $0 {
      case .integers(let value): value.map { Dim($0) }
      case .dimensions(let value): value
      default: nil
      }
    }
  }

  package func flag(_ name: String) throws(TypeFault) -> Bool {
    try required(name, "true or false") { if case .flag(let value) = $0 { value } else { nil } }
  }

  package func word(_ name: String) throws(TypeFault) -> String {
    try required(name, "a word") { if case .word(let value) = $0 { value } else { nil } }
  }

  package func type(_ name: String) throws(TypeFault) -> ScalarType {
    try required(name, "a scalar type") {
      switch $0 {
      case .type(let value): value
      case .word(let word): ScalarType(rawValue: word)
      default: nil
      }
    }
  }

  package func array(_ name: String) throws(TypeFault) -> NDArray {
    try required(name, "a literal") { if case .array(let value) = $0 { value } else { nil } }
  }

  package func graph(_ name: String) throws(TypeFault) -> Graph {
    let graph = try required(name, "a function") { if case .graph(let value) = $0 { value } else { nil } }
    if graph.nodes.contains(where: \.operation.isExchange) { throw Exchange.insideFault }
    return graph
  }
}
