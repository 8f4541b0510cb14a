/// Mixed precision while tracing.
package enum Autocast {
  /// The type that contractions of `f32` are carried out in, in the tasks of a scope; nil for `f32`.
  @TaskLocal public static var type: ScalarType?

  /// The operands as mixed precision has them.
  ///
  /// Matrix products and convolutions, which PyTorch's list for processors names, take narrow operands and sum in `f32`.
  /// What joins tensors takes them in the widest type among them. Everything else has the types that it is given.
  static func operands(_ operation: Operation, _ operands: [Tensor]) -> [Tensor] {
    guard let type else { return operands }
    switch operation {
    case .dot, .convolution:
      let floats = operands.filter { !$0.isPoisoned && ($0.dtype == .f32 || $0.dtype == type) }
      guard floats.count == operands.count else { return operands }
      return operands.map { $0.convert(to: type) }
    case .concatenate, .scatter:
      let types = Set(operands.filter { !$0.isPoisoned && $0.dtype.isFloat }.map(\.dtype))
      guard types == [.f32, type] else { return operands }
      return operands.map { $0.dtype == type ? $0.convert(to: .f32) : $0 }
    default: return operands
    }
  }
}
