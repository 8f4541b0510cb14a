public import LatheCore

/// Losses as modules: each calls the function of its name. `loss(input, target)` is a call with the arguments one by one.

/// The function `l1Loss`.
public struct L1Loss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    function = LayerFunction { l1Loss($0, $1, reduction: reduction) }
  }
}

/// The function `mseLoss`.
public struct MSELoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    function = LayerFunction { mseLoss($0, $1, reduction: reduction) }
  }
}

/// The function `smoothL1Loss`.
public struct SmoothL1Loss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean, beta: Double = 1) {
    function = LayerFunction { smoothL1Loss($0, $1, reduction: reduction, beta: beta) }
  }
}

/// The function `huberLoss`.
public struct HuberLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean, delta: Double = 1) {
    function = LayerFunction { huberLoss($0, $1, reduction: reduction, delta: delta) }
  }
}

/// The function `crossEntropy`.
public struct CrossEntropyLoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean, labelSmoothing: Double = 0)
  {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    function = LayerFunction {
      crossEntropy(
        $0, $1, weight: weight?(for: $0), ignoreIndex: ignoreIndex, reduction: reduction, labelSmoothing: labelSmoothing
      )
    }
  }
}

/// The function `nllLoss`; `NLLLoss2d` is an old name for it.
public struct NLLLoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean) {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    function = LayerFunction {
      nllLoss($0, $1, weight: weight?(for: $0), ignoreIndex: ignoreIndex, reduction: reduction)
    }
  }
}

/// The function `ctcLoss`, of log-probabilities, targets and the lengths of both.
public struct CTCLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor, Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(blank: Int = 0, reduction: Reduction = .mean, zeroInfinity: Bool = false) {
    function = LayerFunction {
      ctcLoss($0, $1, $2, $3, blank: blank, reduction: reduction, zeroInfinity: zeroInfinity)
    }
  }
}

/// The function `klDiv`.
public struct KLDivLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: KLReduction = .mean, logTarget: Bool = false) {
    function = LayerFunction { klDiv($0, $1, reduction: reduction, logTarget: logTarget) }
  }
}

/// The function `binaryCrossEntropy`, whose weight has the input's shape.
public struct BCELoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean) {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    function = LayerFunction { binaryCrossEntropy($0, $1, weight: weight?(for: $0), reduction: reduction) }
  }
}

/// The function `binaryCrossEntropyWithLogits`.
public struct BCEWithLogitsLoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// The weights of ones, which `stateDict` has.
  public let posWeight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean, posWeight: NDArray? = nil) {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    let posWeight = posWeight.map { Parameter.buffer($0) }
    self.posWeight = posWeight
    function = LayerFunction {
      binaryCrossEntropyWithLogits(
        $0, $1, weight: weight?(for: $0), reduction: reduction, posWeight: posWeight?(for: $0))
    }
  }
}

/// The function `poissonNllLoss`.
public struct PoissonNLLLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean) {
    function = LayerFunction { poissonNllLoss($0, $1, logInput: logInput, full: full, eps: eps, reduction: reduction) }
  }
}

/// The function `gaussianNllLoss`.
public struct GaussianNLLLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean) {
    function = LayerFunction { gaussianNllLoss($0, $1, $2, full: full, eps: eps, reduction: reduction) }
  }
}

/// The function `marginRankingLoss`.
public struct MarginRankingLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(margin: Double = 0, reduction: Reduction = .mean) {
    function = LayerFunction { marginRankingLoss($0, $1, $2, margin: margin, reduction: reduction) }
  }
}

/// The function `hingeEmbeddingLoss`.
public struct HingeEmbeddingLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(margin: Double = 1, reduction: Reduction = .mean) {
    function = LayerFunction { hingeEmbeddingLoss($0, $1, margin: margin, reduction: reduction) }
  }
}

/// The function `softMarginLoss`.
public struct SoftMarginLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    function = LayerFunction { softMarginLoss($0, $1, reduction: reduction) }
  }
}

/// The function `cosineEmbeddingLoss`.
public struct CosineEmbeddingLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(margin: Double = 0, reduction: Reduction = .mean) {
    function = LayerFunction { cosineEmbeddingLoss($0, $1, $2, margin: margin, reduction: reduction) }
  }
}

/// The function `tripletMarginLoss`.
public struct TripletMarginLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(margin: Double = 1, p: Double = 2, eps: Double = 1e-6, swap: Bool = false, reduction: Reduction = .mean) {
    function = LayerFunction {
      tripletMarginLoss($0, $1, $2, margin: margin, p: p, eps: eps, swap: swap, reduction: reduction)
    }
  }
}

/// The function `multiMarginLoss`.
public struct MultiMarginLoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(p: Int = 1, margin: Double = 1, weight: NDArray? = nil, reduction: Reduction = .mean) {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    function = LayerFunction {
      multiMarginLoss($0, $1, p: p, margin: margin, weight: weight?(for: $0), reduction: reduction)
    }
  }
}

/// The function `multiLabelMarginLoss`.
public struct MultiLabelMarginLoss: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(reduction: Reduction = .mean) {
    function = LayerFunction { multiLabelMarginLoss($0, $1, reduction: reduction) }
  }
}

/// The function `multiLabelSoftMarginLoss`.
public struct MultiLabelSoftMarginLoss: FunctionLayer {
  /// The weights, which `stateDict` has.
  public let weight: Parameter?
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a loss with the given options.
  public init(weight: NDArray? = nil, reduction: Reduction = .mean) {
    let weight = weight.map { Parameter.buffer($0) }
    self.weight = weight
    function = LayerFunction { multiLabelSoftMarginLoss($0, $1, weight: weight?(for: $0), reduction: reduction) }
  }
}

/// The function `pairwiseDistance`.
public struct PairwiseDistance: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a layer with the given options.
  public init(p: Double = 2, eps: Double = 1e-6, keepdim: Bool = false) {
    function = LayerFunction { pairwiseDistance($0, $1, p: p, eps: eps, keepdim: keepdim) }
  }
}

/// The function `cosineSimilarity`.
public struct CosineSimilarity: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<(Tensor, Tensor)>

  /// Makes a layer with the given options.
  public init(dim: Int = 1, eps: Double = 1e-8) {
    function = LayerFunction { cosineSimilarity($0, $1, dim: dim, eps: eps) }
  }
}
