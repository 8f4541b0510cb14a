import LatheCore

/// The modules and parameters of a model, found by a read-only walk over its stored properties.
struct ModuleTree {
  /// What stands at a place.
  enum Content {
    case parameter(Parameter)
    case module(any Parameterized)
    /// Modules or parameters by number: an array.
    case list
    /// Modules or parameters by name: a dictionary, a tuple, a struct that is no module.
    case group
  }

  /// A place in the model.
  struct Node {
    /// The last step of the path.
    let name: String
    /// The place's name in the model: `encoder.layers.0`.
    let path: String
    let content: Content
    /// What tells the module from others that look alike; nil when nothing does.
    let identity: ObjectIdentifier?
    let children: [Node]

    var parameter: Parameter? { if case .parameter(let parameter) = content { parameter } else { nil } }

    var module: (any Parameterized)? { if case .module(let module) = content { module } else { nil } }

    /// The places inside and this one before them.
    var all: [Node] { [self] + children.flatMap(\.all) }

    /// The modules right below: those of arrays and dictionaries count as the module's own.
    var nearestModules: [Node] { children.flatMap { $0.module == nil ? $0.nearestModules : [$0] } }

    /// The parameters that are not inside of another module.
    var ownParameters: [Node] {
      children.flatMap { $0.parameter != nil ? [$0] : $0.module == nil ? $0.ownParameters : [] }
    }
  }

  let root: Node
  /// The layers' identities with the paths of their layers, in the order of the walk.
  private(set) var identities: [(identity: LayerIdentity, path: String)] = []

  init(_ model: Any) {
    var walk = Walk()
    let node = walk.node(model, "", "")
    root = node ?? Node(name: "", path: "", content: .group, identity: nil, children: [])
    identities = walk.identities
  }

  private struct Walk {
    var identities: [(identity: LayerIdentity, path: String)] = []
    /// Objects that are being walked, which may refer to themselves.
    private var open: Set<ObjectIdentifier> = []

    /// What stands at a place; nil where there is neither a module nor a parameter.
    mutating func node(_ value: Any, _ name: String, _ path: String) -> Node? {
      if let parameter = value as? Parameter {
        return Node(
          name: name, path: path, content: .parameter(parameter), identity: ObjectIdentifier(parameter), children: [])
      }
      if let identity = Self.layerIdentity(value) {
        identities.append((identity, path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""))
        return nil
      }
      if value is NDArray { return nil }
      let mirror = Mirror(reflecting: value)
      var identity: ObjectIdentifier?
      if mirror.displayStyle == .class {
        let object = ObjectIdentifier(value as AnyObject)
        guard open.insert(object).inserted else { return nil }
        identity = object
      }
      defer { if let identity { open.remove(identity) } }
      var children: [Node] = []
      switch mirror.displayStyle {
      case .optional:
        return mirror.children.first.flatMap { node($0.value, name, path) }
      case .collection, .tuple, .struct, .class, .enum:
        // Containers name their children themselves, without a step for the property that stores them.
        if let container = value as? any ModuleContainer {
          identity = identity ?? ObjectIdentifier(container.identity)
          for (step, child) in container.namedParts { append(child, step, to: &children, path) }
          _ = node(container.identity, "identity", joined(path, "identity"))
          break
        }
        let names = (value as? any Parameterized)?.stateNames ?? [:]
        var layer: Mirror? = mirror
        while let current = layer {
          for (position, child) in current.children.enumerated() {
            let step = current.displayStyle == .collection ? "\(position)" : propertyName(child.label, position, names)
            if let own = Self.layerIdentity(child.value) { identity = identity ?? ObjectIdentifier(own) }
            append(child.value, step, to: &children, path)
          }
          layer = current.superclassMirror
        }
      case .dictionary:
        if let dictionary = value as? [String: Any] {
          for key in dictionary.keys.sorted() {
            if let child = dictionary[key] { append(child, key, to: &children, path) }
          }
        }
      default: return nil
      }
      if let module = value as? any Parameterized {
        return Node(name: name, path: path, content: .module(module), identity: identity, children: children)
      }
      if children.isEmpty { return nil }
      let content: Content = mirror.displayStyle == .collection ? .list : .group
      return Node(name: name, path: path, content: content, identity: nil, children: children)
    }

    /// The identity that a property is, or keeps, for the layer that it belongs to.
    private static func layerIdentity(_ value: Any) -> LayerIdentity? {
      value as? LayerIdentity ?? (value as? any LayerIdentified)?.identity
    }

    private mutating func append(_ value: Any, _ step: String, to children: inout [Node], _ path: String) {
      if let child = node(value, step, joined(path, step)) { children.append(child) }
    }

    private func joined(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// A property's name as PyTorch would write it: `inProjWeight` is `in_proj_weight`, `.0` of a tuple `0`.
    private func propertyName(_ label: String?, _ position: Int, _ names: [String: String]) -> String {
      guard let label else { return "\(position)" }
      if let name = names[label] { return name }
      if label.hasPrefix(".") { return String(label.dropFirst()) }
      return label.reduce(into: "") { name, character in
        name += character.isUppercase ? "_\(character.lowercased())" : String(character)
      }
    }
  }
}

/// A part of a layer that keeps the layer's identity.
protocol LayerIdentified {
  var identity: LayerIdentity { get }
}

/// A module whose children have names of their own, such as the positions in a sequence.
protocol ModuleContainer {
  var namedParts: [(name: String, child: Any)] { get }
  var identity: LayerIdentity { get }
}
