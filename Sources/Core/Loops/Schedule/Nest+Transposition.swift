/// Transpositions in blocks: results run along one variable, what is read along another.
extension Nest {
  /// Rows of a block: as many floats as a cache line has, so that a line that is read is used up while it is cached.
  private static let blockRows = 16
  /// The fewest elements that are worth blocks: fewer stay in the first-level cache in any order.
  private static let fewestTransposed = 4096

  /// The nest as one over blocks, whose last variable runs over `lanes` neighbouring results, and nests for what fills
  /// no block; nil where nothing is transposed.
  ///
  /// In C, the results of a row are one vector of elements that are far from each other: 0.66 ms for 3072 x 768 floats
  /// (gcc 12, Zen 4), which take 5.4 ms row by row and 7.5 ms in blocks that gcc vectorizes as it likes.
  func transposition(lanes: Int) -> (blocks: Nest, rest: [Nest])? {
    guard lanes > 1, let inner = domain.last, limits.isEmpty,
      stores.allSatisfy({ $0.position.coefficient(of: inner) == 1 }), let across = variableReadAlong(inner),
      across.extent >= Self.blockRows, inner.extent >= lanes, across.extent * inner.extent >= Self.fewestTransposed
    else { return nil }
    var (main, row, column) = (self, across, inner)
    var rest: [Nest] = []
    func keepWhole(_ variable: LoopVariable, _ size: Int) -> LoopVariable {
      let whole = variable.extent / size * size
      if whole == variable.extent { return variable }
      rest.append(main.restricted(variable, to: whole..<variable.extent).nest)
      let (nest, part) = main.restricted(variable, to: 0..<whole)
      main = nest
      return part
    }
    row = keepWhole(row, Self.blockRows)
    column = keepWhole(column, lanes)
    (main, _, row) = main.split(row, by: Self.blockRows)
    (main, _, column) = main.split(column, by: lanes)
    main.domain.removeAll { $0 == row || $0 == column }
    main.domain += [row, column]
    return (main, rest)
  }

  /// The variable along which a value is read whose elements along `inner` are far from each other; nil also where
  /// anything but elements at fixed distances is read.
  private func variableReadAlong(_ inner: LoopVariable) -> LoopVariable? {
    var found: LoopVariable?
    var isPlain = true
    scalars.forEach(values) { _, node in
      switch node {
      case .load(_, let position):
        if !position.isAffine { isPlain = false }
        guard abs(position.coefficient(of: inner)) >= Self.blockRows else { return }
        found = found ?? domain.first { $0 != inner && position.coefficient(of: $0) == 1 }
      case .reduce, .argReduce, .guarded, .index: isPlain = false
      default: break
      }
    }
    return isPlain ? found : nil
  }
}
