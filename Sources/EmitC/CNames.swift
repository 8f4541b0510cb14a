/// Names for C, each given out once, that mean nothing else where they stand.
///
/// Whatever a file declares for all functions begins with the model's name, and a name inside of functions does not;
/// so only names of the language and of the headers are left to avoid.
struct CNames {
  private var taken: Set<String>
  /// What names at the file's level begin with; local names do not.
  private let prefix: String

  /// Names inside of functions.
  ///
  /// - Parameter model: What names at the file's level begin with.
  init(insideOf model: String) {
    prefix = model + "_"
    taken = Self.reserved
  }

  /// What names at the file's level have behind the model's.
  ///
  /// - Parameters:
  ///   - functions: The model's functions, which names with something behind them belong to as well.
  ///   - variants: What the names of variants' functions begin with.
  init(behind model: String, functions: [String] = [], variants: [String] = []) {
    prefix = ""
    taken = []
    self.model = model
    self.functions = functions
    self.variants = variants
  }

  /// At the file's level: the model's name, and what the variants' names begin with.
  private var model: String?
  private var functions: [String] = []
  private var variants: [String] = []

  /// The wish itself, or the wish with the first free number behind it.
  mutating func unique(_ wish: String) -> String {
    var base = Self.identifier(wish)
    if isOfOthers(base) { base = "x_" + base }
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = base.last?.isNumber == true ? "\(base)_\(number)" : "\(base)\(number)"
      number += 1
    }
    return name
  }

  /// Whether the name belongs to a family that is not ours, so that no number behind it helps.
  private func isOfOthers(_ name: String) -> Bool {
    guard let model else { return name.lowercased().hasPrefix(prefix.lowercased()) || Self.isOfHeaders(name) }
    return Self.isOfHeaders("\(model)_\(name)") || Self.isOfFile(name) || CHelper.isName(name)
      || functions.contains {
        name.lowercased() == $0.lowercased() || name.lowercased().hasPrefix($0.lowercased() + "_")
      }
      || variants.contains { name.lowercased().hasPrefix($0.lowercased() + "_") }
  }

  /// Whether the headers that emitted files include, or may come to include, define such names as macros.
  private static func isOfHeaders(_ name: String) -> Bool {
    ["_MAX", "_MIN", "_WIDTH"].contains(where: name.hasSuffix)
      || [
        "ADJ_", "CLOCK_", "CLONE_", "CPU_", "FP_", "HUGE_VAL", "L_", "MOD_", "M_", "PTHREAD_", "RENAME_", "SCHED_",
        "SEEK_", "SNAN", "STA_",
      ].contains(where: name.hasPrefix)
  }

  /// Whether the file itself may have a function, type or macro of that name behind the model's.
  private static func isOfFile(_ name: String) -> Bool {
    let name = name.lowercased()
    return fileWords.contains(name) || ["input_", "output_", "error_", "bench_"].contains(where: name.hasPrefix)
      || ["_arguments", "_part"].contains(where: name.hasSuffix)
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

  private static let fileWords: Set<String> = [
    "after_loop", "alignment", "arena_bytes", "call", "check_weights", "choice", "exceeding", "exceeding_size",
    "forced_target", "give", "gradient", "h", "hooks",
    "independent", "initialize", "kernel", "load", "load_weights", "memory", "now", "npy_has", "ok",
    "parallel", "pause", "profile", "read_npy", "run", "save", "share", "spins", "start_threads",
    "state_bytes", "state_hash", "state_magic", "status", "stop_threads", "target", "threads", "threads_bytes",
    "threads_max", "variable",
    "variable_count", "variables", "weights", "weights_bytes", "weights_header", "work", "worker", "worker_main",
    "write_npy",
  ]

  /// What a name inside of functions must not be: what the functions, or headers that C++ reads, understand otherwise.
  static let reserved = Set(
    keywords + types + macros + library + mathematics.flatMap { [$0, $0 + "f", $0 + "l"] } + own)

  /// Of C up to C23, of C++, and what compilers define.
  private static let keywords = [
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
    "true", "false", "typeof", "typeof_unqual", "alignas", "alignof", "static_assert", "thread_local", "constexpr",
    "nullptr", "asm", "near", "far", "linux", "unix", "and", "and_eq", "bitand", "bitor", "catch", "char8_t",
    "char16_t", "char32_t", "class", "compl", "concept", "consteval", "constinit", "const_cast", "co_await",
    "co_return", "co_yield", "decltype", "delete", "dynamic_cast", "explicit", "export", "friend", "mutable",
    "namespace", "new", "noexcept", "not", "not_eq", "operator", "or", "or_eq", "private", "protected", "public",
    "reinterpret_cast", "requires", "static_cast", "template", "this", "throw", "try", "typeid", "typename", "using",
    "virtual", "wchar_t", "xor", "xor_eq",
  ]

  private static let types = [
    "double_t", "float_t", "intmax_t", "intptr_t", "max_align_t", "ptrdiff_t", "pthread_cond_t", "pthread_mutex_t",
    "pthread_t", "size_t", "ssize_t", "time_t", "timespec", "uintmax_t", "uintptr_t", "va_list", "FILE", "int8_t",
    "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
  ]

  private static let macros = [
    "BIG_ENDIAN", "BUFSIZ", "BYTE_ORDER", "DOMAIN", "EXIT_FAILURE", "EXIT_SUCCESS", "FALSE", "FD_SETSIZE",
    "LITTLE_ENDIAN", "NFDBITS", "OVERFLOW", "PDP_ENDIAN", "PLOSS", "SING", "TLOSS", "TRUE", "UNDERFLOW", "WCONTINUED",
    "WEXITED", "WNOHANG", "WNOWAIT", "WSTOPPED", "WUNTRACED", "BUFSIZ", "CLK_TCK", "CLOCKS_PER_SEC", "EOF", "HUGE_VAL",
    "HUGE_VALF", "HUGE_VALL", "INFINITY", "MAXFLOAT",
    "MATH_ERRNO", "MATH_ERREXCEPT", "NAN", "NULL", "P_tmpdir", "TIMER_ABSTIME", "TIME_UTC", "errno",
    "math_errhandling", "offsetof", "sched_priority", "signgam", "stderr", "stdin", "stdout", "INT8_C", "INT16_C",
    "INT32_C", "INT64_C", "UINT8_C", "UINT16_C", "UINT32_C", "UINT64_C",
  ]

  /// The functions of the library that are called, by their names for `double`.
  private static let mathematics = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "erf",
    "erfc", "exp", "exp2", "expm1", "fabs", "fdim", "floor", "fma", "fmax", "fmin", "fmod", "gamma", "hypot",
    "isfinite", "isinf", "isnan", "ldexp", "lgamma", "log", "log10", "log1p", "log2", "nan", "nearbyint", "pow",
    "remainder", "rint", "round", "signbit", "sin", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc",
  ]

  private static let library = [
    "clock_gettime", "exit", "fclose", "fopen", "fprintf", "fread", "fwrite", "main", "malloc", "memcmp", "memcpy",
    "memset", "printf",
    "snprintf", "strcmp", "strlen", "strstr",
  ]

  /// What the emitted functions call their own variables.
  private static let own = [
    "arena", "state", "weights", "memory", "status", "failure", "threads", "parallel", "hooks", "start", "half",
  ]
}
