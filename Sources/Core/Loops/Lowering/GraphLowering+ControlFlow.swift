extension GraphLowering {
  /// A value in memory for a sub-graph to read, written out first where it is computed on the spot.
  mutating func argument(_ value: Value, _ region: Region, _ steps: inout [Step]) -> Place {
    if let place = storage(value, region), place.layout == nil { return place }
    let place = temporary("argument", region.graph.type(of: value), Location())
    steps += copy(value, to: place, region)
    return place
  }

  /// The steps of a sub-graph on arguments in memory; results go to the given places.
  private mutating func body(
    _ graph: Graph, _ arguments: [Place], _ outputs: [Place], _ parameters: [LoopVariable]
  ) -> [Step] {
    var region = Region(graph, parameters, isModel: false, target, convolutions)
    for (input, place) in zip(graph.inputs, arguments) { region.places[input] = place }
    return lower(&region, targets: zip(graph.outputs, outputs).map { ($0.value, $1) })
  }

  mutating func lower(_ conditional: Conditional, _ node: Node, _ position: Int, _ region: inout Region)
    -> [Step]
  {
    var steps: [Step] = []
    let operands = node.operands.map { argument($0, region, &steps) }
    let location = region.graph.locations[position]
    let results = node.types.map { temporary("cond", $0, location) }
    let arguments = Array(operands.dropFirst())
    let then = body(conditional.then, arguments, results, region.parameters)
    let otherwise = body(conditional.otherwise, arguments, results, region.parameters)
    steps.append(.branch(operands[0].buffer, then: then, otherwise: otherwise))
    for (result, place) in results.enumerated() { region.places[Value(node: position, result: result)] = place }
    return steps
  }

  mutating func lower(_ call: Call, _ node: Node, _ position: Int, _ region: inout Region) -> [Step] {
    var steps: [Step] = []
    let arguments = node.operands.map { argument($0, region, &steps) }
    let results = node.types.map { temporary("call", $0, region.graph.locations[position]) }
    steps += body(call.body, arguments, results, region.parameters)
    for (result, place) in results.enumerated() { region.places[Value(node: position, result: result)] = place }
    return steps
  }

  mutating func lower(_ loop: WhileLoop, _ node: Node, _ position: Int, _ region: inout Region) -> [Step] {
    var steps: [Step] = []
    let location = region.graph.locations[position]
    let state = node.types.map { temporary("while", $0, location) }
    for (value, place) in zip(node.operands, state) { steps += copy(value, to: place, region) }
    let constants = node.operands.dropFirst(loop.stateCount).map { argument($0, region, &steps) }
    let predicate = temporary("condition", .scalar(.bool), location)
    let condition = body(loop.condition, state + constants, [predicate], region.parameters)
    let (next, write) = carrying(loop.body, state, node.types, state + constants, [], region.parameters, location)
    steps.append(.whileLoop(condition: condition, predicate.buffer, body: next + write))
    for (result, place) in state.enumerated() { region.places[Value(node: position, result: result)] = place }
    return steps
  }

  mutating func lower(_ scan: Scan, _ node: Node, _ position: Int, _ region: inout Region) -> [Step] {
    var steps: [Step] = []
    let location = region.graph.locations[position]
    guard let length = scan.length.known else { internalError("a scan has length \(scan.length)") }
    let carry = node.types.prefix(scan.carryCount).map { temporary("carry", $0, location) }
    for (value, place) in zip(node.operands, carry) { steps += copy(value, to: place, region) }
    for (result, place) in carry.enumerated() { region.places[Value(node: position, result: result)] = place }
    let step = variable(length)
    let time = scan.reverse ? Index(length - 1) - Index(step) : Index(step)
    func element(_ place: Place, _ type: TensorType) -> Place {
      let stride = type.sizes.dropFirst().reduce(1, *)
      return Place(buffer: place.buffer, start: place.start + time * stride)
    }
    var arguments = carry
    for (offset, value) in node.operands.dropFirst(scan.carryCount).enumerated() {
      let place = argument(value, region, &steps)
      arguments.append(offset < scan.sequenceCount ? element(place, region.graph.type(of: value)) : place)
    }
    var stacked: [Place] = []
    for result in scan.carryCount..<node.types.count {
      let place = place(for: Value(node: position, result: result), &region)
      region.places[Value(node: position, result: result)] = place
      stacked.append(element(place, node.types[result]))
    }
    if length == 0 { return steps }
    let (next, write) = carrying(
      scan.body, carry, Array(node.types.prefix(scan.carryCount)), arguments, stacked, region.parameters + [step],
      location)
    steps.append(.loop(step, next + write))
    return steps
  }

  /// One iteration: the body's steps, and the steps that make its first results the next carry.
  private mutating func carrying(
    _ graph: Graph, _ carry: [Place], _ types: [TensorType], _ arguments: [Place], _ results: [Place],
    _ parameters: [LoopVariable], _ location: Location
  ) -> (body: [Step], write: [Step]) {
    let next = types.map { temporary("next", $0, location) }
    let steps = body(graph, arguments, next + results, parameters)
    var write: [Step] = []
    for ((from, to), type) in zip(zip(next, carry), types) {
      let scalars = ScalarBuilder()
      let source = TensorExpression(type, in: from.buffer, from: from.start, scalars)
      if source.shape.contains(0) { continue }
      let domain = scalars.variables(source.shape)
      let nest = Nest(
        scalars: scalars, domain: domain.filter { $0.extent != 1 },
        stores: [
          Nest.Store(
            buffer: to.buffer, position: to.start + Index.flattened(domain.map { Index($0) }, shape: source.shape),
            value: source[domain.map { Index($0) }])
        ])
      var emitter = NestEmitter(scalars, parameters: parameters)
      write.append(
        add(
          Kernel(
            name: identifier("carry"), summary: "carry", parameters: parameters,
            body: emitter.emit(Schedule(nest.collapsed(), for: program.target)), location: location)))
    }
    return (steps, write)
  }
}
