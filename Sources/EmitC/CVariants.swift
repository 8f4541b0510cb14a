public import LatheCore

/// The processors that a program can ask for what they have.
enum CProcessor: Hashable {
  case x86, arm

  /// Whether the C compiler compiles for it, as a condition of the preprocessor.
  var condition: String {
    switch self {
    case .x86: "defined(__GNUC__) && defined(__x86_64__)"
    case .arm: "defined(__GNUC__) && defined(__aarch64__)"
    }
  }

  /// The instructions that functions for vectors of a size are compiled to, and that are asked for at run time: by names
  /// that the attribute `target` and `__builtin_cpu_supports` know in gcc and clang.
  static func x86Features(vectorBytes: Int) -> [String] {
    switch vectorBytes {
    case 64...: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma", "bmi", "bmi2"]
    case 32...: ["avx2", "fma", "bmi", "bmi2"]
    default: ["sse4.2"]
    }
  }
}

extension Target {
  /// The processor that the target is one of.
  var processor: CProcessor? {
    if name.hasPrefix("x86-64") { return .x86 }
    return name.hasPrefix("armv8") ? .arm : nil
  }

  /// Whether emitted C can find out, while it runs, that the processor has what the target needs.
  public var isToldAtRunTime: Bool { processor != nil }

  /// What a program asks the processor for.
  var features: [String] { processor == .x86 ? CProcessor.x86Features(vectorBytes: vectorBytes) : [] }
}

extension CVariant {
  /// The number of a variant in the file.
  var number: String { prefix.uppercased() }

  /// The variant's kernels, and the functions that run them.
  func write(_ entries: [CEntry], _ writer: inout CWriter, knowing vectors: Set<CVector>) {
    writeIndependence(&writer)
    writeInstructions(&writer)
    helpers.write(except: vectors, &writer)
    writeKernels(&writer)
    for (entry, body) in zip(entries, bodies) {
      writer.comment("The model for \(target.name).")
      writer.function(head("static int \(body.function)", entry.parameters(forHeader: false))) { writer in
        for parameter in body.unusedParameters { writer.line("(void)\(parameter);") }
        if entry.position == 0 {
          for constant in unusedConstants { writer.line("(void)\(constant);") }
          if hasParallelKernels, !ownsParallelKernels { writer.line("(void)\(name)_share;") }
        }
        body.writeBody(&writer)
      }
      writer.line()
    }
  }

  /// The constants in the source that only other variants read, as the variant for all other machines sees it.
  private var unusedConstants: [String] {
    let used = Set(bodies.flatMap(\.constants.values)).union(file.initials.compactMap { $0 })
    return weights.entries.indices.filter { file.inlinePointers.indices.contains($0) && !used.contains($0) }
      .map { "\(name)_\(weights.entries[$0].name)" }
  }
}

extension CBody {
  private var parameterNames: [String] {
    memoryArguments + (program.program.buckets.isEmpty ? [] : ["hooks"]) + arguments.map(\.name)
  }

  var call: String { "\(function)(\(parameterNames.joined(separator: ", ")));" }

  /// The parameters of the function that the variant does not mention.
  var unusedParameters: [String] {
    let used = usedBuffers
    var mentioned = Set(used.compactMap { places[$0] })
    for copy in copies where program.program[copy.source].byteCount > 0 {
      mentioned.insert(arguments[program.program.inputs.count + copy.output].name)
    }
    if ownsParallelKernels, let threads = threadsArgument { mentioned.insert(threads) }
    mentioned.insert("hooks")
    for id in used {
      switch program.program[id].kind {
      case .temporary: mentioned.insert("arena")
      case .variable: mentioned.insert("state")
      case .constant: mentioned.insert("weights")
      case .input, .output: break
      }
    }
    return parameterNames.filter { !mentioned.contains($0) }
  }
}

/// Several variants of a model in one file.
extension CFileRenderer {
  private func variants(of processor: CProcessor) -> [CVariant] {
    told.filter { $0.target.processor == processor }
  }

  func writeTargetDeclaration(_ writer: inout CWriter) {
    guard let first = told.first else { return }
    let chosen = entries.count == 1 ? entries[0].function : "each function"
    writer.comment([
      "The name of what \(chosen) runs on this processor: "
        + variants.map { "\"\($0.target.name)\"" }.joined(separator: ", ") + ".",
      "Compiling the C file with \(macro)_FORCED_TARGET defined as \(first.number) and the like decides it beforehand;",
      "of a variant for processors of another kind, the last one takes the place.",
    ])
    writer.line("const char *\(name)_target(void);")
    writer.line()
  }

  /// All variants, and the functions that choose among them.
  func writeVariants(_ writer: inout CWriter) {
    var processors: [CProcessor] = []
    for variant in told {
      if let processor = variant.target.processor, !processors.contains(processor) { processors.append(processor) }
    }
    for processor in processors {
      let own = variants(of: processor)
      writer.line("#if \(processor.condition)")
      writer.line()
      let vectors = Set(own.flatMap(\.helpers.vectors))
      for vector in vectors.sorted(by: { ($0.byteCount, $0.name) < ($1.byteCount, $1.name) }) {
        writer.lines(vector.definition)
        writer.line()
      }
      for variant in own { variant.write(entries, &writer, knowing: vectors) }
      writer.line("#endif")
      writer.line()
    }
    rest.write(entries, &writer, knowing: [])
    writeChoice(processors, &writer)
    for entry in entries {
      if entry.position > 0 { writer.line() }
      writer.function(head("int \(entry.function)", entry.parameters(forHeader: false))) { writer in
        entry.writeChecks(&writer)
        writer.open("switch (\(name)_choice())")
        for processor in processors {
          writer.line("#if \(processor.condition)")
          for variant in variants(of: processor) {
            writer.line("case \(variant.number): return \(variant.bodies[entry.position].call)")
          }
          writer.line("#endif")
        }
        writer.line("default: return \(rest.bodies[entry.position].call)")
        writer.close()
      }
    }
  }

  /// What decides which variant runs: it depends on the processor only, so that threads may ask at any time.
  ///
  /// A variant that is decided beforehand runs where the compiler's processor has it, unasked whether this one can.
  private func writeChoice(_ processors: [CProcessor], _ writer: inout CWriter) {
    writer.line("enum { \(variants.map(\.number).joined(separator: ", ")) };")
    writer.line()
    writer.function("static int \(name)_choice(void)") { writer in
      writer.line("#if defined(\(macro)_FORCED_TARGET)")
      writer.line("const int forced = \(macro)_FORCED_TARGET;")
      for processor in processors {
        let tests = variants(of: processor).map { "forced == \($0.number)" }
        writer.line("#if \(processor.condition)")
        writer.line("if (\(tests.joined(separator: " || "))) return forced;")
        writer.line("#endif")
      }
      writer.line("(void)forced;")
      writer.line("#else")
      for processor in processors {
        writer.line("#if \(processor.condition)")
        for variant in variants(of: processor) {
          let tests = variant.target.features.map { "__builtin_cpu_supports(\"\($0)\")" }
          let test = tests.isEmpty ? "" : "if (\(tests.joined(separator: " && "))) "
          writer.line("\(test)return \(variant.number);")
        }
        writer.line("#endif")
      }
      writer.line("#endif")
      writer.line("return \(rest.number);")
    }
    writer.line()
    writer.function("const char *\(name)_target(void)") { writer in
      let names = variants.map { CWriter.quoted($0.target.name) }
      writer.line("static const char *const names[\(variants.count)] = {\(names.joined(separator: ", "))};")
      writer.line("return names[\(name)_choice()];")
    }
    writer.line()
  }
}
