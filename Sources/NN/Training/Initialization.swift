import Foundation
package import LatheCore

/// The function `initialize`, which gives all variables of a model their first contents.
///
/// Its input `seed`, `u64[]`, is what drawn numbers depend on, those of later runs too; other variables get their initial
/// content. All back-ends draw the same, to the rounding of their mathematical functions and factorizations.
///
/// - Parameters:
///   - variables: All variables of the model.
///   - initializers: How those are drawn that are, by name.
///   - context: The names of the traced module that the variables belong to.
/// - Throws: That a graph cannot draw what an initializer asks for.
package func initialization(
  of variables: [Variable], drawing initializers: [String: Initializer] = [:], context: (any Sendable)? = nil
) throws(DiagnosticsError) -> Graph {
  let builder = Builder(context: context)
  _ = builder.input("seed", .scalar(.u64))
  for variable in variables where variable.name != Builder.seedVariable {
    _ = builder.variable(variable)
    let content =
      if let initializer = initializers[variable.name], !variable.initial.bytes.isEmpty {
        try builder.drawn(initializer, variable)
      } else {
        builder.tracedContent(of: variable)
      }
    builder.update(variable.name, to: content)
  }
  if let seed = variables.first(where: { $0.name == Builder.seedVariable }) {
    builder.update(seed.name, to: builder.variable(seed) + 1)
  }
  // Random numbers depend on the variable that runs move on; here, on what is given.
  let graph = try builder.finish(name: "initialize", outputs: [])
  var seed: [Tensor] = []
  return try graph.rebuilt { node, _, _, builder in
    switch node.operation {
    case .input(let input):
      seed = [builder.input(input.argument, input.type)]
      return seed
    case .variable(let read) where read.variable == Builder.seedVariable: return seed
    default: return nil
    }
  }
}

extension Builder {
  /// The variable that random numbers depend on.
  static let seedVariable = "random.seed"

  /// The content that a variable was traced with.
  fileprivate func tracedContent(of variable: Variable) -> Tensor {
    // What is the same everywhere takes no room in the weights.
    if let first = variable.initial.first, variable.initial.values.allSatisfy({ $0 == first }) {
      return full(variable.type, first)
    }
    return constant(variable.initial)
  }

  /// The first content of a variable with elements, drawn where its rule draws.
  fileprivate func drawn(_ initializer: Initializer, _ variable: Variable) throws(DiagnosticsError) -> Tensor {
    let type = variable.type
    switch initializer {
    case .uniform(let low, let high): return rand(type.shape, dtype: type.dtype) * (high - low) + low
    case .normal(let mean, let std, let zeroRow):
      let numbers = randn(type.shape, dtype: type.dtype) * std + mean
      guard let zeroRow else { return numbers }
      return (iota(type.with(dtype: .i64), axis: 0) .== zeroRow).select(numbers.zerosLike(), numbers)
    case .truncNormal(let mean, let std, let a, let b):
      let (low, high) = (erf((a - mean) / std / 2.0.squareRoot()), erf((b - mean) / std / 2.0.squareRoot()))
      guard high - low > 1e-6 else {
        throw DiagnosticsError(
          "parameter '\(variable.name)' is \(type), of normal numbers only a share of \((high - low) / 2) lies in "
            + "\(a)...\(b)", help: "draw it otherwise, or give its content")
      }
      // By the inverse of the distribution; of all 2^32 numbers none is an end of the range.
      let unit = (randomBits(type.shape).convert(to: .f64) + 0.5) * 0x1p-32
      let numbers = (unit * (high - low) + low).erfinv() * (std * 2.0.squareRoot()) + mean
      return numbers.clamp(min: a, max: b).convert(to: type.dtype)
    case .orthogonal(let gain):
      let rows = variable.initial.shape[0]
      let columns = variable.initial.shape.dropFirst().reduce(1, *)
      let numbers = randn(max(rows, columns), min(rows, columns), dtype: type.dtype == .f64 ? .f64 : .f32)
      // With a positive diagonal of r, q is evenly distributed.
      let (q, r) = numbers.qr()
      let signs = (r.diagonal() .< 0).select(-r.diagonal().onesLike(), r.diagonal().onesLike())
      let matrix = q * signs * gain
      return (rows < columns ? matrix.mT : matrix).reshape(type.shape).convert(to: type.dtype)
    case .sparse(let sparsity, let std):
      let zeros = (sparsity * Double(variable.initial.shape[0])).rounded(.up)
      // Each column of the order is a permutation of its own.
      let order = randomBits(type.shape).argSort(axis: 0)
      let numbers = randn(type.shape, dtype: type.dtype) * std
      return (order .< zeros).select(numbers.zerosLike(), numbers)
    case .constant, .eye, .dirac, .literal: return tracedContent(of: variable)
    case .xavierUniform, .xavierNormal, .kaimingUniform, .kaimingNormal:
      internalError("the initializer of '\(variable.name)' is not reduced to its bounds")
    }
  }
}
