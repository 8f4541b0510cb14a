/// A value while its graph is being built: what traced code computes with.
///
/// Methods here are the primitives; `LatheNN` adds PyTorch's vocabulary in terms of them. A faulty tensor has type
/// `f32[]` and makes everything computed from it faulty, without further messages.
public struct Tensor: Sendable {
  /// What builds the graph that the tensor belongs to.
  public let builder: Builder
  /// The value that it stands for.
  package let value: Value

  init(builder: Builder, value: Value) {
    self.builder = builder
    self.value = value
  }

  /// Whether the operation that was to make it could not be built.
  public var isPoisoned: Bool { value.isPoison }

  /// The element type and the sizes; of a poisoned tensor, `f32[]`.
  public var type: TensorType { builder.type(of: value) }

  /// The element type.
  public var dtype: ScalarType { type.dtype }

  /// The sizes of the axes, outermost first.
  public var shape: [Dim] { type.shape }

  /// How many axes there are.
  public var rank: Int { type.rank }

  /// The literal that the tensor is, where it is one.
  public var literal: NDArray? {
    guard !isPoisoned, case .constant(let constant) = builder.node(of: value).operation else { return nil }
    return constant.array
  }

  /// Applies an operation with one result, in the innermost of the operands' graphs.
  package static func apply(_ operation: Operation, _ operands: [Tensor]) -> Tensor {
    let builder = innermostBuilder(of: operands)
    return builder.apply(operation, operands).first ?? builder.poison
  }

  /// The builder of the innermost of the tensors' graphs: where what is computed from all of them belongs.
  ///
  /// Without tensors it is that of the running trace.
  package static func innermostBuilder(of tensors: [Tensor]) -> Builder {
    tensors.max { $0.builder.depth < $1.builder.depth }?.builder ?? Builder.current ?? Builder()
  }

  private func apply(_ operation: Operation, _ others: Tensor...) -> Tensor { Tensor.apply(operation, [self] + others) }

  // MARK: Views

  /// The same elements in another shape; one size may be -1 and is computed.
  public func reshape(_ shape: [Dim]) -> Tensor {
    guard !isPoisoned, shape != self.shape else { return self }
    do throws(TypeFault) {
      return apply(.reshape(Reshape(try Reshape.filling(shape, from: type))))
    } catch {
      builder.record(error, operation: "reshape", operands: [self])
      return builder.poison
    }
  }

  /// The same elements in another shape; one size may be -1 and is computed.
  public func reshape(_ shape: [Int]) -> Tensor { reshape(shape.map { Dim($0) }) }

  /// The axes in another order; negative numbers count from the last axis.
  public func permute(_ axes: [Int]) -> Tensor {
    let axes = axes.map { $0 < 0 ? $0 + rank : $0 }
    return axes == Array(0..<rank) ? self : apply(.permute(Permute(axes)))
  }

  /// Repeats along new axes and axes of size 1; axis `i` becomes axis `axes[i]`.
  package func broadcast(to shape: [Dim], axes: [Int]) -> Tensor {
    shape == self.shape && axes == Array(0..<rank) ? self : apply(.broadcast(Broadcast(shape, axes: axes)))
  }

  /// The elements from `start` below `limit`, in steps of `stride`, on every axis.
  package func slice(start: [Int], limit: [Dim], stride: [Int]) -> Tensor {
    if start.allSatisfy({ $0 == 0 }), limit == shape, stride.allSatisfy({ $0 == 1 }) { return self }
    return apply(.slice(Slice(start: start, limit: limit, stride: stride)))
  }

  /// The elements `start ..< end` of one axis.
  public func slice(axis: Int, from start: Int, to end: Int, stride: Int = 1) -> Tensor {
    guard hasAxis(axis, "slice") else { return builder.poison }
    var starts = [Int](repeating: 0, count: rank)
    var limits = shape
    var strides = [Int](repeating: 1, count: rank)
    starts[axis] = start
    limits[axis] = Dim(end)
    strides[axis] = stride
    return slice(start: starts, limit: limits, stride: strides)
  }

  /// Whether an axis exists; where not, that is recorded as a fault of the named operation.
  private func hasAxis(_ axis: Int, _ operation: String, _ others: Tensor...) -> Bool {
    if isPoisoned || others.contains(where: \.isPoisoned) { return false }
    do throws(TypeFault) {
      try TypeFault.requireAxes([axis], rank: rank)
      for other in others where other.rank != rank {
        throw TypeFault("\(type) and \(other.type) have different numbers of axes")
      }
      return true
    } catch {
      builder.record(error, operation: operation, operands: [self] + others)
      return false
    }
  }

  /// The elements in opposite order along some axes.
  package func reverse(_ axes: [Int]) -> Tensor { axes.isEmpty ? self : apply(.reverse(Reverse(axes))) }

  /// Pads every axis; negative amounts cut off.
  ///
  /// The value defaults to zero.
  package func pad(low: [Int], high: [Int], interior: [Int], value: Tensor? = nil) -> Tensor {
    if (low + high + interior).allSatisfy({ $0 == 0 }) { return self }
    let zero = builder.scalar(dtype.isFloat ? .float(0) : .integer(0), dtype)
    return apply(.pad(Pad(low: low, high: high, interior: interior)), value ?? zero)
  }

  /// Tensors one behind the other along an axis; their other sizes and element types are equal.
  package static func concatenate(_ tensors: [Tensor], axis: Int) -> Tensor {
    tensors.count == 1 ? tensors[0] : apply(.concatenate(Concatenate(axis: axis)), tensors)
  }

  /// Puts a new axis of size 1 at a position.
  func unsqueezed(at axis: Int) -> Tensor {
    var shape = shape
    shape.insert(1, at: min(axis, shape.count))
    return reshape(shape)
  }

  /// Moves one axis to another position; the others keep their order.
  func movingAxis(_ axis: Int, to target: Int) -> Tensor {
    var order = Array(0..<rank)
    guard axis < rank, target < rank else { return self }
    order.remove(at: axis)
    order.insert(axis, at: target)
    return permute(order)
  }

  // MARK: Types

  /// The elements in another type: floats are rounded to the nearest, towards zero where integers are wanted.
  public func convert(to dtype: ScalarType) -> Tensor { dtype == self.dtype ? self : apply(.convert(Convert(dtype))) }

  /// The bits of the elements as another type of the same size.
  package func bitcast(to dtype: ScalarType) -> Tensor { dtype == self.dtype ? self : apply(.bitcast(Bitcast(dtype))) }

  /// The same elements, through which no gradient passes.
  public func detach() -> Tensor { apply(.detach(Detach())) }

  // MARK: Reductions, contractions, windows

  /// Joins the elements along axes, which vanish.
  package func reduce(_ combiner: Combiner, axes: [Int]) -> Tensor {
    axes.isEmpty ? self : apply(.reduce(Reduce(combiner, axes: axes)))
  }

  /// The index, `i64`, at which an axis, which vanishes, is least or greatest.
  ///
  /// It is the first such; NaN counts as extreme.
  package func argReduce(_ combiner: Combiner, axis: Int) -> Tensor {
    apply(.argReduce(ArgReduce(combiner, axis: axis)))
  }

  /// The order that sorts an axis, stably; NaN counts as greatest.
  package func argSort(axis: Int, descending: Bool = false) -> Tensor {
    apply(.argSort(ArgSort(axis: axis, descending: descending)))
  }

  /// Running reductions along an axis, from the other end when reversed.
  package func cumulative(_ combiner: Combiner, axis: Int, reverse: Bool = false) -> Tensor {
    apply(.cumulative(CumulativeReduce(combiner, axis: axis, reverse: reverse)))
  }

  /// The contraction of two tensors: batch axes first, then the free axes of this one, then those of the other.
  package func dot(_ other: Tensor, _ axes: DotGeneral) -> Tensor { apply(.dot(axes), other) }

  /// The convolution of `[batch, in, spatial...]` with a weight `[out, in / groups, spatial...]`.
  package func convolution(_ weight: Tensor, _ payload: Convolution) -> Tensor { apply(.convolution(payload), weight) }

  /// Joins the elements under a window that slides over the last axes: pooling.
  package func windowReduce(_ combiner: Combiner, _ window: WindowShape) -> Tensor {
    apply(.windowReduce(WindowReduce(combiner, window)))
  }

  /// The place, `i64`, of the extreme under a window that slides over the last axes, row-major in those axes.
  package func windowArgReduce(_ combiner: Combiner, _ window: WindowShape) -> Tensor {
    apply(.windowArgReduce(WindowArgReduce(combiner, window)))
  }

  /// For every element the product of all others on its axis: exact where elements are zero.
  func exclusiveProduct(axis: Int) -> Tensor {
    func shifted(_ reverse: Bool) -> Tensor {
      var low = [Int](repeating: 0, count: rank)
      var high = low
      (low[axis], high[axis]) = reverse ? (-1, 1) : (1, -1)
      return pad(low: low, high: high, interior: low.map { _ in 0 }, value: builder.scalar(.float(1), dtype))
        .cumulative(.product, axis: axis, reverse: reverse)
    }
    return shifted(false) * shifted(true)
  }

  // MARK: Indexing by data

  /// Slices at computed places: the axes are `[batch, places..., kept...]`.
  package func gather(_ indices: Tensor, _ indexed: IndexedAxes) -> Tensor { apply(.gather(Gather(indexed)), indices) }

  /// Writes slices at computed places of a copy; on `bool`, a sum is "or" and a product "and".
  package func scatter(_ indices: Tensor, _ updates: Tensor, _ indexed: IndexedAxes, combiner: Combiner?) -> Tensor {
    let onBool: [Combiner: Combiner] = [.sum: .max, .product: .min]
    let combiner = dtype == .bool ? combiner.map { onBool[$0] ?? $0 } : combiner
    return apply(.scatter(Scatter(indexed, combiner: combiner)), indices, updates)
  }

  /// Joins `updates` into places along one axis; `indices` and `updates` have one shape, equal to this tensor's on all
  /// other axes.
  package func scatterAlong(
    axis: Int, indices: Tensor, updates: Tensor, combiner: Combiner?, outside: IndexedAxes.Outside = .error
  ) -> Tensor {
    guard hasAxis(axis, "scatter", indices, updates) else { return builder.poison }
    let last = rank - 1
    let result = movingAxis(axis, to: last).scatter(
      indices.movingAxis(axis, to: last).unsqueezed(at: rank), updates.movingAxis(axis, to: last),
      IndexedAxes(batch: last, axes: [last], outside: outside), combiner: combiner)
    return result.movingAxis(last, to: axis)
  }

  /// The elements at places along one axis; `indices` has this tensor's shape on all other axes.
  package func gatherAlong(axis: Int, indices: Tensor, outside: IndexedAxes.Outside = .error) -> Tensor {
    guard hasAxis(axis, "gather", indices) else { return builder.poison }
    let last = rank - 1
    return movingAxis(axis, to: last)
      .gather(
        indices.movingAxis(axis, to: last).unsqueezed(at: rank),
        IndexedAxes(batch: last, axes: [last], outside: outside)
      )
      .movingAxis(last, to: axis)
  }

  // MARK: Fillings

  /// A tensor of this type with one value in every element.
  package func filled(_ value: ScalarValue) -> Tensor { isPoisoned ? self : builder.full(type, value) }

  /// Zeros of this type.
  public func zerosLike() -> Tensor { filled(dtype.isFloat ? .float(0) : .integer(0)) }

  /// Ones of this type.
  public func onesLike() -> Tensor { filled(dtype.isFloat ? .float(1) : .integer(1)) }
}

extension Tensor: CustomStringConvertible {
  /// A literal as PyTorch prints it; of everything else, which has no elements yet, the type and what computes it.
  public var description: String {
    if isPoisoned { return "tensor(faulty)" }
    return literal?.description ?? "tensor(\(type), \(builder.node(of: value).operation.name))"
  }
}
