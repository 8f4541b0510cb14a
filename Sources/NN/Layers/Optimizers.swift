public import LatheCore

/// A rule that moves parameters along their gradients, with PyTorch's names, defaults and order of computation.
///
/// Everything it remembers is a variable of the graph, named `optimizer.NAME.PARAMETER`; the number of steps is
/// `optimizer.step`. Scalars that depend on it are computed in `f64`, as PyTorch does on the host.
///
/// Source: https://pytorch.org/docs/stable/optim.html
public struct Optimizer: Sendable {
  /// One parameter at one step, as a rule sees it.
  struct Step {
    let parameter: Tensor
    let gradient: Tensor
    /// The number of the step from 1 on, `f64[]`.
    let count: Tensor
    let name: String

    /// What the rule remembered for this parameter.
    func state(_ key: String, initial: Double = 0) -> Tensor { state(key, parameter.type, initial) }

    /// A number that the rule remembered for this parameter.
    func number(_ key: String, initial: Double) -> Tensor { state(key, .scalar(.f64), initial) }

    private func state(_ key: String, _ type: TensorType, _ initial: Double) -> Tensor {
      let value = Initializer.constant(initial).array(type, name: "", seed: 0)
      return parameter.builder.variable(Variable(name: variable(key), role: .buffer, initial: value))
    }

    func remember(_ key: String, _ value: Tensor) { parameter.builder.update(variable(key), to: value) }

    private func variable(_ key: String) -> String { "optimizer.\(key).\(name)" }
  }

  private let rule: @Sendable (Step) -> Tensor
  private let maximize: Bool

  private init(maximize: Bool, _ rule: @escaping @Sendable (Step) -> Tensor) {
    self.maximize = maximize
    self.rule = rule
  }

  /// Updates parameters along gradients; call it once for a graph.
  ///
  /// - Parameters:
  ///   - parameters: Variables with their content before the step.
  ///   - gradients: One for each.
  public func update(_ parameters: [(name: String, tensor: Tensor)], gradients: [Tensor]) {
    guard let builder = parameters.first?.tensor.builder else { return }
    let step = builder.variable(
      Variable(name: "optimizer.step", role: .buffer, initial: NDArray(scalar: .integer(0), dtype: .i64)))
    let next = step + 1
    builder.update("optimizer.step", to: next)
    let count = next.convert(to: .f64)
    for ((name, tensor), gradient) in zip(parameters, gradients) where !tensor.isPoisoned && !gradient.isPoisoned {
      let gradient = maximize ? -gradient : gradient
      builder.update(name, to: rule(Step(parameter: tensor, gradient: gradient, count: count, name: name)))
    }
  }

  /// Stochastic gradient descent, with momentum (Nesterov's if wanted) and weight decay.
  public static func sgd(
    lr: Double = 1e-3, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      guard momentum != 0 else { return step.parameter - gradient * lr }
      // The first step takes the gradient undamped.
      var buffer = step.state("momentum_buffer") * momentum + gradient * (1 - dampening)
      if dampening != 0 { buffer = (step.count .== 1).select(gradient, buffer) }
      step.remember("momentum_buffer", buffer)
      return step.parameter - (nesterov ? gradient + buffer * momentum : buffer) * lr
    }
  }

  /// Adam; `weightDecay` is added to the gradient.
  public static func adam(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      adam(step, step.parameter, decayed(step, weightDecay), lr, betas, eps, amsgrad)
    }
  }

  /// Adam with decoupled weight decay.
  public static func adamW(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 1e-2,
    amsgrad: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      adam(step, step.parameter * (1 - lr * weightDecay), step.gradient, lr, betas, eps, amsgrad)
    }
  }

  /// Adam with Nesterov's momentum.
  public static func nadam(
    lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    momentumDecay: Double = 4e-3, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      let (mean, square) = moments(step, gradient, betas)
      func momentum(_ count: Tensor) -> Tensor { (1 - 0.5 * power(0.96, count * momentumDecay)) * betas.0 }
      let (current, next) = (momentum(step.count), momentum(step.count + 1))
      let product = step.number("mu_product", initial: 1) * current
      step.remember("mu_product", product)
      let denominator = (square / (1 - power(betas.1, step.count))).sqrt() + eps
      let byGradient = (1 - current) / (1 - product) * lr
      let byMean = next / (1 - product * next) * lr
      return step.parameter - gradient / denominator * byGradient - mean / denominator * byMean
    }
  }

  /// Adam that starts without adaptation while its variance is not known well enough.
  public static func radam(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let (mean, square) = moments(step, decayed(step, weightDecay), betas)
      let corrected = mean / (1 - power(betas.0, step.count))
      let decay = power(betas.1, step.count)
      let limit = 2 / (1 - betas.1) - 1
      let length = limit - step.count * decay * 2 / (1 - decay)
      let isKnown = length .> 5
      // The unused root stays real.
      let safe = isKnown.select(length, length.fullLike(6))
      let rectified = ((safe - 4) * (safe - 2) * limit / (safe * ((limit - 4) * (limit - 2)))).sqrt()
      let adapted = (1 - decay).sqrt() * rectified / (square.sqrt() + eps)
      return step.parameter - corrected * isKnown.select(adapted, adapted.onesLike()) * lr
    }
  }

  /// Adam with the infinity norm.
  public static func adamax(
    lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      let mean = average(step, "exp_avg", gradient, betas.0)
      let norm = (step.state("exp_inf") * betas.1).maximum(gradient.abs() + eps)
      step.remember("exp_inf", norm)
      return step.parameter - mean / norm * (lr / (1 - power(betas.0, step.count)))
    }
  }

  /// Steps divided by the root of all squares so far.
  public static func adagrad(
    lr: Double = 1e-2, lrDecay: Double = 0, weightDecay: Double = 0, initialAccumulatorValue: Double = 0,
    eps: Double = 1e-10, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      let sum = step.state("sum", initial: initialAccumulatorValue) + gradient * gradient
      step.remember("sum", sum)
      return step.parameter - gradient / (sum.sqrt() + eps) * (lr / ((step.count - 1) * lrDecay + 1))
    }
  }

  /// Steps in the units of the parameter, from running averages of squared gradients and steps.
  public static func adadelta(
    lr: Double = 1, rho: Double = 0.9, eps: Double = 1e-6, weightDecay: Double = 0, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      let squares = average(step, "square_avg", gradient * gradient, rho)
      let steps = step.state("acc_delta")
      let delta = (steps + eps).sqrt() / (squares + eps).sqrt() * gradient
      step.remember("acc_delta", steps * rho + delta * delta * (1 - rho))
      return step.parameter - delta * lr
    }
  }

  /// Steps divided by the root of a running average of squares.
  public static func rmsprop(
    lr: Double = 1e-2, alpha: Double = 0.99, eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0,
    centered: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      var squares = average(step, "square_avg", gradient * gradient, alpha)
      if centered {
        let mean = average(step, "grad_avg", gradient, alpha)
        squares = squares - mean * mean
      }
      let scaled = gradient / (squares.sqrt() + eps)
      guard momentum != 0 else { return step.parameter - scaled * lr }
      let buffer = step.state("momentum_buffer") * momentum + scaled
      step.remember("momentum_buffer", buffer)
      return step.parameter - buffer * lr
    }
  }

  /// Steps by sign only, whose sizes grow while the sign stays and shrink where it changes.
  public static func rprop(
    lr: Double = 1e-2, etas: (Double, Double) = (0.5, 1.2), stepSizes: (Double, Double) = (1e-6, 50),
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let agreement = step.gradient * step.state("prev")
      let factor = (agreement .> 0).select(
        agreement.fullLike(etas.1), (agreement .< 0).select(agreement.fullLike(etas.0), agreement.onesLike()))
      let size = (step.state("step_size", initial: lr) * factor).clamp(min: stepSizes.0, max: stepSizes.1)
      // Where the sign changed nothing moves, and the next step counts as a first.
      let gradient = (agreement .< 0).select(step.gradient.zerosLike(), step.gradient)
      step.remember("prev", gradient)
      step.remember("step_size", size)
      return step.parameter - gradient.sign() * size
    }
  }

  /// Averaged stochastic gradient descent; the average is the variable `optimizer.ax.PARAMETER`.
  public static func asgd(
    lr: Double = 1e-2, lambd: Double = 1e-4, alpha: Double = 0.75, t0: Double = 1e6, weightDecay: Double = 0,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(maximize: maximize) { step in
      let gradient = decayed(step, weightDecay)
      let before = step.count - 1
      let rate = lr / (before * (lambd * lr) + 1).pow(alpha)
      let next = step.parameter * (1 - rate * lambd) - gradient * rate
      let average = step.state("ax")
      let share = 1 / (before - t0).maximum(1)
      step.remember("ax", (share .== 1).select(next, average + (next - average) * share))
      return next
    }
  }

  private static func decayed(_ step: Step, _ weightDecay: Double) -> Tensor {
    weightDecay == 0 ? step.gradient : step.gradient + step.parameter * weightDecay
  }

  /// `base` to the power of a number that the graph computes.
  private static func power(_ base: Double, _ exponent: Tensor) -> Tensor {
    exponent.fullLike(base).pow(exponent)
  }

  /// A running average, remembered.
  private static func average(_ step: Step, _ key: String, _ value: Tensor, _ decay: Double) -> Tensor {
    let result = step.state(key) * decay + value * (1 - decay)
    step.remember(key, result)
    return result
  }

  private static func moments(
    _ step: Step, _ gradient: Tensor, _ betas: (Double, Double)
  ) -> (mean: Tensor, square: Tensor) {
    (average(step, "exp_avg", gradient, betas.0), average(step, "exp_avg_sq", gradient * gradient, betas.1))
  }

  private static func adam(
    _ step: Step, _ parameter: Tensor, _ gradient: Tensor, _ lr: Double, _ betas: (Double, Double), _ eps: Double,
    _ amsgrad: Bool
  ) -> Tensor {
    let (mean, square) = moments(step, gradient, betas)
    var greatest = square
    if amsgrad {
      greatest = step.state("max_exp_avg_sq").maximum(square)
      step.remember("max_exp_avg_sq", greatest)
    }
    let root = (1 - power(betas.1, step.count)).sqrt()
    let denominator = greatest.sqrt() / root + eps
    return parameter - mean / denominator * (lr / (1 - power(betas.0, step.count)))
  }
}

/// A whole training step of a model of one input as a pure graph.
///
/// It leads from the variables, a batch and its target to the loss and the updated variables. The inputs are `input`
/// and `target`, the output is `loss`.
///
/// - Throws: All mistakes in the model at once.
public func trainingStep<M: Module>(
  _ model: M, loss: (_ output: M.Output, _ target: Tensor) -> Tensor, optimizer: Optimizer, _ input: TensorType,
  _ target: TensorType, parameters: [String: NDArray] = [:], seed: UInt64 = 0
) throws(DiagnosticsError) -> Graph {
  try trainingStep(
    model, optimizer: optimizer, inputs: [input, target],
    options: TraceOptions(
      name: "training_step", inputNames: ["input", "target"], parameters: parameters, seed: seed)
  ) { _, inputs in loss(model(inputs[0]), inputs[1]) }
}

/// A whole training step of any model as a pure graph, given how the loss is computed from the inputs.
///
/// - Throws: All mistakes in the model at once.
public func trainingStep(
  _ model: some Parameterized, optimizer: Optimizer, inputs: [TensorType], options: TraceOptions = TraceOptions(),
  _ loss: (Builder, [Tensor]) -> Tensor
) throws(DiagnosticsError) -> Graph {
  var options = options
  options.isTraining = true
  return try trace(model, inputs: inputs, options: options) { builder, inputs in
    let loss = loss(builder, inputs)
    let parameters = builder.parameters
    optimizer.update(parameters, gradients: gradients(of: loss, withRespectTo: parameters.map(\.tensor)))
    return ["loss": loss]
  }
}
