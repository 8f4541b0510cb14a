internal import LatheCore

/// Which names of a program stand for one tensor's memory, and which of them are read after a write.
struct SharedMemory {
  /// How a name is made of another one's memory.
  struct View {
    let source: String
    /// Whether the two have the same elements.
    let isWhole: Bool
    /// What made the view, and which of its results that is; nil for two names of one tensor of the file.
    let node: ProgramNode?
    let result: Int
  }

  private(set) var views: [String: View] = [:]
  /// The names in the memory of a tensor, in the order in which they were made.
  private var members: [String: [String]] = [:]
  private var roots: [String: String] = [:]
  private var lastReads: [String: Int] = [:]

  /// - Parameter kept: The names that are read at the end, too.
  init(_ graph: ProgramGraph, kept: some Sequence<String>) {
    for (index, node) in graph.nodes.enumerated() {
      for name in node.inputs.flatMap(\.arg.names) { lastReads[name] = index }
    }
    for name in graph.outputs.flatMap(\.names) + kept { lastReads[name] = .max }
  }

  /// Notes that a name is in the memory of another.
  mutating func add(_ name: String, _ view: View) {
    let root = roots[view.source] ?? view.source
    views[name] = view
    roots[name] = root
    members[root, default: []].append(name)
  }

  /// The other names in the memory of a tensor, first that of the whole.
  func others(than name: String) -> [String] {
    let root = roots[name] ?? name
    return ([root] + (members[root] ?? [])).filter { $0 != name }
  }

  /// Whether a name is read after a node.
  func isRead(_ name: String, after node: Int) -> Bool { lastReads[name].map { $0 > node } ?? false }
}
