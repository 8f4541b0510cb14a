/// How convolutions of 3x3 windows with stride 1 are computed, on targets with vectors.
public struct ConvolutionMethod: Hashable, Sendable {
  /// Which convolutions are computed by Winograd's algorithm.
  public enum Choice: String, Hashable, Sendable, CaseIterable {
    /// Those that it makes faster, and about as exact.
    case auto
    /// None: all are the sums that define them.
    case direct
    /// All whose shapes allow it.
    case winograd
  }

  /// Which convolutions are computed by Winograd's algorithm.
  public var choice: Choice
  /// How much larger transformed weights may make the constants of the model, in proportion: 0.25 lets 100 MB become
  /// 125 MB.
  ///
  /// Convolutions that gain most for their bytes are transformed first.
  public var weightGrowth: Double

  /// Up to here `auto` lets constants grow: what is transformed beyond saves fewer multiply-adds than its weights take
  /// time to be read.
  public static let usualWeightGrowth = 0.25

  /// A choice, with a limit for the growth of constants; by default `usualWeightGrowth` for `auto`, else none.
  public init(_ choice: Choice, weightGrowth: Double? = nil) {
    self.choice = choice
    self.weightGrowth = weightGrowth ?? (choice == .auto ? Self.usualWeightGrowth : .infinity)
  }

  /// By Winograd's algorithm where that is faster.
  public static let auto = ConvolutionMethod(.auto)
  /// As the sum that defines them.
  public static let direct = ConvolutionMethod(.direct)
  /// By Winograd's algorithm wherever shapes allow it.
  public static let winograd = ConvolutionMethod(.winograd)

  /// The convolutions of a graph, by node, that are to be transformed.
  func transforms(_ graph: Graph, _ groups: FusionGroups, _ target: Target) -> [Int: Winograd] {
    guard choice != .direct, target.lanes(.f32) > 1 else { return [:] }
    var candidates = graph.nodes.indices.compactMap { position in
      SmallConvolution(graph, position, groups).flatMap { shape in
        let algorithms = choice == .winograd ? shape.algorithms : shape.worthwhile
        return algorithms.isEmpty ? nil : (position: position, shape: shape, algorithms: algorithms)
      }
    }
    candidates.sort { ($1.shape.gain($1.algorithms[0]), $0.position) < ($0.shape.gain($0.algorithms[0]), $1.position) }
    var room = weightGrowth * Double(graph.constantBytes)
    var result: [Int: Winograd] = [:]
    for (position, shape, algorithms) in candidates {
      guard let algorithm = algorithms.first(where: { shape.addedBytes($0) <= room }) else { continue }
      room -= shape.addedBytes(algorithm)
      result[position] = algorithm
    }
    return result
  }
}

extension Graph {
  /// Bytes of all literals.
  fileprivate var constantBytes: Int {
    nodes.reduce(0) { sum, node in
      if case .constant(let constant) = node.operation { sum + constant.array.bytes.count } else { sum }
    }
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

  /// The transforms, the one with the least cost first.
  var algorithms: [Winograd] { [2, 4].map { Winograd(size: $0) }.sorted { cost($0) < cost($1) } }

  /// Those that are clearly faster than the sum.
  var worthwhile: [Winograd] { algorithms.filter { cost($0) < 0.9 * directCost } }

  /// In multiply-adds.
  private var directCost: Double { 9 * Double(batch * height * width * inputs * outputs) }

  /// In multiply-adds: a window takes about six for each of its elements and channels, and so do its products.
  private func cost(_ algorithm: Winograd) -> Double {
    let tiles = Double(batch * algorithm.tiles(height) * algorithm.tiles(width))
    let products = Double(algorithm.productCount)
    let (inputs, outputs) = (Double(inputs), Double(outputs))
    return tiles * products * (inputs * outputs + 6 * (inputs + outputs))
  }

  /// The multiply-adds that are saved for each byte that weights grow by.
  func gain(_ algorithm: Winograd) -> Double { (directCost - cost(algorithm)) / addedBytes(algorithm) }

  /// What transformed weights take more than the original ones.
  func addedBytes(_ algorithm: Winograd) -> Double {
    Double((algorithm.productCount - 9) * inputs * outputs * ScalarType.f32.byteCount)
  }
}
