/// Programs, kernels and statements as text: for people and for tests.
extension Program: CustomStringConvertible {
  public var description: String {
    var lines = ["program \(name)"]
    for buffer in buffers {
      lines.append("  \(buffer.kind.word) \(buffer.name): \(TensorType(buffer.dtype, buffer.shape))")
    }
    for kernel in kernels {
      lines += LoopPrinter(program: self).lines(kernel)
    }
    lines.append("steps")
    lines += steps.flatMap { $0.lines(self, indent: 1) }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Buffer.Kind {
  /// The kind as the printed form names it.
  var word: String {
    switch self {
    case .input: "input"
    case .output: "output"
    case .constant: "constant"
    case .variable: "variable"
    case .temporary: "temporary"
    }
  }
}

extension Step {
  fileprivate func lines(_ program: Program, indent: Int) -> [String] {
    let margin = String(repeating: "  ", count: indent)
    func block(_ steps: [Step]) -> [String] { steps.flatMap { $0.lines(program, indent: indent + 1) } }
    switch self {
    case .kernel(let position): return [margin + program.kernels[position].name]
    case .loop(let variable, let body): return ["\(margin)for t\(-variable.id) < \(variable.extent)"] + block(body)
    case .branch(let predicate, let then, let otherwise):
      return ["\(margin)if \(program[predicate].name)"] + block(then) + ["\(margin)else"] + block(otherwise)
    case .whileLoop(let condition, let predicate, let body):
      return ["\(margin)repeat"] + block(condition) + ["\(margin)while \(program[predicate].name)"] + block(body)
    }
  }
}

/// The text of statements and expressions, with the names of a program's buffers.
struct LoopPrinter {
  let program: Program

  func lines(_ kernel: Kernel) -> [String] {
    let parameters = kernel.parameters.map(Self.text).joined(separator: ", ")
    return ["kernel \(kernel.name)(\(parameters))   // \(kernel.summary)"]
      + kernel.body.flatMap { lines($0, indent: 1) }
  }

  /// A statement on one line, without the block that it holds.
  func summary(_ statement: Statement) -> String { lines(statement, indent: 0)[0] }

  func lines(_ statement: Statement, indent: Int) -> [String] {
    let margin = String(repeating: "  ", count: indent)
    func block(_ body: [Statement]) -> [String] { body.flatMap { lines($0, indent: indent + 1) } }
    switch statement {
    case .loop(let loop):
      let kind = loop.kind == .serial ? "" : " \(loop.kind.rawValue)"
      return [
        "\(margin)for \(text(loop.lower, "max")) <= \(Self.text(loop.variable)) < \(text(loop.upper, "min"))\(kind)"
      ]
        + block(loop.body)
    case .accumulate(let accumulation):
      let lanes = accumulation.lanes > 1 ? " in \(accumulation.lanes) lanes" : ""
      return [
        "\(margin)\(text(accumulation.accumulator)) = \(accumulation.combiner.rawValue) over \(text(accumulation.lower, "max")) <= \(Self.text(accumulation.variable)) < \(text(accumulation.upper, "min"))\(lanes) of \(text(accumulation.value))"
      ] + block(accumulation.prologue)
    case .declare(let register, let value): return ["\(margin)let \(text(register)): \(register.type) = \(text(value))"]
    case .assign(let register, let value): return ["\(margin)\(text(register)) = \(text(value))"]
    case .allocate(let array): return ["\(margin)local a\(array.id): \(array.type)[\(array.count)]"]
    case .store(let memory, let index, let value): return ["\(margin)\(text(memory))[\(text(index))] = \(text(value))"]
    case .when(let constraints, let body):
      return ["\(margin)when \(constraints.map(text).joined(separator: " and "))"] + block(body)
    case .whenTrue(let condition, let body): return ["\(margin)when \(text(condition))"] + block(body)
    }
  }

  func text(_ expression: Expression) -> String {
    switch expression {
    case .constant(.float(let value), _): "\(value)"
    case .constant(.integer(let value), _): "\(value)"
    case .register(let register): text(register)
    case .index(let index): text(index)
    case .load(let memory, let index, _): "\(text(memory))[\(text(index))]"
    case .pointwise(let function, let operands): "\(function.rawValue)(\(operands.map(text).joined(separator: ", ")))"
    case .convert(let operand, let type): "\(type)(\(text(operand)))"
    case .bitcast(let operand, let type): "bitcast<\(type)>(\(text(operand)))"
    case .checked(let operand, let extent): "checked(\(text(operand)), \(extent))"
    case .select(let constraints, let then, let otherwise):
      "(\(constraints.map(text).joined(separator: " and ")) ? \(text(then)) : \(text(otherwise)))"
    }
  }

  private func text(_ register: Register) -> String { "r\(register.id)" }

  static func text(_ variable: LoopVariable) -> String { variable.id < 0 ? "t\(-variable.id)" : "i\(variable.id)" }

  private func text(_ memory: Memory) -> String {
    switch memory {
    case .buffer(let buffer): buffer.position < program.buffers.count ? program[buffer].name : "?"
    case .local(let array): "a\(array.id)"
    }
  }

  func text(_ index: Index) -> String {
    var parts: [String] = index.terms.map { term in
      let atom =
        switch term.atom {
        case .variable(let variable): Self.text(variable)
        case .value(let scalar): "r\(scalar.id)"
        case .floorDivide(let inner, let divisor): "floor((\(text(inner))) / \(divisor))"
        case .modulo(let inner, let divisor): "((\(text(inner))) mod \(divisor))"
        }
      return term.coefficient == 1 ? atom : "\(term.coefficient)*\(atom)"
    }
    if index.constant != 0 || parts.isEmpty { parts.append("\(index.constant)") }
    return parts.joined(separator: " + ")
  }

  private func text(_ constraint: Constraint) -> String {
    switch constraint {
    case .inRange(let index, let range): "\(range.lowerBound) <= \(text(index)) < \(range.upperBound)"
    case .multiple(let index, let divisor): "(\(text(index))) mod \(divisor) = 0"
    }
  }

  private func text(_ bound: Bound, _ function: String) -> String {
    guard !bound.quotients.isEmpty else { return "\(bound.constant)" }
    let quotients = bound.quotients.map {
      $0.divisor == 1 ? text($0.dividend) : "ceil((\(text($0.dividend))) / \($0.divisor))"
    }
    return "\(function)(\(([String(bound.constant)] + quotients).joined(separator: ", ")))"
  }
}
