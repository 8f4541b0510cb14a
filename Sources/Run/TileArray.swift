internal import LatheCore

/// The arrays of a register tile that statements make and fill, where they are touched, and the tile's loops.
struct TileArray {
  /// One, or two of one form: the results, and what blocks of a long sum are summed in.
  var arrays: [LocalArray]
  var places: [Index]
  var loops: [LoopVariable]
  /// The loop over all lanes, where results are fewer.
  var wideLanes: LoopVariable?

  init?(_ statements: [Statement]) {
    arrays = statements.flatMap(\.allocated)
    guard let first = arrays.first, first.lanes != nil, arrays.count <= 2,
      arrays.allSatisfy({ ($0.type, $0.count, $0.lanes) == (first.type, first.count, first.lanes) }),
      let filling = statements.lazy.compactMap({ if case .loop(let loop) = $0 { loop } else { nil } }).first
    else { return nil }
    var loops: [LoopVariable] = []
    var current = filling
    while current.kind == .unrolled || current.kind == .lanes {
      guard current.lower.known == 0, current.upper.known == current.variable.extent, current.body.count == 1
      else { return nil }
      loops.append(current.variable)
      if case .loop(let next) = current.body[0] {
        current = next
      } else if case .store(.local(let target), let place, .constant) = current.body[0], arrays.contains(target) {
        guard loops.reduce(1, { $0 * $1.extent }) == first.count,
          place == Index.flattened(loops.map { Index($0) }, shape: loops.map(\.extent))
        else { return nil }
        (places, self.loops) = ([place], loops)
        let others = Set(statements.flatMap(\.laneLoops)).subtracting([current.variable])
        guard others.count <= 1 else { return nil }
        if let narrow = others.first {
          guard narrow.extent <= current.variable.extent else { return nil }
          wideLanes = current.variable
          self.loops[loops.count - 1] = narrow
          places.append(place.substituting { [wide = current.variable] in Index($0 == wide ? narrow : $0) })
        }
        return
      } else {
        return nil
      }
    }
    return nil
  }
}

extension Statement {
  /// The arrays that it makes, also inside of loops.
  fileprivate var allocated: [LocalArray] {
    switch self {
    case .allocate(let array): [array]
    case .loop(let loop): loop.body.flatMap(\.allocated)
    default: []
    }
  }

  /// Whether it is a step of the tile that an array is made for.
  func belongs(to array: LocalArray) -> Bool {
    switch self {
    case .declare: true
    case .allocate, .accumulate, .assign, .whenTrue, .call: false
    case .store, .loop, .when: mentions(array)
    }
  }

  private func mentions(_ array: LocalArray) -> Bool {
    switch self {
    case .declare(_, let value), .assign(_, let value): value.reads(array)
    case .store(let memory, _, let value): memory == .local(array) || value.reads(array)
    case .loop(let loop): loop.body.contains { $0.mentions(array) }
    case .when(_, let body), .whenTrue(_, let body): body.contains { $0.mentions(array) }
    case .allocate, .accumulate, .call: false
    }
  }

  /// The variables of all loops over lanes.
  fileprivate var laneLoops: [LoopVariable] {
    switch self {
    case .loop(let loop): (loop.kind == .lanes ? [loop.variable] : []) + loop.body.flatMap(\.laneLoops)
    case .when(_, let body): body.flatMap(\.laneLoops)
    default: []
    }
  }
}

extension Expression {
  fileprivate func reads(_ array: LocalArray) -> Bool {
    switch self {
    case .load(let memory, _, _): memory == .local(array)
    case .pointwise(_, let operands): operands.contains { $0.reads(array) }
    case .convert(let inner, _), .bitcast(let inner, _), .checked(let inner, _): inner.reads(array)
    case .select(_, let then, let otherwise): then.reads(array) || otherwise.reads(array)
    case .constant, .register, .index: false
    }
  }
}
