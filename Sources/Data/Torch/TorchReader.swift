internal import LatheCore

/// The tensors of a pickle of PyTorch's, put together from storages.
struct TorchReader {
  /// A run of elements outside of the pickle, into which tensors are views.
  struct Storage: Hashable {
    let key: String
    /// Nil where the storage is bytes, and its tensors say what they are.
    let dtype: ScalarType?
    let count: Int

    /// Nil where nothing is as large.
    var byteCount: Int? {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype?.byteCount ?? 1)
      return overflow || count < 0 ? nil : bytes
    }
  }

  /// A tensor as a view of a storage.
  private struct View: Hashable {
    let storage: Storage
    let dtype: ScalarType
    let offset: Int
    let sizes: [Int]
    let strides: [Int]
  }

  private let pickle: Pickle
  private var contents: [String: [UInt8]] = [:]
  private var arrays: [View: NDArray] = [:]
  private var views = StorageViews()
  private var found: [NamedArray] = []
  private var visits = 0

  /// Reads the pickle at the beginning of `bytes`.
  init(_ bytes: ArraySlice<UInt8>) throws(FileFault) {
    pickle = try Pickle(bytes) { TorchGlobal($0) != nil }
  }

  /// Where the pickle ends.
  var end: Int { pickle.end }

  /// What has to be given before members can be put together, each once.
  func storages() throws(FileFault) -> [Storage] {
    var storages: [Storage] = []
    var known: [String: Storage] = [:]
    for name in pickle.persistentNames {
      let storage = try self.storage(name)
      guard let before = known.updateValue(storage, forKey: storage.key) else {
        storages.append(storage)
        continue
      }
      guard before == storage else { throw FileFault("has two storages '\(storage.key)'") }
    }
    return storages
  }

  mutating func give(_ content: [UInt8], to storage: Storage) throws(FileFault) {
    guard content.count == storage.byteCount else {
      let type = storage.dtype.map { "\($0)" } ?? "byte"
      throw FileFault("has \(content.count) bytes in place of \(storage.count) elements of type \(type)")
    }
    contents[storage.key] = content
    views.add(content)
  }

  /// The tensors and numbers.
  mutating func members() throws(FileFault) -> [NamedArray] {
    try collect(pickle.root, [])
    return found
  }

  private mutating func collect(_ value: PickleValue, _ path: [String]) throws(FileFault) {
    // Lists may contain themselves, and each other many times.
    visits += 1
    guard path.count < 64, visits < 1 << 20 else { throw FileFault("is nested too deeply, or endless") }
    func add(_ array: NDArray) { found.append(NamedArray(name: path.joined(separator: "."), array: array)) }
    switch value {
    case .none, .string, .bytes, .other, .global: break
    case .bool(let bool): add(NDArray(scalar: .integer(bool ? 1 : 0), dtype: .bool))
    case .integer(let integer): add(NDArray(scalar: .integer(integer), dtype: .i64))
    case .float(let float): add(NDArray(scalar: .float(float), dtype: .f64))
    case .tuple(let index), .list(let index):
      for (position, element) in pickle[index].enumerated() { try collect(element, path + ["\(position)"]) }
    case .dictionary(let index):
      let fields = pickle[index]
      for key in stride(from: 0, to: fields.count, by: 2) {
        switch fields[key] {
        case .string(let name): try collect(fields[key + 1], path + [name])
        case .integer(let name): try collect(fields[key + 1], path + ["\(name)"])
        default: throw FileFault("has a key that is neither text nor an integer, in '\(path.joined(separator: "."))'")
        }
      }
    case .persistent: throw FileFault("has a storage outside of a tensor, '\(path.joined(separator: "."))'")
    case .call(let index):
      guard case .global(let name) = pickle[index][0], let global = TorchGlobal(name) else {
        internalError("a call of no known function")
      }
      switch global {
      case .size:
        guard let sizes = integers(value) else { throw FileFault("has a size that is none") }
        for (position, size) in sizes.enumerated() { try collect(.integer(size), path + ["\(position)"]) }
      case .device: break
      case .tensor, .parameter:
        do throws(FileFault) {
          add(try tensor(value))
        } catch {
          throw FileFault("tensor '\(path.joined(separator: "."))' \(error.message)")
        }
      case .dictionary, .storage, .dtype: throw FileFault("calls '\(name)', which is not known to be called")
      }
    }
  }

  // MARK: Tensors

  private mutating func tensor(_ value: PickleValue) throws(FileFault) -> NDArray {
    var value = value
    // Parameters are tensors with a flag; one of a parameter's parameter is none.
    for _ in 0..<2 {
      guard case .call(let index) = value, case .global(let name) = pickle[index][0],
        case .tuple(let arguments) = pickle[index][1]
      else { break }
      if TorchGlobal(name) == .tensor { return try array(view(pickle[arguments])) }
      guard TorchGlobal(name) == .parameter, let data = pickle[arguments].first else { break }
      value = data
    }
    throw FileFault("is not put together in a known way")
  }

  private func view(_ arguments: [PickleValue]) throws(FileFault) -> View {
    guard arguments.count >= 4, case .persistent(let index) = arguments[0], case .integer(let offset) = arguments[1],
      let sizes = integers(arguments[2]), let strides = integers(arguments[3]), sizes.count == strides.count
    else { throw FileFault("is not put together in a known way") }
    let storage = try self.storage(pickle[index][0])
    var dtype = storage.dtype
    if arguments.count > 6, case .global(let name) = arguments[6], case .dtype(let type)? = TorchGlobal(name) {
      dtype = type
    }
    guard let dtype else { throw FileFault("has bytes without a type") }
    return View(storage: storage, dtype: dtype, offset: offset, sizes: sizes, strides: strides)
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let index) = value else {
      guard case .call(let index) = value, pickle[index][0] == .global("torch.Size"),
        case .tuple(let arguments) = pickle[index][1], pickle[arguments].count == 1,
        case .tuple = pickle[arguments][0]
      else { return nil }
      return integers(pickle[arguments][0])
    }
    var result: [Int] = []
    for element in pickle[index] {
      guard case .integer(let integer) = element else { return nil }
      result.append(integer)
    }
    return result
  }

  private func storage(_ name: PickleValue) throws(FileFault) -> Storage {
    guard case .tuple(let index) = name, pickle[index].count >= 5, pickle[index][0] == .string("storage"),
      case .global(let type) = pickle[index][1], case .storage(let dtype)? = TorchGlobal(type),
      case .string(let key) = pickle[index][2], case .integer(let count) = pickle[index][4]
    else { throw FileFault("has a storage that is not named in a known way") }
    guard pickle[index].count == 5 || pickle[index][5] == .none else {
      throw FileFault("has a view of storage '\(key)' as only PyTorch before 0.2 wrote it")
    }
    return Storage(key: key, dtype: dtype, count: count)
  }

  /// The elements of a view in row-major order; views that are equal share them.
  private mutating func array(_ view: View) throws(FileFault) -> NDArray {
    if let array = arrays[view] { return array }
    guard let content = contents[view.storage.key] else { throw FileFault("has no storage '\(view.storage.key)'") }
    let array = try views.array(
      of: content, view.dtype, view.sizes, offset: view.offset, strides: view.strides)
    arrays[view] = array
    return array
  }
}

/// The functions and classes of which states of tensors consist.
enum TorchGlobal: Hashable {
  case dictionary, tensor, parameter, size, device
  /// Nil for bytes of any type.
  case storage(ScalarType?)
  case dtype(ScalarType)

  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .dictionary
    case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3": self = .tensor
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state": self = .parameter
    case "torch.Size": self = .size
    case "torch.device": self = .device
    case "torch.storage.UntypedStorage": self = .storage(nil)
    default:
      if let row = Self.types.first(where: { $0.storage.map { "torch.\($0)" } == name }) {
        self = .storage(row.dtype)
      } else if let row = Self.types.first(where: { "torch.\($0.name)" == name }) {
        self = .dtype(row.dtype)
      } else {
        return nil
      }
    }
  }

  /// PyTorch's names of the types; those without a storage of their own are kept as bytes.
  static let types: [(dtype: ScalarType, name: String, storage: String?)] = [
    (.f64, "float64", "DoubleStorage"), (.f32, "float32", "FloatStorage"), (.f16, "float16", "HalfStorage"),
    (.bf16, "bfloat16", "BFloat16Storage"), (.i64, "int64", "LongStorage"), (.i32, "int32", "IntStorage"),
    (.i16, "int16", "ShortStorage"), (.i8, "int8", "CharStorage"), (.u8, "uint8", "ByteStorage"),
    (.bool, "bool", "BoolStorage"), (.u16, "uint16", nil), (.u32, "uint32", nil), (.u64, "uint64", nil),
    (.f8e4m3fn, "float8_e4m3fn", nil), (.f8e4m3fnuz, "float8_e4m3fnuz", nil), (.f8e5m2, "float8_e5m2", nil),
    (.f8e5m2fnuz, "float8_e5m2fnuz", nil), (.f8e8m0, "float8_e8m0fnu", nil),
  ]
}
