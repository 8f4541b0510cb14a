import LatheC
public import LatheCore
import LatheRun

/// What random graphs have to satisfy; each check gives what is wrong, nothing where all is well.
extension RandomGraph {
  /// What the graph means.
  public func meaning() throws -> [String: NDArray] { try Self.meaning(of: graph, inputs) }

  private static func meaning(of graph: Graph, _ inputs: [String: NDArray]) throws -> [String: NDArray] {
    let result = try ReferenceEvaluator.run(graph, inputs: inputs)
    return result.outputs.merging(result.updates.map { ("state " + $0.key, $0.value) }) { first, _ in first }
  }

  /// Lowered, verified and planned.
  package func planned(_ target: Target = .generic) throws -> PlannedProgram {
    let program = try Program(lowering: graph, target: target)
    try program.verify()
    return try PlannedProgram(planning: program, searchSteps: 2000)
  }

  /// Loops, storage sharing and the plan mean what the graph means.
  public func programFaults(_ expected: [String: NDArray], _ target: Target = .generic) throws -> [String] {
    var evaluator = ProgramEvaluator(try planned(target))
    var actual = try evaluator.run(inputs)
    for update in graph.updates { actual["state " + update.variable] = try evaluator.variable(update.variable) }
    return Self.differences(actual, expected)
  }

  /// The interpreter computes what the graph means.
  public func interpreterFaults(_ expected: [String: NDArray]) throws -> [String] {
    let executable = try Executable(planned())
    var session = Session(executable)
    let results = try session.run(
      executable.program.inputs.map { inputs[$0.name] ?? NDArray(scalar: .integer(0), dtype: .i64) })
    var actual: [String: NDArray] = [:]
    for (port, result) in zip(executable.program.outputs, results) { actual[port.name] = result }
    for update in graph.updates { actual["state " + update.variable] = try session.variable(named: update.variable) }
    return Self.differences(actual, expected)
  }

  /// Each gradient of a differentiable graph is, along some direction, what central differences of the loss give.
  public func gradientFaults(_ expected: [String: NDArray]) throws -> [String] {
    let step = 1e-6
    var generator = SeededGenerator(seed: seed)
    return try inputs.sorted { $0.key < $1.key }.compactMap { name, array in
      guard let gradient = expected["grad/" + name] else { return nil }
      let direction = array.doubles.map { _ in Double.random(in: -1...1, using: &generator) }
      func loss(_ offset: Double) throws -> Double {
        var moved = inputs
        moved[name] = try NDArray(zip(array.doubles, direction).map { $0 + offset * $1 }, shape: array.shape)
        return try Self.meaning(of: graph, moved)["loss"]?.doubles.first ?? .nan
      }
      let wanted = (try loss(step) - loss(-step)) / (2 * step)
      let actual = zip(gradient.doubles, direction).reduce(0) { $0 + $1.0 * $1.1 }
      return abs(actual - wanted) <= 1e-5 * abs(wanted) + 1e-6
        ? nil : "the gradient of \(name) along a direction is \(actual), differences give \(wanted)"
    }
  }

  /// A pipeline keeps the meaning, and every graph on its way is well formed.
  public func passFaults(_ pipeline: Pipeline, _ expected: [String: NDArray]) throws -> [String] {
    var options = Pipeline.Options()
    options.verifyEach = true
    let result = try pipeline.run(graph, options).graph
    return Self.differences(try Self.meaning(of: result, inputs), expected)
  }

  /// The text form reads back as the same graph.
  public func textFaults() throws -> [String] {
    let text = graph.text
    let read = try Graph(parsing: text)
    return read == graph && read.text == text ? [] : ["the text reads back as another graph"]
  }

  /// The model in C, to be run with others.
  public func emitted() throws -> CBench.Model {
    let planned = try planned()
    var options = COptions()
    options.name = "random\(seed)"
    options.uniformEntry = true
    return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: inputs)
  }

  /// Results that are not what is expected.
  ///
  /// Floats may differ by what the order of sums and the C library's functions leave.
  public static func differences(_ actual: [String: NDArray], _ expected: [String: NDArray]) -> [String] {
    expected.sorted { $0.key < $1.key }.compactMap { name, array in
      guard let result = actual[name] else { return "\(name) is missing" }
      guard result.type == array.type else { return "\(name) is \(result.type) instead of \(array.type)" }
      for (position, (x, y)) in zip(result.values, array.values).enumerated() where !agree(x, y) {
        return "\(name): element \(position) of \(array.type) is \(x) instead of \(y)"
      }
      return nil
    }
  }

  private static func agree(_ a: ScalarValue, _ b: ScalarValue) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    return x == y || x.isNaN && y.isNaN || abs(x - y) <= 1e-3 * max(1, abs(y))
  }
}
