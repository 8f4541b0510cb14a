internal import LatheCore

/// The test bench: inputs and outputs as `.npy` files.
extension CFileRenderer {
  /// A static variable of the test bench.
  private func bench(_ what: String) -> String { "\(name)_bench_\(what)" }

  private func numpyType(_ type: ScalarType) -> String {
    switch type {
    case .f64: "<f8"
    case .f32: "<f4"
    case .f16: "<f2"
    case .i8: "|i1"
    case .i16: "<i2"
    case .i32: "<i4"
    case .i64: "<i8"
    case .u8: "|u1"
    case .u16: "<u2"
    case .u32: "<u4"
    case .u64: "<u8"
    case .bool: "|b1"
    default: type.isFloat ? "<f4" : numpyType(type.storage)
    }
  }

  /// Whether files hold the type's elements as `float`, because NumPy lacks it.
  private func isWide(_ type: ScalarType) -> Bool { type.isCoded && type != .f16 }

  /// The functions of the test bench and `main`.
  func mainFunction(_ helpers: inout CHelpers) -> String {
    guard entries.count == 1, let entry = entries.first else {
      internalError("\(name): a test bench runs one function")
    }
    let arguments = entry.arguments
    var writer = CWriter()
    writer.comment("Test bench: reads the inputs from .npy files, runs once, writes the outputs to .npy files.")
    if entry.inputCount > 0 { writer.lines(Self.reader.replacing("BENCH_", with: "\(name)_")) }
    if entry.inputCount < arguments.count { writer.lines(Self.writerFunction.replacing("BENCH_", with: "\(name)_")) }
    let takesMemory = takesArena || takesState || takesWeights
    if takesMemory { writer.lines(Self.memory.replacing("BENCH_", with: "\(name)_bench_")) }
    if arguments.contains(where: { $0.shape != nil }) {
      writer.lines(Self.cutting.replacing("BENCH_", with: "\(name)_"))
    }
    for argument in arguments {
      writer.line(
        "static \(argument.elementType) \(bench("of_\(argument.name)"))[\(max(1, argument.buffer.count))];")
      if isWide(argument.buffer.dtype) {
        writer.line("static float \(bench("wide_\(argument.name)"))[\(max(1, argument.buffer.count))];")
      }
    }
    writer.line()
    let files =
      (takesWeights ? ["WEIGHTS"] : [])
      + arguments.filter { $0.extent == nil }.map { "\($0.name.uppercased()).npy" }
    writer.function("int main(int argc, char **argv)") { writer in
      writer.block("if (argc != \(files.count + 1))") { writer in
        let listed = files.prefix(40).map { String($0.prefix(80)) } + (files.count > 40 ? ["..."] : [])
        let usage = CWriter.quoted("usage: %s \(listed.joined(separator: " "))\n")
        writer.line("fprintf(stderr, \(usage), argc > 0 ? argv[0] : \"\(name)\");")
        writer.line("return 64;")
      }
      func allocate(_ what: String, _ bytes: String) {
        writer.line("void *const \(what) = \(bench("memory"))(\(macro)_\(bytes));")
      }
      if takesArena { allocate("arena", "ARENA_BYTES") }
      if takesState { allocate("state", "STATE_BYTES") }
      if takesWeights { allocate("weights", "WEIGHTS_BYTES") }
      writer.line("int status = \(macro)_OK;")
      var position = 1
      if takesWeights {
        writeLoading(&writer)
        position += 1
      }
      if takesState {
        writer.line("status = \(name)_initialize(state\(takesWeights ? ", weights" : ""));")
        writer.lines("if (status != \(macro)_OK) return fprintf(stderr, \"state: error %d\\n\", status), 1;")
      }
      for argument in arguments where argument.isInput {
        writeTransfer("\(name)_read_npy", argument, of: entry, position, &writer, &helpers)
        position += 1
      }
      var given = threadsParameter == nil ? [] : ["NULL"]
      given += memory
      if !entry.gradients.isEmpty { given.append("NULL") }
      given += arguments.map { "\(bench("of_\($0.name)"))" }
      writer.line("status = \(name)_run(\(given.joined(separator: ", ")));")
      writer.line("if (status != \(macro)_OK) return fprintf(stderr, \"run: error %d\\n\", status), 1;")
      for argument in arguments where !argument.isInput && argument.extent == nil {
        writeTransfer("\(name)_write_npy", argument, of: entry, position, &writer, &helpers)
        position += 1
      }
      writer.line("return 0;")
    }
    return writer.text
  }

  private func writeLoading(_ writer: inout CWriter) {
    if loadsWeights {
      writer.line("status = \(name)_load_weights(argv[1], weights, \(macro)_WEIGHTS_BYTES);")
    } else {
      writer.lines(
        """
        FILE *const file = fopen(argv[1], "rb");
        const size_t size = file ? fread(weights, 1, \(macro)_WEIGHTS_BYTES, file) : 0;
        if (file) fclose(file);
        status = \(name)_check_weights(weights, size);
        """)
    }
    writer.line("if (status != \(macro)_OK) return fprintf(stderr, \"%s: error %d\\n\", argv[1], status), 1;")
  }

  private func writeTransfer(
    _ function: String, _ argument: CEntry.Argument, of entry: CEntry, _ position: Int, _ writer: inout CWriter,
    _ helpers: inout CHelpers
  ) {
    let buffer = argument.buffer
    let isWide = isWide(buffer.dtype)
    let array = isWide ? "\(bench("wide_\(argument.name)"))" : "\(bench("of_\(argument.name)"))"
    let bytes = buffer.count * (isWide ? 4 : buffer.dtype.byteCount)
    let sizes = buffer.shape.map(String.init)
    let shape = "(" + sizes.joined(separator: ", ") + (sizes.count == 1 ? ",)" : ")")
    let call = "\(function)(argv[\(position)], \"\(numpyType(buffer.dtype))\", \"\(shape)\", \(array), \(bytes))"
    func convert(_ statement: String) {
      if isWide { writer.line("for (size_t i = 0; i < \(buffer.count); i++) \(statement)") }
    }
    if let declared = argument.shape {
      if !argument.isInput {
        let unpack = isWide ? helpers.name(.unpack(buffer.dtype)) : ""
        convert("\(array)[i] = \(unpack)(\(bench("of_\(argument.name)"))[i]);")
      }
      let rank = declared.count
      let counts = declared.map { size in
        entry.text(size) { "(ptrdiff_t)*\(bench("of_\(entry.name(ofExtent: $0))"))" }
      }
      writer.block("") { writer in
        writer.line("static char shape[\(24 * rank + 4)];")
        writer.line("const size_t room[\(rank)] = {\(sizes.joined(separator: ", "))};")
        writer.line("const ptrdiff_t sizes[\(rank)] = {\(counts.joined(separator: ", "))};")
        let element = isWide ? 4 : buffer.dtype.byteCount
        writer.line("const size_t bytes = \(name)_cut(\(array), \(element), \(rank), room, sizes, shape);")
        writer.line(
          "if (!\(function)(argv[\(position)], \"\(numpyType(buffer.dtype))\", shape, \(array), bytes)) return 1;")
      }
      return
    }
    if !argument.isInput {
      convert("\(array)[i] = \(isWide ? helpers.name(.unpack(buffer.dtype)) : "")(\(bench("of_\(argument.name)"))[i]);")
    }
    writer.line("if (!\(call)) return 1;")
    if argument.isInput {
      convert("\(bench("of_\(argument.name)"))[i] = \(isWide ? helpers.name(.pack(buffer.dtype)) : "")(\(array)[i]);")
    }
  }

  /// Memory that is aligned as models ask for it, kept until the program ends.
  private static let memory = #"""
    static void *BENCH_memory(size_t size)
    {
      unsigned char *const block = malloc(size + 64);
      if (!block) {
        fprintf(stderr, "there is no memory for %zu bytes\n", size);
        exit(1);
      }
      return block + (64 - (uintptr_t)block % 64) % 64;
    }

    """#

  /// Moves the elements that there are together, and writes the shape that they have.
  private static let cutting = #"""
    static size_t BENCH_cut(
        void *data, size_t element, size_t rank, const size_t *room, const ptrdiff_t *sizes, char *shape)
    {
      unsigned char *const bytes = data;
      size_t count = 1, written = 0, used = 0;
      used += (size_t)sprintf(shape, "(");
      for (size_t axis = 0; axis < rank; axis++) {
        const size_t size = sizes[axis] > 0 ? (size_t)sizes[axis] : 0;
        used += (size_t)sprintf(shape + used, "%zu,", size);
        count *= size;
      }
      sprintf(shape + used, ")");
      for (; written < count; written++) {
        size_t rest = written, place = 0, stride = 1;
        for (size_t axis = rank; axis-- > 0;) {
          place += rest % (size_t)sizes[axis] * stride;
          rest /= (size_t)sizes[axis];
          stride *= room[axis];
        }
        memmove(bytes + written * element, bytes + place * element, element);
      }
      return count * element;
    }

    """#

  /// Compares the header with what the model expects, spaces aside.
  private static let reader = #"""
    /* Whether the header's entry for the key is the value, spaces aside. */
    static bool BENCH_npy_has(const char *header, const char *key, const char *value)
    {
      const char *at = strstr(header, key);
      if (!at) return false;
      at += strlen(key);
      for (;;) {
        while (*at == ' ') at++;
        while (*value == ' ') value++;
        if (!*value) return true;
        if (*at++ != *value++) return false;
      }
    }

    static bool BENCH_read_npy(const char *path, const char *type, const char *shape, void *data, size_t bytes)
    {
      static char header[65536];
      unsigned char start[12];
      char entry[32];
      const char *error = "cannot be read";
      FILE *const file = fopen(path, "rb");
      if (file) {
        error = "is no .npy file";
        if (fread(start, 1, 10, file) == 10 && memcmp(start, "\223NUMPY", 6) == 0 && start[6] >= 1 && start[6] <= 3) {
          size_t size = start[8] + 256u * start[9];
          if (start[6] > 1 && fread(start + 10, 1, 2, file) == 2) size += 65536u * start[10];
          if (size < sizeof header && fread(header, 1, size, file) == size) {
            header[size] = '\0';
            snprintf(entry, sizeof entry, "'%s'", type);
            if (!BENCH_npy_has(header, "'descr':", entry)) error = "has another element type";
            else if (!BENCH_npy_has(header, "'shape':", shape)) error = "has another shape";
            else if (!BENCH_npy_has(header, "'fortran_order':", "False")) error = "is in column-major order";
            else if (fread(data, 1, bytes, file) != bytes) error = "is too short";
            else error = NULL;
          }
        }
        fclose(file);
      }
      if (error) fprintf(stderr, "%s: %s (expected %s %s)\n", path, error, type, shape);
      return !error;
    }

    """#

  private static let writerFunction = #"""
    static bool BENCH_write_npy(const char *path, const char *type, const char *shape, const void *data, size_t bytes)
    {
      char header[256];
      const int size = snprintf(
          header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
      const size_t used = size < 0 ? 0 : (size_t)size;
      const size_t padded = (used + 11 + 63) / 64 * 64 - 10;
      FILE *const file = fopen(path, "wb");
      bool good = file && used > 0 && padded < sizeof header;
      if (good) {
        memset(header + used, ' ', padded - used);
        header[padded - 1] = '\n';
        const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)padded, (unsigned char)(padded >> 8)};
        good = fwrite(start, 1, 10, file) == 10 && fwrite(header, 1, padded, file) == padded
            && fwrite(data, 1, bytes, file) == bytes;
      }
      if (file && fclose(file) != 0) good = false;
      if (!good) fprintf(stderr, "%s: cannot be written\n", path);
      return good;
    }

    """#
}
