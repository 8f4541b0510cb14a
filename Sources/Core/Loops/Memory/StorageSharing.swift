extension LoopPass {
  /// Drops the constants that no kernel reads: those that were packed, mostly.
  package static let dropUnusedConstants = LoopPass("drop-unused-constants") { $0.droppingUnusedConstants(&$1) }

  /// Writes results over operands that die with them: element-wise kernels work in place.
  package static let shareStorage = LoopPass("share-storage") { $0.sharingStorage(&$1) }
}

extension Program {
  fileprivate func droppingUnusedConstants(_ budget: inout RewriteBudget) -> Program {
    var used = Set(outputs.map(\.buffer))
    for kernel in kernels { used.formUnion(kernel.reads) }
    var names: [BufferID: BufferID] = [:]
    var result = self
    result.buffers = []
    for (position, buffer) in buffers.enumerated() {
      if case .constant = buffer.kind, !used.contains(BufferID(position)), budget.isOpen {
        budget.spend(on: "unused constant")
        continue
      }
      names[BufferID(position)] = BufferID(result.buffers.count)
      result.buffers.append(buffer)
    }
    guard result.buffers.count < buffers.count else { return self }
    result.kernels = kernels.map { $0.renaming(names) }
    result.steps = steps.map { $0.renaming(names) }
    for position in inputs.indices {
      result.inputs[position].buffer = names[inputs[position].buffer] ?? inputs[position].buffer
    }
    for position in outputs.indices {
      result.outputs[position].buffer = names[outputs[position].buffer] ?? outputs[position].buffer
    }
    result.variableBuffers = variableBuffers.map { names[$0] ?? $0 }
    for bucket in buckets.indices {
      for member in buckets[bucket].members.indices {
        let buffer = buckets[bucket].members[member].buffer
        result.buckets[bucket].members[member].buffer = names[buffer] ?? buffer
      }
    }
    return result
  }

  fileprivate func sharingStorage(_ budget: inout RewriteBudget) -> Program {
    let liveness = Liveness(self)
    let ranges = liveness.settled()
    // What is handed out keeps its place.
    let exchanged = Set(exchanged)
    var owner: [BufferID: BufferID] = [:]
    /// The last tick at which a storage is in use, by owner.
    var last: [BufferID: Int] = [:]
    for (position, range) in ranges.enumerated() { if let range { last[BufferID(position)] = range.upperBound } }
    func resolved(_ buffer: BufferID) -> BufferID { owner[buffer].map(resolved) ?? buffer }

    for (position, kernel) in kernels.enumerated() {
      guard let time = liveness.times[position], kernel.writes.count == 1, let result = kernel.writes.first,
        case .temporary = self[result].kind, owner[result] == nil, !exchanged.contains(result),
        ranges[result.position]?.lowerBound == time
      else { continue }
      let candidates = kernel.inPlace.map(resolved).filter { operand in
        guard case .temporary = self[operand].kind, operand != result, !exchanged.contains(operand),
          last[operand] == time,
          // Buffers have one element type; other widths would also put the same element at another byte.
          self[operand].dtype == self[result].dtype, self[operand].count == self[result].count,
          let range = ranges[operand.position]
        else { return false }
        // Both belong to the same iteration of the same loops.
        return liveness.loops[range.lowerBound] == liveness.loops[time]
      }
      guard let operand = candidates.first, let end = last[result], budget.isOpen else { continue }
      budget.spend(on: "result in place")
      owner[result] = operand
      last[operand] = end
    }
    guard !owner.isEmpty else { return self }
    let names = Dictionary(uniqueKeysWithValues: owner.keys.map { ($0, resolved($0)) })
    var result = self
    result.kernels = kernels.map { $0.renaming(names) }
    result.steps = steps.map { $0.renaming(names) }
    return result
  }
}

extension Step {
  fileprivate func renaming(_ names: [BufferID: BufferID]) -> Step {
    switch self {
    case .kernel, .ready, .wait: self
    case .loop(let variable, let body): .loop(variable, body.map { $0.renaming(names) })
    case .branch(let predicate, let then, let otherwise):
      .branch(
        names[predicate] ?? predicate, then: then.map { $0.renaming(names) },
        otherwise: otherwise.map { $0.renaming(names) })
    case .whileLoop(let condition, let predicate, let body):
      .whileLoop(
        condition: condition.map { $0.renaming(names) }, names[predicate] ?? predicate,
        body: body.map { $0.renaming(names) })
    }
  }
}
