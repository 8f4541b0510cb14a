import Foundation
import Testing

/// A type that tests may construct, as its declaration in the sources has it.
private struct DeclaredLayer {
  /// The type's name, or the names for one, two and three axes.
  let names: [String]
  /// The labels of the parameters that have defaults; `_` for those without label.
  let options: Set<String>

  /// The layers of the library: structs with a public initializer that are modules.
  static func all(in source: String) -> [DeclaredLayer] {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    var aliases: [Substring: [String]] = [:]
    for line in lines {
      guard let match = line.wholeMatch(of: /public typealias (\w+) = (\w+)<\d>/) else { continue }
      aliases[match.2, default: []].append(String(match.1))
    }
    return source.matches(of: /\npublic struct (\w+)(<[^>]*>)?: (Module|FunctionLayer|HiddenStateLayer)\b/).compactMap {
      match in
      let body = source[match.range.upperBound...]
      let end = body.firstRange(of: "\n}\n")?.lowerBound ?? body.endIndex
      let parameters = body[..<end].matches(of: /\n  public init\(/).flatMap {
        pieces(of: body[$0.range.upperBound...])
      }
      let options = parameters.filter { $0.contains(" = ") }.map { String($0.prefix { $0 != " " && $0 != ":" }) }
      return DeclaredLayer(names: aliases[match.1] ?? [String(match.1)], options: Set(options))
    }
  }

  /// The labels that tests give when they construct one of the types; `_` for an argument without.
  func labels(in tests: String, of name: String) throws -> [Set<String>] {
    try tests.matches(of: Regex("\\b\(name)\\(")).map { match in
      Set(
        pieces(of: tests[match.range.upperBound...]).map { piece in
          piece.prefixMatch(of: /\s*(\w+):(?!:)/).map { String($0.1) } ?? "_"
        })
    }
  }
}

/// What stands between commas up to the parenthesis that closes.
private func pieces(of text: Substring) -> [Substring] {
  var (depth, start) = (0, text.startIndex)
  var pieces: [Substring] = []
  func add(_ end: String.Index) {
    let piece = text[start..<end].trimmingPrefix(while: \.isWhitespace)
    if !piece.isEmpty { pieces.append(piece) }
  }
  for index in text.indices {
    switch text[index] {
    case "(", "[", "{": depth += 1
    case ")" where depth == 0:
      add(index)
      return pieces
    case ")", "]", "}": depth -= 1
    case "," where depth == 0:
      add(index)
      start = text.index(after: index)
    default: break
    }
  }
  return pieces
}

@Suite("Every layer is tested with options that are no defaults")
struct LayerCoverageTests {
  @Test func options() throws {
    let layers = DeclaredLayer.all(in: LedgerRow.sources(in: "Sources/NN/Layers"))
    #expect(layers.count > 70)
    let tests = LedgerRow.sources(in: "Tests")
    for layer in layers {
      var used = Set<String>()
      for name in layer.names {
        let calls = try layer.labels(in: tests, of: name)
        #expect(!calls.isEmpty, "\(name) is not constructed")
        if !layer.options.isEmpty {
          #expect(calls.contains { !$0.isDisjoint(with: layer.options) }, "\(name) is constructed with defaults only")
        }
        used.formUnion(calls.joined())
      }
      let missing = layer.options.subtracting(used)
      #expect(missing.isEmpty, "no test sets \(missing.sorted().joined(separator: ", ")) of \(layer.names[0])")
    }
  }
}
