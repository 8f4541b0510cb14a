/// Which layout each materialized value of a graph has: channels in blocks of a vector where convolutions and what
/// follows them work on images, with the borders that padded windows read.
///
/// A layout is a proposal: values that a caller gives or takes keep the plain order.
struct LayoutAssignment {
  var layouts: [Value: Layout] = [:]
  /// The borders of zeros that readers of a value ask for, per axis; values in the plain order included.
  private(set) var borders: [Value: [Layout.Border]] = [:]
  /// Convolutions, by node, that are to be transformed where layouts turn out to allow it.
  let transforms: [Int: Winograd]

  /// Images have their channels on this axis.
  private static let channelAxis = 1

  init(_ graph: Graph, _ groups: FusionGroups, _ target: Target, _ convolutions: ConvolutionMethod) {
    transforms = convolutions.transforms(graph, groups, target)
    guard target.isTiled else { return }
    findBorders(graph, groups)
    let classes = LayoutClasses(graph, groups)
    var convolved = Set<Value>()
    for node in graph.nodes { if case .convolution = node.operation { convolved.insert(node.operands[0]) } }
    classes.join(&borders)
    for position in graph.nodes.indices where groups.isMaterialized[position] {
      let node = graph.nodes[position]
      let value = Value(node: position)
      guard node.types.count == 1, node.operation.hasKernel, let shape = node.types[0].shape.known, shape.count >= 3,
        shape.allSatisfy({ $0 > 0 }), [.f32, .f64].contains(node.types[0].dtype)
      else { continue }
      let borders = borders[value]
      guard convolved.contains(value) || isImage(position, shape, graph, groups) else { continue }
      let lanes = target.ordering.lanes(node.types[0].dtype)
      if let block = classes.block(of: value, lanes: lanes) {
        layouts[value] = Layout(shape: shape, borders: borders, blockedAxis: Self.channelAxis, block: block)
      } else if shape[Self.channelAxis] >= min(4, lanes) {
        let order = [0] + Array(2..<shape.count) + [Self.channelAxis]
        let isAlone = classes.isAlone(value) && borders?[Self.channelAxis] ?? .empty == .empty
        layouts[value] = Layout(
          shape: shape, borders: borders, order: order,
          padding: isAlone ? Self.padding(shape[Self.channelAxis], lanes: lanes) : 0)
      } else if let borders {
        layouts[value] = Layout(shape: shape, borders: borders)
      }
    }
    spreadRows(graph, groups, target)
  }

  /// The reductions of kernels that walk their result in an order in which rows are not together: a row's sum would be
  /// computed for each of its elements.
  func scatteredReductions(_ graph: Graph, _ groups: FusionGroups) -> Set<Int> {
    graph.nodes.indices.filter { position in
      guard case .reduce = graph.nodes[position].operation, !groups.isMaterialized[position] else { return false }
      let rows = graph.nodes[position].types[0].sizes.reduce(1, *)
      return groups.roots[position].contains { root in
        guard let layout = layouts[Value(node: root)] else { return false }
        let count = layout.shape.reduce(1, *)
        return count > rows && rows > 0 && (count % rows != 0 || count / rows % layout.rowUnit != 0)
      }
    }
    .reduce(into: []) { $0.insert($1) }
  }

  /// What fills up the channels to whole vectors.
  private static func padding(_ channels: Int, lanes: Int) -> Int {
    var unit = min(4, lanes)
    while unit < min(channels, lanes) { unit *= 2 }
    return (channels + unit - 1) / unit * unit - channels
  }

  /// Whether a kernel's result is best laid out by channels: it convolves, or it follows what does.
  private func isImage(_ position: Int, _ shape: [Int], _ graph: Graph, _ groups: FusionGroups) -> Bool {
    var work = [position]
    var seen = Set(work)
    while let current = work.popLast() {
      let node = graph.nodes[current]
      if case .convolution = node.operation { return true }
      for operand in node.operands {
        let producer = Int(operand.node)
        if groups.isMaterialized[producer] {
          if let layout = layouts[operand], !layout.isRowMajor, layout.shape.count == shape.count,
            layout.shape[0] == shape[0], graph.keepsAxes(current)
          {
            return true
          }
        } else if !graph.nodes[producer].operation.isSource, seen.insert(producer).inserted {
          work.append(producer)
        }
      }
    }
    return false
  }

  /// The zeros around operands that let windows read outside without asking.
  private mutating func findBorders(_ graph: Graph, _ groups: FusionGroups) {
    for (position, node) in graph.nodes.enumerated() {
      let window: WindowShape
      switch node.operation {
      case .convolution(let convolution):
        guard let size = graph.type(of: node.operands[1]).shape.known else { continue }
        window = WindowShape(
          size: Array(size.dropFirst(2)), stride: convolution.stride, low: convolution.low, high: convolution.high,
          inputDilation: convolution.inputDilation, dilation: convolution.dilation)
      case .windowReduce(let reduce) where reduce.combiner == .sum: window = reduce.window
      default: continue
      }
      let operand = node.operands[0]
      guard groups.isMaterialized[Int(operand.node)] || graph[operand].operation.isSource,
        let shape = graph.type(of: operand).shape.known, let result = node.types[0].shape.known,
        !shape.contains(0)
      else { continue }
      let lead = shape.count - window.size.count
      var needed = borders[operand] ?? shape.map { _ in .empty }
      for axis in window.size.indices {
        // Squares that reach beyond the result read beyond its windows.
        let extent = transforms[position].map { $0.tiles(result[lead + axis]) * $0.size } ?? result[lead + axis]
        let last = (extent - 1) * window.stride[axis] + (window.size[axis] - 1) * window.dilation[axis]
        // Of a spread operand, windows read every so many positions.
        let spread = window.inputDilation[axis]
        needed[lead + axis].low = max(needed[lead + axis].low, window.low[axis].floorDivided(by: spread))
        needed[lead + axis].high = max(
          needed[lead + axis].high,
          (last - window.low[axis]).floorDivided(by: spread) - (shape[lead + axis] - 1))
      }
      if needed.contains(where: { $0 != .empty }) { borders[operand] = needed }
    }
  }
}

/// Values that share a layout: the parts of a concatenation and the whole.
private struct LayoutClasses {
  private var parents: [Value: Value] = [:]
  /// What a block of channels must divide, by a class' representative.
  private var units: [Value: Int] = [:]
  /// Classes whose channels have to be neighbours.
  private var unblocked: Set<Value> = []

  init(_ graph: Graph, _ groups: FusionGroups) {
    for position in graph.nodes.indices {
      let result = Value(node: position)
      for (axis, operand) in graph.concatenatedInPlace(position, groups) where axis == 1 { unite(result, operand) }
    }
    for (position, node) in graph.nodes.enumerated() where !node.types.isEmpty {
      let result = Value(node: position)
      if let channels = node.types[0].shape.known?.dropFirst().first { restrict(result, to: channels) }
      switch node.operation {
      case .convolution(let convolution) where convolution.groups > 1:
        guard let weight = graph.type(of: node.operands[1]).shape.known, weight.count > 1 else { continue }
        // One channel at a time, as in depthwise convolution, goes along with any block.
        if weight[1] > 1 { restrict(node.operands[0], to: weight[1]) }
        if weight[1] > 1 || weight[0] > convolution.groups {
          for root in groups.roots[position] { restrict(Value(node: root), to: weight[0] / convolution.groups) }
        }
      case .windowReduce(let reduce) where reduce.slidesOverChannels(graph.type(of: node.operands[0])):
        unblocked.insert(representative(node.operands[0]))
      default: break
      }
    }
  }

  private func representative(_ value: Value) -> Value { parents[value].map(representative) ?? value }

  private mutating func unite(_ a: Value, _ b: Value) {
    let (first, second) = (representative(a), representative(b))
    if first != second { parents[second] = first }
  }

  private mutating func restrict(_ value: Value, to unit: Int) {
    let own = representative(value)
    units[own] = greatestCommonDivisor(units[own] ?? 0, unit)
  }

  /// Whether no other value has its layout from the same class.
  func isAlone(_ value: Value) -> Bool { parents[value] == nil && !parents.values.contains(value) }

  /// The block of channels of a class: a whole vector or half of one.
  func block(of value: Value, lanes: Int) -> Int? {
    let own = representative(value)
    guard let unit = units[own], unit > 0, !unblocked.contains(own) else { return nil }
    return [lanes, lanes / 2].first { $0 > 1 && unit % $0 == 0 }
  }

  /// Gives all members of a class the borders that any of them needs.
  func join(_ borders: inout [Value: [Layout.Border]]) {
    var joined: [Value: [Layout.Border]] = [:]
    for (value, own) in borders {
      let name = representative(value)
      joined[name] =
        joined[name].map { zip($0, own).map { Layout.Border(low: max($0.low, $1.low), high: max($0.high, $1.high)) } }
        ?? own
    }
    for value in Set(parents.keys).union(parents.values) {
      if let border = joined[representative(value)] { borders[value] = border }
    }
  }
}

extension Operation {
  /// Whether a kernel writes the result, in whatever layout; what is given and handed out, and what control flow and
  /// routines hand on, lie in the plain order.
  var hasKernel: Bool {
    switch self {
    case .exchange, .conditional, .whileLoop, .scan, .call, .factorization: false
    default: !isSource
    }
  }
}

extension WindowReduce {
  /// Whether the window is wider than one along the axis of an image's channels.
  fileprivate func slidesOverChannels(_ operand: TensorType) -> Bool {
    let axis = 1 - (operand.rank - window.size.count)
    return axis >= 0 && axis < window.size.count && window.size[axis] > 1
  }
}

extension Graph {
  /// The operands of a concatenation whose kernels can write their parts of the whole, and the axis.
  func concatenatedInPlace(_ position: Int, _ groups: FusionGroups) -> [(axis: Int, operand: Value)] {
    guard case .concatenate(let concatenate) = nodes[position].operation, groups.isMaterialized[position] else {
      return []
    }
    return nodes[position].operands.compactMap { operand in
      let operation = self[operand].operation
      if case .reshape = operation { return nil }
      return operation.hasKernel && groups.isMaterialized[Int(operand.node)] ? (concatenate.axis, operand) : nil
    }
  }

  /// Whether a node's result has the axes of its operands: images stay images.
  fileprivate func keepsAxes(_ position: Int) -> Bool {
    switch nodes[position].operation {
    case .pointwise, .convert, .bitcast, .detach, .pad, .slice, .reverse, .concatenate, .windowReduce, .convolution,
      .broadcast:
      true
    default: false
    }
  }
}
