package import LatheCore

/// A dictionary of NumPy's arrays, and of lists of integers and of texts, as Python's `pickle` writes it.
///
/// The pickle is read but never run; what is of another kind is left out.
package struct PickledDictionary {
  /// The arrays.
  package private(set) var arrays: [String: NDArray] = [:]
  /// The lists of integers.
  package private(set) var integers: [String: [Int]] = [:]
  /// The lists of texts.
  package private(set) var texts: [String: [String]] = [:]

  /// Reads a pickle of Python 2 or 3.
  ///
  /// - Throws: With the file as its place, that it is none, or holds other objects.
  package init(_ file: FileContent) throws(DiagnosticsError) {
    try self.init(file.bytes, in: file.path)
  }

  private init(_ bytes: [UInt8], in file: String) throws(DiagnosticsError) {
    let pickle = try located(file) { () throws(FileFault) in
      try Pickle(bytes[...], takesState: true) { Self.known.contains($0) }
    }
    guard case .dictionary(let root) = pickle.root else {
      throw DiagnosticsError("holds no dictionary", location: Location(file: file))
    }
    let fields = pickle[root]
    for key in stride(from: 0, to: fields.count, by: 2) {
      guard let name = pickle.content(of: fields[key]).map({ String(decoding: $0, as: UTF8.self) }) else { continue }
      switch fields[key + 1] {
      case .call(let index):
        arrays[name] = try located(file) { () throws(FileFault) in try Self.array(pickle, index, name) }
      case .list(let index):
        let elements = pickle[index]
        let numbers = elements.compactMap { if case .integer(let number) = $0 { number } else { Int?.none } }
        let words = elements.compactMap { pickle.content(of: $0).map { String(decoding: $0, as: UTF8.self) } }
        if numbers.count == elements.count { integers[name] = numbers }
        if words.count == elements.count { texts[name] = words }
      default: break
      }
    }
  }

  private static let known: Set<String> = [
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype",
  ]

  /// The types of one to eight bytes, by NumPy's names.
  private static let types: [String: ScalarType] = [
    "u1": .u8, "u2": .u16, "u4": .u32, "u8": .u64, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64, "f4": .f32,
    "f8": .f64, "b1": .bool,
  ]

  /// An array: an empty one is made, and gets a state of version, sizes, type, order and bytes.
  private static func array(_ pickle: Pickle, _ index: Int, _ name: String) throws(FileFault) -> NDArray {
    let call = pickle[index]
    guard call.count == 3, case .global(let function) = call[0], function.hasSuffix("._reconstruct"),
      case .tuple(let state) = call[2], pickle[state].count == 5, case .tuple(let sizes) = pickle[state][1],
      case .call(let type) = pickle[state][2], pickle[type].count == 3, pickle[type][0] == .global("numpy.dtype"),
      case .tuple(let arguments) = pickle[type][1], let first = pickle[arguments].first,
      case .string(let typeName) = first, case .tuple(let typeState) = pickle[type][2], pickle[typeState].count > 1
    else { throw FileFault("has no array that is put together in a known way as '\(name)'") }
    guard let dtype = types[typeName], pickle[typeState][1] != .string(">") || dtype.byteCount == 1 else {
      throw FileFault("has '\(name)' of the type '\(typeName)', which is not read")
    }
    let shape = pickle[sizes].compactMap { if case .integer(let size) = $0 { size } else { Int?.none } }
    guard shape.count == pickle[sizes].count, pickle[state][3] == .bool(false),
      let content = pickle.content(of: pickle[state][4])
    else { throw FileFault("has '\(name)' in an order or of sizes that are not read") }
    do throws(DiagnosticsError) {
      return try NDArray(dtype: dtype, shape: shape, bytes: content)
    } catch {
      throw FileFault("has '\(name)', of which \(error.diagnostics.first?.message ?? "nothing is known")")
    }
  }
}
