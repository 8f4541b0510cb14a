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
      "The file to write; by default DOT text on standard output.", valueName: "FILE.dot|.svg|.png|.pdf"))
  var output: String?

  @Option(help: "Which stage of the compilation to draw.")
  var stage: DrawnStage = .traced

  @Option(
    help: ArgumentHelp(
      "Colour the kernels of the lowered stage by their times: what bench --profile --json printed.",
      valueName: "FILE.json"))
  var profile: String?

  private var suffix: String { output.map { URL(fileURLWithPath: $0).pathExtension } ?? "dot" }

  func validate() throws {
    if profile != nil && stage != .lowered { throw ValidationError("--profile is for --stage lowered") }
    guard suffix == "dot" || DrawingFormat(rawValue: suffix) != nil else {
      throw ValidationError("'\(output ?? "")' names no form of a drawing: its suffix must be .dot, .svg, .png or .pdf")
    }
  }

  func perform() throws {
    if let output { try requireWritable(output) }
    let graph = try model.boundGraph(known.bindings(of: model))
    let text = try stage.dot(graph, profile: profile.map { try Profile(reading: $0) })
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
