import ArgumentParser
import LatheCore

/// A model that is ready to run.
struct PreparedModel {
  func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    throw DiagnosticsError("running is not there yet")
  }
}

extension ExecutionOptions {
  /// Compiles a graph for the back-end that was chosen.
  func executable(_ graph: Graph) throws(DiagnosticsError) -> PreparedModel { PreparedModel() }
}

/// A stage of the compilation that can be drawn.
enum DrawnStage: String, ExpressibleByArgument, CaseIterable {
  case traced, optimized, lowered

  /// The graph at this stage in the DOT language.
  func dot(_ graph: Graph) throws(DiagnosticsError) -> String {
    throw DiagnosticsError("drawing is not there yet")
  }
}
