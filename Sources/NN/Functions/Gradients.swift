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
