import Foundation
public import LatheCore
import LatheData
public import LatheImages
public import LatheLoading

/// Samples in folders, one folder for each class: `torchvision.datasets.DatasetFolder`.
///
/// Classes are the folders of the root in the order of their names; of a class all files are taken whose suffix fits, also in
/// folders within.
public struct DatasetFolder<Sample: Sendable>: Dataset {
  /// The names of the classes.
  public let classes: [String]
  /// The file of each sample and the number of its class.
  public let samples: [(path: String, target: Int)]
  private let loader: @Sendable (String) throws(DiagnosticsError) -> Sample
  private let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// Finds the samples in a folder.
  ///
  /// - Parameters:
  ///   - root: The folder with a folder for each class.
  ///   - extensions: The suffixes of files that are samples, such as `.png`; capitals are as small letters.
  ///   - allowEmpty: Whether classes may be without samples.
  ///   - targetTransform: What is done to the number of a class.
  ///   - loader: Reads a file.
  /// - Throws: That the root has no folders, or which classes have no samples.
  public init(
    root: String, extensions: [String], allowEmpty: Bool = false,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil,
    loader: @escaping @Sendable (String) throws(DiagnosticsError) -> Sample
  ) throws(DiagnosticsError) {
    let place = Location(file: root)
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: root) else {
      throw DiagnosticsError("is no folder that can be read", location: place)
    }
    classes = names.filter { isFolder("\(root)/\($0)") }.sorted(by: isBefore)
    guard !classes.isEmpty else {
      throw DiagnosticsError(
        "has no folder for a class", location: place, help: "a class's samples are in the folder of its name")
    }
    var found: [(path: String, target: Int)] = []
    var empty: [String] = []
    for (target, name) in classes.enumerated() {
      let paths = files(in: "\(root)/\(name)").filter { path in
        extensions.contains { path.lowercased().hasSuffix($0.lowercased()) }
      }
      if paths.isEmpty { empty.append(name) }
      found += paths.map { ($0, target) }
    }
    guard empty.isEmpty || allowEmpty else {
      throw DiagnosticsError(
        "has no samples of \(empty.map { "'\($0)'" }.joined(separator: ", "))", location: place,
        help: "their suffixes are \(extensions.joined(separator: ", "))")
    }
    samples = found
    self.targetTransform = targetTransform
    self.loader = loader
  }

  /// How many samples there are.
  public var count: Int { samples.count }

  /// The class of each sample.
  public var targets: [Int] { samples.map(\.target) }

  /// The numbers of the classes by their names.
  public var classToIdx: [String: Int] { numbers(of: classes) }

  /// The sample of a number and its class.
  public subscript(index: Int) -> (Sample, Int) {
    get throws(DiagnosticsError) {
      try requireSample(index)
      let target = samples[index].target
      return (try loader(samples[index].path), try targetTransform?(target) ?? target)
    }
  }
}

/// Images in folders, one folder for each class: `torchvision.datasets.ImageFolder`.
///
/// ```swift
/// let dataset = try ImageFolder(root: "photos", transform: Compose(Resize(256), CenterCrop(224), ToTensor()))
/// ```
///
/// Suffixes are torchvision's. Read are PNG and JPEG, as `u8[3, height, width]`; an image in another form is a fault when its
/// turn comes.
public struct ImageFolder: Dataset {
  private let folder: DatasetFolder<NDArray>

  /// Finds the images in a folder.
  ///
  /// - Parameters:
  ///   - root: The folder with a folder for each class.
  ///   - transform: What is done to an image.
  ///   - targetTransform: What is done to the number of a class.
  ///   - allowEmpty: Whether classes may be without images.
  ///   - loader: Reads a file; by default as RGB.
  /// - Throws: That the root has no folders, or which classes have no images.
  public init(
    root: String, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil, allowEmpty: Bool = false,
    loader: @escaping @Sendable (String) throws(DiagnosticsError) -> NDArray = { path throws(DiagnosticsError) in
      try readImage(path, mode: .rgb)
    }
  ) throws(DiagnosticsError) {
    let suffixes = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"]
    folder = try DatasetFolder(
      root: root, extensions: suffixes, allowEmpty: allowEmpty, targetTransform: targetTransform
    ) { path throws(DiagnosticsError) in
      let image = try loader(path)
      return try transform?(image) ?? image
    }
  }

  /// The names of the classes.
  public var classes: [String] { folder.classes }

  /// The numbers of the classes by their names.
  public var classToIdx: [String: Int] { folder.classToIdx }

  /// The file of each image and the number of its class.
  public var samples: [(path: String, target: Int)] { folder.samples }

  /// The class of each image.
  public var targets: [Int] { folder.targets }

  /// How many images there are.
  public var count: Int { folder.count }

  /// The image of a number, transformed, and its class.
  public subscript(index: Int) -> (NDArray, Int) {
    get throws(DiagnosticsError) { try folder[index] }
  }
}

private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

/// The order of Python's texts, by code points.
private func isBefore(_ a: String, _ b: String) -> Bool { a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars) }

/// The files in a folder and in folders within: folder by folder in the order of their paths, as `sorted(os.walk(…))`.
private func files(in folder: String) -> [String] {
  var folders: [String] = []
  var waiting = [(folder, 0)]
  while let (next, depth) = waiting.popLast() {
    folders.append(next)
    // Links may lead in circles.
    guard depth < 64, let names = try? FileManager.default.contentsOfDirectory(atPath: next) else { continue }
    waiting += names.map { ("\(next)/\($0)", depth + 1) }.filter { isFolder($0.0) }
  }
  return folders.sorted(by: isBefore).flatMap { folder in
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted(by: isBefore)
      .map { "\(folder)/\($0)" }.filter { !isFolder($0) }
  }
}
