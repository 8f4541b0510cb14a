/// A scalar function of one `f32` as a straight line of expressions, without branches and without calls.
///
/// It uses arithmetic, comparisons, `select`, `abs` and `sqrt` on `f32`, wrapping arithmetic, logic and shifts on `u32`
/// (and `i32`), bit casts between them and conversions from `i32`: what vector code of any compiler can do lane by lane.
package struct ScalarExpansion: Hashable, Sendable {
  /// A value that later steps mention.
  package struct Step: Hashable, Sendable {
    /// What later steps call the value.
    package var register: Register
    /// A readable name, unique in the expansion and not `x`.
    package var name: String
    /// What it is, over the parameter and earlier steps.
    package var value: Expression
  }

  /// The argument, `x`.
  package var parameter: Register
  /// What is computed, in order.
  package var steps: [Step]
  /// The function's value.
  package var result: Expression
}

extension Pointwise {
  /// The function on `f32` in terms of simpler ones, at most 2 ulp from the true value; nil where there is none.
  ///
  /// The article `Mathematics` has the errors.
  package var expansion: ScalarExpansion? {
    let recorder = MathRecorder()
    return withDefinition(RecordedFloat.self) { recorder.expansion(of: $0(recorder.argument)) }
  }

  /// Whether `expansion` has a value.
  package var hasExpansion: Bool { withDefinition(Float.self) { _ in true } ?? false }

  /// Computes the expansion on `count` numbers.
  ///
  /// The memories are the same or do not overlap.
  ///
  /// - Returns: whether there is an expansion.
  package func expanded(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int
  ) -> Bool {
    withDefinition(Float.self) { definition in
      for position in 0..<count { target[position] = definition(source[position]) }
      return true
    } ?? false
  }

  /// The definitions: the one list of functions that have any.
  @inline(__always)
  private func withDefinition<F: MathFloat, R>(_: F.Type, _ body: ((F) -> F) -> R) -> R? {
    switch self {
    case .exp: body { Mathematics.exp($0) }
    case .sigmoid: body { Mathematics.sigmoid($0) }
    case .tanh: body { Mathematics.tanh($0) }
    case .erf: body { Mathematics.erf($0) }
    case .exp2: body { Mathematics.exp2($0) }
    case .expm1: body { Mathematics.expm1($0) }
    case .sinh: body { Mathematics.sinh($0) }
    case .cosh: body { Mathematics.cosh($0) }
    case .log: body { Mathematics.log($0) }
    case .log2: body { Mathematics.log2($0) }
    case .log10: body { Mathematics.log10($0) }
    case .log1p: body { Mathematics.log1p($0) }
    case .sin: body { Mathematics.sin($0) }
    case .cos: body { Mathematics.cos($0) }
    case .tan: body { Mathematics.tan($0) }
    case .acos: body { Mathematics.acos($0) }
    case .atan: body { Mathematics.atan($0) }
    case .atanh: body { Mathematics.atanh($0) }
    default: nil
    }
  }
}

/// The definitions of mathematical functions on `f32`.
///
/// Coefficients are minimax polynomials, fitted for the weights that are said and rounded one by one.
enum Mathematics {}
