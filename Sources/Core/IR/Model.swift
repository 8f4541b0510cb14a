/// Functions over one state: what is compiled as one.
///
/// The functions are graphs with names of their own. They share the variables that they touch: what one has updated, the
/// next reads. A graph alone is a model of one function.
public struct Model: Sendable {
  /// The name, from which files and C functions have theirs.
  public var name: String
  /// The functions, in the order in which they were given; at least one.
  public let functions: [Graph]
  /// The variables of all functions: in the order of the first, then those that the next ones add.
  public let variables: [Variable]

  /// A model of one function, with its name.
  public init(_ function: Graph) {
    name = function.name
    functions = [function]
    variables = function.variables
  }

  /// A model of several functions.
  ///
  /// - Parameter declared: Variables whose order comes first; those that no function touches are left out.
  /// - Throws: Functions that are missing or share a name, and variables that two functions declare differently.
  public init(
    name: String, functions: [Graph], declaring declared: [Variable] = []
  ) throws(DiagnosticsError) {
    var faults: [Diagnostic] = []
    if functions.isEmpty { faults.append(Diagnostic("model '\(name)' has no functions")) }
    var names: Set<String> = []
    for function in functions where !names.insert(function.name).inserted {
      faults.append(Diagnostic("model '\(name)' has two functions '\(function.name)'"))
    }
    var known: [String: (variable: Variable, function: String)] = [:]
    var order = declared.map(\.name)
    for function in functions {
      for variable in function.variables {
        guard let (first, owner) = known[variable.name] else {
          known[variable.name] = (variable, function.name)
          if !order.contains(variable.name) { order.append(variable.name) }
          continue
        }
        if let difference = first.difference(from: variable) {
          faults.append(
            Diagnostic(
              "variable '\(variable.name)' is \(difference.0) in function '\(owner)' and \(difference.1) in "
                + "'\(function.name)'",
              help: "functions of one model share their variables by name"))
        }
      }
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    self.name = name
    let variables = order.compactMap { known[$0]?.variable }
    self.variables = variables
    self.functions = functions.map { $0.reordering(variables) }
  }

  /// The function of a name; without one, the only function.
  ///
  /// - Throws: That there is no such function, or that there are several, with their names.
  public func function(named name: String?) throws(DiagnosticsError) -> Graph {
    functions[try functions.map(\.name).position(ofFunction: name, in: self.name)]
  }

  /// Checks every function, and that they agree about their variables.
  ///
  /// - Throws: Everything that is wrong.
  public func verify() throws(DiagnosticsError) {
    var faults: [Diagnostic] = []
    for function in functions {
      do throws(DiagnosticsError) {
        try function.verify()
      } catch {
        faults += error.diagnostics.map { fault in
          var fault = fault
          if functions.count > 1 { fault.message = "function '\(function.name)': \(fault.message)" }
          return fault
        }
      }
      if function.variables != variables.filter({ function.variables.contains($0) }) {
        faults.append(Diagnostic("function '\(function.name)': its variables are not the model's, in their order"))
      }
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
  }

  /// The model with each function put through a transformation.
  ///
  /// - Throws: What the transformation throws of any function, and what they then disagree about.
  public func mapFunctions(
    _ transform: (Graph) throws(DiagnosticsError) -> Graph
  ) throws(DiagnosticsError) -> Model {
    var faults: [Diagnostic] = []
    var results: [Graph] = []
    for function in functions {
      do throws(DiagnosticsError) { results.append(try transform(function)) } catch { faults += error.diagnostics }
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    return try Model(name: name, functions: results, declaring: variables)
  }

  /// The symbols that occur in the types of the functions' inputs, sorted.
  public var symbols: [String] { Set(functions.flatMap(\.symbols)).sorted() }
}

/// Equality of structure and of the functions' names.
extension Model: Hashable {
  /// Whether two models have equal functions.
  public static func == (a: Model, b: Model) -> Bool {
    a.functions.map(\.name) == b.functions.map(\.name) && a.functions == b.functions && a.variables == b.variables
  }

  /// Adds what `==` compares.
  public func hash(into hasher: inout Hasher) { hasher.combine(functions) }
}

extension [String] {
  /// The position of a name among those of a model's functions; without one, that of the only function.
  ///
  /// - Throws: That there is no such function, or that there are several, with their names.
  package func position(ofFunction name: String?, in model: String) throws(DiagnosticsError) -> Int {
    if let name, let position = firstIndex(of: name) { return position }
    if name == nil, count == 1 { return 0 }
    throw DiagnosticsError(
      name.map { "'\(model)' has no function '\($0)'" } ?? "'\(model)' has \(count) functions, and none is named",
      help: count == 1 ? "its only function is \(self[0])" : "its functions are \(joined(separator: ", "))")
  }
}

extension Variable {
  /// What two declarations of one variable say differently; nil where they are the same.
  fileprivate func difference(from other: Variable) -> (String, String)? {
    if type != other.type { return ("\(type)", "\(other.type)") }
    if role != other.role { return ("a \(role.rawValue)", "a \(other.role.rawValue)") }
    return initial == other.initial ? nil : ("given one initial content", "another")
  }
}

extension Graph {
  /// The graph with its variables in the order of a model's.
  fileprivate func reordering(_ all: [Variable]) -> Graph {
    let names = Set(variables.map(\.name))
    let ordered = all.filter { names.contains($0.name) }
    if ordered == variables { return self }
    var result = self
    result.variables = ordered
    return result.canonical()
  }
}
