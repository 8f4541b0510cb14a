import Foundation
import Lathe
import LatheCore
import LatheData
import LatheImages
import SwiftProtobuf
import Testing

@testable import LatheTensorBoard

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct SummaryWriterTests {
  private struct Network: Module {
    let first = Conv2d(1, 2, kernelSize: 3)
    let second = Linear(8, 3)

    func callAsFunction(_ x: Tensor) -> Tensor { second(relu(first(x)).flatten(startDim: 1)) }
  }

  private static func golden(_ name: String) throws -> FileContent {
    let folder = try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
    return try FileContent(reading: folder.appendingPathComponent(name).path)
  }

  private static let checksums: [(String, UInt32)] = [
    ("", 0), ("123456789", 0xe306_9283), (String(repeating: "\0", count: 32), 0x8a91_36aa), ("a", 0xc1d0_4330),
  ]

  @Test(arguments: checksums)
  func checksumsAreCastagnolis(_ text: String, _ checksum: UInt32) {
    #expect(Checksum.crc32c(text.utf8) == checksum)
    #expect(Checksum.masked(text.utf8) == (checksum >> 15 | checksum << 17) &+ 0xa282_ead8)
  }

  /// With LATHE_EVENT_FILES, files are written there, and stay for tools/tensorboard_events.py.
  @Test(arguments: ["", "lines_both_a/", "lines_both_b/", "row/", "resumed/"])
  func eventsAreThoseOfPyTorch(_ run: String) throws {
    try withTemporaryFolder { folder in
      try Calls.write(to: folder)
      // Times that cannot be given, what wrote the file, and PyTorch's exact sums aside.
      func comparable(_ events: [Tensorboard_Event]) throws -> [Tensorboard_Event] {
        try events.dropFirst().map { event in
          var event = event
          if run == "row/" || event.step == 2 && run == "resumed/" && event.summary.value.isEmpty { event.wallTime = 0 }
          for place in event.summary.value.indices where event.summary.value[place].histo.num > 0 {
            event.summary.value[place].histo.sum.round(to: 1e-3)
            event.summary.value[place].histo.sumSquares.round(to: 1e-3)
          }
          // Members of maps are in any order.
          for place in event.summary.value.indices
          where event.summary.value[place].metadata.pluginData.pluginName == "hparams" {
            let content = [UInt8](event.summary.value[place].metadata.pluginData.content)
            let data = try Tensorboard_HParamsPluginData(serializedBytes: content)
            event.summary.value[place].metadata.pluginData.content = Data(data.encoded)
          }
          // Of images, the pixels are to be the same, not the bytes of PNG.
          for place in event.summary.value.indices where event.summary.value[place].image.height > 0 {
            let png = [UInt8](event.summary.value[place].image.encodedImageString)
            let pixels = try decodeImage(FileContent(path: "png", bytes: png))
            event.summary.value[place].image.encodedImageString = Data(pixels.bytes)
          }
          return event
        }
      }
      let ours = try comparable(events(in: eventFile(in: folder + "/" + run).bytes))
      let theirs = try comparable(events(in: Self.golden(run + "events.tfevents").bytes))
      #expect(ours.count == theirs.count)
      for (mine, yours) in zip(ours, theirs) { #expect(mine == yours) }
    }
  }

  @Test(arguments: [
    "00000/a%2fb/tensors.tsv", "00000/a%2fb/metadata.tsv", "00002/default/tensors.tsv",
    "00002/default/metadata.tsv",
  ])
  func embeddingsAreThoseOfPyTorch(_ name: String) throws {
    try withTemporaryFolder { folder in
      try Calls.write(to: folder)
      #expect(try FileContent(reading: folder + "/" + name).text() == Self.golden(name).text())
    }
  }

  /// Lists have two forms in the text of protocol buffers.
  @Test func projectorsKnowTheEmbeddings() throws {
    try withTemporaryFolder { folder in
      try Calls.write(to: folder)
      let name = "projector_config.pbtxt"
      let ours = try Tensorboard_ProjectorConfig(textFormatString: FileContent(reading: folder + "/" + name).text())
      #expect(try ours == Tensorboard_ProjectorConfig(textFormatString: Self.golden(name).text()))
    }
  }

  @Test func spritesAreThoseOfPyTorch() throws {
    try withTemporaryFolder { folder in
      try Calls.write(to: folder)
      let name = "00002/default/sprite.png"
      let (ours, theirs) = (try readImage(folder + "/" + name), try decodeImage(Self.golden(name)))
      // PyTorch multiplies in double precision here.
      #expect(ours.shape == theirs.shape && ours.shape == [3, 4, 4])
      #expect(zip(ours.integers, theirs.integers).allSatisfy { abs($0 - $1) <= 1 })
    }
  }

  @Test func figuresArePicturesOfOtherTools() throws {
    try withTemporaryFolder { folder in
      let writer = try SummaryWriter(logDir: folder)
      let png = try encodePNG(Calls.pixels(3, 4, 5))
      try writer.addFigure("plot", png: png, globalStep: 1)
      try writer.close()
      let image = try #require(events(in: eventFile(in: folder).bytes).last?.summary.value.first?.image)
      #expect(image.height == 4 && image.width == 5 && image.colorspace == 3)
      #expect([UInt8](image.encodedImageString) == png)
      let other = try SummaryWriter(logDir: folder)
      #expect(throws: DiagnosticsError.self) { try other.addFigure("plot", png: [1, 2, 3]) }
      #expect(throws: DiagnosticsError.self) { try other.addImage("x", Calls.pixels(2, 3, 4)) }
      #expect(throws: DiagnosticsError.self) { try other.addImage("x", Calls.pixels(3, 3, 4), dataformats: "CHN") }
      #expect(throws: DiagnosticsError.self) { try other.addImages("x", Calls.pixels(3, 3, 4)) }
      try other.close()
    }
  }

  @Test func filesForTensorBoardsReader() throws {
    guard let folder = ProcessInfo.processInfo.environment["LATHE_EVENT_FILES"] else { return }
    try Calls.write(to: folder)
    let writer = try SummaryWriter(logDir: folder + "/graph")
    try writer.addGraph(trace(Network(), .f32(1, 1, 4, 4)))
    try writer.close()
  }

  @Test func defaultBinsAreTensorBoards() {
    let bins = SummaryWriter.defaultBins
    #expect(bins.count == 1549)
    #expect(bins[774] == 0)
    #expect(bins.filter { $0 > 0 }.count == 774)
    #expect(bins == bins.sorted() && bins.first == bins.last.map { -$0 })
  }

  @Test func graphsHaveModulesAsScopes() throws {
    try withTemporaryFolder { folder in
      let graph = try trace(Network(), .f32(1, 1, 4, 4))
      let writer = try SummaryWriter(logDir: folder)
      try writer.addGraph(graph)
      try writer.close()
      let event = try #require(events(in: eventFile(in: folder).bytes).last)
      let nodes = try Tensorboard_GraphDef(serializedBytes: event.graphDef).node
      let names = nodes.map(\.name)
      #expect(Set(names).count == names.count)
      #expect(nodes.contains { $0.name == "first/weight" && $0.op == "Parameter" })
      #expect(nodes.contains { $0.name.hasPrefix("first/convolution") && $0.input.contains("first/weight") })
      #expect(nodes.contains { $0.name.hasPrefix("second/dot") && $0.op == "dot" })
      #expect(names.contains { $0.hasPrefix("input/") } && names.contains { $0.hasPrefix("output/") })
      // Every edge comes from a node that is there, and each node says what it gives.
      for node in nodes {
        #expect(node.input.allSatisfy { names.contains(String($0.split(separator: ":")[0])) }, "\(node)")
        #expect(node.attr["_output_shapes"]?.list.shape.isEmpty == false)
      }
      let output = try #require(nodes.first { $0.name.hasPrefix("output/") })
      #expect(output.attr["_output_shapes"]?.list.shape.first?.dim.map(\.size) == [1, 3])
    }
  }

  @Test func aWriterFlushesWhenItsQueueIsFullAndGoesOnAfterClose() throws {
    try withTemporaryFolder { folder in
      let writer = try SummaryWriter(logDir: folder, maxQueue: 3)
      let path = try writer.fileWriter().path
      func count() throws -> Int { try events(in: FileContent(reading: path).bytes).count }
      #expect(try count() == 1)
      for step in 0..<2 { try writer.addScalar("x", 1, globalStep: step) }
      #expect(try count() == 1)
      try writer.addScalar("x", 1, globalStep: 2)
      #expect(try count() == 4)
      try writer.addScalar("x", 1, globalStep: 3)
      try writer.flush()
      #expect(try count() == 5)
      try writer.addScalar("x", 1, globalStep: 4)
      try writer.close()
      try writer.close()
      #expect(try count() == 6)
      try writer.addScalar("x", 1, globalStep: 5)
      try writer.close()
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  @Test func whatWaitsIsWrittenAfterFlushSecsAndWhenTheWriterGoes() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var writer: SummaryWriter? = try SummaryWriter(logDir: folder, flushSecs: 0.05)
    try writer?.addScalar("x", 1)
    for _ in 0..<200 where try events(in: eventFile(in: folder).bytes).count < 2 {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try events(in: eventFile(in: folder).bytes).count == 2)
    writer = try SummaryWriter(logDir: folder + "/other")
    try writer?.addScalar("x", 1)
    writer = nil
    #expect(try events(in: eventFile(in: folder + "/other").bytes).count == 2)
  }

  @Test func theFolderAndTheFileAreNamedAsPyTorchNamesThem() throws {
    try withTemporaryFolder { folder in
      let writer = try SummaryWriter(logDir: folder + "/a/b", filenameSuffix: ".end")
      let name = try writer.fileWriter().path.split(separator: "/").last.map(String.init)
      let host = ProcessInfo.processInfo.hostName
      let pattern = try Regex("events\\.out\\.tfevents\\.[0-9]{10}\\.(.*)\\.[0-9]+\\.[0-9]+\\.end")
      #expect(try #require(name).wholeMatch(of: pattern)?.output[1].substring == host[...])
      try writer.close()
    }
  }

  @Test func aRecordThatIsNotWrittenWholeIsTakenBack() async {
    await #expect(processExitsWith: .success) {
      signal(SIGXFSZ, SIG_IGN)
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let writer = try SummaryWriter(logDir: folder, maxQueue: 1)
      let path = try writer.fileWriter().path
      var limit = rlimit(rlim_cur: 1000, rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      var failure: DiagnosticsError?
      do throws(DiagnosticsError) {
        try writer.addText("long", String(repeating: "x", count: 2000), globalStep: 0)
      } catch { failure = error }
      let size = try FileContent(reading: path).bytes.count
      limit.rlim_cur = rlim_t.max
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      try writer.addScalar("x", 1, globalStep: 1)
      let found = try events(in: FileContent(reading: path).bytes)
      // What could not be written waited, and went before what came later.
      guard failure?.description.contains("cannot be written") == true, size < 100, found.count == 3 else {
        throw failure ?? DiagnosticsError("\(size) \(found.count)")
      }
    }
  }

  @Test func mistakesAreDiagnostics() throws {
    try withTemporaryFolder { folder in
      let writer = try SummaryWriter(logDir: folder)
      func message(_ body: () throws -> Void) -> String? {
        #expect(throws: DiagnosticsError.self) { try body() }?.diagnostics.first?.message
      }
      let matrix = try NDArray([Float](repeating: 0, count: 4), shape: [2, 2])
      #expect(message { try writer.addScalar("x", matrix) } == "NDArray: f32[2,2] is not one number")
      #expect(message { try writer.addHistogram("h", NDArray([Float]())) } == "histogram: 'h' has no numbers")
      #expect(
        message { try writer.addHistogram("h", NDArray([Float.nan])) }
          == "histogram: none of the numbers of 'h' is in a bin")
      #expect(
        message { try writer.addHistogram("h", NDArray([Float.infinity]), bins: .auto) }
          == "histogram: bins of equal width need finite numbers")
      #expect(
        message { try writer.addHistogram("h", matrix, bins: .limits([1, 0])) }
          == "histogram: limits of bins are at least two, in ascending order")
      #expect(
        message { try writer.addHistogram("h", matrix, bins: .count(0)) }
          == "histogram: 0 bins are not between 1 and 1000000")
      #expect(
        message { try writer.addEmbedding(matrix, metadata: ["a"]) } == "embedding: 1 labels for 2 points")
      #expect(
        message { try writer.addEmbedding(matrix, metadata: ["a\tb", "c"]) }
          == "embedding: a label has a tab or a line end: \"a\\tb\"")
      #expect(
        message { try writer.addEmbedding(NDArray([Float(1)])) }
          == "embedding: f32[1] is no matrix with a point in each row")
      #expect(
        message { try writer.addHparams(["lr": 1], [:], hparamDomainDiscrete: ["lr": ["a"]]) }
          == "hparams: 'lr' is no hyperparameter with values of that type")
      #expect(
        message { try writer.addPrCurve("p", labels: matrix, predictions: NDArray([Float(2)])) }
          == "prCurve: 4 labels and 1 weights for 1 predictions")
      try writer.close()
      #expect(message { _ = try SummaryWriter(logDir: "/dev/null/x") }?.hasPrefix("the folder cannot be made") == true)
    }
  }
}

extension Double {
  fileprivate mutating func round(to step: Double) { self = (self / step).rounded() * step }
}
