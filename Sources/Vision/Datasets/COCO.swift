import Foundation
public import LatheCore
import LatheData
import LatheImages
public import LatheLoading

/// An object in an image of COCO.
public struct CocoAnnotation: Hashable, Sendable {
  /// Where an object is.
  public enum Segmentation: Hashable, Sendable {
    /// Polygons, each as x and y by turns.
    case polygons([[Double]])
    /// The pixels outside and inside by turns, column by column, of an image of a height and width.
    case runs([Int], height: Int, width: Int)
    /// The same, packed in a text.
    case packedRuns(String, height: Int, width: Int)
  }

  /// The number of the annotation.
  public let id: Int
  /// The number of the image.
  public let imageID: Int
  /// The number of the category.
  public let categoryID: Int
  /// Left, top, width and height.
  public let bbox: [Double]
  /// How many pixels the object has.
  public let area: Double
  /// Whether it is many objects.
  public let isCrowd: Bool
  /// Where it is; nil where the file says nothing.
  public let segmentation: Segmentation?
}

/// Images with the objects in them: `torchvision.datasets.CocoDetection`.
///
/// Samples have different numbers of objects, so that a loader is told how to collate them.
public struct CocoDetection: Dataset {
  private let images: CocoImages
  private let annotations: [Int: [CocoAnnotation]]

  /// Reads the annotations, and images as they are asked for.
  ///
  /// - Parameters:
  ///   - root: The folder of the images.
  ///   - annFile: The annotations, `instances_val2017.json` for one.
  ///   - transform: What is done to an image, `u8[3, height, width]`.
  /// - Throws: That the annotations cannot be read, or are none.
  public init(root: String, annFile: String, transform: (any Transform)? = nil) throws(DiagnosticsError) {
    let file: CocoFile<CocoObject> = try CocoFile(reading: annFile)
    images = CocoImages(root, file.images, transform)
    annotations = Dictionary(grouping: file.annotations.map(\.annotation), by: \.imageID)
  }

  /// The numbers of the images, in order.
  public var ids: [Int] { images.all.map(\.id) }

  /// How many images there are.
  public var count: Int { images.all.count }

  /// The image of a number, transformed, and its objects.
  public subscript(index: Int) -> (NDArray, [CocoAnnotation]) {
    get throws(DiagnosticsError) {
      try requireSample(index)
      return (try images.image(index), annotations[images.all[index].id] ?? [])
    }
  }
}

/// Images with sentences about them: `torchvision.datasets.CocoCaptions`.
public struct CocoCaptions: Dataset {
  private let images: CocoImages
  private let captions: [Int: [String]]

  /// Reads the captions, and images as they are asked for.
  ///
  /// - Parameters:
  ///   - root: The folder of the images.
  ///   - annFile: The captions, `captions_val2017.json` for one.
  ///   - transform: What is done to an image, `u8[3, height, width]`.
  /// - Throws: That the captions cannot be read, or are none.
  public init(root: String, annFile: String, transform: (any Transform)? = nil) throws(DiagnosticsError) {
    let file: CocoFile<CocoCaption> = try CocoFile(reading: annFile)
    images = CocoImages(root, file.images, transform)
    captions = Dictionary(grouping: file.annotations, by: \.imageID).mapValues { $0.map(\.caption) }
  }

  /// The numbers of the images, in order.
  public var ids: [Int] { images.all.map(\.id) }

  /// How many images there are.
  public var count: Int { images.all.count }

  /// The image of a number, transformed, and its captions.
  public subscript(index: Int) -> (NDArray, [String]) {
    get throws(DiagnosticsError) {
      try requireSample(index)
      return (try images.image(index), captions[images.all[index].id] ?? [])
    }
  }
}

// MARK: The files

/// The images of COCO.
private struct CocoImages: Sendable {
  let root: String
  let all: [CocoImage]
  let transform: (any Transform)?

  init(_ root: String, _ images: [CocoImage], _ transform: (any Transform)?) {
    self.root = root
    all = images.sorted { $0.id < $1.id }
    self.transform = transform
  }

  func image(_ index: Int) throws(DiagnosticsError) -> NDArray {
    let image = try readImage("\(root)/\(all[index].fileName)", mode: .rgb)
    return try transform?(image) ?? image
  }
}

private struct CocoImage: Decodable, Sendable {
  let id: Int
  let fileName: String

  enum CodingKeys: String, CodingKey {
    case id
    case fileName = "file_name"
  }
}

/// What a file of annotations holds.
private struct CocoFile<Annotation: Decodable>: Decodable {
  let images: [CocoImage]
  let annotations: [Annotation]

  init(reading path: String) throws(DiagnosticsError) {
    let file = try FileContent(reading: path)
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(file.bytes))
    } catch DecodingError.keyNotFound(let key, let context) {
      let place = (context.codingPath.map(\.stringValue) + [key.stringValue]).joined(separator: ".")
      throw fault(file, "is no file of annotations: it has no '\(place)'")
    } catch DecodingError.typeMismatch(_, let context) {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw fault(file, "is no file of annotations: '\(place)' is of another type")
    } catch {
      throw fault(file, "is no file of annotations: its JSON cannot be read")
    }
  }
}

private struct CocoCaption: Decodable {
  let imageID: Int
  let caption: String

  enum CodingKeys: String, CodingKey {
    case imageID = "image_id"
    case caption
  }
}

/// An annotation of `CocoDetection`.
private struct CocoObject: Decodable {
  let annotation: CocoAnnotation

  enum CodingKeys: String, CodingKey {
    case id, bbox, area, segmentation
    case imageID = "image_id"
    case categoryID = "category_id"
    case isCrowd = "iscrowd"
  }

  enum RunKeys: String, CodingKey { case counts, size }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    var segmentation: CocoAnnotation.Segmentation?
    if let runs = try? fields.nestedContainer(keyedBy: RunKeys.self, forKey: .segmentation) {
      let size = try runs.decode([Int].self, forKey: .size)
      guard size.count == 2 else {
        throw DecodingError.typeMismatch(
          [Int].self, .init(codingPath: runs.codingPath + [RunKeys.size], debugDescription: ""))
      }
      if let text = try? runs.decode(String.self, forKey: .counts) {
        segmentation = .packedRuns(text, height: size[0], width: size[1])
      } else {
        segmentation = .runs(try runs.decode([Int].self, forKey: .counts), height: size[0], width: size[1])
      }
    } else if fields.contains(.segmentation) {
      segmentation = .polygons(try fields.decode([[Double]].self, forKey: .segmentation))
    }
    annotation = CocoAnnotation(
      id: try fields.decode(Int.self, forKey: .id), imageID: try fields.decode(Int.self, forKey: .imageID),
      categoryID: try fields.decode(Int.self, forKey: .categoryID),
      bbox: try fields.decodeIfPresent([Double].self, forKey: .bbox) ?? [],
      area: try fields.decodeIfPresent(Double.self, forKey: .area) ?? 0,
      isCrowd: try fields.decodeIfPresent(Int.self, forKey: .isCrowd) == 1, segmentation: segmentation)
  }
}
