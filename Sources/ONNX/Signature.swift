internal import Foundation
public import LatheCore
internal import LatheData

/// The names of an ONNX model's inputs and outputs, which can be told without importing it.
public struct ONNXSignature: Hashable, Sendable {
  /// The inputs that a caller gives, in order: those without an initializer.
  public let inputs: [String]
  /// The outputs in order.
  public let outputs: [String]
  /// The elements of the initializers and larger constants that are floats: what a model knows.
  public let parameterCount: Int
  /// The types that the file declares of inputs and outputs.
  let types: [String: Onnx_TypeProto]

  /// Reads the names in a model's file.
  ///
  /// - Throws: What keeps the file from being read as a model.
  public init(path: String) throws(DiagnosticsError) {
    self.init(try Onnx_ModelProto(reading: path))
  }

  /// A model of the inputs' declarations only.
  private var declarations: Onnx_ModelProto

  /// The symbols of the inputs' types that have no size.
  ///
  /// - Parameters:
  ///   - dims: Sizes that are known by name.
  ///   - given: The types of arrays that inputs will be given; their shapes tell sizes.
  ///   - lengths: The numbers of tensors in inputs that are sequences.
  ///   - absent: The optional inputs that hold nothing.
  public func openSymbols(
    dims: [String: Int], given: [String: TensorType], lengths: [String: Int] = [:], absent: Set<String> = []
  ) -> [String] {
    let model = Model(declarations, file: "", external: nil)
    guard let sizes = try? model.sizes(dims, given) else { return [] }
    let importer = Importer(file: "", external: nil, dims: sizes, functions: [])
    var symbols = Set<String>()
    importer.lengths = lengths
    for input in model.proto.graph.input where inputs.contains(input.name) && !absent.contains(input.name) {
      var types: [TensorType] = []
      if let list = input.type.sequence {
        types = (try? importer.elementTypes(input.name, list, given)) ?? []
      } else if let type = try? importer.declaredType(input.type, name: input.name) {
        types = [type]
      }
      symbols.formUnion(types.flatMap(\.shape).flatMap(\.symbols))
    }
    return symbols.sorted()
  }

  init(_ model: Onnx_ModelProto) {
    declarations = Onnx_ModelProto()
    declarations.graph.input = model.graph.input
    let initialized = Set(model.graph.initializer.map(\.name))
    inputs = model.graph.input.map(\.name).filter { !initialized.contains($0) }
    outputs = model.graph.output.map(\.name)
    parameterCount = model.graph.parameterCount
    types = Dictionary((model.graph.input + model.graph.output).map { ($0.name, $0.type) }) { first, _ in first }
  }
}

extension Onnx_ModelProto {
  /// Reads a model's file; the tensors in it stay on the disk until they are used.
  init(reading path: String) throws(DiagnosticsError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      // Foundation's errors say little: the system's own say why.
      data = Data(try FileContent(reading: path).bytes)
    }
    try self.init(checking: data, file: path)
  }
}

extension Onnx_GraphProto {
  fileprivate var parameterCount: Int {
    let constants = node.filter { $0.opType == "Constant" }.flatMap(\.attribute).map(\.t).filter { $0.elementCount > 1 }
    return (initializer + sparseInitializer.map(\.values) + constants).reduce(0) { sum, tensor in
      (try? ScalarType(onnx: Int(tensor.dataType)))?.isFloat == true ? sum + tensor.elementCount : sum
    }
  }
}

extension Onnx_TensorProto {
  fileprivate var elementCount: Int {
    dims.reduce(1) { $0.multipliedReportingOverflow(by: Int(clamping: max($1, 0))).partialValue }
  }
}
