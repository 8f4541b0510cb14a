import LatheCore
import LatheNN

extension GoldenCall {
  func special(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "i0", "special.i0": return [x.i0()]
    case "special.i0e": return [x.i0e()]
    case "special.i1": return [x.i1()]
    case "special.i1e": return [x.i1e()]
    case "special.bessel_j0": return [x.besselJ0()]
    case "special.bessel_j1": return [x.besselJ1()]
    case "special.bessel_y0": return [x.besselY0()]
    case "special.bessel_y1": return [x.besselY1()]
    case "special.modified_bessel_k0": return [x.modifiedBesselK0()]
    case "special.modified_bessel_k1": return [x.modifiedBesselK1()]
    case "special.scaled_modified_bessel_k0": return [x.scaledModifiedBesselK0()]
    case "special.scaled_modified_bessel_k1": return [x.scaledModifiedBesselK1()]
    case "special.spherical_bessel_j0": return [x.sphericalBesselJ0()]
    case "special.airy_ai": return [x.airyAi()]
    case "special.erfcx": return [x.erfcx()]
    case "special.log_ndtr": return [x.logNdtr()]
    case "special.ndtri": return [x.ndtri()]
    case "mvlgamma": return [x.mvlgamma(int(1) ?? 0)]
    case "special.multigammaln": return [x.multigammaln(int(1) ?? 0)]
    case "special.polygamma": return [x.polygamma(int(0) ?? 0)]
    case "special.zeta": return [x.zeta(tensor(1))]
    case "special.gammainc": return [x.gammainc(tensor(1))]
    case "special.gammaincc": return [x.gammaincc(tensor(1))]
    case "complex": return [complex(x, tensor(1))]
    case "polar": return [polar(x, tensor(1))]
    default: break
    }
    let parts = name.split(separator: ".").map(String.init)
    switch parts[0] {
    case "special": return polynomial(parts[1], x, int(1) ?? 0)
    case "fft": return fourier(parts[1], x)
    case "complex_pairs": return complexNumbers(parts[1], x)
    case "distributions": return distribution(parts[1], parts[2])
    default: return nil
    }
  }

  private func polynomial(_ name: String, _ x: Tensor, _ n: Int) -> [Tensor]? {
    switch name {
    case "chebyshev_polynomial_t": [x.chebyshevPolynomialT(n)]
    case "chebyshev_polynomial_u": [x.chebyshevPolynomialU(n)]
    case "chebyshev_polynomial_v": [x.chebyshevPolynomialV(n)]
    case "chebyshev_polynomial_w": [x.chebyshevPolynomialW(n)]
    case "shifted_chebyshev_polynomial_t": [x.shiftedChebyshevPolynomialT(n)]
    case "shifted_chebyshev_polynomial_u": [x.shiftedChebyshevPolynomialU(n)]
    case "shifted_chebyshev_polynomial_v": [x.shiftedChebyshevPolynomialV(n)]
    case "shifted_chebyshev_polynomial_w": [x.shiftedChebyshevPolynomialW(n)]
    case "hermite_polynomial_h": [x.hermitePolynomialH(n)]
    case "hermite_polynomial_he": [x.hermitePolynomialHe(n)]
    case "laguerre_polynomial_l": [x.laguerrePolynomialL(n)]
    case "legendre_polynomial_p": [x.legendrePolynomialP(n)]
    default: nil
    }
  }

  private func complexNumbers(_ name: String, _ z: Tensor) -> [Tensor]? {
    switch name {
    case "real": [Complex.real(z)]
    case "imag": [Complex.imag(z)]
    case "conj": [Complex.conj(z)]
    case "angle": [Complex.angle(z)]
    case "abs": [Complex.abs(z)]
    case "exp": [Complex.exp(z)]
    case "mul": [Complex.mul(z, tensor(1))]
    case "div": [Complex.div(z, tensor(1))]
    case "matmul": [Complex.matmul(z, tensor(1))]
    default: nil
    }
  }

  private func fourier(_ name: String, _ x: Tensor) -> [Tensor]? {
    let norm = text(99, "norm").flatMap { FFT.Norm(rawValue: $0) } ?? .backward
    let (n, dim) = (int(99, "n"), int(99, "dim") ?? -1)
    let (s, dims) = (ints(99, "s"), ints(99, "dim"))
    switch name {
    case "fft": return [FFT.fft(x, n: n, dim: dim, norm: norm)]
    case "ifft": return [FFT.ifft(x, n: n, dim: dim, norm: norm)]
    case "rfft": return [FFT.rfft(x, n: n, dim: dim, norm: norm)]
    case "irfft": return [FFT.irfft(x, n: n, dim: dim, norm: norm)]
    case "hfft": return [FFT.hfft(x, n: n, dim: dim, norm: norm)]
    case "ihfft": return [FFT.ihfft(x, n: n, dim: dim, norm: norm)]
    case "fft2": return [FFT.fft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "ifft2": return [FFT.ifft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "rfft2": return [FFT.rfft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "irfft2": return [FFT.irfft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "hfft2": return [FFT.hfft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "ihfft2": return [FFT.ihfft2(x, s: s, dim: dims ?? [-2, -1], norm: norm)]
    case "fftn": return [FFT.fftn(x, s: s, dim: dims, norm: norm)]
    case "ifftn": return [FFT.ifftn(x, s: s, dim: dims, norm: norm)]
    case "rfftn": return [FFT.rfftn(x, s: s, dim: dims, norm: norm)]
    case "irfftn": return [FFT.irfftn(x, s: s, dim: dims, norm: norm)]
    case "hfftn": return [FFT.hfftn(x, s: s, dim: dims, norm: norm)]
    case "ihfftn": return [FFT.ihfftn(x, s: s, dim: dims, norm: norm)]
    case "fftfreq": return [FFT.fftfreq(int(0) ?? 0, d: double(99, "d") ?? 1, dtype: .f64, in: builder)]
    case "rfftfreq": return [FFT.rfftfreq(int(0) ?? 0, d: double(99, "d") ?? 1, dtype: .f64, in: builder)]
    case "fftshift": return [FFT.fftshift(x, dim: dims, isReal: true)]
    case "ifftshift": return [FFT.ifftshift(x, dim: dims, isReal: true)]
    default: return nil
    }
  }

  /// A distribution by its name in the goldens, and how many parameters it takes.
  private func made(_ name: String, _ p: [Tensor]) -> (any Distribution)? {
    typealias D = Distributions
    switch name {
    case "Normal": return D.Normal(p[0], p[1])
    case "LogNormal": return D.LogNormal(p[0], p[1])
    case "HalfNormal": return D.HalfNormal(p[0])
    case "Uniform": return D.Uniform(p[0], p[1])
    case "Exponential": return D.Exponential(p[0])
    case "Laplace": return D.Laplace(p[0], p[1])
    case "Gumbel": return D.Gumbel(p[0], p[1])
    case "Cauchy": return D.Cauchy(p[0], p[1])
    case "Gamma": return D.Gamma(p[0], p[1])
    case "Chi2": return D.Chi2(p[0])
    case "Beta": return D.Beta(p[0], p[1])
    case "StudentT": return D.StudentT(p[0], p[1], p[2])
    case "Dirichlet": return D.Dirichlet(p[0])
    case "MultivariateNormal": return D.MultivariateNormal(p[0], scaleTril: p[1])
    case "Bernoulli": return D.Bernoulli(probs: p[0])
    case "BernoulliLogits": return D.Bernoulli(logits: p[0])
    case "Categorical": return D.Categorical(probs: p[0])
    case "CategoricalLogits": return D.Categorical(logits: p[0])
    case "OneHotCategorical": return D.OneHotCategorical(logits: p[0])
    case "Multinomial": return D.Multinomial(4, logits: p[0])
    case "Poisson": return D.Poisson(p[0])
    case "Binomial": return D.Binomial(6, logits: p[0])
    case "Geometric": return D.Geometric(probs: p[0])
    case "NegativeBinomial": return D.NegativeBinomial(p[0], probs: p[1])
    case "Independent": return D.Independent(D.Normal(p[0], p[1]), 1)
    case "Mixture": return D.MixtureSameFamily(D.Categorical(logits: p[0]), D.Normal(p[1], p[2]))
    case "Transformed":
      return D.TransformedDistribution(
        D.Normal(p[0], p[1]), [.sigmoid, .affine(loc: 1, scale: -2), .tanh, .exp])
    default: return nil
    }
  }

  private func distribution(_ name: String, _ function: String) -> [Tensor]? {
    let counts = [
      "HalfNormal": 1, "Exponential": 1, "Chi2": 1, "StudentT": 3, "Dirichlet": 1, "Bernoulli": 1, "BernoulliLogits": 1,
      "Categorical": 1, "CategoricalLogits": 1, "OneHotCategorical": 1, "Multinomial": 1, "Poisson": 1, "Binomial": 1,
      "Geometric": 1, "Mixture": 3,
    ]
    let count = counts[name] ?? 2
    guard inputs.count >= count, let p = made(name, Array(inputs.prefix(count))) else { return nil }
    let rest = Array(inputs.dropFirst(count))
    switch function {
    case "log_prob": return [p.logProb(rest[0])]
    case "mean": return [p.mean]
    case "variance": return [p.variance]
    case "entropy": return [p.entropy()]
    case "cdf": return [p.cdf(rest[0])]
    case "icdf": return [p.icdf(rest[0])]
    case "kl": return made(name, rest).map { [klDivergence(p, $0)] }
    default: return nil
    }
  }
}
