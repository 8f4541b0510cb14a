import LatheCore
import Testing

/// Models of several functions: their text, what they must agree about, and the layout that they share.
struct ModelTests {
  static let counter = """
    model counter {
      var @total: f32[3] buffer = [0.0, 0.0, 0.0]
      var @"step count": i64[] buffer = 0

      func add(%x: f32[3]) -> (%sum: f32[3]) {
        %0 = add @total, %x : f32[3]
        %1 = constant 1 : i64[]
        %2 = add @"step count", %1 : i64[]
        update @total = %0
        update @"step count" = %2
        return %0
      }

      func steps() -> (%count: i64[]) {
        return @"step count"
      }

      func clear() -> () {
        %0 = constant 0.0 : f32[3]
        update @total = %0
        return
      }
    }

    """

  @Test func roundTrip() throws {
    let model = try Model(parsing: Self.counter)
    #expect(model.name == "counter")
    #expect(model.functions.map(\.name) == ["add", "steps", "clear"])
    #expect(model.variables.map(\.name) == ["total", "step count"])
    #expect(model.functions.map { $0.variables.map(\.name) } == [["total", "step count"], ["step count"], ["total"]])
    try model.verify()
    #expect(try Model(parsing: model.text) == model)
    #expect(try Model(parsing: model.text).text == model.text)
  }

  /// One function is written and read as ever.
  @Test func oneFunction() throws {
    let model = try Model(parsing: Self.counter)
    let alone = Model(model.functions[0])
    #expect(alone.text == model.functions[0].text)
    #expect(try Model(parsing: alone.text) == alone)
    let renamed = try Model(name: "other", functions: [model.functions[0]])
    #expect(renamed.text.hasPrefix("model other {"))
    #expect(try Model(parsing: renamed.text).name == "other")
    let error = #expect(throws: DiagnosticsError.self) { try Graph(parsing: Self.counter) }
    #expect(error?.description.contains("expected one function") == true)
  }

  /// A function whose variables were declared in another order has them in the model's.
  @Test func order() throws {
    let first = try Graph(
      parsing: """
        func a() -> (%p: f32[]) {
          var @x: f32[] buffer = 1.0
          var @y: f32[] buffer = 2.0
          %0 = add @x, @y : f32[]
          return %0
        }
        """)
    let second = try Graph(
      parsing: """
        func b() -> (%p: f32[]) {
          var @z: f32[] buffer = 3.0
          var @y: f32[] buffer = 2.0
          var @x: f32[] buffer = 1.0
          %0 = subtract @y, @x : f32[]
          %1 = subtract %0, @z : f32[]
          return %1
        }
        """)
    let model = try Model(name: "m", functions: [first, second])
    #expect(model.variables.map(\.name) == ["x", "y", "z"])
    #expect(model.functions[1].variables.map(\.name) == ["x", "y", "z"])
    try model.verify()
    #expect(try Model(parsing: model.text) == model)
  }

  @Test(arguments: [
    (
      "model m {\n func a() -> () {\n return\n }\n func a() -> () {\n return\n }\n}", "two functions 'a'"
    ),
    ("model m {\n}", "has no functions"),
    ("model m {\n func a() -> () {\n return\n }", "expected a function or '}'"),
    ("model m {\n var @x: f32[] buffer = 0.0\n var @x: f32[] buffer = 0.0\n}", "'x' is declared twice"),
    ("model m {\n var @x: f32[] thing = 0.0\n func a() -> () {\n return\n }\n}", "'parameter' or 'buffer'"),
    ("model m {\n func a() -> (%y: f32[]) {\n return @x\n }\n}", "@x is not defined"),
    (
      "model m {\n func a() -> (%y: f32[]) {\n var @x: f32[] buffer = 1.0\n return @x\n }\n"
        + " func b() -> (%y: f64[]) {\n var @x: f64[] buffer = 1.0\n return @x\n }\n}",
      "variable 'x' is f32[] in function 'a' and f64[] in 'b'"
    ),
    (
      "model m {\n func a() -> (%y: f32[]) {\n var @x: f32[] buffer = 1.0\n return @x\n }\n"
        + " func b() -> (%y: f32[]) {\n var @x: f32[] buffer = 2.0\n return @x\n }\n}",
      "given one initial content in function 'a' and another in 'b'"
    ),
  ])
  func mistakes(_ row: (text: String, message: String)) {
    let error = #expect(throws: DiagnosticsError.self) { try Model(parsing: row.text, file: "m.lathe") }
    #expect(error?.description.contains(row.message) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("m.lathe:") == true)
  }

  @Test func names() throws {
    let model = try Model(parsing: Self.counter)
    #expect(try model.function(named: "steps").name == "steps")
    for name in ["other", nil] {
      let error = #expect(throws: DiagnosticsError.self) { try model.function(named: name) }
      #expect(error?.description.contains("its functions are add, steps, clear") == true)
    }
    #expect(try Model(model.functions[1]).function(named: nil).name == "steps")
  }

  /// All functions have the same state, also those that touch a part of it.
  @Test(arguments: [Target.generic, .x86V3])
  func layout(_ target: Target) throws {
    let model = try Model(parsing: Self.counter)
    let plans = try model.functions.map {
      try PlannedProgram(planning: Program(lowering: $0, variables: model.variables, target: target))
    }
    for plan in plans {
      #expect(plan.program.variables == model.variables)
      #expect(plan.variableOffsets == [0, 64])
      #expect(plan.stateBytes == 128)
    }
  }
}
