internal import LatheCore
internal import LatheNN

/// What a name of the program stands for while it is imported.
enum ProgramValue {
  case tensor(Tensor)
  case complex(ComplexTensor)
  case size(Dim)
  /// A number that data decides, its symbol, and what it is at most where the program says so.
  case number(Tensor, symbol: String? = nil, most: Int? = nil)
  /// What is said of sizes; nil where it depends on such that are open.
  case bool(Bool?)
  /// What only PyTorch's own gradients read, and is not computed.
  case unread
}

extension ProgramValue {
  var isComplex: Bool { if case .complex = self { true } else { false } }

  /// The type of a tensor, that of pairs where it is complex.
  var type: TensorType? {
    switch self {
    case .tensor(let tensor): tensor.type
    case .complex(let number): TensorType(number.real.dtype, number.real.shape + [2])
    case .size, .number, .bool, .unread: nil
    }
  }

  var isPoisoned: Bool {
    switch self {
    case .tensor(let tensor): tensor.isPoisoned
    case .complex(let number): number.real.isPoisoned || number.imaginary?.isPoisoned == true
    case .size, .bool, .unread: false
    case .number(let tensor, _, _): tensor.isPoisoned
    }
  }
}

/// The names of a graph of the program.
final class Scope {
  var values: [String: ProgramValue] = [:]
  /// The types that the program declares, with places in memory.
  let types: [String: TensorMeta]
  /// What a graph inside of a node is given; nil for the program's own.
  let arguments: Set<String>?
  /// Numbers that are 0 where what the program asserts holds; elsewhere they fail the run.
  var requirements: [Tensor] = []

  init(types: [String: TensorMeta], arguments: Set<String>? = nil) {
    self.types = types
    self.arguments = arguments
  }
}

/// One application of an ATen operator, as its definition sees it: arguments by their names in PyTorch's schema.
///
/// Arguments that are left out are what the schema says. What a definition does not look at must say the same as if it
/// were left out: no argument is passed over in silence.
struct Call {
  /// The operator and its overload, `aten.add.Tensor`.
  let target: String
  let schema: Schema?
  /// The arguments that are given.
  private let inputs: [ProgramNode.NamedArgument]
  private let scope: Scope
  let builder: Builder
  /// Whether what the program does in training is done as in evaluation.
  let evaluating: Bool
  private let effects: Effects
  /// Which part of complex operands is seen; nil for both.
  private let part: ComplexPart?

  /// What a definition does beside giving results.
  private final class Effects {
    var seen: Set<String> = []
    var writes: [(argument: String, content: ProgramValue)] = []
    var memory: MemoryUse?
  }

  enum ComplexPart {
    case real
    case imaginary
  }

  /// Whose memory an operator's results are in.
  enum MemoryUse {
    /// Their own.
    case fresh
    /// The first argument's, element by element.
    case same
    /// The first argument's, or a part of it.
    case view
  }

  init(_ node: ProgramNode, _ schema: Schema?, _ scope: Scope, _ builder: Builder, evaluating: Bool) {
    target = node.shortTarget
    self.schema = schema
    inputs = node.inputs
    self.scope = scope
    self.builder = builder
    self.evaluating = evaluating
    effects = Effects()
    part = nil
  }

  /// What looks values up in a scope, for no node.
  init(_ scope: Scope, _ builder: Builder) {
    target = ""
    schema = nil
    inputs = []
    self.scope = scope
    self.builder = builder
    evaluating = false
    effects = Effects()
    part = nil
  }

  private init(_ part: ComplexPart, of call: Call) {
    target = call.target
    schema = call.schema
    inputs = call.inputs
    scope = call.scope
    builder = call.builder
    evaluating = call.evaluating
    effects = call.effects
    self.part = part
  }

  /// The same application to the real or the imaginary parts of its complex operands.
  func part(_ part: ComplexPart) -> Call { Call(part, of: self) }

  /// The largest number that shapes and windows may be made of.
  static let largestSize = Int(Int32.max)

  private func missing(_ name: String) -> TypeFault { TypeFault("the argument '\(name)' is missing") }

  private func other(_ name: String, _ wanted: String) -> TypeFault {
    TypeFault("the argument '\(name)' is no \(wanted)")
  }

  // MARK: Arguments

  /// An argument, or what its default is; nil where that is nothing.
  func argument(_ name: String) -> Argument? {
    effects.seen.insert(name)
    guard let given = given(name) else { return schema?[name]?.fallback }
    if case .none = given { return nil }
    return given
  }

  private func given(_ name: String) -> Argument? { inputs.first { $0.name == name }?.arg }

  func has(_ name: String) -> Bool { argument(name) != nil }

  /// Arguments that decide nothing here: where elements are and which way they are computed; what is sorted always keeps
  /// the order of equal elements.
  private static let idle: Set = [
    "device", "layout", "memory_format", "pin_memory", "non_blocking", "generator", "cudnn_enabled", "cudnn_enable",
    "sparse", "sorted", "stable",
  ]

  /// Says that all arguments are known not to matter.
  func ignoreArguments() { effects.seen.formUnion(inputs.map(\.name)) }

  /// Says that an argument is known not to matter.
  func ignore(_ name: String) { effects.seen.insert(name) }

  /// Checks that what the definition has not looked at says nothing else than if it were left out.
  func requireSeen() throws(TypeFault) {
    for input in inputs where !effects.seen.contains(input.name) && !Self.idle.contains(input.name) {
      if case .none = input.arg { continue }
      if let fallback = schema?[input.name]?.fallback, input.arg.isSame(as: fallback) { continue }
      throw TypeFault("the argument '\(input.name)' is not supported")
    }
  }

  // MARK: Tensors

  private func named(_ name: String) throws(TypeFault) -> Tensor {
    switch scope.values[name] {
    case .tensor(let tensor)?:
      if tensor.isPoisoned { throw .poisoned }
      return tensor
    case .complex(let number)?:
      switch part {
      case .real?: return number.real
      case .imaginary?: return number.imag
      case nil: throw TypeFault("'\(name)' is complex, which is not supported here")
      }
    case .number(let tensor, _, _)?:
      if tensor.isPoisoned { throw .poisoned }
      return tensor
    case .size(let size)?:
      guard let known = size.known else { return Self.tensor(of: size, in: builder) }
      return builder.scalar(.integer(known), .i64)
    case .bool(let bool?)?: return builder.scalar(.integer(bool ? 1 : 0), .bool)
    case .bool(nil)?: throw TypeFault("'\(name)' depends on sizes that are not known")
    case .unread?: throw TypeFault("'\(name)' is meant for PyTorch's own gradients, and not computed")
    case nil: throw TypeFault("nothing defines '\(name)'")
    }
  }

  /// A size as a number that the run knows: a sum of ones.
  static func tensor(of size: Dim, in builder: Builder) -> Tensor {
    builder.full(TensorType(.i64, [size]), .integer(1)).reduce(.sum, axes: [0])
  }

  func optional(_ name: String) throws(TypeFault) -> Tensor? {
    // What writes to its `input` calls it `self`.
    let name = name == "input" && schema?[name] == nil && schema?["self"] != nil ? "self" : name
    switch argument(name) {
    case nil: return nil
    case .tensor(let value)?, .symbol(let value)?: return try named(value)
    default:
      // A number where a tensor may stand.
      guard let number = try number(name) else { throw other(name, "tensor") }
      return builder.scalar(number.scalarValue, type(of: number).dtype)
    }
  }

  func tensor(_ name: String = "self") throws(TypeFault) -> Tensor {
    guard let tensor = try optional(name) else { throw missing(name) }
    return tensor
  }

  func tensors(_ name: String) throws(TypeFault) -> [Tensor] {
    guard case .tensors? = argument(name), let argument = argument(name) else { throw other(name, "list of tensors") }
    return try tensors(in: argument)
  }

  /// The tensors, and the numbers that stand for some, in an argument.
  func tensors(in argument: Argument) throws(TypeFault) -> [Tensor] {
    switch argument {
    case .tensor(let name), .symbol(let name): return [try named(name)]
    case .tensors(let names):
      var tensors: [Tensor] = []
      for name in names { tensors.append(try named(name)) }
      return tensors
    case .bool(let bool): return [builder.scalar(.integer(bool ? 1 : 0), .bool)]
    case .integer(let integer): return [builder.scalar(.integer(integer), .i64)]
    default: throw TypeFault("an argument is no tensor")
    }
  }

  func optionalTensors(_ name: String) throws(TypeFault) -> [Tensor?] {
    guard case .optionalTensors(let names)? = argument(name) else { return try tensors(name) }
    var tensors: [Tensor?] = []
    for name in names {
      if let name { tensors.append(try named(name)) } else { tensors.append(nil) }
    }
    return tensors
  }

  // MARK: Complex numbers

  /// Complex numbers, or real ones as such.
  ///
  /// - Parameter other: What a number takes its type from.
  func complex(_ name: String = "self", beside other: ComplexTensor? = nil) throws(TypeFault) -> ComplexTensor {
    if case .tensor(let value)? = argument(name), case .complex(let number)? = scope.values[value] { return number }
    if let other {
      if case .complex(let real, let imaginary)? = argument(name) {
        return ComplexTensor(real: real.tensor(beside: other.real), imaginary: imaginary.tensor(beside: other.real))
      }
      if let number = try number(name) {
        return ComplexTensor(real: number.tensor(beside: other.real), imaginary: nil)
      }
    }
    let real = try tensor(name)
    return ComplexTensor(real: real.dtype.isFloat ? real : real.to(.defaultFloat), imaginary: nil)
  }

  /// The complex and real numbers in an argument.
  func complexes(_ name: String) throws(TypeFault) -> [ComplexTensor] {
    let (real, imaginary) = (try part(.real).tensors(name), try part(.imaginary).tensors(name))
    guard case .tensors(let names)? = argument(name) else { throw other(name, "list of tensors") }
    return names.indices.map { index in
      guard case .complex? = scope.values[names[index]] else { return ComplexTensor(real: real[index], imaginary: nil) }
      return ComplexTensor(real: real[index], imaginary: imaginary[index])
    }
  }

  /// The type of the parts of a complex type; nil where none is given.
  func complexPart(_ name: String) throws(TypeFault) -> ScalarType? {
    guard let argument = argument(name) else { return nil }
    guard case .scalarType(let number) = argument, let dtype = ScalarType(exportedPartOf: number) else {
      throw other(name, "type of complex numbers")
    }
    return dtype
  }

  // MARK: Numbers

  /// A number; nil where the argument is a tensor or is left out.
  func number(_ name: String) throws(TypeFault) -> (any Number)? {
    switch argument(name) {
    case .integer(let value)?: return value
    case .float(let value)?: return value
    case .bool(let value)?: return value
    case .symbol(let value)?:
      guard case .size(let size)? = scope.values[value] else { return nil }
      return size.known
    default: return nil
    }
  }

  /// What stands beside a tensor: another one, or a number.
  func operand(_ name: String = "other") throws(TypeFault) -> any TensorOperand {
    if let number = try number(name) { return number }
    return try tensor(name)
  }

  /// A tensor and what stands beside it, which are broadcast together: where data decides sizes of both, the program says
  /// that they fit.
  func operands(_ second: String = "other") throws(TypeFault) -> (Tensor, any TensorOperand) {
    let (x, other) = (try tensor(), try operand(second))
    guard let other = other as? Tensor else { return (x, other) }
    let both = Tensor.stretchedAlike([x, other])
    return (both[0], both[1])
  }

  func optionalInteger(_ name: String) throws(TypeFault) -> Int? {
    has(name) ? try Self.known([try dimension(name)], name)[0] : nil
  }

  func integer(_ name: String) throws(TypeFault) -> Int {
    guard let integer = try optionalInteger(name) else { throw missing(name) }
    return integer
  }

  /// A bound on an axis, where any number may stand: one that is beyond all elements is the last there can be.
  func bound(_ name: String) throws(TypeFault) -> Int? {
    guard case .integer(let value)? = argument(name) else { return try optionalInteger(name) }
    return min(max(value, -Self.largestSize), Self.largestSize)
  }

  func optionalFloat(_ name: String) throws(TypeFault) -> Double? {
    guard has(name) else { return nil }
    guard let number = try number(name) else { throw self.other(name, "number") }
    switch number.scalarValue {
    case .float(let value): return value
    case .integer(let value): return Double(value)
    }
  }

  func float(_ name: String) throws(TypeFault) -> Double {
    guard let float = try optionalFloat(name) else { throw missing(name) }
    return float
  }

  func floats(_ name: String) throws(TypeFault) -> [Double]? {
    switch argument(name) {
    case nil: return nil
    case .floats(let values)?: return values
    default: throw other(name, "list of numbers")
    }
  }

  /// A truth value; false where the operator has no such argument.
  func flag(_ name: String) throws(TypeFault) -> Bool {
    switch argument(name) {
    case .bool(let value)?: return value
    case nil:
      if schema?[name] != nil { throw missing(name) }
      return false
    default: throw other(name, "truth value")
    }
  }

  func string(_ name: String) throws(TypeFault) -> String {
    guard let argument = argument(name) else { throw missing(name) }
    guard case .string(let value) = argument else { throw other(name, "text") }
    return value
  }

  func dtype(_ name: String = "dtype") throws(TypeFault) -> ScalarType? {
    guard let argument = argument(name) else { return nil }
    guard case .scalarType(let number) = argument else { throw other(name, "type") }
    if part != nil, let dtype = ScalarType(exportedPartOf: number) { return dtype }
    guard let dtype = ScalarType(exported: number) else { throw TypeFault("Lathe has no type \(number) of PyTorch's") }
    return dtype
  }

  // MARK: Assertions

  /// What the first argument says, a truth value of the import or of the run.
  func truth() throws(TypeFault) -> ProgramValue {
    switch argument("self") {
    case .bool(let value)?: return .bool(value)
    case .tensor(let name)?, .symbol(let name)?:
      let value = scope.values[name]
      if case .bool? = value, let value { return value }
      let condition = try named(name)
      if let literal = condition.literal, literal.count == 1 { return .bool(literal.doubles[0] != 0) }
      return .tensor(condition)
    default: throw other("self", "truth value")
    }
  }

  /// Notes what has to hold for the run to go on: one element.
  func require(_ condition: Tensor) {
    let condition = condition.reshape([Dim]())
    scope.requirements.append((condition.dtype == .bool ? condition : condition .!= 0).zeroWhereTrue)
  }

  // MARK: Sizes

  /// Whether an argument is a number that data decides.
  func isData(_ name: String) -> Bool {
    guard case .symbol(let symbol)? = argument(name) else { return false }
    if case .number? = scope.values[symbol] { return true }
    return false
  }

  /// Whether an argument is not computed.
  func isUnread(_ name: String) -> Bool {
    guard case .symbol(let symbol)? = argument(name) else { return false }
    if case .unread? = scope.values[symbol] { return true }
    return false
  }

  func dimension(_ name: String) throws(TypeFault) -> Dim {
    guard let argument = argument(name) else { throw missing(name) }
    return try dimension(argument, name)
  }

  private func dimension(_ argument: Argument, _ name: String) throws(TypeFault) -> Dim {
    let size: Dim
    switch argument {
    case .integer(let value): size = Dim(value)
    case .symbol(let symbol):
      switch scope.values[symbol] {
      case .size(let named)?: size = named
      case .number(let tensor, let named, let most)?:
        if tensor.isPoisoned { throw .poisoned }
        guard tensor.dtype.isInteger else { throw TypeFault("the size '\(symbol)' is \(tensor.type)") }
        let number = tensor.convert(to: .i64)
        let capacity = most.flatMap { $0 <= Self.largestSize ? Dim(max($0, 0)) : nil }
        size = builder.extent(of: number) ?? builder.extent(number, capacity: capacity, named: named ?? symbol)
      default: throw TypeFault("nothing defines the size '\(symbol)'")
      }
    case .tensor(let value):
      let tensor = try named(value)
      guard let literal = tensor.literal, literal.count == 1, literal.dtype.isInteger else {
        throw TypeFault("the argument '\(name)' must be known when the model is compiled")
      }
      size = Dim(literal.integers[0])
    default: throw other(name, "size")
    }
    if let known = size.known, known.magnitude > UInt(Self.largestSize) {
      throw TypeFault("the argument '\(name)' is \(known), which is out of range")
    }
    return size
  }

  /// An end of a slice, which may count from the end of the axis; nil where it is left out.
  func end(_ name: String) throws(TypeFault) -> ListedSize? {
    guard case .symbol(let symbol)? = argument(name) else { return try bound(name).map { .size(Dim($0)) } }
    // A number that the program bounds is a size; others may be negative.
    guard case .number(let tensor, _, nil)? = scope.values[symbol], tensor.dtype.isInteger else {
      return .size(try dimension(name))
    }
    let number = tensor.convert(to: .i64)
    return builder.extent(of: number).map { .size($0) } ?? .number(number)
  }

  func dimensions(_ name: String) throws(TypeFault) -> [Dim] {
    guard let argument = argument(name) else { throw missing(name) }
    let elements: [Argument]
    switch argument {
    case .integers(let values): elements = values.map { .integer($0) }
    case .tensors(let names): elements = names.map { .tensor($0) }
    case .sizes(let sizes): elements = sizes
    default: elements = [argument]
    }
    var dimensions: [Dim] = []
    for element in elements { dimensions.append(try dimension(element, name)) }
    return dimensions
  }

  func integers(_ name: String) throws(TypeFault) -> [Int] { try Self.known(try dimensions(name), name) }

  /// Integers of which none are the same as left out, as a window's stride.
  func optionalIntegers(_ name: String) throws(TypeFault) -> [Int]? {
    guard has(name) else { return nil }
    let integers = try integers(name)
    return integers.isEmpty ? nil : integers
  }

  static func known(_ dimensions: [Dim], _ what: String) throws(TypeFault) -> [Int] {
    guard let known = dimensions.known else {
      var fault = TypeFault("\(what) \(dimensions.text) must be known here")
      fault.unbound = Set(dimensions.flatMap(\.symbols)).sorted()
      throw fault
    }
    return known
  }

  // MARK: Memory

  /// What a tensor's place in memory is, as the program declares it.
  func meta(_ name: String) -> TensorMeta? {
    guard case .tensor(let value)? = argument(name) else { return nil }
    return scope.types[value]
  }

  /// Notes that an argument has a new content.
  func write(_ argument: String, _ content: ProgramValue) { effects.writes.append((argument, content)) }

  /// What the operator writes, by the graph's names.
  func writes() throws(TypeFault) -> [(name: String, content: ProgramValue)] {
    var writes: [(name: String, content: ProgramValue)] = []
    for (argument, content) in effects.writes {
      guard case .tensor(let name)? = given(argument) else { throw TypeFault("writes to '\(argument)'") }
      writes.append((name, content))
    }
    return writes
  }

  /// Says whose memory the result is in, where the schema alone does not tell.
  func share(_ use: MemoryUse) { effects.memory = use }

  /// The argument whose memory a result is in, and how.
  ///
  /// - Parameter result: The result, where it is a tensor of real numbers.
  func memory(of result: Tensor?, named name: String) -> (source: String, use: MemoryUse)? {
    let shared = schema?.parameters.first { $0.isShared || $0.isWritten } ?? schema?.parameters.first
    guard effects.memory != .fresh, let shared, case .tensor(let source)? = given(shared.name) else { return nil }
    if let memory = effects.memory { return (source, memory) }
    if schema?.isInPlace == true { return (source, .same) }
    guard shared.isShared else { return nil }
    guard case .tensor(let operand)? = scope.values[source], let result else { return (source, .view) }
    guard operand.value == result.value else { return (source, .view) }
    // The same elements in another order of memory are a copy.
    let strides = [source, name].map { scope.types[$0]?.strides }
    return strides[0] == strides[1] ? (source, .same) : nil
  }
}
