extension Graph {
  /// How much of a graph a drawing shows.
  public enum DrawingDetail: Hashable, Sendable {
    /// Every operation is a box.
    case operations
    /// What a call of a function or an operator built is one box, with its weights; so is what lies in modules that are
    /// nested deeper than `depth`.
    ///
    /// Without a depth, it is the greatest with which a picture can still be read.
    case calls(depth: Int? = nil)
  }
}

/// The boxes of a drawing: the nodes that each stands for.
struct GraphBoxes {
  struct Box {
    /// In the order of the graph; the last one's position names the box.
    var nodes: [Int]
    /// The module that the box is drawn in.
    var path: [Substring]
    /// The function that was called, or the module that the box stands for; nil for one operation.
    var title: String?
    /// How many numbers of weights the box has.
    var parameters = 0

    var name: Int { nodes[nodes.count - 1] }
  }

  private(set) var all: [Box] = []
  /// The position in `all` of the box that a node is drawn in, by the node's position.
  private(set) var positions: [Int: Int] = [:]

  /// A picture with more boxes cannot be read.
  static let mostReadable = 80

  private enum Key: Hashable {
    case node(Int)
    case call(Location.Call, kernel: Int?)
    case module([Substring])
  }

  /// - Parameters:
  ///   - hidden: Nodes that are no boxes.
  ///   - kernels: The kernels of nodes; a box lies in one.
  init(_ graph: Graph, _ detail: Graph.DrawingDetail, without hidden: Set<Int>, kernels: [Int: Int]) {
    let paths = graph.modulePaths
    switch detail {
    case .operations: self.init(graph, paths, hidden) { .node($0) }
    case .calls(let depth?):
      self.init(graph, paths, hidden) { position in
        guard paths[position].count > depth else { return Self.call(graph, position, kernels) }
        return .module(Array(paths[position].prefix(depth + 1)))
      }
    case .calls(nil):
      let deepest = paths.map(\.count).max() ?? 0
      for depth in stride(from: deepest, through: 0, by: -1) {
        self.init(graph, .calls(depth: depth), without: hidden, kernels: kernels)
        if all.count <= Self.mostReadable { return }
      }
      self.init(graph, .calls(depth: deepest), without: hidden, kernels: kernels)
    }
  }

  private static func call(_ graph: Graph, _ position: Int, _ kernels: [Int: Int]) -> Key {
    graph.locations[position].call.map { .call($0, kernel: kernels[position]) } ?? .node(position)
  }

  private init(_ graph: Graph, _ paths: [[Substring]], _ hidden: Set<Int>, _ key: (Int) -> Key) {
    var keys: [Int: Key] = [:]
    for (position, node) in graph.nodes.enumerated() where !hidden.contains(position) {
      keys[position] = node.operation.isSource ? .node(position) : key(position)
    }
    // Weights that one box uses stand in it.
    var users: [Int: Set<Key>] = [:]
    for position in graph.nodes.indices {
      guard let key = keys[position] else { continue }
      for operand in graph.nodes[position].operands { users[Int(operand.node), default: []].insert(key) }
    }
    let shown = Set((graph.outputs.map(\.value) + graph.updates.map(\.value)).map { Int($0.node) })
    for (position, node) in graph.nodes.enumerated() where keys[position] != nil && !shown.contains(position) {
      guard case .constant = node.operation, let keysOfUsers = users[position], keysOfUsers.count == 1,
        let user = keysOfUsers.first
      else { continue }
      if case .node = user { continue }
      keys[position] = user
    }
    var known: [Key: Int] = [:]
    for (position, node) in graph.nodes.enumerated() {
      guard let key = keys[position] else { continue }
      let box: Int
      if let there = known[key] {
        box = there
      } else {
        box = all.count
        known[key] = box
        all.append(Box(nodes: [], path: paths[position]))
      }
      all[box].nodes.append(position)
      positions[position] = box
      switch key {
      case .node: break
      case .call(let call, _): all[box].title = call.function
      case .module(let path):
        all[box].title = path.last.map(String.init)
        all[box].path = path.dropLast()
      }
      if case .constant(let constant) = node.operation, all[box].title != nil {
        if constant.array.count > 1 { all[box].parameters += constant.array.count }
      } else if all[box].nodes.count > 1, case .call = key {
        all[box].path = paths[position]
      }
    }
  }
}
