internal import LatheCore

/// The body of a C function on `float x`, or on a vector `x`, that computes an expansion.
struct CExpansion {
  /// The statements, a line each.
  var body: String
  /// The functions and types that the statements mention.
  var helpers: [CHelper] = []

  /// The body on one number, or on all that a vector holds.
  init(_ function: Pointwise, in vector: CVector? = nil, prefix: String) {
    guard let expansion = function.expansion else { internalError("\(function.rawValue) has no expansion") }
    let nothing = PlannedProgram(
      program: Program(name: prefix), offsets: [], arenaBytes: 0, lowerBound: 0, variableOffsets: [], stateBytes: 0)
    var renderer = CKernelRenderer(
      nothing, prefix: prefix, helpers: CHelpers(prefix: prefix, math: .own), hasVectors: vector != nil,
      threads: .none)
    renderer.name(expansion.parameter, "x")
    for step in expansion.steps { renderer.name(step.register, step.name) }
    if let vector {
      let lanes = CLanes(variable: LoopVariable(id: 0, extent: vector.lanes), registerBytes: nil)
      _ = renderer.helpers.name(vector)
      renderer.laneRegisters[expansion.parameter.id] = .vector(vector)
      for step in expansion.steps { renderer.declare(step.register, renderer.render(step.value, in: lanes), lanes) }
      let result = renderer.render(expansion.result, in: lanes)
      renderer.writer.line("return \(renderer.vectorText(result, vector.type, lanes).text);")
    } else {
      for step in expansion.steps { renderer.render(.declare(step.register, step.value)) }
      renderer.writer.line("return \(renderer.render(expansion.result).text);")
    }
    body = renderer.writer.text
    helpers = renderer.helpers.used.sorted { $0.name < $1.name }
  }
}
