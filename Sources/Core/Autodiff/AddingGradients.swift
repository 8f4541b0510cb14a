extension Graph {
  /// The graph with gradients of one of its outputs as further outputs, named `grad/NAME`.
  ///
  /// The cotangent of a scalar output is one; another output takes its own as the further input `cotangent/OUTPUT`.
  ///
  /// - Parameters:
  ///   - output: The name of the output to differentiate.
  ///   - names: The inputs and variables to differentiate with respect to; by default all inputs of type float, then all
  ///     parameters of type float, in their order.
  /// - Throws: Unknown names, types that have no gradient, operations on the way that have none.
  public func addingGradients(
    of output: String, withRespectTo names: [String]? = nil
  ) throws(DiagnosticsError) -> Graph {
    guard let position = outputs.firstIndex(where: { $0.name == output }) else {
      let known = outputs.map(\.name).joined(separator: ", ")
      throw DiagnosticsError("the model has no output '\(output)' to differentiate", help: "its outputs are \(known)")
    }
    let type = type(of: outputs[position].value)
    guard type.dtype.isFloat else {
      throw DiagnosticsError("output '\(output)' is \(type): only floats have gradients")
    }
    let builder = Builder()
    let arguments = inputs.map { builder.input(inputName($0), self.type(of: $0)) }
    let stored = variables.map { (variable: $0, tensor: builder.variable($0)) }
    // What updates variables is kept as well as the outputs.
    var whole = self
    whole.outputs += updates.map { Output(name: $0.variable, value: $0.value) }
    let results = whole.inlined(arguments, in: builder)
    for (update, tensor) in zip(updates, results[outputs.count...]) { builder.update(update.variable, to: tensor) }

    let sources =
      zip(inputs, arguments).map { (name: inputName($0), tensor: $1) }
      + stored.map { (name: $0.variable.name, tensor: $0.tensor) }
    let targets: [(name: String, tensor: Tensor)]
    if let names {
      targets = try Self.targets(names, among: sources)
    } else {
      let trained = stored.filter { $0.variable.role == .parameter }.map { (name: $0.variable.name, tensor: $0.tensor) }
      targets = (sources.prefix(inputs.count) + trained).filter { $0.tensor.dtype.isFloat }
    }
    let cotangent = type.rank == 0 ? builder.full(type, .float(1)) : builder.input("cotangent/\(output)", type)
    let gradients = builder.gradients(
      of: [(tensor: results[position], cotangent: cotangent)], withRespectTo: targets.map(\.tensor))
    return try builder.finish(
      name: name,
      outputs: zip(outputs, results).map { ($0.name, $1) } + zip(targets, gradients).map { ("grad/\($0.name)", $1) })
  }

  private static func targets(
    _ names: [String], among sources: [(name: String, tensor: Tensor)]
  ) throws(DiagnosticsError) -> [(name: String, tensor: Tensor)] {
    var targets: [(name: String, tensor: Tensor)] = []
    var diagnostics: [Diagnostic] = []
    for name in names where !targets.contains(where: { $0.name == name }) {
      guard let source = sources.first(where: { $0.name == name }) else {
        let known = sources.map(\.name).joined(separator: ", ")
        diagnostics.append(
          Diagnostic("the model has no input or parameter '\(name)'", help: "it has \(known)"))
        continue
      }
      guard source.tensor.dtype.isFloat else {
        diagnostics.append(Diagnostic("'\(name)' is \(source.tensor.type): only floats have gradients"))
        continue
      }
      targets.append(source)
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return targets
  }
}
