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
  /// The size that the kernel being lowered checks.
  var counted: Extent?
  let allowsSlabs: Bool
  /// Whether results are written over operands and variables.
  let inPlace: Bool
  /// Whether any kernels run slab by slab.
  var isInSlabs = false
  var program: Program
  private var names: [String: Int] = [:]
  private var constants: [ConstantContent: BufferID] = [:]
  /// Numbers of loop variables of the program are negative, those of kernels are not.
  private var nextVariable = -1

  init(
    name: String, target: Target, convolutions: ConvolutionMethod, checksIndices: Bool, allowsSlabs: Bool, inPlace: Bool
  ) {
    self.inPlace = inPlace
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
      program.outputs.append(Port(name: output.name, buffer: place.buffer, type: type, shape: output.shape))
      targets.append((output.value, place))
    }
    for update in graph.updates {
      guard let position = variables.firstIndex(where: { $0.name == update.variable }) else {
        internalError("\(graph.name) updates '\(update.variable)', which the model does not declare")
      }
      targets.append((update.value, Place(buffer: program.variableBuffers[position], start: Index(0))))
    }
    program.steps = lower(&region, targets: targets)
    collectExchanges(region)
  }
}
