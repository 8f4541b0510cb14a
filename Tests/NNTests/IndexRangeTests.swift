import LatheCore
import LatheNN
import Testing

/// Functions that take indices: what lies outside fails as in PyTorch, what is to be ignored does not.
@Suite struct IndexRangeTests {
  private func run(_ build: ([Tensor]) -> Tensor, _ inputs: [NDArray]) throws -> NDArray {
    let builder = Builder()
    let tensors = inputs.enumerated().map { builder.input("x\($0)", $1.type) }
    let graph = try builder.finish(name: "f", outputs: [("y", build(tensors))])
    let named = Dictionary(inputs.enumerated().map { ("x\($0)", $1) }) { $1 }
    return try #require(try ReferenceEvaluator.run(graph, inputs: named).outputs["y"])
  }

  private func message(_ build: ([Tensor]) -> Tensor, _ inputs: NDArray...) -> String {
    do { return "\(try run(build, inputs).doubles)" } catch { return "\(error)" }
  }

  private let logits = unfailing { try NDArray([0, 0, 0, 0, 1, 2, 3, 4] as [Double], shape: [2, 4]) }

  @Test("a label outside of the classes fails", arguments: [77, 4, -1] as [Int64])
  func labels(label: Int64) {
    let target = NDArray([1, label])
    let text = "index \(label) is out of range for an axis of size 4"
    for reduction in [Reduction.mean, .sum, .none] {
      #expect(message({ crossEntropy($0[0], $0[1], reduction: reduction) }, logits, target).contains(text))
      #expect(message({ nllLoss($0[0], $0[1], reduction: reduction) }, logits, target).contains(text))
    }
    #expect(message({ multiMarginLoss($0[0], $0[1]) }, logits, target).contains(text))
    #expect(message({ oneHot($0[0], numClasses: 4) }, target).contains(text))
  }

  @Test func ignoredLabelsLeaveTheMean() throws {
    // log(4), of the one label that counts
    for ignored in [-100, 77] as [Int64] {
      let loss = try run(
        { crossEntropy($0[0], $0[1], ignoreIndex: Int(ignored)) }, [logits, NDArray([1, ignored])])
      #expect(abs(loss.doubles[0] - 1.3862943611198906) < 1e-12)
    }
  }

  @Test("rows outside of a table fail", arguments: [3, -1] as [Int64])
  func tables(index: Int64) throws {
    let table = try NDArray([1, 2, 3] as [Double], shape: [3, 1])
    let text = "index \(index) is out of range for an axis of size 3"
    let places = NDArray([0, index])
    #expect(message({ embedding($0[1], $0[0]) }, table, places).contains(text))
    #expect(message({ $0[0].indexSelect(dim: 0, $0[1]) }, table, places).contains(text))
    #expect(message({ $0[0].gather(dim: 0, $0[1].unsqueeze(dim: 1)) }, table, places).contains(text))
    #expect(
      message({ $0[0].indexAdd(dim: 0, $0[1], $0[0].slice(axis: 0, from: 0, to: 2)) }, table, places).contains(text))
  }

  @Test func gradientsAreCheckedToo() throws {
    // The gradient of a sum of rows does not need the rows.
    let builder = Builder()
    let (table, places) = (builder.input("t", .f32(3, 2)), builder.input("i", .i64(2)))
    let loss = embedding(places, table).sum()
    let gradient = builder.gradients(of: [(loss, loss.onesLike())], withRespectTo: [table])[0]
    let graph = try builder.finish(name: "g", outputs: [("y", gradient)])
    let inputs = try ["t": NDArray.zeros(.f32, [3, 2]), "i": NDArray([0, 3] as [Int64])]
    #expect(throws: DiagnosticsError.self) { _ = try ReferenceEvaluator.run(graph, inputs: inputs) }
  }

  @Test func masksNeedNoElementsWhereTheyDoNotHold() throws {
    let result = try run(
      { $0[0].maskedScatter($0[1], $0[2]) },
      [NDArray([9, 9, 9] as [Double]), NDArray([false, true, false]), NDArray([5] as [Double])])
    #expect(result.doubles == [9, 5, 9])
  }

  @Test func putAndFillCountFromTheEnd() throws {
    let x = NDArray([1, 2, 3] as [Double])
    let last = NDArray([-1] as [Int64])
    #expect(try run({ $0[0].indexPut([$0[1]], $0[2]) }, [x, last, NDArray([9] as [Double])]).doubles == [1, 2, 9])
    #expect(try run({ $0[0].indexFill(dim: 0, $0[1], 7) }, [x, last]).doubles == [1, 2, 7])
    let wrong = NDArray([-4] as [Int64])
    #expect(message({ $0[0].indexFill(dim: 0, $0[1], 7) }, x, wrong).contains("index -1 is out of range"))
  }
}
