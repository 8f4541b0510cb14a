internal import LatheCore

extension Matcher {
  /// A product of matrices and a row that is added to each of its rows.
  func biasedProduct(_ value: Value) -> Composite? {
    guard let sum = operands(value, .add), case .dot(let dot) = graph[sum[0]].operation,
      type(value).dtype.isFloat, type(value).rank == 2,
      let bias = spread(sum[1], alongAllBut: [0], of: type(value).shape),
      type(bias).shape == [type(value).shape[1]] || graph.literal(bias) != nil,
      dot.leftBatch.isEmpty, dot.leftContracting.count == 1
    else { return nil }
    let factors = graph[sum[0]].operands
    guard type(factors[0]).rank == 2, type(factors[1]).rank == 2 else { return nil }
    return Composite(operands: factors + [bias]) { export, type throws(TypeFault) in
      try export.gemm(
        dot, try export.value(factors[0]), try export.value(factors[1]), try export.value(bias), type)
    }
  }

  /// A convolution and a number for each channel that is added.
  func biasedConvolution(_ value: Value) -> Composite? {
    guard let sum = operands(value, .add), case .convolution(let convolution) = graph[sum[0]].operation,
      type(value).dtype.isFloat, type(value).dtype != .f64, !convolution.stride.isEmpty,
      let bias = channels(sum[1], of: sum[0]),
      type(bias).shape.elementCount == type(value).shape[1]
    else { return nil }
    let factors = graph[sum[0]].operands
    guard type(factors[0]).shape[1] != 0 else { return nil }
    return Composite(operands: factors + [bias]) { export, _ throws(TypeFault) in
      let vector = try export.reshape(try export.value(bias), to: [type(value).shape[1]])
      let x = try export.value(factors[0])
      if convolution.inputDilation.allSatisfy({ $0 == 1 }) {
        return try export.convolve(x, try export.value(factors[1]), convolution, vector)
      }
      return try export.transposed(x, try export.transposedWeight(factors[1], convolution), convolution, vector)
    }
  }

  /// Sums under a window by the number of its elements.
  func averagePool(_ value: Value) -> Composite? {
    for function in [Pointwise.multiply, .divide] {
      guard let (sum, number) = scaled(value, function), case .windowReduce(let reduce) = graph[sum].operation,
        reduce.combiner == .sum, type(value).dtype.isFloat, type(value).dtype != .f64
      else { continue }
      let window = reduce.window
      let count = Double(window.size.reduce(1, *))
      let x = graph[sum].operands[0]
      guard abs((function == .multiply ? number : 1 / number) * count - 1) < 1e-6, (1...3).contains(window.size.count),
        (window.inputDilation + window.dilation).allSatisfy({ $0 == 1 }),
        zip(window.low, window.size).allSatisfy({ $0 >= 0 && $0 < $1 }),
        zip(window.high, window.size).allSatisfy({ $0 >= 0 && $0 < $1 })
      else { return nil }
      return Composite(operands: [x]) { export, type throws(TypeFault) in
        try export.pooled(try export.value(x), window, type) { image, result throws(TypeFault) in
          try export.compute(
            "AveragePool", [image], in: type.dtype, result,
            export.pooling(window) + [.int("count_include_pad", 1)])
        }
      }
    }
    return nil
  }

  /// A gather whose places may be counted from the end, as ONNX counts them: `place < 0 ? place + size : place`.
  func countedGather(_ value: Value) -> Composite? {
    guard case .gather(let gather) = graph[value].operation, gather.indexed.axes.count == 1, gather.indexed.batch == 0,
      gather.indexed.outside == .error
    else { return nil }
    let (x, indices) = (graph[value].operands[0], graph[value].operands[1])
    guard let select = operands(squeezed(indices), .select), let test = operands(select[0], .less),
      isNumber(test[1], 0), test[0] == select[2], let (place, size) = scaled(select[1], .add), place == select[2],
      type(x).shape[gather.indexed.axes[0]] == Dim(Int(size))
    else { return nil }
    return Composite(operands: [x, place]) { export, result throws(TypeFault) in
      let places = try export.reshape(
        try export.value(place), to: Array(type(indices).shape.dropLast()) + [1])
      return try export.write(gather.indexed, try export.value(x), places, result)
    }
  }
}
