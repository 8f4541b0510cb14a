import Lathe
import LatheCore
import Testing

@testable import LatheONNX

/// A model of which inputs decide sizes that nothing in the graph bounds.
struct SizeCase: Sendable, CustomTestStringConvertible {
  let name: String
  let model: TestModel
  /// Room for the sizes.
  let maxima: [String: Int]
  /// The inputs of runs that succeed.
  let runs: [[String: NDArray]]
  /// The inputs of runs with a size that is too large, or otherwise none.
  let failing: [[String: NDArray]]

  init(
    _ name: String, _ model: TestModel, _ maxima: [String: Int], _ runs: [[String: NDArray]],
    failing: [[String: NDArray]] = []
  ) {
    self.name = name
    self.model = model
    self.maxima = maxima
    self.runs = runs
    self.failing = failing
  }

  var testDescription: String { name }

  private static func number(_ value: Int) -> NDArray { i64([value], shape: []) }
  private static let n = ("n", TensorType.scalar(.i64))
  private static func list(_ name: String, _ count: Int) -> (String, TensorType) {
    (name, TensorType(.i64, [Dim(count)]))
  }
  private static let x = f32([2, 3, 4], (0..<24).map { Double(($0 * 7) % 11) / 3 - 1 })

  static let all: [SizeCase] = [
    SizeCase(
      "ranges",
      TestModel(
        opset: 19,
        [
          node("Range", ["zero", "n", "one"], ["up"], name: "/model/Count"),
          node("Range", ["zero", "m", "one"], ["free"]), node("Range", ["n", "seven", "step"], ["any"]),
          node("Range", ["from", "to", "by"], ["floats"]),
          node("ConstantOfShape", ["list"], ["zeros"]), node("Unsqueeze", ["n", "axis"], ["list"]),
          node("Cast", ["up"], ["cast"], .int("to", 1)), node("Add", ["cast", "zeros"], ["sum"]),
        ],
        inputs: [
          n, ("m", .scalar(.i64)), ("step", .scalar(.i64)), ("from", .scalar(.f32)), ("to", .scalar(.f32)),
          ("by", .scalar(.f32)),
        ], outputs: ["up", "any", "floats", "sum", "free"]
      )
      .initializer("zero", number(0)).initializer("one", number(1)).initializer("seven", number(7))
      .initializer("axis", i64([0])),
      ["Count": 6, "any": 8, "floats": 9, "free": 4],
      [(3, 2, 0.5, 3, 0.75), (0, 1, 3, -1, -0.5), (6, -1, 0, 4, 0.5), (2, 5, 2, 2, 1), (2, -3, 1, 0, 1)].map {
        [
          "n": number($0.0), "m": number($0.0 - 3), "step": number($0.1), "from": f32([], [$0.2]),
          "to": f32([], [$0.3]),
          "by": f32([], [$0.4]),
        ]
      },
      failing: [
        (7, 1, 0, 1, 1), (8, 1, 0, 1, 1), (1, 1, 0, 10, 1), (1, 0, 0, 1, 1), (1, 1, 0, 1, 0), (1, 1, 0, .infinity, 1),
      ].map {
        [
          "n": number($0.0), "m": number($0.0 - 3), "step": number($0.1), "from": f32([], [$0.2]),
          "to": f32([], [$0.3]),
          "by": f32([], [$0.4]),
        ]
      }),
    SizeCase(
      "expanded and repeated",
      TestModel(
        [
          node("Expand", ["row", "shape"], ["wide"], name: "Expand_1"),
          node("Tile", ["x", "counts"], ["tiles"], name: "Tile_1"),
          node("ReduceSum", ["wide", "axis"], ["sums"], .int("keepdims", 0)),
          node("Softmax", ["tiles"], ["shares"], .int("axis", 2)),
        ],
        inputs: [("row", .f32(3, 1)), ("x", .f32(2, 3, 4)), list("shape", 3), list("counts", 3)],
        outputs: ["wide", "tiles", "sums", "shares"]
      ).initializer("axis", i64([0])),
      ["Expand_1_0": 3, "Expand_1_2": 4, "Tile_1_0": 2, "Tile_1_1": 2, "Tile_1_2": 3],
      [([2, 3, 4], [1, 2, 3]), ([1, 1, 1], [2, 1, 1]), ([3, 3, 2], [1, 1, 2])].map {
        ["row": f32([3, 1], [1, 2, 3]), "x": x, "shape": i64($0.0), "counts": i64($0.1)]
      },
      failing: [([4, 3, 1], [1, 1, 1]), ([1, 3, 1], [1, 1, 4]), ([1, 3, -1], [1, 1, 1])].map {
        ["row": f32([3, 1], [1, 2, 3]), "x": x, "shape": i64($0.0), "counts": i64($0.1)]
      }),
    SizeCase(
      "other shapes",
      TestModel(
        [
          node("Reshape", ["x", "two"], ["a"], name: "Reshape_1"),
          node("Concat", ["list", "rest"], ["open"], .int("axis", 0)), node("Reshape", ["x", "open"], ["b"]),
          node("Concat", ["list", "four"], ["one"], .int("axis", 0)), node("Reshape", ["x", "one"], ["c"]),
          node("CumSum", ["b", "axis"], ["running"]),
        ],
        inputs: [("x", .f32(2, 3, 4)), list("two", 2), list("list", 1), list("by4", 1)],
        outputs: ["a", "b", "c", "running"]
      ).initializer("rest", i64([-1])).initializer("four", i64([6, 2])).initializer("axis", number(1)),
      ["Reshape_1_0": 12, "b_0": 8],
      [([4, 6], 2), ([12, 2], 2), ([1, 24], 2)].map {
        ["x": x, "two": i64($0.0), "list": i64([$0.1]), "by4": i64([1])]
      },
      failing: [([4, 5], 2), ([24, 1], 2), ([4, 6], 3), ([-1, 6], 2)].map {
        ["x": x, "two": i64($0.0), "list": i64([$0.1]), "by4": i64([1])]
      }),
    SizeCase(
      "halves",
      TestModel(
        [
          node("Concat", ["list", "rest"], ["open"], .int("axis", 0)),
          node("Reshape", ["x", "open"], ["y"], name: "Reshape_7"),
        ], inputs: [("x", .f32(2, 3, 4)), list("list", 1)]
      ).initializer("rest", i64([-1])), ["Reshape_7_0": 8],
      [1, 2, 3, 4, 6, 8].map { ["x": x, "list": i64([$0])] }, failing: [5, 12, 7].map { ["x": x, "list": i64([$0])] }),
    SizeCase(
      "split",
      TestModel(
        [node("Split", ["x", "sizes"], ["a", "b", "c"], .int("axis", 2))],
        inputs: [("x", .f32(2, 3, 4)), list("sizes", 3)], outputs: ["a", "b", "c"]), [:],
      [[1, 2, 1], [0, 4, 0], [4, 0, 0], [2, 0, 2]].map { ["x": x, "sizes": i64($0)] },
      failing: [[1, 2, 2], [1, 1, 1], [5, -1, 0]].map { ["x": x, "sizes": i64($0)] }),
    SizeCase(
      "padded",
      TestModel(
        opset: 19,
        ["constant", "reflect", "edge", "wrap"].map {
          node("Pad", ["x", "amounts", $0 == "constant" ? "value" : ""], [$0], .string("mode", $0))
        }, inputs: [("x", .f32(3, 4)), list("amounts", 4)], outputs: ["constant", "reflect", "edge", "wrap"]
      ).initializer("value", f32([], [7])),
      ["constant_0": 6, "constant_1": 8],
      [[1, 2, 2, 1], [0, 0, 0, 0], [1, 0, -1, 3], [-1, 1, 0, -2]].map {
        ["x": f32([3, 4], (0..<12).map(Double.init)), "amounts": i64($0)]
      }, failing: [[4, 0, 0, 0]].map { ["x": f32([3, 4], (0..<12).map(Double.init)), "amounts": i64($0)] }),
    SizeCase(
      "one hot",
      TestModel(
        [
          node("OneHot", ["places", "depth", "values"], ["y"], name: "OneHot_3"),
          node("Transpose", ["y"], ["t"]),
        ], inputs: [list("places", 3), list("depth", 1)], outputs: ["y", "t"]
      ).initializer("values", f32([2], [-1, 2])), ["OneHot_3": 5],
      [([0, 2, -1], 3), ([4, 1, -5], 5), ([0, 0, 0], 1)].map { ["places": i64($0.0), "depth": i64([$0.1])] },
      failing: [["places": i64([0, 1, 2]), "depth": i64([6])]]),
    SizeCase(
      "resized",
      TestModel(
        opset: 18,
        [
          node("Resize", ["image", "", "", "sizes"], ["nearest"], name: "Resize_1"),
          node("Resize", ["image", "", "", "sizes"], ["linear"], .string("mode", "linear")),
          node(
            "Resize", ["image", "", "", "sizes"], ["corners"], .string("mode", "linear"),
            .string("coordinate_transformation_mode", "align_corners")),
          node("Resize", ["image", "", "", "sizes"], ["cubic"], .string("mode", "cubic")),
          node(
            "Resize", ["image", "", "", "sizes"], ["excluding"], .string("mode", "cubic"),
            .int("exclude_outside", 1), .string("coordinate_transformation_mode", "pytorch_half_pixel")),
          node(
            "Resize", ["image", "", "", "sizes"], ["floor"], .string("nearest_mode", "floor"),
            .string("coordinate_transformation_mode", "asymmetric")),
        ], inputs: [("image", .f32(1, 2, 4, 5)), list("sizes", 4)],
        outputs: ["nearest", "linear", "corners", "cubic", "excluding", "floor"]),
      ["Resize_1_0": 1, "Resize_1_1": 2, "Resize_1_2": 7, "Resize_1_3": 9],
      [[1, 2, 4, 5], [1, 2, 7, 3], [1, 2, 2, 9], [1, 2, 1, 1], [1, 2, 5, 7]].map {
        ["image": f32([1, 2, 4, 5], (0..<40).map { Double(($0 * 13) % 17) }), "sizes": i64($0)]
      }, failing: [["image": f32([1, 2, 4, 5], (0..<40).map(Double.init)), "sizes": i64([1, 2, 8, 5])]]),
    SizeCase(
      "resized by scales, which are given to the run",
      TestModel(
        opset: 18,
        [
          node("Resize", ["image", "", "scales"], ["nearest"], name: "Resize_1"),
          node("Resize", ["image", "", "scales"], ["cubic"], .string("mode", "cubic")),
          node("Resize", ["image", "", "scales"], ["smooth"], .string("mode", "linear"), .int("antialias", 1)),
          node(
            "Resize", ["image", "", "scales"], .string("mode", "cubic"), .int("antialias", 1),
            .int("exclude_outside", 1)),
        ], inputs: [("image", .f32(4, 5)), ("scales", .f32(2))], outputs: ["nearest", "cubic", "smooth", "y"]),
      ["Resize_1_0": 7, "Resize_1_1": 10],
      [[1, 1], [1.8, 0.5], [0.3, 2], [0.75, 0.61]].map {
        ["image": f32([4, 5], (0..<20).map { Double(($0 * 13) % 17) }), "scales": f32([2], $0)]
      },
      failing: [[2, 1], [-1, 1], [.nan, 1]].map {
        ["image": f32([4, 5], (0..<20).map(Double.init)), "scales": f32([2], $0)]
      }),
    SizeCase(
      "parts of an image resized, all in one proportion, or smoothly",
      TestModel(
        opset: 19,
        [
          node(
            "Resize", ["image", "roi", "", "sizes"], ["part"], name: "Resize_1", .string("mode", "linear"),
            .string("coordinate_transformation_mode", "tf_crop_and_resize"), .float("extrapolation_value", -3)),
          node(
            "Resize", ["image", "roi", "", "known"], ["known part"],
            .string("coordinate_transformation_mode", "tf_crop_and_resize"), .string("mode", "cubic")),
          node("Resize", ["image", "", "", "sizes"], ["smooth"], .string("mode", "cubic"), .int("antialias", 1)),
          node(
            "Resize", ["image", "", "", "sizes"], name: "Resize_2", .string("mode", "linear"),
            .string("keep_aspect_ratio_policy", "not_larger")),
        ], inputs: [("image", .f32(4, 5)), ("roi", .f32(4)), list("sizes", 2)],
        outputs: ["part", "known part", "smooth", "y"]
      ).initializer("known", i64([3, 4])),
      ["Resize_1_0": 7, "Resize_1_1": 9, "Resize_2_0": 7, "Resize_2_1": 9],
      [
        ([4, 5], [0, 0, 1, 1]), ([7, 3], [0.2, 0.1, 0.7, 1.4]), ([1, 1], [0.6, 0.5, 0.1, 0.5]),
        ([2, 9], [-1, 0, 0, 1]),
      ]
      .map { sizes, roi in
        [
          "image": f32([4, 5], (0..<20).map { Double(($0 * 13) % 17) }), "roi": f32([4], roi), "sizes": i64(sizes),
        ]
      },
      failing: [
        ["image": f32([4, 5], (0..<20).map(Double.init)), "roi": f32([4], [0, 0, 1, 1]), "sizes": i64([8, 5])]
      ]),
    SizeCase(
      "taken to be equal",
      TestModel(
        opset: 18,
        [
          node("Compress", ["x", "mask"], ["a"], .int("axis", 0)),
          node("Compress", ["x", "other"], ["b"], .int("axis", 0)),
          node("Add", ["a", "b"], ["sum"]), node("Mul", ["a", "three"], ["scaled"]),
          node("Transpose", ["a"], ["row"]), node("MatMul", ["row", "a"], ["gram"]),
          node("Concat", ["a", "b"], ["joined"], .int("axis", 1)), node("Less", ["a", "b"], ["less"]),
          node("Where", ["less", "a", "b"], ["chosen"]), node("Identity", ["scaled"], ["last"]),
        ], inputs: [("x", .f32(6, 2)), ("mask", TensorType(.bool, [6])), ("other", TensorType(.bool, [6]))],
        outputs: ["sum", "last", "gram", "joined", "chosen"]
      ).initializer("three", f32([3, 1], [1, 2, 3])),
      [:],
      [([true, false, true, true, false, false], [false, true, false, false, true, true])].map {
        ["x": f32([6, 2], (0..<12).map(Double.init)), "mask": NDArray($0.0), "other": NDArray($0.1)]
      },
      failing: [
        ([true, false, true, true, false, false], [false, true, false, false, true, false]),
        ([true, true, true, true, false, false], [true, true, true, false, true, false]),
      ].map { ["x": f32([6, 2], (0..<12).map(Double.init)), "mask": NDArray($0.0), "other": NDArray($0.1)] }),
    SizeCase(
      "broadcast in the run",
      TestModel(
        opset: 18,
        [
          node("Compress", ["x", "mask"], ["a"], .int("axis", 0)),
          node("Compress", ["x", "other"], ["b"], .int("axis", 0)),
          node("Add", ["a", "b"], ["sum"]), node("Sub", ["sum", "a"], ["again"]),
          node("Mul", ["a", "three"], ["scaled"]),
          // What is filled with one number has no elements to check places of.
          node("Shape", ["b"], ["shape"]), node("ConstantOfShape", ["shape"], ["zeros"]),
          node("Add", ["a", "zeros"], ["filled"]), node("Expand", ["a", "shape"], ["wide"]),
          node("Mul", ["zeros", "zeros"], ["none"]), node("Shape", ["a"], ["own"]),
          node("ConstantOfShape", ["own"], ["others"]), node("Max", ["none", "others"], ["empty"]),
          node("Shape", ["empty"], ["common"]), node("ReduceSum", ["wide"], ["total"]),
        ], inputs: [("x", .f32(6, 2)), ("mask", TensorType(.bool, [6])), ("other", TensorType(.bool, [6]))],
        outputs: ["sum", "again", "scaled", "filled", "wide", "empty", "common", "total"]
      ).initializer("three", f32([3, 1], [1, 2, 3])),
      [:],
      [
        ([true, false, true, true, false, false], [false, true, false, false, true, true]),
        ([true, false, true, true, false, false], [false, false, false, false, true, false]),
        ([false, false, true, false, false, false], [false, true, false, true, true, true]),
        ([false, false, true, false, false, false], Array(repeating: false, count: 6)),
        ([false, false, true, false, false, false], [false, false, false, false, false, true]),
      ].map { ["x": f32([6, 2], (0..<12).map(Double.init)), "mask": NDArray($0.0), "other": NDArray($0.1)] },
      failing: [
        ([true, false, true, true, false, false], [false, true, false, false, true, false]),
        ([true, true, true, true, false, false], [false, true, false, false, false, false]),
        (Array(repeating: false, count: 6), [false, true, false, false, false, false]),
      ].map { ["x": f32([6, 2], (0..<12).map(Double.init)), "mask": NDArray($0.0), "other": NDArray($0.1)] }),
    SizeCase(
      "of what is found",
      TestModel(
        opset: 18,
        [
          node("Compress", ["x", "mask"], ["kept"], .int("axis", 0)), node("Shape", ["kept"], ["shape"]),
          node("Gather", ["shape", "zero"], ["count"]), node("Range", ["zero", "count", "one"], ["places"]),
          // PyTorch's `expand(-1, 5)`.
          node("Equal", ["wanted", "minus"], ["same"]), node("Where", ["same", "ones", "wanted"], ["target"]),
          node("Concat", ["countlist", "five"], ["wanted"], .int("axis", 0)),
          node("Unsqueeze", ["count", "axis"], ["countlist"]), node("Expand", ["kept", "target"], ["wide"]),
          node("Split", ["places"], ["first", "second"], .int("num_outputs", 2)),
          node("Concat", ["half", "minus2"], ["halves"], .int("axis", 0)), node("Reshape", ["wide", "halves"], ["r"]),
          node("Pad", ["kept", "ends", "", "axis"], ["edges"], .string("mode", "edge")),
          node("Unsqueeze", ["kept", "front"], ["image"]),
          node("Resize", ["image", "", "scales"], ["large"], .string("mode", "linear")),
        ], inputs: [("x", .f32(6, 1)), ("mask", TensorType(.bool, [6]))],
        outputs: ["places", "wide", "first", "second", "r", "edges", "large"]
      ).initializer("zero", number(0)).initializer("one", number(1)).initializer("minus", i64([-1]))
        .initializer("ones", i64([1, 1])).initializer("five", i64([5])).initializer("axis", i64([0]))
        .initializer("half", i64([5])).initializer("minus2", i64([-1])).initializer("ends", i64([2, 1]))
        .initializer("front", i64([0, 1])).initializer("scales", f32([4], [1, 1, 1.5, 2])),
      [:],
      [
        [true, false, true, true, false, false], [false, true, false, false, false, false],
        Array(repeating: true, count: 6),
      ]
      .map { ["x": f32([6, 1], (0..<6).map(Double.init)), "mask": NDArray($0)] }),
  ]
}

/// Sizes that data decides and nothing in a model bounds: capacities are given, runs mask by the true numbers.
@Suite struct SizesOfDataTests {
  @Test("a run gives what known sizes give, and fails where there is more than room for", arguments: SizeCase.all)
  func values(_ row: SizeCase) throws {
    let open = try row.model.graph()
    try open.verify()
    #expect(try Graph(parsing: open.text) == open)
    let graph = try open.limiting(row.maxima)
    let compiled = try compile(graph)
    var session = try compiled.session()
    var native = try compiled.native()
    for inputs in row.runs {
      let known = try importONNX(bytes: row.model.bytes, constants: inputs)
      let expected = try compile(known).run([])
      let given = graph.inputs.compactMap { inputs[graph.inputName($0)] }
      for (name, found) in [("interpreter", try session.run(given)), ("native", try native.run(given))] {
        #expect(found.map(\.type) == expected.map(\.type), "\(name), \(inputs)")
        for ((a, b), output) in zip(zip(found, expected), graph.outputs) where a.count == b.count {
          let agrees = zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) }
          #expect(agrees, "\(name), \(output.name) of \(inputs): \(a) is not \(b)")
        }
      }
    }
    for inputs in row.failing {
      let given = graph.inputs.compactMap { inputs[graph.inputName($0)] }
      #expect(throws: DiagnosticsError.self, "\(inputs)") { _ = try session.run(given) }
      #expect(throws: DiagnosticsError.self, "\(inputs)") { _ = try native.run(given) }
    }
  }

  @Test("sizes of a reshape have room for the elements by the sizes that are known") func reshaped() throws {
    let model = TestModel(
      [node("Concat", ["list", "four"], ["shape"], .int("axis", 0)), node("Reshape", ["x", "shape"], name: "R")],
      inputs: [("x", .f32(2, 3, 4)), ("list", TensorType(.i64, [2]))]
    ).initializer("four", i64([4]))
    let graph = try model.graph()
    #expect(graph.capacities.map(\.size) == ["R_0", "R_1"])
    #expect(graph.capacities.map(\.capacity) == [6, 6])
    #expect(try graph.limiting(["R_0": 2]).capacities.map(\.capacity) == [2, 6])
  }

  @Test("all sizes without a bound are told at once, with their places and the remedies") func unbounded() throws {
    let graph = try SizeCase.all[0].model.graph()
    let error = #expect(throws: DiagnosticsError.self) { try graph.bounded() }
    let texts = error?.diagnostics.map(\.message) ?? []
    #expect(
      texts
        == ["Count", "free", "any", "floats"].map { "nothing says how large ?\($0) may be, a size that data decides" })
    #expect(error?.diagnostics.first?.location.node == "/model/Count")
    #expect(
      error?.diagnostics.first?.help
        == "--max Count=SIZE gives it room, and a run with more fails; --bind n=FILE.npy makes it a constant")
  }

  @Test("inputs that are given decide sizes at once, unless a capacity is given") func given() throws {
    let (model, inputs) = (SizeCase.all[3].model, SizeCase.all[3].runs[1])
    let bound = try importONNX(bytes: model.bytes, bindings: inputs)
    #expect(bound.type(of: bound.outputs[0].value) == .f32(2, 12))
    let open = try importONNX(bytes: model.bytes, bindings: inputs, maxima: ["Reshape_7_0": 8])
    #expect(open.capacities.map(\.size).contains("Reshape_7_0"))
  }

  @Test("results of a loop of which data decides the number of steps") func loop() throws {
    let body = Onnx_AttributeProto.graph(
      "body",
      [
        node("Identity", ["go"], ["next"]), node("Add", ["state", "x"], ["sum"]),
        node("Mul", ["sum", "sum"], ["square"]),
      ], inputs: [("step", .scalar(.i64)), ("go", .scalar(.bool)), ("state", .f32(2))],
      outputs: ["next", "sum", "square"])
    let model = TestModel(
      [node("Loop", ["n", "", "start"], ["last", "squares"], name: "Loop_1", body)],
      inputs: [("n", .scalar(.i64)), ("start", .f32(2)), ("x", .f32(2))], outputs: ["last", "squares"])
    let compiled = try compile(try model.graph().limiting(["Loop_1_limit": 4]))
    var session = try compiled.session()
    var native = try compiled.native()
    let (start, x) = (f32([2], [1, 2]), f32([2], [0.5, -1]))
    for count in [0, 1, 4] {
      var (state, squares) = ([1.0, 2.0], [Double]())
      for _ in 0..<count {
        state = [state[0] + 0.5, state[1] - 1]
        squares += state.map { $0 * $0 }
      }
      let inputs = [i64([count], shape: []), start, x]
      for results in [try session.run(inputs), try native.run(inputs)] {
        #expect(results == [f32([2], state), f32([count, 2], squares)])
      }
    }
    #expect(throws: DiagnosticsError.self) { _ = try session.run([i64([5], shape: []), start, x]) }
    #expect(throws: DiagnosticsError.self) { _ = try native.run([i64([5], shape: []), start, x]) }
  }

  @Test("a loop that only a condition ends is given room") func openLoop() throws {
    let body = Onnx_AttributeProto.graph(
      "body",
      [
        node("Add", ["state", "one"], ["sum"]), node("Less", ["sum", "most"], ["next"]),
        node("Mul", ["sum", "sum"], ["square"]),
      ], inputs: [("step", .scalar(.i64)), ("go", .scalar(.bool)), ("state", .scalar(.f32))],
      outputs: ["next", "sum", "square"])
    let model = TestModel(
      [node("Loop", ["", "", "start"], ["last", "squares"], name: "/a/Loop_2", body)],
      inputs: [("start", .scalar(.f32)), ("most", .scalar(.f32))], outputs: ["last", "squares"]
    ).initializer("one", f32([], [1]))
    let mistake = model.mistakes().first
    #expect(mistake?.help?.contains("--max Loop_2=SIZE gives it room") == true, "\(mistake as Any)")
    let graph = try importONNX(bytes: model.bytes, maxima: ["Loop_2": 4]).limiting(["Loop_2": 4])
    let compiled = try compile(graph)
    var session = try compiled.session()
    var native = try compiled.native()
    let inputs = [f32([], [0]), f32([], [2.5])]
    for results in [try session.run(inputs), try native.run(inputs)] {
      #expect(results == [f32([], [3]), f32([3], [1, 4, 9])])
    }
    #expect(throws: DiagnosticsError.self) { _ = try session.run([f32([], [0]), f32([], [4.5])]) }
    #expect(throws: DiagnosticsError.self) { _ = try native.run([f32([], [0]), f32([], [4.5])]) }
  }
}
