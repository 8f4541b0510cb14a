public import LatheCore

/// Tensors from nothing: what PyTorch makes with `torch.zeros` and kin, in the graph being built.
extension Builder {
  /// All zeros.
  public func zeros(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor {
    full(shape, 0, dtype: dtype ?? .defaultFloat)
  }

  /// All zeros.
  public func zeros(_ shape: Int..., dtype: ScalarType? = nil) -> Tensor { zeros(shape, dtype: dtype) }

  /// All ones.
  public func ones(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor {
    full(shape, 1, dtype: dtype ?? .defaultFloat)
  }

  /// All ones.
  public func ones(_ shape: Int..., dtype: ScalarType? = nil) -> Tensor { ones(shape, dtype: dtype) }

  /// One value in every element; without a type, of the value's own: integers are `i64`.
  public func full<Value: Number>(_ shape: [Int], _ value: Value, dtype: ScalarType? = nil) -> Tensor {
    creation("full") { () throws(TypeFault) -> Tensor in
      let dtype = dtype ?? Value.dtype
      return full(TensorType(dtype, shape), try dtype.number(value))
    }
  }

  /// A literal from Swift numbers in nested arrays.
  ///
  /// Integers are `i64`, `Double` the default type of floats, other numbers their own type, unless another is given.
  /// Legacy constructors such as `LongTensor` are this with a type.
  ///
  /// - Parameter shape: Other sizes for the same elements in row-major order.
  public func tensor<Values: NestedNumbers>(
    _ values: Values, shape: [Int]? = nil, dtype: ScalarType? = nil
  ) -> Tensor {
    creation("tensor") { () throws(TypeFault) -> Tensor in
      let dtype = dtype ?? Values.dtype
      let numbers = values.nestedValues
      guard let shape = shape ?? values.nestedShape else { throw TypeFault("arrays side by side differ in size") }
      guard shape.allSatisfy({ $0 >= 0 }), TensorType(dtype, shape).elementCount == numbers.count else {
        throw TypeFault("\(numbers.count) values do not fill the shape \(shape)")
      }
      let rounded = try numbers.map { (value) throws(TypeFault) -> ScalarValue in
        try dtype.number(value, from: Values.dtype)
      }
      return constant(unfailing { try NDArray(dtype: dtype, shape: shape, values: rounded) })
    }
  }

  /// A literal with an array's type, shape and elements, which are copied: `from_numpy` and `as_tensor`.
  public func tensor(_ array: NDArray) -> Tensor { constant(array) }

  func creation(_ name: String, _ body: () throws(TypeFault) -> Tensor) -> Tensor {
    do throws(TypeFault) {
      return try body()
    } catch {
      record(error, operation: name, operands: [])
      return poison
    }
  }

  /// `start`, `start + step`, … below `end`; of integers as `i64`, else in the default type of floats.
  public func arange<Start: Number, End: Number, Step: Number>(
    _ start: Start, _ end: End, step: Step = 1, dtype: ScalarType? = nil
  ) -> Tensor {
    creation("arange") { () throws(TypeFault) -> Tensor in
      let types = [Start.dtype, End.dtype, Step.dtype]
      let dtype = dtype ?? (types.first(where: \.isFloat) ?? .i64)
      let count: Int
      let numbers = (start.scalarValue, end.scalarValue, step.scalarValue)
      if case (.integer(let first), .integer(let last), .integer(let distance)) = numbers {
        guard distance != 0, !types.contains(.u64) else { throw TypeFault("no steps of \(step) lead anywhere") }
        let (way, isBeyond) = last.subtractingReportingOverflow(first)
        guard !isBeyond, way == 0 || (way > 0) == (distance > 0) else {
          throw TypeFault("no steps of \(step) lead from \(start) to \(end)")
        }
        count = way / distance + (way % distance == 0 ? 0 : 1)
      } else {
        let (first, last, distance) = (numbers.0.double, numbers.1.double, numbers.2.double)
        let length = ((last - first) / distance).rounded(.up)
        guard distance != 0, length >= 0, let exact = Int(exactly: length) else {
          throw TypeFault("no steps of \(step) lead from \(start) to \(end)")
        }
        count = exact
      }
      let wide: ScalarType = dtype.isFloat ? .f64 : .i64
      let index = iota(TensorType(wide, [count]), axis: 0)
      let (first, distance) = (try wide.number(start), try wide.number(step))
      return (index * scalar(distance, wide) + scalar(first, wide)).convert(to: dtype)
    }
  }

  /// The numbers from 0 below `end`; `i64` where it is an integer, else the default type of floats.
  public func arange(_ end: some Number, dtype: ScalarType? = nil) -> Tensor { arange(0, end, dtype: dtype) }

  /// `steps` values from `start` to `end`, both included.
  public func linspace(_ start: Double, _ end: Double, steps: Int, dtype: ScalarType? = nil) -> Tensor {
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
  public func logspace(_ start: Double, _ end: Double, steps: Int, base: Double = 10, dtype: ScalarType? = nil)
    -> Tensor
  {
    let exponents = linspace(start, end, steps: steps, dtype: .f64)
    return exponents.isPoisoned ? poison : (base ** exponents).convert(to: dtype ?? .defaultFloat)
  }

  /// Ones on the diagonal of an `n` by `m` matrix.
  public func eye(_ n: Int, _ m: Int? = nil, dtype: ScalarType? = nil) -> Tensor {
    let shape = [n, m ?? n]
    let row = iota(TensorType(.i64, shape), axis: 0)
    let column = iota(TensorType(.i64, shape), axis: 1)
    return (row .== column).convert(to: dtype ?? .defaultFloat)
  }
}

extension ScalarType {
  /// A number of this type; integers take its whole part, as PyTorch does.
  package func number(_ number: some Number) throws(TypeFault) -> ScalarValue {
    try self.number(number.scalarValue, from: type(of: number).dtype)
  }

  /// A number of another type as one of this type; integers are exact.
  func number(_ value: ScalarValue, from source: ScalarType) throws(TypeFault) -> ScalarValue {
    if isFloat || self == .bool { return converted(value, from: source) }
    let whole: Int128? =
      switch value {
      case .float(let number): Int128(exactly: number.rounded(.towardZero))
      case .integer(let bits): source == .u64 ? Int128(UInt(bitPattern: bits)) : Int128(bits)
      }
    let bits = whole.flatMap { self == .u64 ? UInt(exactly: $0).map { Int(bitPattern: $0) } : Int(exactly: $0) }
    guard let bits, rounded(.integer(bits)) == .integer(bits) else {
      throw TypeFault("\(whole.map { "\($0)" } ?? "\(value.double)") is no \(self)")
    }
    return .integer(bits)
  }
}

extension Tensor {
  /// Zeros of this shape.
  public func zerosLike(dtype: ScalarType) -> Tensor { fullLike(0, dtype: dtype) }

  /// Ones of this shape.
  public func onesLike(dtype: ScalarType) -> Tensor { fullLike(1, dtype: dtype) }

  /// One value in this shape, by default of this element type.
  public func fullLike(_ value: some Number, dtype: ScalarType? = nil) -> Tensor {
    fullLike(number: value, dtype)
  }

  private func fullLike(number value: some Number, _ dtype: ScalarType?) -> Tensor {
    guard !isPoisoned else { return self }
    return composite("full", [self]) { () throws(TypeFault) -> Tensor in
      let type = type.with(dtype: dtype ?? self.dtype)
      return builder.full(type, try type.dtype.number(value))
    }
  }

  /// One value in this shape, by default of this element type.
  public func fullLike(_ value: Double, dtype: ScalarType? = nil) -> Tensor {
    fullLike(number: value, dtype)
  }

  /// A filled tensor in the graph of this one, with its element type.
  public func newFull(_ shape: [Int], _ value: some Number, dtype: ScalarType? = nil) -> Tensor {
    isPoisoned ? self : builder.full(shape, value, dtype: dtype ?? self.dtype)
  }

  /// Zeros in the graph of this tensor, with its element type.
  public func newZeros(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor { newFull(shape, 0, dtype: dtype) }

  /// Ones in the graph of this tensor, with its element type.
  public func newOnes(_ shape: [Int], dtype: ScalarType? = nil) -> Tensor { newFull(shape, 1, dtype: dtype) }

  /// A literal in the graph of this tensor, with its element type unless another is given: `new_tensor`.
  public func newTensor(_ values: some NestedNumbers, dtype: ScalarType? = nil) -> Tensor {
    isPoisoned ? self : builder.tensor(values, dtype: dtype ?? self.dtype)
  }
}
