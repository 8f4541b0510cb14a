public import LatheCore

/// How many elements are read, as the graph says it and as its loops do: kernels that compute something for each element
/// that many elements share read far more.
extension Program {
  /// The kernels that read more elements than `factor` times what their nodes read, with both numbers; kernels
  /// of sub-graphs do not count.
  public func wastefulKernels(of graph: Graph, factor: Int) -> [String] {
    kernels.compactMap { kernel in
      guard !kernel.nodes.isEmpty else { return nil }
      let count = Self.count(kernel.body)
      // Copies of operands and results belong to no node.
      let copied = Set(kernel.reads + kernel.writes).reduce(0) { $0 + self[$1].count }
      let natural = kernel.nodes.reduce(copied) { $0 + graph.readCount(of: graph.nodes[$1]) }
      return count > factor * natural ? "\(kernel.name) reads \(count) elements, its nodes \(natural)" : nil
    }
  }

  private static func count(_ statements: [Statement]) -> Int {
    statements.reduce(0) { sum, statement in
      switch statement {
      case .loop(let loop):
        sum + extent(loop.variable, loop.lower, loop.upper) * count(loop.body)
      case .accumulate(let accumulation):
        sum + extent(accumulation.variable, accumulation.lower, accumulation.upper)
          * (count(accumulation.prologue) + count(accumulation.value))
      case .declare(_, let value), .assign(_, let value), .store(_, _, let value): sum + count(value)
      case .allocate, .call: sum
      case .when(_, let body): sum + count(body)
      case .whenTrue(let condition, let body): sum + count(condition) + count(body)
      }
    }
  }

  private static func extent(_ variable: LoopVariable, _ lower: Bound, _ upper: Bound) -> Int {
    guard let first = lower.known, let end = upper.known else { return variable.extent }
    return max(0, end - first)
  }

  private static func count(_ expression: Expression) -> Int {
    switch expression {
    case .constant, .register, .index: 0
    case .load(.buffer, _, _): 1
    case .load(.local, _, _): 0
    case .pointwise(_, let operands): operands.reduce(0) { $0 + count($1) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): count(operand)
    case .select(_, let then, let otherwise): max(count(then), count(otherwise))
    }
  }
}

extension Graph {
  private func elements(_ type: TensorType) -> Int { type.extents.reduce(1, *) }

  private func readCount(_ body: Graph) -> Int { body.nodes.reduce(0) { $0 + body.readCount(of: $1) } }

  /// Elements that a node reads to compute its results once, from memory; a loop whose steps data decides takes one.
  fileprivate func readCount(of node: Node) -> Int {
    let operands = node.operands.map { type(of: $0) }
    let results = node.types.reduce(0) { $0 + elements($1) }
    switch node.operation {
    case .input, .variable, .constant, .iota: return 0
    case .dot(let dot): return 2 * results * dot.leftContracting.reduce(1) { $0 * operands[0].extents[$1] }
    case .convolution: return 2 * results * operands[1].extents.dropFirst().reduce(1, *)
    case .windowReduce(let reduce): return results * reduce.window.size.reduce(1, *)
    case .windowArgReduce(let reduce): return results * reduce.window.size.reduce(1, *)
    case .conditional(let choice): return max(readCount(choice.then), readCount(choice.otherwise)) + results
    case .whileLoop(let loop): return readCount(loop.condition) + readCount(loop.body) + results
    case .scan(let scan): return (scan.length.known ?? 1) * readCount(scan.body) + 2 * results
    default: return operands.reduce(results) { $0 + max(elements($1), results) }
    }
  }
}

extension TensorType {
  fileprivate var extents: [Int] { shape.known ?? [] }
}
