internal import LatheCore

/// Lists of tensors, and optionals; the lengths of lists and the places in them, and whether an optional holds something,
/// are known when the model is built.
extension Operator {
  static let sequences: [String: Operator] = [
    "SequenceConstruct": Operator { call throws(TypeFault) in [Operand(.sequence(try call.tensors()))] },
    "Optional": Operator { call in
      if case let operand?? = call.operands.first { return [operand] }
      return [Operand(.absent)]
    },
    "OptionalHasElement": Operator { call throws(TypeFault) in
      var isThere = false
      if case let operand?? = call.operands.first {
        isThere = if case .absent = operand.content { false } else { true }
      }
      return [Operand(call.builder.scalar(.integer(isThere ? 1 : 0), .bool))]
    },
    "OptionalGetElement": Operator { call throws(TypeFault) in
      guard case let operand?? = call.operands.first else { throw TypeFault("operand 0 is missing") }
      if case .absent = operand.content { throw TypeFault("the optional holds nothing") }
      return [operand]
    },
    "SequenceEmpty": Operator { _ in [Operand(.sequence([]))] },
    "SequenceAt": .one { call throws(TypeFault) in
      let list = try call.sequence(0)
      return list[try place(call, 1, count: list.count)]
    },
    "SequenceLength": Operator { call throws(TypeFault) in
      [Operand(.sizes(Sizes([Dim(try call.sequence(0).count)], isScalar: true)))]
    },
    "SequenceInsert": Operator { call throws(TypeFault) in
      var list = try call.sequence(0)
      let tensor = try call.tensor(1)
      list.insert(tensor, at: call.has(2) ? try place(call, 2, count: list.count, end: true) : list.count)
      return [Operand(.sequence(list))]
    },
    "SequenceMap": Operator { call throws(TypeFault) in
      // Of the other operands, sequences give their elements in turn.
      let count = try call.sequence(0).count
      var results: [[Tensor]] = Array(repeating: [], count: call.node.output.count)
      for place in 0..<count {
        let arguments = try call.operands.enumerated().map { position, operand throws(TypeFault) -> Operand in
          guard let operand else { throw TypeFault("operand \(position) is missing") }
          guard case .sequence(let list) = operand.content else { return operand }
          guard list.count == count else { throw TypeFault("the sequences have \(count) and \(list.count) elements") }
          return Operand(list[place], origin: operand.origin)
        }
        let given = try call.importer.subgraph("body", arguments, call, in: call.builder)
        guard given.count == results.count else { throw TypeFault("the body gives \(given.count) results") }
        for (position, result) in given.enumerated() {
          guard let tensor = result.tensor(in: call.builder) else { throw TypeFault("the body gives a \(result.type)") }
          results[position].append(tensor)
        }
      }
      return results.map { Operand(.sequence($0)) }
    },
    "SequenceErase": Operator { call throws(TypeFault) in
      var list = try call.sequence(0)
      list.remove(at: call.has(1) ? try place(call, 1, count: list.count) : try place(-1, count: list.count))
      return [Operand(.sequence(list))]
    },
    "ConcatFromSequence": .one { call throws(TypeFault) in
      let list = try call.sequence(0)
      guard let first = list.first else { throw TypeFault("the sequence is empty") }
      if try call.flag("new_axis") {
        let axis = try call.axis(rank: first.rank + 1)
        return Tensor.concatenate(list.map { $0.inserting(axes: [axis]) }, axis: axis)
      }
      return Tensor.concatenate(list, axis: try call.axis(rank: first.rank))
    },
    "SplitToSequence": Operator { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axis = try call.axis(default: 0, rank: x.rank)
      let total = try x.size(axis, "the size of the axis that is split")
      guard total <= 1 << 16 else { throw TypeFault("\(total) parts are absurdly many") }
      var sizes = [Int](repeating: 1, count: total)
      if call.has(1) {
        let listed = try call.integers(1, "the sizes")
        sizes = listed
        if call.operands[1]?.sizes?.isScalar == true, let part = listed.first {
          guard part > 0 else { throw TypeFault("the size \(part) is not positive") }
          sizes = stride(from: 0, to: total, by: part).map { Swift.min(part, total - $0) }
        }
      }
      guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == total else {
        throw TypeFault("the sizes \(sizes) do not add up to \(total)")
      }
      // Without sizes the parts of size 1 may lose their axis.
      let keeps = call.has(1) ? true : try call.flag("keepdims", default: true)
      var start = 0
      let parts = sizes.map { size in
        defer { start += size }
        let part = x.slice(axis: axis, from: start, to: start + size)
        return keeps ? part : part.reshape(x.shape.indices.filter { $0 != axis }.map { x.shape[$0] })
      }
      return [Operand(.sequence(parts))]
    },
  ]

  /// - Parameter end: Whether the place behind the last one is one, too.
  private static func place(
    _ call: Call, _ operand: Int, count: Int, end: Bool = false
  ) throws(TypeFault) -> Int {
    let listed = try call.integers(operand, "the place")
    guard listed.count == 1 else { throw TypeFault("the place is not one number") }
    return end && listed[0] == count ? count : try place(listed[0], count: count)
  }

  private static func place(_ place: Int, count: Int) throws(TypeFault) -> Int {
    guard place >= -count, place < count else { throw TypeFault("place \(place) is outside a sequence of \(count)") }
    return place < 0 ? place + count : place
  }
}
