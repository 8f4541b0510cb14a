import TestSupport
import Testing

@testable import LatheCore

/// Graphs that no builder makes, each with one flaw.
@Suite struct VerifierTests {
  /// `%x -> exp -> + @v`, updating `@v`.
  private func sound() throws -> Graph {
    try Graph(
      parsing: """
        func main(%x: f32[2], %z: f32[2]) -> (%y: f32[2]) {
          var @v: f32[2] buffer = 0
          %0 = exp %x : f32[2]  // net.swift:7:3 in head
          %1 = add %0, @v : f32[2]
          update @v = %0
          return %1
        }
        """)
  }

  private func faults(_ flaw: (inout Graph) throws -> Void) throws -> String {
    var graph = try sound()
    try flaw(&graph)
    do {
      try graph.verify()
      return ""
    } catch {
      return error.description
    }
  }

  @Test("a graph from a builder is sound") func accepts() throws { #expect(try faults { _ in } == "") }

  @Test("a type that the rule does not give is found, with its place") func types() throws {
    let rendering = try faults { $0.nodes[3].types = [.f32(3)] }
    #expect(
      rendering == """
        net.swift:7:3: error: node 3: exp: is [f32[3]], its rule gives [f32[2]]
          note: in head
        error: node 4: add: operands have different shapes, [3] and [2]
          note: f32[3]
          note: f32[2]
        error: variable 'v' is f32[2], its update is f32[3]
        """)
  }

  @Test("operands are defined before their use") func order() throws {
    #expect(
      try faults { $0.nodes[3].operands = [Value(node: 4)] }
        == "net.swift:7:3: error: node 3: exp: an operand is not defined before its use\n  note: in head")
    for value in [Value(node: 9), Value(node: -1), Value(node: 3, result: 1), Value(node: 0, result: -1)] {
      #expect(
        try faults { $0.nodes[4].operands[0] = value } == "error: node 4: add: an operand is not defined before its use"
      )
    }
  }

  @Test("an operation that does not fit its operands is found") func rules() throws {
    let rendering = try faults { $0.nodes[4].operation = .pointwise(.and) }
    #expect(
      rendering == """
        error: node 4: and: is not defined on f32, only on integers or bool
          note: f32[2]
          note: f32[2]
          help: convert the operand
        """)
  }

  @Test("outputs and updates are values of the graph") func boundary() throws {
    #expect(try faults { $0.outputs[0].value = Value(node: 7) } == "error: output 'y' is no value of the graph")
    #expect(try faults { $0.outputs.append($0.outputs[0]) } == "error: two outputs have one name")
    #expect(try faults { $0.updates[0].value = Value(node: 7) } == "error: the update of 'v' is no value of the graph")
    #expect(try faults { $0.updates.append($0.updates[0]) } == "error: a variable is updated twice")
  }

  @Test("variables are declared as they are read") func variables() throws {
    #expect(
      try faults { $0.variables = [] }
        == "error: node 2: variable 'v' is not declared as f32[2]\n"
        + "error: variables are not read in order, once each\n"
        + "error: variable 'v' is not declared, its update is f32[2]")
    #expect(
      try faults { $0.variables[0].initial = try NDArray.zeros(.f32, [3]) }
        == "error: variable 'v' is f32[2], its initial content is f32[3]")
  }

  @Test("inputs come first, in order, with names of their own") func inputs() throws {
    #expect(try faults { $0.inputs.swapAt(0, 1) } == "error: the inputs are not the input nodes in order")
    #expect(
      try faults { $0.nodes[1].operation = .input(Input("x", .f32(2))) } == "error: two inputs have one name")
    let rendering = try faults {
      $0.nodes[4] = Node(operation: .input(Input("w", .f32(2))), operands: [], types: [.f32(2)])
    }
    #expect(rendering.contains("error: node 4: input 'w' does not come first"))
  }

  @Test("each node has a location") func locations() throws {
    #expect(try faults { $0.locations.removeLast() } == "error: 5 nodes have 4 locations")
  }

  @Test("sub-graphs are verified too") func nested() throws {
    var graph = try Graph(
      parsing: """
        func main(%x: f32[2]) -> (%y: f32[2]) {
          %0 = scan %x {length: [3], carry: 1, sequences: 0, reverse: false, body: func f(%x: f32[2]) -> (%y: f32[2]) {
            %0 = exp %x : f32[2]
            return %0
          }} : f32[2]
          return %0
        }
        """)
    guard case .scan(var scan) = graph.nodes[1].operation else { return }
    scan.body.nodes[1].operation = .pointwise(.not)
    graph.nodes[1].operation = .scan(scan)
    let error = #expect(throws: DiagnosticsError.self) { try graph.verify() }
    #expect(error?.diagnostics.map(\.message) == ["node 1: not: is not defined on f32, only on integers or bool"])
  }
}
