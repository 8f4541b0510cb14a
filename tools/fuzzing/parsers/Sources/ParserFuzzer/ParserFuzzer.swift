import CFuzzer
import Foundation
import LatheCore
import LatheData
import LatheMemory
import LatheONNX
import LathePT2

/// Reads bytes as a file of one format; whatever they are, the parser returns or throws.
struct Parser {
  let name: String
  let read: @Sendable ([UInt8]) throws -> Void

  static let all = [
    Parser(name: "onnx") { bytes in _ = try importONNX(bytes: bytes) },
    Parser(name: "tensor") { bytes in
      let array = try NDArray(onnxTensor: bytes)
      try require(NDArray(onnxTensor: array.onnxTensor()) == array, "a tensor is not read back")
    },
    Parser(name: "npy") { bytes in
      let array = try NDArray(npy: bytes, from: "x.npy")
      if array.dtype != .bf16 { try require(NDArray(npy: array.npy(), from: "y.npy") == array, "an array is not read back") }
    },
    Parser(name: "npz") { bytes in _ = try NPZ(bytes: bytes, from: "x.npz") },
    Parser(name: "safetensors") { bytes in
      let file = try Safetensors(bytes: bytes, from: "x.safetensors")
      let again = try Safetensors(bytes: file.bytes(for: "y.safetensors"), from: "y.safetensors")
      try require(again.metadata == file.metadata && Set(again.members) == Set(file.members), "a state is not read back")
    },
    Parser(name: "pt") { bytes in
      let file = try TorchFile(bytes: bytes, from: "x.pt")
      try require(TorchFile(bytes: file.bytes(for: "y.pt"), from: "y.pt").members == file.members, "a state is not read back")
    },
    Parser(name: "pickle") { bytes in _ = try TorchFile(bytes: FileContent.archive(ofPickle: bytes), from: "x.pt") },
    Parser(name: "pt2") { bytes in _ = try importPT2(bytes: bytes) },
    Parser(name: "program") { bytes in _ = try importPT2(bytes: FileContent.archive(ofProgram: bytes), trainable: true) },
    Parser(name: "lathe") { bytes in
      let graph = try Graph(parsing: String(decoding: bytes, as: UTF8.self))
      try require(Graph(parsing: graph.text) == graph, "a graph is not read back")
    },
    Parser(name: "csv") { bytes in
      let problem = try Problem(csv: String(decoding: bytes, as: UTF8.self))
      try require(Problem(csv: problem.csv()) == problem, "a problem is not read back")
    },
  ]

  /// Stops the program where something is not so.
  private static func require(_ condition: @autoclosure () throws -> Bool, _ message: String) throws {
    do {
      if try !condition() { fatalError(message) }
    } catch {
      fatalError("\(message): \(error)")
    }
  }
}

extension FileContent {
  /// A PyTorch file with a pickle and three storages, uncompressed, without the checksums that a fuzzer would not find.
  static func archive(ofPickle pickle: [UInt8]) -> [UInt8] {
    let storages = [4, 16, 64].enumerated().map { ("archive/data/\($0.offset)", [UInt8](repeating: 1, count: $0.element)) }
    return zip([("archive/data.pkl", pickle)] + storages)
  }

  /// A `.pt2` file with a program in JSON, and the tensors of Tests/PT2Tests/Programs/tiny_training.pt2.
  static func archive(ofProgram program: [UInt8]) -> [UInt8] {
    let floats = [
      "conv.weight": [3, 2, 3, 3], "conv.bias": [3], "bn.weight": [3], "bn.bias": [3], "bn.running_mean": [3],
      "bn.running_var": [3], "fc.weight": [4, 3], "fc.bias": [4], "cache": [4, 3],
    ]
    func entry(_ name: String, _ sizes: [Int], _ dtype: Int) -> String {
      let strides = sizes.indices.map { sizes[($0 + 1)...].reduce(1, *) }
      func numbers(_ values: [Int]) -> String { values.map { "{\"as_int\": \($0)}" }.joined(separator: ", ") }
      return """
        "\(name)": {"path_name": "all", "use_pickle": false, "tensor_meta": {"dtype": \(dtype), "layout": 7,
        "sizes": [\(numbers(sizes))], "strides": [\(numbers(strides))], "storage_offset": {"as_int": 0}}}
        """
    }
    func config(_ entries: [String]) -> [UInt8] { Array("{\"config\": {\(entries.joined(separator: ", "))}}".utf8) }
    let weights = floats.sorted { $0.key < $1.key }.map { entry($0, $1, 7) } + [entry("steps", [], 5), entry("bn.num_batches_tracked", [], 5)]
    let content = [UInt8](repeating: 0, count: 256)
    return zip([
      ("x/archive_format", Array("pt2".utf8)), ("x/models/model.json", program),
      ("x/data/weights/model_weights_config.json", config(weights)), ("x/data/weights/all", content),
      ("x/data/constants/model_constants_config.json", config([entry("lifted_tensor_0", [1], 5)])),
      ("x/data/constants/all", content),
    ])
  }

  private static func zip(_ files: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    var (content, directory) = ([UInt8](), [UInt8]())
    for file in files {
      let sum = file.bytes.reduce(UInt32.max) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xedb8_8320) }
      }
      let name = [UInt8](file.name.utf8)
      let fields =
        little(20, 2) + little(0, 4) + little(0x21_0000, 4) + little(Int(~sum), 4) + little(file.bytes.count, 4)
        + little(file.bytes.count, 4) + little(name.count, 2) + little(0, 2)
      directory += little(0x0201_4b50, 4) + little(20, 2) + fields + little(0, 10) + little(content.count, 4) + name
      content += little(0x0403_4b50, 4) + fields + name + file.bytes
    }
    let end =
      little(0x0605_4b50, 4) + little(0, 4) + little(files.count, 2) + little(files.count, 2) + little(directory.count, 4)
      + little(content.count, 4) + little(0, 2)
    return content + directory + end
  }
}

/// `ParserFuzzer FORMAT` and libFuzzer's own arguments.
@main struct ParserFuzzer {
  nonisolated(unsafe) private static var parser = Parser.all[0]

  static func main() {
    var arguments = CommandLine.arguments
    guard arguments.count > 1, let parser = Parser.all.first(where: { $0.name == arguments[1] }) else {
      print("usage: ParserFuzzer \(Parser.all.map(\.name).joined(separator: "|")) [libFuzzer's arguments]")
      return
    }
    arguments.remove(at: 1)
    Self.parser = parser
    var count = CInt(arguments.count)
    var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    strings.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      _ = LLVMFuzzerRunDriver(&count, &start) { data, size in
        try? ParserFuzzer.parser.read(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
      }
    }
  }
}
