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
    "index_select": .one { call throws(TypeFault) in
      try call.tensor().indexSelect(dim: call.integer("dim"), call.tensor("index"))
    },
    "gather": .one { call throws(TypeFault) in try call.tensor().gather(dim: call.integer("dim"), call.tensor("index"))
    },
    "index": .one { call throws(TypeFault) in try call.tensor().index(call.optionalTensors("indices")) },
    "index_put": .one { call throws(TypeFault) in
      let indices = try call.optionalTensors("indices")
      let known = indices.compactMap { $0 }
      guard known.count == indices.count else { throw TypeFault("some axes have no index") }
      return try call.tensor().indexPut(known, call.tensor("values"), accumulate: call.flag("accumulate"))
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
}
