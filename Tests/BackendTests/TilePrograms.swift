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
