public import LatheCore

/// Sequences of different lengths: PyTorch's `PackedSequence`.
///
/// PyTorch lays their steps one behind the other in as much memory as the lengths say. The shapes of a graph do not
/// depend on data, so here sequences stay side by side in one padded tensor with their lengths, in the order in which
/// they were given. Where the lengths are known when tracing, `data`, `batchSizes` and the orders are those of PyTorch.
public struct PackedSequence: Sendable {
  /// All sequences, `[T, N, ...]`; what is behind a sequence's end counts as if it were not there.
  public let padded: Tensor
  /// How many steps each sequence has, integers `[N]`.
  public let lengths: Tensor
  /// The same where it is known when tracing.
  public let knownLengths: [Int]?
  /// The sequences by descending length, equal ones in their order, where that is known and need not be theirs already.
  public let sortedIndices: [Int]?

  fileprivate init(_ padded: Tensor, _ lengths: Tensor, known: [Int]? = nil, isSorted: Bool = true) {
    self.padded = padded
    self.lengths = lengths
    knownLengths = known
    sortedIndices = isSorted ? nil : known.map(Self.descending)
  }

  private static func descending(_ lengths: [Int]) -> [Int] {
    lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
  }

  /// The same lengths and order with other sequences.
  func with(padded: Tensor) -> PackedSequence {
    PackedSequence(padded, lengths, known: knownLengths, isSorted: sortedIndices == nil)
  }

  /// Where each sequence is in the order of `sortedIndices`.
  public var unsortedIndices: [Int]? {
    sortedIndices.map { order in order.indices.sorted { order[$0] < order[$1] } }
  }

  /// How many sequences have each of the steps, where the lengths are known.
  public var batchSizes: [Int]? {
    knownLengths.map { lengths in
      (0..<(lengths.max() ?? 0)).map { step in lengths.count { $0 > step } }
    }
  }

  /// The steps of all sequences, `[sum of the lengths, ...]`: first those of step 0 by descending length, then step 1.
  ///
  /// The lengths have to be known when tracing.
  public var data: Tensor {
    composite("packedData", [padded]) { () throws(TypeFault) -> Tensor in
      let lengths = try requireLengths()
      let order = sortedIndices ?? Array(lengths.indices)
      let steps = 0..<(lengths.max() ?? 0)
      let places = steps.flatMap { step in order.filter { lengths[$0] > step }.map { Int64(step * lengths.count + $0) }
      }
      return padded.flatten(startDim: 0, endDim: 1).indexSelect(dim: 0, padded.builder.constant(NDArray(places)))
    }
  }

  fileprivate func requireLengths() throws(TypeFault) -> [Int] {
    guard let knownLengths else {
      throw TypeFault("the lengths \(lengths.type) are known only when the graph runs", help: "give them as integers")
    }
    return knownLengths
  }

  /// Which steps are before their sequence's end, `[T, N]`.
  fileprivate var mask: Tensor {
    let steps = padded.builder.iota(TensorType(lengths.dtype, Array(padded.shape.prefix(2))), axis: 0)
    return steps .< lengths.unsqueeze(dim: 0)
  }
}

/// Sequences of different lengths from a padded tensor: `torch.nn.utils.rnn.pack_padded_sequence`.
///
/// - Parameters:
///   - input: `[T, N, ...]`, or `[N, T, ...]` with `batchFirst`.
///   - lengths: How many steps each sequence has, from 1 to T.
///   - enforceSorted: Whether lengths must descend.
public func packPaddedSequence(
  _ input: Tensor, lengths: [Int], batchFirst: Bool = false, enforceSorted: Bool = true
) -> PackedSequence {
  let padded = composite("packPaddedSequence", [input]) { () throws(TypeFault) -> Tensor in
    guard input.rank >= 2 else { throw TypeFault("\(input.type) has no axes of steps and sequences") }
    let x = batchFirst ? input.transpose(0, 1) : input
    let steps = try x.knownSize(0)
    guard x.shape[1] == Dim(lengths.count), let longest = lengths.max(), longest <= steps else {
      throw TypeFault("\(lengths.count) lengths of at most \(lengths.max() ?? 0) steps do not fit \(input.type)")
    }
    guard lengths.allSatisfy({ $0 > 0 }) else { throw TypeFault("the lengths \(lengths) are not all positive") }
    guard !enforceSorted || zip(lengths, lengths.dropFirst()).allSatisfy({ $0 >= $1 }) else {
      throw TypeFault("the lengths \(lengths) do not descend", help: "give enforceSorted: false")
    }
    return x.narrow(dim: 0, start: 0, length: longest)
  }
  return PackedSequence(
    padded, input.builder.constant(NDArray(lengths.map { Int64($0) })), known: padded.isPoisoned ? nil : lengths,
    isSorted: enforceSorted)
}

/// Sequences from a padded tensor and lengths, integers `[N]`, that are known only when the graph runs.
///
/// Lengths are taken to be from 1 to T, in any order.
public func packPaddedSequence(_ input: Tensor, lengths: Tensor, batchFirst: Bool = false) -> PackedSequence {
  let padded = composite("packPaddedSequence", [input, lengths]) { () throws(TypeFault) -> Tensor in
    guard input.rank >= 2 else { throw TypeFault("\(input.type) has no axes of steps and sequences") }
    let x = batchFirst ? input.transpose(0, 1) : input
    guard lengths.dtype.isInteger, lengths.shape == [x.shape[1]] else {
      throw TypeFault("the lengths are \(lengths.type), needs integers of shape [\(x.shape[1])]")
    }
    return x
  }
  return PackedSequence(padded, lengths)
}

/// The padded tensor of sequences, and their lengths: `torch.nn.utils.rnn.pad_packed_sequence`.
///
/// - Parameters:
///   - batchFirst: Whether the tensor is `[N, T, ...]` instead of `[T, N, ...]`.
///   - paddingValue: What stands behind the ends.
///   - totalLength: How many steps the tensor has; by default those of the longest sequence, or, where the lengths are
///     known only when the graph runs, those of the tensor that was packed.
public func padPackedSequence(
  _ sequence: PackedSequence, batchFirst: Bool = false, paddingValue: Double = 0, totalLength: Int? = nil
) -> (output: Tensor, lengths: Tensor) {
  let output = composite("padPackedSequence", [sequence.padded, sequence.lengths]) { () throws(TypeFault) -> Tensor in
    let x = sequence.padded
    let mask = sequence.mask.reshape(Array(x.shape.prefix(2)) + Array(repeating: 1, count: x.rank - 2))
    var result = mask.select(x, x.filled(.float(paddingValue)))
    if let totalLength {
      let steps = try x.knownSize(0)
      guard totalLength >= steps else {
        throw TypeFault("totalLength is \(totalLength), the sequences have up to \(steps) steps")
      }
      let rest = x.type.with(shape: [Dim(totalLength - steps)] + x.shape.dropFirst())
      result = Tensor.concatenate([result, x.builder.full(rest, .float(paddingValue))], axis: 0)
    }
    return batchFirst ? result.transpose(0, 1) : result
  }
  return (output, sequence.lengths)
}

/// Which side of a sequence is filled up.
public enum PaddingSide: String, Sendable {
  /// Behind the sequence, or in front of it.
  case right, left
}

/// Sequences `[length, ...]` side by side, filled up to the longest: `torch.nn.utils.rnn.pad_sequence`.
///
/// - Returns: `[T, N, ...]`, or `[N, T, ...]` with `batchFirst`.
public func padSequence(
  _ sequences: [Tensor], batchFirst: Bool = false, paddingValue: Double = 0, paddingSide: PaddingSide = .right
) -> Tensor {
  composite("padSequence", sequences) { () throws(TypeFault) -> Tensor in
    let lengths = try sequenceLengths(sequences)
    let longest = lengths.max() ?? 0
    let padded = zip(sequences, lengths).map { sequence, length in
      let rest = sequence.type.with(shape: [Dim(longest - length)] + sequence.shape.dropFirst())
      let filling = sequence.builder.full(rest, .float(paddingValue))
      return Tensor.concatenate(paddingSide == .right ? [sequence, filling] : [filling, sequence], axis: 0)
    }
    return stack(padded, dim: batchFirst ? 0 : 1)
  }
}

/// The sequences of a padded tensor, each without what is behind its end: `torch.nn.utils.rnn.unpad_sequence`.
public func unpadSequence(_ padded: Tensor, lengths: [Int], batchFirst: Bool = false) -> TensorList {
  let x = batchFirst ? padded.transpose(0, 1) : padded
  let sequences = lengths.enumerated().map { position, length in
    x.select(dim: 1, index: position).narrow(dim: 0, start: 0, length: length)
  }
  return TensorList("unpadSequence", of: x, sequences)
}

/// Sequences of different lengths, `[length, ...]` each: `torch.nn.utils.rnn.pack_sequence`.
public func packSequence(_ sequences: [Tensor], enforceSorted: Bool = true) -> PackedSequence {
  // What has no length is told by padSequence.
  packPaddedSequence(
    padSequence(sequences), lengths: sequences.map { $0.shape.first?.known ?? 0 }, enforceSorted: enforceSorted)
}

/// The sequences that were packed, `[length, ...]` each: `torch.nn.utils.rnn.unpack_sequence`.
///
/// The lengths have to be known when tracing.
public func unpackSequence(_ sequence: PackedSequence) -> TensorList {
  if sequence.padded.isPoisoned { return TensorList("unpackSequence", of: sequence.padded, []) }
  do throws(TypeFault) {
    return unpadSequence(sequence.padded, lengths: try sequence.requireLengths())
  } catch {
    let builder = sequence.padded.builder
    builder.record(error, operation: "unpackSequence", operands: [sequence.lengths])
    return TensorList("unpackSequence", of: builder.poison, [])
  }
}

private func sequenceLengths(_ sequences: [Tensor]) throws(TypeFault) -> [Int] {
  guard let first = sequences.first else { throw TypeFault("there are no sequences") }
  var lengths: [Int] = []
  for sequence in sequences {
    guard sequence.rank >= 1, sequence.dtype == first.dtype, sequence.shape.dropFirst() == first.shape.dropFirst()
    else {
      throw TypeFault("the sequences \(first.type) and \(sequence.type) differ in more than their lengths")
    }
    lengths.append(try sequence.knownSize(0))
  }
  return lengths
}
