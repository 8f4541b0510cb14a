import Foundation
import Lathe
import LatheImages
import LatheVision
import Testing

/// What torchvision makes of images: tools/golden_transforms.py.
private let goldens: [String: NDArray] = {
  let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Goldens/transforms.npz"
  return (try? load(path)) ?? [:]
}()

private typealias F = Functional

private let modes: [(String, ImageInterpolation)] = [
  ("nearest", .nearest), ("nearestExact", .nearestExact), ("bilinear", .bilinear), ("bicubic", .bicubic),
  ("lanczos", .lanczos),
]

/// Transforms without chance by their names.
private let fixed: [String: @Sendable (NDArray) throws -> NDArray] = {
  var found: [String: @Sendable (NDArray) throws -> NDArray] = [
    "hflip": { try F.hflip($0) },
    "vflip": { try F.vflip($0) },
    "crop": { try F.crop($0, top: 2, left: 1, height: 5, width: 6) },
    "cropOutside": { try F.crop($0, top: -2, left: 3, height: 20, width: 4) },
    "centerCrop": { try CenterCrop([6, 7])($0) },
    "centerCropLarger": { try CenterCrop([16, 5])($0) },
    "pad": { try Pad([1, 2, 3, 4], fill: [$0.dtype == .u8 ? 7 : 0.25])($0) },
    "padEdge": { try Pad(3, mode: .edge)($0) },
    "padReflect": { try Pad([2, 1], mode: .reflect)($0) },
    "padSymmetric": { try Pad([1, 2, 3, 4], mode: .symmetric)($0) },
    "padNegative": { try Pad([-1, 2, 3, -2])($0) },
    "toTensor": { try ToTensor()($0) },
    "f32": { try ConvertImageDtype(.f32)($0) },
    "u8": { try ConvertImageDtype(.u8)($0) },
    "i16": { try ConvertImageDtype(.i16)($0) },
    "grayscale": { try Grayscale()($0) },
    "grayscale3": { try Grayscale(numOutputChannels: 3)($0) },
    "invert": { try F.invert($0) },
    "resizedCrop": { try F.resizedCrop($0, top: 1, left: 2, height: 6, width: 5, [9, 4]) },
    "resizeShorter": { try Resize(7)($0) },
    "resizeMax": { try Resize(7, maxSize: 8)($0) },
  ]
  for (name, mode) in modes.filter({ $0.0 == "nearest" || $0.0 == "bilinear" }) {
    for (angle, degrees) in [("90", 90), ("180", 180), ("-30", -30), ("117.5", 117.5)] {
      found["rotate.\(name).\(angle)"] = { try F.rotate($0, degrees, interpolation: mode) }
    }
    found["rotateExpanded.\(name)"] = { try F.rotate($0, 25, interpolation: mode, expand: true, fill: [0.5]) }
    found["rotateCenter.\(name)"] = { try F.rotate($0, 40, interpolation: mode, center: (3, 2), fill: [0.25]) }
    found["affine.\(name)"] = {
      try F.affine($0, angle: 20, translate: (2, -1), scale: 1.3, shear: (10, -5), interpolation: mode)
    }
  }
  for (name, mode) in modes {
    for (height, width) in [(5, 8), (20, 9), (26, 34)] {
      let size = ImageSize(height: height, width: width)
      found["resize.\(name).\(height)x\(width)"] = { try Resize(size, interpolation: mode)($0) }
      found["resize.\(name)Aliased.\(height)x\(width)"] = {
        try Resize(size, interpolation: mode, antialias: false)($0)
      }
    }
  }
  for (name, factor) in [("0", 0), ("0.4", 0.4), ("1.7", 1.7)] {
    found["brightness.\(name)"] = { try F.adjustBrightness($0, factor) }
    found["contrast.\(name)"] = { try F.adjustContrast($0, factor) }
    found["saturation.\(name)"] = { try F.adjustSaturation($0, factor) }
    found["sharpness.\(name)"] = { try F.adjustSharpness($0, factor) }
    found["gamma.\(name)"] = { try F.adjustGamma($0, factor, gain: 1.1) }
  }
  for factor in [-0.5, -0.2, 0.1, 0.5] { found["hue.\(factor)"] = { try F.adjustHue($0, factor) } }
  return found
}()

/// Random transforms by their names.
private let chance: [String: any Transform] = {
  let flips: [any Transform] = [RandomHorizontalFlip(p: 1), RandomVerticalFlip(p: 1)]
  return
    (try? [
      "RandomCrop": RandomCrop(7),
      "RandomCropPadded": RandomCrop([8, 10], padding: [2, 3], mode: .edge),
      "RandomCropLarger": RandomCrop([15, 6], padIfNeeded: true),
      "RandomResizedCrop": RandomResizedCrop(6),
      "RandomResizedCropWide": RandomResizedCrop([5, 9], scale: 0.9...1, ratio: 3...4, antialias: false),
      "RandomHorizontalFlip": RandomHorizontalFlip(),
      "RandomVerticalFlip": RandomVerticalFlip(p: 0.3),
      "RandomGrayscale": RandomGrayscale(p: 0.5),
      "RandomApply": RandomApply(flips),
      "RandomChoice": RandomChoice(flips, p: [1, 3]),
      "RandomOrder": RandomOrder([RandomCrop(6), ColorJitter(brightness: 0.5), RandomHorizontalFlip()]),
      "ColorJitter": ColorJitter(brightness: 0.4, contrast: 0.5, saturation: 0.6, hue: 0.2),
      "ColorJitterSome": ColorJitter(brightness: 1...1, contrast: 0.2...0.9, hue: -0.1...0.4),
      "RandomRotation": RandomRotation(40, interpolation: .bilinear),
      "RandomRotationExpanded": RandomRotation(10...100, expand: true, fill: [0.5]),
      "RandomAffine": RandomAffine(
        degrees: -30...60, translate: (0.2, 0.1), scale: 0.7...1.5, shear: (-15...15, nil), interpolation: .bilinear),
      "RandomAffineBoth": RandomAffine(degrees: 0...0, shear: (-20...20, 0...10)),
      "Compose": Compose(RandomCrop(8, padding: 2), RandomHorizontalFlip(), ColorJitter(brightness: 0.3)),
    ]) ?? [:]
}()

@Suite("Transforms against torchvision")
struct TransformTests {
  /// Bytes are equal, floats nearly.
  private func expect(_ found: NDArray, _ name: String) throws {
    let expected = try #require(goldens[name])
    #expect(found.type == expected.type, "\(name)")
    guard found.type == expected.type else { return }
    if found.dtype.isInteger {
      let different = zip(found.integers, expected.integers).filter { $0 != $1 }
      #expect(different.isEmpty, "\(name): \(different.count) of \(found.count) differ, \(different.prefix(4))")
    } else {
      let largest = zip(found.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0
      #expect(largest <= 2e-6, "\(name): \(largest)")
    }
  }

  private func image(_ name: String) throws -> NDArray { try #require(goldens["input/\(name)"]) }

  @Test("every golden has its case") func complete() {
    let names = Set(goldens.keys.map { String($0.prefix { $0 != "/" }) })
    #expect(goldens.count == 416)
    let others: Set = ["input", "normalize", "grid", "gridPadded", "gridEach", "gridRange", "gridGray", "gridOne"]
    #expect(names.subtracting(fixed.keys).subtracting(chance.keys) == others)
  }

  @Test("without chance", arguments: fixed.keys.sorted()) func fixedTransforms(_ name: String) throws {
    let transform = try #require(fixed[name])
    for kind in ["rgb", "gray", "float"] where goldens["\(name)/\(kind)"] != nil {
      try expect(transform(image(kind)), "\(name)/\(kind)")
    }
  }

  @Test("with the same seed", arguments: chance.keys.sorted()) func randomTransforms(_ name: String) throws {
    let transform = try #require(chance[name])
    for kind in ["rgb", "float"] {
      for seed in 0..<5 {
        try Generator.$scoped.withValue(Generator().manualSeed(seed)) {
          try expect(transform(image(kind)), "\(name)/\(kind)/\(seed)")
        }
      }
    }
  }

  @Test("Normalize") func normalize() throws {
    let transform = Normalize(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
    try expect(transform(image("float")), "normalize/float")
  }

  @Test("Normalize in a graph, with its gradient") func normalizeInGraph() throws {
    let transform = Normalize(mean: [0.485, 0.456, 0.406], std: [0.25, 0.5, 2])
    let batch = try image("batch")
    let graph = try trace(.f32(5, 3, 5, 4)) { x in
      let y = transform(x)
      return [y] + gradients(of: y.sum(), withRespectTo: [x])
    }
    let results = try compile(graph).run([batch])
    let expected = try transform(batch)
    for (found, wanted) in zip(results[0].doubles, expected.doubles) { #expect(abs(found - wanted) < 1e-5) }
    for (position, gradient) in results[1].doubles.enumerated() {
      #expect(gradient == [4, 2, 0.5][position / 20 % 3])
    }
  }

  @Test("Lambda and Compose") func composed() throws {
    let transform = Compose(Lambda { image throws(DiagnosticsError) in try F.hflip(image) }, ToTensor())
    try expect(transform(F.hflip(image("rgb"))), "toTensor/rgb")
    #expect(try Compose()(image("rgb")) == image("rgb"))
  }

  @Test("makeGrid") func grids() throws {
    let batch = try image("batch")
    let scaled = try NDArray(batch.doubles.map { Float($0) * 3 - 1 }, shape: batch.shape)
    try expect(makeGrid(batch, nrow: 3), "grid/batch")
    try expect(makeGrid(scaled, nrow: 2, padding: 1, normalize: true, padValue: 0.5), "gridPadded/batch")
    try expect(makeGrid(scaled, padding: 0, normalize: true, scaleEach: true), "gridEach/batch")
    try expect(makeGrid(batch, nrow: 5, normalize: true, valueRange: 0.2...0.7), "gridRange/batch")
    let gray = try image("gray")
    try expect(makeGrid([gray, gray, gray], nrow: 2, padValue: 9), "gridGray/gray")
    try expect(makeGrid(gray), "gridOne/gray")
  }

  @Test("saveImage writes the grid as bytes") func saves() throws {
    let path = FileManager.default.temporaryDirectory.path + "/lathe-\(UUID().uuidString).png"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let batch = try image("batch")
    try saveImage(batch, path, nrow: 3)
    let grid = try makeGrid(batch, nrow: 3)
    #expect(try readImage(path).integers == grid.doubles.map { Int($0 * 255 + 0.5) })
    #expect(throws: DiagnosticsError.self) { try saveImage(image("rgb"), path) }
  }

  @Test("images for Pillow and from NumPy") func layouts() throws {
    let rgb = try image("rgb")
    let last = try ToPILImage()(rgb)
    #expect(last.type == TensorType(.u8, [13, 17, 3]))
    #expect(try last[1] == rgb[13 * 17])
    #expect(try ToTensor(isChannelsLast: true)(last) == ToTensor()(rgb))
    #expect(try ToPILImage()(ToTensor()(rgb)) == last)
    let gray = try ToPILImage()(image("gray"))
    #expect(gray.shape == [9, 12])
    #expect(try ToTensor(isChannelsLast: true)(gray) == ToTensor()(image("gray")))
    let hostile = try NDArray([Float.nan, .infinity, -.infinity, 2], shape: [1, 2, 2])
    #expect(try ToPILImage()(hostile).integers == [0, 255, 0, 255])
  }

  @Test("a colour of several channels fills them") func colours() throws {
    let padded = try F.pad(image("rgb"), 1, fill: [1, 2, 3])
    #expect(try (0..<3).map { try padded[$0 * 15 * 19] } == [.integer(1), .integer(2), .integer(3)])
    #expect(throws: DiagnosticsError.self) { try F.pad(image("rgb"), 1, fill: [1, 2]) }
  }

  @Test("mistakes are said") func mistakes() throws {
    let (rgb, float) = (try image("rgb"), try image("float"))
    let rgba = try NDArray.zeros(.u8, [4, 3, 3])
    let calls: [() throws -> NDArray] = [
      { try F.hflip(NDArray([UInt8(1)])) }, { try F.crop(rgb, top: 0, left: 0, height: 0, width: 1) },
      { try F.pad(rgb, 13, mode: .reflect) }, { try F.pad(rgb, 14, mode: .symmetric) }, { try F.pad(rgb, [1, 2, 3]) },
      { try F.pad(rgb, -7) }, { try F.resize(rgb, 0) }, { try F.resize(rgb, [1, 2, 3]) }, { try F.resize(rgb, []) },
      { try F.resize(rgb, 5, maxSize: 5) }, { try F.resize(rgb, [5, 5], maxSize: 9) },
      { try F.resize(rgb, 5, interpolation: .lanczos, antialias: false) },
      { try F.resize(rgb.converted(to: .i64), 5) }, { try F.resize(rgb, ImageSize(Int.max)) },
      { try F.adjustBrightness(rgba, 1) }, { try F.adjustContrast(rgb, -1) }, { try F.adjustHue(rgb, 0.6) },
      { try F.adjustGamma(rgb, -1) }, { try F.rgbToGrayscale(rgb, numOutputChannels: 2) },
      { try F.normalize(rgb, mean: [0], std: [1]) }, { try F.normalize(float, mean: [0, 0], std: [1]) },
      { try F.normalize(float, mean: [0], std: [0]) }, { try F.convertImageDtype(float, .i32) },
      { try F.toPILImage(NDArray.zeros(.u8, [5, 2, 2])) },
      { try RandomCrop(20)(rgb) }, { try RandomResizedCrop(3, ratio: 0...1)(rgb) },
      { try makeGrid(NDArray([Float(1)])) },
      { try F.rotate(rgb, 10, interpolation: .bicubic) }, { try F.rotate(rgb, .infinity) },
      { try F.affine(rgb, angle: 0, scale: 0) }, { try F.rotate(rgb, 10, fill: [1, 2]) },
      { try makeGrid([rgb, float]) }, { try makeGrid([NDArray]()) }, { try makeGrid(rgb, nrow: 0) },
    ]
    for (number, call) in calls.enumerated() {
      #expect(throws: DiagnosticsError.self, "call \(number)") { try call() }
    }
    #expect(throws: DiagnosticsError.self) { try ColorJitter(hue: 0.6) }
    #expect(throws: DiagnosticsError.self) { try ColorJitter(brightness: -1...1) }
    #expect(throws: DiagnosticsError.self) { try RandomChoice([]) }
  }
}
