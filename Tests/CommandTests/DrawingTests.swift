import LatheCore
import LatheDraw
import Testing

@Suite struct DrawingTests {
  @Test(arguments: [
    (DrawingFormat.svg, Array("<?xml".utf8)), (.png, [0x89] + Array("PNG".utf8)), (.pdf, Array("%PDF".utf8)),
  ])
  func drawsEveryFormat(_ format: DrawingFormat, _ magic: [UInt8]) throws {
    #expect(try draw("digraph { a -> b [label=\"f32[1,2]\"] }", as: format).starts(with: magic))
  }

  @Test(arguments: ["digraph {", "", "graph LR", "digraph { a [label=<<b>] }"])
  func faultyTextIsADiagnosticOrADrawing(_ text: String) {
    do throws(DiagnosticsError) {
      #expect(try !draw(text, as: .svg, for: "a.svg").isEmpty)
    } catch {
      #expect(error.diagnostics.count == 1)
      #expect(error.description.hasPrefix("a.svg: error: the drawing failed: "))
    }
  }

  @Test("a picture of many pixels has fewer per inch") func largePictures() throws {
    let chain = (0..<1000).map { "a\($0) -> a\($0 + 1);" }.joined()
    let png = try draw("digraph { \(chain) }", as: .png)
    let height = png[20..<24].reduce(0) { $0 << 8 | Int($1) }
    #expect(height > 10_000 && height <= 16_000)
  }

  @Test func textThatDoesNotParseIsADiagnostic() {
    let error = #expect(throws: DiagnosticsError.self) { try draw("digraph { a -> ", as: .svg) }
    #expect(error?.description.contains("syntax error") == true, "\(error?.description ?? "")")
  }

  /// Graphviz itself may be entered by one thread at a time.
  @Test func manyThreadsMayDraw() async throws {
    let one = try draw("digraph g { a -> b }", as: .svg)
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<16 { group.addTask { try draw("digraph g { a -> b }", as: .svg) } }
      for try await drawing in group {
        #expect(String(decoding: drawing, as: UTF8.self) == String(decoding: one, as: UTF8.self))
      }
    }
  }
}
