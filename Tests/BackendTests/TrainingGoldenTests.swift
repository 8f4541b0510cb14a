import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Whole training steps in `f32`, through all passes, against what PyTorch computes in `f64`.
@Suite("Training against PyTorch, in both back-ends")
struct TrainingGoldenTests {
  @Test("losses, parameters and buffers move as PyTorch's do, and go on after a pause", arguments: TrainingCase.all)
  func training(golden: TrainingCase) throws {
    let graph = try #require(try golden.graph())
    let planned = try Backends.planned(graph, .training)
    var session = Session(try Executable(planned))
    try check(&session, planned.program, golden, "interpreter")
    let folder = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var model = try Backends.native(Backends.planned(graph, .training, Backends.host()), cache: folder)
    try check(&model, planned.program, golden, "native")
    // The back-ends agree on more than the goldens hold; and what one has saved, the other goes on with.
    let (one, other) = (session.savedState(), model.savedState())
    #expect(Set(one.keys) == Set(other.keys))
    // Momentum is made of gradients: both back-ends' are off by what NetworkGoldenTests allows them.
    let atol = 2 * (NetworkGoldenTests.tolerances[golden.network] ?? 1e-6)
    for (name, array) in one { compare(other[name], array, atol: atol, "native against interpreter: \(name)") }
    try model.restoreState(one)
    let next = try session.run(planned.program, golden.batch)
    compare(try model.run(planned.program, golden.batch)["loss"], try #require(next["loss"]), "native: next loss")
  }

  @Test("there are cases") func cases() { #expect(TrainingCase.all.count == 5) }

  private func check(
    _ model: inout some BackendModel & ~Copyable, _ program: Program, _ golden: TrainingCase, _ backend: String
  ) throws {
    func steps(_ range: Range<Int>) throws {
      for step in range {
        let loss = try #require(try model.run(program, golden.batch)["loss"])
        compare(loss, try NDArray([Float(golden.losses[step])], shape: []), "\(backend): loss \(step)")
      }
    }
    func compareVariables() throws {
      #expect(!golden.variables.isEmpty)
      for (name, expected) in golden.variables.sorted(by: { $0.key < $1.key }) {
        compare(try model.variable(named: name), expected, "\(backend): \(name)")
      }
    }
    let count = golden.losses.count
    try steps(0..<2)
    let saved = model.savedState()
    try steps(2..<count)
    try compareVariables()
    let end = model.savedState()
    // Again from the middle, after everything was forgotten.
    model.reset()
    try model.restoreState(saved)
    try steps(2..<count)
    #expect(model.savedState() == end)
  }

  /// - Parameter atol: A part of the greatest element of each tensor; beside it an element may be off by 1e-5 of itself.
  private func compare(_ actual: NDArray?, _ expected: NDArray, atol: Double = 1e-6, _ what: String) {
    let scale = expected.doubles.reduce(0) { max($0, abs($1)) }
    if let text = deviation(actual, expected, rtol: 1e-5, atol: atol * scale) { Issue.record("\(what) \(text)") }
  }
}
