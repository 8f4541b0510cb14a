internal import LatheCore

/// One application of an operator, as its definition sees it: operands, attributes, opset, and where to build.
struct Call {
  let node: Onnx_NodeProto
  /// The node's name, or one made from its place where it has none.
  let name: String
  /// The operator's name.
  let operation: String
  /// The version of the operator set that the operator's meaning is taken from.
  let opset: Int
  /// nil where an optional operand is left out.
  var operands: [Operand?]
  /// The attributes, those that refer to a function's arguments resolved.
  var attributes: [String: Onnx_AttributeProto]
  var builder: Builder
  let importer: Importer
  /// The names visible to sub-graphs.
  let scope: Scope

  /// The largest number that shapes and windows may be made of.
  static let largestSize = Int(Int32.max)

  // MARK: Operands

  func has(_ position: Int) -> Bool { position < operands.count && operands[position] != nil }

  /// An operand that must be there.
  func tensor(_ position: Int) throws(TypeFault) -> Tensor {
    guard let tensor = try optional(position) else { throw TypeFault("operand \(position) is missing") }
    return tensor
  }

  /// An operand that may be left out.
  func optional(_ position: Int) throws(TypeFault) -> Tensor? {
    guard position < operands.count, let operand = operands[position] else { return nil }
    guard let tensor = operand.tensor(in: builder) else {
      throw TypeFault("operand \(position) is a \(operand.type), not a tensor")
    }
    return tensor
  }

  /// An operand that must be there and whose value decides a size of the results.
  ///
  /// Where what follows needs to know that size, the value may be given.
  func deciding(_ position: Int) throws(TypeFault) -> Tensor {
    importer.neededInputs.formUnion(operands.count > position ? operands[position]?.origin.inputs ?? [] : [])
    return try tensor(position)
  }

  /// All operands, none left out.
  func tensors() throws(TypeFault) -> [Tensor] {
    var tensors: [Tensor] = []
    for position in operands.indices { tensors.append(try tensor(position)) }
    guard !tensors.isEmpty else { throw TypeFault("has no operands") }
    return tensors
  }

  /// All operands, which must have one element type.
  func matching(_ count: Int? = nil) throws(TypeFault) -> [Tensor] {
    let tensors = try tensors()
    if let count, tensors.count != count { throw TypeFault("takes \(count) operands, \(tensors.count) given") }
    for tensor in tensors.dropFirst() where tensor.dtype != tensors[0].dtype {
      throw TypeFault("operands have different element types, \(tensors[0].dtype) and \(tensor.dtype)")
    }
    return tensors
  }

  func sequence(_ position: Int) throws(TypeFault) -> [Tensor] {
    guard has(position), case .sequence(let tensors) = operands[position]?.content else {
      throw TypeFault("operand \(position) is not a sequence")
    }
    return tensors
  }

  // MARK: Operands whose value must be known

  /// The sizes in an operand of rank 0 or 1.
  ///
  /// - Parameter bounded: Whether numbers of 64 bits are refused; `Slice` says "to the end" with them.
  func dimensions(_ position: Int, _ what: String, bounded: Bool = true) throws(TypeFault) -> [Dim] {
    guard has(position), let operand = operands[position] else {
      throw TypeFault("\(what) (operand \(position)) is missing")
    }
    guard let sizes = operand.sizes else {
      let array = try literal(position, what)
      throw TypeFault("\(what) is \(array.type), not a list of integers")
    }
    for size in sizes.dimensions where bounded {
      if let known = size.known, Swift.abs(known.clamped) > Self.largestSize {
        throw TypeFault("\(what): \(known) is absurdly large")
      }
    }
    return sizes.dimensions
  }

  /// The sizes in an operand of rank 0 or 1, of which the run may decide some.
  func listed(_ position: Int, _ what: String) throws(TypeFault) -> [ListedSize] {
    guard let operand = operands.count > position ? operands[position] : nil, operand.sizes == nil,
      let listed = try tensor(position).listedSizes
    else { return try dimensions(position, what).map { .size($0) } }
    for case .size(let size) in listed {
      if let known = size.known, Swift.abs(known.clamped) > Self.largestSize {
        throw TypeFault("\(what): \(known) is absurdly large")
      }
    }
    if listed.contains(where: { if case .number = $0 { true } else { false } }) {
      importer.decidingInputs.formUnion(operand.origin.inputs)
    }
    return listed
  }

  /// A size from an entry of a list; one that the run decides gets the name of the node.
  ///
  /// - Parameters:
  ///   - place: Which of several sizes of the node it is.
  ///   - capacity: What the graph says that it is at most; by default nothing does.
  func size(_ entry: ListedSize, _ place: Int? = nil, capacity: Dim? = nil) -> Dim {
    switch entry {
    case .size(let size): return size
    case .number(let number):
      // One number is one size, also where only a `Range` of it takes what is below 0 for 0.
      if let known = builder.extent(of: number) ?? builder.extent(of: number.maximum(0)) { return known }
      return builder.extent(number, capacity: capacity, named: sizeName(place))
    }
  }

  /// What a size that the node's operands decide is called: the node's own name, or that of its result.
  func sizeName(_ place: Int? = nil) -> String {
    let own = node.name.isEmpty ? node.output.first { !$0.isEmpty } ?? name : node.name
    let last = own.split(separator: "/").last.map(String.init) ?? own
    return place.map { "\(last)_\($0)" } ?? last
  }

  /// The integers in an operand of rank 0 or 1.
  func integers(_ position: Int, _ what: String) throws(TypeFault) -> [Int] {
    try Self.known(try dimensions(position, what), what)
  }

  static func known(_ dimensions: [Dim], _ what: String) throws(TypeFault) -> [Int] {
    guard let known = dimensions.known else {
      throw TypeFault("\(what) \(dimensions.text) must be known here", help: bindingHelp(dimensions))
    }
    return known
  }

  /// The sizes where all can be told while importing, at least by name.
  static func named(_ listed: [ListedSize]) -> [Dim]? {
    let named = listed.compactMap { if case .size(let size) = $0 { size } else { nil } }
    return named.count == listed.count ? named : nil
  }

  /// What to do where sizes must be known.
  static func bindingHelp(_ dimensions: [Dim]) -> String? {
    Origin(symbols: Set(dimensions.flatMap(\.symbols))).help
  }

  /// The value of an operand that shapes depend on.
  func literal(_ position: Int, _ what: String) throws(TypeFault) -> NDArray {
    let tensor = try tensor(position)
    if tensor.isPoisoned { throw .poisoned }
    if let literal = tensor.literal { return literal }
    let origin = operands[position]?.origin ?? Origin()
    importer.neededInputs.formUnion(origin.inputs)
    let names = origin.inputs.sorted().map { "'\($0)'" }.joined(separator: ", ")
    throw TypeFault(
      "\(what) (operand \(position)) must be known when the model is compiled; "
        + (names.isEmpty ? "it is computed from sizes" : "it is computed from input \(names)"),
      help: origin.help)
  }

  /// One number of an operand whose value must be known.
  func number(_ position: Int, _ what: String) throws(TypeFault) -> Double {
    let literal = try literal(position, what)
    guard literal.count == 1, let number = literal.first else {
      throw TypeFault("\(what) is \(literal.type), not one number")
    }
    return number.double
  }

  // MARK: Attributes

  private func attribute(
    _ name: String, _ type: Onnx_AttributeProto.AttributeType, _ holds: (Onnx_AttributeProto) -> Bool
  ) throws(TypeFault) -> Onnx_AttributeProto? {
    guard let attribute = attributes[name] else { return nil }
    // Files of IR version 1 leave the type out.
    guard attribute.type == type || (!attribute.hasType && holds(attribute)) else {
      throw TypeFault("attribute '\(name)' is of type \(attribute.type), not \(type)")
    }
    return attribute
  }

  private func required<T>(_ name: String, _ value: T?) throws(TypeFault) -> T {
    guard let value else { throw TypeFault("attribute '\(name)' is missing") }
    return value
  }

  private func checked(_ name: String, _ value: Int64) throws(TypeFault) -> Int {
    let value = Int(value)
    guard Swift.abs(value.clamped) <= Self.largestSize else {
      throw TypeFault("attribute '\(name)': \(value) is out of range")
    }
    return value
  }

  func optionalInteger(_ name: String) throws(TypeFault) -> Int? {
    guard let attribute = try attribute(name, .int, \.hasI) else { return nil }
    return try checked(name, attribute.i)
  }

  func integer(_ name: String) throws(TypeFault) -> Int { try required(name, try optionalInteger(name)) }

  func integer(_ name: String, default other: Int) throws(TypeFault) -> Int { try optionalInteger(name) ?? other }

  func flag(_ name: String, default other: Bool = false) throws(TypeFault) -> Bool {
    try integer(name, default: other ? 1 : 0) != 0
  }

  /// An integer, which may be as large as 64 bits allow.
  func unboundedInteger(_ name: String) throws(TypeFault) -> Int {
    try required(name, try attribute(name, .int, \.hasI).map { Int($0.i) })
  }

  /// Integers, which may be as large as 64 bits allow: `Slice` says "to the end" so.
  func unboundedIntegers(_ name: String) throws(TypeFault) -> [Int]? {
    try attribute(name, .ints) { !$0.ints.isEmpty }?.ints.map { Int($0) }
  }

  func optionalIntegers(_ name: String) throws(TypeFault) -> [Int]? {
    guard let list = try attribute(name, .ints, { !$0.ints.isEmpty })?.ints else { return nil }
    var integers: [Int] = []
    for value in list { integers.append(try checked(name, value)) }
    return integers
  }

  func integers(_ name: String) throws(TypeFault) -> [Int] { try required(name, try optionalIntegers(name)) }

  /// A list with a given number of entries.
  func integers(_ name: String, default other: Int, count: Int) throws(TypeFault) -> [Int] {
    let list = try optionalIntegers(name) ?? Array(repeating: other, count: count)
    guard list.count == count else {
      throw TypeFault("attribute '\(name)' has \(list.count) entries, \(count) fit the operand")
    }
    return list
  }

  func optionalFloat(_ name: String) throws(TypeFault) -> Double? {
    try attribute(name, .float, \.hasF).map { Double($0.f) }
  }

  func float(_ name: String, default other: Double) throws(TypeFault) -> Double { try optionalFloat(name) ?? other }

  func float(_ name: String) throws(TypeFault) -> Double { try required(name, try optionalFloat(name)) }

  func floats(_ name: String) throws(TypeFault) -> [Double]? {
    try attribute(name, .floats) { !$0.floats.isEmpty }?.floats.map { Double($0) }
  }

  func string(_ name: String, default other: String) throws(TypeFault) -> String {
    try attribute(name, .string, \.hasS).map { String(decoding: $0.s, as: UTF8.self) } ?? other
  }

  func string(_ name: String) throws(TypeFault) -> String {
    guard attributes[name] != nil else { return try required(name, nil) }
    return try string(name, default: "")
  }

  func strings(_ name: String) throws(TypeFault) -> [String]? {
    try attribute(name, .strings) { !$0.strings.isEmpty }?.strings.map { String(decoding: $0, as: UTF8.self) }
  }

  func array(_ name: String) throws(TypeFault) -> NDArray? {
    try attribute(name, .tensor, \.hasT)?.t.array(importer.external)
  }

  func sparseArray(_ name: String) throws(TypeFault) -> NDArray? {
    try attribute(name, .sparseTensor, \.hasSparseTensor)?.sparseTensor.array(importer.external)
  }

  func graph(_ name: String) throws(TypeFault) -> Onnx_GraphProto {
    try required(name, try attribute(name, .graph, \.hasG)?.g)
  }

  /// An element type; 0 is the number of none, as some operators have it by default.
  func elementType(_ name: String) throws(TypeFault) -> ScalarType? {
    guard let number = try optionalInteger(name), number != 0 else { return nil }
    return try ScalarType(onnx: number)
  }

  // MARK: Axes

  /// An axis counted from the front; negative ones are counted from the end.
  static func axis(_ axis: Int, rank: Int) throws(TypeFault) -> Int {
    guard axis >= -rank, axis < rank else { throw TypeFault("axis \(axis) is outside a tensor of rank \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  static func axes(_ axes: [Int], rank: Int) throws(TypeFault) -> [Int] {
    var resolved: [Int] = []
    for axis in axes { resolved.append(try Self.axis(axis, rank: rank)) }
    guard Set(resolved).count == resolved.count else { throw TypeFault("the axes \(axes) are not distinct") }
    return resolved
  }

  func axis(_ name: String = "axis", default other: Int? = nil, rank: Int) throws(TypeFault) -> Int {
    guard let value = try optionalInteger(name) ?? other else { return try required(name, nil) }
    return try Self.axis(value, rank: rank)
  }

  /// Axes given by an attribute in older operator sets, by an operand in newer ones; nil when neither is there.
  func axes(operand position: Int, rank: Int) throws(TypeFault) -> [Int]? {
    if has(position) { return try Self.axes(try integers(position, "the list of axes"), rank: rank) }
    return try optionalIntegers("axes").map { axes throws(TypeFault) in try Self.axes(axes, rank: rank) }
  }
}

extension Int {
  /// The number kept away from the ends of its range, so that its magnitude exists.
  var clamped: Int { Swift.max(self, -Int.max) }
}
