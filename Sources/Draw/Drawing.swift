import CGraphviz
public import LatheCore
import Synchronization

/// A kind of picture that Graphviz makes.
public enum DrawingFormat: String, Hashable, Sendable, CaseIterable {
  case svg, png, pdf
}

/// The picture of a graph in the DOT language, laid out by Graphviz's `dot`.
///
/// - Parameters:
///   - text: One graph in the DOT language.
///   - format: The kind of picture.
///   - file: The picture's name for diagnostics.
/// - Throws: One diagnostic with what Graphviz has against the text or the format.
public func draw(_ text: String, as format: DrawingFormat, for file: String? = nil) throws(DiagnosticsError) -> [UInt8]
{
  let result = graphviz.withLock { _ in rendered(text, format.rawValue) }
  do throws(GraphvizFault) {
    return try result.get()
  } catch {
    let reason = error.message.isEmpty ? "no reason given" : error.message
    throw DiagnosticsError("the drawing failed: \(reason)", location: Location(file: file))
  }
}

private struct GraphvizFault: Error {
  var message: String
}

/// Graphviz keeps its parser and its errors in global variables: one drawing at a time in a process.
private let graphviz = Mutex(())

private func rendered(_ text: String, _ format: String) -> Result<[UInt8], GraphvizFault> {
  // Below this level messages are kept for `aglasterr`, not printed.
  agseterr(AGMAX)
  func fault() -> Result<[UInt8], GraphvizFault> {
    let message = aglasterr().map { String(cString: $0) } ?? ""
    return .failure(GraphvizFault(message: message.split(whereSeparator: \.isNewline).joined(separator: "; ")))
  }
  guard let context = gvContext() else { return fault() }
  defer { gvFreeContext(context) }
  guard let graph = agmemread(text) else { return fault() }
  defer { agclose(graph) }
  guard gvLayout(context, graph, "dot") == 0 else { return fault() }
  defer { gvFreeLayout(context, graph) }
  var data: UnsafeMutablePointer<CChar>?
  var length: UInt32 = 0
  guard gvRenderData(context, graph, format, &data, &length) == 0, let data else { return fault() }
  defer { gvFreeRenderData(data) }
  return .success([UInt8](UnsafeRawBufferPointer(start: data, count: Int(length))))
}
