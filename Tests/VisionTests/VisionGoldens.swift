import Foundation
import Lathe
import LatheCore

/// What `tools/golden_vision_models.py` wrote.
struct VisionGoldens: Decodable {
  struct Description: Decodable {
    let numbers: Int
    let checksum: UInt32
  }

  struct Output: Decodable {
    let size: Int
    let scores: [Float]
  }

  struct Training: Decodable {
    let losses: [Double]
    let state: [String: Double]
  }

  let models: [String: Description]
  let outputs: [String: Output]
  let firstWeights: [String: [String: [Double]]]
  let training: [String: Training]

  /// The file; nil where it cannot be read, which tests notice.
  static let shared: VisionGoldens? = {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    guard let data = FileManager.default.contents(atPath: folder + "/Goldens/models.json") else { return nil }
    let decoder = JSONDecoder()
    // Names of parameters stay as they are: only the four keys of the file are in another casing.
    decoder.keyDecodingStrategy = .custom { path in
      let key = path[path.count - 1]
      return path.count == 1 && key.stringValue == "first_weights" ? Key("firstWeights") : key
    }
    return try? decoder.decode(VisionGoldens.self, from: data)
  }()

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// FNV-1a, 32 bits.
func fnv(_ text: String) -> UInt32 {
  text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
}

/// 4093 numbers in -1 ..< 1.
private let table: [Float] = {
  var state: UInt32 = 1
  return (0..<4093).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return Float(Double(state) / 0x1p31 - 1)
  }
}()

/// The content of a tensor: the table over and over, from where the name says, scaled to keep variances.
func filled(_ name: String, _ shape: [Int]) throws -> NDArray {
  let count = shape.reduce(1, *)
  let start = Int(fnv(name)) % table.count
  var numbers = Array(table[start...] + table[..<start])
  if name.hasSuffix("running_var") || (name.hasSuffix("weight") && shape.count == 1) {
    numbers = numbers.map { $0 * 0.5 + 1 }
  } else if shape.count > 1, name != "image" {
    let scale = Float((6 / Double(shape.dropFirst().reduce(1, *))).squareRoot())
    numbers = numbers.map { $0 * scale }
  } else if shape.count == 1 {
    numbers = numbers.map { $0 * 0.125 }
  }
  let bytes = numbers.withUnsafeBytes { Array($0) }
  var content: [UInt8] = []
  content.reserveCapacity(count * 4 + bytes.count)
  while content.count < count * 4 { content += bytes }
  return try NDArray(dtype: .f32, shape: shape, bytes: Array(content.prefix(count * 4)))
}

extension Parameterized {
  /// Fills all that a model has, save counters.
  func fill() throws {
    for (name, parameter) in namedParameters() + namedBuffers().map({ (name: $0.name, parameter: $0.buffer) })
    where parameter.type.dtype == .f32 {
      try parameter.copy(filled(name, parameter.type.shape.known ?? []))
    }
  }
}

extension Parameterized {
  /// Spares the drawing of weights that nobody looks at.
  func fillWithZeros() {
    for parameter in parameters() { parameter.initializer = .zeros }
  }
}
