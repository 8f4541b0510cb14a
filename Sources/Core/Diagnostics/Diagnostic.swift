/// What a type rule has against its operands: pure, without a place.
///
/// The builder adds operands and location.
package struct TypeFault: Error, Hashable, Sendable {
  /// One sentence with the numbers in it, without the operation's name.
  public var message: String
  /// What would fit.
  public var help: String?
  /// The symbols that stand where a number is needed; to bind them is the help then.
  public var unbound: [String] = []

  /// A fault, with what would mend it.
  public init(_ message: String, help: String? = nil) {
    self.message = message
    self.help = help
  }

  /// A size has to be a number here.
  package init(_ message: String, unbound sizes: [Dim]) {
    self.init(message)
    unbound = Set(sizes.flatMap(\.symbols)).sorted()
    let decided = sizes.extents
    if unbound.isEmpty, !decided.isEmpty {
      help =
        decided.map { "?\($0)" }.joined(separator: " and ") + " \(decided.count == 1 ? "is" : "are") decided by data"
    }
  }
}

/// An operator of a file that has no meaning here, and the nodes that apply it.
public struct UnsupportedOperator: Hashable, Sendable {
  /// The operator's name.
  public var name: String
  /// The operator set that it is of.
  public var domain: String
  /// The version of the operator set; nil where the model does not import it.
  public var opset: Int?
  /// The nodes' names.
  public var nodes: [String]

  /// An operator with its nodes.
  public init(name: String, domain: String, opset: Int?, nodes: [String]) {
    self.name = name
    self.domain = domain
    self.opset = opset
    self.nodes = nodes
  }
}

/// One mistake in a model or its data, with everything a person needs to mend it.
public struct Diagnostic: Hashable, Sendable {
  /// How grave a diagnostic is.
  public enum Severity: String, Hashable, Sendable {
    /// A mistake that ends the work, something doubtful, or what explains another one.
    case error, warning, note
  }

  /// Whether it is an error, or only to be known.
  public var severity: Severity
  /// One sentence; starts with the operation's name where there is one.
  public var message: String
  /// The operation's name in the text form.
  public var operation: String?
  /// The operands' names and types.
  public var operands: [String]
  /// The place that it is about.
  public var location: Location
  /// What to do about it.
  public var help: String?
  /// The operator that is not supported, where that is the mistake.
  public var unsupported: UnsupportedOperator?

  /// A diagnostic; by default an error, of which nothing but the message is known.
  public init(
    _ message: String, severity: Severity = .error, operation: String? = nil, operands: [String] = [],
    location: Location = Location(), help: String? = nil
  ) {
    self.message = message
    self.severity = severity
    self.operation = operation
    self.operands = operands
    self.location = location
    self.help = help
  }

  /// The form that compilers use: `file:line:column: error: message`, then notes.
  public func rendered() -> String {
    var lines = [(location.position.map { "\($0): " } ?? "") + "\(severity.rawValue): \(message)"]
    if let origin = location.origin { lines.append("  note: \(origin)") }
    lines += operands.map { "  note: \($0)" }
    if let help { lines.append("  help: \(help)") }
    return lines.joined(separator: "\n")
  }
}

/// All mistakes found at once.
public struct DiagnosticsError: Error, Sendable, CustomStringConvertible {
  /// What was found, in the order in which it was.
  public var diagnostics: [Diagnostic]

  /// An error of several diagnostics.
  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  /// One mistake.
  public init(_ message: String, location: Location = Location(), help: String? = nil) {
    self.init([Diagnostic(message, location: location, help: help)])
  }

  /// All diagnostics, as the command line shows them.
  public var description: String { diagnostics.map { $0.rendered() }.joined(separator: "\n") }
}
