/// What Lathe is working on, for the report of a mistake of its own.
package enum InternalErrorContext {
  /// The text of the intermediate representation at hand; asked for only when something is wrong.
  @TaskLocal public static var subject: (@Sendable () -> String)?
}

/// Ends the process because Lathe itself is wrong: what cannot be has happened.
///
/// Nothing that a user brings leads here; that is a thrown ``DiagnosticsError``. The report on standard error has the
/// message, the place in Lathe's sources and the representation that was worked on (``InternalErrorContext/subject``),
/// so that it can be reproduced.
package func internalError(
  _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  var report = "internal error: \(message()); this is a mistake in Lathe, please report it"
  if let subject = InternalErrorContext.subject { report += "\nwhile working on:\n\(subject())" }
  fatalError(report, file: file, line: line)
}

/// The result of what cannot fail, because Lathe itself computed the arguments; where it does, Lathe is wrong.
package func unfailing<R>(file: StaticString = #fileID, line: UInt = #line, _ body: () throws -> R) -> R {
  do { return try body() } catch { internalError("\(error)", file: file, line: line) }
}

/// The value, which must be there: `index.known ?? internalError("the index is no number")`.
package func ?? <Value>(value: Value?, mistake: @autoclosure () -> Never) -> Value {
  if let value { value } else { mistake() }
}
