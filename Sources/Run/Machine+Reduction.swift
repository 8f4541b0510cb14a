internal import LatheCore

/// Reductions: values joined into accumulators.
extension Machine {
  func join(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: join(instruction, Float.self)
    case .double: join(instruction, Double.self)
    case .integer: joinIntegers(instruction)
    case .bool:
      if instruction.function == .maximum || instruction.function == .add {
        join(instruction, UInt8.self) { $0 | $1 }
      } else {
        join(instruction, UInt8.self) { $0 & $1 }
      }
    }
  }

  private func join<F: StripFloat>(_ instruction: Instruction, _ type: F.Type) {
    if instruction.code == .joinProduct { return joinProduct(instruction, type) { $0 + $1 * $2 } }
    switch instruction.function {
    case .add: join(instruction, type) { $0 + $1 }
    case .multiply: join(instruction, type) { $0 * $1 }
    case .maximum: join(instruction, type) { Self.maximum($0, $1) }
    default: join(instruction, type) { Self.minimum($0, $1) }
    }
  }

  private func joinIntegers(_ instruction: Instruction) {
    if instruction.code == .joinProduct { return joinProduct(instruction, Int.self) { $0 &+ $1 &* $2 } }
    let flip = instruction.type == .u64 ? Int.min : 0
    switch instruction.function {
    case .add: join(instruction, Int.self) { $0 &+ $1 }
    case .multiply: join(instruction, Int.self) { $0 &* $1 }
    case .maximum: join(instruction, Int.self) { $0 ^ flip < $1 ^ flip ? $1 : $0 }
    default: join(instruction, Int.self) { $1 ^ flip < $0 ^ flip ? $1 : $0 }
    }
  }

  @inline(__always)
  private func joinProduct<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T, T) -> T) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    if !instruction.lanes || instruction.uniform & 3 == 0 {
      let a = lanes(instruction.a, type, from: first)
      let b = lanes(instruction.b, type, from: first)
      for lane in 0..<count { out[lane] = f(out[lane], a[lane], b[lane]) }
    } else {
      // Multiplication is commutative, so that either operand may be the uniform one.
      let uniformFirst = instruction.uniform & 1 != 0
      let fixed = lanes(uniformFirst ? instruction.a : instruction.b, type, from: 0)[0]
      let values = lanes(uniformFirst ? instruction.b : instruction.a, type, from: first)
      for lane in 0..<count { out[lane] = f(out[lane], values[lane], fixed) }
    }
  }

  @inline(__always)
  private func join<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let (first, count) = span(instruction)
    switch instruction.code {
    case .join, .joinPartial:
      // Of partial results, the one that the counter has come to.
      let partial = instruction.code == .join ? 0 : self[instruction.b] % Int(instruction.c)
      let out = lanes(instruction.dst + Int32(partial) * instruction.extra, type, from: first)
      if instruction.uniform & 1 != 0 && instruction.lanes {
        let a = lanes(instruction.a, type, from: 0)[0]
        for lane in 0..<count { out[lane] = f(out[lane], a) }
      } else {
        let a = lanes(instruction.a, type, from: first)
        for lane in 0..<count { out[lane] = f(out[lane], a[lane]) }
      }
    case .joinStrip:
      joinStrip(instruction, type, f)
    default:
      foldPartials(instruction, type, f)
    }
  }

  /// The window is whole here: nothing narrows it around an accumulation's value.
  @inline(__always)
  private func joinStrip<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let partials = lanes(instruction.dst, type, from: 0)
    let width = Int(instruction.extra)
    let values = lanes(instruction.a, type, from: 0)
    let uniform = instruction.uniform & 1 != 0
    if width == 1 {
      var result = partials[0]
      if uniform {
        for _ in 0..<end { result = f(result, values[0]) }
      } else {
        for lane in 0..<end { result = f(result, values[lane]) }
      }
      partials[0] = result
      return
    }
    var base = 0
    while base + width <= end {
      if uniform {
        for lane in 0..<width { partials[lane] = f(partials[lane], values[0]) }
      } else {
        for lane in 0..<width { partials[lane] = f(partials[lane], values[base + lane]) }
      }
      base += width
    }
    for lane in base..<end { partials[lane - base] = f(partials[lane - base], values[uniform ? 0 : lane]) }
  }

  @inline(__always)
  private func foldPartials<T>(_ instruction: Instruction, _ type: T.Type, _ f: (T, T) -> T) {
    let partials = lanes(instruction.a, type, from: 0)
    var width = Int(instruction.extra)
    while width > 1 {
      width /= 2
      for lane in 0..<width { partials[lane] = f(partials[lane], partials[lane + width]) }
    }
    let out = lanes(instruction.dst, type, from: 0)
    out[0] = f(out[0], partials[0])
  }
}
