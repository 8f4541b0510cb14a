/// Aligned memory with one owner, zeroed when it is made.
package struct AlignedMemory: ~Copyable {
  /// The first byte, at a multiple of `PlannedProgram.alignment`.
  package let start: UnsafeMutableRawPointer
  /// At least the bytes that were asked for.
  package let byteCount: Int

  /// Allocates and zeroes memory.
  package init(byteCount: Int) {
    self.byteCount = Swift.max(byteCount, PlannedProgram.alignment)
    start = UnsafeMutableRawPointer.allocate(byteCount: self.byteCount, alignment: PlannedProgram.alignment)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: self.byteCount)
  }

  deinit {
    start.deallocate()
  }
}

/// The variables of a planned program in memory, in the layout of its plan.
package struct ProgramState: ~Copyable {
  /// The variables, in the order of the layout.
  package let variables: [Variable]
  /// Where each variable starts.
  package let offsets: [Int]
  private let memory: AlignedMemory

  /// Allocates the state; variables get their initial values.
  package init(_ program: PlannedProgram) {
    variables = program.program.variables
    offsets = program.variableOffsets
    memory = AlignedMemory(byteCount: program.stateBytes)
    reset()
  }

  /// The first byte.
  package var start: UnsafeMutableRawPointer { memory.start }

  /// The names of the variables, in the order of the layout.
  package var names: [String] { variables.map(\.name) }

  /// Gives all variables their initial values back.
  package func reset() {
    for (variable, offset) in zip(variables, offsets) { variable.initial.copy(to: start + offset) }
  }

  /// What a variable holds now.
  ///
  /// - Throws: when there is no such variable.
  package func variable(named name: String) throws(DiagnosticsError) -> NDArray {
    let position = try position(of: name)
    let initial = variables[position].initial
    return NDArray(copying: start + offsets[position], dtype: initial.dtype, shape: initial.shape)
  }

  /// Writes a variable.
  ///
  /// - Throws: when there is no such variable, or the value's type is another.
  package func setVariable(named name: String, to value: NDArray) throws(DiagnosticsError) {
    let position = try position(of: name)
    let type = variables[position].initial.type
    guard value.type == type else { throw DiagnosticsError("variable \(name) is \(type), given \(value.type)") }
    value.copy(to: start + offsets[position])
  }

  /// The contents of all variables, by name: what is saved between processes.
  package func saved() -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for (variable, offset) in zip(variables, offsets) {
      result[variable.name] = NDArray(
        copying: start + offset, dtype: variable.initial.dtype, shape: variable.initial.shape)
    }
    return result
  }

  /// The contents of all variables as a file, which the C of the same model reads as well.
  package func encoded() -> [UInt8] {
    StateFile(variables).encoded(
      zip(variables, offsets).map {
        NDArray(copying: start + $1, dtype: $0.initial.dtype, shape: $0.initial.shape)
      })
  }

  /// Writes all variables, from a file that `encoded` or the C of the same model made.
  ///
  /// - Throws: That it is no state, another model's, or damaged; nothing is written then.
  package func decode(_ bytes: [UInt8]) throws(DiagnosticsError) {
    for (content, offset) in zip(try StateFile(variables).decoded(bytes), offsets) { content.copy(to: start + offset) }
  }

  /// Writes all variables that are given; the others stay.
  ///
  /// - Throws: every name and type that does not fit; nothing is written then.
  package func restore(_ saved: [String: NDArray]) throws(DiagnosticsError) {
    var faults: [Diagnostic] = []
    for (name, value) in saved.sorted(by: { $0.key < $1.key }) {
      guard let variable = variables.first(where: { $0.name == name }) else {
        faults.append(Diagnostic("there is no variable \(name)"))
        continue
      }
      if value.type != variable.initial.type {
        faults.append(Diagnostic("variable \(name) is \(variable.initial.type), given \(value.type)"))
      }
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    for (name, value) in saved { try setVariable(named: name, to: value) }
  }

  private func position(of name: String) throws(DiagnosticsError) -> Int {
    if let position = variables.firstIndex(where: { $0.name == name }) { return position }
    throw DiagnosticsError("there is no variable \(name)", help: "the variables are: \(names.joined(separator: ", "))")
  }
}

extension Program {
  /// Checks tensors for a run: one per input, in order, of exactly the input's type.
  ///
  /// - Throws: every input that does not fit.
  package func check(inputs given: [NDArray]) throws(DiagnosticsError) {
    try check(given, inputs, "input", verb: "takes")
  }

  /// Checks tensors that a run is to fill: one per output, in order, of exactly the output's type.
  ///
  /// - Throws: every tensor that does not fit.
  package func check(outputs given: [NDArray]) throws(DiagnosticsError) {
    try check(given, outputs, "output", verb: "gives")
  }

  private func check(
    _ given: [NDArray], _ ports: [Port], _ kind: String, verb: String
  ) throws(DiagnosticsError) {
    guard given.count == ports.count else {
      throw DiagnosticsError(
        "\(name) \(verb) \(ports.count) \(kind)\(ports.count == 1 ? "" : "s"), given \(given.count)",
        help: ports.isEmpty
          ? nil : "the \(kind)s are: " + ports.map { "\($0.name): \($0.type)" }.joined(separator: ", "))
    }
    var faults: [Diagnostic] = []
    for (array, port) in zip(given, ports) where array.type != port.type {
      faults.append(Diagnostic("\(kind) '\(port.name)' is \(port.type), given \(array.type)"))
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
  }

  /// Tensors of the outputs' types, whose elements are not set.
  package func makeOutputs() -> [NDArray] {
    outputs.map { port in
      guard let shape = port.type.shape.known else { internalError("output \(port.name) is \(port.type)") }
      return NDArray(dtype: port.type.dtype, shape: shape) { _ in }
    }
  }
}

extension Program {
  /// The outputs as callers want them: those whose sizes data decides are cut to what there is, and the numbers that say
  /// so are left out.
  ///
  /// - Parameter given: All outputs of a run, of the types of `makeOutputs`.
  package func results(_ given: [NDArray]) -> [NDArray] {
    guard outputs.contains(where: { $0.shape != nil }) else { return given }
    var numbers: [String: Int] = [:]
    for (port, array) in zip(outputs, given) { if let extent = port.extent { numbers[extent] = array.integers.first } }
    return zip(outputs, given).filter { $0.0.extent == nil }.map { port, array in
      guard let shape = port.shape else { return array }
      let sizes = shape.map { $0.size(numbers) }
      return array.prefix(sizes)
    }
  }
}

extension Dim {
  /// The size for the numbers that data decides; not negative.
  fileprivate func size(_ extents: [String: Int]) -> Int {
    max(
      0,
      computed(
        in: DimensionArithmetic<Int>(
          number: { $0 }, symbol: { internalError("\($0) is open") }, extent: { extents[$0] ?? 0 }, add: { $0 &+ $1 },
          multiply: { $0 &* $1 }, floorDivide: { $0.floorDivided(by: $1) }, minimum: { min($0, $1) })))
  }
}

extension NDArray {
  /// The first elements along each axis; where there are fewer, those that there are.
  package func prefix(_ sizes: [Int]) -> NDArray {
    let sizes = zip(sizes, shape).map { min($0, $1) }
    if sizes == shape { return self }
    let bytes = dtype.byteCount
    return NDArray(dtype: dtype, shape: sizes) { target in
      withUnsafeBytes { source in
        let rows = sizes.dropLast().reduce(1, *)
        let row = (sizes.last ?? 1) * bytes
        guard row > 0 else { return }
        for number in 0..<rows {
          var (rest, stride, place) = (number, shape.last ?? 1, 0)
          for axis in sizes.indices.dropLast().reversed() {
            place += rest % sizes[axis] * stride
            rest /= sizes[axis]
            stride *= shape[axis]
          }
          let slice = UnsafeRawBufferPointer(rebasing: source[place * bytes..<place * bytes + row])
          UnsafeMutableRawBufferPointer(rebasing: target[number * row..<(number + 1) * row]).copyMemory(from: slice)
        }
      }
    }
  }

  /// Copies the elements to memory that is large enough.
  package func copy(to target: UnsafeMutableRawPointer) {
    withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { target.copyMemory(from: start, byteCount: bytes.count) }
    }
  }

  /// Copies a dense tensor out of memory.
  package init(copying place: UnsafeRawPointer, dtype: ScalarType, shape: [Int]) {
    self.init(dtype: dtype, shape: shape) { bytes in
      if bytes.count > 0 { bytes.copyMemory(from: UnsafeRawBufferPointer(start: place, count: bytes.count)) }
    }
  }
}
