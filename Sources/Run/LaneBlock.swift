internal import LatheCore

/// Nests of loops whose iterations are lanes all together, so that short loops cost no more than long ones.
///
/// The lanes are in the order of the loops, the innermost one next to each other. The outermost loop may be worked on in
/// chunks. Everything inside is affine in the loops: an operand is a block of memory with a stride for each of them.
struct LaneBlock {
  /// The loops, outermost first, with the lanes that one iteration of each has.
  var loops: [(variable: LoopVariable, lanes: Int)]
  /// Where a tile reduces more lanes than it has results, the loop over all of them: it runs as the results' own.
  var wideLanes: LoopVariable?
  /// Arrays of a register tile, each of which is one register.
  var arrays: [Int: TapeBuilder.Operand?] = [:]
  /// How many of the innermost loops are a register tile's own.
  var tileDepth = 0
  /// What the block reads that is the same for all its iterations, read before them.
  var hoisted: [(load: Expression, register: TapeBuilder.Operand)] = []
  /// Whether a tile's array holds nothing but the identity of its combiner.
  var isFresh = false

  func contains(_ variable: LoopVariable) -> Bool {
    variable == wideLanes || loops.contains { $0.variable == variable }
  }

  /// How far an index moves with one of the loops.
  func stride(of index: Index, along variable: LoopVariable) -> Int {
    let own = index.coefficient(of: variable)
    guard let wideLanes, variable == loops.last?.variable else { return own }
    return own + index.coefficient(of: wideLanes)
  }
}

/// Loops one inside the other, and what is declared between them.
struct LoopChain {
  var loops: [Loop] = []
  /// What precedes the next loop inside of each.
  var declarations: [[Statement]] = []
  /// The body of the innermost.
  var core: [Statement] = []

  init(core: [Statement]) { self.core = core }

  init(_ loop: Loop) {
    var current = loop
    while true {
      loops.append(current)
      let prefix = current.body.prefix { if case .declare = $0 { true } else { false } }
      if current.body.count == prefix.count + 1, case .loop(let next) = current.body[prefix.count] {
        declarations.append(Array(prefix))
        current = next
      } else {
        declarations.append([])
        core = current.body
        return
      }
    }
  }
}
