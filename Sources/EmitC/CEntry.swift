internal import LatheCore

/// A function of the model as its caller sees it: names, arguments, checks.
struct CEntry: CPart {
  /// A parameter that stands for a tensor.
  struct Argument {
    var name: String
    var buffer: Buffer
    var isInput: Bool
    /// The sizes of an output, where data decides some; the buffer has their capacities.
    var shape: [Dim]?
    /// The size that data decides whose number the output is.
    var extent: String?
    /// The macro for the number of elements, behind the file's name.
    var countMacro: String

    /// The type of an element as the caller sees it.
    var elementType: String { extent == nil ? buffer.dtype.cStorage : "size_t" }
    var declaration: String { "\(isInput ? "const " : "")\(elementType) *restrict \(name)" }
    var publicDeclaration: String { "\(isInput ? "const " : "")\(elementType) *\(name)" }
  }

  var file: CFile
  /// The position among the model's functions.
  let position: Int
  /// What the function has behind the file's name: its own name where there are several, else `run`.
  let suffix: String
  let inputCount: Int
  /// Whether it gives variables new contents, or reads them only.
  let updatesState: Bool
  /// Where what is handed out is, in order.
  let gradients: [ExchangedGradient]
  private(set) var arguments: [Argument] = []
  /// The names inside of the function that are taken.
  private(set) var names: CNames

  /// - Parameter macros: The macros that the file has so far.
  init(_ program: Program, at position: Int, of file: CFile, _ macros: inout Set<String>) {
    self.file = file
    self.position = position
    suffix = file.functionNames.isEmpty ? "run" : file.functionNames[position]
    inputCount = program.inputs.count
    updatesState = program.updatesVariables
    gradients = program.exchangedGradients
    names = CNames(insideOf: file.name)
    let family = file.functionNames.isEmpty ? "" : suffix.uppercased() + "_"
    /// Names that differ in their case alone have one macro.
    func countMacro(_ kind: String, _ name: String) -> String {
      let wish = "\(family)\(kind)_\(name.uppercased())"
      var (macro, number) = (wish, 2)
      while !macros.insert(macro).inserted {
        macro = "\(wish)_\(number)"
        number += 1
      }
      return macro + "_COUNT"
    }
    for port in program.inputs {
      let name = names.unique(port.name)
      arguments.append(
        Argument(name: name, buffer: program[port.buffer], isInput: true, countMacro: countMacro("INPUT", name)))
    }
    for port in program.outputs {
      var buffer = program[port.buffer]
      buffer.shape = port.type.shape.known ?? buffer.shape
      let name = names.unique(port.name)
      arguments.append(
        Argument(
          name: name, buffer: buffer, isInput: false, shape: port.shape, extent: port.extent,
          countMacro: countMacro("OUTPUT", name)))
    }
  }

  /// The name of the parameter that a size which data decides is written to.
  func name(ofExtent extent: String) -> String { arguments.first { $0.extent == extent }?.name ?? extent }

  /// A size as C computes it, given what C calls a size that data decides.
  func text(_ size: Dim, _ extent: @escaping (String) -> String) -> String {
    size.computed(
      in: DimensionArithmetic<String>(
        number: { String($0) }, symbol: { internalError("\($0) is open") }, extent: extent,
        add: { "\($0) + \($1)" }, multiply: { "(\($0)) * (\($1))" },
        floorDivide: { "((\($0)) >= 0 ? (\($0)) / \($1) : -((\($1) - 1 - (\($0))) / \($1)))" },
        minimum: { "((\($0)) < (\($1)) ? (\($0)) : (\($1)))" }))
  }

  /// Whether it writes the first contents of all variables, in place of the file's own function.
  var isInitializer: Bool { suffix == CFunction.initializer }

  /// The function's name in C.
  var function: String { "\(name)_\(suffix)" }

  /// The name of the same function with its tensors in arrays.
  var uniformFunction: String { file.functionNames.isEmpty ? "\(name)_call" : "\(function)_call" }

  /// The function's parameters: threads and memory first, then inputs, then outputs.
  func parameters(forHeader: Bool) -> [String] {
    let memory =
      (takesArena ? ["void *arena"] : []) + (takesState ? ["\(updatesState ? "" : "const ")void *state"] : [])
      + (takesWeights ? ["const void *weights"] : [])
    return (threadsParameter.map { [$0] } ?? []) + memory
      + (gradients.isEmpty ? [] : ["const struct \(name)_hooks *hooks"])
      + arguments.map { forHeader ? $0.publicDeclaration : $0.declaration }
  }

  func writeChecks(_ writer: inout CWriter) {
    let pointers = memory + arguments.filter { $0.buffer.count > 0 }.map(\.name)
    for argument in arguments where argument.buffer.count == 0 { writer.line("(void)\(argument.name);") }
    if !pointers.isEmpty {
      writer.line("if (\(pointers.map { "!\($0)" }.joined(separator: " || "))) return \(macro)_ERROR_NULL;")
    }
    if !memory.isEmpty {
      let tests = memory.map { "(uintptr_t)\($0) % \(PlannedProgram.alignment) != 0" }
      writer.line("if (\(tests.joined(separator: " || "))) return \(macro)_ERROR_ALIGNMENT;")
    }
    if takesWeights {
      writer.line(
        "if (memcmp(weights, \(name)_weights_header, sizeof \(name)_weights_header) != 0) return \(macro)_ERROR_WEIGHTS;"
      )
    }
  }

  // MARK: Tensors in arrays

  private var uniformParameters: [String] {
    (threadsParameter.map { _ in ["void *threads"] } ?? []) + [
      "void *arena", "void *state", "const void *weights", "const void *const *inputs", "void *const *outputs",
    ]
  }

  func writeUniformDeclaration(_ writer: inout CWriter) {
    writer.comment("\(function) with its inputs and outputs in two arrays; what the model does not need may be NULL.")
    writer.line(head("int \(uniformFunction)", uniformParameters) + ";")
  }

  func writeUniformEntry(_ writer: inout CWriter) {
    writer.line()
    writer.function(head("int \(uniformFunction)", uniformParameters)) { writer in
      if !takesArena { writer.line("(void)arena;") }
      if !takesState { writer.line("(void)state;") }
      if !takesWeights { writer.line("(void)weights;") }
      if inputCount == 0 { writer.line("(void)inputs;") }
      if inputCount == arguments.count { writer.line("(void)outputs;") }
      var given = threadsParameter == nil ? [] : ["threads"]
      given += memory
      if !gradients.isEmpty { given.append("NULL") }
      given += (0..<inputCount).map { "inputs[\($0)]" }
      given += (0..<arguments.count - inputCount).map { "outputs[\($0)]" }
      writer.line("return \(function)(\(given.joined(separator: ", ")));")
    }
  }
}
