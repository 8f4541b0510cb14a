internal import LatheCore

extension GraphExport {
  func write(_ reduce: WindowReduce, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let window = reduce.window
    switch reduce.combiner {
    // ONNX Runtime has no convolutions of f64.
    case .sum where x.dtype.isFloat && (x.dtype != .f64 || window.size.reduce(1, *) > Self.largestList):
      return try ones(window, x, type)
    case .max where isPooled(window, x):
      return try pooled(x, window, type) { image, result throws(TypeFault) in
        try compute("MaxPool", [image], in: x.dtype, result, pooling(window))
      }
    case .min where isPooled(window, x) && x.dtype.isFloat:
      return try pooled(x, window, type) { image, result throws(TypeFault) in
        let negated = try compute("Neg", [image], in: x.dtype, image.type)
        return try compute(
          "Neg", [try compute("MaxPool", [negated], in: x.dtype, result, pooling(window))], in: x.dtype, result)
      }
    default: return try folded(reduce, x, type)
    }
  }

  /// Whether a window is one that `MaxPool` has: nothing between the elements, and padding that no window lies in alone.
  private func isPooled(_ window: WindowShape, _ x: ONNXValue) -> Bool {
    let working = OperatorTypes.of("MaxPool").working(x.dtype)
    let isExact = working != nil && (working != .f32 || x.dtype.isFloat || x.dtype.byteCount < 4)
    return isExact && (1...3).contains(window.size.count) && window.inputDilation.allSatisfy { $0 == 1 }
      && zip(window.low, window.size).allSatisfy { $0 >= 0 && $0 < $1 }
      && zip(window.high, window.size).allSatisfy { $0 >= 0 && $0 < $1 }
  }

  func pooling(_ window: WindowShape) -> [Onnx_AttributeProto] {
    [
      .ints("kernel_shape", window.size), .ints("strides", window.stride),
      .ints("pads", window.low + window.high),
    ] + (window.dilation.allSatisfy { $0 == 1 } ? [] : [.ints("dilations", window.dilation)])
  }

  /// Writes what pools images `[batch, channels, spatial...]`: other leading axes are made two, and back.
  func pooled(
    _ x: ONNXValue, _ window: WindowShape, _ type: TensorType,
    _ pool: (ONNXValue, TensorType) throws(TypeFault) -> ONNXValue
  ) throws(TypeFault) -> ONNXValue {
    let lead = x.rank - window.size.count
    if lead == 2 { return try pool(x, type) }
    let outer: [Dim] = [1, Array(x.shape.prefix(lead)).elementCount]
    let image = try reshape(x, to: outer + x.shape.dropFirst(lead))
    return try reshape(try pool(image, type.with(shape: outer + type.shape.dropFirst(lead))), to: type.shape)
  }

  /// Sums under a window are a convolution with ones, of images of one channel.
  private func ones(_ window: WindowShape, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let lead = x.rank - window.size.count
    let outer = [Array(x.shape.prefix(lead)).elementCount, 1]
    let image = try reshape(x, to: outer + x.shape.dropFirst(lead))
    let one = unfailing {
      try NDArray(repeating: .float(1), dtype: x.dtype, shape: [1, 1] + window.size)
    }
    let weight = model.literal(one, "ones")
    let convolution = Convolution(
      stride: window.stride, low: window.low, high: window.high, inputDilation: window.inputDilation,
      dilation: window.dilation, groups: 1)
    let y =
      if window.inputDilation.allSatisfy({ $0 == 1 }) {
        try convolve(image, weight, convolution, nil)
      } else {
        try transposed(image, weight, convolution, nil)
      }
    return try reshape(y, to: type.shape)
  }

  /// Any window as its elements joined one after another, each a strided slice.
  private func folded(_ reduce: WindowReduce, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let window = reduce.window
    let count = window.size.reduce(1, *)
    guard count <= Self.largestList else {
      throw TypeFault("ONNX has no \(reduce.name) of \(x.dtype), and \(count) elements are too many to list")
    }
    let lead = x.rank - window.size.count
    let none = [Int](repeating: 0, count: lead)
    let pad = Pad(
      low: none + window.low, high: none + window.high, interior: none + window.inputDilation.map { $0 - 1 })
    let padded = try write(pad, x, identity(reduce.combiner, x.dtype))
    let parts = padded.places(in: window, results: Array(type.shape.dropFirst(lead)))
    return try inline([padded]) { operands in
      let slices = parts.map { operands[0].slice(start: $0.start, limit: $0.limit, stride: $0.stride) }
      return slices.dropFirst().reduce(slices[0]) { .pointwise(reduce.combiner.function, $0, $1) }
    }
  }

  /// A convolution of integers, which `Conv` does not have: the products with each place of the kernel, summed.
  func folded(_ convolution: Convolution, _ x: ONNXValue, _ weight: ONNXValue, _ type: TensorType) throws(TypeFault)
    -> ONNXValue
  {
    guard let kernel = Array(weight.shape[2...]).known, kernel.reduce(1, *) <= Self.largestList else {
      throw TypeFault("ONNX has no convolution of \(x.dtype), and the kernel \(weight.type) is too large to list")
    }
    let pad = Pad(
      low: [0, 0] + convolution.low, high: [0, 0] + convolution.high,
      interior: [0, 0] + convolution.inputDilation.map { $0 - 1 })
    let padded = try write(pad, x, identity(.sum, x.dtype))
    let window = WindowShape(
      size: kernel, stride: convolution.stride, low: [], high: [], dilation: convolution.dilation)
    let parts = padded.places(in: window, results: Array(type.shape.dropFirst(2)))
    let groups = Dim(convolution.groups)
    let spatial = type.shape.dropFirst(2)
    return try inline([padded, weight]) { operands in
      let images = parts.map { part in
        let slice = operands[0].slice(start: part.start, limit: part.limit, stride: part.stride)
        return slice.reshape([slice.shape[0], groups, weight.shape[1]] + spatial)
      }
      let matrices = operands[1].reshape([weight.shape[0], weight.shape[1], Array(weight.shape[2...]).elementCount])
      let products = images.enumerated().map { position, image in
        let matrix = matrices.slice(axis: 2, from: position, to: position + 1)
          .reshape([groups, type.shape[1].floorDivided(by: convolution.groups), weight.shape[1]])
        return matrix.dot(
          image, DotGeneral(leftBatch: [0], rightBatch: [1], leftContracting: [2], rightContracting: [2]))
      }
      // [group, out, batch, spatial...]
      let sum = products.dropFirst().reduce(products[0], +)
      return sum.permute([2, 0, 1] + spatial.indices.map { $0 + 1 }).reshape(type.shape)
    }
  }

  /// How many elements of a window are written one by one.
  private static var largestList: Int { 1024 }

  /// The second result of `MaxPool` counts through the whole tensor; here places are those in one plane.
  func write(_ reduce: WindowArgReduce, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let window = reduce.window
    guard isPooled(window, x), reduce.combiner == .max || x.dtype.isFloat else {
      throw TypeFault(
        "ONNX has no places of extremes of \(x.dtype) under this window",
        help: "MaxPool takes floats, padding below the window's size, and no dilation of the operand")
    }
    let plane = Array(x.shape.suffix(window.size.count)).elementCount
    return try pooled(x, window, type) { image, result throws(TypeFault) in
      let operand =
        reduce.combiner == .max ? image : try compute("Neg", [image], in: x.dtype, image.type)
      let places = try compute(
        "MaxPool", [operand], in: x.dtype, results: [result.with(dtype: x.dtype), result], pooling(window))[1]
      return emit("Mod", [places, try size(plane)], result)
    }
  }
}

extension ONNXValue {
  /// For each place in a window over the last axes the slice that holds the elements there, one for each result.
  fileprivate func places(
    in window: WindowShape, results: [Dim]
  ) -> [(start: [Int], limit: [Dim], stride: [Int])] {
    let lead = rank - window.size.count
    return (0..<window.size.reduce(1, *)).map { position in
      var rest = position
      var place: [Int] = []
      for axis in window.size.indices.reversed() {
        place.insert(rest % window.size[axis] * window.dilation[axis], at: 0)
        rest /= window.size[axis]
      }
      let limit = window.size.indices.map { axis in
        Dim(place[axis] + 1) + (results[axis] - 1) * Dim(window.stride[axis])
      }
      return (
        start: [Int](repeating: 0, count: lead) + place, limit: shape.prefix(lead) + limit,
        stride: [Int](repeating: 1, count: lead) + window.stride
      )
    }
  }
}
