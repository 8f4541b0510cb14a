/// Where the temporaries of a program are in the arena, and when: what a picture of the plan shows.
public struct MemoryMap: Sendable {
  /// A tensor in the arena.
  public struct Tensor: Sendable {
    /// The buffer's name.
    public var name: String
    /// Its type: `f32[1,6,28,28]`.
    public var type: String
    /// Its first byte in the arena.
    public var offset: Int
    /// The bytes that it takes.
    public var bytes: Int
    /// The steps during which it is there.
    public var steps: ClosedRange<Int>
  }

  /// The program's name.
  public var program: String
  /// The bytes of the arena.
  public var arenaBytes: Int
  /// A number of bytes that no plan can go below.
  public var lowerBound: Int
  /// What runs at each step: a kernel's name, or nothing where a decision is taken.
  public var steps: [String]
  /// The tensors, in the order of the program's buffers.
  public var tensors: [Tensor]
  /// The first of the steps at which the tensors in use take most.
  public var peak: Int

  /// The map of a plan.
  package init(_ planned: PlannedProgram) {
    let program = planned.program
    let liveness = Liveness(program)
    var names = Array(repeating: "", count: liveness.loops.count)
    for (kernel, time) in liveness.times { names[time] = program.kernels[kernel].name }
    var found: [Tensor] = []
    for ((buffer, offset), range) in zip(zip(program.buffers, planned.offsets), liveness.settled()) {
      guard let offset, let range, buffer.byteCount > 0 else { continue }
      found.append(
        Tensor(
          name: buffer.name, type: "\(TensorType(buffer.dtype, buffer.shape.map { Dim($0) }))", offset: offset,
          bytes: buffer.byteCount, steps: range))
    }
    let live = names.indices.map { step in found.reduce(0) { $0 + ($1.steps.contains(step) ? $1.bytes : 0) } }
    self.program = program.name
    arenaBytes = planned.arenaBytes
    lowerBound = planned.lowerBound
    steps = names
    tensors = found
    peak = live.indices.max { live[$0] < live[$1] } ?? 0
  }

  /// The picture in the DOT language: steps from left to right, bytes upwards, each tensor a box; the peak is marked.
  ///
  /// All places are given, for Graphviz's layout `nop2`.
  public func graphViz() -> String {
    // In points.
    let (width, height) = (min(1400, max(300, 60 * Double(steps.count))), 560.0)
    let (step, byte) = (width / Double(max(1, steps.count)), height / Double(max(1, arenaBytes)))
    var lines = [
      "digraph \(DotText.quoted(program)) {",
      "  layout=nop2; outputorder=nodesfirst; bgcolor=white;",
      "  node [shape=box, style=filled, fixedsize=true, color=\"#5a6270\", fontname=\"Helvetica\", penwidth=0.5, margin=0];",
    ]
    func box(_ name: String, x: Double, y: Double, width: Double, height: Double, _ label: String, _ more: String) {
      let (middle, centre) = (x + width / 2, y + height / 2)
      lines.append(
        "  \(name) [pos=\"\(middle),\(centre)\", width=\(width / 72), height=\(height / 72), "
          + "label=\(DotText.quoted(label))\(more)];")
    }
    for (number, tensor) in tensors.enumerated() {
      let (wide, high) = (Double(tensor.steps.count) * step, max(0.5, Double(tensor.bytes) * byte))
      // What does not fit is told by the tooltip of an SVG.
      let size = min(10, high * 0.7, 1.6 * wide / Double(max(1, tensor.name.count)))
      let told = "\(tensor.name), \(tensor.type), \(DotText.bytes(tensor.bytes)) at \(tensor.offset)"
      box(
        "t\(number)", x: Double(tensor.steps.lowerBound) * step, y: Double(tensor.offset) * byte, width: wide,
        height: high, size < 3 ? "" : tensor.name,
        ", fontsize=\(max(3, size)), tooltip=\(DotText.quoted(told)), fillcolor=\"\(DotWriter.colour(of: number))\"")
    }
    box(
      "peak", x: Double(peak) * step, y: 0, width: step, height: height, "",
      ", style=\"\", color=\"#d62728\", penwidth=1.5, tooltip=\"the peak\"")
    let label =
      "\(program): arena \(DotText.bytes(arenaBytes)), lower bound \(DotText.bytes(lowerBound)), "
      + "the peak is step \(peak)" + (steps.indices.contains(peak) && !steps[peak].isEmpty ? ", \(steps[peak])" : "")
    box("title", x: 0, y: height + 8, width: width, height: 18, label, ", shape=plaintext, style=\"\", fontsize=11")
    box(
      "axis", x: 0, y: -24, width: width, height: 16, "steps 0 to \(max(0, steps.count - 1)), bytes upwards",
      ", shape=plaintext, style=\"\", fontsize=9")
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }
}
