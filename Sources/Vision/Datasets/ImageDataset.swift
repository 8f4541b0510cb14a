public import LatheCore
import LatheData
public import LatheLoading

/// Images in memory with the numbers of their classes.
public struct LabeledImages: Sendable {
  /// The images, `u8[count, channels, height, width]`.
  public let data: NDArray
  /// The class of each.
  public let targets: [Int]
  /// The names of the classes.
  public let classes: [String]
}

/// A dataset of images that are all in memory: an image, transformed, and the number of its class.
public protocol ImageDataset: Dataset where Element == (NDArray, Int) {
  /// The images as they are in the files.
  var images: LabeledImages { get }
  /// What is done to an image, `u8[channels, height, width]`.
  var transform: (any Transform)? { get }
  /// What is done to the number of a class.
  var targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? { get }
}

extension ImageDataset {
  /// How many images there are.
  public var count: Int { images.targets.count }

  /// The class of each image.
  public var targets: [Int] { images.targets }

  /// The names of the classes.
  public var classes: [String] { images.classes }

  /// The numbers of the classes by their names.
  public var classToIdx: [String: Int] { numbers(of: classes) }

  /// The image of a number, transformed, and its class.
  public subscript(index: Int) -> (NDArray, Int) {
    get throws(DiagnosticsError) {
      try requireSample(index)
      let image = images.data.row(at: index)
      let target = images.targets[index]
      return (try transform?(image) ?? image, try targetTransform?(target) ?? target)
    }
  }
}

/// The numbers of classes by their names.
func numbers(of classes: [String]) -> [String: Int] {
  Dictionary(zip(classes, classes.indices)) { first, _ in first }
}
