public import LatheCore
public import Testing

/// One small use of a primitive: what it computes is checked by the oracle, its gradient by differences, its text by the
/// round trip, and every back-end against the oracle.
public struct PrimitiveCase: Sendable, CustomTestStringConvertible {
  /// An operand, named `x0`, `x1` … in the graph.
  public enum Operand: Sendable {
    /// Numbers of the case's element type, different from each other, spread over a range.
    case spread([Int], ClosedRange<Double>)
    /// Numbers of the case's element type.
    case values([Int], [Double])
    /// An array of a type of its own.
    case fixed(NDArray)
  }

  /// How often the case can be differentiated, where it is checked.
  public enum Smoothness: Int, Sendable, Comparable {
    case none, once, twice

    public static func < (a: Smoothness, b: Smoothness) -> Bool { a.rawValue < b.rawValue }
  }

  public let name: String
  public let operands: [Operand]
  public let smoothness: Smoothness
  /// The element types that the case can be built for; one that does not matter where all operands are fixed.
  public let dtypes: [ScalarType]
  private let body: @Sendable (Builder, [Tensor]) throws -> [Tensor]

  public init(
    _ name: String, _ operands: [Operand], smoothness: Smoothness = .twice, dtypes: [ScalarType] = [.f64, .f32],
    _ body: @escaping @Sendable (Builder, [Tensor]) throws -> [Tensor]
  ) {
    self.name = name
    self.operands = operands
    self.smoothness = smoothness
    self.dtypes = dtypes
    self.body = body
  }

  public var testDescription: String { name }

  /// The operands' contents, by the names of the inputs.
  public func inputs(_ dtype: ScalarType) -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for (position, operand) in operands.enumerated() {
      switch operand {
      case .spread(let shape, let range):
        let numbers = Self.spread(count: shape.reduce(1, *), range, seed: position)
        result["x\(position)"] = unfailing {
          try NDArray(dtype: dtype, shape: shape, values: numbers.map { .float($0) })
        }
      case .values(let shape, let numbers):
        result["x\(position)"] = unfailing {
          try NDArray(dtype: dtype, shape: shape, values: numbers.map { .float($0) })
        }
      case .fixed(let array): result["x\(position)"] = array
      }
    }
    return result
  }

  /// Different numbers in a range, without pattern: multiples of the golden ratio.
  static func spread(count: Int, _ range: ClosedRange<Double>, seed: Int) -> [Double] {
    (0..<count).map { index in
      let position = (Double(index + 1) * 0.618_033_988_749_895 + Double(seed) * 0.3).truncatingRemainder(dividingBy: 1)
      return range.lowerBound + (range.upperBound - range.lowerBound) * position
    }
  }

  /// The graph of the case: inputs `x0` …, outputs `y0` ….
  public func graph(_ dtype: ScalarType) throws -> Graph {
    let builder = Builder()
    let results = try body(builder, arguments(builder, dtype))
    return try builder.finish(name: "main", outputs: results.enumerated().map { ("y\($0)", $1) })
  }

  /// The weighted sum of the float results as output `loss`, or of their gradients where `order` is 2.
  public func lossGraph(_ dtype: ScalarType, order: Int) throws -> Graph {
    let builder = Builder()
    let (results, _) = try results(builder, dtype, order: order - 1)
    return try builder.finish(name: "loss", outputs: [("loss", Self.weightedSum(results))])
  }

  /// The gradients of `lossGraph` with respect to the float inputs, as outputs `grad/x0` ….
  public func gradientGraph(_ dtype: ScalarType, order: Int) throws -> Graph {
    let builder = Builder()
    let (gradients, names) = try results(builder, dtype, order: order)
    return try builder.finish(name: "gradient", outputs: zip(names, gradients).map { ("grad/\($0)", $1) })
  }

  private func arguments(_ builder: Builder, _ dtype: ScalarType) -> [Tensor] {
    let contents = inputs(dtype)
    return operands.indices.compactMap { position in
      contents["x\(position)"].map { builder.input("x\(position)", $0.type) }
    }
  }

  /// The float results, or their gradients after one or more reversals.
  private func results(_ builder: Builder, _ dtype: ScalarType, order: Int) throws -> ([Tensor], [String]) {
    let arguments = arguments(builder, dtype)
    let floats = arguments.indices.filter { arguments[$0].dtype.isFloat }
    var results = try body(builder, arguments).filter(\.dtype.isFloat)
    for _ in 0..<order {
      results = builder.gradients(
        of: results.enumerated().map { ($1, Self.weights($1, seed: $0)) }, withRespectTo: floats.map { arguments[$0] })
    }
    return (results, floats.map { "x\($0)" })
  }

  private static func weights(_ tensor: Tensor, seed: Int) -> Tensor {
    let shape = tensor.shape.known ?? []
    let numbers = spread(count: shape.reduce(1, *), 0.5...1.5, seed: seed + 7)
    return tensor.builder.constant(
      unfailing { try NDArray(dtype: tensor.dtype, shape: shape, values: numbers.map { .float($0) }) })
  }

  private static func weightedSum(_ tensors: [Tensor]) -> Tensor {
    let sums = tensors.enumerated().map { position, tensor in
      (tensor * weights(tensor, seed: position)).reduce(.sum, axes: Array(0..<tensor.rank))
    }
    return sums.dropFirst().reduce(sums[0]) { $0 + $1 }
  }
}
