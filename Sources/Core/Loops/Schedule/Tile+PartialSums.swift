extension Tile {
  /// The most sums of a block, its partial sums among them.
  private static let sideBySide = 8
  /// The fewest terms of a partial sum.
  private static let fewestTerms = 32

  /// The tile with partial sums where a block has few results and each is a long sum: one step of the innermost serial
  /// loop joins a term to each of them.
  ///
  /// Processors add to one register every four cycles only.
  func summedSideBySide() -> Tile {
    let block = (columns?.extent ?? 1) * (rows?.extent ?? 1)
    let serial = order.count - unrolledCount
    guard serial > 0 else { return self }
    let variable = order[serial - 1]
    let unrolled = order.suffix(unrolledCount).reduce(1) { $0 * $1.extent }
    let factors = (2...Self.sideBySide).filter { factor in
      variable.extent % factor == 0 && variable.extent >= Self.fewestTerms * factor
        && factor * block <= Self.sideBySide && factor * block * unrolled <= Self.longestBlock
    }
    guard let factor = factors.last, let reduction = nest.onlyReduction,
      case .reduce(let combiner, _, let body) = nest.scalars.node(reduction),
      nest.scalars.liftedGuard(body, combiner).0.allSatisfy({ !$0.index.variables.contains(variable) })
    else { return self }
    var result = self
    let (outer, inner): (LoopVariable, LoopVariable)
    (result.nest, outer, inner) = nest.split(variable, by: factor)
    result.summand = summand.map {
      nest.scalars.rewritten(
        [$0],
        [
          variable: ScalarBuilder.Replacement(index: Index(outer) * factor + Index(inner), variables: [outer, inner])
        ])[0]
    }
    result.order.replaceSubrange(serial - 1..<serial, with: [outer, inner])
    result.unrolledCount += 1
    result.partials = inner
    return result
  }
}
