public import LatheCore
internal import LatheNN

/// Compares a function's derivatives with differences of its values, in `f64` by the interpreter:
/// `torch.autograd.gradcheck`.
///
/// - Parameters:
///   - function: Gives at least one float output, each known to be differentiable at the inputs.
///   - inputs: Where to compare; those of `f64` are moved.
///   - eps: How far an input's element is moved to either side.
///   - atol: How far numbers may be apart.
///   - rtol: How far they may be apart beside their size.
/// - Returns: Always true; what is wrong is thrown.
/// - Throws: The faults of the function, and every derivative that differs, by its output's and its input's element.
@discardableResult
public func gradcheck(
  _ function: ([Tensor]) -> [Tensor], _ inputs: [NDArray], eps: Double = 1e-6, atol: Double = 1e-5,
  rtol: Double = 1e-3
) throws(DiagnosticsError) -> Bool {
  let moved = inputs.indices.filter { inputs[$0].dtype == .f64 }
  guard !moved.isEmpty else { throw DiagnosticsError("gradcheck moves inputs of f64, and none is given") }
  func floats(_ tensors: [Tensor]) -> [Tensor] { function(tensors).filter { $0.isPoisoned || $0.dtype.isFloat } }
  let types = inputs.map(\.type)
  let values = try compile(trace(inputs: types) { floats($1) })
  let derivatives = try compile(
    trace(inputs: types) { _, tensors in
      jacobian(
        { variables in
          var all = tensors
          for (position, input) in moved.enumerated() { all[input] = variables[position] }
          return floats(all)
        }, moved.map { tensors[$0] }
      ).joined().map(\.self)
    })
  let analytic = try derivatives.run(inputs)
  let count = analytic.count / moved.count
  var faults: [Diagnostic] = []
  for (position, input) in moved.enumerated() {
    let array = inputs[input]
    for element in 0..<array.count {
      func run(_ offset: Double) throws(DiagnosticsError) -> [[Double]] {
        var numbers = array.doubles
        numbers[element] += offset
        var all = inputs
        all[input] = try NDArray(numbers, shape: array.shape)
        return try values.run(all).map(\.doubles)
      }
      let (above, below) = (try run(eps), try run(-eps))
      for output in 0..<count {
        for (place, (high, low)) in zip(above[output], below[output]).enumerated() {
          let numeric = (high - low) / (2 * eps)
          let own = analytic[output * moved.count + position].doubles[place * array.count + element]
          if abs(own - numeric) <= atol + rtol * abs(numeric) || own == numeric { continue }
          faults.append(
            Diagnostic(
              "the derivative of element \(place) of output \(output) with respect to element \(element) of input "
                + "\(input) is \(own), differences give \(numeric)"))
        }
      }
    }
  }
  guard faults.isEmpty else { throw DiagnosticsError(faults) }
  return true
}

/// The same of a function's gradients, so that second derivatives are compared: `torch.autograd.gradgradcheck`.
///
/// - Parameter gradOutputs: The cotangents of the float outputs; nil for different numbers around one.
@discardableResult
public func gradgradcheck(
  _ function: ([Tensor]) -> [Tensor], _ inputs: [NDArray], gradOutputs: [NDArray]? = nil, eps: Double = 1e-6,
  atol: Double = 1e-5, rtol: Double = 1e-3
) throws(DiagnosticsError) -> Bool {
  let moved = inputs.indices.filter { inputs[$0].dtype == .f64 }
  func floats(_ tensors: [Tensor]) -> [Tensor] { function(tensors).filter { $0.isPoisoned || $0.dtype.isFloat } }
  let graph = try trace(inputs: inputs.map(\.type)) { floats($1) }
  var cotangents: [NDArray] = []
  for output in graph.outputs {
    let type = graph.type(of: output.value)
    guard let shape = type.shape.known else { throw DiagnosticsError("output '\(output.name)' is \(type)") }
    let numbers = (0..<shape.reduce(1, *)).map {
      0.5 + (Double($0 + 1) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
    }
    cotangents.append(try NDArray(numbers, shape: shape))
  }
  return try gradcheck(
    { all in
      let tensors = Array(all.prefix(inputs.count))
      return grad(
        floats(tensors), moved.map { tensors[$0] }, gradOutputs: Array(all.dropFirst(inputs.count)), allowUnused: true)
    }, inputs + (gradOutputs ?? cotangents), eps: eps, atol: atol, rtol: rtol)
}
