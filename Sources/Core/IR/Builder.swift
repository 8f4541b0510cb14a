import Synchronization

/// The only door into a graph: infers types, interns equal nodes, folds small constants, and records every fault.
///
/// A fault does not stop the building: the operation gives a poisoned value, what is built on it is poisoned in silence,
/// and `finish` throws all faults at once.
public final class Builder: Sendable {
  struct Key: Hashable {
    let operation: Operation
    let operands: [Value]
  }

  struct ExtentKey: Hashable {
    let count: Value
    let capacity: Dim?
  }

  struct State {
    var nodes: [Node] = []
    var locations: [Location] = []
    var interned: [Key: Int] = [:]
    var inputs: [Value] = []
    var variables: [Variable] = []
    var updates: [Graph.Update] = []
    var captures: [(outer: Value, inner: Value)] = []
    /// How many streams of random numbers there are.
    var streams = 0
    /// The names of the sizes that data decides, of the whole model, and here those that numbers of elements have.
    var extentNames: Set<String> = []
    var extents: [ExtentKey: String] = [:]
    /// The sizes that others are broadcasts of, of the whole model.
    var broadcastSizes: [Dim: Set<Dim>] = [:]
    var diagnostics: [Diagnostic] = []
    var scopes: [String] = []
    /// The module that what is built outside of all scopes is taken to belong to.
    var owner: String?
    var origin = Location()
    /// The composite function being built: its name, and its operands as diagnostics show them.
    var composite: (name: String, operands: [String])?
    /// The call that is being built, and how many there have been in the whole model.
    var call: Location.Call?
    var callCount = 0
  }

  /// Results of at most this many elements are folded while building.
  private static let foldingLimit = 64

  let state: Mutex<State>

  /// The builder of the trace that is running: of what is made from no tensor, and the one to tell mistakes to.
  @TaskLocal package static var current: Builder?

  /// The builder of the graph around this region; nil for a whole model.
  public let parent: Builder?
  let depth: Int

  /// The builder of the whole model.
  var root: Builder { parent?.root ?? self }

  /// Whether layers behave as in training: batch statistics, running averages.
  public let isTraining: Bool

  /// What a front-end keeps with the graph that it traces, such as the names of parameters; nothing here reads it.
  package let context: (any Sendable)?

  /// A builder of a new graph.
  public init(isTraining: Bool = false, context: (any Sendable)? = nil) {
    state = Mutex(State())
    parent = nil
    depth = 0
    self.isTraining = isTraining
    self.context = context
  }

  private init(parent: Builder) {
    state = Mutex(State())
    self.parent = parent
    depth = parent.depth + 1
    isTraining = parent.isTraining
    context = parent.context
    let (scopes, owner, origin, composite, call) = parent.state.withLock {
      ($0.scopes, $0.owner, $0.origin, $0.composite, $0.call)
    }
    state.withLock {
      $0.call = call
      $0.scopes = scopes
      $0.owner = owner
      $0.origin = origin
      $0.composite = composite
    }
  }

  // MARK: Applying operations

  /// Applies an operation and gives its results; on a fault, poison.
  package func apply(_ operation: Operation, _ operands: [Tensor]) -> [Tensor] {
    let operands = Autocast.operands(operation, operands)
    let values = operands.map { adopted($0) }
    let definition = operation.definition
    guard !values.contains(where: \.isPoison) else { return poisoned(operation, operands.count) }
    let types: [TensorType]
    do throws(TypeFault) {
      try TypeFault.requireBounded(definition.attributes)
      types = try definition.infer(values.map { type(of: $0) })
      if case .exchange = operation, depth > 0 { throw Exchange.insideFault }
      try TypeFault.requireBounded(types)
      if !operation.movesOnly { try TypeFault.requireComputed(values.map { type(of: $0) } + types) }
      try definition.check(values.map { type(of: $0) }) { repeatedLiteral(values[$0]) }
    } catch {
      record(error, operation: definition.name, operands: operands)
      return poisoned(operation, operands.count)
    }
    let key = Key(operation: operation, operands: values)
    if !operation.isSource, let folded = folded(operation, values, types) {
      return folded.map { Tensor(builder: self, value: append(.constant(Constant($0)), [], [$0.type])) }
    }
    let node = state.withLock { $0.interned[key] } ?? Int(append(operation, values, types).node)
    if case .extent(let extent) = operation { register(extent, values[0]) }
    return types.indices.map { Tensor(builder: self, value: Value(node: node, result: $0)) }
  }

  private func append(_ operation: Operation, _ operands: [Value], _ types: [TensorType]) -> Value {
    state.withLock { state in
      let key = Key(operation: operation, operands: operands)
      if let known = state.interned[key] { return Value(node: known) }
      var location = state.origin
      if !state.scopes.isEmpty {
        location.modulePath = state.scopes.joined(separator: ".")
      } else if location.isEmpty {
        location.modulePath = state.owner
      }
      if location.call == nil { location.call = state.call }
      state.nodes.append(Node(operation: operation, operands: operands, types: types))
      state.locations.append(location)
      state.interned[key] = state.nodes.count - 1
      return Value(node: state.nodes.count - 1)
    }
  }

  private func folded(_ operation: Operation, _ operands: [Value], _ types: [TensorType]) -> [NDArray]? {
    guard types.allSatisfy({ ($0.elementCount ?? .max) <= Self.foldingLimit }) else { return nil }
    // A broadcast of a scalar stays as it is: cheaper to read, and rules recognize it. What defines a size is mentioned.
    switch operation {
    case .broadcast, .extent, .exchange: return nil
    default: break
    }
    // So does what is made of such broadcasts only.
    guard operands.contains(where: { if case .constant = node(of: $0).operation { true } else { false } }) else {
      return nil
    }
    var literals: [NDArray] = []
    for operand in operands {
      guard let literal = smallLiteral(operand) else { return nil }
      literals.append(literal)
    }
    // What cannot be computed is left to the run, which says so.
    return try? ReferenceEvaluator.evaluate(operation, literals, types)
  }

  /// The content of a literal, or the number that is repeated.
  private func repeatedLiteral(_ value: Value) -> NDArray? {
    let node = node(of: value)
    switch node.operation {
    case .constant(let constant): return constant.array
    case .broadcast:
      guard case .constant(let number) = self.node(of: node.operands[0]).operation, number.array.count == 1 else {
        return nil
      }
      return number.array
    default: return nil
    }
  }

  /// The content of a small literal, or of one number repeated to a small size.
  private func smallLiteral(_ value: Value) -> NDArray? {
    let node = node(of: value)
    switch node.operation {
    case .constant(let constant): return constant.array.count <= 4096 ? constant.array : nil
    case .broadcast:
      guard let shape = node.types[0].shape.known, (0...4096).contains(node.types[0].elementCount ?? -1),
        case .constant(let constant) = self.node(of: node.operands[0]).operation, constant.array.count == 1,
        let number = constant.array.first
      else { return nil }
      return unfailing { try NDArray(repeating: number, dtype: constant.array.dtype, shape: shape) }
    default: return nil
    }
  }

  private func register(_ extent: Extent, _ count: Value) {
    root.state.withLock { _ = $0.extentNames.insert(extent.size) }
    state.withLock { $0.extents[ExtentKey(count: count, capacity: extent.capacity)] = extent.size }
  }

  /// The size that a number of elements has here, where it has one.
  func extent(of count: Value, capacity: Dim?) -> Dim? {
    state.withLock { $0.extents[ExtentKey(count: count, capacity: capacity)] }.map { Dim(extent: $0) }
  }

  /// The capacity of a size that data decides in this graph.
  func ownCapacity(of extent: String) -> Dim? {
    state.withLock { $0.extents.first { $0.value == extent }?.key.capacity }
  }

  /// The names of all sizes that a number of elements has here, sorted.
  func extents(of count: Value) -> [String] {
    state.withLock { state in state.extents.filter { $0.key.count == count }.values.sorted() }
  }

  /// A name that no size of the model has: the one wanted, or with a number behind it.
  func freshExtent(named wanted: String?) -> String {
    root.state.withLock { state in
      if let wanted, !state.extentNames.contains(wanted) { return wanted }
      var number = wanted == nil ? state.extentNames.count : 1
      func name() -> String { wanted.map { "\($0)_\(number)" } ?? "n\(number)" }
      while state.extentNames.contains(name()) { number += 1 }
      return name()
    }
  }

  private func poisoned(_ operation: Operation, _ operandCount: Int) -> [Tensor] {
    let count: Int =
      switch operation {
      case .conditional(let payload): payload.then.outputs.count
      case .whileLoop(let payload): max(0, min(payload.stateCount, operandCount))
      case .scan(let payload): payload.body.outputs.count
      case .call(let payload): payload.body.outputs.count
      case .factorization(let payload): payload.resultCount
      default: 1
      }
    return Array(repeating: poison, count: count)
  }

  /// A value that stands for what could not be built.
  package var poison: Tensor { Tensor(builder: self, value: .poison) }

  // MARK: Sources

  /// An argument of the graph.
  public func input(_ name: String, _ type: TensorType) -> Tensor {
    let known = state.withLock { state in
      state.inputs.first {
        if case .input(let input) = state.nodes[Int($0.node)].operation { input.argument == name } else { false }
      }
    }
    if known != nil {
      report(Diagnostic("input '\(name)' is declared twice", operation: "input"))
      return poison
    }
    let results = apply(.input(Input(name, type)), [])
    if !results[0].isPoisoned { state.withLock { $0.inputs.append(results[0].value) } }
    return results[0]
  }

  /// The content of a variable before the run; declares it when it is new.
  public func variable(_ variable: Variable) -> Tensor {
    if let parent { return parent.variable(variable) }
    let known = state.withLock { state in
      if let known = state.variables.first(where: { $0.name == variable.name }) { return known }
      state.variables.append(variable)
      return variable
    }
    guard known.type == variable.type else {
      report(Diagnostic("variable '\(variable.name)' is declared as \(known.type) and as \(variable.type)"))
      return poison
    }
    return apply(.variable(VariableRead(variable.name, variable.type)), [])[0]
  }

  /// Makes `value` the content of a declared variable after the run.
  ///
  /// The last update counts.
  package func update(_ variable: String, to value: Tensor) {
    guard !value.isPoisoned else { return }
    guard parent == nil else {
      report(Diagnostic("variable '\(variable)' is updated inside of a sub-graph", help: "carry its content as state"))
      return
    }
    guard let declared = state.withLock({ $0.variables.first { $0.name == variable } }) else {
      report(Diagnostic("variable '\(variable)' is updated, but not declared"))
      return
    }
    guard declared.type == value.type else {
      report(Diagnostic("variable '\(variable)' is \(declared.type), its update is \(value.type)"))
      return
    }
    state.withLock { state in
      state.updates.removeAll { $0.variable == variable }
      state.updates.append(Graph.Update(variable: variable, value: value.value))
    }
  }

  /// The content before the run of a variable that is declared; nil where there is none of the name.
  package func variable(named name: String) -> Tensor? {
    guard let known = state.withLock({ $0.variables.first { $0.name == name } }) else { return nil }
    return variable(known)
  }

  /// What a declared variable holds by now; nil where there is none of the name.
  package func content(named name: String) -> Tensor? {
    state.withLock { $0.variables.first { $0.name == name } }.map(content)
  }

  /// What a variable holds by now: its last update so far, or its content before the run.
  package func content(_ variable: Variable) -> Tensor {
    let update = parent == nil ? state.withLock { $0.updates.first { $0.variable == variable.name }?.value } : nil
    return update.map { Tensor(builder: self, value: $0) } ?? self.variable(variable)
  }

  /// A literal.
  public func constant(_ array: NDArray) -> Tensor { apply(.constant(Constant(array)), [])[0] }

  /// A literal without axes.
  public func scalar(_ value: ScalarValue, _ dtype: ScalarType) -> Tensor {
    constant(NDArray(scalar: value, dtype: dtype))
  }

  /// A tensor with one value in every element.
  public func full(_ type: TensorType, _ value: ScalarValue) -> Tensor {
    scalar(value, type.dtype).broadcast(to: type.shape, axes: [])
  }

  /// Zeros of a type.
  public func zeros(_ type: TensorType) -> Tensor { full(type, type.dtype.isFloat ? .float(0) : .integer(0)) }

  /// The index along one axis.
  package func iota(_ type: TensorType, axis: Int) -> Tensor { apply(.iota(Iota(type, axis: axis)), [])[0] }

  /// Random bits as `u32`, which depend on a seed, a `u64` without axes, and on the stream only.
  ///
  /// - Parameter stream: By default the number of such calls before this one in the whole graph.
  package func randomBits(_ shape: [Dim], seed: Tensor, stream: Int? = nil) -> Tensor {
    apply(.randomBits(RandomBits(shape, stream: stream ?? nextStream())), [seed])[0]
  }

  private func nextStream() -> Int {
    if let parent { return parent.nextStream() }
    return state.withLock { state in
      state.streams += 1
      return state.streams - 1
    }
  }

  // MARK: Reading

  func type(of value: Value) -> TensorType {
    value.isPoison ? .scalar(.f32) : state.withLock { $0.nodes[Int(value.node)].types[Int(value.result)] }
  }

  func node(of value: Value) -> Node { state.withLock { $0.nodes[Int(value.node)] } }

  func node(at position: Int) -> Node { state.withLock { $0.nodes[position] } }

  func location(at position: Int) -> Location { state.withLock { $0.locations[position] } }

  // MARK: Regions

  /// The value of this graph that a tensor is: its own, or one of a surrounding graph, which becomes an argument.
  private func adopted(_ tensor: Tensor) -> Value {
    if tensor.builder === self || tensor.isPoisoned { return tensor.value }
    guard let parent, tensor.builder.depth < depth else {
      report(
        tensor.builder.root === root
          ? Diagnostic(
            "a tensor of an inner sub-graph is used outside of it", help: "make it a result of the sub-graph")
          : Diagnostic(
            "a tensor of another trace is used", help: "compute it in this trace, or make it an input or a parameter"))
      return .poison
    }
    let outer = parent.adopted(tensor)
    if outer.isPoison { return outer }
    if case .constant = parent.node(of: outer).operation { return constant(parent.literal(outer)).value }
    let (known, count) = state.withLock { state in
      (state.captures.first { $0.outer == outer }?.inner, state.captures.count)
    }
    if let known { return known }
    let inner = input("capture\(count)", parent.type(of: outer)).value
    state.withLock { $0.captures.append((outer, inner)) }
    return inner
  }

  /// What an argument of this region is outside of it; nil where it is none that a value from outside became.
  func captured(_ argument: Value) -> Tensor? {
    guard let parent, let outer = state.withLock({ $0.captures.first { $0.inner == argument }?.outer }) else {
      return nil
    }
    return Tensor(builder: parent, value: outer)
  }

  private func literal(_ value: Value) -> NDArray {
    if case .constant(let constant) = node(of: value).operation { return constant.array }
    return NDArray(scalar: .integer(0), dtype: .bool)
  }

  /// Builds a sub-graph from a function; values of this graph that it uses become its last arguments.
  package func capturingRegion(
    _ types: [TensorType], _ body: (Builder, [Tensor]) throws(TypeFault) -> [Tensor]
  ) throws(TypeFault) -> (graph: Graph, captures: [Tensor]) {
    let inner = Builder(parent: self)
    let arguments = types.enumerated().map { inner.input("arg\($0)", $1) }
    let results = try body(inner, arguments)
    // A result may be a value of this graph that the function merely hands on.
    let values = results.map { inner.adopted($0) }
    let diagnostics = inner.state.withLock { $0.diagnostics }
    state.withLock { $0.diagnostics += diagnostics }
    guard diagnostics.isEmpty, !values.contains(where: \.isPoison) else { throw TypeFault.poisoned }
    let decided = inner.state.withLock { Set($0.extents.values) }
    for type in values.map({ inner.type(of: $0) }) where !decided.isDisjoint(with: type.shape.extents) {
      throw TypeFault(
        "a result of the sub-graph is \(type), whose size is decided inside", help: "fill it up to its capacity")
    }
    let outputs = values.enumerated().map { Graph.Output(name: "result\($0)", value: $1) }
    let captures = inner.state.withLock { $0.captures }
    return (inner.compacted(name: "region", outputs: outputs), captures.map { Tensor(builder: self, value: $0.outer) })
  }

  /// Builds a sub-graph from a function that uses its arguments only.
  package func region(
    _ types: [TensorType], _ body: (Builder, [Tensor]) throws(TypeFault) -> [Tensor]
  ) throws(TypeFault) -> Graph {
    let (graph, captures) = try capturingRegion(types, body)
    guard captures.isEmpty else { throw TypeFault("a sub-graph uses a value from outside") }
    return graph
  }

  // MARK: Finishing

  /// The finished graph: what the outputs and updates depend on, and every input.
  ///
  /// - Throws: All mistakes that were recorded while building.
  public func finish(name: String, outputs: [(name: String, tensor: Tensor)]) throws(DiagnosticsError) -> Graph {
    var names = Set<String>()
    for output in outputs where !names.insert(output.name).inserted {
      report(Diagnostic("output '\(output.name)' is declared twice"))
    }
    let values = outputs.map { Graph.Output(name: $0.name, value: adopted($0.tensor)) }
    // A faulty tensor of a builder that nobody finishes brings its reasons along.
    let others = outputs.filter { $0.tensor.isPoisoned && $0.tensor.builder.root !== root }
    let diagnostics = others.reduce(diagnostics) { $0 + $1.tensor.builder.diagnostics }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    if let faulty = values.first(where: \.value.isPoison) {
      throw DiagnosticsError("output '\(faulty.name)' is a faulty tensor, of another trace or Builder.poison itself")
    }
    return compacted(name: name, outputs: values)
  }

  private func compacted(name: String, outputs: [Graph.Output]) -> Graph {
    let snapshot = state.withLock {
      Graph(
        name: name, nodes: $0.nodes, inputs: $0.inputs, outputs: outputs, updates: $0.updates, variables: $0.variables,
        locations: $0.locations)
    }
    return snapshot.canonical()
  }
}
