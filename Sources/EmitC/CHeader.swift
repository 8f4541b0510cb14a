internal import LatheCore

/// The header: everything that a caller has to know.
extension CProgramRenderer {
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
      case .singular: kernels.contains { $0.failure == .singular }
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
    writeRunDeclaration(&writer)
    writeTargetDeclaration(&writer)
    writeWeightsDeclarations(&writer)
    writeStateDeclarations(&writer)
    writeProfileDeclaration(&writer)
    if options.uniformEntry {
      writer.comment("\(name)_run with its inputs and outputs in two arrays; what the model does not need may be NULL.")
      let parameters =
        (threadsParameter.map { _ in ["void *threads"] } ?? []) + [
          "void *arena", "void *state", "const void *weights", "const void *const *inputs", "void *const *outputs",
        ]
      writer.line(Self.head("int \(name)_call", parameters) + ";")
      if options.threads == .pthreads { writer.line("size_t \(name)_threads_bytes(void);") }
      writer.line()
    }
    writer.lines("#ifdef __cplusplus\n}\n#endif")
    writer.line()
    writer.line("#endif")
    return writer.text
  }

  private func writeSizes(_ writer: inout CWriter) {
    writer.line("#define \(macro)_ALIGNMENT \(PlannedProgram.alignment)")
    writer.line("#define \(macro)_ARENA_BYTES \(arenaBytes)")
    if takesState {
      writer.line("#define \(macro)_STATE_BYTES \(program.stateBytes)")
      writer.line("#define \(macro)_VARIABLE_COUNT \(program.program.variables.count)")
    }
    if takesWeights { writer.line("#define \(macro)_WEIGHTS_BYTES \(weights.file.count)") }
    for argument in arguments {
      writer.line("#define \(macro)_\(argument.countMacro) \(argument.buffer.count)")
    }
    writer.line()
  }

  private func writeRunDeclaration(_ writer: inout CWriter) {
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
    if takesState { lines.append("state: the variables, aligned, filled by \(name)_init_state; read and updated") }
    if takesWeights { lines.append("weights: the content of the weights file, aligned (see \(name)_check_weights)") }
    for argument in arguments {
      let element = argument.buffer.dtype.isHalf ? ", elements are bit patterns" : ""
      lines.append("\(argument.name): \(argument.isInput ? "input" : "output") \(argument.buffer.typeText)\(element)")
    }
    writer.comment(lines)
    writer.lines(Self.head("int \(name)_run", parameters(forHeader: true)) + ";")
    writer.line()
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
    let rank = max(1, program.program.variables.map(\.type.rank).max() ?? 1)
    writer.comment(
      "A named tensor in the state: \"f32\" and the like, sizes of the axes, where it starts, how long it is.")
    writer.open("struct \(name)_variable")
    writer.lines(
      "const char *name;\nconst char *dtype;\nsize_t rank;\nsize_t shape[\(rank)];\nsize_t offset;\nsize_t bytes;")
    writer.close("};")
    writer.line("extern const struct \(name)_variable \(name)_variables[\(macro)_VARIABLE_COUNT];")
    writer.line()
    writer.comment("Writes the initial contents of all variables.")
    writer.line("int \(name)_init_state(void *state\(takesWeights ? ", const void *weights" : ""));")
    writer.line()
    writer.comment("Copies the state to or from \(macro)_STATE_BYTES bytes that the caller keeps.")
    writer.line("int \(name)_save_state(const void *state, void *bytes, size_t size);")
    writer.line("int \(name)_load_state(void *state, const void *bytes, size_t size);")
    writer.line()
  }
}
