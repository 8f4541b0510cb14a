extension Program {
  /// Lowers a graph whose sizes are all known: groups nodes into kernels, gives every materialized value a buffer, and
  /// writes the loops.
  ///
  /// - Parameters:
  ///   - variables: Those of the model that the graph is a function of, which make the layout of the state; by default
  ///     the graph's own.
  ///   - target: The machine that schedules and layouts are chosen for.
  ///   - convolutions: How convolutions of 3x3 windows are computed on a target with vectors.
  ///   - checksIndices: Whether indices from data are checked; without, whoever runs the program answers for them.
  ///   - options: How lowering, which is called `lower`, and the passes behind it are watched and bounded.
  /// - Throws: A diagnostic for each dimension that is still a symbol; what the verifier has found.
  public init(
    lowering graph: Graph, variables: [Variable]? = nil, target: Target = .generic,
    convolutions: ConvolutionMethod = .direct, checksIndices: Bool = true,
    options: Pipeline.Options = Pipeline.Options()
  ) throws(DiagnosticsError) {
    let symbols = Set(graph.nodes.flatMap { $0.types.flatMap { $0.shape.flatMap(\.symbols) } }).sorted()
    guard symbols.isEmpty else {
      throw DiagnosticsError(
        symbols.map {
          Diagnostic(
            "the size '\($0)' is not known",
            help: "bind it, for example with --dim \($0)=1, or graph.binding([\"\($0)\": 1]) in Swift")
        })
    }
    func stages(allowsSlabs: Bool) -> (stages: [Stage], isInSlabs: Bool) {
      let lowering = GraphLowering(
        name: graph.name, target: target, convolutions: convolutions, checksIndices: checksIndices,
        allowsSlabs: allowsSlabs)
      return Self.stages(graph, variables ?? graph.variables, lowering, options)
    }
    var (all, isInSlabs) = stages(allowsSlabs: true)
    // What is read at first stays until the last slab: where that costs more than slabs save, they are not worth it.
    if isInSlabs {
      let plain = stages(allowsSlabs: false).stages
      if plain[plain.count - 1].program.peakBytes < all[all.count - 1].program.peakBytes { all = plain }
    }
    for stage in all {
      if options.verifyEach, stage.isChanged {
        do throws(DiagnosticsError) { try stage.program.verify(trustsIndices: !checksIndices) } catch {
          throw error.blamed(on: stage.name)
        }
      }
      options.print(stage.program, after: stage.name, isChanged: stage.isChanged)
    }
    self = all[all.count - 1].program
  }

  /// What lowering or a pass has left.
  private typealias Stage = (name: String, program: Program, isChanged: Bool)

  private static func stages(
    _ graph: Graph, _ variables: [Variable], _ lowering: GraphLowering, _ options: Pipeline.Options
  ) -> (stages: [Stage], isInSlabs: Bool) {
    var lowering = lowering
    lowering.lower(function: graph, variables: variables)
    var program = lowering.program
    var stages: [Stage] = [("lower", program, true)]
    var budget = RewriteBudget(limit: options.stopAfter)
    for pass in LoopPass.all {
      let spent = budget.spent
      program = pass.run(program, &budget)
      stages.append((pass.name, program, budget.spent > spent))
    }
    return (stages, lowering.isInSlabs)
  }

  /// The most bytes of temporaries that are live at once.
  private var peakBytes: Int {
    let ranges = Liveness(self).settled()
    var changes: [Int: Int] = [:]
    for (buffer, range) in zip(buffers, ranges) {
      guard case .temporary = buffer.kind, let range else { continue }
      changes[range.lowerBound, default: 0] += buffer.byteCount
      changes[range.upperBound + 1, default: 0] -= buffer.byteCount
    }
    var (live, peak) = (0, 0)
    for (_, change) in changes.sorted(by: { $0.key < $1.key }) {
      live += change
      peak = max(peak, live)
    }
    return peak
  }
}

/// Lowers graphs and their sub-graphs into one program.
struct GraphLowering {
  /// Where a value is: a tensor that starts at an element of a buffer.
  struct Place: Equatable {
    var buffer: BufferID
    var start: Index
    /// Nil for the dense row-major order.
    var layout: Layout?
  }

  /// One graph being lowered.
  struct Region {
    let graph: Graph
    let groups: FusionGroups
    let layouts: LayoutAssignment
    var parameters: [LoopVariable]
    var places: [Value: Place] = [:]
    /// Of values of which only a slab is in memory, the index of its first element.
    var origins: [Value: [Index]] = [:]
    /// Where values that are results of the graph are to be put.
    var destinations: [Value: Place] = [:]
    /// Convolutions of which only the last step is left to the kernels that use them.
    var transformed: [Value: TransformedConvolution] = [:]
    let isModel: Bool

    init(
      _ graph: Graph, _ parameters: [LoopVariable], isModel: Bool, _ target: Target, _ convolutions: ConvolutionMethod
    ) {
      self.graph = graph
      self.parameters = parameters
      self.isModel = isModel
      var groups = FusionGroups(graph, forTiles: target.isTiled)
      var layouts = LayoutAssignment(graph, groups, target, convolutions)
      let apart = layouts.scatteredReductions(graph, groups)
      if !apart.isEmpty {
        groups = FusionGroups(graph, forTiles: target.isTiled, apart: apart)
        layouts = LayoutAssignment(graph, groups, target, convolutions)
      }
      self.groups = groups
      self.layouts = layouts
    }
  }

  let convolutions: ConvolutionMethod
  let checksIndices: Bool
  private let allowsSlabs: Bool
  /// Whether any kernels run slab by slab.
  private(set) var isInSlabs = false
  private(set) var program: Program
  private var names: [String: Int] = [:]
  private var constants: [ConstantContent: BufferID] = [:]
  /// Numbers of loop variables of the program are negative, those of kernels are not.
  private var nextVariable = -1

  init(
    name: String, target: Target, convolutions: ConvolutionMethod, checksIndices: Bool, allowsSlabs: Bool
  ) {
    self.convolutions = convolutions
    self.checksIndices = checksIndices
    self.allowsSlabs = allowsSlabs
    program = Program(name: name, target: target)
  }

  var target: Target { program.target }

  // MARK: Names and buffers

  /// The longest name, so that lines of C stay readable.
  private static let longestName = 60

  /// A unique identifier made from a text.
  mutating func identifier(_ text: String) -> String {
    var stem = ""
    for character in text.prefix(Self.longestName) {
      stem.append(character.isASCII && (character.isLetter || character.isNumber) ? character : "_")
    }
    if stem.isEmpty || stem.first?.isNumber == true { stem = "_" + stem }
    var name = stem
    // Texts that begin alike, or that look like a name with a number, are told apart by numbers in place of their ends.
    while let count = names[name] {
      names[name] = count + 1
      let number = "_\(count)"
      name = name.prefix(Self.longestName - number.count) + number
    }
    names[name] = 1
    return name
  }

  mutating func buffer(_ name: String, _ type: TensorType, _ kind: Buffer.Kind, _ location: Location)
    -> BufferID
  {
    program.buffers.append(
      Buffer(name: identifier(name), dtype: type.dtype, shape: type.sizes, kind: kind, location: location))
    return BufferID(program.buffers.count - 1)
  }

  mutating func variable(_ extent: Int) -> LoopVariable {
    nextVariable -= 1
    return LoopVariable(id: nextVariable, extent: extent)
  }

  mutating func constant(_ content: ConstantContent, _ name: String, _ location: Location) -> BufferID {
    if let known = constants[content] { return known }
    let result = buffer(name, content.type, .constant(content), location)
    constants[content] = result
    return result
  }

  // MARK: Models

  /// - Parameter variables: Those of the whole model, among them the graph's.
  mutating func lower(function graph: Graph, variables: [Variable]) {
    var region = Region(graph, [], isModel: true, target, convolutions)
    for (position, input) in graph.inputs.enumerated() {
      let name = graph.inputName(input)
      let type = graph.type(of: input)
      let place = buffer(name, type, .input(position), graph.locations[Int(input.node)])
      region.places[input] = Place(buffer: place, start: Index(0))
      program.inputs.append(Port(name: name, buffer: place, type: type))
    }
    for (position, variable) in variables.enumerated() {
      let place = buffer(variable.name, variable.type, .variable(position), Location())
      program.variables.append(variable)
      program.variableBuffers.append(place)
    }
    var targets: [(value: Value, place: Place)] = []
    for (position, output) in graph.outputs.enumerated() {
      let type = graph.type(of: output.value)
      let place = Place(
        buffer: buffer(output.name, type, .output(position), graph.locations[Int(output.value.node)]), start: Index(0))
      program.outputs.append(Port(name: output.name, buffer: place.buffer, type: type))
      targets.append((output.value, place))
    }
    for update in graph.updates {
      guard let position = variables.firstIndex(where: { $0.name == update.variable }) else {
        internalError("\(graph.name) updates '\(update.variable)', which the model does not declare")
      }
      targets.append((update.value, Place(buffer: program.variableBuffers[position], start: Index(0))))
    }
    program.steps = lower(&region, targets: targets)
  }

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
    case .conditional, .whileLoop, .call: return false
    case .scan(let scan): return Int(value.result) >= scan.carryCount && isOutput(place)
    case .factorization: return isOutput(place)
    default: break
    }
    guard case .variable(let index) = program[place.buffer].kind else { return true }
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
    let stored = layout.map { TensorType(type.dtype, $0.sizes.map { Dimension($0) }) } ?? type
    let own = buffer(name, stored, .temporary, location)
    if let layout { program.buffers[own.position].padding = layout.padding + layout.gap }
    return Place(buffer: own, start: Index(0), layout: layout)
  }

  // MARK: Nodes

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
    let name = (location.modulePath.map { $0 + "_" } ?? "") + region.graph[value].operation.name
    return temporary(name, region.graph.type(of: value), location, region.layouts.layouts[value])
  }

  /// - Parameter origin: The index that comes first in the place; nil where all of the result belongs there.
  mutating func kernel(
    _ node: Node, _ position: Int, into place: Place, from origin: [Index]? = nil, _ region: Region
  ) -> [Step] {
    let members = region.groups.members(of: position, in: region.graph)
    let location = region.graph.locations[position]
    let names = members.map { region.graph.nodes[$0].operation.name }
    let own = Value(node: position)
    let isTransformed = region.transformed[own] != nil
    let squares = members.lazy.compactMap { region.transformed[Value(node: $0)]?.algorithm.size }.first
    return kernel(
      isTransformed ? Detach() : node.operation.definition, isTransformed ? [own] : node.operands, node.types[0],
      into: place, from: origin, region, squares: squares, names: names, nodes: region.isModel ? members : [],
      location: location)
  }

  mutating func copy(_ value: Value, to place: Place, _ region: Region) -> [Step] {
    kernel(
      Detach(), [value], region.graph.type(of: value), into: place, region, names: ["copy"], nodes: [],
      location: region.graph.locations[Int(value.node)])
  }

  mutating func kernel(
    _ definition: any OperationDefinition, _ operands: [Value], _ type: TensorType, into place: Place,
    from origin: [Index]? = nil, _ region: Region, squares: Int? = nil, names: [String], nodes: [Int],
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
    // The costliest operation names the kernel, the layer path leads.
    let telling = names.filter { !["constant", "broadcast", "reshape", "permute", "slice", "detach"].contains($0) }
    let shown = telling.isEmpty ? Array(names.suffix(1)) : telling
    lowered.inPlace.removeAll { $0 == place.buffer }
    return steps(lowered, region, shown, nodes: nodes, location: location)
  }

  /// Lowers kernels that read the program's buffers.
  func kernelLowering(_ scalars: ScalarBuilder, _ region: Region) -> KernelLowering {
    let buffers = program.buffers
    return KernelLowering(scalars: scalars, parameters: region.parameters, target: target) { buffer in
      if case .constant = buffers[buffer.position].kind {
        return OperandFacts(isConstant: true, count: buffers[buffer.position].count)
      }
      return OperandFacts(isConstant: false, count: buffers[buffer.position].count)
    }
  }

  /// The steps of a kernel, copies of its operands first; none where there are no elements.
  mutating func steps(
    _ lowered: KernelLowering.Result, _ region: Region, _ names: [String], nodes: [Int], location: Location
  ) -> [Step] {
    if lowered.parts.isEmpty { return [] }
    let path = location.modulePath.map { $0 + "_" } ?? ""
    let name = identifier(path + names.prefix(3).joined(separator: "_"))
    var steps: [Step] = []
    var copies: [BufferID: BufferID] = [:]
    for (packing, copy) in lowered.packings {
      var packing = packing
      packing.source = copies[packing.source] ?? packing.source
      copies[copy] = pack(packing, for: name, parameters: region.parameters, location, &steps)
    }
    if let (type, stand) = lowered.workspace { copies[stand] = buffer(name + "_work", type, .temporary, location) }
    let kernel = Kernel(
      name: name, summary: (location.modulePath.map { $0 + ": " } ?? "") + names.joined(separator: ", "),
      parameters: region.parameters, macs: lowered.macs, parts: lowered.parts,
      inPlace: lowered.inPlace, nodes: nodes, location: location)
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
    let type = TensorType(packing.type, packing.extents.map { Dimension($0) })
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

  // MARK: Values

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
