public import ArgumentParser
import Foundation
import Lathe
public import LatheC
import LatheCore
import LatheData

/// `compile`: the model as C.
struct CompileCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "compile",
      abstract: "Write the model as C: a source file, a header, and where asked for its weights.",
      discussion: """
        With --train, the file has the functions initialize, train_step, evaluate and predict over one state, and save \
        and load for it. The parameters start as the model has them; the learning rate is an input of train_step.
        """)
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("The C file to write; the header is beside it.", valueName: "FILE.c"))
  var output: String

  @Option(help: "Who owns the memory of temporaries.")
  var arena: COptions.Arena = .caller

  @Option(help: "Where the weights are.")
  var weights: COptions.Weights = .auto

  @Option(name: .customLong("std"), help: "The standard of C to keep to.")
  var standard: COptions.Standard = .c11

  @Option(help: "Who computes exp, tanh and their like on float.")
  var math: COptions.Math = .own

  @Option(help: ArgumentHelp("What the names in the C file start with; by default the file's name.", valueName: "NAME"))
  var name: String?

  @Flag(help: "Add a main function that reads the inputs from .npy files and writes the outputs to such.")
  var testBench = false

  @Option(
    help: """
      The processor that loops are scheduled for; generic, the default, is plain C for any, and auto has variants for \
      several in one file, of which the best is chosen at run time.
      """)
  var target: TargetName?

  @OptionGroup var lowering: LoweringOptions

  @Option(help: "How the C code uses threads.")
  var threads: COptions.Threads = .none

  @Flag(help: "Print what the code takes of a machine: memory, stack, multiply-adds, bytes of machine code.")
  var report = false

  @OptionGroup var training: TrainOption

  @Option(
    help: ArgumentHelp(
      """
      With --train: train_step hands the gradients to functions of the caller, which sum them over processes, in buckets \
      of at least so many bytes.
      """, valueName: "BYTES"), transform: wholeNumber(from: 1))
  var gradientHooks: Int?

  func validate() throws {
    if !training.train, gradientHooks != nil { throw ValidationError("--gradient-hooks is for --train") }
    guard output.hasSuffix(".c"), !output.hasSuffix("/.c"), output != ".c" else {
      throw ValidationError("'\(output)' is no name of a C file: its suffix must be .c")
    }
  }

  func perform() throws {
    try requireWritable(output)
    let source =
      training.train
      ? try training.functions(of: model, known, name: name, bucketBytes: gradientHooks)
      : try model.fullyBoundModel(known.bindings(of: model))
    var options = COptions()
    options.name = name
    options.arena = arena
    options.weights = weights
    options.standard = standard
    options.math = math
    options.threads = threads
    options.main = testBench
    let targets = (target ?? .generic).targets
    let model = try source.compiled(for: targets, lowering)
    let (contents, facts) = try model.emittedWithFacts(for: output, options)
    try contents.writeAtomically()
    Console.note(
      "arena \(model.arenaBytes.grouped) bytes, lower bound \(model.lowerBound.grouped); wrote "
        + contents.map(\.path).joined(separator: ", "))
    if report {
      let report = try CompileReport(
        facts, lowerBound: model.lowerBound, source: output, options, target: targets.last ?? .generic)
      try Console.output(report.text)
    }
    if target == nil { noteVectors(facts) }
  }

  /// Says what another target would gain, where there is something to gain.
  private func noteVectors(_ facts: CFacts) {
    guard facts.multiplyAdds.contains(where: { $0.count >= 100_000 }) else { return }
    let host = (try? CCompiler.system())?.hostTarget() ?? .generic
    let native =
      host.vectorBytes > 0 ? "--target native (\(host.name)) computes \(host.vectorBytes / 4) floats at once, " : ""
    Console.note(
      "this is plain C for any processor: \(native)--target auto has variants for \(Target.auto.count - 1) processors "
        + "with vectors; products and convolutions are several times as fast then")
  }
}

/// What the C code is written for.
struct TargetName: ExpressibleByArgument {
  private let name: String
  let targets: [Target]

  static let generic = TargetName(.generic)

  private init(_ target: Target) {
    name = target.name
    targets = [target]
  }

  init?(argument: String) {
    name = argument
    if argument == "native" {
      guard let compiler = try? CCompiler.system() else { return nil }
      targets = [compiler.hostTarget()]
    } else if argument == "auto" {
      targets = Target.auto
    } else if let known = Target.all.first(where: { $0.name == argument }) {
      targets = [known]
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { name }

  static var allValueStrings: [String] { Target.all.map(\.name) + ["auto", "native"] }
}

extension COptions.Threads: ExpressibleByArgument {
  public static var allValueDescriptions: [String: String] {
    [
      "none": "it runs on the thread that calls",
      "openmp": "on OpenMP's threads, with the C compiler's -fopenmp",
      "pthreads": "on a pool of POSIX threads that the caller starts and stops",
      "callback": "by a parallel_for that the caller gives",
    ]
  }
}

extension COptions.Arena: ExpressibleByArgument {
  public static var allValueDescriptions: [String: String] {
    [
      "caller": "every call is given its arena: calls may run at once",
      "static": "one static array in the C file: one call at a time",
    ]
  }
}

extension COptions.Weights: ExpressibleByArgument {
  public static var allValueDescriptions: [String: String] {
    [
      "auto": "in the C file while they are few, else in a file of their own",
      "inline": "in the C file",
      "file": "in FILE.weights, which the C code loads or the caller maps",
      "external": "in FILE.weights, which the caller maps; the C code does no input or output",
    ]
  }
}

extension COptions.Math: ExpressibleByArgument {
  public static var allValueDescriptions: [String: String] {
    [
      "own": "the C file, at most 2 ulp off, in code that compilers vectorize",
      "libm": "the C library",
    ]
  }
}

extension COptions.Standard: ExpressibleByArgument {}
