internal import LatheCore
internal import LatheNN

/// Complex numbers, and their transforms: what operators mean where an operand or a result is complex.
extension Operator {
  static let complex: [String: Operator] = [
    "complex": .numbers { call throws(TypeFault) in
      ComplexTensor(parts: LatheNN.complex(try call.tensor("real"), try call.tensor("imag")))
    },
    "polar": .numbers { call throws(TypeFault) in
      ComplexTensor(parts: LatheNN.polar(try call.tensor("abs"), try call.tensor("angle")))
    },
    "view_as_complex": .numbers { call throws(TypeFault) in ComplexTensor(parts: viewAsComplex(try call.tensor())) },
    "view_as_real": .real { $0 },
    "real": .one { call throws(TypeFault) in try call.complex().real },
    "imag": .one { call throws(TypeFault) in try call.complex().imag },
    "abs": .real { Complex.abs($0) }, "angle": .real { Complex.angle($0) },
    "_conj": conjugated, "conj": conjugated, "conj_physical": conjugated, "_conj_physical": conjugated,
    "mH": adjoint, "adjoint": adjoint, "resolve_conj": same, "resolve_neg": same, "clone": same, "contiguous": same,
    "alias": same, "detach": same,
    "lift_fresh_copy": same, "_to_copy": converted, "to.dtype": converted, "to.device": converted,
    "add": .numbers { call throws(TypeFault) in try sum(call, 1) },
    "sub": .numbers { call throws(TypeFault) in try sum(call, -1) },
    "mul": .numbers { call throws(TypeFault) in
      let x = try call.complex()
      return x.times(try call.complex("other", beside: x))
    },
    "div": .numbers { call throws(TypeFault) in
      let x = try call.complex()
      return ComplexTensor(parts: Complex.div(x.parts, try call.complex("other", beside: x).parts))
    },
    "neg": .numbers { call throws(TypeFault) in try call.complex().mapped { -$0 } },
    "square": .numbers { call throws(TypeFault) in power(try call.complex(), 2) },
    "pow.Tensor_Scalar": powers, "pow.Tensor_Tensor": powers,
    "exp": function { Complex.exp($0) }, "log": function { Complex.log($0) }, "sqrt": function { Complex.sqrt($0) },
    "reciprocal": function { Complex.reciprocal($0) }, "sin": function { Complex.sin($0) },
    "cos": function { Complex.cos($0) }, "sinh": function { Complex.sinh($0) },
    "cosh": function { Complex.cosh($0) }, "tanh": function { Complex.tanh($0) },
    "matmul": products("other"), "mm": products("mat2"), "bmm": products("mat2"),
    "einsum": .numbers(einsum),
    "cat": .numbers { call throws(TypeFault) in
      try joined(call) { (tensors, dim) in LatheNN.cat(tensors, dim: dim) }
    },
    "stack": .numbers { call throws(TypeFault) in
      try joined(call) { (tensors, dim) in LatheNN.stack(tensors, dim: dim) }
    },
    "pad": padded("pad"), "constant_pad_nd": padded("constant_pad_nd"),
    "eq": .one { call throws(TypeFault) in
      let a = try call.complex()
      let b = try call.complex("other", beside: a)
      return (a.real .== b.real) .& (a.imag .== b.imag)
    },
    "copy": written("src"), "fill": written("value"),
    "where": .numbers { call throws(TypeFault) in
      let condition = try call.tensor("condition")
      let a = try call.complex()
      let b = try call.complex("other", beside: a)
      return ComplexTensor(real: `where`(condition, a.real, b.real), imaginary: `where`(condition, a.imag, b.imag))
    },
    "masked_fill": .numbers { call throws(TypeFault) in
      let (x, mask) = (try call.complex(), try call.tensor("mask"))
      let value = try call.complex("value", beside: x)
      return ComplexTensor(real: x.real.maskedFill(mask, value.real), imaginary: x.imag.maskedFill(mask, value.imag))
    },
    "index_put": .numbers { call throws(TypeFault) in
      let x = try call.complex()
      let values = try call.complex("values", beside: x)
      return ComplexTensor(
        real: try indexPut(call, to: x.real, values.real), imaginary: try indexPut(call, to: x.imag, values.imag))
    },
    "select_scatter": scattered("select_scatter"), "slice_scatter": scattered("slice_scatter"),
    "scalar_tensor": .numbers { call throws(TypeFault) in
      let type = TensorType(try call.complexPart("dtype") ?? .defaultFloat, [Dim]())
      let value = try call.complex("s", beside: ComplexTensor(real: call.builder.zeros(type), imaginary: nil))
      return ComplexTensor(real: value.real, imaginary: value.imag)
    },
    "full": filled("zeros"), "full_like": filled("zeros_like"), "new_full": filled("new_zeros"),
    "linalg_eig": Operator { call throws(TypeFault) in
      let (values, vectors) = Linalg.eig(try call.tensor())
      return [
        .complex(ComplexTensor(real: values.real, imaginary: values.imaginary)),
        .complex(ComplexTensor(real: vectors.real, imaginary: vectors.imaginary)),
      ]
    },
    "linalg_eigvals": .numbers { call throws(TypeFault) in
      let values = Linalg.eigvals(try call.tensor())
      return ComplexTensor(real: values.real, imaginary: values.imaginary)
    },
  ].merging(parts) { first, _ in first }.merging(transforms) { first, _ in first }

  /// What does the same with the real and the imaginary part.
  private static let parts = Dictionary(
    uniqueKeysWithValues: [
      "numpy_T", "view", "reshape", "_unsafe_view", "reshape_as", "view_as", "flatten", "unflatten", "transpose",
      "permute",
      "movedim", "t", "mT", "squeeze", "unsqueeze", "expand", "expand_as", "repeat", "tile", "split.Tensor",
      "split_with_sizes", "split.sizes", "chunk", "unbind", "select", "narrow", "slice", "flip", "roll",
      "unfold", "diagonal", "tril", "triu", "index_select", "gather", "index", "sum", "mean", "cumsum", "zeros_like",
      "new_zeros", "zeros", "zero", "diag_embed",
    ].map { ($0, partwise($0)) })

  /// Whether an operator of complex numbers does the same with both parts, elements in other places or none but some.
  static func isPartwise(_ name: String) -> Bool { parts[name] != nil || ["alias", "detach"].contains(name) }

  /// What is written in place of complex numbers, in their shape.
  private static func written(_ argument: String) -> Operator {
    .numbers { call throws(TypeFault) in
      let x = try call.complex()
      let content = try call.complex(argument, beside: x)
      return ComplexTensor(real: content.real, imaginary: content.imag).mapped {
        $0.convert(to: x.real.dtype).expanded(to: x.real.shape)
      }
    }
  }

  /// Complex numbers in some places of others.
  private static func scattered(_ name: String) -> Operator {
    Operator { call throws(TypeFault) in
      guard try call.complex().imaginary != nil, try call.complex("src").imaginary != nil else {
        throw TypeFault("of real and complex numbers is not supported")
      }
      return try partwise(name).apply(call)
    }
  }

  /// One number in as many places as the operator gives zeros.
  private static func filled(_ zeros: String) -> Operator {
    .numbers { call throws(TypeFault) in
      guard let row = Operator.real(zeros), case .tensor(let real)? = try row.apply(call.part(.real)).first else {
        internalError("'\(zeros)' gives no tensor")
      }
      let like = ComplexTensor(real: real, imaginary: nil)
      let value = try call.complex("fill_value", beside: like)
      return ComplexTensor(real: real + value.real, imaginary: real + value.imag)
    }
  }

  private static func partwise(_ name: String) -> Operator {
    Operator { call throws(TypeFault) in
      guard let row = Operator.real(name) else { internalError("no row '\(name)'") }
      return try zip(row.apply(call.part(.real)), row.apply(call.part(.imaginary))).map { real, imaginary in
        guard case .tensor(let real) = real, case .tensor(let imaginary) = imaginary else {
          internalError("'\(name)' gives no tensor")
        }
        return .complex(ComplexTensor(real: real, imaginary: imaginary))
      }
    }
  }

  /// Continues by zeros.
  private static func padded(_ name: String) -> Operator {
    Operator { call throws(TypeFault) in
      guard try (call.optionalFloat("value") ?? 0) == 0 else { throw TypeFault("by another number than 0") }
      return try partwise(name).apply(call)
    }
  }

  // MARK: Arithmetic

  private static let same = Operator.numbers { call throws(TypeFault) in try call.complex() }

  private static let conjugated = Operator.numbers { call throws(TypeFault) in try call.complex().conjugated }

  private static let adjoint = Operator.numbers { call throws(TypeFault) in
    try call.complex().conjugated.mapped { $0.transpose(-1, -2) }
  }

  private static let converted = Operator.numbers { call throws(TypeFault) in
    let x = try call.complex()
    guard let dtype = try call.complexPart("dtype") else { return x }
    return x.mapped { $0.to(dtype) }
  }

  private static func sum(_ call: Call, _ sign: Double) throws(TypeFault) -> ComplexTensor {
    let x = try call.complex()
    let scaled = try call.complex("other", beside: x).scaled(by: call.float("alpha") * sign)
    return ComplexTensor(real: x.real + scaled.real, imaginary: x.imag + scaled.imag)
  }

  private static func joined(
    _ call: Call, _ function: ([Tensor], Int) -> Tensor
  ) throws(TypeFault) -> ComplexTensor {
    let (numbers, dim) = (try call.complexes("tensors"), try call.integer("dim"))
    return ComplexTensor(real: function(numbers.map(\.real), dim), imaginary: function(numbers.map(\.imag), dim))
  }

  private static func products(_ other: String) -> Operator {
    .numbers { call throws(TypeFault) in
      try call.complex().product(call.complex(other)) { LatheNN.matmul($0, $1) }
    }
  }

  /// The sum over all choices of real and imaginary parts, as a product of sums is.
  private static func einsum(_ call: Call) throws(TypeFault) -> ComplexTensor {
    let (equation, operands) = (try call.string("equation"), try call.complexes("tensors"))
    // In which order products are taken only decides the last places.
    call.ignore("path")
    guard operands.count <= 8 else { throw TypeFault("of \(operands.count) complex operands is not supported") }
    var sums: [Tensor?] = [nil, nil]
    for choice in 0..<1 << operands.count {
      let parts = operands.enumerated().compactMap { position, operand in
        choice >> position & 1 == 0 ? operand.real : operand.imaginary
      }
      guard parts.count == operands.count else { continue }
      let term = LatheNN.einsum(equation, parts)
      // Of the powers of i, every second one is real, and of these every second one is negative.
      let power = choice.nonzeroBitCount
      let signed = power & 2 == 0 ? term : -term
      sums[power & 1] = sums[power & 1].map { $0 + signed } ?? signed
    }
    guard let real = sums[0] else { throw TypeFault("has no operands") }
    return ComplexTensor(real: real, imaginary: sums[1])
  }

  /// Small whole powers are products.
  private static let powers = Operator.numbers { call throws(TypeFault) in
    let x = try call.complex()
    if let exponent = try? call.integer("exponent"), (1...8).contains(exponent) { return power(x, exponent) }
    return ComplexTensor(parts: Complex.pow(x.parts, try call.complex("exponent", beside: x).parts))
  }

  private static func power(_ x: ComplexTensor, _ exponent: Int) -> ComplexTensor {
    (1..<exponent).reduce(x) { power, _ in power.times(x) }
  }

  /// A function of pairs.
  private static func function(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Operator {
    .numbers { call throws(TypeFault) in ComplexTensor(parts: function(try call.complex().parts)) }
  }

  // MARK: Transforms

  private static let transforms: [String: Operator] = [
    "fft_fft": along { FFT.fft($0, n: $1, dim: $2, norm: $3) },
    "fft_ifft": along { FFT.ifft($0, n: $1, dim: $2, norm: $3) },
    "fft_rfft": along(isReal: true) { FFT.rfft($0, n: $1, dim: $2, norm: $3) },
    "fft_ihfft": along(isReal: true) { FFT.ihfft($0, n: $1, dim: $2, norm: $3) },
    "fft_irfft": along(givesReal: true) { FFT.irfft($0, n: $1, dim: $2, norm: $3) },
    "fft_hfft": along(givesReal: true) { FFT.hfft($0, n: $1, dim: $2, norm: $3) },
    "fft_fft2": over { FFT.fftn($0, s: $1, dim: $2, norm: $3) },
    "fft_fftn": over { FFT.fftn($0, s: $1, dim: $2, norm: $3) },
    "fft_ifft2": over { FFT.ifftn($0, s: $1, dim: $2, norm: $3) },
    "fft_ifftn": over { FFT.ifftn($0, s: $1, dim: $2, norm: $3) },
    "fft_rfft2": over(isReal: true) { FFT.rfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_rfftn": over(isReal: true) { FFT.rfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_ihfft2": over(isReal: true) { FFT.ihfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_ihfftn": over(isReal: true) { FFT.ihfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_irfft2": over(givesReal: true) { FFT.irfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_irfftn": over(givesReal: true) { FFT.irfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_hfft2": over(givesReal: true) { FFT.hfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_hfftn": over(givesReal: true) { FFT.hfftn($0, s: $1, dim: $2, norm: $3) },
    "fft_fftshift": .numbers { call throws(TypeFault) in
      ComplexTensor(parts: FFT.fftshift(try call.complex().parts, dim: try call.optionalIntegers("dim")))
    },
    "fft_ifftshift": .numbers { call throws(TypeFault) in
      ComplexTensor(parts: FFT.ifftshift(try call.complex().parts, dim: try call.optionalIntegers("dim")))
    },
    // Of decomposed programs; a number says how results are scaled.
    "_fft_c2c": .numbers { call throws(TypeFault) in
      let (x, axes) = (try call.complex().parts, try call.integers("dim"))
      let isForward = try call.flag("forward")
      let norm = try scale(call, isInverse: !isForward)
      return ComplexTensor(parts: isForward ? FFT.fftn(x, dim: axes, norm: norm) : FFT.ifftn(x, dim: axes, norm: norm))
    },
    "_fft_r2c": .numbers { call throws(TypeFault) in
      let (x, axes) = (try call.tensor(), try call.integers("dim"))
      let norm = try scale(call, isInverse: false)
      guard try !call.flag("onesided") else { return ComplexTensor(parts: FFT.rfftn(x, dim: axes, norm: norm)) }
      return ComplexTensor(parts: FFT.fftn(ComplexTensor(real: x, imaginary: nil).parts, dim: axes, norm: norm))
    },
    "_fft_c2r": .one { call throws(TypeFault) in
      let (x, axes) = (try call.complex(), try call.integers("dim"))
      var sizes: [Int] = []
      for axis in axes.dropLast() { sizes.append(try Call.known([x.real.size(axis)], "the size of axis \(axis)")[0]) }
      return FFT.irfftn(
        x.parts, s: sizes + [try call.integer("last_dim_size")], dim: axes, norm: try scale(call, isInverse: true))
    },
    "stft": stft, "istft": istft,
  ]

  /// How the operator's number scales: by nothing, by one over the root of the size, or by one over the size.
  private static func scale(_ call: Call, isInverse: Bool) throws(TypeFault) -> FFT.Norm {
    switch try call.integer("normalization") {
    case 0: isInverse ? .forward : .backward
    case 1: .ortho
    case 2: isInverse ? .backward : .forward
    case let number: throw TypeFault("the normalization \(number) is not known")
    }
  }

  private static func norm(_ call: Call) throws(TypeFault) -> FFT.Norm {
    guard call.has("norm") else { return .backward }
    let name = try call.string("norm")
    guard let norm = FFT.Norm(rawValue: name) else { throw TypeFault("the norm '\(name)' is not known") }
    return norm
  }

  private static func operand(_ call: Call, isReal: Bool) throws(TypeFault) -> Tensor {
    isReal ? try call.tensor() : try call.complex().parts
  }

  private static func result(_ tensor: Tensor, isReal: Bool) -> [ProgramValue] {
    isReal || tensor.isPoisoned ? [.tensor(tensor)] : [.complex(ComplexTensor(parts: tensor))]
  }

  /// A transform along one axis.
  private static func along(
    isReal: Bool = false, givesReal: Bool = false,
    _ function: @escaping @Sendable (Tensor, Int?, Int, FFT.Norm) -> Tensor
  ) -> Operator {
    Operator { call throws(TypeFault) in
      let (n, dim) = (try call.optionalInteger("n"), try call.integer("dim"))
      return result(function(try operand(call, isReal: isReal), n, dim, try norm(call)), isReal: givesReal)
    }
  }

  /// A transform along several axes.
  private static func over(
    isReal: Bool = false, givesReal: Bool = false,
    _ function: @escaping @Sendable (Tensor, [Int]?, [Int]?, FFT.Norm) -> Tensor
  ) -> Operator {
    Operator { call throws(TypeFault) in
      let (s, dim) = (try call.optionalIntegers("s"), try call.optionalIntegers("dim"))
      return result(function(try operand(call, isReal: isReal), s, dim, try norm(call)), isReal: givesReal)
    }
  }

  /// Transforms of windows, one column each.
  private static let stft = Operator { call throws(TypeFault) in
    let isCentered = call.schema?["center"] != nil ? try call.flag("center") : false
    if isCentered {
      guard try call.string("pad_mode") == "reflect" else { throw TypeFault("pads by reflection only") }
    } else if call.schema?["pad_mode"] != nil {
      call.ignore("pad_mode")
    }
    call.ignore("align_to_window")
    let signal = try call.complex()
    let isOneSided = call.has("onesided") ? try call.flag("onesided") : signal.imaginary == nil
    let (nFFT, hop) = (try call.integer("n_fft"), try call.optionalInteger("hop_length"))
    let (length, window) = (try call.optionalInteger("win_length"), try call.optional("window"))
    let isNormalized = try call.flag("normalized")
    func columns(_ signal: Tensor) -> Tensor {
      LatheNN.stft(
        signal, nFFT: nFFT, hopLength: hop, winLength: length, window: window, center: isCentered,
        normalized: isNormalized, onesided: isOneSided)
    }
    let isReal = call.has("return_complex") ? try !call.flag("return_complex") : signal.imaginary == nil
    guard let imaginary = signal.imaginary else { return result(columns(signal.real), isReal: isReal) }
    guard !isOneSided else { throw TypeFault("of complex signals has both sides") }
    // What is linear is so of both parts.
    let (x, y) = (ComplexTensor(parts: columns(signal.real)), ComplexTensor(parts: columns(imaginary)))
    return result(ComplexTensor(real: x.real - y.imag, imaginary: x.imag + y.real).parts, isReal: isReal)
  }

  private static let istft = Operator { call throws(TypeFault) in
    let z = try call.complex()
    let (nFFT, hop) = (try call.integer("n_fft"), try call.optionalInteger("hop_length"))
    let (length, window) = (try call.optionalInteger("win_length"), try call.optional("window"))
    let (isCentered, isNormalized) = (try call.flag("center"), try call.flag("normalized"))
    let isComplex = try call.flag("return_complex")
    let isOneSided = call.has("onesided") ? try call.flag("onesided") : !isComplex
    let size = try call.optionalInteger("length")
    func signal(_ z: ComplexTensor) -> Tensor {
      LatheNN.istft(
        z.parts, nFFT: nFFT, hopLength: hop, winLength: length, window: window, center: isCentered,
        normalized: isNormalized, onesided: isOneSided, length: size)
    }
    guard isComplex else { return [.tensor(signal(z))] }
    guard !isOneSided else { throw TypeFault("of complex signals needs both sides") }
    // The imaginary part of a signal is the real one of -i times it.
    let turned = ComplexTensor(real: z.imag, imaginary: -z.real)
    return [.complex(ComplexTensor(real: signal(z), imaginary: signal(turned)))]
  }
}

extension Operator {
  /// An operator whose result is complex.
  fileprivate static func numbers(_ body: @escaping Body<ComplexTensor>) -> Operator {
    Operator { call throws(TypeFault) in [.complex(try body(call))] }
  }

  /// A function of pairs whose result is real.
  fileprivate static func real(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.complex().parts) }
  }
}
