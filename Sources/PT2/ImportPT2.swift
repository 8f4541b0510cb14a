public import LatheCore
internal import LatheData

/// Builds the graph of a program that `torch.export.save` wrote, in the training dialect or decomposed.
///
/// Parameters and buffers become constants; buffers that the program changes are variables, which the graph updates. Sizes
/// that the program leaves open are symbols.
///
/// - Parameters:
///   - path: The `.pt2` file.
///   - dims: Sizes for symbols.
///   - bindings: Arrays that inputs will be given: their shapes bind symbols.
///   - trainable: Whether parameters become variables under their names in the module, which have gradients.
///   - evaluating: Whether nodes that the program has in training mode, normalizations by a batch's statistics and
///     dropout, are taken as in evaluation: what `evaluate` and `predict` are of a model that is trained further.
/// - Throws: All mistakes in the program; operators that are not supported are listed first, each with its nodes.
public func importPT2(
  path: String, dims: [String: Int] = [:], bindings: [String: NDArray] = [:], trainable: Bool = false,
  evaluating: Bool = false
) throws(DiagnosticsError) -> Graph {
  try graph(Archive(reading: path), path, dims, bindings, trainable, evaluating)
}

/// Builds the graph of an exported program that is in memory.
///
/// - Parameter file: The name that messages give to the program.
/// - Throws: As `importPT2(path:dims:bindings:trainable:evaluating:)`.
public func importPT2(
  bytes: [UInt8], file: String = "model.pt2", dims: [String: Int] = [:], bindings: [String: NDArray] = [:],
  trainable: Bool = false, evaluating: Bool = false
) throws(DiagnosticsError) -> Graph {
  try graph(Archive(bytes: bytes, file: file), file, dims, bindings, trainable, evaluating)
}

/// Imports, and does so again where buffers turn out to be changed.
private func graph(
  _ archive: Archive, _ file: String, _ dims: [String: Int], _ bindings: [String: NDArray], _ trainable: Bool,
  _ evaluating: Bool
) throws(DiagnosticsError) -> Graph {
  let sizes = try PT2Signature(archive, file).sizes(dims, bindings.mapValues(\.type))
  var changed: Set<String> = []
  while true {
    let importer = Importer(archive, file: file, sizes: sizes, trainable: trainable, changed: changed)
    let graph = try importer.imported()
    guard importer.changed.isSubset(of: changed) else {
      changed.formUnion(importer.changed)
      continue
    }
    guard evaluating else { return graph }
    // Over the variables that training changes.
    return try Importer(
      archive, file: file, sizes: sizes, trainable: trainable, changed: changed, evaluating: true
    ).imported()
  }
}

/// The names and types of a program's inputs, which can be told without importing it.
public struct PT2Signature: Sendable {
  /// The inputs that a caller gives, in order.
  public let inputs: [String]
  /// The elements of all parameters; tied ones count once.
  public let parameterCount: Int
  private let types: [TensorType]
  /// What symbols may be at most.
  private let limits: [String: Int]
  private let file: String

  /// Reads the inputs in a `.pt2` file.
  ///
  /// - Throws: What keeps the file from being read as a program.
  public init(path: String) throws(DiagnosticsError) {
    try self.init(Archive(reading: path, readsTensors: false), path)
  }

  init(_ archive: Archive, _ file: String) throws(DiagnosticsError) {
    self.file = file
    var inputs: [String] = []
    var types: [TensorType] = []
    var parameters: [String: Int] = [:]
    for input in archive.program.module.signature.inputs {
      if case .parameter(let argument, let name) = input {
        let type = archive.program.module.graph.types[argument].flatMap { TensorType($0, [:]) }
        parameters[archive.firstNames[name] ?? name] = type?.elementCount
      }
      guard case .user(.tensor(let name)) = input else { continue }
      let type = archive.program.module.graph.types[name].flatMap { TensorType($0, [:]) }
      guard let type else {
        throw DiagnosticsError(
          "input '\(name)' has a type that Lathe lacks", location: Location(file: file, node: name))
      }
      inputs.append(name)
      types.append(type)
    }
    self.inputs = inputs
    self.types = types
    limits = archive.program.bounds?.compactMapValues(\.most) ?? [:]
    parameterCount = parameters.values.reduce(0, +)
  }

  /// The symbols of the inputs' types that have no size.
  ///
  /// - Parameters:
  ///   - dims: Sizes that are known by name.
  ///   - given: The types of arrays that inputs will be given; their shapes tell sizes.
  public func openSymbols(dims: [String: Int], given: [String: TensorType]) -> [String] {
    guard let sizes = try? sizes(dims, given) else { return [] }
    return Set(types.flatMap { $0.substituting(sizes).shape.flatMap(\.symbols) }).sorted()
  }

  /// The sizes that options and the shapes of given arrays tell.
  func sizes(_ dims: [String: Int], _ given: [String: TensorType]) throws(DiagnosticsError) -> [String: Int] {
    let symbols = types.flatMap { $0.shape.flatMap(\.symbols) }
    try SymbolSizes.require(dims.keys, among: symbols, at: Location(file: file))
    for (name, size) in dims where size < 0 || size > Call.largestSize {
      throw DiagnosticsError("the size \(size) for \(name) is out of range", location: Location(file: file))
    }
    var sizes = SymbolSizes(dims)
    var known: [(name: String, type: TensorType, given: TensorType)] = []
    for (name, type) in zip(inputs, types) { if let array = given[name] { known.append((name, type, array)) } }
    try sizes.learnAll(known) { Location(file: file, node: known[$0].name) }
    for (name, size) in sizes.sizes.sorted(by: { $0.key < $1.key }) {
      guard let limit = limits[name], size > limit else { continue }
      throw DiagnosticsError(
        "the size \(size) for \(name) is more than the program was exported for, \(limit)",
        location: Location(file: file), help: "export it with a larger max of the torch.export.Dim")
    }
    return sizes.sizes
  }
}

extension TensorType {
  /// The type that a program declares, that of pairs for complex numbers; nil where Lathe has none such.
  init?(_ meta: TensorMeta, _ sizes: [String: Int]) {
    guard let dtype = ScalarType(exported: meta.dtype) ?? ScalarType(exportedPartOf: meta.dtype) else { return nil }
    var shape: [Dim] = []
    for size in meta.sizes {
      switch size {
      case .number(let number) where (0...Call.largestSize).contains(number): shape.append(Dim(number))
      case .expression(let text):
        guard let dimension = SizeExpression.dimension(text, sizes) else { return nil }
        shape.append(dimension)
      default: return nil
      }
    }
    self.init(dtype, meta.isComplex ? shape + [2] : shape)
  }
}
