internal import Foundation
internal import LatheCore
internal import LatheData

/// What a `.pt2` file holds: a program and the contents of its tensors.
///
/// Source: https://docs.pytorch.org/docs/stable/export/pt2_archive.html
struct Archive {
  let program: ExportedProgram
  /// Parameters, buffers and constants by their names in the module.
  private(set) var tensors: [String: NDArray] = [:]
  /// For each name of a tied tensor the first of its names.
  private(set) var firstNames: [String: String] = [:]

  private struct Configuration: Decodable {
    let config: [String: Entry]
  }

  private struct Entry: Decodable {
    let path: String
    let isPickled: Bool
    let meta: TensorMeta?

    enum CodingKeys: String, CodingKey {
      case path = "path_name"
      case isPickled = "use_pickle"
      case meta = "tensor_meta"
    }
  }

  private struct View: Hashable {
    let path: String
    let dtype: Int
    let sizes: [SymbolicSize]
    let strides: [SymbolicSize]
    let offset: SymbolicSize
  }

  /// Reads a file.
  ///
  /// - Parameter readsTensors: Whether the contents of tensors are wanted.
  init(reading path: String, readsTensors: Bool = true) throws(DiagnosticsError) {
    self = try Archive(bytes: FileContent(reading: path).bytes, file: path, readsTensors: readsTensors)
  }

  init(bytes: [UInt8], file: String, readsTensors: Bool = true) throws(DiagnosticsError) {
    self = try ZIPReader.reading(bytes, from: file, as: ".pt2") { archive throws(DiagnosticsError) in
      try located(file) { () throws(FileFault) in try Archive(archive, readsTensors) }
    }
  }

  private init(_ archive: borrowing ZIPReader, _ readsTensors: Bool) throws(FileFault) {
    let folder = try TorchArchive(archive)
    guard let format = folder["archive_format"], try archive.content(at: format) == Array("pt2".utf8) else {
      throw FileFault("is no exported program: it has no member '\(folder.root)/archive_format'")
    }
    let models = archive.names.filter { $0.hasPrefix("\(folder.root)/models/") && $0.hasSuffix(".json") }
    guard let model = models.first, models.count == 1 else { throw FileFault("has \(models.count) models, takes one") }
    let stem = String(model.dropFirst("\(folder.root)/models/".count).dropLast(".json".count))
    program = try Self.decoded(folder.content(of: "models/\(stem).json", in: archive), model)
    guard program.version.major == 8 else {
      throw FileFault("has version \(program.version.major) of the schema; known is 8, that of PyTorch 2.5 and later")
    }
    var storages: [String: [UInt8]] = [:]
    var views = StorageViews()
    var known: [View: String] = [:]
    for kind in ["weights", "constants"] {
      let name = "data/\(kind)/\(stem)_\(kind)_config.json"
      guard let position = folder[name] else { continue }
      let configuration: Configuration = try Self.decoded(archive.content(at: position), name)
      for (name, entry) in configuration.config.sorted(by: { $0.key < $1.key }) {
        guard !entry.isPickled, let meta = entry.meta else {
          throw FileFault("tensor '\(name)' is of a kind that only Python can read")
        }
        let path = "data/\(kind)/\(entry.path)"
        let view = View(
          path: path, dtype: meta.dtype, sizes: meta.sizes, strides: meta.strides, offset: meta.offset)
        if let first = known[view] {
          firstNames[name] = first
          tensors[name] = tensors[first]
          continue
        }
        known[view] = name
        guard readsTensors else { continue }
        let storage: [UInt8]
        if let known = storages[path] {
          storage = known
        } else {
          storage = try folder.content(of: path, in: archive)
          storages[path] = storage
          views.add(storage)
        }
        do throws(FileFault) {
          tensors[name] = try Self.array(meta, storage, &views)
        } catch {
          throw FileFault("tensor '\(name)' \(error.message)")
        }
      }
    }
  }

  private static func decoded<Value: Decodable>(_ bytes: [UInt8], _ name: String) throws(FileFault) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: Data(bytes))
    } catch {
      throw FileFault("member '\(name)' is garbled: \(decodingReason(error))")
    }
  }

  private static func array(
    _ meta: TensorMeta, _ storage: [UInt8], _ views: inout StorageViews
  ) throws(FileFault) -> NDArray {
    guard let dtype = ScalarType(exported: meta.dtype) ?? ScalarType(exportedPartOf: meta.dtype) else {
      throw FileFault("has type \(meta.dtype), which Lathe lacks")
    }
    let (sizes, strides) = (meta.sizes.compactMap(\.number), meta.strides.compactMap(\.number))
    guard meta.layout == 7, sizes.count == meta.sizes.count, strides.count == sizes.count,
      let offset = meta.offset.number
    else { throw FileFault("has no strides in numbers") }
    guard meta.isComplex else { return try views.array(of: storage, dtype, sizes, offset: offset, strides: strides) }
    // Complex numbers are pairs.
    guard offset.magnitude < 1 << 60, strides.allSatisfy({ $0.magnitude < 1 << 60 }) else {
      throw FileFault("reaches out of its storage")
    }
    return try views.array(
      of: storage, dtype, sizes + [2], offset: offset * 2, strides: strides.map { $0 * 2 } + [1])
  }
}

extension ScalarType {
  /// The type of a number in the schema.
  init?(exported number: Int) {
    switch number {
    case 1: self = .u8
    case 2: self = .i8
    case 3: self = .i16
    case 4: self = .i32
    case 5: self = .i64
    case 6: self = .f16
    case 7: self = .f32
    case 8: self = .f64
    case 12: self = .bool
    case 13: self = .bf16
    case 28: self = .u16
    default: return nil
    }
  }

  /// The type of the real and imaginary parts of a complex type's number in the schema.
  init?(exportedPartOf number: Int) {
    switch number {
    case 9: self = .f16
    case 10: self = .f32
    case 11: self = .f64
    default: return nil
    }
  }
}

extension TensorMeta {
  var isComplex: Bool { ScalarType(exportedPartOf: dtype) != nil }
}
