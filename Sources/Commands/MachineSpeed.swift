import CProbe

/// What this machine can do at best, measured.
enum MachineSpeed {
  /// The rate at which memory of some size is read in order, in 10^9 bytes a second.
  struct Bandwidth: Codable {
    var bytes: Int
    var gigabytes: Double

    enum CodingKeys: String, CodingKey {
      case bytes
      case gigabytes = "gbs"
    }
  }

  /// The bandwidths of what fits into caches of the usual sizes, each thread reading as much, and of main memory.
  static func bandwidths(threads: Int) -> [Bandwidth] {
    [16 << 10, 256 << 10, 4 << 20, 256 << 20].map {
      Bandwidth(bytes: $0, gigabytes: probe_bandwidth(Int32(clamping: threads), $0, 0.05))
    }
  }

  /// The speed of `f32` multiply-adds in the widest vectors, in 10^9 operations a second.
  static func peak(threads: Int) -> Double { probe_peak(Int32(clamping: threads), 0.1) }
}
