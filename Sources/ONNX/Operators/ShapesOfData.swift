internal import LatheCore
internal import LatheNN

/// Operators that move elements around to shapes which only the run knows.
///
/// What decides a size is a number of the graph: the size gets a name, and the elements are found at computed places.
extension Operator {
  // MARK: Slice

  /// A slice whose ends data decides: the elements at computed places.
  static func sliced(_ x: Tensor, _ call: Call) throws(TypeFault) -> Tensor {
    let (starts, ends) = (try call.deciding(1).convert(to: .i64), try call.deciding(2).convert(to: .i64))
    guard starts.rank == 1, starts.shape == ends.shape else {
      throw TypeFault("the starts \(starts.type) and the ends \(ends.type) are not lists of one length")
    }
    let count = try starts.size(0, "the number of axes")
    let axes = call.has(3) ? try call.integers(3, "the list of axes") : Array(0..<count)
    let steps = call.has(4) ? try call.integers(4, "the list of steps") : axes.map { _ in 1 }
    guard axes.count == count, steps.count == count, !steps.contains(0) else {
      throw TypeFault("starts, ends, axes and steps are lists of different lengths, or a step is 0")
    }
    guard let listed = starts.listedSizes, let ending = ends.listedSizes else { throw .poisoned }
    var x = x
    for (position, axis) in try Call.axes(axes, rank: x.rank).enumerated() {
      x = try x.elements(axis: axis, from: listed[position], to: ending[position], step: steps[position])
    }
    return x
  }

  // MARK: Reshape

  /// The elements in a shape of which the run decides sizes.
  ///
  /// - Parameter open: The axis of size -1, which takes the rest.
  static func reshaped(
    _ x: Tensor, _ listed: [ListedSize], _ open: Int?, _ call: Call
  ) throws(TypeFault) -> Tensor {
    let builder = x.builder
    let total = x.shape.elementCount
    let numbers = listed.indices.filter { if case .number = listed[$0] { true } else { false } }
    // One size that is not known follows from the others.
    if numbers.count == 1, open == nil, case .number(let given) = listed[numbers[0]] {
      let others = listed.compactMap { if case .size(let size) = $0 { size } else { nil } }
      if others.elementCount != 0, let rest = total.divided(exactlyBy: others.elementCount) {
        var shape = listed.map { if case .size(let size) = $0 { size } else { rest } }
        shape[numbers[0]] = rest
        return x.reshape(shape).required(given .== builder.number(rest))
      }
    }
    // No size is larger than the number of elements by the sizes that are known, where there are any elements.
    let fixed = listed.enumerated().compactMap { axis, entry in
      if case .size(let size) = entry, axis != open { size } else { nil }
    }.elementCount
    var room = total.divided(exactlyBy: fixed) ?? total
    if let count = fixed.known, count > 0 { room = total.floorDivided(by: count) }
    var shape: [Dim] = []
    for (axis, entry) in listed.enumerated() {
      let place = numbers.count == 1 && open == nil ? nil : axis
      shape.append(axis == open ? 1 : call.size(entry, place, capacity: room))
    }
    let (all, rest) = (builder.number(total), builder.number(shape.elementCount))
    var isExact = rest .== all
    if let open {
      let quotient = Tensor.pointwise(.divide, all, rest.maximum(1))
      isExact = (quotient * rest) .== all
      shape[open] = builder.extent(
        isExact.select(quotient * (rest .> 0).convert(to: .i64), builder.scalar(.integer(-1), .i64)), capacity: room,
        named: call.sizeName(open))
    }
    // The row-major place of each element.
    var (place, stride) = (builder.scalar(.integer(0), .i64), Dim(1))
    for axis in shape.indices.reversed() {
      place = place + builder.iota(TensorType(.i64, shape), axis: axis) * builder.number(stride)
      stride = stride * shape[axis]
    }
    return x.reshape([total]).required(isExact)
      .gather(place.inserting(axes: [shape.count]), IndexedAxes(axes: [0], outside: .ignored))
  }

  /// A shape as messages show it.
  static func text(_ listed: [ListedSize]) -> String {
    let entries = listed.map { if case .size(let size) = $0 { size.description } else { "?" } }
    return "[\(entries.joined(separator: ","))]"
  }

  // MARK: Split

  /// The parts of an axis whose sizes data decides; nil where all sizes are known.
  static func partsOfData(_ x: Tensor, _ axis: Int, _ call: Call) throws(TypeFault) -> [Tensor]? {
    let builder = x.builder
    let total = x.shape[axis]
    guard call.has(1) else {
      guard !total.extents.isEmpty, total.symbols.isEmpty, call.attributes["split"] == nil else { return nil }
      let count = try call.integer("num_outputs", default: call.node.output.count)
      guard count > 0, count >= call.node.output.count, count <= 1 << 16 else {
        throw TypeFault("cannot be split into \(count) parts")
      }
      let part = (total + Dim(count - 1)).floorDivided(by: count)
      let isEqual = call.attributes["num_outputs"] == nil
      let x = isEqual ? x.required(builder.number(part) * count .== builder.number(total)) : x
      var parts: [Tensor] = []
      for position in 0..<count {
        let (start, end) = (part * Dim(position), part * Dim(position + 1))
        parts.append(try x.elements(axis: axis, from: .size(start), to: .size(end), step: 1))
      }
      return parts
    }
    let listed = try call.listed(1, "the list of sizes")
    if let named = Call.named(listed), (named + [total]).extents.isEmpty { return nil }
    for case .size(let size) in listed {
      if let known = size.known, known < 0 { throw TypeFault("the size \(known) is negative") }
    }
    let sizes = listed.enumerated().map { call.size($1, $0, capacity: total) }
    let ends = sizes.indices.map { sizes[...$0].reduce(Dim(0), +) }
    guard let all = ends.last else { throw TypeFault("the list of sizes is empty") }
    let x = all == total ? x : x.required(builder.number(all) .== builder.number(total))
    return zip(sizes, [0] + ends).map { size, start in
      // Places that are not there are read as zeros, and the run has failed then.
      x.elements(axis: axis, at: builder.number(start), step: 1, count: size)
    }
  }

  // MARK: Pad

  /// Padding by amounts of which data decides some, one axis after the other.
  static func padded(
    _ x: Tensor, _ amounts: [ListedSize], _ axes: [Int], value: Tensor?, _ call: Call
  ) throws(TypeFault) -> Tensor {
    guard amounts.count == 2 * axes.count else {
      throw TypeFault("\(amounts.count) amounts are given for \(axes.count) axes of \(x.type)")
    }
    let mode = try paddingMode(call)
    var result = x
    for (position, axis) in axes.enumerated() {
      let (low, high) = (amounts[position], amounts[axes.count + position])
      if case .size(0) = low, case .size(0) = high { continue }
      result = try padded(result, axis: axis, low, high, mode: mode, value: value, call)
    }
    return result
  }

  private static func padded(
    _ x: Tensor, axis: Int, _ low: ListedSize, _ high: ListedSize, mode: PaddingMode, value: Tensor?, _ call: Call
  ) throws(TypeFault) -> Tensor {
    let (builder, size) = (x.builder, x.shape[axis])
    let count: Dim
    if case .size(let before) = low, case .size(let behind) = high {
      let sum = size + before + behind
      count = sum.isAtLeast(0) ? sum : .maximum(sum, 0)
    } else {
      let sum = builder.number(size) + builder.number(low) + builder.number(high)
      count = builder.extent(sum.maximum(0), capacity: nil, named: call.sizeName(axis))
    }
    let (before, behind) = (builder.number(low), builder.number(high))
    let place = builder.iota(TensorType(.i64, [count]), axis: 0) - before
    func elements(_ places: Tensor) -> Tensor {
      x.gather(places.inserting(axes: [1]), IndexedAxes(axes: [axis], outside: .ignored)).movedim(0, axis)
    }
    let last = builder.number(size) - 1
    if mode == .constant {
      let found = elements(place)
      guard let value else { return found }
      let isInside = ((place .>= 0) .& (place .<= last)).broadcast(to: found.shape, axes: [axis])
      return isInside.select(found, value.convert(to: x.dtype))
    }
    // Negative amounts cut off first: what is repeated is what is left.
    let first = (-before).maximum(0)
    let width = (last + 1 - first + behind.minimum(0)).maximum(0)
    let within = place - first
    switch mode {
    case .replicate: return elements(first + within.maximum(0).minimum(width - 1))
    case .circular: return elements(first + within.remainder(width.maximum(1)))
    case .reflect, .constant:
      let turn = (width - 1).maximum(0)
      return elements(first + turn - (within.remainder((turn * 2).maximum(1)) - turn).abs())
    }
  }

  // MARK: Range

  /// Numbers from a start to a limit of which data decides some.
  static func rangeOfData(_ call: Call) throws(TypeFault) -> Tensor {
    var ends: [Tensor] = []
    for position in 0..<3 { ends.append(try call.tensor(position)) }
    let (builder, dtype) = (call.builder, ends[0].dtype)
    guard ends.allSatisfy({ $0.type.elementCount == 1 && $0.dtype == dtype }) else {
      throw TypeFault("start, limit and step are not three numbers of one type")
    }
    ends = ends.map { $0.reshape([Int]()) }
    if let step = ends[2].literal?.first, step.double == 0 { throw TypeFault("the step is 0") }
    let count = dtype.isInteger ? try steps(ends, call) : steps(from: ends[0], to: ends[1], by: ends[2], call)
    let position = builder.iota(TensorType(dtype, [count]), axis: 0)
    if let step = ends[2].literal?.first, step.double == 1 { return position + ends[0] }
    return position * ends[2] + ends[0]
  }

  /// How many integers there are.
  private static func steps(_ ends: [Tensor], _ call: Call) throws(TypeFault) -> Dim {
    let builder = call.builder
    let entries = ends.compactMap { $0.listedSizes?.first }
    guard entries.count == 3 else { throw .poisoned }
    if case .size(let start) = entries[0], case .size(let limit) = entries[1], case .size(let named) = entries[2],
      let step = named.known
    {
      let distance = step > 0 ? limit - start : start - limit
      // Ends that are symbols are taken to be in order, as exported models have them.
      let isOpen = distance.extents.isEmpty || distance.isAtLeast(0)
      let length = isOpen ? distance : .maximum(distance, 0)
      return (length + Dim(Swift.abs(step) - 1)).floorDivided(by: Swift.abs(step))
    }
    noteInputs(call)
    let (start, limit, step) = (builder.number(entries[0]), builder.number(entries[1]), builder.number(entries[2]))
    if case .size(1) = entries[2] {
      let most = entries[0].mostSteps(to: entries[1]).map { Dim($0) }
      var count = limit
      if case .size(0) = entries[0] {
        if let known = builder.extent(of: limit) { return known }
      } else {
        count = limit - start
      }
      return builder.extent(count.maximum(0), capacity: most, named: most == nil ? call.sizeName() : nil)
    }
    let distance = limit - start
    let quotient = Tensor.pointwise(.divide, distance, step)
    // Rounded up where something is left in the direction of the step.
    let rest = distance - quotient * step
    let isMore = (rest .!= 0) .& ((rest .< 0) .== (step .< 0))
    let count = (quotient + isMore.convert(to: .i64)).maximum(0)
    let failing = builder.scalar(.integer(-1), .i64)
    return builder.extent((step .== 0).select(failing, count), capacity: nil, named: call.sizeName())
  }

  private static func noteInputs(_ call: Call) {
    for operand in call.operands.prefix(3) { call.importer.decidingInputs.formUnion(operand?.origin.inputs ?? []) }
  }

  /// How many numbers there are, as ONNX Runtime counts them: a quotient in double precision, rounded up.
  private static func steps(from start: Tensor, to limit: Tensor, by step: Tensor, _ call: Call) -> Dim {
    noteInputs(call)
    let quotient = ((limit - start).convert(to: .f64) / step.convert(to: .f64)).ceil()
    let failing = call.builder.scalar(.integer(-1), .i64)
    // Not a number where the step is 0 or an end is none; beyond all capacities what no integer holds.
    let isCount = quotient.isFinite() .& (quotient .< 9e15)
    let count = isCount.select(quotient, quotient.zerosLike()).maximum(0).convert(to: .i64)
    return call.builder.extent(isCount.select(count, failing), capacity: nil, named: call.sizeName())
  }
}
