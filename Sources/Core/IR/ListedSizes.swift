/// An entry of a list that gives a shape.
package enum ListedSize {
  /// It can be told while the graph is built, at least by name.
  case size(Dim)
  /// Only the run tells it: an `i64` without axes.
  case number(Tensor)
}

extension Builder {
  /// An entry of a list as an `i64` without axes.
  package func number(_ entry: ListedSize) -> Tensor {
    switch entry {
    case .size(let size): number(size)
    case .number(let number): number
    }
  }
}

extension Tensor {
  /// The entries of a list of integers, or of one without axes, each as far as it can be told while the graph is built.
  ///
  /// Shapes that data decides are put together from numbers, sizes and literals; what was put together is taken apart
  /// here, so that one number has one size wherever it is used.
  ///
  /// - Returns: nil where the tensor is no such list, or its length is not known.
  package var listedSizes: [ListedSize]? {
    guard !isPoisoned, dtype.isInteger, rank <= 1, let count = type.elementCount, count <= SizeTracing.longestList
    else {
      return nil
    }
    var tracing = SizeTracing()
    return (0..<count).map { tracing.element(of: self, $0) }
  }
}

extension ListedSize {
  /// How much larger than this number another one is at most, of which it is told that it is at least this one, or
  /// limited by a number that is not negative: `i` and `min(i + 1, 500)`.
  ///
  /// - Returns: nil where nothing of the kind is to be told.
  package func mostSteps(to end: ListedSize) -> Int? {
    guard case .number(let start) = self, case .number(let end) = end else { return nil }
    var tracing = SizeTracing()
    guard let ends = tracing.ends(end, 0, from: start), ends.allSatisfy({ $0.number >= 0 }) else { return nil }
    return ends.compactMap { $0.isFromStart ? $0.number : nil }.min()
  }
}

/// Follows entries of lists back to what they were made of.
private struct SizeTracing {
  fileprivate static let longestList = 256

  /// How many more nodes are looked at; what is made of more is a number of the run.
  private var budget = 10_000

  mutating func element(of list: Tensor, _ index: Int) -> ListedSize {
    traced(list, index) ?? .number(Self.entry(of: list, index))
  }

  /// The entry as a tensor without axes.
  private static func entry(of list: Tensor, _ index: Int) -> Tensor {
    let isOne = list.type.elementCount == 1
    let entry = isOne ? list : list.slice(axis: 0, from: index, to: index + 1)
    return entry.reshape([Dim]()).convert(to: .i64)
  }

  /// What the entry is made of; nil where that is not to be told.
  private mutating func traced(_ list: Tensor, _ index: Int) -> ListedSize? {
    guard isLegible(list), list.dtype.isInteger || list.dtype == .bool else { return nil }
    if let (source, place) = source(of: list, index) {
      guard source.rank <= 1, source.dtype.isInteger || source.dtype == .bool else { return nil }
      return element(of: source, place)
    }
    let node = list.builder.node(of: list.value)
    let operands = node.operands.map { Tensor(builder: list.builder, value: $0) }
    switch node.operation {
    case .constant(let constant): return .size(Dim(constant.array.integers[index]))
    case .extent(let extent): return .size(Dim(extent: extent.size))
    case .reduce(let reduce): return reduced(operands[0], reduce.combiner)
    case .pointwise(let function): return computed(function, operands, index)
    default: return nil
    }
  }

  /// Whether the tensor is a list that is short enough to be looked at.
  private mutating func isLegible(_ list: Tensor) -> Bool {
    budget -= 1
    return budget > 0 && list.rank <= 1 && (list.type.elementCount ?? .max) <= Self.longestList
  }

  /// Where an entry comes from that is only moved, repeated or converted.
  private func source(of list: Tensor, _ index: Int) -> (list: Tensor, index: Int)? {
    let builder = list.builder
    let node = builder.node(of: list.value)
    func operand(_ position: Int) -> Tensor { Tensor(builder: builder, value: node.operands[position]) }
    switch node.operation {
    case .input: return builder.captured(list.value).map { ($0, index) }
    case .convert: return list.dtype == .bool ? nil : (operand(0), index)
    case .reshape: return (operand(0), index)
    case .broadcast: return (operand(0), operand(0).type.elementCount == 1 ? 0 : index)
    case .slice(let slice): return (operand(0), slice.start[0] + index * slice.stride[0])
    case .concatenate:
      var place = index
      for position in node.operands.indices {
        guard let count = operand(position).shape[0].known else { return nil }
        if place < count { return (operand(position), place) }
        place -= count
      }
      return nil
    case .gather(let gather):
      guard gather.indexed.axes == [0], gather.indexed.batch == 0, operand(0).rank == 1, operand(1).rank <= 2,
        let places = operand(1).literal?.integers, places.indices.contains(index),
        let count = operand(0).type.elementCount, (0..<count).contains(places[index])
      else { return nil }
      return (operand(0), places[index])
    default: return nil
    }
  }

  /// What an entry is at most: numbers, and how much more than another number.
  ///
  /// - Returns: nil where that is not to be told.
  mutating func ends(_ list: Tensor, _ index: Int, from start: Tensor) -> [(isFromStart: Bool, number: Int)]? {
    guard isLegible(list) else { return nil }
    if list.dtype.isInteger {
      switch element(of: list, index) {
      case .number(let number): if number.builder === start.builder, number.value == start.value { return [(true, 0)] }
      case .size(let size): return size.known.map { [(false, $0)] }
      }
    }
    if let (source, place) = source(of: list, index) { return ends(source, place, from: start) }
    let node = list.builder.node(of: list.value)
    let operands = node.operands.map { Tensor(builder: list.builder, value: $0) }
    switch node.operation {
    case .constant(let constant):
      guard constant.array.values.indices.contains(index),
        let number = Int(exactly: constant.array.values[index].double)
      else { return nil }
      return [(false, number)]
    case .pointwise(.minimum):
      guard let a = ends(operands[0], index, from: start), let b = ends(operands[1], index, from: start) else {
        return nil
      }
      return a + b
    case .pointwise(.add):
      guard let a = ends(operands[0], index, from: start), let b = ends(operands[1], index, from: start) else {
        return nil
      }
      let (constants, others) = a.allSatisfy { !$0.isFromStart } ? (a, b) : (b, a)
      guard constants.count == 1, !constants[0].isFromStart else { return nil }
      return others.map { ($0.isFromStart, $0.number + constants[0].number) }
    default: return nil
    }
  }

  private mutating func size(_ operand: Tensor, _ index: Int) -> Dim? {
    if case .size(let size) = traced(operand, index) { size } else { nil }
  }

  private mutating func reduced(_ operand: Tensor, _ combiner: Combiner) -> ListedSize? {
    guard operand.rank == 1 else { return nil }
    // A size as a number is so many ones.
    let node = operand.builder.node(of: operand.value)
    if combiner == .sum, case .broadcast = node.operation,
      let repeated = Tensor(builder: operand.builder, value: node.operands[0]).literal, repeated.count == 1
    {
      return .size(operand.shape[0] * Dim(repeated.integers[0]))
    }
    guard let count = operand.shape[0].known, (1...Self.longestList).contains(count) else { return nil }
    var result: Dim?
    for index in 0..<count {
      guard let next = size(operand, index) else { return nil }
      guard let before = result else {
        result = next
        continue
      }
      switch combiner {
      case .sum: result = before + next
      case .product: result = before * next
      case .max: result = .maximum(before, next)
      case .min: result = .minimum(before, next)
      }
    }
    return result.map { .size($0) }
  }

  private mutating func computed(_ function: Pointwise, _ operands: [Tensor], _ index: Int) -> ListedSize? {
    if function == .select {
      guard let condition = size(operands[0], index)?.known else { return nil }
      return element(of: operands[condition != 0 ? 1 : 2], index)
    }
    guard let last = operands.last, let b = size(last, index) else { return nil }
    guard operands.count == 2 else {
      switch function {
      case .negate: return .size(Dim(0) - b)
      case .not where last.dtype == .bool: return b.known.map { .size(Dim(1 - $0)) }
      default: return nil
      }
    }
    guard let a = size(operands[0], index) else {
      // What changes nothing.
      switch (function, b.known) {
      case (.add, 0), (.subtract, 0), (.multiply, 1), (.divide, 1): return element(of: operands[0], index)
      default: return nil
      }
    }
    func told(_ isTrue: Bool, _ isFalse: Bool) -> ListedSize? { isTrue ? .size(1) : isFalse ? .size(0) : nil }
    let (less, greater) = (b.isAtLeast(a + 1), a.isAtLeast(b + 1))
    switch function {
    case .add: return .size(a + b)
    case .subtract: return .size(a - b)
    case .multiply: return .size(a * b)
    case .maximum: return .size(.maximum(a, b))
    case .minimum: return .size(.minimum(a, b))
    case .divide:
      guard let divisor = b.known, divisor != 0 else { return a.divided(exactlyBy: b).map { .size($0) } }
      if let dividend = a.known { return .size(Dim(dividend / divisor)) }
      // Rounding down is rounding towards zero.
      return divisor > 0 && a.isAtLeast(0) ? .size(a.floorDivided(by: divisor)) : nil
    case .equal: return told(a == b, less || greater)
    case .notEqual: return told(less || greater, a == b)
    case .less: return told(less, a.isAtLeast(b))
    case .lessEqual: return told(b.isAtLeast(a), greater)
    case .greater: return told(greater, b.isAtLeast(a))
    case .greaterEqual: return told(a.isAtLeast(b), less)
    case .and where last.dtype == .bool: return .size(.minimum(a, b))
    case .or where last.dtype == .bool: return .size(.maximum(a, b))
    default: return nil
    }
  }
}
