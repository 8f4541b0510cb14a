extension Program {
  /// Whether it gives variables new contents, or reads them only.
  package var updatesVariables: Bool {
    kernels.contains { kernel in
      kernel.writes.contains { if case .variable = self[$0].kind { true } else { false } }
    }
  }

  /// The buffers whose content depends on what the program is given, also by what runs at all.
  package var buffersDependingOnInputs: Set<BufferID> {
    var found = Set(inputs.map(\.buffer))
    func visit(_ steps: [Step], isDecided: Bool) {
      for step in steps {
        if case .kernel(let position) = step, isDecided || kernels[position].reads.contains(where: found.contains) {
          found.formUnion(kernels[position].writes)
        }
        let decides = step.predicate.map(found.contains) ?? false
        for steps in step.nested { visit(steps, isDecided: isDecided || decides) }
      }
    }
    var count = 0
    while found.count > count {
      count = found.count
      visit(steps, isDecided: false)
    }
    return found
  }
}
