internal import LatheCore

/// The number that a capacity was too small for, for whoever loads the library (`COptions.uniformEntry`).
extension CFileRenderer {
  /// Whether some size may exceed its capacity, and the number is told.
  var tellsExceedingSize: Bool {
    options.uniformEntry && variants.contains { $0.kernels.contains { $0.failure == .capacity } }
  }

  /// Where the functions put it, for each thread, since several may run the code at once.
  func writeExceedingSize(_ writer: inout CWriter) {
    guard tellsExceedingSize else { return }
    writer.line("static \(options.standard == .c11 ? "_Thread_local " : "")int64_t \(name)_exceeding_size;")
    writer.line()
    writer.line("int64_t \(name)_exceeding(void) { return \(name)_exceeding_size; }")
    writer.line()
  }
}
