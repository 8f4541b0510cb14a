import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// The bound of the stack that headers have, against what compilers use.
@Suite struct StackTests {
  /// The frames of a file's functions, by their names.
  private static func frames(_ files: CFiles, _ compiler: [String]) throws -> [String: Int] {
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, object) = (folder.path + "/\(files.name).c", folder.path + "/model.o")
    _ = try CBench.run(compiler + ["-std=c11", "-fstack-usage", "-c", source, "-o", object])
    var frames: [String: Int] = [:]
    for line in try String(contentsOfFile: folder.path + "/model.su", encoding: .utf8).split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.count > 1, let bytes = Int(fields[1]) else { continue }
      frames[fields[0].split(separator: ":").last.map(String.init) ?? "", default: 0] = bytes
    }
    return frames
  }

  private static var compilers: [[String]] {
    [["gcc", "-O0"], ["gcc", "-O2"], ["gcc", "-O3"]]
      + (CBench.isInstalled("arm-none-eabi-gcc")
        ? [["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-Os"]] : [])
  }

  @Test("no compiler uses more than the bound says", arguments: [Target.generic, .cortexM4F, .x86V3])
  func bound(_ target: Target) throws {
    for graph in try ImageGraph.all() {
      let planned = try PlannedProgram(planning: Program(lowering: graph.graph, target: target))
      var options = COptions()
      options.name = "m"
      let files = emitC(planned, options: options)
      let bound = files.facts.stackBytes
      for compiler in Self.compilers where target != .x86V3 || compiler[0] == "gcc" {
        let frames = try Self.frames(files, compiler)
        let kernels = frames.filter { $0.key != "m_run" }.map(\.value).sorted(by: >)
        let used = (frames["m_run"] ?? 0) + kernels.prefix(2).reduce(0, +)
        #expect(used > 0 && used <= bound, "\(graph.testDescription) by \(compiler): \(used) of \(bound)")
      }
    }
  }

  @Test("what is counted is the program's") func facts() throws {
    let graph = try #require(ImageGraph.all().first).graph
    let planned = try PlannedProgram(planning: Program(lowering: graph, target: .generic))
    let facts = emitC(planned).facts
    #expect(facts.multiplyAdds.map(\.count) == [planned.program.kernels.reduce(0) { $0 + $1.macs }])
    #expect(facts.arenaBytes == planned.arenaBytes && facts.stateBytes == 0 && facts.weightBytes > 0)
  }
}
