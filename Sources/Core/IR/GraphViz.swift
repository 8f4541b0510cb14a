/// The graph as a DOT text for Graphviz: modules as nested clusters, types and bytes on the nodes, fused kernels.
///
/// Literals that one operation or one module uses stand with it, whatever the module that they were made in. A number,
/// also one that is repeated over a shape, is written into the operations that use it: as a node it would tie
/// everything that adds zero or multiplies by two together.
extension Graph {
  /// What a drawing says of a kernel besides its number.
  public struct KernelMark: Hashable, Sendable {
    /// A few words, such as the time that it takes.
    public var text: String
    /// From 0, which is white, to 1, which is red.
    public var heat: Double

    /// Says `text` of a kernel as hot as `heat`.
    public init(text: String, heat: Double) {
      self.text = text
      self.heat = heat
    }
  }

  /// The DOT text; the same graph gives the same bytes.
  ///
  /// - Parameters:
  ///   - kernels: The number of the fused kernel that computes a node, by the node's position. Nodes of one kernel
  ///     have one colour, and a cluster where they lie in one module.
  ///   - marks: What to say of kernels, by their numbers; where there are any, colours show heat.
  ///   - detail: What becomes one box.
  public func graphViz(
    kernels: [Int: Int] = [:], marks: [Int: KernelMark] = [:], detail: DrawingDetail = .calls()
  ) -> String {
    var writer = DotWriter(marks: marks, detail: detail)
    writer.line("digraph \(DotText.quoted(name)) {")
    writer.indented { writer in
      writer.line("compound=true; rankdir=TB; fontname=\"Helvetica\"; fontsize=11; color=\"#8a8f98\";")
      writer.line(
        "node [shape=box, style=\"filled,rounded\", fillcolor=white, color=\"#5a6270\", "
          + "fontname=\"Helvetica\", fontsize=10];")
      writer.line("edge [color=\"#5a6270\", fontname=\"Helvetica\", fontsize=8, arrowsize=0.6];")
      writer.write(self, prefix: "n", kernels: kernels)
    }
    writer.line("}")
    return writer.text
  }
}

struct DotWriter {
  /// A module of the model, with the boxes of what was made in it and the modules in it.
  private final class Module {
    var boxes: [GraphBoxes.Box] = []
    var names: [String] = []
    var modules: [String: Module] = [:]

    func module(_ name: String) -> Module {
      if let known = modules[name] { return known }
      let new = Module()
      names.append(name)
      modules[name] = new
      return new
    }
  }

  /// Light enough for black text.
  private static let palette = [
    "#cfe8ff", "#ffe3c2", "#d5f2d0", "#f6d3e4", "#e2d9f7", "#fff3b8", "#cdeeee", "#f4d0c8", "#e3ead0", "#d9dfe8",
  ]

  let marks: [Int: Graph.KernelMark]
  let detail: Graph.DrawingDetail
  private(set) var text = ""
  private var indent = ""
  private var clusterCount = 0

  init(marks: [Int: Graph.KernelMark], detail: Graph.DrawingDetail) {
    self.marks = marks
    self.detail = detail
  }

  private func title(_ kernel: Int) -> String { "kernel \(kernel)" + (marks[kernel].map { ": " + $0.text } ?? "") }

  /// A colour that neighbours do not have.
  static func colour(of number: Int) -> String { palette[Int(number.magnitude % UInt(palette.count))] }

  private func colour(_ kernel: Int) -> String {
    if marks.isEmpty { return Self.colour(of: kernel) }
    let percent = Int((75 * min(1, max(0, marks[kernel]?.heat ?? 0))).rounded())
    return "0.03 0.\(percent < 10 ? "0" : "")\(percent) 1.00"
  }

  mutating func line(_ line: String) { text += indent + line + "\n" }

  mutating func indented(_ body: (inout DotWriter) -> Void) {
    let before = indent
    indent += "  "
    body(&self)
    indent = before
  }

  private mutating func cluster(_ label: String, _ style: String, _ body: (inout DotWriter) -> Void) {
    line("subgraph cluster\(clusterCount) {")
    clusterCount += 1
    indented { writer in
      writer.line("label=\(DotText.quoted(label)); \(style)")
      body(&writer)
    }
    line("}")
  }

  /// Writes a function; `prefix` keeps its nodes apart from those of other functions.
  mutating func write(_ graph: Graph, prefix: String, kernels: [Int: Int]) {
    let root = Module()
    let numbers = Self.numbers(graph)
    let boxes = GraphBoxes(graph, detail, without: Set(numbers.keys), kernels: kernels)
    for box in boxes.all { box.path.reduce(root) { $0.module(String($1)) }.boxes.append(box) }
    write(root, graph, prefix, kernels, numbers)
    for (position, output) in graph.outputs.enumerated() {
      let label = DotText.quoted("output " + output.name)
      line("\(prefix)out\(position) [label=\(label), shape=oval, fillcolor=\"#d7f0d7\"];")
    }
    for (position, update) in graph.updates.enumerated() {
      let label = DotText.quoted("update " + update.variable)
      line("\(prefix)update\(position) [label=\(label), shape=cylinder, fillcolor=\"#ffe9c7\"];")
    }
    let fixed = Self.madeOfLiterals(graph)
    for (number, box) in boxes.all.enumerated() {
      var drawn = Set<Value>()
      for position in box.nodes {
        for operand in graph.nodes[position].operands {
          guard let source = boxes.positions[Int(operand.node)], source != number else { continue }
          // Calls that repeat equal weights share the node that does so: no data flows between them.
          if boxes.all[source].title != nil, fixed.contains(Int(operand.node)) { continue }
          // An operation shows each operand, a call shows each value once.
          guard box.title == nil || drawn.insert(operand).inserted else { continue }
          edge(operand, from: boxes.all[source], to: "\(box.name)", graph, prefix)
        }
      }
    }
    let results =
      graph.outputs.enumerated().map { ($1.value, "out\($0)") }
      + graph.updates.enumerated().map { ($1.value, "update\($0)") }
    for (value, target) in results {
      if let source = boxes.positions[Int(value.node)] {
        edge(value, from: boxes.all[source], to: target, graph, prefix)
      }
    }
  }

  /// The nodes that depend on literals alone.
  private static func madeOfLiterals(_ graph: Graph) -> Set<Int> {
    var fixed = Set<Int>()
    for (position, node) in graph.nodes.enumerated() {
      let isLiteral = if case .constant = node.operation { true } else { false }
      if isLiteral || !node.operands.isEmpty && node.operands.allSatisfy({ fixed.contains(Int($0.node)) }) {
        fixed.insert(position)
      }
    }
    return fixed
  }

  /// The type stands on the edge only where its box has several results.
  private mutating func edge(
    _ value: Value, from source: GraphBoxes.Box, to target: String, _ graph: Graph, _ prefix: String
  ) {
    let isOne = graph.nodes[Int(value.node)].types.count == 1 && Int(value.node) == source.name
    let label = isOne ? "" : " [label=\(DotText.quoted(graph.type(of: value).description))]"
    line("\(prefix)\(source.name) -> \(prefix)\(target)\(label);")
  }

  /// The nodes that are but a number, perhaps repeated, and the number as text; outputs and updates stay nodes.
  private static func numbers(_ graph: Graph) -> [Int: String] {
    let shown = Set((graph.outputs.map(\.value) + graph.updates.map(\.value)).map { Int($0.node) })
    var result: [Int: String] = [:]
    var literals: [Int: String] = [:]
    for (position, node) in graph.nodes.enumerated() {
      switch node.operation {
      case .constant(let constant) where constant.array.count == 1:
        literals[position] = DotText.summary(constant.array)
      case .broadcast, .reshape: literals[position] = node.operands.first.flatMap { literals[Int($0.node)] }
      default: break
      }
      if let text = literals[position], !shown.contains(position) { result[position] = text }
    }
    // What an output repeats is shown, too.
    for position in graph.nodes.indices.reversed() where literals[position] != nil && result[position] == nil {
      for operand in graph.nodes[position].operands { result[Int(operand.node)] = nil }
    }
    return result
  }

  private mutating func write(
    _ module: Module, _ graph: Graph, _ prefix: String, _ kernels: [Int: Int], _ numbers: [Int: String]
  ) {
    // A kernel whose nodes all lie here becomes a cluster of its own.
    let all = Dictionary(grouping: kernels.keys.filter { numbers[$0] == nil }) { kernels[$0] ?? 0 }
    let here = Dictionary(grouping: module.boxes.filter { kernels[$0.name] != nil }) { kernels[$0.name] ?? 0 }
    var written = Set<Int>()
    for box in module.boxes {
      guard let kernel = kernels[box.name], let boxes = here[kernel], boxes.count > 1,
        boxes.flatMap(\.nodes).count(where: { kernels[$0] == kernel }) == all[kernel]?.count
      else {
        write(box, graph, prefix, kernels, numbers)
        continue
      }
      guard written.insert(kernel).inserted else { continue }
      cluster(title(kernel), "style=\"rounded,dashed\";") { writer in
        for box in boxes { writer.write(box, graph, prefix, kernels, numbers) }
      }
    }
    for name in module.names {
      guard let inner = module.modules[name] else { continue }
      // A module of one call is one box.
      if inner.names.isEmpty, inner.boxes.count == 1, var box = inner.boxes.first, let function = box.title {
        box.title = "\(name): \(function)"
        write(box, graph, prefix, kernels, numbers)
        continue
      }
      cluster(name, "style=rounded;") { $0.write(inner, graph, prefix, kernels, numbers) }
    }
  }

  private mutating func write(
    _ box: GraphBoxes.Box, _ graph: Graph, _ prefix: String, _ kernels: [Int: Int], _ numbers: [Int: String]
  ) {
    let position = box.name
    let node = graph.nodes[position]
    var lines: [String]
    var style: String
    switch node.operation {
    case .input(let input): (lines, style) = (["input " + input.argument], ", shape=oval, fillcolor=\"#cfe3ff\"")
    case .variable(let read): (lines, style) = ([read.variable], ", shape=cylinder, fillcolor=\"#ffe9c7\"")
    case .constant(let constant):
      (lines, style) = ([DotText.summary(constant.array)], ", shape=note, style=filled, fillcolor=\"#ececec\"")
    default:
      lines = box.title.map { [$0] } ?? [DotText.call(node, numbers)]
      lines += box.nodes.count { !graph.nodes[$0].operation.isSource } == 1 ? DotText.attributes(node.operation) : []
      if box.parameters > 0 { lines.append("\(box.parameters) weights") }
      style = ""
      if let kernel = kernels[position] {
        lines.append(title(kernel))
        style = ", fillcolor=\"\(colour(kernel))\""
      }
    }
    for type in node.types where box.title == nil || box.nodes.count < 2 || node.types.count == 1 {
      lines.append(type.description + (type.byteCount.map { ", " + DotText.bytes($0) } ?? ""))
    }
    line("\(prefix)\(position) [label=\(DotText.quoted(lines.joined(separator: "\n")))\(style)];")
    // Sub-graphs stand beside their operation, tied to it by a dotted edge.
    let graphs = box.nodes.flatMap { node in
      graph.nodes[node].operation.definition.attributes.compactMap { name, value -> (Int, String, Graph)? in
        guard case .graph(let inner) = value else { return nil }
        return (node, name, inner)
      }
    }
    for (node, name, inner) in graphs {
      let inside = "\(prefix)\(node)\(name)_"
      let identifier = clusterCount
      cluster("\(graph.nodes[node].operation.name) \(name)", "style=\"rounded,filled\"; fillcolor=\"#f7f8fa\";") {
        $0.write(inner, prefix: inside, kernels: [:])
      }
      let target = inner.outputs.isEmpty ? (inner.nodes.isEmpty ? nil : "0") : "out0"
      if let target { line("\(prefix)\(position) -> \(inside)\(target) [style=dotted, lhead=cluster\(identifier)];") }
    }
  }
}

/// Pieces of labels.
enum DotText {
  /// A quoted DOT string that shows `text` as it is: quotes, backslashes, line ends and entities are escaped.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "&": result += "&amp;"
      // Other control characters are not allowed in the SVG that Graphviz makes.
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// The operation's name; where some operands are numbers, with all of them: `multiply(·, 2.0)`.
  static func call(_ node: Node, _ numbers: [Int: String]) -> String {
    let operands = node.operands.map { numbers[Int($0.node)] }
    guard operands.contains(where: { $0 != nil }) else { return node.operation.name }
    return "\(node.operation.name)(\(operands.map { $0 ?? "·" }.joined(separator: ", ")))"
  }

  /// The attributes that say something: neither what the types tell nor what changes nothing.
  static func attributes(_ operation: Operation) -> [String] {
    let neutral = [
      "low": 0, "high": 0, "interior": 0, "start": 0, "batch": 0, "stride": 1, "dilation": 1, "input_dilation": 1,
      "groups": 1,
    ]
    return operation.definition.attributes.compactMap { name, value in
      if name == "shape" || name == "dtype" || name == "to" { return nil }
      switch value {
      case .integer(let number): return number == neutral[name] ? nil : "\(name) \(number)"
      case .integers(let numbers):
        if numbers.allSatisfy({ $0 == neutral[name] }) { return nil }
        return "\(name) \(numbers.map(String.init).joined(separator: ","))"
      case .dimensions(let sizes): return "\(name) \(sizes.map(\.description).joined(separator: ","))"
      case .flag(let flag): return flag ? name : nil
      case .word(let word): return "\(name) \(word)"
      case .type, .array, .graph: return nil
      }
    }
  }

  /// A literal's number where it has but one, else what it is.
  static func summary(_ array: NDArray) -> String {
    guard array.count == 1, let number = array.first else { return "constant" }
    switch number {
    case .float(let number): return array.dtype == .f64 ? "\(number)" : "\(Float(number))"
    case .integer(let number):
      if array.dtype == .bool { return number == 0 ? "false" : "true" }
      return array.dtype == .u64 ? "\(UInt(bitPattern: number))" : "\(number)"
    }
  }

  /// `640 B`, `1.5 KiB`.
  static func bytes(_ count: Int) -> String {
    if count < 1024 { return "\(count) B" }
    var tenths = count
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      if tenths < 1024 * 1024 || unit == "TiB" {
        let rounded = (tenths * 10 + 512) / 1024
        return "\(rounded / 10).\(rounded % 10) \(unit)"
      }
      tenths /= 1024
    }
    return "\(count) B"
  }
}
