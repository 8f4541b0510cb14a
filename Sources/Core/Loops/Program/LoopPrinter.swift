/// The text form of loop programs, which `Program(parsing:)` reads back to an equal program.
///
///     program mlp for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
///       input x: f32[2,4]
///       constant w: f32[4] = [1.0, 2.0, 3.0, 4.0]
///       output y: f32[2,4]
///       kernel add "add" {nodes: [2]} {
///         for i0 < 2 {
///           for i1 < 4 vector {
///             y[4*i0 + i1] = add(x[4*i0 + i1], w[i1])
///           }
///         }
///       }
///       steps {
///         run add
///       }
///     }
///
/// Loop variables are `i0`, those of loops around kernels `t0`, registers `r0`, local arrays `%a0`. An index that is a number
/// by itself stands in brackets. Trailing comments say where buffers and kernels come from.
extension Program: CustomStringConvertible {
  /// The canonical, exact text, literals included.
  package var text: String { print(elidingLiteralsAbove: nil) }

  /// The text for people: large literals are left out, so that it does not parse back where there are any.
  package var description: String { print(elidingLiteralsAbove: 64) }

  /// The text form.
  ///
  /// - Parameter limit: Literals of more elements are written as `<n elements>`; nil writes all of them.
  package func print(elidingLiteralsAbove limit: Int?) -> String {
    var lines = ["program \(TextName.quoted(name)) for \(target.text) {"]
    for buffer in buffers { lines.append("  " + text(buffer, elidingLiteralsAbove: limit)) }
    for bucket in buckets {
      let members = bucket.members.map { "\(TextName.quoted($0.label)) in \(self[$0.buffer].name)" }
      lines.append("  bucket [\(members.joined(separator: ", "))]")
    }
    let printer = LoopPrinter(program: self)
    for kernel in kernels { lines += printer.lines(kernel, indent: 1) }
    lines.append("  steps {")
    lines += steps.flatMap { $0.lines(self, indent: 2) }
    lines += ["  }", "}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private func text(_ buffer: Buffer, elidingLiteralsAbove limit: Int?) -> String {
    func literal(_ array: NDArray) -> String {
      if let limit, array.count > limit { "<\(array.count) elements>" } else { TextLiteral.text(array) }
    }
    var head = "\(buffer.kind.word) \(buffer.name)"
    var tail = ": \(TensorType(buffer.dtype, buffer.shape))"
    /// The name that callers know, where it is another.
    func named(_ name: String) { if name != buffer.name { head += " " + TextName.string(name) } }
    switch buffer.kind {
    case .input(let position): named(inputs[position].name)
    case .output(let position):
      named(outputs[position].name)
      if let shape = outputs[position].shape { tail += " of [\(shape.map(\.text).joined(separator: ","))]" }
    case .variable(let position):
      let variable = variables[position]
      named(variable.name)
      tail += " \(variable.role.rawValue) = \(literal(variable.initial))"
    case .constant(let content): tail += " = " + content.text(literal)
    case .temporary: if buffer.padding > 0 { tail += " padding \(buffer.padding)" }
    }
    return head + tail + TextComment.trailing(buffer.location)
  }
}

extension Buffer.Kind {
  /// The kind as the text form names it.
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

extension Target {
  fileprivate var text: String {
    let own = "\"\(name)\" {vector_bytes: \(vectorBytes), registers: \(registers), "
    let caches = "l1_bytes: \(level1Bytes), l2_bytes: \(level2Bytes)"
    let shared = order.map { ", order: [\($0.vectorBytes), \($0.registers), \($0.level2Bytes)]" } ?? ""
    let sums = longSum == Schedule.lanes ? "" : ", long_sum: \(longSum)"
    let runner = isInterpreted ? ", interpreted: true" : ""
    return own + caches + sums + runner + shared + "}"
  }
}

extension TextComment {
  /// The location as a comment behind a statement, where there is something to say.
  fileprivate static func trailing(_ location: Location) -> String {
    let comment = text(location)
    return comment.isEmpty ? "" : "  // " + comment
  }
}

extension Step {
  fileprivate func lines(_ program: Program, indent: Int) -> [String] {
    let margin = String(repeating: "  ", count: indent)
    func block(_ steps: [Step]) -> [String] { steps.flatMap { $0.lines(program, indent: indent + 1) } }
    switch self {
    case .kernel(let position): return ["\(margin)run \(program.kernels[position].name)"]
    case .loop(let variable, let body):
      return ["\(margin)for \(LoopPrinter.text(variable)) < \(variable.extent) {"] + block(body) + ["\(margin)}"]
    case .branch(let predicate, let then, let otherwise):
      return ["\(margin)if \(program[predicate].name) {"] + block(then) + ["\(margin)} else {"] + block(otherwise)
        + ["\(margin)}"]
    case .whileLoop(let condition, let predicate, let body):
      return ["\(margin)repeat {"] + block(condition) + ["\(margin)} while \(program[predicate].name) {"] + block(body)
        + ["\(margin)}"]
    case .ready(let bucket): return ["\(margin)ready \(bucket)"]
    case .wait(let bucket): return ["\(margin)wait \(bucket)"]
    }
  }
}

/// The text of kernels, statements and expressions, with the names of a program's buffers.
struct LoopPrinter {
  let program: Program

  // MARK: Kernels and statements

  func lines(_ kernel: Kernel, indent: Int = 0) -> [String] {
    let margin = String(repeating: "  ", count: indent)
    let parameters = kernel.parameters.map { "\(Self.text($0)) < \($0.extent)" }.joined(separator: ", ")
    var attributes: [String] = []
    if kernel.macs != 0 { attributes.append("macs: \(kernel.macs)") }
    if !kernel.inPlace.isEmpty {
      attributes.append("in_place: [\(kernel.inPlace.map { program[$0].name }.joined(separator: ", "))]")
    }
    if !kernel.nodes.isEmpty { attributes.append("nodes: [\(kernel.nodes.map(String.init).joined(separator: ", "))]") }
    if let size = kernel.counted {
      attributes.append("size: \(TextName.string(size.name)), capacity: \(size.capacity)")
    }
    let head =
      ["\(margin)kernel \(kernel.name)\(parameters.isEmpty ? "" : "(\(parameters))")", TextName.string(kernel.summary)]
      + (attributes.isEmpty ? [] : ["{\(attributes.joined(separator: ", "))}"]) + ["{"]
    var result = [head.joined(separator: " ") + TextComment.trailing(kernel.location)]
    if kernel.parts.count == 1, let only = kernel.parts.first, !only.isEmpty {
      result += only.flatMap { lines($0, indent: indent + 1) }
    } else {
      for part in kernel.parts {
        result += ["\(margin)  part {"] + part.flatMap { lines($0, indent: indent + 2) } + ["\(margin)  }"]
      }
    }
    return result + ["\(margin)}"]
  }

  /// A statement on one line, without the block that it holds.
  func summary(_ statement: Statement) -> String {
    let head = lines(statement, indent: 0)[0]
    return head.hasSuffix(" {") ? String(head.dropLast(2)) : head
  }

  func lines(_ statement: Statement, indent: Int) -> [String] {
    let margin = String(repeating: "  ", count: indent)
    func block(_ head: String, _ body: [Statement]) -> [String] {
      ["\(margin)\(head) {"] + body.flatMap { lines($0, indent: indent + 1) } + ["\(margin)}"]
    }
    switch statement {
    case .loop(let loop):
      let kind = loop.kind == .serial ? "" : " \(loop.kind.rawValue)"
      return block("for \(range(loop.variable, loop.lower, loop.upper))\(kind)", loop.body)
    case .accumulate(let sum):
      let lanes = sum.lanes > 1 ? " in \(sum.lanes) lanes" : ""
      let head =
        "\(text(sum.accumulator)) = \(sum.combiner.rawValue) over \(range(sum.variable, sum.lower, sum.upper))\(lanes) of "
        + text(sum.value)
      return sum.prologue.isEmpty ? [margin + head] : block(head + " with", sum.prologue)
    case .declare(let register, let value): return ["\(margin)let \(text(register)): \(register.type) = \(text(value))"]
    case .assign(let register, let value): return ["\(margin)\(text(register)) = \(text(value))"]
    case .allocate(let array):
      let vectors = array.lanes.map { " in vectors of \($0)" } ?? ""
      return ["\(margin)local %a\(array.id): \(array.type)[\(array.count)]\(vectors)"]
    case .store(let memory, let index, let value): return ["\(margin)\(text(memory))[\(text(index))] = \(text(value))"]
    case .when(let constraints, let body): return block("when \(text(constraints))", body)
    case .whenTrue(let condition, let body): return block("if \(text(condition))", body)
    case .call(let call):
      func list(_ blocks: [RoutineCall.Block]) -> String {
        blocks.map { "\(text(.buffer($0.buffer)))[\(text($0.start))]" }.joined(separator: ", ")
      }
      let numbers = call.routine.numbers.map(String.init).joined(separator: ", ")
      let work = call.work.map { " in \(list([$0]))" } ?? ""
      return [
        "\(margin)call \(call.routine.name.rawValue) \(call.routine.type) [\(numbers)] of \(list(call.operands)) "
          + "to \(list(call.results))\(work)"
      ]
    }
  }

  /// The values of a variable; its extent where the ends do not say it.
  private func range(_ variable: LoopVariable, _ lower: Bound, _ upper: Bound) -> String {
    let name = Self.text(variable)
    let extent = upper.constant == variable.extent ? "" : " (of \(variable.extent))"
    let start = lower == Bound(0) ? "" : text(lower, "max") + " <= "
    return "\(start)\(name) < \(text(upper, "min"))\(extent)"
  }

  private func text(_ bound: Bound, _ function: String) -> String {
    guard !bound.quotients.isEmpty else { return "\(bound.constant)" }
    let quotients = bound.quotients.map {
      $0.divisor == 1 ? text($0.dividend) : "ceil((\(text($0.dividend))) / \($0.divisor))"
    }
    return "\(function)(\(([String(bound.constant)] + quotients).joined(separator: ", ")))"
  }

  // MARK: Expressions

  func text(_ expression: Expression) -> String {
    switch expression {
    case .constant(let value, let type): "\(TextLiteral.exactText(value, type)):\(type)"
    case .register(let register): text(register)
    case .index(let index): "[\(text(index))]"
    case .load(let memory, let index, _): "\(text(memory))[\(text(index))]"
    case .pointwise(let function, let operands): "\(function.rawValue)(\(operands.map(text).joined(separator: ", ")))"
    case .convert(let operand, let type): "\(type)(\(text(operand)))"
    case .bitcast(let operand, let type): "bitcast<\(type)>(\(text(operand)))"
    case .checked(let operand, let extent): "checked(\(text(operand)), \(extent))"
    case .select(let constraints, let then, let otherwise):
      "(\(text(constraints)) ? \(text(then)) : \(text(otherwise)))"
    }
  }

  private func text(_ register: Register) -> String { "r\(register.id)" }

  /// The variables of a program are `t`, those of kernels `i`.
  static func text(_ variable: LoopVariable) -> String { variable.id < 0 ? "t\(-variable.id)" : "i\(variable.id)" }

  private func text(_ memory: Memory) -> String {
    switch memory {
    case .buffer(let buffer): program.buffers.indices.contains(buffer.position) ? program[buffer].name : "?"
    case .local(let array): "%a\(array.id)"
    }
  }

  func text(_ index: Index) -> String {
    var result = ""
    func add(_ value: Int, _ atom: String? = nil) {
      let sign = result.isEmpty ? (value < 0 ? "-" : "") : (value < 0 ? " - " : " + ")
      let size = value.magnitude
      result += sign + (atom.map { size == 1 ? $0 : "\(size)*\($0)" } ?? "\(size)")
    }
    for term in index.terms { add(term.coefficient, text(term.atom)) }
    if index.constant != 0 || index.terms.isEmpty { add(index.constant) }
    return result
  }

  private func text(_ atom: Index.Atom) -> String {
    switch atom {
    case .variable(let variable): Self.text(variable)
    case .value(let scalar): "r\(scalar.id)"
    case .floorDivide(let inner, let divisor): "floor((\(text(inner))) / \(divisor))"
    case .modulo(let inner, let divisor): "mod(\(text(inner)), \(divisor))"
    }
  }

  private func text(_ constraints: [Constraint]) -> String {
    constraints.map { constraint in
      switch constraint {
      case .inRange(let index, let range): "\(range.lowerBound) <= \(text(index)) < \(range.upperBound)"
      case .multiple(let index, let divisor): "mod(\(text(index)), \(divisor)) = 0"
      }
    }.joined(separator: " and ")
  }
}
