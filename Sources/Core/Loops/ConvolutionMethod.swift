/// How convolutions of 3x3 windows with stride 1 are computed, on targets with vectors.
public enum ConvolutionMethod: String, Hashable, Sendable, CaseIterable {
  /// As Winograd's where that is faster and about as exact, else directly.
  case auto
  /// As the sum that defines them.
  case direct
  /// By Winograd's algorithm wherever shapes allow it.
  case winograd

  /// The convolutions of a graph, by node, that are to be transformed.
  func transforms(_ graph: Graph, _ groups: FusionGroups, _ target: Target) -> [Int: Winograd] {
    guard self != .direct, target.lanes(.f32) > 1 else { return [:] }
    var result: [Int: Winograd] = [:]
    for position in graph.nodes.indices {
      guard let shape = SmallConvolution(graph, position, groups) else { continue }
      result[position] = self == .winograd ? shape.fastest(target) : shape.worthwhile(target)
    }
    return result
  }
}

/// A convolution that Winograd's algorithm can compute.
private struct SmallConvolution {
  let batch: Int
  let inputs: Int
  let outputs: Int
  /// Of the result.
  let height: Int
  let width: Int

  init?(_ graph: Graph, _ position: Int, _ groups: FusionGroups) {
    let node = graph.nodes[position]
    guard case .convolution(let convolution) = node.operation, convolution.groups == 1,
      convolution.stride == [1, 1], convolution.dilation == [1, 1], convolution.inputDilation == [1, 1],
      (convolution.low + convolution.high).allSatisfy({ $0 >= 0 }),
      case .constant(let weight) = graph[node.operands[1]].operation, weight.array.dtype == .f32,
      weight.array.shape.dropFirst(2) == [3, 3], let shape = node.types[0].shape.known, !shape.contains(0)
    else { return nil }
    // The input lies in memory; the kernel that uses the result has the same squares.
    let operand = graph[node.operands[0]]
    guard groups.isMaterialized[Int(node.operands[0].node)], !operand.operation.isSource,
      groups.roots[position].count == 1, let root = groups.roots[position].first,
      graph.nodes[root].types.count == 1, graph.nodes[root].types[0].shape.known == shape
    else { return nil }
    (batch, inputs, outputs, height, width) = (shape[0], weight.array.shape[1], shape[1], shape[2], shape[3])
  }

  /// The transform with the least cost.
  func fastest(_ target: Target) -> Winograd? {
    [Winograd(size: 2), Winograd(size: 4)].min { cost($0, target) < cost($1, target) }
  }

  /// The same if it is clearly faster than the direct sum.
  func worthwhile(_ target: Target) -> Winograd? {
    guard let best = fastest(target), cost(best, target) < 0.9 * directCost else { return nil }
    return best
  }

  private var directCost: Double { 9 * Double(batch * height * width * inputs * outputs) }

  private func cost(_ algorithm: Winograd, _ target: Target) -> Double {
    let tiles = Double(batch * algorithm.tiles(height) * algorithm.tiles(width))
    let products = Double(algorithm.productCount)
    let (inputs, outputs) = (Double(inputs), Double(outputs))
    return tiles * products * (inputs * outputs + 6 * (inputs + outputs))
  }
}
