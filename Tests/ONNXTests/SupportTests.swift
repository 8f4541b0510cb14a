import Foundation
import Testing

@testable import LatheONNX

/// The article that lists the operators: it is made here, and must be what the tables of operators say.
///
/// With `LATHE_BLESS=1` in the environment it is written anew.
@Suite struct SupportTests {
  private static let article = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Sources/Lathe/Lathe.docc/ONNXOperators.md")

  /// An operator of ONNX's own list.
  private struct Schema {
    var domain: String
    var name: String
    var versions: [Int]
    var types: [String]
  }

  private static func schemas() throws -> [Schema] {
    let url = try #require(Bundle.module.url(forResource: "Schemas", withExtension: "csv"))
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst().map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      return Schema(
        domain: String(fields[0]), name: String(fields[1]),
        versions: fields[2].split(separator: " ").compactMap { Int($0) },
        types: fields[3].split(separator: " ").map(String.init))
    }
  }

  private static let introduction = """
    # ONNX operators

    Which operators of ONNX are supported, in which versions of their operator sets, and what of them is not.

    ## Overview

    Opsets 1 to 28 and IR versions up to 14 are read, with local functions, sparse and external tensors. All element types
    of ONNX are read but strings and complex numbers; floats of 8, 6 and 4 bits and integers of 4 and 2 bits are stored and
    converted, as ONNX has it. This article is made from the importer's tables by a test, which also compares it with them
    (`LATHE_BLESS=1 swift test --filter SupportTests`).

    Sequences and optionals are resolved while a model is imported. An input `s` that is a sequence becomes the inputs `s.0`,
    `s.1` and so on: as many as there are arrays for, or as `--length s=3` says. An optional input holds something, unless
    `--absent NAME` says that it holds nothing.

    `lathe check MODEL --json` prints what keeps a model from being compiled. The form is stable: fields may be added, and
    `schema` counts up when one changes its meaning.

    | field | |
    |---|---|
    | `schema` | 1 |
    | `ok` | whether the model can be compiled |
    | `summary` | of a sound model: `name`, `inputs` and `outputs` (each `name`, `type`), `functions`, `parameters`, `symbols`, `nodes` |
    | `diagnostics` | for each mistake `severity`, `message`, `operands`, and where there are such `operation`, `file`, `line`, `column`, `module`, `node`, `help`, `unsupported` |
    | `unsupported` | of an operator that is not supported: `operator`, `domain`, `opset` (left out where the model does not import the domain), `nodes` |


    """

  private static func text() throws -> String {
    let schemas = try schemas()
    var text = introduction
    var isListed: Set<String> = []
    for (domain, title) in [
      ("", "ai.onnx"), ("ai.onnx.ml", "ai.onnx.ml"), ("ai.onnx.preview", "ai.onnx.preview"),
      ("ai.onnx.preview.training", "ai.onnx.preview.training"),
    ] {
      let listed = schemas.filter { $0.domain == domain }
      let supported = listed.filter { Operator.named($0.name, domain: domain) != nil }
      text += "## \(title)\n\n\(supported.count) of \(listed.count) operators.\n\n"
      text += "| operator | opsets | supported | |\n|---|---|---|---|\n"
      for schema in listed {
        isListed.insert(domain + "/" + schema.name)
        var notes: [String] = []
        let isSupported = Operator.named(schema.name, domain: domain) != nil
        if isSupported {
          if let limit = Operator.limits[domain]?[schema.name] { notes.append(limit) }
          if !schema.types.isEmpty, !notes.contains("no strings") {
            notes.append("not of " + schema.types.joined(separator: ", "))
          }
        } else {
          notes.append(Operator.refusals[domain]?[schema.name] ?? "")
        }
        let word = !isSupported ? "no" : notes.isEmpty ? "yes" : "partly"
        let versions = schema.versions.map(String.init).joined(separator: " ")
        text += "| \(schema.name) | \(versions) | \(word) | \(notes.joined(separator: "; ")) |\n"
      }
      text += "\n"
    }
    let own = (Operator.table["com.microsoft"] ?? [:]).keys.sorted()
    text += "## com.microsoft\n\nThe \(own.count) operators that ONNX Runtime's optimizer and quantizer write.\n\n"
    text += "| operator | supported | |\n|---|---|---|\n"
    for name in own {
      let limit = Operator.limits["com.microsoft"]?[name]
      text += "| \(name) | \(limit == nil ? "yes" : "partly") | \(limit ?? "") |\n"
    }
    let others = (Operator.table[""] ?? [:]).keys.filter { !isListed.contains("/" + $0) }.sorted()
    text += "\n## Outside of the operator sets\n\nExperiments of the first operator sets, and what ONNX Runtime adds: "
    return text + others.map { "`\($0)`" }.joined(separator: ", ") + ".\n"
  }

  @Test("the article on ONNX's operators says what the importer does")
  func article() throws {
    let text = try Self.text()
    if ProcessInfo.processInfo.environment["LATHE_BLESS"] == "1" { try Data(text.utf8).write(to: Self.article) }
    #expect(try String(contentsOf: Self.article, encoding: .utf8) == text)
  }

  @Test("limits and refusals name operators that are, and are not, supported")
  func limits() {
    for (domain, limits) in Operator.limits {
      for name in limits.keys { #expect(Operator.named(name, domain: domain) != nil, "\(name)") }
    }
    for (domain, refusals) in Operator.refusals {
      for name in refusals.keys { #expect(Operator.named(name, domain: domain) == nil, "\(name)") }
    }
  }
}
