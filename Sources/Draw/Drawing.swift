import CGraphviz
public import LatheCore
import Synchronization

/// A kind of picture that Graphviz makes.
public enum DrawingFormat: String, Hashable, Sendable, CaseIterable {
  case svg, png, pdf
}

/// The picture of a graph in the DOT language, laid out by Graphviz's `dot`, or by what its attribute `layout` names.
///
/// A PNG that would be too large for viewers has fewer pixels per inch.
///
/// - Parameters:
///   - text: One graph in the DOT language.
///   - format: The kind of picture.
///   - file: The picture's name for diagnostics.
/// - Throws: One diagnostic with what Graphviz has against the text or the format.
public func draw(_ text: String, as format: DrawingFormat, for file: String? = nil) throws(DiagnosticsError) -> [UInt8]
{
  let result = graphviz.withLock { _ in rendered(text, format) }
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

private func rendered(_ text: String, _ format: DrawingFormat, dpi: Double? = nil) -> Result<[UInt8], GraphvizFault> {
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
  if let dpi { set("dpi", of: graph, to: "\(dpi)") }
  let layout =
    "layout".withCString { agget(graph, UnsafeMutablePointer(mutating: $0)) }.map { String(cString: $0) } ?? ""
  guard gvLayout(context, graph, layout.isEmpty ? "dot" : layout) == 0 else { return fault() }
  defer { gvFreeLayout(context, graph) }
  if format == .png, dpi == nil, let dpi = affordableDPI(graph) { return rendered(text, format, dpi: dpi) }
  var data: UnsafeMutablePointer<CChar>?
  var length: UInt32 = 0
  guard gvRenderData(context, graph, format.rawValue, &data, &length) == 0, let data else { return fault() }
  defer { gvFreeRenderData(data) }
  return .success([UInt8](UnsafeRawBufferPointer(start: data, count: Int(length))))
}

/// The resolution with which a picture of pixels can still be looked at; nil where Graphviz's own will do.
///
/// Viewers give up above some 16,000 pixels on a side, and on what takes hundreds of megabytes.
private func affordableDPI(_ graph: UnsafeMutablePointer<Agraph_t>) -> Double? {
  attach_attrs(graph)
  // The corners in points, of which an inch has 72.
  let corners = "bb".withCString { agget(graph, UnsafeMutablePointer(mutating: $0)) }.map { String(cString: $0) } ?? ""
  let numbers = corners.split(separator: ",").compactMap { Double($0) }
  guard numbers.count == 4 else { return nil }
  // Around the drawing are 4 points on each side.
  let (width, height) = ((numbers[2] - numbers[0] + 8) / 72, (numbers[3] - numbers[1] + 8) / 72)
  let dpi = min(15_990 / max(width, height, 1), (50e6 / max(width * height, 1)).squareRoot())
  return dpi < 96 ? dpi : nil
}

private func set(_ name: String, of graph: UnsafeMutablePointer<Agraph_t>, to value: String) {
  // 0 is the kind of graphs; neither text is changed.
  name.withCString { name in
    value.withCString { value in
      _ = agattr(graph, 0, UnsafeMutablePointer(mutating: name), UnsafeMutablePointer(mutating: value))
    }
  }
}
