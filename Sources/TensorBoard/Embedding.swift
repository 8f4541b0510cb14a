import Foundation
public import LatheCore
import LatheData
import LatheImages
import SwiftProtobuf

extension SummaryWriter {
  /// Adds points with labels, for TensorBoard's projector: `add_embedding`.
  ///
  /// They are files in a folder `<step>/<tag>` in ``logDir``, of which `projector_config.pbtxt` tells.
  ///
  /// - Parameters:
  ///   - mat: A point in each row, `f32[N, D]`.
  ///   - metadata: A label for each point.
  ///   - labelImg: An image for each point, `[N, C, H, W]`.
  ///   - globalStep: The step, which is in the folder's name.
  ///   - tag: The name of the embedding.
  /// - Throws: For a matrix that is none, another number of labels, a label with a tab or a line end; that files cannot be
  ///   written.
  public func addEmbedding(
    _ mat: NDArray, metadata: [String]? = nil, labelImg: NDArray? = nil, globalStep: Int? = nil,
    tag: String = "default"
  ) throws(DiagnosticsError) {
    try addEmbedding(mat, metadata?.map { [$0] }, labelImg, globalStep, tag)
  }

  /// Adds points with several labels each, for TensorBoard's projector.
  ///
  /// - Parameters:
  ///   - mat: A point in each row, `f32[N, D]`.
  ///   - metadata: The labels of each point.
  ///   - metadataHeader: The names of the labels.
  ///   - labelImg: An image for each point, `[N, C, H, W]`.
  ///   - globalStep: The step, which is in the folder's name.
  ///   - tag: The name of the embedding.
  /// - Throws: As with one label.
  public func addEmbedding(
    _ mat: NDArray, metadata: [[String]], metadataHeader: [String], labelImg: NDArray? = nil, globalStep: Int? = nil,
    tag: String = "default"
  ) throws(DiagnosticsError) {
    guard metadata.allSatisfy({ $0.count == metadataHeader.count }) else {
      throw DiagnosticsError("embedding: not every point has a label for each of \(metadataHeader)")
    }
    try addEmbedding(mat, metadata, header: metadataHeader, labelImg, globalStep, tag)
  }

  private func addEmbedding(
    _ mat: NDArray, _ metadata: [[String]]?, header: [String]? = nil, _ images: NDArray?, _ globalStep: Int?,
    _ tag: String
  ) throws(DiagnosticsError) {
    guard mat.shape.count == 2 else {
      throw DiagnosticsError("embedding: \(mat.type) is no matrix with a point in each row")
    }
    let step = String(globalStep ?? 0)
    let number = String(repeating: "0", count: max(0, 5 - step.count)) + step
    let folder = "\(number)/\(Self.encoded(tag))"
    var embedding = Tensorboard_EmbeddingInfo()
    embedding.tensorName = "\(tag):\(number)"
    embedding.tensorPath = folder + "/tensors.tsv"
    let width = mat.shape[1]
    let numbers = mat.doubles
    let points = (0..<mat.shape[0]).map { row in numbers[row * width..<(row + 1) * width].map { "\($0)" } }
    var files = [FileContent(path: "\(logDir)/\(embedding.tensorPath)", text: Self.table(points))]
    if let metadata {
      guard metadata.count == points.count else {
        throw DiagnosticsError("embedding: \(metadata.count) labels for \(points.count) points")
      }
      let lines = (header.map { [$0] } ?? []) + metadata
      if let label = lines.joined().first(where: { $0.contains { "\t\n\r\r\n".contains($0) } }) {
        throw DiagnosticsError("embedding: a label has a tab or a line end: \(label.debugDescription)")
      }
      embedding.metadataPath = folder + "/metadata.tsv"
      files.append(FileContent(path: "\(logDir)/\(embedding.metadataPath)", text: Self.table(lines)))
    }
    if let images {
      let batch = try ImageBatch(images, "NCHW")
      guard batch.count == points.count else {
        throw DiagnosticsError("embedding: \(batch.count) images for \(points.count) points")
      }
      embedding.sprite.imagePath = folder + "/sprite.png"
      embedding.sprite.singleImageDim = [UInt32(batch.width), UInt32(batch.height)]
      let sprite = try batch.grid(columns: Int(Double(batch.count).squareRoot().rounded(.up)), isSquare: true)
      files.append(FileContent(path: "\(logDir)/\(embedding.sprite.imagePath)", bytes: try encodePNG(sprite)))
    }
    _ = try fileWriter()
    try createFolder("\(logDir)/\(folder)")
    let configuration = embed(embedding).textFormatString()
    files.append(FileContent(path: logDir + "/projector_config.pbtxt", text: configuration))
    try files.writeAtomically()
  }

  private static func table(_ rows: [[String]]) -> String {
    rows.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  /// A tag as the name of a folder.
  private static func encoded(_ tag: String) -> String {
    tag.replacing("%", with: "%25").replacing("/", with: "%2f").replacing("\\", with: "%5c")
  }
}
