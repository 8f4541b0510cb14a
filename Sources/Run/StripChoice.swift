internal import LatheCore

/// Decides which loop of a nest runs in strips: the heuristics of the interpreter, all in one place.
enum StripChoice {
  /// Whether the loop itself runs in strips, rather than a loop inside it.
  static func runsInStrips(_ loop: Loop) -> Bool {
    guard loop.kind.isIndependent, isLegal(loop) else { return false }
    let inner = loop.body.candidates
    if inner.isEmpty { return true }
    let own = benefit(loop.variable, loop.body)
    let best = inner.map { benefit($0.variable, $0.body) }.max() ?? 0
    return loop.kind == .vector ? own >= best : own > best
  }

  /// Whether all iterations can be run at once, statement by statement: nothing outside is assigned, no arrays are
  /// made inside, and inner loops end where the lanes allow a window.
  private static func isLegal(_ loop: Loop) -> Bool {
    var scope = Scope(lane: loop.variable)
    return scope.allows(loop.body)
  }

  private struct Scope {
    let lane: LoopVariable
    var declared = Set<Int32>()

    mutating func allows(_ statements: [Statement]) -> Bool {
      for statement in statements {
        switch statement {
        case .declare(let register, _): declared.insert(register.id)
        case .assign(let register, _): guard declared.contains(register.id) else { return false }
        case .allocate, .call: return false
        case .store: break
        case .when(_, let body), .whenTrue(_, let body): guard allows(body) else { return false }
        case .loop(let inner):
          guard allows(inner.lower, inner.upper), allows(inner.body) else { return false }
        case .accumulate(let accumulation):
          guard declared.contains(accumulation.accumulator.id), allows(accumulation.lower, accumulation.upper),
            allows(accumulation.prologue)
          else { return false }
          let isRagged = (accumulation.lower.quotients + accumulation.upper.quotients)
            .contains { $0.dividend.variables.contains(lane) }
          guard accumulation.lanes == 1 || !isRagged else { return false }
        }
      }
      return true
    }

    private func allows(_ lower: Bound, _ upper: Bound) -> Bool {
      (lower.quotients + upper.quotients).allSatisfy { quotient in
        quotient.dividend.terms.allSatisfy { term in
          switch term.atom {
          case .variable: true
          case .value: false
          case .floorDivide(let inner, _), .modulo(let inner, _): !inner.variables.contains(lane) && !inner.isDynamic
          }
        }
      }
    }
  }

  /// How much of the machine strips along a variable would use: long strips of neighbours are best.
  private static func benefit(_ variable: LoopVariable, _ body: Body) -> Double {
    var indices: [Index] = []
    body.collect(&indices)
    let access = indices.map { index -> Double in
      switch abs(index.coefficient(of: variable)) {
      case 1: 1
      case 0: index.variables.contains(variable) ? 0.15 : 1
      default: 0.3
      }
    }
    let mean = access.isEmpty ? 1 : access.reduce(0, +) / Double(access.count)
    return mean * min(1, Double(variable.extent) / 64)
  }

  private static func benefit(_ variable: LoopVariable, _ body: [Statement]) -> Double {
    benefit(variable, Body(statements: body))
  }
}

/// What is run for every value of a variable.
private struct Body {
  var statements: [Statement]
  var value: Expression?

  init(statements: [Statement], value: Expression? = nil) {
    self.statements = statements
    self.value = value
  }

  /// Adds the indices of all loads and stores.
  func collect(_ indices: inout [Index]) {
    if let value { value.collect(&indices) }
    for statement in statements {
      switch statement {
      case .declare(_, let expression), .assign(_, let expression): expression.collect(&indices)
      case .store(_, let index, let expression):
        indices.append(index)
        expression.collect(&indices)
      case .whenTrue(let expression, let body):
        expression.collect(&indices)
        Body(statements: body).collect(&indices)
      case .when(_, let body): Body(statements: body).collect(&indices)
      case .loop(let loop): Body(statements: loop.body).collect(&indices)
      case .accumulate(let accumulation):
        Body(statements: accumulation.prologue, value: accumulation.value).collect(&indices)
      case .allocate, .call: break
      }
    }
  }
}

extension Expression {
  /// Adds the indices of all loads.
  fileprivate func collect(_ indices: inout [Index]) {
    switch self {
    case .constant, .register, .index: break
    case .load(_, let index, _): indices.append(index)
    case .pointwise(_, let operands): for operand in operands { operand.collect(&indices) }
    case .convert(let inner, _), .bitcast(let inner, _), .checked(let inner, _): inner.collect(&indices)
    case .select(_, let then, let otherwise):
      then.collect(&indices)
      otherwise.collect(&indices)
    }
  }
}

extension [Statement] {
  /// Inner loops that could run in strips.
  fileprivate var candidates: [(variable: LoopVariable, body: Body)] {
    flatMap { statement -> [(variable: LoopVariable, body: Body)] in
      switch statement {
      case .loop(let loop):
        (!loop.kind.isIndependent ? [] : [(loop.variable, Body(statements: loop.body))]) + loop.body.candidates
      case .accumulate(let accumulation):
        [(accumulation.variable, Body(statements: accumulation.prologue, value: accumulation.value))]
      case .when(_, let body), .whenTrue(_, let body): body.candidates
      case .declare, .assign, .allocate, .store, .call: []
      }
    }
  }
}
