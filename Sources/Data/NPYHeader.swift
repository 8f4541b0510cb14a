import LatheCore

/// The header of an .npy file: a Python dictionary literal.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
struct NPYHeader: Hashable {
  /// The element type as stored.
  var element: NPYElement
  /// Whether the first axis is innermost.
  var fortranOrder: Bool
  /// The sizes of the axes.
  var shape: [Int]

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy's own limit of the number of axes.
  private static let rankLimit = 64
  private static let alignment = 64

  /// The bytes of the elements that follow the header, or nil when they exceed the address space.
  ///
  /// An axis of size 0 does not excuse the others: strides are computed from them.
  var byteCount: Int? {
    var bytes = element.byteCount
    for size in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(size, 1))
      if overflow || product > 1 << 47 { return nil }
      bytes = product
    }
    return shape.contains(0) ? 0 : bytes
  }

  /// The header of version 1.0 with everything in front of it, byte for byte as NumPy writes it.
  static func encoded(_ descriptor: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // NumPy leaves room for the first axis to grow to 21 digits.
    if let first = shape.first { text += String(repeating: " ", count: max(0, 21 - String(first).utf8.count)) }
    let prefix = magic.count + 4
    text += String(repeating: " ", count: alignment - (prefix + text.utf8.count + 1) % alignment) + "\n"
    let length = UInt16(text.utf8.count)
    return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// Reads magic, version, length and dictionary; gives the header and where the elements begin.
  static func decode(_ bytes: ArraySlice<UInt8>) throws(FileFault) -> (header: NPYHeader, end: Int) {
    let bytes = Array(bytes)
    guard bytes.starts(with: magic) else {
      throw FileFault("is not an .npy file: the magic bytes \\x93NUMPY are missing")
    }
    guard bytes.count >= 8 else { throw FileFault("is truncated: it ends within the header") }
    let lengthSize: Int
    switch bytes[6] {
    case 1: lengthSize = 2
    case 2, 3: lengthSize = 4
    default: throw FileFault("has .npy version \(bytes[6]).\(bytes[7]); known are 1, 2 and 3")
    }
    let start = 8 + lengthSize
    guard bytes.count >= start else { throw FileFault("is truncated: it ends within the header") }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count - start >= length else {
      throw FileFault("is truncated: the header takes \(length) bytes, \(bytes.count - start) are there")
    }
    var parser = NPYHeaderParser(bytes[start..<start + length])
    return (try parser.header(rankLimit: rankLimit), start + length)
  }
}

/// An element type as an .npy header spells it.
struct NPYElement: Hashable {
  var dtype: ScalarType
  var isBigEndian = false

  var byteCount: Int { dtype.byteCount }

  init(dtype: ScalarType, isBigEndian: Bool = false) {
    self.dtype = dtype
    self.isBigEndian = isBigEndian
  }

  /// The type that a descriptor such as `<f4` names.
  init(descriptor: String) throws(FileFault) {
    let spelling = "<>|=".contains(descriptor.prefix(1)) ? String(descriptor.dropFirst()) : descriptor
    guard let row = Self.spellings.first(where: { $0.spelling == spelling }), !descriptor.isEmpty else {
      let known = Self.spellings.map(\.spelling).joined(separator: ", ")
      throw FileFault("has elements of type '\(descriptor)'; known are \(known)")
    }
    self.init(dtype: row.dtype, isBigEndian: descriptor.hasPrefix(">"))
  }

  /// What NumPy would write for arrays of a type; NumPy lacks bf16, whose arrays are written as f32.
  static func descriptor(for dtype: ScalarType) -> String {
    let spelling = spellings.first { $0.dtype == dtype }?.spelling ?? "f4"
    return (dtype.byteCount == 1 ? "|" : "<") + spelling
  }

  /// `V2`, two bytes without meaning, is what NumPy writes for the bfloat16 of the package ml_dtypes.
  private static let spellings: [(spelling: String, dtype: ScalarType)] = [
    ("f8", .f64), ("f4", .f32), ("f2", .f16), ("V2", .bf16), ("i8", .i64), ("i4", .i32), ("i2", .i16), ("i1", .i8),
    ("u8", .u64), ("u4", .u32), ("u2", .u16), ("u1", .u8), ("b1", .bool),
  ]
}

/// Reads the subset of Python's literals that .npy headers use: strings, tuples of integers, booleans, one dictionary.
private struct NPYHeaderParser {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  mutating func header(rankLimit: Int) throws(FileFault) -> NPYHeader {
    var element: NPYElement?
    var fortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !skip("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where element == nil:
        guard peek() != UInt8(ascii: "[") else {
          throw FileFault("has elements with fields, which tensors cannot have")
        }
        element = try NPYElement(descriptor: try string())
      case "fortran_order" where fortranOrder == nil: fortranOrder = try boolean()
      case "shape" where shape == nil: shape = try tuple()
      default: throw garbage("the key '\(key)' is unknown or there twice")
      }
      if !skip(",") {
        try expect("}")
        break
      }
    }
    guard peek() == nil else { throw garbage("text follows the dictionary") }
    guard let element, let fortranOrder, let shape else {
      throw garbage("one of 'descr', 'fortran_order' and 'shape' is missing")
    }
    guard shape.count <= rankLimit else { throw FileFault("has \(shape.count) axes; the limit is \(rankLimit)") }
    return NPYHeader(element: element, fortranOrder: fortranOrder, shape: shape)
  }

  private func garbage(_ what: String) -> FileFault { FileFault("has a garbled .npy header: \(what)") }

  private mutating func peek() -> UInt8? {
    while position < bytes.endIndex, bytes[position] == 0x20 || bytes[position] == 0x0a || bytes[position] == 0x09 {
      position += 1
    }
    return position < bytes.endIndex ? bytes[position] : nil
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(FileFault) {
    guard skip(character) else { throw garbage("'\(character)' is missing at byte \(position - bytes.startIndex)") }
  }

  private mutating func string() throws(FileFault) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw garbage("a string is missing at byte \(position - bytes.startIndex)")
    }
    let start = position + 1
    guard let end = bytes[start...].firstIndex(of: quote) else { throw garbage("a string does not end") }
    position = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func boolean() throws(FileFault) -> Bool {
    for (word, value) in [("True", true), ("False", false)] {
      if peek() != nil, bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
    }
    throw garbage("'fortran_order' is neither True nor False")
  }

  private mutating func tuple() throws(FileFault) -> [Int] {
    try expect("(")
    var sizes: [Int] = []
    while !skip(")") {
      sizes.append(try size())
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return sizes
  }

  private mutating func size() throws(FileFault) -> Int {
    _ = peek()
    let start = position
    while position < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    guard !digits.isEmpty else { throw garbage("'shape' holds something that is not a size") }
    guard let size = Int(digits) else { throw FileFault("has an axis of size \(digits), more than memory can hold") }
    // Python 2 wrote long integers as `3L`.
    if position < bytes.endIndex, bytes[position] == UInt8(ascii: "L") { position += 1 }
    return size
  }
}
