/// One kernel: from an operation's loop definition to scheduled statements.
struct KernelLowering {
  let scalars: ScalarBuilder
  let parameters: [LoopVariable]
  let target: Target
  /// What is known of the buffers that are read.
  let facts: (BufferID) -> OperandFacts

  /// What comes of a definition.
  struct Result {
    /// The parts of the kernel's body; see `Kernel.parts`.
    var parts: [[Statement]]
    var macs: Int
    var inPlace: [BufferID]
    /// Operands that are to be copied before the kernel runs, with the numbers that stand for the copies in the body.
    ///
    /// Earlier ones may be the sources of later ones.
    var packings: [(packing: Packing, copy: BufferID)] = []
    /// A tensor that only this kernel uses, with the number that stands for it in the body.
    var workspace: (type: TensorType, buffer: BufferID)?
    /// The numbers of registers and local arrays in use.
    var used = (registers: 0, locals: 0)

    /// A kernel that does nothing.
    static let empty = Result(parts: [], macs: 0, inPlace: [])
  }

  /// The copies of operands that a kernel asks for, under numbers that stand for buffers yet to be made.
  private final class Packings {
    private let given: (BufferID) -> OperandFacts
    private(set) var all: [(packing: Packing, copy: BufferID)] = []

    init(facts: @escaping (BufferID) -> OperandFacts) {
      given = facts
    }

    func copy(_ packing: Packing) -> BufferID {
      if let known = all.first(where: { $0.packing == packing }) { return known.copy }
      let copy = BufferID(Int.max - all.count)
      all.append((packing, copy))
      return copy
    }

    func facts(of buffer: BufferID) -> OperandFacts {
      guard let known = all.first(where: { $0.copy == buffer }) else { return given(buffer) }
      return OperandFacts(isConstant: facts(of: known.packing.source).isConstant, count: known.packing.count)
    }
  }

  /// Lowers one result of a definition into a tensor of a layout that starts at an element of a buffer.
  ///
  /// - Parameter squares: So many elements along both axes of an image are computed together; nil for one by one.
  func lower(
    _ definition: Definition, layout: Layout, type: ScalarType, into buffer: BufferID, at start: Index,
    squares: Int? = nil
  ) -> Result {
    guard !layout.shape.contains(0) else { return .empty }
    switch definition {
    case .elements(let elements) where squares != nil:
      return lower(elements[0], inSquaresOf: squares ?? 1, layout: layout, into: buffer, at: start)
    case .elements(let elements):
      func nest(includingPadding: Bool) -> Nest {
        let (domain, indices) = layout.domain(scalars, includingPadding: includingPadding)
        return Nest(
          scalars: scalars, domain: domain.filter { $0.extent != 1 },
          stores: [
            Nest.Store(buffer: buffer, position: start + layout.position(indices), value: elements[0](indices))
          ])
      }
      // Whole vectors, where nothing is read that is not there.
      if layout.padding > 0, let result = lower(nest(includingPadding: true), fillingConstants: true) { return result }
      return lower(nest(includingPadding: false))
    case .cumulative(let cumulative): return lower(cumulative, layout: layout, type: type, into: buffer, at: start)
    case .sort(let sort): return lower(sort, layout: layout, into: buffer, at: start)
    case .scatter(let scatter): return lower(scatter, layout: layout, type: type, into: buffer, at: start)
    case .controlFlow: internalError("control flow is no kernel")
    case .routine: internalError("a routine has no loops")
    }
  }

  func lower(_ nest: Nest) -> Result {
    guard let result = lower(nest, fillingConstants: false) else { internalError("only what fills up can be refused") }
    return result
  }

  private func lower(_ nest: Nest, fillingConstants: Bool) -> Result? {
    let packings = Packings(facts: facts)
    var nests = nest.normalized(forTiles: target.isTiled)
    if fillingConstants {
      for position in nests.indices {
        guard let filled = nests[position].fillingConstants(packings.facts(of:), { packings.copy($0) }) else {
          return nil
        }
        nests[position] = filled
      }
    }
    var parts: [[Statement]] = []
    var used = (registers: 0, locals: 0)
    func emit(_ statements: (inout NestEmitter) -> [Statement]) {
      var emitter = NestEmitter(scalars, parameters: parameters, nextRegister: used.registers, nextLocal: used.locals)
      parts.append(statements(&emitter))
      used = emitter.used
    }
    var keepsRows = false
    if target.isTiled {
      nests = nests.flatMap { nest in
        let lanes = target.lanes(scalars.type(nest.stores[0].value))
        guard let (blocks, rest) = nest.transposition(lanes: lanes) else { return [nest] }
        let work = blocks.domain.reduce(4) { $0 * $1.extent }
        emit { $0.emit(inLanes: blocks, parallelCount: Tile.parallel(Array(blocks.domain.dropLast(2)), work: work)) }
        return rest
      }
    }
    for part in nests {
      guard target.isTiled, let tiles = Tile.tiles(part, for: target, facts: packings.facts(of:)) else {
        var schedule = Schedule(part, for: target)
        if target.isTiled { schedule.parallelCount = schedule.loopsToShare }
        if let rows = part.keepingRow() {
          keepsRows = true
          emit { $0.emitRows(rows.first, rows.second, parallelCount: schedule.parallelCount) }
        } else {
          emit { $0.emit(schedule) }
        }
        continue
      }
      for tile in tiles {
        let packed = tile.packed(packings.facts(of:)) { packings.copy($0) }
        emit { $0.emit(target.isInterpreted ? packed : packed.summedSideBySide()) }
      }
    }
    return Result(
      parts: parts, macs: macs(nest),
      // The first step for a row would overwrite what the second one reads.
      inPlace: keepsRows ? [] : inPlaceOperands(nest), packings: packings.all, used: used)
  }

  /// The parts of a kernel that fill the border of a layout with zeros.
  func border(of layout: Layout, type: ScalarType, in buffer: BufferID, at start: Index) -> [[Statement]] {
    var parts: [[Statement]] = []
    for axis in layout.shape.indices {
      let border = layout.borders[axis]
      for range in [-border.low..<0, layout.shape[axis]..<layout.shape[axis] + border.high] where !range.isEmpty {
        // Borders of earlier axes hold the corners.
        let ranges = layout.shape.indices.map { other in
          other == axis ? range : other < axis ? 0..<layout.shape[other] : layout.readable(other)
        }
        if ranges.contains(where: \.isEmpty) { continue }
        let (domain, indices) = layout.domain(scalars, over: ranges)
        let nest = Nest(
          scalars: scalars, domain: domain.filter { $0.extent != 1 },
          stores: [
            Nest.Store(
              buffer: buffer, position: start + layout.position(indices), value: scalars.constant(.float(0), type))
          ]
        ).collapsed()
        var emitter = NestEmitter(scalars, parameters: parameters)
        parts.append(emitter.emit(Schedule(nest, for: target)))
      }
    }
    return parts
  }

  /// Multiply-accumulate operations: the sizes of all sums of products.
  private func macs(_ nest: Nest) -> Int {
    var total = 0
    var memo: [Scalar: Set<LoopVariable>] = [:]
    let domain = Set(nest.domain)
    scalars.forEach(nest.stores.map(\.value)) { scalar, node in
      guard case .reduce(.sum, let variables, let body) = node, case .pointwise(.multiply, _) = scalars.node(body)
      else { return }
      let outer = scalars.freeVariables(scalar, &memo).intersection(domain)
      total += (Array(outer) + variables).reduce(1) { $0 * $1.extent }
    }
    return total
  }

  /// The buffers that are read at the position being written, and nowhere else.
  private func inPlaceOperands(_ nest: Nest) -> [BufferID] {
    guard nest.stores.count == 1 else { return [] }
    var same = Set<BufferID>()
    var other = Set<BufferID>()
    scalars.forEach([nest.stores[0].value]) { _, node in
      guard case .load(let buffer, let position) = node else { return }
      if position == nest.stores[0].position { same.insert(buffer) } else { other.insert(buffer) }
    }
    return same.subtracting(other).sorted()
  }

  // MARK: Imperative definitions

  private func lower(
    _ cumulative: Cumulative, layout: Layout, type: ScalarType, into buffer: BufferID, at start: Index
  ) -> Result {
    let (domain, indices) = layout.domain(scalars)
    var position = layout.position(indices)
    var element = indices
    let axis = indices[cumulative.axis].variables
    if cumulative.reverse {
      func reversed(_ index: Index) -> Index {
        index.substituting { axis.contains($0) ? Index($0.extent - 1) - Index($0) : Index($0) }
      }
      position = reversed(position)
      element[cumulative.axis] = reversed(element[cumulative.axis])
    }
    var emitter = NestEmitter(scalars, parameters: parameters)
    let body = emitter.emitCumulative(
      outer: domain.filter { !axis.contains($0) && $0.extent != 1 }, along: domain.filter(axis.contains),
      combiner: cumulative.combiner,
      value: cumulative.element(element), type: type, to: .buffer(buffer), at: start + position)
    return Result(parts: [body], macs: 0, inPlace: [])
  }

  private func lower(_ sort: SortDefinition, layout: Layout, into buffer: BufferID, at start: Index) -> Result {
    let domain = scalars.variables(layout.shape)
    let indices = domain.map { Index($0) }
    let key = sort.key(indices)
    guard case .load(let keys, let position) = scalars.node(key) else {
      internalError("what is sorted is \(scalars.node(key)), not in memory")
    }
    let work = BufferID(.max)
    let outer = domain.indices.filter { $0 != sort.axis && domain[$0].extent != 1 }.map { domain[$0] }
    // A step of a merge costs as much as several multiplications in a tile.
    let steps = domain.reduce(16) { $0 * $1.extent }
    var emitter = NestEmitter(scalars, parameters: parameters)
    let body = emitter.emitSort(
      outer: outer, along: domain[sort.axis], key: (.buffer(keys), position, scalars.type(key)),
      descending: sort.descending, memories: [.buffer(buffer), .buffer(work)],
      positions: [start + layout.position(indices), Index.flattened(indices, shape: layout.shape)],
      parallelCount: target.isTiled ? Tile.parallel(outer, work: steps) : 0)
    return Result(parts: [body], macs: 0, inPlace: [], workspace: (TensorType(.i64, layout.shape), work))
  }

  private func lower(
    _ scatter: ScatterDefinition, layout: Layout, type: ScalarType, into buffer: BufferID, at start: Index
  ) -> Result {
    var result = lower(.element(scatter.base), layout: layout, type: type, into: buffer, at: start)
    guard !scatter.domain.contains(0) else { return result }
    let domain = scalars.variables(scatter.domain)
    let indices = domain.map { Index($0) }
    var emitter = NestEmitter(
      scalars, parameters: parameters, nextRegister: result.used.registers, nextLocal: result.used.locals)
    let updates = emitter.emitScatter(
      domain: domain, target: scatter.target(indices), isChecked: scatter.isChecked, layout: layout,
      update: scatter.update(indices),
      combiner: scatter.combiner, type: type, to: .buffer(buffer), at: start)
    // The updates read what the base wrote.
    result.parts = [Array(result.parts.joined()) + updates]
    // The updates may be read from where the result would be.
    result.inPlace = []
    return result
  }
}
