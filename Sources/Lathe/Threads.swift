public import LatheCore
import Synchronization

private let threadCount = Mutex(1)

/// How many threads a session and native code share their work among unless they are told: `torch.get_num_threads`.
public func getNumThreads() -> Int { threadCount.withLock { $0 } }

/// Sets how many threads sessions and native code that are made from now on share their work among, unless they are told:
/// `torch.set_num_threads`.
///
/// It is 1 at first, because programs mostly run several models, or one on several inputs, side by side. Results have the
/// same bits for any number.
///
/// - Throws: For numbers below 1.
public func setNumThreads(_ count: Int) throws(DiagnosticsError) {
  guard count >= 1 else {
    throw DiagnosticsError("setNumThreads: \(count) threads do no work", help: "give at least 1")
  }
  threadCount.withLock { $0 = count }
}
