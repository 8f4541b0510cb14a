public import LatheCore

/// What `pad` puts around a tensor.
public enum PaddingMode: String, Sendable {
  /// A number, the tensor in a mirror, its outermost elements, or those of the other end.
  case constant, reflect, replicate, circular
}

/// Pads the last axes of a tensor.
///
/// - Parameter padding: As in PyTorch, pairs from the last axis on: `[left, right, top, bottom, ...]`. Negative amounts
///   cut off (`constant` only).
public func pad(_ x: Tensor, _ padding: [Int], mode: PaddingMode = .constant, value: Double = 0) -> Tensor {
  composite("pad", [x]) { () throws(TypeFault) -> Tensor in
    guard padding.count % 2 == 0, padding.count / 2 <= x.rank else {
      throw TypeFault("\(padding.count) amounts do not pad \(x.type)", help: "give two for each axis, from the last on")
    }
    var low = [Int](repeating: 0, count: x.rank)
    var high = low
    for pair in 0..<(padding.count / 2) {
      low[x.rank - 1 - pair] = padding[2 * pair]
      high[x.rank - 1 - pair] = padding[2 * pair + 1]
    }
    return try padded(x, low: low, high: high, mode: mode, value: try x.number(value))
  }
}

/// Pads every axis by its own amounts.
///
/// - Parameter value: A tensor without axes, for `constant`; zero by default.
public func pad(_ x: Tensor, low: [Int], high: [Int], mode: PaddingMode = .constant, value: Tensor? = nil) -> Tensor {
  composite("pad", [x, value]) { () throws(TypeFault) -> Tensor in
    guard low.count == x.rank, high.count == x.rank else {
      throw TypeFault("\(low.count) and \(high.count) amounts do not pad \(x.type)")
    }
    return try padded(
      x, low: low, high: high, mode: mode,
      value: value ?? x.builder.scalar(x.dtype.isFloat ? .float(0) : .integer(0), x.dtype))
  }
}

private func padded(_ x: Tensor, low: [Int], high: [Int], mode: PaddingMode, value: Tensor) throws(TypeFault) -> Tensor
{
  if mode == .constant {
    return x.pad(low: low, high: high, interior: low.map { _ in 0 }, value: value.convert(to: x.dtype))
  }
  // Negative amounts cut off first: what is repeated is what is left.
  let none = low.map { _ in 0 }
  let isCut = (low + high).contains { $0 < 0 }
  var result = isCut ? x.pad(low: low.map { min($0, 0) }, high: high.map { min($0, 0) }, interior: none) : x
  let (low, high) = (low.map { max($0, 0) }, high.map { max($0, 0) })
  for axis in 0..<x.rank where low[axis] != 0 || high[axis] != 0 {
    let size = try result.checked().knownSize(axis)
    let limit = mode == .reflect ? size - 1 : mode == .circular ? size : Int.max
    guard low[axis] <= limit, high[axis] <= limit, size > 0 else {
      throw TypeFault(
        "axis \(axis) of \(x.type) cannot be padded by \(low[axis]) and \(high[axis]) in mode \(mode.rawValue)")
    }
    func part(_ start: Int, _ count: Int) -> Tensor { result.slice(axis: axis, from: start, to: start + count) }
    var parts: [Tensor] = []
    switch mode {
    case .constant: break
    case .reflect:
      if low[axis] > 0 { parts.append(part(1, low[axis]).reverse([axis])) }
      parts.append(result)
      if high[axis] > 0 { parts.append(part(size - 1 - high[axis], high[axis]).reverse([axis])) }
    case .replicate:
      func edge(_ start: Int, _ count: Int) throws(TypeFault) -> Tensor {
        var shape = result.shape
        shape[axis] = Dim(count)
        return part(start, 1).broadcast(to: shape, axes: Array(0..<x.rank))
      }
      if low[axis] > 0 { parts.append(try edge(0, low[axis])) }
      parts.append(result)
      if high[axis] > 0 { parts.append(try edge(size - 1, high[axis])) }
    case .circular:
      if low[axis] > 0 { parts.append(part(size - low[axis], low[axis])) }
      parts.append(result)
      if high[axis] > 0 { parts.append(part(0, high[axis])) }
    }
    result = .concatenate(parts, axis: axis)
  }
  return result
}
