public import LatheCore

/// A rule that moves parameters along their gradients.
///
/// Those that PyTorch has are here with its names, defaults and order of computation (`sgd`, `adamW`, …); one's own is
/// made from a function of one parameter at one step:
///
/// ```swift
/// let signSGD = Optimizer(["lr": 1e-3]) { step in step.parameter - step.gradient.sign() * step["lr"] }
/// ```
///
/// Everything it remembers is a variable of the graph, named `optimizer.NAME.PARAMETER`; the number of steps is
/// `optimizer.step`. Where a model has several optimizers, each is given a name in the place of `optimizer` (`named`).
/// Scalars that depend on the step are computed in `f64`, as PyTorch does on the host.
///
/// Source: https://pytorch.org/docs/stable/optim.html
public struct Optimizer: Sendable {
  /// One parameter at one step, as a rule sees it.
  public struct Step {
    /// The parameter's content before the step.
    public let parameter: Tensor
    /// Its gradient, of the parameter's type.
    public let gradient: Tensor
    /// The number of the step from 1 on, `f64[]`.
    public let count: Tensor
    /// The parameter's name.
    public let name: String
    fileprivate let owner: String
    fileprivate let hyperparameters: [String: Hyperparameter]
    /// Whether what is remembered counts; nil for always.
    fileprivate let isDue: Tensor?

    /// A hyper-parameter, `f64[]`.
    public subscript(name: String) -> Tensor {
      switch hyperparameters[name] {
      case let value?: return value.tensor(in: parameter.builder)
      case nil:
        parameter.builder.report(
          Diagnostic("the optimizer has no hyper-parameter '\(name)'", help: Optimizer.known(hyperparameters.keys)))
        return parameter.builder.poison
      }
    }

    /// Whether a hyper-parameter is 0 in every step, so that what it scales can be left out.
    public func isZero(_ name: String) -> Bool {
      if case .literal(0) = hyperparameters[name] { true } else { false }
    }

    /// What the rule remembered for this parameter under a name, a tensor of the parameter's type.
    public func state(_ key: String, initial: Double = 0) -> Tensor { state(key, parameter.type, initial) }

    /// A number that the rule remembered for this parameter, `f64[]`.
    public func number(_ key: String, initial: Double) -> Tensor { state(key, .scalar(.f64), initial) }

    /// What the rule remembered, where the first content depends on a hyper-parameter.
    fileprivate func state(_ key: String, startingWith name: String) -> Tensor {
      guard case .literal(let value) = hyperparameters[name] else {
        // Given at run time, it is not known yet.
        return (count .== 1).select(self[name].convert(to: parameter.dtype).expanded(to: parameter.shape), state(key))
      }
      return state(key, initial: value)
    }

    private func state(_ key: String, _ type: TensorType, _ initial: Double) -> Tensor {
      let value = filled(type, initial)
      return parameter.builder.variable(Variable(name: variable(key), role: .buffer, initial: value))
    }

    /// Keeps a value under a name until the next step; `state` or `number` has declared it.
    public func remember(_ key: String, _ value: Tensor) {
      parameter.builder.update(variable(key), to: value, ifDue: isDue)
    }

    private func variable(_ key: String) -> String { "\(owner).\(key).\(name)" }
  }

  /// Where a hyper-parameter comes from.
  fileprivate enum Hyperparameter {
    case literal(Double)
    case input(Tensor)

    func tensor(in builder: Builder) -> Tensor {
      switch self {
      case .literal(let value): builder.scalar(.float(value), .f64)
      case .input(let input): input
      }
    }
  }

  /// The numbers that rules depend on, by PyTorch's names.
  ///
  /// They are `lr`, `momentum`, `weight_decay`, `beta1` and so on.
  public private(set) var hyperparameters: [String: Double]
  /// What the names of its variables begin with.
  public private(set) var name = "optimizer"
  private var groups: [(pattern: String, values: [String: Double])] = []
  private let maximize: Bool
  private let rule: Rule
  /// What the nodes of an update are called.
  private let call: String

  private enum Rule {
    /// Each parameter goes along its gradient.
    case each(@Sendable (Step) -> Tensor)
    /// All go together, and the loss is looked at in several places.
    case together(LBFGS)
  }

  /// An optimizer of one's own.
  ///
  /// - Parameters:
  ///   - hyperparameters: What the rule reads by `step[NAME]`: a number, or where the training step says so an input.
  ///   - maximize: Whether the gradients' signs are turned.
  ///   - rule: Given a parameter at one step, its new content.
  public init(
    _ hyperparameters: [String: Double], maximize: Bool = false, rule: @escaping @Sendable (Step) -> Tensor
  ) {
    self.init("optimizer", hyperparameters, maximize: maximize, rule: rule)
  }

  /// One that has a name: its function's.
  private init(
    _ call: String, _ hyperparameters: [String: Double], maximize: Bool, rule: @escaping @Sendable (Step) -> Tensor
  ) {
    self.call = call
    self.hyperparameters = hyperparameters
    self.maximize = maximize
    self.rule = .each(rule)
  }

  private init(_ hyperparameters: [String: Double], _ method: LBFGS) {
    call = "lbfgs"
    self.hyperparameters = hyperparameters
    maximize = false
    rule = .together(method)
  }

  /// The optimizer with other hyper-parameters for the parameters whose names match a pattern: PyTorch's parameter groups.
  ///
  /// ```swift
  /// let optimizer = Optimizer.adamW(lr: 1e-3).group("*.bias", ["weight_decay": 0])
  /// ```
  ///
  /// - Parameters:
  ///   - pattern: Of the whole name; `*` stands for any characters, `?` for one. The first group that matches counts.
  ///   - values: The hyper-parameters that differ. One that is given at run time is the input `NAME.1` and so on for the
  ///     group, by the group's number.
  public func group(_ pattern: String, _ values: [String: Double]) -> Optimizer {
    var result = self
    result.groups.append((pattern, values))
    return result
  }

  /// The optimizer under a name of its own, so that a model can have several over one state.
  ///
  /// Its variables are `NAME.step` and so on, and what is given at run time is an input `NAME.lr`.
  public func named(_ name: String) -> Optimizer {
    var result = self
    result.name = name
    return result
  }

  /// Updates parameters along gradients; call it once for a graph.
  ///
  /// - Parameters:
  ///   - parameters: Variables with their content before the run; what the run has made of them so far is moved.
  ///   - gradients: One for each.
  ///   - runtime: The hyper-parameters that become inputs, `f64[]`, of their names; the others keep their numbers.
  ///   - accumulation: How many runs gather gradients, whose mean makes one step.
  ///   - scaler: Leaves out steps with gradients that are not finite; they are unscaled already.
  public func update(
    _ parameters: [(name: String, tensor: Tensor)], gradients: [Tensor], runtime: [String] = [],
    accumulation: Int = 1, scaler: GradScaler? = nil
  ) {
    update(
      parameters, gradients: gradients, runtime: runtime, accumulation: accumulation, scaler: scaler, bucketBytes: nil)
  }

  private func update(
    _ parameters: [(name: String, tensor: Tensor)], gradients: [Tensor], runtime: [String], accumulation: Int,
    scaler: GradScaler?, bucketBytes: Int?
  ) {
    guard let builder = parameters.first?.tensor.builder else { return }
    guard case .each(let rule) = rule else {
      return builder.report(
        Diagnostic("LBFGS looks at the loss in several places, gradients are not enough", help: "call minimize"))
    }
    guard gradients.count == parameters.count else {
      return builder.report(
        Diagnostic("\(gradients.count) gradients are given for \(parameters.count) parameters"))
    }
    for (pattern, _) in groups where !parameters.contains(where: { $0.name.matches(pattern: pattern) }) {
      builder.report(
        Diagnostic(
          "no parameter's name matches the group '\(pattern)'",
          help: "they are \(parameters.map(\.name).joined(separator: ", "))"))
    }
    let values = values(runtime, builder)
    var (gradients, isDue) = gathered(parameters, gradients, accumulation, builder)
    gradients = Self.exchanged(parameters, gradients, bucketBytes)
    if let scaler {
      let isFinite = scaler.isFinite(gradients, in: builder)
      scaler.update(isFinite: isFinite, isDue: isDue, in: builder)
      isDue = isDue.map { $0 .& isFinite } ?? isFinite
    }
    let step = builder.variable(
      Variable(name: "\(self.name).step", role: .buffer, initial: NDArray(scalar: .integer(0), dtype: .i64)))
    let next = step + 1
    builder.update("\(self.name).step", to: next, ifDue: isDue)
    let count = next.convert(to: .f64)
    for ((name, tensor), gradient) in zip(parameters, gradients) where !tensor.isPoisoned && !gradient.isPoisoned {
      let group = groups.firstIndex { name.matches(pattern: $0.pattern) }.map { $0 + 1 } ?? 0
      let result = builder.composite(call, [tensor, gradient]) {
        rule(
          Step(
            parameter: builder.content(named: name) ?? tensor, gradient: maximize ? -gradient : gradient, count: count,
            name: name, owner: self.name, hyperparameters: values[group], isDue: isDue))
      }
      builder.update(name, to: result, ifDue: isDue)
    }
  }

  /// Updates parameters so that a loss gets smaller: gradients, clipping, the rule.
  ///
  /// - Parameters:
  ///   - loss: A number that the graph computes.
  ///   - parameters: Variables with their content before the step.
  ///   - runtime: The hyper-parameters that become inputs, `f64[]`.
  ///   - accumulation: How many runs gather gradients, whose mean makes one step.
  ///   - scaler: What the loss is scaled by while it is differentiated.
  ///   - bucketBytes: Hands the gradients out, in buckets of at least so many bytes; see `TrainingOptions.bucketBytes`.
  public func minimize(
    _ loss: Tensor, _ parameters: [(name: String, tensor: Tensor)], clipping: GradientClipping? = nil,
    runtime: [String] = [], accumulation: Int = 1, scaler: GradScaler? = nil, bucketBytes: Int? = nil
  ) {
    guard !parameters.isEmpty else {
      return loss.builder.report(
        Diagnostic("there are no parameters to train", help: "give the model some that require gradients"))
    }
    switch rule {
    case .each:
      let tensors = parameters.map(\.tensor)
      // What is only gathered is handed out as sums; clipping and scaling look at the gradients of each run.
      let handsOutSums = accumulation > 1 && clipping == nil && scaler == nil
      func exchanged(_ gradients: [Tensor]) -> [Tensor] {
        handsOutSums ? gradients : Self.exchanged(parameters, gradients, bucketBytes)
      }
      func clipped(_ gradients: [Tensor]) -> [Tensor] { clipping.map { $0(gradients) } ?? gradients }
      let gradients =
        scaler.map { $0.gradients(of: loss, tensors, exchanged: exchanged, then: clipped) }
        ?? clipped(exchanged(LatheNN.gradients(of: loss, withRespectTo: tensors)))
      update(
        parameters, gradients: gradients, runtime: runtime, accumulation: accumulation, scaler: scaler,
        bucketBytes: handsOutSums ? bucketBytes : nil)
    case .together(let method):
      for (isGiven, what) in [
        (clipping != nil, "clipping"), (accumulation != 1, "accumulation"), (!groups.isEmpty, "groups of parameters"),
        (scaler != nil, "scaler"), (bucketBytes != nil, "gradients that are handed out"),
      ] where isGiven { loss.builder.report(Diagnostic("LBFGS knows no \(what)")) }
      guard let lr = values(runtime, loss.builder)[0]["lr"] else { internalError("LBFGS has no learning rate") }
      method.minimize(loss, parameters, lr: lr.tensor(in: loss.builder), owner: name)
    }
  }

  /// The inputs of a training step that hyper-parameters become, in order, with the numbers that the optimizer has.
  ///
  /// - Parameter runtime: The hyper-parameters that are given at run time, as `update` takes them.
  public func inputs(_ runtime: [String]) -> [(name: String, hyperparameter: String, value: Double)] {
    var inputs: [(name: String, hyperparameter: String, value: Double)] = []
    for name in runtime { if let value = hyperparameters[name] { inputs.append((inputName(name), name, value)) } }
    for (number, group) in groups.enumerated() {
      for name in runtime where hyperparameters[name] != nil {
        guard let value = group.values[name] else { continue }
        inputs.append((inputName("\(name).\(number + 1)"), name, value))
      }
    }
    return inputs
  }

  /// The hyper-parameters of the parameters in no group, then of each group.
  private func values(_ runtime: [String], _ builder: Builder) -> [[String: Hyperparameter]] {
    for (_, values) in groups {
      for name in values.keys.sorted() where hyperparameters[name] == nil { reportUnknown(name, builder) }
    }
    for name in runtime where hyperparameters[name] == nil { reportUnknown(name, builder) }
    var values = [hyperparameters.mapValues { Hyperparameter.literal($0) }]
    for name in runtime where hyperparameters[name] != nil {
      values[0][name] = .input(builder.input(inputName(name), .scalar(.f64)))
    }
    for (number, group) in groups.enumerated() {
      var own = values[0].merging(group.values.mapValues { Hyperparameter.literal($0) }) { $1 }
      for name in runtime where group.values[name] != nil && hyperparameters[name] != nil {
        own[name] = .input(builder.input(inputName("\(name).\(number + 1)"), .scalar(.f64)))
      }
      values.append(own)
    }
    return values
  }

  /// The gradients' means over several runs, and whether this run is the last of them.
  private func gathered(
    _ parameters: [(name: String, tensor: Tensor)], _ gradients: [Tensor], _ runs: Int, _ builder: Builder
  ) -> (gradients: [Tensor], isDue: Tensor?) {
    guard runs != 1 else { return (gradients, nil) }
    guard runs > 1 else {
      builder.report(Diagnostic("gradients are accumulated over \(runs) runs", help: "give a number from 1 on"))
      return (gradients, nil)
    }
    let run = builder.variable(
      Variable(name: "\(name).run", role: .buffer, initial: NDArray(scalar: .integer(0), dtype: .i64)))
    let isDue = run .== runs - 1
    builder.update("\(name).run", to: isDue.select(run.zerosLike(), run + 1))
    let sums = zip(parameters, gradients).map { parameter, gradient -> Tensor in
      if gradient.isPoisoned || parameter.tensor.isPoisoned { return gradient }
      let name = "\(self.name).gradient.\(parameter.name)"
      let zeros = filled(parameter.tensor.type, 0)
      let sum = builder.variable(Variable(name: name, role: .buffer, initial: zeros)) + gradient / Double(runs)
      builder.update(name, to: isDue.select(sum.zerosLike(), sum))
      return sum
    }
    return (sums, isDue)
  }

  /// The gradients as whoever runs the step gives them back.
  private static func exchanged(
    _ parameters: [(name: String, tensor: Tensor)], _ gradients: [Tensor], _ bucketBytes: Int?
  ) -> [Tensor] {
    guard let bucketBytes else { return gradients }
    return zip(parameters, gradients).map { parameter, gradient in
      gradient.isPoisoned ? gradient : gradient.exchanged(label: parameter.name, bucketBytes: bucketBytes)
    }
  }

  private func inputName(_ hyperparameter: String) -> String {
    name == "optimizer" ? hyperparameter : "\(name).\(hyperparameter)"
  }

  private func reportUnknown(_ name: String, _ builder: Builder) {
    builder.report(
      Diagnostic("the optimizer has no hyper-parameter '\(name)'", help: Self.known(hyperparameters.keys)))
  }

  fileprivate static func known(_ names: some Sequence<String>) -> String {
    "it has \(names.sorted().joined(separator: ", "))"
  }

  /// Stochastic gradient descent, with momentum (Nesterov's if wanted) and weight decay.
  public static func sgd(
    lr: Double = 1e-3, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "sgd",
      ["lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weightDecay], maximize: maximize
    ) { step in
      let gradient = decayed(step)
      let lr = step["lr"]
      if step.isZero("momentum") { return step.parameter - gradient * lr }
      let momentum = step["momentum"]
      // The first step takes the gradient undamped.
      var buffer = step.state("momentum_buffer") * momentum + gradient * (1 - step["dampening"])
      if !step.isZero("dampening") { buffer = (step.count .== 1).select(gradient, buffer) }
      step.remember("momentum_buffer", buffer)
      return step.parameter - (nesterov ? gradient + buffer * momentum : buffer) * lr
    }
  }

  /// Adam; `weightDecay` is added to the gradient.
  public static func adam(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, decoupledWeightDecay: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    if decoupledWeightDecay {
      return adamW(
        lr: lr, betas: betas, eps: eps, weightDecay: weightDecay, amsgrad: amsgrad, maximize: maximize)
    }
    return Optimizer(
      "adam",
      ["lr": lr, "beta1": betas.0, "beta2": betas.1, "eps": eps, "weight_decay": weightDecay], maximize: maximize
    ) { step in
      adam(step, step.parameter, decayed(step), amsgrad)
    }
  }

  /// Adam with decoupled weight decay.
  public static func adamW(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 1e-2,
    amsgrad: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "adamW",
      ["lr": lr, "beta1": betas.0, "beta2": betas.1, "eps": eps, "weight_decay": weightDecay], maximize: maximize
    ) { step in
      adam(step, step.parameter * (1 - step["lr"] * step["weight_decay"]), step.gradient, amsgrad)
    }
  }

  /// Adam with Nesterov's momentum.
  public static func nadam(
    lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    momentumDecay: Double = 4e-3, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "nadam",
      [
        "lr": lr, "beta1": betas.0, "beta2": betas.1, "eps": eps, "weight_decay": weightDecay,
        "momentum_decay": momentumDecay,
      ], maximize: maximize
    ) { step in
      let gradient = decayed(step)
      let (mean, square) = moments(step, gradient)
      func momentum(_ count: Tensor) -> Tensor {
        (1 - 0.5 * power(0.96, count * step["momentum_decay"])) * step["beta1"]
      }
      let (current, next) = (momentum(step.count), momentum(step.count + 1))
      let product = step.number("mu_product", initial: 1) * current
      step.remember("mu_product", product)
      let denominator = (square / (1 - step["beta2"].pow(step.count))).sqrt() + step["eps"]
      let byGradient = (1 - current) / (1 - product) * step["lr"]
      let byMean = next / (1 - product * next) * step["lr"]
      return step.parameter - gradient / denominator * byGradient - mean / denominator * byMean
    }
  }

  /// Adam that starts without adaptation while its variance is not known well enough.
  public static func radam(
    lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "radam",
      ["lr": lr, "beta1": betas.0, "beta2": betas.1, "eps": eps, "weight_decay": weightDecay], maximize: maximize
    ) { step in
      let (mean, square) = moments(step, decayed(step))
      let corrected = mean / (1 - step["beta1"].pow(step.count))
      let decay = step["beta2"].pow(step.count)
      let limit = 2 / (1 - step["beta2"]) - 1
      let length = limit - step.count * decay * 2 / (1 - decay)
      let isKnown = length .> 5
      // The unused root stays real.
      let safe = isKnown.select(length, length.fullLike(6))
      let rectified = ((safe - 4) * (safe - 2) * limit / (safe * ((limit - 4) * (limit - 2)))).sqrt()
      let adapted = (1 - decay).sqrt() * rectified / (square.sqrt() + step["eps"])
      return step.parameter - corrected * isKnown.select(adapted, adapted.onesLike()) * step["lr"]
    }
  }

  /// Adam with the infinity norm.
  public static func adamax(
    lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "adamax",
      ["lr": lr, "beta1": betas.0, "beta2": betas.1, "eps": eps, "weight_decay": weightDecay], maximize: maximize
    ) { step in
      let gradient = decayed(step)
      let mean = average(step, "exp_avg", gradient, step["beta1"])
      let norm = (step.state("exp_inf") * step["beta2"]).maximum(gradient.abs() + step["eps"])
      step.remember("exp_inf", norm)
      return step.parameter - mean / norm * (step["lr"] / (1 - step["beta1"].pow(step.count)))
    }
  }

  /// Steps divided by the root of all squares so far.
  public static func adagrad(
    lr: Double = 1e-2, lrDecay: Double = 0, weightDecay: Double = 0, initialAccumulatorValue: Double = 0,
    eps: Double = 1e-10, maximize: Bool = false
  ) -> Optimizer {
    Optimizer("adagrad", ["lr": lr, "lr_decay": lrDecay, "weight_decay": weightDecay, "eps": eps], maximize: maximize) {
      step in
      let gradient = decayed(step)
      let sum = step.state("sum", initial: initialAccumulatorValue) + gradient * gradient
      step.remember("sum", sum)
      return step.parameter - gradient / (sum.sqrt() + step["eps"])
        * (step["lr"] / ((step.count - 1) * step["lr_decay"] + 1))
    }
  }

  /// Steps in the units of the parameter, from running averages of squared gradients and steps.
  public static func adadelta(
    lr: Double = 1, rho: Double = 0.9, eps: Double = 1e-6, weightDecay: Double = 0, maximize: Bool = false
  ) -> Optimizer {
    Optimizer("adadelta", ["lr": lr, "rho": rho, "eps": eps, "weight_decay": weightDecay], maximize: maximize) { step in
      let gradient = decayed(step)
      let squares = average(step, "square_avg", gradient * gradient, step["rho"])
      let steps = step.state("acc_delta")
      let delta = (steps + step["eps"]).sqrt() / (squares + step["eps"]).sqrt() * gradient
      step.remember("acc_delta", steps * step["rho"] + delta * delta * (1 - step["rho"]))
      return step.parameter - delta * step["lr"]
    }
  }

  /// Steps divided by the root of a running average of squares.
  public static func rmsprop(
    lr: Double = 1e-2, alpha: Double = 0.99, eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0,
    centered: Bool = false, maximize: Bool = false
  ) -> Optimizer {
    Optimizer(
      "rmsprop",
      ["lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weightDecay, "momentum": momentum], maximize: maximize
    ) { step in
      let gradient = decayed(step)
      var squares = average(step, "square_avg", gradient * gradient, step["alpha"])
      if centered {
        let mean = average(step, "grad_avg", gradient, step["alpha"])
        squares = squares - mean * mean
      }
      let scaled = gradient / (squares.sqrt() + step["eps"])
      if step.isZero("momentum") { return step.parameter - scaled * step["lr"] }
      let buffer = step.state("momentum_buffer") * step["momentum"] + scaled
      step.remember("momentum_buffer", buffer)
      return step.parameter - buffer * step["lr"]
    }
  }

  /// Steps by sign only, whose sizes grow while the sign stays and shrink where it changes.
  public static func rprop(
    lr: Double = 1e-2, etas: (Double, Double) = (0.5, 1.2), stepSizes: (Double, Double) = (1e-6, 50),
    maximize: Bool = false
  ) -> Optimizer {
    Optimizer("rprop", ["lr": lr], maximize: maximize) { step in
      let agreement = step.gradient * step.state("prev")
      let factor = (agreement .> 0).select(
        agreement.fullLike(etas.1), (agreement .< 0).select(agreement.fullLike(etas.0), agreement.onesLike()))
      let size = (step.state("step_size", startingWith: "lr") * factor).clamp(min: stepSizes.0, max: stepSizes.1)
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
    Optimizer(
      "asgd", ["lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weightDecay], maximize: maximize
    ) {
      step in
      let gradient = decayed(step)
      let before = step.count - 1
      let (lr, lambd) = (step["lr"], step["lambd"])
      let rate = lr / (before * (lambd * lr) + 1).pow(step["alpha"])
      let next = step.parameter * (1 - rate * lambd) - gradient * rate
      let average = step.state("ax")
      let share = 1 / (before - step["t0"]).maximum(1)
      step.remember("ax", (share .== 1).select(next, average + (next - average) * share))
      return next
    }
  }

  /// The method of Broyden, Fletcher, Goldfarb and Shanno with a limited memory: all parameters go together, and a step
  /// is several iterations, each of which computes the loss and its gradient anew, on the same batch and with the same
  /// random numbers.
  ///
  /// The loss that a step gives is the one before it. Running statistics move once a step. Clipping, accumulation and
  /// groups are mistakes.
  ///
  /// - Parameters:
  ///   - maxIter: The most iterations of a step.
  ///   - maxEval: About how often the loss may be computed in a step: by default `maxIter * 5 / 4`.
  ///   - toleranceGrad: A step ends when no element of the gradient is greater.
  ///   - toleranceChange: A step ends when no parameter, or the loss, changes by more.
  ///   - historySize: How many iterations are remembered; each takes room for all parameters twice.
  ///   - lineSearch: How far an iteration goes; by default as far as `lr` says.
  public static func lbfgs(
    lr: Double = 1, maxIter: Int = 20, maxEval: Int? = nil, toleranceGrad: Double = 1e-7,
    toleranceChange: Double = 1e-9, historySize: Int = 100, lineSearch: LineSearch? = nil
  ) -> Optimizer {
    Optimizer(
      ["lr": lr],
      LBFGS(
        maxIter: maxIter, maxEval: maxEval ?? maxIter * 5 / 4, toleranceGrad: toleranceGrad,
        toleranceChange: toleranceChange, historySize: historySize, lineSearch: lineSearch))
  }

  private static func decayed(_ step: Step) -> Tensor {
    step.isZero("weight_decay") ? step.gradient : step.gradient + step.parameter * step["weight_decay"]
  }

  /// `base` to the power of a number that the graph computes.
  private static func power(_ base: Double, _ exponent: Tensor) -> Tensor {
    exponent.fullLike(base).pow(exponent)
  }

  /// A running average, remembered.
  private static func average(_ step: Step, _ key: String, _ value: Tensor, _ decay: Tensor) -> Tensor {
    let result = step.state(key) * decay + value * (1 - decay)
    step.remember(key, result)
    return result
  }

  private static func moments(_ step: Step, _ gradient: Tensor) -> (mean: Tensor, square: Tensor) {
    (
      average(step, "exp_avg", gradient, step["beta1"]),
      average(step, "exp_avg_sq", gradient * gradient, step["beta2"])
    )
  }

  private static func adam(_ step: Step, _ parameter: Tensor, _ gradient: Tensor, _ amsgrad: Bool) -> Tensor {
    let (mean, square) = moments(step, gradient)
    var greatest = square
    if amsgrad {
      greatest = step.state("max_exp_avg_sq").maximum(square)
      step.remember("max_exp_avg_sq", greatest)
    }
    let root = (1 - step["beta2"].pow(step.count)).sqrt()
    let denominator = greatest.sqrt() / root + step["eps"]
    return parameter - mean / denominator * (step["lr"] / (1 - step["beta1"].pow(step.count)))
  }
}

extension Builder {
  /// Makes a value of any type of float a variable's content after the run; where a flag is given, only if it is set.
  func update(_ variable: String, to value: Tensor, ifDue isDue: Tensor?) {
    guard let known = content(named: variable) else { return update(variable, to: value) }
    let value = value.isPoisoned ? value : value.convert(to: known.dtype)
    update(variable, to: isDue.map { $0.select(value, known) } ?? value)
  }
}

/// One number everywhere, in the shape of a variable.
func filled(_ type: TensorType, _ value: Double) -> NDArray {
  let shape = type.shape.known ?? internalError("a variable of type \(type)")
  return unfailing { try NDArray(repeating: .float(value), dtype: type.dtype, shape: shape) }
}
