import ArgumentParser
import Foundation
import LatheCore
import LatheData
import LatheDraw

/// `dot`: a drawing of the model.
struct DotCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "dot", abstract: "Draw the model, as DOT text or through Graphviz.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write; by default DOT text on standard output.", valueName: "FILE.dot|.svg|.png|.pdf|.json"))
  var output: String?

  @Option(
    help: "Which stage of the compilation to draw; memory is the plan of the arena, which .json gives as numbers.")
  var stage: DrawnStage = .traced

  @Option(
    help: ArgumentHelp(
      "Colour the kernels of the lowered stage by their times: what bench --profile --json printed.",
      valueName: "FILE.json"))
  var profile: String?

  @Flag(help: "Draw every operation; by default what a call of a function built is one box.")
  var expand = false

  @Option(
    help: ArgumentHelp(
      "Draw modules that are nested deeper as one box each; by default as few of them as leave a picture that can be read.",
      valueName: "LEVELS"))
  var depth: Int?

  private var suffix: String { output.map { URL(fileURLWithPath: $0).pathExtension } ?? "dot" }

  func validate() throws {
    if expand && depth != nil { throw ValidationError("--expand draws every operation, --depth does not: give one") }
    if let depth, depth < 0 { throw ValidationError("--depth is a number of levels, 0 or more") }
    if profile != nil && stage != .lowered { throw ValidationError("--profile is for --stage lowered") }
    if suffix == "json" {
      guard stage == .memory else { throw ValidationError("only --stage memory is written as JSON") }
      return
    }
    guard suffix == "dot" || DrawingFormat(rawValue: suffix) != nil else {
      throw ValidationError("'\(output ?? "")' names no form of a drawing: its suffix must be .dot, .svg, .png or .pdf")
    }
  }

  func perform() throws {
    if let output { try requireWritable(output) }
    let graph = try model.boundGraph(known.bindings(of: model))
    if suffix == "json", let output {
      return try Console.json(MemoryReport(stage.memory(graph))).writeAtomically(to: output)
    }
    let text = try stage.dot(
      graph, detail: expand ? .operations : .calls(depth: depth), profile: profile.map { try Profile(reading: $0) })
    guard let output else { return try Console.output(text) }
    if let format = DrawingFormat(rawValue: suffix) {
      Console.progress("laying out \(graph.nodes.count) nodes")
      defer { Console.endProgress() }
      try draw(text, as: format, for: output).writeAtomically(to: output)
    } else {
      try text.writeAtomically(to: output)
    }
  }
}
