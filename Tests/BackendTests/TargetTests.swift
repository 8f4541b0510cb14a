import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Every target's schedules, compiled for its processor, and run where that is possible.
@Suite struct TargetTests {
  /// Whether this machine runs code for the target.
  private static func isNative(_ target: Target) -> Bool {
    let needed = [Target.x86V2.name: "sse4_2", Target.x86V3.name: "avx2", Target.x86V4.name: "avx512vl"][target.name]
    let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    return needed.map { processor.contains(" \($0) ") } ?? false
  }

  /// The primitives whose C for the target is another than for any machine, which `CEmissionTests` have.
  private static func ownPrimitives(_ target: Target) throws -> [CEmissionTests.Case] {
    func text(_ graph: Graph, _ target: Target) throws -> String {
      emitC(try PlannedProgram(planning: Program(lowering: graph, target: target))).source
    }
    return try CEmissionTests.primitives().filter { try text($0.graph, target) != text($0.graph, .generic) }
  }

  @Test("a file for a processor needs no option of the compiler", arguments: [Target.x86V2, .x86V3, .x86V4])
  func native(target: Target) throws {
    guard Self.isNative(target) else { return }
    let flags = ["-std=c11", "-O2"]
    try CEmissionTests.check(
      Self.ownPrimitives(target), compilers: CBench.compilers, flags: flags, target: target)
    let lanes = [target.vectorBytes / 4, target.vectorBytes / 4 - 1]
    try TileEmissionTests.check(
      TileEmissionTests.programs(lanes: lanes), compilers: CBench.compilers, flags: flags, target: target)
  }

  /// A network with its programs for all processors of a file.
  private struct Network: Sendable {
    var graph: ImageGraph
    var programs: [PlannedProgram]

    init(_ graph: ImageGraph) throws {
      self.graph = graph
      programs = try Target.auto.map { try PlannedProgram(planning: Program(lowering: graph.graph, target: $0)) }
    }
  }

  private static func networks() throws -> [Network] { try madeNetworks.get() }

  private static let madeNetworks = Result { try ImageGraph.all().map { try Network($0) } }

  /// Networks in files for several processors.
  private static func auto(_ networks: [Network], _ options: COptions = COptions()) throws -> [CBench.Model] {
    try networks.enumerated().map { position, network in
      var options = options
      (options.name, options.uniformEntry) = ("c\(position)", true)
      var planned = try #require(network.programs.last)
      let files = emitC(planned, variants: network.programs.dropLast(), options: options)
      planned.arenaBytes = network.programs.map(\.arenaBytes).max() ?? 0
      return CBench.Model(files: files, planned: planned, inputs: network.graph.inputs)
    }
  }

  /// Values as the graphs mean them, but for the order in which sums are taken.
  private static func expectMeaning(of graphs: [ImageGraph], _ outputs: [[String: NDArray]], by what: String) throws {
    for (row, actual) in zip(graphs, outputs) {
      for (name, array) in row.outputs {
        let result = try #require(actual[name])
        let peak = array.doubles.reduce(1) { max($0, abs($1)) }
        for (a, b) in zip(result.doubles, array.doubles) where !(abs(a - b) <= 2e-6 * peak) {
          Issue.record("\(row.name) by \(what): \(a) for \(b)")
        }
      }
    }
  }

  @Test("each variant of a file for several processors computes the same", arguments: CBench.compilers)
  func variants(compiler: String) throws {
    let networks = try Self.networks()
    let models = try Self.auto(networks)
    let forced = models.map { "-D\($0.files.name.uppercased())_FORCED_TARGET=choice" }
    let targets = Target.auto.enumerated().filter { $1.name == Target.generic.name || Self.isNative($1) }
    let outputs = try CBench.outputs(
      models, compiler: compiler, flags: ["-std=c11", "-O1"] + forced, choices: targets.map(\.offset))
    for (target, outputs) in zip(targets, outputs) {
      try Self.expectMeaning(of: networks.map(\.graph), outputs, by: "\(target.element.name), \(compiler)")
    }
  }

  @Test("the processor decides which variant runs, on threads too", arguments: CBench.compilers)
  func choice(compiler: String) throws {
    let networks = try Self.networks()
    let alone = try CBench.outputs(
      Self.auto(networks, COptions(standard: .c99, arena: .static, weights: .inline)), compiler: compiler,
      flags: ["-std=c99", "-D_ISOC11_SOURCE", "-O1"])
    try Self.expectMeaning(of: networks.map(\.graph), alone, by: "\(compiler), C99")
    // Of what threads do in variants, a few networks have everything.
    let few = stride(from: 0, to: networks.count, by: 3).map { networks[$0] }
    let together = try CBench.outputs(
      Self.auto(few, COptions(weights: .file, threads: .pthreads)), compiler: compiler, flags: ["-std=c11", "-O1"],
      threads: CBench.Threads(.pthreads, count: 2))
    try Self.expectMeaning(of: few.map(\.graph), together, by: "\(compiler), threads")
  }

  @Test func variantsReadTheSameConstants() throws {
    let options = COptions(name: "net", weights: .file)
    for network in try Self.networks() {
      let programs = network.programs
      let together = emitC(try #require(programs.last), variants: programs.dropLast(), options: options)
      #expect(emitC(programs[0], options: options).weights?.count == together.weights?.count, "\(network.graph.name)")
    }
  }

  private static let hasArm = CBench.isInstalled("aarch64-linux-gnu-gcc") && CBench.isInstalled("qemu-aarch64")

  @Test(.enabled(if: hasArm, "needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user: tools/setup tests"))
  func armComputesTheSame() throws {
    let flags = ["-std=c11", "-O2", "-static"]
    try CEmissionTests.check(
      CEmissionTests.primitives(), compilers: ["aarch64-linux-gnu-gcc"], flags: flags, target: .armV8,
      runner: ["qemu-aarch64"])
    try TileEmissionTests.check(
      TileEmissionTests.programs(), compilers: ["aarch64-linux-gnu-gcc"], flags: flags, runner: ["qemu-aarch64"])
  }

  @Test(.enabled(if: hasArm, "needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user: tools/setup tests"))
  func armRunsItsVariant() throws {
    let networks = try Self.networks()
    let outputs = try CBench.outputs(
      Self.auto(networks), compiler: "aarch64-linux-gnu-gcc", flags: ["-std=c11", "-O1", "-static"],
      runner: ["qemu-aarch64"])
    try Self.expectMeaning(of: networks.map(\.graph), outputs, by: "qemu")
  }

  private static let hasCortex = CBench.isInstalled("arm-none-eabi-gcc")

  @Test(
    .enabled(if: hasCortex, "needs gcc-arm-none-eabi and libnewlib-arm-none-eabi: tools/setup tests"),
    arguments: [
      ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"],
      ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"], ["-mcpu=cortex-m0plus"],
    ])
  func cortexCompilesWithoutWarnings(processor: [String]) throws {
    let options = COptions(standard: .c99, arena: .static, weights: .inline)
    var graphs = try CEmissionTests.primitives().map { ($0.graph, Target.generic) }
    graphs += try ImageGraph.all().map { ($0.graph, .cortexM4F) }
    let files = try graphs.enumerated().map { position, row in
      var options = options
      options.name = "c\(position)"
      return emitC(try PlannedProgram(planning: Program(lowering: row.0, target: row.1)), options: options)
    }
    let folder = try CBench.write(files)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sources = files.map { folder.appendingPathComponent("\($0.name).c").path }
    let all = sources.map { "#include \"\($0)\"" }.joined(separator: "\n") + "\n"
    let source = folder.appendingPathComponent("all.c")
    try Data(all.utf8).write(to: source)
    try CBench.run(
      ["arm-none-eabi-gcc", "-std=c99", "-mthumb", "-O2"] + processor + CBench.warnings
        + ["-c", source.path, "-o", folder.appendingPathComponent("all.o").path])
  }

  @Test("tiles of scalars compute the same in plain C")
  func scalarTiles() throws {
    let flags = ["-std=c11", "-O1"]
    try CEmissionTests.check(
      Self.ownPrimitives(.cortexM4F), compilers: CBench.compilers, flags: flags, target: .cortexM4F)
    let graphs = try ImageGraph.all()
    let models = try graphs.enumerated().map { position, row in
      let planned = try PlannedProgram(planning: Program(lowering: row.graph, target: .cortexM4F))
      let files = emitC(planned, options: COptions(name: "c\(position)", uniformEntry: true))
      #expect(!files.source.contains("vector_size"), "\(row.name)")
      return CBench.Model(files: files, planned: planned, inputs: row.inputs)
    }
    for compiler in CBench.compilers {
      try Self.expectMeaning(of: graphs, CBench.outputs(models, compiler: compiler, flags: flags), by: compiler)
    }
  }
}
