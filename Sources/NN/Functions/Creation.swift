public import LatheCore

/// Tensors from nothing: what PyTorch makes with `torch.zeros` and kin, in the graph being built.
extension Builder {
  /// All zeros.
  public func zeros(_ shape: [Int], dtype: ScalarType = .f32) -> Tensor { zeros(TensorType(dtype, shape)) }

  /// All ones.
  public func ones(_ shape: [Int], dtype: ScalarType = .f32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// One value in every element.
  public func full(_ shape: [Int], _ value: Double, dtype: ScalarType = .f32) -> Tensor {
    full(TensorType(dtype, shape), Builder.number(value, dtype))
  }

  /// A literal from Swift numbers.
  public func tensor(_ values: [Double], shape: [Int]? = nil, dtype: ScalarType = .f32) -> Tensor {
    let shape = shape ?? [values.count]
    guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == values.count else {
      record(TypeFault("\(values.count) values do not fill the shape \(shape)"), operation: "tensor", operands: [])
      return poison
    }
    return constant(NDArray(dtype: dtype, shape: shape, values: values.map { Builder.number($0, dtype) }))
  }

  /// `start`, `start + step`, … below `end`.
  public func arange(_ start: Double, _ end: Double, step: Double = 1, dtype: ScalarType = .f32) -> Tensor {
    guard step != 0, (end - start) / step >= 0, ((end - start) / step).isFinite else {
      record(TypeFault("no steps of \(step) lead from \(start) to \(end)"), operation: "arange", operands: [])
      return poison
    }
    let count = Int(((end - start) / step).rounded(.up))
    let wide: ScalarType = dtype.isFloat ? .f64 : .i64
    let index = iota(TensorType(wide, [count]), axis: 0)
    return (index * scalar(Builder.number(step, wide), wide) + scalar(Builder.number(start, wide), wide))
      .convert(to: dtype)
  }

  /// The integers from 0 below `end`.
  public func arange(_ end: Int, dtype: ScalarType = .i64) -> Tensor {
    guard end >= 0 else {
      record(TypeFault("the end \(end) is negative"), operation: "arange", operands: [])
      return poison
    }
    return iota(TensorType(dtype, [end]), axis: 0)
  }

  /// `steps` values from `start` to `end`, both included.
  public func linspace(_ start: Double, _ end: Double, steps: Int, dtype: ScalarType = .f32) -> Tensor {
    guard steps >= 0 else {
      record(TypeFault("\(steps) steps"), operation: "linspace", operands: [])
      return poison
    }
    // From the nearer end, so that both ends are exact.
    let values = (0..<steps).map { step -> Double in
      let width = (end - start) / Double(Swift.max(steps - 1, 1))
      return step < steps / 2 || steps == 1 ? start + Double(step) * width : end - Double(steps - 1 - step) * width
    }
    return tensor(values, dtype: dtype)
  }

  /// `base` to the powers of `linspace`.
  public func logspace(_ start: Double, _ end: Double, steps: Int, base: Double = 10, dtype: ScalarType = .f32)
    -> Tensor
  {
    let exponents = linspace(start, end, steps: steps, dtype: .f64)
    return exponents.isPoisoned ? poison : scalar(.float(base), .f64).power(exponents).convert(to: dtype)
  }

  /// Ones on the diagonal of an `n` by `m` matrix.
  public func eye(_ n: Int, _ m: Int? = nil, dtype: ScalarType = .f32) -> Tensor {
    let shape = [n, m ?? n]
    let row = iota(TensorType(.i64, shape), axis: 0)
    let column = iota(TensorType(.i64, shape), axis: 1)
    return (row .== column).convert(to: dtype)
  }

  static func number(_ value: Double, _ dtype: ScalarType) -> ScalarValue {
    dtype.isFloat ? .float(value) : .integer(Int(exactly: value.rounded(.towardZero)) ?? 0)
  }
}

extension Tensor {
  /// Zeros of this shape.
  public func zerosLike(dtype: ScalarType) -> Tensor { fullLike(0, dtype: dtype) }

  /// Ones of this shape.
  public func onesLike(dtype: ScalarType) -> Tensor { fullLike(1, dtype: dtype) }

  /// One value in this shape.
  public func fullLike(_ value: Double, dtype: ScalarType? = nil) -> Tensor {
    guard !isPoisoned else { return self }
    let type = type.with(dtype: dtype ?? self.dtype)
    return builder.full(type, Builder.number(value, type.dtype))
  }

  /// A filled tensor in the graph of this one, with its element type.
  public func newFull(_ shape: [Int], _ value: Double, dtype: ScalarType? = nil) -> Tensor {
    isPoisoned ? self : builder.full(shape, value, dtype: dtype ?? self.dtype)
  }

  /// Zeros in the graph of this tensor, with its element type.
  public func newZeros(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor { newFull(shape, 0, dtype: dtype) }

  /// Ones in the graph of this tensor, with its element type.
  public func newOnes(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor { newFull(shape, 1, dtype: dtype) }
}
