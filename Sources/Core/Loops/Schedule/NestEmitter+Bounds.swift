/// Conditions as bounds of loops.
extension NestEmitter {
  /// The ends of a loop under the constraints whose innermost variable it is.
  func bounds(_ variable: LoopVariable, _ constraints: [Constraint]) -> (lower: Bound, upper: Bound) {
    var lower = Bound(0)
    var upper = Bound(variable.extent)
    for constraint in constraints where restricts(constraint, variable) {
      guard case .inRange(let index, let range) = constraint else { continue }
      let factor = index.coefficient(of: variable)
      let rest = index - Index(variable) * factor
      if factor > 0 {
        lower.raise(toAtLeast: Index(range.lowerBound) - rest, by: factor)
        upper.restrict(toAtMost: Index(range.upperBound) - rest, by: factor)
      } else {
        // factor * v + rest < upper  <=>  v >= ceil((rest - upper + 1) / -factor)
        lower.raise(toAtLeast: rest - (range.upperBound - 1), by: -factor)
        // factor * v + rest >= lower  <=>  v < floor((rest - lower) / -factor) + 1 = ceil((rest - lower + 1) / -factor)
        upper.restrict(toAtMost: rest - (range.lowerBound - 1), by: -factor)
      }
    }
    return (lower, upper)
  }

  /// Whether a constraint can be met by restricting a loop: affine in its variable, which is the innermost it depends
  /// on.
  func restricts(_ constraint: Constraint, _ variable: LoopVariable) -> Bool {
    guard case .inRange(let index, _) = constraint, index.coefficient(of: variable) != 0, !index.isDynamic,
      !index.divisions.contains(where: { $0.0.variables.contains(variable) })
    else { return false }
    let known = scopes[scopes.count - 1].bound
    return index.variables.allSatisfy { $0 == variable || known.contains($0) || parameters.contains($0) }
  }

  /// Loops of a reduction, restricted by constraints; hands over those that only an inner loop can meet.
  mutating func reductionLoops(
    _ variables: ArraySlice<LoopVariable>, _ constraints: [Constraint], in blocks: SumBlocks?,
    _ body: (inout NestEmitter, [Constraint]) -> Void
  ) {
    // Conditions that are decided here and that no loop's ends can express are tested here.
    let bound = scopes[scopes.count - 1].bound
    let ready = constraints.filter {
      $0.index.variables.isSubset(of: bound.union(parameters)) && $0.index.values.isEmpty
    }
    let rest = constraints.filter { !ready.contains($0) }
    if !ready.isEmpty {
      let converted = ready.map { $0.mapIndex { index($0) } }
      let statements = block(isConditional: true) { $0.reductionLoops(variables, rest, in: blocks, body) }
      append(.when(converted, statements))
      return
    }
    guard let variable = variables.first else { return body(&self, rest) }
    let (lower, upper) = bounds(variable, rest)
    let open = rest.filter { !restricts($0, variable) }
    loop(over: variable, from: lower, to: upper, in: blocks) { emitter, lower, upper in
      let statements = emitter.block(binding: [variable]) {
        $0.reductionLoops(variables.dropFirst(), open, in: blocks, body)
      }
      emitter.append(.loop(Loop(variable, lower: lower, upper: upper, body: statements)))
    }
  }
}

extension Bound {
  /// For a lower end: also at least the quotient, rounded up.
  mutating func raise(toAtLeast dividend: Index, by divisor: Int) {
    if let known = dividend.known {
      constant = max(constant, -((-known).floorDivided(by: divisor)))
    } else if let bounds = dividend.bounds, -((-bounds.upperBound).floorDivided(by: divisor)) <= constant {
      return
    } else {
      quotients.append(Quotient(dividend: dividend, divisor: divisor))
    }
  }

  /// For an upper end: also at most the quotient, rounded up.
  mutating func restrict(toAtMost dividend: Index, by divisor: Int) {
    if let known = dividend.known {
      constant = min(constant, -((-known).floorDivided(by: divisor)))
    } else if let bounds = dividend.bounds, -((-bounds.lowerBound).floorDivided(by: divisor)) >= constant {
      return
    } else {
      quotients.append(Quotient(dividend: dividend, divisor: divisor))
    }
  }
}
