import ArgumentParser
import Foundation
import Lathe
import LatheCommands
import LatheCore
import LatheLoading
import LatheText
import LatheTrainer

/// An encoder over the tokens of a sentence, whose mean is classified.
struct Classifier: Module {
  let tokens: Embedding
  let positions: Parameter
  let encoder: TransformerEncoder
  let output: Linear

  init(vocabulary: Int, length: Int, classes: Int) {
    let width = 32
    tokens = Embedding(vocabulary, width, paddingIdx: 0)
    positions = Parameter([length, width], initializer: .normal(std: 0.02))
    encoder = TransformerEncoder(numLayers: 2) {
      TransformerEncoderLayer(width, 4, dimFeedforward: 64, batchFirst: true)
    }
    output = Linear(width, classes)
  }

  func callAsFunction(_ ids: Tensor) -> Tensor {
    let padding = ids .== 0
    let encoded = encoder(tokens(ids) + positions(for: ids), mask: nil, keyPaddingMask: padding)
    let kept = (ids .!= 0).convert(to: .f32).unsqueeze(dim: -1)
    return output((encoded * kept).sum(dim: 1) / kept.sum(dim: 1))
  }
}

/// What people say, and what they want.
struct Sentences {
  let texts: [String]
  let intents: [Int64]
  /// The names of the intents, in alphabetical order.
  let names: [String]

  init(_ path: String) throws(DiagnosticsError) {
    let lines = String(decoding: try FileContent(reading: path).bytes, as: UTF8.self).split(separator: "\n")
    let fields = lines.map { $0.split(separator: "\t", maxSplits: 1) }
    if let line = fields.firstIndex(where: { $0.count != 2 }) {
      throw DiagnosticsError("is no intent and sentence", location: Location(file: path, line: line + 1))
    }
    let names = Set(fields.map { String($0[0]) }).sorted()
    texts = fields.map { String($0[1]) }
    intents = fields.map { field in Int64(names.firstIndex(of: String(field[0])) ?? internalError("no name")) }
    self.names = names
  }
}

/// The files that the sample reads.
struct IntentFiles: ParsableArguments {
  @Option(help: ArgumentHelp("The folder with sentences.tsv and tokenizer.json.", valueName: "DIR"))
  var data = "samples/Intents"

  func sentences() throws(DiagnosticsError) -> Sentences { try Sentences(data + "/sentences.tsv") }

  func tokenizer() throws(DiagnosticsError) -> Tokenizer { try Tokenizer(path: data + "/tokenizer.json") }

  /// The tokens of texts, all of one length.
  func ids(_ texts: [String]) throws(DiagnosticsError) -> NDArray { try tokenizer().encode(texts).inputIds() }

  /// The model, with parameters from a file if there is one.
  func model(_ parameters: String?) throws(DiagnosticsError) -> Classifier {
    let length = try ids(["hello"]).shape[1]
    let model = Classifier(
      vocabulary: try tokenizer().vocabularyCount, length: length, classes: try sentences().names.count)
    if let parameters { try model.loadStateDict(load(parameters)) }
    return model
  }
}

/// The model of the command line.
struct IntentsModel: ModelProvider {
  @OptionGroup var files: IntentFiles

  @Option(help: ArgumentHelp("The parameters that fit has written; random ones by default.", valueName: "FILE"))
  var parameters: String?

  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    let length = try files.ids(["hello"]).shape[1]
    return try trace(
      files.model(parameters), TensorType(.i64, [1, length]), name: "intents", inputNames: ["ids"])
  }
}

/// `fit`: trains on nine of ten sentences, and says how many of the others are understood.
struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fit", abstract: "Train the model.")

  @OptionGroup var files: IntentFiles

  @Option(help: "How often every sentence is seen.")
  var epochs = 20

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the parameters.", valueName: "FILE"))
  var output = "intents.safetensors"

  func run() throws {
    let sentences = try files.sentences()
    let samples = try TensorDataset(files.ids(sentences.texts), NDArray(sentences.intents))
    manualSeed(0)
    let parts = try randomSplit(samples, [0.9, 0.1])
    let train = try DataLoader(parts[0], batchSize: 32, shuffle: true)
    let test = try DataLoader(parts[1], batchSize: 32)
    let trainer = try Trainer(
      files.model(nil), loss: { crossEntropy($0, $1) }, optimizer: .adam(lr: 2e-3),
      metrics: [.accuracy, .f1(average: .macro)])
    let steps = (train.count ?? 0) * epochs
    try trainer.fit(
      train, epochs: epochs, validation: test,
      callbacks: [LearningRateScheduler(CosineAnnealingLR(2e-3, tMax: steps), every: .step)])
    try save(trainer.weights(), output)
    let numbers = try trainer.evaluate(test)
    print("understood: \(String(format: "%.1f", 100 * (numbers["accuracy"] ?? 0))) % of \(parts[1].count) sentences")
  }
}

/// `tell`: what a sentence means, or its tokens for the C.
struct TellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tell", abstract: "Say what a sentence means.")

  @OptionGroup var files: IntentFiles

  @Option(help: ArgumentHelp("The parameters that fit has written.", valueName: "FILE"))
  var parameters = "intents.safetensors"

  @Flag(help: "Print the numbers of the tokens, as main.c takes them, in place of the intent.")
  var tokens = false

  @Argument(help: "The sentence.")
  var sentence: String

  func run() throws {
    let ids = try files.ids([sentence])
    if tokens { return print(ids.integers.map { "\($0)" }.joined(separator: " ")) }
    let model = try files.model(parameters)
    let scores = try compile(trace(model, ids.type))(ids).doubles
    let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    print(try files.sentences().names[best])
  }
}

@main
struct IntentsTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "intents", abstract: "What people want from a device, told from what they say.",
    subcommands: [FitCommand.self, TellCommand.self] + modelCommands(for: IntentsModel.self))
}
