import CProbe

/// What this machine can do at best, measured.
enum MachineSpeed {
  /// The speed of `f32` multiply-adds in the widest vectors, in 10^9 operations a second.
  static func peak(threads: Int) -> Double { probe_peak(Int32(clamping: threads), 0.1) }
}
