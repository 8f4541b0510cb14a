extension Pass {
  /// Computes nodes whose operands are all literals, where the result is not much larger than they are.
  ///
  /// Broadcasts of literals stay: they cost nothing to read, and a network whose weights are broadcasts of numbers is
  /// not blown up. Where all operands are such, the function moves before the broadcast, and so do views.
  public static let foldConstants = Pass("fold-constants", [hoistBroadcast, foldLiterals] + BroadcastRules.all)

  /// A result of at most this many bytes is worth a literal even where its operands are smaller.
  private static let freeBytes = 1 << 18
  /// The same where operands are of eight bits or fewer: weights that are quantized stay so.
  private static let freeQuantizedBytes = 1 << 12
  /// A result of at most this many bytes is worth a literal where it is made of indices only, such as masks.
  private static let freeIndexBytes = 1 << 14

  private static let foldLiterals = RewriteRule("fold-literals") { match in
    switch match.operation {
    case .broadcast, .iota, .exchange, .conditional, .whileLoop, .scan, .call: return nil
    default: break
    }
    var bytes = 0
    for type in match.types {
      guard let count = type.byteCount else { return nil }
      bytes += count
    }
    guard !match.operands.isEmpty else { return nil }
    let isView =
      switch match.operation {
      case .reshape, .permute, .slice, .reverse: true
      default: false
      }
    // First the sizes, then the contents, which may have to be broadcast.
    var given = 0
    var hasLiteral = false
    var isQuantized = false
    for operand in match.operands {
      switch operand.operation {
      case .constant(let constant):
        given += constant.array.bytes.count
        hasLiteral = true
        isQuantized = isQuantized || constant.array.isQuantized
      case .broadcast:
        // A view of a broadcast is a broadcast of a view, as the rules of broadcasts have it.
        guard !isView, let inner = operand.source(0).literal else { return nil }
        given += inner.bytes.count
        hasLiteral = true
        isQuantized = isQuantized || inner.isQuantized
      case .iota: break
      default: return nil
      }
    }
    let free = isQuantized ? freeQuantizedBytes : hasLiteral ? freeBytes : freeIndexBytes
    guard bytes <= max(given, free) else { return nil }
    var literals: [NDArray] = []
    for operand in match.operands {
      if case .iota = operand.operation {
        guard let array = match.evaluate(operand.operation, [], [operand.type]) else { return nil }
        literals.append(array[0])
      } else {
        guard let array = match.materialized(operand) else { return nil }
        literals.append(array)
      }
    }
    return match.evaluate(match.operation, literals, match.types)?.map { match.builder.constant($0) }
  }

  /// A scalar function of broadcast literals is the broadcast of the function, along the axes on which none varies.
  private static let hoistBroadcast = RewriteRule("hoist-broadcast") { match in
    let function: Operation = match.operation
    switch function {
    case .pointwise, .convert, .bitcast, .detach: break
    default: return nil
    }
    let shape = match.types[0].shape
    var varying = Set<Int>()
    for operand in match.operands {
      guard case .broadcast(let broadcast) = operand.operation, let inner = operand.source(0).literal else {
        return nil
      }
      for (axis, size) in zip(broadcast.axes, inner.shape) where size != 1 { varying.insert(axis) }
    }
    let axes = varying.sorted()
    guard !match.operands.isEmpty, axes.count < shape.count else { return nil }
    let reduced = axes.map { shape[$0] }
    let operands = match.operands.map { operand -> Tensor in
      guard case .broadcast(let broadcast) = operand.operation else { return operand }
      let inner = operand.source(0)
      let kept = zip(broadcast.axes, inner.shape).filter { $1 != 1 }
      return inner.reshape(kept.map(\.1)).broadcast(
        to: reduced, axes: kept.map { axes.firstIndex(of: $0.0) ?? internalError("axis \($0.0) is not one of \(axes)") }
      )
    }
    return [match.folded(function, operands).broadcast(to: shape, axes: axes)]
  }
}

extension NDArray {
  /// Whether elements are numbers of eight bits or fewer.
  fileprivate var isQuantized: Bool { dtype.byteCount == 1 && dtype != .bool }
}
