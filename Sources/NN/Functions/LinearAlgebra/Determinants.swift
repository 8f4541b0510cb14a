public import LatheCore

/// Determinants.
extension Linalg {
  /// The determinants of square matrices.
  ///
  /// As in PyTorch the gradient is zero where a matrix is singular.
  public static func det(_ a: Tensor) -> Tensor {
    composite("linalg.det", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      return withGradient("linalg.det", [a]) { inputs in
        let (diagonal, sign) = pivots(inputs[0])
        return [diagonal.reduce(.product, axes: [diagonal.rank - 1]) * sign]
      } backward: { inputs, outputs, gradients in
        let scale = (gradients[0] * outputs[0]).unsqueeze(dim: -1).unsqueeze(dim: -1)
        let right = identity(inputs[0]) * scale
        let tiny = inputs[0].dtype.computeEpsilon
        return [inputs[0].solvedTransposed(right, replacingZeroPivotsBy: tiny)]
      }[0]
    }
  }

  /// The signs and the logarithms of the magnitudes of determinants; 0 and minus infinity where a matrix is singular.
  public static func slogdet(_ a: Tensor) -> (sign: Tensor, logabsdet: Tensor) {
    let results = composite("linalg.slogdet", [a], count: 2) { () throws(TypeFault) -> [Tensor] in
      try requireSquare(a)
      return withGradient("linalg.slogdet", [a]) { inputs in
        let (diagonal, sign) = pivots(inputs[0])
        return [
          diagonal.sign().reduce(.product, axes: [diagonal.rank - 1]) * sign,
          diagonal.abs().log().reduce(.sum, axes: [diagonal.rank - 1]),
        ]
      } backward: { inputs, _, gradients in
        [inputs[0].solvedTransposed(identity(inputs[0]) * gradients[1].unsqueeze(dim: -1).unsqueeze(dim: -1))]
      }
    }
    return (results[0], results[1])
  }

  /// The diagonal of `u`, and the sign of the permutation.
  private static func pivots(_ a: Tensor) -> (diagonal: Tensor, sign: Tensor) {
    let (packed, pivots, _) = a.lu()
    let step = pivots.builder.iota(pivots.type, axis: pivots.rank - 1) + 1
    let swaps = (pivots .!= step).convert(to: a.dtype)
    let sign = (1 - swaps * 2).reduce(.product, axes: [swaps.rank - 1])
    return (packed.diagonal(dim1: -2, dim2: -1), sign)
  }
}

/// The determinants of square matrices: `torch.det`.
public func det(_ a: Tensor) -> Tensor { Linalg.det(a) }

/// The signs and the logarithms of the magnitudes of determinants: `torch.slogdet`.
public func slogdet(_ a: Tensor) -> (sign: Tensor, logabsdet: Tensor) { Linalg.slogdet(a) }

/// The logarithms of determinants; NaN where they are negative.
public func logdet(_ a: Tensor) -> Tensor {
  composite("logdet", [a]) {
    let (sign, logarithm) = Linalg.slogdet(a)
    let nan = logarithm.filled(.float(.nan))
    return (sign .< 0).select(nan, logarithm)
  }
}
