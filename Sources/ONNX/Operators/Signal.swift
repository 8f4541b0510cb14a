internal import Foundation
internal import LatheCore
internal import LatheNN

/// Fourier transforms and what goes with them. Complex numbers are pairs on a last axis of size 2.
extension Operator {
  static let signal: [String: Operator] = [
    "DFT": .one(fourier),
    "STFT": .one(shortTimeFourier),
    "HannWindow": .one { call throws(TypeFault) in try window(call, [0.5, -0.5]) },
    "HammingWindow": .one { call throws(TypeFault) in try window(call, [25.0 / 46, -21.0 / 46]) },
    "BlackmanWindow": .one { call throws(TypeFault) in try window(call, [0.42, -0.5, 0.08]) },
    "MelWeightMatrix": .one(melWeights),
  ]

  /// A sum of cosines: the harmonics' amplitudes, the constant one first.
  private static func window(_ call: Call, _ amplitudes: [Double]) throws(TypeFault) -> Tensor {
    let sizes = try call.integers(0, "the size")
    guard sizes.count == 1, sizes[0] >= 0, sizes[0] <= 1 << 26 else { throw TypeFault("the size is \(sizes)") }
    let period = Double(try call.flag("periodic", default: true) ? sizes[0] : sizes[0] - 1)
    let values = (0..<sizes[0]).map { position in
      let angle = period == 0 ? 0 : 2 * Double.pi * Double(position) / period
      return sumOfCosines(amplitudes, angle)
    }
    let type = try call.elementType("output_datatype") ?? .f32
    return call.builder.tensor(values, dtype: .f64).convert(to: type)
  }

  /// Triangular filters, evenly spaced on the mel scale.
  private static func melWeights(_ call: Call) throws(TypeFault) -> Tensor {
    let bins = Int(try call.number(0, "the number of filters"))
    let length = Int(try call.number(1, "the length of the transform"))
    let rate = try call.number(2, "the sample rate")
    let edges = [try call.number(3, "the lower edge"), try call.number(4, "the upper edge")]
    guard bins >= 0, length >= 0, bins <= 1 << 14, length <= 1 << 20, rate > 0 else {
      throw TypeFault("\(bins) filters of \(length) samples at \(rate) Hz are out of range")
    }
    let mel = edges.map { 2595 * log10(1 + $0 / 700) }
    let places = (0..<(bins + 2)).map { position -> Int in
      let frequency = 700 * (pow(10, (mel[0] + Double(position) * (mel[1] - mel[0]) / Double(bins + 2)) / 2595) - 1)
      return Int((Double(length + 1) * frequency / rate).rounded(.down))
    }
    let rows = length / 2 + 1
    guard places.allSatisfy({ (0...rows).contains($0) }) else {
      throw TypeFault("the edges \(edges) are not frequencies that the transform has")
    }
    var weights = [Double](repeating: 0, count: rows * bins)
    for bin in 0..<bins {
      let (low, centre, high) = (places[bin], places[bin + 1], places[bin + 2])
      if centre == low {
        if centre < rows { weights[centre * bins + bin] = 1 }
      } else {
        for row in low..<Swift.min(centre + 1, rows) {
          weights[row * bins + bin] = Double(row - low) / Double(centre - low)
        }
      }
      for row in centre..<Swift.max(centre, high) where row < rows {
        weights[row * bins + bin] = Double(high - row) / Double(high - centre)
      }
    }
    let type = try call.elementType("output_datatype") ?? .f32
    return call.builder.tensor(weights, shape: [rows, bins], dtype: .f64).convert(to: type)
  }

  /// The axis is an attribute before opset 20, an operand since.
  private static func fourier(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    guard x.rank >= 2, x.shape[x.rank - 1] == 1 || x.shape[x.rank - 1] == 2 else {
      throw TypeFault("the operand \(x.type) needs a last axis of size 1 (real) or 2 (complex)")
    }
    var axis = call.opset < 20 ? try call.integer("axis", default: 1) : -2
    if call.opset >= 20, call.has(2) {
      let listed = try call.integers(2, "the axis")
      guard listed.count == 1 else { throw TypeFault("the axis \(listed) is not one number") }
      axis = listed[0]
    }
    axis = try Call.axis(axis, rank: x.rank)
    guard axis < x.rank - 1 else { throw TypeFault("the last axis holds the parts of complex numbers") }
    let (isInverse, isOneSided) = (try call.flag("inverse"), try call.flag("onesided"))
    let size = try x.size(axis, "the length of the transform")
    var length = isInverse && isOneSided ? 2 * (size - 1) : size
    if call.has(1) {
      let listed = try call.integers(1, "the length")
      guard listed.count == 1 else { throw TypeFault("the length \(listed) is not one number") }
      length = listed[0]
    }
    guard length > 0, length <= 1 << 26 else { throw TypeFault("a transform of \(length) numbers") }
    // The transformed axis comes last.
    var number = ComplexTensor(parts: x.movedim(axis, -2))
    if isInverse && isOneSided {
      number = number.hermitian(length)
    } else {
      number = number.resized(to: length)
    }
    var y = try number.transformed(length, sign: isInverse ? 1 : -1)
    if isInverse { y = y.scaled(by: 1 / Double(length)) }
    if isInverse && isOneSided { return y.real.unsqueeze(dim: -1).movedim(-2, axis) }
    if isOneSided { y = y.resized(to: length / 2 + 1) }
    return y.parts.movedim(-2, axis)
  }

  private static func shortTimeFourier(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    guard x.rank == 3, x.shape[2] == 1 || x.shape[2] == 2 else {
      throw TypeFault("the signal \(x.type) is not [batch, length, 1 or 2]")
    }
    let steps = try call.integers(1, "the step of frames")
    let window = try call.optional(2)
    let size = try x.size(1, "the length of the signal")
    var length = try window.map { window throws(TypeFault) in try window.size(0, "the length of the window") } ?? size
    if call.has(3) { length = try call.integers(3, "the length of frames").first ?? length }
    guard steps.count == 1, steps[0] > 0, length > 0, length <= size else {
      throw TypeFault("frames of \(length) every \(steps) do not fit a signal of \(size)")
    }
    let isOneSided = try call.flag("onesided", default: true)
    guard !isOneSided || x.shape[2] == 1 else { throw TypeFault("a one-sided transform of complex numbers") }
    // [B, frames, length]
    let frames = ComplexTensor(parts: x).mapped { $0.unfold(dimension: 1, size: length, step: steps[0]) }
    var windowed = frames
    if let window {
      let extent = try window.size(0, "the length of the window")
      guard extent <= length else { throw TypeFault("the window \(window.type) is longer than frames of \(length)") }
      let padded = window.pad(low: [0], high: [length - extent], interior: [0])
      windowed = frames.mapped { $0 * padded }
    }
    let y = try windowed.transformed(length, sign: -1)
    return (isOneSided ? y.resized(to: length / 2 + 1) : y).parts
  }
}
