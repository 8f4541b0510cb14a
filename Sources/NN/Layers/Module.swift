public import LatheCore

/// Something with parameters: its stored properties are walked to find and name them.
public protocol Parameterized: Sendable {}

/// A function of one tensor with parameters: a layer or a model, as a struct whose properties are layers.
///
/// A call computes in the graph of its argument; the result may be a tensor, or a tuple, array, dictionary or struct of
/// tensors.
public protocol Module<Output>: Parameterized {
  associatedtype Output = Tensor

  func callAsFunction(_ input: Tensor) -> Output
}

/// A function of two tensors with parameters.
public protocol BinaryModule: Parameterized {
  associatedtype Output = Tensor

  func callAsFunction(_ first: Tensor, _ second: Tensor) -> Output
}

/// A function of three tensors with parameters.
public protocol TernaryModule: Parameterized {
  associatedtype Output = Tensor

  func callAsFunction(_ first: Tensor, _ second: Tensor, _ third: Tensor) -> Output
}

/// What a layer is known by while it is traced: a place in the model.
///
/// Layers are structs and have no identity of their own; each of the library's layers keeps one of these, so that what
/// it builds is labelled with its path.
public final class LayerIdentity: Sendable {
  /// Makes it from its parts.
  public init() {}

  /// Runs the body of a layer's call with the layer's path as the module path of what it builds.
  public func scope<R>(of tensor: Tensor, _ body: (Builder) -> R) -> R {
    let builder = tensor.builder
    guard let path = (builder.context as? ModuleNames)?.paths[ObjectIdentifier(self)], !path.isEmpty else {
      return body(builder)
    }
    return builder.module(path) { body(builder) }
  }
}

/// The names of a model's parameters and layers, found by a read-only walk over its stored properties.
struct ModuleNames: Sendable {
  /// The variables of the parameters, by identity.
  private(set) var variables: [ObjectIdentifier: Variable] = [:]
  /// The paths of the layers, by identity; a layer that is used twice has its first.
  private(set) var paths: [ObjectIdentifier: String] = [:]
  /// The variables in the order of the walk.
  private(set) var ordered: [Variable] = []
  /// How the variables are drawn whose content is not given.
  private(set) var initializers: [String: Initializer] = [:]
  /// Parameters that have been reported.
  private(set) var faulty: Set<ObjectIdentifier> = []
  private(set) var diagnostics: [Diagnostic] = []
  /// What drawn parameters and random numbers depend on.
  private(set) var seed: UInt64 = 0
  private var found: [(name: String, parameter: Parameter)] = []
  /// Objects that have been walked, which may refer to each other.
  private var visited: Set<ObjectIdentifier> = []

  /// Walks a model and gives each parameter its content: from `values` by name, or drawn from the seed.
  ///
  /// - Parameter values: Either empty or with every parameter's name; buffers may be missing.
  init(_ model: Any?, values: [String: NDArray], seed: UInt64, floatType: ScalarType? = nil) {
    self.seed = seed
    if let model { walk(model, "") }
    var known = Set<String>()
    for (name, parameter) in found {
      known.insert(name)
      let type =
        parameter.type.dtype.isFloat ? parameter.type.with(dtype: floatType ?? parameter.type.dtype) : parameter.type
      guard let shape = type.shape.known, shape.allSatisfy({ $0 >= 0 }) else {
        fault(
          parameter, "parameter '\(name)' has shape \(type.shape.text)", help: "sizes must not be negative")
        continue
      }
      var initial: NDArray?
      if let value = values[name] {
        guard value.shape == shape else {
          fault(
            parameter, "parameter '\(name)' is \(type), its value is \(value.type)",
            help: "give a value of shape \(type.shape.text)")
          continue
        }
        initial = value.converted(to: type.dtype)
      } else if !values.isEmpty, parameter.role == .parameter {
        fault(parameter, "parameter '\(name)' has no value", help: "give a \(type) for it")
        continue
      }
      do throws(DiagnosticsError) {
        try NDArray.requireMemory(type.dtype, shape)
      } catch {
        fault(parameter, "parameter '\(name)' is \(type), larger than the memory", help: nil)
        continue
      }
      let content = initial ?? parameter.initializer.array(type, name: name, seed: seed)
      guard content.shape == shape else {
        fault(parameter, "parameter '\(name)' is \(type), its initializer is \(content.type)", help: nil)
        continue
      }
      let variable = Variable(name: name, role: parameter.role, initial: content)
      variables[ObjectIdentifier(parameter)] = variable
      ordered.append(variable)
      if initial == nil { initializers[name] = parameter.initializer }
    }
    for name in values.keys.sorted() where !known.contains(name) {
      diagnostics.append(Diagnostic("the model has no parameter '\(name)'", help: closest(name, known)))
    }
  }

  /// A graph without a model.
  init() {}

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

  private mutating func walk(_ value: Any, _ path: String) {
    if let parameter = value as? Parameter {
      let id = ObjectIdentifier(parameter)
      // A shared parameter has its first name, as in PyTorch.
      if !found.contains(where: { ObjectIdentifier($0.parameter) == id }) { found.append((path, parameter)) }
      return
    }
    if let identity = value as? LayerIdentity {
      let owner = path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
      if paths[ObjectIdentifier(identity)] == nil { paths[ObjectIdentifier(identity)] = owner }
      return
    }
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .class, !visited.insert(ObjectIdentifier(value as AnyObject)).inserted { return }
    switch mirror.displayStyle {
    case .optional:
      if let child = mirror.children.first { walk(child.value, path) }
    case .collection, .tuple, .struct, .class, .enum:
      // Containers name their children themselves, without a step for the property that stores them.
      if let container = value as? any ModuleContainer {
        for (name, child) in container.namedChildren { walk(child, joined(path, name)) }
        walk(container.identity, joined(path, "identity"))
        return
      }
      var layer: Mirror? = mirror
      while let current = layer {
        for (position, child) in current.children.enumerated() {
          walk(
            child.value,
            joined(path, current.displayStyle == .collection ? "\(position)" : propertyName(child.label, position)))
        }
        layer = current.superclassMirror
      }
    case .dictionary:
      if let dictionary = value as? [String: Any] {
        for key in dictionary.keys.sorted() { if let child = dictionary[key] { walk(child, joined(path, key)) } }
      }
    default: break
    }
  }

  private func joined(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// A property's name as PyTorch would write it: `inProjWeight` is `in_proj_weight`, `.0` of a tuple `0`.
  private func propertyName(_ label: String?, _ position: Int) -> String {
    guard let label else { return "\(position)" }
    if label.hasPrefix(".") { return String(label.dropFirst()) }
    return label.reduce(into: "") { name, character in
      name += character.isUppercase ? "_\(character.lowercased())" : String(character)
    }
  }
}

/// A module whose children have names of their own, such as the positions in a sequence.
protocol ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { get }
  var identity: LayerIdentity { get }
}
