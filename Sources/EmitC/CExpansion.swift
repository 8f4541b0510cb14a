internal import LatheCore

/// The body of a C function on `float x` that computes an expansion.
struct CExpansion {
  /// The statements, a line each.
  var body = "return x;"
  /// The functions that the statements call.
  var helpers: [CHelper] = []

  init(_ function: Pointwise, prefix: String) {
    guard let expansion = function.expansion else { return }
    let nothing = PlannedProgram(
      program: Program(name: prefix), offsets: [], arenaBytes: 0, lowerBound: 0, variableOffsets: [], stateBytes: 0)
    var renderer = CKernelRenderer(
      nothing, prefix: prefix, helpers: CHelpers(prefix: prefix, math: .own), hasVectors: false, hasThreads: false)
    renderer.name(expansion.parameter, "x")
    for step in expansion.steps {
      renderer.name(step.register, step.name)
      renderer.render(.declare(step.register, step.value))
    }
    renderer.writer.line("return \(renderer.render(expansion.result).text);")
    body = renderer.writer.text
    helpers = renderer.helpers.used.sorted { $0.name < $1.name }
  }
}
