import Foundation

/// Unicode's normalization forms, with what becomes of each scalar.
///
/// The scalars' decompositions are Foundation's, of those that Unicode 9 has, as the crate `tokenizers` knows no others; their order and composition are done here, by the algorithm of Unicode
/// Standard Annex #15, because alignments need to know which scalars are joined.
enum NormalizationForm: String, Sendable {
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"

  private var isComposed: Bool { self == .nfc || self == .nfkc }
  private var isCompatible: Bool { self == .nfkc || self == .nfkd }

  func apply(to text: inout AlignedText) {
    // No scalar below these is changed or joins another.
    let limit: UInt32 = isComposed ? (isCompatible ? 0xa0 : 0x300) : (isCompatible ? 0xa0 : 0xc0)
    guard text.scalars.contains(where: { $0.value >= limit }) else { return }
    let parts = decomposed(text.scalars)
    text.apply((isComposed ? Self.composed(parts) : parts).map(\.change))
  }

  private struct Part {
    var change: AlignedText.Change
    var combiningClass: UInt8
  }

  private func decomposed(_ scalars: [Unicode.Scalar]) -> [Part] {
    var result: [Part] = []
    result.reserveCapacity(scalars.count)
    // Marks behind the last scalar of class 0 wait to be put in order.
    var ordered = 0
    func sort() {
      guard result.count - ordered > 1 else { return }
      let marks = result[ordered...].enumerated().sorted {
        ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
      }
      result.replaceSubrange(ordered..., with: marks.map(\.element))
    }
    for scalar in scalars {
      for (position, part) in decomposition(scalar).enumerated() {
        let combiningClass =
          part.value >= 0x300 && part.isIn(unicode: 9) ? part.properties.canonicalCombiningClass.rawValue : 0
        if combiningClass == 0 {
          sort()
          ordered = result.count + 1
        }
        let change = AlignedText.Change(scalar: part, difference: position == 0 ? 0 : 1)
        result.append(Part(change: change, combiningClass: combiningClass))
      }
    }
    sort()
    return result
  }

  private func decomposition(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    guard scalar.value >= (isCompatible ? 0xa0 : 0xc0), scalar.isIn(unicode: 9) else { return [scalar] }
    let text = String(scalar)
    let result =
      isCompatible ? text.decomposedStringWithCompatibilityMapping : text.decomposedStringWithCanonicalMapping
    return Array(result.unicodeScalars)
  }

  private static func composed(_ parts: [Part]) -> [Part] {
    var result: [Part] = []
    result.reserveCapacity(parts.count)
    /// Where the last scalar of class 0 stands.
    var starter: Int?
    /// The class of the last scalar behind it that was not joined.
    var last: UInt8?
    for part in parts {
      if let place = starter, last.map({ $0 < part.combiningClass }) ?? true,
        let joined = composition(result[place].change.scalar, part.change.scalar)
      {
        result[place].change.scalar = joined
        result[place].change.difference += part.change.difference - 1
        continue
      }
      if part.combiningClass == 0 {
        starter = result.count
        last = nil
      } else {
        last = part.combiningClass
      }
      result.append(part)
    }
    return result
  }

  private static func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    guard second.value >= 0x300 else { return nil }
    if let syllable = hangul(first.value, second.value) { return syllable }
    let joined = String([first, second]).precomposedStringWithCanonicalMapping.unicodeScalars
    return joined.count == 1 ? joined.first : nil
  }

  /// A Korean syllable of its parts, which Foundation leaves apart where there are three.
  private static func hangul(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    let (leading, vowel, trailing, syllable) = (UInt32(0x1100), UInt32(0x1161), UInt32(0x11a7), UInt32(0xac00))
    if (leading..<leading + 19).contains(first), (vowel..<vowel + 21).contains(second) {
      return Unicode.Scalar(syllable + ((first - leading) * 21 + (second - vowel)) * 28)
    }
    if (syllable..<syllable + 11172).contains(first), (first - syllable) % 28 == 0,
      (trailing + 1..<trailing + 28).contains(second)
    {
      return Unicode.Scalar(first + (second - trailing))
    }
    return nil
  }
}
