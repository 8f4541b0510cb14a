public import LatheCore

/// What bounds the gradients before the optimizer sees them.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
public enum GradientClipping: Hashable, Sendable {
  /// All gradients are scaled so that the norm of all of them together is at most this: `clip_grad_norm_`.
  case norm(Double, type: Double = 2)
  /// Every element is moved into `-value ... value`: `clip_grad_value_`.
  case value(Double)

  /// The gradients within the bounds.
  public func callAsFunction(_ gradients: [Tensor]) -> [Tensor] {
    switch self {
    case .value(let bound): return gradients.map { $0.clamp(min: -bound, max: bound) }
    case .norm(let bound, let type):
      guard let total = Self.norm(gradients, type) else { return gradients }
      let factor = (bound / (total + 1e-6)).clamp(max: 1)
      return gradients.map { $0 * factor.convert(to: $0.dtype) }
    }
  }

  /// The norm of all elements together, `get_total_norm`; nil of nothing.
  static func norm(_ tensors: [Tensor], _ type: Double) -> Tensor? {
    let parts = tensors.filter { $0.type.elementCount != 0 }.map { tensor in
      switch type {
      case .infinity: tensor.abs().max()
      case 2: (tensor * tensor).sum()
      default: tensor.abs().pow(type).sum()
      }
    }
    guard let first = parts.first else { return nil }
    let total = parts.dropFirst().reduce(first) { type == .infinity ? $0.maximum($1) : $0 + $1 }
    switch type {
    case .infinity: return total
    case 2: return total.sqrt()
    default: return total.pow(1 / type)
    }
  }
}
