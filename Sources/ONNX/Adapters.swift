internal import LatheCore

/// What applications in old operator sets say, said as newer ones have it.
///
/// One row for each change; what an operator's own definition tells apart by the opset is not among them.
struct Adapter: Sendable {
  typealias Body = @Sendable (inout Call) throws(TypeFault) -> Void

  /// The first version that has the newer form.
  let version: Int
  let adapt: Body

  /// The rows of the standard domain.
  static let standard: [String: Adapter] = [
    "Add": .broadcasting, "Sub": .broadcasting, "Mul": .broadcasting, "Div": .broadcasting, "Pow": .broadcasting,
    "And": .broadcasting, "Or": .broadcasting, "Xor": .broadcasting,
    "Equal": .broadcasting, "Greater": .broadcasting, "Less": .broadcasting,
    "PRelu": Adapter(version: 7) { call throws(TypeFault) in
      // A slope for each channel.
      let (x, slope) = (try call.tensor(0), try call.tensor(1))
      guard slope.rank == 1, slope.shape[0] != 1, x.rank > 1 else { return }
      call.operands[1] = Operand(slope.inserting(axes: Array(1..<(x.rank - 1))))
    },
    "Reshape": Adapter(version: 5) { call throws(TypeFault) in
      let shape = try call.integers("shape")
      call.operands.append(Operand(.sizes(Sizes(shape.map { Dim($0) }))))
    },
    "Cast": Adapter(version: 6) { call throws(TypeFault) in
      let name = try call.string("to")
      guard let place = Self.typeNames.firstIndex(of: name) else { throw TypeFault("the type '\(name)' is not known") }
      call.set("to", integer: place)
    },
    "Concat": Adapter(version: 4) { call in
      if call.attributes["axis"] == nil { call.set("axis", integer: 1) }
    },
    "Pad": Adapter(version: 2) { call in
      call.attributes["pads"] = call.attributes["paddings"]
      call.attributes["pads"]?.name = "pads"
    },
    "Tile": Adapter(version: 6) { call throws(TypeFault) in
      let x = try call.tensor(0)
      let (tiles, axes) = (try call.literal(1, "the number of tiles"), try call.literal(2, "the axis"))
      guard tiles.count == 1, axes.count == 1 else { throw TypeFault("the tiles and the axis are single numbers") }
      var repeats = [Dim](repeating: 1, count: x.rank)
      repeats[try Call.axis(axes.integers[0], rank: x.rank)] = Dim(tiles.integers[0])
      call.operands = [call.operands[0], Operand(.sizes(Sizes(repeats)))]
    },
    "Upsample": Adapter(version: 7) { call throws(TypeFault) in
      let (height, width) = (try call.float("height_scale"), try call.float("width_scale"))
      call.set("scales", .floats) { $0.floats = [1, 1, Float(height), Float(width)] }
    },
    "Selu": Adapter(version: 6) { call in
      for (name, value) in [("alpha", Float(1.6732)), ("gamma", 1.0507)] where call.attributes[name] == nil {
        call.set(name, .float) { $0.f = value }
      }
    },
    "LpPool": .wholeNorm, "GlobalLpPool": .wholeNorm,
    // As opset 9 and ONNX Runtime have it, over the batch, too.
    "MeanVarianceNormalization": Adapter(version: 9) { call throws(TypeFault) in
      call.set("axes", integers: try call.flag("across_channels") ? [0, 1, 2, 3] : [0, 2, 3])
    },
  ]

  /// Before opset 7 the second operand's first axis is that of the first operand which `axis` names.
  private static let broadcasting = Adapter(version: 7) { call throws(TypeFault) in
    guard try call.flag("broadcast"), let axis = try call.optionalInteger("axis") else { return }
    let (x, y) = (try call.tensor(0), try call.tensor(1))
    let after = x.rank - y.rank - (try Call.axis(axis, rank: Swift.max(1, x.rank)))
    guard after >= 0 else { throw TypeFault("\(y.type) does not fit \(x.type) from axis \(axis) on") }
    call.operands[1] = Operand(y.inserting(axes: Array(y.rank..<(y.rank + after))))
  }

  /// The order of a norm was a float in opset 1.
  private static let wholeNorm = Adapter(version: 2) { call throws(TypeFault) in
    guard call.attributes["p"] != nil else { return }
    let p = try call.float("p")
    guard let whole = Int(exactly: p) else { throw TypeFault("p is \(p), not a whole number") }
    call.set("p", integer: whole)
  }

  /// The names of element types in the order of their numbers.
  private static let typeNames = [
    "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE",
    "UINT32", "UINT64", "COMPLEX64", "COMPLEX128",
  ]
}

extension Call {
  /// Gives an attribute another value.
  mutating func set(
    _ name: String, _ type: Onnx_AttributeProto.AttributeType, _ fill: (inout Onnx_AttributeProto) -> Void
  ) {
    var attribute = Onnx_AttributeProto()
    attribute.name = name
    attribute.type = type
    fill(&attribute)
    attributes[name] = attribute
  }

  mutating func set(_ name: String, integer value: Int) { set(name, .int) { $0.i = Int64(value) } }

  mutating func set(_ name: String, integers values: [Int]) { set(name, .ints) { $0.ints = values.map { Int64($0) } } }
}
