package import LatheMemory

extension PlannedProgram {
  /// Gives every temporary a place in one arena and every variable one in the state.
  ///
  /// - Parameters:
  ///   - searchSteps: The planner's budget, counted in steps so that the plan is the same on every machine.
  ///   - options: Whether the plan, which is called `plan`, is verified and printed.
  /// - Throws: A diagnostic when a model's sizes overflow; what the verifier has found.
  package init(
    planning program: Program, searchSteps: Int = 5_000_000, options: Pipeline.Options = Pipeline.Options()
  ) throws(DiagnosticsError) {
    let (problem, positions) = try Self.problem(of: program)
    let plan = LatheMemory.plan(problem, options: PlannerOptions(steps: searchSteps))
    do {
      try validate(problem, plan)
    } catch {
      throw DiagnosticsError("the memory plan is wrong: \(error)", help: "this is a fault of Lathe, please report it")
    }
    var offsets = [Int?](repeating: nil, count: program.buffers.count)
    for case (let index, let position?) in positions.enumerated() { offsets[position] = plan.offsets[index] }
    self.program = program
    self.offsets = offsets
    arenaBytes = plan.height
    lowerBound = plan.lowerBound
    var state = 0
    variableOffsets = []
    for variable in program.variables {
      variableOffsets.append(state)
      state += Self.aligned(variable.initial.bytes.count)
    }
    stateBytes = state
    if options.verifyEach {
      do throws(DiagnosticsError) { try verify() } catch { throw error.blamed(on: "plan") }
    }
    options.print(self, after: "plan", isChanged: true)
  }

  /// Checks that everything with elements has a place of its own inside of the arena or the state.
  ///
  /// That temporaries which live at once do not overlap is checked of every plan.
  ///
  /// - Throws: Everything that is wrong; it is Lathe's mistake, whatever the model.
  package func verify() throws(DiagnosticsError) {
    var faults: [String] = []
    let ranges = Liveness(program).settled()
    let exchanged = Set(program.exchanged.map(\.position))
    for ((position, (buffer, offset)), range) in zip(zip(program.buffers, offsets).enumerated(), ranges) {
      guard case .temporary = buffer.kind else {
        if offset != nil { faults.append("'\(buffer.name)' is no temporary and has a place in the arena") }
        continue
      }
      guard let offset else {
        if range != nil, buffer.byteCount > 0 { faults.append("'\(buffer.name)' has no place in the arena") }
        continue
      }
      let alignment = exchanged.contains(position) ? buffer.dtype.byteCount : Self.alignment
      if offset < 0 || offset % alignment != 0 || offset + buffer.byteCount > arenaBytes {
        faults.append("'\(buffer.name)' lies at \(offset) in an arena of \(arenaBytes) bytes")
      }
    }
    for (first, second) in zip(program.exchanged, program.exchanged.dropFirst()) {
      guard let start = offsets[first.position], offsets[second.position] != start + program[first].byteCount else {
        continue
      }
      faults.append("'\(program[second].name)' is handed out, and does not lie behind '\(program[first].name)'")
    }
    var end = 0
    for (variable, offset) in zip(program.variables, variableOffsets) {
      if offset < end || offset % Self.alignment != 0 { faults.append("variable '\(variable.name)' lies at \(offset)") }
      end = offset + variable.initial.bytes.count
    }
    if end > stateBytes { faults.append("a state of \(stateBytes) bytes ends before \(end)") }
    guard faults.isEmpty else {
      throw DiagnosticsError(
        faults.map { Diagnostic("program '\(program.name)': \($0)", help: ProgramVerifier.help) })
    }
  }

  /// The planning problem of a program's temporaries, and their buffer positions.
  ///
  /// What is handed out is parts of one piece of memory, which is no buffer of the program.
  package static func problem(of program: Program) throws(DiagnosticsError) -> (problem: Problem, positions: [Int?]) {
    let ranges = Liveness(program).settled()
    var buffers: [LatheMemory.Buffer] = []
    var positions: [Int?] = []
    var aliases: [Alias] = []
    let exchanged = program.exchanged
    if !exchanged.isEmpty {
      let lifetimes = exchanged.compactMap { ranges[$0.position] }
      let start = lifetimes.map(\.lowerBound).min() ?? 0
      let end = lifetimes.map(\.upperBound).max() ?? 0
      let bytes = exchanged.reduce(0) { $0 + program[$1].byteCount }
      positions.append(nil)
      buffers.append(
        LatheMemory.Buffer(
          id: "exchanged", lifetime: start..<(end + 1), size: aligned(bytes), alignment: alignment))
      var offset = 0
      for id in exchanged {
        let buffer = program[id]
        let range = ranges[id.position] ?? start...end
        aliases.append(.view(buffers.count, of: 0, at: offset))
        positions.append(id.position)
        buffers.append(
          LatheMemory.Buffer(
            id: buffer.name, lifetime: range.lowerBound..<(range.upperBound + 1), size: buffer.byteCount,
            alignment: buffer.dtype.byteCount))
        offset += buffer.byteCount
      }
    }
    let placed = Set(exchanged.map(\.position))
    for (position, buffer) in program.buffers.enumerated() {
      guard case .temporary = buffer.kind, let range = ranges[position], buffer.byteCount > 0,
        !placed.contains(position)
      else { continue }
      positions.append(position)
      buffers.append(
        LatheMemory.Buffer(
          id: buffer.name, lifetime: range.lowerBound..<(range.upperBound + 1), size: aligned(buffer.byteCount),
          alignment: alignment))
    }
    do {
      return (try Problem(buffers: buffers, aliases: aliases), positions)
    } catch {
      throw DiagnosticsError("the memory of '\(program.name)' cannot be planned: \(error)")
    }
  }

  private static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }
}

extension PlannedProgram: CustomStringConvertible {
  /// The places in the arena as comments, then the program's text for people.
  package var description: String {
    var lines = ["// arena \(arenaBytes) bytes, lower bound \(lowerBound)"]
    for (buffer, offset) in zip(program.buffers, offsets) {
      if let offset { lines.append("// \(buffer.name) at \(offset), \(buffer.byteCount) bytes") }
    }
    return lines.joined(separator: "\n") + "\n\(program)"
  }
}
