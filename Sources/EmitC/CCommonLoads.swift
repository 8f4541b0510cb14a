internal import LatheCore

/// An element, or a vector of them, that statements of a group read.
private struct CLoad: Hashable {
  var memory: Memory
  var index: Index
  var type: ScalarType
  /// The lanes of a vector that starts there, or 1.
  var lanes: Int
  /// How many stores that may have changed it came before.
  var epoch: Int
}

/// What a group of statements without loops knows of what it has read.
struct CCommonLoads {
  fileprivate var counts: [CLoad: Int] = [:]
  fileprivate var names: [CLoad: String] = [:]
  fileprivate var epochs: [Memory: Int] = [:]
  /// The constants that occur beside each variable part of positions.
  fileprivate var offsets: [Memory: [Index: Set<Int>]] = [:]
  fileprivate var bases: [Memory: [Index: String]] = [:]
}

/// Runs of statements without inner loops: what they read more than once gets a name.
extension CKernelRenderer {
  /// The statements of a block, with unrolled loops written out and loops over lanes as vectors.
  mutating func render(_ statements: [Statement]) {
    let flat = unrolled(statements)
    var allocated: Set<LocalArray> = []
    var position = 0
    var followsLoop = false
    while position < flat.count {
      if case .allocate(let local) = flat[position].statement {
        if allocated.insert(local).inserted { allocate(local) }
        position += 1
        continue
      }
      let run = flat[position...].prefix { isStraight($0.statement) }
      if run.contains(where: { $0.isUnrolled || isLanes($0.statement) }) {
        if followsLoop, keepsVectors { fence() }
        followsLoop = false
        renderGroup(run.map(\.statement))
        position += run.count
      } else {
        if case .loop = flat[position].statement { followsLoop = true }
        render(flat[position].statement)
        position += 1
      }
    }
  }

  /// Whether the statement is one for all lanes at once.
  private func isLanes(_ statement: Statement) -> Bool {
    if case .loop(let loop) = statement { lanes(of: loop) != nil } else { false }
  }

  private func isStraight(_ statement: Statement) -> Bool {
    switch statement {
    case .declare, .assign, .store: true
    case .loop: isLanes(statement)
    case .allocate, .accumulate, .when, .whenTrue, .call: false
    }
  }

  /// The lanes of a loop that can be written without one.
  private func lanes(of loop: Loop) -> CLanes? {
    guard loop.kind == .lanes, loop.lower.known == 0, loop.upper.known == loop.variable.extent,
      loop.variable.extent == 1 || hasVectors
    else { return nil }
    let lanes = CLanes(variable: loop.variable, registerBytes: helpers.registerBytes)
    // conditions of lanes are 32 bits wide at least
    if lanes.count > 1, lanes.vector(.i32) == nil { return nil }
    for statement in loop.body {
      switch statement {
      case .declare(let register, _), .assign(let register, _):
        guard register.type == .bool || lanes.vector(register.type) != nil else { return nil }
      case .store(_, _, let value):
        guard value.type == .bool || value.type.isCoded || lanes.vector(value.type) != nil else { return nil }
      default: return nil
      }
    }
    return lanes
  }

  /// Keeps compilers from reading what the statements behind a loop need before the loop, whose registers are all taken.
  private mutating func fence() {
    needsFence = true
    writer.line("\(prefix.uppercased())_AFTER_LOOP;")
  }

  private mutating func renderGroup(_ statements: [Statement]) {
    group = CCommonLoads()
    for statement in statements { count(statement, nil) }
    group?.epochs = [:]
    for statement in statements { render(straight: statement, nil) }
    group = nil
  }

  private mutating func render(straight statement: Statement, _ lanes: CLanes?) {
    switch statement {
    case .loop(let loop):
      guard let lanes = self.lanes(of: loop) else { return }
      for inner in loop.body { render(straight: inner, lanes.count == 1 ? nil : lanes) }
    case .declare(let register, let value):
      guard let lanes else { return render(statement) }
      declare(register, render(value, in: lanes), lanes)
    case .assign(let register, let value):
      guard let lanes, laneRegisters[register.id] != nil else { return render(statement) }
      let text = vectorText(render(value, in: lanes), register.type, lanes)
      writer.line("\(registerName(register.id)) = \(text.text);")
    case .store(let memory, let index, let value):
      if let lanes { store(memory, index, value, lanes) } else { render(statement) }
      noteStore(memory)
    default: break
    }
  }

  private mutating func store(_ memory: Memory, _ index: Index, _ value: Expression, _ lanes: CLanes) {
    if case .local(let local) = memory, let place = register(local, index, lanes) {
      let own = Expression.load(memory, index, value.type)
      if case .pointwise(let function, let operands) = value, operands.count == 2, operands[0] == own,
        [.add, .subtract, .multiply].contains(function), value.type.isFloat,
        case .infix(let symbol) = function.spelling
      {
        writer.line("\(place) \(symbol)= \(render(operands[1], in: lanes).text.text);")
      } else {
        writer.line("\(place) = \(vectorText(render(value, in: lanes), value.type, lanes).text);")
      }
      return
    }
    let isPlain = storage(memory) == value.type
    if isPlain, let vector = lanes.vector(value.type), let start = vectorStart(index, lanes) {
      let text = vectorText(render(value, in: lanes), value.type, lanes).text
      let address = self.address(memory, start)
      if vector.lanes == lanes.count {
        writer.line("*(\(helpers.memoryName(vector)) *)\(address.at(.unary)) = \(text);")
      } else {
        writer.line("\(helpers.name(.partialStore(vector, lanes.count)))(\(address.text), \(text));")
      }
      return
    }
    let element: Expression
    if dependsOnLane(value, lanes), lanes.vector(value.type) != nil {
      let register = copy(Register(id: -2, type: value.type))
      declare(register, render(value, in: lanes), lanes)
      element = .register(register)
    } else {
      element = withOperandsDeclared(value, lanes)
    }
    eachLane(lanes) { renderer, _ in renderer.render(.store(memory, index, element)) }
  }

  /// The type of a memory's elements.
  private func storage(_ memory: Memory) -> ScalarType {
    switch memory {
    case .buffer(let buffer): program.program[buffer].dtype
    case .local(let local): local.type
    }
  }

  // MARK: Arrays in registers

  /// Introduces a local array: as variables where it is kept in registers.
  private mutating func allocate(_ local: LocalArray) {
    guard let width = registerWidth(local) else { return render(.allocate(local)) }
    if width > 1 { keepsVectors = true }
    let type = CVector(local.type, holding: width).flatMap { width == 1 ? nil : helpers.name($0) } ?? local.type.cValue
    let count = local.count / width
    let letter = names.unique("acc")
    names.release(letter)
    let variables = (0..<count).map { names.unique("\(letter)\($0)") }
    registerArrays[local.id] = variables
    var line = ""
    for (position, name) in variables.enumerated() {
      if line.count + name.count > 90 {
        writer.line(line + ";")
        line = ""
      }
      line += line.isEmpty ? "\(type) \(name)" : ", \(name)"
      if position == variables.count - 1 { writer.line(line + ";") }
    }
  }

  /// How many elements are one variable; nil for an array in memory.
  private func registerWidth(_ local: LocalArray) -> Int? {
    guard let width = local.lanes, local.count % width == 0 else { return nil }
    if width == 1 { return 1 }
    let vector = CVector(local.type, holding: width)
    return hasVectors && vector.map { $0.byteCount <= helpers.registerBytes ?? .max } ?? false ? width : nil
  }

  /// The variable that holds all lanes from a position on.
  func register(_ local: LocalArray, _ index: Index, _ lanes: CLanes) -> String? {
    guard let variables = registerArrays[local.id], let start = vectorStart(index, lanes)?.known,
      let width = local.lanes,
      start % width == 0, variables.indices.contains(start / width)
    else { return nil }
    return variables[start / width]
  }

  /// One element of an array in registers.
  func register(_ local: LocalArray, _ index: Index) -> String? {
    guard let variables = registerArrays[local.id], let width = local.lanes else { return nil }
    if width == 1 { return index.known.flatMap { variables.indices.contains($0) ? variables[$0] : nil } }
    guard let lane, let name = register(local, index, lane.lanes) else { return nil }
    return "\(name)[\(lane.name)]"
  }

  // MARK: Loads

  /// A vector of neighbours in memory or registers; nil where lanes are not neighbours.
  mutating func vectorLoad(_ memory: Memory, _ index: Index, _ type: ScalarType, _ lanes: CLanes) -> CText? {
    if case .local(let local) = memory, let name = register(local, index, lanes) { return CText(name) }
    guard let vector = lanes.vector(type), storage(memory) == type, let start = vectorStart(index, lanes) else {
      return nil
    }
    return reused(load(memory, start, type, lanes.count), helpers.name(vector)) { renderer in
      let address = renderer.address(memory, start)
      if vector.lanes == lanes.count {
        return CText("*(const \(renderer.helpers.memoryName(vector)) *)\(address.at(.unary))", .unary)
      }
      return .call(renderer.helpers.name(.partialLoad(vector, lanes.count)), [address])
    }
  }

  /// A scalar in memory that is read more than once, by its name.
  mutating func reusedElement(_ memory: Memory, _ index: Index, _ type: ScalarType) -> CText? {
    guard let group, lane == nil || !index.variables.contains(where: { $0 == lane?.lanes.variable }) else { return nil }
    let load = load(memory, index, type, 1)
    if let name = group.names[load] { return CText(name) }
    guard (group.counts[load] ?? 0) > 1, mayDeclare else { return nil }
    return reused(load, type.cValue) { renderer in
      renderer.plainElement(memory, index, type)
    }
  }

  /// An element as an access to memory.
  mutating func plainElement(_ memory: Memory, _ index: Index, _ type: ScalarType) -> CText {
    let (base, offset) = basePointer(memory, index)
    let element = CText("\(base)[\(render(offset).text)]")
    if case .buffer = memory, type.isCoded { return .call(helpers.name(.unpack(type)), [element]) }
    return element
  }

  private func load(_ memory: Memory, _ index: Index, _ type: ScalarType, _ lanes: Int) -> CLoad {
    CLoad(memory: memory, index: index, type: type, lanes: lanes, epoch: group?.epochs[memory] ?? 0)
  }

  /// The load by its name, which it gets where it is read first, if it is read again.
  private mutating func reused(
    _ load: CLoad, _ type: String, _ text: (inout CKernelRenderer) -> CText
  ) -> CText {
    if let name = group?.names[load] { return CText(name) }
    guard (group?.counts[load] ?? 0) > 1, mayDeclare else { return text(&self) }
    let value = text(&self)
    let name = names.numbered(isConstant(load.memory) ? "w" : "x")
    writer.line("const \(type) \(name) = \(value.text);")
    group?.names[load] = name
    return CText(name)
  }

  private func isConstant(_ memory: Memory) -> Bool {
    guard case .buffer(let buffer) = memory, case .constant = program.program[buffer].kind else { return false }
    return true
  }

  mutating func address(_ memory: Memory, _ index: Index) -> CText {
    let (base, offset) = basePointer(memory, index)
    if offset == Index(0) { return CText(base) }
    let leading = offset.known.map { $0 < 0 } ?? false
    return leading
      ? CText("\(base) - \(-offset.constant)", .sum) : CText("\(base) + \(render(offset).at(.product))", .sum)
  }

  /// A pointer that positions with the same variable part have in common, and the rest of the position.
  private mutating func basePointer(_ memory: Memory, _ index: Index) -> (base: String, offset: Index) {
    let part = index - index.constant
    guard let group, part.terms.count > 0, (group.offsets[memory]?[part]?.count ?? 0) > 1 else {
      return (name(memory), index)
    }
    if let base = group.bases[memory]?[part] { return (base, Index(index.constant)) }
    guard mayDeclare, !part.mentions(assigned) else { return (name(memory), index) }
    let isStored = if case .buffer(let buffer) = memory { stored.contains(buffer) } else { true }
    let base = names.unique("\(name(memory))_at")
    let type = if case .buffer = memory { storage(memory).cStorage } else { storage(memory).cValue }
    writer.line("\(isStored ? "" : "const ")\(type) *const \(base) = \(name(memory)) + \(render(part).at(.product));")
    self.group?.bases[memory, default: [:]][part] = base
    return (base, Index(index.constant))
  }

  // MARK: Counting

  private mutating func noteStore(_ memory: Memory) {
    switch memory {
    case .local: group?.epochs[memory, default: 0] += 1
    case .buffer(let stored):
      for other in buffersTogether(with: stored) { group?.epochs[.buffer(other), default: 0] += 1 }
    }
  }

  private mutating func count(_ statement: Statement, _ lanes: CLanes?) {
    switch statement {
    case .loop(let loop):
      guard let lanes = self.lanes(of: loop) else { return }
      for inner in loop.body { count(inner, lanes) }
    case .declare(_, let value), .assign(_, let value): count(value, lanes)
    case .store(let memory, let index, let value):
      count(value, lanes)
      note(memory, lanes.flatMap { vectorStart(index, $0) } ?? index)
      noteStore(memory)
    default: break
    }
  }

  private mutating func note(_ memory: Memory, _ index: Index) {
    if case .local(let local) = memory, registerArrays[local.id] != nil { return }
    group?.offsets[memory, default: [:]][index - index.constant, default: []].insert(index.constant)
  }

  private mutating func count(_ expression: Expression, _ lanes: CLanes?) {
    switch expression {
    case .constant, .register, .index: break
    case .load(let memory, let index, let type):
      if case .local(let local) = memory, registerArrays[local.id] != nil { return }
      if case .buffer = memory, let lanes, lanes.count > 1, let positions = strided(index, lanes) {
        for position in positions { note(memory, position) }
        return
      }
      let start = lanes.flatMap { $0.count > 1 ? vectorStart(index, $0) : nil }
      note(memory, start ?? index)
      let load = load(memory, start ?? index, type, start == nil ? 1 : lanes?.count ?? 1)
      group?.counts[load, default: 0] += 1
    case .pointwise(_, let operands): for operand in operands { count(operand, lanes) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): count(operand, lanes)
    case .select(_, _, let otherwise): count(otherwise, lanes)
    }
  }
}

extension Index {
  /// Whether registers of the set occur.
  fileprivate func mentions(_ registers: Set<Int32>) -> Bool {
    terms.contains { term in
      switch term.atom {
      case .variable: false
      case .value(let scalar): registers.contains(scalar.id)
      case .floorDivide(let inner, _), .modulo(let inner, _): inner.mentions(registers)
      }
    }
  }
}
