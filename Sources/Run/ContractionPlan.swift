internal import LatheCore

/// A contraction that OpenBLAS carries out, block of columns by block of columns.
///
/// Factors that are matrices in memory already are handed over as they are; others are packed into scratch space, a
/// convolution's image as the matrix of its windows.
struct ContractionPlan: Sendable {
  private let isDouble: Bool
  private let batch: [LoopVariable]
  private let rows: Int
  private let columns: Int
  private let contracted: Int
  private let left: Source
  private let right: Source
  /// Columns are worked on `blocks` times: all values of the columns' variables after the first one that is split.
  private let block: Block
  private let epilogue: PreparedTape

  /// Where a factor comes from.
  private enum Source: Sendable {
    /// A matrix in a buffer, starting at an element.
    case matrix(BufferID, start: Index, stride: Int, isTransposed: Bool)
    /// A dense matrix in local memory, which the tape fills.
    case packed(PreparedTape, offset: Int, stride: Int)
    /// A dense matrix in local memory, filled by a walk.
    case walked(FactorWalk, offset: Int)

    var tape: Tape? { if case .packed(let tape, _, _) = self { tape.tape } else { nil } }
  }

  /// A split of the columns.
  private struct Block: Sendable {
    /// The first value of the split variable in a block; a parameter of the packing tape.
    var start: LoopVariable
    /// Values of the split variable per block, and in all.
    var size: Int
    var extent: Int
    /// Columns per value of the split variable.
    var inner: Int
  }

  /// The result has one row and few terms, as in depthwise convolution: multiplied right away, without the library.
  private let isDirect: Bool

  /// Multiplications below which loops are as good.
  private static let leastWork = 4096
  /// The most terms that are multiplied directly.
  private static let mostDirectTerms = 64
  /// Bytes that a packed block of the right factor may have.
  private static let blockBytes = 1 << 20
  /// Bytes that the accumulator may have.
  private static let mostAccumulatorBytes = 256 << 20

  var registerBytes: Int { [epilogue.tape, left.tape, right.tape].compactMap { $0?.registerBytes }.max() ?? 0 }
  var localBytes: Int { [epilogue.tape, left.tape, right.tape].compactMap { $0?.localBytes }.max() ?? 0 }

  /// Nil where loops do better, or where the library is missing.
  init?(_ contraction: Contraction, _ kernel: Kernel, _ buffers: [Buffer]) throws(TapeFault) {
    let type = contraction.left.type
    let rows = contraction.rows.extent
    let columns = contraction.columns.extent
    let contracted = contraction.contracted.extent
    let size = type.byteCount
    let isDirect = rows == 1 && contracted <= Self.mostDirectTerms
    guard type == .f32 || type == .f64, contraction.right.type == type, contraction.accumulator.type == type,
      rows * columns * contracted >= (isDirect ? 128 : Self.leastWork),
      rows * columns * size <= Self.mostAccumulatorBytes, !contraction.left.index.isDynamic,
      !contraction.right.index.isDynamic, isDirect || BLAS.shared != nil
    else { return nil }
    self.isDirect = isDirect
    func count(_ factor: Contraction.Factor) -> Int {
      buffers.indices.contains(factor.buffer.position) ? buffers[factor.buffer.position].count : 0
    }
    isDouble = type == .f64
    batch = contraction.batch
    self.rows = rows
    self.columns = columns
    self.contracted = contracted
    let parameters = kernel.parameters + contraction.batch
    var space = (rows * columns * size).aligned
    let accumulator = [(array: contraction.accumulator, offset: 0)]

    if !isDirect, let matrix = Self.matrix(contraction.left, contraction.rows, contraction.contracted) {
      left = matrix
    } else if let walk = FactorWalk(
      contraction.left, outer: contraction.rows, inner: contraction.contracted, count: count(contraction.left))
    {
      left = .walked(walk, offset: space)
      space += (rows * contracted * size).aligned
    } else {
      if isDirect { return nil }
      let array = LocalArray(id: -1, type: type, count: rows * contracted)
      let tape = try Self.packing(
        contraction.left, contraction.rows + contraction.contracted, into: array, at: space, parameters, buffers,
        kernel.name)
      left = .packed(PreparedTape(tape), offset: space, stride: contracted)
      space += (array.count * size).aligned
    }

    let split = contraction.columns.firstIndex { $0.extent > 1 } ?? 0
    let inner = contraction.columns.dropFirst(split + 1).map(\.extent).reduce(1, *)
    let extent = contraction.columns.isEmpty ? 1 : contraction.columns[split].extent
    let variables = (parameters + contraction.rows + contraction.columns + contraction.contracted)
    let unused = (variables.map(\.id).max() ?? 0) + 1
    var block = Block(
      start: LoopVariable(id: unused, extent: extent), size: extent, extent: extent, inner: inner)
    if !isDirect, let matrix = Self.matrix(contraction.right, contraction.contracted, contraction.columns) {
      right = matrix
    } else if let walk = FactorWalk(
      contraction.right, outer: contraction.contracted, inner: contraction.columns, count: count(contraction.right))
    {
      right = .walked(walk, offset: space)
      if !isDirect {
        block.size = min(extent, max(1, Self.blockBytes / (contracted * inner * size)))
        space += (contracted * block.size * inner * size).aligned
      }
    } else {
      if isDirect { return nil }
      block.size = min(extent, max(1, Self.blockBytes / (contracted * inner * size)))
      let width = block.size * inner
      let array = LocalArray(id: -2, type: type, count: contracted * width)
      let tape = try Self.packing(
        contraction.right, contraction.contracted + contraction.columns, into: array, at: space,
        parameters + [block.start], buffers, kernel.name,
        split: contraction.columns.isEmpty ? nil : (contraction.columns[split], block.start, block.size))
      right = .packed(PreparedTape(tape), offset: space, stride: width)
      space += (array.count * size).aligned
    }
    self.block = block
    var tape = try TapeBuilder.tape(
      for: contraction.epilogue, parameters: parameters, buffers: buffers, name: kernel.name, locals: accumulator)
    tape.localBytes = max(tape.localBytes, space)
    epilogue = PreparedTape(tape)
  }

  /// The factor as a matrix that lies in memory as the library wants it, or nil.
  private static func matrix(
    _ factor: Contraction.Factor, _ outer: [LoopVariable], _ inner: [LoopVariable]
  ) -> Source? {
    guard factor.constraints.isEmpty, let down = stride(factor.index, outer), let along = stride(factor.index, inner)
    else { return nil }
    let start = factor.index.substituting { outer.contains($0) || inner.contains($0) ? Index(0) : Index($0) }
    if along == 1 && (down >= inner.extent || outer.extent == 1) {
      return .matrix(factor.buffer, start: start, stride: max(down, inner.extent), isTransposed: false)
    }
    if down == 1 && (along >= outer.extent || inner.extent == 1) {
      return .matrix(factor.buffer, start: start, stride: max(along, outer.extent), isTransposed: true)
    }
    return nil
  }

  /// The step in memory from one value of the row-major product of the variables to the next, if it is always the same.
  private static func stride(_ index: Index, _ variables: [LoopVariable]) -> Int? {
    let used = variables.filter { $0.extent > 1 }
    for term in index.terms {
      switch term.atom {
      case .variable: break
      case .floorDivide(let inner, _), .modulo(let inner, _):
        if !inner.variables.isDisjoint(with: used) { return nil }
      case .value: return nil
      }
    }
    guard let last = used.last else { return 1 }
    let step = index.coefficient(of: last)
    var expected = step
    for variable in used.reversed() {
      guard index.coefficient(of: variable) == expected else { return nil }
      expected *= variable.extent
    }
    return step > 0 ? step : nil
  }

  /// A tape that writes a factor, row-major over the variables, into a local array.
  ///
  /// A split variable runs over a block.
  private static func packing(
    _ factor: Contraction.Factor, _ variables: [LoopVariable], into array: LocalArray, at offset: Int,
    _ parameters: [LoopVariable], _ buffers: [Buffer], _ name: String,
    split: (variable: LoopVariable, start: LoopVariable, size: Int)? = nil
  ) throws(TapeFault) -> Tape {
    var place = Index(0)
    for variable in variables {
      let isSplit = split.map { $0.variable == variable } ?? false
      let extent = isSplit ? split?.size ?? variable.extent : variable.extent
      place = place * extent + Index(variable)
    }
    if let split, split.size < split.variable.extent {
      // Places count from the start of the block.
      place = place - Index(split.start) * place.coefficient(of: split.variable)
    }
    let zero = Expression.constant(factor.type.isFloat ? .float(0) : .integer(0), factor.type)
    let element = Expression.load(.buffer(factor.buffer), factor.index, factor.type)
    let value: Expression =
      factor.constraints.isEmpty ? element : .select(factor.constraints, then: element, otherwise: zero)
    var statements = [Statement.store(.local(array), place, value)]
    for (depth, variable) in variables.reversed().enumerated() where variable.extent > 1 || depth == 0 {
      var loop = Loop(variable, kind: depth == 0 ? .vector : .parallel, body: statements)
      if let split, split.variable == variable, split.size < variable.extent {
        loop.lower = Bound(0, [Bound.Quotient(dividend: Index(split.start), divisor: 1)])
        loop.upper = Bound(
          variable.extent, [Bound.Quotient(dividend: Index(split.start) + split.size, divisor: 1)])
      }
      statements = [.loop(loop)]
    }
    return try TapeBuilder.tape(
      for: statements, parameters: parameters, buffers: buffers, name: name, locals: [(array, offset)])
  }

  // MARK: Runs

  func run(
    buffers: UnsafePointer<UnsafeMutableRawPointer>, registers: UnsafeMutableRawPointer,
    locals: UnsafeMutableRawPointer, parameters: [LoopVariable: Int]
  ) -> Machine.Fault? {
    var values = parameters
    let size = isDouble ? 8 : 4
    for iteration in 0..<batch.extent {
      var rest = iteration
      for variable in batch.reversed() {
        values[variable] = rest % variable.extent
        rest /= variable.extent
      }
      let place = Place(buffers: buffers, registers: registers, locals: locals, values: values)
      if let fault = fill(left, place, block: nil) { return fault }
      if isDirect {
        if let fault = addDirectly(place) { return fault }
      } else if let blas = BLAS.shared {
        let leftMatrix = operand(left, place, columns: contracted, size)
        var start = 0
        while start < block.extent {
          let count = min(block.size, block.extent - start)
          values[block.start] = start
          let place = Place(buffers: buffers, registers: registers, locals: locals, values: values)
          let width = count * block.inner
          if let fault = fill(right, place, block: start..<(start + count)) { return fault }
          blas.multiply(
            leftMatrix, operand(right, place, columns: width, size), into: locals + start * block.inner * size,
            resultStride: columns, rows: rows, columns: width, contracted: contracted, isDouble: isDouble)
          start += count
        }
      }
      if let fault = place.run(epilogue) { return fault }
    }
    return nil
  }

  /// Memory and the values of the variables, at one iteration.
  private struct Place {
    let buffers: UnsafePointer<UnsafeMutableRawPointer>
    let registers: UnsafeMutableRawPointer
    let locals: UnsafeMutableRawPointer
    let values: [LoopVariable: Int]

    func run(_ tape: PreparedTape) -> Machine.Fault? {
      Machine.run(tape, registers: registers, locals: locals, buffers: buffers) { values[$0] ?? 0 }
    }
  }

  /// Packs a factor; of the right one the block of columns.
  private func fill(_ source: Source, _ place: Place, block range: Range<Int>?) -> Machine.Fault? {
    switch source {
    case .matrix: return nil
    case .packed(let tape, _, _): return place.run(tape)
    case .walked(let walk, let offset):
      var inner = 0..<walk.innerCount
      var along = 0..<walk.length
      if let range {
        if walk.innerCount == 1 {
          along = walk.length == block.extent ? range : along
        } else {
          let each = walk.innerCount / block.extent
          inner = (range.lowerBound * each)..<(range.upperBound * each)
        }
      }
      let source = UnsafeRawPointer(place.buffers[walk.buffer.position])
      let target = place.locals + offset
      let outside =
        isDouble
        ? walk.pack(
          source.assumingMemoryBound(to: Double.self), to: target.assumingMemoryBound(to: Double.self), inner: inner,
          along: along, parameters: place.values)
        : walk.pack(
          source.assumingMemoryBound(to: Float.self), to: target.assumingMemoryBound(to: Float.self), inner: inner,
          along: along, parameters: place.values)
      return outside.map { fault(walk, $0) }
    }
  }

  private func fault(_ walk: FactorWalk, _ position: Int) -> Machine.Fault {
    Machine.Fault(
      address: Address(
        affine: Affine(constant: 0, firstTerm: 0, termCount: 0, stride: 0), buffer: Int32(walk.buffer.position),
        localOffset: 0, count: walk.count, type: isDouble ? .f64 : .f32),
      position: position)
  }

  /// The only row of the result, term by term.
  private func addDirectly(_ place: Place) -> Machine.Fault? {
    guard case .walked(_, let offset) = left, case .walked(let walk, _) = right else { return nil }
    let source = UnsafeRawPointer(place.buffers[walk.buffer.position])
    let outside: Int?
    if isDouble {
      let sums = place.locals.assumingMemoryBound(to: Double.self)
      sums.update(repeating: 0, count: columns)
      outside = walk.addProducts(
        source.assumingMemoryBound(to: Double.self),
        factors: (place.locals + offset).assumingMemoryBound(to: Double.self), to: sums, parameters: place.values)
    } else {
      let sums = place.locals.assumingMemoryBound(to: Float.self)
      sums.update(repeating: 0, count: columns)
      outside = walk.addProducts(
        source.assumingMemoryBound(to: Float.self),
        factors: (place.locals + offset).assumingMemoryBound(to: Float.self), to: sums, parameters: place.values)
    }
    return outside.map { fault(walk, $0) }
  }

  private func operand(_ source: Source, _ place: Place, columns: Int, _ size: Int) -> BLAS.Matrix {
    switch source {
    case .matrix(let buffer, let start, let stride, let isTransposed):
      BLAS.Matrix(
        start: place.buffers[buffer.position] + start.value(place.values) * size, stride: stride,
        isTransposed: isTransposed)
    case .packed(_, let offset, let stride):
      BLAS.Matrix(start: place.locals + offset, stride: stride, isTransposed: false)
    case .walked(_, let offset): BLAS.Matrix(start: place.locals + offset, stride: columns, isTransposed: false)
    }
  }
}

extension Index {
  /// The number for given values of the variables; there is no data in it.
  func value(_ values: [LoopVariable: Int]) -> Int {
    terms.reduce(constant) { sum, term in
      let factor =
        switch term.atom {
        case .variable(let variable): values[variable] ?? 0
        case .floorDivide(let inner, let divisor): inner.value(values).dividedRoundingDown(by: divisor)
        case .modulo(let inner, let divisor): inner.modulus(values, divisor)
        case .value: 0
        }
      return sum + factor * term.coefficient
    }
  }

  private func modulus(_ values: [LoopVariable: Int], _ divisor: Int) -> Int {
    let number = value(values)
    return number - number.dividedRoundingDown(by: divisor) * divisor
  }
}

extension [LoopVariable] {
  /// The number of combinations.
  var extent: Int { map(\.extent).reduce(1, *) }
}
