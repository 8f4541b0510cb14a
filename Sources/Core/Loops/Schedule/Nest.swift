/// A kernel before scheduling: what is stored where, for all values of the domain's variables.
struct Nest {
  /// One result.
  struct Store {
    var buffer: BufferID
    /// The row-major position that a value of the domain writes.
    var position: Index
    var value: Scalar
  }

  let scalars: ScalarBuilder
  /// Outermost first.
  var domain: [LoopVariable]
  /// What restricts the domain, after splits that do not divide an extent.
  var limits: [Constraint] = []
  var stores: [Store]

  /// Whether no value of the domain is left.
  var isEmpty: Bool { domain.contains { $0.extent <= 0 } || limits.contains { $0.known == false } }

  /// All scalars that are stored.
  var values: [Scalar] { stores.map(\.value) }

  /// The nest with variables replaced.
  private func rewritten(_ replacements: [LoopVariable: ScalarBuilder.Replacement]) -> Nest {
    var result = self
    func rewrite(_ index: Index) -> Index { index.substituting { replacements[$0]?.index ?? Index($0) } }
    result.domain = domain.flatMap { replacements[$0]?.variables ?? [$0] }.filter { $0.extent != 1 }
    result.limits = limits.map { $0.mapIndex(rewrite) }.filter { $0.known != true }
    let values = scalars.rewritten(values, replacements)
    for position in stores.indices {
      result.stores[position].value = values[position]
      result.stores[position].position = rewrite(stores[position].position)
    }
    return result
  }

  // MARK: Divisions

  /// Splits loop variables until no division by a divisor of their extent is left in any index.
  func splittingDivisions() -> Nest {
    var nest = self
    for _ in 0..<16 {
      guard let (variable, factor) = nest.divisibleVariable() else { return nest }
      (nest, _, _) = nest.split(variable, by: factor)
    }
    return nest
  }

  private func divisibleVariable() -> (LoopVariable, Int)? {
    var found: (LoopVariable, Int)?
    // The loops around the kernel are not the nest's to split, and the result of an arg-reduction is its variable.
    var own = Set(domain)
    scalars.forEach(values) { _, node in
      if case .reduce(_, let variables, _) = node { own.formUnion(variables) }
    }
    scalars.forEach(values) { _, node in
      guard found == nil else { return }
      for index in scalars.indices(node) {
        for (dividend, divisor) in index.divisions {
          for term in dividend.terms {
            guard case .variable(let variable) = term.atom, own.contains(variable), term.coefficient > 0,
              divisor % term.coefficient == 0
            else { continue }
            let factor = divisor / term.coefficient
            if factor > 1, factor < variable.extent, variable.extent % factor == 0 {
              found = (variable, factor)
              return
            }
          }
        }
      }
    }
    return found
  }

  /// `variable = outer * factor + inner`; where the factor does not divide the extent, a limit is added.
  func split(_ variable: LoopVariable, by factor: Int) -> (nest: Nest, outer: LoopVariable, inner: LoopVariable) {
    let outer = scalars.variable((variable.extent + factor - 1) / factor)
    let inner = scalars.variable(factor)
    let index = Index(outer) * factor + Index(inner)
    var nest = rewritten([variable: ScalarBuilder.Replacement(index: index, variables: [outer, inner])])
    if variable.extent % factor != 0 { nest.limits.append(.inRange(index, 0..<variable.extent)) }
    return (nest, outer, inner)
  }

  /// The part of the nest in which a variable lies in a range.
  func restricted(_ variable: LoopVariable, to range: Range<Int>) -> (nest: Nest, part: LoopVariable) {
    let part = scalars.variable(range.count)
    let index = Index(part) + range.lowerBound
    return (rewritten([variable: ScalarBuilder.Replacement(index: index, variables: [part])]), part)
  }

  // MARK: Phases

  /// Splits domain variables by the periods of congruences (input dilation, as in transposed convolution), phases
  /// outside, so that congruences are tested outside of inner loops.
  func splittingPhases() -> Nest {
    var periods: [LoopVariable: Int] = [:]
    let domainSet = Set(domain)
    scalars.forEach(values) { _, node in
      guard case .guarded(let constraints, _, _) = node else { return }
      for constraint in constraints {
        guard case .multiple(let index, let divisor) = constraint else { continue }
        for term in index.terms {
          guard case .variable(let variable) = term.atom, domainSet.contains(variable) else { continue }
          let period = divisor / greatestCommonDivisor(divisor, term.coefficient)
          if period > 1, period < variable.extent { periods[variable] = max(periods[variable] ?? 1, period) }
        }
      }
    }
    var nest = self
    for variable in domain {
      guard let period = periods[variable] else { continue }
      let (split, position, phase) = nest.split(variable, by: period)
      nest = split
      if let first = nest.domain.firstIndex(of: position), let second = nest.domain.firstIndex(of: phase) {
        nest.domain.swapAt(first, second)
      }
    }
    return nest
  }

  /// The most phases that each become a part.
  private static let phaseLimit = 16

  /// The nest without congruences: every phase is a part of its own, whose reductions run over the multiples alone.
  ///
  /// So a transposed convolution is as many ordinary ones as its strides have phases.
  func resolvingCongruences() -> [Nest] {
    var parts = [self]
    for variable in domain where congruences.contains(where: { $0.index.variables.contains(variable) }) {
      guard variable.extent * parts.count <= Self.phaseLimit else { return [self] }
      parts = parts.flatMap { part in (0..<variable.extent).map { part.restricted(variable, to: $0..<$0 + 1).nest } }
    }
    return parts.map { $0.reducingOverMultiples() }
  }

  /// What has to be a multiple of what, somewhere in the nest.
  private var congruences: [(index: Index, divisor: Int)] {
    var found: [(index: Index, divisor: Int)] = []
    scalars.forEach(values) { _, node in
      guard case .guarded(let constraints, _, _) = node else { return }
      for case .multiple(let index, let divisor) in constraints where !index.isDynamic {
        found.append((index, divisor))
      }
    }
    return found
  }

  private func reducingOverMultiples() -> Nest {
    var nest = self
    for case (let variable, .multiple(let index, let divisor)) in skippedTerms() {
      let factor = index.coefficient(of: variable)
      let solutions = (0..<variable.extent).filter { (factor * $0 + index.constant) % divisor == 0 }
      guard let first = solutions.first else { continue }
      let step = divisor / greatestCommonDivisor(divisor, factor)
      let multiple = scalars.variable(solutions.count)
      nest = nest.rewritten([
        variable: ScalarBuilder.Replacement(index: Index(multiple) * step + first, variables: [multiple])
      ])
    }
    return nest
  }

  /// Variables of reductions, each with a congruence of its own outside of which no reduction over it adds anything.
  private func skippedTerms() -> [(LoopVariable, Constraint)] {
    var found: [LoopVariable: [Constraint]] = [:]
    func note(_ variable: LoopVariable, _ congruences: [Constraint]) {
      found[variable] = found[variable].map { $0.filter(congruences.contains) } ?? congruences
    }
    scalars.forEach(values) { _, node in
      switch node {
      case .reduce(let combiner, let variables, let body):
        let conditions = scalars.liftedGuard(body, combiner).0
        for variable in variables {
          note(
            variable,
            conditions.filter {
              guard case .multiple(let index, _) = $0 else { return false }
              return index.isAffine && !index.isDynamic && index.variables == [variable]
            })
        }
      case .argReduce(_, let variable, _): note(variable, [])
      default: break
      }
    }
    return found.sorted { $0.key < $1.key }.compactMap { variable, congruences in
      congruences.first.map { (variable, $0) }
    }
  }

  // MARK: Peeling

  /// At most this many nests come of one.
  private static let peelingLimit = 36

  /// Splits the domain where conditions on single variables change, so that none is tested inside the loops: borders of
  /// pads, parts of concatenations.
  ///
  /// - Parameter cutsWindows: Whether the domain is also split where windows begin and cease to lie inside.
  func peeled(cutsWindows: Bool) -> [Nest] {
    var nests = [self]
    for variable in domain {
      let next = nests.flatMap { $0.peeled(variable, cutsWindows) }
      guard next.count <= Self.peelingLimit else { return nests }
      nests = next
    }
    return nests
  }

  private func peeled(_ variable: LoopVariable, _ cutsWindows: Bool) -> [Nest] {
    guard limits.isEmpty else { return [self] }
    var cuts = Set<Int>()
    scalars.forEach(values) { _, node in
      guard case .guarded(let constraints, _, _) = node else { return }
      for constraint in constraints {
        guard case .inRange(let index, let range) = constraint, index.isAffine, !index.isDynamic,
          index.variables.contains(variable)
        else { continue }
        let factor = index.coefficient(of: variable)
        guard index.variables == [variable] else {
          if cutsWindows { cuts.formUnion(windowCuts(variable, factor, index, range)) }
          continue
        }
        for end in [range.lowerBound, range.upperBound] {
          // The first value of the variable on the far side of the end.
          cuts.insert(
            factor > 0
              ? -(index.constant - end).floorDivided(by: factor)
              : (index.constant - end).floorDivided(by: -factor) + 1)
        }
      }
    }
    let points = [0] + cuts.filter { $0 > 0 && $0 < variable.extent }.sorted() + [variable.extent]
    guard points.count > 2 else { return [self] }
    return zip(points, points.dropFirst()).map { restricted(variable, to: $0..<$1).nest }
  }

  /// The most positions near a border that each become a part, where a window is cut.
  private static let widestBorder = 4

  /// Where a window that moves with the variable begins and ceases to lie inside, position by position near the ends.
  private func windowCuts(_ variable: LoopVariable, _ factor: Int, _ index: Index, _ range: Range<Int>) -> Set<Int> {
    let rest = index - Index(variable) * factor
    guard factor > 0, rest.variables.isDisjoint(with: domain), let reach = rest.bounds else { return [] }
    let first = max(0, -((reach.lowerBound - range.lowerBound).floorDivided(by: factor)))
    let end = min(variable.extent, (range.upperBound - 1 - reach.upperBound).floorDivided(by: factor) + 1)
    guard first < end, first <= Self.widestBorder, variable.extent - end <= Self.widestBorder else { return [] }
    return Set(1..<first + 1).union(Set(end..<variable.extent))
  }

  // MARK: Collapsing

  /// Joins neighbouring loops, of the domain or of a reduction, whose variables occur in every index as one position:
  /// long inner loops.
  func collapsed() -> Nest {
    var nest = self
    while let (outer, inner) = nest.neighbours.first(where: { nest.canJoin($0.outer, $0.inner) }) {
      let joined = scalars.variable(outer.extent * inner.extent)
      nest = nest.rewritten([
        outer: ScalarBuilder.Replacement(index: Index(0), variables: [joined]),
        inner: ScalarBuilder.Replacement(index: Index(joined), variables: []),
      ])
    }
    return nest
  }

  /// Loops of which one is right inside the other, wherever one of them is.
  private var neighbours: [(outer: LoopVariable, inner: LoopVariable)] {
    var lists = Set<[LoopVariable]>()
    scalars.forEach(values) { _, node in
      switch node {
      case .reduce(_, let variables, _): lists.insert(variables)
      case .argReduce(_, let variable, _): lists.insert([variable])
      default: break
      }
    }
    let reductions = lists.sorted { $0.lexicographicallyPrecedes($1) }
    func pairs(_ list: [LoopVariable]) -> [(outer: LoopVariable, inner: LoopVariable)] {
      zip(list, list.dropFirst()).map { ($0, $1) }
    }
    /// Reductions may share variables.
    func areTogether(_ outer: LoopVariable, _ inner: LoopVariable, in list: [LoopVariable]) -> Bool {
      guard let position = list.firstIndex(of: outer) else { return !list.contains(inner) }
      return position + 1 < list.count && list[position + 1] == inner
    }
    return pairs(domain)
      + reductions.flatMap(pairs).filter { pair in
        reductions.allSatisfy { areTogether(pair.outer, pair.inner, in: $0) }
      }
  }

  private func canJoin(_ outer: LoopVariable, _ inner: LoopVariable) -> Bool {
    func joins(_ index: Index) -> Bool {
      for (dividend, _) in index.divisions where !dividend.variables.isDisjoint(with: [outer, inner]) { return false }
      return index.coefficient(of: outer) == index.coefficient(of: inner) * inner.extent
    }
    guard stores.allSatisfy({ joins($0.position) }), limits.allSatisfy({ joins($0.index) }) else { return false }
    var result = true
    scalars.forEach(values) { _, node in
      if result { result = scalars.indices(node).allSatisfy(joins) }
    }
    // A constraint that mentions the inner variable would change its meaning.
    scalars.forEach(values) { _, node in
      if case .guarded(let constraints, _, _) = node,
        constraints.contains(where: { !$0.index.variables.isDisjoint(with: [outer, inner]) })
      {
        result = false
      }
    }
    return result
  }

  /// All transformations that make loops simple, in order.
  ///
  /// - Parameter forTiles: Whether phases and the places where windows are cut become parts of their own, in which
  ///   blocks need no conditions; otherwise loops test them, or end where they do not hold.
  /// - Returns: The parts that have elements.
  func normalized(forTiles: Bool) -> [Nest] {
    let nest = splittingDivisions().splittingPhases()
    let parts = forTiles ? nest.resolvingCongruences() : [nest]
    return parts.filter { !$0.isEmpty }.flatMap { $0.peeled(cutsWindows: forTiles) }.map { $0.collapsed() }
  }
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? abs(a) : greatestCommonDivisor(b, a % b) }
