/// Words by their scalars, so that all prefixes of a text that are words are found in one walk.
///
/// Words are compared scalar by scalar; `String` would take "é" and "e" with an accent for one.
struct Trie: Sendable {
  /// The node of a node and a scalar.
  private var edges: [UInt64: Int32] = [:]
  /// The word that ends at each node, -1 where none does.
  private var values: [Int32] = [-1]

  static let root = 0

  func child(_ node: Int, _ scalar: Unicode.Scalar) -> Int? {
    edges[UInt64(node) << 32 | UInt64(scalar.value)].map { Int($0) }
  }

  /// The node to which scalars lead.
  func node(_ scalars: some Sequence<Unicode.Scalar>) -> Int? {
    var node = Self.root
    for scalar in scalars {
      guard let next = child(node, scalar) else { return nil }
      node = next
    }
    return node
  }

  /// The word that ends at a node.
  subscript(node: Int) -> Int? { values[node] < 0 ? nil : Int(values[node]) }

  func value(_ word: some Sequence<Unicode.Scalar>) -> Int? { node(word).flatMap { self[$0] } }

  mutating func insert(_ word: some Sequence<Unicode.Scalar>, _ value: Int) {
    var node = Self.root
    for scalar in word {
      let edge = UInt64(node) << 32 | UInt64(scalar.value)
      if let next = edges[edge] {
        node = Int(next)
      } else {
        edges[edge] = Int32(values.count)
        node = values.count
        values.append(-1)
      }
    }
    values[node] = Int32(value)
  }

  /// The longest word that begins at a place.
  func longest(in text: [Unicode.Scalar], at start: Int, from root: Int = Trie.root) -> (value: Int, end: Int)? {
    var found: (value: Int, end: Int)?
    var node = root
    for position in start..<text.count {
      guard let next = child(node, text[position]) else { break }
      node = next
      if let value = self[node] { found = (value, position + 1) }
    }
    return found
  }
}

/// The pieces that a model knows, and their numbers.
struct Vocabulary: Sendable {
  private(set) var trie = Trie()
  private var texts: [Int: String] = [:]

  var count: Int { texts.count }

  /// The number of a piece.
  subscript(piece: some Sequence<Unicode.Scalar>) -> Int? { trie.value(piece) }
  subscript(piece: String) -> Int? { trie.value(piece.unicodeScalars) }

  /// The piece of a number.
  subscript(id: Int) -> String? { texts[id] }

  var all: [(piece: String, id: Int)] { texts.map { ($0.value, $0.key) } }

  mutating func insert(_ piece: String, _ id: Int) {
    trie.insert(piece.unicodeScalars, id)
    texts[id] = piece
  }
}
