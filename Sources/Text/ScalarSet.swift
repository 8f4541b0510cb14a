/// The scalars that one place of a ``Pattern`` takes.
struct ScalarSet: Sendable {
  indirect enum Item: Sendable {
    case range(ClosedRange<UInt32>)
    case categories(Set<Unicode.GeneralCategory>)
    case space, word, alphabetic, uppercase, lowercase, any
    case set(ScalarSet)
    /// In all of them.
    case intersection([ScalarSet])
  }

  /// What `\w` is by itself in Oniguruma, which then takes the superscripts and fractions of Latin-1 for words, too.
  static let word = ScalarSet([.word, .range(0xb2...0xb3), .range(0xb9...0xb9), .range(0xbc...0xbe)])

  private let items: [Item]
  private let isNegated: Bool
  /// A bit for each scalar of ASCII, so that most texts need no tables.
  private let low: UInt64
  private let high: UInt64

  init(_ items: [Item], isNegated: Bool = false) {
    self.items = items
    self.isNegated = isNegated
    func bits(from start: UInt8) -> UInt64 {
      (0..<64 as Range<UInt8>).reduce(0) { bits, offset in
        let scalar = Unicode.Scalar(start + offset)
        let isIn = items.contains { Self.contains($0, scalar) } != isNegated
        return bits | (isIn ? 1 << UInt64(offset) : 0)
      }
    }
    low = bits(from: 0)
    high = bits(from: 64)
  }

  /// One scalar, where asked for in either case.
  init(_ scalar: Unicode.Scalar, ignoringCase: Bool) {
    var scalars: Set<Unicode.Scalar> = [scalar]
    if ignoringCase {
      for case let other? in [scalar.lower, scalar.upper, scalar.lower?.upper, scalar.upper?.lower] {
        scalars.insert(other)
      }
      // The scalars outside of ASCII whose cases are in it.
      if scalars.contains("s") { scalars.insert("\u{17f}") }
      if scalars.contains("k") { scalars.insert("\u{212a}") }
    }
    self.init(scalars.sorted().map { .range($0.value...$0.value) })
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 64 { return low >> UInt64(scalar.value) & 1 == 1 }
    if scalar.value < 128 { return high >> UInt64(scalar.value - 64) & 1 == 1 }
    return items.contains { Self.contains($0, scalar) } != isNegated
  }

  /// The set with what differs from it in case only.
  var ignoringCase: ScalarSet { ScalarSet([.set(self), .set(ScalarSet(caseInsensitive: self))]) }

  private init(caseInsensitive set: ScalarSet) {
    self.init(
      set.items.flatMap { item -> [Item] in
        guard case .range(let range) = item, range.count < 1000 else { return [item] }
        return range.compactMap(Unicode.Scalar.init).flatMap { scalar in
          [scalar.lower, scalar.upper].compactMap { $0 }.map { .range($0.value...$0.value) }
        }
      }, isNegated: set.isNegated)
  }

  private static func contains(_ item: Item, _ scalar: Unicode.Scalar) -> Bool {
    switch item {
    case .range(let range): range.contains(scalar.value)
    case .categories(let categories): categories.contains(scalar.patternCategory)
    case .space: scalar.isSpace
    case .word: scalar.isPatternWord
    case .alphabetic: scalar.properties.isAlphabetic && scalar.patternCategory != .unassigned
    case .uppercase: scalar.properties.isUppercase
    case .lowercase: scalar.properties.isLowercase
    case .any: true
    case .set(let set): set.contains(scalar)
    case .intersection(let sets): sets.allSatisfy { $0.contains(scalar) }
    }
  }

  /// The set of a property's name in `\p{…}`; nil where it is not known.
  static func property(_ name: String) -> Item? {
    let key = name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" }
    if let categories = categories[key] { return .categories(categories) }
    switch key {
    case "alphabetic", "alpha": return .alphabetic
    case "uppercase", "upper": return .uppercase
    case "lowercase", "lower": return .lowercase
    case "alnum": return .set(ScalarSet([.alphabetic, .categories([.decimalNumber])]))
    case "xdigit": return .set(ScalarSet([.range(0x30...0x39), .range(0x41...0x46), .range(0x61...0x66)]))
    case "whitespace", "space": return .space
    case "word": return .word
    case "any": return .any
    default: return scripts[key].map { .set(ScalarSet($0.map { .range($0) })) }
    }
  }

  /// The scripts that have words of their own in patterns of tokenizers; Swift knows no scripts.
  ///
  /// Source: Unicode Character Database, Scripts.txt.
  private static let scripts: [String: [ClosedRange<UInt32>]] = [
    "han": [
      0x2e80...0x2e99, 0x2e9b...0x2ef3, 0x2f00...0x2fd5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
      0x3038...0x303b, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xf900...0xfa6d, 0xfa70...0xfad9, 0x16fe2...0x16fe3,
      0x16ff0...0x16ff1, 0x20000...0x2a6df, 0x2a700...0x2b739, 0x2b740...0x2b81d, 0x2b820...0x2cea1, 0x2ceb0...0x2ebe0,
      0x2ebf0...0x2ee5d, 0x2f800...0x2fa1d, 0x30000...0x3134a, 0x31350...0x323af,
    ],
    "hiragana": [
      0x3041...0x3096, 0x309d...0x309f, 0x1b001...0x1b11f, 0x1b132...0x1b132, 0x1b150...0x1b152, 0x1f200...0x1f200,
    ],
    "katakana": [
      0x30a1...0x30fa, 0x30fd...0x30ff, 0x31f0...0x31ff, 0x32d0...0x32fe, 0x3300...0x3357, 0xff66...0xff6f,
      0xff71...0xff9d, 0x1aff0...0x1aff3, 0x1aff5...0x1affb, 0x1affd...0x1affe, 0x1b000...0x1b000, 0x1b120...0x1b122,
      0x1b155...0x1b155, 0x1b164...0x1b167,
    ],
  ]

  /// The set of a name in brackets, `[:punct:]`: mostly the property, but punctuation has symbols in it.
  static func named(_ name: String) -> Item? {
    guard name == "punct" else { return property(name) }
    return categories["p"].flatMap { punctuation in categories["s"].map { .categories(punctuation.union($0)) } }
  }

  private static let categories: [String: Set<Unicode.GeneralCategory>] = {
    let all: [(String, Unicode.GeneralCategory)] = [
      ("lu", .uppercaseLetter), ("ll", .lowercaseLetter), ("lt", .titlecaseLetter), ("lm", .modifierLetter),
      ("lo", .otherLetter), ("mn", .nonspacingMark), ("mc", .spacingMark), ("me", .enclosingMark),
      ("nd", .decimalNumber), ("nl", .letterNumber), ("no", .otherNumber), ("pc", .connectorPunctuation),
      ("pd", .dashPunctuation), ("ps", .openPunctuation), ("pe", .closePunctuation), ("pi", .initialPunctuation),
      ("pf", .finalPunctuation), ("po", .otherPunctuation), ("sm", .mathSymbol), ("sc", .currencySymbol),
      ("sk", .modifierSymbol), ("so", .otherSymbol), ("zs", .spaceSeparator), ("zl", .lineSeparator),
      ("zp", .paragraphSeparator), ("cc", .control), ("cf", .format), ("cs", .surrogate), ("co", .privateUse),
      ("cn", .unassigned),
    ]
    var result: [String: Set<Unicode.GeneralCategory>] = [:]
    for (name, category) in all {
      result[name] = [category]
      result[String(name.prefix(1)), default: []].insert(category)
    }
    for (name, short) in [
      ("letter", "l"), ("mark", "m"), ("number", "n"), ("punctuation", "p"), ("punct", "p"), ("symbol", "s"),
      ("separator", "z"), ("other", "c"), ("uppercaseletter", "lu"), ("lowercaseletter", "ll"),
      ("decimalnumber", "nd"), ("digit", "nd"),
    ] { result[name] = result[short] }
    return result
  }()
}

extension Unicode.Scalar {
  fileprivate var lower: Unicode.Scalar? { Self.only(properties.lowercaseMapping) }
  fileprivate var upper: Unicode.Scalar? { Self.only(properties.uppercaseMapping) }

  private static func only(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
  }
}
