import Synchronization

/// Where what is built comes from, and the mistakes found there.
extension Builder {
  /// Runs `body` with a name added to the module path of what it builds.
  public func scope<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
    state.withLock { $0.scopes.append(name) }
    defer { state.withLock { _ = $0.scopes.popLast() } }
    return try body()
  }

  /// Runs `body` as the call of the module at a whole path.
  ///
  /// What is built afterwards outside of all modules, such as the activation behind a layer, is taken to belong to the
  /// module that this one is a part of: calls of modules written by users cannot be seen from here.
  public func module<R>(_ path: String, _ body: () throws -> R) rethrows -> R {
    let before = state.withLock { state in
      let before = state.scopes
      state.scopes = [path]
      return before
    }
    defer {
      state.withLock { state in
        state.scopes = before
        if before.isEmpty {
          let end = path.lastIndex(of: ".")
          state.owner = end.map { String(path[..<$0]) }
        }
      }
    }
    return try body()
  }

  /// Runs `body` as one function of the user's vocabulary: faults inside of it carry its name and operands.
  ///
  /// Of nested functions the outermost, which the user called, counts.
  package func composite<R>(_ name: String, _ operands: [Tensor], _ body: () throws -> R) rethrows -> R {
    let call = nextCall(of: name)
    let opened = state.withLock { state in
      guard state.composite == nil else { return false }
      state.composite = (name, [])
      // What a pass builds belongs to the call that it stands for.
      if state.origin.isEmpty { state.call = call }
      return true
    }
    guard opened else { return try body() }
    defer {
      state.withLock {
        $0.composite = nil
        $0.call = nil
      }
    }
    let described = self.described(operands)
    state.withLock { $0.composite = (name, described) }
    return try body()
  }

  /// Runs `body` as one operation of an imported file: faults inside of it carry its name and operands as given.
  ///
  /// Unlike with `composite`, the innermost counts, since the operations of a sub-graph have names of their own.
  ///
  /// - Parameter function: What the operation is called where its whole name says more than a reader needs.
  package func imported<R>(
    _ name: String, operands: [String], function: String? = nil, _ body: () throws -> R
  ) rethrows -> R {
    let call = nextCall(of: function ?? name)
    let before = state.withLock { state in
      let before = (state.composite, state.call)
      state.composite = (name, operands)
      state.call = call
      return before
    }
    defer { state.withLock { ($0.composite, $0.call) = before } }
    return try body()
  }

  /// A call with a number that no other of the model has.
  func nextCall(of function: String) -> Location.Call {
    root.state.withLock { state in
      state.callCount += 1
      return Location.Call(function, number: state.callCount)
    }
  }

  /// Runs `body` with another place for what it builds: an importer's node, a rebuilt node's first location.
  package func at<R, E: Error>(_ location: Location, _ body: () throws(E) -> R) throws(E) -> R {
    let before = state.withLock { state in
      let before = (state.origin, state.scopes, state.owner)
      state.origin = location
      state.scopes = []
      state.owner = nil
      return before
    }
    defer {
      state.withLock {
        $0.origin = before.0
        $0.scopes = before.1
        $0.owner = before.2
      }
    }
    return try body()
  }

  /// Records a fault of an operation or a composite function at the place of the user's call.
  package func record(_ fault: TypeFault, operation: String, operands: [Tensor]) {
    guard fault != .poisoned else { return }
    let (name, operands) = state.withLock { $0.composite } ?? (operation, described(operands))
    report(Diagnostic("\(name): \(fault.message)", operation: name, operands: operands, help: help(fault)))
  }

  /// What would mend a fault; how sizes are bound depends on where the model comes from.
  private func help(_ fault: TypeFault) -> String? {
    guard !fault.unbound.isEmpty else { return fault.help }
    if state.withLock({ $0.origin.file }) != nil {
      return "bind it with " + fault.unbound.map { "--dim \($0)=NUMBER" }.joined(separator: " ")
    }
    let names = fault.unbound.map { "\"\($0)\"" }.joined(separator: " and ")
    return "give a number instead of \(names) in the types of the inputs"
  }

  private func described(_ operands: [Tensor]) -> [String] {
    operands.map { tensor in
      tensor.isPoisoned ? "(faulty)" : "\(tensor.builder.describe(tensor.value)): \(tensor.type)"
    }
  }

  /// Records a mistake; fills in what is known of the place.
  package func report(_ diagnostic: Diagnostic) { report([diagnostic]) }

  /// Records mistakes of one place, which takes a while to find; fills in what is known of it.
  package func report(_ diagnostics: [Diagnostic]) {
    // Nobody listens to a trace that is over.
    if let current = Self.current, current.root !== root { return current.report(diagnostics) }
    let (origin, scopes, owner) = state.withLock { ($0.origin, $0.scopes, $0.owner) }
    var place: Location?
    func here() -> Location {
      var location = origin
      if origin.file == nil {
        let site = CallSite.current()
        (location.file, location.line, location.column) = (site.file, site.line, site.column)
      }
      if !scopes.isEmpty {
        location.modulePath = scopes.joined(separator: ".")
      } else if origin.isEmpty {
        location.modulePath = owner
      }
      return location
    }
    for var diagnostic in diagnostics {
      if diagnostic.location.isEmpty {
        let location = place ?? here()
        place = location
        diagnostic.location = location
      }
      state.withLock { $0.diagnostics.append(diagnostic) }
    }
  }

  /// Runs `body`; where it fails, what it reported is forgotten.
  ///
  /// - Returns: nil after a fault, also one that `body` only reported.
  package func attempt<R>(_ body: () throws(TypeFault) -> R) -> R? {
    let count = diagnostics.count
    let result = try? body()
    guard diagnostics.count > count else { return result }
    state.withLock { $0.diagnostics.removeSubrange(count...) }
    return nil
  }

  /// The mistakes so far.
  public var diagnostics: [Diagnostic] { state.withLock { $0.diagnostics } }

  func describe(_ value: Value) -> String {
    switch node(of: value).operation {
    case .input(let input): "%\(input.argument)"
    case .variable(let variable): "@\(variable.variable)"
    case .constant: "constant"
    case let operation: "%\(value.node) = \(operation.name)"
    }
  }
}

extension TypeFault {
  /// The fault of an operation one of whose operands is faulty; never reported.
  package static let poisoned = TypeFault("an operand is faulty")
}
