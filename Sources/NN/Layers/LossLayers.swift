public import LatheCore

/// Losses as modules: each calls the function of its name. `loss(input, target)` is a call with the arguments one by one.

/// The function `l1Loss`.
public struct L1Loss: Module {
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in l1Loss(inputs.0, inputs.1, reduction: reduction) }
  }
}

/// The function `mseLoss`.
public struct MSELoss: Module {
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in mseLoss(inputs.0, inputs.1, reduction: reduction) }
  }
}

/// The function `smoothL1Loss`.
public struct SmoothL1Loss: Module {
  private let reduction: Reduction
  private let beta: Double
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean, beta: Double = 1) {
    self.reduction = reduction
    self.beta = beta
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in smoothL1Loss(inputs.0, inputs.1, reduction: reduction, beta: beta) }
  }
}

/// The function `huberLoss`.
public struct HuberLoss: Module {
  private let reduction: Reduction
  private let delta: Double
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean, delta: Double = 1) {
    self.reduction = reduction
    self.delta = delta
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in huberLoss(inputs.0, inputs.1, reduction: reduction, delta: delta) }
  }
}

/// The function `crossEntropy`.
public struct CrossEntropyLoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  private let ignoreIndex: Int
  private let reduction: Reduction
  private let labelSmoothing: Double
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(
    weight: NDArray? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean, labelSmoothing: Double = 0
  ) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.ignoreIndex = ignoreIndex
    self.reduction = reduction
    self.labelSmoothing = labelSmoothing
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      crossEntropy(
        inputs.0, inputs.1, weight: weight?.read(in: $0), ignoreIndex: ignoreIndex, reduction: reduction,
        labelSmoothing: labelSmoothing)
    }
  }
}

/// The function `nllLoss`; `NLLLoss2d` is an old name for it.
public struct NLLLoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  private let ignoreIndex: Int
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.ignoreIndex = ignoreIndex
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      nllLoss(inputs.0, inputs.1, weight: weight?.read(in: $0), ignoreIndex: ignoreIndex, reduction: reduction)
    }
  }
}

/// The function `klDiv`.
public struct KLDivLoss: Module {
  private let reduction: KLReduction
  private let logTarget: Bool
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: KLReduction = .mean, logTarget: Bool = false) {
    self.reduction = reduction
    self.logTarget = logTarget
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in klDiv(inputs.0, inputs.1, reduction: reduction, logTarget: logTarget) }
  }
}

/// The function `binaryCrossEntropy`, whose weight has the input's shape.
public struct BCELoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      binaryCrossEntropy(inputs.0, inputs.1, weight: weight?.read(in: $0), reduction: reduction)
    }
  }
}

/// The function `binaryCrossEntropyWithLogits`.
public struct BCEWithLogitsLoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// The weights of ones, which `stateDict` has.
  public let posWeight: Parameter?
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean, posWeight: NDArray? = nil) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.posWeight = posWeight.map { Parameter.buffer($0) }
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      binaryCrossEntropyWithLogits(
        inputs.0, inputs.1, weight: weight?.read(in: $0), reduction: reduction, posWeight: posWeight?.read(in: $0))
    }
  }
}

/// The function `poissonNllLoss`.
public struct PoissonNLLLoss: Module {
  private let logInput: Bool
  private let full: Bool
  private let eps: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean) {
    self.logInput = logInput
    self.full = full
    self.eps = eps
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in
      poissonNllLoss(inputs.0, inputs.1, logInput: logInput, full: full, eps: eps, reduction: reduction)
    }
  }
}

/// The function `gaussianNllLoss`.
public struct GaussianNLLLoss: Module {
  private let full: Bool
  private let eps: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean) {
    self.full = full
    self.eps = eps
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in
      gaussianNllLoss(inputs.0, inputs.1, inputs.2, full: full, eps: eps, reduction: reduction)
    }
  }
}

/// The function `marginRankingLoss`.
public struct MarginRankingLoss: Module {
  private let margin: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(margin: Double = 0, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in
      marginRankingLoss(inputs.0, inputs.1, inputs.2, margin: margin, reduction: reduction)
    }
  }
}

/// The function `hingeEmbeddingLoss`.
public struct HingeEmbeddingLoss: Module {
  private let margin: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(margin: Double = 1, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in hingeEmbeddingLoss(inputs.0, inputs.1, margin: margin, reduction: reduction) }
  }
}

/// The function `softMarginLoss`.
public struct SoftMarginLoss: Module {
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in softMarginLoss(inputs.0, inputs.1, reduction: reduction) }
  }
}

/// The function `cosineEmbeddingLoss`.
public struct CosineEmbeddingLoss: Module {
  private let margin: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(margin: Double = 0, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in
      cosineEmbeddingLoss(inputs.0, inputs.1, inputs.2, margin: margin, reduction: reduction)
    }
  }
}

/// The function `tripletMarginLoss`.
public struct TripletMarginLoss: Module {
  private let margin: Double
  private let p: Double
  private let eps: Double
  private let swap: Bool
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(
    margin: Double = 1, p: Double = 2, eps: Double = 1e-6, swap: Bool = false, reduction: Reduction = .mean
  ) {
    self.margin = margin
    self.p = p
    self.eps = eps
    self.swap = swap
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in
      tripletMarginLoss(inputs.0, inputs.1, inputs.2, margin: margin, p: p, eps: eps, swap: swap, reduction: reduction)
    }
  }
}

/// The function `multiMarginLoss`.
public struct MultiMarginLoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  private let p: Int
  private let margin: Double
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(p: Int = 1, margin: Double = 1, weight: NDArray? = nil, reduction: Reduction = .mean) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.p = p
    self.margin = margin
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      multiMarginLoss(inputs.0, inputs.1, p: p, margin: margin, weight: weight?.read(in: $0), reduction: reduction)
    }
  }
}

/// The function `multiLabelMarginLoss`.
public struct MultiLabelMarginLoss: Module {
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in multiLabelMarginLoss(inputs.0, inputs.1, reduction: reduction) }
  }
}

/// The function `multiLabelSoftMarginLoss`.
public struct MultiLabelSoftMarginLoss: Module {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  private let reduction: Reduction
  private let identity = LayerIdentity()

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean) {
    self.weight = weight.map { Parameter.buffer($0) }
    self.reduction = reduction
  }

  /// Applies the loss in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) {
      multiLabelSoftMarginLoss(inputs.0, inputs.1, weight: weight?.read(in: $0), reduction: reduction)
    }
  }
}

/// The function `pairwiseDistance`.
public struct PairwiseDistance: Module {
  private let p: Double
  private let eps: Double
  private let keepdim: Bool
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(p: Double = 2, eps: Double = 1e-6, keepdim: Bool = false) {
    self.p = p
    self.eps = eps
    self.keepdim = keepdim
  }

  /// Applies the layer in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in pairwiseDistance(inputs.0, inputs.1, p: p, eps: eps, keepdim: keepdim) }
  }
}

/// The function `cosineSimilarity`.
public struct CosineSimilarity: Module {
  private let dim: Int
  private let eps: Double
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(dim: Int = 1, eps: Double = 1e-8) {
    self.dim = dim
    self.eps = eps
  }

  /// Applies the layer in the graph of its arguments.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { _ in cosineSimilarity(inputs.0, inputs.1, dim: dim, eps: eps) }
  }
}
