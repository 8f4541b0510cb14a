public import LatheCore

/// What becomes of gradients that a training step hands out: sums over processes, for example.
///
/// A step is made to hand them out by `TrainingOptions.bucketBytes`. Buckets are ready in the order of their numbers, each
/// once in a run.
public protocol GradientExchange {
  /// Called as soon as a bucket is complete, while the rest is still computed.
  ///
  /// - Parameter gradients: The numbers, which may be changed until `wait` for the bucket has returned.
  mutating func ready(_ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>) throws(DiagnosticsError)

  /// Called before the first kernel that needs a bucket: what is there when it returns counts as the gradients.
  mutating func wait(_ bucket: Int) throws(DiagnosticsError)
}

/// Nobody: gradients stay as they are.
struct NoExchange: GradientExchange {
  mutating func ready(_ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>) {}
  mutating func wait(_ bucket: Int) {}
}
