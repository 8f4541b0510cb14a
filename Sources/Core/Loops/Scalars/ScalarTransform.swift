/// Rewriting of whole scalar expressions: substitution of loop variables, and what is asked of them.
extension ScalarBuilder {
  /// What a loop variable becomes: an index over new variables.
  struct Replacement {
    var index: Index
    /// The variables that a reduction over the old one runs over instead.
    var variables: [LoopVariable]
  }

  /// The scalar with loop variables replaced; constraints that are now decided vanish.
  func rewritten(
    _ scalars: [Scalar], _ replacements: [LoopVariable: Replacement], given: [Scalar: Scalar] = [:]
  ) -> [Scalar] {
    var memo = given
    func rewrite(_ index: Index) -> Index {
      index.substituting({ replacements[$0]?.index ?? Index($0) }, value: { self.asIndex(rewrite($0)) })
    }
    func rewrite(_ scalar: Scalar) -> Scalar {
      if let known = memo[scalar] { return known }
      let type = type(scalar)
      let result: Scalar
      switch node(scalar) {
      case .constant: result = scalar
      case .index(let index): result = self.index(rewrite(index))
      case .load(let buffer, let position): result = load(buffer, rewrite(position), type)
      case .pointwise(let function, let operands): result = make(.pointwise(function, operands.map(rewrite)), type)
      case .convert(let operand): result = convert(rewrite(operand), type)
      case .bitcast(let operand): result = bitcast(rewrite(operand), type)
      case .checked(let operand, let extent): result = checked(rewrite(operand), extent, always: true)
      case .guarded(let constraints, let then, let otherwise):
        result = guarded(
          constraints.map { $0.mapIndex(rewrite) }, then: { rewrite(then) }, otherwise: rewrite(otherwise))
      case .reduce(let combiner, let variables, let body):
        result = make(
          .reduce(combiner, variables.flatMap { replacements[$0]?.variables ?? [$0] }, rewrite(body)), type)
      case .argReduce(let combiner, let variable, let body):
        result = make(.argReduce(combiner, variable, rewrite(body)), type)
      }
      memo[scalar] = result
      return result
    }
    return scalars.map(rewrite)
  }

  /// The scalars with some that they are made of replaced by others.
  func replacing(_ scalars: [Scalar], by replacements: [Scalar: Scalar]) -> [Scalar] {
    rewritten(scalars, [:], given: replacements)
  }

  /// The parts of a reduction, and whether it finds the place of an extreme instead of a value; nil for other scalars.
  func reduction(
    _ scalar: Scalar
  ) -> (combiner: Combiner, variables: [LoopVariable], body: Scalar, findsPlace: Bool)? {
    switch node(scalar) {
    case .reduce(let combiner, let variables, let body): (combiner, variables, body, false)
    case .argReduce(let combiner, let variable, let body): (combiner, [variable], body, true)
    default: nil
    }
  }

  /// Takes conditions out of a reduction's body where the body is the identity, or a product with zero, elsewhere.
  func liftedGuard(_ body: Scalar, _ combiner: Combiner) -> ([Constraint], Scalar) {
    let type = type(body)
    switch node(body) {
    case .guarded(let constraints, let then, let otherwise)
    where node(otherwise) == .constant(combiner.identity(type)):
      let (inner, value) = liftedGuard(then, combiner)
      return (constraints + inner, value)
    case .convert(let operand):
      // Rounding keeps zero and infinities.
      guard case .guarded(let constraints, let then, let otherwise) = node(operand),
        case .constant(let value) = node(otherwise), type.rounded(value) == combiner.identity(type)
      else { return ([], body) }
      return (constraints, convert(then, type))
    case .pointwise(.multiply, let factors) where combiner == .sum:
      // zero times anything adds nothing (padding does not meet infinities, as in every library)
      var constraints: [Constraint] = []
      let bare = factors.map { factor in
        let (inner, value) = liftedGuard(factor, .sum)
        constraints += inner
        return value
      }
      return (constraints, constraints.isEmpty ? body : pointwise(.multiply, bare))
    default: return ([], body)
    }
  }

  /// The number as an index.
  func asIndex(_ scalar: Scalar) -> Index {
    switch node(scalar) {
    case .index(let index): return index
    case .constant(.integer(let value)): return Index(value)
    default: return Index(scalar)
    }
  }

  /// Calls `body` once for every scalar that the given ones are made of, operands first.
  package func forEach(_ scalars: [Scalar], _ body: (Scalar, ScalarNode) -> Void) {
    var seen = Set<Scalar>()
    func visit(_ scalar: Scalar) {
      guard seen.insert(scalar).inserted else { return }
      let node = node(scalar)
      for operand in operands(node) { visit(operand) }
      body(scalar, node)
    }
    for scalar in scalars { visit(scalar) }
  }

  /// The scalars that a node is made of, those in its indices included.
  package func operands(_ node: ScalarNode) -> [Scalar] {
    switch node {
    case .constant: []
    case .index(let index): index.values
    case .load(_, let position): position.values
    case .pointwise(_, let operands): operands
    case .convert(let operand), .bitcast(let operand), .checked(let operand, _): [operand]
    case .guarded(let constraints, let then, let otherwise): constraints.flatMap(\.index.values) + [then, otherwise]
    case .reduce(_, _, let body), .argReduce(_, _, let body): [body]
    }
  }

  /// The indices that occur in a node itself.
  func indices(_ node: ScalarNode) -> [Index] {
    switch node {
    case .index(let index): [index]
    case .load(_, let position): [position]
    case .guarded(let constraints, _, _): constraints.map(\.index)
    default: []
    }
  }

  /// The loop variables that a scalar depends on and that no reduction inside of it binds.
  func freeVariables(_ scalar: Scalar, _ memo: inout [Scalar: Set<LoopVariable>]) -> Set<LoopVariable> {
    if let known = memo[scalar] { return known }
    let node = node(scalar)
    var result = Set<LoopVariable>()
    for index in indices(node) { result.formUnion(index.variables) }
    for operand in operands(node) { result.formUnion(freeVariables(operand, &memo)) }
    switch node {
    case .reduce(_, let variables, _): result.subtract(variables)
    case .argReduce(_, let variable, _): result.remove(variable)
    default: break
    }
    memo[scalar] = result
    return result
  }
}

extension Index {
  /// The data-dependent integers that occur.
  var values: [Scalar] {
    terms.flatMap { term -> [Scalar] in
      switch term.atom {
      case .value(let scalar): [scalar]
      case .variable: []
      case .floorDivide(let index, _), .modulo(let index, _): index.values
      }
    }
  }

  /// The divisions that occur: dividend and divisor.
  var divisions: [(Index, Int)] {
    terms.flatMap { term -> [(Index, Int)] in
      switch term.atom {
      case .value, .variable: []
      case .floorDivide(let index, let divisor), .modulo(let index, let divisor): [(index, divisor)] + index.divisions
      }
    }
  }

  /// The part that decides whether the index is a multiple of a positive constant.
  func remainder(by divisor: Int) -> Index {
    var result = Index(constant - constant.floorDivided(by: divisor) * divisor)
    for term in terms {
      let rest = term.coefficient - term.coefficient.floorDivided(by: divisor) * divisor
      if rest != 0 { result = result + Index(atom: term.atom) * rest }
    }
    return result
  }
}
