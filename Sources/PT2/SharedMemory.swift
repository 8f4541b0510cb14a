internal import LatheCore

/// Which names of a program stand for one tensor's memory, and which of them are read after a write.
struct SharedMemory {
  /// The tensor whose memory a name is in, and the one whose elements it has exactly.
  private var places: [String: (memory: String, whole: String)] = [:]
  private var members: [String: [String]] = [:]
  private var lastReads: [String: Int] = [:]

  /// - Parameter kept: The names that are read at the end, too.
  init(_ graph: ProgramGraph, kept: some Sequence<String>) {
    for (index, node) in graph.nodes.enumerated() {
      for name in node.inputs.flatMap(\.arg.names) { lastReads[name] = index }
    }
    for name in graph.outputs.flatMap(\.names) + kept { lastReads[name] = .max }
  }

  /// Notes that a name is in the memory of another.
  ///
  /// - Parameter isWhole: Whether the two have the same elements.
  mutating func add(_ name: String, in source: String, isWhole: Bool) {
    let place = places[source] ?? (source, source)
    places[name] = (place.memory, isWhole ? place.whole : name)
    members[place.memory, default: [place.memory]].append(name)
  }

  /// The names that have a new content when a name is written to.
  ///
  /// - Parameter node: The position of the node that writes.
  /// - Throws: Where only a part of another name's tensor would change, and that is read afterwards.
  func shared(with name: String, writtenBy node: Int) throws(TypeFault) -> [String] {
    let place = places[name] ?? (name, name)
    var shared = [name]
    for other in members[place.memory] ?? [] where other != name {
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
