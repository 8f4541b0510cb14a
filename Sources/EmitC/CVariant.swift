internal import LatheCore

/// What a file has for one processor: the kernels of all functions, and what they need.
struct CVariant: CPart {
  var file: CFile
  let target: Target
  /// What the names of kernels and helpers start with: of one variant among several, not what the public names do.
  let prefix: String
  private(set) var helpers: CHelpers
  /// The kernels that are written: those of several functions with equal text once.
  private(set) var kernels: [CKernel] = []
  /// The functions, in the model's order.
  var bodies: [CBody] = []

  init(_ programs: [PlannedProgram], of file: CFile) {
    guard let first = programs.first else { internalError("a file has no functions") }
    self.file = file
    target = first.program.target
    prefix = file.hasVariants ? "\(file.name)_\(CNames.identifier(target.name))" : file.name
    helpers = CHelpers(prefix: prefix, math: file.options.math, target: target)
    var names = file.hasVariants ? CNames(behind: prefix, functions: file.functionNames) : file.names
    /// The kernels of the functions before, by their text without their name.
    var shared: [String: CKernel] = [:]
    for (position, program) in programs.enumerated() {
      var own: [CKernel] = []
      var positions: [Int: Range<Int>] = [:]
      var order: [Int] = []
      Self.collectKernels(program.program.steps, &order)
      for kernel in order {
        let start = own.count
        for piece in options.threads == .none
          ? [program.program.kernels[kernel]] : program.program.kernels[kernel].pieces
        {
          own.append(render(piece, program, &names, shared))
        }
        positions[kernel] = start..<own.count
      }
      if programs.count > position + 1 { for kernel in own { shared[kernel.body] = kernel } }
      let suffix = file.functionNames.isEmpty ? "run" : file.functionNames[position]
      bodies.append(CBody(program, own, positions, function: "\(prefix)_\(suffix)", of: file))
    }
  }

  /// A kernel's function: one that is there, where an earlier function of the model has the same.
  private mutating func render(
    _ kernel: Kernel, _ program: PlannedProgram, _ names: inout CNames, _ shared: [String: CKernel]
  ) -> CKernel {
    var renderer = CKernelRenderer(
      program, prefix: prefix, helpers: helpers, hasVectors: hasVectors, threads: options.threads,
      namesInstructions: namesInstructions, keepsKernels: keepsKernels)
    let name = names.unique(kernel.name)
    var rendered = renderer.render(kernel, name: "\(prefix)_\(name)")
    if let known = shared[rendered.body] {
      names.release(name)
      rendered.name = known.name
      return rendered
    }
    helpers = renderer.helpers
    kernels.append(rendered)
    return rendered
  }

  /// The kernels in the order in which the steps reach them.
  private static func collectKernels(_ steps: [Step], _ order: inout [Int]) {
    for step in steps {
      if case .kernel(let position) = step, !order.contains(position) { order.append(position) }
      for inner in step.nested { collectKernels(inner, &order) }
    }
  }

  /// Whether threads share kernels of this variant.
  var ownsParallelKernels: Bool { kernels.contains { $0.parts != nil } }

  /// Whether loops over lanes are written as vectors.
  private var hasVectors: Bool { options.standard == .c11 && (!file.hasVariants || target.isToldAtRunTime) }

  /// Whether every kernel says which instructions it is compiled to, and not only those with vectors.
  private var namesInstructions: Bool { file.hasVariants && target.processor == .x86 }

  // MARK: Text

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

  func writeKernels(_ writer: inout CWriter) {
    for kernel in kernels { writer.raw(kernel.text) }
  }
}

extension CKernel {
  /// The text without the name: kernels that agree in it are the same.
  fileprivate var body: String { text.replacing(name, with: "KERNEL") }
}

extension CHelpers {
  /// Writes the definitions, except vector types that the file has already.
  func write(except known: Set<CVector> = [], _ writer: inout CWriter) {
    for definition in definitions(except: known) {
      writer.lines(definition)
      writer.line()
    }
  }
}
