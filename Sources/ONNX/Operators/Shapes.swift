internal import LatheCore
internal import LatheNN

/// Operators that move elements around, or make them from shapes.
extension Operator {
  static let shapes: [String: Operator] = [
    "Shape": Operator { call throws(TypeFault) in
      let x = try call.tensor(0)
      let range = SliceArguments.resolved(
        start: try call.integer("start", default: 0), end: try call.integer("end", default: x.rank), step: 1,
        size: x.rank)
      return [Operand(.sizes(Sizes(range.map { x.shape[$0] })))]
    },
    "Size": Operator { call throws(TypeFault) in
      [Operand(.sizes(Sizes([try call.tensor(0).shape.elementCount], isScalar: true)))]
    },
    "Constant": .one(constant),
    "ConstantOfShape": .one { call throws(TypeFault) in
      let value = try call.array("value") ?? NDArray([Float(0)])
      guard value.count == 1, let number = value.first else {
        throw TypeFault("the value is \(value.type), not one number")
      }
      let listed = try call.listed(0, "the shape")
      return filled(call.builder, TensorType(value.dtype, try sizes(call, listed)), number)
    },
    "Reshape": .one(reshape),
    "Flatten": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axis = try call.integer("axis", default: 1)
      let first = axis == x.rank ? axis : try Call.axis(axis, rank: Swift.max(1, x.rank))
      return x.reshape([Array(x.shape[..<first]).elementCount, Array(x.shape[first...]).elementCount])
    },
    "Transpose": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      return x.permute(try call.optionalIntegers("perm") ?? (0..<x.rank).reversed())
    },
    "Squeeze": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axes = try call.axes(operand: 1, rank: x.rank) ?? x.shape.indices.filter { x.shape[$0] == 1 }
      for axis in axes where x.shape[axis] != 1 { throw TypeFault("axis \(axis) has size \(x.shape[axis]), not 1") }
      return x.reshape(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
    },
    "Unsqueeze": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let listed = call.has(1) ? try call.integers(1, "the list of axes") : try call.integers("axes")
      return x.inserting(axes: try Call.axes(listed, rank: x.rank + listed.count))
    },
    "Concat": .one { call throws(TypeFault) in
      let tensors = try call.matching()
      let axis = try call.axis(rank: tensors[0].rank)
      return Tensor.concatenate(tensors.map { $0.assumed(alike: tensors[0], except: axis) }, axis: axis)
    },
    "Split": .several(split),
    "Slice": .one(slice),
    "Pad": .one(pad),
    "Expand": .one { call throws(TypeFault) in
      var x = try call.tensor(0)
      var listed = try call.listed(1, "the shape")
      let literal = x.literal
      // What the run decides for an axis that has elements already is 1, or as many as there are.
      for (axis, size) in zip(listed.indices.reversed(), x.shape.reversed()) where size != 1 {
        guard case .number(let number) = listed[axis] else { continue }
        let builder = Tensor.innermostBuilder(of: [x, number])
        listed[axis] = .size(size.extents.isEmpty ? 1 : builder.broadcast(size, number))
        if size.extents.isEmpty { x = x.required((number .== 1) .| (number .== builder.number(size))) }
      }
      let expanded = try x.expanded(toFit: try sizes(call, listed))
      if let literal, literal.count == 1, let number = literal.first {
        return filled(call.builder, expanded.type, number)
      }
      return expanded
    },
    "Tile": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let counts = try sizes(call, try call.listed(1, "the list of repeats"))
      guard counts.count == x.rank else { throw TypeFault("\(counts.count) repeats are given for \(x.type)") }
      // [a, b] -> [1, a, 1, b] -> [m, a, n, b] -> [m a, n b]
      let spread = zip(counts, x.shape).flatMap { [$0, $1] }
      return x.broadcast(to: spread, axes: x.shape.indices.map { 2 * $0 + 1 }).reshape(
        zip(counts, x.shape).map { $0 * $1 })
    },
    "DepthToSpace": .one { call throws(TypeFault) in
      try depthToSpace(
        try call.tensor(0), size: try call.integer("blocksize"), mode: try call.string("mode", default: "DCR"))
    },
    "SpaceToDepth": .one { call throws(TypeFault) in
      try spaceToDepth(
        try call.tensor(0), size: try call.integer("blocksize"), mode: try call.string("mode", default: "DCR"))
    },
    "Trilu": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      var diagonal = 0
      if call.has(1) {
        let listed = try Call.known(try call.dimensions(1, "the diagonal", bounded: false), "the diagonal")
        guard listed.count == 1 else { throw TypeFault("the diagonal is not one number") }
        diagonal = Swift.min(Swift.max(listed[0], -Call.largestSize), Call.largestSize)
      }
      return try call.flag("upper", default: true) ? x.triu(diagonal: diagonal) : x.tril(diagonal: diagonal)
    },
    "EyeLike": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      guard x.rank == 2 else { throw TypeFault("the operand \(x.type) is not a matrix") }
      let type = TensorType(.i64, x.shape)
      let diagonal = call.builder.iota(type, axis: 0) + (try call.integer("k", default: 0))
      return (call.builder.iota(type, axis: 1) .== diagonal).convert(to: try call.elementType("dtype") ?? x.dtype)
    },
    "Range": .one(range),
    "OneHot": .one(oneHot),
    "CenterCropPad": .one(centerCropPad),
  ]

  /// A tensor with one value; small ones become literals, since shapes may be computed from them.
  static func filled(_ builder: Builder, _ type: TensorType, _ value: ScalarValue) -> Tensor {
    guard let shape = type.shape.known, shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) <= 64,
      shape.allSatisfy({ (0...64).contains($0) })
    else { return builder.full(type, value) }
    return builder.constant(
      unfailing {
        try NDArray(dtype: type.dtype, shape: shape, values: Array(repeating: value, count: shape.reduce(1, *)))
      })
  }

  /// A shape given by an operand; sizes that the run decides get names.
  static func sizes(_ call: Call, _ listed: [ListedSize]) throws(TypeFault) -> [Dim] {
    let isOnlyOne = listed.count(where: { if case .number = $0 { true } else { false } }) == 1
    let shape = listed.enumerated().map { call.size($1, isOnlyOne ? nil : $0) }
    for size in shape { if let known = size.known, known < 0 { throw TypeFault("the size \(known) is negative") } }
    return shape
  }

  private static func constant(_ call: Call) throws(TypeFault) -> Tensor {
    if let array = try call.array("value") { return call.builder.constant(array) }
    if let array = try call.sparseArray("sparse_value") { return call.builder.constant(array) }
    if let value = try call.optionalFloat("value_float") { return call.builder.scalar(.float(value), .f32) }
    if let values = try call.floats("value_floats") { return call.builder.constant(NDArray(values.map { Float($0) })) }
    if call.attributes["value_int"] != nil {
      return call.builder.scalar(.integer(try call.unboundedInteger("value_int")), .i64)
    }
    if let values = try call.unboundedIntegers("value_ints") {
      return call.builder.constant(NDArray(values.map { Int64($0) }))
    }
    throw TypeFault("has no value of a supported kind")
  }

  /// A size of 0 copies the operand's (unless `allowzero` is set), one size of -1 takes the rest.
  private static func reshape(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    var listed = try call.listed(1, "the shape")
    if try !call.flag("allowzero") {
      for axis in listed.indices {
        guard case .size(0) = listed[axis] else { continue }
        guard axis < x.rank else {
          throw TypeFault(
            "the size 0 at axis \(axis) of \(text(listed)) copies an axis that \(x.type) does not have")
        }
        listed[axis] = .size(x.shape[axis])
      }
    }
    for case .size(let size) in listed {
      if let known = size.known, known < -1 { throw TypeFault("the size \(known) is negative") }
    }
    let open = listed.indices.filter { if case .size(-1) = listed[$0] { true } else { false } }
    guard open.count <= 1 else { throw TypeFault("\(text(listed)) has more than one size of -1") }
    guard var shape = Call.named(listed) else { return try reshaped(x, listed, open.first, call) }
    if let axis = open.first {
      shape[axis] = 1
      let rest = shape.elementCount
      if rest == 0 {
        shape[axis] = 0
      } else if let quotient = x.shape.elementCount.divided(exactlyBy: rest) {
        shape[axis] = quotient
      } else if !(x.shape + [rest]).extents.isEmpty, (x.shape + [rest]).allSatisfy(\.symbols.isEmpty) {
        return try reshaped(x, listed, axis, call)
      } else {
        throw TypeFault(
          "the \(x.shape.elementCount) elements of \(x.type) do not divide by the \(rest) of the other sizes",
          help: Call.bindingHelp(x.shape + [rest]))
      }
    }
    return x.reshape(shape)
  }

  /// Sizes are an attribute before opset 13, an operand since; without them the parts are equal, the last one smaller.
  private static func split(_ call: Call) throws(TypeFault) -> [Tensor] {
    let x = try call.tensor(0)
    let axis = try call.axis(default: 0, rank: x.rank)
    if let parts = try partsOfData(x, axis, call) { return parts }
    var sizes = call.has(1) ? try call.integers(1, "the list of sizes") : try call.optionalIntegers("split")
    let total = try x.size(axis, "the size of the axis that is split")
    if sizes == nil {
      let count = try call.integer("num_outputs", default: call.node.output.count)
      guard count > 0, count >= call.node.output.count, count <= 1 << 16 else {
        throw TypeFault("cannot be split into \(count) parts")
      }
      let part = (total + count - 1) / count
      guard call.attributes["num_outputs"] != nil || total % count == 0 else {
        throw TypeFault("axis \(axis) of \(x.type) does not divide into \(count) parts")
      }
      sizes = (0..<count).map { Swift.max(0, Swift.min(part, total - $0 * part)) }
    }
    guard let sizes, sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == total else {
      throw TypeFault("the sizes \(sizes ?? []) do not add up to \(total), axis \(axis) of \(x.type)")
    }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return x.slice(axis: axis, from: start, to: start + size)
    }
  }

  private static func slice(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    if call.opset >= 10, (1...2).contains(where: { call.has($0) && call.operands[$0]?.sizes == nil }) {
      return try sliced(x, call)
    }
    let arguments = try SliceArguments(call)
    let axes = try Call.axes(arguments.axes, rank: x.rank)
    let ends = zip(axes, zip(arguments.starts, zip(arguments.ends, arguments.steps)))
    let open = ends.filter { axis, range in ![x.shape[axis], range.0, range.1.0].extents.isEmpty }
    if !open.isEmpty {
      var x = x
      for (axis, (from, (to, step))) in ends {
        x = try x.elements(axis: axis, from: .size(from), to: .size(to), step: step)
      }
      return x
    }
    var start = [Int](repeating: 0, count: x.rank)
    var limit = x.shape
    var stride = [Int](repeating: 1, count: x.rank)
    var reversed: [Int] = []
    for (position, axis) in axes.enumerated() {
      let step = arguments.steps[position]
      let (from, to) = (arguments.starts[position], arguments.ends[position])
      if let size = x.shape[axis].known, let from = from.known, let to = to.known {
        // A backward walk is a forward walk over the reversed axis.
        let forward = step > 0
        let (low, high) = SliceArguments.bounds(start: from, end: to, step: step, size: size)
        start[axis] = forward ? low : size - 1 - low
        limit[axis] = Dim(forward ? Swift.max(low, high) : Swift.max(start[axis], size - 1 - high))
        stride[axis] = Swift.abs(step)
        if !forward { reversed.append(axis) }
        continue
      }
      // With a symbolic size, an end counted from the end is taken off. A symbolic end is taken to be inside, which is
      // checked once sizes are known: exporters cut tables of constants so.
      let bound = Call.largestSize
      guard step > 0, let first = from.known, (0...bound).contains(first), (to.known ?? 0) >= -bound else {
        throw TypeFault(
          "the slice \(from) ..< \(to) by \(step) of axis \(axis) needs its size, \(x.shape[axis])",
          help: Call.bindingHelp([x.shape[axis], from, to]))
      }
      start[axis] = first
      stride[axis] = step
      if let last = to.known {
        // A number beyond all sizes says "to the end".
        limit[axis] =
          last < 0
          ? x.shape[axis] + Dim(last) : last > bound ? x.shape[axis] : .minimum(x.shape[axis], Dim(last))
      } else {
        limit[axis] = to.isAtLeast(x.shape[axis]) ? x.shape[axis] : to
      }
    }
    return x.reverse(reversed).slice(start: start, limit: limit, stride: stride)
  }

  /// Amounts are an attribute before opset 11, an operand since; both lists name the axes' starts first, then the ends.
  private static func pad(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    var value: Tensor?
    let amounts: [Int]
    var axes = Array(0..<x.rank)
    if call.opset < 11 {
      amounts = try call.integers("pads")
      value = x.constant(try call.float("value", default: 0))
    } else {
      value = try call.optional(2)?.reshape([Int]())
      if call.has(3) { axes = try Call.axes(try call.integers(3, "the list of axes"), rank: x.rank) }
      let listed = try call.listed(1, "the list of amounts")
      guard let named = Call.named(listed), named.extents.isEmpty else {
        return try padded(x, listed, axes, value: value, call)
      }
      amounts = try Call.known(named, "the list of amounts")
    }
    guard amounts.count == 2 * axes.count else {
      throw TypeFault("\(amounts.count) amounts are given for \(axes.count) axes of \(x.type)")
    }
    var low = [Int](repeating: 0, count: x.rank)
    var high = low
    for (position, axis) in axes.enumerated() {
      (low[axis], high[axis]) = (amounts[position], amounts[axes.count + position])
    }
    let mode = try paddingMode(call)
    if mode == .constant { return LatheNN.pad(x, low: low, high: high, mode: mode, value: value) }
    // Of an axis whose size data decides, and where an axis is repeated more than once, what is repeated lies at computed
    // places.
    let isComputed = x.shape.indices.contains { axis in
      guard low[axis] != 0 || high[axis] != 0 else { return false }
      guard let size = x.shape[axis].known else { return !x.shape[axis].extents.isEmpty }
      let left = size + Swift.min(low[axis], 0) + Swift.min(high[axis], 0)
      let reach = mode == .reflect ? left - 1 : mode == .circular ? left : Int.max
      return left > 0 && Swift.max(low[axis], high[axis]) > reach
    }
    if isComputed {
      return try padded(x, (low + high).map { .size(Dim($0)) }, Array(0..<x.rank), value: value, call)
    }
    return LatheNN.pad(x, low: low, high: high, mode: mode)
  }

  static func paddingMode(_ call: Call) throws(TypeFault) -> PaddingMode {
    let modes: [String: PaddingMode] = [
      "constant": .constant, "reflect": .reflect, "edge": .replicate, "wrap": .circular,
    ]
    let name = try call.string("mode", default: "constant")
    guard let mode = modes[name] else { throw TypeFault("the mode '\(name)' is not one of \(modes.keys.sorted())") }
    return mode
  }

  /// The sizes of axes in blocks.
  private static func image(_ x: Tensor, dividing axes: [Int], by size: Int) throws(TypeFault) -> [Dim] {
    guard x.rank == 4 else { throw TypeFault("the operand \(x.type) has not 4 axes") }
    guard size > 0 else { throw TypeFault("the block size \(size) is not positive") }
    var parts: [Dim] = []
    for axis in axes {
      guard let part = x.shape[axis].divided(exactlyBy: Dim(size)) else {
        throw TypeFault("axis \(axis) of \(x.type) does not divide by \(size)")
      }
      parts.append(part)
    }
    return parts
  }

  /// Blocks of one place on the axes behind, in place of each element.
  ///
  /// - Parameter mode: Whether the channels have the blocks' axes in front (`DCR`) or behind (`CRD`).
  static func depthToSpace(_ x: Tensor, size: Int, mode: String) throws(TypeFault) -> Tensor {
    guard size > 0, size <= 1 << 15 else { throw TypeFault("the block size \(size) is out of range") }
    let b = Dim(size)
    guard x.rank == 4, let channels = x.shape[1].divided(exactlyBy: b * b) else {
      throw TypeFault("the channels of \(x.type) do not divide by \(size * size)")
    }
    let result = [x.shape[0], channels, x.shape[2] * b, x.shape[3] * b]
    switch mode {
    case "DCR":
      return x.reshape([x.shape[0], b, b, channels, x.shape[2], x.shape[3]]).permute([0, 3, 4, 1, 5, 2]).reshape(result)
    case "CRD":
      return x.reshape([x.shape[0], channels, b, b, x.shape[2], x.shape[3]]).permute([0, 1, 4, 2, 5, 3]).reshape(result)
    case let other: throw TypeFault("the mode '\(other)' is neither DCR nor CRD")
    }
  }

  /// The other way round.
  static func spaceToDepth(_ x: Tensor, size: Int, mode: String) throws(TypeFault) -> Tensor {
    let parts = try image(x, dividing: [2, 3], by: size)
    let b = Dim(size)
    let order = mode == "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]
    return x.reshape([x.shape[0], x.shape[1], parts[0], b, parts[1], b]).permute(order)
      .reshape([x.shape[0], x.shape[1] * b * b, parts[0], parts[1]])
  }

  private static func range(_ call: Call) throws(TypeFault) -> Tensor {
    let type = try call.tensor(0).dtype
    // Symbolic ends are common in exported models: as many numbers as there are positions.
    if let start = call.operands[0]?.sizes, let end = call.has(1) ? call.operands[1]?.sizes : nil,
      let step = call.has(2) ? call.operands[2]?.sizes : nil, step.dimensions == [1], start.dimensions.count == 1,
      end.dimensions.count == 1, end.dimensions[0].known == nil || start.dimensions[0].known == nil,
      (end.dimensions + start.dimensions).extents.isEmpty
    {
      let count = TensorType(type, [end.dimensions[0] - start.dimensions[0]])
      let first = Sizes(start.dimensions, isScalar: true, dtype: type).tensor(in: call.builder)
      return call.builder.iota(count, axis: 0) + first
    }
    for position in 0..<3 { if try call.tensor(position).literal == nil { return try rangeOfData(call) } }
    let (start, end) = (try call.literal(0, "the start"), try call.literal(1, "the limit"))
    let step = try call.literal(2, "the step")
    guard [start, end, step].allSatisfy({ $0.count == 1 && $0.dtype == type }), let first = start.first,
      let limit = end.first, let stride = step.first
    else {
      throw TypeFault("start, limit and step are not three numbers of one type")
    }
    guard stride.double != 0 else { throw TypeFault("the step is 0") }
    let count: Int
    if type.isInteger {
      let (from, to, by) = (start.integers[0], end.integers[0], step.integers[0])
      let isEmpty = by > 0 ? from >= to : from <= to
      // As unsigned numbers, distances of 64 bits do not overflow.
      let distance = UInt(bitPattern: by > 0 ? to &- from : from &- to)
      let steps = isEmpty ? 0 : (distance - 1) / by.magnitude + 1
      guard steps < Call.largestSize else { throw TypeFault("has absurdly many elements: \(steps)") }
      count = Int(steps)
    } else {
      let exact = ((limit.double - first.double) / stride.double).rounded(.up)
      guard exact < Double(Call.largestSize) else { throw TypeFault("has absurdly many elements: \(exact)") }
      count = exact > 0 ? Int(exact) : 0
    }
    if count <= 64, type.isInteger {  // a list of axes, perhaps
      let numbers = (0..<count).map { ScalarValue.integer(start.integers[0] &+ $0 &* step.integers[0]) }
      return call.builder.constant(unfailing { try NDArray(dtype: type, shape: [count], values: numbers) })
    }
    let positions = call.builder.iota(TensorType(type, [count]), axis: 0)
    return positions * call.builder.scalar(stride, type) + call.builder.scalar(first, type)
  }

  private static func oneHot(_ call: Call) throws(TypeFault) -> Tensor {
    let values = try call.tensor(2)
    let indices = try call.tensor(0).convert(to: .i64)
    let count = try depth(call)
    guard values.shape == [2] else { throw TypeFault("the values \(values.type) are not two numbers") }
    let axis = try call.axis(default: -1, rank: indices.rank + 1)
    var shape = indices.shape
    shape.insert(count, at: axis)
    let places = (indices .< 0).select(indices + call.builder.number(count), indices).inserting(axes: [axis])
    func value(_ position: Int) -> Tensor { values.slice(axis: 0, from: position, to: position + 1).reshape([Int]()) }
    return (call.builder.iota(TensorType(.i64, shape), axis: axis) .== places).select(value(1), value(0))
  }

  /// The depth of `OneHot`, a number of any type.
  private static func depth(_ call: Call) throws(TypeFault) -> Dim {
    let depth = try call.tensor(1)
    if let literal = depth.literal {
      guard literal.count == 1, let count = literal.integers.first, count >= 0, count <= Call.largestSize else {
        throw TypeFault("the depth \(literal.type) is not one number")
      }
      return Dim(count)
    }
    guard depth.type.elementCount == 1 else { throw TypeFault("the depth \(depth.type) is not one number") }
    let whole = depth.dtype.isInteger ? depth : depth.convert(to: .i64)
    guard let entry = whole.reshape([Int]()).listedSizes?.first else { throw .poisoned }
    if case .number = entry { call.importer.decidingInputs.formUnion(call.operands[1]?.origin.inputs ?? []) }
    return call.size(entry)
  }

  private static func centerCropPad(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    let target = try call.integers(1, "the shape")
    let axes = try Call.axes(try call.optionalIntegers("axes") ?? Array(0..<x.rank), rank: x.rank)
    guard axes.count == target.count else { throw TypeFault("\(target.count) sizes are given for \(axes.count) axes") }
    var low = [Int](repeating: 0, count: x.rank)
    var high = low
    for (axis, size) in zip(axes, target) {
      let missing = size - (try x.size(axis, "the size of axis \(axis)"))
      low[axis] = missing >= 0 ? missing / 2 : -(-missing / 2)
      high[axis] = missing - low[axis]
    }
    return x.pad(low: low, high: high, interior: low.map { _ in 0 })
  }
}

/// Where `Slice` cuts: attributes before opset 10, operands since.
struct SliceArguments {
  var starts: [Dim]
  var ends: [Dim]
  var axes: [Int]
  var steps: [Int]

  init(_ call: Call) throws(TypeFault) {
    if call.opset < 10 {
      guard let first = try call.unboundedIntegers("starts"), let last = try call.unboundedIntegers("ends") else {
        throw TypeFault("attribute 'starts' or 'ends' is missing")
      }
      starts = first.map { Dim($0) }
      ends = last.map { Dim($0) }
      axes = try call.optionalIntegers("axes") ?? Array(starts.indices)
      steps = starts.map { _ in 1 }
    } else {
      starts = try call.dimensions(1, "the list of starts", bounded: false)
      ends = try call.dimensions(2, "the list of ends", bounded: false)
      axes = call.has(3) ? try call.integers(3, "the list of axes") : Array(starts.indices)
      steps = call.has(4) ? try call.integers(4, "the list of steps") : starts.map { _ in 1 }
    }
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
      throw TypeFault("starts, ends, axes and steps are lists of different lengths")
    }
    guard !steps.contains(0) else { throw TypeFault("a step is 0") }
  }

  /// Python's bounds of a slice: the first element, and the one behind the last in the direction of the step.
  static func bounds(start: Int, end: Int, step: Int, size: Int) -> (start: Int, end: Int) {
    func resolved(_ place: Int, _ range: ClosedRange<Int>) -> Int {
      let place = place < 0 ? Swift.max(place, -Int.max) + size : place
      return Swift.min(Swift.max(place, range.lowerBound), range.upperBound)
    }
    let range = step > 0 ? 0...size : -1...Swift.max(-1, size - 1)
    return (resolved(start, range), resolved(end, range))
  }

  /// The positions that a slice visits.
  static func resolved(start: Int, end: Int, step: Int, size: Int) -> [Int] {
    let (first, last) = bounds(start: start, end: end, step: step, size: size)
    return Array(Swift.stride(from: first, to: last, by: step))
  }
}
