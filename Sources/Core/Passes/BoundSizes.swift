/// Sizes that data decides are replaced by their capacities.
///
/// A tensor of the new graph has room for as many elements as there can be. Those that there are come first along each
/// axis; what the places behind them hold is not specified. Element-wise operations need not know of that. Whatever joins
/// or orders elements, or counts their places, is masked by the number of elements that there are, or finds its operands
/// by computed places.
extension Graph {
  /// The graph with the capacities of the sizes that data decides in their place.
  ///
  /// An output with such sizes keeps them as its type, and the outputs named `?n0` have their numbers.
  ///
  /// - Throws: Sizes without a capacity, with the remedy; operations that cannot leave the places behind the elements out.
  ///   Each has its place.
  public func bounded() throws(DiagnosticsError) -> Graph {
    try requireCapacities()
    // What depends on open symbols is left to the lowering, which names them.
    guard mentionsExtents, nodes.allSatisfy({ $0.types.allSatisfy { $0.shape.allSatisfy(\.symbols.isEmpty) } }) else {
      return self
    }
    var bounding = Bounding(graph: self, builder: Builder(), extents: [:])
    for variable in variables { _ = bounding.builder.variable(variable) }
    let arguments = inputs.map { bounding.builder.input(inputName($0), type(of: $0)) }
    let results = bounding.results(arguments)
    for update in updates { bounding.builder.update(update.variable, to: bounding.tensor(update.value)) }
    var named = zip(outputs, results).map { (name: $0.name, tensor: $1) }
    for size in Set(outputs.flatMap { type(of: $0).shape.extents }).sorted() {
      named.append((Extent.prefix + size, bounding.number(Dim(extent: size))))
    }
    var graph = try bounding.builder.finish(name: name, outputs: named)
    for (position, output) in outputs.enumerated() where !type(of: output).shape.extents.isEmpty {
      graph.outputs[position].shape = type(of: output).shape
    }
    return graph
  }

  /// The graph with capacities, or smaller ones, of some sizes that data decides; a run in which there is more fails.
  ///
  /// - Throws: Names that no such size has.
  public func limiting(_ maxima: [String: Int]) throws(DiagnosticsError) -> Graph {
    let known = capacities.map(\.size)
    let unknown = maxima.keys.filter { !known.contains($0) }.sorted()
    guard unknown.isEmpty else {
      throw DiagnosticsError(
        unknown.map { name in
          Diagnostic(
            "no size '\(name)' is decided by data",
            help: known.isEmpty ? nil : "those that are: \(known.joined(separator: ", "))")
        })
    }
    if maxima.isEmpty { return self }
    var operations: [Operation] = []
    for node in nodes { operations.append(try node.operation.limiting(maxima)) }
    return try rebuilt { node, position, operands, builder in
      switch node.operation {
      case .input, .variable: nil
      default: builder.apply(operations[position], operands)
      }
    }
  }
}

extension Model {
  /// The functions with capacities, or smaller ones, of some sizes that data decides.
  ///
  /// - Throws: Names that no such size of any function has.
  public func limiting(_ maxima: [String: Int]) throws(DiagnosticsError) -> Model {
    if maxima.isEmpty { return self }
    return try mapFunctions { (function) throws(DiagnosticsError) in
      // A size that one function does not have is another's.
      let own = Set(function.capacities.map(\.size))
      return try function.limiting(functions.count == 1 ? maxima : maxima.filter { own.contains($0.key) })
    }
  }
}

extension Operation {
  fileprivate func limiting(_ maxima: [String: Int]) throws(DiagnosticsError) -> Operation {
    if case .extent(var extent) = self, let most = maxima[extent.size] {
      extent.capacity = extent.capacity.map { .minimum($0, Dim(most)) } ?? Dim(most)
      return .extent(extent)
    }
    return try mappingGraphs { (graph) throws(DiagnosticsError) in
      let own = Set(graph.capacities.map(\.size))
      return try graph.limiting(maxima.filter { own.contains($0.key) })
    }
  }
}

/// A size that data decides, in the new graph.
private struct BoundedExtent {
  var number: Tensor
  var capacity: Int
  /// What the size is at most, as its definition says.
  var most: Dim
}

/// One graph being built again with capacities, the whole model or a sub-graph.
private struct Bounding {
  let graph: Graph
  let builder: Builder
  var extents: [String: BoundedExtent]
  private var values: [Value: Tensor] = [:]

  init(graph: Graph, builder: Builder, extents: [String: BoundedExtent]) {
    self.graph = graph
    self.builder = builder
    self.extents = extents
  }

  /// Builds all nodes on arguments of the capacities' types and gives the outputs.
  mutating func results(_ arguments: [Tensor]) -> [Tensor] {
    for (input, argument) in zip(graph.inputs, arguments) { values[input] = argument }
    for (position, node) in graph.nodes.enumerated() where values[Value(node: position)] == nil {
      let results = builder.at(graph.locations[position]) { () -> [Tensor] in
        do throws(TypeFault) {
          return try bounded(node)
        } catch {
          builder.record(error, operation: node.operation.name, operands: node.operands.map(tensor))
          return node.types.map { _ in builder.poison }
        }
      }
      for (result, tensor) in results.enumerated() {
        values[Value(node: position, result: result)] = fitted(tensor, to: node.types[result])
      }
    }
    return graph.outputs.map { tensor($0.value) }
  }

  func tensor(_ value: Value) -> Tensor { values[value] ?? builder.poison }

  // MARK: Sizes

  /// What a size is at most.
  private func capacity(_ size: Dim) -> Int {
    if let known = size.known { return known }
    let range = size.computed(
      in: DimensionArithmetic<ClosedRange<Int>>(
        number: { $0...$0 }, symbol: { internalError("\($0) is open") },
        extent: { 0...(extents[$0]?.capacity ?? 0) },
        add: { ($0.lowerBound &+ $1.lowerBound)...($0.upperBound &+ $1.upperBound) },
        multiply: { a, b in
          let ends = [a.lowerBound, a.upperBound].flatMap { x in [b.lowerBound, b.upperBound].map { x &* $0 } }
          return (ends.min() ?? 0)...(ends.max() ?? 0)
        },
        floorDivide: { $0.lowerBound.floorDivided(by: $1)...$0.upperBound.floorDivided(by: $1) },
        minimum: { min($0.lowerBound, $1.lowerBound)...min($0.upperBound, $1.upperBound) }))
    return max(0, range.upperBound)
  }

  private func capacities(_ shape: [Dim]) -> [Dim] { shape.map { Dim(capacity($0)) } }

  private func bounds(_ type: TensorType) -> TensorType { type.with(shape: capacities(type.shape)) }

  /// What a size is, as an `i64` without axes.
  func number(_ size: Dim) -> Tensor {
    size.computed(
      in: DimensionArithmetic<Tensor>(
        number: { builder.scalar(.integer($0), .i64) }, symbol: { internalError("\($0) is open") },
        extent: { extents[$0]?.number ?? builder.poison }, add: { $0 + $1 }, multiply: { $0 * $1 },
        floorDivide: { a, divisor in
          // Rounded down, not towards zero.
          let quotient = Tensor.pointwise(.divide, a, builder.scalar(.integer(divisor), .i64))
          return quotient - (quotient * divisor .> a).convert(to: .i64)
        },
        minimum: { Tensor.pointwise(.minimum, $0, $1) }))
  }

  private func isOpen(_ type: TensorType, _ axis: Int) -> Bool { type.shape[axis].known == nil }

  private func openAxes(_ type: TensorType, among axes: some Sequence<Int>) -> [Int] {
    axes.filter { isOpen(type, $0) }
  }

  /// The position along an axis of a tensor of capacities.
  private func positions(_ shape: [Dim], _ axis: Int) -> Tensor {
    builder.iota(TensorType(.i64, shape), axis: axis)
  }

  /// Whether each element is one that there is, as far as some axes tell; nil where all are.
  private func isPresent(_ type: TensorType, _ axes: some Sequence<Int>) -> Tensor? {
    let shape = capacities(type.shape)
    var mask: Tensor?
    for axis in openAxes(type, among: axes) {
      let inside = positions(shape, axis) .< number(type.shape[axis])
      mask = mask.map { $0 .& inside } ?? inside
    }
    return mask
  }

  /// The tensor with a value in the places behind its elements along some axes.
  private func masked(_ x: Tensor, _ type: TensorType, _ axes: some Sequence<Int>, _ value: ScalarValue) -> Tensor {
    isPresent(type, axes)?.select(x, x.filled(value)) ?? x
  }

  /// The tensor with places cut off or added, so that it has a type's capacities.
  private func fitted(_ x: Tensor, to type: TensorType) -> Tensor {
    let wanted = bounds(type)
    guard !x.isPoisoned, x.type != wanted else { return x }
    guard let from = x.shape.known, let to = wanted.shape.known, from.count == to.count, x.dtype == type.dtype else {
      internalError("\(x.type) takes the place of \(type)")
    }
    return x.pad(low: from.map { _ in 0 }, high: zip(to, from).map { $0 - $1 }, interior: from.map { _ in 0 })
  }

  // MARK: Operations

  /// The results of a node on operands that have capacities.
  private mutating func bounded(_ node: Node) throws(TypeFault) -> [Tensor] {
    let operands = node.operands.map(tensor)
    if operands.contains(where: \.isPoisoned) { return node.types.map { _ in builder.poison } }
    let types = node.operands.map { graph.type(of: $0) }
    let type = node.types.first ?? .scalar(.f32)
    func same() -> [Tensor] { builder.apply(node.operation, operands) }
    switch node.operation {
    case .input(let payload): return [builder.input(payload.argument, bounds(payload.type))]
    case .variable(let payload):
      return [graph.variable(named: payload.variable).map { builder.variable($0) } ?? builder.poison]
    case .constant, .pointwise, .convert, .bitcast, .detach, .permute: return same()
    case .extent(let payload): return [defined(payload, operands[0])]
    case .iota(let payload): return [builder.iota(bounds(payload.type), axis: payload.axis)]
    case .randomBits(var payload):
      payload.shape = capacities(payload.shape)
      return builder.apply(.randomBits(payload), operands)
    case .broadcast(let payload): return [operands[0].broadcast(to: capacities(payload.shape), axes: payload.axes)]
    case .reshape: return [reshaped(operands[0], types[0], type)]
    case .slice(let payload): return [try sliced(operands[0], types[0], payload)]
    case .reverse(let payload): return [reversed(operands[0], types[0], payload)]
    case .pad(let payload): return [try padded(operands[0], operands[1], types[0], payload)]
    case .concatenate(let payload): return [concatenated(operands, types, type, payload.axis)]
    case .gather(let payload):
      let indices = addressed(operands[1], types[0], types[1], payload.indexed, behind: 0)
      return [operands[0].gather(indices, payload.indexed)]
    case .scatter(let payload): return [try scattered(operands, types, payload)]
    case .reduce(let payload):
      if let sum = repeatedSum(node, payload, types[0]) { return [sum] }
      let identity = payload.combiner.identity(types[0].dtype)
      return [masked(operands[0], types[0], payload.axes, identity).reduce(payload.combiner, axes: payload.axes)]
    case .argReduce(let payload):
      let identity = payload.combiner.identity(types[0].dtype)
      return builder.apply(node.operation, [masked(operands[0], types[0], [payload.axis], identity)])
    case .argSort(let payload):
      // NaN comes last in ascending order. Of equals the first stays first, so that what is there precedes.
      let dtype = types[0].dtype
      let last: ScalarValue = payload.descending ? dtype.lowest : dtype.isFloat ? .float(.nan) : dtype.highest
      return builder.apply(node.operation, [masked(operands[0], types[0], [payload.axis], last)])
    case .cumulative(let payload):
      guard payload.reverse else { return same() }
      let identity = payload.combiner.identity(types[0].dtype)
      return builder.apply(node.operation, [masked(operands[0], types[0], [payload.axis], identity)])
    case .dot(let payload):
      // Both sides: what stands behind may be NaN.
      let zero = Combiner.sum.identity(type.dtype)
      return builder.apply(
        node.operation,
        [
          masked(operands[0], types[0], payload.leftContracting, zero),
          masked(operands[1], types[1], payload.rightContracting, zero),
        ])
    case .convolution(let payload):
      try requireDense(payload.inputDilation, types[0])
      let zero = Combiner.sum.identity(type.dtype)
      return builder.apply(
        node.operation,
        [
          masked(operands[0], types[0], 1..<types[0].rank, zero),
          masked(operands[1], types[1], 1..<types[1].rank, zero),
        ])
    case .windowReduce(let payload):
      return builder.apply(node.operation, [try windowed(operands[0], types[0], payload.window, payload.combiner)])
    case .windowArgReduce(let payload):
      let x = try windowed(operands[0], types[0], payload.window, payload.combiner)
      return [flattened(x.windowArgReduce(payload.combiner, payload.window), types[0], payload.window.size.count)]
    case .exchange(let payload):
      guard types[0].shape.extents.isEmpty else {
        throw TypeFault(
          "'\(payload.label)' is \(types[0]), a size of which data decides", help: "what is handed out has one size")
      }
      return same()
    case .conditional(let payload): return try bounded(payload, operands)
    case .whileLoop(let payload): return try bounded(payload, operands)
    case .scan(let payload): return try bounded(payload, operands, types)
    case .call(let payload): return try bounded(payload, operands)
    case .factorization:
      guard types.allSatisfy(\.shape.extents.isEmpty) else {
        throw TypeFault("takes no matrices whose sizes or number data decides, given \(types[0])")
      }
      return same()
    }
  }

  /// A size gets its number and its capacity; where the number is known, that is the capacity.
  private mutating func defined(_ extent: Extent, _ count: Tensor) -> Tensor {
    let literal = count.literal?.integers.first
    guard let most = extent.capacity.map(capacity) ?? literal else {
      internalError("?\(extent.size) is bounded without a capacity")
    }
    let given = extent.capacity ?? Dim(most)
    let bounded = Extent(size: extent.size, capacity: Dim(most))
    let number = builder.apply(.extent(bounded), [count])[0]
    if let literal, literal >= 0, literal <= most {
      extents[extent.size] = BoundedExtent(number: count, capacity: literal, most: given)
      return count
    }
    extents[extent.size] = BoundedExtent(number: number, capacity: most, most: given)
    return number
  }

  private func requireDense(_ dilation: [Int], _ type: TensorType) throws(TypeFault) {
    for (axis, factor) in zip(type.shape.indices.suffix(dilation.count), dilation)
    where factor > 1 && isOpen(type, axis) {
      throw TypeFault("axis \(axis) of \(type), whose size data decides, cannot be spread by \(factor)")
    }
  }

  // MARK: Views

  /// Axes whose sizes data decides stay where they are outermost in what is joined or divided; else places are computed.
  private func reshaped(_ x: Tensor, _ from: TensorType, _ to: TensorType) -> Tensor {
    if from.shape.extents.isEmpty && to.shape.extents.isEmpty { return x.reshape(to.shape) }
    if Self.keepsOrder(from.shape, to.shape), capacities(to.shape).elementCount == x.shape.elementCount {
      return x.reshape(capacities(to.shape))
    }
    let shape = capacities(to.shape)
    // The position of each element among those that there are, then its place in the operand's memory.
    var position = builder.full(TensorType(.i64, shape), .integer(0))
    for axis in shape.indices {
      position = position * number(to.shape[axis]) + positions(shape, axis)
    }
    var place = builder.full(TensorType(.i64, shape), .integer(0))
    var stride = 1
    for axis in from.shape.indices.reversed() {
      let size = Tensor.pointwise(.maximum, number(from.shape[axis]), builder.scalar(.integer(1), .i64))
      let rest = Tensor.pointwise(.divide, position, size)
      place = place + (axis == 0 ? position : position - rest * size) * stride
      stride *= capacity(from.shape[axis])
      position = rest
    }
    return x.reshape([stride]).gather(place.unsqueezed(at: place.rank), IndexedAxes(axes: [0], outside: .ignored))
  }

  /// Whether a reshape finds its elements in the same order where sizes that data decides are capacities.
  private static func keepsOrder(_ from: [Dim], _ to: [Dim]) -> Bool {
    let (from, to) = (from.filter { $0 != 1 }, to.filter { $0 != 1 })
    var (i, j) = (0, 0)
    while i < from.count, j < to.count {
      var (left, right) = (from[i], to[j])
      let (first, second) = (i, j)
      while left != right {
        // The side that is known to be smaller takes the next axis in.
        if right.isAtLeast(left), i + 1 < from.count {
          i += 1
          left = left * from[i]
        } else if j + 1 < to.count {
          j += 1
          right = right * to[j]
        } else {
          return false
        }
      }
      let inner = from[first...i].dropFirst() + to[second...j].dropFirst()
      guard inner.allSatisfy({ $0.known != nil }) || (first == i && second == j) else { return false }
      i += 1
      j += 1
    }
    return i == from.count && j == to.count
  }

  private func sliced(_ x: Tensor, _ type: TensorType, _ slice: Slice) throws(TypeFault) -> Tensor {
    var (start, limit) = (slice.start, x.shape)
    for axis in type.shape.indices {
      let size = type.shape[axis]
      guard holds(Dim.maximum(size, Dim(start[axis])), slice.limit[axis]) else {
        throw TypeFault(
          "\(start[axis]) ..< \(slice.limit[axis]) may lie outside of axis \(axis) of \(type)",
          help: "cut at the smaller of both")
      }
      let end = min(capacity(size), capacity(slice.limit[axis]))
      limit[axis] = Dim(end)
      start[axis] = min(start[axis], end)
    }
    return x.slice(start: start, limit: limit, stride: slice.stride)
  }

  /// Whether a size is at least as large as another in every run.
  private func holds(_ size: Dim, _ other: Dim) -> Bool {
    if size.isAtLeast(other) || capacity(other) <= size.known ?? -1 { return true }
    // One that data decides is at most its capacity.
    guard let name = other.extents.first, other == Dim(extent: name), let extent = extents[name] else {
      return false
    }
    return holds(size, extent.most)
  }

  private func reversed(_ x: Tensor, _ type: TensorType, _ reverse: Reverse) -> Tensor {
    let open = openAxes(type, among: reverse.axes)
    var x = x.reverse(reverse.axes.filter { !open.contains($0) })
    for axis in open {
      let places = number(type.shape[axis]) - 1 - builder.iota(TensorType(.i64, [x.shape[axis]]), axis: 0)
      x = taken(x, axis, places)
    }
    return x
  }

  /// The slices at places along an axis; 0 where there is none.
  private func taken(_ x: Tensor, _ axis: Int, _ places: Tensor) -> Tensor {
    x.gather(places.unsqueezed(at: 1), IndexedAxes(axes: [axis], outside: .ignored)).movingAxis(0, to: axis)
  }

  private func padded(_ x: Tensor, _ value: Tensor, _ type: TensorType, _ pad: Pad) throws(TypeFault) -> Tensor {
    try requireDense(pad.interior.map { $0 + 1 }, type)
    for axis in openAxes(type, among: type.shape.indices) where pad.low[axis] + pad.high[axis] < 0 {
      let size = type.shape[axis] + Dim(pad.low[axis] + pad.high[axis])
      guard size.isAtLeast(0) else { throw TypeFault("axis \(axis) of \(type) may be too short for what is cut off") }
    }
    let padded = type.shape.indices.filter { pad.high[$0] > 0 }
    let filled = isPresent(type, padded)?.select(x, value) ?? x
    return filled.pad(low: pad.low, high: pad.high, interior: pad.interior, value: value)
  }

  private func concatenated(_ operands: [Tensor], _ types: [TensorType], _ type: TensorType, _ axis: Int) -> Tensor {
    let joined = Tensor.concatenate(operands, axis: axis)
    guard types.dropLast().contains(where: { isOpen($0, axis) }) else { return joined }
    // From the end of each operand's elements on, what is wanted lies so much farther as there are places behind them.
    let place = builder.iota(TensorType(.i64, [Dim(capacity(type.shape[axis]))]), axis: 0)
    var (source, end) = (place, Dim(0))
    for type in types.dropLast() {
      end = end + type.shape[axis]
      let behind = Dim(capacity(type.shape[axis])) - type.shape[axis]
      if behind != 0 { source = source + (place .>= number(end)).convert(to: .i64) * number(behind) }
    }
    return taken(joined, axis, source)
  }

  // MARK: Places that data gives

  /// Indices for axes of capacities: what lies outside of the elements lies outside of the capacity, and indices that
  /// are not there are 0.
  ///
  /// - Parameter behind: How many more places the first of the addressed axes has than its capacity.
  private func addressed(
    _ indices: Tensor, _ type: TensorType, _ places: TensorType, _ indexed: IndexedAxes, behind: Int
  ) -> Tensor {
    let open = openAxes(type, among: indexed.axes)
    var indices = indices
    if !open.isEmpty || behind > 0 {
      indices = indices.convert(to: .i64)
      func listed(_ numbers: [Tensor]) -> Tensor { Tensor.concatenate(numbers.map { $0.reshape([1]) }, axis: 0) }
      let sizes = listed(indexed.axes.map { number(type.shape[$0]) })
      let outside = indexed.axes.enumerated().map { position, axis in
        builder.scalar(.integer(capacity(type.shape[axis]) + (position == 0 ? behind : 0)), .i64)
      }
      let isInside = (indices .>= 0) .& (indices .< sizes)
      indices = isInside.select(indices, listed(outside))
    }
    return masked(indices, places, 0..<places.rank - 1, .integer(0))
  }

  private func scattered(_ operands: [Tensor], _ types: [TensorType], _ scatter: Scatter) throws(TypeFault) -> Tensor {
    let (x, indexed) = (operands[0], scatter.indexed)
    let open = openAxes(types[1], among: indexed.batch..<types[1].rank - 1)
    guard let first = indexed.axes.first else {
      if open.isEmpty { return x.scatter(operands[1], operands[2], indexed, combiner: scatter.combiner) }
      throw TypeFault("addresses no axis, and how many updates there are is decided by data")
    }
    guard !open.isEmpty else {
      let indices = addressed(operands[1], types[0], types[1], indexed, behind: 0)
      return x.scatter(indices, operands[2], indexed, combiner: scatter.combiner)
    }
    // Updates that are not there go to a place of their own behind the axis, which is cut off.
    var high = x.shape.map { _ in 0 }
    high[first] = 1
    let none = high.map { _ in 0 }
    let indices = addressed(operands[1], types[0], types[1], indexed, behind: 1)
    let aside = builder.constant(
      unfailing {
        try NDArray(
          dtype: .i64, shape: [indexed.axes.count],
          values: indexed.axes.map { .integer($0 == first ? capacity(types[0].shape[first]) : 0) })
      })
    let isPresent = isPresent(types[1], open) ?? builder.scalar(.integer(1), .bool)
    return x.pad(low: none, high: high, interior: none)
      .scatter(isPresent.select(indices, aside), operands[2], indexed, combiner: scatter.combiner)
      .pad(low: none, high: high.map { -$0 }, interior: none)
  }

  // MARK: Reductions and windows

  /// The sum of a number that is repeated: a product with the number of elements.
  private func repeatedSum(_ node: Node, _ reduce: Reduce, _ type: TensorType) -> Tensor? {
    guard reduce.combiner == .sum, case .broadcast = graph[node.operands[0]].operation, type.dtype == .i64,
      case let source = graph[node.operands[0]].operands[0], graph.type(of: source).rank == 0
    else { return nil }
    let count = number(reduce.axes.map { type.shape[$0] }.elementCount)
    return (tensor(source) * count).expanded(to: capacities(node.types[0].shape))
  }

  /// The operand of a window with the combiner's identity behind its elements.
  private func windowed(
    _ x: Tensor, _ type: TensorType, _ window: WindowShape, _ combiner: Combiner
  ) throws(TypeFault) -> Tensor {
    try requireDense(window.inputDilation, type)
    return masked(x, type, type.shape.indices.suffix(window.size.count), combiner.identity(type.dtype))
  }

  /// Row-major positions in the last axes of a type, from positions in those of its capacities.
  private func flattened(_ places: Tensor, _ type: TensorType, _ count: Int) -> Tensor {
    let axes = type.shape.indices.suffix(count)
    guard !openAxes(type, among: axes.dropFirst()).isEmpty else { return places }
    var (rest, result, stride) = (places, places.zerosLike(), builder.scalar(.integer(1), .i64))
    for axis in axes.reversed() {
      let size = max(1, capacity(type.shape[axis]))
      let next = Tensor.pointwise(.divide, rest, builder.scalar(.integer(size), .i64))
      result = result + (axis == axes.first ? rest : rest - next * size) * stride
      stride = stride * number(type.shape[axis])
      rest = next
    }
    return result
  }

  // MARK: Control flow

  /// The sub-graph with capacities, whose last arguments are the numbers of the sizes named.
  private func bounded(_ body: Graph, _ sizes: [String]) throws(TypeFault) -> Graph {
    let inner = Builder()
    var bounding = Bounding(graph: body, builder: inner, extents: extents)
    let arguments = body.inputs.map { inner.input(body.inputName($0), bounds(body.type(of: $0))) }
    for size in sizes {
      bounding.extents[size]?.number = inner.input(Extent.prefix + size, .scalar(.i64))
    }
    let results = bounding.results(arguments)
    do throws(DiagnosticsError) {
      return try inner.finish(name: body.name, outputs: zip(body.outputs, results).map { ($0.name, $1) })
    } catch {
      for diagnostic in error.diagnostics { builder.report(diagnostic) }
      throw .poisoned
    }
  }

  /// The sizes of this graph that sub-graphs mention, and their numbers.
  private func mentioned(in graphs: [Graph]) -> (sizes: [String], numbers: [Tensor]) {
    let sizes = graphs.reduce(into: Set<String>()) { $0.formUnion($1.freeExtents) }.sorted()
    return (sizes, sizes.map { number(Dim(extent: $0)) })
  }

  private func bounded(_ payload: Conditional, _ operands: [Tensor]) throws(TypeFault) -> [Tensor] {
    let (sizes, numbers) = mentioned(in: [payload.then, payload.otherwise])
    let bounded = Conditional(
      then: try bounded(payload.then, sizes), otherwise: try bounded(payload.otherwise, sizes))
    return builder.apply(.conditional(bounded), operands + numbers)
  }

  private func bounded(_ payload: WhileLoop, _ operands: [Tensor]) throws(TypeFault) -> [Tensor] {
    let (sizes, numbers) = mentioned(in: [payload.condition, payload.body])
    let bounded = WhileLoop(
      condition: try bounded(payload.condition, sizes), body: try bounded(payload.body, sizes),
      stateCount: payload.stateCount)
    return builder.apply(.whileLoop(bounded), operands + numbers)
  }

  /// The gradient of a graph is taken before its sizes are bounded: what remains is the body.
  private func bounded(_ payload: Call, _ operands: [Tensor]) throws(TypeFault) -> [Tensor] {
    let (sizes, numbers) = mentioned(in: [payload.body])
    let body = try bounded(payload.body, sizes)
    return builder.apply(.call(Call(body: body, isKept: payload.isKept)), operands + numbers)
  }

  /// Where data decides the length, steps behind the last hand the state on.
  private func bounded(_ payload: Scan, _ operands: [Tensor], _ types: [TensorType]) throws(TypeFault) -> [Tensor] {
    let (sizes, numbers) = mentioned(in: [payload.body])
    let body = try bounded(payload.body, sizes)
    let length = capacity(payload.length)
    let (carries, sequences) = (payload.carryCount, payload.sequenceCount)
    guard payload.length.known == nil else {
      let scan = Scan(
        body: body, length: payload.length, carryCount: carries, sequenceCount: sequences, reverse: payload.reverse)
      return builder.apply(.scan(scan), operands + numbers)
    }
    // Behind the sequences the number of the step, behind the constants that of the steps that there are.
    var arguments = body.argumentTypes
    arguments.insert(.scalar(.i64), at: carries + sequences)
    arguments.append(.scalar(.i64))
    let results = body.resultTypes
    let idle = try builder.region(body.argumentTypes) { inner, values throws(TypeFault) in
      Array(values.prefix(carries)) + results.dropFirst(carries).map { inner.zeros($0) }
    }
    let step = try builder.region(arguments) { inner, values throws(TypeFault) in
      var values = values
      let steps = values.removeLast()
      let step = values.remove(at: carries + sequences)
      return inner.apply(.conditional(Conditional(then: body, otherwise: idle)), [step .< steps] + values)
    }
    let positions = builder.iota(TensorType(.i64, [length]), axis: 0)
    var all = operands + numbers + [number(payload.length)]
    all.insert(positions, at: carries + sequences)
    let scan = Scan(
      body: step, length: Dim(length), carryCount: carries, sequenceCount: sequences + 1,
      reverse: payload.reverse)
    return builder.apply(.scan(scan), all)
  }
}
