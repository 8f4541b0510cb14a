import Foundation

/// What a training says while it goes on.
public enum Verbosity: Sendable {
  /// A bar on a terminal, otherwise a line for every epoch.
  case auto
  /// A line for every epoch.
  case lines
  /// Nothing.
  case silent
}

/// The progress of an epoch, as Keras shows it, on standard error.
///
///     Epoch 3/10
///     45/45 ━━━━━━━━━━━━━━━━━━━━ 1s 22ms/step - accuracy: 0.9123 - loss: 0.2811
final class ProgressBar {
  private static let width = 20
  private static let isTerminal = isatty(STDERR_FILENO) == 1

  private let steps: Int?
  private let showsBar: Bool
  private let showsLine: Bool
  private let title: String
  private let start = ContinuousClock.now
  private var done = 0
  private var last: ContinuousClock.Instant?

  init(epoch: Int, of epochs: Int, steps: Int?, _ verbosity: Verbosity) {
    self.steps = steps
    title = "Epoch \(epoch + 1)/\(epochs)"
    showsBar = verbosity == .auto && Self.isTerminal
    showsLine = verbosity == .lines || verbosity == .auto && !Self.isTerminal
    if showsBar { write(title + "\n") }
  }

  /// Shows that a step is done.
  func step(_ logs: @autoclosure () -> [String: Double]) {
    done += 1
    guard showsBar else { return }
    // Terminals are slower than small models.
    let now = ContinuousClock.now
    if let last, now - last < .milliseconds(50) { return }
    last = now
    write("\r" + line(logs()) + "\u{1B}[K")
  }

  /// Shows the numbers of the whole epoch.
  func end(_ logs: [String: Double]) {
    if showsBar { write("\r" + line(logs) + "\u{1B}[K\n") }
    if showsLine { write("\(title): \(line(logs))\n") }
  }

  private func line(_ logs: [String: Double]) -> String {
    Self.line(
      done: done, of: steps, seconds: (ContinuousClock.now - start) / .seconds(1), logs: logs, showsBar: showsBar)
  }

  /// The line of a state.
  static func line(
    done: Int, of steps: Int?, seconds: Double, logs: [String: Double], showsBar: Bool
  ) -> String {
    var text = steps.map { "\(done)/\(max($0, done))" } ?? "\(done)"
    if showsBar, let steps {
      let filled = steps > 0 ? min(width * done / steps, width) : width
      text += " " + String(repeating: "━", count: filled) + String(repeating: "╶", count: width - filled)
    }
    let perStep = done > 0 ? seconds / Double(done) : 0
    if let steps, done < steps {
      text += " \((perStep * Double(steps - done)).text(digits: 0))s left"
    } else {
      text += " \(seconds.text(digits: 0))s"
    }
    text += perStep < 1 ? " \((1000 * perStep).text(digits: 0))ms/step" : " \(perStep.text(digits: 2))s/step"
    for (name, number) in logs.sorted(by: { $0.key < $1.key }) {
      let isPlain = number == 0 || (1e-3..<1e4).contains(abs(number))
      text += " - \(name): " + (isPlain ? number.text(digits: 4) : String(format: "%.4g", number))
    }
    return text
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
