/// What kernels and buffers are called: the user's words, as far as they are known.
extension GraphLowering {
  /// The name of a kernel, from which identifiers are made, and what it does in a few words.
  struct Title {
    var name: String
    var summary: String
  }

  /// Operations that only say where elements are.
  private static let untold: Set<String> = [
    "constant", "broadcast", "reshape", "permute", "slice", "detach", "exchange", "variable", "input",
  ]

  /// The title of a kernel that computes nodes: the modules and functions that they come from.
  ///
  /// A convolution in `layer1.conv1` with what follows it, `bn1` and a `relu`, is `layer1_conv1_bn1_relu`. Where nothing
  /// is known of calls, the operations tell.
  func title(_ members: [Int], in graph: Graph) -> Title {
    let telling = members.filter { !Self.untold.contains(graph.nodes[$0].operation.name) }
    var told: [(path: [Substring], function: String)] = []
    var calls = Set<Location.Call>()
    for position in telling.isEmpty ? Array(members.suffix(1)) : telling {
      let location = graph.locations[position]
      if let call = location.call, !calls.insert(call).inserted { continue }
      told.append((location.path, location.call?.function ?? graph.nodes[position].operation.name))
    }
    // The first few make the name.
    var common = told.first?.path ?? []
    for word in told.prefix(3) { common = Array(zip(common, word.path).prefix { $0 == $1 }.map(\.0)) }
    var words: [String] = []
    var items: [String] = []
    var before: [Substring]?
    for (position, word) in told.enumerated() {
      let own = word.path.dropFirst(word.path.starts(with: common) ? common.count : 0).joined(separator: "_")
      let isAlone = position + 1 == told.count || told[position + 1].path != word.path
      if own.isEmpty || !isAlone || before == word.path {
        if !own.isEmpty, before != word.path { words.append(own) }
        words.append(word.function.snakeCased)
      } else {
        words.append(own)
      }
      items.append((own.isEmpty ? "" : own + " ") + word.function)
      before = word.path
    }
    return Title(
      name: (common.map(String.init) + words.prefix(3)).joined(separator: "_"),
      summary: (common.isEmpty ? "" : common.joined(separator: ".") + ": ") + items.joined(separator: ", "))
  }

  /// The title of a kernel that stands for no node: what it does, in the module that a location names.
  func title(_ action: String, at location: Location) -> Title {
    Title(
      name: (location.path.map(String.init) + [action.replacing(" ", with: "_")]).joined(separator: "_"),
      summary: (location.modulePath.map { $0 + ": " } ?? "") + action)
  }

  /// The name of the buffer that holds a node's result.
  func bufferName(_ position: Int, in graph: Graph) -> String {
    if case .exchange(let exchange) = graph.nodes[position].operation { return exchange.label + "_gradient" }
    let location = graph.locations[position]
    let function = location.call?.function.snakeCased ?? graph.nodes[position].operation.name
    return (location.path.map(String.init) + [function]).joined(separator: "_")
  }
}

extension Location {
  /// The module path, name by name.
  var path: [Substring] { modulePath?.split(separator: ".") ?? [] }
}

extension String {
  /// `maxPool2d` as `max_pool2d`, `LayerNormalization` as `layer_normalization`, `GRU` as `gru`.
  var snakeCased: String {
    var result = ""
    var before: Character?
    for character in self {
      if character.isUppercase, let before, before.isLowercase || before.isNumber { result += "_" }
      result += character.lowercased()
      before = character
    }
    return result
  }
}
