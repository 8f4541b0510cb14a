import LatheCore
import LatheRun

/// Programs for the tests of the interpreter, written by hand.
///
/// One kernel over inputs `a`, `b`, ... and one output.
enum HandBuilt {
  static func buffer(_ name: String, _ type: ScalarType, _ shape: [Int], _ kind: Buffer.Kind) -> Buffer {
    Buffer(name: name, dtype: type, shape: shape, kind: kind)
  }

  /// A program with one kernel; buffers are the inputs in order, then the output.
  static func program(
    inputs: [(ScalarType, [Int])], output: (ScalarType, [Int]), _ body: [Statement]
  ) -> PlannedProgram {
    var buffers: [Buffer] = []
    var ports: [Port] = []
    for (position, (type, shape)) in inputs.enumerated() {
      let name = String(UnicodeScalar(UInt8(97 + position)))
      buffers.append(buffer(name, type, shape, .input(position)))
      ports.append(Port(name: name, buffer: BufferID(position), type: TensorType(type, shape)))
    }
    buffers.append(buffer("y", output.0, output.1, .output(0)))
    let port = Port(name: "y", buffer: BufferID(inputs.count), type: TensorType(output.0, output.1))
    let kernel = Kernel(name: "kernel", summary: "", body: body)
    return planned(
      Program(
        name: "test", buffers: buffers, kernels: [kernel], steps: [.kernel(0)], inputs: ports, outputs: [port]))
  }

  /// A plan in which every temporary has a place of its own.
  static func planned(_ program: Program) -> PlannedProgram {
    var total = 0
    func place(_ bytes: Int) -> Int {
      defer { total += (bytes + 63) / 64 * 64 }
      return total
    }
    let offsets = program.buffers.map { $0.kind == .temporary ? place($0.byteCount) : nil }
    let arena = total
    total = 0
    let state = program.variables.map { place($0.initial.bytes.count) }
    return PlannedProgram(
      program: program, offsets: offsets, arenaBytes: arena, lowerBound: arena, variableOffsets: state,
      stateBytes: total)
  }

  static func run(_ planned: PlannedProgram, _ inputs: NDArray...) throws -> NDArray {
    var session = Session(try Executable(planned))
    return try session.run(inputs)[0]
  }
}

/// The loads and registers of hand-built kernels.
func load(_ buffer: Int, _ index: Index, _ type: ScalarType = .f32) -> Expression {
  .load(.buffer(BufferID(buffer)), index, type)
}

func store(_ buffer: Int, _ index: Index, _ value: Expression) -> Statement {
  .store(.buffer(BufferID(buffer)), index, value)
}

func number(_ value: Double, _ type: ScalarType = .f32) -> Expression { .constant(.float(value), type) }
