import Foundation
import LatheCore

/// What every kernel takes, in proportion to what the machine can do.
struct Profile: Codable {
  /// One kernel.
  struct Row: Codable {
    /// Its position in the program.
    var kernel: Int
    var name: String
    /// The layer that it belongs to, as the model names it.
    var layer: String
    /// What it computes.
    var summary: String
    /// The nodes of the optimized graph that it belongs to, by position; several kernels may belong to one.
    var nodes: [Int]
    /// Calls in a run.
    var calls: Int
    /// The least time of all calls of a run.
    var microseconds: Double
    /// That in proportion to the sum over all kernels.
    var share: Double
    /// Operations of contractions in a run; a multiply-add is two.
    var flops: Int
    /// Bytes that are read and written in a run, each element once a call.
    var bytes: Int
    var peakShare: Double
    /// The rate of `bytes` in proportion to the read bandwidth of memory that holds what one call touches.
    var bandwidthShare: Double

    enum CodingKeys: String, CodingKey {
      case kernel, name, layer, summary, nodes, calls, share, flops, bytes
      case microseconds = "us"
      case peakShare = "peak_share"
      case bandwidthShare = "bandwidth_share"
    }
  }

  /// Tells graphs apart.
  var graph: String
  var runs: Int
  var bandwidths: [MachineSpeed.Bandwidth]
  /// The kernels in the order of the program.
  var kernels: [Row]

  /// - Parameter graph: The optimized graph, which the program is made of.
  init(
    _ graph: Graph, _ program: Program, _ times: KernelLatencies, peak: Double, _ bandwidths: [MachineSpeed.Bandwidth]
  ) {
    self.graph = graph.signature
    runs = times.runs
    self.bandwidths = bandwidths
    let total = times.microseconds.reduce(0, +)
    kernels = program.kernels.enumerated().map { position, kernel in
      let (calls, time) = (times.calls[position], times.microseconds[position])
      let touched = program.bytesTouched(by: kernel)
      let flops = 2 * kernel.macs * calls
      let bandwidth = (bandwidths.first { touched <= $0.bytes } ?? bandwidths.last)?.gigabytes ?? 0
      func share(_ amount: Int, of gigas: Double) -> Double {
        time > 0 && gigas > 0 ? Double(amount) / (1000 * time) / gigas : 0
      }
      return Row(
        kernel: position, name: kernel.name, layer: kernel.location.node ?? kernel.location.modulePath ?? "",
        summary: kernel.summary, nodes: kernel.nodes, calls: calls, microseconds: time,
        share: total > 0 ? time / total : 0, flops: flops,
        bytes: touched * calls, peakShare: share(flops, of: peak),
        bandwidthShare: share(touched * calls, of: bandwidth))
    }
  }

  /// Reads what `bench --profile --json` printed.
  ///
  /// - Throws: A diagnostic when the file cannot be read or is something else.
  init(reading path: String) throws(DiagnosticsError) {
    struct Report: Decodable { var profile: Profile }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DiagnosticsError("cannot be opened", location: Location(file: path))
    }
    guard let report = try? JSONDecoder().decode(Report.self, from: data) else {
      throw DiagnosticsError(
        "is not what lathe bench --profile --json prints", location: Location(file: path))
    }
    self = report.profile
  }

  /// The kernels, the one that takes most time first.
  var text: String {
    var table = TextTable([
      ("us", .right), ("%", .right), ("calls", .right), ("MFLOP", .right), ("kB", .right), ("% peak", .right),
      ("% bandwidth", .right), ("kernel", .left), ("layer", .left),
    ])
    func number(_ value: Double) -> String { value == 0 ? "" : String(format: value < 10 ? "%.2f" : "%.1f", value) }
    func append(_ row: Row) {
      table.append([
        number(row.microseconds), String(format: "%.1f", 100 * row.share), "\(row.calls)",
        number(1e-6 * Double(row.flops)), number(1e-3 * Double(row.bytes)), number(100 * row.peakShare),
        number(100 * row.bandwidthShare), "\(row.kernel) \(row.name)", row.layer,
      ])
    }
    for row in kernels.sorted(by: { ($1.microseconds, $0.kernel) < ($0.microseconds, $1.kernel) }) { append(row) }
    let sum = kernels.reduce(0) { $0 + $1.microseconds }
    table.append([
      number(sum), "100.0", "\(kernels.reduce(0) { $0 + $1.calls })",
      number(1e-6 * Double(kernels.reduce(0) { $0 + $1.flops })),
      number(1e-3 * Double(kernels.reduce(0) { $0 + $1.bytes })),
      number(100 * kernels.reduce(0) { $0 + $1.peakShare * $1.share }), "", "all", "",
    ])
    let reads = bandwidths.map { "\($0.bytes >> 10) KiB \(String(format: "%.0f", $0.gigabytes))" }
    return table.text(totals: true) + "least times of \(runs) runs; reading, GB/s: \(reads.joined(separator: ", "))\n"
  }

  /// What a drawing of the optimized graph says of its kernels, and the kernel of each node.
  ///
  /// Kernels that do but a part of a node's work, as the steps of a transformed convolution, count as the last of them.
  ///
  /// - Throws: A diagnostic when the profile is of another graph.
  func marks(
    _ graph: Graph
  ) throws(DiagnosticsError) -> (kernels: [Int: Int], marks: [Int: Graph.KernelMark]) {
    guard self.graph == graph.signature else {
      throw DiagnosticsError(
        "the profile is of another model", help: "measure this one: lathe bench MODEL --profile --json")
    }
    var owners: [Int: Int] = [:]
    for (position, row) in kernels.enumerated() { for node in row.nodes { owners[node] = position } }
    var rows = kernels
    for (position, row) in kernels.enumerated() {
      guard let owner = row.nodes.first.flatMap({ owners[$0] }), owner != position,
        row.nodes.allSatisfy({ owners[$0] != position })
      else { continue }
      rows[owner].add(row)
    }
    let most = rows.map(\.share).max() ?? 0
    let marks = owners.values.map { position in
      let row = rows[position]
      let (roof, name) = row.flops > 0 ? (row.peakShare, "peak") : (row.bandwidthShare, "bandwidth")
      let text = String(format: "%.1f us, %.1f %%, %.0f %% of %@", row.microseconds, 100 * row.share, 100 * roof, name)
      return (row.kernel, Graph.KernelMark(text: text, heat: most > 0 ? row.share / most : 0))
    }
    return (owners.mapValues { kernels[$0].kernel }, Dictionary(marks, uniquingKeysWith: { first, _ in first }))
  }
}

extension Profile.Row {
  /// Makes another kernel's work a part of this one's; the shares of what the machine can do are then means over time.
  fileprivate mutating func add(_ other: Self) {
    let time = microseconds + other.microseconds
    func mean(_ a: Double, _ b: Double) -> Double {
      time > 0 ? (a * microseconds + b * other.microseconds) / time : 0
    }
    peakShare = mean(peakShare, other.peakShare)
    bandwidthShare = mean(bandwidthShare, other.bandwidthShare)
    microseconds = time
    share += other.share
    flops += other.flops
    bytes += other.bytes
  }
}

extension Graph {
  /// A number, in hexadecimal, that graphs with the same operations on the same types share: FNV-1a.
  fileprivate var signature: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for node in nodes {
      for byte in "\(node.operation.name) \(node.types)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    return String(hash, radix: 16)
  }
}
