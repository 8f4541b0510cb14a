public import LatheCore

/// A small graph made of all primitives at random, with contents for its inputs: the same for the same seed.
///
/// Numbers stay such that the order of sums does not show: floats are small whole numbers until a function makes them
/// inexact, and inexact ones are never compared, rounded or used as places.
public struct RandomGraph: Sendable {
  /// What the graph was made from.
  public let seed: UInt64
  /// The graph, with several outputs and perhaps updates of variables.
  public let graph: Graph
  /// Contents for the inputs, by name.
  public let inputs: [String: NDArray]

  /// Makes the graph of a seed.
  ///
  /// - Parameter steps: How many operations are chosen.
  public init(seed: UInt64, steps: Int = 12) throws {
    self.seed = seed
    let builder = Builder()
    var growth = Growth(builder, seed: seed)
    growth.addSources()
    for _ in 0..<steps { try growth.step() }
    growth.addUpdates()
    let outputs = growth.outputs()
    graph = try builder.finish(name: "random", outputs: outputs)
    inputs = growth.inputs
  }

  /// Makes a graph of real numbers in f64 that can be differentiated where its inputs are: its outputs are the number
  /// `loss` and, for each input `x`, the gradient `grad/x`.
  public init(differentiable seed: UInt64, steps: Int = 8) throws {
    self.seed = seed
    let builder = Builder()
    var growth = Growth(builder, seed: seed, isDifferentiable: true)
    growth.addSources()
    for _ in 0..<steps { try growth.step() }
    let results = growth.outputs().map(\.tensor).filter { $0.dtype == .f64 }.map { result in
      let weights = growth.array(.f64, result.shape.known ?? [])
      return (tensor: result, cotangent: builder.constant(weights))
    }
    let terms = results.map { ($0.tensor * $0.cotangent).reduce(.sum, axes: Array($0.tensor.shape.indices)) }
    let loss = terms.reduce(builder.scalar(.float(0), .f64)) { $0 + $1 }
    let gradients = builder.gradients(of: results, withRespectTo: growth.parameters.map(\.tensor))
    let named = zip(growth.parameters, gradients).map { (name: "grad/" + $0.name, tensor: $1) }
    graph = try builder.finish(name: "random", outputs: [("loss", loss)] + named)
    inputs = growth.inputs
  }
}

/// One graph, or the body of a sub-graph, while it grows.
private struct Growth {
  /// A tensor and what is known of its numbers.
  struct Entry {
    var tensor: Tensor
    /// No number is larger, where they are floats.
    var bound: Double
    /// Floats are whole numbers.
    var isExact: Bool

    var shape: [Int] { tensor.shape.known ?? [] }
    var dtype: ScalarType { tensor.dtype }
    var count: Int { shape.reduce(1, *) }
  }

  let builder: Builder
  var random: SeededGenerator
  var pool: [Entry] = []
  var inputs: [String: NDArray] = [:]
  var variables: [Variable] = []
  /// The inputs of floats.
  var parameters: [(name: String, tensor: Tensor)] = []
  var isInner = false
  /// All floats are real numbers in f64, and nothing stops a gradient.
  let isDifferentiable: Bool

  private static let largest = 1200
  private var dtypes: [ScalarType] {
    isDifferentiable ? [.f64] : [.f32, .f32, .f32, .f64, .i64, .bool, .i32, .u8, .i8]
  }

  init(_ builder: Builder, seed: UInt64, isDifferentiable: Bool = false) {
    self.builder = builder
    self.isDifferentiable = isDifferentiable
    random = SeededGenerator(seed: seed)
  }

  // MARK: Choices

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func chance(_ percent: Int) -> Bool { int(1...100) <= percent }

  mutating func one<T>(_ choices: [T]) -> T { choices[int(0...(choices.count - 1))] }

  mutating func size() -> Int {
    // Where vectors, tiles and blocks are full, and where they are not; nothing; one.
    chance(10) ? one([8, 15, 16, 17, 31, 32, 33, 64, 65]) : chance(3) ? 0 : chance(25) ? 1 : int(2...5)
  }

  mutating func shape(rank: ClosedRange<Int> = 0...4) -> [Int] {
    var shape: [Int] = []
    for _ in 0..<int(rank) {
      let size = size()
      shape.append(shape.reduce(size, *) > 400 ? 1 : size)
    }
    return shape
  }

  mutating func array(_ dtype: ScalarType, _ shape: [Int]) -> NDArray {
    let values = (0..<shape.reduce(1, *)).map { _ -> ScalarValue in
      if isDifferentiable, dtype.isFloat { return .float(Double.random(in: -2...2, using: &random)) }
      let number = dtype == .bool ? int(0...1) : dtype == .u8 ? int(0...7) : int(-4...4)
      return dtype.isFloat ? .float(Double(number)) : .integer(number)
    }
    return unfailing { try NDArray(dtype: dtype, shape: shape, values: values) }
  }

  /// An entry that satisfies the condition, rather a late one.
  mutating func pick(_ condition: (Entry) -> Bool = { _ in true }) -> Entry? {
    let fitting = pool.filter(condition)
    guard !fitting.isEmpty else { return nil }
    let late = fitting.suffix(4)
    return chance(60) ? late[late.startIndex + int(0...(late.count - 1))] : fitting[int(0...(fitting.count - 1))]
  }

  /// A source: an input, a variable or a constant.
  mutating func source(_ dtype: ScalarType, _ shape: [Int]) -> Entry {
    let contents = array(dtype, shape)
    let tensor: Tensor
    if isInner || chance(30) {
      tensor = builder.constant(contents)
    } else if !isDifferentiable, chance(25) {
      let variable = Variable(name: "v\(variables.count)", role: .buffer, initial: contents)
      variables.append(variable)
      tensor = builder.variable(variable)
    } else {
      let name = "x\(inputs.count)"
      inputs[name] = contents
      tensor = builder.input(name, contents.type)
      if dtype.isFloat { parameters.append((name, tensor)) }
    }
    return Entry(tensor: tensor, bound: 7, isExact: !isDifferentiable || !dtype.isFloat)
  }

  mutating func add(_ tensor: Tensor, bound: Double, isExact: Bool = true) {
    guard tensor.shape.known.map({ $0.reduce(1, *) <= Self.largest }) ?? false else { return }
    var entry = Entry(tensor: tensor, bound: bound, isExact: isExact)
    if tensor.dtype.isFloat, bound > 32 {
      // Whole numbers are clamped, others scaled down: their errors do not grow then.
      entry.tensor = isExact ? tensor.minimum(7).maximum(-7) : tensor * (1 / bound)
      entry.bound = isExact ? 7 : 1
    }
    pool.append(entry)
  }

  /// A tensor of the type: one that is there, one made to fit, or a new source.
  mutating func partner(_ dtype: ScalarType, _ shape: [Int], exact: Bool = false) -> Entry {
    func fits(_ entry: Entry) -> Bool { entry.dtype == dtype && (!exact || entry.isExact) }
    if chance(70), let known = pick({ fits($0) && $0.shape == shape }) { return known }
    // A smaller tensor, repeated along the axes that it lacks.
    if chance(60), let small = pick({ entry in fits(entry) && Self.places(entry.shape, shape) != nil }),
      let axes = Self.places(small.shape, shape)
    {
      var result = small
      result.tensor = small.tensor.broadcast(to: shape.map { Dim($0) }, axes: axes)
      return result
    }
    if chance(30), shape.contains(where: { $0 > 1 }) {
      var row = source(dtype, shape.enumerated().filter { $0.offset != 0 }.map(\.element))
      row.tensor = row.tensor.broadcast(to: shape.map { Dim($0) }, axes: Array(1..<shape.count))
      return row
    }
    return source(dtype, shape)
  }

  /// The axes of a shape at which a smaller shape's sizes stand, in order.
  private static func places(_ small: [Int], _ shape: [Int]) -> [Int]? {
    guard small.count < shape.count else { return nil }
    var axes: [Int] = []
    var next = 0
    for size in small {
      guard let place = shape[next...].firstIndex(of: size) else { return nil }
      axes.append(place)
      next = place + 1
    }
    return axes
  }

  // MARK: Frame

  mutating func addSources() {
    for _ in 0..<int(2...3) { pool.append(source(one(dtypes), shape())) }
    pool.append(source(isDifferentiable ? .f64 : .f32, shape(rank: 2...4)))
  }

  mutating func addUpdates() {
    for variable in variables where chance(80) {
      guard let shape = variable.type.shape.known else { continue }
      let value = pick { $0.tensor.type == variable.type } ?? partner(variable.type.dtype, shape)
      builder.update(variable.name, to: value.tensor)
    }
  }

  mutating func outputs() -> [(name: String, tensor: Tensor)] {
    var chosen = Array(pool.suffix(2))
    for _ in 0..<int(0...2) { if let entry = pick() { chosen.append(entry) } }
    return chosen.enumerated().map { ("y\($0)", $1.tensor) }
  }

  mutating func step() throws {
    if chance(5) { try control() } else { simpleStep() }
  }

  /// One operation without sub-graphs, perhaps with its axes in another order.
  mutating func simpleStep() {
    operation()
    if chance(12) { permute() }
  }

  private mutating func operation() {
    switch int(0...28) {
    case 0...1: unary()
    case 2...6: binary()
    case 7: select()
    case 8: convert()
    case 9...10: reshape()
    case 11: permute()
    case 12: broadcast()
    case 13: slice()
    case 14: reverse()
    case 15: pad()
    case 16: concatenate()
    case 17...18: reduce()
    case 19: argReduce()
    case 20: cumulative()
    case 21: dot()
    case 22: convolution()
    case 23: window()
    case 24: gather()
    case 25...26: scatter()
    case 27: shuffle()
    default: normalize()
    }
  }

  // MARK: Element by element

  mutating func unary() {
    guard let x = pick() else { return }
    if x.dtype == .bool { return add(x.tensor.bitwiseNot(), bound: 1) }
    guard x.dtype.isFloat else {
      return add(one([x.tensor.negate(), x.tensor.abs(), x.tensor.sign(), x.tensor.bitwiseNot()]), bound: 0)
    }
    switch int(0...7) {
    case 0: add(x.tensor.negate(), bound: x.bound, isExact: x.isExact)
    case 1: add(x.tensor.abs(), bound: x.bound, isExact: x.isExact)
    case 2: add(x.isExact ? x.tensor.sign() : x.tensor.sin(), bound: 1, isExact: x.isExact)
    case 3: x.isExact ? add((x.tensor * 0.5).floor(), bound: x.bound) : add(x.tensor.tanh(), bound: 1, isExact: false)
    case 4: add(x.tensor.sigmoid(), bound: 1, isExact: false)
    case 5: add(x.tensor.abs().negate().exp(), bound: 1, isExact: false)
    case 6 where !isDifferentiable: add(x.tensor.detach(), bound: x.bound, isExact: x.isExact)
    default: x.isExact ? add(x.tensor.isNaN(), bound: 1) : add(x.tensor.isFinite(), bound: 1)
    }
  }

  mutating func binary() {
    guard let x = pick() else { return }
    let compared: [Pointwise] = [.equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual]
    let compares = chance(15) && x.isExact
    let y = partner(x.dtype, x.shape, exact: compares)
    if compares { return add(.pointwise(one(compared), x.tensor, y.tensor), bound: 1) }
    if x.dtype == .bool {
      return add(.pointwise(one([.and, .or, .xor, .equal, .maximum, .minimum]), x.tensor, y.tensor), bound: 1)
    }
    guard x.dtype.isFloat else {
      let functions: [Pointwise] = [
        .add, .subtract, .multiply, .divide, .fmod, .maximum, .minimum, .and, .or, .xor, .shiftLeft, .shiftRight,
      ]
      return add(.pointwise(one(functions), x.tensor, y.tensor), bound: 0)
    }
    let isExact = x.isExact && y.isExact
    switch int(0...7) {
    case 0...1: add(x.tensor + y.tensor, bound: x.bound + y.bound, isExact: isExact)
    case 2...3: add(x.tensor - y.tensor, bound: x.bound + y.bound, isExact: isExact)
    case 4: add(x.tensor * y.tensor, bound: x.bound * y.bound, isExact: isExact)
    case 5: add(x.tensor.maximum(y.tensor), bound: max(x.bound, y.bound), isExact: isExact)
    case 6: add(x.tensor.minimum(y.tensor), bound: max(x.bound, y.bound), isExact: isExact)
    default: add(x.tensor / (y.tensor * y.tensor + 1), bound: x.bound, isExact: false)
    }
  }

  mutating func select() {
    guard let x = pick() else { return }
    let y = partner(x.dtype, x.shape)
    let chosen = partner(.bool, x.shape)
    add(chosen.tensor.select(x.tensor, y.tensor), bound: max(x.bound, y.bound), isExact: x.isExact && y.isExact)
  }

  mutating func convert() {
    guard let x = pick() else { return }
    let target = one(dtypes)
    if !x.dtype.isFloat {
      // Integers have wrapped: a remainder is small.
      let small = x.dtype == .bool ? x.tensor : x.tensor.fmod(x.tensor.filled(.integer(17)))
      return add(small.convert(to: target), bound: 17)
    }
    guard x.isExact || target.isFloat else { return }
    add((target == .u8 ? x.tensor.abs() : x.tensor).convert(to: target), bound: x.bound, isExact: x.isExact)
  }

  // MARK: Views

  mutating func reshape() {
    guard let x = pick({ $0.count > 0 }) else { return }
    var rest = x.count
    var shape: [Int] = []
    while rest > 1, shape.count < 3 {
      let divisors = (1...rest).filter { rest % $0 == 0 }
      shape.append(one(divisors))
      rest /= shape[shape.count - 1]
    }
    shape.insert(rest, at: int(0...shape.count))
    if chance(20) { shape.insert(1, at: int(0...shape.count)) }
    add(x.tensor.reshape(shape), bound: x.bound, isExact: x.isExact)
  }

  mutating func permute() {
    guard let x = pick({ $0.shape.count > 1 }) else { return }
    let axes = Array(x.shape.indices).shuffled(using: &random)
    add(x.tensor.permute(axes), bound: x.bound, isExact: x.isExact)
  }

  mutating func broadcast() {
    guard let x = pick({ $0.count <= 60 && $0.shape.count < 4 }) else { return }
    var shape = x.shape.map { $0 == 1 && chance(50) ? int(2...4) : $0 }
    var axes = Array(shape.indices)
    let place = int(0...shape.count)
    shape.insert(int(1...4), at: place)
    axes = axes.map { $0 >= place ? $0 + 1 : $0 }
    add(x.tensor.broadcast(to: shape.map { Dim($0) }, axes: axes), bound: x.bound, isExact: x.isExact)
  }

  mutating func slice() {
    guard let x = pick({ !$0.shape.isEmpty }) else { return }
    var start: [Int] = []
    var limit: [Dim] = []
    var stride: [Int] = []
    for size in x.shape {
      let first = int(0...max(0, size - 1))
      start.append(chance(50) ? 0 : min(first, max(0, size - 1)))
      limit.append(Dim(chance(50) ? size : int(start[start.count - 1] + min(1, size)...size)))
      stride.append(chance(70) ? 1 : int(2...3))
    }
    add(x.tensor.slice(start: start, limit: limit, stride: stride), bound: x.bound, isExact: x.isExact)
  }

  mutating func reverse() {
    guard let x = pick({ !$0.shape.isEmpty }) else { return }
    add(x.tensor.reverse([int(0...(x.shape.count - 1))]), bound: x.bound, isExact: x.isExact)
  }

  mutating func pad() {
    guard let x = pick({ !$0.shape.isEmpty }) else { return }
    var low: [Int] = []
    var high: [Int] = []
    var interior: [Int] = []
    for size in x.shape {
      interior.append(chance(80) ? 0 : int(1...2))
      let whole = size + max(0, size - 1) * interior[interior.count - 1]
      low.append(chance(40) ? 0 : int(-min(2, max(0, whole - 1))...3))
      high.append(chance(40) ? 0 : int(-min(2, max(0, whole + low[low.count - 1] - 1))...3))
    }
    let value = partner(x.dtype, [])
    add(
      x.tensor.pad(low: low, high: high, interior: interior, value: value.tensor), bound: max(x.bound, value.bound),
      isExact: x.isExact && value.isExact)
  }

  mutating func concatenate() {
    guard let x = pick({ !$0.shape.isEmpty }) else { return }
    let axis = int(0...(x.shape.count - 1))
    var parts = [x]
    for _ in 0..<int(1...2) {
      if chance(30) { parts.append(parts[0]) }
      if let other = pick({ entry in
        entry.dtype == x.dtype && entry.shape.count == x.shape.count
          && entry.shape.indices.allSatisfy { $0 == axis || entry.shape[$0] == x.shape[$0] }
      }) {
        parts.append(other)
      } else {
        var shape = x.shape
        shape[axis] = int(1...3)
        parts.append(source(x.dtype, shape))
      }
    }
    add(
      .concatenate(parts.map(\.tensor), axis: axis), bound: parts.map(\.bound).max() ?? 0,
      isExact: parts.allSatisfy(\.isExact))
  }

  /// The pieces of a tensor, one of them changed, in another order and perhaps twice.
  mutating func shuffle() {
    guard let x = pick({ $0.shape.contains { $0 > 1 } }) else { return }
    let axis = one(x.shape.indices.filter { x.shape[$0] > 1 })
    let cut = int(1...(x.shape[axis] - 1))
    var pieces = [
      x.tensor.slice(axis: axis, from: 0, to: cut),
      x.tensor.slice(axis: axis, from: cut, to: x.shape[axis]),
    ]
    if chance(30) { pieces.append(x.tensor) }
    if chance(30) { pieces.append(pieces[0]) }
    if x.dtype.isFloat, chance(50) { pieces[1] = pieces[1].negate() }
    for piece in pieces.prefix(2) where chance(30) { add(piece, bound: x.bound, isExact: x.isExact) }
    add(.concatenate(pieces.shuffled(using: &random), axis: axis), bound: x.bound, isExact: x.isExact)
  }

  // MARK: Reductions

  mutating func reduce() {
    guard let x = pick({ !$0.shape.isEmpty }) else { return }
    var axes = x.shape.indices.filter { _ in chance(50) }
    if axes.isEmpty { axes = [int(0...(x.shape.count - 1))] }
    let size = axes.reduce(1) { $0 * x.shape[$1] }
    let combiner: Combiner = x.dtype == .bool ? one([.max, .min]) : one([.sum, .sum, .sum, .max, .min])
    let bound = combiner == .sum ? x.bound * Double(size) : x.bound
    if !x.dtype.isFloat, x.dtype != .bool, chance(20) { return add(x.tensor.reduce(.product, axes: axes), bound: 0) }
    var result = x.tensor.reduce(combiner, axes: axes)
    if x.dtype.isFloat, size == 0 { result = result.minimum(7).maximum(-7) }
    add(result, bound: bound, isExact: x.isExact)
  }

  mutating func argReduce() {
    guard let x = pick({ $0.shape.contains { $0 > 0 } && $0.isExact && $0.dtype != .bool }) else { return }
    let axes = x.shape.indices.filter { x.shape[$0] > 0 }
    add(x.tensor.argReduce(one([.max, .min]), axis: one(axes)), bound: 0)
  }

  mutating func cumulative() {
    guard let x = pick({ !$0.shape.isEmpty && $0.dtype != .bool }) else { return }
    let axis = int(0...(x.shape.count - 1))
    if !x.dtype.isFloat, chance(25) {
      return add(x.tensor.cumulative(.product, axis: axis, reverse: chance(40)), bound: 0)
    }
    let combiner: Combiner = one([.sum, .max, .min])
    add(
      x.tensor.cumulative(combiner, axis: axis, reverse: chance(40)),
      bound: combiner == .sum ? x.bound * Double(max(1, x.shape[axis])) : x.bound, isExact: x.isExact)
  }

  /// A softmax, with a mask or without: reductions and what follows them along rows.
  mutating func normalize() {
    guard let x = pick({ !$0.shape.isEmpty && $0.dtype.isFloat && $0.count > 0 }) else { return }
    let axis = chance(70) ? x.shape.count - 1 : int(0...(x.shape.count - 1))
    let kept = x.tensor.shape.indices.filter { $0 != axis }
    func repeated(_ row: Tensor) -> Tensor { row.broadcast(to: x.tensor.shape, axes: kept) }
    var scores = x.tensor
    if chance(50) {
      let mask = partner(.bool, x.shape)
      scores = mask.tensor.select(scores + partner(x.dtype, x.shape).tensor, scores.filled(.float(-30)))
    }
    let powers = (scores - repeated(scores.reduce(.max, axes: [axis]))).exp()
    let shares = powers / repeated(powers.reduce(.sum, axes: [axis]))
    add(shares, bound: 1, isExact: false)
    if chance(40) {
      // Shares averaged over heads, or over anything else.
      let axes = x.shape.indices.filter { _ in chance(50) }
      let size = axes.reduce(1) { $0 * x.shape[$1] }
      add(shares.reduce(one([.sum, .max, .min]), axes: axes), bound: Double(size), isExact: false)
    }
  }

  // MARK: Contractions and windows

  mutating func dot() {
    guard let x = pick({ $0.shape.count >= 1 && $0.dtype != .bool }) else { return }
    let axes = Array(x.shape.indices).shuffled(using: &random)
    let contracting = Array(axes.prefix(int(0...min(2, axes.count))))
    let batch = Array(axes.dropFirst(contracting.count).prefix(chance(40) ? 1 : 0))
    // The right operand's axes: batch, contracting, and one of its own, in some order.
    var sizes = batch.map { x.shape[$0] } + contracting.map { x.shape[$0] }
    let free = x.count / max(1, sizes.reduce(1, *))
    if chance(80) { sizes.append(min(size(), max(1, Self.largest / max(1, free)))) }
    let order = Array(sizes.indices).shuffled(using: &random)
    let y = partner(x.dtype, order.map { sizes[$0] })
    let place = sizes.indices.map { order.firstIndex(of: $0) ?? 0 }
    let joined = contracting.reduce(1) { $0 * x.shape[$1] }
    add(
      x.tensor.dot(
        y.tensor,
        DotGeneral(
          leftBatch: batch, rightBatch: Array(place.prefix(batch.count)), leftContracting: contracting,
          rightContracting: Array(place.dropFirst(batch.count).prefix(contracting.count)))),
      bound: x.bound * y.bound * Double(max(1, joined)), isExact: x.isExact && y.isExact)
  }

  mutating func convolution() {
    let spatial = int(1...2)
    let dtype = isDifferentiable ? .f64 : one([ScalarType.f32, .f32, .f64])
    let groups = chance(70) ? 1 : 2
    let channels = groups * int(1...3)
    var x = pick { $0.dtype == dtype && $0.shape.count == spatial + 2 && $0.shape[1] % groups == 0 && $0.count > 0 }
    if x == nil || chance(40) {
      x = source(dtype, [int(1...2), channels] + (0..<spatial).map { _ in int(3...(spatial == 1 ? 20 : 6)) })
    }
    guard let x else { return }
    let (stride, dilation) = ((0..<spatial).map { _ in int(1...2) }, (0..<spatial).map { _ in chance(75) ? 1 : 2 })
    let input = (0..<spatial).map { _ in chance(80) ? 1 : 2 }
    let low = (0..<spatial).map { _ in int(0...2) }
    let high = (0..<spatial).map { _ in int(0...2) }
    let kernel = (0..<spatial).map { axis in
      let whole = (x.shape[axis + 2] - 1) * input[axis] + 1 + low[axis] + high[axis]
      return min(int(1...3), (whole - 1) / dilation[axis] + 1)
    }
    let weight = partner(dtype, [groups * int(1...3), x.shape[1] / groups] + kernel)
    add(
      x.tensor.convolution(
        weight.tensor,
        Convolution(
          stride: stride, low: low, high: high, inputDilation: input, dilation: dilation, groups: groups)),
      bound: x.bound * weight.bound * Double(weight.shape.dropFirst().reduce(1, *)),
      isExact: x.isExact && weight.isExact)
  }

  mutating func window() {
    guard let x = pick({ !$0.shape.isEmpty && $0.dtype.isFloat && $0.count > 0 }) else { return }
    let rank = int(1...min(2, x.shape.count))
    let sizes = x.shape.suffix(rank)
    let size = sizes.map { min(int(1...3), $0) }
    let window = WindowShape(
      size: size, stride: size.map { _ in int(1...2) }, low: size.map { int(0...($0 - 1)) },
      high: size.map { int(0...($0 - 1)) })
    if x.isExact, chance(25) { return add(x.tensor.windowArgReduce(one([.max, .min]), window), bound: 0) }
    let combiner: Combiner = one([.sum, .max, .min])
    add(
      x.tensor.windowReduce(combiner, window),
      bound: combiner == .sum ? x.bound * Double(size.reduce(1, *)) : x.bound, isExact: x.isExact)
  }

  // MARK: Places from data

  /// Indices `[..., 1]` for an axis of a size: computed ones or constants, some of them outside where that is allowed.
  mutating func places(_ shape: [Int], below size: Int) -> (indices: Tensor, outside: IndexedAxes.Outside) {
    let outside: IndexedAxes.Outside = chance(50) ? .ignored : .error
    return (places(shape, below: size, mayLeave: outside == .ignored), outside)
  }

  private mutating func places(_ shape: [Int], below size: Int, mayLeave: Bool) -> Tensor {
    let type: ScalarType = chance(70) ? .i64 : .i32
    if chance(60), let known = pick({ $0.dtype == .i64 && $0.count > 0 && $0.count <= 30 && shape.isEmpty }) {
      let wrapped = known.tensor.fmod(known.tensor.filled(.integer(mayLeave ? size + 1 : size)))
      return (mayLeave ? wrapped : wrapped.abs()).reshape(known.shape + [1])
    }
    let shape = shape.isEmpty ? self.shape(rank: 1...2) : shape
    let contents = (0..<shape.reduce(1, *)).map { _ in
      ScalarValue.integer(mayLeave ? int(-1...size) : int(0...(size - 1)))
    }
    let array = unfailing { try NDArray(dtype: type, shape: shape + [1], values: contents) }
    if isInner || chance(50) { return builder.constant(array) }
    let name = "x\(inputs.count)"
    inputs[name] = array
    return builder.input(name, array.type)
  }

  mutating func gather() {
    guard let x = pick({ !$0.shape.isEmpty && $0.count > 0 }) else { return }
    let axis = int(0...(x.shape.count - 1))
    if chance(30) {
      let (places, outside) = places(Array(x.shape.prefix(axis)) + [int(1...4)], below: x.shape[axis])
      let indexed = IndexedAxes(batch: axis, axes: [axis], outside: outside)
      return add(x.tensor.gather(places, indexed), bound: x.bound, isExact: x.isExact)
    }
    let (places, outside) = places([], below: x.shape[axis])
    let indexed = IndexedAxes(axes: [axis], outside: outside)
    add(x.tensor.gather(places, indexed), bound: x.bound, isExact: x.isExact)
  }

  mutating func scatter() {
    guard let x = pick({ !$0.shape.isEmpty && $0.count > 0 && $0.dtype != .bool }) else { return }
    let axis = int(0...(x.shape.count - 1))
    let count = int(1...4)
    let (places, outside) = places([count], below: x.shape[axis])
    let kept = x.shape.indices.filter { $0 != axis }.map { x.shape[$0] }
    let updates = partner(x.dtype, [count] + kept)
    let combiner: Combiner? = one([nil, .sum, .sum] + (isDifferentiable ? [] : [.product, .max, .min]))
    let bound =
      switch combiner {
      case .sum: x.bound + updates.bound * Double(count)
      case .product: x.bound * (0..<count).reduce(1) { product, _ in product * max(1, updates.bound) }
      default: max(x.bound, updates.bound)
      }
    add(
      x.tensor.scatter(places, updates.tensor, IndexedAxes(axes: [axis], outside: outside), combiner: combiner),
      bound: bound,
      isExact: x.isExact && updates.isExact)
  }

  // MARK: Control flow

  /// The body of a sub-graph, grown from its arguments to results of the given types.
  func body(_ builder: Builder, _ arguments: [Entry], _ results: [Entry], _ seed: UInt64) -> [Tensor] {
    var inner = Growth(builder, seed: seed, isDifferentiable: isDifferentiable)
    inner.isInner = true
    inner.pool = arguments
    for _ in 0..<4 { inner.simpleStep() }
    return results.map { wanted in
      var entry = inner.partner(wanted.dtype, wanted.shape, exact: wanted.isExact)
      if let own = inner.pool.last(where: { $0.tensor.type == wanted.tensor.type && (!wanted.isExact || $0.isExact) }) {
        entry = own
      }
      if wanted.dtype.isFloat { entry.tensor = entry.tensor.minimum(wanted.bound).maximum(-wanted.bound) }
      return entry.tensor
    }
  }

  mutating func control() throws {
    var state: [Entry] = []
    for _ in 0..<int(1...3) { if let entry = pick({ $0.count <= 100 && $0.count > 0 }) { state.append(entry) } }
    guard !state.isEmpty else { return }
    let types = state.map(\.tensor.type)
    let seeds = [random.next(), random.next()]
    let growth = self
    func region(_ types: [TensorType], _ entries: [Entry], _ results: [Entry], _ seed: UInt64) throws -> Graph {
      try builder.region(types) { inner, arguments in
        let own = zip(arguments, entries).map { tensor, entry in
          Entry(tensor: tensor, bound: entry.bound, isExact: entry.isExact)
        }
        return growth.body(inner, own, results, seed)
      }
    }
    let results: [Tensor]
    switch int(0...2) {
    case 0:
      let predicate = partner(.bool, [])
      let then = try region(types, state, state, seeds[0])
      let otherwise = try region(types, state, state, seeds[1])
      results = builder.apply(
        .conditional(Conditional(then: then, otherwise: otherwise)), [predicate.tensor] + state.map(\.tensor))
    case 1 where !isDifferentiable:
      let limit = int(0...3)
      let counter = Entry(tensor: builder.scalar(.integer(0), .i64), bound: 0, isExact: true)
      let all = [counter.tensor.type] + types
      let condition = try builder.region(all) { _, values in [values[0] .< limit] }
      let body = try builder.region(all) { inner, arguments in
        let own = zip(arguments.dropFirst(), state).map { tensor, entry in
          Entry(tensor: tensor, bound: entry.bound, isExact: entry.isExact)
        }
        return [arguments[0] + 1] + growth.body(inner, own, state, seeds[0])
      }
      results = Array(
        builder.apply(
          .whileLoop(WhileLoop(condition: condition, body: body, stateCount: all.count)),
          [counter.tensor] + state.map(\.tensor)
        ).dropFirst())
    default:
      // The first is carried, the others are read as sequences where they have an axis to walk.
      let length = int(1...4)
      let sequence = source(isDifferentiable ? .f64 : one([.f32, .i64]), [length] + shape(rank: 0...2))
      let element = Entry(
        tensor: sequence.tensor.slice(axis: 0, from: 0, to: 1).reshape(Array(sequence.shape.dropFirst())),
        bound: sequence.bound, isExact: sequence.isExact)
      let entries = [state[0], element] + state.dropFirst()
      let stacked = one(state)
      let body = try region(entries.map(\.tensor.type), entries, [state[0], stacked, element], seeds[0])
      let values = builder.apply(
        .scan(Scan(body: body, length: Dim(length), carryCount: 1, sequenceCount: 1, reverse: chance(30))),
        [state[0].tensor, sequence.tensor] + state.dropFirst().map(\.tensor))
      add(values[0], bound: state[0].bound, isExact: state[0].isExact)
      if chance(80) { add(values[1], bound: stacked.bound, isExact: stacked.isExact) }
      if chance(80) { add(values[2], bound: element.bound, isExact: element.isExact) }
      return
    }
    for (tensor, entry) in zip(results, state) { add(tensor, bound: entry.bound, isExact: entry.isExact) }
  }
}
