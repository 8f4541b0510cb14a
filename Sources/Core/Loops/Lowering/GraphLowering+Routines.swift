extension GraphLowering {
  /// Calls a routine for every matrix of the leading axes, one after the other.
  mutating func factorize(_ node: Node, _ position: Int, _ region: inout Region) -> [Step] {
    let types = node.operands.map { region.graph.type(of: $0) }
    if types.contains(where: { $0.sizes.contains(0) }) { return factorizeNothing(node, position, types, &region) }
    var steps: [Step] = []
    let operands = node.operands.map { argument($0, region, &steps) }
    let scalars = ScalarBuilder()
    let context = LoweringContext(
      operands: zip(types, operands).map { TensorExpression($0, in: $1.buffer, from: $1.start, scalars) },
      results: node.types, scalars: scalars)
    guard case .routine(let routine) = node.operation.definition.lower(context) else {
      internalError("\(node.operation.name) is no routine")
    }
    let location = region.graph.locations[position]
    let results = node.types.indices.map { result in
      let value = Value(node: position, result: result)
      // Routines know dense matrices only.
      let given = region.destinations[value].flatMap { $0.layout == nil ? $0 : nil }
      let place = given ?? temporary(bufferName(position, in: region.graph), node.types[result], location)
      region.places[value] = place
      return place
    }
    let work = TensorType(routine.type, [routine.workCount])
    let memory = routine.workCount > 0 ? temporary("work", work, location) : nil
    let batch = scalars.variables([types[0].sizes.dropLast(2).reduce(1, *)])[0]
    func block(_ place: Place, _ count: Int) -> RoutineCall.Block {
      RoutineCall.Block(buffer: place.buffer, start: place.start + (batch.extent > 1 ? Index(batch) * count : Index(0)))
    }
    let call = Statement.call(
      RoutineCall(
        routine, operands: zip(operands, routine.operandCounts).map { block($0, $1) },
        results: zip(results, routine.results).map { block($0, $1.count) },
        work: memory.map { RoutineCall.Block(buffer: $0.buffer, start: $0.start) }))
    let title = title([position], in: region.graph)
    steps.append(
      add(
        Kernel(
          name: identifier(title.name), summary: title.summary, parameters: region.parameters,
          body: batch.extent > 1 ? [.loop(Loop(batch, body: [call]))] : [call],
          nodes: region.isModel ? [position] : [], location: location)))
    return steps
  }

  /// What comes of matrices without elements is known.
  private mutating func factorizeNothing(
    _ node: Node, _ position: Int, _ types: [TensorType], _ region: inout Region
  ) -> [Step] {
    func filled(_ type: TensorType) -> NDArray {
      let values = [ScalarValue](
        repeating: type.dtype.isFloat ? .float(0) : .integer(0), count: type.sizes.reduce(1, *))
      return unfailing { try NDArray(dtype: type.dtype, shape: type.sizes, values: values) }
    }
    var arrays = node.types.map(filled)
    // Beside a matrix without elements others may have some, whose results then have none.
    if arrays.contains(where: { $0.count > 0 }) {
      let operands = types.map(filled)
      guard case .some(.some(let results)) = try? ReferenceEvaluator.evaluate(node.operation, operands, node.types)
      else { internalError("\(node.operation.name) of nothing has no result") }
      arrays = results
    }
    var steps: [Step] = []
    for (result, array) in arrays.enumerated() {
      let value = Value(node: position, result: result)
      let location = region.graph.locations[position]
      region.places[value] =
        array.count == 0
        ? temporary("nothing", node.types[result], location)
        : Place(buffer: constant(ConstantContent(array), "known", location), start: Index(0))
      if let destination = region.destinations[value], destination.layout == nil {
        steps += copy(value, to: destination, region)
      }
    }
    return steps
  }
}
