internal import LatheCore

/// Code that measures its kernels.
extension CFileRenderer {
  /// The declaration of the array of the measured times; of several variants one runs, and the one with most kernels
  /// needs most room.
  private var declaration: String { "uint64_t \(name)_profile[\(profileRows)][2]" }

  func writeProfileDeclaration(_ writer: inout CWriter) {
    guard measuresKernels else { return }
    let program = told.isEmpty ? "the program" : "the program for \(name)_target()"
    writer.comment("Nanoseconds and calls of every kernel so far, by its position in \(program).")
    writer.line("extern \(declaration);")
    writer.line()
  }

  func writeProfileDefinitions(_ writer: inout CWriter) {
    guard measuresKernels else { return }
    writer.line("\(declaration);")
    writer.line()
    writer.function("static uint64_t \(name)_now(void)") { writer in
      writer.lines(
        """
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
        """)
    }
    writer.line()
  }

  var measuresKernels: Bool { options.measuresKernels && rest.bodies.contains { !$0.program.program.kernels.isEmpty } }
}

extension CBody {
  /// Writes the calls of the kernel at a position in the program, with its measurement around them where that is wanted.
  func writeCalls(_ calls: [String], ofKernelAt position: Int, _ writer: inout CWriter) {
    guard options.measuresKernels else { return calls.forEach { writer.line($0) } }
    writer.open("")
    writer.line("const uint64_t start = \(name)_now();")
    calls.forEach { writer.line($0) }
    writer.line("\(name)_profile[\(profileRow + position)][0] += \(name)_now() - start;")
    writer.line("\(name)_profile[\(profileRow + position)][1]++;")
    writer.close()
  }
}
