/// A scalar expression of one kernel, by its position in the kernel's `ScalarBuilder`.
package struct Scalar: Hashable, Sendable {
  package let id: Int32

  package init(id: Int32) {
    self.id = id
  }
}

/// How a reduction joins two elements; associative and commutative.
package enum Combiner: String, Hashable, Sendable, CaseIterable {
  /// What adds or multiplies all elements.
  case sum, product
  /// Minimum and maximum propagate NaN, as PyTorch's do; on `bool` they are `all` and `any`.
  case min, max

  /// The scalar function that joins two elements.
  package var function: Pointwise {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .min: .minimum
    case .max: .maximum
    }
  }

  /// The element that changes nothing.
  package func identity(_ type: ScalarType) -> ScalarValue {
    switch self {
    case .sum: type.isFloat ? .float(0) : .integer(0)
    case .product: type.isFloat ? .float(1) : .integer(1)
    case .min: type.highest
    case .max: type.lowest
    }
  }
}

/// A tensor in memory that kernels read and write, by position in the program's buffers.
package struct BufferID: Hashable, Sendable, Comparable {
  package let position: Int

  package init(_ position: Int) {
    self.position = position
  }

  package static func < (a: BufferID, b: BufferID) -> Bool { a.position < b.position }
}

/// What one element of a tensor is, in terms of loop variables and elements of other tensors.
package enum ScalarNode: Hashable, Sendable {
  case constant(ScalarValue)
  /// A loop index as a number of type `i64`.
  case index(Index)
  /// An element of a buffer, at a row-major position.
  case load(BufferID, Index)
  case pointwise(Pointwise, [Scalar])
  case convert(Scalar)
  case bitcast(Scalar)
  /// The `i64` operand where it lies in `0 ..< extent`, which is one unsigned comparison; elsewhere the run fails and
  /// the value is 0.
  case checked(Scalar, Int)
  /// `then` where all constraints hold, `otherwise` elsewhere; `then` is not evaluated there, but `otherwise` may be
  /// evaluated everywhere.
  case guarded([Constraint], then: Scalar, otherwise: Scalar)
  /// The body joined over all values of the variables.
  case reduce(Combiner, [LoopVariable], Scalar)
  /// The value of the variable at which the body is extreme, as `i64`: the first such, NaN counting as extreme.
  case argReduce(Combiner, LoopVariable, Scalar)
}

/// Makes and interns the scalars of one kernel, so that equal expressions are one.
///
/// Not `Sendable`: it lives for the lowering of one kernel.
package final class ScalarBuilder {
  package private(set) var nodes: [ScalarNode] = []
  package private(set) var types: [ScalarType] = []
  private var interned: [Key: Scalar] = [:]
  private var variableCount = 0
  /// Whether indices that data decides are checked; where not, whoever runs the kernel answers for them.
  let checksIndices: Bool

  private struct Key: Hashable {
    let node: ScalarNode
    let type: ScalarType
  }

  package init(checksIndices: Bool = true) {
    self.checksIndices = checksIndices
  }

  package func node(_ scalar: Scalar) -> ScalarNode { nodes[Int(scalar.id)] }

  package func type(_ scalar: Scalar) -> ScalarType { types[Int(scalar.id)] }

  /// A new loop variable.
  package func variable(_ extent: Int) -> LoopVariable {
    variableCount += 1
    return LoopVariable(id: variableCount - 1, extent: extent)
  }

  package func variables(_ extents: [Int]) -> [LoopVariable] { extents.map { variable($0) } }

  /// The only door: interns the node.
  package func make(_ node: ScalarNode, _ type: ScalarType) -> Scalar {
    let key = Key(node: node, type: type)
    if let known = interned[key] { return known }
    let scalar = Scalar(id: Int32(nodes.count))
    nodes.append(node)
    types.append(type)
    interned[key] = scalar
    return scalar
  }

  package func constant(_ value: ScalarValue, _ type: ScalarType) -> Scalar {
    make(.constant(type.rounded(value)), type)
  }

  package func index(_ index: Index) -> Scalar {
    if let known = index.known { return constant(.integer(known), .i64) }
    if index.constant == 0, index.terms.count == 1, index.terms[0].coefficient == 1,
      case .value(let scalar) = index.terms[0].atom
    {
      return scalar
    }
    return make(.index(index), .i64)
  }

  package func load(_ buffer: BufferID, _ position: Index, _ type: ScalarType) -> Scalar {
    make(.load(buffer, position), type)
  }

  package func convert(_ scalar: Scalar, _ type: ScalarType) -> Scalar {
    if self.type(scalar) == type { return scalar }
    if case .constant(let value) = node(scalar) {
      return constant(type.converted(value, from: self.type(scalar)), type)
    }
    return make(.convert(scalar), type)
  }

  package func bitcast(_ scalar: Scalar, _ type: ScalarType) -> Scalar {
    self.type(scalar) == type ? scalar : make(.bitcast(scalar), type)
  }

  /// The operand as an index into `extent` elements: with a check, where it is not known to lie among them.
  ///
  /// - Parameter always: Whether it is checked even where indices are not.
  package func checked(_ scalar: Scalar, _ extent: Int, always: Bool = false) -> Scalar {
    guard checksIndices || always else { return scalar }
    switch node(scalar) {
    case .constant(.integer(let value)) where (0..<extent).contains(value): return scalar
    case .checked(_, let known) where known <= extent: return scalar
    case .index(let index):
      if let bounds = index.bounds, bounds.lowerBound >= 0, bounds.upperBound < extent { return scalar }
    default: break
    }
    return make(.checked(scalar, extent), .i64)
  }

  package func pointwise(_ function: Pointwise, _ operands: Scalar...) -> Scalar { pointwise(function, operands) }

  package func pointwise(_ function: Pointwise, _ operands: [Scalar]) -> Scalar {
    let types = operands.map { type($0) }
    let result = function.resultType(types)
    if let type = types.last, let values = integers(operands, types) {
      return constant(function.evaluate(values, type), result)
    }
    return make(.pointwise(function, operands), result)
  }

  /// The operands as numbers, where all are integers that are known.
  private func integers(_ operands: [Scalar], _ types: [ScalarType]) -> [ScalarValue]? {
    var values: [ScalarValue] = []
    for (operand, type) in zip(operands, types) {
      guard !type.isFloat, case .constant(let value) = node(operand) else { return nil }
      values.append(value)
    }
    return values
  }

  /// `then` where the constraints hold; constraints that the bounds decide vanish.
  ///
  /// `otherwise` may be evaluated everywhere.
  package func guarded(_ constraints: [Constraint], then: () -> Scalar, otherwise: Scalar) -> Scalar {
    var open: [Constraint] = []
    for constraint in constraints {
      switch constraint.known {
      case true?: continue
      case false?: return otherwise
      case nil:
        if case .multiple(let index, let divisor) = constraint {
          open.append(.multiple(index.remainder(by: divisor), of: divisor))
        } else {
          open.append(constraint)
        }
      }
    }
    let inner = then()
    return open.isEmpty ? inner : make(.guarded(open, then: inner, otherwise: otherwise), type(inner))
  }

  /// Reduces over the variables; sums and products of 16-bit floats are carried out in `f32`.
  ///
  /// Over nothing, the result is the combiner's identity, and no element is read that is not there.
  package func reduce(_ combiner: Combiner, _ variables: [LoopVariable], _ body: Scalar) -> Scalar {
    let type = type(body)
    if variables.contains(where: { $0.extent == 0 }) { return constant(combiner.identity(type), type) }
    let wide = type.computeType
    return convert(make(.reduce(combiner, variables, convert(body, wide)), wide), type)
  }

  package func argReduce(_ combiner: Combiner, _ variable: LoopVariable, _ body: Scalar) -> Scalar {
    make(.argReduce(combiner, variable, body), .i64)
  }
}

/// A tensor as a function from index to element: in a buffer, or computed where it is wanted.
package struct TensorExpression {
  package let type: TensorType
  /// The sizes of the axes.
  package let shape: [Int]
  /// For each axis, the indices that may be read: beyond the shape, there are zeros.
  let readable: [Range<Int>]
  private let element: ([Index]) -> Scalar

  package init(_ type: TensorType, element: @escaping ([Index]) -> Scalar) {
    self.type = type
    self.shape = type.sizes
    self.element = element
    readable = shape.map { 0..<$0 }
  }

  /// A dense tensor in a buffer, starting at an element.
  package init(_ type: TensorType, in buffer: BufferID, from start: Index = Index(0), _ scalars: ScalarBuilder) {
    self.init(type, in: buffer, from: start, Layout(shape: type.sizes), scalars)
  }

  /// A tensor in a buffer, starting at an element, in a layout.
  init(_ type: TensorType, in buffer: BufferID, from start: Index, _ layout: Layout, _ scalars: ScalarBuilder) {
    self.type = type
    shape = type.sizes
    readable = shape.indices.map { layout.readable($0) }
    element = { scalars.load(buffer, start + layout.position($0), type.dtype) }
  }

  /// The tensor whose element at `origin` is this one's first; itself where there is no origin.
  func starting(at origin: [Index]?) -> TensorExpression {
    guard let origin else { return self }
    return TensorExpression(type) { indices in element(zip(indices, origin).map { $0 - $1 }) }
  }

  /// The element at an index, one per axis.
  package subscript(_ indices: [Index]) -> Scalar { element(indices) }
}

/// What an operation computes, as loops: the one definition that all back-ends work from.
package enum Definition {
  /// Every element of every result on its own.
  case elements([([Index]) -> Scalar])
  /// Running reductions along an axis.
  case cumulative(Cumulative)
  /// The order that sorts an axis.
  case sort(SortDefinition)
  /// A copy of a tensor with elements joined in at computed places.
  case scatter(ScatterDefinition)
  /// Sub-programs in sequence, branches or loops; the program's lowering deals with them.
  case controlFlow
  /// A routine on each matrix of the operands' last two axes.
  case routine(Routine)

  /// The only result's elements.
  package static func element(_ element: @escaping ([Index]) -> Scalar) -> Definition { .elements([element]) }

  /// What is left of elements from an index on; of everything else, all.
  func starting(at origin: [Index]) -> Definition {
    guard case .elements(let elements) = self else { return self }
    return .elements(elements.map { element in { indices in element(zip(indices, origin).map { $0 + $1 }) } })
  }
}

/// `out[.., i, ..] = combine(out[.., i - 1, ..], operand[.., i, ..])` along `axis`.
package struct Cumulative {
  package var combiner: Combiner
  package var axis: Int
  /// From the last element to the first.
  package var reverse: Bool
  package var element: ([Index]) -> Scalar
}

/// `out[.., i, ..] = j` where `key[.., j, ..]` is the `i`-th element of the sorted axis; see ``ArgSort``.
package struct SortDefinition {
  package var axis: Int
  package var descending: Bool
  /// An element in memory.
  package var key: ([Index]) -> Scalar
}

/// `out = base`, then for every index `u` of `domain` in order: `out[target(u)] = combine(out[target(u)], update(u))`,
/// leaving out targets that lie outside, unless they are checked.
package struct ScatterDefinition {
  package var base: ([Index]) -> Scalar
  package var domain: [Int]
  package var target: ([Index]) -> [Index]
  /// Whether targets are checked, so that all lie inside.
  package var isChecked: Bool
  package var update: ([Index]) -> Scalar
  /// Nil replaces the element.
  package var combiner: Combiner?
}
