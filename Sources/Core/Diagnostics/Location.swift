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
  /// The function of the user's vocabulary that was called there, or the file's operator.
  public var call: Call?

  /// A call of a function: what it builds belongs together, whatever the passes do to it.
  public struct Call: Hashable, Sendable {
    /// The function's name as the user writes it: `relu`, `layerNorm`; ONNX's and PyTorch's operators as `Conv`, `conv2d`.
    public var function: String
    /// Which of the model's calls it is.
    public var number: Int

    /// The call of a function with a number of its own.
    public init(_ function: String, number: Int) {
      self.function = function
      self.number = number
    }
  }

  /// What is known of a place.
  public init(
    file: String? = nil, line: Int? = nil, column: Int? = nil, modulePath: String? = nil, node: String? = nil,
    call: Call? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.modulePath = modulePath
    self.node = node
    self.call = call
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
