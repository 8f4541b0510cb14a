import LatheCore

/// The method of Broyden, Fletcher, Goldfarb and Shanno with a limited memory, as `torch.optim.LBFGS` computes it.
///
/// One step is up to `maxIter` iterations of a loop in the graph, each of which computes the loss and its gradient at new
/// places. All parameters are one vector; what is remembered of the iterations before are rings of `historySize` vectors.
///
/// Sources: Nocedal, Wright, Numerical Optimization, algorithms 3.5, 3.6 and 7.4; PyTorch, torch/optim/lbfgs.py.
struct LBFGS: Sendable {
  let maxIter: Int
  let maxEval: Int
  let toleranceGrad: Double
  let toleranceChange: Double
  let historySize: Int
  let lineSearch: LineSearch?

  /// Adds a step to the graph that computes a loss.
  ///
  /// - Parameters:
  ///   - owner: What the names of the variables begin with.
  func minimize(_ loss: Tensor, _ parameters: [(name: String, tensor: Tensor)], lr: Tensor, owner: String) {
    let builder = loss.builder
    let tensors = parameters.map(\.tensor)
    guard !loss.isPoisoned, let first = tensors.first, !tensors.contains(where: \.isPoisoned) else { return }
    let dtypes = Set(tensors.map(\.dtype))
    guard dtypes.count == 1, historySize > 0 else {
      let fault =
        historySize > 0
        ? "the parameters are \(dtypes.map { "\($0)" }.sorted().joined(separator: " and ")), LBFGS takes one type"
        : "LBFGS remembers \(historySize) iterations"
      return builder.report(Diagnostic(fault))
    }
    if let updated = parameters.first(where: {
      builder.content(named: $0.name)?.value != builder.variable(named: $0.name)?.value
    }) {
      return builder.report(
        Diagnostic("LBFGS starts from what '\(updated.name)' was before the step, and the model itself updates it"))
    }
    let sizes = tensors.map { $0.type.elementCount ?? internalError("a parameter is \($0.type)") }
    let count = sizes.reduce(0, +)
    let objective = Objective(loss: loss, parameters: tensors, sizes: sizes)
    func name(_ field: PartialKeyPath<Iteration>) -> String {
      let name = Iteration.remembered.first { $0.field == field }?.name ?? internalError("\(field) is not remembered")
      return "\(owner).\(name)"
    }
    func remembered(_ field: PartialKeyPath<Iteration>, _ type: TensorType) -> Tensor {
      builder.variable(Variable(name: name(field), role: .buffer, initial: filled(type, 0)))
    }
    let evaluations = remembered(\.evaluations, .scalar(.i64))
    let steps = NDArray(scalar: .integer(0), dtype: .i64)
    builder.update(
      "\(owner).step", to: builder.variable(Variable(name: "\(owner).step", role: .buffer, initial: steps)) + 1)
    let vector = TensorType(first.dtype, [count])
    let ring = TensorType(first.dtype, [historySize, count])
    let start = Iteration(
      x: objective.flattened(tensors),
      loss: loss.convert(to: .f64).reshape([Int]()),
      gradient: objective.flattened(gradients(of: loss, withRespectTo: tensors)),
      direction: remembered(\.direction, vector), t: remembered(\.t, .scalar(.f64)),
      differences: remembered(\.differences, ring), moves: remembered(\.moves, ring),
      ro: remembered(\.ro, TensorType(.f64, [historySize])), diagonal: remembered(\.diagonal, .scalar(.f64)),
      pairs: remembered(\.pairs, .scalar(.i64)), lastGradient: remembered(\.lastGradient, vector),
      total: remembered(\.total, .scalar(.i64)), evaluations: evaluations.onesLike(),
      iteration: builder.scalar(.integer(0), .i64), isDone: builder.scalar(.integer(0), .bool))
    var initial = start
    initial.isDone = start.gradient.magnitude .<= toleranceGrad
    var end = initial.with(
      whileLoop(initial.all) {
        initial.with($0).isDone.logicalNot().logicalAnd(initial.with($0).iteration .< maxIter)
      } body: {
        next(initial.with($0), objective, lr).all
      })
    end.evaluations = evaluations + end.evaluations
    for field in Iteration.remembered.map(\.field) { builder.update(name(field), to: end[keyPath: field]) }
    for (parameter, value) in zip(parameters, objective.parts(end.x)) { builder.update(parameter.name, to: value) }
  }

  /// One iteration: a direction, and a step along it.
  private func next(_ before: Iteration, _ objective: Objective, _ lr: Tensor) -> Iteration {
    var state = before
    state.iteration = before.iteration + 1
    state.total = before.total + 1
    let isFirst = before.total .== 0
    let learned = learned(before)
    // The first iteration knows nothing, and goes along the gradient.
    (state.differences, state.moves) = (learned.differences, learned.moves)
    (state.ro, state.diagonal) = (learned.ro, isFirst.select(learned.diagonal.onesLike(), learned.diagonal))
    state.pairs = learned.pairs
    state.direction = direction(state)
    state.lastGradient = before.gradient
    let size = before.gradient.abs().sum().convert(to: .f64)
    state.t = isFirst.select((1 / size).clamp(max: 1) * lr, lr)
    let slope = before.gradient.dotted(state.direction)
    let next = cond(slope .> -toleranceChange) {
      var end = state
      end.isDone = end.isDone.onesLike()
      return end.all
    } otherwise: {
      moved(state, slope, objective).all
    }
    return state.with(next)
  }

  /// What the last move tells about the curvature.
  private func learned(_ state: Iteration) -> Iteration {
    let y = state.gradient - state.lastGradient
    let s = state.direction * state.t.convert(to: y.dtype)
    let product = y.dotted(s)
    let isCurved = (product .> 1e-10).logicalAnd(state.total .> 0)
    let slot = ring(state.pairs)
    func stored(_ rows: Tensor, _ row: Tensor) -> Tensor {
      let index = rows.builder.iota(rows.type.with(dtype: .i64), axis: 0)
      return (index .== slot).logicalAnd(isCurved).select(row.expanded(to: rows.shape), rows)
    }
    var next = state
    next.differences = stored(state.differences, y)
    next.moves = stored(state.moves, s)
    next.ro = stored(state.ro, 1 / product)
    next.diagonal = isCurved.select(product / y.dotted(y), state.diagonal)
    next.pairs = state.pairs + isCurved.convert(to: .i64)
    return next
  }

  /// The row of a pair by its number.
  private func ring(_ pair: Tensor) -> Tensor { pair.remainder(pair.fullLike(historySize)) }

  /// The approximate Newton direction: two loops over the pairs that are remembered.
  private func direction(_ state: Iteration) -> Tensor {
    let known = state.pairs.minimum(state.pairs.fullLike(historySize))
    /// The row of a pair, counted from the newest.
    func row(_ age: Tensor) -> Tensor { ring(state.pairs - 1 - age) }
    func at(_ rows: Tensor, _ row: Tensor) -> Tensor { rows.indexSelect(dim: 0, row.reshape([1])).squeeze(dim: 0) }
    let zero = state.pairs.zerosLike()
    let first = whileLoop([zero, -state.gradient, state.ro.zerosLike()]) {
      $0[0] .< known
    } body: { loop in
      let row = row(loop[0])
      let share = at(state.moves, row).dotted(loop[1]) * at(state.ro, row)
      let index = loop[2].builder.iota(loop[2].type.with(dtype: .i64), axis: 0)
      return [
        loop[0] + 1, loop[1] - at(state.differences, row) * share.convert(to: loop[1].dtype),
        (index .== row).select(share.expanded(to: loop[2].shape), loop[2]),
      ]
    }
    let second = whileLoop([known - 1, first[1] * state.diagonal.convert(to: first[1].dtype)]) {
      $0[0] .>= 0
    } body: { loop in
      let row = row(loop[0])
      let share = at(state.differences, row).dotted(loop[1]) * at(state.ro, row)
      let factor = at(first[2], row) - share
      return [loop[0] - 1, loop[1] + at(state.moves, row) * factor.convert(to: loop[1].dtype)]
    }
    return second[1]
  }

  /// The state after a step along the direction, and whether it was the last.
  private func moved(_ state: Iteration, _ slope: Tensor, _ objective: Objective) -> Iteration {
    var end = state
    let evaluations: Tensor
    switch lineSearch {
    case .strongWolfe:
      let found = StrongWolfe(state, slope, objective, turns: maxEval - state.evaluations).found
      (end.loss, end.gradient, end.t, evaluations) = (found.loss, found.gradient, found.t, found.evaluations)
      end.x = state.x + state.direction * end.t.convert(to: state.x.dtype)
    case nil:
      end.x = state.x + state.direction * state.t.convert(to: state.x.dtype)
      // After the last iteration nobody asks for the loss.
      let isLast = state.iteration .== maxIter
      let found = cond(isLast) {
        [state.loss, state.gradient]
      } otherwise: {
        objective.evaluate(end.x)
      }
      (end.loss, end.gradient) = (found[0], found[1])
      evaluations = 1 - isLast.convert(to: .i64)
    }
    end.evaluations = state.evaluations + evaluations
    let move = (end.direction * end.t.convert(to: end.direction.dtype)).magnitude
    end.isDone =
      (end.evaluations .>= maxEval)
      .logicalOr(end.gradient.magnitude .<= toleranceGrad)
      .logicalOr(move .<= toleranceChange)
      .logicalOr((end.loss - state.loss).abs() .< toleranceChange)
    return end
  }
}

/// How far to go along a direction.
public enum LineSearch: String, Sendable {
  /// Until the loss and its slope have fallen enough, after Wolfe: `strong_wolfe`.
  case strongWolfe = "strong_wolfe"
}

/// The loss as a function of all parameters in one vector.
private struct Objective {
  let loss: Tensor
  let parameters: [Tensor]
  let sizes: [Int]

  func flattened(_ tensors: [Tensor]) -> Tensor {
    let flat = tensors.map { $0.reshape([-1]) }
    return flat.count == 1 ? flat[0] : cat(flat, dim: 0)
  }

  func parts(_ x: Tensor) -> [Tensor] {
    var start = 0
    return zip(parameters, sizes).map { parameter, size in
      defer { start += size }
      return x.narrow(dim: 0, start: start, length: size).reshape(parameter.shape)
    }
  }

  /// The loss, `f64[]`, and its gradient.
  func evaluate(_ x: Tensor) -> [Tensor] {
    let parts = parts(x)
    let loss = loss.recomputed(replacing: Array(zip(parameters, parts)), in: x.builder)
    let gradient = flattened(gradients(of: loss, withRespectTo: parts))
    return [loss.convert(to: .f64).reshape([Int]()), gradient]
  }
}

/// What the loop of iterations carries.
private struct Iteration: LoopState {
  var x: Tensor
  var loss: Tensor
  var gradient: Tensor
  var direction: Tensor
  var t: Tensor
  /// The differences of gradients of the iterations before, a ring.
  var differences: Tensor
  /// The moves of the iterations before, a ring.
  var moves: Tensor
  /// One over the products of both.
  var ro: Tensor
  var diagonal: Tensor
  /// How many pairs were remembered so far.
  var pairs: Tensor
  var lastGradient: Tensor
  /// The iterations of all steps.
  var total: Tensor
  /// The evaluations of this step.
  var evaluations: Tensor
  /// The iterations of this step.
  var iteration: Tensor
  var isDone: Tensor

  static var fields: [WritableKeyPath<Self, Tensor>] {
    [
      \.x, \.loss, \.gradient, \.direction, \.t, \.differences, \.moves, \.ro, \.diagonal, \.pairs, \.lastGradient,
      \.total, \.evaluations, \.iteration, \.isDone,
    ]
  }

  /// What the optimizer remembers from step to step, by PyTorch's names.
  static var remembered: [(name: String, field: KeyPath<Self, Tensor>)] {
    [
      ("d", \.direction), ("t", \.t), ("old_dirs", \.differences), ("old_stps", \.moves), ("ro", \.ro),
      ("H_diag", \.diagonal), ("pairs", \.pairs), ("prev_flat_grad", \.lastGradient), ("n_iter", \.total),
      ("func_evals", \.evaluations),
    ]
  }
}

/// What a loop carries.
private protocol LoopState {
  /// All tensors, in the order in which the loop carries them.
  static var fields: [WritableKeyPath<Self, Tensor>] { get }
}

extension LoopState {
  var all: [Tensor] { Self.fields.map { self[keyPath: $0] } }

  /// The state with other tensors, in the order of `all`.
  func with(_ all: [Tensor]) -> Self {
    var state = self
    for (field, tensor) in zip(Self.fields, all) { state[keyPath: field] = tensor }
    return state
  }
}

/// A point along the direction: how far, the loss there, its gradient, its slope.
private struct Probe: LoopState {
  var t: Tensor
  var loss: Tensor
  var gradient: Tensor
  var slope: Tensor

  static var fields: [WritableKeyPath<Self, Tensor>] { [\.t, \.loss, \.gradient, \.slope] }

  /// The first of two probes where a flag is set, else the second.
  static func select(_ flag: Tensor, _ first: Probe, _ second: Probe) -> Probe {
    first.with(zip(first.all, second.all).map { flag.select($0, $1) })
  }

  /// The minimum of the cubic through two probes, within bounds: between the two unless others are given.
  func cubicMinimum(_ other: Probe, _ bounds: (Tensor, Tensor)? = nil) -> Tensor {
    let (low, high) = bounds ?? (t.minimum(other.t), t.maximum(other.t))
    let d1 = slope + other.slope - (loss - other.loss) * 3 / (t - other.t)
    let square = d1 * d1 - slope * other.slope
    let isReal = square .>= 0
    let d2 = isReal.select(square, square.zerosLike()).sqrt()
    let after = other.t - (other.t - t) * ((other.slope + d2 - d1) / (other.slope - slope + d2 * 2))
    let before = t - (t - other.t) * ((slope + d2 - d1) / (slope - other.slope + d2 * 2))
    let minimum = (t .<= other.t).select(after, before)
    return isReal.select(minimum.maximum(low).minimum(high), (low + high) / 2)
  }
}

/// A search for a step after which the loss is lower by enough, and its slope flatter (Nocedal and Wright, 3.5 and 3.6).
///
/// Each turn of the loop looks at one point. First points go on until two enclose what is sought, then the enclosure is
/// made smaller.
private struct StrongWolfe {
  private static let (c1, c2) = (1e-4, 0.9)
  private static let toleranceChange = 1e-9

  /// The end of the search.
  let found: (t: Tensor, loss: Tensor, gradient: Tensor, evaluations: Tensor)

  /// What the loop carries.
  private struct State: LoopState {
    /// Where to look next.
    var t: Tensor
    /// Where the search looked before, and then the two ends of the enclosure.
    var first: Probe
    var second: Probe
    /// Whether the second has the lower loss.
    var isSecondLower: Tensor
    var turn: Tensor
    var evaluations: Tensor
    var isEnclosed: Tensor
    var isSlow: Tensor
    var isDone: Tensor

    static var fields: [WritableKeyPath<Self, Tensor>] {
      let (first, second): (WritableKeyPath<Self, Probe>, WritableKeyPath<Self, Probe>) = (\.first, \.second)
      let flags: [WritableKeyPath<Self, Tensor>] = [
        \.t, \.isSecondLower, \.turn, \.evaluations, \.isEnclosed, \.isSlow, \.isDone,
      ]
      return [first, second].flatMap { probe in Probe.fields.map { probe.appending(path: $0) } } + flags
    }
  }

  /// - Parameter turns: How often it may look at a point after the first.
  init(_ start: Iteration, _ slope: Tensor, _ objective: Objective, turns: Tensor) {
    let zero = start.t.zerosLike()
    let origin = Probe(t: zero, loss: start.loss, gradient: start.gradient, slope: slope)
    let no = start.isDone.zerosLike()
    let size = start.direction.magnitude
    let initial = State(
      t: start.t, first: origin, second: origin, isSecondLower: no, turn: start.pairs.zerosLike(),
      evaluations: start.pairs.zerosLike(), isEnclosed: no, isSlow: no, isDone: no)
    let end = initial.with(
      whileLoop(initial.all) {
        initial.with($0).isDone.logicalNot()
      } body: { loop in
        let state = initial.with(loop)
        let x = start.x + start.direction * state.t.convert(to: start.x.dtype)
        let values = objective.evaluate(x)
        let probe = Probe(t: state.t, loss: values[0], gradient: values[1], slope: values[1].dotted(start.direction))
        return Self.next(state, probe, origin, size, turns).all
      })
    let best = Probe.select(end.isSecondLower, end.second, end.first)
    found = (best.t, best.loss, best.gradient, end.evaluations)
  }

  private static func next(
    _ before: State, _ probe: Probe, _ origin: Probe, _ size: Tensor, _ most: Tensor
  ) -> State {
    var state = before
    state.evaluations = before.evaluations + 1
    let isHigh = probe.loss .> origin.loss + probe.t * origin.slope * c1
    let isFlat = probe.slope.abs() .<= origin.slope * -c2

    // While nothing is enclosed, the first probe is the one before; when all turns are used up, the whole way is enclosed.
    let isLast = before.turn .>= most
    let rises = isHigh.logicalOr((before.turn .> 1).logicalAnd(probe.loss .>= before.first.loss))
    let isFound = isFlat.logicalAnd(rises.logicalOr(isLast).logicalNot())
    let goesOn = rises.logicalOr(isFlat).logicalOr(probe.slope .>= 0).logicalOr(isLast).logicalNot()
    let enclosing = Probe.select(
      isLast, origin, Probe.select(goesOn.logicalOr(isFound), probe, before.first))
    let further = before.first.cubicMinimum(
      probe, (probe.t + (probe.t - before.first.t) * 0.01, probe.t * 10))

    // Later one end of the enclosure is replaced, or both.
    let low = Probe.select(before.isSecondLower, before.second, before.first)
    let high = Probe.select(before.isSecondLower, before.first, before.second)
    let isWorse = isHigh.logicalOr(probe.loss .>= low.loss)
    let turns = isFlat.logicalNot().logicalAnd(probe.slope * (high.t - low.t) .>= 0)
    let newHigh = Probe.select(isWorse, probe, Probe.select(turns, low, high))
    let newLow = Probe.select(isWorse, low, probe)

    let was = before.isEnclosed
    state.first = Probe.select(was, Probe.select(before.isSecondLower, newHigh, newLow), enclosing)
    state.second = Probe.select(was, Probe.select(before.isSecondLower, newLow, newHigh), probe)
    state.isSecondLower = was.logicalAnd(isWorse.logicalNot()).select(
      before.isSecondLower, (state.first.loss .<= state.second.loss).logicalNot())
    state.isEnclosed = was.logicalOr(goesOn.logicalNot())
    state.turn = before.turn + goesOn.logicalOr(was).convert(to: .i64)
    let isRight = isFound.logicalOr(was.logicalAnd(isWorse.logicalNot()).logicalAnd(isFlat))
    return narrowed(state, further, isRight, size, most)
  }

  /// The state with the point to look at next: further on, or within the enclosure but not too near to its ends.
  private static func narrowed(
    _ before: State, _ further: Tensor, _ isRight: Tensor, _ size: Tensor, _ most: Tensor
  ) -> State {
    var state = before
    let (start, end) = (before.first.t.minimum(before.second.t), before.first.t.maximum(before.second.t))
    let width = end - start
    state.isDone = before.isEnclosed.logicalAnd(
      isRight.logicalOr(before.turn .>= most).logicalOr(width * size .< toleranceChange))
    let t = before.first.cubicMinimum(before.second)
    let margin = width * 0.1
    let isNear = (end - t).minimum(t - start) .< margin
    let moves = isNear.logicalAnd(before.isSlow.logicalOr(t .>= end).logicalOr(t .<= start))
    let moved = ((t - end).abs() .< (t - start).abs()).select(end - margin, start + margin)
    state.isSlow = before.isEnclosed.logicalAnd(isNear).logicalAnd(moves.logicalNot())
    state.t = before.isEnclosed.select(moves.select(moved, t), further)
    return state
  }
}

extension Tensor {
  /// The sum of products with another vector, `f64[]`.
  fileprivate func dotted(_ other: Tensor) -> Tensor { (self * other).sum().convert(to: .f64) }

  /// The greatest absolute value, `f64[]`.
  fileprivate var magnitude: Tensor { abs().max().convert(to: .f64) }
}
