/// Which layout each materialized value of a graph has: channels in blocks of a vector where convolutions and what
/// follows them work on images, with the borders that padded windows read.
///
/// A layout is a proposal: values that a caller gives or takes keep the plain order.
struct LayoutAssignment {
  private(set) var layouts: [Value: Layout] = [:]
  /// The borders of zeros that readers of a value ask for, per axis; values in the plain order included.
  private(set) var borders: [Value: [Layout.Border]] = [:]

  /// Images have their channels on this axis.
  private static let channelAxis = 1

  init(_ graph: Graph, _ groups: FusionGroups, _ target: Target) {
    guard target.isTiled else { return }
    findBorders(graph, groups)
    // Values whose windows slide over channels want them as neighbours.
    var channelsLast = Set<Value>()
    for node in graph.nodes {
      guard case .windowReduce(let reduce) = node.operation, reduce.slidesOverChannels(graph.type(of: node.operands[0]))
      else { continue }
      channelsLast.insert(node.operands[0])
    }
    for position in graph.nodes.indices where groups.isMaterialized[position] {
      let node = graph.nodes[position]
      let value = Value(node: position)
      guard node.types.count == 1, !node.operation.isSource, let shape = node.types[0].shape.known, shape.count >= 3,
        shape.allSatisfy({ $0 > 0 }), [.f32, .f64].contains(node.types[0].dtype)
      else { continue }
      guard isImage(position, shape, graph, groups) else { continue }
      let channels = shape[Self.channelAxis]
      let borders = borders[value]
      let block = Self.block(channels, lanes: target.lanes(node.types[0].dtype))
      if channelsLast.contains(value) || channels >= target.lanes(node.types[0].dtype) && block == nil {
        layouts[value] = Layout(
          shape: shape, borders: borders, order: [0] + Array(2..<shape.count) + [Self.channelAxis])
      } else if let block {
        layouts[value] = Layout(shape: shape, borders: borders, blockedAxis: Self.channelAxis, block: block)
      } else if let borders {
        layouts[value] = Layout(shape: shape, borders: borders)
      }
    }
  }

  /// The block of channels for a count of them; nil where none is worth it.
  private static func block(_ channels: Int, lanes: Int) -> Int? {
    if channels <= lanes { return channels >= min(4, lanes) ? channels : nil }
    return (max(2, lanes / 2)...lanes).last { channels % $0 == 0 }
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
    for node in graph.nodes {
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
        window.inputDilation.allSatisfy({ $0 == 1 }), !shape.contains(0)
      else { continue }
      let lead = shape.count - window.size.count
      var needed = borders[operand] ?? shape.map { _ in .none }
      for axis in window.size.indices {
        let last = (result[lead + axis] - 1) * window.stride[axis] + (window.size[axis] - 1) * window.dilation[axis]
        needed[lead + axis].low = max(needed[lead + axis].low, window.low[axis])
        needed[lead + axis].high = max(
          needed[lead + axis].high, last - window.low[axis] - (shape[lead + axis] - 1))
      }
      if needed.contains(where: { $0 != .none }) { borders[operand] = needed }
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
