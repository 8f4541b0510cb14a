internal import LatheCore
internal import LatheNN

/// Sums and their kin, and what sorts.
extension Operator {
  static let reductions: [String: Operator] = [
    "sum": .one { call throws(TypeFault) in
      try call.tensor().sum(dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "mean": .one { call throws(TypeFault) in
      try call.tensor().mean(dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "prod": .one { call throws(TypeFault) in
      try call.tensor().prod(dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "amax": .one { call throws(TypeFault) in try call.tensor().amax(dim: axes(call), keepdim: call.flag("keepdim")) },
    "amin": .one { call throws(TypeFault) in try call.tensor().amin(dim: axes(call), keepdim: call.flag("keepdim")) },
    "any": .one { call throws(TypeFault) in try call.tensor().any(dim: axes(call), keepdim: call.flag("keepdim")) },
    "all": .one { call throws(TypeFault) in try call.tensor().all(dim: axes(call), keepdim: call.flag("keepdim")) },
    "_is_all_true": .unary { $0.all() },
    "max": .unary { $0.max() },
    "min": .unary { $0.min() },
    "max.dim": .alongAxis { $0.max(dim: $1, keepdim: $2) },
    "min.dim": .alongAxis { $0.min(dim: $1, keepdim: $2) },
    "argmax": .one { call throws(TypeFault) in
      try call.tensor().argmax(dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"))
    },
    "argmin": .one { call throws(TypeFault) in
      try call.tensor().argmin(dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"))
    },
    "var": .one { call throws(TypeFault) in
      try call.tensor().var(dim: axes(call), correction: correction(call), keepdim: call.flag("keepdim"))
    },
    "std": .one { call throws(TypeFault) in
      try call.tensor().std(dim: axes(call), correction: correction(call), keepdim: call.flag("keepdim"))
    },
    "var_mean": .several { call throws(TypeFault) in
      let (variance, mean) = varMean(
        try call.tensor(), dim: try axes(call), correction: try correction(call), keepdim: try call.flag("keepdim"))
      return [variance, mean]
    },
    "std_mean": .several { call throws(TypeFault) in
      let (deviation, mean) = stdMean(
        try call.tensor(), dim: try axes(call), correction: try correction(call), keepdim: try call.flag("keepdim"))
      return [deviation, mean]
    },
    "aminmax": .several { call throws(TypeFault) in
      let (x, keepdim) = (try call.tensor(), try call.flag("keepdim"))
      let axes = try call.optionalInteger("dim").map { [$0] }
      return [x.amin(dim: axes, keepdim: keepdim), x.amax(dim: axes, keepdim: keepdim)]
    },
    "count_nonzero": .one { call throws(TypeFault) in try call.tensor().countNonzero(dim: axes(call)) },
    "nansum": .one { call throws(TypeFault) in
      try call.tensor().nansum(dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "nanmean": .one { call throws(TypeFault) in
      try call.tensor().nanmean(dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "trace": .unary { $0.trace() },
    "cummax": .several { call throws(TypeFault) in
      let (values, indices) = try call.tensor().cummax(dim: call.integer("dim"))
      return [values, indices]
    },
    "cummin": .several { call throws(TypeFault) in
      let (values, indices) = try call.tensor().cummin(dim: call.integer("dim"))
      return [values, indices]
    },
    "logcumsumexp": .one { call throws(TypeFault) in try call.tensor().logcumsumexp(dim: call.integer("dim")) },
    "diff": .one { call throws(TypeFault) in
      let (dim, n) = (try call.integer("dim"), try call.integer("n"))
      // Without a difference nothing is put before or behind either.
      guard n > 0 else {
        for name in ["prepend", "append"] { call.ignore(name) }
        return try call.tensor()
      }
      let parts = try [call.optional("prepend"), call.tensor(), call.optional("append")].compactMap { $0 }
      return cat(parts, dim: dim).diff(n: n, dim: dim)
    },
    "nanmedian": .unary { $0.nanmedian() },
    "nanmedian.dim": .alongAxis { $0.nanmedian(dim: $1, keepdim: $2) },
    "mode": .alongAxis { $0.mode(dim: $1, keepdim: $2) },
    "quantile": .one { call throws(TypeFault) in
      try call.tensor().quantile(
        call.tensor("q"), dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"),
        interpolation: interpolation(call))
    },
    "quantile.scalar": .one { call throws(TypeFault) in
      try call.tensor().quantile(
        call.float("q"), dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"),
        interpolation: interpolation(call))
    },
    "nanquantile": .one { call throws(TypeFault) in
      try call.tensor().nanquantile(
        call.tensor("q"), dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"),
        interpolation: interpolation(call))
    },
    "nanquantile.scalar": .one { call throws(TypeFault) in
      try call.tensor().nanquantile(
        call.float("q"), dim: call.optionalInteger("dim"), keepdim: call.flag("keepdim"),
        interpolation: interpolation(call))
    },
    "msort": .unary { $0.msort() },
    "trapezoid.dx": .one { call throws(TypeFault) in
      try call.tensor("y").trapezoid(dx: call.float("dx"), dim: call.integer("dim"))
    },
    "cumulative_trapezoid.dx": .one { call throws(TypeFault) in
      try call.tensor("y").cumulativeTrapezoid(dx: call.float("dx"), dim: call.integer("dim"))
    },
    "trapezoid.x": .one { call throws(TypeFault) in
      try call.tensor("y").trapezoid(x: call.tensor("x"), dim: call.integer("dim"))
    },
    "cumulative_trapezoid.x": .one { call throws(TypeFault) in
      try call.tensor("y").cumulativeTrapezoid(x: call.tensor("x"), dim: call.integer("dim"))
    },
    "renorm": .one { call throws(TypeFault) in
      let (x, p) = (try call.tensor(), try call.float("p"))
      let (dim, largest) = (try call.integer("dim"), try call.float("maxnorm"))
      let norm = x.norm(p: p, dim: (0..<x.rank).filter { $0 != (dim < 0 ? dim + x.rank : dim) }, keepdim: true)
      return x * (norm .> largest).select(norm.fullLike(largest) / (norm + 1e-7), norm.onesLike())
    },
    "histc": .one(histogram),
    "median": .unary { $0.median() },
    "median.dim": .alongAxis { $0.median(dim: $1, keepdim: $2) },
    "kthvalue": .several { call throws(TypeFault) in
      let (values, indices) = try call.tensor().kthvalue(
        call.integer("k"), dim: call.integer("dim"), keepdim: call.flag("keepdim"))
      return [values, indices]
    },
    "logsumexp": .one { call throws(TypeFault) in
      try call.tensor().logsumexp(dim: call.integers("dim"), keepdim: call.flag("keepdim"))
    },
    "linalg_vector_norm": .one { call throws(TypeFault) in
      try call.tensor().norm(
        p: call.float("ord"), dim: axes(call), keepdim: call.flag("keepdim"), dtype: call.dtype())
    },
    "norm": .one { call throws(TypeFault) in
      try call.tensor().norm(p: call.optionalFloat("p") ?? 2, dim: axes(call), keepdim: call.flag("keepdim"))
    },
    "cumsum": .one { call throws(TypeFault) in try call.tensor().cumsum(dim: call.integer("dim"), dtype: call.dtype())
    },
    "cumprod": .one { call throws(TypeFault) in try call.tensor().cumprod(dim: call.integer("dim"), dtype: call.dtype())
    },
    "topk": .several { call throws(TypeFault) in
      let (values, indices) = try call.tensor().topk(
        call.integer("k"), dim: call.integer("dim"), largest: call.flag("largest"))
      return [values, indices]
    },
    "sort": .several { call throws(TypeFault) in
      let (values, indices) = try call.tensor().sort(
        dim: call.integer("dim"), descending: call.flag("descending"))
      return [values, indices]
    },
    "argsort": .one { call throws(TypeFault) in
      try call.tensor().argsort(dim: call.integer("dim"), descending: call.flag("descending"))
    },
  ]

  /// The values and their places along an axis.
  private static func alongAxis(
    _ function: @escaping @Sendable (Tensor, Int, Bool) -> (values: Tensor, indices: Tensor)
  ) -> Operator {
    .several { call throws(TypeFault) in
      let (values, indices) = function(try call.tensor(), try call.integer("dim"), try call.flag("keepdim"))
      return [values, indices]
    }
  }

  /// How many elements are in each of equal ranges between two numbers; those outside of them count nowhere.
  private static func histogram(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, bins) = (try call.tensor().flatten(), try call.integer("bins"))
    let (low, high) = (try call.float("min"), try call.float("max"))
    guard low < high, bins > 0 else { throw TypeFault("needs numbers for the first and the last range") }
    let place = ((x - low) * (Double(bins) / (high - low))).floor().clamp(max: Double(bins - 1))
    let isInside = (x .>= low) .& (x .<= high)
    let ranges = call.builder.iota(TensorType(x.dtype, [Dim(bins)]), axis: 0)
    return ((place.unsqueeze(dim: 1) .== ranges) .& isInside.unsqueeze(dim: 1)).sum(dim: 0, dtype: x.dtype)
  }

  private static func interpolation(_ call: Call) throws(TypeFault) -> QuantileInterpolation {
    let name = try call.string("interpolation")
    guard let interpolation = QuantileInterpolation(rawValue: name) else {
      throw TypeFault("the interpolation '\(name)' is not known")
    }
    return interpolation
  }

  /// The axes that are reduced; nil for all.
  private static func axes(_ call: Call) throws(TypeFault) -> [Int]? {
    guard call.has("dim") else { return nil }
    let axes = try call.integers("dim")
    return axes.isEmpty ? nil : axes
  }

  private static func correction(_ call: Call) throws(TypeFault) -> Double {
    if call.has("unbiased") { return try call.flag("unbiased") ? 1 : 0 }
    return try call.optionalFloat("correction") ?? 1
  }
}
