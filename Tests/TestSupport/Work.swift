public import LatheCore

/// How many elements are read, as the graph says it and as its loops do: kernels that compute something for each element
/// that many elements share read far more.
extension Program {
  /// Elements that one run reads from buffers; conditions are taken to hold, and loops to run their whole extent.
  public var readCount: Int { count(steps) }

  private func count(_ steps: [Step]) -> Int {
    steps.reduce(0) { sum, step in
      switch step {
      case .kernel(let position): sum + Self.count(kernels[position].body)
      case .loop(let variable, let body): sum + variable.extent * count(body)
      case .branch(_, let then, let otherwise): sum + max(count(then), count(otherwise))
      case .whileLoop(let condition, _, let body): sum + count(condition) + count(body)
      }
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
      case .allocate: sum
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
  /// Elements that the nodes read, each node computing its results once, from memory, and those of the results; a loop
  /// whose steps data decides takes one.
  public var readCount: Int {
    let results = outputs.map(\.value) + updates.map(\.value)
    return nodes.reduce(results.reduce(0) { $0 + elements(type(of: $1)) }) { $0 + readCount(of: $1) }
  }

  private func elements(_ type: TensorType) -> Int { type.extents.reduce(1, *) }

  private func readCount(of node: Node) -> Int {
    let operands = node.operands.map { type(of: $0) }
    let results = node.types.reduce(0) { $0 + elements($1) }
    switch node.operation {
    case .input, .variable, .constant, .iota: return 0
    case .dot(let dot): return 2 * results * dot.leftContracting.reduce(1) { $0 * operands[0].extents[$1] }
    case .convolution: return 2 * results * operands[1].extents.dropFirst().reduce(1, *)
    case .windowReduce(let reduce): return results * reduce.window.size.reduce(1, *)
    case .windowArgReduce(let reduce): return results * reduce.window.size.reduce(1, *)
    case .conditional(let choice): return max(choice.then.readCount, choice.otherwise.readCount) + results
    case .whileLoop(let loop): return loop.condition.readCount + loop.body.readCount + results
    case .scan(let scan): return (scan.length.known ?? 1) * scan.body.readCount + 2 * results
    default: return operands.reduce(results) { $0 + max(elements($1), results) }
    }
  }
}

extension TensorType {
  fileprivate var extents: [Int] { shape.known ?? [] }
}
