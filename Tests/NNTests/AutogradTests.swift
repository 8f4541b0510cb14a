import Lathe
import LatheCore
import LatheNN
import TestSupport
import Testing

/// PyTorch's faces of differentiation: `torch.autograd` and `torch.func`.
@Suite("Autograd")
struct AutogradTests {
  private func run(_ inputs: [NDArray], _ body: ([Tensor]) -> [Tensor]) throws -> [[Double]] {
    try compile(trace(inputs: inputs.map(\.type)) { body($1) }).run(inputs).map(\.doubles)
  }

  private func message(_ inputs: [NDArray], _ body: ([Tensor]) -> [Tensor]) -> String {
    do {
      _ = try run(inputs, body)
      return ""
    } catch { return "\(error)" }
  }

  private let x = NDArray([1, 2, -3] as [Double])
  private let w = unfailing { try NDArray([0.5, -1, 2, 0.25, 1, -2] as [Double], shape: [2, 3]) }

  // MARK: grad

  @Test("grad takes cotangents, and differentiates again") func grads() throws {
    let results = try run([x]) { x in
      let y = x[0] * x[0] * x[0]
      let first = grad(y, x[0], gradOutputs: x[0].onesLike())
      return [first, grad(first.sum(), x[0]), grad([y.sum(), x[0].sum()], [x[0]])[0]]
    }
    #expect(results == [[3, 12, 27], [6, 12, -18], [4, 13, 28]])
  }

  @Test("an output of several numbers needs a cotangent, an unused input needs permission") func gradFaults() throws {
    #expect(message([x]) { [grad($0[0] * 2, $0[0])] }.contains("its gradient is one by itself for one float only"))
    #expect(message([x, w]) { grad([$0[0].sum()], $0) }.contains("the outputs do not depend on input 1, f64[2,3]"))
    #expect(try run([x, w]) { grad([$0[0].sum()], $0, allowUnused: true) } == [[1, 1, 1], [0, 0, 0, 0, 0, 0]])
    #expect(message([x]) { grad([$0[0].sum()], $0, gradOutputs: []) }.contains("0 gradOutputs are given for 1 outputs"))
  }

  @Test("detached tensors have no gradient") func detached() throws {
    #expect(try run([x]) { [grad(($0[0] * $0[0].detach()).sum(), $0[0])] } == [[1, 2, -3]])
  }

  // MARK: Products with the Jacobian

  @Test("vjp and jvp are the two products with the Jacobian") func products() throws {
    let results = try run([x, w]) { inputs in
      func function(_ inputs: [Tensor]) -> [Tensor] { [matmul(inputs[1], inputs[0].sin())] }
      let v = inputs[0].builder.constant(NDArray([1, 0, 2] as [Double]))
      let u = inputs[0].builder.constant(NDArray([3, -1] as [Double]))
      let (outputs, backward) = vjp(function, inputs, [u])
      let (_, forward) = jvp(function, inputs, [v, inputs[1] * 0])
      let all = jacobian(function, inputs)[0]
      return [
        outputs[0], backward[0], matmul(u, all[0]), forward[0], matmul(all[0], v), backward[1],
        matmul(u, all[1].reshape([2, 6])),
      ]
    }
    for (first, second) in [(1, 2), (3, 4), (5, 6)] {
      #expect(zip(results[first], results[second]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(results)")
    }
    #expect(abs(results[3][0] - (0.5 * 0.5403023058681398 + 2 * 2 * -0.9899924966004454)) < 1e-12)
  }

  @Test("jvp goes through loops and branches") func loops() throws {
    let results = try run([x]) { inputs in
      func function(_ inputs: [Tensor]) -> [Tensor] {
        let (last, _) = scan([inputs[0].sum()], over: [inputs[0]]) { state, element in
          ([(state[0] * element[0]).tanh()], [])
        }
        return cond(last[0] .> 5) {
          [inputs[0].exp()]
        } otherwise: {
          [last[0] * inputs[0]]
        }
      }
      let v = inputs[0].builder.constant(NDArray([0.5, -1, 0.25] as [Double]))
      return [jvp(function, inputs, [v]).jvp[0], matmul(jacobian(function, inputs)[0][0], v)]
    }
    #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) < 1e-12 && $0 != 0 })
  }

  @Test("jacobian and hessian have the axes of the outputs, then those of the inputs") func hessians() throws {
    let results = try run([x]) { inputs in
      let squares = jacobian({ $0 * $0 }, inputs[0])
      let second = hessian(
        { ($0 * $0 * $0).sum() + $0.select(dim: 0, index: 0) * $0.select(dim: 0, index: 1) }, inputs[0])
      let unused = jacobian({ [$0[0].sum(), $0[0].detach()] }, inputs)
      return [squares, second, unused[0][0], unused[1][0]]
    }
    #expect(results[0] == [2, 0, 0, 0, 4, 0, 0, 0, -6])
    #expect(results[1] == [6, 1, 0, 1, 12, 0, 0, 0, -18])
    #expect(results[2] == [1, 1, 1])
    #expect(results[3] == [Double](repeating: 0, count: 9))
  }

  @Test("what the Jacobian's rows have in common is computed once") func sharedForward() throws {
    let graph = try trace(.f64(8)) { jacobian({ $0.exp().softmax(dim: 0) }, $0) }
    #expect(graph.nodes.count { $0.operation == .pointwise(.exp) } <= 2)
    #expect(!graph.nodes.contains { $0.operation.name == "scan" })
  }

  // MARK: vmap

  @Test("vmap puts the batch where it is asked for") func batches() throws {
    let results = try run([w, x]) { inputs in
      let rows = vmap({ ($0 * $0).sum() })(inputs[0])
      let columns = vmap({ $0.sum() }, inDim: 1)(inputs[0])
      let scaled = vmap({ [matmul($0[0], $0[1])] }, inDims: [0, nil])([inputs[0], inputs[1]])[0]
      let outer = vmap({ [$0[0] * $0[1]] }, inDims: [1, 0], outDims: [-1])([inputs[0], inputs[1]])[0]
      let perSample = vmap({ [grad(matmul($0[0], $0[1]), $0[1])] }, inDims: [0, nil])(inputs)[0]
      return [rows, columns, scaled, outer, perSample]
    }
    #expect(results[0] == [5.25, 5.0625])
    #expect(results[1] == [0.75, 0, 0])
    #expect(results[2] == [-7.5, 8.25])
    #expect(results[3] == [0.5, -2, -6, 0.25, 2, 6])
    #expect(results[4] == w.doubles)
  }

  @Test("vmap's faults have its name") func batchFaults() {
    #expect(
      message([w, x]) { vmap({ [$0[0].sum() + $0[1].sum()] })($0) }.contains(
        "vmap: the batches have different sizes, 2 and 3"))
    #expect(message([w]) { vmap({ $0 }, inDims: [nil])($0) }.contains("no input has a batch"))
    #expect(message([w]) { [vmap({ dropout($0, p: 0.5, training: true) })($0[0])] }.contains("uses random numbers"))
  }

  // MARK: Functions with gradients of their own, checkpoints

  private struct Straight: AutogradFunction {
    func forward(_ inputs: [Tensor]) -> [Tensor] { [inputs[0].round()] }
    func backward(_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?] { gradOutputs }
  }

  /// `exp` by its result, and nothing for its second input.
  private struct Exponential: AutogradFunction {
    func forward(_ inputs: [Tensor]) -> [Tensor] { [inputs[0].exp()] }
    func backward(_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?] {
      [gradOutputs[0] * outputs[0], nil]
    }
  }

  @Test("a function's own gradient is taken, and differentiated again") func ownGradients() throws {
    let results = try run([NDArray([0.4, 1.6, -2.7] as [Double])]) { x in
      let straight = grad((Straight()(x[0]) * x[0]).sum(), x[0])
      let first = grad(Exponential()([x[0], x[0]])[0].sum(), x[0])
      let second = grad(first.sum(), x[0])
      let batch = vmap({ grad(Straight()($0).sum(), $0) })(x[0].reshape([3, 1]))
      return [straight, first - x[0].exp(), second - x[0].exp(), batch]
    }
    #expect(results == [[0.4, 3.6, -5.7], [0, 0, 0], [0, 0, 0], [1, 1, 1]])
  }

  @Test("a function with a gradient leaves nothing behind after differentiation") func inlined() throws {
    let graph = try compile(trace(.f64(3)) { Exponential()([$0, $0])[0] }).graph
    #expect(graph.nodes.map(\.operation.name) == ["input", "exp"])
  }

  private struct Wrong: AutogradFunction {
    let factor: Tensor
    func forward(_ inputs: [Tensor]) -> [Tensor] { [inputs[0] * factor] }
    func backward(_ inputs: [Tensor], _ outputs: [Tensor], _ gradOutputs: [Tensor]) -> [Tensor?] {
      gradOutputs.map { factor.rank == 0 ? $0.sum() : $0 }
    }
  }

  @Test("what a function's own gradient would lose or make wrong is told") func ownGradientFaults() {
    #expect(
      message([x]) { [Wrong(factor: $0[0].builder.scalar(.float(2), .f64))($0[0])] }
        .contains("the gradient of input 0 is f64[], the input f64[3]"))
    #expect(message([x, x]) { [Wrong(factor: $0[1] + 1)($0[0])] }.contains("uses f64[3] from outside"))
  }

  @Test("a checkpoint has the same gradients, computes again, and draws the same random numbers") func checkpoints()
    throws
  {
    func network(_ x: Tensor, _ isKept: Bool) -> Tensor {
      var x = x
      for _ in 0..<4 {
        let layer: (Tensor) -> Tensor = { dropout(($0.exp() * 0.3).sin().exp(), p: 0.25, training: true) }
        x = isKept ? checkpoint(layer, x) : layer(x)
      }
      return x
    }
    let x = NDArray((0..<4096).map { Double($0 % 7) / 7 })
    func model(_ isKept: Bool) throws -> CompiledModel {
      try compile(trace(inputs: [x.type]) { [network($1[0], isKept), grad(network($1[0], isKept).sum(), $1[0])] })
    }
    let (plain, kept) = (try model(false), try model(true))
    let (expected, actual) = (try plain.run([x]), try kept.run([x]))
    #expect(expected[0] == actual[0])
    #expect(zip(expected[1].doubles, actual[1].doubles).allSatisfy { abs($0 - $1) <= 1e-12 * abs($0) })
    #expect(kept.graph.nodes.contains { if case .call(let call) = $0.operation { call.isKept } else { false } })
  }

  @Test("checkpoints make the arena of a deep network's gradient smaller") func checkpointArena() throws {
    let (depth, width) = (16, 64)
    struct Deep: Parameterized {
      let layers: [Linear]
    }
    func arena(_ segments: Int?) throws -> Int {
      let layers = (0..<depth).map { _ in Linear(width, width) }
      let block: (ArraySlice<Linear>) -> (Tensor) -> Tensor = { part in
        { x in part.reduce(x) { y, layer in gelu(layer(y)) } }
      }
      let graph = try trace(Deep(layers: layers), inputs: [.f32(256, Dim(width))]) { _, inputs in
        var x = inputs[0]
        let count = segments ?? 1
        for start in stride(from: 0, to: depth, by: depth / count) {
          let part = block(layers[start..<(start + depth / count)])
          x = segments == nil ? part(x) : checkpoint(part, x)
        }
        return grad(x.square().sum(), inputs[0])
      }
      return try compile(graph).arenaBytes
    }
    let (plain, kept) = (try arena(nil), try arena(4))
    #expect(kept * 10 < plain * 7, "\(kept) of \(plain) bytes")
  }

  // MARK: Checks

  @Test("gradcheck accepts what is right and names what is wrong") func checks() throws {
    #expect(try gradcheck({ [matmul($0[1], $0[0].tanh()), $0[0].exp().sum()] }, [x, w]))
    #expect(try gradgradcheck({ [matmul($0[1], $0[0].tanh()), $0[0].exp().sum()] }, [x, w]))
    let far = NDArray([0.4, 1.2, -2.7] as [Double])
    let error = #expect(throws: DiagnosticsError.self) { try gradcheck({ Straight()([$0[0]]) }, [far]) }
    #expect(error?.diagnostics.count == 3)
    let message = error?.diagnostics.first?.message ?? ""
    #expect(message.hasPrefix("the derivative of element 0 of output 0 with respect to element 0 of input 0 is 1.0"))
  }
}
