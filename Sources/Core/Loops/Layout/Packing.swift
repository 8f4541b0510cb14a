/// What a schedule asks of a buffer that is read.
struct OperandFacts {
  /// Whether the content is known now, and so can be laid out at will.
  var isConstant: Bool
  /// Elements.
  var count: Int
  /// Whether every element has been written, also those beside the operand where that is a part of a whole.
  var isWhole = true
}

/// An operand copied into the order in which loops read it.
struct Packing: Hashable {
  /// What is copied.
  var source: BufferID
  var type: ScalarType
  /// The element of the source that comes first; around kernels, it may depend on the program's loops.
  var start: Index
  /// The loops, outermost first: how often each runs, and its stride in the source.
  var extents: [Int]
  var strides: [Int]
  /// How many of the innermost loop's iterations copy an element; the others leave zeros, to fill up vectors.
  var filled: Int

  init(_ source: BufferID, _ type: ScalarType, _ position: Index, over loops: [LoopVariable], width: Int? = nil) {
    self.source = source
    self.type = type
    start = loops.reduce(position) { $0 - Index($1) * position.coefficient(of: $1) }
    extents = loops.map(\.extent)
    strides = loops.map { position.coefficient(of: $0) }
    filled = extents.last ?? 1
    if let width { extents[extents.count - 1] = width }
  }

  var count: Int { extents.reduce(1, *) }

  /// The copy of a constant.
  var rearrangement: Rearrangement {
    Rearrangement(
      origin: start.known ?? internalError("a constant is packed from a place that is no number: \(start)"),
      extents: extents, strides: strides, filled: filled)
  }
}

extension Tile {
  /// The tile with its operands that are read as vectors laid out in the order of its loops: constants always, others
  /// where lanes are not neighbours in memory.
  ///
  /// Constants fill up vectors that the lanes leave partly empty.
  ///
  /// - Parameter pack: Makes the copy and names its buffer.
  func packed(_ facts: (BufferID) -> OperandFacts, _ pack: (Packing) -> BufferID) -> Tile {
    let scalars = nest.scalars
    guard let reduction = nest.onlyReduction, case .reduce(_, _, let body) = scalars.node(reduction) else {
      return self
    }
    let loops = outer.filter { !(panels + panel).contains($0) } + panels + order + [rows].compactMap { $0 } + panel
    var loads: [(scalar: Scalar, position: Index, own: [LoopVariable], buffer: BufferID)] = []
    var areConstant = true
    // Vectors of one element have no loop that positions mention.
    let vector = hasScalarColumns ? columns ?? lanes : lanes
    scalars.forEach([body]) { scalar, node in
      guard case .load(let buffer, let position) = node, position.variables.contains(vector) else { return }
      let own = loops.filter { position.variables.contains($0) }
      guard position.isAffine, !position.isDynamic, rows.map({ !position.variables.contains($0) }) ?? true,
        facts(buffer).isConstant || position.coefficient(of: vector) != 1, position.lies(in: facts(buffer)),
        !facts(buffer).isConstant || position.variables.isSubset(of: own)
      else {
        areConstant = false
        return
      }
      if !facts(buffer).isConstant { areConstant = false }
      loads.append((scalar, position, own, buffer))
    }
    var result = self
    var width = 1
    while width < lanes.extent { width *= 2 }
    if areConstant, width > lanes.extent { result.sumLanes = scalars.variable(width) }
    var replacements: [Scalar: Scalar] = [:]
    for load in loads {
      let packing = Packing(
        load.buffer, scalars.type(load.scalar), load.position, over: load.own,
        width: vector == lanes ? result.sumLanes.extent : nil)
      guard packing.strides != Packing.denseStrides(packing.extents) || packing.filled < result.sumLanes.extent else {
        continue
      }
      replacements[load.scalar] = scalars.load(
        pack(packing), Index.flattened(load.own.map { Index($0) }, shape: packing.extents), packing.type)
    }
    guard !replacements.isEmpty else { return self }
    result.nest.stores[0].value = scalars.replacing([nest.stores[0].value], by: replacements)[0]
    let packedBody = scalars.replacing([body], by: replacements)[0]
    result.summand =
      scalars.rewritten(
        [packedBody],
        [lanes: ScalarBuilder.Replacement(index: Index(result.sumLanes), variables: [result.sumLanes])])[0]
    return result
  }
}

extension Nest {
  /// The nest with constants that its loops overrun filled up with zeros; nil where another operand is overrun, or may be
  /// where nothing has been written yet.
  func fillingConstants(_ facts: (BufferID) -> OperandFacts, _ pack: (Packing) -> BufferID) -> Nest? {
    var replacements: [Scalar: Scalar] = [:]
    var isSafe = true
    scalars.forEach(stores.map(\.value)) { scalar, node in
      // What fills up is no index of data.
      if case .checked = node { isSafe = false }
      guard case .load(let buffer, let position) = node else { return }
      if !facts(buffer).isWhole { isSafe = false }
      if position.lies(in: facts(buffer)) { return }
      guard facts(buffer).isConstant, position.isAffine, !position.isDynamic else {
        isSafe = false
        return
      }
      let own = position.variables.sorted()
      let packing = Packing(buffer, scalars.type(scalar), position, over: own)
      replacements[scalar] = scalars.load(
        pack(packing), Index.flattened(own.map { Index($0) }, shape: packing.extents), packing.type)
    }
    guard isSafe else { return nil }
    var result = self
    let values = scalars.replacing(stores.map(\.value), by: replacements)
    for (position, value) in values.enumerated() { result.stores[position].value = value }
    return result
  }
}

extension Index {
  /// Whether all positions are elements of a buffer, also where conditions would keep loops away from some.
  func lies(in operand: OperandFacts) -> Bool {
    guard let bounds else { return false }
    return bounds.lowerBound >= 0 && bounds.upperBound < operand.count
  }
}

extension Packing {
  /// The strides of a dense array.
  static func denseStrides(_ extents: [Int]) -> [Int] {
    var strides = extents
    var stride = 1
    for position in extents.indices.reversed() {
      strides[position] = stride
      stride *= extents[position]
    }
    return strides
  }
}
