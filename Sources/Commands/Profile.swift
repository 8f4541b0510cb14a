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
      case kernel, name, layer, summary, calls, share, flops, bytes
      case microseconds = "us"
      case peakShare = "peak_share"
      case bandwidthShare = "bandwidth_share"
    }
  }

  var runs: Int
  var bandwidths: [MachineSpeed.Bandwidth]
  /// The kernels in the order of the program.
  var kernels: [Row]

  init(_ program: Program, _ times: KernelLatencies, peak: Double, _ bandwidths: [MachineSpeed.Bandwidth]) {
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
        summary: kernel.summary, calls: calls, microseconds: time, share: total > 0 ? time / total : 0, flops: flops,
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

  /// What a drawing of the program says of its kernels.
  ///
  /// - Throws: A diagnostic when the profile is of another program.
  func marks(_ program: Program) throws(DiagnosticsError) -> [Int: Graph.KernelMark] {
    guard kernels.map(\.name) == program.kernels.map(\.name) else {
      throw DiagnosticsError(
        "the profile is of another model: its kernels have other names",
        help: "measure this one: lathe bench MODEL --profile --json")
    }
    let most = kernels.map(\.share).max() ?? 0
    return Dictionary(
      uniqueKeysWithValues: kernels.map { row in
        let (roof, name) = row.flops > 0 ? (row.peakShare, "peak") : (row.bandwidthShare, "bandwidth")
        let text = String(
          format: "%.1f us, %.1f %%, %.0f %% of %@", row.microseconds, 100 * row.share, 100 * roof, name)
        return (row.kernel, Graph.KernelMark(text: text, heat: most > 0 ? row.share / most : 0))
      })
  }
}
