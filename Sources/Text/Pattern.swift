import LatheCore

/// A regular expression of a tokenizer's file: what such files use of Oniguruma's syntax, over scalars.
///
/// A program for a machine with a stack of places to go back to, so that long texts need no deep recursion. Neither
/// Swift's `Regex` (not `Sendable`) nor Foundation's (other classes of spaces) means what Oniguruma means.
struct Pattern: Sendable {
  enum Instruction: Sendable {
    case set(ScalarSet)
    /// As many as there are of a set, from one number to another.
    case span(ScalarSet, least: Int, most: Int, isPossessive: Bool)
    /// On at the first; if that fails, at the second.
    case split(Int, Int)
    case jump(Int)
    /// Whether the program up to `end` fits here, or fits just before.
    case look(isAhead: Bool, isNegated: Bool, end: Int)
    /// The program up to `end`, without going back into it.
    case atomic(end: Int)
    case lineStart, lineEnd, textStart, textEnd, lastLineEnd
    case wordBoundary(isNegated: Bool)
    /// Notes where a repetition begins, and ends it where it gets nowhere.
    case mark(Int)
    case progress(Int)
  }

  private let program: [Instruction]
  private let markCount: Int

  /// - Throws: That the expression is none, or has what is not known.
  init(_ expression: String) throws(TokenizerFault) {
    var compiler = PatternCompiler(expression)
    program = try compiler.compile()
    markCount = compiler.markCount
  }

  /// The parts of a text that match, in order; those that are empty only where the one before does not end.
  ///
  /// - Throws: For expressions that take more steps than a text is worth.
  func matches(in text: [Unicode.Scalar]) throws(DiagnosticsError) -> [Range<Int>] {
    var machine = Machine(program: program, text: text, marks: [Int](repeating: -1, count: markCount))
    var found: [Range<Int>] = []
    var start = 0
    while start <= text.count {
      guard let end = try machine.match(at: start), end > start || found.last?.upperBound != end else {
        start += 1
        continue
      }
      found.append(start..<end)
      start = end
    }
    return found
  }
}

private struct Machine {
  private struct Choice {
    var instruction: Int
    var position: Int
    /// How far the position may still go back, of a span.
    var least: Int
    var marks: [Int]
  }

  let program: [Pattern.Instruction]
  let text: [Unicode.Scalar]
  var marks: [Int]
  private var steps = 0

  init(program: [Pattern.Instruction], text: [Unicode.Scalar], marks: [Int]) {
    self.program = program
    self.text = text
    self.marks = marks
  }

  mutating func match(at start: Int) throws(DiagnosticsError) -> Int? {
    try run(from: 0, to: program.count, at: start)
  }

  /// Where the program from one instruction to another ends, begun at a position.
  private mutating func run(from first: Int, to end: Int, at start: Int) throws(DiagnosticsError) -> Int? {
    var choices: [Choice] = []
    var (instruction, position) = (first, start)
    while true {
      if instruction == end { return position }
      steps += 1
      guard steps < 10_000_000 + 1000 * text.count else {
        throw DiagnosticsError("a pattern of the tokenizer takes too many steps on a text of \(text.count) scalars")
      }
      var hasFailed = false
      switch program[instruction] {
      case .set(let set):
        hasFailed = position == text.count || !set.contains(text[position])
        position += 1
      case .span(let set, let least, let most, let isPossessive):
        let limit = most < text.count - position ? position + most : text.count
        var next = position
        while next < limit, set.contains(text[next]) { next += 1 }
        hasFailed = next - position < least
        if !hasFailed, !isPossessive, next - position > least {
          choices.append(Choice(instruction: instruction, position: next, least: position + least, marks: marks))
        }
        position = next
      case .split(let preferred, let other):
        choices.append(Choice(instruction: other, position: position, least: -1, marks: marks))
        instruction = preferred
        continue
      case .jump(let target):
        instruction = target
        continue
      case .look(let isAhead, let isNegated, let target):
        let isThere =
          isAhead
          ? try run(from: instruction + 1, to: target, at: position) != nil
          : try fits(before: position, from: instruction + 1, to: target)
        hasFailed = isThere == isNegated
        instruction = target - 1
      case .atomic(let target):
        if let next = try run(from: instruction + 1, to: target, at: position) {
          position = next
        } else {
          hasFailed = true
        }
        instruction = target - 1
      case .lineStart: hasFailed = position > 0 && text[position - 1] != "\n"
      case .lineEnd: hasFailed = position < text.count && text[position] != "\n"
      case .textStart: hasFailed = position > 0
      case .textEnd: hasFailed = position < text.count
      case .lastLineEnd:
        hasFailed = position < text.count && !(position == text.count - 1 && text[position] == "\n")
      case .wordBoundary(let isNegated):
        let before = position > 0 && ScalarSet.word.contains(text[position - 1])
        let after = position < text.count && ScalarSet.word.contains(text[position])
        hasFailed = (before != after) == isNegated
      case .mark(let number): marks[number] = position
      case .progress(let number): hasFailed = marks[number] == position
      }
      if !hasFailed {
        instruction += 1
        continue
      }
      guard var choice = choices.popLast() else { return nil }
      marks = choice.marks
      if choice.least >= 0 {
        // A span gives one back.
        choice.position -= 1
        (instruction, position) = (choice.instruction + 1, choice.position)
        if choice.position > choice.least { choices.append(choice) }
      } else {
        (instruction, position) = (choice.instruction, choice.position)
      }
    }
  }

  private mutating func fits(before position: Int, from first: Int, to end: Int) throws(DiagnosticsError) -> Bool {
    for start in stride(from: position, through: max(0, position - 100), by: -1) {
      // What is looked back at is short and of one length in practice.
      let whole = self
      var part = Machine(program: program, text: Array(text[..<position]), marks: whole.marks)
      if try part.run(from: first, to: end, at: start) == position { return true }
    }
    return false
  }
}
