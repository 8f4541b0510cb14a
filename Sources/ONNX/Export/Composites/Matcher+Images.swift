internal import LatheCore
internal import LatheNN

/// Images in another size, and channels that are blocks of pixels.
extension Matcher {
  /// `DepthToSpace` and `SpaceToDepth`.
  func blocks(_ value: Value) -> Composite? {
    guard case .reshape = graph[value].operation, case let permuted = graph[value].operands[0],
      case .permute = graph[permuted].operation, case let split = graph[permuted].operands[0],
      case .reshape = graph[split].operation, case let x = graph[split].operands[0],
      type(x).rank == 4, type(value).rank == 4, let before = type(x).shape[1].known,
      let after = type(value).shape[1].known, before > 0, after > 0, before != after
    else { return nil }
    let isDeeper = after > before
    let operation = isDeeper ? "SpaceToDepth" : "DepthToSpace"
    let size = Int(Double(max(before, after) / min(before, after)).squareRoot().rounded())
    guard OperatorTypes.of(operation).working(type(x).dtype) != nil else { return nil }
    // SpaceToDepth has one order only.
    for mode in isDeeper ? ["DCR"] : ["DCR", "CRD"] {
      let template = Template(of: [.value(x)], in: self) { operands in
        let blocks =
          isDeeper
          ? try? Operator.spaceToDepth(operands[0], size: size, mode: mode)
          : try? Operator.depthToSpace(operands[0], size: size, mode: mode)
        return blocks.map { [$0] } ?? []
      }
      guard template?.results()?.first?.contains(value) ?? false else { continue }
      return Composite(operands: [x]) { export, type throws(TypeFault) in
        try export.compute(
          operation, [try export.value(x)], in: type.dtype, type,
          [.int("blocksize", size)] + (isDeeper ? [] : [.string("mode", mode)]))
      }
    }
    return nil
  }

  /// `Resize`, to sizes: the operators by the last nodes of what they are written in place of.
  func resizes() -> [Int: Composite] {
    var found: [Int: Composite] = [:]
    var inner: Set<Value> = []
    // Elements with weights are part of a sum.
    let terms = Set(
      graph.nodes.lazy.filter { if case .pointwise(.multiply) = $0.operation { true } else { false } }
        .filter { $0.operands.contains { graph.literal(broadcast($0)?.source ?? $0) != nil } }.flatMap(\.operands))
    // What makes an image another size holds what makes it that on fewer axes.
    for position in graph.nodes.indices.reversed() {
      let value = Value(node: position)
      guard !inner.contains(value), let walk = Resampled(value, in: self) else { continue }
      guard walk.isWeighted || !terms.contains(value), let (x, attributes) = resize(value, walk) else { continue }
      inner.formUnion(walk.reached)
      found[position] = Composite(operands: [x]) { export, type throws(TypeFault) in
        if attributes.isAntialiased { export.model.require(opset: 18) }
        let sizes = export.model.vector(walk.sizes, "sizes")
        return try export.compute(
          "Resize", [try export.value(x), nil, nil, sizes], in: type.dtype, type, attributes.written)
      }
    }
    return found
  }

  private func resize(_ value: Value, _ walk: Resampled) -> (Value, ResizeAttributes)? {
    let sizes = walk.sizes
    for x in walk.images {
      for attempt in ResizeAttributes.all(rank: sizes.count, isWeighted: walk.isWeighted) {
        let template = Template(of: [.value(x)], in: self) { operands in
          attempt.resized(operands[0], to: sizes).map { [$0] } ?? []
        }
        if template?.results()?.first?.contains(value) ?? false { return (x, attempt) }
      }
    }
    return nil
  }
}

/// What is reached from a value through sums of elements at fixed places, with fixed weights.
private struct Resampled {
  var sizes: [Int]
  /// The images that the value may be another size of, the ones that are computed first in front.
  var images: [Value] = []
  var reached: Set<Value>
  var isWeighted = false
  /// Whether it is more than a part of an image, which is said by `Slice`.
  private var isGathered = false

  init?(_ value: Value, in matcher: Matcher) {
    let (graph, result) = (matcher.graph, matcher.type(value))
    guard let sizes = result.shape.known, (4...5).contains(sizes.count), result.dtype.isFloat,
      OperatorTypes.of("Resize").working(result.dtype) != nil
    else { return nil }
    self.sizes = sizes
    reached = [value]
    var next = [value]
    while let inner = next.popLast(), reached.count < 64 {
      let node = graph[inner]
      var operands = node.operands
      switch node.operation {
      case .gather where graph.literal(operands[1]) != nil:
        operands.removeLast()
        isGathered = true
      case .dot where graph.literal(operands[1]) != nil:
        operands.removeLast()
        isWeighted = true
      case .broadcast: isGathered = true
      case .slice, .permute, .reshape, .convert, .pointwise(.add): break
      case .pointwise(.multiply):
        operands.removeAll { graph.literal(matcher.broadcast($0)?.source ?? $0) != nil }
        if operands.count != 1 { continue }
        isWeighted = true
      default: continue
      }
      for operand in operands where reached.insert(operand).inserted {
        next.append(operand)
        let shape = matcher.type(operand).shape
        if matcher.type(operand).dtype == result.dtype, shape.count == result.rank, shape != result.shape,
          shape.known != nil, shape.prefix(2) == result.shape.prefix(2)
        {
          images.append(operand)
        }
      }
    }
    images.sort { $0.node < $1.node }
    if images.isEmpty || !isGathered && !isWeighted { return nil }
  }
}

/// What `Resize` is asked for, but for the sizes.
private struct ResizeAttributes {
  var mode: Resampling.Mode
  var coordinates: String
  var rounding = "floor"
  var cubic = -0.75
  var isAntialiased = false
  /// Where it is what `interpolate` builds, its mode.
  var interpolation: InterpolationMode?

  /// What the importer makes of the operator, or `interpolate` of the same.
  func resized(_ x: Tensor, to sizes: [Int]) -> Tensor? {
    if let interpolation {
      return interpolate(
        x, size: Array(sizes[2...]), mode: interpolation, alignCorners: coordinates == "align_corners")
    }
    let resampling = try? Resampling(
      x, to: sizes, mode: mode, coordinates: coordinates, rounding: rounding, cubic: cubic,
      isAntialiased: isAntialiased)
    return try? resampling?.applied(to: x)
  }

  var written: [Onnx_AttributeProto] {
    let attributes: [Onnx_AttributeProto] = [
      .string("mode", mode.rawValue), .string("coordinate_transformation_mode", coordinates),
    ]
    switch mode {
    case .nearest: return attributes + [.string("nearest_mode", rounding)]
    case .linear: return attributes + (isAntialiased ? [.int("antialias", 1)] : [])
    case .cubic:
      return attributes + [.float("cubic_coeff_a", cubic)] + (isAntialiased ? [.int("antialias", 1)] : [])
    }
  }

  /// What ONNX Runtime can do with images of so many axes, the usual first.
  static func all(rank: Int, isWeighted: Bool) -> [ResizeAttributes] {
    if !isWeighted {
      return ["asymmetric", "half_pixel", "align_corners"].flatMap { place in
        ["floor", "round_prefer_floor", "round_prefer_ceil", "ceil"].map {
          ResizeAttributes(mode: .nearest, coordinates: place, rounding: $0)
        }
      } + [ResizeAttributes(mode: .nearest, coordinates: "asymmetric", interpolation: .nearest)]
    }
    let places = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
    var all = places.map { ResizeAttributes(mode: .linear, coordinates: $0) }
    all += places[..<2].map { ResizeAttributes(mode: .linear, coordinates: $0, interpolation: .linear) }
    // Others are of images alone.
    guard rank == 4 else { return all }
    for factor in [-0.75, -0.5] {
      all += places.map { ResizeAttributes(mode: .cubic, coordinates: $0, cubic: factor) }
    }
    all += places[..<2].map { ResizeAttributes(mode: .cubic, coordinates: $0, interpolation: .cubic) }
    all.append(ResizeAttributes(mode: .linear, coordinates: "half_pixel", isAntialiased: true))
    all += [-0.75, -0.5].map {
      ResizeAttributes(mode: .cubic, coordinates: "half_pixel", cubic: $0, isAntialiased: true)
    }
    return all
  }
}
