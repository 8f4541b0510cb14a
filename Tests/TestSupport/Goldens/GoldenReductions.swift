import LatheCore
import LatheNN

extension GoldenCall {
  func reduction(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    let dims = ints(1, "dim")
    let keepdim = flag(2, "keepdim")
    switch name {
    case "sum": return [x.sum(dim: dims, keepdim: keepdim, dtype: dtype)]
    case "mean": return [x.mean(dim: dims, keepdim: keepdim, dtype: dtype)]
    case "prod": return [x.prod(dim: dims, keepdim: keepdim, dtype: dtype)]
    case "nansum": return [x.nansum(dim: dims, keepdim: keepdim, dtype: dtype)]
    case "nanmean": return [x.nanmean(dim: dims, keepdim: keepdim)]
    case "amax": return [x.amax(dim: dims, keepdim: keepdim)]
    case "amin": return [x.amin(dim: dims, keepdim: keepdim)]
    case "aminmax":
      return [x.amin(dim: dims, keepdim: keepdim), x.amax(dim: dims, keepdim: keepdim)]
    case "max":
      guard let dims else { return [x.max()] }
      let (values, indices) = x.max(dim: dims[0], keepdim: keepdim)
      return [values, indices]
    case "min":
      guard let dims else { return [x.min()] }
      let (values, indices) = x.min(dim: dims[0], keepdim: keepdim)
      return [values, indices]
    case "argmax": return [x.argmax(dim: dims?[0], keepdim: keepdim)]
    case "argmin": return [x.argmin(dim: dims?[0], keepdim: keepdim)]
    case "sort":
      let (values, indices) = x.sort(
        dim: int(1, "dim") ?? -1, descending: flag(2, "descending"), stable: flag(3, "stable"))
      return [values, indices]
    case "argsort": return [x.argsort(dim: int(1, "dim") ?? -1, descending: flag(2, "descending"))]
    case "msort": return [x.msort()]
    case "topk":
      let (values, indices) = x.topk(
        int(1, "k") ?? 1, dim: int(2, "dim") ?? -1, largest: boolean(3, "largest") ?? true)
      return [values, indices]
    case "kthvalue":
      let (values, indices) = x.kthvalue(int(1, "k") ?? 1, dim: int(2, "dim") ?? -1, keepdim: flag(3, "keepdim"))
      return [values, indices]
    case "median":
      guard let dims else { return [x.median()] }
      let (values, indices) = x.median(dim: dims[0], keepdim: keepdim)
      return [values, indices]
    case "nanmedian":
      guard let dims else { return [x.nanmedian()] }
      let (values, indices) = x.nanmedian(dim: dims[0], keepdim: keepdim)
      return [values, indices]
    case "mode":
      let (values, indices) = x.mode(dim: int(1, "dim") ?? -1, keepdim: keepdim)
      return [values, indices]
    case "quantile", "nanquantile":
      let how = QuantileInterpolation(rawValue: text(99, "interpolation") ?? "linear") ?? .linear
      let (dim, keepdim, q) = (int(2, "dim"), flag(3, "keepdim"), double(1))
      if name == "nanquantile" {
        return [
          q.map { x.nanquantile($0, dim: dim, keepdim: keepdim, interpolation: how) }
            ?? x.nanquantile(tensor(1), dim: dim, keepdim: keepdim, interpolation: how)
        ]
      }
      return [
        q.map { x.quantile($0, dim: dim, keepdim: keepdim, interpolation: how) }
          ?? x.quantile(tensor(1), dim: dim, keepdim: keepdim, interpolation: how)
      ]
    case "searchsorted":
      return [x.searchsorted(tensor(1), right: flag(99, "right"), sorter: optional(99, "sorter"))]
    case "bucketize": return [x.bucketize(tensor(1), right: flag(99, "right"))]
    case "all": return [x.all(dim: dims, keepdim: keepdim)]
    case "any": return [x.any(dim: dims, keepdim: keepdim)]
    case "count_nonzero": return [x.countNonzero(dim: dims)]
    case "std": return [x.std(dim: dims, correction: double(99, "correction") ?? 1, keepdim: keepdim)]
    case "var": return [x.var(dim: dims, correction: double(99, "correction") ?? 1, keepdim: keepdim)]
    case "var_mean":
      let (variance, mean) = varMean(x, dim: dims, correction: double(99, "correction") ?? 1, keepdim: keepdim)
      return [variance, mean]
    case "std_mean":
      let (deviation, mean) = stdMean(x, dim: dims, correction: double(99, "correction") ?? 1, keepdim: keepdim)
      return [deviation, mean]
    case "logsumexp": return [x.logsumexp(dim: dims ?? [], keepdim: keepdim)]
    case "norm":
      return [x.norm(matrixNorm(1) ?? .frobenius, dim: ints(2, "dim"), keepdim: flag(3, "keepdim"), dtype: dtype)]
    case "linalg.vector_norm":
      return [
        Linalg.vectorNorm(x, ord: double(1) ?? 2, dim: ints(2, "dim"), keepdim: flag(3, "keepdim"), dtype: dtype)
      ]
    case "dist": return [x.dist(tensor(1), p: double(2, "p") ?? 2)]
    case "trace": return [x.trace()]
    case "cov": return [x.cov()]
    case "corrcoef": return [x.corrcoef()]
    case "cumsum": return [x.cumsum(dim: int(1, "dim") ?? 0, dtype: dtype)]
    case "cumprod": return [x.cumprod(dim: int(1, "dim") ?? 0, dtype: dtype)]
    case "logcumsumexp": return [x.logcumsumexp(dim: int(1, "dim") ?? 0)]
    case "cummax":
      let (values, indices) = x.cummax(dim: int(1, "dim") ?? 0)
      return [values, indices]
    case "cummin":
      let (values, indices) = x.cummin(dim: int(1, "dim") ?? 0)
      return [values, indices]
    case "diff": return [x.diff(n: int(1, "n") ?? 1, dim: int(2, "dim") ?? -1)]
    case "trapezoid": return [x.trapezoid(dx: double(99, "dx") ?? 1, dim: int(99, "dim") ?? -1)]
    case "cumulative_trapezoid":
      return [x.cumulativeTrapezoid(dx: double(99, "dx") ?? 1, dim: int(99, "dim") ?? -1)]
    case "cdist": return [cdist(x, tensor(1), p: double(2, "p") ?? 2)]
    case "equal": return [x.equal(tensor(1))]
    case "allclose": return [x.allClose(tensor(1))]
    case "isin": return [x.isIn(tensor(1), invert: flag(99, "invert"))]
    default: return nil
    }
  }

  func loss(_ name: String) -> [Tensor]? {
    func arg(_ position: Int) -> Tensor { tensor(position) }
    func number(_ key: String, _ value: Double) -> Double { double(99, key) ?? value }
    switch name {
    case "l1_loss": return [l1Loss(arg(0), arg(1), reduction: reduction)]
    case "mse_loss": return [mseLoss(arg(0), arg(1), reduction: reduction)]
    case "smooth_l1_loss": return [smoothL1Loss(arg(0), arg(1), reduction: reduction, beta: number("beta", 1))]
    case "huber_loss":
      return [
        huberLoss(arg(0), arg(1), reduction: reduction, delta: number("delta", 1), weight: optional(99, "weight"))
      ]
    case "cross_entropy":
      return [
        crossEntropy(
          arg(0), arg(1), weight: optional(99, "weight"), ignoreIndex: int(99, "ignore_index") ?? -100,
          reduction: reduction, labelSmoothing: number("label_smoothing", 0))
      ]
    case "nll_loss":
      return [
        nllLoss(
          arg(0), arg(1), weight: optional(99, "weight"), ignoreIndex: int(99, "ignore_index") ?? -100,
          reduction: reduction)
      ]
    case "binary_cross_entropy":
      return [binaryCrossEntropy(arg(0), arg(1), weight: optional(99, "weight"), reduction: reduction)]
    case "binary_cross_entropy_with_logits":
      return [
        binaryCrossEntropyWithLogits(
          arg(0), arg(1), weight: optional(99, "weight"), reduction: reduction, posWeight: optional(99, "pos_weight"))
      ]
    case "ctc_loss":
      if let inputLengths = optional(2), let targetLengths = optional(3) {
        return [ctcLoss(arg(0), arg(1), inputLengths, targetLengths, reduction: reduction)]
      }
      return [
        ctcLoss(
          arg(0), arg(1), ints(2) ?? [], ints(3) ?? [], blank: int(4, "blank") ?? 0, reduction: reduction,
          zeroInfinity: flag(99, "zero_infinity"))
      ]
    case "kl_div":
      let how = text(99, "reduction") ?? "mean"
      return [
        klDiv(
          arg(0), arg(1), reduction: how == "batchmean" ? .batchMean : KLReduction(rawValue: how) ?? .mean,
          logTarget: flag(99, "log_target"))
      ]
    case "margin_ranking_loss":
      return [marginRankingLoss(arg(0), arg(1), arg(2), margin: number("margin", 0), reduction: reduction)]
    case "hinge_embedding_loss":
      return [hingeEmbeddingLoss(arg(0), arg(1), margin: number("margin", 1), reduction: reduction)]
    case "soft_margin_loss": return [softMarginLoss(arg(0), arg(1), reduction: reduction)]
    case "cosine_embedding_loss":
      return [cosineEmbeddingLoss(arg(0), arg(1), arg(2), margin: number("margin", 0), reduction: reduction)]
    case "multilabel_margin_loss": return [multiLabelMarginLoss(arg(0), arg(1), reduction: reduction)]
    case "multilabel_soft_margin_loss":
      return [multiLabelSoftMarginLoss(arg(0), arg(1), weight: optional(99, "weight"), reduction: reduction)]
    case "multi_margin_loss":
      return [
        multiMarginLoss(
          arg(0), arg(1), p: int(99, "p") ?? 1, margin: number("margin", 1), weight: optional(99, "weight"),
          reduction: reduction)
      ]
    case "triplet_margin_loss":
      return [
        tripletMarginLoss(
          arg(0), arg(1), arg(2), margin: number("margin", 1), p: number("p", 2), eps: number("eps", 1e-6),
          swap: flag(99, "swap"), reduction: reduction)
      ]
    case "poisson_nll_loss":
      let isLog = if case .flag(false) = argument(99, "log_input") { false } else { true }
      return [
        poissonNllLoss(arg(0), arg(1), logInput: isLog, full: flag(99, "full"), reduction: reduction)
      ]
    case "gaussian_nll_loss":
      return [gaussianNllLoss(arg(0), arg(1), arg(2), full: flag(99, "full"), reduction: reduction)]
    case "pairwise_distance":
      return [
        pairwiseDistance(
          arg(0), arg(1), p: number("p", 2), eps: number("eps", 1e-6), keepdim: flag(99, "keepdim"))
      ]
    case "cosine_similarity":
      return [cosineSimilarity(arg(0), arg(1), dim: int(99, "dim") ?? 1, eps: number("eps", 1e-8))]
    case "pdist": return [pdist(arg(0))]
    default: return nil
    }
  }
}
