import LatheCore

/// The planes of an image or of a batch of images: all axes before the last two.
extension NDArray {
  /// Throws unless the last two axes are a height and a width, behind channels.
  func requireImage(_ name: String, channels: [Int]? = nil) throws(DiagnosticsError) {
    guard shape.count >= 3, count > 0 else {
      throw DiagnosticsError("\(name): \(type) is no image", help: "images are [channels, height, width]")
    }
    if let channels, !channels.contains(channelCount) {
      throw DiagnosticsError(
        "\(name): \(type) has \(channelCount) channels",
        help: "it takes \(channels.map { "\($0)" }.joined(separator: " or "))")
    }
  }

  var channelCount: Int { shape[shape.count - 3] }
  var height: Int { shape[shape.count - 2] }
  var width: Int { shape[shape.count - 1] }

  /// An image whose pixels come from places of this one, or where there is none from a fill, one number for each channel or
  /// one for all.
  func remapped(rows: [Int?], columns: [Int?], fill: [Double] = [0]) -> NDArray {
    func remap<Element: BitwiseCopyable>(_ fill: [Element]) -> NDArray {
      NDArray(dtype: dtype, shape: shape.dropLast(2) + [rows.count, columns.count]) { target in
        withUnsafeBytes { source in
          target.withMemoryRebound(to: Element.self) { target in
            source.withMemoryRebound(to: Element.self) { source in
              var position = 0
              for plane in 0..<source.count / Swift.max(height * width, 1) {
                let fill = fill[fill.count == 1 ? 0 : plane % channelCount]
                for row in rows {
                  let start = row.map { (plane * height + $0) * width }
                  for column in columns {
                    if let start, let column {
                      target[position] = source[start + column]
                    } else {
                      target[position] = fill
                    }
                    position += 1
                  }
                }
              }
            }
          }
        }
      }
    }
    let fills = NDArray(dtype: dtype, values: fill.map { .float($0) })
    func bits<Element: FixedWidthInteger & BitwiseCopyable>(_ type: Element.Type) -> [Element] {
      fills.withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
    }
    switch dtype.byteCount {
    case 1: return remap(bits(UInt8.self))
    case 2: return remap(bits(UInt16.self))
    case 4: return remap(bits(UInt32.self))
    default: return remap(bits(UInt64.self))
    }
  }
}

/// The byte of a number without its fraction, the nearest one for others.
func byte(_ number: Float) -> UInt8 { number > 0 ? UInt8(min(number, 255)) : 0 }

/// An image as floats, which it was or becomes again.
struct FloatPlanes {
  let dtype: ScalarType
  var shape: [Int]
  var values: [Float]

  /// The numbers of an image as they are.
  ///
  /// - Throws: For types other than `u8` and `f32`.
  init(_ image: NDArray, _ name: String) throws(DiagnosticsError) {
    if let bytes = image.elements(as: UInt8.self) {
      values = bytes.map { Float($0) }
    } else if let floats = image.elements(as: Float.self) {
      values = floats
    } else {
      throw DiagnosticsError(
        "\(name): \(image.type) is no image of u8 or f32", help: "ConvertImageDtype makes one of it")
    }
    (dtype, shape) = (image.dtype, image.shape)
  }

  /// The largest number of a pixel.
  var bound: Float { dtype == .u8 ? 255 : 1 }

  /// The pixels of one plane.
  var area: Int { shape[shape.count - 2] * shape[shape.count - 1] }

  /// The image in its type; numbers lose their fractions in `u8`.
  var image: NDArray {
    unfailing {
      dtype == .u8
        ? try NDArray(values.map(byte), shape: shape) : try NDArray(values, shape: shape)
    }
  }

  /// The numbers within the range of pixels.
  func clamped() -> FloatPlanes { mapped { min(max($0, 0), bound) } }

  /// Each number by itself.
  func mapped(_ body: (Float) -> Float) -> FloatPlanes {
    var result = self
    for position in values.indices { result.values[position] = body(values[position]) }
    return result
  }

  /// Each pixel of three channels by itself.
  func mapped(_ body: (Float, Float, Float) -> (Float, Float, Float)) -> FloatPlanes {
    var result = self
    for start in stride(from: 0, to: values.count, by: 3 * area) {
      for red in start..<start + area {
        (result.values[red], result.values[red + area], result.values[red + 2 * area]) =
          body(values[red], values[red + area], values[red + 2 * area])
      }
    }
    return result
  }
}
