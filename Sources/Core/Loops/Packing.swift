/// What a schedule asks of a buffer that is read.
struct OperandFacts {
  /// Whether the content is known now, and so can be laid out at will.
  var isConstant: Bool
  /// Elements.
  var count: Int
}

/// An operand copied into the order in which loops read it.
struct Packing: Hashable {
  /// What is copied.
  var source: BufferID
  var type: ScalarType
  /// The element of the source that comes first.
  var start: Index
  /// The loops, outermost first: how often each runs, and its stride in the source.
  var extents: [Int]
  var strides: [Int]

  var count: Int { extents.reduce(1, *) }

  /// The elements of a constant in the new order.
  func applied(to array: NDArray) -> NDArray {
    let width = type.byteCount
    var bytes = [UInt8](repeating: 0, count: count * width)
    let origin = start.known ?? 0
    array.withUnsafeBytes { source in
      bytes.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        var written = 0
        func copy(_ depth: Int, _ offset: Int) {
          if depth == extents.count {
            to.advanced(by: written).copyMemory(from: from.advanced(by: offset * width), byteCount: width)
            written += width
          } else if depth == extents.count - 1, strides[depth] == 1 {
            let length = extents[depth] * width
            to.advanced(by: written).copyMemory(from: from.advanced(by: offset * width), byteCount: length)
            written += length
          } else {
            for step in 0..<extents[depth] { copy(depth + 1, offset + step * strides[depth]) }
          }
        }
        copy(0, origin)
      }
    }
    return NDArray(dtype: type, shape: extents, bytes: bytes)
  }
}

extension Tile {
  /// The tile with its operands that are read as vectors laid out in the order of its loops: constants always, others
  /// where lanes are not neighbours in memory.
  ///
  /// - Parameter pack: Makes the copy and names its buffer; nil leaves the operand where it is.
  func packed(_ facts: (BufferID) -> OperandFacts, _ pack: (Packing) -> BufferID?) -> Tile {
    let scalars = nest.scalars
    guard let reduction = nest.onlyReduction, case .reduce(_, _, let body) = scalars.node(reduction) else { return self }
    let loops = outer + order + [columns, rows, lanes].compactMap { $0 }
    var replacements: [Scalar: Scalar] = [:]
    scalars.forEach([body]) { scalar, node in
      guard case .load(let buffer, let position) = node, position.isAffine, !position.isDynamic,
        position.variables.contains(lanes), rows.map({ !position.variables.contains($0) }) ?? true,
        facts(buffer).isConstant || position.coefficient(of: lanes) != 1, position.lies(in: facts(buffer))
      else { return }
      let own = loops.filter { position.variables.contains($0) }
      // Variables around the kernel are no loops of the copy.
      guard position.variables.isSubset(of: own) else { return }
      let packing = Packing(
        source: buffer, type: scalars.type(scalar), start: Index(position.constant), extents: own.map(\.extent),
        strides: own.map { position.coefficient(of: $0) })
      guard packing.strides != Packing.denseStrides(packing.extents), let target = pack(packing) else { return }
      replacements[scalar] = scalars.load(
        target, Index.flattened(own.map { Index($0) }, shape: own.map(\.extent)), packing.type)
    }
    guard !replacements.isEmpty else { return self }
    var result = self
    result.nest.stores[0].value = scalars.replacing([nest.stores[0].value], by: replacements)[0]
    return result
  }
}

extension Index {
  /// Whether all positions are elements of a buffer, also where conditions would keep loops away from some.
  func lies(in operand: OperandFacts) -> Bool {
    guard let bounds else { return false }
    return bounds.lowerBound >= 0 && bounds.upperBound < operand.count
  }
}

extension Packing {
  /// The strides of a dense array.
  static func denseStrides(_ extents: [Int]) -> [Int] {
    var strides = extents
    var stride = 1
    for position in extents.indices.reversed() {
      strides[position] = stride
      stride *= extents[position]
    }
    return strides
  }
}
