internal import LatheCore
internal import LatheNN

/// Reading and writing at places given by data. Negative places count from the end.
extension Operator {
  static let indexing: [String: Operator] = [
    "Gather": .one(gather),
    "GatherElements": .one { call throws(TypeFault) in
      let (x, indices) = (try call.tensor(0), try call.tensor(1))
      let axis = try call.axis(default: 0, rank: x.rank)
      return x.gather(dim: axis, counted(indices, sizes: [x.shape[axis]]))
    },
    "GatherND": .one { call throws(TypeFault) in
      let (x, indices) = (try call.tensor(0), try call.tensor(1))
      let batch = try call.integer("batch_dims", default: 0)
      guard indices.rank > 0, batch >= 0, batch < indices.rank, batch <= x.rank else {
        throw TypeFault("\(batch) batch axes do not fit \(x.type) and \(indices.type)")
      }
      let axes = try addressed(x, indices, batch)
      return x.gather(counted(indices, sizes: axes.map { x.shape[$0] }), IndexedAxes(batch: batch, axes: axes))
    },
    "Scatter": .one(scatterElements),
    "ScatterElements": .one(scatterElements),
    "ScatterND": .one { call throws(TypeFault) in
      let (x, indices, updates) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
      guard indices.rank > 0 else { throw TypeFault("the indices \(indices.type) have no axes") }
      let axes = try addressed(x, indices, 0)
      return x.scatter(
        counted(indices, sizes: axes.map { x.shape[$0] }), updates, IndexedAxes(axes: axes),
        combiner: try combiner(call))
    },
    "NonZero": .one { call throws(TypeFault) in
      let x = try call.deciding(0)
      return (x.rank == 0 ? x.reshape([1]) : x).nonzero().permute([1, 0])
    },
    "Compress": .one { call throws(TypeFault) in
      var x = try call.tensor(0)
      if call.attributes["axis"] == nil { x = x.reshape([x.shape.elementCount]) }
      return x.compress(try call.deciding(1), dim: try call.axis(default: 0, rank: x.rank))
    },
    "Unique": Operator { call throws(TypeFault) in
      let x = try call.deciding(0)
      let isSorted = try call.flag("sorted", default: true)
      let axis = try call.optionalInteger("axis").map { axis throws(TypeFault) in try Call.axis(axis, rank: x.rank) }
      let flat = axis == nil ? x.reshape([x.shape.elementCount]) : x
      // Elements are found in order already.
      let unique = axis == nil && isSorted ? x.unique() : flat.unique(dim: axis ?? 0, isSorted: isSorted)
      return [unique.values, unique.indices, unique.inverse.reshape([-1]), unique.counts].map { Operand($0) }
    },
    "NonMaxSuppression": .one(nonMaxSuppression),
    "ReverseSequence": .one(reverseSequence),
    "TensorScatter": .one(tensorScatter),
  ]

  /// Places counted from the front: negative ones have the sizes added, one size for each entry of the last axis, or one.
  static func counted(_ indices: Tensor, sizes: [Dim]) -> Tensor {
    guard indices.dtype.isSigned else { return indices }
    if let literal = indices.literal, literal.values.allSatisfy({ $0.double >= 0 }) { return indices }
    let extents = Sizes(sizes, isScalar: sizes.count == 1, dtype: indices.dtype).tensor(in: indices.builder)
    return (indices .< 0).select(indices + extents, indices)
  }

  private static func gather(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, indices) = (try call.tensor(0), try call.tensor(1))
    let axis = try call.axis(default: 0, rank: x.rank)
    // One known place is a slice, which costs nothing.
    if let literal = indices.literal, literal.count == 1, literal.dtype.isInteger, let size = x.shape[axis].known {
      let listed = literal.integers[0]
      guard listed >= -size, listed < size else {
        throw TypeFault("index \(listed) is outside axis \(axis) of \(x.type)")
      }
      let place = listed < 0 ? listed + size : listed
      let shape = Array(x.shape[..<axis]) + indices.shape + Array(x.shape[(axis + 1)...])
      return x.slice(axis: axis, from: place, to: place + 1).reshape(shape)
    }
    return x.take(dim: axis, counted(indices, sizes: [x.shape[axis]]))
  }

  /// The axes that the last axis of `indices` addresses.
  private static func addressed(_ x: Tensor, _ indices: Tensor, _ batch: Int) throws(TypeFault) -> [Int] {
    let count = try indices.size(indices.rank - 1, "the last axis of the indices")
    guard batch + count <= x.rank else { throw TypeFault("\(count) coordinates address more axes than \(x.type) has") }
    return Array(batch..<(batch + count))
  }

  private static func combiner(_ call: Call) throws(TypeFault) -> Combiner? {
    switch try call.string("reduction", default: "none") {
    case "none": return nil
    case "add": return .sum
    case "mul": return .product
    case "max": return .max
    case "min": return .min
    case let other: throw TypeFault("the reduction '\(other)' is not one of none, add, mul, max, min")
    }
  }

  /// Every update names its place on one axis and stays at its own on the others.
  private static func scatterElements(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, updates) = (try call.tensor(0), try call.tensor(2))
    let axis = try call.axis(default: 0, rank: x.rank)
    let indices = try call.tensor(1).assumed(alike: updates)
    guard indices.rank == x.rank else { throw TypeFault("the indices \(indices.type) need as many axes as \(x.type)") }
    let places = counted(indices, sizes: [x.shape[axis]])
    let coordinates = (0..<x.rank).map { other in
      let along = other == axis ? places : call.builder.iota(TensorType(places.dtype, places.shape), axis: other)
      return along.inserting(axes: [x.rank])
    }
    return x.scatter(
      Tensor.concatenate(coordinates, axis: x.rank), updates, IndexedAxes(axes: Array(0..<x.rank)),
      combiner: try combiner(call))
  }

  /// Without a number of boxes none is kept.
  private static func nonMaxSuppression(_ call: Call) throws(TypeFault) -> Tensor {
    var boxes = try call.deciding(0)
    let scores = try call.deciding(1)
    guard boxes.rank == 3, boxes.shape[2] == 4 else { throw TypeFault("the boxes \(boxes.type) are not [images,N,4]") }
    if try call.flag("center_point_box") {
      let (centre, half) = (boxes.slice(axis: 2, from: 0, to: 2), boxes.slice(axis: 2, from: 2, to: 4) / 2)
      boxes = Tensor.concatenate([centre - half, centre + half], axis: 2)
    }
    func number(_ position: Int, _ what: String) throws(TypeFault) -> Tensor? {
      try call.optional(position).map { number throws(TypeFault) in try scalar(number, what) }
    }
    let most = try number(2, "the number of boxes") ?? call.builder.scalar(.integer(0), .i64)
    let threshold = try number(3, "the threshold") ?? call.builder.scalar(.float(0), .f32)
    return LatheNN.nonMaxSuppression(
      boxes, scores, most: most, iouThreshold: threshold, scoreThreshold: try number(4, "the score"))
  }

  /// Along one axis the first `lengths[b]` elements of batch entry `b` are reversed: a gather at `length - 1 - i`.
  private static func reverseSequence(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, lengths) = (try call.tensor(0), try call.tensor(1).convert(to: .i64))
    let batch = try call.axis("batch_axis", default: 1, rank: x.rank)
    let time = try call.axis("time_axis", default: 0, rank: x.rank)
    guard batch != time, lengths.shape == [x.shape[batch]] else {
      throw TypeFault("the lengths \(lengths.type) do not fit axis \(batch) of \(x.type)")
    }
    let position = call.builder.iota(TensorType(.i64, x.shape), axis: time)
    let length = lengths.broadcast(to: x.shape, axes: [batch])
    return x.gatherAlong(axis: time, indices: (position .< length).select(length - 1 - position, position))
  }

  /// Writes updates into a cache, behind what each batch entry holds already.
  private static func tensorScatter(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, updates) = (try call.tensor(0), try call.tensor(1))
    let axis = try call.axis(default: -2, rank: x.rank)
    guard axis > 0, updates.rank == x.rank else { throw TypeFault("the updates \(updates.type) do not fit \(x.type)") }
    var places = call.builder.iota(TensorType(.i64, updates.shape), axis: axis)
    if let start = try call.optional(2) {
      places = places + start.convert(to: .i64).broadcast(to: updates.shape, axes: [0])
    }
    if try call.string("mode", default: "linear") == "circular" {
      places = places.remainder(Sizes([x.shape[axis]], isScalar: true).tensor(in: call.builder))
    }
    return x.scatterAlong(axis: axis, indices: places, updates: updates, combiner: nil)
  }
}
