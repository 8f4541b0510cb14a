import ArgumentParser
import LatheCore

/// A command on one model: a diagnostic without a place is about the model's file.
protocol ModelCommand: ParsableCommand {
  associatedtype Provider: ModelProvider

  var model: Provider { get }

  func perform() throws
}

extension ModelCommand {
  func run() throws {
    do { try perform() } catch let error as DiagnosticsError { throw error.placed(in: model.file) }
  }
}

extension DiagnosticsError {
  /// The diagnostics with a file where they have no place.
  func placed(in file: String?) -> DiagnosticsError {
    DiagnosticsError(
      diagnostics.map { diagnostic in
        var diagnostic = diagnostic
        if diagnostic.location.file == nil { diagnostic.location.file = file }
        return diagnostic
      })
  }
}
