import LatheCore

/// The types of mixed precision.
public enum AutocastType: String, Sendable, CaseIterable {
  /// Eight bits of exponent: the range of `f32`, no scaling of the loss needed.
  case bf16
  /// Five bits of exponent; small gradients vanish unless the loss is scaled.
  case f16

  var dtype: ScalarType { self == .bf16 ? .bf16 : .f16 }
}

/// Traces what a function does in mixed precision: `torch.autocast`.
///
/// Matrix products and convolutions take their operands in 16 bits and sum in `f32`; their results, with biases, have 16
/// bits. Normalizations, softmax and other sums compute in `f32` whatever they are given, and losses give `f32`. Parameters
/// and what optimizers remember stay `f32`.
///
/// ```swift
/// let loss = autocast { crossEntropy(model(images), labels) }
/// ```
public func autocast<Result>(
  _ type: AutocastType = .bf16, enabled: Bool = true, _ body: () throws -> Result
) rethrows -> Result {
  try Autocast.$type.withValue(enabled ? type.dtype : nil, operation: body)
}

extension Tensor {
  /// Beside what a contraction in mixed precision gave, in its type.
  func autocast(beside result: Tensor) -> Tensor {
    !result.isPoisoned && Autocast.type == result.dtype ? convert(to: result.dtype) : self
  }

  /// In `f32` where it is narrow by mixed precision.
  var withoutAutocast: Tensor { !isPoisoned && Autocast.type == dtype ? convert(to: .f32) : self }
}

/// Keeps gradients of 16 bits from vanishing: `torch.amp.GradScaler`.
///
/// The loss is multiplied by a scale before it is differentiated, and the gradients are divided by it. A step in which a
/// gradient is not finite is left out, and the scale gets smaller; after many good steps it grows. Scale and count are
/// the variables `grad_scaler.scale` and `grad_scaler.growth_tracker`.
public struct GradScaler: Hashable, Sendable {
  /// The first scale.
  public var initScale: Double
  /// What the scale is multiplied with after good steps.
  public var growthFactor: Double
  /// What it is multiplied with after a step that is left out.
  public var backoffFactor: Double
  /// How many good steps let it grow.
  public var growthInterval: Int

  /// A scaler with PyTorch's defaults.
  public init(
    initScale: Double = 65536, growthFactor: Double = 2, backoffFactor: Double = 0.5, growthInterval: Int = 2000
  ) {
    self.initScale = initScale
    self.growthFactor = growthFactor
    self.backoffFactor = backoffFactor
    self.growthInterval = growthInterval
  }

  private static let scaleName = "grad_scaler.scale"
  private static let countName = "grad_scaler.growth_tracker"

  /// The scale, `f32[]`.
  func scale(in builder: Builder) -> Tensor {
    builder.variable(
      Variable(name: Self.scaleName, role: .buffer, initial: NDArray(scalar: .float(initScale), dtype: .f32)))
  }

  /// Whether all gradients are finite, `bool[]`.
  func isFinite(_ gradients: [Tensor], in builder: Builder) -> Tensor {
    gradients.filter { !$0.isPoisoned && $0.type.elementCount != 0 }.map { $0.isFinite().all() }
      .reduce(builder.scalar(.integer(1), .bool)) { $0 .& $1 }
  }

  /// The gradients of a loss by way of the scale; NaN where any is not finite, even if clipping would hide it.
  func gradients(
    of loss: Tensor, _ tensors: [Tensor], exchanged: ([Tensor]) -> [Tensor], then clipped: ([Tensor]) -> [Tensor]
  ) -> [Tensor] {
    let scale = scale(in: loss.builder)
    let scaled = exchanged(
      LatheNN.gradients(of: loss * scale.convert(to: loss.dtype), withRespectTo: tensors))
    let gradients = scaled.map { $0.isPoisoned ? $0 : $0 / scale.convert(to: $0.dtype) }
    let isFinite = isFinite(gradients, in: loss.builder)
    return clipped(gradients).map { $0.isPoisoned ? $0 : isFinite.select($0, $0.fullLike(.nan)) }
  }

  /// Moves the scale behind a step; where it is not due, nothing changes.
  func update(isFinite: Tensor, isDue: Tensor?, in builder: Builder) {
    let scale = scale(in: builder)
    let count = builder.variable(
      Variable(name: Self.countName, role: .buffer, initial: NDArray(scalar: .integer(0), dtype: .i32)))
    let next = count + 1
    let grows = next .== growthInterval
    let grown = scale * growthFactor
    let good = (grows .& grown.isFinite()).select(grown, scale)
    builder.update(Self.scaleName, to: isFinite.select(good, scale * backoffFactor), ifDue: isDue)
    builder.update(
      Self.countName, to: (isFinite .& ~grows).select(next, count.zerosLike()), ifDue: isDue)
  }
}
