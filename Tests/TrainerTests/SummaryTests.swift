import Foundation
import Lathe
import LatheTrainer
import LatheVision
import Testing

@Suite("Summaries")
struct SummaryTests {
  private struct LeNet: Module {
    let conv1 = Conv2d(1, 6, kernelSize: 5)
    let conv2 = Conv2d(6, 16, kernelSize: 5)
    let features = Sequential(ReLU(), MaxPool2d(kernelSize: 2))
    let fc1 = Linear(400, 120)
    let fc2 = Linear(120, 10)

    func callAsFunction(_ x: Tensor) -> Tensor {
      let x = features(conv2(features(conv1(x))))
      return fc2(relu(fc1(x.flatten(startDim: 1))))
    }
  }

  @Test("the table is torchsummary's")
  func tables() throws {
    let lenet = LeNet()
    lenet.conv1.requiresGrad(false)
    // A generator of its own: one that others have seeded would draw the weights.
    let resnet = Generator.$scoped.withValue(Generator()) { resnet18() }
    for parameter in resnet.parameters() { parameter.initializer = .zeros }
    let table = try summary(resnet, .f32(1, 3, 224, 224))
    #expect(table.parameterBytes == 4 * 11_689_512 && table.rows.count == 68)
    for (summary, file) in [(try summary(lenet, .f32(1, 1, 32, 32)), "lenet.txt"), (table, "resnet18.txt")] {
      let (lines, expected) = (
        summary.description.split(separator: "\n"),
        String(decoding: golden(file), as: UTF8.self).split(separator: "\n")
      )
      #expect(lines.count == expected.count)
      for (line, wanted) in zip(lines, expected) where line != wanted { Issue.record("\(line), expected \(wanted)") }
    }
  }

  @Test("a layer that is called twice counts once, and results of several tensors have all shapes")
  func shared() throws {
    struct Twice: Module {
      let lstm = LSTM(4, 4)
      let fc = Linear(4, 4)
      let unused = Linear(1, 1)
      func callAsFunction(_ x: Tensor) -> Tensor { fc(fc(lstm(x).output)) }
    }
    let table = try summary(Twice(), .f32(5, 2, 4))
    #expect(table.rows.map(\.parameters) == [160, 20, 0] && table.parameters == 182)
    #expect(table.rows[0].outputs == [.f32(5, 2, 4), .f32(1, 2, 4), .f32(1, 2, 4)])
    #expect(table.description.contains("[[-1, 2, 4], [-1, 2, 4], [-1, 2, 4]]"))
    #expect(throws: DiagnosticsError.self) { try summary(Twice(), .f32(5, 2, 3)) }
  }
}
