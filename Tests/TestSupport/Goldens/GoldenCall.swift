import LatheCore
import LatheNN

/// An argument of a call: a JSON value, a tensor by its number, an element type, or a number JSON cannot write.
indirect enum GoldenArgument: Decodable, Sendable {
  case none
  case flag(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case tensor(Int)
  case dtype(ScalarType)
  case list([GoldenArgument])

  private enum Keys: String, CodingKey {
    case tensor, dtype, number
  }

  init(from decoder: any Decoder) throws {
    if let keyed = try? decoder.container(keyedBy: Keys.self) {
      if let tensor = try keyed.decodeIfPresent(Int.self, forKey: .tensor) {
        self = .tensor(tensor)
      } else if let name = try keyed.decodeIfPresent(String.self, forKey: .dtype) {
        let types: [String: ScalarType] = [
          "int64": .i64, "int32": .i32, "bool": .bool, "float32": .f32, "float64": .f64, "uint8": .u8, "int8": .i8,
        ]
        self = types[name].map { .dtype($0) } ?? .none
      } else {
        self = .number(Double(try keyed.decode(String.self, forKey: .number)) ?? .nan)
      }
      return
    }
    if let list = try? [GoldenArgument](from: decoder) {
      self = .list(list)
      return
    }
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .none
    } else if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else {
      self = .text(try value.decode(String.self))
    }
  }
}

/// A call being made: reads arguments by their place or keyword, as PyTorch binds them.
struct GoldenCall {
  /// The function without `torch.`.
  let function: String
  let builder: Builder
  let inputs: [Tensor]
  let arguments: [GoldenArgument]
  let keywords: [String: GoldenArgument]

  func argument(_ position: Int, _ keyword: String = "") -> GoldenArgument {
    arguments.indices.contains(position) ? arguments[position] : keywords[keyword] ?? .none
  }

  /// The tensor, or nil where the argument is none or no tensor.
  func optional(_ position: Int, _ keyword: String = "") -> Tensor? {
    if case .tensor(let number) = argument(position, keyword) { inputs[number] } else { nil }
  }

  /// The tensor, or a number as a tensor of the first operand's type.
  func tensor(_ position: Int, _ keyword: String = "") -> Tensor {
    if let tensor = optional(position, keyword) { return tensor }
    let dtype = inputs.first?.dtype ?? .f64
    return builder.scalar(.float(double(position, keyword) ?? .nan), dtype.isFloat ? dtype : .f64)
  }

  func tensors(_ position: Int) -> [Tensor] {
    guard case .list(let list) = argument(position) else { return [] }
    return list.compactMap { if case .tensor(let number) = $0 { inputs[number] } else { nil } }
  }

  func int(_ position: Int, _ keyword: String = "") -> Int? {
    if case .integer(let value) = argument(position, keyword) { value } else { nil }
  }

  func double(_ position: Int, _ keyword: String = "") -> Double? {
    switch argument(position, keyword) {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// One integer or several.
  func ints(_ position: Int, _ keyword: String = "") -> [Int]? {
    switch argument(position, keyword) {
    case .integer(let value): [value]
    case .list(let list):
      list.compactMap {
        switch $0 {
        case .integer(let value): value
        // A size that is kept.
        case .none: -1
        default: nil
        }
      }
    default: nil
    }
  }

  /// One number or several.
  func doubles(_ position: Int, _ keyword: String = "") -> [Double]? {
    switch argument(position, keyword) {
    case .integer(let value): [Double(value)]
    case .number(let value): [value]
    case .list(let list):
      list.compactMap {
        switch $0 {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
      }
    default: nil
    }
  }

  /// All arguments from a position on that are integers, or the one list of them.
  func sizes(from position: Int) -> [Int] {
    if case .list = argument(position) { return ints(position) ?? [] }
    return arguments.dropFirst(position).compactMap { if case .integer(let value) = $0 { value } else { nil } }
  }

  func flag(_ position: Int, _ keyword: String = "") -> Bool {
    if case .flag(let value) = argument(position, keyword) { value } else { false }
  }

  /// The truth, or nil where none is given.
  func boolean(_ position: Int, _ keyword: String = "") -> Bool? {
    if case .flag(let value) = argument(position, keyword) { value } else { nil }
  }

  func text(_ position: Int, _ keyword: String = "") -> String? {
    if case .text(let value) = argument(position, keyword) { value } else { nil }
  }

  var dtype: ScalarType? { if case .dtype(let dtype) = argument(99, "dtype") { dtype } else { nil } }

  var reduction: Reduction { text(99, "reduction").flatMap { Reduction(rawValue: $0) } ?? .mean }

  /// The results, or nil where Lathe has no such function yet.
  func results() -> [Tensor]? {
    if function.hasPrefix("nn.functional.") {
      let name = String(function.dropFirst("nn.functional.".count))
      return activation(name) ?? loss(name) ?? spatial(name) ?? normalization(name)
    }
    let name = function.hasPrefix("Tensor.") ? String(function.dropFirst("Tensor.".count)) : function
    let families: [(String) -> [Tensor]?] = [
      unary, binary, reduction, shape, joining, indexing, creation, product, recurrent, linearAlgebra, special,
    ]
    for family in families { if let results = family(name) { return results } }
    return nil
  }
}
