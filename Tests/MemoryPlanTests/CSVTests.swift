import LatheMemory
import Testing

@Suite("CSV")
struct CSVTests {
  @Test("the header decides the columns")
  func header() throws {
    let problem = try Problem(
      csv: "\u{FEFF} Size , end,buffer_id,start,offset\r\n8,4,\"a, \"\"b\"\"\",0,16\r\n\r\n 2,5,c,3,\n")
    #expect(
      problem.buffers == [
        Buffer(id: "a, \"b\"", lifetime: 0..<5, size: 8, fixedOffset: 16), Buffer(id: "c", lifetime: 3..<6, size: 2),
      ])
    #expect(try Problem(csv: "id,lower,upper,size").buffers.isEmpty)
  }

  @Test("what is written is read back")
  func roundTrip() throws {
    let problem = try Problem(buffers: [
      Buffer(id: "a,\"b\"", lifetime: -5..<5, size: 8, alignment: 8), Buffer(id: " ", lifetime: 3..<6, size: 2),
      Buffer(id: "a\"\u{301}b", lifetime: 3..<6, size: 2),
      Buffer(id: "", lifetime: 3..<6, size: 0, fixedOffset: 64),
    ])
    #expect(try Problem(csv: problem.csv()).buffers == problem.buffers)
    let result = plan(problem)
    let placed = try Problem(csv: problem.csv(offsets: result.offsets))
    #expect(placed.buffers.map(\.fixedOffset) == result.offsets)
    #expect(plan(placed).offsets == result.offsets)
    #expect(try Problem(buffers: [Buffer(id: "x", lifetime: 0..<1, size: 2)]).csv() == "id,lower,upper,size\nx,0,1,2\n")
  }

  @Test(
    "every malformed line is named",
    arguments: [
      ("", 1, CSVFault.Reason.empty),
      ("\n \n", 1, .empty),
      ("id,lower,upper,size,gaps", 1, .unknownColumn("gaps")),
      ("id,lower,upper,end,size", 1, .duplicateColumn("upper")),
      ("\nid,lower,upper", 2, .missingColumn("size")),
      ("id,lower,upper,size\na,0,1", 2, .fieldCount(3, expected: 4)),
      ("id,lower,upper,size\na,0,1,2,3", 2, .fieldCount(5, expected: 4)),
      ("id,lower,upper,size\n\"a,0,1,2", 2, .badQuote),
      ("id,lower,upper,size\n\"a\"b,0,1,2", 2, .badQuote),
      ("id,lower,upper,size\na,0,1,2\n\nb,0x1,1,2", 4, .notAnInteger(column: "lower", text: "0x1")),
      ("id,lower,upper,size\na,0,1,", 2, .notAnInteger(column: "size", text: "")),
      (
        "id,lower,upper,size\na,0,1,99999999999999999999", 2,
        .notAnInteger(column: "size", text: "99999999999999999999")
      ),
      (
        "id,start,end,size\na,0,9223372036854775807,1", 2,
        .notAnInteger(column: "end", text: "9223372036854775807")
      ),
      ("id,lower,upper,size\na,5,4,2", 2, .backwards(lower: 5, upper: 4)),
      ("id,lower,upper,size\na,0,1,2\na,0,1,2", 3, .duplicateID("a", firstLine: 2)),
      ("id,lower,upper,size\na,5,5,2", 2, .problem(.emptyLifetime(0, id: "a", 5..<5))),
      ("id,lower,upper,size\n\na,0,1,-2", 3, .problem(.negativeSize(0, id: "a", -2))),
      ("id,lower,upper,size,alignment\na,0,1,2,3", 2, .problem(.badAlignment(0, id: "a", 3))),
      (
        "id,lower,upper,size,offset\na,0,1,2,0\nb,0,1,2,1", 3,
        .problem(.fixedOverlap(0, 1, ids: "a", "b"))
      ),
      ("id,lower,upper,size\na,0,1,9223372036854775807", 2, .problem(.tooLarge(0, id: "a"))),
    ])
  func faults(text: String, line: Int, reason: CSVFault.Reason) {
    #expect(throws: CSVFault(line: line, reason: reason)) { try Problem(csv: text) }
  }

  @Test("faults read as sentences")
  func descriptions() {
    let fault = CSVFault(line: 3, reason: .problem(.badAlignment(1, id: "b", 12)))
    #expect(fault.description == "line 3: buffer 'b' (#1): the alignment 12 is not a power of two")
  }
}

@Suite("Report")
struct ReportTests {
  @Test("the report names the peak and what is live there")
  func summary() throws {
    let problem = try Problem(
      buffers: [
        Buffer(id: "small", lifetime: 0..<2, size: 25), Buffer(id: "large", lifetime: 1..<4, size: 75),
        Buffer(id: "view", lifetime: 1..<3, size: 25), Buffer(id: "late", lifetime: 4..<8, size: 50),
      ], aliases: [.view(2, of: 1)])
    let report = Report(problem, plan(problem), top: 2)
    #expect(report.height == 100 && report.lowerBound == 100 && report.peakLive == 100)
    #expect(report.peakStep == 1 && report.liveAtPeak == 3)
    #expect(report.gap == 0 && report.fragmentation == 0)
    #expect(report.largest.map(\.id) == ["large", "small"])
    #expect(
      report.timeline(columns: 8, rows: 4) == """
        | #      |
        | ###    |
        | #######|
        |########|
        +--------+
        0        8
        """)
    #expect(report.description.hasPrefix("arena 100 bytes, lower bound 100, gap 0.0 %, optimal\n"))
  }

  @Test("a plan of nothing has a report too")
  func nothing() throws {
    let problem = try Problem(buffers: [])
    #expect(Report(problem, plan(problem)).timeline() == "(nothing is live)")
  }
}
