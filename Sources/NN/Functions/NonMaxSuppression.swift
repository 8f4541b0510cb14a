public import LatheCore

/// The boxes that are kept where each suppresses those of lower scores that it overlaps: `torchvision.ops.nms`.
///
/// - Parameters:
///   - boxes: `[N,4]`, two opposite corners each.
///   - scores: `[N]`.
///   - iouThreshold: A box is suppressed where its intersection with a kept one is a larger share of their union.
/// - Returns: The places of the boxes that are kept, by descending score.
public func nms(_ boxes: Tensor, _ scores: Tensor, iouThreshold: Double) -> Tensor {
  composite("nms", [boxes, scores]) { () throws(TypeFault) -> Tensor in
    try boxes.requireRank(2...2, "the boxes")
    try scores.requireRank(1...1, "the scores")
    let threshold = boxes.builder.scalar(.float(iouThreshold), boxes.dtype)
    return nonMaxSuppression(
      boxes.unsqueeze(dim: 0), scores.reshape([1, 1] + scores.shape), iouThreshold: threshold
    ).select(dim: 1, index: 2)
  }
}

/// The boxes of each image and class that are kept where each suppresses those of lower scores that it overlaps.
///
/// - Parameters:
///   - boxes: `[images,N,4]`, two opposite corners each.
///   - scores: `[images,classes,N]`.
///   - most: How many are kept of an image and a class at most; nil for all.
///   - iouThreshold: A box is suppressed where its intersection with a kept one is a larger share of their union.
///   - scoreThreshold: Boxes are candidates where their score is greater; nil for all.
/// - Returns: A row for each box that is kept: image, class, place of the box; by image, class, and descending score.
public func nonMaxSuppression(
  _ boxes: Tensor, _ scores: Tensor, most: Tensor? = nil, iouThreshold: Tensor, scoreThreshold: Tensor? = nil
) -> Tensor {
  composite("nonMaxSuppression", [boxes, scores, most, iouThreshold, scoreThreshold]) {
    () throws(TypeFault) -> Tensor in
    try boxes.requireRank(3...3, "the boxes")
    try scores.requireRank(3...3, "the scores")
    let (images, classes, count) = (scores.shape[0], scores.shape[1], scores.shape[2])
    guard boxes.shape == [images, count, 4] else {
      throw TypeFault("the boxes \(boxes.type) do not fit \(scores.type)")
    }
    let builder = boxes.builder
    let order = scores.argSort(axis: 2, descending: true)
    let sorted = boxes.gather(order.unsqueeze(dim: -1), IndexedAxes(batch: 1, axes: [1], outside: .ignored))
    func side(_ place: Int, _ join: Pointwise) -> Tensor {
      .pointwise(join, sorted.select(dim: 3, index: place), sorted.select(dim: 3, index: place + 2))
    }
    let (low, high) = ((0...1).map { side($0, .minimum) }, (0...1).map { side($0, .maximum) })
    let areas = (high[0] - low[0]) * (high[1] - low[1])
    let candidates =
      scoreThreshold.map {
        scores.gatherAlong(axis: 2, indices: order, outside: .ignored) .> $0.convert(to: scores.dtype)
      }
      ?? builder.full(TensorType(.bool, scores.shape), .integer(1))
    let limit = most?.convert(to: .i64) ?? builder.number(count)
    let threshold = iouThreshold.convert(to: boxes.dtype)
    // Box by box, from the best: what is alive is kept, and suppresses what it overlaps.
    let positions = builder.iota(TensorType(.i64, [count]), axis: 0)
    let walked = (low + high + [areas, candidates]).map { $0.movedim(2, 0) }
    let alive = builder.full(TensorType(.bool, scores.shape), .integer(1))
    let kept = builder.zeros(TensorType(.i64, [images, classes]))
    let (_, outputs) = scan([alive, kept], over: walked + [positions]) { state, box in
      let step = box[6]
      let isHere = (positions .== step).expanded(to: scores.shape)
      let isAlive = (isHere .& state[0]).any(dim: 2)
      let isKept = isAlive .& box[5] .& (state[1] .< limit)
      func overlap(_ axis: Int) -> Tensor {
        let least = low[axis].maximum(box[axis].unsqueeze(dim: 2))
        return (high[axis].minimum(box[2 + axis].unsqueeze(dim: 2)) - least).maximum(0)
      }
      let intersection = overlap(0) * overlap(1)
      let union = areas + box[4].unsqueeze(dim: 2) - intersection
      let overlaps = (intersection .> 0) .& (union .> 0) .& ((intersection / union) .> threshold)
      let next = state[0] .& (overlaps .& isKept.unsqueeze(dim: 2)).logicalNot()
      return ([next, state[1] + isKept.convert(to: .i64)], [isKept])
    }
    let isKept = outputs[0].permute([1, 2, 0])
    let bound = most?.literal.flatMap { $0.integers.first }.map { Dim.minimum(count, Dim(max(0, $0))) }
    let rows = isKept.nonzero(atMost: (bound ?? count) * images * classes)
    let places = order.gather(rows, IndexedAxes(axes: [0, 1, 2], outside: .ignored))
    return cat([rows.slice(axis: 1, from: 0, to: 2), places.unsqueeze(dim: 1)], dim: 1)
  }
}
