import Foundation
public import LatheCore
import LatheImages
public import LatheLoading

/// Scenes in LMDB databases, as `u8[3, height, width]`: `torchvision.datasets.LSUN`.
///
/// The databases are folders in the root: `bedroom_train_lmdb` and its kin, one for each class.
public struct LSUN: Dataset {
  /// The names of the classes, `bedroom_train`.
  public let classes: [String]
  private let databases: [LMDB]
  private let ends: [Int]
  private let transform: (any Transform)?
  private let targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?

  /// The scenes that there are classes of.
  private static let categories = [
    "bedroom", "bridge", "church_outdoor", "classroom", "conference_room", "dining_room", "kitchen", "living_room",
    "restaurant", "tower",
  ]

  /// Which images of all classes.
  public enum Split: String, CaseIterable, Sendable {
    /// Those to train with.
    case train
    /// Those to validate with.
    case val
    /// Those of which nobody tells the class.
    case test
  }

  /// Opens the databases of all classes.
  ///
  /// - Throws: Which database is missing and where, or what is wrong with one.
  public init(
    root: String, classes split: Split = .train, transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil
  ) throws(DiagnosticsError) {
    let names = split == .test ? ["test"] : Self.categories.map { "\($0)_\(split.rawValue)" }
    try self.init(root: root, checked: names, transform, targetTransform)
  }

  /// Opens the databases of some classes, `["bedroom_train", "church_outdoor_train"]`.
  ///
  /// - Throws: That there is no such class, which database is missing and where, or what is wrong with one.
  public init(
    root: String, classes: [String], transform: (any Transform)? = nil,
    targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)? = nil
  ) throws(DiagnosticsError) {
    for name in classes {
      let known = Self.categories.contains { category in
        Split.allCases.contains { name == "\(category)_\($0.rawValue)" }
      }
      guard known else {
        throw DiagnosticsError(
          "LSUN: '\(name)' is no class",
          help: "classes are \(Self.categories.joined(separator: ", ")), with _train or _val")
      }
    }
    try self.init(root: root, checked: classes, transform, targetTransform)
  }

  private init(
    root: String, checked classes: [String], _ transform: (any Transform)?,
    _ targetTransform: (@Sendable (Int) throws(DiagnosticsError) -> Int)?
  ) throws(DiagnosticsError) {
    var databases: [LMDB] = []
    var ends: [Int] = []
    for name in classes {
      let folder = "\(root)/\(name)_lmdb"
      guard FileManager.default.fileExists(atPath: folder) else {
        throw DiagnosticsError(
          "LSUN: '\(name)_lmdb' is not there", location: Location(file: root),
          help: "get it from https://github.com/fyu/lsun, and put it there")
      }
      let database = try LMDB(folder)
      databases.append(database)
      ends.append((ends.last ?? 0) + database.values.count)
    }
    self.classes = classes
    self.databases = databases
    self.ends = ends
    self.transform = transform
    self.targetTransform = targetTransform
  }

  /// The images of all classes.
  public var count: Int { ends.last ?? 0 }

  /// The image of a number, transformed, and its class.
  public subscript(index: Int) -> (NDArray, Int) {
    get throws(DiagnosticsError) {
      try requireSample(index)
      let target = ends.firstIndex { index < $0 } ?? internalError("image \(index) is in no database")
      let database = databases[target]
      let image = try decodeImage(database.value(at: index - ends[target] + database.values.count), mode: .rgb)
      return (try transform?(image) ?? image, try targetTransform?(target) ?? target)
    }
  }
}
