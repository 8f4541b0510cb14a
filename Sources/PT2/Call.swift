internal import LatheCore

/// What a name of the program stands for while it is imported.
enum ProgramValue {
  case tensor(Tensor)
  case size(Dimension)
  case bool(Bool)
  case float(Double)
}

/// One application of an ATen operator, as its definition sees it: arguments by their names in PyTorch's schema.
struct Call {
  /// The operator and its overload, `add.Tensor`.
  let target: String
  let arguments: [String: Argument]
  let values: [String: ProgramValue]
  /// The types that the program declares, with places in memory.
  let types: [String: TensorMeta]
  let builder: Builder
  /// What the operator writes to its arguments, by their names in the schema.
  let writes: Writes

  /// New contents of arguments.
  final class Writes {
    var contents: [(argument: String, content: Tensor)] = []
  }

  /// The largest number that shapes and windows may be made of.
  static let largestSize = Int(Int32.max)

  private func missing(_ name: String) -> TypeFault { TypeFault("the argument '\(name)' is missing") }

  private func other(_ name: String, _ wanted: String) -> TypeFault {
    TypeFault("the argument '\(name)' is no \(wanted)")
  }

  func has(_ name: String) -> Bool {
    switch arguments[name] {
    case nil, .some(.none): false
    default: true
    }
  }

  // MARK: Tensors

  private func named(_ name: String) throws(TypeFault) -> Tensor {
    switch values[name] {
    case .tensor(let tensor)?:
      if tensor.isPoisoned { throw .poisoned }
      return tensor
    case .size(let size)?:
      guard let known = size.known else { return Self.tensor(of: size, in: builder) }
      return builder.scalar(.integer(known), .i64)
    case .bool(let bool)?: return builder.scalar(.integer(bool ? 1 : 0), .bool)
    case .float(let float)?: return builder.scalar(.float(float), .f32)
    case nil: throw TypeFault("nothing defines '\(name)'")
    }
  }

  /// A size as a number that the run knows: a sum of ones.
  static func tensor(of size: Dimension, in builder: Builder) -> Tensor {
    builder.full(TensorType(.i64, [size]), .integer(1)).reduce(.sum, axes: [0])
  }

  func optional(_ name: String) throws(TypeFault) -> Tensor? {
    // What writes to its `input` calls it `self`.
    let name = name == "input" && arguments[name] == nil ? "self" : name
    switch arguments[name] {
    case nil, .some(.none): return nil
    case .tensor(let value)?: return try named(value)
    case .size(.name(let value))?: return try named(value)
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
    guard case .tensors(let names)? = arguments[name] else { throw other(name, "list of tensors") }
    var tensors: [Tensor] = []
    for name in names { tensors.append(try named(name)) }
    return tensors
  }

  func optionalTensors(_ name: String) throws(TypeFault) -> [Tensor?] {
    guard case .optionalTensors(let names)? = arguments[name] else { return try tensors(name) }
    var tensors: [Tensor?] = []
    for name in names {
      if let name { tensors.append(try named(name)) } else { tensors.append(nil) }
    }
    return tensors
  }

  // MARK: Numbers

  /// A number; nil where the argument is a tensor or is left out.
  func number(_ name: String) throws(TypeFault) -> (any Number)? {
    switch arguments[name] {
    case .integer(let value)?: return value
    case .float(let value)?: return value
    case .bool(let value)?: return value ? 1 : 0
    case .size(.number(let value))?: return value
    case .size(.name(let value))?:
      guard case .size(let size)? = values[value] else { return nil }
      return size.known
    default: return nil
    }
  }

  /// What stands beside a tensor: another one, or a number.
  func operand(_ name: String = "other") throws(TypeFault) -> any TensorOperand {
    if let number = try number(name) { return number }
    return try tensor(name)
  }

  func integer(_ name: String, default other: Int? = nil) throws(TypeFault) -> Int {
    guard has(name) else {
      guard let other else { throw missing(name) }
      return other
    }
    return try Self.known([try dimension(name)], name)[0]
  }

  func optionalInteger(_ name: String) throws(TypeFault) -> Int? { has(name) ? try integer(name) : nil }

  func float(_ name: String, default other: Double? = nil) throws(TypeFault) -> Double {
    guard has(name) else {
      guard let other else { throw missing(name) }
      return other
    }
    guard let number = try number(name) else { throw self.other(name, "number") }
    switch number.scalarValue {
    case .float(let value): return value
    case .integer(let value): return Double(value)
    }
  }

  func optionalFloat(_ name: String) throws(TypeFault) -> Double? { has(name) ? try float(name) : nil }

  func flag(_ name: String, default other: Bool = false) throws(TypeFault) -> Bool {
    guard has(name) else { return other }
    guard case .bool(let value)? = arguments[name] else { throw self.other(name, "truth value") }
    return value
  }

  func string(_ name: String, default other: String) throws(TypeFault) -> String {
    guard has(name) else { return other }
    guard case .string(let value)? = arguments[name] else { throw self.other(name, "text") }
    return value
  }

  func dtype(_ name: String = "dtype") throws(TypeFault) -> ScalarType? {
    guard has(name) else { return nil }
    guard case .scalarType(let number)? = arguments[name] else { throw other(name, "type") }
    guard let dtype = ScalarType(exported: number) else { throw TypeFault("Lathe has no type \(number) of PyTorch's") }
    return dtype
  }

  // MARK: Sizes

  func dimension(_ name: String) throws(TypeFault) -> Dimension {
    switch arguments[name] {
    case .integer(let value)?: return Dimension(value)
    case .size(let size)?: return try dimension(size)
    case .tensor(let value)?:
      let tensor = try named(value)
      guard let literal = tensor.literal, literal.count == 1, literal.dtype.isInteger else {
        throw TypeFault("the argument '\(name)' must be known when the model is compiled")
      }
      return Dimension(literal.integers[0])
    default: throw other(name, "size")
    }
  }

  private func dimension(_ size: Argument.NamedOrKnown) throws(TypeFault) -> Dimension {
    switch size {
    case .number(let value): return Dimension(value)
    case .name(let name):
      guard case .size(let size)? = values[name] else { throw TypeFault("nothing defines the size '\(name)'") }
      return size
    }
  }

  func dimensions(_ name: String) throws(TypeFault) -> [Dimension] {
    switch arguments[name] {
    case .integers(let values)?: return values.map { Dimension($0) }
    case .tensors(let names)? where names.isEmpty: return []
    case .sizes(let sizes)?:
      var dimensions: [Dimension] = []
      for size in sizes { dimensions.append(try dimension(size)) }
      return dimensions
    case nil: throw missing(name)
    default: return [try dimension(name)]
    }
  }

  func integers(_ name: String, default other: [Int]? = nil) throws(TypeFault) -> [Int] {
    guard has(name) else {
      guard let other else { throw missing(name) }
      return other
    }
    return try Self.known(try dimensions(name), name)
  }

  /// Integers of which none are the same as left out, as a window's stride.
  func optionalIntegers(_ name: String) throws(TypeFault) -> [Int]? {
    guard has(name) else { return nil }
    let integers = try integers(name)
    return integers.isEmpty ? nil : integers
  }

  static func known(_ dimensions: [Dimension], _ what: String) throws(TypeFault) -> [Int] {
    guard let known = dimensions.known else {
      var fault = TypeFault("\(what) \(dimensions.text) must be known here")
      fault.unbound = Set(dimensions.flatMap(\.symbols)).sorted()
      throw fault
    }
    return known
  }

  /// Notes that an argument has a new content.
  func write(_ argument: String, _ content: Tensor) { writes.contents.append((argument, content)) }
}
