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
    "_operator.eq": compared(.equal), "_operator.ne": compared(.notEqual), "_operator.lt": compared(.less),
    "_operator.le": compared(.lessEqual), "_operator.gt": compared(.greater), "_operator.ge": compared(.greaterEqual),
    "_assert_scalar": assertion("assert_msg"), "_assert_async": assertion("assert_msg"),
    "_assert_tensor_metadata": nothing,
    // Ranges stand beside the program, and in what it asserts.
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

  /// A comparison of sizes and numbers, which mostly assertions read.
  private static func compared(_ function: Pointwise) -> Operator {
    Operator { call throws(TypeFault) in
      if ["a", "b"].contains(where: call.isUnread) {
        call.ignoreArguments()
        return [.bool(nil)]
      }
      if !["a", "b"].contains(where: call.isData) {
        let (a, b) = (try call.dimension("a"), try call.dimension("b"))
        if let isTrue = call.builder.holds(function, a, b) { return [.bool(isTrue)] }
        if (a.extents + b.extents).isEmpty { return [.bool(nil)] }
      }
      return [.tensor(.pointwise(function, try call.tensor("a"), try call.tensor("b")))]
    }
  }

  /// What the program asserts: a run in which it does not hold fails.
  private static func assertion(_ message: String) -> Operator {
    Operator { call throws(TypeFault) in
      call.ignore(message)
      switch try call.truth() {
      case .bool(let isTrue?) where !isTrue:
        throw TypeFault("does not hold" + (call.has(message) ? ": \(try call.string(message))" : ""))
      case .tensor(let condition), .number(let condition, _, _): call.require(condition)
      default: break
      }
      return []
    }
  }
}

extension Builder {
  /// Whether a comparison of two sizes holds in every run, or in none; nil where it hangs on what is not known.
  fileprivate func holds(_ function: Pointwise, _ a: Dim, _ b: Dim) -> Bool? {
    func told(_ isTrue: Bool, _ isFalse: Bool) -> Bool? { isTrue ? true : isFalse ? false : nil }
    let (less, greater) = (isAtMost(a + 1, b), isAtMost(b + 1, a))
    switch function {
    case .equal: return told(a == b, less || greater)
    case .notEqual: return told(less || greater, a == b)
    case .less: return told(less, isAtMost(b, a))
    case .lessEqual: return told(isAtMost(a, b), greater)
    case .greater: return told(greater, isAtMost(a, b))
    case .greaterEqual: return told(isAtMost(b, a), less)
    default: return nil
    }
  }
}
