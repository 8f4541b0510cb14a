import ArgumentParser
import LatheCore

/// `bench`: how long a run takes.
struct BenchCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "bench", abstract: "Measure the latency of a run.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var dimensions: DimensionOptions

  func run() throws {}
}
