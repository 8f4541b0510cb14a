internal import LatheCore

/// The header: everything that a caller has to know.
extension CFileRenderer {
  func header() -> String {
    var writer = CWriter()
    let guardName = "\(macro)_H"
    writer.comment(summary)
    writer.line("#ifndef \(guardName)")
    writer.line("#define \(guardName)")
    writer.line()
    if options.threads == .pthreads { writer.line("#include <pthread.h>") }
    writer.lines("#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>")
    writer.line()
    writeSizes(&writer)
    writer.lines("#ifdef __cplusplus\nextern \"C\" {\n#endif")
    writer.line()
    writer.comment("What the functions return.")
    writer.open("enum \(name)_status")
    let states = CStatus.allCases.filter {
      switch $0 {
      case .threads: options.threads == .pthreads
      case .singular: variants.contains { $0.kernels.contains { $0.failure == .singular } }
      case .state: takesState
      case .capacity: variants.contains { $0.kernels.contains { $0.failure == .capacity } }
      case .hook: handsOut
      default: true
      }
    }
    for status in states {
      let end = status == states.last ? " " : ","
      writer.line("\(macro)_\(status.name) = \(status.rawValue)\(end) /* \(status.meaning) */")
    }
    writer.close("};")
    writer.line()
    writeThreadsDeclarations(&writer)
    writeHooksDeclarations(&writer)
    for entry in entries { writeDeclaration(of: entry, &writer) }
    writeTargetDeclaration(&writer)
    writeWeightsDeclarations(&writer)
    writeStateDeclarations(&writer)
    writeProfileDeclaration(&writer)
    if options.uniformEntry {
      for entry in entries { entry.writeUniformDeclaration(&writer) }
      if options.threads == .pthreads { writer.line("size_t \(name)_threads_bytes(void);") }
      if tellsExceedingSize { writer.line("int64_t \(name)_exceeding(void);") }
      writer.line()
    }
    writer.lines("#ifdef __cplusplus\n}\n#endif")
    writer.line()
    writer.line("#endif")
    return writer.text
  }

  private func writeSizes(_ writer: inout CWriter) {
    var needs: [String] = []
    if usesArena { needs.append("\(macro)_ARENA_BYTES of \(takesArena ? "working" : "static") memory") }
    if takesState { needs.append("\(macro)_STATE_BYTES of state") }
    if weights.byteCount > 0 {
      needs.append(
        takesWeights ? "\(macro)_WEIGHTS_BYTES of weights" : "\(weights.byteCount) bytes of constants in the source")
    }
    needs.append("at most \(macro)_STACK_BYTES of stack, without what callbacks and interrupts take")
    writer.comment(["What a run takes:"] + needs.map { "  " + $0 + ($0 == needs.last ? "" : ",") })
    writer.line("#define \(macro)_ALIGNMENT \(PlannedProgram.alignment)")
    writer.line("#define \(macro)_ARENA_BYTES \(file.arenaBytes)")
    writer.line("#define \(macro)_STACK_BYTES \(file.stackBytes)")
    for (entry, count) in zip(entries, file.multiplyAdds) {
      writer.line("#define \(entry.function.uppercased())_MULTIPLY_ADDS \(count)")
    }
    if takesState {
      writer.line("#define \(macro)_STATE_BYTES \(file.stateBytes)")
      writer.line("#define \(macro)_VARIABLE_COUNT \(file.variables.count)")
    }
    if takesWeights { writer.line("#define \(macro)_WEIGHTS_BYTES \(weights.file.count)") }
    for argument in entries.flatMap(\.arguments) {
      writer.line("#define \(macro)_\(argument.countMacro) \(argument.buffer.count)")
    }
    writer.line()
  }

  private func writeDeclaration(of entry: CEntry, _ writer: inout CWriter) {
    var lines = [
      "Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.", "",
    ]
    lines += threadsComment
    if takesArena {
      lines.append(
        "arena: \(macro)_ARENA_BYTES bytes of working memory, aligned, without a declared type, as malloc's is;")
      lines.append("  nothing in it outlasts the call,")
      lines.append("  and calls with different \(takesState ? "arenas and states" : "arenas") may run at once")
    } else if usesArena {
      lines.append("Working memory is static: one call at a time.")
    }
    if takesState {
      let use = entry.updatesState ? "read and updated" : "read"
      lines.append(
        "state: the variables, aligned, \(entry.isInitializer ? "filled here" : "filled by \(name)_initialize; \(use)")"
      )
    }
    if entry.isInitializer { lines += givenParametersComment(entry) }
    if takesWeights { lines.append("weights: the content of the weights file, aligned (see \(name)_check_weights)") }
    if !entry.gradients.isEmpty { lines.append("hooks: what becomes of gradients, or NULL to take them as they are") }
    for argument in entry.arguments {
      let element = argument.buffer.dtype.isCoded ? ", elements are bit patterns" : ""
      if argument.extent != nil {
        lines.append(
          "\(argument.name): output, a size that data decides; more than there is room for is \(macro)_ERROR_CAPACITY")
        continue
      }
      lines.append("\(argument.name): \(argument.isInput ? "input" : "output") \(argument.buffer.typeText)\(element)")
      if let shape = argument.shape {
        let sizes = shape.map { entry.text($0) { entry.name(ofExtent: $0) } }.joined(separator: ", ")
        lines.append("  has room for as many elements as there can be; there are [\(sizes)], the first along each axis")
      }
    }
    writer.comment(lines)
    writer.lines(head("int \(entry.function)", entry.parameters(forHeader: true)) + ";")
    writer.line()
    writeGradientsDeclaration(of: entry, &writer)
  }

  /// Which parameters do not depend on the seed.
  private func givenParametersComment(_ entry: CEntry) -> [String] {
    let program = rest.bodies[entry.position].program.program
    let drawn = program.buffersDependingOnInputs
    let given = zip(program.variables, program.variableBuffers).filter { variable, buffer in
      variable.role == .parameter && !drawn.contains(buffer)
    }
    guard !given.isEmpty else { return [] }
    var lines = ["seed decides the parameters that are drawn. The others start with what this file was made with:"]
    for (position, (variable, _)) in given.enumerated() {
      let word = variable.name + (position == given.count - 1 ? "" : ",")
      if position == 0 || lines[lines.count - 1].count + word.count > 110 {
        lines.append("  " + word)
      } else {
        lines[lines.count - 1] += " " + word
      }
    }
    return lines
  }

  private func writeWeightsDeclarations(_ writer: inout CWriter) {
    guard takesWeights else { return }
    writer.comment("Checks weights that the caller has mapped or linked: magic, version, size, checksum.")
    writer.line("int \(name)_check_weights(const void *weights, size_t size);")
    writer.line()
    guard loadsWeights else { return }
    writer.comment("Reads the weights file into \(macro)_WEIGHTS_BYTES bytes of aligned memory and checks them.")
    writer.line("int \(name)_load_weights(const char *path, void *weights, size_t size);")
    writer.line()
  }

  private func writeStateDeclarations(_ writer: inout CWriter) {
    guard takesState else { return }
    writer.comment(
      "A named tensor in the state: \"f32\" and the like, sizes of the axes, where it starts, how long it is.")
    writer.open("struct \(name)_variable")
    writer.lines(
      "const char *name;\nconst char *dtype;\nsize_t rank;\nsize_t shape[\(variableRank)];\nsize_t offset;\nsize_t bytes;"
    )
    writer.close("};")
    writer.line("extern const struct \(name)_variable \(name)_variables[\(macro)_VARIABLE_COUNT];")
    writer.line()
    if !file.isDrawn {
      writer.comment("Writes the initial contents of all variables.")
      writer.line("int \(name)_initialize(void *state\(takesWeights ? ", const void *weights" : ""));")
      writer.line()
    }
    writer.comment([
      "Hands the state to write, piece by piece, with a header that says which model's it is and a checksum. write returns",
      "how many bytes it took; fewer than it was given end the saving.",
    ])
    writer.line(saveHead + ";")
    writer.line()
    writer.comment([
      "Takes from read what \(name)_save gave; read returns how many bytes it had. The state of another model, of another",
      "version or of other sizes is refused before anything is changed; where bytes are missing or damaged, what the state",
      "holds is undefined.",
    ])
    writer.line(loadHead + ";")
    writer.line()
  }
}
