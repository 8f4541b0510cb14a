public import LatheCore

/// Powers, functions and products of matrices.
extension Linalg {
  /// The `n`-th powers of square matrices; negative ones of their inverses.
  public static func matrixPower(_ a: Tensor, _ n: Int) -> Tensor {
    composite("linalg.matrix_power", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      try requireBounded(n, "n")
      var (power, rest) = (n < 0 ? inv(a) : a, n.magnitude)
      var result: Tensor?
      while rest > 0 {
        if rest % 2 == 1 { result = result.map { matmul($0, power) } ?? power }
        rest /= 2
        if rest > 0 { power = matmul(power, power) }
      }
      return result ?? identity(a)
    }
  }

  /// The exponentials of square matrices.
  ///
  /// By scaling and squaring of a polynomial of degree 16, which is exact to rounding where the norm is at most 1/2. NaN
  /// where the largest norm is beyond 2^63.
  public static func matrixExp(_ a: Tensor) -> Tensor {
    composite("linalg.matrix_exp", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      if a.shape.contains(0) { return a }
      let norm = a.detach().abs().reduce(.sum, axes: [a.rank - 2]).amax()
      let count = (norm.log2() + 1).ceil().maximum(0)
      let x = a * (-count).exp2()
      let x2 = matmul(x, x)
      let (x3, x4) = (matmul(x2, x), matmul(x2, x2))
      func block(_ start: Int) -> Tensor {
        var factor = (1...max(start, 1)).reduce(1.0) { $0 / Double($1) }
        var sum = identity(a) * factor
        for (offset, power) in [x, x2, x3].enumerated() {
          factor /= Double(start + offset + 1)
          sum = sum + power * factor
        }
        return sum
      }
      let last = (1...16).reduce(1.0) { $0 / Double($1) }
      var sum = block(12) + x4 * last
      for start in [8, 4, 0] { sum = block(start) + matmul(x4, sum) }
      // A branch, so that steps that are not needed cost nothing.
      let zero = a.builder.scalar(.float(0), a.dtype)
      let (state, _) = scan([sum, zero], over: [], length: Dim(mostSquarings)) { state, _ in
        let next = LatheNN.cond(state[1] .< count) {
          [matmul(state[0], state[0])]
        } otherwise: {
          [state[0]]
        }
        return ([next[0], state[1] + 1], [])
      }
      let isComputed = count .<= Double(mostSquarings)
      return isComputed.select(state[0], state[0].filled(.float(.nan)))
    }
  }

  /// Matrices with norms beyond 2^63 have no exponential that means anything.
  private static let mostSquarings = 64

  /// The product of several matrices, in the order of multiplications that needs the fewest; the first and the last may
  /// be vectors.
  public static func multiDot(_ tensors: [Tensor]) -> Tensor {
    composite("linalg.multi_dot", tensors) { () throws(TypeFault) -> Tensor in
      guard tensors.count >= 2 else { throw TypeFault("needs at least two tensors, \(tensors.count) given") }
      var all = tensors
      if all[0].rank == 1 { all[0] = all[0].unsqueeze(dim: 0) }
      if all[all.count - 1].rank == 1 { all[all.count - 1] = all[all.count - 1].unsqueeze(dim: 1) }
      for (position, tensor) in all.enumerated() { try tensor.requireRank(2...2, "tensor \(position)") }
      var sizes: [Int] = []
      for tensor in all { sizes.append(try tensor.knownSize(0)) }
      sizes.append(try all[all.count - 1].knownSize(1))
      var result = product(all[...], sizes, 0)
      if tensors[0].rank == 1 { result = result.squeeze(dim: 0) }
      if tensors[tensors.count - 1].rank == 1 { result = result.squeeze(dim: -1) }
      return result
    }
  }

  /// Splits a chain of matrices, whose sizes are from `first` on, where that costs least.
  private static func product(_ tensors: ArraySlice<Tensor>, _ sizes: [Int], _ first: Int) -> Tensor {
    var known: [Range<Int>: (cost: Double, split: Int)] = [:]
    func best(_ range: Range<Int>) -> (cost: Double, split: Int) {
      if range.count == 1 { return (0, range.lowerBound) }
      if let best = known[range] { return best }
      var least = (cost: Double.infinity, split: range.lowerBound + 1)
      for split in range.dropFirst() {
        let own = Double(sizes[range.lowerBound]) * Double(sizes[split]) * Double(sizes[range.upperBound])
        let cost = best(range.lowerBound..<split).cost + best(split..<range.upperBound).cost + own
        if cost < least.cost { least = (cost, split) }
      }
      known[range] = least
      return least
    }
    func multiply(_ range: Range<Int>) -> Tensor {
      if range.count == 1 { return tensors[tensors.startIndex + range.lowerBound] }
      let split = best(range).split
      return matmul(multiply(range.lowerBound..<split), multiply(split..<range.upperBound))
    }
    return multiply(0..<tensors.count)
  }
}
