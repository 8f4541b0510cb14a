public import Lathe
import Synchronization

/// A model's layers with the shapes of what they give and their numbers of parameters: `torchsummary`, `torchkeras.summary`.
///
/// ```swift
/// print(try summary(LeNet(), .f32(1, 1, 32, 32)))
/// ```
public struct Summary: Sendable, CustomStringConvertible {
  /// A call of a layer.
  public struct Row: Sendable {
    /// The layer's place in the model.
    public let path: String
    /// The layer's type.
    public let type: String
    /// The types of what it gives.
    public let outputs: [TensorType]
    /// How many numbers its own parameters have, without those of layers inside; 0 where they were counted before.
    public let parameters: Int
    /// How many of them are trained.
    public let trainable: Int
  }

  /// The calls in the order in which they end.
  public let rows: [Row]
  /// The types of the inputs.
  public let inputs: [TensorType]
  /// How many numbers the parameters have, those too that belong to no layer that was called.
  public let parameters: Int
  /// How many of them are trained.
  public let trainable: Int
  /// Bytes of the parameters.
  public let parameterBytes: Int

  /// Bytes of the inputs.
  public var inputBytes: Int { inputs.reduce(0) { $0 + Self.bytes($1) } }

  /// Bytes of what all layers give, twice, for their gradients: what training holds at once where nothing is planned.
  public var forwardBackwardBytes: Int { 2 * rows.reduce(0) { $0 + $1.outputs.reduce(0) { $0 + Self.bytes($1) } } }

  private static func bytes(_ type: TensorType) -> Int { (type.elementCount ?? 0) * type.dtype.byteCount }

  /// The table, as torchsummary prints it; the first axis of every shape is the batch, which it writes as -1.
  public var description: String {
    let thin = String(repeating: "-", count: 64), thick = String(repeating: "=", count: 64)
    func line(_ layer: String, _ shape: String, _ count: String) -> String {
      layer.padded(to: 20) + "  " + shape.padded(to: 25) + " " + count.padded(to: 15)
    }
    func shape(_ type: TensorType) -> String {
      "[" + (["-1"] + type.shape.dropFirst().map { "\($0)" }).joined(separator: ", ") + "]"
    }
    func megabytes(_ bytes: Int) -> String { (Double(bytes) / 1_048_576).text(digits: 2) }
    var lines = [thin, line("Layer (type)", "Output Shape", "Param #"), thick]
    for (position, row) in rows.enumerated() {
      let shapes = row.outputs.map(shape)
      lines.append(
        line(
          "\(row.type)-\(position + 1)", shapes.count == 1 ? shapes[0] : "[\(shapes.joined(separator: ", "))]",
          row.parameters.grouped))
    }
    lines += [
      thick, "Total params: \(parameters.grouped)", "Trainable params: \(trainable.grouped)",
      "Non-trainable params: \((parameters - trainable).grouped)", thin, "Input size (MB): \(megabytes(inputBytes))",
      "Forward/backward pass size (MB): \(megabytes(forwardBackwardBytes))",
      "Params size (MB): \(megabytes(parameterBytes))",
      "Estimated Total Size (MB): \(megabytes(inputBytes + forwardBackwardBytes + parameterBytes))", thin,
    ]
    return lines.joined(separator: "\n")
  }
}

/// What a model of one tensor is made of.
///
/// Listed is what the model calls: the library's layers, layers that keep a `LayerIdentity`, and whatever stands in a
/// `Sequential`; functions such as `relu(x)` are not.
///
/// - Throws: All mistakes in the model at once.
public func summary<M: Module>(
  _ model: M, _ input: TensorType
) throws(DiagnosticsError) -> Summary where M.Input == Tensor {
  try summary(model, inputs: [input]) { model($0[0]) }
}

/// What a model of several tensors is made of, given how it is called.
///
/// - Throws: All mistakes in the model at once.
public func summary<Output>(
  _ model: some Parameterized, inputs: [TensorType], _ body: ([Tensor]) -> Output
) throws(DiagnosticsError) -> Summary {
  let calls = Calls()
  var options = TraceOptions()
  options.forwardHook = { calls.append($0) }
  _ = try trace(model, inputs: inputs, options: options) { body($1) }
  let modules = Dictionary(model.namedModules(removeDuplicate: false)) { first, _ in first }
  var counted: Set<ObjectIdentifier> = []
  func count(_ parameters: [Parameter]) -> (all: Int, trainable: Int) {
    parameters.reduce(into: (0, 0)) { sums, parameter in
      let size = parameter.type.elementCount ?? 0
      sums.0 += size
      if parameter.requiresGrad { sums.1 += size }
    }
  }
  let rows = calls.all.compactMap { call -> Summary.Row? in
    guard let module = modules[call.path], !(module is Sequential) else { return nil }
    let own = module.parameters(recurse: false).filter { counted.insert(ObjectIdentifier($0)).inserted }
    let (all, trainable) = count(own)
    let type = String(module.description.prefix { $0 != "(" })
    return Summary.Row(path: call.path, type: type, outputs: call.types, parameters: all, trainable: trainable)
  }
  let parameters = model.parameters()
  let (all, trainable) = count(parameters)
  return Summary(
    rows: rows, inputs: inputs, parameters: all, trainable: trainable,
    parameterBytes: parameters.reduce(0) { $0 + ($1.type.elementCount ?? 0) * $1.type.dtype.byteCount })
}

/// The calls of a trace.
private final class Calls: Sendable {
  private let calls = Mutex<[LayerOutput]>([])

  var all: [LayerOutput] { calls.withLock { $0 } }

  func append(_ call: LayerOutput) { calls.withLock { $0.append(call) } }
}
