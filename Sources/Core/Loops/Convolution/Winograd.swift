/// Winograd's convolution: squares of `size` by `size` results from as many products as a window of `size + 2` squared
/// has elements, instead of nine for each result.
///
/// With the matrices of Toom and Cook, `y = At ((G g Gt) * (Bt d B)) A` for a window `d` and a 3x3 weight `g`, where
/// the product in the middle is element by element, and, summed over channels, one matrix product for each element.
/// The matrices evaluate polynomials at 0, at pairs of points with both signs, and at infinity.
///
/// Winograd: Arithmetic Complexity of Computations (1980); Lavin, Gray: Fast Algorithms for Convolutional Neural
/// Networks, arXiv 1509.09308. The points are those with the least error found among fractions of powers of two, after
/// Barabasz et al.: Error Analysis and Improving the Accuracy of Winograd Convolution, arXiv 1803.10986: their
/// coefficients are exact in `f32`, and F(4x4, 3x3) has half the typical error that it has with the customary 1 and 2.
struct Winograd: Hashable, Sendable {
  /// Results along each axis of a square: 2 or 4.
  let size: Int

  /// Elements along each axis of the window that a square is computed from.
  var window: Int { size + 2 }
  /// The products for each pair of channels.
  var productCount: Int { window * window }

  /// Squares that cover `extent` results.
  func tiles(_ extent: Int) -> Int { (extent + size - 1) / size }

  /// The points that are used with both signs.
  private var points: [Double] { size == 2 ? [1] : [0.625, 1.5] }

  /// Coefficients, in ascending powers of `x^2`, of the product of `x^2 - point^2` over points.
  private static func product(_ points: [Double]) -> [Double] {
    points.reduce([1]) { product, point in
      var next = [0] + product
      for (power, coefficient) in product.enumerated() { next[power] -= point * point * coefficient }
      return next
    }
  }

  // MARK: Weights

  /// The rows of `G`: what each product takes of the three weights.
  private var weightRows: [[Double]] {
    let all = points.flatMap { [$0, -$0] }
    var rows = [[1 / all.reduce(1) { $0 * -$1 }, 0, 0]]
    for point in all {
      let scale = all.filter { $0 != point }.reduce(point) { $0 * (point - $1) }
      rows.append([1 / scale, point / scale, point * point / scale])
    }
    return rows + [[0, 0, 1]]
  }

  /// How many outputs the weights are computed for together: a line of a cache.
  private static let outputsTogether = 16

  /// The weights of the products, `[product][in][out]`, of `f32` weights `[out, in, 3, 3]`: computed in `f64`, rounded
  /// once.
  func weights(of array: NDArray) -> NDArray {
    let (outputs, inputs) = (array.shape[0], array.shape[1])
    let together = Self.outputsTogether
    let (rows, products) = (weightRows, productCount)
    return NDArray(dtype: .f32, shape: [products, inputs, outputs]) { buffer in
      guard let target = buffer.bindMemory(to: Float.self).baseAddress else { return }
      array.withUnsafeBytes { bytes in
        guard let source = bytes.bindMemory(to: Float.self).baseAddress else { return }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: (9 + products) * together) { scratch in
          guard let given = scratch.baseAddress else { return }
          given.initialize(repeating: 0, count: scratch.count)
          let transformed = given + 9 * together
          for first in stride(from: 0, to: outputs, by: together) {
            let count = min(together, outputs - first)
            for input in 0..<inputs {
              for output in 0..<count {
                let window = source + ((first + output) * inputs + input) * 9
                for element in 0..<9 { given[element * together + output] = Double(window[element]) }
              }
              transform(given, by: rows, to: transformed)
              for product in 0..<products {
                let line = target + (product * inputs + input) * outputs + first
                for output in 0..<count { line[output] = Float(transformed[product * together + output]) }
              }
            }
          }
        }
      }
    }
  }

  /// `G g Gt` of windows `[3][3][outputsTogether]`.
  private func transform(
    _ given: UnsafePointer<Double>, by rows: [[Double]], to result: UnsafeMutablePointer<Double>
  ) {
    let together = Self.outputsTogether
    withUnsafeTemporaryAllocation(of: Double.self, capacity: window * 3 * together) { scratch in
      guard let half = scratch.baseAddress else { return }
      /// What a row of `G` makes of three elements, a step apart.
      func line(_ row: [Double], _ source: UnsafePointer<Double>, step: Int, _ target: UnsafeMutablePointer<Double>) {
        let (first, second, third) = (row[0], row[1], row[2])
        for lane in 0..<together {
          target[lane] = first * source[lane] + second * source[step + lane] + third * source[2 * step + lane]
        }
      }
      for (i, row) in rows.enumerated() {
        for column in 0..<3 {
          line(row, given + column * together, step: 3 * together, half + (i * 3 + column) * together)
        }
      }
      for i in 0..<window {
        for (j, row) in rows.enumerated() {
          line(row, half + i * 3 * together, step: together, result + (i * window + j) * together)
        }
      }
    }
  }

  // MARK: Transforms

  /// `Bt d B` of a window, row by row.
  func input(_ window: [[Scalar]], _ scalars: ScalarBuilder) -> [[Scalar]] {
    twice(window) { inputLine($0, scalars) }
  }

  /// `At p A` of products, row by row.
  func output(_ products: [[Scalar]], _ scalars: ScalarBuilder) -> [[Scalar]] {
    twice(products) { outputLine($0, scalars) }
  }

  /// Applies a function to the columns, then to the rows of what comes of that.
  private func twice(_ square: [[Scalar]], _ line: ([Scalar]) -> [Scalar]) -> [[Scalar]] {
    let columns = square.indices.map { column in line(square.map { $0[column] }) }
    return columns[0].indices.map { row in line(columns.map { $0[row] }) }
  }

  /// `Bt d`: the even and the odd part of what belongs to a pair of points are computed once.
  private func inputLine(_ line: [Scalar], _ scalars: ScalarBuilder) -> [Scalar] {
    let all = Self.product(points)
    func sum(_ coefficients: [Double], from start: Int) -> Scalar {
      scalars.sum(coefficients.indices.map { (coefficients[$0], line[start + 2 * $0]) })
    }
    var result = [sum(all, from: 0)]
    for (position, point) in points.enumerated() {
      var others = points
      others.remove(at: position)
      let coefficients = Self.product(others)
      let (even, odd) = (sum(coefficients, from: 2), sum(coefficients, from: 1))
      result.append(scalars.sum([(point, odd), (1, even)]))
      result.append(scalars.sum([(-point, odd), (1, even)]))
    }
    result.append(sum(all, from: 1))
    return result
  }

  /// `At p`: sums and differences of what belongs to a pair of points are computed once.
  private func outputLine(_ line: [Scalar], _ scalars: ScalarBuilder) -> [Scalar] {
    let sums = points.indices.map { scalars.pointwise(.add, line[1 + 2 * $0], line[2 + 2 * $0]) }
    let differences = points.indices.map { scalars.pointwise(.subtract, line[1 + 2 * $0], line[2 + 2 * $0]) }
    return (0..<size).map { power in
      var terms = points.indices.map { position in
        (
          (0..<power).reduce(1.0) { product, _ in product * points[position] },
          power % 2 == 0 ? sums[position] : differences[position]
        )
      }
      if power == 0 { terms.append((1, line[0])) }
      if power == size - 1 { terms.append((1, line[line.count - 1])) }
      return scalars.sum(terms)
    }
  }
}

extension ScalarBuilder {
  /// A sum of scalars with constant factors, those with a factor of one first: the rest are multiply-adds.
  fileprivate func sum(_ terms: [(factor: Double, value: Scalar)]) -> Scalar {
    let ordered = terms.filter { $0.factor == 1 } + terms.filter { $0.factor != 1 && $0.factor != 0 }
    var result: Scalar?
    for (factor, value) in ordered {
      let isNegated = factor < 0 && result != nil
      let type = type(value)
      let magnitude = isNegated ? -factor : factor
      let term = magnitude == 1 ? value : pointwise(.multiply, value, constant(.float(magnitude), type))
      result = result.map { pointwise(isNegated ? .subtract : .add, $0, term) } ?? term
    }
    return result ?? constant(.float(0), .f32)
  }
}
