import LatheCore
import LatheData
import Testing

/// An archive as PyTorch's, with a pickle and the bytes of storages.
private func archive(_ pickle: [UInt8], _ storages: [[UInt8]] = []) throws -> [UInt8] {
  let data = storages.enumerated().map { FileContent(path: "archive/data/\($0.offset)", bytes: $0.element) }
  return try ([FileContent(path: "archive/data.pkl", bytes: pickle)] + data).zipped(.stored, for: "x.pt", as: "PyTorch")
}

/// Instructions of a pickle: texts as they are, numbers as bytes.
private func pickle(_ parts: Any...) -> [UInt8] {
  parts.flatMap { ($0 as? String).map { Array($0.utf8) } ?? [UInt8(truncatingIfNeeded: $0 as? Int ?? 0)] }
}

/// The pickle of a tensor of one f32 storage of `count` elements.
private func tensor(count: Int, offset: Int, sizes: [Int], strides: [Int], key: String = "0") -> [UInt8] {
  func tuple(_ integers: [Int]) -> [UInt8] {
    Array("(".utf8)
      + integers.flatMap { integer in [0x8a, 8] + (0..<8).map { UInt8(truncatingIfNeeded: integer >> ($0 * 8)) } }
      + Array("t".utf8)
  }
  return pickle("ctorch._utils\n_rebuild_tensor_v2\n((", 0x8c, 7, "storagectorch\nFloatStorage\n", 0x8c, key.utf8.count)
    + pickle(key, 0x8c, 3, "cpuK", count, "tQK", offset) + tuple(sizes) + tuple(strides) + pickle(0x89, "}tR.")
}

@Suite struct TorchFileTests {
  private func read(_ name: String) throws -> TorchFile { try TorchFile(bytes: fixture(name).bytes, from: name) }

  @Test(arguments: ScalarType.computed)
  func readsEveryType(_ dtype: ScalarType) throws {
    #expect(try read("types.pt")[dtype.rawValue] == fixtureArray(dtype))
  }

  @Test func readsNamesAndScalars() throws {
    let file = try read("types.pt")
    #expect(file.members.count == ScalarType.computed.count + 3)
    #expect(file["layer.0/größe"] == NDArray(scalar: .float(2), dtype: .f32))
    #expect(file["empty"]?.shape == [0, 3])
    #expect(file["a \"quoted\"\n\u{1} name"] == NDArray([Int64(0), 1, 2]))
    #expect(try read("tensor.pt").members == [NamedArray(name: "", array: NDArray([Int64(0), 1, 2]))])
  }

  @Test(arguments: ["views.pt", "legacy-views.pth"])
  func viewsHaveTheirElements(_ name: String) throws {
    let file = try read(name)
    let base = (0..<24).map { Float($0) }
    let transposed = (0..<4).flatMap { k in (0..<2).flatMap { i in (0..<3).map { j in base[i * 12 + j * 4 + k] } } }
    #expect(file.members.map(\.name) == ["transposed", "offset", "repeated", "whole", "tied"])
    #expect(try file["transposed"] == NDArray(transposed, shape: [4, 2, 3]))
    #expect(try file["offset"] == NDArray([Float(16), 18, 20, 22], shape: [2, 2]))
    #expect(try file["repeated"] == NDArray([Float(1), 2, 1, 2, 1, 2], shape: [3, 2]))
    #expect(try file["whole"] == NDArray(base, shape: [2, 3, 4]))
    #expect(file["tied"] == file["whole"])
  }

  @Test(arguments: ["checkpoint.pt", "protocol4.pt", "legacy.pth"])
  func checkpointsHaveDottedNames(_ name: String) throws {
    let file = try read(name)
    #expect(
      file.members.map(\.name) == [
        "model.0.weight", "model.0.bias", "model.1.weight", "model.1.bias", "model.1.running_mean",
        "model.1.running_var", "model.1.num_batches_tracked", "parameter", "epoch", "best", "done",
        "optimizer.state.0.step", "optimizer.param_groups.0.lr", "optimizer.param_groups.0.params.0",
        "optimizer.param_groups.0.params.1", "size.0", "size.1", "negative",
      ])
    #expect(try file["model.0.weight"] == NDArray([Float(1), 2], shape: [1, 2]))
    #expect(file["model.0.bias"] == NDArray([Float(3)]))
    #expect(file["model.1.num_batches_tracked"] == NDArray(scalar: .integer(0), dtype: .i64))
    #expect(file["parameter"] == NDArray([Float(1), 1]))
    #expect(file["epoch"] == NDArray(scalar: .integer(3), dtype: .i64))
    #expect(file["best"] == NDArray(scalar: .float(0.5), dtype: .f64))
    #expect(file["done"] == NDArray(scalar: .integer(1), dtype: .bool))
    #expect(file["optimizer.state.0.step"] == NDArray(scalar: .float(7), dtype: .f32))
    #expect(file["optimizer.param_groups.0.lr"] == NDArray(scalar: .float(0.25), dtype: .f64))
    #expect(file["size.1"] == NDArray(scalar: .integer(3), dtype: .i64))
    #expect(file["negative"] == NDArray(scalar: .integer(-(1 << 40)), dtype: .i64))
  }

  @Test func readsBackWhatItWrites() throws {
    let members = try read("types.pt").members
    let bytes = try TorchFile(members).bytes(for: "x.pt")
    #expect(try TorchFile(bytes: bytes, from: "x.pt").members == members)
    #expect(try TorchFile([]).bytes(for: "x.pt") == TorchFile([]).bytes(for: "x.pt"))
    #expect(try TorchFile(bytes: TorchFile([]).bytes(for: "x.pt"), from: "x.pt").members == [])
  }

  /// The file is one that `tools/data-fixtures` has had PyTorch read.
  @Test func writesWhatPyTorchHasRead() throws {
    #expect(try TorchFile(read("types.pt").members).bytes(for: "x.pt") == fixture("written.pt").bytes)
  }

  @Test func whatIsNoStateIsRefusedByName() throws {
    for (name, message) in [
      (
        "module.pt",
        "needs 'torch.nn.modules.linear.Linear', '__builtin__.set'; only tensors, numbers and texts in dictionaries and "
          + "lists are read"
      ),
      (
        "complex.pt",
        "needs 'torch.ComplexFloatStorage'; only tensors, numbers and texts in dictionaries and lists are read"
      ),
      ("script.pt", "is a TorchScript program: load it in Python, and save its state_dict()"),
      ("stored.npz", "is no PyTorch file: it has no member 'weight.npy/data.pkl'"),
      ("f32.npy", "is no PyTorch file: it is neither a zip archive nor has it the first bytes of older files"),
    ] {
      let error = #expect(throws: DiagnosticsError.self) { try read(name) }
      #expect(error?.description == "\(name): error: \(message)")
    }
  }

  @Test(arguments: [
    (pickle("cos\nsystem\n(", 0x8c, 2, "lstR."), "needs 'os.system'; only tensors, numbers and texts"),
    (pickle(0x80, 2, "}q", 0), "has a garbled pickle: it ends without its last instruction, at byte 5"),
    (pickle("t."), "has a garbled pickle: a mark is missing, at byte 1"),
    (pickle("(0."), "has a garbled pickle: a value is missing, at byte 2"),
    (pickle("}K", 1, "a."), "has a garbled pickle: something other than a list gets elements"),
    (pickle("}(K", 1, "u."), "has a garbled pickle: something other than a dictionary gets keys and values"),
    (pickle("h", 0, "."), "has a garbled pickle: nothing was noted as 0"),
    (pickle("X", 255, 255, 255, 255, "a."), "has a garbled pickle: it ends within an instruction"),
    (pickle(0x8d, 255, 255, 255, 255, 255, 255, 255, 255, "a."), "has a garbled pickle: it ends within an instruction"),
    (pickle("I1\n."), "has a garbled pickle: the instruction 73 is none that a state of tensors takes, at byte 1"),
    (pickle("K", 1, "K", 1, "R."), "has a garbled pickle: something other than a function is called"),
    (pickle("]q", 0, "h", 0, "a."), "is nested too deeply, or endless"),
    (pickle("}(", 0x88, "K", 1, "u."), "has a key that is neither text nor an integer"),
    (pickle("ctorch\nfloat32\n)R."), "calls 'torch.float32', which is not known to be called"),
    (pickle("ctorch._utils\n_rebuild_tensor_v2\n)R."), "tensor '' is not put together in a known way"),
    (pickle("K", 1, "Q."), "has a storage that is not named in a known way"),
    (tensor(count: 4, offset: 0, sizes: [2, 2], strides: [2, 1], key: "9"), "has no member 'archive/data/9'"),
    (
      tensor(count: 5, offset: 0, sizes: [2, 2], strides: [2, 1]),
      "member 'archive/data/0' has 16 bytes in place of 5 elements of type f32"
    ),
    (
      tensor(count: 4, offset: 1, sizes: [2, 2], strides: [2, 1]),
      "tensor '' is f32[2, 2] from element 1 on, with strides [2, 1], of a storage of 4 elements"
    ),
    (tensor(count: 4, offset: 0, sizes: [2], strides: [1, 1]), "tensor '' is not put together in a known way"),
    (tensor(count: 4, offset: 0, sizes: [-1], strides: [1]), "tensor '' has the absurd type f32[-1]"),
    (tensor(count: 4, offset: 0, sizes: [3], strides: [.max]), "tensor '' reaches out of its storage"),
    (
      tensor(count: 4, offset: 0, sizes: [1 << 40, 1 << 40], strides: [0, 0]),
      "tensor '' has the absurd type f32[1099511627776, 1099511627776]"
    ),
    (
      tensor(count: 4, offset: 0, sizes: [1 << 30], strides: [0]),
      "tensor '' is f32[1073741824], of a storage of 4 elements: too much of an expansion"
    ),
  ])
  func hostilePicklesAreDiagnostics(_ pickle: [UInt8], _ message: String) throws {
    let bytes = try archive(pickle, [[UInt8](repeating: 0, count: 16)])
    let error = #expect(throws: DiagnosticsError.self) { try TorchFile(bytes: bytes, from: "x.pt") }
    #expect(error?.description.hasPrefix("x.pt: error: \(message)") == true, "\(error?.description ?? "")")
  }

  @Test func tensorsWithoutElementsHaveAnySizes() throws {
    let sizes = [1 << 40, 1 << 40, 0]
    let bytes = try archive(
      tensor(count: 4, offset: 0, sizes: sizes, strides: [1, 1, 1]), [[UInt8](repeating: 0, count: 16)])
    #expect(try TorchFile(bytes: bytes, from: "x.pt").members.map(\.array.shape) == [sizes])
  }

  /// The text that names the order of bytes may also be what another key has.
  @Test func theOrderOfBytesIsAKey() throws {
    let magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e].map(UInt8.init)
    let machine = pickle("}(", 0x8c, 1, "a", 0x8c, 13, "little_endianu.")
    let bytes = magic + pickle("M", 0xe9, 3, ".") + machine
    let error = #expect(throws: DiagnosticsError.self) { try TorchFile(bytes: bytes, from: "x.pth") }
    #expect(error?.diagnostics.first?.message.contains("it ends without its last instruction") == true)
  }

  /// Lists of lists, each twice in the next: 2^60 elements in a few bytes.
  @Test func aSmallPickleDoesNotBecomeEndless() throws {
    let nested = pickle("]") + (0..<60).flatMap { _ in pickle("2", 0x86) } + pickle(".")
    let error = #expect(throws: DiagnosticsError.self) { try TorchFile(bytes: archive(nested), from: "x.pt") }
    #expect(error?.diagnostics.first?.message == "is nested too deeply, or endless")
  }

  @Test(arguments: ["checkpoint.pt", "legacy.pth"])
  func everyTruncationIsADiagnostic(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for length in bytes.indices {
      let error = #expect(throws: DiagnosticsError.self) { try TorchFile(bytes: Array(bytes[..<length]), from: name) }
      #expect(error?.diagnostics.first?.location.file == name)
    }
  }

  @Test(arguments: ["checkpoint.pt", "legacy.pth", "protocol4.pt"])
  func noFlippedByteTraps(_ name: String) throws {
    let bytes = try fixture(name).bytes
    for position in bytes.indices {
      for mask: UInt8 in [0x01, 0x80, 0xff] {
        var flipped = bytes
        flipped[position] ^= mask
        do throws(DiagnosticsError) {
          _ = try TorchFile(bytes: flipped, from: name)
        } catch {
          #expect(error.diagnostics.first?.location.file == name)
        }
      }
    }
  }
}

@Suite struct StateTests {
  @Test(arguments: ["x.pt", "x.pth", "x.safetensors", "x.npz"])
  func loadGivesWhatWasSaved(_ name: String) throws {
    try withTemporaryFolder { folder in
      let state = ["fc.weight": fixtureArray(.f32), "fc.bias": fixtureArray(.i64), "steps": fixtureArray(.bool)]
      let path = "\(folder)/\(name)"
      try save(state, path)
      #expect(try load(path) == state)
      #expect(try load(path, prefix: "fc.") == ["weight": fixtureArray(.f32), "bias": fixtureArray(.i64)])
      #expect(try loadURL("file://\(path)") == state)
      #expect(try loadURL(path) == state)
      #expect(try loadURL("https://example.org/models/\(name)", modelDir: folder) == state)
      let error = #expect(throws: DiagnosticsError.self) { try load(path, prefix: "model.") }
      #expect(
        error?.description
          == "\(path): error: has nothing that begins with 'model.'\n  help: its names begin with fc, steps")
    }
  }

  @Test func otherSuffixesAreRefused() {
    let saved = #expect(throws: DiagnosticsError.self) { try save([String: NDArray](), "x.bin") }
    #expect(
      saved?.description
        == "x.bin: error: names no form of a state: its suffix must be .pt, .pth, .safetensors or .npz")
    let loaded = #expect(throws: DiagnosticsError.self) { try load("x.bin") }
    #expect(loaded?.description == "x.bin: error: is no state: its suffix must be .pt, .pth, .safetensors or .npz")
  }

  @Test func nothingIsDownloaded() {
    let url = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
    let error = #expect(throws: DiagnosticsError.self) { try loadURL(url, modelDir: "/nowhere") }
    #expect(
      error?.description
        == """
        /nowhere/resnet18-f37072fd.pth: error: is not there, and Lathe downloads nothing
          help: put \(url) there
        """)
  }

  @Test func tensorsTakeNoAttributes() throws {
    let changed = tensor(count: 2, offset: 0, sizes: [2], strides: [1]).dropLast() + pickle("}b.")
    let fault = #expect(throws: DiagnosticsError.self) {
      try TorchFile(bytes: archive(Array(changed), [[UInt8](repeating: 0, count: 8)]), from: "x.pt")
    }
    #expect(fault?.description.contains("attributes of something other than a dictionary are set") == true)
  }
}
