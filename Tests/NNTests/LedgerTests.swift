import Foundation
import TestSupport
import Testing

/// A row of `Ledger.csv`: something that PyTorch has, and where Lathe has it.
struct LedgerRow: Sendable {
  enum Status: String {
    /// All that means something in a compiled graph is there.
    case implemented
    /// Some of it is missing.
    case partial
    /// It has no counterpart of its own: *Coming from PyTorch* says what takes its place.
    case documented
    case absent
  }

  let id: String
  let area: String
  let name: String
  let status: Status?
  /// Names of the sources: functions, types, operators.
  let symbols: [String]
  /// Cases of goldens, or tests as `Suite.function`.
  let forward: [String]
  /// The same for gradients; nil where there are none.
  let gradient: [String]?

  /// All rows; none where the file cannot be read, which a test notices.
  static let all: [LedgerRow] = {
    guard let text = read("Tests/NNTests/Ledger.csv") else { return [] }
    return text.split(separator: "\n").dropFirst().map { line in
      let cells = cells(of: line)
      func list(_ cell: Int) -> [String] {
        cells.indices.contains(cell) ? cells[cell].split(separator: ";").map(String.init) : []
      }
      return LedgerRow(
        id: cells[0], area: cells.count > 1 ? cells[1] : "", name: cells.count > 2 ? cells[2] : "",
        status: cells.count > 3 ? Status(rawValue: cells[3]) : nil,
        symbols: list(4), forward: list(5), gradient: list(6) == ["na"] ? nil : list(6))
    }
  }()

  /// The cells of a line, which are quoted where they hold commas.
  private static func cells(of line: Substring) -> [String] {
    var cells = [""]
    var isQuoted = false
    for character in line {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
    }
    return cells
  }

  /// A file of the repository.
  static func read(_ path: String) -> String? {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return FileManager.default.contents(atPath: root + "/" + path).flatMap { String(data: $0, encoding: .utf8) }
  }

  /// The Swift files in a folder of the repository, joined.
  static func sources(in folder: String) -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let files = FileManager.default.enumerator(atPath: root + "/" + folder)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".swift") && !$0.contains("Generated/") }.sorted()
      .compactMap { read(folder + "/" + $0) }.joined(separator: "\n")
  }
}

@Suite("The ledger of PyTorch's vocabulary")
struct LedgerTests {
  /// Names after a keyword that declares them, `func sort`, and operators.
  private static func declared(in text: String) -> Set<String> {
    let keywords: Set<Substring> = ["func", "var", "let", "struct", "enum", "class", "protocol", "typealias", "case"]
    var names = Set<String>()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      for (keyword, word) in zip(words, words.dropFirst()) where keywords.contains(keyword) {
        let isName = word.first.map { $0.isLetter || $0 == "_" || $0 == "`" } ?? false
        let name = isName ? word.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" } : word
        names.insert(String(name).replacing("`", with: ""))
      }
    }
    return names
  }

  @Test("every row of the ledger is there once") func rows() {
    #expect(
      LedgerRow.all.map(\.id) == (1...404).map { "s" + String(repeating: "0", count: 3 - "\($0)".count) + "\($0)" })
    for row in LedgerRow.all { #expect(row.status != nil, "\(row.id) \(row.name)") }
  }

  @Test("symbols exist") func symbols() {
    let names = Self.declared(in: LedgerRow.sources(in: "Sources"))
    for row in LedgerRow.all {
      for symbol in row.symbols {
        let isOperator = !(symbol.first?.isLetter ?? false)
        let name = isOperator ? symbol : symbol.split(separator: ".").last.map(String.init) ?? ""
        #expect(names.contains(name), "\(row.id) \(row.name): no \(symbol) in Sources")
      }
      if row.status == .implemented { #expect(!row.symbols.isEmpty, "\(row.id) \(row.name)") }
      if row.status == .absent { #expect(row.symbols.isEmpty, "\(row.id) \(row.name)") }
    }
  }

  @Test("cases exist, and what is implemented is tested, its gradient too") func cases() {
    let golden = Dictionary(GoldenCase.all.map { ($0.name, !$0.gradients.isEmpty) }) { first, _ in first }
    let others = Set(
      FileManager.default.enumerator(atPath: goldenFolder)?.compactMap { ($0 as? String)?.split(separator: ".").first }
        .map(String.init) ?? []
    ).union(OptimizerCase.all.map(\.name))
    let tests = LedgerRow.sources(in: "Tests")
    let names = Self.declared(in: tests)
    func exists(_ test: String, withGradient: Bool) -> Bool {
      if let hasGradient = golden[test] { return hasGradient || !withGradient }
      let parts = test.split(separator: ".").map(String.init)
      return others.contains(test) || (parts.count == 2 && parts.allSatisfy(names.contains))
    }
    for row in LedgerRow.all {
      for test in row.forward { #expect(exists(test, withGradient: false), "\(row.id) \(row.name): no \(test)") }
      for test in row.gradient ?? [] { #expect(exists(test, withGradient: true), "\(row.id) \(row.name): no \(test)") }
      guard row.status == .implemented else { continue }
      #expect(!row.forward.isEmpty, "\(row.id) \(row.name) is not tested")
      #expect(row.gradient != [], "\(row.id) \(row.name): its gradient is not tested")
    }
  }

  /// The areas whose every row is on the page, apart from those of `nn`.
  private static let areas: Set<String> = [
    "creation", "random", "indexing", "pointwise", "comparison", "reduction", "linalg", "serialization", "autograd",
    "optim", "init", "utils.data", "torchvision.transforms", "torchvision.models",
    "torchvision.datasets",
  ]

  @Test("the whole vocabulary, and what has no counterpart, is on the page for who comes from PyTorch")
  func documented() throws {
    let page = try #require(LedgerRow.read("Sources/Lathe/Lathe.docc/ComingFromPyTorch.md"))
    let rows = LedgerRow.all.filter {
      $0.status == .documented || Self.areas.contains($0.area) || $0.area.hasPrefix("nn.")
    }
    #expect(rows.count > 260)
    for row in rows {
      #expect(page.contains("`\(row.name)`"), "\(row.id) \(row.name)")
    }
  }
}
