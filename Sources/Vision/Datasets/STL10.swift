public import LatheCore
import LatheData

/// Colour images, `u8[3, 96, 96]`, of ten classes and without any: `torchvision.datasets.STL10`.
///
/// The files are in `stl10_binary` of the root.
public struct STL10: ImageDataset {
  /// Which images.
  public enum Split: Sendable {
    /// Those to train with.
    case train
    /// Those to test with.
    case test
    /// Those without a class, whose number is -1.
    case unlabeled
    /// Those to train with, and behind them those without a class.
    case trainAndUnlabeled
  }

  public let images: LabeledImages
  public let transform: (any Transform)?
  public let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Reads the images of a split.
  ///
  /// - Parameters:
  ///   - root: The folder that holds `stl10_binary`.
  ///   - split: Which images.
  ///   - folds: A number in 0 ... 9: which 1,000 of the images to train with; all by default.
  ///   - transform: What is done to an image.
  ///   - targetTransform: What is done to the number of a class.
  ///   - download: Accepted for its name; Lathe downloads nothing, and says what is missing.
  /// - Throws: Which file is missing and where, or what is wrong with one.
  public init(
    root: String, split: Split = .train, folds: Int? = nil, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, download: Bool = false
  ) throws(DiagnosticsError) {
    let files = DatasetFiles(
      name: "STL10", folder: root + "/stl10_binary", source: "http://ai.stanford.edu/~acoates/stl10/",
      download: download)
    var (data, targets) = (try NDArray.zeros(.u8, [0, 3, 96, 96]), [Int]())
    if split != .unlabeled {
      let name = split == .test ? "test" : "train"
      data = try Self.pixels(files.content("\(name)_X.bin"))
      let labels = try files.content("\(name)_y.bin")
      targets = labels.bytes.map { Int($0) - 1 }
      guard targets.count == data.shape[0], targets.allSatisfy({ (0..<10).contains($0) }) else {
        throw fault(labels, "is damaged: it has not a class of 1 ... 10 for each of \(data.shape[0]) images")
      }
      if let folds, split != .test {
        let fold = try Self.fold(folds, files.content("fold_indices.txt"), count: targets.count)
        data = data.rows(at: fold)
        targets = fold.map { targets[$0] }
      }
    }
    if split == .unlabeled || split == .trainAndUnlabeled {
      let more = try Self.pixels(files.content("unlabeled_X.bin"))
      data = try NDArray(dtype: .u8, shape: [targets.count + more.shape[0], 3, 96, 96], bytes: data.bytes + more.bytes)
      targets += Array(repeating: -1, count: more.shape[0])
    }
    let classes =
      files.exists("class_names.txt")
      ? try files.content("class_names.txt").text().split(separator: "\n").map(String.init) : []
    images = LabeledImages(data: data, targets: targets, classes: classes)
    self.transform = transform
    self.targetTransform = targetTransform
  }

  /// The images of a file, which has them column by column.
  private static func pixels(_ file: FileContent) throws(DiagnosticsError) -> NDArray {
    let area = 96 * 96
    guard !file.bytes.isEmpty, file.bytes.count % (3 * area) == 0 else {
      throw fault(file, "is damaged: \(file.bytes.count) bytes are no images of \(3 * area)")
    }
    return NDArray(dtype: .u8, shape: [file.bytes.count / (3 * area), 3, 96, 96]) { target in
      for position in file.bytes.indices {
        let (plane, pixel) = (position / area, position % area)
        target[plane * area + pixel % 96 * 96 + pixel / 96] = file.bytes[position]
      }
    }
  }

  /// The numbers of the images in a fold.
  private static func fold(_ number: Int, _ file: FileContent, count: Int) throws(DiagnosticsError) -> [Int] {
    let lines = try file.text().split(separator: "\n")
    guard lines.indices.contains(number) else { throw fault(file, "has no fold \(number)") }
    let words = lines[number].split(separator: " ")
    let fold = words.compactMap { Int($0) }
    guard fold.count == words.count, fold.allSatisfy({ (0..<count).contains($0) }) else {
      throw fault(file, "is damaged: fold \(number) has other numbers than those of \(count) images")
    }
    return fold
  }
}
