public import ArgumentParser
import Lathe
public import LatheCore

/// `NAME=SIZE`.
struct DimensionBinding: Hashable {
  var name: String
  var size: Int

  /// - Parameter least: The least size that may be given.
  init(argument: String, from least: Int = 1) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("it is not a name and a size, N=4") }
    name = String(parts[0])
    size = try wholeNumber(from: least)(String(parts[1]))
  }
}

/// `NAME=FILE`.
struct InputBinding: Hashable {
  var name: String
  var file: String

  /// The last `=` divides: names of tensors hold more of them than names of files.
  init(argument: String) throws {
    guard let divider = argument.lastIndex(of: "="), divider > argument.startIndex else {
      throw ValidationError("it is not a name and a file, x=x.npy")
    }
    name = String(argument[..<divider])
    file = String(argument[argument.index(after: divider)...])
    guard !file.isEmpty else { throw ValidationError("the file is missing") }
  }
}

/// What is known of a model's inputs while it is compiled: sizes of symbols, and values.
struct BindingOptions: ParsableArguments {
  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp("The size that a symbol of the model's input types stands for.", valueName: "NAME=SIZE"),
    transform: { try DimensionBinding(argument: $0) })
  var dimensions: [DimensionBinding] = []

  @Option(
    name: .customLong("max"),
    help: ArgumentHelp(
      "The most that a size which data decides may be, ?NAME in the types; a run with more fails.",
      valueName: "NAME=SIZE"), transform: { try DimensionBinding(argument: $0) })
  var maxima: [DimensionBinding] = []

  @Option(
    name: .customLong("bind"),
    help: ArgumentHelp(
      "The value of an input, which becomes a constant: for one that decides a shape or a branch.",
      valueName: "NAME=FILE.npy"), transform: InputBinding.init(argument:))
  var inputs: [InputBinding] = []

  @Option(
    name: .customLong("length"),
    help: ArgumentHelp(
      "How many tensors an input of ONNX that is a sequence holds, where no arrays tell it.", valueName: "NAME=COUNT"),
    transform: { try DimensionBinding(argument: $0, from: 0) })
  var lengths: [DimensionBinding] = []

  @Option(help: ArgumentHelp("An optional input of ONNX that holds nothing.", valueName: "NAME"))
  var absent: [String] = []

  var sizes: [String: Int] { Dictionary(dimensions.map { ($0.name, $0.size) }) { $1 } }

  func validate() throws {
    var sizes: [String: Int] = [:]
    for binding in dimensions {
      if let other = sizes.updateValue(binding.size, forKey: binding.name), other != binding.size {
        throw ValidationError("--dim gives \(binding.name) two sizes, \(other) and \(binding.size)")
      }
    }
  }

  /// What the options tell of a model.
  ///
  /// - Throws: Files that cannot be read, and names that no input has where the model tells its inputs' names.
  func bindings(of model: some ModelProvider, trainable: Bool = false) throws(DiagnosticsError) -> ModelBindings {
    var bindings = ModelBindings(
      dimensions: sizes, trainable: trainable, lengths: Dictionary(lengths.map { ($0.name, $0.size) }) { $1 },
      absent: Set(absent))
    let given = try GivenInputs(inputs, collection: nil)
    // Types write such a size with a question mark, which the option may have too.
    let limits = maxima.map { ($0.name.hasPrefix("?") ? String($0.name.dropFirst()) : $0.name, $0.size) }
    bindings.maxima = Dictionary(limits) { min($0, $1) }
    guard !given.isEmpty else { return bindings }
    let names = try model.inputNames() ?? inputs.map(\.name)
    bindings.constants = try given.named(among: names).mapValues(\.array)
    return bindings
  }
}

/// Which back-end runs the model.
enum Backend: String, ExpressibleByArgument, CaseIterable {
  case interpreter, native
}

/// What loops a graph becomes.
struct LoweringOptions: ParsableArguments {
  /// Whether indices from data are checked.
  enum IndexChecks: String, ExpressibleByArgument, CaseIterable {
    case on, off

    static var allValueDescriptions: [String: String] {
      ["on": "a run with an index out of range fails", "off": "indices are taken to be right"]
    }
  }

  @Option(
    name: .customLong("conv"),
    help: "How convolutions of 3x3 windows with stride 1 are computed where loops are scheduled for a processor.")
  private var choice: ConvolutionMethod.Choice = .auto

  @Option(
    help: ArgumentHelp(
      """
      How much larger transformed weights may make the constants: 0.25, the default of auto, for a quarter, inf for as \
      much as they take.
      """,
      valueName: "SHARE"), transform: number(.fromZero))
  private var weightGrowth: Double?

  @Option(help: "Whether C and native code check indices that come from data; the interpreter always does.")
  private var indexChecks: IndexChecks = .on

  /// Puts what was chosen into the options of the compilation.
  func choose(in options: inout CompileOptions) {
    options.convolutions = ConvolutionMethod(choice, weightGrowth: weightGrowth)
    options.checksIndices = indexChecks == .on
  }
}

extension ConvolutionMethod.Choice: ExpressibleByArgument {
  public static var allValueDescriptions: [String: String] {
    [
      "auto": "by Winograd's algorithm where that is faster",
      "direct": "as the sum that defines them",
      "winograd": "by Winograd's algorithm wherever shapes allow it",
    ]
  }
}

/// How a model is executed.
struct ExecutionOptions: ParsableArguments {
  @Option(help: "What runs the model.")
  var backend: Backend = .interpreter

  @OptionGroup var lowering: LoweringOptions

  @Option(
    help: ArgumentHelp("How many threads to use; by default one for each core.", valueName: "T"),
    transform: wholeNumber(from: 1))
  var threads: Int?
}
