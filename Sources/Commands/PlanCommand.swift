import ArgumentParser
import LatheCore
import LatheData
import LatheMemory

/// `lathe plan FILE.csv`: the memory planner alone.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Plan memory for buffers given as CSV (id,lower,upper,size).")

  @Argument(help: ArgumentHelp("The buffers.", valueName: "FILE.csv"))
  var file: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  private struct Result: Encodable {
    var height: Int
    var lowerBound: Int
    var optimal: Bool
    var buffers: Int
    var strategy: String
    var elapsedMilliseconds: Double

    enum CodingKeys: String, CodingKey {
      case height, optimal, buffers, strategy
      case lowerBound = "lower_bound"
      case elapsedMilliseconds = "elapsed_ms"
    }
  }

  func run() throws {
    let text = try FileContent(reading: file).text()
    let problem: Problem
    do throws(CSVFault) {
      problem = try Problem(csv: text)
    } catch {
      throw DiagnosticsError("\(error.reason)", location: Location(file: file, line: error.line))
    }
    Console.progress("planning \(problem.buffers.count) buffers")
    // The planner alone is asked for the best it can find; a model's compilation keeps to a smaller budget.
    let solution = plan(problem, options: .thorough)
    Console.endProgress()
    do {
      try LatheMemory.validate(problem, solution)
    } catch {
      throw DiagnosticsError("the planner made a faulty plan: \(error)", location: Location(file: file))
    }
    if json {
      try Console.output(
        json: Result(
          height: solution.height, lowerBound: solution.lowerBound, optimal: solution.isOptimal,
          buffers: problem.buffers.count, strategy: "\(solution.strategy)",
          elapsedMilliseconds: solution.elapsed / .milliseconds(1)))
    } else {
      try Console.output("\(Report(problem, solution))\n")
    }
  }
}
