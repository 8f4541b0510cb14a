/// A nest with one reduction as a register tile: a block of results whose partial results stay in registers over the
/// whole reduction.
///
/// The block is `columns` by `rows` vectors of `lanes` results. An operand that depends on the lanes is read as
/// vectors, once per column; one that does not is read as scalars, once per row, and repeated in all lanes: the outer
/// product of Goto's matrix multiplication, and of direct convolution over blocked channels.
///
/// Goto, van de Geijn: Anatomy of High-Performance Matrix Multiplication (2008); Georganas et al.: Anatomy of
/// High-Performance Deep Learning Convolutions on SIMD Architectures (2018), arXiv 1808.05567.
struct Tile {
  /// The nest; its domain holds the loops around the block, then `columns`, `rows` and `lanes`.
  var nest: Nest
  /// The loops around the block, outermost first.
  var outer: [LoopVariable]
  /// How many of them, from the outermost, may be shared out to threads.
  var parallelCount: Int
  var columns: LoopVariable?
  var rows: LoopVariable?
  var lanes: LoopVariable
  /// The loops behind those of the reduction in the order of what is packed: columns and lanes; where targets share an
  /// order, only lanes, so that any number of columns reads streams of whole vectors.
  var panel: [LoopVariable]
  /// The loops right before those of the reduction in that order, whichever place they have in the nest.
  var panels: [LoopVariable] = []
  /// The lanes of the sums: those of the results, or more where vectors are filled up.
  var sumLanes: LoopVariable
  /// What is joined over the reduction, with `sumLanes` in the place of `lanes`; nil for the reduction's own body.
  var summand: Scalar?
  /// Whether the target's vectors are single elements, and columns what vectors are elsewhere.
  var hasScalarColumns = false
  /// The loops of the reduction, outermost first, and how many of the innermost are written out.
  var order: [LoopVariable]
  var unrolledCount: Int
  /// The loop of the reduction each of whose steps has sums of its own.
  var partials: LoopVariable?
}

/// What a reduction's body reads, and what its conditions mention.
private struct ReductionShape {
  let scalar: Scalar
  let combiner: Combiner
  let variables: [LoopVariable]
  let type: ScalarType
  /// The positions that are read, with the buffers.
  var loads: [(buffer: BufferID, position: Index)] = []
  /// Variables that conditions depend on, or that occur in divisions: they cannot be tiled.
  var fixed = Set<LoopVariable>()

  /// The only reduction of a nest that stores one tensor; nil if there are others, or arguments of extremes.
  init?(_ nest: Nest) {
    guard nest.stores.count == 1, nest.limits.isEmpty else { return nil }
    let scalars = nest.scalars
    var found: [Scalar] = []
    var isPlain = true
    scalars.forEach([nest.stores[0].value]) { scalar, node in
      switch node {
      case .reduce: found.append(scalar)
      case .argReduce: isPlain = false
      default: break
      }
    }
    guard isPlain, found.count == 1, case .reduce(let combiner, let variables, let body) = scalars.node(found[0]) else {
      return nil
    }
    scalar = found[0]
    self.combiner = combiner
    self.variables = variables.filter { $0.extent != 1 }
    type = scalars.type(found[0])
    let (constraints, value) = scalars.liftedGuard(body, combiner)
    for constraint in constraints { fixed.formUnion(constraint.index.variables) }
    scalars.forEach([value]) { _, node in
      for index in scalars.indices(node) {
        for (dividend, _) in index.divisions { fixed.formUnion(dividend.variables) }
        if index.isDynamic { isPlain = false }
      }
      switch node {
      case .load(let buffer, let position): loads.append((buffer, position))
      case .guarded(let constraints, _, _):
        for constraint in constraints { fixed.formUnion(constraint.index.variables) }
      case .index, .checked, .reduce, .argReduce: isPlain = false
      default: break
      }
    }
    guard isPlain, !loads.isEmpty, constraints.allSatisfy({ !$0.index.isDynamic }) else { return nil }
  }
}

extension Tile {
  /// The fewest results in a vector that are worth their registers.
  private static let fewestLanes = 4
  /// Multiply-adds below which a kernel stays on one thread.
  private static let threadedWork = 1 << 17
  /// The most statements that come of unrolling a block.
  static let longestBlock = 144

  /// The nest as tiles that cover it, where its shape is one of a tile's; else nil.
  ///
  /// - Parameter facts: What is known of the buffers that are read.
  static func tiles(_ nest: Nest, for target: Target, facts: (BufferID) -> OperandFacts) -> [Tile]? {
    guard let shape = ReductionShape(nest), [.f32, .f64].contains(shape.type),
      let vector = lanesVariable(nest, shape, facts), vector.extent >= fewestLanes
    else { return nil }
    let width = target.lanes(shape.type)
    // Vectors of one element: the variable is one of columns.
    if width == 1 { return blocks(nest, nest.scalars.variable(1), along: vector, shape, target) }
    var result: [Tile] = []
    for (part, panel) in nest.parts(vector, into: target.ordering.lanes(shape.type)) {
      let parts =
        target.order == nil ? [(part, panel)] : part.cutToPowersOfTwo(panel, downTo: 16 / shape.type.byteCount)
      for (part, lanes) in parts {
        guard let shape = ReductionShape(part) else { return nil }
        result += blocks(part, lanes, shape, target)
      }
    }
    return result
  }

  /// The variable along which results make vectors: neighbours in the result and in every operand that depends on it.
  private static func lanesVariable(
    _ nest: Nest, _ shape: ReductionShape, _ facts: (BufferID) -> OperandFacts
  ) -> LoopVariable? {
    func fits(_ variable: LoopVariable) -> Bool {
      guard variable.extent > 1, !shape.fixed.contains(variable) else { return false }
      var isVector = false
      for load in shape.loads where load.position.variables.contains(variable) {
        isVector = true
        if load.position.coefficient(of: variable) == 1 { continue }
        guard isPackable(load, nest, shape, facts) else { return false }
      }
      return isVector
    }
    let position = nest.stores[0].position
    if let variable = nest.domain.last(where: { position.coefficient(of: $0) == 1 }), fits(variable) { return variable }
    // Results apart from each other are stored lane by lane: worth it after a long reduction.
    guard shape.variables.reduce(1, { $0 * $1.extent }) >= 64 else { return nil }
    return nest.domain.last { variable in
      variable.extent >= 8 && fits(variable)
        && shape.loads.contains { $0.position.coefficient(of: variable) == 1 }
    }
  }

  /// Whether an operand can be copied into the order in which the tile reads it, at a cost that its reuse pays.
  private static func isPackable(
    _ load: (buffer: BufferID, position: Index), _ nest: Nest, _ shape: ReductionShape,
    _ facts: (BufferID) -> OperandFacts
  ) -> Bool {
    let operand = facts(load.buffer)
    guard shape.loads.count == 2, load.position.isAffine, load.position.lies(in: operand) else { return false }
    if operand.isConstant { return true }
    let own = load.position.variables
    return nest.domain.filter { !own.contains($0) }.reduce(1) { $0 * $1.extent } >= 8
  }

  /// Cuts the rest of the domain into blocks of rows and columns.
  ///
  /// - Parameter vector: What operands that are read as vectors depend on, where that is not the lanes.
  private static func blocks(
    _ nest: Nest, _ lanes: LoopVariable, along vector: LoopVariable? = nil, _ shape: ReductionShape, _ target: Target
  ) -> [Tile] {
    var ofVectors = Set<LoopVariable>()
    var ofScalars = Set<LoopVariable>()
    for load in shape.loads {
      let variables = load.position.variables
      if variables.contains(vector ?? lanes) { ofVectors.formUnion(variables) } else { ofScalars.formUnion(variables) }
    }
    let free = nest.domain.filter { $0 != lanes && !shape.fixed.contains($0) }
    let columns =
      vector ?? free.filter { ofVectors.contains($0) && !ofScalars.contains($0) }.max { $0.extent < $1.extent }
    // Without scalar operands (pooling, depthwise convolution), neighbouring results share vectors.
    let rowCandidates =
      ofScalars.isEmpty
      ? free.filter { variable in shape.loads.contains { !$0.position.variables.contains(variable) } || columns == nil }
      : free.filter { ofScalars.contains($0) && !ofVectors.contains($0) }
    let store = nest.stores[0].position
    let rows = rowCandidates.filter { $0 != columns }.min {
      (store.coefficient(of: $0), $1.extent) < (store.coefficient(of: $1), $0.extent)
    }
    let isContraction = !ofScalars.isEmpty
    let useColumns = isContraction ? columns : nil
    let depth = shape.variables.reduce(1) { $0 * $1.extent }
    // Lanes that are several vectors of this target are columns of the block.
    let vectors = lanes.extent / min(lanes.extent, target.lanes(shape.type))
    let vectorBytes = depth * lanes.extent / vectors * shape.type.byteCount
    let size = BlockSize(
      columns: useColumns?.extent ?? 1, rows: rows?.extent ?? 1, target: target.ordering, isContraction: isContraction,
      bytesPerColumn: vectorBytes * vectors)

    let wholeReads = shape.loads
    var result: [Tile] = []
    for (part, column) in nest.cut(useColumns, into: size.columns) {
      var size = size
      if target.order != nil, target.ordering.vectorBytes != target.vectorBytes {
        size = BlockSize(
          columns: !isContraction ? 1 : vectors > 1 ? vectors : column?.extent ?? 1, rows: rows?.extent ?? 1,
          target: target, isContraction: isContraction, bytesPerColumn: vectorBytes, dividingColumns: true)
      }
      for (part, row) in part.cut(rows, into: size.rows) {
        var panel = Panel(nest: part, columns: column, lanes: lanes)
        if target.order != nil { panel.share(width: lanes.extent / vectors, columns: size.columns) }
        let part = panel.nest
        let (column, lanes) = (panel.columns, panel.lanes)
        let block = [column, row, lanes].compactMap { $0 }
        var outer = part.domain.filter { !block.contains($0) }
        guard let shape = ReductionShape(part) else { return [] }
        let ofColumns = vector == nil ? lanes : column ?? lanes
        if isContraction { outer = ordered(outer, shape, ofColumns, depth * (column?.extent ?? 1), target) }
        // Blocks and rests differ between targets that share an order.
        let (reads, along) = target.order == nil ? (shape.loads, row) : (wholeReads, rows)
        func shiftsRows(_ variable: LoopVariable) -> Bool {
          guard let along, isContraction else { return false }
          return reads.contains { load in
            let (own, step) = (load.position.coefficient(of: variable), load.position.coefficient(of: along))
            return own != 0 && step != 0
              && (1..<variable.extent).contains { own * $0 % step == 0 && abs(own * $0 / step) < along.extent }
          }
        }
        let order = reductionOrder(shape, ofColumns, shiftsRows: shiftsRows)
        let blockSize = (column?.extent ?? 1) * (row?.extent ?? 1)
        var tile = Tile(
          nest: part, outer: outer, parallelCount: 0, columns: column, rows: row, lanes: lanes, panel: panel.inner,
          panels: panel.outer, sumLanes: lanes, hasScalarColumns: vector != nil, order: order,
          unrolledCount: unrolled(order, shape, blockSize, isContraction: isContraction, shiftsRows: shiftsRows))
        tile.nest.domain = outer + block
        // A matrix with one vector is read once: memory takes twice the time that its products would.
        let streams = isContraction && (rows?.extent ?? 1) == 1
        let products = depth * part.domain.reduce(1) { $0 * $1.extent }
        tile.parallelCount = parallel(outer, work: streams ? 2 * products : products)
        result.append(tile)
      }
    }
    return result
  }

  /// The order of the loops around the block: what stays in the second-level cache is inside.
  ///
  /// - Parameter depth: The vectors that one block reads.
  private static func ordered(
    _ outer: [LoopVariable], _ shape: ReductionShape, _ lanes: LoopVariable, _ depth: Int, _ target: Target
  ) -> [LoopVariable] {
    var ofVectors = Set<LoopVariable>()
    var ofScalars = Set<LoopVariable>()
    var vectorElements = depth * lanes.extent
    for load in shape.loads {
      let variables = load.position.variables
      if variables.contains(lanes) { ofVectors.formUnion(variables) } else { ofScalars.formUnion(variables) }
    }
    let columns = outer.filter { ofVectors.contains($0) && !ofScalars.contains($0) }
    let rows = outer.filter { ofScalars.contains($0) && !ofVectors.contains($0) }
    let shared = outer.filter { !columns.contains($0) && !rows.contains($0) }
    for variable in columns { vectorElements *= variable.extent }
    let fits = vectorElements * shape.type.byteCount <= target.level2Bytes / 2
    return shared + (fits ? rows + columns : columns + rows)
  }

  /// The loops of the reduction from the largest strides to the smallest of what is read as scalars.
  ///
  /// A loop that shifts the rows onto each other is no inner one: compilers would carry what is read from step to step,
  /// and have no registers left for that.
  private static func reductionOrder(
    _ shape: ReductionShape, _ lanes: LoopVariable, shiftsRows: (LoopVariable) -> Bool
  ) -> [LoopVariable] {
    let scalars = shape.loads.filter { !$0.position.variables.contains(lanes) }
    let loads = scalars.isEmpty ? shape.loads : scalars
    func stride(_ variable: LoopVariable) -> Int {
      loads.map { abs($0.position.coefficient(of: variable)) }.max() ?? 0
    }
    let byStride = shape.variables.enumerated().sorted {
      (stride($0.element), -$0.offset) > (stride($1.element), -$1.offset)
    }.map(\.element)
    return byStride.filter { shiftsRows($0) } + byStride.filter { !shiftsRows($0) }
  }

  /// How many of the innermost loops of the reduction are written out.
  ///
  /// Of a window that slides along the vectors, all, so that neighbours share what they read. Of a matrix product, one
  /// that shifts rows onto each other, for the same reason, or a short one around a small block, which would otherwise
  /// be mostly the loop's own work.
  private static func unrolled(
    _ order: [LoopVariable], _ shape: ReductionShape, _ blockSize: Int, isContraction: Bool,
    shiftsRows: (LoopVariable) -> Bool
  ) -> Int {
    var count = 0
    var size = blockSize
    for variable in order.reversed() {
      size *= variable.extent
      if size > longestBlock || shape.fixed.contains(variable) { break }
      if isContraction, count == 1 || !shiftsRows(variable) && (size > longestBlock / 2 || variable.extent > 4) {
        break
      }
      count += 1
    }
    return count
  }

  /// How many of the outer loops threads may share, so that there are enough parts to balance.
  static func parallel(_ outer: [LoopVariable], work: Int) -> Int {
    guard work >= threadedWork else { return 0 }
    var parts = 1
    for (position, variable) in outer.enumerated() {
      parts *= variable.extent
      if parts >= 16 { return position + 1 }
    }
    return parts > 1 ? outer.count : 0
  }
}

/// The columns and lanes of a block, and where their loops are in the order of what is packed.
private struct Panel {
  var nest: Nest
  var columns: LoopVariable?
  var lanes: LoopVariable
  /// Before and behind the loops of the reduction.
  var outer: [LoopVariable] = []
  var inner: [LoopVariable]

  init(nest: Nest, columns: LoopVariable?, lanes: LoopVariable) {
    self.nest = nest
    self.columns = columns
    self.lanes = lanes
    inner = [columns, lanes].compactMap { $0 }
  }

  /// Takes the order that targets share: columns of the widest target's vectors outside, whose lanes are cut into
  /// vectors of `width`, so many of which are the columns of the block.
  mutating func share(width: Int, columns count: Int) {
    outer = [columns].compactMap { $0 }
    inner = [lanes]
    if lanes.extent > width {
      let (cut, vectors, lane) = nest.split(lanes, by: width)
      (nest, lanes) = (cut, lane)
      let (block, around) = take(count, of: vectors)
      inner = around + [lane]
      columns = block
    } else if let all = columns {
      (columns, outer) = take(count, of: all)
    }
  }

  /// Makes columns of the block out of a loop that their number divides, or that is shorter.
  private mutating func take(_ count: Int, of loop: LoopVariable) -> (block: LoopVariable?, all: [LoopVariable]) {
    if count == 1 { return (nil, [loop]) }
    if count >= loop.extent { return (loop, [loop]) }
    let (cut, around, block) = nest.split(loop, by: count)
    nest = cut
    return (block, [around, block])
  }
}

/// How many columns and rows of vectors a block has.
private struct BlockSize {
  var columns = 1
  var rows = 1

  /// Chooses by the cycles that the blocks of the whole domain take, in units of one vector instruction at two per
  /// cycle.
  ///
  /// - Parameter dividingColumns: Whether blocks must not leave a rest of columns.
  init(
    columns: Int, rows: Int, target: Target, isContraction: Bool, bytesPerColumn: Int, dividingColumns: Bool = false
  ) {
    // Between a multiply-add and the next one on the same register, two ports do eight.
    let latency = 8
    var best = Double.infinity
    for column in 1...max(1, min(columns, 8)) where !dividingColumns || columns % column == 0 {
      for row in 1...max(1, min(rows, isContraction ? 28 : 8)) {
        // Besides the sums: the vectors of a step, and the scalar that meets them. Instructions of AVX-512 can repeat a
        // scalar from memory, but not all compilers have them do so; one that has no register left spills sums.
        let extra = min(column, row) + 1
        guard column * row + extra <= target.registers || column * row == 1 else { continue }
        func cost(_ column: Int, _ row: Int) -> Double {
          column * row == 0
            ? 0
            // Vectors come from the second-level cache, scalars from the first.
            : Double(max(column * row, column + row, latency)) + 0.2 * Double(column) + 0.04 * Double(row) + 1
        }
        func total(_ row: Int) -> Double {
          let whole = Double(columns / column) * cost(column, row)
          return whole + cost(columns % column, row)
        }
        var sum = Double(rows / row) * total(row) + (rows % row == 0 ? 0 : total(rows % row))
        // Columns that do not stay in the second-level cache come from afar for every row of blocks.
        if bytesPerColumn * column > target.level2Bytes * 3 / 4, rows > row { sum *= 1.15 }
        if sum < best {
          best = sum
          (self.columns, self.rows) = (column, row)
        }
      }
    }
  }
}

extension Nest {
  /// Cuts lanes that fill no vector into parts that are vectors of narrower targets, down to a length.
  fileprivate func cutToPowersOfTwo(
    _ lanes: LoopVariable, downTo least: Int
  ) -> [(nest: Nest, lanes: LoopVariable)] {
    var power = 1
    while power * 2 <= lanes.extent { power *= 2 }
    guard lanes.extent > max(power, least) else { return [(self, lanes)] }
    let (main, whole) = restricted(lanes, to: 0..<power)
    let (tail, last) = restricted(lanes, to: power..<lanes.extent)
    return [(main, whole)] + tail.cutToPowersOfTwo(last, downTo: least)
  }

  /// Cuts a variable into blocks of a size; a rest that does not fill a block is a part of its own.
  ///
  /// - Returns: Each part with the variable inside its blocks; the nest itself where there is no variable.
  fileprivate func cut(_ variable: LoopVariable?, into size: Int) -> [(nest: Nest, block: LoopVariable?)] {
    guard let variable else { return [(self, nil)] }
    return parts(variable, into: size).map { ($0.nest, $0.block) }
  }

  fileprivate func parts(_ variable: LoopVariable, into size: Int) -> [(nest: Nest, block: LoopVariable)] {
    if variable.extent <= size { return [(self, variable)] }
    let rest = variable.extent % size
    if rest == 0 {
      let (nest, _, inner) = split(variable, by: size)
      return [(nest, inner)]
    }
    let (main, whole) = restricted(variable, to: 0..<(variable.extent - rest))
    let (tail, last) = restricted(variable, to: (variable.extent - rest)..<variable.extent)
    return main.parts(whole, into: size) + [(tail, last)]
  }
}
