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
    "cat": joined, "concat": joined, "concatenate": joined,
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
    "slice": .one { call throws(TypeFault) in
      try call.tensor().slice(
        dim: call.integer("dim"), start: call.bound("start") ?? 0, end: end(call), step: call.integer("step"))
    },
    "select_scatter": .one { call throws(TypeFault) in
      try call.tensor().selectScatter(call.tensor("src"), dim: call.integer("dim"), index: call.integer("index"))
    },
    "slice_scatter": .one { call throws(TypeFault) in
      try call.tensor().sliceScatter(
        call.tensor("src"), dim: call.integer("dim"), start: call.bound("start") ?? 0, end: end(call),
        step: call.integer("step"))
    },
    "as_strided": .one(asStrided),
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
    "hstack": .one { call throws(TypeFault) in hstack(try call.tensors("tensors")) },
    "vstack": .one { call throws(TypeFault) in vstack(try call.tensors("tensors")) },
    "dstack": .one { call throws(TypeFault) in dstack(try call.tensors("tensors")) },
    "column_stack": .one { call throws(TypeFault) in columnStack(try call.tensors("tensors")) },
    "broadcast_tensors": .several { call throws(TypeFault) in broadcastTensors(try call.tensors("tensors")) },
    "rot90": .one { call throws(TypeFault) in try call.tensor().rot90(call.integer("k"), dims: call.integers("dims")) },
    "diag": .one { call throws(TypeFault) in try call.tensor().diag(diagonal: call.integer("diagonal")) },
    "diag_embed": .one { call throws(TypeFault) in try call.tensor().diagEmbed(offset: call.integer("offset")) },
    "channel_shuffle": .one { call throws(TypeFault) in
      channelShuffle(try call.tensor(), groups: try call.integer("groups"))
    },
    "pixel_unshuffle": .one { call throws(TypeFault) in
      pixelUnshuffle(try call.tensor(), try call.integer("downscale_factor"))
    },
    "pixel_shuffle": .one { call throws(TypeFault) in
      pixelShuffle(try call.tensor(), try call.integer("upscale_factor"))
    },
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

  /// Where a slice ends; nil for the last element.
  private static func end(_ call: Call) throws(TypeFault) -> Int? {
    let end = try call.bound("end")
    return end == Call.largestSize ? nil : end
  }

  private static func reshape(_ argument: String) -> Operator {
    .one { call throws(TypeFault) in try call.tensor().view(call.dimensions(argument)) }
  }

  /// Another view of the operand's memory: only such as a reshape is, whose axes of more than one element are the operand's.
  private static func asStrided(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor()
    guard let meta = call.meta("self") else { throw TypeFault("the operand's strides are not known") }
    let (sizes, strides) = (try call.integers("size"), try call.integers("stride"))
    let (from, steps) = (meta.sizes.compactMap(\.number), meta.strides.compactMap(\.number))
    func axes(_ sizes: [Int], _ strides: [Int]) -> [[Int]] {
      zip(sizes, strides).filter { $0.0 != 1 }.map { [$0, $1] }
    }
    let offset = try call.optionalInteger("storage_offset") ?? meta.offset.number
    guard from.count == meta.sizes.count, steps.count == from.count, sizes.count == strides.count,
      axes(from, steps) == axes(sizes, strides), offset == meta.offset.number
    else { throw TypeFault("gives the operand's memory another meaning, which only a reshape may") }
    return x.view(sizes)
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
