/// Iterations and parts that may run at once must not touch what others write, and unrolled ones only in registers.
extension KernelVerifier {
  mutating func races() {
    var byMemory: [Memory: [Access]] = [:]
    for access in accesses { byMemory[access.memory, default: []].append(access) }
    for (memory, accesses) in byMemory where accesses.contains(where: \.isStore) {
      for store in accesses where store.isStore { races(store, accesses, outermost: depth(of: memory)) }
      if case .buffer(let buffer) = memory { racesOfParts(buffer, accesses) }
    }
  }

  /// How many loops are around a memory: iterations of those have a memory of their own.
  private func depth(of memory: Memory) -> Int {
    if case .local(let array) = memory, let depth = localDepths[array.id] { depth } else { 0 }
  }

  private mutating func races(_ store: Access, _ others: [Access], outermost: Int) {
    for (depth, loop) in store.loops.enumerated().dropFirst(outermost)
    where loop.kind.isIndependent || loop.kind == .unrolled && !store.memory.isInRegisters {
      for other in others
      where other.loops.count > depth && other.loops[depth] == loop && canMeet(store, other, at: depth) {
        let kind = loop.kind.rawValue
        let what = other.isStore ? "written" : "read"
        report(
          "iterations of the \(kind) loop over \(LoopPrinter.text(loop.variable)) may write what others of it have \(what)",
          in: other.statement)
        return
      }
    }
  }

  /// Whether two accesses may meet in different iterations of a loop, in the same iteration of those around it.
  private func canMeet(_ a: Access, _ b: Access, at depth: Int) -> Bool {
    let variable = a.loops[depth].variable
    let outer = Set(a.loops[..<depth].map(\.variable) + kernel.parameters)
    func isOuter(_ index: Index) -> Bool {
      index.variables.isSubset(of: outer)
        && index.values.allSatisfy { registerDepths[$0.id].map { $0 <= depth } ?? false }
    }
    var equation = Equation()
    /// Of what is the same on both sides, only the difference counts.
    var common: [Index.Atom: Int] = [:]
    func add(_ access: Access, _ sign: Int) -> Int? {
      equation.constant += sign * access.index.constant
      var own = 0
      for term in access.index.terms {
        if term.atom == .variable(variable) {
          own = term.coefficient
        } else if isOuter(Index(atom: term.atom)) {
          common[term.atom, default: 0] += sign * term.coefficient
        } else if !equation.add(sign * term.coefficient, access.facts.range(term.atom)) {
          return nil
        }
      }
      return own
    }
    guard let first = add(a, 1), let second = add(b, -1) else { return true }
    for (atom, coefficient) in common where coefficient != 0 {
      if !equation.add(coefficient, a.facts.range(atom)) { return true }
    }
    let values = a.facts.range(.variable(variable)).union(b.facts.range(.variable(variable)))
    guard let count = values.count, count > 1 else { return false }
    if first == second {
      if first == 0 { return equation.canHold() }
      equation.own = Equation.Term(factor: abs(first), low: 1 - count, high: count - 1)
    } else {
      _ = equation.add(first, values)
      _ = equation.add(-second, values)
    }
    return equation.canHold()
  }

  /// What a part writes, no other reads or writes.
  private mutating func racesOfParts(_ buffer: BufferID, _ accesses: [Access]) {
    guard kernel.parts.count > 1 else { return }
    var written = [Int: PositionSet]()
    for store in accesses where store.isStore {
      for positions in touched(by: store) {
        for (part, others) in written where part != store.part && positions.overlaps(others) {
          return report(
            "parts \(part) and \(store.part) write the same elements of \(program[buffer].name)", in: store.statement)
        }
      }
      written[store.part] = touched(by: store).reduce(written[store.part] ?? .empty) { $0.union($1.positions) }
    }
    for load in accesses where !load.isStore {
      for (part, others) in written where part != load.part {
        if touched(by: load).contains(where: { $0.overlaps(others) }) {
          return report(
            "part \(load.part) reads elements of \(program[buffer].name) that part \(part) writes", in: load.statement)
        }
      }
    }
  }

  /// The positions of an access, in one iteration of the program's loops; perhaps more.
  private func touched(by access: Access) -> [StridedPositions] {
    var facts = access.facts
    for parameter in kernel.parameters { facts = facts.fixing(.variable(parameter), at: 0) }
    if let exact = facts.exactImages(access.index) { return exact }
    if let image = facts.image(access.index) { return [image.positions] }
    guard case .buffer(let buffer) = access.memory else { return [] }
    return [StridedPositions(start: 0, digits: [StridedPositions.Digit(stride: 1, count: program[buffer].count)])]
  }
}

extension Memory {
  /// Whether it is an array that is kept in registers.
  fileprivate var isInRegisters: Bool { if case .local(let array) = self { array.lanes != nil } else { false } }
}

/// `constant + factor * x + … == 0` for integers between ends.
private struct Equation {
  struct Term {
    /// Positive.
    var factor: Int
    var low: Int
    var high: Int
  }

  var constant = 0
  /// By factor: those of one factor are one.
  private var terms: [Int: Term] = [:]
  /// A term that must not be 0.
  var own: Term?

  /// Adds a multiple of a number in a range; false where the range has no ends.
  mutating func add(_ factor: Int, _ range: ValueRange) -> Bool {
    guard let low = range.low, let high = range.high else { return false }
    let size = abs(factor)
    let ends = factor > 0 ? (low, high) : (-high, -low)
    let known = terms[size] ?? Term(factor: size, low: 0, high: 0)
    terms[size] = Term(factor: size, low: known.low + ends.0, high: known.high + ends.1)
    return true
  }

  /// The most choices that are looked at.
  private static let choiceLimit = 10_000

  /// Whether there is a solution, or it would take too long to know.
  func canHold() -> Bool {
    var ordered = terms.values.map { (term: $0, isOwn: false) }
    if let own { ordered.append((own, true)) }
    ordered.sort { $0.term.factor > $1.term.factor }
    // The least and greatest sum of the terms from a position on.
    var ends = [(low: 0, high: 0)]
    for (term, _) in ordered.reversed() {
      ends.append(
        (ends[ends.count - 1].low + term.factor * term.low, ends[ends.count - 1].high + term.factor * term.high))
    }
    ends.reverse()
    var choices = 0
    func search(_ position: Int, _ sum: Int) -> Bool {
      guard position < ordered.count else { return sum == 0 }
      let (term, isOwn) = ordered[position]
      // sum + factor * x + rest == 0
      let first = max(term.low, -(sum + ends[position + 1].high).floorDivided(by: term.factor))
      let last = min(term.high, (-sum - ends[position + 1].low).floorDivided(by: term.factor))
      guard first <= last else { return false }
      for value in first...last where !(isOwn && value == 0) {
        choices += 1
        if choices > Self.choiceLimit || search(position + 1, sum + term.factor * value) { return true }
      }
      return false
    }
    return search(0, constant)
  }
}
