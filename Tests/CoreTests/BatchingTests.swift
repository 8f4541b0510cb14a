import LatheCore
import TestSupport
import Testing

/// `vmap` over every primitive: a batch is its members, one after the other.
@Suite struct BatchingTests {
  /// Another member of a batch beside a case's own inputs.
  private func moved(_ array: NDArray) throws -> NDArray {
    guard array.dtype == .f64 else { return array }
    return try NDArray(array.doubles.map { $0 * 1.01 }, shape: array.shape)
  }

  private func joined(_ first: NDArray, _ second: NDArray) throws -> NDArray {
    try NDArray(dtype: first.dtype, shape: [2] + first.shape, bytes: first.bytes + second.bytes)
  }

  @Test("a batch of all operands", arguments: PrimitiveCase.all)
  func all(_ row: PrimitiveCase) throws {
    try check(row) { _ in true }
  }

  @Test("a batch of the first operand", arguments: PrimitiveCase.all.filter { $0.operands.count > 1 })
  func first(_ row: PrimitiveCase) throws {
    try check(row) { $0 == "x0" }
  }

  @Test("a batch of the last operand", arguments: PrimitiveCase.all.filter { $0.operands.count > 1 })
  func last(_ row: PrimitiveCase) throws {
    try check(row) { $0 == "x\(row.operands.count - 1)" }
  }

  private func check(_ row: PrimitiveCase, isBatched: (String) -> Bool) throws {
    let dtype = row.dtypes[0]
    let graph = try row.graph(dtype)
    let inputs = row.inputs(dtype)
    let names = graph.inputs.map { graph.inputName($0) }
    let builder = Builder()
    var (own, others, batch) = ([String: NDArray](), [String: NDArray](), [String: NDArray]())
    let arguments = try names.map { name in
      let array = try #require(inputs[name])
      let other = isBatched(name) ? try moved(array) : array
      (own[name], others[name]) = (array, other)
      batch[name] = isBatched(name) ? try joined(array, other) : array
      return builder.input(name, try #require(batch[name]).type)
    }
    let results = try graph.batched(
      arguments, isBatched: names.map(isBatched), size: 2, randomness: .same, in: builder)
    let batched = try builder.finish(
      name: "batch", outputs: zip(graph.outputs, results).map { ($0.name, $1.tensor) })
    let expected = try [own, others].map { try ReferenceEvaluator.run(graph, inputs: $0).outputs }
    let actual = try ReferenceEvaluator.run(batched, inputs: batch).outputs
    for (output, result) in zip(graph.outputs, results) {
      let members = try expected.map { try #require($0[output.name]) }
      let whole = result.isBatched ? try joined(members[0], members[1]) : members[0]
      let array = try #require(actual[output.name])
      #expect(array.type == whole.type)
      for (x, y) in zip(array.values, whole.values) where x != y && abs(x.double - y.double) > 1e-12 * abs(y.double) {
        if x.double.isNaN && y.double.isNaN { continue }
        Issue.record("\(output.name): \(array.doubles), one after the other \(whole.doubles)")
        break
      }
    }
  }

  @Test("random numbers are a fault, the same or different for all") func randomness() throws {
    let inner = Builder()
    let seed = inner.input("seed", .scalar(.u64))
    let x = inner.input("x", .f64(3))
    let bits = inner.randomBits([3], seed: seed, stream: 0).convert(to: .f64)
    let graph = try inner.finish(name: "noise", outputs: [("y", bits + x * 0)])
    func rows(_ randomness: VmapRandomness) throws -> [[Double]] {
      let builder = Builder()
      let arguments = [builder.input("seed", .scalar(.u64)), builder.input("x", .f64(2, 3))]
      let results = try graph.batched(
        arguments, isBatched: [false, true], size: 2, randomness: randomness, in: builder)
      let batch = try builder.finish(name: "batch", outputs: [("y", results[0].tensor)])
      let inputs = ["seed": NDArray(scalar: .integer(7), dtype: .u64), "x": try NDArray.zeros(.f64, [2, 3])]
      let y = try #require(try ReferenceEvaluator.run(batch, inputs: inputs).outputs["y"]).doubles
      return [Array(y.prefix(3)), Array(y.suffix(3))]
    }
    #expect(throws: TypeFault.self) { try rows(.error) }
    let same = try rows(.same)
    #expect(same[0] == same[1])
    let different = try rows(.different)
    #expect(different[0] != different[1])
  }
}
