internal import CKernels

/// Threads that share the parallel loops of kernels.
final class ThreadPool {
  private let pool: OpaquePointer

  /// Nil for one thread, and where no more can be had.
  init?(threads: Int) {
    guard threads > 1, let pool = lathe_pool_make(Int32(clamping: threads)) else { return nil }
    self.pool = pool
  }

  deinit { lathe_pool_free(pool) }

  /// How many there are, with the one that calls.
  var count: Int { Int(lathe_pool_threads(pool)) }

  /// Does all parts of some work, told the thread's number and the part's, and waits for them.
  func run(_ parts: Int, _ body: (_ thread: Int, _ part: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var work = body
      withUnsafeMutablePointer(to: &work) { context in
        lathe_pool_run(
          pool, parts,
          { context, thread, part in
            context?.assumingMemoryBound(to: ((Int, Int) -> Void).self).pointee(Int(thread), part)
          }, context)
      }
    }
  }
}
