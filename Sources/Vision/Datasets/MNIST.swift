public import LatheCore
import LatheData

/// Handwritten digits, `u8[1, 28, 28]`: `torchvision.datasets.MNIST`.
///
/// The files are those of torchvision, in `MNIST/raw` of the root: `train-images-idx3-ubyte` and its kin, or with `.gz` as they
/// are handed out.
public struct MNIST: ImageDataset {
  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads 60,000 images to train with, or 10,000 others.
  ///
  /// - Parameters:
  ///   - root: The folder that holds `MNIST`.
  ///   - train: Whether the images to train with are wanted.
  ///   - transform: What is done to an image.
  ///   - targetTransform: What is done to the number of a class.
  ///   - download: Accepted for its name; Lathe downloads nothing, and says what is missing.
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, train: Bool = true, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    let classes = [
      "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight",
      "9 - nine",
    ]
    images = try IDX.images(
      "MNIST", root, source: "https://ossci-datasets.s3.amazonaws.com/mnist/", prefix: train ? "train" : "t10k",
      classes,
      download)
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// Pictures of clothes in MNIST's form: `torchvision.datasets.FashionMNIST`.
public struct FashionMNIST: ImageDataset {
  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads the images of `FashionMNIST/raw` in the root; the parameters are ``MNIST``'s.
  ///
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, train: Bool = true, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    let classes = [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]
    images = try IDX.images(
      "FashionMNIST", root, source: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      prefix: train ? "train" : "t10k", classes, download)
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// Japanese characters in MNIST's form: `torchvision.datasets.KMNIST`.
public struct KMNIST: ImageDataset {
  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads the images of `KMNIST/raw` in the root; the parameters are ``MNIST``'s.
  ///
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, train: Bool = true, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    images = try IDX.images(
      "KMNIST", root, source: "http://codh.rois.ac.jp/kmnist/dataset/kmnist/", prefix: train ? "train" : "t10k",
      ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"], download)
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// Letters and digits in MNIST's form: `torchvision.datasets.EMNIST`.
public struct EMNIST: ImageDataset {
  /// Which letters and digits.
  public enum Split: String, CaseIterable, Sendable {
    /// All 62 characters, as often as people write them.
    case byclass
    /// 47 classes: small letters that look like their capitals are theirs.
    case bymerge
    /// The classes of `bymerge`, each as often.
    case balanced
    /// 26 letters, capital or small.
    case letters
    /// The ten digits, each as often.
    case digits
    /// Digits in the sizes of MNIST.
    case mnist

    /// The names of the classes.
    public var classes: [String] {
      let digits = (0...9).map(String.init)
      let capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)
      let small = "abcdefghijklmnopqrstuvwxyz"
      return switch self {
      case .byclass: digits + capitals + small.map(String.init)
      // Of some letters the small ones look like the capitals.
      case .bymerge, .balanced: digits + capitals + small.filter { !"cijklmopsuvwxyz".contains($0) }.map(String.init)
      case .letters: ["N/A"] + small.map(String.init)
      case .digits, .mnist: digits
      }
    }
  }

  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads the images of a split in `EMNIST/raw` of the root; the other parameters are ``MNIST``'s.
  ///
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, split: Split, train: Bool = true, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    images = try IDX.images(
      "EMNIST", root, source: "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
      prefix: "emnist-\(split.rawValue)-\(train ? "train" : "test")", split.classes, download)
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// MNIST's form of arrays: a magic number with the type and the number of axes, the sizes, and the elements.
///
/// Source: http://yann.lecun.com/exdb/mnist/
enum IDX {
  /// The images and labels of a dataset.
  static func images(
    _ name: String, _ root: String, source: String, prefix: String, _ classes: [String], _ download: Bool
  ) throws(DiagnosticsError) -> LabeledImages {
    let files = DatasetFiles(name: name, folder: "\(root)/\(name)/raw", source: source, download: download)
    let imageFile = try files.unpacked("\(prefix)-images-idx3-ubyte")
    let images = try array(imageFile, axes: 3)
    let labelFile = try files.unpacked("\(prefix)-labels-idx1-ubyte")
    let labels = try array(labelFile, axes: 1).integers
    guard labels.count == images.shape[0] else {
      throw fault(labelFile, "has \(labels.count) labels for \(images.shape[0]) images")
    }
    if let position = labels.firstIndex(where: { $0 >= classes.count }) {
      throw fault(labelFile, "has the label \(labels[position]) at \(position), of \(classes.count) classes")
    }
    let shape = [images.shape[0], 1, images.shape[1], images.shape[2]]
    return LabeledImages(data: try images.reshaped(shape), targets: labels, classes: classes)
  }

  /// The array of bytes in a file.
  static func array(_ file: FileContent, axes: Int) throws(DiagnosticsError) -> NDArray {
    let start = 4 + 4 * axes
    guard file.bytes.count >= start, file.bytes.prefix(4).elementsEqual([0, 0, 8, UInt8(axes)]) else {
      throw fault(file, "is no array of bytes with \(axes) axes in MNIST's form")
    }
    let shape = (1...axes).map { axis in file.bytes[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard TensorType(.u8, shape).byteCount == file.bytes.count - start else {
      throw fault(file, "is damaged: \(file.bytes.count - start) bytes are not an array of \(shape)")
    }
    return try NDArray(dtype: .u8, shape: shape, bytes: Array(file.bytes[start...]))
  }
}
