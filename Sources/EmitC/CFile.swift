internal import LatheCore

/// What all parts of a file agree about: names, memory, weights.
struct CFile {
  let options: COptions
  let name: String
  /// The prefix of macros.
  let macro: String
  let headerName: String
  /// Bytes of the arena, for whichever function and variant runs.
  let arenaBytes: Int
  let stateBytes: Int
  /// Bytes of the stack that a run takes at most.
  let stackBytes: Int
  /// Multiply-adds of a run of each function.
  let multiplyAdds: [Int]
  /// The variables that the functions share.
  let variables: [Variable]
  let variableOffsets: [Int]
  /// Whether the file has variants for several processors.
  let hasVariants: Bool
  /// What the functions are called behind the file's name, where there are several.
  let functionNames: [String]
  /// Whether threads share kernels of any variant.
  var hasParallelKernels = false
  var weights = CWeights()
  /// An expression for each entry of the weights, where they are in the source.
  var inlinePointers: [String] = []
  /// The entry of the weights that a variable starts with; nil where it starts as zeros, or is drawn.
  var initials: [Int?] = []

  init(_ functions: [CFunction], _ options: COptions) {
    guard let first = functions.first else { internalError("a file has no functions") }
    self.options = options
    let program = first.program.program
    name = CNames.identifier(options.name ?? (program.name.isEmpty ? "model" : program.name))
    macro = name.uppercased()
    headerName = options.headerName ?? "\(name).h"
    arenaBytes = functions.flatMap { [$0.program] + $0.variants }.map(\.arenaBytes).max() ?? 0
    stateBytes = first.program.stateBytes
    stackBytes = functions.flatMap { [$0.program] + $0.variants }.map(\.program.stackBytes).max() ?? 0
    multiplyAdds = functions.map(\.program.program.multiplyAdds)
    variables = program.variables
    variableOffsets = first.program.variableOffsets
    hasVariants = !first.variants.isEmpty
    functionNames = functions.count == 1 ? [] : Self.names(of: functions, in: name)
  }

  /// Names for functions, which differ in more than their case, as macros begin with them too.
  ///
  /// What the file calls its own is told apart; a function `initialize` takes the place of the file's.
  private static func names(of functions: [CFunction], in file: String) -> [String] {
    var names = CNames(behind: file)
    var taken: Set = [CFunction.initializer, CFunction.initializer + "_call"]
    return functions.map { function in
      if function.isInitializer { return CFunction.initializer }
      var name = ""
      repeat {
        name = names.unique(function.program.program.name)
      } while taken.contains(name.lowercased())
        || taken.contains(name.lowercased() + "_call")
      taken.formUnion([name.lowercased(), name.lowercased() + "_call"])
      return name
    }
  }

  var areWeightsInline: Bool {
    switch options.weights {
    case .inline: true
    case .file, .external: false
    case .auto: weights.byteCount <= options.inlineLimit
    }
  }

  /// Whether a function of the model writes the first contents of all variables, by drawing them.
  var isDrawn: Bool { functionNames.contains(CFunction.initializer) }

  /// Names behind the file's, none of them a function's.
  var names: CNames { CNames(behind: name, functions: functionNames, variants: Self.variantNames) }

  /// What the names of variants' functions have behind the model's.
  private static let variantNames = Target.all.map { CNames.identifier($0.name) }
}

/// A part of a file.
protocol CPart {
  var file: CFile { get }
}

extension CPart {
  var options: COptions { file.options }
  var name: String { file.name }
  var macro: String { file.macro }
  var weights: CWeights { file.weights }
  var hasParallelKernels: Bool { file.hasParallelKernels }
  var okay: String { "\(macro)_OK" }

  // MARK: Memory

  var usesArena: Bool { file.arenaBytes > 0 }
  var takesArena: Bool { usesArena && options.arena == .caller }
  var takesState: Bool { file.stateBytes > 0 }
  var takesWeights: Bool { weights.byteCount > 0 && !areWeightsInline }

  var areWeightsInline: Bool { file.areWeightsInline }
  var loadsWeights: Bool { takesWeights && options.weights != .external }

  /// What all functions that run kernels are given before their inputs: threads and memory.
  var memoryArguments: [String] { (threadsArgument.map { [$0] } ?? []) + memory }

  /// The pointers to memory among them.
  var memory: [String] {
    (takesArena ? ["arena"] : []) + (takesState ? ["state"] : []) + (takesWeights ? ["weights"] : [])
  }

  // MARK: Kernels

  /// Whether kernels ask compilers not to inline them: files in C99 have no extensions.
  var keepsKernels: Bool { options.standard == .c11 }

  /// A function's head, on one line where it fits.
  func head(_ start: String, _ parameters: [String]) -> String {
    let list = parameters.isEmpty ? "void" : parameters.joined(separator: ", ")
    let line = "\(start)(\(list))"
    return line.count <= 110 ? line : "\(start)(\n    \(parameters.joined(separator: ",\n    ")))"
  }
}
