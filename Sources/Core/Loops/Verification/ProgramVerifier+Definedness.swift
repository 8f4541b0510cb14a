/// Every element is written before it is read, in the order of the steps.
extension ProgramVerifier {
  /// What is written so far, by buffer; all of inputs, constants and variables is from the start.
  typealias Written = [BufferID: PositionSet]

  mutating func definedness() {
    var written: Written = [:]
    for (position, buffer) in program.buffers.enumerated() {
      switch buffer.kind {
      case .input, .constant, .variable: written[BufferID(position)] = PositionSet(0..<buffer.count)
      case .output, .temporary:
        guard buffer.padding > 0, let row = buffer.shape.last, row >= buffer.padding else { continue }
        let ends = stride(from: row, through: buffer.count, by: row)
        written[BufferID(position)] = PositionSet(joining: ends.map { $0 - buffer.padding..<$0 })
      }
    }
    run(program.steps, [:], &written, isChecked: true)
    for output in program.outputs where !isWhole(output.buffer, written) {
      report("output '\(output.name)' is not written as a whole")
    }
  }

  private func isWhole(_ buffer: BufferID, _ written: Written) -> Bool {
    written[buffer]?.contains(0..<program[buffer].count) ?? (program[buffer].count == 0)
  }

  /// - Parameters:
  ///   - iterations: The values that loop variables of the program have.
  ///   - isChecked: Whether what is read is looked at, or only what is written.
  private mutating func run(
    _ steps: [Step], _ iterations: [LoopVariable: ClosedRange<Int>], _ written: inout Written, isChecked: Bool
  ) {
    for step in steps {
      switch step {
      case .kernel(let position): run(position, iterations, &written, isChecked: isChecked)
      case .ready(let number):
        for member in program.buckets[number].members where !isWhole(member.buffer, written) {
          report("'\(program[member.buffer].name)' is handed out before it is written as a whole")
        }
      case .wait: break
      case .loop(let variable, let body):
        guard variable.extent > 0 else { continue }
        func iterate(_ range: ClosedRange<Int>, isChecked: Bool) {
          run(body, iterations.merging([variable: range]) { $1 }, &written, isChecked: isChecked)
        }
        // Places move evenly from iteration to iteration: what holds in the first two and in the last, holds in all.
        let last = variable.extent - 1
        if isChecked { for value in 0...min(1, last) { iterate(value...value, isChecked: true) } }
        iterate(0...max(0, last - 1), isChecked: false)
        iterate(last...last, isChecked: isChecked)
      case .branch(let predicate, let then, let otherwise):
        if isChecked { check(predicate, written) }
        var (first, second) = (written, written)
        run(then, iterations, &first, isChecked: isChecked)
        run(otherwise, iterations, &second, isChecked: isChecked)
        for (buffer, positions) in first {
          written[buffer] = second[buffer].map { positions == $0 ? positions : positions.intersection($0) }
        }
      case .whileLoop(let condition, let predicate, let body):
        run(condition, iterations, &written, isChecked: isChecked)
        if isChecked {
          check(predicate, written)
          // Perhaps the body never runs: nobody behind the loop may rely on it.
          var inside = written
          run(body + condition, iterations, &inside, isChecked: true)
        }
      }
    }
  }

  private mutating func check(_ predicate: BufferID, _ written: Written) {
    if !isWhole(predicate, written) {
      report("the condition '\(program[predicate].name)' is read before it is written")
    }
  }

  private mutating func run(
    _ kernel: Int, _ iterations: [LoopVariable: ClosedRange<Int>], _ written: inout Written, isChecked: Bool
  ) {
    let parameters = program.kernels[kernel].parameters
    var locals: [Int: PositionSet] = [:]
    for access in accesses[kernel] {
      if access.isStore ? !access.isCertain : !isChecked { continue }
      let known: PositionSet?
      let count: Int
      switch access.memory {
      case .buffer(let buffer):
        known = written[buffer]
        count = program[buffer].count
      case .local(let array):
        known = locals[array.id]
        count = array.count
      }
      // Nothing is to be found out where everything is written.
      if known?.contains(0..<count) ?? false { continue }
      var facts = access.facts
      for parameter in parameters {
        guard let range = iterations[parameter] else { continue }
        facts.learn(Index(parameter), in: ValueRange(range))
      }
      if facts.areContradictory { continue }
      if access.isStore {
        guard let images = facts.exactImages(access.index) else { continue }
        let all = PositionSet(joining: (known?.runs ?? []) + images.flatMap(\.positions.runs))
        switch access.memory {
        case .buffer(let buffer): written[buffer] = all
        case .local(let array): locals[array.id] = all
        }
      } else if let known, let image = facts.image(access.index), image.positions.isSubset(of: known) {
        continue
      } else if let known, let images = facts.exactImages(access.index), images.allSatisfy({ $0.isSubset(of: known) }) {
        continue
      } else {
        fault(access, kernel)
      }
    }
  }

  private mutating func fault(_ access: KernelVerifier.Access, _ position: Int) {
    let name =
      switch access.memory {
      case .buffer(let buffer): program[buffer].name
      case .local(let array): "a\(array.id)"
      }
    let printer = LoopPrinter(program: program)
    let kernel = program.kernels[position]
    let text = printer.lines(kernel).joined(separator: "\n")
    diagnostics.append(
      Diagnostic(
        "kernel '\(kernel.name)': elements of \(name) are read that may not have been written",
        operands: ["in: " + printer.summary(access.statement)], location: kernel.location,
        help: "\(Self.help), with the kernel's text:\n\(text)"))
  }
}
