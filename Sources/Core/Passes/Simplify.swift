extension Pass {
  /// Algebra that makes less of the graph, rule by rule, until none applies.
  ///
  /// Results keep their bits, but for the sign of a zero and for rules that say otherwise. `x * 0` stays for floats:
  /// it is NaN where `x` is infinite or NaN.
  public static let simplify = Pass(
    "simplify", ViewRules.all + BroadcastRules.all + ArithmeticRules.all + StructureRules.all)
}

extension Tensor {
  /// The number that every element of the tensor is, where it is a literal or the broadcast of one.
  var splat: ScalarValue? {
    var tensor = self
    if case .broadcast = tensor.operation { tensor = tensor.source(0) }
    guard let literal = tensor.literal, literal.count > 0 else { return nil }
    let size = literal.dtype.byteCount
    let isUniform = literal.withUnsafeBytes { bytes in
      (size..<max(size, bytes.count)).allSatisfy { bytes[$0] == bytes[$0 - size] }
    }
    return isUniform ? literal.first : nil
  }

  /// Whether the tensor is a literal or the broadcast of one.
  var isLiteral: Bool {
    if literal != nil { return true }
    if case .broadcast = operation { return source(0).literal != nil }
    return false
  }
}

extension [Dim] {
  /// The axes whose size is not 1.
  var nonUnitAxes: [Int] { indices.filter { self[$0] != 1 } }

  /// The sizes that are not 1.
  var nonUnit: [Dim] { filter { $0 != 1 } }
}
