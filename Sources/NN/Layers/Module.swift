public import LatheCore
import Synchronization

/// Something with parameters: its stored properties are walked to find and name them.
///
/// `print` writes its modules as PyTorch's `repr` does.
public protocol Parameterized: Sendable, CustomStringConvertible {
  /// What `print` writes between the parentheses behind the type's name.
  var extraRepr: String { get }

  /// What properties are called in states, for those whose name there is not the property's in snake case.
  ///
  /// A state of PyTorch's has whatever its author wrote: `["mixed5b": "Mixed_5b", "norm1": "ln_1"]`.
  var stateNames: [String: String] { get }
}

extension Parameterized {
  /// Nothing.
  public var extraRepr: String { "" }
  /// None: `inProjWeight` is `in_proj_weight`.
  public var stateNames: [String: String] { [:] }
}

/// A function of tensors with parameters: a layer or a model, as a struct whose properties are layers.
///
/// A call computes in the graph of its arguments; the result may be a tensor, or a tuple, array, dictionary or struct of
/// tensors. A module of several tensors takes a tuple, and is called and traced without its parentheses:
///
///     struct Scorer: Module {
///       func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor { … }
///     }
///     let score = scorer(query, key)
///     let graph = try trace(scorer, .f32(8, 16), .f32(8, 16))
public protocol Module<Input, Output>: Parameterized {
  /// What the module is called with, a tensor mostly.
  associatedtype Input = Tensor
  /// What it computes.
  associatedtype Output = Tensor

  /// Computes the outputs.
  func callAsFunction(_ input: Input) -> Output
}

extension Module {
  /// Applies a module of several tensors.
  public func callAsFunction<each Argument>(_ inputs: repeat each Argument) -> Output
  where Input == (repeat each Argument) {
    self((repeat each inputs))
  }
}

/// What a layer is known by while it is traced: a place in the model, and whether it is kept from training.
///
/// Layers are structs and have no identity of their own; each of the library's layers keeps one of these, so that what
/// it builds is labelled with its path. A layer of a user's that behaves differently in training may keep one, too, and
/// ask it `isTraining(in:)`.
public final class LayerIdentity: Sendable {
  private let evaluates = Mutex(false)

  /// Makes it from its parts.
  public init() {}

  /// Whether the layer follows the trace's mode, `isTraining`; false after `eval()`.
  var training: Bool {
    get { evaluates.withLock { !$0 } }
    set { evaluates.withLock { $0 = !newValue } }
  }

  /// Whether the layer behaves as in training in a graph: where that is traced for training, unless `eval()` was called.
  public func isTraining(in builder: Builder) -> Bool { builder.isTraining && training }

  /// Runs the body of a layer's call with the layer's path as the module path of what it builds.
  public func scope<R>(of tensor: Tensor, _ body: (Builder) -> R) -> R {
    let builder = tensor.builder
    guard let names = builder.context as? ModuleNames, let path = names.paths[ObjectIdentifier(self)], !path.isEmpty
    else { return body(builder) }
    let result = builder.module(path) { body(builder) }
    names.observe(self, result)
    return result
  }
}

/// The variables of a model that is traced, and the paths of its layers.
struct ModuleNames: Sendable {
  /// The variables of the parameters, by identity.
  private(set) var variables: [ObjectIdentifier: Variable] = [:]
  /// The paths of the layers, by identity; a layer that is used twice has its first.
  private(set) var paths: [ObjectIdentifier: String] = [:]
  /// The variables in the order of the walk.
  private(set) var ordered: [Variable] = []
  /// How the variables are drawn whose content is not given.
  private(set) var initializers: [String: Initializer] = [:]
  /// The variables that are trained, in that order.
  private(set) var trained: [Variable] = []
  /// Parameters that have been reported.
  private(set) var faulty: Set<ObjectIdentifier> = []
  private(set) var diagnostics: [Diagnostic] = []
  /// What drawn parameters and random numbers depend on.
  private(set) var seed: UInt64 = 0
  /// Told of the layers' results; a layer in a sequence has two identities, of which the outer one tells.
  private var forwardHook: (@Sendable (LayerOutput) -> Void)?
  private var outermost: Set<ObjectIdentifier> = []

  /// Walks a model and gives each parameter its content: from `values` by name, or its own, or drawn from the seed.
  ///
  /// - Parameter values: Either empty or with every parameter's name; buffers may be missing. A shared parameter has its
  ///   first name, as in PyTorch, and may be given by any.
  init(
    _ model: Any?, values: [String: NDArray], seed: UInt64, floatType: ScalarType? = nil,
    forwardHook: (@Sendable (LayerOutput) -> Void)? = nil
  ) {
    self.seed = seed
    self.forwardHook = forwardHook
    guard let model else {
      reportUnknown(values, [])
      return
    }
    let tree = ModuleTree(model)
    var known: Set<String> = []
    for (identity, path) in tree.identities where paths[ObjectIdentifier(identity)] == nil {
      paths[ObjectIdentifier(identity)] = path
      if known.insert(path).inserted { outermost.insert(ObjectIdentifier(identity)) }
    }
    let parameters = tree.parameters
    for (parameter, names) in parameters { declare(parameter, names, values, floatType) }
    reportUnknown(values, Set(parameters.flatMap(\.names)))
  }

  /// A graph without a model.
  init() {}

  /// Tells of what a layer gave.
  fileprivate func observe(_ identity: LayerIdentity, _ result: Any) {
    let identity = ObjectIdentifier(identity)
    guard let forwardHook, outermost.contains(identity), let path = paths[identity] else { return }
    forwardHook(LayerOutput(path: path, types: tensors(in: result).map(\.type)))
  }

  private mutating func declare(
    _ parameter: Parameter, _ names: [String], _ values: [String: NDArray], _ floatType: ScalarType?
  ) {
    let name = names[0]
    let dtype = parameter.type.dtype.isFloat ? floatType ?? parameter.type.dtype : parameter.type.dtype
    let type = parameter.type.with(dtype: dtype)
    guard let shape = type.shape.known, shape.allSatisfy({ $0 >= 0 }) else {
      return fault(parameter, "parameter '\(name)' has shape \(type.shape.text)", help: "sizes must not be negative")
    }
    var initial: NDArray?
    if let value = names.lazy.compactMap({ values[$0] }).first {
      guard value.shape == shape else {
        return fault(
          parameter, "parameter '\(name)' is \(type), its value is \(value.type)",
          help: "give a value of shape \(type.shape.text)")
      }
      initial = value.converted(to: type.dtype)
    } else if !values.isEmpty, parameter.role == .parameter {
      return fault(parameter, "parameter '\(name)' has no value", help: "give a \(type) for it")
    }
    do throws(DiagnosticsError) {
      try NDArray.requireMemory(type.dtype, shape)
    } catch {
      return fault(parameter, "parameter '\(name)' is \(type), larger than the memory", help: nil)
    }
    do throws(DiagnosticsError) {
      let content = if let initial { initial } else { try parameter.drawn(name: name, seed: seed, dtype: dtype) }
      let variable = Variable(name: name, role: parameter.role, initial: content)
      variables[ObjectIdentifier(parameter)] = variable
      ordered.append(variable)
      if initial == nil, parameter.data == nil { initializers[name] = try parameter.initializer.reduced(shape) }
      if parameter.role == .parameter, parameter.requiresGrad, dtype.isFloat { trained.append(variable) }
    } catch {
      for diagnostic in error.diagnostics {
        fault(parameter, "parameter '\(name)' is \(type), \(diagnostic.message)", help: diagnostic.help)
      }
    }
  }

  private mutating func reportUnknown(_ values: [String: NDArray], _ known: Set<String>) {
    for name in values.keys.sorted() where !known.contains(name) {
      diagnostics.append(Diagnostic("the model has no parameter '\(name)'", help: closest(name, known)))
    }
  }

  private mutating func fault(_ parameter: Parameter, _ message: String, help: String?) {
    faulty.insert(ObjectIdentifier(parameter))
    diagnostics.append(Diagnostic(message, help: help))
  }

  /// The known name that shares the most of its path with a wrong one.
  private func closest(_ name: String, _ known: Set<String>) -> String? {
    func shared(_ other: String) -> Int { zip(name.reversed(), other.reversed()).prefix { $0 == $1 }.count }
    guard let best = known.sorted().max(by: { shared($0) < shared($1) }), shared(best) > 3 else { return nil }
    return "there is '\(best)'"
  }
}

extension ModuleTree {
  /// The parameters with all of their names, in the order of the walk.
  var parameters: [(parameter: Parameter, names: [String])] {
    var positions: [ObjectIdentifier: Int] = [:]
    var found: [(parameter: Parameter, names: [String])] = []
    for node in root.all {
      guard let parameter = node.parameter else { continue }
      if let position = positions[ObjectIdentifier(parameter)] {
        found[position].names.append(node.path)
      } else {
        positions[ObjectIdentifier(parameter)] = found.count
        found.append((parameter, [node.path]))
      }
    }
    return found
  }
}
