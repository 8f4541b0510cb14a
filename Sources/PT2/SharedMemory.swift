internal import LatheCore

/// Which names of a program stand for one tensor's memory, and which of them are read after a write.
struct SharedMemory {
  /// The tensor whose memory a name is in, and the one whose elements it has exactly.
  private var places: [String: (memory: String, whole: String)] = [:]
  private var members: [String: [String]] = [:]
  private var lastReads: [String: Int] = [:]
  /// The positions of the nodes that make names; what is no node's is there from the start.
  private var firstNodes: [String: Int] = [:]

  init() {}

  /// - Parameter kept: The names that are read at the end, too.
  init(_ graph: ProgramGraph, kept: Set<String>) {
    for (index, node) in graph.nodes.enumerated() {
      for name in node.inputs.flatMap(\.arg.names) { lastReads[name] = index }
      let kind = Operator.memoryUse(of: node)
      let operand = node.inputs.first { $0.name == "self" || $0.name == "input" || $0.name == "tensor" }
      for name in node.outputNames {
        firstNodes[name] = index
        guard kind != .fresh, case .tensor(let source)? = operand?.arg else { continue }
        let place = places[source] ?? (source, source)
        places[name] = (place.memory, kind == .same ? place.whole : name)
        members[place.memory, default: [place.memory]].append(name)
      }
    }
    for name in graph.outputs.flatMap(\.names) + kept { lastReads[name] = .max }
  }

  /// The names that have a new content when a name is written to.
  ///
  /// - Parameter node: The position of the node that writes.
  /// - Throws: Where only a part of another name's tensor would change, and that is read afterwards.
  func shared(with name: String, writtenBy node: Int) throws(TypeFault) -> [String] {
    let place = places[name] ?? (name, name)
    var shared = [name]
    for other in members[place.memory] ?? [] where other != name {
      // What is made of the memory later is made of its new content.
      guard firstNodes[other].map({ $0 < node }) ?? true else { continue }
      if (places[other] ?? (other, other)).whole == place.whole {
        shared.append(other)
      } else if let read = lastReads[other], read > node {
        throw TypeFault(
          "writes to memory that '\(other)' sees another way and that is read afterwards",
          help: "run_decompositions() before torch.export.save makes it a value of its own")
      }
    }
    return shared
  }
}
