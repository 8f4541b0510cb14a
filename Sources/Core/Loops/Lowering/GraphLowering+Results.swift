/// Where the results of graphs and sub-graphs are written.
extension GraphLowering {
  /// Lowers all nodes of a region and puts the targets' values into their places.
  mutating func lower(_ region: inout Region, targets: [(value: Value, place: Place)]) -> [Step] {
    let graph = region.graph
    for (position, node) in graph.nodes.enumerated() {
      let value = Value(node: position)
      switch node.operation {
      case .constant(let constant) where constant.array.count != 1:
        let name = graph.locations[position].node ?? graph.locations[position].modulePath ?? "weight"
        region.places[value] = Place(
          buffer: self.constant(ConstantContent(constant.array), name, graph.locations[position]), start: Index(0))
      case .variable(let read):
        if let index = program.variables.firstIndex(where: { $0.name == read.variable }) {
          region.places[value] = Place(buffer: program.variableBuffers[index], start: Index(0))
        }
      default: break
      }
    }
    // A result is written where it belongs at once, if its kernel is free to.
    var copies: [(value: Value, place: Place)] = []
    for target in targets {
      let home = home(target.value, region)
      if region.destinations[home] == nil, canWriteDirectly(home, to: target.place, region) {
        region.destinations[home] = target.place
      } else {
        copies.append(target)
      }
    }
    if target.isTiled { placeParts(&region) }
    var steps: [Step] = []
    let groups = allowsSlabs ? slabGroups(region) : [:]
    if !groups.isEmpty { isInSlabs = true }
    let inside = Set(groups.values.flatMap { $0.members.dropLast() })
    for (position, node) in graph.nodes.enumerated()
    where region.groups.isMaterialized[position] && !node.operation.isSource && !inside.contains(position) {
      if let group = groups[position] {
        steps += lower(group, &region)
      } else {
        steps += lower(node, position, &region)
      }
    }
    // What could not be written at once is copied in the end, when nobody reads the old content any more; contents that
    // are themselves overwritten by these copies are kept aside first.
    let overwritten = Set(copies.map(\.place.buffer))
    for index in copies.indices {
      guard let source = storage(copies[index].value, region), overwritten.contains(source.buffer),
        source.buffer != copies[index].place.buffer
      else { continue }
      let type = graph.type(of: copies[index].value)
      let kept = Place(buffer: buffer("kept", type, .temporary, Location()), start: Index(0))
      steps += copy(copies[index].value, to: kept, region)
      region.places[copies[index].value] = kept
    }
    for entry in copies {
      if let source = storage(entry.value, region), source.buffer == entry.place.buffer,
        source.start == entry.place.start
      {
        continue
      }
      steps += copy(entry.value, to: entry.place, region)
    }
    return steps
  }

  /// The value whose kernel writes what `value` reads: reshapes share their operand's storage.
  private func home(_ value: Value, _ region: Region) -> Value {
    let node = region.graph[value]
    if case .reshape = node.operation, region.groups.isMaterialized[Int(node.operands[0].node)] {
      return home(node.operands[0], region)
    }
    return value
  }

  /// Whether the kernel of a value may write a place: it has a kernel, and for a variable, nobody reads the old content
  /// afterwards, nor the kernel itself at other positions.
  private func canWriteDirectly(_ value: Value, to place: Place, _ region: Region) -> Bool {
    let node = region.graph[value]
    guard !node.operation.isSource else { return false }
    switch node.operation {
    case .exchange, .conditional, .whileLoop, .call: return false
    case .scan(let scan): return Int(value.result) >= scan.carryCount && isOutput(place)
    case .factorization: return isOutput(place)
    default: break
    }
    guard case .variable(let index) = program[place.buffer].kind else { return true }
    guard inPlace else { return false }
    let name = program.variables[index].name
    guard
      let reader = region.graph.nodes.firstIndex(where: {
        if case .variable(let read) = $0.operation { read.variable == name } else { false }
      })
    else { return true }
    // Nodes whose kernels read the variable: its users, and those whose kernels inline them.
    let uses = Uses(region.graph)
    var reading: Set<Int> = []
    var work = uses.users[reader]
    var seen = Set(work)
    while let user = work.popLast() {
      let operation = region.graph.nodes[user].operation
      // A reshape shares the storage, so its users read the variable too.
      if case .reshape = operation {
        for next in uses.users[user] where seen.insert(next).inserted { work.append(next) }
        if uses.escaping.contains(user) { return false }
        continue
      }
      reading.formUnion(region.groups.roots[user])
    }
    if uses.escaping.contains(reader) { return false }
    let last = Int(value.node)
    guard reading.allSatisfy({ $0 <= last }) else { return false }
    guard reading.contains(last) else { return true }
    // The kernel reads what it overwrites: only safe at the same position, which element-wise chains guarantee.
    return readsInPlace(value, variable: reader, region)
  }

  func isOutput(_ place: Place) -> Bool { if case .output = program[place.buffer].kind { true } else { false } }

  /// Whether the kernel of a value reads a variable only at the element that it writes.
  private func readsInPlace(_ value: Value, variable: Int, _ region: Region) -> Bool {
    let scalars = ScalarBuilder()
    var memo: [Value: TensorExpression] = [:]
    var region = region
    if let index = program.variables.firstIndex(where: {
      if case .variable(let read) = region.graph.nodes[variable].operation { read.variable == $0.name } else { false }
    }) {
      region.places[Value(node: variable)] = Place(buffer: program.variableBuffers[index], start: Index(0))
    }
    // Kernels lowered later have no places yet: stand-ins will do, only the variable's loads are looked at.
    for (position, node) in region.graph.nodes.enumerated()
    where region.groups.isMaterialized[position] && position != Int(value.node) {
      for result in node.types.indices where region.places[Value(node: position, result: result)] == nil {
        region.places[Value(node: position, result: result)] = Place(buffer: BufferID(.max), start: Index(0))
      }
    }
    let node = region.graph[value]
    let shape = node.types[0].sizes
    let context = LoweringContext(
      operands: node.operands.map { expression($0, region, scalars, &memo) }, results: node.types, scalars: scalars)
    guard case .elements(let elements) = node.operation.definition.lower(context) else { return false }
    let domain = scalars.variables(shape)
    let own = Index.flattened(domain.map { Index($0) }, shape: shape)
    guard let buffer = region.places[Value(node: variable)]?.buffer else { return false }
    var result = true
    scalars.forEach([elements[0](domain.map { Index($0) })]) { _, node in
      if case .load(buffer, let position) = node, position != own { result = false }
    }
    return result
  }

  /// A new temporary for a value.
  mutating func temporary(_ name: String, _ type: TensorType, _ location: Location, _ layout: Layout? = nil)
    -> Place
  {
    let layout = layout.flatMap { $0.isRowMajor ? nil : $0 }
    let stored = layout.map { TensorType(type.dtype, $0.sizes.map { Dim($0) }) } ?? type
    let own = buffer(name, stored, .temporary, location)
    if let layout { program.buffers[own.position].padding = layout.padding + layout.gap }
    return Place(buffer: own, start: Index(0), layout: layout)
  }
}
