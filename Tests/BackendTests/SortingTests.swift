import Foundation
import LatheC
import LatheCore
import LatheNN
import LatheRun
import TestSupport
import Testing

@Suite("Sorting, in every back-end")
struct SortingTests {
  /// The outputs by the reference, after checking that the interpreter and C give the same bits.
  private func results(
    _ inputs: [String: NDArray], _ body: (Builder, [String: Tensor]) -> [Tensor]
  ) throws -> [NDArray] {
    let builder = Builder()
    let arguments = Dictionary(uniqueKeysWithValues: inputs.map { ($0.key, builder.input($0.key, $0.value.type)) })
    let outputs = body(builder, arguments).enumerated().map { (name: "y\($0)", tensor: $1) }
    let graph = try builder.finish(name: "sorting", outputs: outputs).bounded()
    let reference = try ReferenceEvaluator.run(graph, inputs: inputs).outputs
    let cache = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: cache) }
    for target in [Target.generic, try Backends.host()] {
      let planned = try Backends.planned(graph, .inference, target)
      var session = Session(try Executable(planned))
      #expect(try session.run(planned.program, inputs) == reference)
      var native = try Backends.native(planned, cache: cache)
      #expect(try native.run(planned.program, inputs) == reference)
    }
    return outputs.map { reference[$0.name] ?? NDArray([Float]()) }
  }

  /// Numbers that come in no order, each several times.
  private func numbers(_ count: Int, distinct: Int) -> [Float] {
    (0..<count).map { Float(($0 * 7919 + $0 * $0 * 31) % distinct) - Float(distinct / 2) }
  }

  @Test("sizes around powers of two, in both directions", arguments: [2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 100, 1025])
  func sizes(count: Int) throws {
    let keys = numbers(count, distinct: count / 2 + 1)
    let found = try results(["x": NDArray(keys)]) { _, x in
      guard let x = x["x"] else { return [] }
      return [x.sort().values, x.argsort(), x.argsort(descending: true)]
    }
    let ascending = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    let descending = keys.indices.sorted { (-keys[$0], $0) < (-keys[$1], $1) }
    #expect(found[0].elements() == keys.sorted())
    #expect(found[1].integers == ascending)
    #expect(found[2].integers == descending)
  }

  @Test("NaN is greatest, zeros of either sign are equal, infinities have their places") func specialValues() throws {
    let keys: [Float] = [.nan, 0, -0.0, .infinity, -1, .nan, -.infinity, 0]
    let found = try results(["x": NDArray(keys)]) { _, x in
      guard let x = x["x"] else { return [] }
      return [x.argsort(), x.argsort(descending: true), x.topk(3).indices, x.median(dim: 0).indices]
    }
    #expect(found.map(\.integers) == [[6, 4, 1, 2, 7, 3, 0, 5], [0, 5, 3, 1, 2, 7, 4, 6], [0, 5, 3], [0]])
  }

  @Test("any axis of any type", arguments: ScalarType.computed) func types(dtype: ScalarType) throws {
    let keys = NDArray(numbers(24, distinct: 9).map { abs($0) }).converted(to: dtype)
    let found = try results(["x": try keys.reshaped([2, 4, 3])]) { _, x in
      guard let x = x["x"] else { return [] }
      return (0..<3).flatMap { [x.sort(dim: $0).values, x.sort(dim: $0 - 3, descending: true).indices] }
    }
    for (axis, (stride, size)) in [(12, 2), (3, 4), (1, 3)].enumerated() {
      let values = found[2 * axis].doubles
      for place in values.indices where place / stride % size > 0 { #expect(values[place - stride] <= values[place]) }
      #expect(values.sorted() == keys.doubles.sorted())
    }
  }

  @Test("many rows are sorted by several threads' loops") func rows() throws {
    let keys = try NDArray(numbers(64 * 50, distinct: 1000), shape: [64, 50])
    let found = try results(["x": keys]) { _, x in x["x"].map { [$0.sort(descending: true).values] } ?? [] }
    let rows = keys.doubles
    var expected: [Double] = []
    for row in 0..<64 { expected += rows[row * 50..<row * 50 + 50].sorted(by: >) }
    #expect(found[0].doubles == expected)
  }

  @Test("different elements, with room and without") func unique() throws {
    let keys = NDArray([3, 1, 3, 2, 1, 3] as [Int64])
    let found = try results(["x": keys]) { _, x in
      guard let x = x["x"] else { return [] }
      let (all, some) = (x.unique(size: 6), x.unique(size: 3, fillValue: -1))
      let runs = x.uniqueConsecutive(size: 6, fillValue: 9)
      return [all.values, all.counts, all.indices, all.inverse, all.count, some.values, runs.values, runs.count]
    }
    #expect(
      found.map(\.integers) == [
        [1, 2, 3, 0, 0, 0], [2, 1, 3, 0, 0, 0], [1, 3, 0, 0, 0, 0], [2, 0, 2, 1, 0, 2], [3], [1, 2, 3],
        [3, 1, 3, 2, 1, 3], [6],
      ])
    let places = try results(["x": NDArray([0, 2, 0, -1] as [Float])]) { _, x in
      guard let x = x["x"]?.reshape(2, -1) else { return [] }
      let (all, some) = (x.nonzero(size: 4), x.nonzero(size: 2))
      return [all.indices, all.count, some.indices]
    }
    #expect(places.map(\.integers) == [[0, 1, 1, 1, -1, -1, -1, -1], [2], [0, 1, 1, 1]])
  }

  @Test("a capacity that does not suffice fails the run") func capacity() throws {
    for body: (Tensor) -> Tensor in [{ $0.unique(size: 2).values }, { $0.nonzero(size: 2).indices }] {
      let builder = Builder()
      let graph = try builder.finish(
        name: "capacity", outputs: [("y", body(builder.input("x", TensorType(.f32, [4]))))])
      let planned = try Backends.planned(graph, .inference)
      var session = Session(try Executable(planned))
      #expect(throws: Never.self) { _ = try session.run([NDArray([1, 1, 0, 0] as [Float])]) }
      #expect(throws: DiagnosticsError.self) { _ = try session.run([NDArray([1, 2, 3, 0] as [Float])]) }
    }
  }

  @Test("random orders have every number once, and differ") func randperm() throws {
    let builder = Builder()
    let graph = try builder.finish(name: "random", outputs: [("a", builder.randperm(50)), ("b", builder.randperm(50))])
    let found = try ReferenceEvaluator.run(graph, inputs: [:]).outputs.mapValues(\.integers)
    #expect(found["a"]?.sorted() == Array(0..<50) && found["b"]?.sorted() == Array(0..<50))
    #expect(found["a"] != found["b"] && found["a"] != Array(0..<50))
  }

  @Test("what cannot be sorted is told") func mistakes() {
    func message(_ body: (Tensor) -> Tensor) -> String? {
      let builder = Builder()
      _ = body(builder.input("x", TensorType(.f32, [2, 3])))
      return builder.diagnostics.first?.message
    }
    #expect(message { $0.sort(dim: 2).values } == "sort: dim 2 is outside f32[2,3], which has 2 axes")
    #expect(message { $0.topk(4).values } == "topk: k is 4")
    #expect(message { $0.kthvalue(0).values } == "kthvalue: k is 0")
    #expect(message { $0.quantile(1.5) } == "quantile: q is outside of 0 to 1")
    #expect(message { $0.searchsorted($0.sum(dim: 0)) }?.hasPrefix("searchsorted: the values f32[3]") == true)
  }
}
