import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Networks against PyTorch")
struct GoldenNetworkTests {
  @Test("outputs and all gradients agree with PyTorch in f64", arguments: GoldenNetwork.small)
  func agrees(network: GoldenNetwork) throws {
    let graph = try network.graph(.f64)
    let results = try ReferenceEvaluator.run(graph, inputs: network.contents(.f64)).outputs
    let expected = network.expected()
    #expect(Set(results.keys) == Set(expected.keys))
    for (name, array) in expected.sorted(by: { $0.key < $1.key }) {
      if let text = deviation(results[name], array, rtol: 1e-6, atol: 1e-7) { Issue.record("\(name) \(text)") }
    }
  }

  @Test(
    "large networks trace with PyTorch's parameters, and give an output for every golden",
    arguments: GoldenNetwork.large)
  func traces(network: GoldenNetwork) throws {
    let graph = try network.graph(.f32)
    #expect(Set(graph.outputs.map(\.name)) == Set(network.expected().keys))
    #expect(Set(graph.updates.map(\.variable)) == Set(network.expectedBuffers().keys))
  }

  @Test("optimizers move a parameter as PyTorch's do, over six steps", arguments: OptimizerCase.all)
  func optimizer(golden: OptimizerCase) throws {
    let arrays = goldenArrays("optimizers.npz")
    let start = try #require(arrays["\(golden.name)/param"]).converted(to: .f64)
    let gradients = try #require(arrays["\(golden.name)/grads"]).converted(to: .f64)
    let expected = try #require(arrays["\(golden.name)/after"])
    let optimizer = try #require(golden.optimizer)
    let graph = try trace(inputs: [TensorType(.f64, start.shape)]) { builder, inputs in
      let parameter = builder.variable(Variable(name: "p", role: .parameter, initial: start))
      optimizer.update([("p", parameter)], gradients: [inputs[0]])
      return parameter
    }
    var variables: [String: NDArray] = [:]
    let size = start.bytes.count
    for step in 0..<gradients.shape[0] {
      let gradient = try NDArray(
        dtype: .f64, shape: start.shape, bytes: Array(gradients.bytes[(step * size)..<((step + 1) * size)]))
      variables = try ReferenceEvaluator.run(graph, inputs: ["input": gradient], variables: variables).updates
      let after = try NDArray(
        dtype: .f32, shape: start.shape,
        bytes: Array(expected.bytes[(step * size / 2)..<((step + 1) * size / 2)]))
      if let text = deviation(variables["p"], after, rtol: 1e-6, atol: 1e-7) {
        Issue.record("after step \(step + 1) \(text)")
      }
    }
  }
}
