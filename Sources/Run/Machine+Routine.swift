internal import LatheCore

extension Machine {
  /// Runs a routine on its matrices.
  mutating func call(_ instruction: Instruction) {
    let call = tape.calls[Int(instruction.extra)]
    let routine = call.routine
    var places: [UnsafeMutableRawPointer] = []
    let counts = routine.operandCounts + routine.results.map(\.count)
    for (position, count) in zip(call.operands + call.results, counts) {
      let address = tape.addresses[Int(position)]
      let start = value(address.affine)
      guard start >= 0, start + count <= address.count else {
        fault = .access(address, position: start < 0 ? start : start + count - 1)
        return
      }
      places.append(buffers[Int(address.buffer)] + start * address.size)
    }
    let failure = routine.type == .f64 ? Double.run(routine, places) : Float.run(routine, places)
    if let failure { fault = .routine(call: instruction.extra, failure) }
  }
}
