public import LatheCore
import LatheData

/// Colour images of ten classes, `u8[3, 32, 32]`: `torchvision.datasets.CIFAR10`.
///
/// The files are in the root as they are handed out and unpacked: `cifar-10-batches-py`, of which the pickles are read but
/// never run, or `cifar-10-batches-bin`.
public struct CIFAR10: ImageDataset {
  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads 50,000 images to train with, or 10,000 others.
  ///
  /// - Parameters:
  ///   - root: The folder that holds the dataset's.
  ///   - train: Whether the images to train with are wanted.
  ///   - transform: What is done to an image.
  ///   - targetTransform: What is done to the number of a class.
  ///   - download: Accepted for its name; Lathe downloads nothing, and says what is missing.
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, train: Bool = true, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    images = try CIFAR(
      name: "CIFAR10", root: root, download: download, pickles: "cifar-10-batches-py", binary: "cifar-10-batches-bin",
      files: train ? (1...5).map { "data_batch_\($0)" } : ["test_batch"], meta: ("batches.meta", "batches.meta.txt"),
      labels: "labels", names: "label_names", labelBytes: 1
    ).images()
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// Colour images of a hundred classes, `u8[3, 32, 32]`: `torchvision.datasets.CIFAR100`.
///
/// The files are in `cifar-100-python` or `cifar-100-binary` of the root.
public struct CIFAR100: ImageDataset {
  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads the images with their fine classes, or with the twenty coarse ones; the other parameters are ``CIFAR10``'s.
  ///
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, train: Bool = true, coarse: Bool = false, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    let kind = coarse ? "coarse" : "fine"
    images = try CIFAR(
      name: "CIFAR100", root: root, download: download, pickles: "cifar-100-python", binary: "cifar-100-binary",
      files: [train ? "train" : "test"], meta: ("meta", "\(kind)_label_names.txt"), labels: "\(kind)_labels",
      names: "\(kind)_label_names", labelBytes: 2, labelByte: coarse ? 0 : 1
    ).images()
    self.transform = transform
    self.targetTransform = targetTransform
  }
}

/// The files of CIFAR in either form.
///
/// Source: https://www.cs.toronto.edu/~kriz/cifar.html
private struct CIFAR {
  let name: String
  let root: String
  let download: Bool
  /// The folders of the pickles and of the binary files.
  let pickles: String
  let binary: String
  /// The files with images.
  let files: [String]
  /// The files with names, a pickle and a text.
  let meta: (pickle: String, text: String)
  /// What labels and names are called in pickles.
  let labels: String
  let names: String
  /// How many labels are before a binary image.
  let labelBytes: Int
  /// Which of them it is.
  var labelByte = 0

  func images() throws(DiagnosticsError) -> LabeledImages {
    let source = "https://www.cs.toronto.edu/~kriz/cifar.html"
    let both = DatasetFiles(name: name, folder: root, source: source, download: download)
    let isBinary = !both.exists(pickles) && both.exists(binary)
    let located = DatasetFiles(
      name: name, folder: root + "/" + (isBinary ? binary : pickles), source: source, download: download)
    var pixels: [UInt8] = []
    var targets: [Int] = []
    var classes: [String]
    if isBinary {
      classes = try located.content(meta.text).text().split(separator: "\n").map(String.init)
    } else {
      let file = try located.content(meta.pickle)
      guard let texts = try PickledDictionary(file).texts[names] else { throw fault(file, "has no '\(names)'") }
      classes = texts
    }
    for name in files {
      let file = try located.content(isBinary ? name + ".bin" : name)
      let first = targets.count
      try isBinary ? add(binary: file, &pixels, &targets) : add(pickle: file, &pixels, &targets)
      if let position = targets[first...].firstIndex(where: { !classes.indices.contains($0) }) {
        throw fault(file, "has the label \(targets[position]), of \(classes.count) classes")
      }
    }
    let data = try NDArray(dtype: .u8, shape: [targets.count, 3, 32, 32], bytes: pixels)
    return LabeledImages(data: data, targets: targets, classes: classes)
  }

  private func add(pickle file: FileContent, _ pixels: inout [UInt8], _ targets: inout [Int]) throws(DiagnosticsError) {
    let batch = try PickledDictionary(file)
    guard let data = batch.arrays["data"], let labels = batch.integers[labels], data.dtype == .u8,
      data.shape == [labels.count, 3072]
    else { throw fault(file, "has not 'data' of 3072 bytes for each of '\(labels)'") }
    pixels += data.bytes
    targets += labels
  }

  private func add(binary file: FileContent, _ pixels: inout [UInt8], _ targets: inout [Int]) throws(DiagnosticsError) {
    let size = labelBytes + 3072
    guard !file.bytes.isEmpty, file.bytes.count % size == 0 else {
      throw fault(file, "is damaged: \(file.bytes.count) bytes are no images of \(size)")
    }
    for start in stride(from: 0, to: file.bytes.count, by: size) {
      targets.append(Int(file.bytes[start + labelByte]))
      pixels += file.bytes[start + labelBytes..<start + size]
    }
  }
}
