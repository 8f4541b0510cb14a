public import LatheCore

/// The gradients of a scalar with respect to tensors that it is computed from; zeros where it does not depend on one.
///
/// Gradients are tensors like any other: they can be outputs, go into updates, and be differentiated again.
public func gradients(of loss: Tensor, withRespectTo tensors: [Tensor]) -> [Tensor] {
  let builder = Tensor.innermostBuilder(of: [loss] + tensors)
  guard !loss.isPoisoned else { return tensors.map { _ in builder.poison } }
  guard loss.type.elementCount == 1, loss.dtype.isFloat else {
    builder.record(
      TypeFault("the loss is \(loss.type), needs one float", help: "reduce it, or give a cotangent"),
      operation: "gradients", operands: [loss])
    return tensors.map { _ in builder.poison }
  }
  return gradients(of: [(loss, loss.onesLike())], withRespectTo: tensors)
}

/// The gradients of `sum(tensor * cotangent)` with respect to tensors that the results are computed from.
public func gradients(
  of results: [(tensor: Tensor, cotangent: Tensor)], withRespectTo tensors: [Tensor]
) -> [Tensor] {
  let builder = Tensor.innermostBuilder(of: results.flatMap { [$0.tensor, $0.cotangent] } + tensors)
  return builder.gradients(of: results, withRespectTo: tensors)
}

/// The gradients of outputs with respect to inputs: `torch.autograd.grad`, whose graph can always be differentiated
/// again.
///
/// - Parameters:
///   - gradOutputs: The cotangents of the outputs, each of its output's type; nil stands for one, for an output with one
///     element only.
///   - allowUnused: Whether inputs may be given that the outputs do not depend on: their gradients are zeros, as with
///     PyTorch's `materialize_grads`. Otherwise that is a fault.
public func grad(
  _ outputs: [Tensor], _ inputs: [Tensor], gradOutputs: [Tensor?]? = nil, allowUnused: Bool = false
) -> [Tensor] {
  let given = (gradOutputs ?? []).compactMap(\.self)
  return composite("grad", outputs + inputs + given, count: inputs.count) { () throws(TypeFault) -> [Tensor] in
    if let gradOutputs, gradOutputs.count != outputs.count {
      throw TypeFault("\(gradOutputs.count) gradOutputs are given for \(outputs.count) outputs")
    }
    var results: [(tensor: Tensor, cotangent: Tensor)] = []
    for (position, output) in outputs.enumerated() {
      if let cotangent = gradOutputs?[position] {
        results.append((output, cotangent))
      } else if output.dtype.isFloat, output.type.elementCount == 1 {
        results.append((output, output.onesLike()))
      } else {
        throw TypeFault(
          "output \(position) is \(output.type), its gradient is one by itself for one float only",
          help: "give gradOutputs")
      }
    }
    let builder = Tensor.innermostBuilder(of: outputs + inputs + given)
    let gradients = builder.gradientsWhereAny(of: results, withRespectTo: inputs)
    for (position, gradient) in gradients.enumerated() where gradient == nil && !allowUnused {
      throw TypeFault(
        "the outputs do not depend on input \(position), \(inputs[position].type)", help: "say allowUnused: true")
    }
    return zip(inputs, gradients).map { $1 ?? $0.zerosLike() }
  }
}

/// The gradient of one output with respect to one input: `torch.autograd.grad`.
public func grad(
  _ output: Tensor, _ input: Tensor, gradOutputs: Tensor? = nil, allowUnused: Bool = false
) -> Tensor {
  grad([output], [input], gradOutputs: [gradOutputs], allowUnused: allowUnused)[0]
}

/// A function of tensors, traced as a graph of its own: its inputs, then what else it uses.
private struct TracedFunction {
  let graph: Graph
  /// The inputs, then the tensors from outside.
  let operands: [Tensor]

  /// - Throws: The function's faults, as the silent one.
  init(_ inputs: [Tensor], _ function: ([Tensor]) -> [Tensor]) throws(TypeFault) {
    let builder = Tensor.innermostBuilder(of: inputs)
    let (graph, captures) = try builder.capturingRegion(inputs.map(\.type)) { (inner, values) throws(TypeFault) in
      Builder.$current.withValue(inner) { function(values) }
    }
    self.graph = graph
    operands = inputs + captures
  }

  /// The types of the outputs.
  var types: [TensorType] { graph.resultTypes }
}

/// A function's outputs, and the products of a vector with its Jacobian: `torch.autograd.functional.vjp`.
///
/// - Parameter v: The cotangents of the outputs, each of its output's type; nil for ones, which a single number needs.
/// - Returns: The outputs, and a tensor of each input's type.
public func vjp(
  _ function: ([Tensor]) -> [Tensor], _ inputs: [Tensor], _ v: [Tensor]? = nil
) -> (outputs: [Tensor], vjp: [Tensor]) {
  let outputs = function(inputs)
  return (outputs, grad(outputs, inputs, gradOutputs: v, allowUnused: true))
}

/// A function's outputs, and the products of its Jacobian with a vector, derivatives in one direction:
/// `torch.autograd.functional.jvp`.
///
/// The product is the gradient of the other product with respect to its vector, in which that one is linear, so that
/// every operation has one rule for both.
///
/// - Parameter v: The direction, a tensor of each input's type.
/// - Returns: The outputs, and a tensor of each output's type.
public func jvp(
  _ function: ([Tensor]) -> [Tensor], _ inputs: [Tensor], _ v: [Tensor]
) -> (outputs: [Tensor], jvp: [Tensor]) {
  let outputs = function(inputs)
  let count = outputs.count
  let products = composite("jvp", inputs + v, count: count) { () throws(TypeFault) -> [Tensor] in
    guard v.map(\.type) == inputs.map(\.type) else {
      throw TypeFault("the direction is \(v.map(\.type)), the inputs are \(inputs.map(\.type))")
    }
    let builder = Tensor.innermostBuilder(of: inputs + v)
    let traced = try TracedFunction(inputs, function)
    for type in traced.types where !type.dtype.isFloat {
      throw TypeFault("an output is \(type), only floats have derivatives")
    }
    let operands = traced.operands.map(\.type)
    let product = try builder.region(operands + v.map(\.type) + traced.types) { inner, values throws(TypeFault) in
      let own = Array(values.prefix(operands.count))
      let direction = Array(values[operands.count..<(operands.count + v.count)])
      let cotangents = Array(values.suffix(count))
      let results = traced.graph.inlined(own, in: inner)
      let backward = inner.gradients(of: Array(zip(results, cotangents)), withRespectTo: Array(own.prefix(v.count)))
      return inner.gradients(of: Array(zip(backward, direction)), withRespectTo: cotangents)
    }
    // The product does not depend on the cotangents: any will do.
    return product.inlined(traced.operands + v + traced.types.map { builder.zeros($0) }, in: builder)
  }
  return (outputs, products)
}

/// The function for a batch of inputs, along one axis of each: `torch.vmap`.
///
/// Operations are widened by the batch; those that cannot be are repeated for one member after the other. What depends on
/// no batched input is computed once.
///
/// - Parameters:
///   - inDims: The axis of each input that is the batch; nil for an input that is the same for all. By default 0.
///   - outDims: Where the batch is in each output; by default 0.
///   - randomness: Whether random numbers in the function are a fault, the same for all, or different.
public func vmap(
  _ function: @escaping ([Tensor]) -> [Tensor], inDims: [Int?]? = nil, outDims: [Int]? = nil,
  randomness: VmapRandomness = .error
) -> ([Tensor]) -> [Tensor] {
  { inputs in
    let builder = Tensor.innermostBuilder(of: inputs)
    guard !inputs.contains(where: \.isPoisoned) else { return function(inputs) }
    do throws(TypeFault) {
      let dims: [Int?] = inDims ?? inputs.map { _ in 0 }
      guard dims.count == inputs.count else {
        throw TypeFault("inDims has \(dims.count) entries for \(inputs.count) inputs")
      }
      var (operands, members, size) = ([Tensor](), [TensorType](), Dim?.none)
      for (input, dim) in zip(inputs, dims) {
        guard let dim else {
          operands.append(input)
          members.append(input.type)
          continue
        }
        let axis = try input.axis(dim)
        let own = input.shape[axis]
        if let size, size != own { throw TypeFault("the batches have different sizes, \(size) and \(own)") }
        size = own
        let moved = input.movedim(axis, 0)
        operands.append(moved)
        members.append(moved.type.with(shape: Array(moved.shape.dropFirst())))
      }
      guard let size else { throw TypeFault("no input has a batch", help: "give at least one axis in inDims") }
      let (graph, captures) = try builder.capturingRegion(members) { (_, values) throws(TypeFault) in function(values) }
      if let outDims, outDims.count != graph.outputs.count {
        throw TypeFault("outDims has \(outDims.count) entries for \(graph.outputs.count) outputs")
      }
      let results = try graph.batched(
        operands + captures, isBatched: dims.map { $0 != nil } + captures.map { _ in false }, size: size,
        randomness: randomness, in: builder)
      var outputs: [Tensor] = []
      for (position, result) in results.enumerated() {
        let whole =
          result.isBatched ? result.tensor : result.tensor.unsqueeze(dim: 0).expand([size] + result.tensor.shape)
        let target = try whole.axis(outDims?[position] ?? 0)
        outputs.append(whole.movedim(0, target))
      }
      return outputs
    } catch {
      builder.record(error, operation: "vmap", operands: inputs)
      return function(inputs).map { _ in builder.poison }
    }
  }
}

/// The function of one tensor for a batch: `torch.vmap`.
public func vmap(
  _ function: @escaping (Tensor) -> Tensor, inDim: Int = 0, outDim: Int = 0,
  randomness: VmapRandomness = .error
) -> (Tensor) -> Tensor {
  let all = vmap({ [function($0[0])] }, inDims: [inDim], outDims: [outDim], randomness: randomness)
  return { all([$0])[0] }
}

/// All derivatives of outputs with respect to inputs: `torch.autograd.functional.jacobian`.
///
/// - Returns: For each output and each input a tensor with the axes of the output, then those of the input.
public func jacobian(_ function: ([Tensor]) -> [Tensor], _ inputs: [Tensor]) -> [[Tensor]] {
  let builder = Tensor.innermostBuilder(of: inputs)
  var count = 0
  guard !inputs.contains(where: \.isPoisoned) else {
    return function(inputs).map { _ in inputs.map { _ in builder.poison } }
  }
  do throws(TypeFault) {
    let traced = try TracedFunction(inputs) {
      let outputs = function($0)
      count = outputs.count
      return outputs
    }
    let operands = traced.operands.map(\.type)
    var result: [[Tensor]] = []
    for (position, type) in traced.types.enumerated() {
      guard let shape = type.shape.known else {
        throw TypeFault("needs the size of output \(position), \(type)", unbound: type.shape)
      }
      let product = try builder.region(operands + [type]) { inner, values throws(TypeFault) in
        let own = Array(values.prefix(operands.count))
        let outputs = traced.graph.inlined(own, in: inner)
        return inner.gradients(
          of: [(outputs[position], values[operands.count])], withRespectTo: Array(own.prefix(inputs.count)))
      }
      // One product for each element of the output.
      let elements = shape.reduce(1, *)
      let basis = builder.eye(elements, dtype: type.dtype).reshape([elements] + shape)
      let rows = try product.batched(
        traced.operands + [basis], isBatched: operands.map { _ in false } + [true], size: Dim(elements),
        in: builder)
      result.append(
        zip(rows, inputs).map { row, input in
          row.isBatched
            ? row.tensor.reshape(type.shape + input.shape)
            : builder.zeros(input.type.with(shape: type.shape + input.shape))
        })
    }
    return result
  } catch {
    builder.record(error, operation: "jacobian", operands: inputs)
    return (0..<count).map { _ in inputs.map { _ in builder.poison } }
  }
}

/// The derivatives of one output with respect to one input: `torch.autograd.functional.jacobian`.
public func jacobian(_ function: (Tensor) -> Tensor, _ input: Tensor) -> Tensor {
  jacobian({ [function($0[0])] }, [input]).first?.first ?? input.builder.poison
}

/// All second derivatives of a scalar: `torch.autograd.functional.hessian`.
///
/// - Returns: For each pair of inputs a tensor with the axes of the first, then those of the second.
public func hessian(_ function: ([Tensor]) -> Tensor, _ inputs: [Tensor]) -> [[Tensor]] {
  jacobian({ grad([function($0)], $0, allowUnused: true) }, inputs)
}

/// All second derivatives of a scalar with respect to one input: `torch.autograd.functional.hessian`.
public func hessian(_ function: (Tensor) -> Tensor, _ input: Tensor) -> Tensor {
  hessian({ function($0[0]) }, [input]).first?.first ?? input.builder.poison
}

/// Computes a function of which only the inputs are kept for its gradient: `torch.utils.checkpoint.checkpoint`.
///
/// The backward pass computes it again, with the same random numbers. Inside, variables can be read but not updated: a batch norm in training is a fault.
public func checkpoint(_ function: ([Tensor]) -> [Tensor], _ inputs: [Tensor]) -> [Tensor] {
  let builder = Tensor.innermostBuilder(of: inputs)
  var count = 0
  do throws(TypeFault) {
    let traced = try TracedFunction(inputs) {
      let outputs = function($0)
      count = outputs.count
      return outputs
    }
    return builder.apply(.call(Call(body: traced.graph)), traced.operands)
  } catch {
    builder.record(error, operation: "checkpoint", operands: inputs)
    return Array(repeating: builder.poison, count: count)
  }
}

/// The same for a function of one tensor.
public func checkpoint(_ function: (Tensor) -> Tensor, _ input: Tensor) -> Tensor {
  checkpoint({ [function($0[0])] }, [input]).first ?? input.builder.poison
}

/// A function with a gradient of its own: `torch.autograd.Function`.
///
///     struct Straight: AutogradFunction {                 // rounds; the gradient passes through
///       func forward(_ inputs: [Tensor]) -> [Tensor] { [inputs[0].round()] }
///       func backward(_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?] { gradOutputs }
///     }
///     let y = Straight()(x)
///
/// Both are traced when the function is applied, and may use nothing but their arguments and constants. What the
/// backward function computes as the forward one did is computed once: nothing has to be saved for it.
public protocol AutogradFunction {
  /// The function's value.
  func forward(_ inputs: [Tensor]) -> [Tensor]

  /// The gradients with respect to the inputs, given those with respect to the outputs.
  ///
  /// - Returns: One for each input, of its type; nil for zeros, as for inputs that are no floats.
  func backward(_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?]
}

extension AutogradFunction {
  /// Applies the function.
  public func callAsFunction(_ inputs: [Tensor]) -> [Tensor] {
    withGradient("\(Self.self)", inputs, forward: forward, backward: backward)
  }

  /// Applies a function of one tensor.
  public func callAsFunction(_ input: Tensor) -> Tensor { self([input]).first ?? input.builder.poison }
}

/// Applies a function with a gradient of its own.
func withGradient(
  _ name: String, _ inputs: [Tensor], forward: ([Tensor]) -> [Tensor],
  backward: (_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?]
) -> [Tensor] {
  let builder = Tensor.innermostBuilder(of: inputs)
  var count = 0
  do throws(TypeFault) {
    // Gradients have their inputs' types, whatever mixed precision makes of products.
    let traced = try TracedFunction(inputs) { inputs in
      let outputs = Autocast.$type.withValue(nil) { forward(inputs) }
      count = outputs.count
      return outputs
    }
    let (types, floats) = (traced.types, traced.types.filter(\.dtype.isFloat))
    let (gradient, captures) = try builder.capturingRegion(inputs.map(\.type) + types + floats) {
      inner, values throws(TypeFault) in
      var cotangents = values.suffix(floats.count)
      let outputs = Array(values[inputs.count..<(inputs.count + types.count)])
      let given = outputs.map { $0.dtype.isFloat ? cotangents.removeFirst() : $0.zerosLike() }
      let results = Autocast.$type.withValue(nil) { backward(Array(values.prefix(inputs.count)), outputs, given) }
      guard results.count == inputs.count else {
        throw TypeFault("backward gives \(results.count) gradients for \(inputs.count) inputs")
      }
      var wanted: [Tensor] = []
      for (position, (input, result)) in zip(inputs, results).enumerated() where input.dtype.isFloat {
        if let result, !result.isPoisoned, result.type != input.type {
          throw TypeFault("the gradient of input \(position) is \(result.type), the input \(input.type)")
        }
        wanted.append(result ?? inner.zeros(input.type))
      }
      return wanted
    }
    if let outside = (traced.operands.dropFirst(inputs.count) + captures).first {
      throw TypeFault("uses \(outside.type) from outside, whose gradient it does not give", help: "make it an input")
    }
    return builder.apply(.call(Call(body: traced.graph, backward: gradient)), inputs)
  } catch {
    builder.record(error, operation: name, operands: inputs)
    return Array(repeating: builder.poison, count: count)
  }
}
