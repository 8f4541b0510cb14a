internal import LatheCore
internal import LatheNN

/// Operators whose results have sizes that data decides.
///
/// Each is written where the number of elements is computed, since sizes of what follows are read from its results.
extension Matcher {
  /// The operators by the nodes that they are written in place of: that of the number, and those of the results.
  func dataSizes() -> [Int: Composite] {
    var found: [Int: Composite] = [:]
    for position in graph.nodes.indices {
      let extent = Value(node: position)
      guard let size = graph.size(definedBy: extent) else { continue }
      let before = ancestors(of: extent)
      // Of those that fit, the one that stands for most; suppression holds a selection.
      var best: (operation: SizedOperator, results: [[Value]])?
      for candidates in [suppressions(before), selections(extent) + uniques(before) + greatest(extent)]
      where best?.results.joined().isEmpty ?? true {
        for candidate in candidates where candidate.operands.allSatisfy({ $0.node < extent.node }) {
          guard let results = candidate.results(deciding: extent) else { continue }
          if results.joined().count >= best?.results.joined().count ?? 0 { best = (candidate, results) }
        }
      }
      guard let (operation, results) = best else { continue }
      let written = WrittenResults()
      found[position] = Composite(operands: operation.operands) { export, _ throws(TypeFault) in
        written.values = try operation.write(export, Dim(extent: size))
        return try export.define(size, by: written.values[operation.witness], axis: operation.axis)
      }
      for (number, values) in results.enumerated() {
        for value in values {
          found[Int(value.node)] = Composite(operands: [extent]) { export, type throws(TypeFault) in
            try export.reshape(written.values[number], to: type.shape)
          }
        }
      }
      if let places = operation.places {
        for (position, composite) in compressions(results[places], operation.operands[0], written) {
          found[position] = composite
        }
      }
    }
    return found
  }

  /// An operator that may be in the graph.
  private struct SizedOperator {
    var operands: [Value]
    /// What the results are, one after the other; what one function builds may be simplified where others read it too.
    var templates: [Template?]
    /// Which of the results has the size, and on which axis.
    var witness = 0
    var axis = 0
    /// Which of the results are the places of elements of the first operand, in a row.
    var places: Int?
    /// Writes the operator, whose results have a size.
    var write: (_ export: GraphExport, _ size: Dim) throws(TypeFault) -> [ONNXValue]

    /// The values that each result stands for; nil where the size is computed otherwise.
    func results(deciding extent: Value) -> [[Value]]? {
      var results: [[Value]] = []
      for template in templates {
        guard let found = template?.results(deciding: extent) else { return nil }
        results += found
      }
      return results
    }
  }

  private func ancestors(of value: Value) -> [Value] {
    var reached: Set<Int32> = [value.node]
    for position in (0...Int(value.node)).reversed() where reached.contains(Int32(position)) {
      reached.formUnion(graph.nodes[position].operands.map(\.node))
    }
    return reached.sorted().map { Value(node: Int($0)) }
  }

  // MARK: Places of elements

  /// `NonZero` of what is counted: what a chain of operations on one value makes the number of.
  private func selections(_ extent: Value) -> [SizedOperator] {
    guard let (mask, axes) = reduced(graph[extent].operands[0], .sum), axes == [0] else { return [] }
    var operators: [SizedOperator] = []
    var next: Value? = mask
    while let x = next {
      operators.append(nonZero(x))
      switch graph[x].operation {
      case .convert, .reshape, .pointwise(.notEqual): next = graph[x].operands[0]
      default: next = nil
      }
    }
    return operators
  }

  private func nonZero(_ x: Value) -> SizedOperator {
    let rank = type(x).rank
    let isCounted = rank > 0 && OperatorTypes.of("NonZero").working(type(x).dtype) != nil
    let template =
      isCounted
      ? Template(of: [.value(x)], in: self) { [$0[0].flatten().nonzeroTuple()[0], $0[0].nonzero()] } : nil
    return SizedOperator(operands: [x], templates: [template], witness: 2, axis: 1, places: 0) {
      export, size throws(TypeFault) in
      let operand = try export.value(x)
      func nonZero(_ x: ONNXValue) throws(TypeFault) -> ONNXValue {
        let type = TensorType(.i64, [Dim(x.rank), size])
        return try export.compute("NonZero", [x], in: x.dtype, type)
      }
      let all = try nonZero(operand)
      let flat = rank == 1 ? all : try nonZero(try export.reshape(operand, to: [operand.shape.elementCount]))
      return [try export.reshape(flat, to: [size]), export.transpose(all, [1, 0]), all]
    }
  }

  /// Gathers at places that a mask shows are a selection by the mask.
  private func compressions(_ places: [Value], _ mask: Value, _ written: WrittenResults) -> [(Int, Composite)] {
    guard type(mask).dtype == .bool, let place = places.first else { return [] }
    var found: [(Int, Composite)] = []
    for position in graph.nodes.indices {
      guard case .gather(let gather) = graph.nodes[position].operation, gather.indexed.axes == [0],
        gather.indexed.batch == 0, squeezed(graph.nodes[position].operands[1]) == place
      else { continue }
      let x = graph.nodes[position].operands[0]
      found.append(
        (
          position,
          Composite(operands: [x, mask, place]) { export, type throws(TypeFault) in
            let condition = try export.value(mask)
            let flat = try export.reshape(condition, to: [condition.shape.elementCount])
            return try export.compress(try export.value(x), flat, type)
          }
        ))
    }
    return found
  }

  // MARK: Different elements

  /// `Unique` of what is sorted on the way to the number, all elements or slices.
  private func uniques(_ ancestors: [Value]) -> [SizedOperator] {
    let sorted = ancestors.compactMap { sort -> Value? in
      if case .argSort = graph[sort].operation { graph[sort].operands[0] } else { nil }
    }
    let elements = sorted.filter { type($0).rank == 1 }.map { unique(of: $0, axis: nil, isSorted: true) }
    // Slices are ordered by one of their elements after the other.
    var rows: [Value] = []
    for value in sorted {
      var (next, isWhole): (Value?, Bool) = (value, type(value).rank == 1)
      while let x = next {
        if isWhole, !rows.contains(x) { rows.append(x) }
        switch graph[x].operation {
        case .reshape, .permute, .gather: next = graph[x].operands[0]
        case .slice:
          isWhole = true
          next = graph[x].operands[0]
        default: next = nil
        }
      }
    }
    let slices = rows.flatMap { x in
      type(x).shape.indices.flatMap { axis in
        [true, false].map { unique(of: x, axis: axis, isSorted: $0) }
      }
    }
    return elements + slices
  }

  private func unique(of x: Value, axis: Int?, isSorted: Bool) -> SizedOperator {
    var shape = type(x).shape
    if let axis { shape.remove(at: axis) }
    // What is longer is left as it is: each element of a slice is a sort to look for.
    let isShort = axis == nil || shape.elementCount.known.map { $0 <= 64 } ?? false
    let isTaken = isShort && OperatorTypes.of("Unique").working(type(x).dtype) != nil
    let template =
      isTaken
      ? Template(of: [.value(x)], in: self) { operands in
        let unique = axis.map { operands[0].unique(dim: $0, isSorted: isSorted) } ?? operands[0].unique()
        return [unique.values, unique.indices, unique.inverse, unique.counts]
      } : nil
    return SizedOperator(operands: [x], templates: [template], axis: axis ?? 0) { export, size throws(TypeFault) in
      let (operand, places) = (try export.value(x), TensorType(.i64, [size]))
      var shape = operand.shape
      shape[axis ?? 0] = size
      return try export.compute(
        "Unique", [operand], in: operand.dtype,
        results: [operand.type.with(shape: shape), places, TensorType(.i64, [operand.shape[axis ?? 0]]), places],
        (axis.map { [.int("axis", $0)] } ?? []) + [.int("sorted", isSorted ? 1 : 0)])
    }
  }

  // MARK: Greatest elements

  /// `TopK` where the number of elements that are taken is computed.
  private func greatest(_ extent: Value) -> [SizedOperator] {
    let count = graph[extent].operands[0]
    guard case .extent(let payload) = graph[extent].operation else { return [] }
    return graph.nodes.compactMap { node in
      guard case .argSort(let sort) = node.operation, node.types[0].shape[sort.axis] == payload.capacity,
        case let x = node.operands[0], isOrdered(x)
      else { return nil }
      let template = Template(of: [.value(x), .value(count)], in: self) { operands in
        let (values, indices) = operands[0].topk(operands[1], dim: sort.axis, largest: sort.descending)
        return [values, indices]
      }
      return SizedOperator(operands: [x, count], templates: [template], axis: sort.axis) {
        export, size throws(TypeFault) in
        let operand = try export.value(x)
        var shape = operand.shape
        shape[sort.axis] = size
        return try export.greatest(operand, try export.value(count), sort, shape)
      }
    }
  }

  /// Whether `TopK` orders values as they are.
  func isOrdered(_ x: Value) -> Bool { type(x).dtype != .u64 && OperatorTypes.of("TopK").working(type(x).dtype) != nil }

  // MARK: Boxes

  /// `NonMaxSuppression` of boxes that are gathered by the order of scores, one after the other.
  private func suppressions(_ ancestors: [Value]) -> [SizedOperator] {
    var operators: [SizedOperator] = []
    for sort in ancestors {
      guard case .argSort(let order) = graph[sort].operation, order.descending, order.axis == 2,
        case let scores = graph[sort].operands[0], type(scores).rank == 3, type(scores).dtype == .f32
      else { continue }
      for gather in ancestors {
        guard case .gather(let indexed) = graph[gather].operation, indexed.indexed.batch == 1,
          squeezed(graph[gather].operands[1]) == sort, case let boxes = graph[gather].operands[0],
          type(boxes).dtype == .f32
        else { continue }
        operators += ancestors.flatMap { suppressions(boxes, scores, walk: $0, ancestors) }
      }
    }
    return operators
  }

  /// - Parameter walk: The scan over the boxes, in which shares and numbers of boxes are compared with what is given.
  private func suppressions(_ boxes: Value, _ scores: Value, walk: Value, _ ancestors: [Value]) -> [SizedOperator] {
    guard case .scan(let scan) = graph[walk].operation else { return [] }
    let body = Matcher(graph: scan.body)
    var (threshold, most): (MatchedOperand?, MatchedOperand?)
    for position in scan.body.nodes.indices {
      let comparison = Value(node: position)
      func given(_ value: Value) -> MatchedOperand? {
        let source = body.broadcast(value)?.source ?? value
        guard let position = scan.body.inputs.firstIndex(of: source) else { return body.repeated(value) }
        return repeated(graph[walk].operands[position])
      }
      if let shares = body.operands(comparison, .greater), body.operands(shares[0], .divide) != nil {
        threshold = given(shares[1])
      } else if let numbers = body.operands(comparison, .less), scan.body.inputs.contains(numbers[0]) {
        most = given(numbers[1])
      }
    }
    guard let threshold, let most, threshold.type(in: self) == .scalar(.f32), most.type(in: self) == .scalar(.i64)
    else {
      return []
    }
    let least = ancestors.compactMap { operands($0, .greater).flatMap { repeated($0[1]) } }
      .filter { $0.type(in: self) == .scalar(.f32) }
    return (least + [nil]).map { least in
      let given = [.value(boxes), .value(scores), most, threshold] + (least.map { [$0] } ?? [])
      let templates = [false, true].map { isPlaces in
        Template(of: given, in: self) { operands in
          let kept = nonMaxSuppression(
            operands[0], operands[1], most: operands[2], iouThreshold: operands[3],
            scoreThreshold: operands.dropFirst(4).first)
          return [isPlaces ? kept.select(dim: 1, index: 2) : kept]
        }
      }
      return SizedOperator(operands: given.compactMap(\.value), templates: templates) {
        export, size throws(TypeFault) in
        var operands: [ONNXValue] = []
        for operand in given {
          let value = try operand.written(export)
          operands.append(value.rank == 0 ? try export.reshape(value, to: [1]) : value)
        }
        let kept = export.emit("NonMaxSuppression", operands, TensorType(.i64, [size, 3]))
        let places = export.emit(
          "Gather", [kept, export.model.vector([2], "axis")], TensorType(.i64, [size, 1]), [.int("axis", 1)])
        return [kept, places]
      }
    }
  }

  /// The one number that a value is everywhere, literal or not.
  private func repeated(_ value: Value) -> MatchedOperand? {
    let source = broadcast(value)?.source ?? value
    if let literal = graph.literal(source), literal.count == 1, let number = literal.first {
      return .literal(NDArray(scalar: number, dtype: literal.dtype))
    }
    return type(source).rank == 0 ? .value(source) : nil
  }

  // MARK: Sizes as numbers

  /// As many ones as a size, summed: the size.
  func sizeNumber(_ value: Value) -> Composite? {
    guard case .reduce(let reduce) = graph[value].operation, reduce.combiner == .sum, type(value) == .scalar(.i64),
      case let ones = graph[value].operands[0], let (source, axes) = broadcast(ones), axes.isEmpty,
      isNumber(source, 1)
    else { return nil }
    let count = type(ones).shape.elementCount
    return Composite(operands: count.extents.compactMap { extents[$0] }) { export, _ throws(TypeFault) in
      try export.reshape(try export.size(count), to: [])
    }
  }
}

extension GraphExport {
  /// The slices of the first axis where a condition holds; of a value that has been transposed, those of the axis that it
  /// had been.
  fileprivate func compress(_ x: ONNXValue, _ condition: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    guard let (source, permutation) = block.transposed[x.name] else {
      return emit("Compress", [x, condition], type, [.int("axis", 0)])
    }
    var shape = source.shape
    shape[permutation[0]] = type.shape[0]
    let kept = emit("Compress", [source, condition], type.with(shape: shape), [.int("axis", permutation[0])])
    return transpose(kept, permutation)
  }

  /// The first elements of an axis in an order, and their places.
  func greatest(
    _ x: ONNXValue, _ count: ONNXValue, _ sort: ArgSort, _ shape: [Dim]
  ) throws(TypeFault) -> [ONNXValue] {
    try compute(
      "TopK", [x, try reshape(count, to: [1])], in: x.dtype,
      results: [x.type.with(shape: shape), TensorType(.i64, shape)],
      [.int("axis", sort.axis), .int("largest", sort.descending ? 1 : 0), .int("sorted", 1)])
  }
}
