import Foundation
import Testing

/// Where `mpirun` is; nil where there is none.
private let launcher: String? = {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  return path.split(separator: ":").map { "\($0)/mpirun" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}()

/// Programs of one and of two processes; where there is no `mpirun`, there is nothing to test.
@Suite("Several processes", .enabled(if: launcher != nil), .serialized)
struct DistributedTests {
  /// The lines that the sample prints.
  private func lines(_ processes: Int, _ arguments: String...) throws -> [String] {
    let sample = Bundle.main.bundleURL.deletingLastPathComponent().appendingPathComponent("DistributedSample").path
    let folder = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let program = [sample, folder + "/DistributedSample"].first { FileManager.default.isExecutableFile(atPath: $0) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(launcher))
    process.arguments =
      ["--allow-run-as-root", "--oversubscribe", "-n", "\(processes)", try #require(program)] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test("two processes with half batches equal one process")
  func twoProcesses() throws {
    let (one, two) = (try lines(1, "all-reduce"), try lines(2, "all-reduce"))
    #expect(one.count == 13 && two.count == 13)
    #expect(one.last == "same" && two.last == "same")
    for (a, b) in zip(one.dropLast(), two.dropLast()) {
      let (x, y) = (try #require(Double(a)), try #require(Double(b)))
      #expect(abs(x - y) <= 1e-6 * max(1, abs(x)))
    }
    #expect(one[0] != one[11])
  }

  @Test("communication hooks", arguments: [("bf16", 3e-3), ("f16", 1e-3), ("custom", 1e-6)])
  func hooks(name: String, tolerance: Double) throws {
    let (one, two) = (try lines(1, "all-reduce"), try lines(2, name))
    #expect(two.last == "same")
    for (a, b) in zip(one.dropLast(), two.dropLast()) {
      #expect(abs(try #require(Double(a)) - (try #require(Double(b)))) <= tolerance)
    }
  }

  @Test("a process whose batches have ended adds zeros until the others have ended")
  func join() throws {
    let two = try lines(2, "join")
    #expect(two.count == 6 && two.last == "[[5], [5]]")
    #expect(two.dropLast().allSatisfy { Double($0)?.isFinite == true })
    #expect(try lines(1, "join").count == 6)
  }

  @Test("collectives")
  func collectives() throws {
    #expect(
      try lines(2, "collectives") == [
        "[3.0, 20.0] [2.0, 10.0]", "[2.0, 10.0]", "[[1.0, 10.0], [2.0, 10.0]] [[1.0, 10.0], [2.0, 10.0]]",
        "[1, 2] [2, 4]", "[2.0, 10.0]", "bytes", "3 refused",
      ])
    // One process has the whole of any array.
    #expect(try lines(1, "collectives").last == "2 refused")
  }
}
