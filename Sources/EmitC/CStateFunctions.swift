internal import LatheCore

/// The functions that fill, save and load the state.
extension CFileRenderer {
  /// The most axes that a variable has, at least one.
  var variableRank: Int { max(1, file.variables.map(\.type.rank).max() ?? 1) }

  var saveHead: String {
    head(
      "int \(name)_save",
      ["const void *state", "size_t (*write)(void *context, const void *bytes, size_t size)", "void *context"])
  }

  var loadHead: String {
    head(
      "int \(name)_load", ["void *state", "size_t (*read)(void *context, void *bytes, size_t size)", "void *context"])
  }

  func writeStateFunctions(_ writer: inout CWriter) {
    guard takesState else { return }
    writer.open("const struct \(name)_variable \(name)_variables[\(macro)_VARIABLE_COUNT] =")
    for (variable, offset) in zip(file.variables, file.variableOffsets) {
      let shape = variable.initial.shape
      let sizes = shape + [Int](repeating: 0, count: variableRank - shape.count)
      let fields = [
        CWriter.quoted(variable.name), "\"\(variable.type.dtype)\"", "\(shape.count)",
        "{\(sizes.map(String.init).joined(separator: ", "))}", "\(offset)", "\(variable.initial.bytes.count)",
      ]
      writer.line("{\(fields.joined(separator: ", "))},")
    }
    writer.close("};")
    writer.line()
    if !file.isDrawn { writeInitialization(&writer) }
    writeSaving(&writer)
  }

  private func writeInitialization(_ writer: inout CWriter) {
    let pointers = file.inlinePointers
    let needsWeights = takesWeights
    let head = head("int \(name)_initialize", ["void *state"] + (needsWeights ? ["const void *weights"] : []))
    writer.function(head) { writer in
      writer.line("if (!state\(needsWeights ? " || !weights" : "")) return \(macro)_ERROR_NULL;")
      if needsWeights {
        writer.line(
          "if (memcmp(weights, \(name)_weights_header, sizeof \(name)_weights_header) != 0) return \(macro)_ERROR_WEIGHTS;"
        )
        if file.initials.contains(where: { $0 != nil }) {
          writer.line("const unsigned char *const data = (const unsigned char *)weights + \(CWeights.headerBytes);")
        }
      }
      writer.line("unsigned char *const memory = state;")
      writer.line("memset(memory, 0, \(macro)_STATE_BYTES);")
      for (position, initial) in file.initials.enumerated() {
        guard let initial else { continue }
        let bytes = file.variables[position].initial.bytes.count
        if bytes == 0 { continue }
        let source = areWeightsInline ? pointers[initial] : "data + \(weights.entries[initial].offset)"
        writer.line(
          "memcpy(memory + \(file.variableOffsets[position]), \(source), \(bytes)); /* \(file.variables[position].name) */"
        )
      }
      writer.line("return \(okay);")
    }
    writer.line()
  }

  /// What is saved begins with a header of 40 bytes (`StateFile`), then the variables follow, one after the other.
  private func writeSaving(_ writer: inout CWriter) {
    writer.comment(
      "What a saved state begins with: magic, version, header size, fingerprint of the variables, data size.")
    writer.fileStart(StateFile(file.variables).start, name: "\(name)_state_magic")
    writer.lines(
      """
      /* FNV-1a over 64-bit words, of which the last one is filled with zeros. */
      static uint64_t \(name)_state_hash(uint64_t hash, const unsigned char *bytes, size_t size)
      {
        for (size_t i = 0; i < size; i += 8) {
          uint64_t word = 0;
          memcpy(&word, bytes + i, size - i < 8 ? size - i : 8);
          hash = (hash ^ word) * UINT64_C(0x100000001b3);
        }
        return hash;
      }

      \(saveHead)
      {
        if (!state || !write) return \(macro)_ERROR_NULL;
        const unsigned char *const memory = state;
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (size_t i = 0; i < \(macro)_VARIABLE_COUNT; i++) {
          hash = \(name)_state_hash(hash, memory + \(name)_variables[i].offset, \(name)_variables[i].bytes);
        }
        if (write(context, \(name)_state_magic, sizeof \(name)_state_magic) != sizeof \(name)_state_magic) {
          return \(macro)_ERROR_FILE;
        }
        if (write(context, &hash, sizeof hash) != sizeof hash) return \(macro)_ERROR_FILE;
        for (size_t i = 0; i < \(macro)_VARIABLE_COUNT; i++) {
          const size_t bytes = \(name)_variables[i].bytes;
          if (bytes && write(context, memory + \(name)_variables[i].offset, bytes) != bytes) return \(macro)_ERROR_FILE;
        }
        return \(okay);
      }

      \(loadHead)
      {
        if (!state || !read) return \(macro)_ERROR_NULL;
        unsigned char *const memory = state;
        unsigned char start[sizeof \(name)_state_magic];
        uint64_t expected;
        if (read(context, start, sizeof start) != sizeof start) return \(macro)_ERROR_FILE;
        if (memcmp(start, \(name)_state_magic, sizeof start) != 0) return \(macro)_ERROR_STATE;
        if (read(context, &expected, sizeof expected) != sizeof expected) return \(macro)_ERROR_FILE;
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        for (size_t i = 0; i < \(macro)_VARIABLE_COUNT; i++) {
          const size_t bytes = \(name)_variables[i].bytes;
          unsigned char *const target = memory + \(name)_variables[i].offset;
          if (bytes && read(context, target, bytes) != bytes) return \(macro)_ERROR_FILE;
          hash = \(name)_state_hash(hash, target, bytes);
        }
        return hash == expected ? \(okay) : \(macro)_ERROR_STATE;
      }

      """)
  }
}

extension CWriter {
  /// An array of the bytes that a file begins with: the magic number and the version, then numbers about the content.
  mutating func fileStart(_ bytes: [UInt8], name: String) {
    block("static const unsigned char \(name)[\(bytes.count)] =") { writer in
      writer.line(bytes.prefix(16).map { "\($0)" }.joined(separator: ", ") + ",")
      writer.line(bytes.dropFirst(16).map { "\($0)" }.joined(separator: ", "))
    }
    replaceLast("}", with: "};")
    line()
  }
}
