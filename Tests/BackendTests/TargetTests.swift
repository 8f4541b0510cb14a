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

  @Test("a file for a processor needs no option of the compiler", arguments: [Target.x86V2, .x86V3, .x86V4])
  func native(target: Target) throws {
    guard Self.isNative(target) else { return }
    for compiler in CBench.compilers {
      try CEmissionTests.check(
        CEmissionTests.primitives(), compiler: compiler, flags: ["-std=c11", "-O2"], target: target)
      let lanes = [target.vectorBytes / 4, target.vectorBytes / 4 - 1]
      try TileEmissionTests.check(
        TileEmissionTests.programs(lanes: lanes), compiler: compiler, flags: ["-std=c11", "-O2"],
        target: target)
    }
  }

  /// A graph for several processors in one file.
  private static func auto(_ graph: Graph, _ options: COptions) throws -> (files: CFiles, planned: PlannedProgram) {
    let programs = try Target.auto.map { try PlannedProgram(planning: Program(lowering: graph, target: $0)) }
    var planned = try #require(programs.last)
    let files = emitC(planned, variants: programs.dropLast(), options: options)
    planned.arenaBytes = programs.map(\.arenaBytes).max() ?? 0
    return (files, planned)
  }

  /// Networks in files for several processors, with one of them decided beforehand, against the graphs' meaning.
  private static func checkAuto(
    forced target: Target?, compiler: String, flags: [String], options: COptions,
    threads: CBench.Threads = CBench.Threads(.none, count: 1), runner: [String] = []
  ) throws {
    let graphs = try ImageGraph.all()
    var flags = flags
    let models = try graphs.enumerated().map { position, row in
      var options = options
      (options.name, options.uniformEntry, options.threads) = ("c\(position)", true, threads.form)
      let name = target.map { $0.name.uppercased().replacing("-", with: "_") }
      if let name { flags.append("-DC\(position)_FORCED_TARGET=C\(position)_\(name)") }
      let (files, planned) = try auto(row.graph, options)
      return CBench.Model(files: files, planned: planned, inputs: row.inputs)
    }
    let outputs = try CBench.outputs(models, compiler: compiler, flags: flags, threads: threads, runner: runner)
    try expectMeaning(of: graphs, outputs)
  }

  /// Values as the graphs mean them, but for the order in which sums are taken.
  private static func expectMeaning(of graphs: [ImageGraph], _ outputs: [[String: NDArray]]) throws {
    for (row, actual) in zip(graphs, outputs) {
      for (name, array) in try ReferenceEvaluator.run(row.graph, inputs: row.inputs).outputs {
        let result = try #require(actual[name])
        let peak = array.doubles.reduce(1) { max($0, abs($1)) }
        for (a, b) in zip(result.doubles, array.doubles) {
          #expect(abs(a - b) <= 2e-6 * peak, "\(row.name): \(a) for \(b)")
        }
      }
    }
  }

  private static let forced = Target.auto.filter { $0.name == Target.generic.name || isNative($0) }

  @Test("each variant of a file for several processors computes the same", arguments: CBench.compilers, forced)
  func variants(compiler: String, target: Target) throws {
    try Self.checkAuto(forced: target, compiler: compiler, flags: ["-std=c11", "-O1"], options: COptions())
  }

  @Test("the processor decides which variant runs, on threads too", arguments: CBench.compilers)
  func choice(compiler: String) throws {
    try Self.checkAuto(
      forced: nil, compiler: compiler, flags: ["-std=c11", "-O1"], options: COptions(weights: .file),
      threads: CBench.Threads(.pthreads, count: 2))
    try Self.checkAuto(
      forced: nil, compiler: compiler, flags: ["-std=c99", "-D_ISOC11_SOURCE", "-O1"],
      options: COptions(standard: .c99, arena: .static, weights: .inline))
  }

  @Test func variantsReadTheSameConstants() throws {
    let options = COptions(name: "net", weights: .file)
    for row in try ImageGraph.all() {
      let alone = try PlannedProgram(planning: Program(lowering: row.graph, target: Target.auto[0]))
      let together = try Self.auto(row.graph, options)
      #expect(emitC(alone, options: options).weights?.count == together.files.weights?.count, "\(row.name)")
    }
  }

  private static let hasArm = CBench.isInstalled("aarch64-linux-gnu-gcc") && CBench.isInstalled("qemu-aarch64")

  @Test(.enabled(if: hasArm, "needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user: tools/setup"))
  func armComputesTheSame() throws {
    let flags = ["-std=c11", "-O2", "-static"]
    try CEmissionTests.check(
      CEmissionTests.primitives(), compiler: "aarch64-linux-gnu-gcc", flags: flags, target: .armV8,
      runner: ["qemu-aarch64"])
    try TileEmissionTests.check(
      TileEmissionTests.programs(), compiler: "aarch64-linux-gnu-gcc", flags: flags, runner: ["qemu-aarch64"])
  }

  @Test(.enabled(if: hasArm, "needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user: tools/setup"))
  func armRunsItsVariant() throws {
    try Self.checkAuto(
      forced: nil, compiler: "aarch64-linux-gnu-gcc", flags: ["-std=c11", "-O1", "-static"], options: COptions(),
      runner: ["qemu-aarch64"])
  }

  private static let hasCortex = CBench.isInstalled("arm-none-eabi-gcc")

  @Test(
    .enabled(if: hasCortex, "needs gcc-arm-none-eabi and libnewlib-arm-none-eabi: tools/setup"),
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

  @Test("tiles of scalars compute the same in plain C", arguments: CBench.compilers)
  func scalarTiles(compiler: String) throws {
    let flags = ["-std=c11", "-O1"]
    try CEmissionTests.check(CEmissionTests.primitives(), compiler: compiler, flags: flags, target: .cortexM4F)
    let graphs = try ImageGraph.all()
    let models = try graphs.enumerated().map { position, row in
      let planned = try PlannedProgram(planning: Program(lowering: row.graph, target: .cortexM4F))
      let files = emitC(planned, options: COptions(name: "c\(position)", uniformEntry: true))
      #expect(!files.source.contains("vector_size"), "\(row.name)")
      return CBench.Model(files: files, planned: planned, inputs: row.inputs)
    }
    try Self.expectMeaning(of: graphs, CBench.outputs(models, compiler: compiler, flags: flags))
  }
}
