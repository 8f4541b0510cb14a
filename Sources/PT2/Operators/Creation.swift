internal import LatheCore
internal import LatheNN

/// Tensors that no other tensor gives elements to.
extension Operator {
  static let creation: [String: Operator] = [
    "arange": .one { call throws(TypeFault) in try arange(call, nil, "end", nil) },
    "arange.start": .one { call throws(TypeFault) in try arange(call, "start", "end", nil) },
    "arange.start_step": .one { call throws(TypeFault) in try arange(call, "start", "end", "step") },
    "zeros": filled("size") { _ in 0 }, "ones": filled("size") { _ in 1 }, "new_zeros": filled("size") { _ in 0 },
    "new_ones": filled("size") { _ in 1 },
    "full": filled("size") { call throws(TypeFault) in try call.number("fill_value") },
    "new_full": filled("size") { call throws(TypeFault) in try call.number("fill_value") },
    // What nobody has written is not read; zeros are as good as anything.
    "empty": filled("size") { _ in 0 }, "empty_strided": filled("size", ignoring: "stride") { _ in 0 },
    "empty_permuted": filled("size", ignoring: "physical_layout") { _ in 0 },
    "new_empty_strided": filled("size", ignoring: "stride") { _ in 0 }, "new_empty": filled("size") { _ in 0 },
    "zeros_like": filled(nil) { _ in 0 }, "ones_like": filled(nil) { _ in 1 }, "empty_like": filled(nil) { _ in 0 },
    "full_like": filled(nil) { call throws(TypeFault) in try call.number("fill_value") },
    "fill": .one { call throws(TypeFault) in
      let x = try call.tensor()
      if let number = try call.number("value") { return x.fullLike(number) }
      return try call.tensor("value").convert(to: x.dtype).expanded(to: x.shape)
    },
    "zero": .unary { $0.zerosLike() },
    "scalar_tensor": scalar, "torch.ops.prims.scalar_tensor.default": scalar,
    "logspace": .one { call throws(TypeFault) in
      call.builder.logspace(
        try call.float("start"), try call.float("end"), steps: try call.integer("steps"), base: try call.float("base"),
        dtype: try call.dtype())
    },
    "fft_fftfreq": .one { call throws(TypeFault) in
      FFT.fftfreq(try call.integer("n"), d: try call.float("d"), dtype: try call.dtype(), in: call.builder)
    },
    "fft_rfftfreq": .one { call throws(TypeFault) in
      FFT.rfftfreq(try call.integer("n"), d: try call.float("d"), dtype: try call.dtype(), in: call.builder)
    },
    "randperm": .one { call throws(TypeFault) in
      call.builder.randperm(try call.integer("n"), dtype: try call.dtype() ?? .i64)
    },
    "linspace": .one { call throws(TypeFault) in
      call.builder.linspace(
        try call.float("start"), try call.float("end"), steps: try call.integer("steps"), dtype: try call.dtype())
    },
    "eye": .one { call throws(TypeFault) in
      call.builder.eye(try call.integer("n"), try call.optionalInteger("m"), dtype: try call.dtype())
    },
    "meshgrid": .several { call throws(TypeFault) in
      let name = try call.string("indexing")
      guard let indexing = GridIndexing(rawValue: name) else { throw TypeFault("the indexing '\(name)' is not known") }
      return meshgrid(try call.tensors("tensors"), indexing: indexing)
    },
    "rand": .one { call throws(TypeFault) in
      call.builder.rand(try call.dimensions("size"), dtype: try call.dtype())
    },
    "randn": .one { call throws(TypeFault) in
      call.builder.randn(try call.dimensions("size"), dtype: try call.dtype())
    },
    "rand_like": .one { call throws(TypeFault) in try call.tensor().randLike(dtype: call.dtype()) },
    "uniform": .one { call throws(TypeFault) in
      let (from, to) = (try call.float("from"), try call.float("to"))
      return try call.tensor().randLike() * (to - from) + from
    },
    "normal_functional": normal, "normal": normal,
    "bernoulli": .one { call throws(TypeFault) in try call.tensor().bernoulli() },
    "bernoulli.p": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return call.builder.bernoulli(x.shape, p: try call.float("p")).convert(to: x.dtype)
    },
    "randint": .one { call throws(TypeFault) in
      call.builder.randint(
        try call.integer("high"), try call.dimensions("size"), dtype: try call.dtype() ?? .i64)
    },
    "randint.low": .one { call throws(TypeFault) in
      call.builder.randint(
        try call.integer("low"), try call.integer("high"), try call.dimensions("size"), dtype: try call.dtype() ?? .i64)
    },
    "tril_indices": .one { call throws(TypeFault) in
      try indexed(
        call.builder.trilIndices(call.integer("row"), call.integer("col"), offset: call.integer("offset")), call)
    },
    "triu_indices": .one { call throws(TypeFault) in
      try indexed(
        call.builder.triuIndices(call.integer("row"), call.integer("col"), offset: call.integer("offset")), call)
    },
    "randn_like": .one { call throws(TypeFault) in try call.tensor().randnLike(dtype: call.dtype()) },
    "randint_like": .one { call throws(TypeFault) in
      let x = try call.tensor()
      let low = call.has("low") ? try call.integer("low") : 0
      return call.builder.randint(low, try call.integer("high"), x.shape, dtype: try call.dtype() ?? x.dtype)
    },
    "exponential": .one { call throws(TypeFault) in try call.tensor().exponentialLike(rate: call.float("lambd")) },
    "geometric": .one { call throws(TypeFault) in try call.tensor().geometricLike(p: call.float("p")) },
    "cauchy": .one { call throws(TypeFault) in
      try call.tensor().cauchyLike(median: call.float("median"), sigma: call.float("sigma"))
    },
    "log_normal": .one { call throws(TypeFault) in
      try call.tensor().logNormalLike(mean: call.float("mean"), std: call.float("std"))
    },
    "multinomial": .one { call throws(TypeFault) in
      try call.tensor().multinomial(call.integer("num_samples"), replacement: call.flag("replacement"))
    },
    "hann_window": window { $0.hannWindow($1, periodic: $2, dtype: $3) },
    "blackman_window": window { $0.blackmanWindow($1, periodic: $2, dtype: $3) },
    "bartlett_window": window { $0.bartlettWindow($1, periodic: $2, dtype: $3) },
    "hamming_window": .one { call throws(TypeFault) in
      call.builder.hammingWindow(
        try call.integer("window_length"), periodic: try periodic(call),
        alpha: call.has("alpha") ? try call.float("alpha") : 0.54,
        beta: call.has("beta") ? try call.float("beta") : 0.46, dtype: try call.dtype())
    },
    "kaiser_window": .one { call throws(TypeFault) in
      call.builder.kaiserWindow(
        try call.integer("window_length"), periodic: try periodic(call),
        beta: call.has("beta") ? try call.float("beta") : 12, dtype: try call.dtype())
    },
  ]

  private static let scalar = Operator.one { call throws(TypeFault) in
    guard let number = try call.number("s") else { return try call.tensor("s") }
    return call.builder.full([], number, dtype: try call.dtype() ?? .defaultFloat)
  }

  private static func periodic(_ call: Call) throws(TypeFault) -> Bool {
    call.has("periodic") ? try call.flag("periodic") : true
  }

  private static func window(
    _ function: @escaping @Sendable (Builder, Int, Bool, ScalarType?) -> Tensor
  ) -> Operator {
    .one { call throws(TypeFault) in
      function(call.builder, try call.integer("window_length"), try periodic(call), try call.dtype())
    }
  }

  private static let normal = Operator.one { call throws(TypeFault) in
    let (mean, deviation) = (try call.float("mean"), try call.float("std"))
    return try call.tensor().randnLike() * deviation + mean
  }

  private static func indexed(_ indices: Tensor, _ call: Call) throws(TypeFault) -> Tensor {
    indices.convert(to: try call.dtype() ?? .i64)
  }

  /// A tensor with one number in every element.
  ///
  /// - Parameter size: The argument that has the shape; nil for that of the first argument.
  private static func filled(
    _ size: String?, ignoring strides: String? = nil,
    _ value: @escaping @Sendable (Call) throws(TypeFault) -> (any Number)?
  ) -> Operator {
    .one { call throws(TypeFault) in
      if let strides { call.ignore(strides) }
      guard let number = try value(call) else { throw TypeFault("the value is no number") }
      let like = call.has("self") ? try call.tensor() : nil
      let given = try call.dtype() ?? like?.dtype
      let type = TensorType(
        given ?? (call.target.hasPrefix("aten.full") ? type(of: number).dtype : .defaultFloat),
        try size.map { (name) throws(TypeFault) in try call.dimensions(name) } ?? like?.shape ?? [])
      return call.builder.full(type, try type.dtype.number(number))
    }
  }

  private static func arange(
    _ call: Call, _ start: String?, _ end: String, _ step: String?
  ) throws(TypeFault) -> Tensor {
    func number(_ name: String?, _ other: Int) throws(TypeFault) -> any Number {
      guard let name, call.has(name) else { return other }
      if let number = try call.number(name) { return number }
      return try call.integer(name)
    }
    if start == nil, let count = try? call.dimension(end), count.known == nil {
      return call.builder.iota(TensorType(try call.dtype() ?? .i64, [count]), axis: 0)
    }
    return arange(try number(start, 0), try number(end, 0), try number(step, 1), try call.dtype(), call.builder)
  }

  private static func arange(
    _ start: some Number, _ end: some Number, _ step: some Number, _ dtype: ScalarType?, _ builder: Builder
  ) -> Tensor {
    builder.arange(start, end, step: step, dtype: dtype)
  }
}
