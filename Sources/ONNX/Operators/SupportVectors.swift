internal import LatheCore
internal import LatheNN

/// Support vector machines: weighted sums of a kernel's values at support vectors.
enum SupportVectors {
  /// A batch of features, in `f32`.
  private static func features(_ call: Call) throws(TypeFault) -> (x: Tensor, width: Int) {
    var x = try call.tensor(0).convert(to: .f32)
    if x.rank == 1 { x = x.inserting(axes: [0]) }
    guard x.rank == 2 else { throw TypeFault("the operand \(x.type) is not a batch of features") }
    return (x, try x.size(1, "the number of features"))
  }

  /// The kernel's values at the support vectors, `[N, count]`.
  private static func values(_ call: Call, _ x: Tensor, count: Int, width: Int) throws(TypeFault) -> Tensor {
    let vectors = try call.floats("support_vectors") ?? []
    guard vectors.count == count * width else {
      throw TypeFault("\(count) support vectors of \(vectors.count) numbers do not fit \(x.type)")
    }
    let table = x.builder.tensor(vectors, shape: [count, width], dtype: .f32)
    let numbers = try call.floats("kernel_params") ?? [0, 0, 0]
    guard numbers.count == 3 else { throw TypeFault("kernel_params are gamma, coef0 and degree") }
    switch try call.string("kernel_type", default: "LINEAR") {
    case "LINEAR": return matmul(x, table.transpose(0, 1))
    case "POLY": return (matmul(x, table.transpose(0, 1)) * numbers[0] + numbers[1]).pow(numbers[2])
    case "SIGMOID": return (matmul(x, table.transpose(0, 1)) * numbers[0] + numbers[1]).tanh()
    case "RBF":
      let difference = x.inserting(axes: [1]) - table
      return ((difference * difference).reduce(.sum, axes: [2]) * -numbers[0]).exp()
    case let other: throw TypeFault("the kernel '\(other)' is not one of LINEAR, POLY, RBF, SIGMOID")
    }
  }

  /// `SVMRegressor`; without support vectors a weighted sum of the features.
  static func regressed(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, width) = try features(call)
    let (weights, count) = (try call.floats("coefficients") ?? [], try call.integer("n_supports", default: 0))
    guard count >= 0, weights.count == (count == 0 ? width : count) else {
      throw TypeFault("\(weights.count) coefficients do not fit \(count) support vectors and \(x.type)")
    }
    let values = count == 0 ? x : try values(call, x, count: count, width: width)
    let column = x.builder.tensor(weights, shape: [weights.count, 1], dtype: .f32)
    let y = matmul(values, column) + (try call.floats("rho")?.first ?? 0)
    if try call.flag("one_class") { return (y .> 0).select(y.onesLike(), -y.onesLike()) }
    return try PostTransform(call.string("post_transform", default: "NONE")).applied(to: y)
  }

  // MARK: Classes

  /// `SVMClassifier`: the classes that most pairs of classes vote for, and their scores as ONNX Runtime gives them, whose
  /// meaning the operator's text leaves open.
  static func classified(_ call: Call, _ labels: [Int]) throws(TypeFault) -> [Tensor] {
    let (x, width) = try features(call)
    let (classes, transform) = (labels.count, try PostTransform(call.string("post_transform", default: "NONE")))
    guard classes > 1, classes <= 1 << 10 else { throw TypeFault("\(classes) classes are out of range") }
    let counts = try call.optionalIntegers("vectors_per_class") ?? []
    let weights = try call.floats("coefficients") ?? []
    let rho = try call.floats("rho") ?? []
    let total = counts.reduce(0, +)
    guard total > 0 else { return try linear(x, labels, weights, rho, transform) }
    let pairs = (0..<classes).flatMap { first in (first + 1..<classes).map { (first: first, second: $0) } }
    guard counts.count == classes, counts.allSatisfy({ $0 >= 0 }), weights.count == (classes - 1) * total,
      rho.count == pairs.count
    else {
      throw TypeFault(
        "\(weights.count) coefficients, \(counts.count) numbers of support vectors and \(rho.count) offsets do not fit "
          + "\(classes) classes")
    }
    let values = try values(call, x, count: total, width: width)
    let table = x.builder.tensor(
      columns(pairs, counts, weights), shape: [total, pairs.count], dtype: .f32)
    let scores = matmul(values, table) + x.builder.tensor(rho, dtype: .f32)
    let label = Operator.chosen(labels, by: votes(scores, pairs, classes).argReduce(.max, axis: 1))
    if let (a, b) = try probabilities(call, pairs.count) {
      // The probability of a pair's first class.
      let number = scores * x.builder.tensor(a, dtype: .f32) + x.builder.tensor(b, dtype: .f32)
      let shares = (-number).sigmoid().maximum(1e-7).minimum(1 - 1e-7)
      return [label, transform.applied(to: estimates(shares, pairs, classes))]
    }
    guard classes == 2 else { return [label, transform.applied(to: scores)] }
    let opposite = Tensor.concatenate([-scores, scores], axis: 1)
    return [label, transform == .none ? opposite : try transform.applied(toPair: scores)]
  }

  /// A weighted sum of the features for each class.
  private static func linear(
    _ x: Tensor, _ labels: [Int], _ weights: [Double], _ rho: [Double], _ transform: PostTransform
  ) throws(TypeFault) -> [Tensor] {
    guard let width = x.shape[1].known, weights.count == labels.count * width, let offset = rho.first else {
      throw TypeFault(
        "\(weights.count) coefficients and \(rho.count) offsets do not fit \(labels.count) classes of \(x.type)")
    }
    let table = x.builder.tensor(weights, shape: [labels.count, width], dtype: .f32)
    let scores = matmul(x, table.transpose(0, 1)) + offset
    var place = scores.argReduce(.max, axis: 1)
    if labels.count == 2 {
      // Of two classes, the second one is taken where one is certain at all.
      let most = scores.reduce(.max, axes: [1])
      let isSecond = weights.allSatisfy { $0 >= 0 } ? most .>= 0.5 : most .> 0
      place = isSecond.select(place.onesLike(), place)
    }
    return [Operator.chosen(labels, by: place), transform.applied(to: scores)]
  }

  /// The coefficients of support vectors by pairs of classes: those of a vector of one class against the other.
  private static func columns(
    _ pairs: [(first: Int, second: Int)], _ counts: [Int], _ weights: [Double]
  ) -> [Double] {
    let total = counts.reduce(0, +)
    var columns = [Double](repeating: 0, count: total * pairs.count)
    var vector = 0
    for (own, count) in counts.enumerated() {
      for _ in 0..<count {
        for (column, pair) in pairs.enumerated() where pair.first == own || pair.second == own {
          // A row for each other class: those behind the own one come one row earlier.
          let row = pair.first == own ? pair.second - 1 : pair.first
          columns[vector * pairs.count + column] = weights[row * total + vector]
        }
        vector += 1
      }
    }
    return columns
  }

  /// How many pairs each class wins, `[N, classes]`.
  private static func votes(_ scores: Tensor, _ pairs: [(first: Int, second: Int)], _ classes: Int) -> Tensor {
    var table = [Double](repeating: 0, count: 2 * pairs.count * classes)
    for (row, pair) in pairs.enumerated() {
      table[row * classes + pair.first] = 1
      table[(pairs.count + row) * classes + pair.second] = 1
    }
    let isFirst = scores .> 0
    let won = Tensor.concatenate([isFirst, Tensor.pointwise(.not, isFirst)], axis: 1).convert(to: .f32)
    return matmul(won, scores.builder.tensor(table, shape: [2 * pairs.count, classes], dtype: .f32))
  }

  private static func probabilities(_ call: Call, _ count: Int) throws(TypeFault) -> (a: [Double], b: [Double])? {
    let (a, b) = (try call.floats("prob_a") ?? [], try call.floats("prob_b") ?? [])
    guard !(a.isEmpty && b.isEmpty) else { return nil }
    guard a.count == count, b.count == count else {
      throw TypeFault("\(a.count) and \(b.count) numbers in prob_a and prob_b do not fit \(count) pairs of classes")
    }
    return (a, b)
  }

  /// The probabilities of classes from those of pairs, by the second method of Wu, Lin and Weng (2004), as libsvm has it:
  /// at most a hundred rounds, until the largest error is below 0.005 by the number of classes.
  private static func estimates(
    _ shares: Tensor, _ pairs: [(first: Int, second: Int)], _ classes: Int
  ) -> Tensor {
    let (builder, batch) = (shares.builder, shares.shape[0])
    let none = shares.slice(axis: 1, from: 0, to: 1).zerosLike()
    let all = Tensor.concatenate([shares, 1 - shares, none], axis: 1)
    var places = [Int](repeating: 2 * pairs.count, count: classes * classes)
    for (column, pair) in pairs.enumerated() {
      places[pair.first * classes + pair.second] = column
      places[pair.second * classes + pair.first] = pairs.count + column
    }
    let square = [batch, Dim(classes), Dim(classes)]
    let won = all.take(dim: 1, builder.tensor(places, dtype: .i64)).reshape(square)
    let lost = won.permute([0, 2, 1])
    let diagonal = (lost * lost).reduce(.sum, axes: [2])
    let unit = builder.tensor(
      (0..<classes * classes).map { $0 % (classes + 1) == 0 ? 1.0 : 0 }, shape: [classes, classes], dtype: .f32)
    let matrix = unit * diagonal.inserting(axes: [2]) - won * lost
    func column(_ x: Tensor, _ place: Int) -> Tensor { x.slice(axis: 1, from: place, to: place + 1) }
    let start = builder.zeros(TensorType(.f32, [batch, Dim(classes)])) + 1 / Double(classes)
    let (state, _) = LatheNN.scan([start], over: [], length: 100) { state, _ in
      var share = state[0]
      var product = (matrix * share.inserting(axes: [1])).reduce(.sum, axes: [2])
      var form = (share * product).reduce(.sum, axes: [1]).inserting(axes: [1])
      let error = (product - form).abs().reduce(.max, axes: [1])
      for place in 0..<classes {
        let own = column(diagonal, place)
        let row = matrix.slice(axis: 1, from: place, to: place + 1).reshape(share.shape)
        let step = (form - column(product, place)) / own
        let scale = step + 1
        form = (form + step * (step * own + column(product, place) * 2)) / (scale * scale)
        product = (product + step * row) / scale
        share = (share + step * unit.slice(axis: 0, from: place, to: place + 1)) / scale
      }
      let isDone = (error .< 0.005 / Double(classes)).broadcast(to: share.shape, axes: [0])
      return ([isDone.select(state[0], share)], [])
    }
    return state[0]
  }
}
