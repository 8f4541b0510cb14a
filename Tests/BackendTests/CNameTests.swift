import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Tensors, kernels and models whose names mean something in C.
@Suite struct CNameTests {
  /// What the headers that emitted code includes define as macros, for either compiler.
  private static let macros: [String] = {
    let headers = ["pthread", "stdbool", "stddef", "stdint", "math", "stdio", "stdlib", "string", "time"]
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString).c")
    defer { try? FileManager.default.removeItem(at: file) }
    try? Data(headers.map { "#include <\($0).h>\n" }.joined().utf8).write(to: file)
    let lines = CBench.compilers.flatMap { compiler in
      ["-std=c11", "-std=gnu11"].flatMap { standard in
        ((try? CBench.run([compiler, standard, "-dM", "-E", file.path])) ?? "").split(separator: "\n")
      }
    }
    return Set(lines.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) })
      .filter { !$0.hasPrefix("_") && !$0.contains("(") }.sorted()
  }()

  private static let words =
    macros
      + """
      asm auto break case char const continue default do double else enum extern float for goto if inline int long register
      restrict return short signed sizeof static struct switch typedef union unsigned void volatile while typeof alignas
      constexpr nullptr and and_eq bitand bitor catch char8_t class compl concept consteval co_await decltype delete
      dynamic_cast explicit export friend mutable namespace new noexcept not operator or private protected public requires
      template this throw try typeid typename using virtual wchar_t xor xor_eq
      acos acosh asin asinh atan atan2 atanh ceil cos cosh erf erfc exp exp2 expm1 fabs floor fmax fmin fmod isfinite isnan
      lgamma log log10 log1p log2 nan pow rint sin sinh sqrt tan tanh tgamma trunc tanhf expf powf fabsf
      memcpy memset memcmp strlen strstr printf fprintf snprintf fopen fclose fread fwrite main malloc exit clock_gettime
      size_t ptrdiff_t int8_t int32_t int64_t uint8_t uint16_t uint64_t uintptr_t FILE time_t pthread_t timespec
      arena state weights memory status failure outside threads parallel inputs outputs step step2 start forced half lane
      lanes begin end last part given arguments names data hash word file path size context body count share ticket seen
      i j k a0 x0 c0 sum acc tile OK ok ERROR_INDEX ARENA_BYTES H KERNEL TARGET run call choice target work give profile now
      worker worker_main variables weights_header load save initialize state_hash state_magic read_npy bench_arena arena_bench floor_divide modulo larger
      checked_index failed f32 tanh_f32 exp_f32 f16_value bf16_round i64_from_f32 f32x16 f32x16u select_f64 load3_f32x4
      x86_64_v3 x86_64_v3_run copy copy_part copy_arguments copy_part2 input_x_count INPUT_x_COUNT
      """.split(whereSeparator: \.isWhitespace).map(String.init)
    + [
      "a b", "a.b", "a/b", "a_b", "a_b2", "A_B", "A/b", "1", "x1", "é", "", "__init__", "m", "M", "m_run", "m_exp",
      "M_OK",
    ]

  /// Compiles files with all compilers, and their headers as C++.
  private func compile(_ files: [CFiles], _ flags: [String]) throws {
    let folder = try CBench.write(files)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sources = files.map { "#include \"\($0.name).c\"\n" }.joined()
    let all = folder.appendingPathComponent("all.c")
    try Data(sources.utf8).write(to: all)
    for compiler in CBench.compilers {
      try CBench.run([compiler, "-fsyntax-only", "-pthread"] + flags + CBench.warnings + [all.path])
    }
    guard CBench.isInstalled("g++") else { return }
    let headers = folder.appendingPathComponent("all.cpp")
    try Data(files.map { "#include \"\($0.headerName)\"\n" }.joined().utf8).write(to: headers)
    try CBench.run(["g++", "-fsyntax-only", "-std=c++20", "-pthread", "-Wall", "-Wextra", "-Werror", headers.path])
  }

  /// `tanh` of running sums, one kernel and one temporary behind the other.
  private func chain(_ length: Int) throws -> Program {
    let builder = Builder()
    var value = builder.input("x", TensorType(.f64, [3]))
    for _ in 0..<length { value = value.tanh().cumulative(.sum, axis: 0) }
    return try Program(lowering: builder.finish(name: "m", outputs: [("y", value)]))
  }

  private static let forms: [COptions] = [
    COptions(name: "m", arena: .static, math: .libm, main: true, uniformEntry: true),
    COptions(name: "m", standard: .c99, math: .libm, threads: .pthreads),
    COptions(name: "M", weights: .file, threads: .callback, main: true, measuresKernels: true),
  ]

  @Test("inputs and outputs", arguments: forms)
  func ports(options: COptions) throws {
    let builder = Builder()
    let inputs = Self.words.enumerated().map { builder.input($1, TensorType(.f64, [Dim($0 % 3 + 1)])) }
    let outputs = zip(Self.words, inputs).map { ($0, $1.tanh().exp()) }
    let program = try Program(lowering: builder.finish(name: "m", outputs: outputs))
    try compile([emitC(PlannedProgram(planning: program), options: options)], ["-std=gnu11"])
  }

  @Test("kernels, temporaries, variables and weights", arguments: forms)
  func inside(options: COptions) throws {
    var program = try chain(Self.words.count)
    for (position, word) in Self.words.enumerated() { program.kernels[position].name = word }
    var words = Self.words.makeIterator()
    for position in program.buffers.indices where program.buffers[position].kind == .temporary {
      if let word = words.next() { program.buffers[position].name = word }
    }
    let builder = Builder()
    let x = builder.input("x", TensorType(.f64, [3]))
    let held = try Self.words.enumerated().map { number, word in
      let initial = try NDArray([Double(number), 1, 2], shape: [3])
      let variable = builder.variable(Variable(name: word, role: .buffer, initial: initial))
      builder.update(word, to: variable + x.tanh())
      return variable
    }
    let state = try Program(
      lowering: builder.finish(name: "s", outputs: [("y", held.dropFirst().reduce(held[0]) { $0 + $1 })]))
    var second = options
    second.name = "s"
    second.main = false
    try compile(
      [
        emitC(PlannedProgram(planning: program), options: options),
        emitC(PlannedProgram(planning: state), options: second),
      ], ["-std=gnu11"])
  }

  @Test("models and tensors of several targets")
  func models() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(64))
    let y = x.tanh().reduce(.sum, axes: [0])
    let weight = builder.constant(NDArray((0..<64).map { Float($0) }))
    let graph = try builder.finish(name: "m", outputs: [("y", y), ("z", (x + weight).exp())])
    var files: [CFiles] = []
    let plain = try PlannedProgram(planning: Program(lowering: graph))
    let wide = try PlannedProgram(planning: Program(lowering: graph, target: .x86V3))
    var names: Set<String> = []
    for word in Self.words {
      let made = emitC(plain, variants: [wide], options: COptions(name: word))
      if names.insert(made.name.lowercased()).inserted { files.append(made) }
    }
    try compile(files, ["-std=gnu11"])
  }
}
