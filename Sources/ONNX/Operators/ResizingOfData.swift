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

  /// The tensor with one such axis resampled.
  func resampled(_ x: Tensor, _ axis: OpenAxis) throws(TypeFault) -> Tensor {
    guard !isAntialiased, coordinates != "tf_crop_and_resize" else {
      throw TypeFault(
        "\(isAntialiased ? "antialiasing" : coordinates) needs sizes that are known when the model is compiled")
    }
    let builder = x.builder
    let last = (builder.number(x.shape[axis.axis]) - 1).convert(to: .f64)
    let coordinate = try coordinate(axis, last + 1)
    func elements(_ place: Tensor) -> Tensor {
      let inside = place.maximum(0).minimum(last.maximum(0)).convert(to: .i64)
      return x.gather(inside.inserting(axes: [1]), IndexedAxes(axes: [axis.axis], outside: .ignored))
        .movedim(0, axis.axis)
    }
    if mode == .nearest { return elements(try nearest(coordinate, axis)) }
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

  /// Where each element of the result lies in the operand, which has so many elements, in double precision.
  private func coordinate(_ axis: OpenAxis, _ size: Tensor) throws(TypeFault) -> Tensor {
    let builder = axis.scale.builder
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
    case "pytorch_half_pixel": return (count .== 1).select(middle.zerosLike(), middle)
    case "align_corners":
      return (resized .== 1).select(position.zerosLike(), position * (size - 1) / (resized - 1))
    case "half_pixel_symmetric": return size / 2 * (1 - count / resized) + exact
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
