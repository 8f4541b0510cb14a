internal import LatheCore
internal import LatheNN

/// Arithmetic of sizes, and checks, which an import makes by itself.
extension Operator {
  static let sizes: [String: Operator] = [
    "sym_size": .size { call throws(TypeFault) in
      try call.tensor().size(call.integer("dim"))
    },
    // Where a slice begins in memory, of which checks of data's ends are made.
    "sym_storage_offset": Operator { call throws(TypeFault) in
      _ = try call.tensor()
      return [.unread]
    },
    "item": item, "_local_scalar_dense": item,
    "sym_numel": .size { call throws(TypeFault) in try call.tensor().numel() },
    "_operator.add": combined("Add"), "_operator.mul": combined("Mul"), "_operator.floordiv": combined("FloorDiv"),
    "_operator.mod": combined("Mod"), "_operator.pow": combined("Pow"), "torch.sym_max": combined("Max"),
    "torch.sym_min": combined("Min"),
    "_operator.sub": .size { call throws(TypeFault) in try call.dimension("a") - call.dimension("b") },
    "_operator.neg": .size { call throws(TypeFault) in Dim(0) - (try call.dimension("a")) },
    "_operator.eq": compared { $0 == $1 }, "_operator.ne": compared { $0 != $1 }, "_operator.lt": compared { $0 < $1 },
    "_operator.le": compared { $0 <= $1 }, "_operator.gt": compared { $0 > $1 }, "_operator.ge": compared { $0 >= $1 },
    "_assert_scalar": nothing, "_assert_tensor_metadata": nothing, "_assert_async": nothing,
    "sym_constrain_range_for_size": nothing, "sym_constrain_range": nothing,
  ]

  private static let item = Operator { call throws(TypeFault) in
    let x = try call.tensor()
    if let literal = x.literal, literal.count == 1, x.dtype.isInteger { return [.size(Dim(literal.integers[0]))] }
    return [.number(x.reshape([Dim]()))]
  }

  private static func combined(_ function: String) -> Operator {
    .size { call throws(TypeFault) in
      let (a, b) = (try call.dimension("a"), try call.dimension("b"))
      if let size = SizeExpression.combined(function, [a, b]) { return size }
      _ = try Call.known([a, b], "a size")
      throw TypeFault("\(function) of \(a) and \(b) is no size")
    }
  }

  /// A comparison of sizes, which mostly checks read.
  private static func compared(_ function: @escaping @Sendable (Int, Int) -> Bool) -> Operator {
    Operator { call throws(TypeFault) in
      if ["a", "b"].map(call.isData).contains(true) { return [.bool(nil)] }
      let (a, b) = (try call.dimension("a"), try call.dimension("b"))
      guard let a = a.known, let b = b.known else { return [.bool(nil)] }
      return [.bool(function(a, b))]
    }
  }
}
