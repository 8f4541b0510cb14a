extension Program {
  /// Multiply-adds of a run: those of the contractions, with every round of scans; a loop without a known number of rounds
  /// counts one.
  package var multiplyAdds: Int {
    func count(_ steps: [Step]) -> Int {
      steps.reduce(0) { sum, step in
        switch step {
        case .kernel(let position): sum + kernels[position].macs
        case .ready, .wait: sum
        case .loop(let variable, let body): sum + variable.extent * count(body)
        case .branch(_, let then, let otherwise): sum + max(count(then), count(otherwise))
        case .whileLoop(let condition, _, let body): sum + count(condition) + count(body)
        }
      }
    }
    return count(steps)
  }

  /// Bytes of the stack that a run needs at most as C: the function itself, its kernel with the most, and a function of
  /// mathematics or of a routine below that.
  ///
  /// A bound from the program: every scalar, array and loop variable of a kernel is taken to have a place of its own, as
  /// compilers without optimization do, and what compilers put beside them (saved registers, spilled intermediate
  /// results) is taken to be as much again as the largest expression needs.
  package var stackBytes: Int {
    let kernel = kernels.map(StackUse.bytes).max() ?? 0
    let call = 256 + 16 * (inputs.count + outputs.count + variables.count)
    let helper = kernels.contains { $0.body.contains(where: StackUse.callsRoutine) } ? 1024 : 512
    return (call + kernel + helper + 15) / 16 * 16
  }
}

/// What the statements of a kernel keep on the stack.
private enum StackUse {
  static func bytes(_ kernel: Kernel) -> Int {
    // Saved registers, the parameters, and where expressions are wide, their intermediate results.
    let frame = 256 + 8 * (kernel.reads.count + kernel.writes.count + kernel.parameters.count)
    return frame + bytes(kernel.body, lanes: 1)
  }

  static func callsRoutine(_ statement: Statement) -> Bool {
    switch statement {
    case .call: true
    case .loop(let loop): loop.body.contains(where: callsRoutine)
    case .when(_, let body), .whenTrue(_, let body): body.contains(where: callsRoutine)
    default: false
    }
  }

  private static func bytes(_ statements: [Statement], lanes: Int) -> Int {
    statements.reduce(0) { $0 + bytes($1, lanes: lanes) }
  }

  private static func bytes(_ statement: Statement, lanes: Int) -> Int {
    switch statement {
    case .declare(let register, let value):
      return lanes * (max(4, register.type.byteCount) + temporaries(value))
    case .assign(_, let value), .store(_, _, let value): return lanes * temporaries(value)
    case .allocate(let array): return array.count * array.type.byteCount
    case .loop(let loop):
      let copies = loop.kind == .unrolled ? loop.variable.extent : 1
      return 8 + copies * bytes(loop.body, lanes: loop.kind == .lanes ? lanes * loop.variable.extent : lanes)
    case .accumulate(let accumulation):
      let width = lanes * max(1, accumulation.lanes)
      return 8 + width * (max(4, accumulation.accumulator.type.byteCount) + temporaries(accumulation.value))
        + bytes(accumulation.prologue, lanes: width)
    case .when(_, let body): return bytes(body, lanes: lanes)
    case .whenTrue(let condition, let body): return temporaries(condition) + bytes(body, lanes: lanes)
    case .call: return 8 * 8
    }
  }

  /// What an expression may put aside while it is computed.
  private static func temporaries(_ expression: Expression) -> Int {
    switch expression {
    case .constant, .register, .index, .load: 8
    case .pointwise(_, let operands): 8 + operands.reduce(0) { $0 + temporaries($1) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): 8 + temporaries(operand)
    case .select(_, let then, let otherwise): 8 + temporaries(then) + temporaries(otherwise)
    }
  }
}
