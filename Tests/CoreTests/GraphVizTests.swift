import LatheCore
import Testing

@Suite struct GraphVizTests {
  private func graph() throws -> Graph {
    try Graph(
      parsing: #"""
        func main(%"x & \"y\"": f32[N,64]) -> (%logits: f32[N,10]) {
          var @fc.weight: f32[10,64] parameter = 0.5
          %0 = dot %"x & \"y\"", @fc.weight {left_batch: [], right_batch: [], left_contracting: [1], \#
        right_contracting: [1]} : f32[N,10]  // in mlp.fc
          %1 = constant 2.0 : f32[]  // in mlp.fc
          %2 = broadcast %1 {shape: [N, 10], axes: []} : f32[N,10]  // in mlp.fc
          %3 = multiply %0, %2 : f32[N,10]  // in mlp.fc
          %4 = tanh %3 : f32[N,10]  // in mlp
          %5 = scan %4 {length: [3], carry: 1, sequences: 0, reverse: true, body: func f(%a: f32[N,10]) -> (%b: f32[N,10]) {
            %0 = sin %a : f32[N,10]
            return %0
          }} : f32[N,10]
          update @fc.weight = @fc.weight
          return %5
        }
        """#)
  }

  @Test("modules nest, kernels are coloured, names are escaped, numbers stand in their users") func form() throws {
    let text = try graph().graphViz(kernels: [2: 1, 4: 1, 5: 1, 6: 2])
    #expect(
      text == #"""
        digraph "main" {
          compound=true; rankdir=TB; fontname="Helvetica"; fontsize=11; color="#8a8f98";
          node [shape=box, style="filled,rounded", fillcolor=white, color="#5a6270", fontname="Helvetica", fontsize=10];
          edge [color="#5a6270", fontname="Helvetica", fontsize=8, arrowsize=0.6];
          n0 [label="input x &amp; \"y\"\nf32[N,64]", shape=oval, fillcolor="#cfe3ff"];
          n1 [label="fc.weight\nf32[10,64], 2.5 KiB", shape=cylinder, fillcolor="#ffe9c7"];
          n7 [label="scan\nlength 3\ncarry 1\nsequences 0\nreverse\nf32[N,10]"];
          subgraph cluster0 {
            label="scan body"; style="rounded,filled"; fillcolor="#f7f8fa";
            n7body_0 [label="input a\nf32[N,10]", shape=oval, fillcolor="#cfe3ff"];
            n7body_1 [label="sin\nf32[N,10]"];
            n7body_out0 [label="output b", shape=oval, fillcolor="#d7f0d7"];
            n7body_0 -> n7body_1;
            n7body_1 -> n7body_out0;
          }
          n7 -> n7body_out0 [style=dotted, lhead=cluster0];
          subgraph cluster1 {
            label="mlp"; style=rounded;
            n6 [label="tanh\nkernel 2\nf32[N,10]", fillcolor="#d5f2d0"];
            subgraph cluster2 {
              label="fc"; style=rounded;
              subgraph cluster3 {
                label="kernel 1"; style="rounded,dashed";
                n2 [label="dot\nleft_contracting 1\nright_contracting 1\nkernel 1\nf32[N,10]", fillcolor="#ffe3c2"];
                n5 [label="multiply(·, 2.0)\nkernel 1\nf32[N,10]", fillcolor="#ffe3c2"];
              }
            }
          }
          nout0 [label="output logits", shape=oval, fillcolor="#d7f0d7"];
          nupdate0 [label="update fc.weight", shape=cylinder, fillcolor="#ffe9c7"];
          n0 -> n2;
          n1 -> n2;
          n2 -> n5;
          n5 -> n6;
          n6 -> n7;
          n7 -> nout0;
          n1 -> nupdate0;
        }

        """#)
  }

  /// Two calls of one function in a module, a function outside of it, and a weight.
  private func calls() throws -> Graph {
    try Graph(
      parsing: """
        func main(%x: f32[8]) -> (%y: f32[8]) {
          %0 = constant [1, 2, 3, 4, 5, 6, 7, 8] : f32[8]  // in block.norm by layerNorm call 1
          %1 = multiply %x, %0 : f32[8]  // in block.norm by layerNorm call 1
          %2 = add %1, %0 : f32[8]  // in block.norm by layerNorm call 1
          %3 = exp %2 : f32[8]  // in block by swish call 2
          %4 = multiply %3, %2 : f32[8]  // in block by swish call 2
          %5 = tanh %4 : f32[8]
          return %5
        }
        """)
  }

  @Test("what a call built is one box with its weights, and a module of one call too") func boxes() throws {
    let text = try calls().graphViz()
    #expect(text.contains(#"[label="norm: layerNorm\n8 weights\nf32[8], 32 B"]"#))
    #expect(text.contains(#"[label="swish\nf32[8], 32 B"]"#))
    #expect(text.contains(#"[label="tanh\nf32[8], 32 B"]"#))
    #expect(text.split(separator: "\n").count { $0.contains(" -> ") } == 4)
  }

  @Test("no data flows between calls that repeat equal weights") func sharedWeights() throws {
    let graph = try Graph(
      parsing: """
        func main(%x: f32[2,8]) -> (%y: f32[2,8]) {
          %0 = constant [1, 2, 3, 4, 5, 6, 7, 8] : f32[8]
          %1 = broadcast %0 {shape: [2, 8], axes: [1]} : f32[2,8]  // in a by layerNorm call 1
          %2 = multiply %x, %1 : f32[2,8]  // in a by layerNorm call 1
          %3 = exp %2 : f32[2,8]  // by exp call 2
          %4 = multiply %3, %1 : f32[2,8]  // in b by layerNorm call 3
          return %4
        }
        """)
    let edges = graph.graphViz().split(separator: "\n").filter { $0.contains(" -> ") }
    // x to a, a to exp, exp to b, b to y.
    #expect(edges.count == 4, "\(edges)")
  }

  @Test(
    "every operation is a box, or what lies deeper than a level",
    arguments: [
      (Graph.DrawingDetail.operations, 8), (.calls(depth: 0), 4), (.calls(depth: 1), 5),
    ])
  func detail(_ detail: Graph.DrawingDetail, _ boxes: Int) throws {
    let text = try calls().graphViz(detail: detail)
    #expect(text.split(separator: "\n").count { $0.contains("[label=") && !$0.contains(" -> ") } == boxes)
  }

  @Test("a graph too large to be read is drawn by its modules") func readable() throws {
    let lines = (0..<400).map { index in
      "%\(index) = exp \(index == 0 ? "%x" : "%\(index - 1)") : f32[8]  // in layers.\(index / 20).\(index % 20) by exp call \(index)"
    }
    let graph = try Graph(
      parsing: "func main(%x: f32[8]) -> (%y: f32[8]) {\n\(lines.joined(separator: "\n"))\nreturn %399\n}")
    let text = graph.graphViz()
    #expect(text.split(separator: "\n").count { $0.contains("[label=") } == 22)
    #expect(graph.graphViz(detail: .calls(depth: 3)).split(separator: "\n").count { $0.contains("[label=") } == 402)
  }

  @Test("kernels and buffers are called as modules and functions are") func names() throws {
    let program = try Program(lowering: calls())
    #expect(program.kernels.map(\.name) == ["block_norm_block_tanh"])
    #expect(program.kernels.map(\.summary) == ["block_norm layerNorm, block swish, tanh"])
  }

  @Test("the map of an arena has every tensor, its peak, and a picture with fixed places") func memory() throws {
    let graph = try Graph(
      parsing: """
        func main(%x: f32[64,64]) -> (%y: f32[64,64]) {
          %0 = dot %x, %x {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[64,64]
          %1 = dot %0, %x {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[64,64]
          %2 = dot %1, %0 {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[64,64]
          return %2
        }
        """)
    let map = MemoryMap(try PlannedProgram(planning: Program(lowering: graph)))
    #expect(map.tensors.map(\.bytes) == [16384, 16384])
    #expect(Set(map.tensors.map(\.offset)) == [0, 16384])
    #expect(map.arenaBytes == 32768)
    #expect(map.peak == 1)
    #expect(map.graphViz().contains("arena 32.0 KiB, lower bound 32.0 KiB, the peak is step 1"))
  }

  @Test("the same graph gives the same bytes") func deterministic() throws {
    #expect(try graph().graphViz(kernels: [2: 4, 5: 4]) == graph().graphViz(kernels: [5: 4, 2: 4]))
  }
}
