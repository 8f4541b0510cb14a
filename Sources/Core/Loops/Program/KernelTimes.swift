/// How long the kernels of a program ran, by their position in the program, summed over all runs that were measured.
public struct KernelTimes: Hashable, Sendable {
  /// By kernel, the time of all calls.
  public var nanoseconds: [UInt64]
  /// By kernel, how often it was called.
  public var calls: [UInt64]

  /// Times of kernels that have not run.
  public init(kernelCount: Int) {
    nanoseconds = Array(repeating: 0, count: kernelCount)
    calls = nanoseconds
  }
}
