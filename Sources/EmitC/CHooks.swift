internal import LatheCore

/// What a training step hands out: the caller's functions, and the table of what is where.
extension CFileRenderer {
  /// Whether any function hands something out.
  var handsOut: Bool { entries.contains { !$0.gradients.isEmpty } }

  func writeHooksDeclarations(_ writer: inout CWriter) {
    guard handsOut else { return }
    writer.comment([
      "What becomes of gradients, where several processes train together. They lie in one piece of the arena, in buckets,",
      "in the order in which the step computes them.",
      "",
      "ready: called once in a run for each bucket, in their order, as soon as it is complete, while the step goes on: begins",
      "  to sum its numbers over the processes. They may be changed until wait has returned",
      "wait: called before the first kernel that needs the bucket. What is there when it returns counts as the gradients: their",
      "  mean over the processes, where the loss is a mean over samples and all have as many",
      "",
      "Both return 0, or else the step ends with \(macro)_\(CStatus.hook.name). Where it ends with an error, buckets that are ready",
      "are not waited for.",
    ])
    writer.open("struct \(name)_hooks")
    writer.lines(
      """
      void *context;
      int (*ready)(void *context, size_t bucket, float *gradients, size_t count);
      int (*wait)(void *context, size_t bucket);
      """)
    writer.close("};")
    writer.line()
    writer.comment("Where a parameter's gradient is: its bucket, the elements of the bucket before it, its own.")
    writer.open("struct \(name)_gradient")
    writer.lines("const char *name;\nsize_t bucket;\nsize_t offset;\nsize_t count;")
    writer.close("};")
    writer.line()
  }

  func writeGradientsDeclaration(of entry: CEntry, _ writer: inout CWriter) {
    guard let last = entry.gradients.last else { return }
    let prefix = entry.function.uppercased()
    writer.line("#define \(prefix)_BUCKET_COUNT \(last.bucket + 1)")
    writer.line("#define \(prefix)_GRADIENT_COUNT \(entry.gradients.count)")
    writer.line("extern const struct \(name)_gradient \(entry.function)_gradients[\(prefix)_GRADIENT_COUNT];")
    writer.line()
  }

  func writeGradients(of entry: CEntry, _ writer: inout CWriter) {
    guard !entry.gradients.isEmpty else { return }
    let count = "\(entry.function.uppercased())_GRADIENT_COUNT"
    writer.open("const struct \(name)_gradient \(entry.function)_gradients[\(count)] =")
    for gradient in entry.gradients {
      writer.line(
        "{\(CWriter.quoted(gradient.name)), \(gradient.bucket), \(gradient.offset), \(gradient.count)},")
    }
    writer.close("};")
    writer.line()
  }
}
