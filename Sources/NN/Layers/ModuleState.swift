public import LatheCore

/// What a module is made of, by PyTorch's names: `encoder.layers.0.linear1.weight`.
extension Parameterized {
  /// The trained parameters with their names; one that stands at several places has its first name.
  ///
  /// - Parameters:
  ///   - prefix: What names begin with.
  ///   - recurse: Whether parameters of modules inside are among them.
  ///   - removeDuplicate: Whether a shared parameter comes once.
  public func namedParameters(
    prefix: String = "", recurse: Bool = true, removeDuplicate: Bool = true
  ) -> [(name: String, parameter: Parameter)] {
    variables(.parameter, prefix, recurse, removeDuplicate)
  }

  /// The buffers with their names.
  public func namedBuffers(
    prefix: String = "", recurse: Bool = true, removeDuplicate: Bool = true
  ) -> [(name: String, buffer: Parameter)] {
    variables(.buffer, prefix, recurse, removeDuplicate).map { ($0.name, $0.parameter) }
  }

  /// The trained parameters, each once.
  public func parameters(recurse: Bool = true) -> [Parameter] { namedParameters(recurse: recurse).map(\.parameter) }

  /// The buffers, each once.
  public func buffers(recurse: Bool = true) -> [Parameter] { namedBuffers(recurse: recurse).map(\.buffer) }

  private func variables(
    _ role: Variable.Role, _ prefix: String, _ recurse: Bool, _ removeDuplicate: Bool
  ) -> [(name: String, parameter: Parameter)] {
    let root = ModuleTree(self).root
    var known: Set<ObjectIdentifier> = []
    return (recurse ? root.all : root.ownParameters).compactMap { node in
      guard let parameter = node.parameter, parameter.role == role,
        known.insert(ObjectIdentifier(parameter)).inserted || !removeDuplicate
      else { return nil }
      return (prefixed(prefix, node.path), parameter)
    }
  }

  private func prefixed(_ prefix: String, _ path: String) -> String {
    prefix.isEmpty ? path : path.isEmpty ? prefix : "\(prefix).\(path)"
  }

  /// This module and those inside of it with their names, outer ones first.
  ///
  /// Arrays and dictionaries of modules, PyTorch's `ModuleList` and `ModuleDict`, are steps of names only.
  public func namedModules(
    prefix: String = "", removeDuplicate: Bool = true
  ) -> [(name: String, module: any Parameterized)] {
    var known: Set<ObjectIdentifier> = []
    return ModuleTree(self).root.all.compactMap { node in
      guard let module = node.module else { return nil }
      if removeDuplicate, let identity = node.identity, !known.insert(identity).inserted { return nil }
      return (prefixed(prefix, node.path), module)
    }
  }

  /// This module and those inside of it, outer ones first.
  public func modules() -> [any Parameterized] { namedModules().map(\.module) }

  /// The modules right inside of this one with their names.
  public func namedChildren() -> [(name: String, module: any Parameterized)] {
    var known: Set<ObjectIdentifier> = []
    return ModuleTree(self).root.nearestModules.compactMap { node in
      guard let module = node.module else { return nil }
      if let identity = node.identity, !known.insert(identity).inserted { return nil }
      return (node.path, module)
    }
  }

  /// The modules right inside of this one.
  public func children() -> [any Parameterized] { namedChildren().map(\.module) }

  /// The parameter of a name, such as `encoder.layers.0.linear1.weight`.
  ///
  /// - Throws: When there is none.
  public func getParameter(_ target: String) throws(DiagnosticsError) -> Parameter {
    try variable(.parameter, target)
  }

  /// The buffer of a name, such as `bn1.running_mean`.
  ///
  /// - Throws: When there is none.
  public func getBuffer(_ target: String) throws(DiagnosticsError) -> Parameter { try variable(.buffer, target) }

  private func variable(_ role: Variable.Role, _ target: String) throws(DiagnosticsError) -> Parameter {
    let found = ModuleTree(self).root.all.first { $0.path == target && $0.parameter?.role == role }
    guard let parameter = found?.parameter else { throw DiagnosticsError("the model has no \(role) '\(target)'") }
    return parameter
  }

  /// The module of a name, such as `encoder.layers.0`; this one for an empty name.
  ///
  /// - Throws: When there is none.
  public func getSubmodule(_ target: String) throws(DiagnosticsError) -> any Parameterized {
    let found = ModuleTree(self).root.all.first { $0.path == target && $0.module != nil }
    guard let module = found?.module else { throw DiagnosticsError("the model has no module '\(target)'") }
    return module
  }

  /// Calls a function with every module inside of this one, innermost first, and with this one at last.
  @discardableResult
  public func apply(_ body: (any Parameterized) throws -> Void) rethrows -> Self {
    func visit(_ node: ModuleTree.Node) throws {
      for child in node.children { try visit(child) }
      if let module = node.module { try body(module) }
    }
    try visit(ModuleTree(self).root)
    return self
  }

  /// Lets the layers inside follow the mode of the trace, or with `false` behave as in evaluation wherever they are.
  ///
  /// `model.bn1.eval()` keeps a batch normalization's averages while the model trains. A trace that is not for training
  /// evaluates everything.
  @discardableResult
  public func train(_ mode: Bool = true) -> Self {
    for (identity, _) in ModuleTree(self).identities { identity.training = mode }
    return self
  }

  /// `train(false)`.
  @discardableResult
  public func eval() -> Self { train(false) }

  /// Sets whether the parameters are trained: `requires_grad_`.
  @discardableResult
  public func requiresGrad(_ requiresGrad: Bool = true) -> Self {
    for parameter in parameters() { parameter.requiresGrad = requiresGrad }
    return self
  }

  /// The contents of all parameters and persistent buffers by name; a shared parameter is there by all of its names.
  ///
  /// Parameters that have no content yet are drawn here, and keep it.
  ///
  /// - Throws: Where an initializer does not fit its shape.
  public func stateDict(prefix: String = "", seed: UInt64 = 0) throws(DiagnosticsError) -> [String: NDArray] {
    var state: [String: NDArray] = [:]
    for (parameter, names) in ModuleTree(self).parameters where parameter.persistent {
      let content = try parameter.materialized(name: names[0], seed: seed)
      for name in names { state[prefix + name] = content }
    }
    return state
  }

  /// Takes over the contents of parameters and buffers by name.
  ///
  /// - Parameter strict: Whether names that are missing or unknown are mistakes.
  /// - Returns: The names that are missing and those that are unknown.
  /// - Throws: All mistakes at once; nothing is taken over then. A wrong shape is one always.
  @discardableResult
  public func loadStateDict(
    _ state: [String: NDArray], strict: Bool = true
  ) throws(DiagnosticsError) -> (missingKeys: [String], unexpectedKeys: [String]) {
    let parameters = ModuleTree(self).parameters.filter(\.parameter.persistent)
    let known = Set(parameters.flatMap(\.names))
    let missing = parameters.filter { $0.names.allSatisfy { state[$0] == nil } }.map { $0.names[0] }
    let unexpected = state.keys.filter { !known.contains($0) }.sorted()
    var faults: [Diagnostic] = []
    if strict {
      faults += missing.map { Diagnostic("the state has no '\($0)'") }
      faults += unexpected.map { Diagnostic("the model has no '\($0)'") }
    }
    for (parameter, names) in parameters {
      for name in names {
        guard let value = state[name], value.shape != parameter.type.shape.known else { continue }
        faults.append(Diagnostic("'\(name)' is \(parameter.type), its value in the state is \(value.type)"))
      }
    }
    if !faults.isEmpty { throw DiagnosticsError(faults) }
    for (parameter, names) in parameters {
      // As in PyTorch the last name's value stays.
      for name in names { if let value = state[name] { try parameter.copy(value) } }
    }
    return (missing, unexpected)
  }
}
