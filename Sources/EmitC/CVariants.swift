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

/// Several variants of a model in one file.
extension CProgramRenderer {
  /// The number of a variant in the file.
  private var number: String { prefix.uppercased() }

  private func variants(of processor: CProcessor) -> [CProgramRenderer] {
    variants.filter { $0.program.program.target.processor == processor }
  }

  func writeTargetDeclaration(_ writer: inout CWriter) {
    guard !variants.isEmpty else { return }
    writer.comment([
      "The name of what \(name)_run runs on this processor: "
        + (variants + [self]).map { "\"\($0.program.program.target.name)\"" }.joined(separator: ", ") + ".",
      "Compiling the C file with \(macro)_FORCED_TARGET defined as \(variants[0].number) and the like decides it beforehand;",
      "of a variant for processors of another kind, the last one takes the place.",
    ])
    writer.line("const char *\(name)_target(void);")
    writer.line()
  }

  /// All variants, and the functions that choose among them.
  func writeVariants(_ writer: inout CWriter) {
    var processors: [CProcessor] = []
    for variant in variants {
      if let processor = variant.program.program.target.processor, !processors.contains(processor) {
        processors.append(processor)
      }
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
      for variant in own { variant.writeVariant(&writer, hasParallel: hasParallelKernels, knowing: vectors) }
      writer.line("#endif")
      writer.line()
    }
    writeVariant(&writer, hasParallel: hasParallelKernels, knowing: [])
    writeChoice(processors, &writer)
    writer.function(Self.head("int \(name)_run", parameters(forHeader: false))) { writer in
      writeChecks(&writer)
      writer.open("switch (\(name)_choice())")
      for processor in processors {
        writer.line("#if \(processor.condition)")
        for variant in variants(of: processor) {
          writer.line("case \(variant.number): return \(variant.runCall)")
        }
        writer.line("#endif")
      }
      writer.line("default: return \(runCall)")
      writer.close()
    }
  }

  /// The variant's kernels, and the function that runs them.
  private func writeVariant(_ writer: inout CWriter, hasParallel: Bool, knowing vectors: Set<CVector>) {
    writeIndependence(&writer)
    writeInstructions(&writer)
    writeDefinitions(of: helpers, except: vectors, &writer)
    writeKernels(&writer)
    writer.comment("The model for \(program.program.target.name).")
    writer.function(Self.head("static int \(prefix)_run", parameters(forHeader: false))) { writer in
      for parameter in unusedParameters { writer.line("(void)\(parameter);") }
      for constant in unusedConstants { writer.line("(void)\(constant);") }
      if hasParallel, !ownsParallelKernels { writer.line("(void)\(name)_share;") }
      writeBody(&writer)
    }
    writer.line()
  }

  private var parameterNames: [String] {
    (threadsArgument.map { [$0] } ?? []) + (takesArena ? ["arena"] : []) + (takesState ? ["state"] : [])
      + (takesWeights ? ["weights"] : []) + arguments.map(\.name)
  }

  private var runCall: String { "\(prefix)_run(\(parameterNames.joined(separator: ", ")));" }

  /// The parameters of the run function that the variant does not mention.
  private var unusedParameters: [String] {
    let used = usedBuffers
    var mentioned = Set(used.compactMap { places[$0] })
    for copy in copies where program.program[copy.source].byteCount > 0 {
      mentioned.insert(arguments[program.program.inputs.count + copy.output].name)
    }
    if ownsParallelKernels, let threads = threadsArgument { mentioned.insert(threads) }
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

  /// The constants in the source that only other variants read, as the variant for all other machines sees it.
  private var unusedConstants: [String] {
    if variants.isEmpty { return [] }
    let used = Set(constants.values).union(initials.compactMap { $0 })
    return weights.entries.indices.filter { inlineWeights.pointers.indices.contains($0) && !used.contains($0) }
      .map { "\(name)_\(weights.entries[$0].name)" }
  }

  /// What decides which variant runs: it depends on the processor only, so that threads may ask at any time.
  ///
  /// A variant that is decided beforehand runs where the compiler's processor has it, unasked whether this one can.
  private func writeChoice(_ processors: [CProcessor], _ writer: inout CWriter) {
    let all = variants + [self]
    writer.line("enum { \(all.map(\.number).joined(separator: ", ")) };")
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
          let tests = variant.program.program.target.features.map { "__builtin_cpu_supports(\"\($0)\")" }
          let test = tests.isEmpty ? "" : "if (\(tests.joined(separator: " && "))) "
          writer.line("\(test)return \(variant.number);")
        }
        writer.line("#endif")
      }
      writer.line("#endif")
      writer.line("return \(number);")
    }
    writer.line()
    writer.function("const char *\(name)_target(void)") { writer in
      let names = all.map { CWriter.quoted($0.program.program.target.name) }
      writer.line("static const char *const names[\(all.count)] = {\(names.joined(separator: ", "))};")
      writer.line("return names[\(name)_choice()];")
    }
    writer.line()
  }
}
