public import LatheCore

/// Tensors from nothing: what PyTorch makes with `torch.zeros` and kin, in the graph being built.
extension Builder {
  /// All zeros.
  public func zeros(_ shape: [Int], dtype: ScalarType = .f32) -> Tensor { zeros(TensorType(dtype, shape)) }

  /// All ones.
  public func ones(_ shape: [Int], dtype: ScalarType = .f32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// One value in every element.
  public func full(_ shape: [Int], _ value: Double, dtype: ScalarType = .f32) -> Tensor {
    creation("full") { () throws(TypeFault) -> Tensor in
      full(TensorType(dtype, shape), try Builder.number(value, dtype))
    }
  }

  /// A literal from Swift numbers.
  public func tensor(_ values: [Double], shape: [Int]? = nil, dtype: ScalarType = .f32) -> Tensor {
    creation("tensor") { () throws(TypeFault) -> Tensor in
      let shape = shape ?? [values.count]
      guard shape.allSatisfy({ $0 >= 0 }), TensorType(dtype, shape).elementCount == values.count else {
        throw TypeFault("\(values.count) values do not fill the shape \(shape)")
      }
      let numbers = try values.map { (value) throws(TypeFault) -> ScalarValue in try Builder.number(value, dtype) }
      return constant(unfailing { try NDArray(dtype: dtype, shape: shape, values: numbers) })
    }
  }

  private func creation(_ name: String, _ body: () throws(TypeFault) -> Tensor) -> Tensor {
    do throws(TypeFault) {
      return try body()
    } catch {
      record(error, operation: name, operands: [])
      return poison
    }
  }

  /// `start`, `start + step`, … below `end`.
  public func arange(_ start: Double, _ end: Double, step: Double = 1, dtype: ScalarType = .f32) -> Tensor {
    creation("arange") { () throws(TypeFault) -> Tensor in
      let length = ((end - start) / step).rounded(.up)
      guard step != 0, length >= 0, let count = Int(exactly: length) else {
        throw TypeFault("no steps of \(step) lead from \(start) to \(end)")
      }
      let wide: ScalarType = dtype.isFloat ? .f64 : .i64
      let index = iota(TensorType(wide, [count]), axis: 0)
      let (first, distance) = (try Builder.number(start, wide), try Builder.number(step, wide))
      return (index * scalar(distance, wide) + scalar(first, wide)).convert(to: dtype)
    }
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
    creation("linspace") { () throws(TypeFault) -> Tensor in
      guard steps >= 0 else { throw TypeFault("\(steps) steps") }
      try requireTable(steps, of: "steps")
      // From the nearer end, so that both ends are exact.
      let values = (0..<steps).map { step -> Double in
        let width = (end - start) / Double(Swift.max(steps - 1, 1))
        return step < steps / 2 || steps == 1 ? start + Double(step) * width : end - Double(steps - 1 - step) * width
      }
      return tensor(values, dtype: dtype)
    }
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

  /// A number of an element type; integers take its whole part, as PyTorch does.
  static func number(_ value: Double, _ dtype: ScalarType) throws(TypeFault) -> ScalarValue {
    if dtype.isFloat { return .float(value) }
    if dtype == .bool { return .integer(value == 0 ? 0 : 1) }
    let whole = value.rounded(.towardZero)
    if dtype == .u64, let bits = UInt(exactly: whole) { return .integer(Int(bitPattern: bits)) }
    guard dtype != .u64, let integer = Int(exactly: whole), dtype.rounded(.integer(integer)) == .integer(integer) else {
      throw TypeFault("\(value) is no \(dtype)")
    }
    return .integer(integer)
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
    return composite("full", [self]) { () throws(TypeFault) -> Tensor in
      let type = type.with(dtype: dtype ?? self.dtype)
      return builder.full(type, try Builder.number(value, type.dtype))
    }
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
