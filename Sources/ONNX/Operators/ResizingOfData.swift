internal import LatheCore
internal import LatheNN

/// Resampling to sizes that data decides: places and weights are computed in the run.
extension Resampling {
  /// An axis whose old or new size data decides.
  struct OpenAxis {
    var axis: Int
    var size: Dim
    /// By what factor coordinates are divided, an `f64` without axes.
    var scale: Tensor
    /// The part of the axis that is resized, for `tf_crop_and_resize`: two `f64` without axes.
    var region: (start: Tensor, end: Tensor)?

    init(_ x: Tensor, axis: Int, size: Dim, scale: Double) {
      self.axis = axis
      self.size = size
      self.scale = x.builder.scalar(.float(scale), .f64)
    }

    /// An axis whose size is multiplied by a number of the run.
    init(_ x: Tensor, axis: Int, scale: Tensor, named name: String) {
      self.axis = axis
      self.scale = scale.convert(to: .f64)
      // The product is one of numbers of type f32.
      let product = (x.builder.number(x.shape[axis]).convert(to: .f32) * scale.convert(to: .f32)).floor()
      size = x.builder.extent(counting: product, isCount: scale .> 0, named: name)
    }

    /// An axis that gets a size.
    init(_ x: Tensor, axis: Int, size: Dim) {
      self.axis = axis
      self.size = size
      scale = x.builder.number(size).convert(to: .f64) / x.builder.number(x.shape[axis]).convert(to: .f64)
    }

    /// An axis whose size is multiplied.
    init(_ x: Tensor, axis: Int, scale: Double) {
      let (builder, size) = (x.builder, x.shape[axis])
      self.axis = axis
      self.scale = builder.scalar(.float(scale), .f64)
      if let whole = Int(exactly: scale) {
        self.size = size * Dim(whole)
      } else {
        // The product is one of numbers of type f32.
        let product = builder.number(size).convert(to: .f32) * builder.scalar(.float(scale), .f32)
        self.size = builder.extent(
          product.floor().convert(to: .i64), capacity: size * Dim(Int(scale.rounded(.up))))
      }
    }
  }

  /// The sizes as dimensions, where data decides some of them or of the operand's; nil where none.
  static func open(_ listed: [ListedSize], _ x: Tensor, _ places: [Int], _ call: Call) -> [Dim]? {
    let isOpen = zip(listed, places).contains { entry, axis in
      guard case .size(let size) = entry else { return true }
      return !size.extents.isEmpty || size != x.shape[axis] && !x.shape[axis].extents.isEmpty
    }
    guard isOpen else { return nil }
    let isOnlyOne = listed.count(where: { if case .number = $0 { true } else { false } }) == 1
    return zip(listed, places).map { call.size($0, isOnlyOne ? nil : $1) }
  }

  /// Takes note of the axes that get sizes of which data decides some.
  mutating func size(_ x: Tensor, _ places: [Int], _ sizes: [Dim]) throws(TypeFault) {
    for (axis, size) in zip(places, sizes) where x.shape[axis] != size {
      if let known = size.known, let before = x.shape[axis].known {
        guard known > 0, before > 0 else { throw TypeFault("axis \(axis) of \(x.type) cannot be resized to \(known)") }
        axes.append(Axis(axis: axis, size: known, scale: Double(known) / Double(before)))
      } else {
        guard (x.shape[axis].symbols + size.symbols).isEmpty else {
          throw TypeFault("the size of axis \(axis) must be known", help: Call.bindingHelp([x.shape[axis], size]))
        }
        openAxes.append(OpenAxis(x, axis: axis, size: size))
      }
    }
  }

  /// Takes note of axes whose sizes are multiplied by numbers that the run computes.
  mutating func scale(_ x: Tensor, _ places: [Int], _ scales: Tensor, _ call: Call) throws(TypeFault) {
    guard scales.shape.known == [places.count] else {
      throw TypeFault("the scales \(scales.type) are not a number for each of \(places.count) axes")
    }
    for (position, axis) in places.enumerated() {
      try requireNumber(x, axis)
      openAxes.append(OpenAxis(x, axis: axis, scale: scales.number(at: position), named: call.sizeName(axis)))
    }
  }

  /// Takes note of axes that get sizes of the run, but all the same scale: that of the axis which shrinks or grows most.
  mutating func size(
    _ x: Tensor, _ places: [Int], _ sizes: [ListedSize], _ policy: String, _ call: Call
  ) throws(TypeFault) {
    guard policy == "not_larger" || policy == "not_smaller" else {
      throw TypeFault("the policy '\(policy)' is not one of stretch, not_larger, not_smaller")
    }
    let builder = x.builder
    var scale: Tensor?
    for (size, axis) in zip(sizes, places) {
      try requireNumber(x, axis)
      let own = builder.number(size).convert(to: .f64) / builder.number(x.shape[axis]).convert(to: .f64)
      scale = scale.map { policy == "not_larger" ? $0.minimum(own) : $0.maximum(own) } ?? own
    }
    guard let scale else { return }
    for axis in places {
      let product = (builder.number(x.shape[axis]).convert(to: .f64) * scale + 0.5).floor()
      var open = OpenAxis(x, axis: axis, size: 1, scale: 1)
      open.scale = scale
      open.size = builder.extent(counting: product, isCount: scale .> 0, named: call.sizeName(axis))
      openAxes.append(open)
    }
  }

  private func requireNumber(_ x: Tensor, _ axis: Int) throws(TypeFault) {
    guard x.shape[axis].symbols.isEmpty else {
      throw TypeFault(
        "the size \(x.shape[axis]) of axis \(axis) must be known", help: Call.bindingHelp([x.shape[axis]]))
    }
  }

  /// The tensor with one such axis resampled.
  func resampled(_ x: Tensor, _ axis: OpenAxis, _ coordinate: Tensor) throws(TypeFault) -> Tensor {
    let builder = x.builder
    let last = (builder.number(x.shape[axis.axis]) - 1).convert(to: .f64)
    func elements(_ place: Tensor) -> Tensor {
      let inside = place.maximum(0).minimum(last.maximum(0)).convert(to: .i64)
      return x.gather(inside.inserting(axes: [1]), IndexedAxes(axes: [axis.axis], outside: .ignored))
        .movedim(0, axis.axis)
    }
    if mode == .nearest { return elements(try nearest(coordinate, axis)) }
    if isAntialiased { return antialiased(x, axis, coordinate, last) }
    let first = coordinate.floor()
    var (sum, total): (Tensor?, Tensor?)
    for tap in mode == .linear ? 0...1 : -1...2 {
      let place = first + Double(tap)
      var weight = kernel((place - coordinate).abs())
      if excludesOutside { weight = ((place .< 0) .| (place .> last)).select(weight.zerosLike(), weight) }
      let found = elements(place)
      let term = found * weight.convert(to: x.dtype).broadcast(to: found.shape, axes: [axis.axis])
      sum = sum.map { $0 + term } ?? term
      total = total.map { $0 + weight } ?? weight
    }
    guard let sum, let total else { return x }
    guard excludesOutside else { return sum }
    let divisor = (total .== 0).select(total.onesLike(), total)
    return sum / divisor.convert(to: x.dtype).broadcast(to: sum.shape, axes: [axis.axis])
  }

  /// The same with a kernel that is wider where sizes shrink: how many elements it covers is not known, so that every
  /// element of the result is a sum over all of the operand.
  private func antialiased(_ x: Tensor, _ axis: OpenAxis, _ coordinate: Tensor, _ last: Tensor) -> Tensor {
    let (builder, extent) = (x.builder, x.shape[axis.axis])
    let stretch = axis.scale.minimum(1)
    /// The shares of places: those of `count` places from `start` on in the direction of `step`.
    func shares(_ count: Dim, from start: Tensor, step: Double = 1) -> Tensor {
      let type = TensorType(.f64, [axis.size, count])
      let place = builder.iota(type, axis: 1) * step + start
      return kernel(((place - coordinate.broadcast(to: type.shape, axes: [0])) * stretch).abs())
    }
    var weights = shares(extent, from: last.zerosLike())
    if !excludesOutside {
      // What lies beyond the ends counts as the elements at them; the kernel's reach is one operand, or two.
      let reach = extent * (mode == .linear ? 1 : 2)
      let place = builder.iota(TensorType(.f64, [axis.size, extent]), axis: 1)
      for (end, start, step) in [(last.zerosLike(), last.zerosLike() - 1, -1.0), (last, last + 1, 1)] {
        let beyond = shares(reach, from: start, step: step).reduce(.sum, axes: [1])
        let isEnd = (place .== end).convert(to: .f64)
        weights = weights + isEnd * beyond.broadcast(to: weights.shape, axes: [0])
      }
    }
    let total = weights.reduce(.sum, axes: [1])
    let divisor = (total .== 0).select(total.onesLike(), total)
    weights = (weights / divisor.broadcast(to: weights.shape, axes: [0])).convert(to: x.dtype)
    let order = (0..<x.rank).filter { $0 != axis.axis } + [axis.axis]
    return x.dot(weights, DotGeneral(leftContracting: [axis.axis], rightContracting: [1]))
      .permute(Permute(order).inverse)
  }

  /// Where each element of the result lies in the operand, in double precision.
  func coordinate(_ axis: OpenAxis, _ x: Tensor) throws(TypeFault) -> Tensor {
    let builder = axis.scale.builder
    let size = builder.number(x.shape[axis.axis]).convert(to: .f64)
    let position = builder.iota(TensorType(.f64, [axis.size]), axis: 0)
    let count = builder.number(axis.size).convert(to: .f64)
    let resized = axis.scale * size
    let exact = (position + 0.5) / axis.scale - 0.5
    // What is nearest is decided by numbers of type f32.
    let middle =
      mode == .nearest
      ? ((position.convert(to: .f32) + 0.5) / axis.scale.convert(to: .f32) - 0.5).convert(to: .f64) : exact
    switch coordinates {
    case "asymmetric": return (position.convert(to: .f32) / axis.scale.convert(to: .f32)).convert(to: .f64)
    case "half_pixel": return middle
    case "tf_half_pixel_for_nn":
      return ((position.convert(to: .f32) + 0.5) / axis.scale.convert(to: .f32)).convert(to: .f64)
    case "pytorch_half_pixel": return (count .== 1).select(middle.zerosLike(), middle)
    case "align_corners":
      return (resized .== 1).select(position.zerosLike(), position * (size - 1) / (resized - 1))
    case "half_pixel_symmetric": return size / 2 * (1 - count / resized) + exact
    case "tf_crop_and_resize":
      guard let (start, end) = axis.region else { throw TypeFault("the region is missing") }
      // What is nearest is decided by numbers of type f32, in this order.
      func number(_ x: Tensor) -> Tensor { mode == .nearest ? x.convert(to: .f32) : x }
      let (first, extent, place) = (number(start), number(size - 1), number(position))
      let part = number(end) - first
      let within = place * part * extent / number(resized - 1)
      let middle = place.zerosLike() + part * extent / 2
      return (first * extent + (resized .== 1).select(middle, within)).convert(to: .f64)
    default: throw TypeFault("the coordinate_transformation_mode '\(coordinates)' is not known")
    }
  }

  private func nearest(_ x: Tensor, _ axis: OpenAxis) throws(TypeFault) -> Tensor {
    switch rounding {
    case "outwards": return (axis.scale .< 1).select(x.ceil(), x.floor())
    case "floor": return x.floor()
    case "ceil": return x.ceil()
    case "round_prefer_floor": return (x - 0.5).ceil()
    case "round_prefer_ceil": return (x + 0.5).floor()
    default: throw TypeFault("the nearest_mode '\(rounding)' is not known")
    }
  }

  /// The share of an element at a distance.
  private func kernel(_ t: Tensor) -> Tensor {
    if mode == .linear { return (1 - t).maximum(0) }
    let near = ((cubic + 2) * t - (cubic + 3)) * t * t + 1
    let far = ((cubic * t - 5 * cubic) * t + 8 * cubic) * t - 4 * cubic
    return (t .<= 1).select(near, (t .< 2).select(far, t.zerosLike()))
  }
}

extension Tensor {
  /// One number of a list, as an `f64` without axes.
  func number(at position: Int) -> Tensor {
    slice(axis: 0, from: position, to: position + 1).reshape([Int]()).convert(to: .f64)
  }
}

extension Builder {
  /// A size from a whole number that is a float.
  ///
  /// - Parameter isCount: Whether it is one; a run where it is not fails.
  fileprivate func extent(counting number: Tensor, isCount: Tensor, named name: String) -> Dim {
    let isCount = isCount .& (number .< 9e15)
    let whole = isCount.select(number, number.zerosLike()).convert(to: .i64)
    let count = isCount.select(whole, scalar(.integer(-1), .i64))
    // One number is one size wherever it is used.
    return extent(of: count) ?? extent(count, capacity: nil, named: name)
  }
}
