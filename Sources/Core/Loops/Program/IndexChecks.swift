/// Whether statements check indices, so that a run may fail there.
extension Statement {
  var checksIndices: Bool {
    switch self {
    case .loop(let loop): loop.body.contains(where: \.checksIndices)
    case .accumulate(let accumulation):
      accumulation.prologue.contains(where: \.checksIndices) || accumulation.value.checksIndices
    case .declare(_, let value), .assign(_, let value), .store(_, _, let value): value.checksIndices
    case .allocate: false
    case .when(_, let body): body.contains(where: \.checksIndices)
    case .whenTrue(let condition, let body): condition.checksIndices || body.contains(where: \.checksIndices)
    case .call: false
    }
  }

  /// Whether a routine is called that may fail; calls stand alone or in loops.
  var callsFailing: Bool {
    switch self {
    case .call(let call): call.routine.failure != nil
    case .loop(let loop): loop.body.contains(where: \.callsFailing)
    default: false
    }
  }
}

extension Expression {
  fileprivate var checksIndices: Bool {
    switch self {
    case .constant, .register, .index, .load: false
    case .checked: true
    case .pointwise(_, let operands): operands.contains(where: \.checksIndices)
    case .convert(let operand, _), .bitcast(let operand, _): operand.checksIndices
    case .select(_, let then, let otherwise): then.checksIndices || otherwise.checksIndices
    }
  }
}
