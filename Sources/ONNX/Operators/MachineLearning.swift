internal import LatheCore
internal import LatheNN

/// The operators of `ai.onnx.ml` on tensors of numbers. Those that give strings or maps are not among them.
extension Operator {
  static let machineLearning: [String: Operator] = [
    "ArrayFeatureExtractor": .one { call throws(TypeFault) in
      let (x, places) = (try call.tensor(0), try call.tensor(1))
      guard x.rank > 0 else { throw TypeFault("the operand \(x.type) has no axes") }
      let y = x.take(dim: -1, places.reshape([places.shape.elementCount]))
      return x.rank == 1 ? y.inserting(axes: [0]) : y
    },
    "Binarizer": .unary("threshold", 0) { x, threshold in (x .> x.constant(threshold)).convert(to: x.dtype) },
    "FeatureVectorizer": .one { call throws(TypeFault) in
      let sizes = try call.integers("inputdimensions")
      let tensors = try call.tensors()
      guard sizes.count == tensors.count else { throw TypeFault("\(sizes.count) sizes for \(tensors.count) operands") }
      var columns: [Tensor] = []
      for (tensor, size) in zip(tensors, sizes) {
        let matrix = tensor.rank == 1 ? tensor.inserting(axes: [1]) : tensor
        guard matrix.rank == 2 else { throw TypeFault("the operand \(tensor.type) has more than 2 axes") }
        let missing = size - (try matrix.size(1, "the number of features"))
        columns.append(matrix.convert(to: .f32).pad(low: [0, 0], high: [0, missing], interior: [0, 0]))
      }
      return Tensor.concatenate(columns, axis: 1)
    },
    "Imputer": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      var numbers = try call.floats("imputed_value_floats")
      if numbers == nil { numbers = try call.optionalIntegers("imputed_value_int64s")?.map { Double($0) } }
      guard let numbers, !numbers.isEmpty else { throw TypeFault("no value to put in is given") }
      let values = try features(numbers, x)
      let isMissing: Tensor
      if x.dtype.isFloat {
        let replaced = try call.float("replaced_value_float", default: 0)
        isMissing = replaced.isNaN ? x.isNaN() : x .== x.constant(replaced)
      } else {
        isMissing = x .== (try call.integer("replaced_value_int64", default: 0))
      }
      return isMissing.select(values.expanded(to: x.shape), x)
    },
    "LabelEncoder": .one(labelEncoder),
    "LinearClassifier": .several { call throws(TypeFault) in
      let x = try call.tensor(0)
      let labels = try labels(call, "classlabels_ints")
      let scores = try linear(call, x, count: nil)
      let transform = try PostTransform(call.string("post_transform", default: "NONE"))
      let isSingle = scores.shape[1] == 1
      if isSingle && labels.count == 2 {
        let isSecond = (scores .> 0).reshape([scores.shape[0]])
        return [chosen(labels, by: isSecond.convert(to: .i64)), try transform.applied(toPair: scores)]
      }
      if isSingle {
        let y = transform.applied(to: scores)
        let isMet = y .>= (transform == .none ? 0 : 0.5)
        let label = call.builder.scalar(.integer(labels.first ?? 1), .i64)
        let chosen = isMet.select(label.expanded(to: y.shape), call.builder.zeros(y.type.with(dtype: .i64)))
        return [chosen.reshape([y.shape[0]]), y]
      }
      return [chosen(labels, by: scores.argReduce(.max, axis: 1)), transform.applied(to: scores)]
    },
    "LinearRegressor": .one { call throws(TypeFault) in
      let targets = try call.integer("targets", default: 1)
      return try PostTransform(call.string("post_transform", default: "NONE"))
        .applied(to: linear(call, try call.tensor(0), count: targets))
    },
    "Normalizer": .one { call throws(TypeFault) in
      let x = try call.tensor(0).convert(to: .f32)
      guard x.rank > 0 else { throw TypeFault("the operand \(x.type) has no axes") }
      let axis = Swift.min(1, x.rank - 1)
      let norm: Tensor
      switch try call.string("norm", default: "MAX") {
      case "MAX": norm = x.reduce(.max, axes: [axis])
      case "L1": norm = x.abs().reduce(.sum, axes: [axis])
      case "L2": norm = (x * x).reduce(.sum, axes: [axis]).sqrt()
      case let other: throw TypeFault("the norm '\(other)' is not one of MAX, L1, L2")
      }
      // A row of zeros stays one.
      let divisor = (norm .== 0.0).select(norm.onesLike(), norm)
      return x / divisor.broadcast(like: x, without: [axis])
    },
    "OneHotEncoder": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      guard try call.strings("cats_strings") == nil, let categories = try call.unboundedIntegers("cats_int64s") else {
        throw TypeFault("categories that are strings are not supported", help: "encode them as integers before")
      }
      guard try call.flag("zeros", default: true) else {
        throw TypeFault("that an unknown category is an error (zeros = 0) is not supported", help: "use zeros = 1")
      }
      let numbers = call.builder.tensor(categories, dtype: .i64)
      return (x.convert(to: .i64).inserting(axes: [x.rank]) .== numbers).convert(to: .f32)
    },
    "Scaler": .one { call throws(TypeFault) in
      let x = try call.tensor(0).convert(to: .f32)
      return (x - (try features(call.floats("offset") ?? [0], x))) * (try features(call.floats("scale") ?? [1], x))
    },
    "SVMClassifier": .several { call throws(TypeFault) in
      try SupportVectors.classified(call, try labels(call, "classlabels_ints"))
    },
    "SVMRegressor": .one(SupportVectors.regressed),
    "TreeEnsemble": .one { call throws(TypeFault) in try Forest(ensemble: call).scores(of: try call.tensor(0)) },
    "TreeEnsembleRegressor": .one { call throws(TypeFault) in
      try Forest(nodesOf: call, "target").scores(of: try call.tensor(0)).convert(to: .f32)
    },
    "TreeEnsembleClassifier": .several { call throws(TypeFault) in
      try Forest(nodesOf: call, "class").classified(try call.tensor(0), try labels(call, "classlabels_int64s"))
    },
  ]

  /// A number for each feature, or one for all.
  private static func features(_ numbers: [Double], _ x: Tensor) throws(TypeFault) -> Tensor {
    guard numbers.count == 1 || x.shape.last == Dim(numbers.count) else {
      throw TypeFault("\(numbers.count) numbers for the features of \(x.type)")
    }
    return x.builder.tensor(numbers, dtype: .f64).convert(to: x.dtype)
  }

  /// The classes' labels where they are numbers.
  private static func labels(_ call: Call, _ name: String) throws(TypeFault) -> [Int] {
    guard try call.strings("classlabels_strings") == nil else {
      throw TypeFault("labels that are strings are not supported", help: "train or export with integer labels")
    }
    guard let labels = try call.unboundedIntegers(name), !labels.isEmpty else { throw TypeFault("has no labels") }
    return labels
  }

  static func chosen(_ labels: [Int], by place: Tensor) -> Tensor {
    if labels == Array(labels.indices) { return place }
    return place.builder.tensor(labels, dtype: .i64).take(dim: 0, place)
  }

  /// `x coefficients^T + intercepts`, computed in `f32` unless the operand is wider; what is given is `f32`.
  private static func linear(_ call: Call, _ x: Tensor, count: Int?) throws(TypeFault) -> Tensor {
    let x = x.dtype == .f64 ? x : x.convert(to: .f32)
    let coefficients = try call.floats("coefficients") ?? []
    guard x.rank == 2 else { throw TypeFault("the operand \(x.type) is not a batch of features") }
    let width = try x.size(1, "the number of features")
    guard width > 0, coefficients.count % width == 0, count.map({ $0 * width == coefficients.count }) ?? true else {
      throw TypeFault("\(coefficients.count) coefficients do not fit \(x.type)")
    }
    let rows = coefficients.count / width
    let y = matmul(x, x.builder.tensor(coefficients, shape: [rows, width], dtype: x.dtype).transpose(0, 1))
    guard let intercepts = try call.floats("intercepts"), !intercepts.isEmpty else { return y.convert(to: .f32) }
    guard intercepts.count == rows else { throw TypeFault("\(intercepts.count) intercepts for \(rows) results") }
    return (y + x.builder.tensor(intercepts, dtype: x.dtype)).convert(to: .f32)
  }

  /// Keys are compared one by one: a table of them is small.
  private static func labelEncoder(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    for name in ["keys_strings", "values_strings"] where try call.strings(name) != nil {
      throw TypeFault("labels that are strings are not supported", help: "encode them before the model")
    }
    func table(_ what: String) throws(TypeFault) -> NDArray {
      if let array = try call.array("\(what)_tensor") { return array }
      if let numbers = try call.unboundedIntegers("\(what)_int64s") { return NDArray(numbers.map { Int64($0) }) }
      if let numbers = try call.floats("\(what)_floats") { return NDArray(numbers.map { Float($0) }) }
      throw TypeFault("its \(what) are missing")
    }
    let (keys, values) = (try table("keys"), try table("values"))
    guard keys.count == values.count else { throw TypeFault("\(keys.count) keys for \(values.count) values") }
    let other: Tensor
    if let array = try call.array("default_tensor"), let number = array.first {
      other = call.builder.scalar(number, values.dtype)
    } else if values.dtype.isFloat {
      other = call.builder.scalar(.float(try call.float("default_float", default: 0)), values.dtype)
    } else {
      let number = call.attributes["default_int64"] == nil ? -1 : try call.unboundedInteger("default_int64")
      other = call.builder.scalar(.integer(number), values.dtype)
    }
    guard keys.count > 0 else { return other.expanded(to: x.shape) }
    let row = call.builder.constant(keys).reshape([keys.count]).convert(to: x.dtype)
    let wide = x.inserting(axes: [x.rank])
    // NaN is a key, too.
    let equal = x.dtype.isFloat ? (wide .== row) .| (wide.isNaN() .& row.isNaN()) : wide .== row
    let place = equal.convert(to: .u8).argReduce(.max, axis: x.rank)
    let found = call.builder.constant(values).reshape([values.count]).take(dim: 0, place)
    return equal.reduce(.max, axes: [x.rank]).select(found, other.expanded(to: x.shape))
  }
}

/// What is made of scores, `[N, C]`.
enum PostTransform: String {
  case none = "NONE"
  case softmax = "SOFTMAX"
  case logistic = "LOGISTIC"
  case softmaxZero = "SOFTMAX_ZERO"
  case probit = "PROBIT"

  /// In the order of their numbers.
  static let numbered: [PostTransform] = [.none, .softmax, .logistic, .softmaxZero, .probit]

  init(_ name: String) throws(TypeFault) {
    guard let transform = PostTransform(rawValue: name) else {
      throw TypeFault("the post_transform '\(name)' is not known")
    }
    self = transform
  }

  /// The scores of two classes, of which there is the second one's alone, `[N, 1]`: as ONNX Runtime has it, since no text
  /// tells the first one's.
  func applied(toPair x: Tensor) throws(TypeFault) -> Tensor {
    switch self {
    case .logistic: return Tensor.concatenate([-x, x], axis: 1).sigmoid()
    case .probit: throw TypeFault("the post_transform PROBIT of one score for two classes is not supported")
    case .none, .softmax, .softmaxZero: return Tensor.concatenate([1 - x, x], axis: 1)
    }
  }

  func applied(to x: Tensor) -> Tensor {
    switch self {
    case .none: return x
    case .softmax: return LatheNN.softmax(x, dim: 1)
    case .logistic: return x.sigmoid()
    case .softmaxZero:
      // What is 0 stays 0.
      let shifted = (x - x.reduce(.max, axes: [1]).broadcast(like: x, without: [1])).exp()
      let kept = (x.abs() .> 1e-7).select(shifted, x.zerosLike())
      let sum = kept.reduce(.sum, axes: [1]).broadcast(like: x, without: [1])
      return (sum .== 0.0).select(x.filled(.float(0.5)), kept / sum)
    case .probit:
      // Winitzki's approximation of the inverse error function, which the operators are defined by.
      let y = x * 2 - 1
      let log = ((1 - y) * (1 + y)).log()
      let half = log * 0.5 + 2 / (Double.pi * 0.147)
      let root = ((half * half - log * (1 / 0.147)).sqrt() - half).sqrt()
      return (y .< 0.0).select(-root, root) * 1.41421356
    }
  }
}

/// Decision trees as tables: a row for each node.
///
/// All trees of all samples are walked down together, one level at a time; a leaf leads to itself.
struct Forest {
  enum Mode: String {
    case lessOrEqual = "BRANCH_LEQ"
    case less = "BRANCH_LT"
    case greaterOrEqual = "BRANCH_GTE"
    case greater = "BRANCH_GT"
    case equal = "BRANCH_EQ"
    case notEqual = "BRANCH_NEQ"
    case member = "BRANCH_MEMBER"
    case leaf = "LEAF"

    /// In the order of the numbers that `TreeEnsemble` gives them.
    static let numbered: [Mode] = [.lessOrEqual, .less, .greaterOrEqual, .greater, .equal, .notEqual, .member]
  }

  enum Aggregate: String {
    case average = "AVERAGE"
    case sum = "SUM"
    case min = "MIN"
    case max = "MAX"

    static let numbered: [Aggregate] = [.average, .sum, .min, .max]
  }

  struct Node {
    var mode = Mode.leaf
    var feature = 0
    var threshold = 0.0
    var members: [Double] = []
    var missingIsTrue = false
    var yes = 0
    var no = 0
    /// What a leaf adds to targets.
    var weights: [(target: Int, weight: Double)] = []
  }

  private var nodes: [Node] = []
  private var roots: [Int] = []
  private var targets = 1
  private var aggregate = Aggregate.sum
  private var base: [Double] = []
  private var transform = PostTransform.none

  private static func list(_ call: Call, _ name: String) throws(TypeFault) -> [Double]? {
    if let array = try call.array("\(name)_as_tensor") { return array.doubles }
    return try call.floats(name)
  }

  /// The trees of `TreeEnsemble`: nodes and leaves in lists of their own.
  init(ensemble call: Call) throws(TypeFault) {
    guard let features = try call.optionalIntegers("nodes_featureids"), let modes = try call.array("nodes_modes"),
      let splits = try call.array("nodes_splits"), let yes = try call.optionalIntegers("nodes_truenodeids"),
      let no = try call.optionalIntegers("nodes_falsenodeids"),
      let yesLeaf = try call.optionalIntegers("nodes_trueleafs"),
      let noLeaf = try call.optionalIntegers("nodes_falseleafs"),
      let leafTargets = try call.optionalIntegers("leaf_targetids"), let leafWeights = try call.array("leaf_weights")
    else { throw TypeFault("an attribute of the trees is missing") }
    let count = features.count
    let missing = try call.optionalIntegers("nodes_missing_value_tracks_true") ?? features.map { _ in 0 }
    guard
      [modes.count, splits.count, yes.count, no.count, yesLeaf.count, noLeaf.count, missing.count]
        .allSatisfy({ $0 == count }), leafTargets.count == leafWeights.count
    else { throw TypeFault("the lists of the trees' nodes have different lengths") }
    var members = try call.array("membership_values")?.doubles ?? []
    for index in 0..<count {
      let number = modes.integers[index]
      guard Mode.numbered.indices.contains(number) else { throw TypeFault("the mode \(number) is not known") }
      var node = Node(mode: Mode.numbered[number], feature: features[index], threshold: splits.doubles[index])
      node.missingIsTrue = missing[index] != 0
      (node.yes, node.no) = (
        yesLeaf[index] != 0 ? count + yes[index] : yes[index], noLeaf[index] != 0 ? count + no[index] : no[index]
      )
      if node.mode == .member {
        // Sets end with NaN.
        guard let end = members.firstIndex(where: \.isNaN) else { throw TypeFault("a set of members is missing") }
        node.members = Array(members[..<end])
        members.removeFirst(end + 1)
      }
      nodes.append(node)
    }
    for (index, weight) in leafWeights.doubles.enumerated() {
      nodes.append(Node(yes: count + index, no: count + index, weights: [(leafTargets[index], weight)]))
    }
    roots = try call.integers("tree_roots")
    targets = try call.integer("n_targets", default: 1)
    let (joined, made) = (
      try call.integer("aggregate_function", default: 1), try call.integer("post_transform", default: 0)
    )
    guard Aggregate.numbered.indices.contains(joined), PostTransform.numbered.indices.contains(made) else {
      throw TypeFault("the aggregate_function \(joined) or the post_transform \(made) is not known")
    }
    (aggregate, transform) = (Aggregate.numbered[joined], PostTransform.numbered[made])
    try check()
  }

  /// The trees of the older operators, whose nodes are named by tree and number.
  ///
  /// - Parameter prefix: That of the attributes of leaves, `target` or `class`.
  init(nodesOf call: Call, _ prefix: String) throws(TypeFault) {
    struct Key: Hashable {
      var tree: Int
      var node: Int
    }
    let trees = try call.integers("nodes_treeids")
    let numbers = try call.integers("nodes_nodeids")
    let features = try call.integers("nodes_featureids")
    let (yes, no) = (try call.integers("nodes_truenodeids"), try call.integers("nodes_falsenodeids"))
    let modes = try call.strings("nodes_modes") ?? []
    let count = trees.count
    let missing = try call.optionalIntegers("nodes_missing_value_tracks_true") ?? trees.map { _ in 0 }
    guard let values = try Self.list(call, "nodes_values"),
      [numbers.count, features.count, yes.count, no.count, modes.count, values.count, missing.count]
        .allSatisfy({ $0 == count })
    else { throw TypeFault("the lists of the trees' nodes have different lengths") }
    var places: [Key: Int] = [:]
    for index in 0..<count { places[Key(tree: trees[index], node: numbers[index])] = index }
    guard places.count == count else { throw TypeFault("two nodes have the same tree and number") }
    var targeted = Set<Int>()
    for index in 0..<count {
      guard let mode = Mode(rawValue: modes[index]), mode != .member else {
        throw TypeFault("the mode '\(modes[index])' is not known")
      }
      var node = Node(mode: mode, feature: features[index], threshold: values[index])
      node.missingIsTrue = missing[index] != 0
      if mode == .leaf {
        (node.yes, node.no) = (index, index)
      } else {
        guard let first = places[Key(tree: trees[index], node: yes[index])],
          let second = places[Key(tree: trees[index], node: no[index])]
        else { throw TypeFault("node \(numbers[index]) of tree \(trees[index]) leads to a node that does not exist") }
        (node.yes, node.no) = (first, second)
        targeted.formUnion([first, second])
      }
      nodes.append(node)
    }
    roots = nodes.indices.filter { !targeted.contains($0) }
    let (leafTrees, leafNodes) = (try call.integers("\(prefix)_treeids"), try call.integers("\(prefix)_nodeids"))
    let ids = try call.integers("\(prefix)_ids")
    guard let weights = try Self.list(call, "\(prefix)_weights"),
      [leafTrees.count, leafNodes.count, weights.count].allSatisfy({ $0 == ids.count })
    else { throw TypeFault("the lists of the leaves have different lengths") }
    for index in ids.indices {
      guard let place = places[Key(tree: leafTrees[index], node: leafNodes[index])] else {
        throw TypeFault("a weight is that of a node that does not exist")
      }
      nodes[place].weights.append((ids[index], weights[index]))
    }
    targets =
      prefix == "target"
      ? try call.integer("n_targets") : Swift.max(1, try call.unboundedIntegers("classlabels_int64s")?.count ?? 0)
    base = try Self.list(call, "base_values") ?? []
    let joined = try call.string("aggregate_function", default: "SUM")
    guard let aggregate = Aggregate(rawValue: joined) else {
      throw TypeFault("the aggregate_function '\(joined)' is not known")
    }
    self.aggregate = aggregate
    transform = try PostTransform(call.string("post_transform", default: "NONE"))
    try check()
  }

  /// That every number names something.
  private func check() throws(TypeFault) {
    guard !roots.isEmpty, targets > 0, targets <= 1 << 16, nodes.count <= 1 << 22 else {
      throw TypeFault("\(roots.count) trees with \(targets) targets and \(nodes.count) nodes")
    }
    for root in roots where !nodes.indices.contains(root) { throw TypeFault("the root \(root) does not exist") }
    for node in nodes {
      guard nodes.indices.contains(node.yes), nodes.indices.contains(node.no), node.feature >= 0 else {
        throw TypeFault("a node leads to one that does not exist")
      }
      for (target, _) in node.weights where !(0..<targets).contains(target) {
        throw TypeFault("the target \(target) is not one of \(targets)")
      }
    }
  }

  /// The length of the longest way down.
  private func depth() throws(TypeFault) -> Int {
    var level = Set(roots)
    var depth = 0
    while true {
      level = Set(level.filter { nodes[$0].mode != .leaf }.flatMap { [nodes[$0].yes, nodes[$0].no] })
      if level.isEmpty { return depth }
      depth += 1
      guard depth <= nodes.count else { throw TypeFault("a tree's nodes lead in a circle") }
    }
  }

  /// The leaves of all trees, as rows of the table of nodes, `[N, trees]`.
  private func leaves(_ x: Tensor) throws(TypeFault) -> Tensor {
    guard x.rank == 2 else { throw TypeFault("the operand \(x.type) is not a batch of features") }
    let width = try x.size(1, "the number of features")
    for node in nodes where node.mode != .leaf && node.feature >= width {
      throw TypeFault("the feature \(node.feature) is not one of the \(width) of \(x.type)")
    }
    let builder = x.builder
    let branches = Set(nodes.map(\.mode)).subtracting([.leaf]).sorted { $0.rawValue < $1.rawValue }
    let features = builder.tensor(nodes.map { $0.mode == .leaf ? 0 : $0.feature }, dtype: .i64)
    let thresholds = builder.tensor(nodes.map(\.threshold), dtype: .f64).convert(to: x.dtype)
    let (yes, no) = (builder.tensor(nodes.map(\.yes), dtype: .i64), builder.tensor(nodes.map(\.no), dtype: .i64))
    let modes = builder.tensor(nodes.map { branches.firstIndex(of: $0.mode) ?? -1 }, dtype: .i64)
    let missing =
      nodes.contains(where: \.missingIsTrue) ? builder.tensor(nodes.map { $0.missingIsTrue ? 1 : 0 }, dtype: .i64) : nil
    let most = nodes.map(\.members.count).max() ?? 0
    let members = builder.tensor(
      nodes.flatMap { $0.members + [Double](repeating: .nan, count: most - $0.members.count) },
      shape: [nodes.count, most], dtype: .f64
    ).convert(to: x.dtype)
    let start = builder.tensor(roots, dtype: .i64).expanded(to: [x.shape[0], Dim(roots.count)])
    let (state, _) = LatheNN.scan([start], over: [], length: Dim(try depth())) { state, _ in
      let place = state[0]
      let value = x.gather(dim: 1, features.take(dim: 0, place))
      let threshold = thresholds.take(dim: 0, place)
      var isMet: Tensor?
      for (number, mode) in branches.enumerated() {
        let met: Tensor
        switch mode {
        case .lessOrEqual: met = value .<= threshold
        case .less: met = value .< threshold
        case .greaterOrEqual: met = value .>= threshold
        case .greater: met = value .> threshold
        case .equal: met = value .== threshold
        case .notEqual: met = value .!= threshold
        case .member:
          met = (members.take(dim: 0, place) .== value.inserting(axes: [2])).reduce(.max, axes: [2])
        case .leaf: continue
        }
        isMet = isMet.map { (modes.take(dim: 0, place) .== number).select(met, $0) } ?? met
      }
      guard var isMet else { return ([place], []) }
      if let missing { isMet = isMet .| ((missing.take(dim: 0, place) .!= 0) .& value.isNaN()) }
      return ([isMet.select(yes.take(dim: 0, place), no.take(dim: 0, place))], [])
    }
    return state[0]
  }

  /// The scores before the base values, `[N, targets]`.
  private func sums(_ x: Tensor) throws(TypeFault) -> Tensor {
    let none = aggregate == .min ? Double.infinity : aggregate == .max ? -Double.infinity : 0
    var table = [Double](repeating: none, count: nodes.count * targets)
    guard table.count <= 1 << 26 else { throw TypeFault("\(nodes.count) nodes with \(targets) targets are too many") }
    for (index, node) in nodes.enumerated() {
      for (target, weight) in node.weights {
        let place = index * targets + target
        switch aggregate {
        case .min: table[place] = Swift.min(table[place], weight)
        case .max: table[place] = Swift.max(table[place], weight)
        case .sum, .average: table[place] += weight
        }
      }
    }
    let weights = x.builder.tensor(table, shape: [nodes.count, targets], dtype: .f64).convert(to: x.dtype)
    let rows = weights.take(dim: 0, try leaves(x))  // [N, trees, targets]
    switch aggregate {
    case .sum: return rows.reduce(.sum, axes: [1])
    case .average: return rows.reduce(.sum, axes: [1]) / Double(roots.count)
    case .min, .max:
      // Targets that no leaf names have no score.
      let y = rows.reduce(aggregate == .min ? .min : .max, axes: [1])
      return (y.abs() .== .infinity).select(y.zerosLike(), y)
    }
  }

  private func based(_ scores: Tensor) throws(TypeFault) -> Tensor {
    guard !base.isEmpty else { return scores }
    guard base.count == targets || base.count == 1 else {
      throw TypeFault("\(base.count) base values for \(targets) targets")
    }
    return scores + scores.builder.tensor(base, dtype: .f64).convert(to: scores.dtype)
  }

  private static func number(_ x: Tensor) -> Tensor { x.dtype == .f64 ? x : x.convert(to: .f32) }

  func scores(of x: Tensor) throws(TypeFault) -> Tensor {
    transform.applied(to: try based(try sums(Self.number(x))))
  }

  /// The labels and the scores of classes.
  ///
  /// Where all weights are those of one class and there are two, they speak for the second, and the other's score
  /// follows: as a probability where no weight is negative, else as the opposite number.
  func classified(_ x: Tensor, _ labels: [Int]) throws(TypeFault) -> [Tensor] {
    let scores = try sums(Self.number(x))
    let named = Set(nodes.flatMap { $0.weights.map(\.target) })
    guard targets == 2, named.count == 1, let only = named.first else {
      let y = try based(scores)
      return [Operator.chosen(labels, by: y.argReduce(.max, axis: 1)), transform.applied(to: y).convert(to: .f32)]
    }
    let bias = base.last ?? 0
    let score = scores.slice(axis: 1, from: only, to: only + 1) + bias
    let isProbability = !nodes.contains { $0.weights.contains { $0.weight < 0 } }
    let isSecond = (score .> (isProbability ? 0.5 : 0)).reshape([x.shape[0]])
    var other = isProbability ? 1 - score : -score
    var own = score
    if transform == .probit {
      own = transform.applied(to: own)
      other = transform.applied(to: other)
    } else if transform == .logistic {
      (other, own) = ((-own).sigmoid(), own.sigmoid())
    }
    let joined = Tensor.concatenate([other, own], axis: 1).convert(to: .f32)
    return [Operator.chosen(labels, by: isSecond.convert(to: .i64)), joined]
  }
}
