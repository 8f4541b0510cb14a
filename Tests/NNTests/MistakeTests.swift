import LatheCore
import LatheNN
import TestSupport
import Testing

/// A model with three mistakes that have nothing to do with each other.
private struct Mistaken: Module {
  static let firstLine = #line + 7
  let conv = Conv2d(3, 8, kernelSize: 3)
  let fc1 = Linear(100, 10)
  let fc2 = Linear(12, 5)

  func callAsFunction(_ x: Tensor) -> [Tensor] {
    // The mistakes are on the next lines; the numbers of the lines are asserted.
    let a = conv(x)
    let b = relu(fc1(x.flatten(startDim: 1)))
    let c = softmax(x, dim: 4)
    // What is built on a mistake is silent, and so is what is built on that.
    let silent = fc2(a.mean(dim: [2, 3])) + b.transpose(0, 5) * c
    return [a, b, c, silent, maxPool2d(a, kernelSize: 2), crossEntropy(b, c), cat([a, b, c], dim: 9)]
  }
}

@Suite("Mistakes while tracing")
struct MistakeTests {
  @Test("three independent mistakes give three diagnostics, each with its line")
  func threeMistakes() {
    let error = #expect(throws: DiagnosticsError.self) { try trace(Mistaken(), .f32(2, 4, 8, 8)) }
    let diagnostics = error?.diagnostics ?? []
    #expect(
      diagnostics.map(\.message) == [
        "conv2d: the input has 4 channels (axis 1 of f32[2,4,8,8]), the weight f32[8,3,3,3] takes 3",
        "linear: the input has 256 features (axis 1 of f32[2,256]), the weight takes 100",
        "softmax: dim 4 is outside f32[2,4,8,8], which has 4 axes",
      ])
    #expect(diagnostics.map(\.location.line) == (0..<3).map { Mistaken.firstLine + $0 })
    #expect(diagnostics.allSatisfy { $0.location.file?.hasSuffix("MistakeTests.swift") == true })
    #expect(diagnostics.map(\.location.modulePath) == ["conv", "fc1", nil])
    #expect(diagnostics.first?.help == "use Conv2d(4, 8, ...), or an input with 3 channels")
  }

  /// One wrong call of each function: what it is given, and how its message starts.
  static let wrongCalls: [WrongCall] = [
    WrongCall(
      "matmul", [.f32(2, 3), .f32(4, 5)],
      "matmul: the inner sizes differ, 3 (axis 1 of f32[2,3]) and 4 (axis 0 of f32[4,5])"
    ) { x in matmul(x[0], x[1]) },
    WrongCall("bmm", [.f32(2, 3), .f32(4, 5)], "bmm: the left operand has 2 axes") { x in bmm(x[0], x[1]) },
    WrongCall("mm", [.f32(2, 3, 4), .f32(4, 5)], "mm: the left operand has 3 axes") { x in mm(x[0], x[1]) },
    WrongCall("einsum", [.f32(2, 3), .f32(4, 5)], "einsum: 'j' has size 3 in f32[2,3] and 4 in f32[4,5]") { x in
      einsum("ij,jk", x[0], x[1])
    },
    WrongCall("einsum names", [.f32(2, 3)], "einsum: 'ijk' names 3 axes of an operand with 2") { x in
      einsum("ijk->i", x[0])
    },
    WrongCall(
      "matrixRank", [.f32(2, 3)], "linalg.matrix_rank: "
    ) { x in Linalg.matrixRank(x[0], hermitian: true) },
    WrongCall("nuclear norm", [.f32(2, 3, 4)], "linalg.matrix_norm: ") { x in x[0].norm(.nuclear) },
    WrongCall("ctcLoss", [.f32(5, 2, 4)], "ctcLoss: a length is 6, of 5 frames") { x in
      ctcLoss(x[0], x[0].builder.tensor([1, 2, 3, 1], shape: [2, 2], dtype: .i64), [5, 6], [2, 2])
    },
    WrongCall("add", [.f32(2, 3), .f32(4)], "add: [2,3] and [4] do not broadcast") { x in x[0] + x[1] },
    WrongCall("reshape", [.f32(2, 3)], "reshape: the 6 elements of f32[2,3] do not fill [4,-1]") { x in
      x[0].reshape(4, -1)
    },
    WrongCall("reshape twice", [.f32(2, 3)], "reshape: more than one size") { x in x[0].reshape(-1, -1) },
    WrongCall("permute", [.f32(2, 3)], "permute: dims [0, 0] name an axis") { x in x[0].permute(0, 0) },
    WrongCall("squeeze", [.f32(2, 3)], "squeeze: dim 5 is outside f32[2,3]") { x in x[0].squeeze(dim: 5) },
    WrongCall("sum", [.f32(2, 3)], "sum: dim -3 is outside f32[2,3]") { x in x[0].sum(dim: -3) },
    WrongCall("cat", [.f32(2, 3), .f32(3, 4)], "cat: sizes differ on axis 0") { x in cat([x[0], x[1]], dim: 1) },
    WrongCall("stack", [.f32(2, 3), .f32(3, 4)], "stack: tensors have different shapes") { x in stack([x[0], x[1]]) },
    WrongCall("split", [.f32(2, 3)], "split: the sizes [1, 1] do not add up to 3") { x in x[0].split([1, 1], dim: 1)[0]
    },
    WrongCall("narrow", [.f32(2, 3)], "narrow: 2..<4 is outside axis 1") { x in x[0].narrow(dim: 1, start: 2, length: 2)
    },
    WrongCall("expand", [.f32(2, 3)], "expand: the tensor f32[2,3] does not broadcast to [2,4]") { x in
      x[0].expand(2, 4)
    },
    WrongCall("gather", [.f32(2, 3), .f32(2, 3)], "gather: the index is f32[2,3], needs integers") { x in
      x[0].gather(dim: 1, x[1])
    },
    WrongCall("maskedFill", [.f32(2, 3), .f32(2, 3)], "maskedFill: the mask is f32[2,3], needs bool") { x in
      x[0].maskedFill(x[1], 0)
    },
    WrongCall("embedding", [.f32(2), .f32(5, 3)], "embedding: the indices are f32[2], need integers") { x in
      embedding(x[0], x[1])
    },
    WrongCall("maxPool2d", [.f32(1, 1, 3, 3)], "maxPool2d: the window of size 5 is larger") { x in
      maxPool2d(x[0], kernelSize: 5)
    },
    WrongCall("maxPool2d numbers", [.f32(1, 1, 9, 9)], "maxPool2d: kernelSize has 3 numbers for 2 axes") { x in
      maxPool2d(x[0], kernelSize: [2, 2, 2])
    },
    WrongCall("avgPool2d", [.f32(3, 3)], "avgPool2d: the input f32[3,3] is neither") { x in
      avgPool2d(x[0], kernelSize: 2)
    },
    WrongCall("batchNorm", [.f32(2, 3, 4), .f32(4), .f32(4)], "batchNorm: the input has 3 channels") { x in
      batchNorm(x[0], x[1], x[2])
    },
    WrongCall("layerNorm", [.f32(2, 3)], "layerNorm: the last axes of f32[2,3] are not the normalized shape [4]") { x in
      layerNorm(x[0], [4])
    },
    WrongCall("groupNorm", [.f32(2, 3, 4)], "groupNorm: 3 channels do not divide into 2 groups") { x in
      groupNorm(x[0], numGroups: 2)
    },
    WrongCall(
      "attention", [.f32(2, 3, 4), .f32(2, 3, 5), .f32(2, 3, 4)], "scaledDotProductAttention: the query has 4 features"
    ) { x in scaledDotProductAttention(x[0], x[1], x[2]) },
    WrongCall(
      "crossEntropy", [.f32(2, 3), .i64(3)],
      "crossEntropy: the input f32[2,3] has classes on axis 1, so the target needs shape [2], given i64[3]"
    ) { x in crossEntropy(x[0], x[1]) },
    WrongCall("mseLoss", [.f32(2, 3), .f32(3)], "mseLoss: the input is f32[2,3], the target f32[3]") { x in
      mseLoss(x[0], x[1])
    },
    WrongCall("interpolate", [.f32(2, 3)], "interpolate: the input f32[2,3] has no axes") { x in
      interpolate(x[0], size: [4])
    },
    WrongCall("scan", [.f32(2), .f32(4, 3)], "scan: the state is f32[2] at first and f32[] after a step") { x in
      scan([x[0]], over: [x[1]]) { state, element in ([state[0].sum()], [element[0]]) }.state[0]
    },
    WrongCall("inside of a scan", [.f32(2), .f32(4, 3)], "add: [2] and [3] do not broadcast") { x in
      scan([x[0]], over: [x[1]]) { state, element in ([state[0] + element[0]], []) }.state[0]
    },
    WrongCall("cond", [.f32(2)], "cond: the predicate is f32[2], needs one bool") { x in
      cond(x[0], then: { [x[0]] }, otherwise: { [x[0]] })[0]
    },
    WrongCall("gradients", [.f32(2)], "gradients: the loss is f32[2], needs one float") { x in
      gradients(of: x[0], withRespectTo: [x[0]])[0]
    },
    WrongCall("mean", [.i64(2)], "mean: the input is i64[2], needs floats") { x in x[0].mean() },
    WrongCall("dropout", [.f32(3)], "dropout: p is 1.5") { x in dropout(x[0], p: 1.5) },
    WrongCall("glu", [.f32(3)], "glu: axis 0 of f32[3] has odd size 3") { x in glu(x[0]) },
  ]

  @Test("a wrong call gives one diagnostic with the function's name and the numbers", arguments: wrongCalls)
  func wrongCall(call: WrongCall) {
    let error = #expect(throws: DiagnosticsError.self) {
      try trace(inputs: call.inputs) { _, x in relu(call.body(x)).sum() }
    }
    #expect(error?.diagnostics.count == 1)
    #expect(error?.diagnostics.first?.message.hasPrefix(call.message) == true, "\(error.map { "\($0)" } ?? "")")
    #expect(error?.diagnostics.first?.location.file?.hasSuffix("MistakeTests.swift") == true)
  }

}

/// A call that cannot be built.
struct WrongCall: Sendable, CustomTestStringConvertible {
  let name: String
  let inputs: [TensorType]
  let message: String
  let body: @Sendable ([Tensor]) -> Tensor

  init(_ name: String, _ inputs: [TensorType], _ message: String, _ body: @escaping @Sendable ([Tensor]) -> Tensor) {
    self.name = name
    self.inputs = inputs
    self.message = message
    self.body = body
  }

  var testDescription: String { name }
}
