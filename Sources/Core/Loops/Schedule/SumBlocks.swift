/// How a long sum is cut into blocks, each of which is summed by itself.
///
/// A sum of n terms, one by one, is off by up to n roundings; by blocks, only by those of one block and of joining them.
struct SumBlocks {
  /// What stands around the loops of one block: where its sum begins, and where it joins the others.
  typealias Around = (_ emitter: inout NestEmitter, _ loops: (inout NestEmitter) -> Void) -> Void

  /// The loop that is cut; those inside of it run whole.
  let variable: LoopVariable
  /// How often it runs in one block.
  let length: Int
  let around: Around

  /// The fewest terms of two blocks, and the most of one.
  private static let fewest = 1024
  private static let most = 512

  /// The blocks of a reduction over loops, outermost first; nil where it is short, or no sum of floats.
  ///
  /// - Parameter partials: So many partial sums share the terms of a block.
  init?(
    _ combiner: Combiner, _ type: ScalarType, over order: [LoopVariable], partials: Int = 1, around: @escaping Around
  ) {
    let count = order.reduce(1) { $0 * $1.extent }
    guard combiner == .sum, type.isFloat, count >= Self.fewest * partials else { return nil }
    let most = min(Self.most * partials, count / 2)
    var inner = 1
    guard
      let variable = order.last(where: { variable in
        inner *= variable.extent
        return inner > most
      })
    else { return nil }
    let longest = max(1, most / (inner / variable.extent))
    self.variable = variable
    // Blocks of one length have constant ends.
    length = (max(1, longest / 2)...longest).last { variable.extent % $0 == 0 } ?? longest
    self.around = around
  }
}

extension NestEmitter {
  /// Emits a loop with the given ends by `body`; blocks that cut it, as a loop over them.
  mutating func loop(
    over variable: LoopVariable, from lower: Bound, to upper: Bound, in blocks: SumBlocks?,
    _ body: (inout NestEmitter, Bound, Bound) -> Void
  ) {
    guard let blocks, blocks.variable == variable else { return body(&self, lower, upper) }
    let block = scalars.variable((variable.extent + blocks.length - 1) / blocks.length)
    let start = Index(block) * blocks.length
    var ends = (lower: lower, upper: upper)
    ends.lower.raise(toAtLeast: start, by: 1)
    ends.upper.restrict(toAtMost: start + blocks.length, by: 1)
    let statements = self.block(binding: [block]) { emitter in
      blocks.around(&emitter) { body(&$0, ends.lower, ends.upper) }
    }
    append(.loop(Loop(block, body: statements)))
  }
}
