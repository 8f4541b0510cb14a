public import LatheCore

/// Watches a run: what communicates results while others are still computed.
public protocol RunObserver {
  /// Called behind every step of the run with the outputs that nobody writes any more.
  mutating func stepped(_ completed: [CompletedOutput]) throws(DiagnosticsError)

  /// Called behind the last step, before the results are read.
  mutating func finished() throws(DiagnosticsError)
}

/// An output in the memory of the run.
public struct CompletedOutput {
  /// Its position among the outputs.
  public let position: Int
  /// Its elements, which may be changed until the run has finished.
  public let memory: UnsafeMutableRawBufferPointer
}

extension Program {
  /// The outputs that the last write to is in a step, by the step's position.
  ///
  /// Outputs without memory of their own are not among them.
  package var completions: [Int: [Int]] {
    var last: [BufferID: Int] = [:]
    func walk(_ step: Step, _ position: Int) {
      if case .kernel(let kernel) = step {
        for buffer in kernels[kernel].writes { last[buffer] = position }
      }
      for steps in step.nested { for inner in steps { walk(inner, position) } }
    }
    for (position, step) in steps.enumerated() { walk(step, position) }
    var result: [Int: [Int]] = [:]
    for (output, port) in outputs.enumerated() {
      guard case .output = self[port.buffer].kind, let step = last[port.buffer] else { continue }
      result[step, default: []].append(output)
    }
    return result
  }
}
