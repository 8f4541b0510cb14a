internal import LatheCore

/// Code that measures its kernels.
extension CProgramRenderer {
  /// The array of the measured times.
  private var times: String { "\(name)_profile" }

  /// Its declaration; of several variants one runs, and the one with most kernels needs most room.
  private var declaration: String {
    let counts = ([self] + variants).map(\.program.program.kernels.count)
    return "uint64_t \(times)[\(counts.max() ?? 0)][2]"
  }

  func writeProfileDeclaration(_ writer: inout CWriter) {
    guard measuresKernels else { return }
    let program = variants.isEmpty ? "the program" : "the program for \(name)_target()"
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

  /// Writes the calls of the kernel at a position in the program, with its measurement around them where that is wanted.
  func writeCalls(_ calls: [String], ofKernelAt position: Int, _ writer: inout CWriter) {
    guard measuresKernels else { return calls.forEach { writer.line($0) } }
    writer.open("")
    writer.line("const uint64_t start = \(name)_now();")
    calls.forEach { writer.line($0) }
    writer.line("\(times)[\(position)][0] += \(name)_now() - start;")
    writer.line("\(times)[\(position)][1]++;")
    writer.close()
  }

  var measuresKernels: Bool { options.measuresKernels && !program.program.kernels.isEmpty }
}
