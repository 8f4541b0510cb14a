import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Whole training steps in `f32`, through all passes, against what PyTorch computes in `f64`.
@Suite("Training against PyTorch, in both back-ends")
struct TrainingGoldenTests {
  @Test("losses and parameters move as PyTorch's do, and go on after a pause", arguments: TrainingCase.all)
  func training(golden: TrainingCase) throws {
    let planned = try Backends.planned(try #require(try golden.graph()), .training)
    var session = Session(try Executable(planned))
    try check(&session, planned.program, golden, "interpreter")
    let folder = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var model = try Backends.native(planned, cache: folder)
    try check(&model, planned.program, golden, "native")
    // What one back-end has saved, the other goes on with.
    try model.restoreState(session.savedState())
    let next = try session.run(planned.program, golden.batch)
    compare(try model.run(planned.program, golden.batch)["loss"], try #require(next["loss"]), "native: next loss")
  }

  @Test("there are cases") func cases() { #expect(TrainingCase.all.count == 4) }

  private func check(
    _ model: inout some BackendModel & ~Copyable, _ program: Program, _ golden: TrainingCase, _ backend: String
  ) throws {
    func steps(_ range: Range<Int>) throws {
      for step in range {
        let loss = try #require(try model.run(program, golden.batch)["loss"])
        compare(loss, NDArray([Float(golden.losses[step])], shape: []), "\(backend): loss \(step)")
      }
    }
    func compareParameters() throws {
      #expect(!golden.parameters.isEmpty)
      for (name, expected) in golden.parameters.sorted(by: { $0.key < $1.key }) {
        compare(try model.variable(named: name), expected, "\(backend): \(name)")
      }
    }
    let count = golden.losses.count
    try steps(0..<count)
    try compareParameters()
    let end = model.savedState()
    // Again from the start, with a pause in which everything is forgotten.
    model.reset()
    try steps(0..<2)
    let saved = model.savedState()
    model.reset()
    try model.restoreState(saved)
    try steps(2..<count)
    #expect(model.savedState() == end)
  }

  /// An element may be off by 1e-5 of itself and 1e-6 of the greatest in its tensor.
  private func compare(_ actual: NDArray?, _ expected: NDArray, _ what: String) {
    let scale = expected.doubles.reduce(0) { max($0, abs($1)) }
    if let text = deviation(actual, expected, rtol: 1e-5, atol: 1e-6 * scale) { Issue.record("\(what) \(text)") }
  }
}
