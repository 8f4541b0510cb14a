/// Columns of text, each as wide as its widest cell.
struct TextTable {
  enum Alignment {
    case left, right
  }

  private let alignments: [Alignment]
  private var rows: [[String]]

  init(_ columns: [(title: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.title)]
  }

  mutating func append(_ cells: [String]) { rows.append(cells) }

  /// The table with a line of dashes under its titles and, if wanted, above its last row.
  func text(totals: Bool = false) -> String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      let cells = zip(row, zip(widths, alignments)).map { cell, format in
        let space = String(repeating: " ", count: format.0 - cell.count)
        return format.1 == .left ? cell + space : space + cell
      }
      let line = cells.joined(separator: "  ")
      return line.lastIndex { $0 != " " }.map { String(line[...$0]) } ?? ""
    }
    let rule = String(repeating: "-", count: widths.reduce(2 * (widths.count - 1), +))
    if totals && lines.count > 1 { lines.insert(rule, at: lines.count - 1) }
    lines.insert(rule, at: 1)
    return lines.joined(separator: "\n") + "\n"
  }
}
