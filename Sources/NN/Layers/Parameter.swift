public import LatheCore
import Synchronization

/// The product of sizes, of which a hostile one gives a number that no tensor has.
func product(_ sizes: [Int]) -> Int { sizes.map { Dim($0) }.elementCount.known ?? 0 }

/// A named tensor of a module: a trained weight, or a buffer that is kept with the weights.
///
/// A parameter is known by its identity; its name is its place in the module that is traced. Its content is what was
/// given, loaded or drawn for it; until then it is drawn when tracing. A trace takes the content of that moment: what
/// the graph makes of it is an update of the graph's variable.
public final class Parameter: Sendable {
  private struct State: Sendable {
    var data: NDArray?
    var requiresGrad: Bool
    var initializer: Initializer
  }

  /// The element type and shape.
  public let type: TensorType
  /// Whether it is trained.
  public let role: Variable.Role
  /// Whether a state dictionary has it.
  public let persistent: Bool
  private let state: Mutex<State>

  /// Declares a parameter.
  ///
  /// - Parameters:
  ///   - shape: Known, positive sizes; others are reported when a module with the parameter is traced.
  ///   - persistent: Whether `stateDict` has it.
  public init(
    _ shape: [Int], dtype: ScalarType = .f32, role: Variable.Role = .parameter, initializer: Initializer,
    persistent: Bool = true
  ) {
    type = TensorType(dtype, shape)
    self.role = role
    self.persistent = persistent
    state = Mutex(State(requiresGrad: role == .parameter, initializer: initializer))
    self.initializer = initializer
  }

  /// What it holds at first.
  ///
  /// Setting it makes what was there before another: after `manualSeed` numbers are drawn by the new rule at once, as
  /// PyTorch's functions `nn.init.NAME_` draw them, otherwise when it is traced or the model's `initialize` is run. A
  /// shape that the rule does not fit is reported when tracing.
  public var initializer: Initializer {
    get { state.withLock { $0.initializer } }
    set {
      var data: NDArray?
      if var generator = Generator.ofParameters { data = try? newValue.array(type, &generator) }
      state.withLock {
        $0.initializer = newValue
        $0.data = data
      }
    }
  }

  /// A parameter with a content: `nn.Parameter(data, requires_grad)`.
  public convenience init(_ data: NDArray, requiresGrad: Bool = true) {
    self.init(data.shape, dtype: data.dtype, initializer: .literal(data))
    self.requiresGrad = requiresGrad
  }

  /// A state of a layer that is not trained: `nn.Buffer(data, persistent)`.
  ///
  /// Stored as a property of a layer, it is read by `buffer(for: x)` and written by `buffer.update(to: y)`.
  public static func buffer(_ data: NDArray, persistent: Bool = true) -> Parameter {
    Parameter(data.shape, dtype: data.dtype, role: .buffer, initializer: .literal(data), persistent: persistent)
  }

  /// The sizes of the axes.
  var sizes: [Int] { type.shape.known ?? internalError("the parameter \(type) was declared without sizes") }

  /// Whether it is trained: one that is not has no gradient in `trainingStep`, and no state of an optimizer.
  public var requiresGrad: Bool {
    get { state.withLock { $0.requiresGrad } }
    set { state.withLock { $0.requiresGrad = newValue } }
  }

  /// The content; nil as long as it is to be drawn when tracing.
  public var data: NDArray? {
    if let data = state.withLock({ $0.data }) { return data }
    switch initializer {
    case .constant, .literal, .eye, .dirac: return try? drawn(name: "", seed: 0)
    default: return nil
    }
  }

  /// Takes over the elements of an array, converted to the parameter's type: PyTorch's `copy_`.
  ///
  /// - Throws: For another shape.
  public func copy(_ array: NDArray) throws(DiagnosticsError) {
    guard array.shape == type.shape.known else {
      throw DiagnosticsError("the parameter is \(type), the value \(array.type)")
    }
    state.withLock { $0.data = array.converted(to: type.dtype) }
  }

  /// Fills it by a rule, with numbers of a generator: what PyTorch's functions `nn.init.NAME_` do.
  ///
  /// Its own rule stays.
  ///
  /// - Throws: Where the rule does not fit the shape.
  public func initialize(
    _ initializer: Initializer, generator: Generator = .default
  ) throws(DiagnosticsError) {
    var generator = generator
    let content = try initializer.array(type, &generator)
    state.withLock { $0.data = content }
  }

  /// The content, or what is drawn from the seed and the name.
  ///
  /// - Throws: Where the initializer does not fit the shape.
  func drawn(name: String, seed: UInt64, dtype: ScalarType? = nil) throws(DiagnosticsError) -> NDArray {
    let type = type.with(dtype: dtype ?? type.dtype)
    if let data = state.withLock({ $0.data }) { return data.converted(to: type.dtype) }
    var numbers = KeyedNumbers(seed: seed, name: name)
    return try initializer.array(type, &numbers)
  }

  /// The content, which stays what it is drawn as here.
  func materialized(name: String, seed: UInt64) throws(DiagnosticsError) -> NDArray {
    let content = try drawn(name: name, seed: seed)
    return state.withLock { state in
      let data = state.data ?? content
      state.data = data
      return data
    }
  }

  /// The parameter's content in the graph that `tensor` belongs to; a buffer's after its updates so far.
  public func callAsFunction(for tensor: Tensor) -> Tensor {
    role == .buffer ? updated(in: tensor.builder) : read(in: tensor.builder)
  }

  /// The parameter's content in a graph.
  func read(in builder: Builder) -> Tensor {
    if let constant = constant(in: builder) { return constant }
    guard let variable = variable(in: builder) else { return builder.poison }
    return builder.variable(variable)
  }

  /// What the parameter holds by now, after the updates of calls before.
  func updated(in builder: Builder) -> Tensor {
    if let constant = constant(in: builder) { return constant }
    guard let variable = variable(in: builder) else { return builder.poison }
    return builder.content(variable)
  }

  /// Makes a tensor of the parameter's type its content after the run.
  public func update(to value: Tensor) {
    if let variable = variable(in: value.builder) { value.builder.update(variable.name, to: value) }
  }

  /// A given buffer that is not part of the traced model, such as the weights of a loss, is a literal.
  private func constant(in builder: Builder) -> Tensor? {
    guard role == .buffer, case .literal = initializer, let data else { return nil }
    let names = builder.context as? ModuleNames
    let isKnown =
      names?.variables[ObjectIdentifier(self)] != nil || names?.faulty.contains(ObjectIdentifier(self)) == true
    return isKnown ? nil : builder.constant(data)
  }

  private func variable(in builder: Builder) -> Variable? {
    let names = builder.context as? ModuleNames
    if let variable = names?.variables[ObjectIdentifier(self)] { return variable }
    if names?.faulty.contains(ObjectIdentifier(self)) != true {
      builder.report(
        Diagnostic(
          "a parameter of shape \(type) is not part of the traced module",
          help: "store the layer as a property of the module that is given to trace"))
    }
    return nil
  }
}
