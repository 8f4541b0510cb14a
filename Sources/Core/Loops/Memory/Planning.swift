public import LatheMemory

extension PlannedProgram {
  /// Gives every temporary a place in one arena and every variable one in the state.
  ///
  /// - Parameter searchSteps: The planner's budget, counted in steps so that the plan is the same on every machine.
  /// - Throws: A diagnostic when a model's sizes overflow.
  public init(planning program: Program, searchSteps: Int = 5_000_000) throws(DiagnosticsError) {
    let (problem, positions) = try Self.problem(of: program)
    let plan = LatheMemory.plan(problem, options: PlannerOptions(steps: searchSteps))
    do {
      try validate(problem, plan)
    } catch {
      throw DiagnosticsError("the memory plan is wrong: \(error)", help: "this is a fault of Lathe, please report it")
    }
    var offsets = [Int?](repeating: nil, count: program.buffers.count)
    for (index, position) in positions.enumerated() { offsets[position] = plan.offsets[index] }
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
  }

  /// The planning problem of a program's temporaries, and their buffer positions.
  public static func problem(of program: Program) throws(DiagnosticsError) -> (problem: Problem, positions: [Int]) {
    let ranges = Liveness(program).settled()
    var buffers: [LatheMemory.Buffer] = []
    var positions: [Int] = []
    for (position, buffer) in program.buffers.enumerated() {
      guard case .temporary = buffer.kind, let range = ranges[position], buffer.byteCount > 0 else { continue }
      positions.append(position)
      buffers.append(
        LatheMemory.Buffer(
          id: buffer.name, lifetime: range.lowerBound..<(range.upperBound + 1), size: aligned(buffer.byteCount),
          alignment: alignment))
    }
    do {
      return (try Problem(buffers: buffers), positions)
    } catch {
      throw DiagnosticsError("the memory of '\(program.name)' cannot be planned: \(error)")
    }
  }

  private static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }
}
