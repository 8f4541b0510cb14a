import Foundation
import Lathe
import LatheLoading
import LatheVision
import Testing

/// The files of tools/golden_datasets.py, and what torchvision reads from them.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"

private let expected: [String: NDArray] = (try? load(root + "/expected.npz")) ?? [:]

/// A fresh copy of a folder of the fixtures, in a root of its own, that is removed after `body`.
private func withCopy(of name: String, _ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.path + "/lathe-datasets-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try FileManager.default.copyItem(atPath: "\(root)/\(name)", toPath: "\(folder)/\(name)")
  try body(folder)
}

@Suite("Datasets of torchvision")
struct DatasetFileTests {
  /// The first images and all classes are torchvision's.
  private func expect<Samples: Dataset>(
    _ dataset: Samples, _ name: String
  ) throws where Samples.Element == (NDArray, Int) {
    let targets = try #require(expected["\(name)/targets"])
    #expect(try (0..<dataset.count).map { try dataset[$0].1 } == targets.integers, "\(name)")
    for index in 0..<min(dataset.count, 8) {
      let image = try #require(expected["\(name)/\(index)"])
      #expect(try dataset[index].0 == image, "\(name)/\(index)")
    }
    #expect(throws: DiagnosticsError.self) { try dataset[dataset.count] }
    #expect(throws: DiagnosticsError.self) { try dataset[-1] }
  }

  @Test("MNIST's form, packed and not") func idx() throws {
    let dataset = try MNIST(root: root)
    try expect(dataset, "mnist")
    #expect(dataset.classes[7] == "7 - seven" && dataset.classToIdx["7 - seven"] == 7)
    #expect(dataset.targets == [3, 9, 0])
    try expect(MNIST(root: root, train: false, download: true), "mnist-test")
    try expect(FashionMNIST(root: root), "fashion")
    try expect(KMNIST(root: root, train: false), "kmnist")
    let letters = try EMNIST(root: root, split: .letters)
    try expect(letters, "emnist")
    #expect(letters.classes.count == 27 && EMNIST.Split.allCases.map(\.classes.count) == [62, 47, 47, 27, 10, 10])
  }

  @Test("CIFAR as pickles and as bytes") func cifar() throws {
    try expect(CIFAR10(root: root), "cifar10")
    try expect(CIFAR10(root: root, train: false), "cifar10-test")
    try expect(CIFAR100(root: root), "cifar100")
    try expect(CIFAR100(root: root, train: false), "cifar100-test")
    let coarse = try CIFAR100(root: root, coarse: true)
    #expect(coarse.classes == ["fruit", "large"] && coarse.targets == [0, 1])
    try withCopy(of: "cifar-10-batches-bin") { folder in
      let dataset = try CIFAR10(root: folder)
      try expect(dataset, "cifar10")
      #expect(dataset.classes == ["airplane", "automobile", "bird"])
    }
    try withCopy(of: "cifar-100-binary") { folder in
      try expect(CIFAR100(root: folder), "cifar100")
      let coarse = try CIFAR100(root: folder, coarse: true)
      #expect(coarse.classes == ["fruit", "large"] && coarse.targets == [0, 1])
    }
  }

  @Test("STL-10, column by column") func stl10() throws {
    try expect(STL10(root: root), "stl10")
    try expect(STL10(root: root, folds: 0), "stl10-fold")
    try expect(STL10(root: root, split: .test), "stl10-test")
    try expect(STL10(root: root, split: .trainAndUnlabeled), "stl10-all")
    #expect(try STL10(root: root, split: .unlabeled).targets == [-1])
    #expect(throws: DiagnosticsError.self) { try STL10(root: root, folds: 10) }
  }

  @Test("images in folders") func folders() throws {
    let dataset = try ImageFolder(root: root + "/folder")
    // Pillow and libjpeg-turbo decode JPEG to the same bytes here.
    try expect(dataset, "folder")
    #expect(dataset.classes == ["Zebra", "cat", "dog"] && dataset.classToIdx["dog"] == 2)
    #expect(
      dataset.samples.map { $0.path.dropFirst(root.count) } == [
        "/folder/Zebra/x.jpeg", "/folder/cat/a.JPG", "/folder/cat/b.png", "/folder/cat/deep/c.png", "/folder/dog/y.png",
      ])
    let notes = try DatasetFolder(root: root + "/folder", extensions: [".TXT"], allowEmpty: true) {
      path throws(DiagnosticsError) in try FileContent(reading: path).bytes.count
    }
    #expect(notes.count == 1 && notes.targets == [2])
    #expect(try notes[0] == (4, 2))
    let missing = #expect(throws: DiagnosticsError.self) { try ImageFolder(root: root) }
    #expect(missing?.description.contains("has no samples of 'EMNIST', 'FashionMNIST'") == true)
    #expect(throws: DiagnosticsError.self) { try ImageFolder(root: root + "/folder/cat/deep") }
    #expect(throws: DiagnosticsError.self) { try ImageFolder(root: "/nonexistent") }
  }

  @Test("LSUN's databases") func lsun() throws {
    let dataset = try LSUN(root: root + "/lsun", classes: ["bedroom_train", "tower_train"])
    try expect(dataset, "lsun")
    #expect(throws: DiagnosticsError.self) { try LSUN(root: root + "/lsun", classes: ["garden_train"]) }
    let missing = #expect(throws: DiagnosticsError.self) { try LSUN(root: root + "/lsun") }
    #expect(missing?.description.contains("lsun: error: LSUN: 'bridge_train_lmdb' is not there") == true)
  }

  @Test("COCO's objects and captions") func coco() throws {
    let objects = try CocoDetection(root: root + "/folder", annFile: root + "/instances.json")
    let captions = try CocoCaptions(root: root + "/folder", annFile: root + "/captions.json")
    #expect(objects.ids == [3, 7] && captions.ids == [3, 7])
    for index in 0..<2 {
      let (image, annotations) = try objects[index]
      #expect(image == expected["coco/\(index)"])
      #expect(annotations.map(\.id) == expected["coco/\(index)/objects"]?.integers)
      #expect(try captions[index].0 == image)
    }
    #expect(try captions[0].1 == ["caption 0"])
    #expect(try captions[1].1 == ["caption 1", "caption 2"])
    let (crowd, others) = (try objects[0].1[0], try objects[1].1)
    #expect(crowd.isCrowd && crowd.segmentation == .runs([0, 4, 95], height: 11, width: 9) && crowd.area == 4)
    #expect(others[0].segmentation == .polygons([[1, 2, 4.5, 2, 4, 6]]) && others[0].bbox == [1, 2, 3.5, 4])
    #expect(others[1].segmentation == .packedRuns("a0b1", height: 6, width: 9) && others[1].categoryID == 2)
    let foreign = #expect(throws: DiagnosticsError.self) {
      try CocoDetection(root: root, annFile: root + "/captions.json")
    }
    #expect(foreign?.description.contains("is no file of annotations: it has no 'annotations.") == true)
    #expect(throws: DiagnosticsError.self) { try CocoCaptions(root: root, annFile: root + "/expected.npz") }
  }

  @Test("transforms are applied, and a loader makes batches") func transforms() async throws {
    let dataset = try MNIST(
      root: root, transform: Compose(ToTensor(), Normalize(mean: [0.5], std: [0.5])), targetTransform: { $0 + 1 })
    let loader = try DataLoader(dataset, batchSize: 3)
    for try await (images, targets) in loader {
      #expect(images.type == TensorType(.f32, [3, 1, 5, 4]))
      #expect(targets.integers == [4, 10, 1])
      #expect(images.doubles[0] == -1)
    }
  }

  @Test("what is missing is said, and where it is looked for") func missing() throws {
    for (download, end) in [(false, ""), (true, ", and Lathe downloads nothing")] {
      let fault = #expect(throws: DiagnosticsError.self) { try MNIST(root: "/data", download: download) }
      #expect(
        fault?.description == """
          /data/MNIST/raw: error: MNIST: 'train-images-idx3-ubyte' or 'train-images-idx3-ubyte.gz' is not there\(end)
            help: get it from https://ossci-datasets.s3.amazonaws.com/mnist/, and put it there
          """)
    }
    #expect(throws: DiagnosticsError.self) { try CIFAR10(root: "/data") }
    #expect(throws: DiagnosticsError.self) { try CIFAR100(root: "/data", train: false) }
    #expect(throws: DiagnosticsError.self) { try STL10(root: "/data") }
  }

  /// Files that are damaged in all ways, small ones at each place: where what is read, and how.
  private static let damaged: [(folder: String, file: String, read: @Sendable (String) throws -> Void)] = [
    ("MNIST", "raw/train-images-idx3-ubyte", { _ = try MNIST(root: $0) }),
    ("MNIST", "raw/train-labels-idx1-ubyte", { _ = try MNIST(root: $0) }),
    ("MNIST", "raw/t10k-images-idx3-ubyte.gz", { _ = try MNIST(root: $0, train: false) }),
    ("cifar-100-python", "test", { _ = try CIFAR100(root: $0, train: false) }),
    ("cifar-100-python", "meta", { _ = try CIFAR100(root: $0, train: false) }),
    ("cifar-100-binary", "test.bin", { _ = try CIFAR100(root: $0, train: false) }),
    ("stl10_binary", "test_y.bin", { _ = try STL10(root: $0, split: .test) }),
    ("stl10_binary", "fold_indices.txt", { _ = try STL10(root: $0, folds: 2) }),
    (
      "lsun", "tower_train_lmdb/data.mdb",
      { folder in
        let dataset = try LSUN(root: folder + "/lsun", classes: ["tower_train"])
        for index in 0..<dataset.count { _ = try? dataset[index] }
      }
    ),
  ]

  @Test("damaged files are faults, never a trap", arguments: damaged.indices) func damage(_ number: Int) throws {
    let (name, file, read) = Self.damaged[number]
    try withCopy(of: name) { folder in
      let path = "\(folder)/\(name)/\(file)"
      let bytes = try FileContent(reading: path).bytes
      try read(folder)
      var generator = SystemRandomNumberGenerator()
      let ends = bytes.count < 400 ? Array(bytes.indices) : (0..<60).map { bytes.count * $0 / 60 }
      for end in ends where !(file.hasSuffix("txt") && end > 1) {
        try Array(bytes.prefix(end)).writeAtomically(to: path)
        #expect(throws: DiagnosticsError.self, "\(file) of \(end) bytes") { try read(folder) }
      }
      for trial in 0..<300 {
        var changed = bytes
        // Most damage is done where sizes and kinds are.
        let position =
          trial % 3 == 0 ? Int.random(in: 0..<bytes.count, using: &generator) : trial % min(bytes.count, 256)
        changed[position] ^= UInt8.random(in: 1...255, using: &generator)
        try changed.writeAtomically(to: path)
        do { try read(folder) } catch is DiagnosticsError {}
      }
    }
  }

  @Test("pickles that are to run something are refused") func hostile() throws {
    try withCopy(of: "cifar-100-python") { folder in
      let pickle = Array("\u{80}\u{02}}(U\u{04}datacos\nsystem\n(U\u{04}trueu.".unicodeScalars.map { UInt8($0.value) })
      try pickle.writeAtomically(to: folder + "/cifar-100-python/test")
      let fault = #expect(throws: DiagnosticsError.self) { try CIFAR100(root: folder, train: false) }
      #expect(fault?.description.contains("needs 'os.system'") == true)
    }
  }
}
