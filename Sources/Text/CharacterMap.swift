import Foundation

/// SentencePiece's table of replacements (`precompiled_charsmap`): a trie in a double array, and the texts behind it.
///
/// Source: Aoe, An efficient digital search algorithm by using a double-array structure, 1989; Darts-clone.
struct CharacterMap: Sendable {
  private let units: [UInt32]
  private let texts: [UInt8]

  /// - Throws: That the bytes are no table.
  init(_ bytes: [UInt8]) throws(TokenizerFault) {
    func word(at offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) } }
    guard bytes.count >= 4 else { throw TokenizerFault("the table of characters is damaged") }
    let size = Int(word(at: 0))
    guard size % 4 == 0, size > 0, size <= bytes.count - 4 else {
      throw TokenizerFault("the table of characters is damaged")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map(word)
    texts = Array(bytes[(4 + size)...])
  }

  func apply(to text: inout AlignedText) {
    var changes: [AlignedText.Change] = []
    var isChanged = false
    /// The last scalars are the ones that are put in, or that stand for more than one, even for one that is gone.
    func replace(_ count: Int, by new: [Unicode.Scalar]) {
      isChanged = true
      changes += new.map { AlignedText.Change(scalar: $0, difference: 0) }
      let difference = new.count - count
      if difference > 0 {
        for position in changes.indices.suffix(difference) { changes[position].difference = 1 }
      } else if let last = changes.indices.last {
        changes[last].difference += difference
      }
    }
    for character in text.text {
      // A character of more bytes is not looked up as a whole.
      if character.utf8.count < 6, let new = replacement(String(character).utf8) {
        replace(character.unicodeScalars.count, by: new)
        continue
      }
      for scalar in character.unicodeScalars {
        if let new = replacement(String(scalar).utf8) {
          replace(1, by: new)
        } else {
          changes.append(AlignedText.Change(scalar: scalar, difference: 0))
        }
      }
    }
    if isChanged { text.apply(changes) }
  }

  /// The text of the shortest prefix of `key` that is in the table.
  private func replacement(_ key: String.UTF8View) -> [Unicode.Scalar]? {
    func unit(_ position: Int) -> UInt32? { units.indices.contains(position) ? units[position] : nil }
    func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }
    var position = offset(units[0])
    for byte in key {
      if byte == 0 { return nil }
      position ^= Int(byte)
      guard let node = unit(position), node & (1 << 31 | 0xff) == UInt32(byte) else { return nil }
      position ^= offset(node)
      guard node >> 8 & 1 == 1 else { continue }
      guard let leaf = unit(position) else { return nil }
      let start = Int(leaf & (1 << 31 - 1))
      guard start <= texts.count else { return nil }
      return Array(String(decoding: texts[start...].prefix { $0 != 0 }, as: UTF8.self).unicodeScalars)
    }
    return nil
  }
}
