internal import LatheCore

/// The part of `torch.export`'s JSON that an import reads.
///
/// Source: https://github.com/pytorch/pytorch/blob/main/torch/_export/serde/schema.py
struct ExportedProgram: Decodable {
  struct Module: Decodable {
    let graph: ProgramGraph
    let signature: Signature
  }

  struct Version: Decodable {
    let major: Int
    let minor: Int
  }

  /// What a symbol lies between.
  struct Bounds: Decodable {
    let most: Int?

    enum CodingKeys: String, CodingKey {
      case most = "max_val"
    }
  }

  let module: Module
  let bounds: [String: Bounds]?
  let version: Version

  enum CodingKeys: String, CodingKey {
    case module = "graph_module"
    case bounds = "range_constraints"
    case version = "schema_version"
  }
}

/// A graph of the program, or one inside of a node.
final class ProgramGraph: Decodable, Sendable {
  let inputs: [Argument]
  let outputs: [Argument]
  let nodes: [ProgramNode]
  let types: [String: TensorMeta]
  /// What the names of sizes stand for.
  let sizes: [String: SymbolicSize]?

  init(
    inputs: [Argument], outputs: [Argument], nodes: [ProgramNode], types: [String: TensorMeta],
    sizes: [String: SymbolicSize]?
  ) {
    self.sizes = sizes
    self.inputs = inputs
    self.outputs = outputs
    self.nodes = nodes
    self.types = types
  }

  enum CodingKeys: String, CodingKey {
    case inputs, outputs, nodes
    case types = "tensor_values"
    case sizes = "sym_int_values"
  }
}

/// An application of an operator.
struct ProgramNode: Decodable, Sendable {
  struct NamedArgument: Decodable, Sendable {
    let name: String
    let arg: Argument
  }

  let target: String
  let inputs: [NamedArgument]
  let outputs: [Argument]
  let metadata: [String: String]?
  let name: String?
}

/// A tensor's type, and its place in its storage.
struct TensorMeta: Decodable, Sendable {
  let dtype: Int
  let sizes: [SymbolicSize]
  let strides: [SymbolicSize]
  let offset: SymbolicSize
  let layout: Int

  enum CodingKeys: String, CodingKey {
    case dtype, sizes, strides, layout
    case offset = "storage_offset"
  }
}

/// A size as a number or an expression of sympy.
enum SymbolicSize: Decodable, Hashable, Sendable {
  case number(Int)
  case expression(String)

  private struct Expression: Decodable {
    let text: String

    enum CodingKeys: String, CodingKey {
      case text = "expr_str"
    }
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: AnyKey.self)
    if let number = try fields.decodeIfPresent(Int.self, forKey: AnyKey("as_int")) {
      self = .number(number)
    } else {
      self = .expression(try fields.decode(Expression.self, forKey: AnyKey("as_expr")).text)
    }
  }

  var number: Int? { if case .number(let number) = self { number } else { nil } }
}

/// What a node is given or gives: an object with one key.
indirect enum Argument: Decodable, Sendable {
  case none
  case tensor(String)
  case tensors([String])
  /// Nil where one is left out.
  case optionalTensors([String?])
  case integer(Int)
  case integers([Int])
  case float(Double)
  case floats([Double])
  case complex(real: Double, imaginary: Double)
  case bool(Bool)
  case bools([Bool])
  case string(String)
  case scalarType(Int)
  /// The name of a size, or of what is said of sizes.
  case symbol(String)
  /// Integers and symbols.
  case sizes([Argument])
  case graph(ProgramGraph)
  /// What has no meaning here, or is not known, by its key.
  case other(String)

  /// What has a name, or is known.
  private struct Symbolic: Decodable {
    let argument: Argument

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: AnyKey.self)
      if let name = try fields.decodeIfPresent(String.self, forKey: AnyKey("as_name")) {
        argument = .symbol(name)
      } else {
        argument = try Argument(from: decoder)
      }
    }
  }

  private struct Name: Decodable { let name: String }
  private struct GraphField: Decodable { let graph: ProgramGraph }

  /// Numbers without a finite value are texts.
  private struct Float: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
      let field = try decoder.singleValueContainer()
      if let value = try? field.decode(Double.self) {
        self.value = value
        return
      }
      switch try field.decode(String.self) {
      case "Infinity": value = .infinity
      case "-Infinity": value = -.infinity
      case "NaN": value = .nan
      case let text: throw DecodingError.dataCorruptedError(in: field, debugDescription: "'\(text)' is no number")
      }
    }
  }

  private struct Complex: Decodable {
    let real: Float
    let imag: Float
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: AnyKey.self)
    guard let key = fields.allKeys.first, fields.allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "an argument has \(fields.allKeys.count) kinds"))
    }
    func value<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
      try fields.decode(type, forKey: key)
    }
    switch key.stringValue {
    case "as_none": self = .none
    case "as_tensor": self = .tensor(try value(Name.self).name)
    case "as_tensors": self = .tensors(try value([Name].self).map(\.name))
    case "as_optional_tensors":
      self = .optionalTensors(
        try value([Argument].self).map { element in
          switch element {
          case .none: nil
          case .tensor(let name): name
          default:
            throw DecodingError.dataCorrupted(
              .init(codingPath: decoder.codingPath, debugDescription: "one of the tensors is none"))
          }
        })
    case "as_optional_tensor": self = try value()
    case "as_int": self = .integer(try value())
    case "as_ints": self = .integers(try value())
    case "as_float": self = .float(try value(Float.self).value)
    case "as_complex":
      let parts = try value(Complex.self)
      self = .complex(real: parts.real.value, imaginary: parts.imag.value)
    case "as_floats": self = .floats(try value([Float].self).map(\.value))
    case "as_bool": self = .bool(try value())
    case "as_bools": self = .bools(try value())
    case "as_string", "as_operator": self = .string(try value())
    case "as_scalar_type": self = .scalarType(try value())
    case "as_sym_int", "as_sym_bool", "as_sym_float": self = try value(Symbolic.self).argument
    case "as_sym_ints": self = .sizes(try value([Symbolic].self).map(\.argument))
    case "as_graph": self = .graph(try value(GraphField.self).graph)
    default: self = .other(key.stringValue)
    }
  }
}

/// What the program's inputs and outputs are, in the order of the graph's.
struct Signature: Decodable {
  enum Input: Decodable {
    case parameter(argument: String, name: String)
    case buffer(argument: String, name: String, isPersistent: Bool)
    /// A tensor that the program's code contains.
    case constant(argument: String, name: String)
    case user(Argument)
    /// An input that is no tensor, and fixed, or that only orders effects.
    case fixed
    case other(String)

    private struct Field: Decodable {
      struct Name: Decodable { let name: String }

      let arg: Name
      let parameter: String?
      let buffer: String?
      let constant: String?
      let persistent: Bool?

      enum CodingKeys: String, CodingKey {
        case arg, persistent
        case parameter = "parameter_name"
        case buffer = "buffer_name"
        case constant = "tensor_constant_name"
      }
    }

    private struct UserField: Decodable { let arg: Argument }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: AnyKey.self)
      guard let key = fields.allKeys.first else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "an input has no kind"))
      }
      func field() throws -> Field { try fields.decode(Field.self, forKey: key) }
      switch key.stringValue {
      case "parameter":
        let field = try field()
        self = .parameter(argument: field.arg.name, name: field.parameter ?? field.arg.name)
      case "buffer":
        let field = try field()
        self = .buffer(
          argument: field.arg.name, name: field.buffer ?? field.arg.name, isPersistent: field.persistent ?? true)
      case "tensor_constant":
        let field = try field()
        self = .constant(argument: field.arg.name, name: field.constant ?? field.arg.name)
      case "user_input": self = .user(try fields.decode(UserField.self, forKey: key).arg)
      case "constant_input", "token": self = .fixed
      default: self = .other(key.stringValue)
      }
    }
  }

  enum Output: Decodable {
    case user(Argument)
    /// A parameter's or a buffer's new content.
    case state(argument: String, name: String)
    /// A user's tensor with new content.
    case mutatedInput(argument: String, name: String)
    case other(String)

    private struct Field: Decodable {
      struct Name: Decodable { let name: String }

      let arg: Name
      let parameter: String?
      let buffer: String?
      let input: String?

      enum CodingKeys: String, CodingKey {
        case arg
        case parameter = "parameter_name"
        case buffer = "buffer_name"
        case input = "user_input_name"
      }
    }

    private struct UserField: Decodable { let arg: Argument }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: AnyKey.self)
      guard let key = fields.allKeys.first else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "an output has no kind"))
      }
      switch key.stringValue {
      case "user_output": self = .user(try fields.decode(UserField.self, forKey: key).arg)
      case "token": self = .user(.none)
      case "buffer_mutation", "parameter_mutation":
        let field = try fields.decode(Field.self, forKey: key)
        self = .state(argument: field.arg.name, name: field.buffer ?? field.parameter ?? field.arg.name)
      case "user_input_mutation":
        let field = try fields.decode(Field.self, forKey: key)
        self = .mutatedInput(argument: field.arg.name, name: field.input ?? field.arg.name)
      default: self = .other(key.stringValue)
      }
    }
  }

  let inputs: [Input]
  let outputs: [Output]

  enum CodingKeys: String, CodingKey {
    case inputs = "input_specs"
    case outputs = "output_specs"
  }
}

/// A key of any name.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
