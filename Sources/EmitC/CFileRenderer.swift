package import LatheCore

/// A function of a model that a file is to have.
package struct CFunction: Sendable {
  /// The program for whatever processor is left; plain C where there are variants.
  package var program: PlannedProgram
  /// The same graph lowered for processors that can be told apart at run time (`Target.isToldAtRunTime`), best first.
  ///
  /// The file then holds all of them, and the function chooses.
  package var variants: [PlannedProgram]

  /// Makes it from its parts.
  package init(_ program: PlannedProgram, variants: [PlannedProgram] = []) {
    self.program = program
    self.variants = variants.filter(\.program.target.isToldAtRunTime)
  }

  /// What a function is called that writes the first contents of all variables, in place of the file's own.
  static let initializer = "initialize"

  var isInitializer: Bool { program.program.name == Self.initializer }
}

/// Writes a program as C: one source, one header, and the weights where they are a file of their own.
///
/// The text depends on the program and the options only: two calls give the same bytes.
///
/// - Parameter variants: See `CFunction`.
package func emitC(
  _ program: PlannedProgram, variants: [PlannedProgram] = [], options: COptions = COptions()
) -> CFiles {
  emitC([CFunction(program, variants: variants)], options: options)
}

/// Writes the functions of a model as C, over one state and one arena.
///
/// One function is `NAME_run`; of several, each is `NAME_FUNCTION`. Weights are there once. A function that is called
/// `initialize` is taken to write all variables; without one, the file has its own.
///
/// - Parameter functions: At least one, for the same targets and with the same variables.
package func emitC(_ functions: [CFunction], options: COptions = COptions()) -> CFiles {
  CFileRenderer(functions, options).files()
}

/// What the source, the header and the test bench have in common: the model's functions, and what they need.
struct CFileRenderer: CPart {
  private(set) var file: CFile
  /// The functions in the model's order.
  private(set) var entries: [CEntry]
  /// For processors that can be told apart, best first; the last is for all others.
  private(set) var variants: [CVariant]

  init(_ functions: [CFunction], _ options: COptions) {
    var file = CFile(functions, options)
    var variants = functions[0].variants.indices.map { position in
      CVariant(functions.map { $0.variants[position] }, of: file)
    }
    variants.append(CVariant(functions.map(\.program), of: file))
    file.hasParallelKernels = variants.contains(where: \.ownsParallelKernels)
    Self.collectWeights(of: &variants, into: &file)
    for function in functions {
      let handedOut = function.program.program.exchangedGradients
      for variant in function.variants where variant.program.exchangedGradients != handedOut {
        internalError("variants of \(function.program.program.name) hand out different buckets")
      }
    }
    var macros: Set<String> = []
    let entries = functions.enumerated().map { CEntry($1.program.program, at: $0, of: file, &macros) }
    var rows = [0]
    for function in functions.indices {
      rows.append(rows[function] + (variants.map { $0.bodies[function].program.program.kernels.count }.max() ?? 0))
    }
    for variant in variants.indices {
      variants[variant].file = file
      for function in functions.indices {
        variants[variant].bodies[function].complete(file, for: entries[function], profileRow: rows[function])
      }
    }
    self.file = file
    self.entries = entries
    self.variants = variants
    profileRows = rows[functions.count]
  }

  /// How many kernels are measured.
  let profileRows: Int

  /// The variant for all processors that no other is for.
  var rest: CVariant { variants[variants.count - 1] }

  /// Those that are chosen at run time.
  var told: ArraySlice<CVariant> { variants.dropLast() }

  /// The weights, in the order in which the variant for all processors mentions them, then the others.
  private static func collectWeights(of variants: inout [CVariant], into file: inout CFile) {
    var names = file.names
    let order = [variants.count - 1] + Array(0..<variants.count - 1)
    for variant in order {
      for kernel in variants[variant].kernels { _ = names.unique(String(kernel.name.dropFirst(file.name.count + 1))) }
    }
    let initials = file.isDrawn ? [] : file.variables.map { ConstantContent($0.initial) }
    var weights = CWeights()
    for variant in order {
      for function in variants[variant].bodies.indices {
        variants[variant].bodies[function].collectConstants(into: &weights, &names)
      }
      guard file.initials.isEmpty, !file.isDrawn else { continue }
      for (variable, content) in zip(file.variables, initials) {
        let isZero = variable.initial.bytes.allSatisfy { $0 == 0 }
        file.initials.append(isZero ? nil : weights.add(content, name: "initial_\(variable.name)", &names))
      }
    }
    file.weights = weights
    if file.areWeightsInline { file.inlinePointers = weights.pointers(file.name) }
  }

  // MARK: Files

  func files() -> CFiles {
    CFiles(
      name: name, source: source(), header: header(), headerName: file.headerName,
      weights: takesWeights ? weights.file : nil, entries: entries.map(\.uniformFunction), facts: facts)
  }

  private var facts: CFacts {
    var facts = CFacts()
    facts.arenaBytes = file.arenaBytes
    facts.stateBytes = file.stateBytes
    facts.weightBytes = weights.byteCount
    facts.areWeightsInline = areWeightsInline
    facts.stackBytes = file.stackBytes
    facts.multiplyAdds = zip(entries, file.multiplyAdds).map { CFacts.Work(function: $0.function, count: $1) }
    return facts
  }

  private func source() -> String {
    let isPlain = told.isEmpty
    var writer = CWriter()
    writer.comment(summary)
    writer.line()
    writeIncludes(&writer)
    writer.line()
    if isPlain { rest.writeIndependence(&writer) }
    writeStaticArena(&writer)
    if isPlain { rest.writeInstructions(&writer) }
    var benchHelpers = isPlain ? rest.helpers : CHelpers(prefix: name, math: options.math)
    let bench = options.main ? mainFunction(&benchHelpers) : ""
    benchHelpers.write(&writer)
    if areWeightsInline, weights.byteCount > 0 {
      weights.writeDeclarations(name, options.standard, &writer)
    }
    if isPlain { rest.writeKernels(&writer) }
    writePoolDefinitions(&writer)
    writeShare(&writer)
    writePool(&writer)
    writeWeightsFunctions(&writer)
    writeStateFunctions(&writer)
    for entry in entries { writeGradients(of: entry, &writer) }
    writeProfileDefinitions(&writer)
    writeExceedingSize(&writer)
    if isPlain { writeFunctions(&writer) } else { writeVariants(&writer) }
    if options.uniformEntry { for entry in entries { entry.writeUniformEntry(&writer) } }
    if options.main { writer.raw("\n" + bench) }
    if areWeightsInline { weights.writeDefinitions(name, &writer) }
    return writer.text
  }

  private func writeIncludes(_ writer: inout CWriter) {
    if measuresKernels { writer.lines("#ifndef _POSIX_C_SOURCE\n#define _POSIX_C_SOURCE 199309L\n#endif") }
    writer.line("#include \"\(file.headerName)\"")
    writer.line()
    writer.line("#include <math.h>")
    if options.threads == .openmp, hasParallelKernels { writer.line("#ifdef _OPENMP\n#include <omp.h>\n#endif") }
    if options.main || loadsWeights { writer.line("#include <stdio.h>") }
    if options.main, takesArena || takesState || takesWeights { writer.line("#include <stdlib.h>") }
    writer.line("#include <string.h>")
    if variants.contains(where: \.helpers.hasIntrinsics) {
      writer.line("#if defined(__x86_64__)\n#include <immintrin.h>\n#endif")
    }
    if measuresKernels { writer.line("#include <time.h>") }
  }

  private func writeStaticArena(_ writer: inout CWriter) {
    guard options.arena == .static, usesArena else { return }
    let types = Set(
      variants.flatMap { $0.bodies.flatMap { $0.temporaries.map { $0.dtype.storage } } })
    guard !types.isEmpty else { return }
    writer.comment("The arena: an array of each type that tensors in it have.")
    writer.open("static union")
    for (position, type) in types.sorted(by: { $0.rawValue < $1.rawValue }).enumerated() {
      let alignment = options.standard == .c11 && position == 0 ? "_Alignas(\(PlannedProgram.alignment)) " : ""
      let bytes = "\(macro)_ARENA_BYTES" + (options.standard == .c11 ? "" : " + \(PlannedProgram.alignment)")
      let count = type.byteCount == 1 ? bytes : "(\(bytes)) / \(type.byteCount)"
      writer.line("\(alignment)\(type.cValue) \(type.memberName)[\(count)];")
    }
    writer.close("} \(name)_memory;")
    writer.line()
  }

  /// What a reader wants to know first.
  var summary: [String] {
    var lines = ["\(name): written by Lathe.", ""]
    for entry in entries {
      if entries.count > 1 { lines.append("\(entry.function)") }
      let indent = entries.count > 1 ? "  " : ""
      lines += entry.arguments.map {
        "\(indent)\($0.isInput ? "input " : "output") \($0.name): \($0.buffer.typeText)"
      }
    }
    lines.append("")
    let bodies = ([rest] + told).flatMap(\.bodies)
    let largest = bodies.max { $0.program.arenaBytes < $1.program.arenaBytes } ?? rest.bodies[0]
    lines.append("arena \(file.arenaBytes) bytes (at least \(largest.program.lowerBound) are live at once)")
    if takesState { lines.append("state \(file.stateBytes) bytes in \(file.variables.count) variables") }
    lines.append("weights \(weights.byteCount) bytes, \(areWeightsInline ? "in this file" : "in a file of their own")")
    for (entry, multiplyAdds) in zip(entries, file.multiplyAdds) where multiplyAdds > 0 {
      let owner = entries.count > 1 ? "\(entry.function): " : ""
      lines.append("\(owner)\(multiplyAdds) multiply-adds")
    }
    lines.append("")
    if !told.isEmpty {
      let names = variants.map(\.target.name)
      lines.append("For \(names.joined(separator: ", ")): the processor decides which at run time.")
      lines.append("")
    }
    let march = told.isEmpty ? " -march=native" : ""
    lines.append("For speed, compile with -O3\(march) -ffp-contract=fast -fno-math-errno -fno-trapping-math;")
    lines.append("link with -lm\(options.threads == .pthreads ? " -pthread" : "").")
    if options.threads == .openmp { lines.append("With -fopenmp, work is shared between threads.") }
    return lines
  }
}
