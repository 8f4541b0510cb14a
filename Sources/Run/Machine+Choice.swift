internal import LatheCore

/// Choices between registers, and moves from one to another.
extension Machine {
  func select(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: select(instruction, UInt32.self)
    case .double, .integer: select(instruction, UInt64.self)
    case .bool: select(instruction, UInt8.self)
    }
  }

  private func select<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    let predicate = lanes(instruction.a, UInt8.self, from: instruction.uniform & 1 != 0 ? 0 : first)
    let then = lanes(instruction.b, type, from: instruction.uniform & 2 != 0 ? 0 : first)
    let otherwise = lanes(instruction.c, type, from: instruction.uniform & 4 != 0 ? 0 : first)
    switch instruction.lanes ? instruction.uniform : 0 {
    case 0: for lane in 0..<count { out[lane] = predicate[lane] != 0 ? then[lane] : otherwise[lane] }
    case 2:
      let fixed = then[0]
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? fixed : otherwise[lane] }
    case 4:
      let fixed = otherwise[0]
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? then[lane] : fixed }
    case 6:
      let (one, other) = (then[0], otherwise[0])
      for lane in 0..<count { out[lane] = predicate[lane] != 0 ? one : other }
    default:
      let (chosen, step) =
        predicate[0] != 0 ? (then, instruction.uniform & 2) : (otherwise, instruction.uniform & 4)
      for lane in 0..<count { out[lane] = chosen[step == 0 ? lane : 0] }
    }
  }

  func copy(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: copy(instruction, UInt32.self)
    case .double, .integer: copy(instruction, UInt64.self)
    case .bool: copy(instruction, UInt8.self)
    }
  }

  private func copy<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    if instruction.uniform & 1 != 0 {
      let element = lanes(instruction.a, type, from: 0)[0]
      for lane in 0..<count { out[lane] = element }
    } else {
      out.update(from: lanes(instruction.a, type, from: first), count: count)
    }
  }

  func blend(_ instruction: Instruction) {
    switch Lane(instruction.type) {
    case .float: blend(instruction, UInt32.self)
    case .double, .integer: blend(instruction, UInt64.self)
    case .bool: blend(instruction, UInt8.self)
    }
  }

  private func blend<T: FixedWidthInteger>(_ instruction: Instruction, _ type: T.Type) {
    let (first, count) = span(instruction)
    let out = lanes(instruction.dst, type, from: first)
    let mask = lanes(instruction.a, UInt8.self, from: instruction.uniform & 1 != 0 ? 0 : first)
    let values = lanes(instruction.b, type, from: instruction.uniform & 2 != 0 ? 0 : first)
    for lane in 0..<count where mask[instruction.uniform & 1 != 0 ? 0 : lane] != 0 {
      out[lane] = values[instruction.uniform & 2 != 0 ? 0 : lane]
    }
  }
}
