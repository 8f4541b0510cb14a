import Foundation
public import Lathe

/// Writes the numbers of every epoch as a line of a table: Keras's `CSVLogger`.
public final class CSVLogger: Callback {
  private let path: String
  private let separator: String
  private let append: Bool
  private var names: [String]?

  /// Makes a callback.
  ///
  /// - Parameter append: Whether a table that is there is continued, as after `fit(resume:)`; otherwise it is written anew.
  public init(_ path: String, separator: String = ",", append: Bool = false) {
    self.path = path
    self.separator = separator
    self.append = append
  }

  /// Begins.
  public func onTrainBegin(_ trainer: Trainer) throws(DiagnosticsError) {
    names = nil
    guard append else { return try "".writeAtomically(to: path) }
    guard let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }),
      let first = text.split(separator: "\n").first
    else { return }
    names = first.components(separatedBy: separator).dropFirst().map { String($0) }
  }

  /// Looks at the epoch's numbers.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    var lines = ""
    let names = names ?? logs.keys.sorted()
    if self.names == nil { lines = (["epoch"] + names).joined(separator: separator) + "\n" }
    self.names = names
    lines += (["\(trainer.epoch)"] + names.map { logs[$0].map { "\($0)" } ?? "" }).joined(separator: separator) + "\n"
    try lines.appended(to: path)
  }
}

extension String {
  fileprivate func appended(to path: String) throws(DiagnosticsError) {
    let before = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    try (before + self).writeAtomically(to: path)
  }
}
