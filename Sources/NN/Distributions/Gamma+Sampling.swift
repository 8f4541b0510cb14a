import LatheCore

/// Numbers drawn by rejection: of candidates that are all drawn at once, the first that is accepted.
extension Tensor {
  /// Numbers of the gamma distribution of these orders and rate 1, whose gradient is that of the order that has the same
  /// probability below: `torch._standard_gamma`.
  func standardGamma() -> Tensor {
    composite("standardGamma", [self]) {
      if dtype.byteCount < 4 { return convert(to: .f32).standardGamma().convert(to: dtype) }
      // Numbers of small orders are those of greater ones, shortened.
      let shortening = builder.rand(shape, dtype: dtype)
      let candidates = [Dim(Self.candidateCount)] + shape
      let normal = builder.randn(candidates, dtype: dtype)
      let uniform = builder.rand(candidates, dtype: dtype)
      return withGradient("standardGamma", [self, shortening, normal, uniform]) {
        [Self.gammaNumber($0[0], $0[1], $0[2], $0[3])]
      } backward: { inputs, outputs, gradients in
        // Where the share below stays: dx / da = -(dP / da) / (dP / dx).
        let (a, x) = (inputs[0], outputs[0])
        let share = a.gammainc(x)
        let weight = gradients[0] / Self.gammaDensity(a, x)
        return [-LatheNN.gradients(of: [(share, weight)], withRespectTo: [a])[0], nil, nil, nil]
      }[0]
    }
  }

  /// How many candidates there are: each is rejected with a probability of at most 0.05, the last one stands.
  private static let candidateCount = 12

  /// Source: Marsaglia and Tsang, A simple method for generating gamma variables, 2000.
  private static func gammaNumber(_ a: Tensor, _ shortening: Tensor, _ normal: Tensor, _ uniform: Tensor) -> Tensor {
    let isSmall = a .< 1
    let d = isSmall.select(a + 1, a) - 1.0 / 3
    let c = (d * 9).rsqrt()
    let root = normal * c + 1
    let isPositive = root .> 0
    let v = isPositive.select(root * root * root, root.onesLike())
    let isAccepted =
      isPositive .& ((1 - uniform).log() .< normal * normal * 0.5 + (1 - v + v.log()) * d)
    let number = (v.firstCandidate(isAccepted) * d)
    // 0 would have no logarithm in densities.
    let smallest = a.dtype == .f64 ? Double.leastNormalMagnitude : Double(Float.leastNormalMagnitude)
    let factor = ((1 - shortening).log() / a).exp()
    return isSmall.select(number * factor, number).maximum(a.fullLike(smallest))
  }

  /// Along the first axis the first element where a condition holds, or the last element.
  fileprivate func firstCandidate(_ isAccepted: Tensor) -> Tensor {
    // The first of the greatest.
    let place = isAccepted.convert(to: .i32).argmax(dim: 0, keepdim: true)
    let isNone = ~isAccepted.any(dim: 0, keepdim: true)
    let last = place.fullLike((shape[0].known ?? 1) - 1)
    return gather(dim: 0, isNone.select(last, place)).squeeze(dim: 0)
  }

  /// Whole numbers of the Poisson distribution with these rates, of this type.
  func poissonNumber() -> Tensor {
    composite("poisson", [self]) {
      let rate = detach().convert(to: .f64)
      let isSmall = rate .< 10
      let low = isSmall.select(rate, rate.onesLike())
      // The number of sums of probabilities that lie below an even number.
      let counted = counted(low.zerosLike(), first: (-low).exp(), steps: 96) { probability, number in
        probability * low / number
      }
      // Hörmann, The transformed rejection method for generating Poisson random variables, 1993.
      let high = isSmall.select(rate.fullLike(10), rate)
      let b = high.sqrt() * 2.53 + 0.931
      let a = b * 0.02483 - 0.059
      let inverse = 1.1328 / (b - 3.4) + 1.1239
      let limit = 0.9277 - 3.6224 / (b - 2)
      let candidates = hats(high, a, b, high + 0.43)
      let k = candidates.number
      let isSure = (candidates.distance .>= 0.07) .& (candidates.test .<= limit)
      let isImpossible = (k .< 0) .| ((candidates.distance .< 0.013) .& (candidates.test .> candidates.distance))
      let kept = isImpossible.select(k.zerosLike(), k)
      let hat = candidates.test.log() + inverse.log() - candidates.hat.log()
      let isBelow = hat .<= kept * high.log() - high - (kept + 1).lgamma()
      let rejected = k.firstCandidate(isSure .| (isBelow .& ~isImpossible)).maximum(0)
      return (rate .<= 0).select(rate.zerosLike(), isSmall.select(counted, rejected)).convert(to: dtype)
    }
  }

  /// Whole numbers of the binomial distribution with these counts, of this type.
  func binomialNumber(_ probability: Tensor) -> Tensor {
    composite("binomial", [self, probability]) {
      let n = detach().convert(to: .f64)
      let given = probability.detach().convert(to: .f64)
      // Of both outcomes the rarer one is counted.
      let isRare = given .<= 0.5
      let p = isRare.select(given, 1 - given)
      let isSmall = n * p .< 10
      let odds = p / (1 - p)
      let counted = counted(n, first: ((-p).log1p() * n).exp(), steps: 96) { chance, number in
        chance * (n - number + 1) / number * odds
      }
      // Hörmann, The generation of binomial random variates, 1993.
      let count = isSmall.select(n.fullLike(40), n)
      let share = isSmall.select(p.fullLike(0.5), p)
      let deviation = (count * share * (1 - share)).sqrt()
      let b = deviation * 2.53 + 1.15
      let a = b * 0.0248 + share * 0.01 - 0.0873
      let limit = 0.92 - 4.2 / b
      let alpha = (5.1 / b + 2.83) * deviation
      let mode = ((count + 1) * share).floor()
      let candidates = hats(count, a, b, count * share + 0.5)
      let k = candidates.number
      let isInside = (k .>= 0) .& (k .<= count)
      let isSure = (candidates.distance .>= 0.07) .& (candidates.test .<= limit)
      let kept = isInside.select(k, mode.expanded(to: k.shape))
      let hat = (candidates.test * alpha / candidates.hat).log()
      let height =
        (mode + 1).lgamma() + (count - mode + 1).lgamma() - (kept + 1).lgamma() - (count - kept + 1).lgamma()
        + (kept - mode) * (share / (1 - share)).log()
      let isBelow = hat .<= height
      let rejected = k.firstCandidate(isInside .& (isSure .| isBelow)).maximum(0).minimum(count)
      let number = isSmall.select(counted.minimum(n), rejected)
      return isRare.select(number, n - number).convert(to: dtype)
    }
  }

  /// Candidates below a hat over a distribution of whole numbers around a middle.
  private func hats(
    _ like: Tensor, _ a: Tensor, _ b: Tensor, _ middle: Tensor
  ) -> (number: Tensor, distance: Tensor, hat: Tensor, test: Tensor) {
    let shape = [Dim(Self.hatCount)] + like.shape
    let u = like.noise(shape) - 0.5
    let distance = 0.5 - u.abs()
    let number = ((a * 2 / distance + b) * u + middle).floor()
    return (number, distance, a / (distance * distance) + b, like.noise(shape))
  }

  /// Candidates below hats are rejected with a probability of at most 0.3.
  private static let hatCount = 32

  /// How many sums of probabilities, from the first one on, lie below an even number.
  private func counted(
    _ like: Tensor, first: Tensor, steps: Int, _ next: (_ probability: Tensor, _ number: Tensor) -> Tensor
  ) -> Tensor {
    let uniform = like.noise(first.shape)
    let initial = [first.zerosLike(), first, first, first.zerosLike()]
    return scan(initial, over: [], length: Dim(steps)) { state, _ in
      let number = state[3] + 1
      let isBeyond = uniform .> state[2]
      let probability = next(state[1], number)
      return ([state[0] + isBeyond.convert(to: .f64), probability, state[2] + probability, number], [])
    }.state[0]
  }
}
