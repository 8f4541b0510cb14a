extension Program {
  /// The bytes of buffers that one call of a kernel touches: every element counts once for reading and once for writing.
  ///
  /// An estimate from above: conditions are taken to hold everywhere, loops to run their whole extent, and positions
  /// that data decides to differ from one another.
  package func bytesTouched(by kernel: Kernel) -> Int {
    var traffic = Traffic()
    traffic.add(kernel.body, [])
    func bytes(_ accesses: [BufferID: Set<Traffic.Access>]) -> Int {
      accesses.reduce(0) { sum, entry in
        let count = entry.value.reduce(0) { $0 + $1.count }
        let buffer = self[entry.key]
        return sum + min(count, Traffic.extent(entry.value), buffer.count) * buffer.dtype.byteCount
      }
    }
    return bytes(traffic.reads) + bytes(traffic.writes)
  }
}

/// Where statements read and write.
private struct Traffic {
  struct Access: Hashable {
    var index: Index
    /// How many positions the loops around the access make of its index, at most.
    var count: Int
  }

  private(set) var reads: [BufferID: Set<Access>] = [:]
  private(set) var writes: [BufferID: Set<Access>] = [:]

  /// How far the positions of several accesses are spread.
  static func extent(_ accesses: Set<Access>) -> Int {
    let bounds = accesses.map(\.index.bounds)
    guard let low = bounds.map({ $0?.lowerBound ?? .min }).min(),
      let high = bounds.map({ $0?.upperBound ?? .max }).max(),
      low != .min, high != .max
    else { return .max }
    return high - low + 1
  }

  mutating func add(_ statements: [Statement], _ loops: [LoopVariable]) {
    for statement in statements { add(statement, loops) }
  }

  private mutating func add(_ statement: Statement, _ loops: [LoopVariable]) {
    switch statement {
    case .loop(let loop): add(loop.body, loops + [loop.variable])
    case .accumulate(let accumulation):
      add(accumulation.prologue, loops + [accumulation.variable])
      add(accumulation.value, loops + [accumulation.variable])
    case .declare(_, let value), .assign(_, let value): add(value, loops)
    case .allocate: break
    case .store(let memory, let index, let value):
      if case .buffer(let buffer) = memory { writes[buffer, default: []].insert(access(index, loops)) }
      add(value, loops)
    case .when(_, let body): add(body, loops)
    case .whenTrue(let condition, let body):
      add(condition, loops)
      add(body, loops)
    case .call(let call):
      func access(_ block: RoutineCall.Block, _ count: Int) -> Access {
        let element = LoopVariable(id: .max, extent: count)
        return self.access(block.start + Index(element), loops + [element])
      }
      for (block, count) in call.reads { reads[block.buffer, default: []].insert(access(block, count)) }
      for (block, count) in call.writes { writes[block.buffer, default: []].insert(access(block, count)) }
    }
  }

  private mutating func add(_ expression: Expression, _ loops: [LoopVariable]) {
    switch expression {
    case .constant, .register, .index: break
    case .load(let memory, let index, _):
      if case .buffer(let buffer) = memory { reads[buffer, default: []].insert(access(index, loops)) }
    case .pointwise(_, let operands): operands.forEach { add($0, loops) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): add(operand, loops)
    case .select(_, let then, let otherwise):
      add(then, loops)
      add(otherwise, loops)
    }
  }

  private func access(_ index: Index, _ loops: [LoopVariable]) -> Access {
    let variables = index.variables
    let moving = index.isDynamic ? loops : loops.filter { variables.contains($0) }
    return Access(index: index, count: moving.reduce(1) { $0.multipliedReportingOverflow(by: $1.extent).partialValue })
  }
}
