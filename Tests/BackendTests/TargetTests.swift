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

  private static let hasCortex = CBench.isInstalled("arm-none-eabi-gcc")

  @Test(
    .enabled(if: hasCortex, "needs gcc-arm-none-eabi and libnewlib-arm-none-eabi: tools/setup"),
    arguments: [
      ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"],
      ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"], ["-mcpu=cortex-m0plus"],
    ])
  func cortexCompilesWithoutWarnings(processor: [String]) throws {
    let options = COptions(standard: .c99, arena: .static, weights: .inline)
    let files = try CEmissionTests.primitives().enumerated().map { position, row in
      var options = options
      options.name = "c\(position)"
      return emitC(try PlannedProgram(planning: Program(lowering: row.graph)), options: options)
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
}
