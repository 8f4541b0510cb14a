public import LatheCore

/// Writes a program as C: one source, one header, and the weights where they are a file of their own.
///
/// The text depends on the program and the options only: two calls give the same bytes.
///
/// - Parameter variants: The same graph lowered for processors that can be told apart at run time
///   (`Target.isToldAtRunTime`), best first. The file then holds all of them, and `NAME_run` chooses; `program` is
///   written as plain C, for whatever is left.
public func emitC(
  _ program: PlannedProgram, variants: [PlannedProgram] = [], options: COptions = COptions()
) -> CFiles {
  CProgramRenderer(program, variants: variants.filter(\.program.target.isToldAtRunTime), options).files()
}

/// What the source, the header and the test bench have in common: names, sizes, kernels and weights.
struct CProgramRenderer {
  /// A parameter of the run function that stands for a tensor.
  struct Argument {
    var name: String
    var buffer: Buffer
    var isInput: Bool
    /// The macro for the number of elements, behind the model's name.
    var countMacro: String

    var declaration: String { "\(isInput ? "const " : "")\(buffer.dtype.cStorage) *restrict \(name)" }
    var publicDeclaration: String { "\(isInput ? "const " : "")\(buffer.dtype.cStorage) *\(name)" }
  }

  let program: PlannedProgram
  let options: COptions
  let name: String
  /// The prefix of macros.
  let macro: String
  let headerName: String
  /// What the names of kernels and helpers start with: of one variant among several, not what the public names do.
  let prefix: String
  /// Whether this is one of several variants in the file.
  let isVariant: Bool
  /// The same model for further machines, best first; this one is then for all others.
  var variants: [CProgramRenderer] = []
  /// Bytes of the arena, for whichever variant runs.
  var arenaBytes: Int
  var arguments: [Argument] = []
  /// Where each buffer is found in the run function.
  var places: [BufferID: String] = [:]
  /// What loops around kernels call their variables, from the outermost.
  private(set) var stepNames: [String] = []
  var kernels: [CKernel] = []
  /// Where the pieces of a kernel are, by its position in the program.
  var kernelPositions: [Int: Range<Int>] = [:]
  var helpers: CHelpers
  var weights = CWeights()
  /// The weights' definitions in the source, and an expression for each entry, where they are in the source.
  private(set) var inlineWeights: (text: String, pointers: [String]) = ("", [])
  /// The entry of the weights that a constant buffer has.
  var constants: [BufferID: Int] = [:]
  /// The entry of the weights that a variable starts with; nil where it starts as zeros.
  var initials: [Int?] = []

  init(_ program: PlannedProgram, variants: [PlannedProgram] = [], _ options: COptions) {
    self.init(kernelsOf: program, isVariant: !variants.isEmpty, options)
    self.variants = variants.map { CProgramRenderer(kernelsOf: $0, isVariant: true, options) }
    let all = [self] + self.variants
    arenaBytes = all.map(\.arenaBytes).max() ?? 0
    var names = CNames(behind: name, variants: Self.variantNames)
    for kernel in all.flatMap(\.kernels) { _ = names.unique(String(kernel.name.dropFirst(name.count + 1))) }
    var weights = CWeights()
    weights.reserve(
      all.flatMap { $0.usedConstants.map(\.content) }
        + program.program.variables.map { ConstantContent($0.initial) })
    collectWeights(into: &weights, &names)
    for position in self.variants.indices { self.variants[position].collectWeights(into: &weights, &names) }
    weights.close()
    self.weights = weights
    if areWeightsInline { inlineWeights = weights.definitions(name, options.standard) }
    nameArguments()
    for position in self.variants.indices {
      self.variants[position].arenaBytes = arenaBytes
      self.variants[position].weights = weights
      self.variants[position].inlineWeights.pointers = inlineWeights.pointers
      self.variants[position].nameArguments()
    }
  }

  private init(kernelsOf program: PlannedProgram, isVariant: Bool, _ options: COptions) {
    self.program = program
    self.options = options
    self.isVariant = isVariant
    name = CNames.identifier(options.name ?? (program.program.name.isEmpty ? "model" : program.program.name))
    macro = name.uppercased()
    headerName = options.headerName ?? "\(name).h"
    arenaBytes = program.arenaBytes
    let target = program.program.target
    prefix = isVariant ? "\(name)_\(CNames.identifier(target.name))" : name
    helpers = CHelpers(prefix: prefix, math: options.math, target: target)
    renderKernels()
  }

  /// What the names of variants' functions have behind the model's.
  private static let variantNames = Target.all.map { CNames.identifier($0.name) }

  /// How many loops are inside each other.
  private static func depth(_ steps: [Step]) -> Int {
    steps.map { step in
      switch step {
      case .kernel: 0
      case .loop(_, let body): 1 + depth(body)
      case .branch(_, let then, let otherwise): max(depth(then), depth(otherwise))
      case .whileLoop(let condition, _, let body): max(depth(condition), depth(body))
      }
    }.max() ?? 0
  }

  var usesArena: Bool { arenaBytes > 0 }
  var takesArena: Bool { usesArena && options.arena == .caller }
  var takesState: Bool { program.stateBytes > 0 }
  var takesWeights: Bool { weights.byteCount > 0 && !areWeightsInline }

  var areWeightsInline: Bool {
    switch options.weights {
    case .inline: true
    case .file, .external: false
    case .auto: weights.byteCount <= options.inlineLimit
    }
  }

  var loadsWeights: Bool { takesWeights && options.weights != .external }

  // MARK: Parts

  private mutating func renderKernels() {
    var functions = CNames(behind: prefix, variants: Self.variantNames)
    var order: [Int] = []
    collectKernels(program.program.steps, &order)
    for position in order {
      let kernel = program.program.kernels[position]
      let first = kernels.count
      for piece in options.threads == .none ? [kernel] : kernel.pieces {
        var renderer = CKernelRenderer(
          program, prefix: prefix, helpers: helpers, hasVectors: hasVectors, threads: options.threads,
          namesInstructions: namesInstructions, keepsKernels: keepsKernels)
        kernels.append(renderer.render(piece, name: "\(prefix)_\(functions.unique(piece.name))"))
        helpers = renderer.helpers
      }
      kernelPositions[position] = first..<kernels.count
    }
  }

  /// The kernels in the order in which the steps reach them.
  private func collectKernels(_ steps: [Step], _ order: inout [Int]) {
    for step in steps {
      switch step {
      case .kernel(let position): if !order.contains(position) { order.append(position) }
      case .loop(_, let body): collectKernels(body, &order)
      case .branch(_, let then, let otherwise):
        collectKernels(then, &order)
        collectKernels(otherwise, &order)
      case .whileLoop(let condition, _, let body):
        collectKernels(condition, &order)
        collectKernels(body, &order)
      }
    }
  }

  /// The buffers that the steps mention themselves.
  private func conditions(_ steps: [Step]) -> Set<BufferID> {
    var found: Set<BufferID> = []
    for step in steps {
      switch step {
      case .kernel: break
      case .loop(_, let body): found.formUnion(conditions(body))
      case .branch(let test, let then, let otherwise):
        found.formUnion(conditions(then).union(conditions(otherwise)).union([test]))
      case .whileLoop(let condition, let test, let body):
        found.formUnion(conditions(condition).union(conditions(body)).union([test]))
      }
    }
    return found
  }

  /// The outputs that no kernel writes in their place: they are copied from another buffer at the end.
  var copies: [(output: Int, source: BufferID)] {
    program.program.outputs.enumerated().compactMap { position, port in
      program.program[port.buffer].kind == .output(position) ? nil : (position, port.buffer)
    }
  }

  /// The buffers that the run function mentions, in their order.
  var usedBuffers: [BufferID] {
    var used = conditions(program.program.steps)
    for kernel in kernels { used.formUnion(kernel.buffers) }
    for copy in copies { used.insert(copy.source) }
    return used.sorted { $0.position < $1.position }
  }

  /// The buffers in the arena that the run function mentions.
  var temporaries: [Buffer] {
    usedBuffers.map { program.program[$0] }.filter { $0.kind == .temporary }
  }

  /// The constants that the run function mentions.
  private var usedConstants: [(buffer: BufferID, content: ConstantContent)] {
    usedBuffers.compactMap { buffer in
      if case .constant(let content) = program.program[buffer].kind { (buffer, content) } else { nil }
    }
  }

  private mutating func collectWeights(into weights: inout CWeights, _ names: inout CNames) {
    for (buffer, content) in usedConstants {
      constants[buffer] = weights.add(content, name: program.program[buffer].name, &names)
    }
    for variable in program.program.variables {
      let isZero = variable.initial.bytes.allSatisfy { $0 == 0 }
      initials.append(
        isZero ? nil : weights.add(ConstantContent(variable.initial), name: "initial_\(variable.name)", &names))
    }
  }

  private mutating func nameArguments() {
    var names = CNames(insideOf: name)
    var macros: Set<String> = []
    /// Names that differ in their case alone have one macro.
    func countMacro(_ kind: String, _ name: String) -> String {
      let wish = "\(kind)_\(name.uppercased())"
      var (macro, number) = (wish, 2)
      while !macros.insert(macro).inserted {
        macro = "\(wish)_\(number)"
        number += 1
      }
      return macro + "_COUNT"
    }
    for port in program.program.inputs {
      let name = names.unique(port.name)
      let argument = Argument(
        name: name, buffer: program.program[port.buffer], isInput: true, countMacro: countMacro("INPUT", name))
      arguments.append(argument)
      places[port.buffer] = argument.name
    }
    for (position, port) in program.program.outputs.enumerated() {
      var buffer = program.program[port.buffer]
      buffer.shape = port.type.shape.known ?? buffer.shape
      let name = names.unique(port.name)
      let argument = Argument(
        name: name, buffer: buffer, isInput: false, countMacro: countMacro("OUTPUT", name))
      arguments.append(argument)
      if program.program[port.buffer].kind == .output(position) { places[port.buffer] = argument.name }
    }
    let pointers = inlineWeights.pointers
    for id in usedBuffers where places[id] == nil {
      if let entry = constants[id], areWeightsInline, !pointers[entry].hasPrefix("(") {
        places[id] = pointers[entry]
      } else {
        places[id] = names.unique(program.program[id].name)
      }
    }
    stepNames = (0..<Self.depth(program.program.steps)).map { _ in names.unique("step") }
  }

  /// Whether kernels ask compilers not to inline them: files in C99 have no extensions.
  private var keepsKernels: Bool { options.standard == .c11 }

  /// Whether loops over lanes are written as vectors.
  private var hasVectors: Bool {
    options.standard == .c11 && (!isVariant || program.program.target.isToldAtRunTime)
  }

  /// Whether every kernel says which instructions it is compiled to, and not only those with vectors.
  private var namesInstructions: Bool { isVariant && program.program.target.processor == .x86 }

  // MARK: Signatures

  /// The run function's parameters: threads and memory first, then inputs, then outputs.
  func parameters(forHeader: Bool) -> [String] {
    (threadsParameter.map { [$0] } ?? []) + (takesArena ? ["void *arena"] : []) + (takesState ? ["void *state"] : [])
      + (takesWeights ? ["const void *weights"] : [])
      + arguments.map { forHeader ? $0.publicDeclaration : $0.declaration }
  }

  /// A function's head, on one line where it fits.
  static func head(_ start: String, _ parameters: [String]) -> String {
    let list = parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
    let line = "\(start)(\(list))"
    return line.count <= 110 ? line : "\(start)(\n    \(parameters.joined(separator: ",\n    ")))"
  }

  // MARK: Files

  func files() -> CFiles {
    CFiles(
      name: name, source: source(), header: header(), headerName: headerName,
      weights: takesWeights ? weights.file : nil)
  }

  private func source() -> String {
    var writer = CWriter()
    writer.comment(summary)
    writer.line()
    writeIncludes(&writer)
    writer.line()
    if variants.isEmpty { writeIndependence(&writer) }
    writeStaticArena(&writer)
    if variants.isEmpty { writeInstructions(&writer) }
    var benchHelpers = variants.isEmpty ? helpers : CHelpers(prefix: name, math: options.math)
    let bench = options.main ? mainFunction(&benchHelpers) : ""
    writeDefinitions(of: benchHelpers, &writer)
    if areWeightsInline, weights.byteCount > 0 { writer.raw(inlineWeights.text) }
    if variants.isEmpty { writeKernels(&writer) }
    writePoolDefinitions(&writer)
    writeShare(&writer)
    writePool(&writer)
    writeWeightsFunctions(&writer)
    writeStateFunctions(&writer)
    writeProfileDefinitions(&writer)
    if variants.isEmpty { writeRun(&writer) } else { writeVariants(&writer) }
    if options.uniformEntry { writeUniformEntry(&writer) }
    if options.main { writer.raw("\n" + bench) }
    return writer.text
  }

  private func writeIncludes(_ writer: inout CWriter) {
    if measuresKernels { writer.lines("#ifndef _POSIX_C_SOURCE\n#define _POSIX_C_SOURCE 199309L\n#endif") }
    writer.line("#include \"\(headerName)\"")
    writer.line()
    writer.line("#include <math.h>")
    if options.threads == .openmp, hasParallelKernels { writer.line("#ifdef _OPENMP\n#include <omp.h>\n#endif") }
    if options.main || loadsWeights { writer.line("#include <stdio.h>") }
    if options.main, takesArena || takesState || takesWeights { writer.line("#include <stdlib.h>") }
    writer.line("#include <string.h>")
    if ([self] + variants).contains(where: \.helpers.hasIntrinsics) {
      writer.line("#if defined(__x86_64__)\n#include <immintrin.h>\n#endif")
    }
    if measuresKernels { writer.line("#include <time.h>") }
  }

  /// The hint that a loop's iterations are independent.
  func writeIndependence(_ writer: inout CWriter) {
    guard kernels.contains(where: \.hintsIndependence) else { return }
    writer.comment("Tells the compiler that the iterations of the next loop are independent.")
    writer.lines(
      """
      #if defined(__GNUC__) && !defined(__clang__)
      #define \(prefix.uppercased())_INDEPENDENT _Pragma("GCC ivdep")
      #else
      #define \(prefix.uppercased())_INDEPENDENT
      #endif

      """)
  }

  private func writeStaticArena(_ writer: inout CWriter) {
    guard options.arena == .static, usesArena else { return }
    let types = Set(([self] + variants).flatMap { $0.temporaries.map { $0.dtype.storage } })
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

  /// What the kernels tell compilers about instructions and their order.
  func writeInstructions(_ writer: inout CWriter) {
    if !kernels.isEmpty, keepsKernels {
      writer.comment([
        "Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it",
        "clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants.",
      ])
      writer.lines(
        """
        #if defined(__GNUC__) && !defined(__clang__)
        #define \(prefix.uppercased())_KERNEL __attribute__((noinline, noclone))
        #elif defined(__GNUC__)
        #define \(prefix.uppercased())_KERNEL __attribute__((noinline))
        #else
        #define \(prefix.uppercased())_KERNEL
        #endif
        """)
      writer.line()
    }
    if kernels.contains(where: \.needsFence) {
      writer.comment(
        "Keeps the compiler from reading early what is needed behind a loop whose variables fill all registers.")
      writer.line("#define \(prefix.uppercased())_AFTER_LOOP __asm__ volatile(\"\" ::: \"memory\")")
      writer.line()
    }
    if helpers.vectorBytes > 0 || namesInstructions {
      writer.comment("The instructions that vectors are made for.")
      writer.lines(helpers.targetDefinition(prefix.uppercased()))
      writer.line()
    }
  }

  /// Definitions of helpers, except vector types that the file has already.
  func writeDefinitions(of helpers: CHelpers, except known: Set<CVector> = [], _ writer: inout CWriter) {
    for definition in helpers.definitions(except: known) {
      writer.lines(definition)
      writer.line()
    }
  }

  func writeKernels(_ writer: inout CWriter) {
    for kernel in kernels { writer.raw(kernel.text) }
  }

  /// What a reader wants to know first.
  var summary: [String] {
    var lines = ["\(name): written by Lathe.", ""]
    lines += arguments.map { "\($0.isInput ? "input " : "output") \($0.name): \($0.buffer.typeText)" }
    lines.append("")
    let largest = ([self] + variants).max { $0.program.arenaBytes < $1.program.arenaBytes } ?? self
    lines.append("arena \(arenaBytes) bytes (at least \(largest.program.lowerBound) are live at once)")
    if takesState { lines.append("state \(program.stateBytes) bytes in \(program.program.variables.count) variables") }
    lines.append("weights \(weights.byteCount) bytes, \(areWeightsInline ? "in this file" : "in a file of their own")")
    let macs = program.program.kernels.reduce(0) { $0 + $1.macs }
    if macs > 0 { lines.append("\(macs) multiply-adds in kernels, scans counted once") }
    lines.append("")
    if !variants.isEmpty {
      let names = (variants + [self]).map(\.program.program.target.name)
      lines.append("For \(names.joined(separator: ", ")): the processor decides which at run time.")
      lines.append("")
    }
    let march = variants.isEmpty ? " -march=native" : ""
    lines.append("For speed, compile with -O3\(march) -ffp-contract=fast -fno-math-errno -fno-trapping-math;")
    lines.append("link with -lm\(options.threads == .pthreads ? " -pthread" : "").")
    if options.threads == .openmp { lines.append("With -fopenmp, work is shared between threads.") }
    return lines
  }
}
