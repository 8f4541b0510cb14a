public import LatheCore

/// Random tensors, as PyTorch draws them: other numbers for every call and in every run, and the same again for the
/// same seed, in all back-ends.
extension Builder {
  /// Random bits, `u32`, from the graph's own seed.
  ///
  /// The seed is the variable `random.seed`, which starts from the seed of `TraceOptions` and which every run moves on.
  /// The numbers of calls are kept apart by their order in the trace; the body of a loop draws the same in each step.
  public func randomBits(_ shape: [Dimension]) -> Tensor {
    let name = "random.seed"
    let numbers = KeyedNumbers(seed: (context as? ModuleNames)?.seed ?? 0, name: name)
    let start = NDArray(scalar: .integer(Int(truncatingIfNeeded: numbers.bits(0))), dtype: .u64)
    let seed = variable(Variable(name: name, role: .buffer, initial: start))
    seed.builder.update(name, to: seed + 1)
    return randomBits(shape, seed: seed)
  }

  /// Evenly distributed in `0 ..< 1`: multiples of 2^-24 in `f32`, of 2^-32 in `f64`.
  public func rand(_ shape: [Dimension], dtype: ScalarType = .f32) -> Tensor {
    guard dtype.isFloat else { return refused("rand", TypeFault("gives floats, not \(dtype)")) }
    let digits = [.f16: 11, .bf16: 8, .f32: 24][dtype] ?? 32
    let bits = randomBits(shape)
    let whole = Tensor.pointwise(.shiftRight, bits, scalar(.integer(32 - digits), .u32))
    return whole.convert(to: dtype) * (1 / Double(1 << digits))
  }

  /// Normally distributed with mean 0 and deviation 1, by Box and Muller.
  public func randn(_ shape: [Dimension], dtype: ScalarType = .f32) -> Tensor {
    let radius = ((1 - rand(shape, dtype: dtype)).log() * -2).sqrt()
    return radius * (rand(shape, dtype: dtype) * (2 * .pi)).cos()
  }

  /// True with probability `p`, to within 2^-32.
  public func bernoulli(_ shape: [Dimension], p: Double) -> Tensor {
    guard (0...1).contains(p) else { return refused("bernoulli", TypeFault("p is \(p)", help: "p is a share, 0 to 1")) }
    let bits = randomBits(shape)
    if p == 1 { return bits.onesLike().convert(to: .bool) }
    return bits .< scalar(.integer(Int((p * 0x1p32).rounded(.down))), .u32)
  }

  private func refused(_ name: String, _ fault: TypeFault) -> Tensor {
    record(fault, operation: name, operands: [])
    return poison
  }
}

/// Sets elements to zero at random and scales the others so that the mean stays.
///
/// - Parameters:
///   - p: The share of zeros.
///   - training: Without, `x` is the result.
public func dropout(_ x: Tensor, p: Double = 0.5, training: Bool = true) -> Tensor {
  composite("dropout", [x]) { () throws(TypeFault) -> Tensor in
    guard (0...1).contains(p) else { throw TypeFault("p is \(p)", help: "p is a share, 0 to 1") }
    if !training || p == 0 { return x }
    try x.requireFloat("the input")
    if p == 1 { return x.zerosLike() }
    return x.builder.bernoulli(x.shape, p: 1 - p).select(x * (1 / (1 - p)), x.zerosLike())
  }
}
