public import LatheCore

/// Joins tensors along an axis; element types are promoted.
///
/// Tensors of shape `[0]` may stand beside such of any shape, and add nothing.
public func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
  composite("cat", tensors) { () throws(TypeFault) -> Tensor in
    let filled = tensors.filter { $0.shape != [0] }
    guard let first = filled.first ?? tensors.first else { throw TypeFault("needs at least one tensor") }
    let axis = try first.axis(dim)
    let dtype = tensors.reduce(first.dtype) { $0.promoted(with: $1.dtype) }
    return .concatenate((filled.isEmpty ? tensors : filled).map { $0.convert(to: dtype) }, axis: axis)
  }
}

/// Joins tensors along an axis: `cat` by its other name, once also `concatenate`.
public func concat(_ tensors: [Tensor], dim: Int = 0) -> Tensor { cat(tensors, dim: dim) }

/// Joins tensors of one shape along a new axis.
public func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
  composite("stack", tensors) { () throws(TypeFault) -> Tensor in
    guard let first = tensors.first else { throw TypeFault("needs at least one tensor") }
    for tensor in tensors where tensor.shape != first.shape {
      throw TypeFault("tensors have different shapes, \(first.type) and \(tensor.type)")
    }
    let axis = try first.axis(dim, rank: first.rank + 1)
    return cat(tensors.map { $0.unsqueeze(dim: axis) }, dim: axis)
  }
}

/// Joins tensors side by side: along axis 1, vectors along their only one.
public func hstack(_ tensors: [Tensor]) -> Tensor {
  composite("hstack", tensors) {
    cat(tensors.map { $0.atLeast(1) }, dim: tensors.first.map { $0.rank > 1 } ?? false ? 1 : 0)
  }
}

/// Joins tensors one above the other: along axis 0, vectors as rows.
public func vstack(_ tensors: [Tensor]) -> Tensor {
  composite("vstack", tensors) { cat(tensors.map { $0.atLeast(2) }) }
}

/// Joins tensors one behind the other: along axis 2.
public func dstack(_ tensors: [Tensor]) -> Tensor {
  composite("dstack", tensors) { cat(tensors.map { $0.atLeast(3) }, dim: 2) }
}

/// Joins tensors side by side, vectors as columns.
public func columnStack(_ tensors: [Tensor]) -> Tensor {
  composite("columnStack", tensors) { cat(tensors.map { $0.rank < 2 ? $0.reshape([-1, 1]) : $0 }, dim: 1) }
}

extension Tensor {
  /// With axes of size 1 put where NumPy does: a vector is a row of a matrix, a matrix is one image's slice.
  fileprivate func atLeast(_ count: Int) -> Tensor {
    switch (count, rank) {
    case (1, 0): reshape([1])
    case (2, 0...1): reshape([1, -1])
    case (3, 0...1): reshape([1, -1, 1])
    case (3, 2): unsqueeze(dim: 2)
    default: self
    }
  }
}

/// Tensors repeated to their common shape.
public func broadcastTensors(_ tensors: [Tensor]) -> [Tensor] {
  composite("broadcastTensors", tensors, count: tensors.count) { () throws(TypeFault) -> [Tensor] in
    let shape = try Tensor.broadcastShape(tensors.map(\.type))
    return tensors.map { $0.expanded(to: shape) }
  }
}

/// Which of the first two tensors of `meshgrid` varies along the first axis.
public enum GridIndexing: String, Sendable {
  /// The first axis is that of the first tensor, or of the second.
  case ij, xy
}

/// Every combination of the elements of vectors, one tensor for each vector.
public func meshgrid(_ tensors: [Tensor], indexing: GridIndexing = .ij) -> [Tensor] {
  composite("meshgrid", tensors, count: tensors.count) { () throws(TypeFault) -> [Tensor] in
    for tensor in tensors { try tensor.requireRank(0...1, "a tensor") }
    let shape = tensors.map { $0.rank == 0 ? 1 : $0.shape[0] }
    let grids = tensors.enumerated().map { axis, tensor in
      tensor.reshape([shape[axis]]).broadcast(to: shape, axes: [axis])
    }
    return indexing == .xy && tensors.count >= 2 ? grids.map { $0.transpose(0, 1) } : grids
  }
}

/// Every combination of the elements of vectors, one row each.
public func cartesianProd(_ tensors: [Tensor]) -> Tensor {
  composite("cartesianProd", tensors) { () throws(TypeFault) -> Tensor in
    if tensors.count == 1 { return tensors[0] }
    return stack(meshgrid(tensors).map { $0.flatten() }, dim: 1)
  }
}

/// Matrices along the diagonal of a larger one, zeros elsewhere.
public func blockDiag(_ tensors: [Tensor]) -> Tensor {
  composite("blockDiag", tensors) { () throws(TypeFault) -> Tensor in
    var matrices: [Tensor] = []
    for tensor in tensors {
      try tensor.requireRank(0...2, "a tensor")
      matrices.append(tensor.rank == 2 ? tensor : tensor.reshape([1, tensor.shape.elementCount]))
    }
    let widths = try matrices.map { (matrix) throws(TypeFault) -> Int in try matrix.knownSize(1) }
    var before = 0
    var rows: [Tensor] = []
    for (matrix, width) in zip(matrices, widths) {
      let after = widths.reduce(0, +) - before - width
      rows.append(matrix.pad(low: [0, before], high: [0, after], interior: [0, 0]))
      before += width
    }
    return cat(rows)
  }
}

/// Depth to space: `[N, C r^2, H, W]` to `[N, C, H r, W r]`.
public func pixelShuffle(_ x: Tensor, _ upscaleFactor: Int) -> Tensor {
  composite("pixelShuffle", [x]) { () throws(TypeFault) -> Tensor in
    let lead = x.rank - 3
    guard lead >= 0, upscaleFactor > 0 else { throw TypeFault("\(x.type) is no image") }
    let r = Dim(upscaleFactor)
    guard let channels = x.shape[lead].divided(exactlyBy: r * r) else {
      throw TypeFault("\(x.shape[lead]) channels do not divide by \(upscaleFactor) squared")
    }
    let (height, width) = (x.shape[lead + 1], x.shape[lead + 2])
    let outer = Array(x.shape[..<lead])
    let order = Array(0..<lead) + [0, 3, 1, 4, 2].map { $0 + lead }
    return x.reshape(outer + [channels, r, r, height, width]).permute(order)
      .reshape(outer + [channels, height * r, width * r])
  }
}

/// Space to depth, the inverse of `pixelShuffle`.
public func pixelUnshuffle(_ x: Tensor, _ downscaleFactor: Int) -> Tensor {
  composite("pixelUnshuffle", [x]) { () throws(TypeFault) -> Tensor in
    let lead = x.rank - 3
    guard lead >= 0, downscaleFactor > 0 else { throw TypeFault("\(x.type) is no image") }
    let r = Dim(downscaleFactor)
    guard let height = x.shape[lead + 1].divided(exactlyBy: r), let width = x.shape[lead + 2].divided(exactlyBy: r)
    else {
      throw TypeFault("the image \(x.type) does not divide by \(downscaleFactor)")
    }
    let outer = Array(x.shape[..<lead])
    let order = Array(0..<lead) + [0, 2, 4, 1, 3].map { $0 + lead }
    return x.reshape(outer + [x.shape[lead], height, r, width, r]).permute(order)
      .reshape(outer + [x.shape[lead] * r * r, height, width])
  }
}

/// Mixes the channels of groups: `[N, g, C / g, ...]` with the two exchanged.
public func channelShuffle(_ x: Tensor, groups: Int) -> Tensor {
  composite("channelShuffle", [x]) { () throws(TypeFault) -> Tensor in
    guard x.rank >= 3 else { throw TypeFault("\(x.type) is no image") }
    guard groups > 0, let inner = x.shape[1].divided(exactlyBy: Dim(groups)) else {
      throw TypeFault("\(x.shape[1]) channels do not divide into \(groups) groups")
    }
    let grouped = x.reshape([x.shape[0], Dim(groups), inner] + x.shape[2...])
    return grouped.permute([0, 2, 1] + Array(3..<(x.rank + 1))).reshape(x.shape)
  }
}
