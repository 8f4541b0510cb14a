/// The form in which a state is kept between processes, the same in Swift and in emitted C.
///
/// A header of 40 bytes (the magic, the version, the header's size, a fingerprint of the variables' names, types and
/// shapes, the size of the data, the checksum of the data), then the variables' bytes in the order of the state, little
/// endian, one after the other.
package struct StateFile {
  private let variables: [Variable]

  package init(_ variables: [Variable]) {
    self.variables = variables
  }

  private static let magic = "LATHESTA"
  private static let version = 1
  private static let headerBytes = 40

  /// The header up to the checksum: what the states of one model have in common.
  package var start: [UInt8] {
    var start = Array(Self.magic.utf8)
    func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.littleEndian) { start += $0 } }
    append(UInt32(Self.version))
    append(UInt32(Self.headerBytes))
    append(fingerprint)
    append(UInt64(variables.reduce(0) { $0 + $1.initial.bytes.count }))
    return start
  }

  /// Of two models whose variables differ, in all likelihood another.
  private var fingerprint: UInt64 {
    var hash = Self.seed
    for variable in variables {
      Self.add(Array(variable.name.utf8) + [0] + Array(variable.type.text.utf8) + [0], to: &hash)
    }
    return hash
  }

  private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

  /// FNV-1a over 64-bit words, of which the last one is filled with zeros.
  private static func add(_ bytes: some Collection<UInt8>, to hash: inout UInt64) {
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for byte in bytes {
      word |= UInt64(byte) << shift
      shift += 8
      if shift == 64 {
        hash = (hash ^ word) &* 0x100_0000_01b3
        (word, shift) = (0, 0)
      }
    }
    if shift > 0 { hash = (hash ^ word) &* 0x100_0000_01b3 }
  }

  /// The file's bytes, given the variables' contents in order.
  package func encoded(_ contents: [NDArray]) -> [UInt8] {
    var hash = Self.seed
    for content in contents { Self.add(content.bytes, to: &hash) }
    return start + withUnsafeBytes(of: hash.littleEndian) { Array($0) } + contents.flatMap(\.bytes)
  }

  /// The variables' contents in a file.
  ///
  /// - Throws: That the bytes are no state, another model's, or damaged.
  package func decoded(_ bytes: [UInt8]) throws(DiagnosticsError) -> [NDArray] {
    let start = start
    guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic.utf8) else {
      throw DiagnosticsError("this is no saved state")
    }
    guard bytes.starts(with: start) else {
      throw DiagnosticsError(
        "the saved state is of another version or another model",
        help: "variables, their types and their order must be the same")
    }
    var contents: [NDArray] = []
    var position = Self.headerBytes
    var hash = Self.seed
    for variable in variables {
      let initial = variable.initial
      guard bytes.count - position >= initial.bytes.count else {
        throw DiagnosticsError("the saved state is too short")
      }
      let content = Array(bytes[position..<position + initial.bytes.count])
      Self.add(content, to: &hash)
      position += content.count
      contents.append(unfailing { try NDArray(dtype: initial.dtype, shape: initial.shape, bytes: content) })
    }
    let stored = withUnsafeBytes(of: hash.littleEndian) { Array($0) }
    guard position == bytes.count, stored == Array(bytes[start.count..<Self.headerBytes]) else {
      throw DiagnosticsError("the saved state is damaged")
    }
    return contents
  }
}
