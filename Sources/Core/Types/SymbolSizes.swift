/// The sizes of symbols, as options and the shapes of arrays tell them, with who told each.
package struct SymbolSizes: Sendable {
  /// What is known so far.
  package private(set) var sizes: [String: Int]
  private var origins: [String: String]

  /// Starts with sizes that are given by name.
  package init(_ given: [String: Int] = [:]) {
    sizes = given
    origins = given.mapValues { _ in "--dim" }
  }

  /// Learns from arrays that are given for inputs, also where a size is computed from symbols (`2*N + 1`).
  ///
  /// - Parameter inputs: The inputs' names and declared types, and the arrays' types.
  /// - Returns: What does not fit, by the position of the input: another element type or rank, another size, or two sizes
  ///   for one symbol, of which both are named.
  package mutating func learn(_ inputs: [(name: String, type: TensorType, given: TensorType)]) -> [Int: String] {
    struct Axis {
      var input: Int
      var axis: Int
      var size: Dim
      var given: Int
    }
    var faults: [Int: String] = [:]
    var open: [Axis] = []
    for (position, input) in inputs.enumerated() {
      guard input.type.dtype == input.given.dtype, let shape = input.given.shape.known, shape.count == input.type.rank
      else {
        faults[position] = ""
        continue
      }
      for (axis, size) in shape.enumerated() {
        open.append(Axis(input: position, axis: axis, size: input.type.shape[axis], given: size))
      }
    }
    // A size that needs two symbols may be solved once another axis has told one of them.
    var learnt = true
    while learnt {
      learnt = false
      var waiting: [Axis] = []
      for axis in open {
        let place = "axis \(axis.axis) of input '\(inputs[axis.input].name)'"
        func fault(_ text: String) { if faults[axis.input] == nil { faults[axis.input] = text } }
        let size = axis.size.substituting(sizes)
        if let known = size.known {
          guard known != axis.given else { continue }
          let origin = axis.size.symbols.first.flatMap { origins[$0] }
          fault(origin.map { ": \(axis.size) is \(known) by \($0), \(axis.given) by \(place)" } ?? "")
        } else if let solution = size.solved(for: axis.given) {
          guard let solved = solution.size else {
            fault(": no size of \(solution.symbol) makes \(axis.size) the \(axis.given) of \(place)")
            continue
          }
          sizes[solution.symbol] = solved
          origins[solution.symbol] = place
          learnt = true
        } else {
          waiting.append(axis)
        }
      }
      open = waiting
    }
    return faults
  }

  /// The same, for a caller that takes nothing that does not fit.
  ///
  /// - Parameters:
  ///   - location: The place of an input, by its position.
  ///   - holder: What has the array.
  package mutating func learnAll(
    _ inputs: [(name: String, type: TensorType, given: TensorType)], holder: String = "its array is",
    at location: (Int) -> Location
  ) throws(DiagnosticsError) {
    let faults = learn(inputs).sorted { $0.key < $1.key }
    guard !faults.isEmpty else { return }
    throw DiagnosticsError(
      faults.map { position, reason in
        let (name, type, given) = inputs[position]
        return Diagnostic("input '\(name)' is \(type), \(holder) \(given)\(reason)", location: location(position))
      })
  }

  /// Checks that names that sizes are given for are symbols.
  ///
  /// - Parameter symbols: The model's.
  package static func require(
    _ names: some Sequence<String>, among symbols: some Sequence<String>, at location: Location = Location()
  ) throws(DiagnosticsError) {
    let symbols = Set(symbols)
    let unknown = Set(names).subtracting(symbols).sorted()
    guard !unknown.isEmpty else { return }
    let help =
      symbols.isEmpty ? "all its sizes are numbers" : "its symbols are \(symbols.sorted().joined(separator: ", "))"
    throw DiagnosticsError(
      unknown.map { Diagnostic("the model has no symbol '\($0)'", location: location, help: help) })
  }
}
