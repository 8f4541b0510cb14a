internal import LatheCore

/// A function of the model for one processor: its kernels, and where its tensors are.
struct CBody: CPart {
  var file: CFile
  let program: PlannedProgram
  /// The kernels in the order in which the steps reach them.
  let kernels: [CKernel]
  /// Where the pieces of a kernel are, by its position in the program.
  let kernelPositions: [Int: Range<Int>]
  /// The function, where it is one of several variants.
  let function: String
  /// The entry of the weights that a constant buffer has.
  private(set) var constants: [BufferID: Int] = [:]
  private(set) var arguments: [CEntry.Argument] = []
  /// Where each buffer is found in the function.
  private(set) var places: [BufferID: String] = [:]
  /// What loops around kernels call their variables, from the outermost.
  private(set) var stepNames: [String] = []
  /// The row of the profile that the program's first kernel has.
  private(set) var profileRow = 0

  init(
    _ program: PlannedProgram, _ kernels: [CKernel], _ positions: [Int: Range<Int>], function: String, of file: CFile
  ) {
    self.program = program
    self.kernels = kernels
    kernelPositions = positions
    self.function = function
    self.file = file
  }

  // MARK: Buffers

  /// The buffers that the steps mention themselves.
  private func conditions(_ steps: [Step]) -> [BufferID] {
    steps.flatMap { step in [step.predicate].compactMap { $0 } + step.nested.flatMap(conditions) }
  }

  /// The outputs that no kernel writes in their place: they are copied from another buffer at the end.
  var copies: [(output: Int, source: BufferID)] {
    program.program.outputs.enumerated().compactMap { position, port in
      program.program[port.buffer].kind == .output(position) ? nil : (position, port.buffer)
    }
  }

  /// The numbers of sizes that data decides, which are handed out as `size_t`: where each goes, and its buffer.
  var extents: [(argument: CEntry.Argument, source: BufferID)] {
    zip(arguments.dropFirst(program.program.inputs.count), program.program.outputs).filter { $0.0.extent != nil }
      .map { ($0, $1.buffer) }
  }

  /// The buffers that the function mentions, in their order.
  var usedBuffers: [BufferID] {
    var used = Set(conditions(program.program.steps))
    for kernel in kernels { used.formUnion(kernel.buffers) }
    for copy in copies { used.insert(copy.source) }
    return used.sorted { $0.position < $1.position }
  }

  /// The buffers in the arena that the function mentions.
  var temporaries: [Buffer] {
    usedBuffers.map { program.program[$0] }.filter { $0.kind == .temporary }
  }

  /// The constants that the function mentions.
  var usedConstants: [(buffer: BufferID, content: ConstantContent)] {
    usedBuffers.compactMap { buffer in
      if case .constant(let content) = program.program[buffer].kind { (buffer, content) } else { nil }
    }
  }

  // MARK: Preparation

  mutating func collectConstants(into weights: inout CWeights, _ names: inout CNames) {
    for (buffer, content) in usedConstants {
      constants[buffer] = weights.add(content, name: program.program[buffer].name, &names)
    }
  }

  /// Names everything that the function mentions, once the file is known.
  mutating func complete(_ file: CFile, for entry: CEntry, profileRow: Int) {
    self.file = file
    self.profileRow = profileRow
    arguments = entry.arguments
    var names = entry.names
    for (port, argument) in zip(program.program.inputs, arguments) { places[port.buffer] = argument.name }
    for (position, port) in program.program.outputs.enumerated()
    where program.program[port.buffer].kind == .output(position) {
      let argument = arguments[program.program.inputs.count + position]
      places[port.buffer] = argument.extent == nil ? argument.name : names.unique(argument.name + "_number")
    }
    let pointers = file.inlinePointers
    for id in usedBuffers where places[id] == nil {
      if let entry = constants[id], areWeightsInline, !pointers[entry].hasPrefix("(") {
        places[id] = pointers[entry]
      } else {
        places[id] = names.unique(program.program[id].name)
      }
    }
    stepNames = (0..<Self.depth(program.program.steps)).map { _ in names.unique("step") }
  }

  /// How many loops are inside each other.
  private static func depth(_ steps: [Step]) -> Int {
    steps.map { step in
      let inner = step.nested.map(depth).max() ?? 0
      return if case .loop = step { inner + 1 } else { inner }
    }.max() ?? 0
  }
}
