public import LatheCore

/// Functions that rearrange elements.
extension Tensor {
  /// The same elements in another shape; one size may be -1 and is computed.
  public func reshape(_ sizes: Int...) -> Tensor { view(sizes) }

  /// The same elements in another shape; one size may be -1 and is computed.
  public func view(_ sizes: Int...) -> Tensor { view(sizes) }

  /// The same elements in another shape; one size may be -1 and is computed.
  public func view(_ sizes: [Int]) -> Tensor { view(sizes.map { Dim($0) }) }

  /// The same elements in another shape of possibly symbolic sizes; one may be -1 and is computed.
  public func view(_ sizes: [Dim]) -> Tensor { reshape(sizes) }

  /// The same bytes as elements of another type, whose size the last axis makes up for: `view(dtype)`.
  public func view(_ dtype: ScalarType) -> Tensor {
    composite("view", [self]) { () throws(TypeFault) -> Tensor in
      let (from, to) = (self.dtype.byteCount, dtype.byteCount)
      guard from != to else { return bitcast(to: dtype) }
      guard dtype != .bool, self.dtype != .bool else { throw TypeFault("\(self.dtype) and \(dtype) differ in size") }
      guard let last = shape.last else { throw TypeFault("\(type) has no axis that \(dtype) could widen or narrow") }
      let outer = Array(shape.dropLast())
      if from > to {
        // Pieces of each element, the lowest bits first.
        let count = from / to
        let bits = bitcast(to: Self.unsigned(from)).unsqueeze(dim: -1)
        let places = builder.iota(TensorType(bits.dtype, [Dim(count)]), axis: 0) * (8 * to)
        let pieces = Tensor.pointwise(.shiftRight, bits, places).convert(to: Self.unsigned(to)).bitcast(to: dtype)
        return pieces.reshape(outer + [last * Dim(count)])
      }
      let count = to / from
      guard let joined = last.divided(exactlyBy: Dim(count)) else {
        throw TypeFault("the last size \(last) of \(type) does not divide by \(count)")
      }
      let pieces = bitcast(to: Self.unsigned(from)).convert(to: Self.unsigned(to)).reshape(
        outer + [joined, Dim(count)])
      let places = builder.iota(TensorType(pieces.dtype, [Dim(count)]), axis: 0) * (8 * from)
      return Tensor.pointwise(.shiftLeft, pieces, places).reduce(.sum, axes: [pieces.rank - 1]).bitcast(to: dtype)
    }
  }

  /// The type of unsigned integers of a size in bytes.
  private static func unsigned(_ byteCount: Int) -> ScalarType {
    switch byteCount {
    case 1: .u8
    case 2: .u16
    case 4: .u32
    default: .u64
    }
  }

  /// The same elements in the shape of another tensor.
  public func viewAs(_ other: Tensor) -> Tensor { other.isPoisoned ? other : view(other.shape) }

  /// Joins the axes `startDim ... endDim` into one.
  public func flatten(startDim: Int = 0, endDim: Int = -1) -> Tensor {
    composite("flatten", [self]) { () throws(TypeFault) -> Tensor in
      if rank == 0 { return reshape([1]) }
      let (start, end) = (try axis(startDim), try axis(endDim))
      guard start <= end else { throw TypeFault("startDim \(startDim) lies behind endDim \(endDim)") }
      return reshape(shape[..<start] + [Array(shape[start...end]).elementCount] + shape[(end + 1)...])
    }
  }

  /// Splits one axis into several; one size may be -1.
  public func unflatten(dim: Int, _ sizes: [Int]) -> Tensor {
    composite("unflatten", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      var inner = sizes.map { Dim($0) }
      if let hole = sizes.firstIndex(of: -1) {
        let others = sizes.enumerated().filter { $0.offset != hole }.map { Dim($0.element) }.elementCount
        guard others != 0, let size = shape[axis].divided(exactlyBy: others) else {
          throw TypeFault("axis \(axis) of \(type) does not split into \(sizes)")
        }
        inner[hole] = size
      }
      guard inner.elementCount == shape[axis] else {
        throw TypeFault("axis \(axis) of \(type) does not split into \(sizes)")
      }
      return reshape(shape[..<axis] + inner + shape[(axis + 1)...])
    }
  }

  /// Drops every axis of size 1.
  public func squeeze() -> Tensor { isPoisoned ? self : reshape(shape.filter { $0 != 1 }) }

  /// Drops the named axes where their size is 1.
  public func squeeze(dim: some IntegerList) -> Tensor {
    composite("squeeze", [self]) { () throws(TypeFault) -> Tensor in
      if rank == 0, dim.integers.allSatisfy({ $0 == 0 || $0 == -1 }) { return self }
      let axes = try axes(dim.integers)
      return reshape(shape.indices.filter { !axes.contains($0) || shape[$0] != 1 }.map { shape[$0] })
    }
  }

  /// Puts a new axis of size 1 at a position, counted in the result.
  public func unsqueeze(dim: Int) -> Tensor {
    composite("unsqueeze", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim, rank: rank + 1)
      var shape = shape
      shape.insert(1, at: axis)
      return reshape(shape)
    }
  }

  /// Exchanges two axes.
  public func transpose(_ dim0: Int, _ dim1: Int) -> Tensor {
    composite("transpose", [self]) { () throws(TypeFault) -> Tensor in
      if rank == 0, [0, -1].contains(dim0), [0, -1].contains(dim1) { return self }
      var order = Array(0..<rank)
      order.swapAt(try axis(dim0), try axis(dim1))
      return permute(order)
    }
  }

  /// The transposed matrix; tensors with fewer axes stay.
  public func t() -> Tensor {
    composite("t", [self]) { () throws(TypeFault) -> Tensor in
      try requireRank(0...2, "the input")
      return rank < 2 ? self : permute([1, 0])
    }
  }

  /// The last two axes exchanged.
  public var mT: Tensor { transpose(-2, -1) }

  /// The axes in opposite order: of a matrix, the transposed one.
  public var T: Tensor { permute(Array((0..<rank).reversed())) }

  /// The number of axes: `ndim`.
  public func dim() -> Int { rank }

  /// The sizes of the axes.
  public func size() -> [Dim] { shape }

  /// The size of an axis, counted from the end where negative.
  public func size(_ dim: Int) -> Dim {
    guard !isPoisoned else { return 1 }
    do throws(TypeFault) {
      return shape[try axis(dim)]
    } catch {
      builder.record(error, operation: "size", operands: [self])
      return 1
    }
  }

  /// The number of elements.
  public func numel() -> Dim { shape.elementCount }

  /// The axes in another order; numbers may be negative.
  public func permute(_ dims: Int...) -> Tensor { permute(dims: dims) }

  /// The axes in another order; numbers may be negative.
  public func permute(dims: [Int]) -> Tensor {
    composite("permute", [self]) { () throws(TypeFault) -> Tensor in
      let axes = try axes(dims)
      guard axes.count == rank else { throw TypeFault("\(dims) does not name every axis of \(type) once") }
      return permute(axes)
    }
  }

  /// Moves axes to new positions; the others keep their order.
  public func movedim(_ source: some IntegerList, _ destination: some IntegerList) -> Tensor {
    composite("movedim", [self]) { () throws(TypeFault) -> Tensor in
      let (from, to) = (try axes(source.integers), try axes(destination.integers))
      guard from.count == to.count else { throw TypeFault("\(from.count) axes move to \(to.count) positions") }
      var order = [Int?](repeating: nil, count: rank)
      for (from, to) in zip(from, to) { order[to] = from }
      var rest = (0..<rank).filter { !from.contains($0) }.makeIterator()
      return permute(
        order.map { $0 ?? rest.next() ?? internalError("\(from) and \(to) leave positions of \(type) open") })
    }
  }

  /// Repeats axes of size 1 without copying; -1 keeps a size, new axes come first.
  public func expand(_ sizes: Int...) -> Tensor { expand(sizes.map { Dim($0) }) }

  /// Repeats axes of size 1 without copying; -1 keeps a size, new axes come first.
  public func expand(_ sizes: [Dim]) -> Tensor {
    composite("expand", [self]) { () throws(TypeFault) -> Tensor in
      guard sizes.count >= rank else {
        throw TypeFault("\(sizes.text) has fewer axes than \(type)")
      }
      var target = sizes
      for position in target.indices where target[position] == -1 {
        let axis = position - (sizes.count - rank)
        guard axis >= 0 else { throw TypeFault("-1 is no size for the new axis \(position)") }
        target[position] = shape[axis]
      }
      try requireBroadcast(self, to: target, "the tensor")
      return expanded(to: target)
    }
  }

  /// Repeats to the shape of another tensor.
  public func expandAs(_ other: Tensor) -> Tensor { other.isPoisoned ? other : expand(other.shape) }

  /// Repeats to a shape with which this one broadcasts.
  public func broadcastTo(_ shape: [Int]) -> Tensor { expand(shape.map { Dim($0) }) }

  /// Copies the tensor `counts[i]` times along axis `i`; more counts than axes add axes in front.
  public func `repeat`(_ counts: Int...) -> Tensor { `repeat`(counts) }

  /// Copies the tensor `counts[i]` times along axis `i`; more counts than axes add axes in front.
  public func `repeat`(_ counts: [Int]) -> Tensor {
    composite("repeat", [self]) { () throws(TypeFault) -> Tensor in
      guard counts.count >= rank else { throw TypeFault("\(counts) has fewer numbers than \(type) axes") }
      for count in counts where count < 0 { throw TypeFault("the count \(count) is negative") }
      let sizes = [Dim](repeating: 1, count: counts.count - rank) + shape
      let spread = zip(counts, sizes).flatMap { [Dim($0), $1] }
      return reshape(sizes.flatMap { [1, $0] }).expanded(to: spread)
        .reshape(zip(counts, sizes).map { Dim($0) * $1 })
    }
  }

  /// As `repeat`; missing counts are 1.
  public func tile(_ counts: [Int]) -> Tensor {
    `repeat`([Int](repeating: 1, count: Swift.max(rank - counts.count, 0)) + counts)
  }

  /// Repeats every element `repeats` times along an axis; without an axis, of the flattened tensor.
  public func repeatInterleave(_ repeats: Int, dim: Int? = nil) -> Tensor {
    composite("repeatInterleave", [self]) { () throws(TypeFault) -> Tensor in
      guard repeats >= 0 else { throw TypeFault("the count \(repeats) is negative") }
      let x = dim == nil ? flatten() : self
      let axis = try x.axis(dim ?? 0)
      var spread = x.shape
      spread.insert(Dim(repeats), at: axis + 1)
      var shape = x.shape
      shape[axis] = shape[axis] * Dim(repeats)
      return x.unsqueeze(dim: axis + 1).expanded(to: spread).reshape(shape)
    }
  }

  /// Pieces of `size` along an axis; the last may be smaller.
  public func split(_ size: Int, dim: Int = 0) -> TensorList {
    pieces("split", dim) { (total) throws(TypeFault) in try Self.evenPieces(total, size) }
  }

  private static func evenPieces(_ total: Int, _ size: Int) throws(TypeFault) -> [Int] {
    guard size > 0 else { throw TypeFault("the size \(size) is not positive") }
    guard total / size < pieceLimit else { throw TypeFault("gives more than \(pieceLimit) pieces") }
    return total == 0 ? [0] : stride(from: 0, to: total, by: size).map { Swift.min(size, total - $0) }
  }

  /// More pieces than this are no graph.
  private static let pieceLimit = 1 << 20

  /// Pieces of the given sizes along an axis.
  public func split(_ sizes: [Int], dim: Int = 0) -> TensorList {
    pieces("split", dim, poisonCount: sizes.count) { (total) throws(TypeFault) in
      guard sizes.allSatisfy({ (0...total).contains($0) }), sizes.reduce(0, &+) == total else {
        throw TypeFault("the sizes \(sizes) do not add up to \(total)", help: "they must cover the axis")
      }
      return sizes
    }
  }

  /// At most `count` pieces of equal size along an axis; the last may be smaller.
  public func chunk(_ count: Int, dim: Int = 0) -> TensorList {
    pieces("chunk", dim, poisonCount: count) { (total) throws(TypeFault) in
      try Self.requirePieces(count)
      let size = (total + count - 1) / count
      return size == 0 ? Array(repeating: 0, count: count) : try Self.evenPieces(total, size)
    }
  }

  private static func requirePieces(_ count: Int) throws(TypeFault) {
    guard count > 0 else { throw TypeFault("the count \(count) is not positive") }
    guard count <= pieceLimit else { throw TypeFault("gives more than \(pieceLimit) pieces") }
  }

  private func pieces(
    _ name: String, _ dim: Int, poisonCount: Int = 1, _ sizes: (Int) throws(TypeFault) -> [Int]
  ) -> TensorList {
    let count = Swift.min(Swift.max(poisonCount, 1), Self.pieceLimit)
    let poisoned = TensorList(name, of: self, Array(repeating: builder.poison, count: count))
    guard !isPoisoned else { return poisoned }
    return builder.composite(name, [self]) {
      do throws(TypeFault) {
        let axis = try axis(dim)
        var start = 0
        let pieces = try sizes(try knownSize(axis)).map { size in
          defer { start += size }
          return slice(axis: axis, from: start, to: start + size)
        }
        return TensorList(name, of: self, pieces)
      } catch {
        builder.record(error, operation: name, operands: [self])
        return poisoned
      }
    }
  }

  /// The slices along an axis, which vanishes.
  public func unbind(dim: Int = 0) -> TensorList {
    let rank = rank
    let slices = pieces("unbind", dim) { (total) throws(TypeFault) in try total == 0 ? [] : Self.evenPieces(total, 1) }
    return slices.map { $0.isPoisoned ? $0 : $0.squeezedOnce(dim < 0 ? dim + rank : dim) }
  }

  private func squeezedOnce(_ axis: Int) -> Tensor {
    var shape = shape
    guard shape.indices.contains(axis), shape[axis] == 1 else { return self }
    shape.remove(at: axis)
    return reshape(shape)
  }

  /// `length` elements of an axis from `start`, which may be negative.
  public func narrow(dim: Int, start: Int, length: Int) -> Tensor {
    composite("narrow", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      try requireBounded(start, "start")
      try requireBounded(length, "length")
      let first = start < 0 ? start + (try knownSize(axis)) : start
      if let size = shape[axis].known, first < 0 || length < 0 || first + length > size {
        throw TypeFault("\(first)..<\(first + length) is outside axis \(axis) of \(type)")
      }
      return slice(axis: axis, from: first, to: first + length)
    }
  }

  /// One slice of an axis, which vanishes; `index` may be negative.
  public func select(dim: Int, index: Int) -> Tensor {
    composite("select", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      try requireBounded(index, "the index")
      let position = index < 0 ? index + (try knownSize(axis)) : index
      if position < 0 || shape[axis].known.map({ position >= $0 }) == true {
        throw TypeFault("index \(index) is outside axis \(axis) of \(type)")
      }
      return try slice(axis: axis, from: position, to: position + 1).checked().squeezedOnce(axis)
    }
  }

  /// Python's `x[start:end:step]` on one axis: ends may be negative and are limited to the axis; a negative step walks
  /// backwards.
  public func slice(dim: Int, start: Int? = nil, end: Int? = nil, step: Int = 1) -> Tensor {
    composite("slice", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dim)
      if (start ?? 0) == 0, end == nil, step == 1 { return self }
      if step > 0, (start ?? 0) >= 0, end == nil, shape[axis].known == nil {
        var starts = [Int](repeating: 0, count: rank)
        var strides = [Int](repeating: 1, count: rank)
        starts[axis] = start ?? 0
        strides[axis] = step
        return slice(start: starts, limit: shape, stride: strides)
      }
      let size = try knownSize(axis)
      guard step != 0 else { throw TypeFault("the step is 0") }
      // A longer step than the axis takes one element as well.
      let step = Swift.max(Swift.min(step, size + 1), -size - 1)
      func bounded(_ position: Int, _ low: Int, _ high: Int) -> Int {
        Swift.min(Swift.max(position < 0 ? (position < -size ? -1 : position + size) : position, low), high)
      }
      if step > 0 {
        let first = bounded(start ?? 0, 0, size)
        let last = Swift.max(bounded(end ?? size, 0, size), first)
        return slice(axis: axis, from: first, to: last, stride: step)
      }
      let first = start.map { bounded($0, -1, size - 1) } ?? size - 1
      let last = end.map { bounded($0, -1, size - 1) } ?? -1
      let stride = -step
      let reversed = reverse([axis])
      return reversed.slice(
        axis: axis, from: size - 1 - first, to: Swift.max(size - 1 - last, size - 1 - first), stride: stride)
    }
  }

  /// The elements in opposite order along axes.
  public func flip(dims: some IntegerList) -> Tensor {
    composite("flip", [self]) { () throws(TypeFault) -> Tensor in reverse(try axes(dims.integers)) }
  }

  /// Moves elements along axes; what falls off one end comes in at the other.
  public func roll(shifts: some IntegerList, dims: some IntegerList) -> Tensor {
    composite("roll", [self]) { () throws(TypeFault) -> Tensor in
      let axes = try axes(dims.integers)
      guard axes.count == shifts.integers.count else {
        throw TypeFault("\(shifts.integers.count) shifts for \(axes.count) axes")
      }
      var result = self
      for (axis, shift) in zip(axes, shifts.integers) {
        let size = try knownSize(axis)
        guard size > 0 else { continue }
        let cut = size - ((shift % size) + size) % size
        if cut == size { continue }
        result = .concatenate(
          [result.slice(axis: axis, from: cut, to: size), result.slice(axis: axis, from: 0, to: cut)], axis: axis)
      }
      return result
    }
  }

  /// Turns the plane of two axes by quarters, from the first towards the second.
  public func rot90(_ k: Int = 1, dims: [Int] = [0, 1]) -> Tensor {
    composite("rot90", [self]) { () throws(TypeFault) -> Tensor in
      let axes = try axes(dims)
      guard axes.count == 2 else { throw TypeFault("\(dims) does not name two axes") }
      switch ((k % 4) + 4) % 4 {
      case 1: return flip(dims: axes[1]).transpose(axes[0], axes[1])
      case 2: return flip(dims: axes)
      case 3: return flip(dims: axes[0]).transpose(axes[0], axes[1])
      default: return self
      }
    }
  }

  /// `count` pieces along an axis; the first ones are larger by one where it does not divide.
  public func tensorSplit(_ count: Int, dim: Int = 0) -> TensorList {
    pieces("tensorSplit", dim, poisonCount: count) { (total) throws(TypeFault) in
      try Self.requirePieces(count)
      return (0..<count).map { total / count + ($0 < total % count ? 1 : 0) }
    }
  }

  /// Pieces along an axis, cut before each of the given places.
  public func tensorSplit(at places: [Int], dim: Int = 0) -> TensorList {
    pieces("tensorSplit", dim, poisonCount: places.count + 1) { (total) throws(TypeFault) in
      let cuts = places.map { Swift.min(Swift.max($0 < 0 ? $0 + total : $0, 0), total) } + [total]
      let ascending = zip(cuts, cuts.dropFirst()).allSatisfy { $0 <= $1 }
      guard ascending else { throw TypeFault("the places \(places) are not ascending") }
      return zip([0] + cuts, cuts).map { $1 - $0 }
    }
  }

  /// Sliding windows of an axis as a new last axis.
  public func unfold(dimension: Int, size: Int, step: Int) -> Tensor {
    composite("unfold", [self]) { () throws(TypeFault) -> Tensor in
      let axis = try axis(dimension)
      let total = try knownSize(axis)
      guard size > 0, step > 0, size <= total else {
        throw TypeFault("windows of \(size) every \(step) do not fit axis \(axis) of \(type)")
      }
      let count = (total - size) / step + 1
      let windows = builder.iota(TensorType(.i64, [count, size]), axis: 0) * step
      let places = windows + builder.iota(TensorType(.i64, [count, size]), axis: 1)
      return try indexSelect(dim: axis, places.reshape([count * size])).checked()
        .unflatten(dim: axis, [count, size]).movedim(axis + 1, rank)
    }
  }
}
