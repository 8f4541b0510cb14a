public import LatheCore

/// An end of a sequence.
public enum SequenceEnd: Hashable, Sendable {
  /// The beginning.
  case pre
  /// The end.
  case post
}

/// Sequences of different lengths as one array, `[N, L]`: Keras' `pad_sequences`.
///
///     try padSequences([[1], [2, 3], [4, 5, 6]])      // [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
///
/// - Parameters:
///   - sequences: The sequences.
///   - maxlen: The length of all; by default that of the longest.
///   - dtype: The type of the numbers.
///   - padding: At which end short ones are filled up.
///   - truncating: At which end long ones are cut.
///   - value: What they are filled up with.
/// - Throws: For a length that is none, or an array that is larger than the memory.
public func padSequences(
  _ sequences: [[Int]], maxlen: Int? = nil, dtype: ScalarType = .i32, padding: SequenceEnd = .pre,
  truncating: SequenceEnd = .pre, value: Double = 0
) throws(DiagnosticsError) -> NDArray {
  try padded(sequences.map { $0.map { .integer($0) } }, maxlen, dtype, padding, truncating, value)
}

/// Sequences of numbers of different lengths as one array, `[N, L]`.
///
/// - Throws: For a length that is none, or an array that is larger than the memory.
public func padSequences(
  _ sequences: [[Double]], maxlen: Int? = nil, dtype: ScalarType = .i32, padding: SequenceEnd = .pre,
  truncating: SequenceEnd = .pre, value: Double = 0
) throws(DiagnosticsError) -> NDArray {
  try padded(sequences.map { $0.map { .float($0) } }, maxlen, dtype, padding, truncating, value)
}

private func padded(
  _ sequences: [[ScalarValue]], _ maxlen: Int?, _ dtype: ScalarType, _ padding: SequenceEnd, _ truncating: SequenceEnd,
  _ value: Double
) throws(DiagnosticsError) -> NDArray {
  let length = maxlen ?? sequences.map(\.count).max() ?? 0
  guard length >= 0 else { throw DiagnosticsError("padSequences: a length of \(length)") }
  let rows = sequences.map { sequence in
    let kept = Array(truncating == .pre ? sequence.suffix(length) : sequence.prefix(length))
    let rest = [ScalarValue](repeating: .float(value), count: length - kept.count)
    return padding == .pre ? rest + kept : kept + rest
  }
  return try NDArray(dtype: dtype, shape: [sequences.count, length], values: Array(rows.joined()))
}
