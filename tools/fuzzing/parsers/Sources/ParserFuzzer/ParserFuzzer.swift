import CFuzzer
import Foundation
import LatheCore
import LatheData
import LatheMemory
import LatheONNX

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
