/// Hands numbers to whoever runs the graph, and is what he has made of them: how gradients are summed over processes.
///
/// By itself the result is the operand. In a program the results of all exchanges lie beside each other in the arena, in
/// the order of the nodes, and are handed out in buckets (`ExchangeBucket`).
package struct Exchange: OperationDefinition {
  /// What the numbers are called: the parameter whose gradient they are.
  package var label: String
  /// A bucket that has so many bytes is not made larger.
  package var bucketBytes: Int

  package init(label: String, bucketBytes: Int) {
    self.label = label
    self.bucketBytes = bucketBytes
  }

  package var name: String { "exchange" }

  package var attributes: [(name: String, value: Attribute)] {
    [("label", .word(label)), ("bucket_bytes", .integer(bucketBytes))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    label = try attributes.word("label")
    bucketBytes = try attributes.integer("bucket_bytes")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard operands[0].dtype == .f32 else {
      throw TypeFault("'\(label)' is \(operands[0]), numbers are handed out as f32")
    }
    guard bucketBytes > 0 else {
      throw TypeFault("a bucket of \(bucketBytes) bytes holds nothing", help: "give a number from 1 on")
    }
    return operands
  }

  /// What is wrong with one in a sub-graph.
  static let insideFault = TypeFault(
    "numbers are handed out in a sub-graph", help: "hand them out once in a run, outside of loops and branches")

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    throw TypeFault("what is handed out and taken back has no gradient", help: "differentiate before it is handed out")
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    throw TypeFault("'\(label)' would be handed out several times in one run")
  }

  package func lower(_ context: LoweringContext) -> Definition { .element { context.operands[0][$0] } }
}

extension Operation {
  var isExchange: Bool { if case .exchange = self { true } else { false } }
}

extension Tensor {
  /// The tensor as whoever runs the graph gives it back, who may have changed it: summed over processes, for example.
  ///
  /// - Parameters:
  ///   - label: What it is called there.
  ///   - bucketBytes: A bucket of this or more bytes is handed out before others are added to it.
  package func exchanged(label: String, bucketBytes: Int) -> Tensor {
    builder.apply(.exchange(Exchange(label: label, bucketBytes: bucketBytes)), [self])[0]
  }
}
