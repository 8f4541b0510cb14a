internal import LatheCore

/// A kernel as a C function, and what it takes.
struct CKernel {
  /// The function's name.
  var name: String
  /// The buffers that it takes as pointers, in the order of the parameters.
  var buffers: [BufferID]
  /// The surrounding loops' variables that it takes behind them.
  var parameters: [LoopVariable]
  /// The function's definition.
  var text: String
  /// Whether the text has the hint that a loop's iterations are independent.
  var hintsIndependence: Bool
  /// Whether the text keeps the order of a loop and what follows it.
  var needsFence: Bool
  /// What the run returns where the kernel fails, which then takes a flag behind them to set.
  var failure: CStatus?
  /// Into how many parts threads may split it; nil for a kernel that is called as it is.
  var parts: Int?
}

/// Writes one kernel: the names that stand in it, and one case per statement and expression.
struct CKernelRenderer {
  let program: PlannedProgram
  let prefix: String
  var helpers: CHelpers
  var writer = CWriter()
  var names: CNames
  /// Whether loops over lanes are written as vectors.
  let hasVectors: Bool
  /// How parallel loops are made ranges for threads.
  let threads: COptions.Threads
  /// Whether the function says which instructions it is compiled to, with vectors or without.
  let namesInstructions: Bool
  /// Whether the function says that it is not to be inlined.
  let keepsKernels: Bool
  private var variables: [LoopVariable: String] = [:]
  private var registers: [Int32: String] = [:]
  private var locals: [Int: String] = [:]
  private var buffers: [BufferID: String] = [:]
  /// The registers that are assigned after their declaration.
  private(set) var assigned: Set<Int32> = []
  private(set) var joins: [Int32: Combiner] = [:]
  /// Whether two of the kernel's pointers may meet in memory.
  private(set) var mayAlias = false
  var hintsIndependence = false
  var needsFence = false
  /// The buffers that the kernel writes.
  private(set) var stored: Set<BufferID> = []
  /// The variables that stand for arrays in registers.
  var registerArrays: [Int: [String]] = [:]
  /// Whether some of them are vectors.
  var keepsVectors = false
  /// The registers that differ between the lanes of the loop that is being written.
  var laneRegisters: [Int32: CLanesValue.Form] = [:]
  /// The lane whose scalars are being written, inside a loop over lanes.
  var lane: (lanes: CLanes, name: String)?
  /// What the statements around know of what they read.
  var group: CCommonLoads?
  /// Whether a name that is declared now is known to all statements behind it.
  private(set) var mayDeclare = true
  /// The local variable that notes whether an index was out of range, or a routine failed.
  private(set) var failed = ""
  /// Whether the kernel checks a size, not indices.
  private(set) var checksSize = false
  private var copies: Int32 = 1 << 24

  init(
    _ program: PlannedProgram, prefix: String, helpers: CHelpers, hasVectors: Bool, threads: COptions.Threads,
    namesInstructions: Bool = false, keepsKernels: Bool = false
  ) {
    self.program = program
    self.prefix = prefix
    self.helpers = helpers
    self.hasVectors = hasVectors
    self.threads = threads
    self.namesInstructions = namesInstructions
    self.keepsKernels = keepsKernels
    self.names = CNames(insideOf: prefix)
  }

  /// Writes the kernel as a function of the given name.
  mutating func render(_ kernel: Kernel, name: String) -> CKernel {
    let parts = kernel.parts.map(CUses.live).filter { !$0.isEmpty }
    let body = Array(parts.joined())
    let uses = CUses(body)
    assigned = uses.assigned
    stored = uses.stored
    collectJoins(body)
    let taken = uses.loaded.union(uses.stored).sorted { $0.position < $1.position }
    let order = taken.filter { !uses.stored.contains($0) } + taken.filter { uses.stored.contains($0) }
    let aliasing = Set(
      order.filter { one in
        order.contains { $0 != one && (uses.stored.contains($0) || uses.stored.contains(one)) && overlap($0, one) }
      })
    mayAlias = !aliasing.isEmpty
    var declarations: [(text: String, comment: String)] = []
    for id in order {
      let buffer = program.program[id]
      let name = names.unique(buffer.name)
      buffers[id] = name
      let const = uses.stored.contains(id) ? "" : "const "
      let restrict = aliasing.contains(id) ? "" : "restrict "
      declarations.append(("\(const)\(buffer.dtype.cStorage) *\(restrict)\(name)", buffer.typeText))
    }
    let parameters = kernel.parameters.filter { uses.variables.contains($0) }
    for (depth, variable) in parameters.enumerated() {
      let name = names.first(of: Array(Self.stepNames.dropFirst(depth)) + ["step"])
      variables[variable] = name
      declarations.append(("ptrdiff_t \(name)", "0 to \(variable.extent - 1)"))
    }

    var summary = [kernel.summary.isEmpty ? kernel.name : kernel.summary]
    if kernel.macs > 0 { summary[0] += " (\(kernel.macs) multiply-adds)" }
    if let origin = kernel.location.origin, !kernel.summary.contains(kernel.location.modulePath ?? " ") {
      summary.append(origin)
    }
    writer.comment(summary)
    let head = writer
    let mentions = helpers.vectorMentions
    writer = CWriter()
    writer.open("")
    let parallel = threads == .none ? nil : CParallelLoops(parts)
    checksSize = kernel.counted != nil
    let failure = checksSize ? .capacity : uses.failure
    if let failure {
      let what =
        switch failure {
        case .index: "set where an index is out of range"
        case .capacity: "set where the size exceeds its capacity"
        default: "set where a matrix is singular"
        }
      declarations.append(("int *failure", what))
      failed = names.unique(failure == .singular ? "failed" : "outside")
      writer.line("bool \(failed) = false;")
    }
    let given = declarations
    if let parallel {
      let (begin, end) = (names.unique("begin"), names.unique("end"))
      declarations += [("ptrdiff_t \(begin)", "from 0"), ("ptrdiff_t \(end)", "to \(parallel.count)")]
      render(parallel, begin: begin, end: end)
    } else {
      render(body)
    }
    if failure != nil { writer.line("if (\(failed)) \(helpers.name(.failed(threads)))(failure);") }
    writer.close()
    let text = writer.text
    writer = head
    let target = namesInstructions || helpers.vectorMentions > mentions ? "\(prefix.uppercased())_TARGET " : ""
    let isOwn = keepsKernels ? "\(prefix.uppercased())_KERNEL " : ""
    writer.lines(target + isOwn + signature(name, declarations))
    writer.raw(String(text.dropLast()))
    if parallel != nil { writeThunk(name, given.map(\.text)) }
    return CKernel(
      name: name, buffers: order, parameters: parameters, text: writer.text, hintsIndependence: hintsIndependence,
      needsFence: needsFence, failure: failure, parts: parallel?.count)
  }

  /// A function of one signature for all kernels, and what it hands on.
  private mutating func writeThunk(_ kernel: String, _ declarations: [String]) {
    let fields = declarations.map { $0.replacing("restrict ", with: "") }
    writer.line()
    writer.open("struct \(kernel)_arguments")
    for field in fields { writer.line("\(field);") }
    writer.close("};")
    writer.line()
    writer.function("static void \(kernel)_part(void *arguments, ptrdiff_t begin, ptrdiff_t end)") { writer in
      writer.line("const struct \(kernel)_arguments *const given = arguments;")
      let names = fields.map {
        "given->" + String($0[($0.lastIndex { $0 == " " || $0 == "*" } ?? $0.startIndex)...].dropFirst())
      }
      writer.line("\(kernel)(\((names + ["begin", "end"]).joined(separator: ", ")));")
    }
    writer.line()
  }

  /// The function's head: a line per parameter, with the shapes beside them.
  private func signature(_ name: String, _ declarations: [(text: String, comment: String)]) -> String {
    if declarations.isEmpty { return "static void \(name)(void)" }
    let width = declarations.map(\.text.count).max() ?? 0
    var lines = ["static void \(name)("]
    for (position, declaration) in declarations.enumerated() {
      let end = position == declarations.count - 1 ? ")" : ","
      let text = declaration.text + end
      let padding = String(repeating: " ", count: width + 1 - text.count)
      lines.append("    \(text)\(padding) /* \(declaration.comment) */")
    }
    return lines.joined(separator: "\n")
  }

  /// The buffers that hold other values after a store.
  func buffersTogether(with stored: BufferID) -> [BufferID] {
    buffers.keys.filter { $0 == stored || overlap($0, stored) }
  }

  /// Runs the body where names that it declares are not known behind it.
  mutating func conditionally(_ body: (inout CKernelRenderer) -> Void) {
    let outer = mayDeclare
    mayDeclare = false
    body(&self)
    mayDeclare = outer
  }

  /// A register like another, with a name of its own.
  mutating func copy(_ register: Register) -> Register {
    copies += 1
    let copy = Register(id: Int(copies), type: register.type)
    if assigned.contains(register.id) { assigned.insert(copy.id) }
    joins[copy.id] = joins[register.id]
    return copy
  }

  /// Whether two buffers share bytes of the arena.
  private func overlap(_ a: BufferID, _ b: BufferID) -> Bool {
    guard let first = program.offsets[a.position], let second = program.offsets[b.position] else { return false }
    return first < second + program.program[b].byteCount && second < first + program.program[a].byteCount
  }

  private mutating func collectJoins(_ statements: [Statement]) {
    for statement in statements {
      switch statement {
      case .loop(let loop): collectJoins(loop.body)
      case .accumulate(let accumulation): joins[accumulation.accumulator.id] = accumulation.combiner
      case .when(_, let body), .whenTrue(_, let body): collectJoins(body)
      default: break
      }
    }
  }

  // MARK: Names

  private static let loopNames = ["i", "j", "k", "m", "n", "p", "q", "r", "s", "u", "v", "w"]
  static let stepNames = ["t", "t1", "t2", "t3"]

  func variableName(_ variable: LoopVariable) -> String {
    guard let name = variables[variable] else { internalError("loop variable \(variable.id) is not in scope") }
    return name
  }

  func registerName(_ id: Int32) -> String {
    guard let name = registers[id] else { internalError("register \(id) is not in scope") }
    return name
  }

  /// What a register holds, of the lane that is being written where lanes differ.
  func value(_ id: Int32) -> CText {
    guard let lane, let form = laneRegisters[id] else { return CText(registerName(id)) }
    let element = "\(registerName(id))[\(lane.name)]"
    return if case .mask = form { CText("\(element) != 0", .equality) } else { CText(element) }
  }

  func name(_ memory: Memory) -> String {
    let name =
      switch memory {
      case .buffer(let buffer): buffers[buffer]
      case .local(let local): locals[local.id]
      }
    guard let name else { internalError("\(memory) is not in scope") }
    return name
  }

  /// Runs the body with a name for a loop variable, which is free again behind it.
  mutating func naming(_ variable: LoopVariable, _ body: (inout CKernelRenderer, String) -> Void) {
    let outer = variables[variable]
    let name = names.first(of: Self.loopNames)
    variables[variable] = name
    body(&self, name)
    variables[variable] = outer
    names.release(name)
  }

  /// Runs the body with a register standing for another place.
  mutating func naming(_ register: Register, _ place: String, _ body: (inout CKernelRenderer) -> Void) {
    let outer = registers[register.id]
    registers[register.id] = place
    body(&self)
    registers[register.id] = outer
  }

  /// Gives a register a name before it is declared.
  mutating func name(_ register: Register, _ name: String) { registers[register.id] = name }

  /// The register's name, made where it is declared first.
  mutating func declare(_ register: Register) -> String {
    if let known = registers[register.id] { return known }
    let name: String
    if let combiner = joins[register.id] {
      name = names.unique(combiner.rawValue)
    } else {
      // x for floats, a for integers, c for conditions, numbered as they appear
      name = names.numbered(register.type == .bool ? "c" : register.type.isFloat ? "x" : "a")
    }
    registers[register.id] = name
    return name
  }

  mutating func declare(_ local: LocalArray) -> String {
    if let known = locals[local.id] { return known }
    let name = names.unique("tile")
    locals[local.id] = name
    return name
  }
}
