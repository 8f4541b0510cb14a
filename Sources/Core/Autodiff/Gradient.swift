/// Reverse-mode differentiation: graph to graph, over the primitives' pullbacks, closed under itself.
///
/// Knows no operation. Source: Griewank and Walther, Evaluating Derivatives, chapter 3.
extension Builder {
  /// The cotangents of `targets`, given those of `results`; zeros where nothing flows.
  ///
  /// An operation without a gradient on the way is a fault at the place of that operation.
  ///
  /// - Parameter results: Tensors of this graph, each with a cotangent of its type.
  public func gradients(
    of results: [(tensor: Tensor, cotangent: Tensor)], withRespectTo targets: [Tensor]
  ) -> [Tensor] {
    zip(targets, gradientsWhereAny(of: results, withRespectTo: targets)).map { $1 ?? $0.zerosLike() }
  }

  /// The same, with nil where nothing flows.
  public func gradientsWhereAny(
    of results: [(tensor: Tensor, cotangent: Tensor)], withRespectTo targets: [Tensor]
  ) -> [Tensor?] {
    guard !(results.flatMap { [$0.tensor, $0.cotangent] } + targets).contains(where: \.isPoisoned) else {
      return targets.map { _ in poison }
    }
    let tensors = results.flatMap { [$0.tensor, $0.cotangent] } + targets
    do throws(TypeFault) {
      for (tensor, cotangent) in results where tensor.type != cotangent.type {
        throw TypeFault("the cotangent of \(tensor.type) is \(cotangent.type)")
      }
      for tensor in targets where !tensor.dtype.isFloat {
        throw TypeFault("\(tensor.type) has no gradient, it holds no floats")
      }
      guard tensors.allSatisfy({ $0.builder === self }) else {
        throw TypeFault(
          "the tensors belong to different sub-graphs or traces", help: "differentiate where all of them are built")
      }
    } catch {
      record(error, operation: "gradients", operands: tensors)
      return targets.map { _ in poison }
    }
    let last = results.map { Int($0.tensor.value.node) }.max() ?? -1
    // Only nodes between the targets and the results take part.
    let active = dependents(of: targets.map(\.value), upTo: last)
    var cotangents: [Value: Tensor] = [:]
    func accumulate(_ value: Value, _ cotangent: Tensor) {
      cotangents[value] = cotangents[value].map { $0 + cotangent } ?? cotangent
    }
    for result in results { accumulate(result.tensor.value, result.cotangent) }

    var backward: [Location.Call: Location.Call] = [:]
    for position in stride(from: last, through: 0, by: -1) where active.contains(position) {
      let node = node(at: position)
      let values = node.types.indices.map { Value(node: position, result: $0) }
      let incoming = values.map { cotangents[$0] }
      guard !node.operands.isEmpty, incoming.contains(where: { $0 != nil }) else { continue }
      let wanted = node.operands.map { active.contains(Int($0.node)) && type(of: $0).dtype.isFloat }
      var place = location(at: position)
      // `reluBackward`, as PyTorch calls it.
      place.call = place.call.map { call in
        let made = backward[call] ?? nextCall(of: call.function + "Backward")
        backward[call] = made
        return made
      }
      at(place) {
        let operands = node.operands.map { Tensor(builder: self, value: $0) }
        do throws(TypeFault) {
          let outgoing = try node.operation.definition.pullback(
            PullbackContext(
              operands: operands, results: values.map { Tensor(builder: self, value: $0) }, cotangents: incoming,
              wanted: wanted, builder: self))
          for (index, cotangent) in outgoing.enumerated() where wanted[index] {
            if let cotangent { accumulate(node.operands[index], cotangent) }
          }
        } catch {
          record(error, operation: "gradient of \(node.operation.name)", operands: operands)
          for (index, operand) in node.operands.enumerated() where wanted[index] { cotangents[operand] = poison }
        }
      }
    }
    return targets.map { cotangents[$0.value] }
  }

  /// The nodes up to a position whose results depend on the values, their own nodes included.
  private func dependents(of values: [Value], upTo last: Int) -> Set<Int> {
    var result = Set(values.map { Int($0.node) })
    guard last >= 0 else { return result }
    for position in 0...last where !result.contains(position) {
      if node(at: position).operands.contains(where: { result.contains(Int($0.node)) }) { result.insert(position) }
    }
    return result
  }
}

extension Graph {
  /// The cotangents of some arguments, given those of some outputs, built where the arguments are.
  func pullback(
    _ arguments: [Tensor], cotangents: [Int: Tensor], wanted: [Int], in builder: Builder
  ) -> [Tensor] {
    let results = inlined(arguments, in: builder)
    let seeds = cotangents.keys.sorted().map { (tensor: results[$0], cotangent: cotangents[$0] ?? builder.poison) }
    return builder.gradients(of: seeds, withRespectTo: wanted.map { arguments[$0] })
  }
}
