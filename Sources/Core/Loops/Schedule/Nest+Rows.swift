extension Nest {
  /// The nest in two steps for each row, where a reduction along the row and its results share what is dear to compute.
  ///
  /// The first step leaves it where the results will be, the second reads it from there: softmax computes every
  /// exponential once.
  ///
  /// The second step may follow the first row by row: it reads nothing but the row that it overwrites, and reduces it
  /// before.
  func keepingRow() -> (first: Nest, second: Nest)? {
    guard stores.count == 1, limits.isEmpty, let inner = domain.last,
      stores[0].position.isAffine, !stores[0].position.isDynamic
    else { return nil }
    var (reductions, isPlain) = ([Scalar](), true)
    scalars.forEach([stores[0].value]) { scalar, node in
      switch node {
      case .reduce: reductions.append(scalar)
      case .load(stores[0].buffer, _), .argReduce: isPlain = false
      default: break
      }
    }
    guard isPlain else { return nil }
    var memo: [Scalar: Set<LoopVariable>] = [:]
    let around = scalars.freeVariables(stores[0].value, &memo).union(domain)
    for reduction in reductions {
      guard case .reduce(_, let variables, let body) = scalars.node(reduction), variables.count == 1,
        variables[0].extent == inner.extent, scalars.type(body) == scalars.type(stores[0].value),
        case .pointwise(let function, _) = scalars.node(body), function.isDear
      else { continue }
      let kept = scalars.rewritten(
        [body], [variables[0]: ScalarBuilder.Replacement(index: Index(inner), variables: [inner])])[0]
      var isShared = false
      scalars.forEach([stores[0].value]) { scalar, _ in if scalar == kept { isShared = true } }
      guard isShared, kept != body, !scalars.freeVariables(reduction, &memo).contains(inner),
        // A reduction around it has no row of results: its elements differ from step to step.
        scalars.freeVariables(kept, &memo).isSubset(of: around)
      else { continue }
      func element(_ variable: LoopVariable) -> Scalar {
        let position = stores[0].position.substituting { $0 == inner ? Index(variable) : Index($0) }
        return scalars.load(stores[0].buffer, position, scalars.type(body))
      }
      var (first, second) = (self, self)
      first.stores[0].value = kept
      second.stores[0].value =
        scalars.replacing([stores[0].value], by: [kept: element(inner), body: element(variables[0])])[0]
      return (first, second)
    }
    return nil
  }
}

extension Pointwise {
  /// Whether computing it takes longer than reading the result from a cache.
  fileprivate var isDear: Bool {
    switch self {
    case .exp, .exp2, .expm1, .log, .log1p, .log2, .log10, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh,
      .asinh, .acosh, .atanh, .sigmoid, .erf, .erfc, .lgamma, .power, .atan2, .polygamma:
      true
    default: false
    }
  }
}
