internal import CKernels
internal import LatheCore

/// A sum of neighbours, or of their products with others, for which there is a kernel that computes it for all lanes
/// of a block.
struct RowPattern {
  struct Operand {
    var buffer: BufferID
    /// Of the first term.
    var start: Index
    /// From one term to the next.
    var stride: Int
  }

  var accumulator: Register
  var terms: Int
  var a: Operand
  var b: Operand?

  var operands: [Operand] { [a] + [b].compactMap { $0 } }

  /// The most elements that are copied to be neighbours.
  private static let mostCopied = 1 << 14

  init?(_ accumulation: Accumulation) {
    let type = accumulation.accumulator.type
    guard accumulation.combiner == .sum, type == .f32 || type == .f64, accumulation.lanes == Int(LATHE_ROW_PARTS),
      accumulation.prologue.isEmpty, let lower = accumulation.lower.known, let upper = accumulation.upper.known
    else { return nil }
    let variable = accumulation.variable
    func operand(_ expression: Expression) -> Operand? {
      guard case .load(.buffer(let buffer), let index, type) = expression, index.isAffine, !index.isDynamic else {
        return nil
      }
      let stride = index.coefficient(of: variable)
      return Operand(buffer: buffer, start: index - Index(variable) * stride + lower * stride, stride: stride)
    }
    switch accumulation.value {
    case .pointwise(.multiply, let factors):
      guard let first = operand(factors[0]), let second = operand(factors[1]) else { return nil }
      (a, b) = (first, second)
    case let value:
      guard let only = operand(value) else { return nil }
      (a, b) = (only, nil)
    }
    accumulator = accumulation.accumulator
    terms = max(0, upper - lower)
  }

  init?(_ statement: Statement) {
    guard case .accumulate(let accumulation) = statement else { return nil }
    self.init(accumulation)
  }

  /// Whether what is read in steps is little enough to be copied first.
  func fits(_ loops: Set<LoopVariable>) -> Bool {
    operands.allSatisfy { operand in
      let rows = loops.reduce(1) { $0 * (operand.start.coefficient(of: $1) == 0 ? 1 : $1.extent) }
      return operand.stride == 1 || rows * terms <= Self.mostCopied
    }
  }
}

extension TapeBuilder {
  /// Emits a sum for all lanes of a block.
  mutating func emitRows(_ rows: RowPattern, _ block: LaneBlock) throws(TapeFault) {
    guard let accumulator = registers[rows.accumulator.id] else {
      throw TapeFault("accumulator \(rows.accumulator.id) is not in scope")
    }
    let type = rows.accumulator.type
    let loops = block.loops.map(\.variable)
    let result = register(type, perLane: true)
    var instruction = Instruction(.reduceRows)
    instruction.type = type
    instruction.lanes = true
    instruction.dst = result.offset
    instruction.extra = Int32(tape.tables.count)
    tape.tables += [rows.terms, loops.count] + loops.map(\.extent)
    for (position, operand) in rows.operands.enumerated() {
      let address = try address(inBlockOf: operand.buffer, operand.start, type, varying: Set(loops))
      tape.addresses.append(address)
      let number = Int32(tape.addresses.count - 1)
      if position == 0 { instruction.a = number } else { instruction.b = number }
      tape.tables += [operand.stride] + loops.map { operand.start.coefficient(of: $0) }
    }
    append(instruction)
    join(result, into: accumulator, .add)
    release(result)
  }

  /// Where a block begins to read, of what is affine in some loops and the block's: of its outermost, where that is at
  /// the time.
  func blockStart(_ index: Index, varying loops: Set<LoopVariable>) -> Index {
    var start = Index(index.constant)
    for term in index.terms {
      if case .variable(let variable) = term.atom, !loops.contains(variable) || variable == lane {
        start = start + Index(variable) * term.coefficient
      }
    }
    return start
  }

  /// The address at which a block begins to read; strides are its reader's.
  mutating func address(
    inBlockOf buffer: BufferID, _ index: Index, _ type: ScalarType, varying loops: Set<LoopVariable>
  ) throws(TapeFault) -> Address {
    var form = try affine(blockStart(index, varying: loops))
    form.stride = 0
    guard buffers.indices.contains(buffer.position), buffers[buffer.position].dtype == type else {
      throw TapeFault("\(type) is read from buffer \(buffer.position)")
    }
    return Address(
      affine: form, buffer: Int32(buffer.position), localOffset: 0, count: buffers[buffer.position].count, type: type,
      size: type.byteCount)
  }
}
