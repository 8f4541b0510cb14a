/// Computes an operation element by element from its loop definition: the living meaning of the primitives.
///
/// Slow and simple. The builder folds small constants with it, and tests hold every back-end against it.
package enum ReferenceEvaluator {
  /// The results of an operation on literals, or nil for control flow and for matrices that have no factorization.
  ///
  /// Types are known.
  ///
  /// - Throws: An index that is out of range.
  package static func evaluate(
    _ operation: Operation, _ operands: [NDArray], _ types: [TensorType]
  ) throws(IndexFault) -> [NDArray]? {
    var evaluation = Evaluation(scalars: ScalarBuilder(), operands: operands)
    let results = evaluate(operation, types, &evaluation)
    if let fault = evaluation.fault { throw fault }
    return results
  }

  private static func evaluate(
    _ operation: Operation, _ types: [TensorType], _ evaluation: inout Evaluation
  ) -> [NDArray]? {
    if case .constant(let constant) = operation { return [constant.array] }
    let scalars = evaluation.scalars
    let expressions = evaluation.operands.enumerated().map { position, array in
      TensorExpression(array.type, in: BufferID(position), scalars)
    }
    let context = LoweringContext(operands: expressions, results: types, scalars: scalars)
    let shape = types[0].sizes
    switch operation.definition.lower(context) {
    case .controlFlow: return nil
    case .routine(let routine): return self.run(routine, evaluation.operands, types)
    case .elements(let elements):
      return zip(elements, types).map { element, type in
        let shape = type.sizes
        let variables = scalars.variables(shape)
        let scalar = element(variables.map { Index($0) })
        var values: [ScalarValue] = []
        evaluation.iterate(variables) { values.append($0.value(scalar)) }
        return unfailing { try NDArray(dtype: type.dtype, shape: shape, values: values) }
      }
    case .cumulative(let cumulative):
      let variables = scalars.variables(shape)
      let scalar = cumulative.element(variables.map { Index($0) })
      let dtype = types[0].dtype
      var values = [ScalarValue](repeating: .integer(0), count: shape.reduce(1, *))
      let stride = shape[(cumulative.axis + 1)...].reduce(1, *)
      // The neighbour on the axis is known already when positions are walked in the direction of the scan.
      func fill(_ evaluation: inout Evaluation, position: Int) {
        let index = Index.unflattened(Index(position), shape: shape).map {
          $0.known ?? internalError("an index of an element is no number: \($0)")
        }
        for (variable, value) in zip(variables, index) { evaluation.environment[variable.id] = value }
        let value = evaluation.value(scalar)
        let first = cumulative.reverse ? shape[cumulative.axis] - 1 : 0
        guard index[cumulative.axis] != first else { return values[position] = value }
        let before = values[cumulative.reverse ? position + stride : position - stride]
        values[position] = cumulative.combiner.function.evaluate([before, value], dtype)
      }
      let order = Array(values.indices)
      for position in cumulative.reverse ? order.reversed() : order { fill(&evaluation, position: position) }
      return [unfailing { try NDArray(dtype: dtype, shape: shape, values: values) }]
    case .sort(let sort):
      let variables = scalars.variables(shape)
      let scalar = sort.key(variables.map { Index($0) })
      let dtype = evaluation.operands[0].dtype
      var keys: [ScalarValue] = []
      evaluation.iterate(variables) { keys.append($0.value(scalar)) }
      var values = [ScalarValue](repeating: .integer(0), count: keys.count)
      let (count, stride) = (shape[sort.axis], shape[(sort.axis + 1)...].reduce(1, *))
      for first in keys.indices where first / stride % count == 0 {
        // Ties go by place: the order is stable, and no two elements are equal in it.
        let order = (0..<count).sorted { a, b in
          let (x, y) = (keys[first + a * stride], keys[first + b * stride])
          if ArgSort.precedes(x, y, dtype, descending: sort.descending) { return true }
          return a < b && !ArgSort.precedes(y, x, dtype, descending: sort.descending)
        }
        for (place, source) in order.enumerated() { values[first + place * stride] = .integer(source) }
      }
      return [unfailing { try NDArray(dtype: .i64, shape: shape, values: values) }]
    case .scatter(let scatter):
      let dtype = types[0].dtype
      let variables = scalars.variables(shape)
      let base = scatter.base(variables.map { Index($0) })
      var values: [ScalarValue] = []
      evaluation.iterate(variables) { values.append($0.value(base)) }
      let domain = scalars.variables(scatter.domain)
      let target = scatter.target(domain.map { Index($0) })
      let update = scatter.update(domain.map { Index($0) })
      evaluation.iterate(domain) { evaluation in
        let index = target.map { evaluation.value($0) }
        guard zip(index, shape).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return }
        let position = zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }
        let value = evaluation.value(update)
        values[position] = scatter.combiner?.function.evaluate([values[position], value], dtype) ?? value
      }
      return [unfailing { try NDArray(dtype: dtype, shape: shape, values: values) }]
    }
  }

  /// The state of one walk: the values of the loop variables.
  private struct Evaluation {
    let scalars: ScalarBuilder
    let operands: [NDArray]
    var environment: [Int: Int] = [:]
    /// The first index that was out of range.
    var fault: IndexFault?

    /// Runs the body for every combination of the variables, in row-major order.
    mutating func iterate(_ variables: [LoopVariable], _ body: (inout Evaluation) -> Void) {
      guard let first = variables.first else { return body(&self) }
      for value in 0..<first.extent {
        environment[first.id] = value
        iterate(Array(variables.dropFirst()), body)
      }
    }

    mutating func value(_ index: Index) -> Int {
      var result = index.constant
      for term in index.terms {
        let factor: Int
        switch term.atom {
        case .variable(let variable):
          factor = environment[variable.id] ?? internalError("loop variable \(variable.id) has no value")
        case .floorDivide(let inner, let divisor): factor = value(inner).floorDivided(by: divisor)
        case .modulo(let inner, let divisor):
          let dividend = value(inner)
          factor = dividend - dividend.floorDivided(by: divisor) * divisor
        case .value(let scalar): factor = integer(value(scalar))
        }
        result &+= factor &* term.coefficient
      }
      return result
    }

    mutating func holds(_ constraint: Constraint) -> Bool {
      switch constraint {
      case .inRange(let index, let range): return range.contains(value(index))
      case .multiple(let index, let divisor): return value(index) % divisor == 0
      }
    }

    private func integer(_ value: ScalarValue) -> Int { if case .integer(let x) = value { x } else { 0 } }

    mutating func value(_ scalar: Scalar) -> ScalarValue {
      let type = scalars.type(scalar)
      switch scalars.node(scalar) {
      case .constant(let constant): return constant
      case .index(let index): return .integer(value(index))
      case .load(let buffer, let position): return operands[buffer.position].element(at: value(position))
      case .pointwise(let function, let arguments):
        let values = arguments.map { value($0) }
        return function.evaluate(values, arguments.last.map { scalars.type($0) } ?? type)
      case .convert(let inner):
        return type.converted(value(inner), from: scalars.type(inner))
      case .bitcast(let inner):
        let array = NDArray(scalar: value(inner), dtype: scalars.type(inner))
        return unfailing { try NDArray(dtype: type, shape: [], bytes: array.bytes) }.element(at: 0)
      case .checked(let inner, let extent):
        let index = integer(value(inner))
        if (0..<extent).contains(index) { return .integer(index) }
        fault = fault ?? IndexFault(index: index, size: extent)
        return .integer(0)
      case .guarded(let constraints, let then, let otherwise):
        for constraint in constraints where !holds(constraint) { return value(otherwise) }
        return value(then)
      case .reduce(let combiner, let variables, let body):
        var result = combiner.identity(type)
        iterate(variables) { result = combiner.function.evaluate([result, $0.value(body)], type) }
        return result
      case .argReduce(let combiner, let variable, let body):
        let bodyType = scalars.type(body)
        var best: ScalarValue?
        var place = 0
        for position in 0..<variable.extent {
          environment[variable.id] = position
          let candidate = value(body)
          if let best {
            if best.double.isNaN { break }
            let better: Pointwise = combiner == .max ? .greater : .less
            guard candidate.double.isNaN || better.evaluate([candidate, best], bodyType) == .integer(1) else {
              continue
            }
          }
          best = candidate
          place = position
        }
        return .integer(place)
      }
    }
  }
}
