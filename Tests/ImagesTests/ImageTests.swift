import Foundation
import Lathe
import LatheImages
import Testing

/// A file of tools/golden_images.py.
private func fixture(_ name: String) throws -> FileContent {
  try FileContent(
    reading: URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/" + name)
}

private let files = [
  "bits.png", "gray-alpha.png", "gray.png", "gray16.png", "gray2.png", "palette.png", "rgb.png", "rgb16.png",
  "rgba.png",
  "transparent.png", "cmyk.jpg", "full.jpg", "gray.jpg", "progressive.jpg", "rgb.jpg",
]

@Suite("Images in files")
struct ImageTests {
  @Test("pixels are Pillow's", arguments: files) func decodes(_ name: String) throws {
    let expected = try NPZ(bytes: fixture("expected.npz").bytes, from: "expected.npz")
    let modes: [(String, ImageReadMode)] = [("unchanged", .unchanged), ("gray", .gray), ("rgb", .rgb)]
    var count = 0
    for (suffix, mode) in modes {
      guard let array = expected["\(name)/\(suffix)"] else { continue }
      count += 1
      let image = try decodeImage(fixture(name), mode: mode)
      #expect(image.type == array.type)
      // Pillow's grey of colours is rounded elsewhere than libpng's.
      let tolerance = mode == .gray && name.hasSuffix("png") ? 1.0 : 0
      for (found, wanted) in zip(image.doubles, array.doubles) { #expect(abs(found - wanted) <= tolerance) }
    }
    #expect(count > 0)
  }

  @Test("opacity is added and left out") func opacity() throws {
    let opaque = try decodeImage(fixture("rgb.png"), mode: .rgbAlpha)
    #expect(opaque.shape == [4, 9, 11])
    #expect(opaque.bytes.suffix(99).allSatisfy { $0 == 255 })
    #expect(try decodeImage(fixture("rgba.png"), mode: .grayAlpha).shape == [2, 5, 7])
    let deep = try decodeImage(fixture("gray16.png"), mode: .rgbAlpha)
    #expect(deep.type == TensorType(.u16, [4, 5, 4]))
    #expect(deep.doubles.suffix(20).allSatisfy { $0 == 65_535 })
    #expect(throws: DiagnosticsError.self) { try decodeImage(fixture("rgb.jpg"), mode: .rgbAlpha) }
  }

  @Test("damaged files are said to be, wherever the damage is", arguments: files) func damage(_ name: String) throws {
    let file = try fixture(name)
    for end in 0..<file.bytes.count {
      #expect(throws: DiagnosticsError.self) {
        try decodeImage(FileContent(path: name, bytes: Array(file.bytes.prefix(end))))
      }
    }
    for position in file.bytes.indices {
      var bytes = file.bytes
      bytes[position] ^= UInt8(1) << UInt8(position % 8)
      // Some damage leaves an image.
      _ = try? decodeImage(FileContent(path: name, bytes: bytes), mode: .rgb)
    }
    let fault = #expect(throws: DiagnosticsError.self) {
      try decodeImage(FileContent(path: name, bytes: Array(file.bytes.dropLast(20))))
    }
    #expect(fault?.description.hasPrefix("\(name): error: is a damaged image: ") == true)
  }

  @Test("claims that no file can keep are refused") func bombs() throws {
    var png = try fixture("gray.png").bytes
    png.replaceSubrange(16..<24, with: [0, 15, 0, 0, 0, 15, 0, 0])
    #expect(throws: DiagnosticsError.self) { try decodeImage(FileContent(path: "x", bytes: png)) }
    var jpeg = try fixture("gray.jpg").bytes
    let frame = try #require(jpeg.indices.first { jpeg[$0...].starts(with: [0xff, 0xc0]) })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
    let fault = #expect(throws: DiagnosticsError.self) { try decodeImage(FileContent(path: "x", bytes: jpeg)) }
    #expect(fault?.description == "x: error: is a damaged image: it claims more pixels than its data can hold")
  }

  @Test("what is no image is said not to be") func foreign() {
    for (bytes, message) in [([], "is empty"), (Array("GIF89a".utf8), "is no image in the form of PNG or JPEG")] {
      let fault = #expect(throws: DiagnosticsError.self) { try decodeImage(FileContent(path: "x.gif", bytes: bytes)) }
      #expect(fault?.description == "x.gif: error: \(message)")
    }
    #expect(throws: DiagnosticsError.self) { try readImage("/nonexistent/x.png") }
  }

  @Test("PNG holds what is written", arguments: [1, 2, 3, 4], [ScalarType.u8, .u16])
  func encodesPNG(channels: Int, dtype: ScalarType) throws {
    let count = channels * 5 * 7
    let image = try NDArray(
      dtype: dtype, shape: [channels, 5, 7], values: (0..<count).map { .integer($0 * (dtype == .u8 ? 1 : 400)) })
    let bytes = try encodePNG(image)
    #expect(try decodeImage(FileContent(path: "x.png", bytes: bytes)) == image)
  }

  @Test("JPEG is near what is written", arguments: [1, 3]) func encodesJPEG(channels: Int) throws {
    let image = try NDArray(
      dtype: .u8, shape: [channels, 16, 24], values: (0..<channels * 384).map { .integer($0 % 384 / 3 + 50) })
    let read = try decodeImage(FileContent(path: "x.jpg", bytes: encodeJPEG(image, quality: 95)))
    #expect(read.type == image.type)
    for (found, wanted) in zip(read.doubles, image.doubles) { #expect(abs(found - wanted) <= 4) }
  }

  @Test("images are written in the form that the suffix says") func writes() throws {
    let folder = FileManager.default.temporaryDirectory.path
    let image = try decodeImage(fixture("rgb.png"))
    let path = folder + "/lathe-\(UUID().uuidString).png"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writeImage(image, path)
    #expect(try readImage(path) == image)
    #expect(throws: DiagnosticsError.self) { try writeImage(image, folder + "/x.bmp") }
  }

  @Test("arrays that are no image are refused") func refuses() throws {
    let image = try NDArray.zeros(.u8, [3, 2, 2])
    #expect(throws: DiagnosticsError.self) { try encodePNG(NDArray.zeros(.f32, [3, 2, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodePNG(NDArray.zeros(.u8, [5, 2, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodePNG(NDArray.zeros(.u8, [3, 0, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodePNG(NDArray.zeros(.u8, [2, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodePNG(image, compressionLevel: 10) }
    #expect(throws: DiagnosticsError.self) { try encodeJPEG(NDArray.zeros(.u8, [4, 2, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodeJPEG(NDArray.zeros(.u16, [3, 2, 2])) }
    #expect(throws: DiagnosticsError.self) { try encodeJPEG(NDArray.zeros(.u8, [1, 1, 70_000])) }
    #expect(throws: DiagnosticsError.self) { try encodeJPEG(image, quality: 0) }
  }
}
