internal import LatheCore
internal import LatheNN

/// What moves elements, or gives them another type.
extension Operator {
  static let shapes: [String: Operator] = [
    "view": reshape("size"), "reshape": reshape("shape"), "_unsafe_view": reshape("size"),
    "view.dtype": .one { call throws(TypeFault) in
      guard let dtype = try call.dtype() else { throw TypeFault("the type is missing") }
      return try call.tensor().view(dtype)
    },
    "reshape_as": .one { call throws(TypeFault) in try call.tensor().viewAs(call.tensor("other")) },
    "view_as": .one { call throws(TypeFault) in try call.tensor().viewAs(call.tensor("other")) },
    "flatten": .one { call throws(TypeFault) in
      try call.tensor().flatten(
        startDim: call.integer("start_dim"), endDim: call.integer("end_dim"))
    },
    "unflatten": .one { call throws(TypeFault) in
      try call.tensor().unflatten(dim: call.integer("dim"), call.integers("sizes"))
    },
    "transpose": .one { call throws(TypeFault) in
      try call.tensor().transpose(call.integer("dim0"), call.integer("dim1"))
    },
    "swapaxes": .one { call throws(TypeFault) in
      try call.tensor().transpose(call.integer("axis0"), call.integer("axis1"))
    },
    "permute": .one { call throws(TypeFault) in try call.tensor().permute(dims: call.integers("dims")) },
    "movedim": .one { call throws(TypeFault) in
      try call.tensor().movedim(call.integers("source"), call.integers("destination"))
    },
    "t": .unary { $0.t() },
    "numpy_T": .unary { $0.permute(dims: Array((0..<$0.rank).reversed())) },
    "squeeze": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return call.has("dim") ? x.squeeze(dim: try call.integers("dim")) : x.squeeze()
    },
    "unsqueeze": .one { call throws(TypeFault) in try call.tensor().unsqueeze(dim: call.integer("dim")) },
    "expand": .one { call throws(TypeFault) in try call.tensor().expand(call.dimensions("size")) },
    "broadcast_to": .one { call throws(TypeFault) in try call.tensor().expand(call.dimensions("size")) },
    "expand_as": .one { call throws(TypeFault) in try call.tensor().expandAs(call.tensor("other")) },
    "repeat": .one { call throws(TypeFault) in try call.tensor().repeat(call.integers("repeats")) },
    "tile": .one { call throws(TypeFault) in try call.tensor().tile(call.integers("dims")) },
    "repeat_interleave.self_int": .one { call throws(TypeFault) in
      call.ignore("output_size")
      return try call.tensor().repeatInterleave(call.integer("repeats"), dim: call.optionalInteger("dim"))
    },
    "cat": joined,
    "stack": .one { call throws(TypeFault) in
      stack(try call.tensors("tensors"), dim: try call.integer("dim"))
    },
    "split.Tensor": .several { call throws(TypeFault) in
      Array(try call.tensor().split(call.integer("split_size"), dim: call.integer("dim")))
    },
    "split_with_sizes": .several { call throws(TypeFault) in
      Array(try call.tensor().split(call.integers("split_sizes"), dim: call.integer("dim")))
    },
    "split.sizes": .several { call throws(TypeFault) in
      Array(try call.tensor().split(call.integers("split_size"), dim: call.integer("dim")))
    },
    "chunk": .several { call throws(TypeFault) in
      Array(try call.tensor().chunk(call.integer("chunks"), dim: call.integer("dim")))
    },
    "tensor_split.sections": .several { call throws(TypeFault) in
      Array(try call.tensor().tensorSplit(call.integer("sections"), dim: call.integer("dim")))
    },
    "tensor_split.indices": .several { call throws(TypeFault) in
      Array(try call.tensor().tensorSplit(at: call.integers("indices"), dim: call.integer("dim")))
    },
    "unsafe_split.Tensor": .several { call throws(TypeFault) in
      Array(try call.tensor().split(call.integer("split_size"), dim: call.integer("dim")))
    },
    "unsafe_chunk": .several { call throws(TypeFault) in
      Array(try call.tensor().chunk(call.integer("chunks"), dim: call.integer("dim")))
    },
    "unbind": .several { call throws(TypeFault) in
      Array(try call.tensor().unbind(dim: call.integer("dim")))
    },
    "select": .one { call throws(TypeFault) in
      try call.tensor().select(dim: call.integer("dim"), index: call.integer("index"))
    },
    "narrow": .one { call throws(TypeFault) in
      try call.tensor().narrow(dim: call.integer("dim"), start: call.integer("start"), length: call.integer("length"))
    },
    "slice": .one(slice),
    "select_scatter": .one { call throws(TypeFault) in
      try call.tensor().selectScatter(call.tensor("src"), dim: call.integer("dim"), index: call.integer("index"))
    },
    "slice_scatter": .one { call throws(TypeFault) in
      try call.tensor().sliceScatter(
        call.tensor("src"), dim: call.integer("dim"), start: call.bound("start") ?? 0, end: end(call),
        step: call.integer("step"))
    },
    "as_strided": .one(asStrided),
    "unfold_backward": .one { call throws(TypeFault) in
      let (windows, axis) = (try call.tensor("grad_in"), try call.integer("dim"))
      let sizes = try call.integers("input_sizes")
      let place = axis < 0 ? axis + sizes.count : axis
      guard sizes.indices.contains(place) else { throw TypeFault("\(windows.type) has no axis \(axis)") }
      call.ignore("size")
      return windows.movedim(place, -2).overlapAdded(step: try call.integer("step"), length: sizes[place])
        .movedim(-1, place)
    },
    "as_strided_scatter": .one { call throws(TypeFault) in
      let view = try strided(call)
      return try scattered(call.tensor("src"), over: call.tensor(), view)
    },
    "flip": .one { call throws(TypeFault) in try call.tensor().flip(dims: call.integers("dims")) },
    "roll": .one { call throws(TypeFault) in
      let (x, shifts) = (try call.tensor(), try call.integers("shifts"))
      let axes = try call.integers("dims")
      if axes.isEmpty { return x.flatten().roll(shifts: shifts, dims: 0).viewAs(x) }
      return x.roll(shifts: shifts, dims: axes)
    },
    "unfold": .one { call throws(TypeFault) in
      try call.tensor().unfold(
        dimension: call.integer("dimension"), size: call.integer("size"), step: call.integer("step"))
    },
    "diagonal": .one { call throws(TypeFault) in
      try call.tensor().diagonal(
        offset: call.integer("offset"), dim1: call.integer("dim1"),
        dim2: call.integer("dim2"))
    },
    "tril": .one { call throws(TypeFault) in try call.tensor().tril(diagonal: call.integer("diagonal")) },
    "triu": .one { call throws(TypeFault) in try call.tensor().triu(diagonal: call.integer("diagonal")) },
    "pad": .one { call throws(TypeFault) in
      let name = try call.string("mode")
      guard let mode = PaddingMode(rawValue: name) else { throw TypeFault("the mode '\(name)' is not known") }
      return LatheNN.pad(
        try call.tensor(), try call.integers("pad"), mode: mode, value: try call.optionalFloat("value") ?? 0)
    },
    "constant_pad_nd": .one { call throws(TypeFault) in
      LatheNN.pad(try call.tensor(), try call.integers("pad"), value: try call.float("value"))
    },
    "reflection_pad1d": padded(.reflect), "reflection_pad2d": padded(.reflect), "reflection_pad3d": padded(.reflect),
    "replication_pad1d": padded(.replicate), "replication_pad2d": padded(.replicate),
    "replication_pad3d": padded(.replicate),
    "mT": .unary { $0.transpose(-1, -2) }, "mH": .unary { $0.transpose(-1, -2) },
    "adjoint": .unary { $0.transpose(-1, -2) }, "ravel": .unary { $0.flatten() },
    "fliplr": .unary { $0.flip(dims: [1]) }, "flipud": .unary { $0.flip(dims: [0]) },
    "atleast_1d": atLeast(1), "atleast_2d": atLeast(2), "atleast_3d": atLeast(3),
    "hsplit.int": split("sections") { $0.rank == 1 ? 0 : 1 }, "hsplit.array": split("indices") { $0.rank == 1 ? 0 : 1 },
    "vsplit.int": split("sections") { _ in 0 }, "vsplit.array": split("indices") { _ in 0 },
    "dsplit.int": split("sections") { _ in 2 }, "dsplit.array": split("indices") { _ in 2 },
    "fft_fftshift": .one { call throws(TypeFault) in
      FFT.fftshift(try call.tensor(), dim: try call.optionalIntegers("dim"), isReal: true)
    },
    "fft_ifftshift": .one { call throws(TypeFault) in
      FFT.ifftshift(try call.tensor(), dim: try call.optionalIntegers("dim"), isReal: true)
    },
    "hstack": .one { call throws(TypeFault) in hstack(try call.tensors("tensors")) },
    "vstack": .one { call throws(TypeFault) in vstack(try call.tensors("tensors")) },
    "dstack": .one { call throws(TypeFault) in dstack(try call.tensors("tensors")) },
    "column_stack": .one { call throws(TypeFault) in columnStack(try call.tensors("tensors")) },
    "broadcast_tensors": .several { call throws(TypeFault) in broadcastTensors(try call.tensors("tensors")) },
    "rot90": .one { call throws(TypeFault) in try call.tensor().rot90(call.integer("k"), dims: call.integers("dims")) },
    "diag": .one { call throws(TypeFault) in try call.tensor().diag(diagonal: call.integer("diagonal")) },
    "diag_embed": .one { call throws(TypeFault) in
      let (x, axes) = (try call.tensor(), [try call.integer("dim1"), try call.integer("dim2")])
      return x.diagEmbed(offset: try call.integer("offset")).movedim([-2, -1], axes)
    },
    "diagflat": .one { call throws(TypeFault) in
      try call.tensor().flatten().diagEmbed(offset: call.integer("offset"))
    },
    "diagonal_scatter": .one { call throws(TypeFault) in
      let (offset, axes) = (try call.integer("offset"), (try call.integer("dim1"), try call.integer("dim2")))
      return try scattered(call.tensor("src"), over: call.tensor()) {
        $0.diagonal(offset: offset, dim1: axes.0, dim2: axes.1)
      }
    },
    "fill_diagonal": .one { call throws(TypeFault) in
      let (x, value) = (try call.tensor(), try call.float("fill_value"))
      guard x.rank == 2 else { throw TypeFault("of \(x.type) is not supported: the operand has two axes") }
      return scattered(x.diagonal().fullLike(value), over: x) { $0.diagonal() }
    },
    "vander": .one { call throws(TypeFault) in
      try call.tensor("x").vander(call.optionalInteger("N"), increasing: call.flag("increasing"))
    },
    "channel_shuffle": .one { call throws(TypeFault) in
      channelShuffle(try call.tensor(), groups: try call.integer("groups"))
    },
    "pixel_unshuffle": .one { call throws(TypeFault) in
      pixelUnshuffle(try call.tensor(), try call.integer("downscale_factor"))
    },
    "pixel_shuffle": .one { call throws(TypeFault) in
      pixelShuffle(try call.tensor(), try call.integer("upscale_factor"))
    },
    "conj": same, "_conj": same, "conj_physical": same, "resolve_conj": same, "resolve_neg": same, "real": same,
    "contiguous": same, "clone": same, "alias": same, "detach": same, "lift_fresh": same, "lift_fresh_copy": same,
    "positive": same, "to.device": converted, "to.dtype": converted, "to.dtype_layout": converted,
    "_to_copy": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return try call.dtype().map { x.to($0) } ?? x
    },
    "type_as": convertedAsOther, "to.other": convertedAsOther,
    "copy": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return try call.tensor("src").convert(to: x.dtype).expanded(to: x.shape)
    },
  ]

  private static func slice(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, axis, step) = (try call.tensor(), try call.integer("dim"), try call.integer("step"))
    if x.isPoisoned { throw .poisoned }
    let ends = (try call.end("start") ?? .size(0), try call.end("end") ?? .size(Dim(Call.largestSize)))
    guard axis >= -x.rank, axis < x.rank else { throw TypeFault("axis \(axis) is outside of \(x.type)") }
    let place = axis < 0 ? axis + x.rank : axis
    let isOfData = [ends.0, ends.1, .size(x.shape[place])].contains { entry in
      if case .size(let size) = entry { !size.extents.isEmpty } else { true }
    }
    if isOfData, x.shape[place].symbols.isEmpty {
      return try x.elements(axis: place, from: ends.0, to: ends.1, step: step)
    }
    return x.slice(dim: axis, start: try call.bound("start") ?? 0, end: try end(call), step: step)
  }

  /// Where a slice ends; nil for the last element.
  private static func end(_ call: Call) throws(TypeFault) -> Int? {
    let end = try call.bound("end")
    return end == Call.largestSize ? nil : end
  }

  private static func reshape(_ argument: String) -> Operator {
    .one { call throws(TypeFault) in try call.tensor().view(call.dimensions(argument)) }
  }

  /// Another view of the operand's memory, as far as the operand itself fills it.
  private static func asStrided(_ call: Call) throws(TypeFault) -> Tensor {
    try strided(call)(call.tensor())
  }

  private static func strided(_ call: Call) throws(TypeFault) -> (Tensor) -> Tensor {
    let (sizes, strides) = (try call.integers("size"), try call.integers("stride"))
    let from = try Call.known(try call.tensor().shape, "the operand's shape")
    guard let meta = call.meta("self"), case let steps = meta.strides.compactMap(\.number), steps.count == from.count,
      sizes.count == strides.count, let base = meta.offset.number, (0...Call.largestSize).contains(base)
    else { throw TypeFault("the operand's strides are not known") }
    // The operand's axes in the order of memory, where they have to lie without gaps.
    let axes = from.indices.sorted { (steps[$0], from[$0], $1) > (steps[$1], from[$1], $0) }
    var count = 1
    for axis in axes.reversed() where from[axis] != 1 {
      guard steps[axis] == count else {
        throw TypeFault("the operand has gaps in memory, whose elements are not known")
      }
      count *= from[axis]
    }
    let offset = (try call.optionalInteger("storage_offset") ?? base) - base
    var (last, row) = (offset, 1)
    for (size, stride) in zip(sizes, strides).reversed() {
      guard size > 0, stride >= 0, offset >= 0, last < count else { throw TypeFault("reaches out of the operand") }
      last += (size - 1) * stride
      row = stride == row || size == 1 ? row * size : 0
    }
    guard offset >= 0, last < count else { throw TypeFault("reaches out of the operand") }
    let isWhole = offset == 0 && row == count
    let builder = call.builder
    return { x in
      let memory = x.permute(axes).flatten()
      guard !isWhole else { return memory.view(sizes) }
      var places = builder.full(TensorType(.i64, [Dim]()), .integer(offset))
      for axis in sizes.indices {
        let steps = builder.iota(TensorType(.i64, [Dim(sizes[axis])]), axis: 0) * strides[axis]
        places = places + steps.reshape(sizes.indices.map { $0 == axis ? Dim(sizes[axis]) : 1 })
      }
      return memory.take(dim: 0, places)
    }
  }

  private static func atLeast(_ rank: Int) -> Operator {
    .unary { x in
      guard x.rank < rank else { return x }
      // Of three axes the last is added first.
      let x = x.rank == 2 ? x.unsqueeze(dim: -1) : x
      return (x.rank..<rank).reduce(x) { y, axis in y.unsqueeze(dim: axis == 2 ? -1 : 0) }
    }
  }

  /// Parts of an axis: so many, or those between places.
  private static func split(_ argument: String, _ axis: @escaping @Sendable (Tensor) -> Int) -> Operator {
    .several { call throws(TypeFault) in
      let x = try call.tensor()
      if argument == "sections" { return Array(x.tensorSplit(try call.integer(argument), dim: axis(x))) }
      return Array(x.tensorSplit(at: try call.integers(argument), dim: axis(x)))
    }
  }

  /// A tensor with other elements where a view of it is.
  static func scattered(_ content: Tensor, over x: Tensor, _ view: (Tensor) -> Tensor) -> Tensor {
    let positions = x.builder.iota(TensorType(.i64, [x.shape.elementCount]), axis: 0).reshape(x.shape)
    return x.flatten().indexPut([view(positions).flatten()], content.flatten()).reshape(x.shape)
  }

  private static func padded(_ mode: PaddingMode) -> Operator {
    .one { call throws(TypeFault) in LatheNN.pad(try call.tensor(), try call.integers("padding"), mode: mode) }
  }

  private static let same = Operator.unary { $0 }

  private static let joined = Operator.one { call throws(TypeFault) in
    cat(try call.tensors("tensors"), dim: try call.integer("dim"))
  }

  private static let converted = Operator.one { call throws(TypeFault) in
    let x = try call.tensor()
    return try converted(x, to: call.dtype() ?? x.dtype, call)
  }

  private static let convertedAsOther = Operator.one { call throws(TypeFault) in
    try converted(call.tensor(), to: call.tensor("other").dtype, call)
  }

  /// The operand itself, where it has the type already and no copy is asked for.
  private static func converted(_ x: Tensor, to dtype: ScalarType, _ call: Call) throws(TypeFault) -> Tensor {
    call.share(try call.flag("copy") || dtype != x.dtype ? .fresh : .same)
    return x.to(dtype)
  }
}
