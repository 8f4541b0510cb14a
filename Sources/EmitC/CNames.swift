/// Names for C, each given out once.
struct CNames {
  private var taken: Set<String>

  init(reserved: Set<String> = []) {
    taken = Self.keywords.union(reserved)
  }

  /// The wish itself, or the wish with the first free number behind it.
  mutating func unique(_ wish: String) -> String {
    let base = Self.identifier(wish)
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = base.last?.isNumber == true ? "\(base)_\(number)" : "\(base)\(number)"
      number += 1
    }
    return name
  }

  /// The letter with the first free number behind it, from 0.
  mutating func numbered(_ letter: String) -> String {
    var number = 0
    while !taken.insert("\(letter)\(number)").inserted { number += 1 }
    return "\(letter)\(number)"
  }

  /// A name that nobody else has, out of a list of wishes, or the first wish with a number.
  mutating func first(of wishes: [String]) -> String {
    for wish in wishes where taken.insert(wish).inserted { return wish }
    return unique(wishes[0])
  }

  mutating func release(_ name: String) { taken.remove(name) }

  /// The text with everything that C does not allow in a name replaced by `_`.
  static func identifier(_ text: String) -> String {
    var name = ""
    for character in text.unicodeScalars {
      let allowed =
        character.isASCII
        && (character == "_" || character.properties.isAlphabetic || ("0"..."9").contains(character))
      name.unicodeScalars.append(allowed ? character : "_")
    }
    while name.hasPrefix("_") { name.removeFirst() }
    if name.isEmpty { return "x" }
    return name.first?.isNumber == true ? "x" + name : name
  }

  /// What a local name must not be: keywords of C and C++, names of the headers that the code includes.
  static let keywords: Set<String> = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool", "true", "false",
    "class", "private", "public", "protected", "template", "this", "new", "delete", "namespace", "operator", "using",
    "virtual", "try", "catch", "throw", "friend", "explicit", "export", "typename", "mutable", "nullptr", "asm",
    "constexpr", "thread_local", "alignas", "alignof", "static_assert", "typeof", "typeof_unqual", "decltype", "near",
    "far", "linux", "unix", "and", "or", "not", "xor", "bitand", "bitor", "compl", "NULL", "NAN", "INFINITY",
    "HUGE_VAL",
    "exp", "log", "sqrt", "pow", "sin", "cos", "tan", "floor", "ceil", "trunc", "rint", "erf", "gamma", "lgamma",
    "signgam", "fabs", "fmod", "memcpy", "memset", "memcmp", "strlen", "strcmp", "size_t", "ptrdiff_t", "main", "fopen",
    "fclose", "fread", "fwrite", "printf", "stdin", "stdout", "stderr", "offsetof",
    "round",
    // what the emitted functions call their own variables
    "arena", "state", "weights", "memory", "status", "failure",
  ]
}
