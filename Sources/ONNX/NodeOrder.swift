/// An order in which every node follows those that it reads from.
struct NodeOrder {
  struct Fault {
    var node: Int
    var message: String
    var help: String?
  }

  /// The positions of the nodes, without those on cycles.
  private(set) var order: [Int] = []
  /// What has no place in an order: names that nothing defines, and cycles.
  private(set) var faults: [Fault] = []
  /// The names that are read, but defined by nothing, or by nodes on cycles only.
  private(set) var undefined: Set<String> = []

  /// - Parameter defined: The names that are known before the first node.
  init(_ nodes: [Onnx_NodeProto], defined: Set<String>) {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for name in node.output where !name.isEmpty && producers[name] == nil { producers[name] = index }
    }
    let reads = nodes.map { Self.names(readBy: $0) }
    for (index, names) in reads.enumerated() {
      // Names in sub-graphs may be their own; only the node's operands are certain to come from here.
      for name in nodes[index].input
      where !name.isEmpty && producers[name] == nil && !defined.contains(name) && undefined.insert(name).inserted {
        faults.append(
          Fault(
            node: index, message: "\(nodes[index].opType): nothing defines its operand '\(name)'",
            help: "an input, an initializer or the output of a node is missing from the file"))
      }
      _ = names
    }

    var waiting = [Int](repeating: 0, count: nodes.count)
    var readers: [[Int]] = Array(repeating: [], count: nodes.count)
    for (index, names) in reads.enumerated() {
      for producer in Set(names.compactMap { producers[$0] }) {
        waiting[index] += 1
        readers[producer].append(index)
      }
    }
    if nodes.indices.allSatisfy({ index in reads[index].allSatisfy { (producers[$0] ?? -1) < index } }) {
      order = Array(nodes.indices)
      return
    }
    var ready = nodes.indices.filter { waiting[$0] == 0 }
    var next = 0
    while next < ready.count {
      let index = ready[next]
      next += 1
      order.append(index)
      for reader in readers[index] {
        waiting[reader] -= 1
        if waiting[reader] == 0 { ready.append(reader) }
      }
    }
    guard order.count < nodes.count else { return }
    let cycle = Self.cycle(waiting, reads, producers)
    let names = cycle.prefix(8).map { "'\(Importer.name(nodes[$0], $0))'" }.joined(separator: " -> ")
    faults.append(
      Fault(
        node: cycle[0],
        message: "\(cycle.count) nodes depend on each other in a circle: \(names)\(cycle.count > 8 ? " ..." : "")"))
    for index in nodes.indices where waiting[index] > 0 { undefined.formUnion(nodes[index].output) }
    undefined.remove("")
  }

  /// Follows unsatisfied operands back until a node comes up again.
  private static func cycle(_ waiting: [Int], _ reads: [[String]], _ producers: [String: Int]) -> [Int] {
    var trail: [Int] = []
    var index = waiting.firstIndex { $0 > 0 } ?? 0
    var seen: [Int: Int] = [:]
    while seen[index] == nil {
      seen[index] = trail.count
      trail.append(index)
      guard let before = reads[index].lazy.compactMap({ producers[$0] }).first(where: { waiting[$0] > 0 }) else {
        break
      }
      index = before
    }
    return Array(trail[(seen[index] ?? 0)...].reversed())
  }

  /// The operands of a node, and all names that its sub-graphs read.
  static func names(readBy node: Onnx_NodeProto) -> [String] {
    var names = node.input.filter { !$0.isEmpty }
    for attribute in node.attribute {
      for graph in (attribute.hasG ? [attribute.g] : []) + attribute.graphs {
        let own = Set(graph.node.flatMap(\.output) + graph.input.map(\.name) + graph.initializer.map(\.name))
        names += graph.node.flatMap { Self.names(readBy: $0) }.filter { !own.contains($0) }
        names += graph.output.map(\.name).filter { !own.contains($0) && !$0.isEmpty }
      }
    }
    return names
  }
}
