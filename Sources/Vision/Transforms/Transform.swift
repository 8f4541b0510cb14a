public import LatheCore
import LatheNN

/// A function of images on the host, `[channels, height, width]`: what a dataset does to what it reads.
///
/// Transforms are those of `torchvision.transforms.v2`. Random ones draw from the default generator, and draw what
/// torchvision draws; in a loader's workers that is the worker's own.
public protocol Transform: Sendable {
  /// The image transformed.
  func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray
}

/// One transform after the other: `torchvision.transforms.Compose`.
///
/// ```swift
/// let transform = Compose(RandomCrop(32, padding: 4), RandomHorizontalFlip(), ToTensor(), Normalize(mean: [0.5], std: [0.5]))
/// ```
public struct Compose: Transform {
  private let transforms: [any Transform]

  /// Transforms in their order.
  public init(_ transforms: any Transform...) { self.transforms = transforms }

  /// Transforms in their order.
  public init(_ transforms: [any Transform]) { self.transforms = transforms }

  /// Applies all of them.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    var image = image
    for transform in transforms { image = try transform(image) }
    return image
  }
}

/// A function of one's own: `torchvision.transforms.Lambda`.
public struct Lambda: Transform {
  private let body: @Sendable (NDArray) throws(DiagnosticsError) -> NDArray

  /// Applies a function.
  public init(_ body: @escaping @Sendable (NDArray) throws(DiagnosticsError) -> NDArray) { self.body = body }

  /// What the function gives.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray { try body(image) }
}

/// Height and width: `224` for both, or `[height, width]`.
public struct ImageSize: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// One size for both, or two.
  let sizes: [Int]

  /// One number for height and width.
  public init(_ size: Int) { sizes = [size] }

  /// Height and width.
  public init(height: Int, width: Int) { sizes = [height, width] }

  /// One number for height and width.
  public init(integerLiteral size: Int) { self.init(size) }

  /// Height and width.
  public init(arrayLiteral sizes: Int...) { self.sizes = sizes }

  /// Height and width.
  ///
  /// - Throws: That there are none.
  func checked(_ name: String) throws(DiagnosticsError) -> (height: Int, width: Int) {
    guard (1...2).contains(sizes.count), sizes.allSatisfy({ $0 > 0 }) else {
      throw DiagnosticsError("\(name): \(sizes) is no size of an image", help: "give [height, width]")
    }
    return (sizes[0], sizes[sizes.count - 1])
  }
}

// MARK: Choices

/// Transforms that are applied with a probability, together: `torchvision.transforms.RandomApply`.
public struct RandomApply: Transform {
  private let transform: Compose
  private let p: Double

  /// Applies all of them or none.
  public init(_ transforms: [any Transform], p: Double = 0.5) {
    transform = Compose(transforms)
    self.p = p
  }

  /// Applies all of them or none.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    drawn(p) ? try transform(image) : image
  }
}

/// One of several transforms: `torchvision.transforms.RandomChoice`.
public struct RandomChoice: Transform {
  private let transforms: [any Transform]
  private let p: [Double]

  /// One of several transforms, each as often as its weight says; by default all equally.
  ///
  /// - Throws: That there are none, or other weights than transforms.
  public init(_ transforms: [any Transform], p: [Double]? = nil) throws(DiagnosticsError) {
    guard !transforms.isEmpty, p == nil || p?.count == transforms.count else {
      throw DiagnosticsError("RandomChoice: \(transforms.count) transforms, \(p?.count ?? transforms.count) weights")
    }
    let p = p ?? Array(repeating: 1, count: transforms.count)
    let sum = p.reduce(0, +)
    self.transforms = transforms
    self.p = p.map { $0 / sum }
  }

  /// Applies one of them.
  ///
  /// - Throws: For weights that are none.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    let choice = try multinomial(NDArray(p.map { Float($0) }), 1).integers[0]
    return try transforms[choice](image)
  }
}

/// Transforms in random order: `torchvision.transforms.RandomOrder`.
public struct RandomOrder: Transform {
  private let transforms: [any Transform]

  /// Applies all of them, in a new order each time.
  public init(_ transforms: [any Transform]) { self.transforms = transforms }

  /// Applies all of them.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    var image = image
    for position in Generator.default.permutation(transforms.count) { image = try transforms[position](image) }
    return image
  }
}

/// Whether something of a probability happens.
func drawn(_ p: Double) -> Bool { Generator.default.uniform(1, 0, 1, .f32)[0] < p }

/// A number between two.
func drawn(_ range: ClosedRange<Double>) -> Double {
  Generator.default.uniform(1, range.lowerBound, range.upperBound, .f32)[0]
}

/// An integer below a bound.
func drawn(below bound: Int) -> Int { Generator.default.integers(1, 0, bound)[0] }
