import LatheCore

extension PrimitiveCase {
  /// Every primitive, in the variants that matter.
  public static let all =
    pointwise + integers + views + reductions + contractions + windows + indexing + control
    + factorizations

  // MARK: Scalar functions

  private static func unary(
    _ function: Pointwise, _ range: ClosedRange<Double>, _ smoothness: Smoothness = .twice
  ) -> PrimitiveCase {
    PrimitiveCase(function.rawValue, [.spread([2, 3], range)], smoothness: smoothness) { _, x in
      [.pointwise(function, x)]
    }
  }

  private static func binary(
    _ function: Pointwise, _ left: ClosedRange<Double>, _ right: ClosedRange<Double>, _ smoothness: Smoothness = .twice
  ) -> PrimitiveCase {
    PrimitiveCase(function.rawValue, [.spread([2, 3], left), .spread([2, 3], right)], smoothness: smoothness) { _, x in
      [.pointwise(function, x)]
    }
  }

  /// Away from integers, zero and each other.
  private static let offIntegers = Operand.values([6], [-1.7, -0.6, 0.3, 0.8, 1.4, 2.6])

  static let pointwise: [PrimitiveCase] = [
    unary(.negate, -2...2), unary(.exp, -1...1), unary(.exp2, -1...1), unary(.expm1, -1...1), unary(.log, 0.3...3),
    unary(.log1p, -0.5...2),
    unary(.log2, 0.3...3), unary(.log10, 0.3...3), unary(.sqrt, 0.3...3), unary(.rsqrt, 0.3...3), unary(.sin, -2...2),
    unary(.cos, -2...2), unary(.tan, -1...1), unary(.asin, -0.8...0.8), unary(.acos, -0.8...0.8), unary(.atan, -2...2),
    unary(.sinh, -1...1), unary(.cosh, -1...1), unary(.tanh, -1...1), unary(.asinh, -2...2), unary(.acosh, 1.3...3),
    unary(.atanh, -0.8...0.8), unary(.sigmoid, -2...2), unary(.erf, -1.5...1.5), unary(.erfc, -1.5...1.5),
    unary(.lgamma, 0.5...4), unary(.isNaN, -1...1, .none), unary(.isFinite, -1...1, .none),
    PrimitiveCase("abs", [offIntegers]) { _, x in [x[0].abs()] },
    PrimitiveCase("sign", [offIntegers]) { _, x in [x[0].sign()] },
    PrimitiveCase("floor", [offIntegers]) { _, x in [x[0].floor()] },
    PrimitiveCase("ceil", [offIntegers]) { _, x in [x[0].ceil()] },
    PrimitiveCase("round", [offIntegers]) { _, x in [x[0].round()] },
    PrimitiveCase("trunc", [offIntegers]) { _, x in [x[0].trunc()] },
    binary(.add, -2...2, -2...2), binary(.subtract, -2...2, -2...2), binary(.multiply, -2...2, -2...2),
    binary(.divide, -2...2, 0.5...2), binary(.power, 0.3...3, -2...2), binary(.maximum, -2...2, -2...2),
    binary(.minimum, -2...2, -2...2), binary(.atan2, 0.2...2, -2...2), binary(.equal, -1...1, -1...1, .none),
    binary(.notEqual, -1...1, -1...1, .none), binary(.less, -1...1, -1...1, .none),
    binary(.lessEqual, -1...1, -1...1, .none), binary(.greater, -1...1, -1...1, .none),
    binary(.greaterEqual, -1...1, -1...1, .none),
    PrimitiveCase("fmod", [.values([4], [5.3, -5.3, 7.9, 1.2]), .values([4], [2.1, 2.1, -3.3, 4])]) { _, x in
      [x[0].fmod(x[1])]
    },
    PrimitiveCase("power of negative and zero bases", [.values([4], [-1.5, 0, 2, -0.5])]) { _, x in [x[0].pow(3)] },
    PrimitiveCase("polygamma", [.values([7], [-2.4, -0.6, 0.6, 0.9, 1.46, 3.3, 12])]) { _, x in
      [x[0].digamma(), x[0].polygamma(1), x[0].polygamma(2)]
    },
    PrimitiveCase("select", [.spread([2, 3], -1...1), .spread([2, 3], -1...1)]) { builder, x in
      let mask = unfailing { try NDArray([true, false, true, true, false, false], shape: [2, 3]) }
      return [builder.constant(mask).select(x[0] * x[0], x[1].exp())]
    },
    PrimitiveCase("broadcasting arithmetic", [.spread([2, 1, 3], -1...1), .spread([4, 1], 0.5...2)]) { _, x in
      [x[0] / x[1] + x[0] * 2]
    },
    PrimitiveCase(
      "convert", [.values([4], [-1.5, 0.25, 2, 300])], smoothness: .none, dtypes: [.f64, .f32, .f16, .bf16]
    ) { _, x in
      [.f16, .bf16, .f32, .i8, .u8, .i64, .bool].map { x[0].convert(to: $0) }
    },
    PrimitiveCase("detach", [.spread([3], -1...1)], smoothness: .none) { _, x in [x[0].detach() * x[0]] },
    PrimitiveCase("16-bit arithmetic", [.spread([2, 3], 0.5...2)], smoothness: .none, dtypes: [.f16, .bf16]) { _, x in
      [x[0] * x[0] + x[0].exp(), x[0].reduce(.sum, axes: [1])]
    },
  ]

  static let integers: [PrimitiveCase] = {
    let a = Operand.fixed(NDArray([7, -7, 100, -128, 127, 0, 3] as [Int8]))
    let b = Operand.fixed(NDArray([2, 2, 3, -1, 1, 5, 0] as [Int8]))
    let u = Operand.fixed(NDArray([7, 1, UInt64.max, 1 << 63, 0] as [UInt64]))
    let v = Operand.fixed(NDArray([2, 0, 3, UInt64.max, 9] as [UInt64]))
    let p = Operand.fixed(NDArray([true, true, false, false]))
    let q = Operand.fixed(NDArray([true, false, true, false]))
    let seed = Operand.fixed(NDArray(scalar: .integer(0x299f_31d0_a409_3822), dtype: .u64))
    let arithmetic: [Pointwise] = [
      .add, .subtract, .multiply, .divide, .fmod, .power, .maximum, .minimum, .equal, .notEqual, .less, .lessEqual,
      .greater, .greaterEqual, .and, .or, .xor, .shiftLeft, .shiftRight,
    ]
    @Sendable func both(_ x: [Tensor]) -> [Tensor] { arithmetic.map { .pointwise($0, x) } }
    return [
      PrimitiveCase("i8 arithmetic", [a, b], smoothness: .none, dtypes: [.f32]) { _, x in both(x) },
      PrimitiveCase("u64 arithmetic", [u, v], smoothness: .none, dtypes: [.f32]) { _, x in both(x) },
      PrimitiveCase("i8 functions", [a], smoothness: .none, dtypes: [.f32]) { _, x in
        [x[0].bitwiseNot(), x[0].abs(), x[0].sign(), -x[0], x[0].convert(to: .u8), x[0].convert(to: .f32)]
      },
      PrimitiveCase("u64 functions", [u], smoothness: .none, dtypes: [.f32]) { _, x in
        [x[0].bitwiseNot(), x[0].abs(), x[0].sign(), -x[0]]
      },
      PrimitiveCase("u64 to floats", [u], smoothness: .none, dtypes: [.f32]) { _, x in
        [x[0].convert(to: .f32), x[0].convert(to: .f64), x[0].convert(to: .i32)]
      },
      PrimitiveCase("logic", [p, q], smoothness: .none, dtypes: [.f32]) { _, x in
        [x[0] .& x[1], x[0] .| x[1], .pointwise(.xor, x), x[0].bitwiseNot(), .pointwise(.equal, x), x[0].maximum(x[1])]
      },
      PrimitiveCase("any and all", [p, q], smoothness: .none, dtypes: [.f32]) { _, x in
        [x[0].reduce(.max, axes: [0]), x[1].reduce(.min, axes: [0])]
      },
      PrimitiveCase("products of literals beyond 32 bits", [u], smoothness: .none, dtypes: [.f32]) { builder, x in
        let (a, b) = (builder.full(x[0].type, .integer(1 << 31)), builder.full(x[0].type, .integer(3_447_762_007)))
        return [a * b + x[0]]
      },
      PrimitiveCase("random_bits", [seed], smoothness: .none, dtypes: [.f32]) { builder, x in
        [
          builder.randomBits([2, 5, 3], seed: x[0]), builder.randomBits([4], seed: x[0]),
          builder.randomBits([2, 2], seed: x[0] + 1, stream: 1 << 31),
        ]
      },
      PrimitiveCase("bitcast", [.fixed(NDArray([1, -0.0, .nan, 3.5] as [Float]))], smoothness: .none, dtypes: [.f32]) {
        _, x in
        [x[0].bitcast(to: .i32), x[0].bitcast(to: .u32).bitcast(to: .f32)]
      },
    ]
  }()

  // MARK: Views

  static let views: [PrimitiveCase] = [
    PrimitiveCase("reshape", [.spread([2, 6], -1...1)]) { _, x in [(x[0].reshape([3, 4]) * 2).sin()] },
    PrimitiveCase("permute", [.spread([2, 3, 4], -1...1)]) { _, x in [x[0].permute([2, 0, 1]).sin()] },
    PrimitiveCase("broadcast", [.spread([3, 1], -1...1)]) { _, x in
      [x[0].broadcast(to: [2, 3, 4], axes: [1, 2]).exp()]
    },
    PrimitiveCase("slice", [.spread([5, 7], -1...1)]) { _, x in
      [x[0].slice(start: [1, 0], limit: [4, 6], stride: [1, 4]).exp()]
    },
    PrimitiveCase("reverse", [.spread([3, 4], -1...1)]) { _, x in [x[0].reverse([1]).exp()] },
    PrimitiveCase("concatenate", [.spread([2, 2], -1...1), .spread([2, 3], -1...1), .spread([2, 1], -1...1)]) { _, x in
      [Tensor.concatenate(x, axis: 1).exp()]
    },
    PrimitiveCase("pad", [.spread([2, 3], -1...1), .spread([], 1...2)]) { _, x in
      [x[0].pad(low: [1, 0], high: [0, 2], interior: [0, 1], value: x[1]).exp()]
    },
    PrimitiveCase("pad by negative amounts", [.spread([4, 5], -1...1), .spread([], 1...2)]) { _, x in
      [x[0].pad(low: [-1, 2], high: [1, -3], interior: [1, 2], value: x[1]).exp()]
    },
    PrimitiveCase("iota", [.spread([2, 3], -1...1)]) { builder, x in
      [x[0] * builder.iota(x[0].type, axis: 1), x[0] * builder.iota(x[0].type, axis: 0)]
    },
  ]

  // MARK: Reductions

  static let reductions: [PrimitiveCase] = [
    PrimitiveCase("reduce_sum", [.spread([2, 3, 4], -1...1)]) { _, x in [x[0].reduce(.sum, axes: [2, 0]).exp()] },
    // What is read once and used twice in a reduction has to outlive the temporaries between.
    PrimitiveCase("softmax with a mask", [.spread([2, 3, 5], -1...1), .spread([2, 3, 5], -1...1)]) { _, x in
      func repeated(_ row: Tensor) -> Tensor { row.broadcast(to: x[0].shape, axes: [0, 1]) }
      let kept = x[1] .> -0.3
      let scores = kept.select(x[0] + x[1], x[0].filled(.float(-30)))
      let powers = (scores - repeated(scores.reduce(.max, axes: [2]))).exp()
      return [kept.select(powers / repeated(powers.reduce(.sum, axes: [2])), x[0].zerosLike())]
    },
    PrimitiveCase("reduce_product", [.spread([2, 3, 2], 0.5...1.5)]) { _, x in [x[0].reduce(.product, axes: [0, 2])] },
    PrimitiveCase("reduce_product with zeros", [.values([3, 4], [1, 0, 2, 3, 0, 2, 0, 4, 5, 6, 7, 8])]) { _, x in
      [x[0].reduce(.product, axes: [1])]
    },
    PrimitiveCase("reduce_max", [.spread([2, 3, 4], -1...1)]) { _, x in [x[0].exp().reduce(.max, axes: [1]).exp()] },
    PrimitiveCase("reduce_min", [.spread([2, 3, 4], -1...1)], smoothness: .once) { _, x in
      [x[0].reduce(.min, axes: [0, 1])]
    },
    PrimitiveCase("arg_max", [.spread([3, 4], -1...1)], smoothness: .none) { _, x in [x[0].argReduce(.max, axis: 1)] },
    PrimitiveCase("arg_min", [.spread([3, 4], -1...1)], smoothness: .none) { _, x in [x[0].argReduce(.min, axis: 0)] },
    PrimitiveCase("arg_sort", [.spread([3, 7], -1...1)], smoothness: .none) { _, x in
      [x[0].argSort(axis: 1), x[0].argSort(axis: 0, descending: true), x[0].round().argSort(axis: 1)]
    },
    PrimitiveCase("arg_sort of one", [.spread([3, 1], -1...1)], smoothness: .none) { _, x in
      [x[0].argSort(axis: 1), x[0].slice(axis: 0, from: 0, to: 2).argSort(axis: 0)]
    },
    PrimitiveCase("sorted elements", [.spread([2, 5], -1...1)]) { _, x in
      [x[0].gatherAlong(axis: 1, indices: x[0].argSort(axis: 1), outside: .ignored)]
    },
    PrimitiveCase("cumulative_sum", [.spread([2, 4], -1...1)]) { _, x in
      [x[0].cumulative(.sum, axis: 1).exp(), x[0].cumulative(.sum, axis: 0, reverse: true).exp()]
    },
    PrimitiveCase("cumulative_product with zeros", [.values([2, 4], [2, 0, 3, 4, 0, 5, 0, 6])]) { _, x in
      [x[0].cumulative(.product, axis: 1), x[0].cumulative(.product, axis: 1, reverse: true)]
    },
    PrimitiveCase("cumulative_product on an outer axis", [.spread([3, 2], 0.5...1.5)]) { _, x in
      [x[0].cumulative(.product, axis: 0)]
    },
    PrimitiveCase("cumulative_max", [.spread([2, 5], -1...1)]) { _, x in
      [x[0].cumulative(.max, axis: 1), x[0].cumulative(.max, axis: 0, reverse: true)]
    },
    PrimitiveCase("cumulative_min", [.spread([2, 5], -1...1)]) { _, x in
      [x[0].cumulative(.min, axis: 1, reverse: true), x[0].cumulative(.min, axis: 0)]
    },
  ]

  // MARK: Contractions

  static let contractions: [PrimitiveCase] = [
    PrimitiveCase("dot", [.spread([2, 3], -1...1), .spread([4, 3], -1...1)]) { _, x in
      [x[0].dot(x[1], DotGeneral(leftContracting: [1], rightContracting: [1]))]
    },
    PrimitiveCase("dot of batches", [.spread([3, 2, 2], -1...1), .spread([2, 3, 2], -1...1)]) { _, x in
      [x[0].dot(x[1], DotGeneral(leftBatch: [1], rightBatch: [0], leftContracting: [0], rightContracting: [1]))]
    },
    PrimitiveCase("dot over two axes in opposite orders", [.spread([2, 3, 2], -1...1), .spread([3, 2, 2], -1...1)]) {
      _, x in
      [x[0].dot(x[1], DotGeneral(leftContracting: [1, 0], rightContracting: [0, 2]))]
    },
    PrimitiveCase("dot without contraction", [.spread([2], -1...1), .spread([3], -1...1)]) { _, x in
      [x[0].dot(x[1], DotGeneral(leftContracting: [], rightContracting: []))]
    },
    PrimitiveCase("dot with two batch axes", [.spread([2, 2, 2], -1...1), .spread([2, 2, 2], -1...1)]) { _, x in
      [x[0].dot(x[1], DotGeneral(leftBatch: [2, 0], rightBatch: [0, 1], leftContracting: [1], rightContracting: [2]))]
    },
    convolution(
      "convolution in 1-D", [1, 2, 5], [3, 2, 3],
      Convolution(stride: [1], low: [1], high: [1], inputDilation: [1], dilation: [1], groups: 1)),
    convolution(
      "convolution in 1-D with stride and rest", [2, 1, 6], [2, 1, 2],
      Convolution(stride: [3], low: [0], high: [1], inputDilation: [1], dilation: [1], groups: 1)),
    convolution(
      "convolution with dilation", [1, 1, 7], [1, 1, 3],
      Convolution(stride: [1], low: [2], high: [0], inputDilation: [1], dilation: [2], groups: 1)),
    convolution(
      "convolution with input dilation", [1, 2, 3], [1, 2, 3],
      Convolution(stride: [1], low: [1], high: [2], inputDilation: [2], dilation: [1], groups: 1)),
    convolution(
      "convolution with negative padding", [1, 1, 6], [2, 1, 2],
      Convolution(stride: [1], low: [-1], high: [-2], inputDilation: [1], dilation: [1], groups: 1)),
    convolution(
      "convolution in groups", [2, 4, 4], [6, 2, 2],
      Convolution(stride: [2], low: [1], high: [1], inputDilation: [1], dilation: [1], groups: 2)),
    convolution(
      "convolution in 2-D", [1, 2, 4, 3], [2, 1, 2, 2],
      Convolution(stride: [2, 1], low: [1, 0], high: [0, 1], inputDilation: [1, 1], dilation: [1, 2], groups: 2)),
    convolution(
      "convolution in 2-D with everything", [1, 2, 3, 4], [2, 2, 2, 2],
      Convolution(stride: [2, 3], low: [-1, 2], high: [2, 1], inputDilation: [3, 2], dilation: [2, 1], groups: 1)),
  ]

  private static func convolution(
    _ name: String, _ x: [Int], _ weight: [Int], _ payload: Convolution
  ) -> PrimitiveCase {
    PrimitiveCase(name, [.spread(x, -1...1), .spread(weight, -1...1)]) { _, operands in
      [operands[0].convolution(operands[1], payload)]
    }
  }

  // MARK: Windows

  private static let overlapping = WindowShape(size: [3, 2], stride: [2, 1], low: [1, 0], high: [1, 1])

  static let windows: [PrimitiveCase] = [
    PrimitiveCase("window_sum", [.spread([2, 4, 3], -1...1)]) { _, x in [x[0].windowReduce(.sum, overlapping).exp()] },
    PrimitiveCase("window_sum with dilations", [.spread([5], -1...1)]) { _, x in
      [
        x[0].windowReduce(
          .sum, WindowShape(size: [2], stride: [2], low: [1], high: [-1], inputDilation: [2], dilation: [3])
        ).exp()
      ]
    },
    PrimitiveCase("window_max", [.spread([2, 4, 3], -1...1)], smoothness: .once) { _, x in
      [x[0].windowReduce(.max, overlapping)]
    },
    PrimitiveCase("window_max of a function", [.spread([4, 3], -1...1)]) { _, x in
      [(x[0] * x[0]).windowReduce(.max, overlapping).exp()]
    },
    PrimitiveCase("window_min with dilation", [.spread([1, 7], -1...1)], smoothness: .once) { _, x in
      [x[0].windowReduce(.min, WindowShape(size: [3], stride: [1], low: [1], high: [0], dilation: [2]))]
    },
    PrimitiveCase("window_product", [.spread([5], 0.5...1.5)], smoothness: .none) { _, x in
      [x[0].windowReduce(.product, WindowShape(size: [2], stride: [1], low: [0], high: [0]))]
    },
    PrimitiveCase("window_arg_max", [.spread([2, 4, 3], -1...1)], smoothness: .none) { _, x in
      [x[0].windowArgReduce(.max, overlapping), x[0].windowArgReduce(.min, overlapping)]
    },
  ]

  // MARK: Indexing by data

  static let indexing: [PrimitiveCase] = {
    // One place is outside, one comes twice.
    let rows = Operand.fixed(unfailing { try NDArray([2, 0, 2, 5, -1] as [Int64], shape: [5, 1]) })
    let pairs = Operand.fixed(unfailing { try NDArray([1, 2, 0, 0, 1, 1] as [Int32], shape: [3, 2]) })
    let batched = Operand.fixed(unfailing { try NDArray([1, 0, 2, 2] as [Int64], shape: [2, 2, 1]) })
    let ignoring = IndexedAxes(axes: [0], outside: .ignored)
    return [
      PrimitiveCase("gather of rows", [.spread([4, 2], -1...1), rows]) { _, x in
        [x[0].gather(x[1], ignoring).exp()]
      },
      PrimitiveCase("gather in a masked sum", [.spread([3, 5, 2], -1...1), .spread([3, 2], -1...1)]) { builder, x in
        let places = builder.constant(unfailing { try NDArray([2, -1, 4, 0, 4, 7] as [Int64], shape: [3, 2]) })
        let picked = x[0].permute([0, 2, 1]).gather(
          places.reshape([3, 2, 1]), IndexedAxes(batch: 2, axes: [2], outside: .ignored))
        return [(places .!= 4).select(-picked * x[1], x[1].zerosLike()).reduce(.sum, axes: [0, 1])]
      },
      PrimitiveCase("gather of elements", [.spread([2, 3, 2], -1...1), pairs]) { _, x in
        [x[0].gather(x[1], IndexedAxes(axes: [0, 1])).exp()]
      },
      PrimitiveCase("gather in batches", [.spread([2, 2, 3], -1...1), batched]) { _, x in
        [x[0].gather(x[1], IndexedAxes(batch: 1, axes: [2])).exp()]
      },
      PrimitiveCase("scatter_sum", [.spread([4, 2], -1...1), rows, .spread([5, 2], -1...1)]) { _, x in
        [x[0].scatter(x[1], x[2], ignoring, combiner: .sum).exp()]
      },
      PrimitiveCase("scatter", [.spread([2, 3, 2], -1...1), pairs, .spread([3, 2], -1...1)]) { _, x in
        [x[0].scatter(x[1], x[2], IndexedAxes(axes: [0, 1]), combiner: nil).exp()]
      },
      PrimitiveCase("scatter to one place twice", [.spread([4, 2], -1...1), rows, .spread([5, 2], -1...1)]) { _, x in
        [x[0].scatter(x[1], x[2], ignoring, combiner: nil).exp()]
      },
      PrimitiveCase("scatter in batches", [.spread([2, 2, 3], -1...1), batched, .spread([2, 2, 2], -1...1)]) { _, x in
        [x[0].scatter(x[1], x[2], IndexedAxes(batch: 1, axes: [2]), combiner: .sum).exp()]
      },
      PrimitiveCase("scatter with other combiners", [.spread([4, 2], -1...1), rows, .spread([5, 2], -1...1)]) { _, x in
        [.product, .min, .max].map { x[0].scatter(x[1], x[2], ignoring, combiner: $0).exp() }
      },
      PrimitiveCase("gather along an axis", [.spread([3, 2], -1...1)]) { builder, x in
        let places = unfailing { try NDArray([2, 0, 1, 1] as [Int64], shape: [2, 2]) }
        return [x[0].gatherAlong(axis: 0, indices: builder.constant(places)).exp()]
      },
    ]
  }()

  // MARK: Control flow

  static let control: [PrimitiveCase] = [
    branching("cond, first branch", 0.5), branching("cond, second branch", -0.5),
    PrimitiveCase("while", [.spread([3], 0.5...1)], smoothness: .none) { builder, x in
      let types = [x[0].type, TensorType.scalar(.i64)]
      let condition = try builder.region(types) { _, state in [state[0].reduce(.sum, axes: [0]) .< 50] }
      let body = try builder.region(types) { _, state in [state[0] * 2, state[1] + 1] }
      return builder.apply(
        .whileLoop(WhileLoop(condition: condition, body: body, stateCount: 2)),
        [x[0], builder.scalar(.integer(0), .i64)])
    },
    recurrent("scan", reverse: false), recurrent("scan in reverse", reverse: true),
    PrimitiveCase("call, computed again", [.spread([3], -1...1), .spread([3], 0.5...1)]) { builder, x in
      let body = try builder.region(x.map(\.type)) { _, values in [(values[0] * values[1]).sin(), values[0].exp()] }
      return builder.apply(.call(Call(body: body)), x)
    },
    PrimitiveCase("call, kept apart", [.spread([3], -1...1), .spread([3], 0.5...1)]) { builder, x in
      let body = try builder.region(x.map(\.type)) { _, values in [(values[0] * values[1]).sin(), values[0]] }
      return builder.apply(.call(Call(body: body, isKept: true)), x)
    },
    PrimitiveCase("call with a gradient", [.spread([3], -1...1)]) { builder, x in
      let body = try builder.region(x.map(\.type)) { _, values in [values[0].exp()] }
      let backward = try builder.region([x[0].type, x[0].type, x[0].type]) { _, values in [values[1] * values[2]] }
      return builder.apply(.call(Call(body: body, backward: backward)), x)
    },
    PrimitiveCase("scan without sequences", [.spread([2], -1...1), .spread([2], -1...1)]) { builder, x in
      let (body, captures) = try builder.capturingRegion([x[0].type]) { _, state in
        [(state[0] * x[1]).sin(), state[0] * state[0]]
      }
      return builder.apply(
        .scan(Scan(body: body, length: 4, carryCount: 1, sequenceCount: 0)), [x[0]] + captures)
    },
    PrimitiveCase("scan that counts", [.spread([4, 2], -1...1)]) { builder, x in
      let types: [TensorType] = [.scalar(.i64), .scalar(x[0].dtype), x[0].type.with(shape: [2])]
      let body = try builder.region(types) { _, state in
        [state[0] + 1, state[1] + (state[2] * state[0].convert(to: state[1].dtype)).exp().reduce(.sum, axes: [0])]
      }
      return builder.apply(
        .scan(Scan(body: body, length: 4, carryCount: 2, sequenceCount: 1)),
        [builder.scalar(.integer(0), .i64), builder.scalar(.float(0), x[0].dtype), x[0]])
    },
  ]

  private static func branching(_ name: String, _ decider: Double) -> PrimitiveCase {
    PrimitiveCase(name, [.spread([3], -1...1), .spread([3], 0.5...1), .values([], [decider])]) { builder, x in
      let types = [x[0].type, x[1].type]
      let then = try builder.region(types) { _, values in [(values[0] * values[1]).sin(), values[0]] }
      let otherwise = try builder.region(types) { _, values in [values[0] / values[1], values[1].exp()] }
      return builder.apply(.conditional(Conditional(then: then, otherwise: otherwise)), [x[2] .> 0, x[0], x[1]])
    }
  }

  /// A recurrent layer over five steps, whose weights are constants of the scan.
  private static func recurrent(_ name: String, reverse: Bool) -> PrimitiveCase {
    PrimitiveCase(
      name, [.spread([1, 2], -1...1), .spread([5, 1, 2], -1...1), .spread([2, 2], -1...1), .spread([2, 2], -1...1)]
    ) { builder, x in
      let (body, captures) = try builder.capturingRegion([x[0].type, x[1].type.with(shape: [1, 2])]) { _, state in
        let axes = DotGeneral(leftContracting: [1], rightContracting: [0])
        let hidden = (state[1].dot(x[2], axes) + state[0].dot(x[3], axes)).tanh()
        return [hidden, hidden * state[1]]
      }
      return builder.apply(
        .scan(Scan(body: body, length: 5, carryCount: 1, sequenceCount: 1, reverse: reverse)), [x[0], x[1]] + captures)
    }
  }
}
