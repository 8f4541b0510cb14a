internal import LatheCore

/// The functions that check and load weights.
extension CFileRenderer {
  func writeWeightsFunctions(_ writer: inout CWriter) {
    guard takesWeights else { return }
    writer.comment("What the weights begin with: magic, version, header size, data size, checksum.")
    writer.fileStart(weights.header, name: "\(name)_weights_header")
    writer.function("int \(name)_check_weights(const void *weights, size_t size)") { writer in
      writer.lines(
        """
        if (!weights) return \(macro)_ERROR_NULL;
        if ((uintptr_t)weights % \(PlannedProgram.alignment) != 0) return \(macro)_ERROR_ALIGNMENT;
        if (size < \(macro)_WEIGHTS_BYTES) return \(macro)_ERROR_SIZE;
        if (memcmp(weights, \(name)_weights_header, sizeof \(name)_weights_header) != 0) return \(macro)_ERROR_WEIGHTS;
        const unsigned char *const data = (const unsigned char *)weights + \(CWeights.headerBytes);
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a over 64-bit words */
        for (size_t i = 0; i < \(weights.byteCount); i += 8) {
          uint64_t word;
          memcpy(&word, data + i, sizeof word);
          hash = (hash ^ word) * UINT64_C(0x100000001b3);
        }
        return hash == UINT64_C(0x\(String(weights.checksum.value, radix: 16))) ? \(okay) : \(macro)_ERROR_WEIGHTS;
        """)
    }
    writer.line()
    guard loadsWeights else { return }
    writer.function("int \(name)_load_weights(const char *path, void *weights, size_t size)") { writer in
      writer.lines(
        """
        if (!path || !weights) return \(macro)_ERROR_NULL;
        if (size < \(macro)_WEIGHTS_BYTES) return \(macro)_ERROR_SIZE;
        FILE *const file = fopen(path, "rb");
        if (!file) return \(macro)_ERROR_FILE;
        const size_t count = fread(weights, 1, \(macro)_WEIGHTS_BYTES, file);
        fclose(file);
        return count == \(macro)_WEIGHTS_BYTES ? \(name)_check_weights(weights, size) : \(macro)_ERROR_FILE;
        """)
    }
    writer.line()
  }
}
