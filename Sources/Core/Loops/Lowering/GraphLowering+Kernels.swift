/// Nodes as kernels, and the values that these read.
extension GraphLowering {
  mutating func lower(_ node: Node, _ position: Int, _ region: inout Region) -> [Step] {
    switch node.operation {
    case .conditional(let conditional): return lower(conditional, node, position, &region)
    case .whileLoop(let loop): return lower(loop, node, position, &region)
    case .scan(let scan): return lower(scan, node, position, &region)
    case .call(let call): return lower(call, node, position, &region)
    case .factorization: return factorize(node, position, &region)
    case .broadcast where region.destinations[Value(node: position)] == nil:
      // A repeated literal that somebody wants in memory is a weight: made once, not in every run.
      if let literal = region.graph.literal(node.operands[0]), literal.count == 1, let number = literal.first {
        let array = unfailing {
          try NDArray(repeating: number, dtype: literal.dtype, shape: node.types[0].sizes)
        }
        let place = constant(ConstantContent(array), "repeated", region.graph.locations[position])
        region.places[Value(node: position)] = Place(buffer: place, start: Index(0))
        return []
      }
    case .concatenate(let concatenate) where target.isTiled:
      return self.concatenate(node, position, along: concatenate.axis, &region)
    case .reshape where region.destinations[Value(node: position)] == nil:
      if let place = storage(Value(node: position), region) {
        region.places[Value(node: position)] = place
        return []
      }
    default: break
    }
    let value = Value(node: position)
    var steps = borderedOperands(position, &region)
    let place = place(for: value, &region)
    steps += transformConvolution(of: position, into: place, &region)
    steps += kernel(node, position, into: place, region)
    region.places[value] = place
    return steps
  }

  /// Copies what a kernel reads beyond its bounds, where it lies in the caller's memory, into a place with a border.
  mutating func borderedOperands(_ position: Int, _ region: inout Region) -> [Step] {
    var steps: [Step] = []
    for member in region.groups.members(of: position, in: region.graph) {
      for operand in region.graph.nodes[member].operands {
        guard let borders = region.layouts.borders[operand], let place = storage(operand, region),
          place.layout?.borders != borders
        else { continue }
        let type = region.graph.type(of: operand)
        let layout = region.layouts.layouts[operand] ?? Layout(shape: type.sizes, borders: borders)
        let copied = temporary("padded", type, region.graph.locations[position], layout)
        steps += copy(operand, to: copied, region)
        region.places[operand] = copied
      }
    }
    return steps
  }

  /// The place that a value's kernel writes: its destination, or a new temporary.
  mutating func place(for value: Value, _ region: inout Region) -> Place {
    if let destination = region.destinations[value] { return destination }
    let location = region.graph.locations[Int(value.node)]
    return temporary(
      bufferName(Int(value.node), in: region.graph), region.graph.type(of: value), location,
      region.layouts.layouts[value])
  }

  /// - Parameter origin: The index that comes first in the place; nil where all of the result belongs there.
  mutating func kernel(
    _ node: Node, _ position: Int, into place: Place, from origin: [Index]? = nil, _ region: Region
  ) -> [Step] {
    let members = region.groups.members(of: position, in: region.graph)
    let location = region.graph.locations[position]
    let own = Value(node: position)
    let isTransformed = region.transformed[own] != nil
    let squares = members.lazy.compactMap { region.transformed[Value(node: $0)]?.algorithm.size }.first
    if case .extent(let extent) = node.operation { counted = extent }
    defer { counted = nil }
    return kernel(
      isTransformed ? Detach() : node.operation.definition, isTransformed ? [own] : node.operands, node.types[0],
      into: place, from: origin, region, squares: squares, title: title(members, in: region.graph),
      nodes: region.isModel ? members : [], location: location)
  }

  mutating func copy(_ value: Value, to place: Place, _ region: Region) -> [Step] {
    let location = region.graph.locations[Int(value.node)]
    return kernel(
      Detach(), [value], region.graph.type(of: value), into: place, region,
      title: title("copy", at: location), nodes: [], location: location)
  }

  mutating func kernel(
    _ definition: any OperationDefinition, _ operands: [Value], _ type: TensorType, into place: Place,
    from origin: [Index]? = nil, _ region: Region, squares: Int? = nil, title: Title, nodes: [Int],
    location: Location
  ) -> [Step] {
    let scalars = ScalarBuilder(checksIndices: checksIndices)
    var memo: [Value: TensorExpression] = [:]
    let context = LoweringContext(
      operands: operands.map { expression($0, region, scalars, &memo) }, results: [type], scalars: scalars)
    let layout = place.layout ?? Layout(shape: type.sizes)
    let lowering = kernelLowering(scalars, region)
    var definition = definition.lower(context)
    if let origin { definition = definition.starting(at: origin) }
    var lowered = lowering.lower(
      definition, layout: layout, type: type.dtype, into: place.buffer, at: place.start,
      squares: squares)
    if layout.hasBorder {
      lowered.parts += lowering.border(of: layout, type: type.dtype, in: place.buffer, at: place.start)
    }
    lowered.inPlace.removeAll { $0 == place.buffer }
    return steps(lowered, region, title, nodes: nodes, location: location)
  }

  /// Lowers kernels that read the program's buffers.
  func kernelLowering(_ scalars: ScalarBuilder, _ region: Region) -> KernelLowering {
    let buffers = program.buffers
    // Wholes that parts are written into one after the other.
    let growing = Set(region.destinations.filter { region.places[$0.key] == nil }.map(\.value.buffer))
    return KernelLowering(scalars: scalars, parameters: region.parameters, target: target) { buffer in
      let count = buffers[buffer.position].count
      return switch buffers[buffer.position].kind {
      case .constant: OperandFacts(isConstant: true, count: count)
      case .input, .variable: OperandFacts(isConstant: false, count: count)
      case .output, .temporary:
        OperandFacts(isConstant: false, count: count, isWhole: !growing.contains(buffer))
      }
    }
  }

  /// The steps of a kernel, copies of its operands first; none where there are no elements.
  mutating func steps(
    _ lowered: KernelLowering.Result, _ region: Region, _ title: Title, nodes: [Int], location: Location
  ) -> [Step] {
    if lowered.parts.isEmpty { return [] }
    let name = identifier(title.name)
    var steps: [Step] = []
    var copies: [BufferID: BufferID] = [:]
    for (packing, copy) in lowered.packings {
      var packing = packing
      packing.source = copies[packing.source] ?? packing.source
      copies[copy] = pack(packing, for: name, parameters: region.parameters, location, &steps)
    }
    if let (type, stand) = lowered.workspace { copies[stand] = buffer(name + "_work", type, .temporary, location) }
    let kernel = Kernel(
      name: name, summary: title.summary, parameters: region.parameters, macs: lowered.macs, parts: lowered.parts,
      inPlace: lowered.inPlace, nodes: nodes, location: location,
      counted: counted.map { Kernel.CountedSize(name: $0.size, capacity: $0.capacity?.known ?? 0) })
    steps.append(add(copies.isEmpty ? kernel : kernel.renaming(copies)))
    return steps
  }

  mutating func add(_ kernel: Kernel) -> Step {
    program.kernels.append(kernel)
    return .kernel(program.kernels.count - 1)
  }

  /// An operand in the order in which a kernel reads it: constants now, others by a kernel of their own.
  mutating func pack(
    _ packing: Packing, for name: String, parameters: [LoopVariable], _ location: Location, _ steps: inout [Step]
  ) -> BufferID {
    let parameters = parameters.filter { packing.start.variables.contains($0) }
    let source = program[packing.source]
    if case .constant(let content) = source.kind {
      return constant(content.packed(packing), source.name + "_packed", location)
    }
    let type = TensorType(packing.type, packing.extents.map { Dim($0) })
    let target = buffer(source.name + "_packed", type, .temporary, location)
    let scalars = ScalarBuilder()
    let domain = scalars.variables(packing.extents)
    var position = packing.start
    for (variable, stride) in zip(domain, packing.strides) { position = position + Index(variable) * stride }
    let nest = Nest(
      scalars: scalars, domain: domain.filter { $0.extent != 1 },
      stores: [
        Nest.Store(
          buffer: target, position: Index.flattened(domain.map { Index($0) }, shape: packing.extents),
          value: scalars.load(packing.source, position, packing.type))
      ])
    var emitter = NestEmitter(scalars, parameters: parameters)
    let body = emitter.emit(Schedule(nest.collapsed(), for: program.target))
    steps.append(
      add(
        Kernel(
          name: identifier(name + "_pack"), summary: "pack", parameters: parameters, body: body, location: location)))
    return target
  }

  /// Where a value's elements are in memory, if they are: reshapes share their operand's storage in row-major order.
  func storage(_ value: Value, _ region: Region) -> Place? {
    if let place = region.places[value] { return place }
    let node = region.graph[value]
    if case .reshape = node.operation, let place = storage(node.operands[0], region), place.layout == nil {
      return place
    }
    return nil
  }

  /// Element access to a value: from memory, or computed on the spot.
  func expression(
    _ value: Value, _ region: Region, _ scalars: ScalarBuilder, _ memo: inout [Value: TensorExpression]
  ) -> TensorExpression {
    if let known = memo[value] { return known }
    let type = region.graph.type(of: value)
    let result: TensorExpression
    if let place = storage(value, region) {
      let layout = place.layout ?? Layout(shape: type.sizes)
      result = TensorExpression(type, in: place.buffer, from: place.start, layout, scalars)
        .starting(at: region.origins[value])
    } else if let transformed = region.transformed[value] {
      let squares = TransformedSquares()
      result = TensorExpression(type) { transformed.element($0, squares, scalars) }
    } else {
      let node = region.graph[value]
      let operands = node.operands.map { expression($0, region, scalars, &memo) }
      let context = LoweringContext(operands: operands, results: node.types, scalars: scalars)
      switch node.operation.definition.lower(context) {
      case .elements(let elements):
        let element = elements[Int(value.result)]
        let cache = ElementCache()
        result = TensorExpression(type) { index in cache.element(index, element) }
      case .cumulative, .sort, .scatter, .controlFlow, .routine:
        internalError("\(node.operation.name) has no place in memory")
      }
    }
    memo[value] = result
    return result
  }

  /// The scalars of an inlined value by index, so that shared elements are made once.
  private final class ElementCache {
    private var known: [[Index]: Scalar] = [:]

    func element(_ index: [Index], _ make: ([Index]) -> Scalar) -> Scalar {
      if let scalar = known[index] { return scalar }
      let scalar = make(index)
      known[index] = scalar
      return scalar
    }
  }
}
