import LatheCore

/// The numbers of every epoch: Keras's `History`.
public struct History: Sendable, Equatable {
  /// How many epochs it has.
  public private(set) var epochs = 0
  /// One number for each epoch by name: `loss`, `accuracy`, `val_loss`, `lr`.
  ///
  /// Where an epoch had no number of a name, as without validation, it is NaN.
  public private(set) var values: [String: [Double]] = [:]

  /// A history without epochs.
  public init() {}

  /// The numbers of a name; none where there is no such name.
  public subscript(name: String) -> [Double] { values[name] ?? [] }

  /// Adds an epoch.
  mutating func append(_ logs: [String: Double]) {
    for name in Set(values.keys).union(logs.keys) {
      values[name, default: Array(repeating: .nan, count: epochs)].append(logs[name] ?? .nan)
    }
    epochs += 1
  }

  /// The numbers as arrays, by names in a checkpoint.
  var state: [String: NDArray] { values.mapValues { NDArray($0) } }

  /// A history from a checkpoint.
  init(_ state: [String: NDArray], epochs: Int) throws(DiagnosticsError) {
    self.epochs = epochs
    for (name, array) in state {
      guard array.shape == [epochs] else {
        throw DiagnosticsError("the checkpoint's '\(name)' is \(array.type), for \(epochs) epochs")
      }
      values[name] = array.doubles
    }
  }
}
