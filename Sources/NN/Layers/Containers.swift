public import LatheCore

/// More layers of one kind than this are a mistake.
let layerLimit = 1 << 16

/// Modules one after another; children are named by position, or by the names given.
public struct Sequential: Module {
  private let modules: [(name: String, module: any Module<Tensor, Tensor>)]
  let identity = LayerIdentity()
  private let scopes: [LayerIdentity]

  /// Makes a layer with the given options.
  public init(_ modules: any Module<Tensor, Tensor>...) { self.init(modules) }

  /// Makes a layer with the given options.
  public init(_ modules: [any Module<Tensor, Tensor>]) {
    self.init(named: modules.enumerated().map { ("\($0.offset)", $0.element) })
  }

  /// Makes a sequence whose children have names.
  public init(named modules: [(name: String, module: any Module<Tensor, Tensor>)]) {
    self.modules = modules.map { ($0.name, $0.module) }
    scopes = modules.map { _ in LayerIdentity() }
  }

  /// How many modules there are.
  public var count: Int { modules.count }

  /// The module at a position.
  public subscript(position: Int) -> any Module<Tensor, Tensor> { modules[position].module }

  /// A sequence with one more module, named by its position.
  public func append(_ module: any Module<Tensor, Tensor>) -> Sequential { add(module, named: "\(count)") }

  /// A sequence with one more module: `add_module`.
  public func add(_ module: any Module<Tensor, Tensor>, named name: String) -> Sequential {
    Sequential(named: modules + [(name, module)])
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      zip(modules, scopes).reduce(x) { x, child in child.1.scope(of: x) { _ in child.0.module(x) } }
    }
  }
}

extension Sequential: ModuleContainer {
  var namedParts: [(name: String, child: Any)] {
    zip(modules, scopes).flatMap { child, scope -> [(name: String, child: Any)] in
      // A scope stands inside of its child's path, like a layer's own identity.
      [("\(child.name).scope", scope), (child.name, child.module)]
    }
  }
}
