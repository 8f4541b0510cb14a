public import LatheCore

/// Minus the logarithm of the probability that frames spell a target: connectionist temporal classification.
///
/// Each frame says one symbol or `blank`; a target is spelt by every sequence of frames that gives it once repetitions are
/// joined and blanks left out. Frames and symbols beyond their sequence's length do not count.
///
/// - Parameters:
///   - logProbs: Logarithms of the symbols' probabilities, `[T, N, C]`, or `[T, C]` without batch. The gradient is that of
///     numbers that `logSoftmax` made, as in PyTorch.
///   - targets: Symbols, `[N, S]` or all sequences one behind the other, `[sum of lengths]`; `[S]` without batch.
///   - inputLengths: How many frames count, integers `[N]`, or `[]` without batch.
///   - targetLengths: How many symbols count, integers `[N]`, or `[]` without batch.
///   - blank: The symbol that is none.
///   - reduction: `.mean` divides each loss by its target's length first.
///   - zeroInfinity: Whether a target that is longer than its frames costs nothing rather than infinity.
///
/// Source: Graves et al., Connectionist temporal classification, 2006,
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
public func ctcLoss(
  _ logProbs: Tensor, _ targets: Tensor, _ inputLengths: Tensor, _ targetLengths: Tensor, blank: Int = 0,
  reduction: Reduction = .mean, zeroInfinity: Bool = false
) -> Tensor {
  composite("ctcLoss", [logProbs, targets, inputLengths, targetLengths]) { () throws(TypeFault) -> Tensor in
    try logProbs.requireFloat("the log-probabilities")
    try logProbs.requireRank(2...3, "the log-probabilities")
    let isBatched = logProbs.rank == 3
    let frames = isBatched ? logProbs : logProbs.unsqueeze(dim: 1)
    let batch = frames.shape[1]
    for lengths in [inputLengths, targetLengths] {
      guard lengths.dtype.isInteger, lengths.shape == [batch] || !isBatched && lengths.rank == 0 else {
        throw TypeFault("the lengths are \(lengths.type), need integers of shape \((isBatched ? [batch] : []).text)")
      }
    }
    try requireLengths(inputLengths, "frames", upTo: try frames.knownSize(0))
    let size = try targets.knownSize(targets.rank - 1)
    let isJoined = isBatched && targets.rank == 1
    try requireLengths(targetLengths, "symbols", upTo: size)
    if isJoined, let known = targetLengths.literal?.integers, known.reduce(0, +) > size {
      throw TypeFault("the lengths add up to \(known.reduce(0, +)), there are \(size) symbols")
    }
    guard targets.dtype.isInteger else { throw TypeFault("the targets are \(targets.type), need integers") }
    let count = try frames.knownSize(2)
    guard (0..<count).contains(blank) else { throw TypeFault("blank is \(blank), of \(count) symbols") }
    let limits = inputLengths.convert(to: .i64).reshape([batch])
    let lengths = targetLengths.convert(to: .i64).reshape([batch])
    let symbols = try spelling(targets, lengths, batch, isBatched, blank)
    let likelihood = try logLikelihood(frames, symbols, limits, lengths, blank)
    var losses = -likelihood
    // This adds nothing but the gradient of a softmax before: exp(logProbs), of the frames that count.
    let steps = frames.builder.arange(try frames.knownSize(0)).unsqueeze(dim: 1)
    let total = (steps .< limits).select(frames.exp().sum(dim: 2), try frames.number(0)).sum(dim: 0)
    losses = losses + (total - total.detach())
    if zeroInfinity { losses = losses.isInf().select(losses.zerosLike(), losses) }
    switch reduction {
    case .none: return isBatched ? losses : losses.squeeze(dim: 0)
    case .sum: return losses.sum()
    case .mean: return (losses / lengths.clamp(min: 1).convert(to: losses.dtype)).mean()
    }
  }
}

/// Checks lengths that are known.
private func requireLengths(_ lengths: Tensor, _ what: String, upTo limit: Int) throws(TypeFault) {
  guard let wrong = lengths.literal?.integers.first(where: { !(0...limit).contains($0) }) else { return }
  throw TypeFault("a length is \(wrong), of \(limit) \(what)")
}

/// As `ctcLoss` of tensors, with lengths that are known.
public func ctcLoss(
  _ logProbs: Tensor, _ targets: Tensor, _ inputLengths: [Int], _ targetLengths: [Int], blank: Int = 0,
  reduction: Reduction = .mean, zeroInfinity: Bool = false
) -> Tensor {
  let builder = logProbs.builder
  return ctcLoss(
    logProbs, targets, builder.tensor(inputLengths), builder.tensor(targetLengths), blank: blank, reduction: reduction,
    zeroInfinity: zeroInfinity)
}

/// The symbols that frames go through, `[N, 2 S + 1]`: those of the target with blanks around each.
private func spelling(
  _ targets: Tensor, _ lengths: Tensor, _ batch: Dim, _ isBatched: Bool, _ blank: Int
) throws(TypeFault) -> Tensor {
  let builder = targets.builder
  let size = try targets.knownSize(targets.rank - 1)
  var padded = targets.convert(to: .i64)
  let places = builder.arange(size)
  if isBatched, targets.rank == 1 {
    // One behind the other: those of the next sequences are beyond the own length.
    let starts = (lengths.cumsum(dim: 0) - lengths).unsqueeze(dim: 1)
    padded =
      size == 0
      ? padded.unsqueeze(dim: 0).expanded(to: [batch, 0]) : padded.take(dim: 0, (starts + places).clamp(max: size - 1))
  } else {
    padded = isBatched ? padded : padded.reshape([1, Dim(size)])
    guard padded.shape == [batch, Dim(size)] else {
      throw TypeFault("the targets are \(targets.type), need \([batch, Dim(size)].text)")
    }
  }
  let counts = places.unsqueeze(dim: 0) .< lengths.unsqueeze(dim: 1)
  padded = counts.select(padded, padded.fullLike(blank))
  let pairs = stack([padded.fullLike(blank), padded], dim: 2).reshape([batch, Dim(2 * size)])
  return cat([pairs, builder.full(TensorType(.i64, [batch, 1]), .integer(blank))], dim: 1)
}

/// The logarithms of the probabilities of all ways through the symbols, `[N]`, added up frame by frame.
private func logLikelihood(
  _ frames: Tensor, _ symbols: Tensor, _ limits: Tensor, _ lengths: Tensor, _ blank: Int
) throws(TypeFault) -> Tensor {
  let (builder, batch, width) = (frames.builder, frames.shape[1], try symbols.knownSize(1))
  let steps = try frames.knownSize(0)
  let wide = frames.wide
  let impossible = builder.full(TensorType(wide.dtype, [batch, Dim(width)]), .float(-.infinity))
  let shape = [Dim(steps), batch, Dim(width)]
  let emissions = wide.gatherAlong(axis: 2, indices: symbols.unsqueeze(dim: 0).expanded(to: shape))
  func shifted(_ x: Tensor, _ by: Int) -> Tensor {
    let by = min(by, width)
    return cat(
      [impossible.narrow(dim: 1, start: 0, length: by), x.narrow(dim: 1, start: 0, length: width - by)], dim: 1)
  }
  // A blank may be left out between different symbols.
  let places = builder.arange(width).unsqueeze(dim: 0)
  let before = width > 2 ? symbols.roll(shifts: 2, dims: 1) : symbols
  let skips = ((places % 2) .== 1) .& (places .>= 2) .& (symbols .!= before)
  // Before the first frame there is one way to be at a place in front of the symbols.
  let start = (places .== 0).expanded(to: [batch, Dim(width)]).select(impossible.zerosLike(), impossible)
  let walk = scan([start], over: [emissions, builder.arange(steps)]) { state, elements in
    let (ways, step) = (state[0], elements[1])
    // The first frame says the first blank or symbol: from in front there is no way to the second symbol.
    let isFirst = step .== 0
    let stay = ways
    let next = shifted(ways, 1)
    let skip = (skips .& isFirst.logicalNot()).select(shifted(ways, 2), impossible)
    let sums = logSum([stay, next, skip]) + elements[0]
    return (state: [(step .< limits).unsqueeze(dim: 1).select(sums, ways)], outputs: [])
  }
  let last = (lengths * 2).unsqueeze(dim: 1)
  let ends = walk.state[0].gatherAlong(axis: 1, indices: last)
  let symbol = walk.state[0].gatherAlong(axis: 1, indices: (last - 1).clamp(min: 0))
  let either = logSum([ends, (lengths .> 0).unsqueeze(dim: 1).select(symbol, symbol.fullLike(-Double.infinity))])
  return either.squeeze(dim: 1).convert(to: frames.dtype)
}

/// `log(exp(a) + exp(b) + ...)`, whose gradient is 0 where nothing is possible.
private func logSum(_ terms: [Tensor]) -> Tensor {
  let greatest = terms.dropFirst().reduce(terms[0]) { $0.maximum($1) }.detach()
  let isPossible = greatest .> -.infinity
  let shift = isPossible.select(greatest, greatest.zerosLike())
  let exponentials = terms.map { ($0 - shift).exp() }
  let sum = exponentials.dropFirst().reduce(exponentials[0]) { $0 + $1 }
  let logarithm = isPossible.select(sum, sum.onesLike()).log() + shift
  return isPossible.select(logarithm, greatest)
}
