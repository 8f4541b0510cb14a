internal import LatheCore

/// The functions that make, save and load the state.
extension CProgramRenderer {
  func writeStateFunctions(_ writer: inout CWriter) {
    guard takesState else { return }
    let variables = program.program.variables
    let rank = max(1, variables.map(\.type.rank).max() ?? 1)
    writer.open("const struct \(name)_variable \(name)_variables[\(macro)_VARIABLE_COUNT] =")
    for (position, variable) in variables.enumerated() {
      let shape = variable.initial.shape
      let sizes = (shape + [Int](repeating: 0, count: rank - shape.count)).map(String.init).joined(separator: ", ")
      let fields = [
        CWriter.quoted(variable.name), "\"\(variable.type.dtype)\"", "\(shape.count)", "{\(sizes)}",
        "\(program.variableOffsets[position])", "\(variable.initial.bytes.count)",
      ]
      writer.line("{\(fields.joined(separator: ", "))},")
    }
    writer.close("};")
    writer.line()
    let pointers = inlineWeights.pointers
    let needsWeights = takesWeights
    let head = Self.head("int \(name)_init_state", ["void *state"] + (needsWeights ? ["const void *weights"] : []))
    writer.function(head) { writer in
      writer.line("if (!state\(needsWeights ? " || !weights" : "")) return \(macro)_ERROR_NULL;")
      if needsWeights {
        writer.line(
          "if (memcmp(weights, \(name)_weights_header, sizeof \(name)_weights_header) != 0) return \(macro)_ERROR_WEIGHTS;"
        )
        if initials.contains(where: { $0 != nil }) {
          writer.line("const unsigned char *const data = (const unsigned char *)weights + \(CWeights.headerBytes);")
        }
      }
      writer.line("unsigned char *const memory = state;")
      writer.line("memset(memory, 0, \(macro)_STATE_BYTES);")
      for (position, initial) in initials.enumerated() {
        guard let initial else { continue }
        let bytes = variables[position].initial.bytes.count
        if bytes == 0 { continue }
        let source = areWeightsInline ? pointers[initial] : "data + \(weights.entries[initial].offset)"
        writer.line(
          "memcpy(memory + \(program.variableOffsets[position]), \(source), \(bytes)); /* \(variables[position].name) */"
        )
      }
      writer.line("return \(okay);")
    }
    writer.line()
    writer.function("int \(name)_save_state(const void *state, void *bytes, size_t size)") { writer in
      writer.lines(
        """
        if (!state || !bytes) return \(macro)_ERROR_NULL;
        if (size != \(macro)_STATE_BYTES) return \(macro)_ERROR_SIZE;
        memcpy(bytes, state, \(macro)_STATE_BYTES);
        return \(okay);
        """)
    }
    writer.line()
    writer.function("int \(name)_load_state(void *state, const void *bytes, size_t size)") { writer in
      writer.lines(
        """
        if (!state || !bytes) return \(macro)_ERROR_NULL;
        if (size != \(macro)_STATE_BYTES) return \(macro)_ERROR_SIZE;
        memcpy(state, bytes, \(macro)_STATE_BYTES);
        return \(okay);
        """)
    }
    writer.line()
  }
}
