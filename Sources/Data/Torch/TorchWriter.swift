public import LatheCore

extension TorchFile {
  /// The arrays as a file that `torch.load` reads, `weights_only` too.
  ///
  /// It is an ordered dictionary of tensors, each with a storage of its own. The same arrays give the same bytes.
  ///
  /// - Throws: A diagnostic, with `file` as its place, when two arrays have one name or memory runs out.
  public func bytes(for file: String) throws(DiagnosticsError) -> [UInt8] {
    try members.requireDistinctNames(for: file)
    let members = members.map { member in
      NamedArray(
        name: member.name,
        array: member.array.widened { type in TorchGlobal.types.contains { $0.dtype == type } })
    }
    var pickler = TorchPickler()
    let pickle = pickler.pickled(members)
    var files = [
      FileContent(path: "archive/data.pkl", bytes: pickle), FileContent(path: "archive/byteorder", text: "little"),
    ]
    for (index, member) in members.enumerated() {
      files.append(FileContent(path: "archive/data/\(index)", bytes: member.array.bytes))
    }
    files.append(FileContent(path: "archive/version", text: "3\n"))
    return try files.zipped(.stored, for: file, as: "PyTorch")
  }

  /// Writes a .pt or .pth file, all of it or nothing.
  ///
  /// - Throws: A diagnostic with the path as its place.
  public func write(to path: String) throws(DiagnosticsError) {
    try bytes(for: path).writeAtomically(to: path)
  }
}

/// How many elements lie between neighbours of each axis; where there are no elements, anything.
private func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  if shape.contains(0) { return strides }
  for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
  return strides
}

/// Writes the pickle, protocol 2, of an ordered dictionary of tensors.
private struct TorchPickler {
  private var bytes: [UInt8] = []

  mutating func pickled(_ members: [NamedArray]) -> [UInt8] {
    bytes = [0x80, 2]
    emptyDictionary()
    mark()
    for (index, member) in members.enumerated() {
      text(member.name)
      tensor(member.array, storage: index)
    }
    bytes.append(UInt8(ascii: "u"))  // SETITEMS
    bytes.append(UInt8(ascii: "."))  // STOP
    return bytes
  }

  /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`; v3 names the type of a storage of bytes.
  private mutating func tensor(_ array: NDArray, storage: Int) {
    guard let type = TorchGlobal.types.first(where: { $0.dtype == array.dtype }) else {
      internalError("\(array.dtype) has no name in PyTorch")
    }
    global("torch._utils", type.storage == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    mark()
    mark()
    text("storage")
    if let storage = type.storage { global("torch", storage) } else { global("torch.storage", "UntypedStorage") }
    text("\(storage)")
    text("cpu")
    integer(type.storage == nil ? array.bytes.count : array.count)
    bytes.append(UInt8(ascii: "t"))  // TUPLE
    bytes.append(UInt8(ascii: "Q"))  // BINPERSID
    integer(0)
    tuple(array.shape)
    tuple(rowMajorStrides(array.shape))
    bytes.append(0x89)  // NEWFALSE
    emptyDictionary()
    if type.storage == nil { global("torch", type.name) }
    bytes.append(UInt8(ascii: "t"))
    bytes.append(UInt8(ascii: "R"))  // REDUCE
  }

  private mutating func mark() { bytes.append(UInt8(ascii: "(")) }

  private mutating func emptyDictionary() {
    global("collections", "OrderedDict")
    bytes.append(UInt8(ascii: ")"))  // EMPTY_TUPLE
    bytes.append(UInt8(ascii: "R"))
  }

  private mutating func global(_ module: String, _ name: String) {
    bytes.append(UInt8(ascii: "c"))
    bytes += Array("\(module)\n\(name)\n".utf8)
  }

  private mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "X"))  // BINUNICODE
    append(text.utf8.count, 4)
    bytes += Array(text.utf8)
  }

  private mutating func tuple(_ integers: [Int]) {
    mark()
    for integer in integers { self.integer(integer) }
    bytes.append(UInt8(ascii: "t"))
  }

  private mutating func integer(_ integer: Int) {
    if let small = Int32(exactly: integer) {
      bytes.append(UInt8(ascii: "J"))  // BININT
      append(Int(small), 4)
    } else {
      bytes += [0x8a, 8]  // LONG1
      append(integer, 8)
    }
  }

  private mutating func append(_ integer: Int, _ count: Int) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: integer >> (index * 8))) }
  }
}
