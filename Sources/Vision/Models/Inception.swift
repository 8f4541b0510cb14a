public import LatheCore
public import LatheNN

/// Szegedy and others, Rethinking the Inception Architecture for Computer Vision (2015).
///
/// It takes images `[N, 3, H, W]` of 75 pixels or more, 299 with the scores of its second classifier, and gives scores
/// `[N, numClasses]`.
public struct Inception3: Module {
  private let conv2d1a, conv2d2a, conv2d2b: InceptionConvolution
  private let maxpool1 = MaxPool2d(kernelSize: 3, stride: 2)
  private let conv2d3b, conv2d4a: InceptionConvolution
  private let maxpool2 = MaxPool2d(kernelSize: 3, stride: 2)
  private let mixed5b, mixed5c, mixed5d: InceptionA
  private let mixed6a: InceptionB
  private let mixed6b, mixed6c, mixed6d, mixed6e: InceptionC
  private let auxLogits: InceptionAuxiliary?
  private let mixed7a: InceptionD
  private let mixed7b, mixed7c: InceptionE
  /// The mean of each channel.
  public var avgpool = AdaptiveAvgPool2d(1)
  /// What is left out before the linear layer.
  public var dropout: Dropout
  /// The linear layer.
  public var fc: Linear
  private let transformInput: Bool

  /// torchvision's names.
  public var stateNames: [String: String] {
    var names = ["auxLogits": "AuxLogits"]
    for (part, kernel) in [("1a", 3), ("2a", 3), ("2b", 3), ("3b", 1), ("4a", 3)] {
      names["conv2d\(part)"] = "Conv2d_\(part)_\(kernel)x\(kernel)"
    }
    for part in ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"] {
      names["mixed\(part)"] = "Mixed_\(part)"
    }
    return names
  }

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - auxLogits: Whether there is a second classifier, for training: see ``withAuxLogits(_:)``.
  ///   - transformInput: Whether images come normalized by ImageNet's means and deviations, as for other models.
  public init(
    numClasses: Int = 1000, auxLogits: Bool = true, transformInput: Bool = false, dropout: Double = 0.5
  ) {
    self.transformInput = transformInput
    conv2d1a = InceptionConvolution(3, 32, kernelSize: 3, stride: 2)
    conv2d2a = InceptionConvolution(32, 32, kernelSize: 3)
    conv2d2b = InceptionConvolution(32, 64, kernelSize: 3, padding: 1)
    conv2d3b = InceptionConvolution(64, 80)
    conv2d4a = InceptionConvolution(80, 192, kernelSize: 3)
    mixed5b = InceptionA(192, 32)
    mixed5c = InceptionA(256, 64)
    mixed5d = InceptionA(288, 64)
    mixed6a = InceptionB(288)
    mixed6b = InceptionC(768, 128)
    mixed6c = InceptionC(768, 160)
    mixed6d = InceptionC(768, 160)
    mixed6e = InceptionC(768, 192)
    self.auxLogits = auxLogits ? InceptionAuxiliary(768, numClasses) : nil
    mixed7a = InceptionD(768)
    mixed7b = InceptionE(1280)
    mixed7c = InceptionE(2048)
    self.dropout = Dropout(dropout)
    fc = Linear(2048, numClasses)
    let second = self.auxLogits?.fc.weight
    drawTruncated { $0 === second ? 0.001 : 0.1 }
  }

  /// Applies the model in the graph of its argument, without the second classifier.
  public func callAsFunction(_ x: Tensor) -> Tensor { logits(ofMixed: mixed(x)) }

  /// Applies the model with its second classifier, which is for the loss in training: the model's output there in
  /// torchvision.
  ///
  /// - Returns: The scores, and those of the second classifier, nil where the model was made without.
  public func withAuxLogits(_ x: Tensor) -> (logits: Tensor, auxLogits: Tensor?) {
    let middle = mixed(x)
    let second = auxLogits?(middle)
    return (logits(ofMixed: middle), second)
  }

  /// Up to where the second classifier branches off.
  private func mixed(_ x: Tensor) -> Tensor {
    var x = transformInput ? renormalized(x) : x
    x = maxpool1(conv2d2b(conv2d2a(conv2d1a(x))))
    x = maxpool2(conv2d4a(conv2d3b(x)))
    x = mixed5d(mixed5c(mixed5b(x)))
    return mixed6e(mixed6d(mixed6c(mixed6b(mixed6a(x)))))
  }

  private func logits(ofMixed x: Tensor) -> Tensor {
    fc(dropout(avgpool(mixed7c(mixed7b(mixed7a(x))))).flatten(startDim: 1))
  }
}

private struct InceptionA: Module {
  let branch1x1, branch5x5First, branch5x5Second: InceptionConvolution
  let doubleFirst, doubleSecond, doubleThird, branchPool: InceptionConvolution
  let stateNames = [
    "branch5x5First": "branch5x5_1", "branch5x5Second": "branch5x5_2", "doubleFirst": "branch3x3dbl_1",
    "doubleSecond": "branch3x3dbl_2", "doubleThird": "branch3x3dbl_3",
  ]

  init(_ channels: Int, _ pooled: Int) {
    branch1x1 = InceptionConvolution(channels, 64)
    branch5x5First = InceptionConvolution(channels, 48)
    branch5x5Second = InceptionConvolution(48, 64, kernelSize: 5, padding: 2)
    doubleFirst = InceptionConvolution(channels, 64)
    doubleSecond = InceptionConvolution(64, 96, kernelSize: 3, padding: 1)
    doubleThird = InceptionConvolution(96, 96, kernelSize: 3, padding: 1)
    branchPool = InceptionConvolution(channels, pooled)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    cat(
      [
        branch1x1(x), branch5x5Second(branch5x5First(x)), doubleThird(doubleSecond(doubleFirst(x))),
        branchPool(avgPool2d(x, kernelSize: 3, stride: 1, padding: 1)),
      ], dim: 1)
  }
}

private struct InceptionB: Module {
  let branch3x3, doubleFirst, doubleSecond, doubleThird: InceptionConvolution
  let stateNames = [
    "doubleFirst": "branch3x3dbl_1", "doubleSecond": "branch3x3dbl_2", "doubleThird": "branch3x3dbl_3",
  ]

  init(_ channels: Int) {
    branch3x3 = InceptionConvolution(channels, 384, kernelSize: 3, stride: 2)
    doubleFirst = InceptionConvolution(channels, 64)
    doubleSecond = InceptionConvolution(64, 96, kernelSize: 3, padding: 1)
    doubleThird = InceptionConvolution(96, 96, kernelSize: 3, stride: 2)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    cat(
      [branch3x3(x), doubleThird(doubleSecond(doubleFirst(x))), maxPool2d(x, kernelSize: 3, stride: 2)], dim: 1)
  }
}

/// Windows of 7 x 7 as one row and one column.
private struct InceptionC: Module {
  let branch1x1, first, second, third: InceptionConvolution
  let doubleFirst, doubleSecond, doubleThird, doubleFourth, doubleFifth, branchPool: InceptionConvolution
  let stateNames = [
    "first": "branch7x7_1", "second": "branch7x7_2", "third": "branch7x7_3", "doubleFirst": "branch7x7dbl_1",
    "doubleSecond": "branch7x7dbl_2", "doubleThird": "branch7x7dbl_3", "doubleFourth": "branch7x7dbl_4",
    "doubleFifth": "branch7x7dbl_5",
  ]

  init(_ channels: Int, _ inner: Int) {
    branch1x1 = InceptionConvolution(channels, 192)
    first = InceptionConvolution(channels, inner)
    second = rowConvolution(inner, inner, 7)
    third = columnConvolution(inner, 192, 7)
    doubleFirst = InceptionConvolution(channels, inner)
    doubleSecond = columnConvolution(inner, inner, 7)
    doubleThird = rowConvolution(inner, inner, 7)
    doubleFourth = columnConvolution(inner, inner, 7)
    doubleFifth = rowConvolution(inner, 192, 7)
    branchPool = InceptionConvolution(channels, 192)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    cat(
      [
        branch1x1(x), third(second(first(x))),
        doubleFifth(doubleFourth(doubleThird(doubleSecond(doubleFirst(x))))),
        branchPool(avgPool2d(x, kernelSize: 3, stride: 1, padding: 1)),
      ], dim: 1)
  }
}

private struct InceptionD: Module {
  let first, second, longFirst, longSecond, longThird, longFourth: InceptionConvolution
  let stateNames = [
    "first": "branch3x3_1", "second": "branch3x3_2", "longFirst": "branch7x7x3_1", "longSecond": "branch7x7x3_2",
    "longThird": "branch7x7x3_3", "longFourth": "branch7x7x3_4",
  ]

  init(_ channels: Int) {
    first = InceptionConvolution(channels, 192)
    second = InceptionConvolution(192, 320, kernelSize: 3, stride: 2)
    longFirst = InceptionConvolution(channels, 192)
    longSecond = rowConvolution(192, 192, 7)
    longThird = columnConvolution(192, 192, 7)
    longFourth = InceptionConvolution(192, 192, kernelSize: 3, stride: 2)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    cat(
      [
        second(first(x)), longFourth(longThird(longSecond(longFirst(x)))),
        maxPool2d(x, kernelSize: 3, stride: 2),
      ], dim: 1)
  }
}

private struct InceptionE: Module {
  let branch1x1, first, row, column, doubleFirst, doubleSecond, doubleRow, doubleColumn: InceptionConvolution
  let branchPool: InceptionConvolution
  let stateNames = [
    "first": "branch3x3_1", "row": "branch3x3_2a", "column": "branch3x3_2b", "doubleFirst": "branch3x3dbl_1",
    "doubleSecond": "branch3x3dbl_2", "doubleRow": "branch3x3dbl_3a", "doubleColumn": "branch3x3dbl_3b",
  ]

  init(_ channels: Int) {
    branch1x1 = InceptionConvolution(channels, 320)
    first = InceptionConvolution(channels, 384)
    row = rowConvolution(384, 384, 3)
    column = columnConvolution(384, 384, 3)
    doubleFirst = InceptionConvolution(channels, 448)
    doubleSecond = InceptionConvolution(448, 384, kernelSize: 3, padding: 1)
    doubleRow = rowConvolution(384, 384, 3)
    doubleColumn = columnConvolution(384, 384, 3)
    branchPool = InceptionConvolution(channels, 192)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (single, double) = (first(x), doubleSecond(doubleFirst(x)))
    return cat(
      [
        branch1x1(x), row(single), column(single), doubleRow(double), doubleColumn(double),
        branchPool(avgPool2d(x, kernelSize: 3, stride: 1, padding: 1)),
      ], dim: 1)
  }
}

/// The second classifier.
private struct InceptionAuxiliary: Module {
  let conv0, conv1: InceptionConvolution
  let fc: Linear

  init(_ channels: Int, _ numClasses: Int) {
    conv0 = InceptionConvolution(channels, 128)
    conv1 = InceptionConvolution(128, 768, kernelSize: 5)
    fc = Linear(768, numClasses)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(adaptiveAvgPool2d(conv1(conv0(avgPool2d(x, kernelSize: 5, stride: 3))), 1).flatten(startDim: 1))
  }
}

/// A convolution with a window of one row.
private func rowConvolution(_ channels: Int, _ out: Int, _ size: Int) -> InceptionConvolution {
  InceptionConvolution(channels, out, kernelSize: [1, size], padding: [0, size / 2])
}

/// A convolution with a window of one column.
private func columnConvolution(_ channels: Int, _ out: Int, _ size: Int) -> InceptionConvolution {
  InceptionConvolution(channels, out, kernelSize: [size, 1], padding: [size / 2, 0])
}

/// Inception v3.
///
/// - Parameters:
///   - auxLogits: Whether there is a second classifier, for training: see ``Inception3/withAuxLogits(_:)``.
///   - transformInput: Whether images come normalized by ImageNet's means and deviations, as for other models.
public func inceptionV3(
  numClasses: Int = 1000, auxLogits: Bool = true, transformInput: Bool = false, dropout: Double = 0.5
) -> Inception3 {
  Inception3(numClasses: numClasses, auxLogits: auxLogits, transformInput: transformInput, dropout: dropout)
}
