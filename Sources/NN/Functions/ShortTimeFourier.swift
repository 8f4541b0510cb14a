public import LatheCore

/// The Fourier transforms of windows that slide over signals: `torch.stft`.
///
/// - Parameters:
///   - x: Signals `[L]` or `[N, L]`.
///   - nFFT: How many elements a window has.
///   - hopLength: How far windows are apart; by default a quarter of `nFFT`.
///   - winLength: How many elements of a window count, those in the middle; by default all.
///   - window: What each window is multiplied with, `[winLength]`; by default ones.
///   - center: Whether windows are around their places, the signal continued by its mirror image, or begin there.
///   - normalized: Whether transforms are divided by the root of `nFFT`.
///   - onesided: Whether only the `nFFT / 2 + 1` frequencies from 0 are given, of which the others are conjugates.
/// - Returns: Pairs of real and imaginary parts, `[N, frequencies, windows, 2]`.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.stft.html
public func stft(
  _ x: Tensor, nFFT: Int, hopLength: Int? = nil, winLength: Int? = nil, window: Tensor? = nil, center: Bool = true,
  normalized: Bool = false, onesided: Bool = true
) -> Tensor {
  composite("stft", [x, window]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(1...2, "the signal")
    let frames = try SignalFrames(x.builder, x.dtype, nFFT, hopLength, winLength, window)
    var signal = x.rank == 1 ? x.unsqueeze(dim: 0) : x
    if center {
      signal = LatheNN.pad(signal.unsqueeze(dim: 1), [nFFT / 2, nFFT / 2], mode: .reflect).squeeze(dim: 1)
    }
    let windows = signal.unfold(dimension: -1, size: nFFT, step: frames.hop) * frames.window
    let norm: FFT.Norm = normalized ? .ortho : .backward
    let columns =
      onesided
      ? FFT.rfft(windows, norm: norm) : FFT.fft(ComplexTensor(real: windows, imaginary: nil).parts, norm: norm)
    let result = columns.transpose(1, 2)
    return x.rank == 1 ? result.squeeze(dim: 0) : result
  }
}

/// The signals that `stft` gives such transforms of: their windows' inverses are added up, and divided by the sum of the
/// windows' squares.
///
/// - Parameters:
///   - z: Pairs of real and imaginary parts, `[frequencies, windows, 2]` or `[N, frequencies, windows, 2]`.
///   - length: How many elements the signals have; by default as many as the windows tell.
/// - Returns: Signals `[L]` or `[N, L]`.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.istft.html
public func istft(
  _ z: Tensor, nFFT: Int, hopLength: Int? = nil, winLength: Int? = nil, window: Tensor? = nil, center: Bool = true,
  normalized: Bool = false, onesided: Bool = true, length: Int? = nil
) -> Tensor {
  composite("istft", [z, window]) { () throws(TypeFault) -> Tensor in
    try z.requireRank(3...4, "the transforms")
    let frames = try SignalFrames(z.builder, z.dtype, nFFT, hopLength, winLength, window)
    let columns = (z.rank == 3 ? z.unsqueeze(dim: 0) : z).transpose(1, 2)
    let norm: FFT.Norm = normalized ? .ortho : .backward
    let windows = onesided ? FFT.irfft(columns, n: nFFT, norm: norm) : Complex.real(FFT.ifft(columns, norm: norm))
    let count = try windows.knownSize(1)
    guard count > 0 else { throw TypeFault("there are no windows") }
    let total = nFFT + frames.hop * (count - 1)
    let start = center ? nFFT / 2 : 0
    let end = length.map { start + $0 } ?? (center ? total - nFFT / 2 : total)
    guard start < end else { throw TypeFault("\(count) windows of \(nFFT) leave no signal") }
    let squares = (frames.window * frames.window).expanded(to: [1, Dim(count), Dim(nFFT)])
    func cut(_ windows: Tensor) -> Tensor {
      windows.overlapAdded(step: frames.hop, length: total).slice(axis: 1, from: start, to: Swift.min(end, total))
    }
    let envelope = cut(squares)
    if let least = envelope.literal?.doubles.min(), least < 1e-11 {
      throw TypeFault(
        "the windows leave out elements of the signal", help: "take a shorter hopLength, or another window")
    }
    let signal = LatheNN.pad(cut(windows * frames.window) / envelope, [0, Swift.max(0, end - total)])
    return z.rank == 3 ? signal.squeeze(dim: 0) : signal
  }
}

extension Tensor {
  /// The sum of windows `[.., T, n]` at places `step` apart, `[.., length]`: the transpose of `unfold` of the last axis.
  package func overlapAdded(step: Int, length: Int) -> Tensor {
    let lead = Array(shape.dropLast(2))
    guard rank >= 2, let size = shape[rank - 1].known else { return builder.poison }
    let columns = reshape([lead.elementCount, shape[rank - 2], Dim(size)]).transpose(1, 2)
    return LatheNN.fold(columns, outputSize: [1, length], kernelSize: [1, size], stride: [1, step])
      .reshape(lead + [Dim(length)])
  }
}

/// How a signal is cut.
private struct SignalFrames {
  let hop: Int
  /// Of as many elements as a transform.
  let window: Tensor

  init(
    _ builder: Builder, _ dtype: ScalarType, _ length: Int, _ hopLength: Int?, _ winLength: Int?, _ given: Tensor?
  ) throws(TypeFault) {
    hop = hopLength ?? length / 4
    let width = winLength ?? length
    guard length > 0, hop > 0, (1...length).contains(width) else {
      throw TypeFault("windows of \(width) in transforms of \(length), every \(hop) elements")
    }
    if let given, given.shape != [Dim(width)] { throw TypeFault("the window is \(given.type), of \(width) elements") }
    let before = (length - width) / 2
    let elements = given ?? builder.full(TensorType(dtype, [Dim(width)]), .float(1))
    window = LatheNN.pad(elements, [before, length - width - before])
  }
}
