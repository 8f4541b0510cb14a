import Foundation

extension String {
  /// The text with spaces before it.
  func padded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

extension Double {
  /// The number with so many digits behind the point.
  func text(digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
