import Foundation
import Testing

@Suite struct PlanTests {
  private let buffers = "id,lower,upper,size\na,0,2,10\nb,1,3,20\nc,2,4,10\n"

  @Test func printsHeightAndLowerBound() throws {
    let bench = try Workbench(["p.csv": buffers])
    let outcome = try bench.run("lathe", "plan", "p.csv")
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("arena 30 bytes, lower bound 30, gap 0.0 %, optimal\n"))
  }

  @Test func speaksJSONToTools() throws {
    let bench = try Workbench(["p.csv": buffers])
    let outcome = try bench.run("lathe", "plan", "p.csv", "--json")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["height"] as? Int == 30)
    #expect(json?["lower_bound"] as? Int == 30)
    #expect(json?["optimal"] as? Bool == true)
  }

  @Test func whatIsNoTextIsNotPrinted() throws {
    let outcome = try Workbench().shell("printf 'PK\\377\\376' > p.csv; $lathe plan p.csv")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "p.csv: error: is not text in UTF-8\n")
  }

  @Test(arguments: [
    ("", "p.csv:1: error: there is no header; expected for example 'id,lower,upper,size'\n"),
    (
      "id,lower,upper,size\na,0,2,x\n", "p.csv:2: error: 'x' in column 'size' is not a 64-bit decimal integer\n"
    ),
    ("id,lower,upper,size\na,3,2,1\n", "p.csv:2: error: the lifetime ends at 2, before it begins at 3\n"),
  ])
  func faultyLinesAreMistakes(_ text: String, _ message: String) throws {
    let bench = try Workbench(["p.csv": text])
    let outcome = try bench.run("lathe", "plan", "p.csv")
    #expect(outcome.status == 1)
    #expect(outcome.errors == message)
  }
}
