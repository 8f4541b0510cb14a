internal import LatheCore
internal import LatheNN

/// Reading and writing at places that data gives.
extension Operator {
  static let indexing: [String: Operator] = [
    "embedding": .one { call throws(TypeFault) in
      let padding = try call.integer("padding_idx")
      return embedding(
        try call.tensor("indices"), try call.tensor("weight"), paddingIdx: padding < 0 ? nil : padding,
        scaleGradByFreq: try call.flag("scale_grad_by_freq"))
    },
    "embedding_bag": .first(of: 4, bag), "_embedding_bag": .first(of: 4, bag),
    "_embedding_bag_forward_only": .first(of: 4, bag),
    "take": .one { call throws(TypeFault) in
      let x = try call.tensor().flatten()
      return x.take(dim: 0, x.fromFront(try call.tensor("index"), 0))
    },
    "index_reduce": .one { call throws(TypeFault) in
      try call.tensor().indexReduce(
        dim: call.integer("dim"), call.tensor("index"), call.tensor("source"), reduce: reduction(call),
        includeSelf: call.flag("include_self"))
    },
    "bucketize": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return try places(x.bucketize(call.tensor("boundaries"), right: call.flag("right")), call)
    },
    "searchsorted": .one { call throws(TypeFault) in
      let sequence = try call.tensor("sorted_sequence")
      let isRight = try call.has("side") ? call.string("side") == "right" : call.flag("right")
      call.ignore("right")
      return try places(
        sequence.searchsorted(call.tensor(), right: isRight, sorter: call.optional("sorter")), call)
    },
    "index_select": .one { call throws(TypeFault) in
      try call.tensor().indexSelect(dim: call.integer("dim"), call.tensor("index"))
    },
    "gather": .one { call throws(TypeFault) in try call.tensor().gather(dim: call.integer("dim"), call.tensor("index"))
    },
    "index": .one { call throws(TypeFault) in try call.tensor().index(call.optionalTensors("indices")) },
    "nonzero": .one { call throws(TypeFault) in try call.tensor().nonzero() },
    "nonzero_static": .one { call throws(TypeFault) in
      try call.tensor().nonzero(size: call.integer("size"), fillValue: call.integer("fill_value")).indices
    },
    "masked_select": .one { call throws(TypeFault) in try call.tensor().maskedSelect(call.tensor("mask")) },
    "_unique2": .several { call throws(TypeFault) in try distinct(call, try call.tensor().unique()) },
    "unique_consecutive": .several { call throws(TypeFault) in
      let x = try call.tensor()
      let dim = try call.optionalInteger("dim")
      return try distinct(call, dim.map { x.uniqueConsecutive(dim: $0) } ?? x.uniqueConsecutive())
    },
    "unique_dim_consecutive": .several { call throws(TypeFault) in
      try distinct(call, try call.tensor().uniqueConsecutive(dim: call.integer("dim")))
    },
    "put": .one { call throws(TypeFault) in
      let (x, index, source) = (try call.tensor(), try call.tensor("index"), try call.tensor("source"))
      return x.flatten().indexPut([index.flatten()], source.flatten(), accumulate: try call.flag("accumulate"))
        .reshape(x.shape)
    },
    "unique_dim": .several { call throws(TypeFault) in
      try distinct(call, try call.tensor().unique(dim: call.integer("dim")))
    },
    "torch.ops.torchvision.nms.default": .one { call throws(TypeFault) in
      try nms(call.tensor("dets"), call.tensor("scores"), iouThreshold: call.float("iou_threshold"))
    },
    "index_put": .one { call throws(TypeFault) in
      try indexPut(call, to: try call.tensor(), try call.tensor("values"))
    },
    "bincount": .one { call throws(TypeFault) in
      try call.tensor().bincount(weights: try call.optional("weights"), minlength: try call.integer("minlength"))
    },
    "index_fill": .one { call throws(TypeFault) in
      if let value = try call.number("value") { return try indexFill(call.tensor(), call, value) }
      let (x, index, dim) = (try call.tensor(), try call.tensor("index"), try call.integer("dim"))
      guard dim >= -x.rank, dim < x.rank, index.rank == 1 else {
        throw TypeFault("\(index.type) at axis \(dim) of \(x.type)")
      }
      let axis = dim < 0 ? dim + x.rank : dim
      var shape = x.shape
      shape[axis] = index.shape[0]
      return x.indexCopy(dim: axis, x.fromFront(index, axis), try call.tensor("value").expanded(to: shape))
    },
    "masked_scatter": .one { call throws(TypeFault) in
      try call.tensor().maskedScatter(call.tensor("mask"), call.tensor("source"))
    },
    "take_along_dim": .one { call throws(TypeFault) in
      let (x, indices) = (try call.tensor(), try call.tensor("indices"))
      guard let dim = try call.optionalInteger("dim") else {
        return x.flatten().takeAlongDim(indices.flatten(), dim: 0)
      }
      guard dim >= -x.rank, dim < x.rank else { return x.takeAlongDim(indices, dim: dim) }
      return x.takeAlongDim(x.fromFront(indices, dim < 0 ? dim + x.rank : dim), dim: dim)
    },
    "scatter_reduce": .one { call throws(TypeFault) in
      try call.tensor().scatterReduce(
        dim: call.integer("dim"), call.tensor("index"), call.tensor("src"), reduce: reduction(call),
        includeSelf: call.flag("include_self"))
    },
    "index_add": .one { call throws(TypeFault) in
      try call.tensor().indexAdd(
        dim: call.integer("dim"), call.tensor("index"), call.tensor("source"), alpha: call.float("alpha"))
    },
    "index_copy": .one { call throws(TypeFault) in
      try call.tensor().indexCopy(dim: call.integer("dim"), call.tensor("index"), call.tensor("source"))
    },
    "scatter.src": .one { call throws(TypeFault) in
      try call.tensor().scatter(dim: call.integer("dim"), call.tensor("index"), call.tensor("src"))
    },
    "scatter.value": .one { call throws(TypeFault) in
      let (x, index) = (try call.tensor(), try call.tensor("index"))
      guard let value = try call.number("value") else { throw TypeFault("the value is no number") }
      return x.scatter(dim: try call.integer("dim"), index, value: value)
    },
    "scatter_add": .one { call throws(TypeFault) in
      try call.tensor().scatterAdd(dim: call.integer("dim"), call.tensor("index"), call.tensor("src"))
    },
    "one_hot": .one { call throws(TypeFault) in oneHot(try call.tensor(), numClasses: try call.integer("num_classes"))
    },
  ]

  /// Values at the places that the operator names.
  static func indexPut(_ call: Call, to x: Tensor, _ values: Tensor) throws(TypeFault) -> Tensor {
    let (indices, accumulates) = (try call.optionalTensors("indices"), try call.flag("accumulate"))
    guard let mask = indices.first ?? nil, mask.dtype == .bool, indices.count == 1, values.type.elementCount == 1,
      !accumulates
    else { return x.indexPut(indices, values, accumulate: accumulates) }
    // One number wherever a mask of the first axes holds.
    let places = mask.reshape(mask.shape + [Dim](repeating: 1, count: max(x.rank - mask.rank, 0)))
    return x.maskedFill(places, values.reshape([Dim]()))
  }

  private static func reduction(_ call: Call) throws(TypeFault) -> ScatterReduction {
    let name = try call.string("reduce")
    guard let reduction = ScatterReduction(rawValue: name) else {
      throw TypeFault("the reduction '\(name)' is not known")
    }
    return reduction
  }

  /// Indices as the program wants them.
  private static func places(_ places: Tensor, _ call: Call) throws(TypeFault) -> Tensor {
    try call.flag("out_int32") ? places.to(.i32) : places
  }

  /// Reduced rows of a table.
  private static func bag(_ call: Call) throws(TypeFault) -> Tensor {
    let number = try call.integer("mode")
    guard let mode = [0: EmbeddingBagMode.sum, 1: .mean, 2: .max][number] else {
      throw TypeFault("the mode \(number) is not known")
    }
    call.ignore("padding_idx")
    let weight = try call.tensor("weight")
    var padding = call.has("padding_idx") ? try call.integer("padding_idx") : -1
    // A negative row is none, save where rows are counted from the end.
    if padding < 0, call.target == "aten.embedding_bag.padding_idx", call.has("padding_idx") {
      padding += try Call.known([weight.size(0)], "the number of rows")[0]
    }
    return embeddingBag(
      try call.tensor("indices"), weight, offsets: try call.tensor("offsets"), mode: mode,
      perSampleWeights: try call.optional("per_sample_weights"),
      includeLastOffset: try call.flag("include_last_offset"), paddingIdx: padding < 0 ? nil : padding,
      scaleGradByFreq: try call.flag("scale_grad_by_freq"))
  }

  private static func indexFill(_ x: Tensor, _ call: Call, _ value: some Number) throws(TypeFault) -> Tensor {
    x.indexFill(dim: try call.integer("dim"), try call.tensor("index"), value)
  }

  /// What is not asked for is empty.
  private static func distinct(_ call: Call, _ unique: Unique) throws(TypeFault) -> [Tensor] {
    let none = call.builder.zeros(TensorType(.i64, [0]))
    return [
      unique.values, try call.flag("return_inverse") ? unique.inverse : none,
      try call.flag("return_counts") ? unique.counts : none,
    ]
  }
}
