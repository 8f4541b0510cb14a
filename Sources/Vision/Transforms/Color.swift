import Foundation
public import LatheCore

extension Functional {
  /// Brightness alone, in one channel or in three equal ones: `rgb_to_grayscale`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and another number of channels wanted.
  public static func rgbToGrayscale(_ image: NDArray, numOutputChannels: Int = 1) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("rgbToGrayscale", channels: [1, 3])
    guard [1, 3].contains(numOutputChannels) else {
      throw DiagnosticsError("rgbToGrayscale: \(numOutputChannels) channels of brightness", help: "give 1 or 3")
    }
    if image.channelCount == numOutputChannels, numOutputChannels == 1 { return image }
    var planes = try FloatPlanes(image, "rgbToGrayscale")
    if image.channelCount == 3 { planes = grayscale(planes) }
    return numOutputChannels == 1 ? planes.image : repeated(planes).image
  }

  /// One plane for three.
  private static func grayscale(_ planes: FloatPlanes) -> FloatPlanes {
    var result = planes
    result.shape[planes.shape.count - 3] = 1
    let area = planes.area
    result.values = stride(from: 0, to: planes.values.count, by: 3 * area).flatMap { start in
      (start..<start + area).map { red in
        (planes.values[red] * 0.2989).addingProduct(planes.values[red + area], 0.587)
          .addingProduct(planes.values[red + 2 * area], 0.114)
      }
    }
    return result
  }

  /// Three planes for one.
  private static func repeated(_ planes: FloatPlanes) -> FloatPlanes {
    var result = planes
    result.shape[planes.shape.count - 3] = 3
    let area = planes.area
    result.values = stride(from: 0, to: planes.values.count, by: area).flatMap { start in
      (0..<3).flatMap { _ in planes.values[start..<start + area] }
    }
    return result
  }

  /// The brightness times a factor: `adjust_brightness`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and negative factors.
  public static func adjustBrightness(_ image: NDArray, _ factor: Double) throws(DiagnosticsError) -> NDArray {
    try requireAdjustable(image, "adjustBrightness", factor)
    return try FloatPlanes(image, "adjustBrightness").mapped { $0 * Float(factor) }.clamped().image
  }

  /// The distance from the mean brightness times a factor: `adjust_contrast`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and negative factors.
  public static func adjustContrast(_ image: NDArray, _ factor: Double) throws(DiagnosticsError) -> NDArray {
    try requireAdjustable(image, "adjustContrast", factor)
    let planes = try FloatPlanes(image, "adjustContrast")
    var gray = image.channelCount == 3 ? grayscale(planes) : planes
    if image.dtype == .u8 { gray = gray.mapped { $0.rounded(.down) } }
    let size = gray.area
    for start in stride(from: 0, to: gray.values.count, by: size) {
      let mean = Float(gray.values[start..<start + size].reduce(0) { $0 + Double($1) } / Double(size))
      for position in start..<start + size { gray.values[position] = mean }
    }
    return blended(planes, image.channelCount == 3 ? repeated(gray) : gray, factor)
  }

  /// The distance from grey times a factor: `adjust_saturation`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and negative factors.
  public static func adjustSaturation(_ image: NDArray, _ factor: Double) throws(DiagnosticsError) -> NDArray {
    try requireAdjustable(image, "adjustSaturation", factor)
    guard image.channelCount == 3 else { return image }
    let planes = try FloatPlanes(image, "adjustSaturation")
    var gray = grayscale(planes)
    if image.dtype == .u8 { gray = gray.mapped { $0.rounded(.down) } }
    return blended(planes, repeated(gray), factor)
  }

  /// The colours turned by a part of their circle, from -0.5 to 0.5: `adjust_hue`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and other turns.
  public static func adjustHue(_ image: NDArray, _ factor: Double) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("adjustHue", channels: [1, 3])
    guard abs(factor) <= 0.5 else { throw DiagnosticsError("adjustHue: \(factor) is not in -0.5 ... 0.5") }
    guard image.channelCount == 3 else { return image }
    let planes = try FloatPlanes(convertImageDtype(image, .f32), "adjustHue")
    let turned = planes.mapped { red, green, blue in
      var (hue, saturation, value) = hsv(red, green, blue)
      hue = (hue + Float(factor)).truncatingRemainder(dividingBy: 1)
      if hue < 0 { hue += 1 }
      return rgb(hue, saturation, value)
    }
    return try convertImageDtype(turned.image, image.dtype)
  }

  /// A power of the brightness, times a gain: `adjust_gamma`.
  ///
  /// - Throws: For arrays that are no image, and negative powers.
  public static func adjustGamma(_ image: NDArray, _ gamma: Double, gain: Double = 1) throws(DiagnosticsError)
    -> NDArray
  {
    try image.requireImage("adjustGamma")
    guard gamma >= 0 else { throw DiagnosticsError("adjustGamma: the power is \(gamma)") }
    let planes = try FloatPlanes(convertImageDtype(image, .f32), "adjustGamma")
    let powers = planes.mapped { pow($0, Float(gamma)) }
    let result = gain == 1 ? powers : powers.mapped { min(max($0 * Float(gain), 0), 1) }
    return try convertImageDtype(result.image, image.dtype)
  }

  /// The distance from a blurred image times a factor: `adjust_sharpness`.
  ///
  /// - Throws: For arrays that are no image of one or three channels, and negative factors.
  public static func adjustSharpness(_ image: NDArray, _ factor: Double) throws(DiagnosticsError) -> NDArray {
    try requireAdjustable(image, "adjustSharpness", factor)
    let planes = try FloatPlanes(image, "adjustSharpness")
    var result = planes
    let (width, height) = (image.width, image.height)
    guard width > 2, height > 2 else { return image }
    let (side, center) = (Float(1.0 / 13), Float(5.0 / 13))
    for start in stride(from: 0, to: planes.values.count, by: planes.area) {
      for y in 1..<height - 1 {
        for x in 1..<width - 1 {
          let position = start + y * width + x
          var blurred: Float = 0
          for neighbour in [-width, 0, width].flatMap({ [position + $0 - 1, position + $0, position + $0 + 1] }) {
            blurred.addProduct(planes.values[neighbour], neighbour == position ? center : side)
          }
          if image.dtype == .u8 { blurred.round(.toNearestOrEven) }
          let value = planes.values[position]
          result.values[position] = value.addingProduct(blurred - value, Float(1 - factor))
        }
      }
    }
    return result.clamped().image
  }

  /// Dark for bright: `invert`.
  ///
  /// - Throws: For arrays that are no image.
  public static func invert(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("invert")
    let planes = try FloatPlanes(image, "invert")
    return planes.mapped { planes.bound - $0 }.image
  }

  private static func requireAdjustable(_ image: NDArray, _ name: String, _ factor: Double) throws(DiagnosticsError) {
    try image.requireImage(name, channels: [1, 3])
    guard factor >= 0 else {
      throw DiagnosticsError("\(name): the factor is \(factor)", help: "factors are not negative")
    }
  }

  /// A share of one image and the rest of another.
  private static func blended(_ planes: FloatPlanes, _ other: FloatPlanes, _ share: Double) -> NDArray {
    var result = planes
    for position in planes.values.indices {
      result.values[position] =
        (planes.values[position] * Float(share)).addingProduct(other.values[position], Float(1 - share))
    }
    return result.clamped().image
  }

  /// Hue, saturation and value of a colour.
  ///
  /// Source: Pillow, src/libImaging/Convert.c.
  private static func hsv(_ red: Float, _ green: Float, _ blue: Float) -> (Float, Float, Float) {
    let (least, most) = (min(red, green, blue), max(red, green, blue))
    let range = most - least
    guard range > 0 else { return (0, 0, most) }
    let (r, g, b) = ((most - red) / range, (most - green) / range, (most - blue) / range)
    let hue = most == red ? b - g : most == green ? r + 2 - b : g + 4 - r
    return ((hue * Float(1.0 / 6) + 1).truncatingRemainder(dividingBy: 1), range / most, most)
  }

  /// The colour of a hue, saturation and value.
  private static func rgb(_ hue: Float, _ saturation: Float, _ value: Float) -> (Float, Float, Float) {
    let sixth = (hue * 6).rounded(.down)
    let rest = hue * 6 - sixth
    func clamp(_ x: Float) -> Float { min(max(x, 0), 1) }
    let product = saturation * rest
    let p = clamp((1 - saturation) * value)
    let q = clamp((1 - product) * value)
    let t = clamp((product + (1 - saturation)) * value)
    return switch Int(sixth) % 6 {
    case 0: (value, t, p)
    case 1: (q, value, p)
    case 2: (p, value, t)
    case 3: (p, q, value)
    case 4: (t, p, value)
    default: (value, p, q)
    }
  }
}
