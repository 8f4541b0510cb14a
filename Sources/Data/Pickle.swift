/// A value that a pickle describes.
///
/// Nothing is run: what the pickle would call is named with its arguments. Values with parts are numbers of lists in the
/// ``Pickle``, so that parts may be shared and even contain themselves.
enum PickleValue: Hashable {
  case none
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  /// Where in the pickle bytes are, or a text of Python 2 that is none.
  case bytes(Range<Int>)
  /// An integer of more than 64 bits.
  case other
  /// A function or class by its module and name.
  case global(String)
  case tuple(Int)
  case list(Int)
  /// Keys and values by turns.
  case dictionary(Int)
  /// A function, the tuple of its arguments, and where one is set the state of what it gives.
  case call(Int)
  /// The name of what is kept outside of the pickle.
  case persistent(Int)
}

/// Python's format of an object, protocols 2 to 5, as far as data goes.
///
/// Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py
struct Pickle {
  /// The object.
  private(set) var root = PickleValue.none
  /// Where the pickle ends.
  private(set) var end: Int
  /// The parts of tuples, lists, dictionaries, calls and persistent names.
  private var parts: [[PickleValue]] = []

  private let bytes: ArraySlice<UInt8>
  private let takesState: Bool
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Reads the pickle at the beginning of `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: The pickle, and what may follow it.
  ///   - takesState: Whether what a call gives may get a state.
  ///   - isKnown: Whether a function or class may be named.
  /// - Throws: The functions and classes that may not, or what else is wrong.
  init(
    _ bytes: ArraySlice<UInt8>, takesState: Bool = false, isKnown: (String) -> Bool = { _ in false }
  ) throws(FileFault) {
    self.bytes = bytes
    self.takesState = takesState
    end = bytes.startIndex
    var fault: FileFault?
    do throws(FileFault) {
      while try step() {}
    } catch {
      fault = error
    }
    let foreign = globals.filter { !isKnown($0) }.map { "'\($0)'" }
    if !foreign.isEmpty {
      throw FileFault(
        "needs \(foreign.joined(separator: ", ")); only tensors, numbers and texts in dictionaries and lists are read")
    }
    if let fault { throw fault }
    stack = []
    memo = [:]
  }

  subscript(index: Int) -> [PickleValue] { parts[index] }

  /// The bytes of a value that has some.
  func content(of value: PickleValue) -> [UInt8]? {
    switch value {
    case .bytes(let range): Array(bytes[range])
    case .string(let text): Array(text.utf8)
    default: nil
    }
  }

  /// What a dictionary has under a text; nil where it has nothing.
  func value(of key: String, in dictionary: Int) -> PickleValue? {
    let fields = parts[dictionary]
    return stride(from: 0, to: fields.count, by: 2).first { fields[$0] == .string(key) }.map { fields[$0 + 1] }
  }

  /// The names of what is kept outside, in the order of the pickle.
  var persistentNames: [PickleValue] { persistent.map { parts[$0][0] } }

  private var persistent: [Int] = []
  /// The functions and classes that are named, each once.
  private var globals: [String] = []
}

// MARK: The machine

extension Pickle {
  /// Carries out one instruction; false after the last one.
  private mutating func step() throws(FileFault) -> Bool {
    let code = try byte()
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try integer(8)  // FRAME
    case UInt8(ascii: "."):
      root = try pop()
      return false
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popMarked()
    case UInt8(ascii: "2"): stack.append(try top())

    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88, 0x89: stack.append(.bool(code == 0x88))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try integer(4)))))
    case UInt8(ascii: "K"): stack.append(.integer(try integer(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try integer(2)))
    case 0x8a: stack.append(long(try take(integer(1))))
    case 0x8b: stack.append(long(try take(integer(4))))
    case UInt8(ascii: "G"):
      stack.append(.float(Double(bitPattern: try take(8).reduce(0) { $0 << 8 | UInt64($1) })))
    case UInt8(ascii: "X"): try appendString(4)
    case 0x8c: try appendString(1)
    case 0x8d: try appendString(8)
    case UInt8(ascii: "T"), UInt8(ascii: "U"):
      let content = try take(integer(code == UInt8(ascii: "T") ? 4 : 1))
      let text = String(validating: content, as: UTF8.self)
      stack.append(text.map { .string($0) } ?? .bytes(content.indices))
    case UInt8(ascii: "C"), UInt8(ascii: "B"), 0x8e, 0x96:
      let content = try take(integer(code == UInt8(ascii: "C") ? 1 : code == UInt8(ascii: "B") ? 4 : 8))
      stack.append(.bytes(content.indices))

    case UInt8(ascii: ")"): stack.append(.tuple(made([])))
    case UInt8(ascii: "]"): stack.append(.list(made([])))
    case UInt8(ascii: "}"): stack.append(.dictionary(made([])))
    case UInt8(ascii: "t"): stack.append(.tuple(made(try popMarked())))
    case 0x85, 0x86, 0x87:
      let count = Int(code - 0x84)
      guard stack.count - (marks.last ?? 0) >= count else { throw garbled("a tuple lacks elements") }
      let elements = Array(stack.suffix(count))
      stack.removeLast(count)
      stack.append(.tuple(made(elements)))
    case UInt8(ascii: "a"):
      let element = try pop()
      try append([element])
    case UInt8(ascii: "e"): try append(popMarked())
    case UInt8(ascii: "s"):
      let value = try pop()
      try set([try pop(), value])
    case UInt8(ascii: "u"): try set(popMarked())

    case UInt8(ascii: "q"): memo[try integer(1)] = try top()
    case UInt8(ascii: "r"): memo[try integer(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(integer(1))
    case UInt8(ascii: "j"): try recall(integer(4))

    case UInt8(ascii: "c"):
      let module = try line()
      appendGlobal(module, try line())
    case 0x93:
      guard case (.string(let name), .string(let module)) = (try pop(), try pop()) else {
        throw garbled("a function has no name")
      }
      appendGlobal(module, name)
    case UInt8(ascii: "R"), 0x81:
      let arguments = try pop()
      try call(try pop(), arguments)
    case UInt8(ascii: "b"):
      let state = try pop()
      switch try top() {
      // The attributes of a dictionary, such as a state's `_metadata`, are not read.
      case .dictionary: break
      case .call(let index) where takesState && parts[index].count == 2: parts[index].append(state)
      default: throw garbled("attributes of something other than a dictionary are set")
      }
    case UInt8(ascii: "Q"):
      let name = try pop()
      persistent.append(parts.count)
      stack.append(.persistent(made([name])))
    default:
      throw garbled("the instruction \(code) is none that a state of tensors takes")
    }
    return true
  }

  private func garbled(_ what: String) -> FileFault {
    FileFault("has a garbled pickle: \(what), at byte \(end - bytes.startIndex)")
  }

  private mutating func made(_ elements: [PickleValue]) -> Int {
    parts.append(elements)
    return parts.count - 1
  }

  private mutating func append(_ elements: [PickleValue]) throws(FileFault) {
    guard case .list(let index) = try top() else { throw garbled("something other than a list gets elements") }
    parts[index] += elements
  }

  private mutating func set(_ elements: [PickleValue]) throws(FileFault) {
    guard case .dictionary(let index) = try top(), elements.count % 2 == 0 else {
      throw garbled("something other than a dictionary gets keys and values")
    }
    parts[index] += elements
  }

  /// An ordered dictionary is a dictionary here; every other call is noted.
  private mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(FileFault) {
    guard case .global(let name) = function, case .tuple(let index) = arguments else {
      throw garbled("something other than a function is called")
    }
    if name == "collections.OrderedDict", parts[index].isEmpty {
      stack.append(.dictionary(made([])))
    } else {
      stack.append(.call(made([function, arguments])))
    }
  }

  private mutating func appendGlobal(_ module: String, _ name: String) {
    let global = "\(module).\(name)"
    if !globals.contains(global) { globals.append(global) }
    stack.append(.global(global))
  }

  private mutating func recall(_ index: Int) throws(FileFault) {
    guard let value = memo[index] else { throw garbled("nothing was noted as \(index)") }
    stack.append(value)
  }

  // MARK: The stack

  private func top() throws(FileFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw garbled("a value is missing") }
    return value
  }

  private mutating func pop() throws(FileFault) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popMarked() throws(FileFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw garbled("a mark is missing") }
    let elements = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return elements
  }

  // MARK: The bytes

  private mutating func take(_ count: Int) throws(FileFault) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.endIndex - end else { throw garbled("it ends within an instruction") }
    defer { end += count }
    return bytes[end..<end + count]
  }

  private mutating func byte() throws(FileFault) -> UInt8 {
    guard end < bytes.endIndex else { throw garbled("it ends without its last instruction") }
    defer { end += 1 }
    return bytes[end]
  }

  private mutating func integer(_ count: Int) throws(FileFault) -> Int {
    Int(truncatingIfNeeded: try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  private func long(_ bytes: ArraySlice<UInt8>) -> PickleValue {
    guard let last = bytes.last else { return .integer(0) }
    guard bytes.count <= 8 else { return .other }
    let start: Int = last >= 0x80 ? -1 : 0
    return .integer(bytes.reversed().reduce(start) { $0 << 8 | Int($1) })
  }

  private mutating func appendString(_ lengthSize: Int) throws(FileFault) {
    stack.append(.string(String(decoding: try take(integer(lengthSize)), as: UTF8.self)))
  }

  private mutating func line() throws(FileFault) -> String {
    guard let newline = bytes[end...].firstIndex(of: 0x0a) else { throw garbled("it ends within a name") }
    defer { end = newline + 1 }
    return String(decoding: bytes[end..<newline], as: UTF8.self)
  }
}
