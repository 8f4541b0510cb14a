/// Where a node of the graph comes from: a Swift source line, a node of an imported file, a line of text, a module path.
public struct Location: Hashable, Sendable {
  /// The file that a person would open: a Swift source, a model file, a `.lathe` text.
  public var file: String?
  /// One-based line in `file`.
  public var line: Int?
  /// One-based column in `line`.
  public var column: Int?
  /// The path of the layer that was being traced, `encoder.layers.2.attention`.
  public var modulePath: String?
  /// The node's name in the imported file.
  public var node: String?

  /// What is known of a place.
  public init(
    file: String? = nil, line: Int? = nil, column: Int? = nil, modulePath: String? = nil, node: String? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.modulePath = modulePath
    self.node = node
  }

  /// Whether nothing is known.
  public var isEmpty: Bool { self == Location() }

  /// `file:line:column`, as far as known.
  public var position: String? {
    guard let file else { return nil }
    return ([file] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":")
  }

  /// The place as a note says it: `in encoder.layers.0, node 'Gemm_3'`.
  public var origin: String? {
    let parts = [modulePath.map { "in \($0)" }, node.map { "node '\($0)'" }].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
