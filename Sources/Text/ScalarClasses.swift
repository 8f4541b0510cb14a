/// The classes of scalars that tokenizers divide texts by, as the crate `tokenizers` has them.
///
/// Its parts go by tables of different versions of Unicode, which results should not depend on, but do: scalars that are
/// younger than a table are in no class. What has changed its class since is listed.
extension Unicode.Scalar {
  private var category: Unicode.GeneralCategory { properties.generalCategory }

  /// Whether a version of Unicode has the scalar.
  func isIn(unicode version: Int) -> Bool { value < 0x300 || properties.age.map { $0.major <= version } ?? false }

  /// The class, as Oniguruma and the crate `regex` know it.
  var patternCategory: Unicode.GeneralCategory {
    // A letter that has lost its case.
    if value == 0x295 { return .otherLetter }
    return value < 0x300 || category == .unassigned || isIn(unicode: 16) ? category : .unassigned
  }

  /// White_Space.
  var isSpace: Bool { value < 0x80 ? value == 0x20 || (0x09...0x0d).contains(value) : properties.isWhitespace }

  /// What BERT takes for control characters, apart from tabulators and line ends: of Unicode 8.
  var isBERTControl: Bool {
    switch category {
    case .control: ![0x09, 0x0a, 0x0d].contains(value)
    case .format: isIn(unicode: 8)
    case .privateUse: true
    default: false
    }
  }

  /// What BERT takes for punctuation: all in ASCII that is no letter, number or space, and that of Unicode 8.
  var isBERTPunctuation: Bool {
    if value < 0x80 {
      return (0x21...0x2f).contains(value) || (0x3a...0x40).contains(value) || (0x5b...0x60).contains(value)
        || (0x7b...0x7e).contains(value)
    }
    switch category {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return isIn(unicode: 8)
    default: return value == 0x166d || value == 0x111c9
    }
  }

  /// The ideographs between which BERT puts spaces.
  var isBERTIdeograph: Bool {
    switch value {
    case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f, 0x2b740...0x2b81f, 0x2b920...0x2ceaf,
      0xf900...0xfaff, 0x2f800...0x2fa1f:
      true
    default: false
    }
  }

  /// The accents that BERT takes off: of Unicode 8.
  var isBERTAccent: Bool {
    switch value {
    case 0x1734, 0x1171e: true
    case 0x1885, 0x1886, 0xa9bd, 0x111c9: false
    default: category == .nonspacingMark && isIn(unicode: 8)
    }
  }

  /// What StripAccents takes off: all marks of Unicode 9.
  var isAccent: Bool {
    switch value {
    case 0x1cf2, 0x1cf3: true
    case 0x111c9: false
    default: [.nonspacingMark, .spacingMark, .enclosingMark].contains(category) && isIn(unicode: 9)
    }
  }

  var isNumeric: Bool {
    switch category {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }

  /// What `\w` is in Rust: Alphabetic, marks, decimal digits, connectors, and what joins.
  var isWord: Bool { isPatternWord || properties.isJoinControl }

  /// What `\w` is in a set of Oniguruma: Alphabetic, marks, decimal digits and connectors.
  var isPatternWord: Bool {
    switch patternCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    case .unassigned: false
    default: properties.isAlphabetic
    }
  }
}
