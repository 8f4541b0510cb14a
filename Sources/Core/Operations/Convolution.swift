/// The general convolution, of which transposed convolution and both gradients are cases.
///
/// Operands: `x[batch, in, spatial...]` and `weight[out, in / groups, spatial...]`; result `[batch, out, spatial...]`:
///
///     y[n, o, i] = sum over c, p of weight[o, c, p]
///                  * x[n, group(o) * in / groups + c, (i * stride + p * dilation - low) / inputDilation]
///
/// where elements of `x` outside its bounds, or between its elements under input dilation, are zero. Padding may be
/// negative. Cross-correlation, as in PyTorch and ONNX.
package struct Convolution: OperationDefinition {
  /// By spatial axis, from one place of the window to the next.
  package var stride: [Int]
  /// By spatial axis, the padding before the first element.
  package var low: [Int]
  /// By spatial axis, the padding behind the last element.
  package var high: [Int]
  /// By spatial axis, from one element of `x` to the next.
  package var inputDilation: [Int]
  /// By spatial axis, from one element of the weight to the next.
  package var dilation: [Int]
  /// How many parts of the channels are convolved by themselves.
  package var groups: Int

  /// A convolution of as many spatial axes as the arrays have numbers.
  package init(stride: [Int], low: [Int], high: [Int], inputDilation: [Int], dilation: [Int], groups: Int) {
    self.stride = stride
    self.low = low
    self.high = high
    self.inputDilation = inputDilation
    self.dilation = dilation
    self.groups = groups
  }

  package var name: String { "convolution" }

  package var attributes: [(name: String, value: Attribute)] {
    [
      ("stride", .integers(stride)), ("low", .integers(low)), ("high", .integers(high)),
      ("input_dilation", .integers(inputDilation)), ("dilation", .integers(dilation)), ("groups", .integer(groups)),
    ]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    stride = try attributes.integers("stride")
    low = try attributes.integers("low")
    high = try attributes.integers("high")
    inputDilation = try attributes.integers("input_dilation")
    dilation = try attributes.integers("dilation")
    groups = try attributes.integer("groups")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    try TypeFault.requireSameType(operands)
    let (x, weight) = (operands[0], operands[1])
    let spatial = stride.count
    guard x.dtype != .bool else { throw TypeFault("is not defined on bool") }
    guard x.rank == spatial + 2, weight.rank == spatial + 2 else {
      throw TypeFault("\(spatial) spatial axes need operands of rank \(spatial + 2), given \(x) and \(weight)")
    }
    for list in [low, high, inputDilation, dilation] where list.count != spatial {
      throw TypeFault("padding and dilation need \(spatial) numbers each")
    }
    for number in stride + inputDilation + dilation + [groups] where number < 1 {
      throw TypeFault("strides, dilations and groups are positive, given \(number)")
    }
    guard weight.shape[1] * Dim(groups) == x.shape[1] else {
      let fitting = x.shape[1].divided(exactlyBy: Dim(groups)).map { ", a weight with \($0) would fit" } ?? ""
      throw TypeFault(
        "the input has \(x.shape[1]) channels (axis 1 of \(x)), the weight takes "
          + "\(weight.shape[1] * Dim(groups)) (axis 1 of \(weight), times \(groups) groups)\(fitting)"
      )
    }
    guard weight.shape[0].divided(exactlyBy: Dim(groups)) != nil else {
      throw TypeFault("\(weight.shape[0]) output channels do not divide into \(groups) groups")
    }
    var shape = [x.shape[0], weight.shape[0]]
    for axis in 0..<spatial {
      let size = x.shape[2 + axis]
      let spread = size == 0 ? Dim(0) : (size - 1) * Dim(inputDilation[axis]) + 1
      let padded = spread + Dim(low[axis] + high[axis])
      let window = (weight.shape[2 + axis] - 1) * Dim(dilation[axis]) + 1
      let room = padded - window
      if let known = room.known, known < 0 {
        throw TypeFault(
          "the kernel of size \(window) is larger than the padded input of size \(padded) on spatial axis \(axis)")
      }
      shape.append(room.floorDivided(by: stride[axis]) + 1)
    }
    return [x.with(shape: shape)]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let (x, weight) = (context.operands[0], context.operands[1])
    // The batch alone may be a symbol.
    guard let wShape = weight.shape.known, let xSizes = Array(x.shape.dropFirst(2)).known,
      let ySizes = Array(context.results[0].shape.dropFirst(2)).known
    else {
      throw TypeFault(
        "the gradient needs the sizes of channels and spatial axes", unbound: weight.shape + x.shape.dropFirst(2))
    }
    let dy = context.cotangent
    let spatial = Array(stride.indices)
    let (inputs, outputs) = (wShape[1], wShape[0] / groups)
    var dx: Tensor?
    if context.wanted[0] {
      // Correlate dy, spread by the stride, with the reversed kernel, inputs and outputs swapped in each group.
      let swapped = weight.reshape([groups, outputs, inputs] + wShape[2...])
        .permute([0, 2, 1] + spatial.map { $0 + 3 })
        .reshape([groups * inputs, outputs] + wShape[2...])
        .reverse(spatial.map { $0 + 2 })
      let reach = spatial.map { (wShape[2 + $0] - 1) * dilation[$0] }
      let low = spatial.map { reach[$0] - self.low[$0] }
      // The strides of x under its dilation: the result has one element for each of x.
      let high = spatial.map { axis in
        let spread = (ySizes[axis] - 1) * stride[axis] + 1
        let wanted = (xSizes[axis] - 1) * inputDilation[axis] + 1
        return wanted + reach[axis] - spread - low[axis]
      }
      dx = dy.convolution(
        swapped,
        Convolution(
          stride: inputDilation, low: low, high: high, inputDilation: stride, dilation: dilation, groups: groups))
    }
    var dw: Tensor?
    if context.wanted[1] {
      // Channels become the batch, the batch is contracted; dy is the kernel, dilated by the stride.
      let batch = x.shape[0]
      let images = x.reshape([batch, Dim(groups), Dim(inputs)] + x.shape[2...])
        .permute([2, 1, 0] + spatial.map { $0 + 3 })
        .reshape([Dim(inputs), batch * Dim(groups)] + x.shape[2...])
      let kernels = dy.permute([1, 0] + spatial.map { $0 + 2 })
      let high = spatial.map { axis in
        let spread = (xSizes[axis] - 1) * inputDilation[axis] + 1
        let window = (ySizes[axis] - 1) * stride[axis] + 1
        return (wShape[2 + axis] - 1) * dilation[axis] + window - spread - low[axis]
      }
      dw = images.convolution(
        kernels,
        Convolution(
          stride: dilation, low: low, high: high, inputDilation: inputDilation, dilation: stride, groups: groups)
      ).permute([1, 0] + spatial.map { $0 + 2 })
    }
    return [dx, dw]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    if context.isBatched[1] { return nil }
    let x = context.operands[0]
    let rest = Array(x.shape.dropFirst(2))
    let result = x.reshape([x.shape[0] * x.shape[1]] + rest).convolution(context.operands[1], self)
    return [result.reshape(Array(x.shape.prefix(2)) + result.shape.dropFirst())]
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let (x, weight) = (context.operands[0], context.operands[1])
    let inputs = weight.shape[1]
    let outputs = weight.shape[0] / groups
    return .element { index in
      let scalars = context.scalars
      let channel = scalars.variable(inputs)
      let window = scalars.variables(Array(weight.shape[2...]))
      // Not asked of the index where there is one group: layouts may overrun the channels.
      let group = groups == 1 ? Index(0) : index[1].floorDivided(by: max(1, outputs))
      var source = [index[0], group * inputs + Index(channel)]
      var constraints: [Constraint] = []
      for axis in stride.indices {
        let position = index[2 + axis] * stride[axis] + Index(window[axis]) * dilation[axis] - low[axis]
        if inputDilation[axis] > 1 { constraints.append(.multiple(position, of: inputDilation[axis])) }
        let element = position.floorDivided(by: inputDilation[axis])
        constraints.append(.inRange(element, x.readable[2 + axis]))
        source.append(element)
      }
      let zero = scalars.constant(x.type.dtype.isFloat ? .float(0) : .integer(0), x.type.dtype)
      let left = scalars.guarded(constraints, then: { x[source] }, otherwise: zero)
      let right = weight[[index[1], Index(channel)] + window.map { Index($0) }]
      return scalars.sumOfProducts([channel] + window, left, right)
    }
  }
}
