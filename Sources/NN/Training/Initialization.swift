package import LatheCore

/// The function `initialize`, which gives all variables of a model their first contents.
///
/// Its input `seed`, `u64[]`, is what drawn numbers depend on, those of later runs too; other variables get their initial
/// content.
///
/// - Parameters:
///   - variables: All variables of the model.
///   - initializers: How those are drawn that are, by name.
///   - context: The names of the traced module that the variables belong to.
package func initialization(
  of variables: [Variable], drawing initializers: [String: Initializer] = [:], context: (any Sendable)? = nil
) throws(DiagnosticsError) -> Graph {
  let builder = Builder(context: context)
  _ = builder.input("seed", .scalar(.u64))
  for variable in variables where variable.name != Builder.seedVariable {
    _ = builder.variable(variable)
    builder.update(variable.name, to: builder.content(of: variable, initializers[variable.name]))
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

  /// The first content of a variable.
  fileprivate func content(of variable: Variable, _ initializer: Initializer?) -> Tensor {
    let type = variable.type
    switch initializer {
    case .uniform(let low, let high): return rand(type.shape, dtype: type.dtype) * (high - low) + low
    case .normal(let mean, let std, let zeroRow):
      let numbers = randn(type.shape, dtype: type.dtype) * std + mean
      guard let zeroRow else { return numbers }
      return (iota(type.with(dtype: .i64), axis: 0) .== zeroRow).select(numbers.zerosLike(), numbers)
    default:
      // What is the same everywhere takes no room in the weights.
      if let first = variable.initial.first, variable.initial.values.allSatisfy({ $0 == first }) {
        return full(type, first)
      }
      return constant(variable.initial)
    }
  }
}
