import Synchronization

/// Work in order, each begun when the one before it has ended, while the caller goes on: what a stream of CUDA is for.
///
/// What a run gives is a task, as PyTorch's futures are: `await task.value` waits for it, and an error comes out there.
///
/// ```swift
/// let queue = RunQueue()
/// let logits = queue.run { try lenet(image) }
/// // … something else …
/// print(try await logits.value)
/// ```
public final class RunQueue: Sendable {
  /// Ends when everything that was queued has ended.
  private let last = Mutex<Task<Void, Never>?>(nil)

  /// Makes an empty queue.
  public init() {}

  /// Queues work behind all that is queued.
  @discardableResult
  public func run<Result: Sendable>(
    _ work: @escaping @Sendable () async throws -> Result
  ) -> Task<Result, any Error> {
    last.withLock { last in
      let before = last
      let task = Task {
        await before?.value
        return try await work()
      }
      last = Task { _ = await task.result }
      return task
    }
  }

  /// Lets everything that is queued here from now on wait for what is queued in another queue now: `wait_stream`.
  public func wait(for other: RunQueue) {
    guard let end = other.last.withLock({ $0 }) else { return }
    run { await end.value }
  }

  /// Waits for everything that is queued now: `torch.cuda.synchronize`.
  public func synchronize() async {
    await last.withLock { $0 }?.value
  }
}
