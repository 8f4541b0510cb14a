import LatheCore

/// Programs of register tiles, written by hand as schedules make them.
enum TilePrograms {
  /// A convolution over blocked channels: inputs `a` [blocks][height][width][lanes] with a border, `b` [groups][blocks]
  /// [kernel][kernel][lanes][columns][lanes], `c` bias, output `y` [groups * columns][height][width][lanes].
  struct Convolution {
    var type = ScalarType.f32
    var lanes = 16
    /// Blocks of input channels, and groups of `columns` blocks of output channels.
    var blocks = 1, groups = 1
    var columns = 4, rows = 7
    var height = 2, width = 7
    var kernel = 3

    var macs: Int { groups * columns * lanes * blocks * lanes * kernel * kernel * height * width }

    func program() -> PlannedProgram {
      var next = 0
      func variable(_ extent: Int) -> LoopVariable {
        next += 1
        return LoopVariable(id: next - 1, extent: extent)
      }
      let (o, i, j) = (variable(groups), variable(height), variable(width / rows))
      let (c0, p, q, c1) = (variable(blocks), variable(kernel), variable(kernel), variable(lanes))
      let (r, t, v) = (variable(columns), variable(rows), variable(lanes))
      let sums = LocalArray(id: 0, type: type, count: columns * rows * lanes, lanes: lanes)
      let place = (Index(r) * rows + Index(t)) * lanes + Index(v)
      let (paddedHeight, paddedWidth) = (height + kernel - 1, width + kernel - 1)
      let own = Expression.load(.local(sums), place, type)
      let x = Index.flattened(
        [Index(c0), Index(i) + Index(p), Index(j) * rows + Index(t) + Index(q), Index(c1)],
        shape: [blocks, paddedHeight, paddedWidth, lanes])
      let w = Index.flattened(
        [o, c0, p, q, c1, r, v].map { Index($0) }, shape: [groups, blocks, kernel, kernel, lanes, columns, lanes])
      let y = Index.flattened(
        [Index(o) * columns + Index(r), Index(i), Index(j) * rows + Index(t), Index(v)],
        shape: [groups * columns, height, width, lanes])
      let bias = Index(o) * (columns * lanes) + Index(r) * lanes + Index(v)
      let product = Expression.pointwise(
        .multiply, [.load(.buffer(BufferID(1)), w, type), .load(.buffer(BufferID(0)), x, type)])
      let sum = Expression.pointwise(.add, [own, .load(.buffer(BufferID(2)), bias, type)])
      let block = [(r, LoopKind.unrolled), (t, .unrolled), (v, .lanes)]
      let body: [Statement] = [
        .allocate(sums),
        nest(block, [.store(.local(sums), place, .constant(type.rounded(.float(0)), type))]),
        nest(
          [(c0, .serial), (p, .serial), (q, .serial), (c1, .serial), (t, .unrolled), (r, .unrolled), (v, .lanes)],
          [.store(.local(sums), place, .pointwise(.add, [own, product]))]),
        nest(
          block,
          [
            .store(
              .buffer(BufferID(3)), y,
              .pointwise(.maximum, [sum, .constant(type.rounded(.float(0)), type)]))
          ]),
      ]
      return HandBuilt.program(
        inputs: [
          (type, [blocks, paddedHeight, paddedWidth, lanes]),
          (type, [groups, blocks, kernel, kernel, lanes, columns, lanes]), (type, [groups * columns * lanes]),
        ],
        output: (type, [groups * columns, height, width, lanes]),
        [nest([(o, .parallel), (i, .parallel), (j, .serial)], body)])
    }
  }

  /// Loops with constant ends, outermost first, around a body.
  static func nest(_ loops: [(LoopVariable, LoopKind)], _ body: [Statement]) -> Statement {
    nest(loops, body)[0]
  }

  private static func nest(_ loops: [(LoopVariable, LoopKind)], _ body: [Statement]) -> [Statement] {
    loops.reversed().reduce(body) { body, loop in [.loop(Loop(loop.0, kind: loop.1, body: body))] }
  }
}

extension TilePrograms {
  /// What every lane computes from elements of two inputs.
  struct LaneExpression: Sendable {
    var name: String
    var type: ScalarType
    var result: ScalarType
    /// The value from `a[i, v]`, `b[i, v]`, and the loop variables.
    var value: @Sendable (_ a: Expression, _ b: Expression, _ i: LoopVariable, _ v: LoopVariable) -> Expression

    init(
      _ name: String, _ type: ScalarType = .f32, to result: ScalarType? = nil,
      _ value: @escaping @Sendable (Expression, Expression, LoopVariable, LoopVariable) -> Expression
    ) {
      self.name = name
      self.type = type
      self.result = result ?? type
      self.value = value
    }

    /// `y[i, v] = value` for 4 rows, two at a time, with as many lanes.
    func program(lanes: Int) -> PlannedProgram {
      let (i, u) = (LoopVariable(id: 0, extent: 2), LoopVariable(id: 1, extent: 2))
      let v = LoopVariable(id: 2, extent: lanes)
      let place = (Index(i) * 2 + Index(u)) * lanes + Index(v)
      let a = Expression.load(.buffer(BufferID(0)), place, type)
      let b = Expression.load(.buffer(BufferID(1)), place, type)
      let register = Register(id: 7, type: result)
      return HandBuilt.program(
        inputs: [(type, [4, lanes]), (type, [4, lanes])], output: (result, [4, lanes]),
        [
          TilePrograms.nest(
            [(i, .serial), (u, .unrolled), (v, .lanes)],
            [.declare(register, value(a, b, i, v)), .store(.buffer(BufferID(2)), place, .register(register))])
        ])
    }
  }

  static func number(_ value: Double, _ type: ScalarType = .f32) -> Expression {
    .constant(type.rounded(.float(value)), type)
  }

  static let expressions: [LaneExpression] = [
    LaneExpression("arithmetic") { a, b, _, _ in
      .pointwise(
        .subtract,
        [
          .pointwise(.multiply, [a, number(1.5)]),
          .pointwise(.divide, [b, .pointwise(.add, [.pointwise(.abs, [a]), number(1)])]),
        ])
    },
    LaneExpression("negate") { a, _, _, _ in .pointwise(.negate, [a]) },
    LaneExpression("maximum") { a, b, _, _ in .pointwise(.maximum, [a, b]) },
    LaneExpression("minimum") { a, b, _, _ in .pointwise(.minimum, [a, b]) },
    LaneExpression("clamp", .f64) { a, _, _, _ in
      .pointwise(.minimum, [.pointwise(.maximum, [a, number(-1, .f64)]), number(2, .f64)])
    },
    LaneExpression("functions") { a, b, _, _ in
      .pointwise(
        .add,
        [.pointwise(.exp, [.pointwise(.multiply, [a, number(0.1)])]), .pointwise(.sqrt, [.pointwise(.abs, [b])])])
    },
    LaneExpression("tanh") { a, b, _, _ in .pointwise(.subtract, [.pointwise(.tanh, [a]), .pointwise(.erf, [b])]) },
    LaneExpression("sigmoid") { a, b, _, _ in
      .pointwise(.multiply, [.pointwise(.sigmoid, [a]), .pointwise(.sign, [b])])
    },
    LaneExpression("select") { a, b, _, _ in
      .pointwise(
        .select,
        [
          .pointwise(.and, [.pointwise(.less, [a, b]), .pointwise(.not, [.pointwise(.isNaN, [a])])]), a,
          .pointwise(.multiply, [b, number(2)]),
        ])
    },
    LaneExpression("selectInAll") { a, _, i, _ in
      .pointwise(.select, [.pointwise(.less, [.index(Index(i)), .constant(.integer(1), .i64)]), number(-3), a])
    },
    LaneExpression("compare", to: .bool) { a, b, _, _ in .pointwise(.greaterEqual, [a, b]) },
    LaneExpression("wide") { a, b, _, _ in
      .convert(.pointwise(.add, [.convert(a, .f64), .convert(b, .f64)]), .f32)
    },
    LaneExpression("wideSelect") { a, b, _, _ in
      .convert(.pointwise(.select, [.pointwise(.less, [a, b]), .convert(a, .f64), number(0.5, .f64)]), .f32)
    },
    LaneExpression("truths") { a, b, _, _ in .convert(.pointwise(.equal, [a, .pointwise(.maximum, [a, b])]), .f32) },
    LaneExpression("saturate", to: .i8) { a, _, _, _ in .convert(.pointwise(.multiply, [a, number(40)]), .i8) },
    LaneExpression("integers", .i32) { a, b, _, _ in
      .pointwise(.add, [.pointwise(.multiply, [a, b]), .pointwise(.maximum, [a, .pointwise(.negate, [b])])])
    },
    LaneExpression("quotients", .i32) { a, b, _, _ in .pointwise(.divide, [a, b]) },
    LaneExpression("unsigned", .u32) { a, b, _, _ in .pointwise(.xor, [.pointwise(.subtract, [a, b]), b]) },
    LaneExpression("bytes", .i8) { a, b, _, _ in .pointwise(.add, [a, b]) },
    LaneExpression("bytesToFloat", .i8, to: .f32) { a, b, _, _ in
      .pointwise(.multiply, [.convert(a, .f32), .convert(b, .f32)])
    },
    LaneExpression("integersToFloat", .i32, to: .f32) { a, b, _, _ in
      .pointwise(.multiply, [.convert(a, .f32), .convert(b, .f32)])
    },
    LaneExpression("halves", .f16) { a, b, _, _ in .pointwise(.multiply, [a, b]) },
    LaneExpression("halvesInFloat", .bf16) { a, b, _, _ in
      .convert(.pointwise(.add, [.convert(a, .f32), .pointwise(.multiply, [.convert(b, .f32), number(0.5)])]), .bf16)
    },
    LaneExpression("positions", to: .f32) { a, _, i, v in
      .pointwise(.add, [a, .convert(.index(Index(i) * 3 + Index(v) * 2), .f32)])
    },
    LaneExpression("bits", to: .i32) { a, b, _, _ in
      .pointwise(.and, [.bitcast(.pointwise(.add, [a, b]), .i32), .constant(.integer(0x7fff_0000), .i32)])
    },
    LaneExpression("guardedInAll") { a, b, i, _ in
      .select([.inRange(Index(i), 1..<2)], then: .pointwise(.add, [a, b]), otherwise: number(-3))
    },
    LaneExpression("guardedByLane") { a, b, _, v in
      .select([.inRange(Index(v), 1..<3)], then: .pointwise(.add, [a, b]), otherwise: b)
    },
    LaneExpression("strided") { a, b, i, v in
      .pointwise(
        .add, [.load(.buffer(BufferID(0)), Index(v) * 2 + Index(i), .f32), .load(.buffer(BufferID(1)), Index(i), .f32)])
    },
    LaneExpression("backwards") { a, _, i, v in
      .pointwise(.subtract, [a, .load(.buffer(BufferID(1)), Index(v) * -1 + (v.extent - 1) + Index(i), .f32)])
    },
    LaneExpression("divided") { a, _, i, v in
      .pointwise(.subtract, [a, .load(.buffer(BufferID(1)), (Index(v) + Index(i)).floorDivided(by: 2), .f32)])
    },
  ]

  /// `y = maximum(y, 0) + b` in place on a temporary that shares storage with what is read, twice over.
  static func inPlace(lanes: Int) -> PlannedProgram {
    let (t, v) = (LoopVariable(id: 0, extent: 3), LoopVariable(id: 1, extent: lanes))
    let (a, b, y) = (BufferID(0), BufferID(1), BufferID(2))
    let place = Index(t) * lanes + Index(v)
    let first = Expression.load(.buffer(a), Index(v), .f32)
    let bias = Expression.load(.buffer(b), Index(v), .f32)
    return HandBuilt.program(
      inputs: [(.f32, [3, lanes]), (.f32, [lanes])], output: (.f32, [3, lanes]),
      [
        // what was stored is read again behind the store, which nobody may reuse from before
        nest([(v, .lanes)], [.store(.buffer(y), Index(v), .pointwise(.add, [first, bias]))]),
        nest(
          [(t, .unrolled), (v, .lanes)],
          [
            .store(
              .buffer(y), place,
              .pointwise(
                .add,
                [.load(.buffer(y), Index(v), .f32), .pointwise(.multiply, [.load(.buffer(a), place, .f32), bias])]))
          ]),
      ])
  }

  /// Two nests of parallel loops with a serial one between them, each reading what the one before wrote.
  static func chain() -> PlannedProgram {
    let rows = (0..<3).map { LoopVariable(id: $0, extent: 5) }
    let v = LoopVariable(id: 3, extent: 8)
    func step(_ number: Int, _ source: Int, _ kind: LoopKind) -> Statement {
      let place = Index(rows[number]) * 8 + Index(v)
      let mirrored = Index(rows[number]) * -8 + 32 + Index(v)
      let value = Expression.pointwise(
        .add, [.load(.buffer(BufferID(source)), mirrored, .f32), .load(.buffer(BufferID(0)), place, .f32)])
      return nest([(rows[number], kind), (v, .lanes)], [.store(.buffer(BufferID(number + 1)), place, value)])
    }
    var planned = HandBuilt.program(
      inputs: [(.f32, [5, 8]), (.f32, [5, 8]), (.f32, [5, 8])], output: (.f32, [5, 8]),
      [step(0, 0, .parallel), step(1, 1, .serial), step(2, 2, .parallel)])
    // what is between the nests are temporaries
    planned.program.inputs = [planned.program.inputs[0]]
    for position in 1...2 { planned.program.buffers[position].kind = .temporary }
    return HandBuilt.planned(planned.program)
  }

  /// Short nests of parallel loops, in turns with few iterations and many: `y = x * x`, row by row.
  static func squares() -> PlannedProgram {
    let counts = [2, 60, 3, 90, 2, 40]
    let v = LoopVariable(id: counts.count, extent: 4)
    var start = 0
    let nests: [Statement] = counts.enumerated().map { number, count in
      let row = LoopVariable(id: number, extent: count)
      let place = (Index(row) + start) * 4 + Index(v)
      start += count
      let x = Expression.load(.buffer(BufferID(0)), place, .f32)
      return nest(
        [(row, .parallel), (v, .lanes)], [.store(.buffer(BufferID(1)), place, .pointwise(.multiply, [x, x]))])
    }
    return HandBuilt.program(inputs: [(.f32, [start, 4])], output: (.f32, [start, 4]), nests)
  }

  /// Windows of 3 with a maximum in registers, guarded at the border, positions unrolled.
  static func pooling(lanes: Int, type: ScalarType = .f32) -> PlannedProgram {
    let (c, j) = (LoopVariable(id: 0, extent: 2), LoopVariable(id: 1, extent: 2))
    let (q, t, v) = (LoopVariable(id: 2, extent: 3), LoopVariable(id: 3, extent: 3), LoopVariable(id: 4, extent: lanes))
    let maxima = LocalArray(id: 0, type: type, count: 3 * lanes, lanes: lanes)
    let place = Index(t) * lanes + Index(v)
    let own = Expression.load(.local(maxima), place, type)
    let position = Index(j) * 3 + Index(t)
    let source = position + Index(q) - 1
    let load = Expression.load(.buffer(BufferID(0)), (Index(c) * 6 + source) * lanes + Index(v), type)
    let lowest = Expression.constant(type.lowest, type)
    let guarded = Expression.select([.inRange(source, 0..<6)], then: load, otherwise: lowest)
    return HandBuilt.program(
      inputs: [(type, [2, 6, lanes])], output: (type, [2, 6, lanes]),
      [
        nest(
          [(c, .parallel), (j, .serial)],
          [
            .allocate(maxima),
            nest([(t, .unrolled), (v, .lanes)], [.store(.local(maxima), place, lowest)]),
            nest(
              [(q, .unrolled), (t, .unrolled), (v, .lanes)],
              [.store(.local(maxima), place, .pointwise(.maximum, [own, guarded]))]),
            nest(
              [(t, .unrolled), (v, .lanes)],
              [.store(.buffer(BufferID(1)), (Index(c) * 6 + position) * lanes + Index(v), own)]),
          ])
      ])
  }
}
