internal import LatheCore

extension CKernelRenderer {
  mutating func render(_ statement: Statement) {
    switch statement {
    case .loop(let loop): render(loop)
    case .accumulate(let accumulation): render(accumulation)
    case .declare(let register, let value):
      let text = render(value).text
      let const = assigned.contains(register.id) ? "" : "const "
      writer.line("\(const)\(register.type.cValue) \(declare(register)) = \(text);")
    case .assign(let register, let value):
      writer.line(assignment(registerName(register.id), .register(register), value))
    case .allocate(let local):
      writer.line("\(local.type.cValue) \(declare(local))[\(max(1, local.count))];")
    case .store(let memory, let index, let value):
      let place = place(memory, index)
      if case .buffer(let buffer) = memory, program.program[buffer].dtype.isCoded {
        let text = render(value).text
        writer.line("\(place) = \(helpers.name(.pack(program.program[buffer].dtype)))(\(text));")
      } else {
        writer.line(assignment(place, .load(memory, index, value.type), value))
      }
    case .when(let constraints, let body): block("if (\(render(constraints).text))", body)
    case .whenTrue(let condition, let body): block("if (\(render(condition).text))", body)
    case .call(let call):
      let places = call.blocks.map { address(.buffer($0.buffer), $0.start).text }
      let arguments = (call.routine.numbers.map(String.init) + places).joined(separator: ", ")
      let text = "\(helpers.name(.routine(call.routine.name.rawValue, call.routine.type)))(\(arguments))"
      writer.line(call.routine.failure == nil ? "\(text);" : "if (\(text) != 0) \(failed) = true;")
    }
  }

  /// An element as something to assign to.
  private mutating func place(_ memory: Memory, _ index: Index) -> String {
    if case .local(let local) = memory, let name = register(local, index) { return name }
    return plainElement(memory, index, .bool).text
  }

  /// `x = value;`, or `x += value;` where that says the same; `own` is what the place holds.
  private mutating func assignment(_ place: String, _ own: Expression, _ value: Expression) -> String {
    if case .pointwise(let function, let operands) = value, operands.count == 2, operands[0] == own,
      [.add, .subtract, .multiply].contains(function), [.f32, .f64, .u32, .u64].contains(value.type),
      case .infix(let symbol) = function.spelling
    {
      return "\(place) \(symbol)= \(render(operands[1]).text);"
    }
    return "\(place) = \(render(value).text);"
  }

  mutating func block(_ head: String, _ body: [Statement]) {
    block(head) { renderer in
      renderer.render(body)
    }
  }

  mutating func block(_ head: String, _ body: (inout CKernelRenderer) -> Void) {
    writer.open(head)
    body(&self)
    writer.close()
  }

  /// The two ends of a loop as texts; ends that are not numbers are put into locals before the loop.
  private mutating func ends(_ lower: Bound, _ upper: Bound, _ variable: String) -> (lower: String, upper: String) {
    func end(_ bound: Bound, isUpper: Bool, _ renderer: inout CKernelRenderer) -> String {
      if let known = bound.known { return "\(known)" }
      let name = renderer.names.unique(variable + (isUpper ? "_end" : "_begin"))
      renderer.writer.line("const ptrdiff_t \(name) = \(renderer.render(bound, isUpper: isUpper).text);")
      return name
    }
    return (end(lower, isUpper: false, &self), end(upper, isUpper: true, &self))
  }

  private mutating func render(_ loop: Loop) {
    if let lower = loop.lower.known, let upper = loop.upper.known {
      if upper <= lower { return }
      if upper == lower + 1 { return renderOnce(loop, at: lower) }
    }
    if loop.kind == .lanes, hasVectors {
      return eachLane(CLanes(variable: loop.variable, registerBytes: helpers.registerBytes)) { renderer, _ in
        renderer.render(loop.body)
      }
    }
    naming(loop.variable) { renderer, name in
      let (lower, upper) = renderer.ends(loop.lower, loop.upper, name)
      if loop.kind == .vector, renderer.mayAlias {
        renderer.hintsIndependence = true
        renderer.writer.line("\(renderer.prefix.uppercased())_INDEPENDENT")
      }
      renderer.block("for (ptrdiff_t \(name) = \(lower); \(name) < \(upper); \(name)++)", loop.body)
    }
  }

  /// A loop that runs once is its body.
  private mutating func renderOnce(_ loop: Loop, at position: Int) {
    let uses = CUses(loop.body)
    let declares = loop.body.contains {
      switch $0 {
      case .declare, .allocate: true
      default: false
      }
    }
    guard uses.variables.contains(loop.variable) else {
      if declares { return block("", loop.body) }
      render(loop.body)
      return
    }
    naming(loop.variable) { renderer, name in
      renderer.block("") { renderer in
        renderer.writer.line("const ptrdiff_t \(name) = \(position);")
        renderer.render(loop.body)
      }
    }
  }

  // MARK: Reductions

  private mutating func render(_ accumulation: Accumulation) {
    if let lower = accumulation.lower.known, let upper = accumulation.upper.known, upper <= lower { return }
    naming(accumulation.variable) { renderer, name in
      let (lower, upper) = renderer.ends(accumulation.lower, accumulation.upper, name)
      if accumulation.lanes <= 1 {
        renderer.block("for (ptrdiff_t \(name) = \(lower); \(name) < \(upper); \(name)++)") {
          $0.step(accumulation, into: $0.registerName(accumulation.accumulator.id))
        }
      } else {
        renderer.renderLanes(accumulation, name, lower, upper)
      }
    }
  }

  /// One iteration of a reduction, joined into a place.
  private mutating func step(_ accumulation: Accumulation, into place: String) {
    render(accumulation.prologue)
    writer.line(join(accumulation, place, accumulation.value))
  }

  private mutating func join(_ accumulation: Accumulation, _ place: String, _ value: Expression) -> String {
    let register = accumulation.accumulator
    var text = ""
    naming(register, place) { renderer in
      text = renderer.assignment(
        place, .register(register), .pointwise(accumulation.combiner.function, [.register(register), value]))
    }
    return text
  }

  /// Independent partial results, which compilers keep in one vector, joined pairwise at the end.
  private mutating func renderLanes(_ accumulation: Accumulation, _ variable: String, _ lower: String, _ upper: String)
  {
    let register = accumulation.accumulator
    let count = accumulation.lanes
    let known = zip(accumulation.lower.known, accumulation.upper.known).map { $1 - $0 }
    let lanes = names.unique("lanes")
    let lane = names.first(of: ["l", "lane"])
    let start = names.unique("\(variable)_start")
    let other = Register(id: -1, type: register.type)
    let type = register.type.cValue
    let identity = register.type.cLiteral(accumulation.combiner.identity(register.type))
    block("") { renderer in
      let isZero = accumulation.combiner == .sum
      renderer.writer.line("\(type) \(lanes)[\(count)]\(isZero ? " = {\(identity)}" : "");")
      if !isZero {
        renderer.writer.line(
          "for (ptrdiff_t \(lane) = 0; \(lane) < \(count); \(lane)++) \(lanes)[\(lane)] = \(identity);")
      }
      renderer.writer.line("ptrdiff_t \(start) = \(lower);")
      if known.map({ $0 >= count }) ?? true {
        renderer.block("for (; \(start) + \(count) <= \(upper); \(start) += \(count))") { renderer in
          renderer.block("for (ptrdiff_t \(lane) = 0; \(lane) < \(count); \(lane)++)") { renderer in
            if accumulation.mentionsVariable {
              renderer.writer.line("const ptrdiff_t \(variable) = \(start) + \(lane);")
            }
            renderer.step(accumulation, into: "\(lanes)[\(lane)]")
          }
        }
      }
      if known.map({ $0 % count != 0 }) ?? true {
        renderer.block("for (ptrdiff_t \(variable) = \(start); \(variable) < \(upper); \(variable)++)") { renderer in
          renderer.step(accumulation, into: "\(lanes)[\(variable) - \(start)]")
        }
      }
      renderer.block("for (ptrdiff_t half = \(count / 2); half > 0; half /= 2)") { renderer in
        renderer.block("for (ptrdiff_t \(lane) = 0; \(lane) < half; \(lane)++)") { renderer in
          renderer.naming(other, "\(lanes)[\(lane) + half]") { renderer in
            renderer.writer.line(renderer.join(accumulation, "\(lanes)[\(lane)]", .register(other)))
          }
        }
      }
      renderer.naming(other, "\(lanes)[0]") { renderer in
        renderer.writer.line(renderer.join(accumulation, renderer.registerName(register.id), .register(other)))
      }
    }
    names.release(lane)
    names.release(start)
    names.release(lanes)
  }
}

extension Accumulation {
  /// Whether the body depends on the variable.
  var mentionsVariable: Bool {
    let dummy = Register(id: -1, type: value.type)
    return CUses(prologue + [.declare(dummy, value)]).variables.contains(variable)
  }
}

/// Both, or nil.
private func zip<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
  guard let a, let b else { return nil }
  return (a, b)
}
