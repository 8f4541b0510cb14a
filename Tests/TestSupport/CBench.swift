public import Foundation
public import LatheC
public import LatheCore

/// Emitted C of many models in one program, compiled with all warnings as errors, and run in a process of its own.
///
/// Every tensor gets memory of exactly its size, so that sanitizers see what lies outside.
public struct CBench {
  /// What the compiler or the program said.
  public struct Failure: Error, CustomStringConvertible {
    /// The message.
    public let description: String

    /// A failure with its message.
    public init(description: String) {
      self.description = description
    }
  }

  /// One model with its inputs.
  public struct Model {
    /// The model as C, with `uniformEntry`.
    public var files: CFiles
    /// What it was emitted from.
    package var planned: PlannedProgram
    /// The inputs, by name.
    public var inputs: [String: NDArray]

    /// A model with its inputs.
    package init(files: CFiles, planned: PlannedProgram, inputs: [String: NDArray]) {
      self.files = files
      self.planned = planned
      self.inputs = inputs
    }
  }

  /// What every emitted file has to compile under.
  public static let warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]

  /// The compilers that are on this machine.
  public static let compilers = ["gcc", "clang"].filter(isInstalled)

  /// Whether a command is on this machine.
  public static func isInstalled(_ command: String) -> Bool { (try? run(["which", command])) != nil }

  /// Threads for the models: the form that they were emitted with, and how many there are.
  public struct Threads: Sendable {
    /// The form.
    public var form: COptions.Threads
    /// How many threads.
    public var count: Int

    /// Threads by form and number.
    public init(_ form: COptions.Threads, count: Int) {
      self.form = form
      self.count = count
    }

    var flags: [String] {
      switch form {
      case .none: []
      case .openmp: ["-fopenmp"]
      case .pthreads, .callback: ["-pthread"]
      }
    }
  }

  /// The outputs of all models; variables have their initial contents.
  ///
  /// Models are emitted with `uniformEntry`.
  ///
  /// - Parameter runner: The command that runs programs of the compiler, where this machine does not by itself.
  public static func outputs(
    _ models: [Model], compiler: String = "gcc", flags: [String] = ["-std=c11", "-O1"],
    threads: Threads = Threads(.none, count: 1), runner: [String] = []
  ) throws -> [[String: NDArray]] {
    try outputs(models, compiler: compiler, flags: flags, threads: threads, runner: runner, choices: [0])[0]
  }

  /// What each model returns; its outputs are not looked at.
  public static func statuses(
    _ models: [Model], compiler: String = "gcc", flags: [String] = ["-std=c11", "-O1"],
    threads: Threads = Threads(.none, count: 1)
  ) throws -> [Int] {
    let folder = try write(models.map(\.files))
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = try compile(models, in: folder, compiler, flags, threads, goesOn: true)
    return try run(["timeout", "-k", "1", "60", program, folder.path, "0"]).split(separator: "\n").compactMap {
      Int($0)
    }
  }

  /// The outputs of all models for each value of `choice`, a variable of the program: it is compiled once.
  public static func outputs(
    _ models: [Model], compiler: String, flags: [String], threads: Threads = Threads(.none, count: 1),
    runner: [String] = [], choices: [Int]
  ) throws -> [[[String: NDArray]]] {
    let folder = try write(models.map(\.files))
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = try compile(models, in: folder, compiler, flags, threads)
    return try choices.map { choice in
      try run(["timeout", "-k", "1", "60"] + runner + [program, folder.path, "\(choice)"])
      return try arrays(models, [UInt8](try Data(contentsOf: folder.appendingPathComponent("outputs"))))
    }
  }

  /// Writes the inputs and compiles the program that runs all models.
  ///
  /// - Parameter goesOn: Whether it prints the statuses of all models instead of stopping at the first that fails.
  private static func compile(
    _ models: [Model], in folder: URL, _ compiler: String, _ flags: [String], _ threads: Threads, goesOn: Bool = false
  ) throws -> String {
    var inputs = Data()
    for model in models {
      for port in model.planned.program.inputs {
        guard let array = model.inputs[port.name] else { throw Failure(description: "no input \(port.name)") }
        inputs += array.bytes
      }
      inputs += model.files.weights?.bytes ?? []
    }
    try inputs.write(to: folder.appendingPathComponent("inputs"))
    try Data(driver(models, threads, goesOn: goesOn).utf8).write(to: folder.appendingPathComponent("bench.c"))
    let program = folder.appendingPathComponent("bench").path
    try run(
      [compiler] + flags + threads.flags + warnings + [
        folder.appendingPathComponent("bench.c").path, "-o", program, "-lm",
      ])
    return program
  }

  /// The outputs of all models, one behind the other.
  private static func arrays(_ models: [Model], _ bytes: [UInt8]) throws -> [[String: NDArray]] {
    var position = 0
    return try models.map { model in
      var outputs: [String: NDArray] = [:]
      for port in model.planned.program.outputs {
        let count = port.type.byteCount ?? 0
        outputs[port.name] = try NDArray(
          dtype: port.type.dtype, shape: port.type.shape.known ?? [], bytes: Array(bytes[position..<(position + count)])
        )
        position += count
      }
      return outputs
    }
  }

  /// Calls every model once, with inputs from a file, and writes the outputs to another.
  private static func driver(_ models: [Model], _ threads: Threads, goesOn: Bool) -> String {
    var text = """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      \(threads.form == .openmp ? "#include <omp.h>" : "")

      static int choice;

      \(models.map { "#include \"\($0.files.name).c\"" }.joined(separator: "\n"))

      static FILE *inputs, *outputs;

      static void *memory(size_t size)
      {
        void *const block = aligned_alloc(64, size == 0 ? 64 : (size + 63) / 64 * 64);
        if (!block) exit(3);
        memset(block, 0xa5, size);
        return block;
      }

      static void *exactly(size_t size)
      {
        void *const block = malloc(size == 0 ? 1 : size);
        if (!block) exit(3);
        memset(block, 0xa5, size);
        return block;
      }

      static void *taken(size_t size, void *block)
      {
        if (fread(block, 1, size, inputs) != size) exit(4);
        return block;
      }


      """
    if threads.form == .callback { text += Self.splitter(threads.count) }
    var calls = threads.form == .openmp ? "  omp_set_num_threads(\(threads.count));\n" : ""
    for (position, model) in models.enumerated() {
      let program = model.planned.program
      let name = model.files.name
      text += "static int model\(position)(void)\n{\n"
      let sizes = program.inputs.map { $0.type.byteCount ?? 0 }
      let results = program.outputs.map { $0.type.byteCount ?? 0 }
      text += "  const void *in[\(max(1, sizes.count))] = {NULL};\n  void *out[\(max(1, results.count))] = {NULL};\n"
      for (index, size) in sizes.enumerated() { text += "  in[\(index)] = taken(\(size), exactly(\(size)));\n" }
      for (index, size) in results.enumerated() { text += "  out[\(index)] = exactly(\(size));\n" }
      let weights = model.files.weights.map { "taken(\($0.count), memory(\($0.count)))" } ?? "NULL"
      text += "  void *const weights = \(weights);\n"
      text += "  void *const arena = memory(\(model.planned.arenaBytes));\n"
      text += "  void *const state = memory(\(model.planned.stateBytes));\n"
      text += "  int status = 0;\n"
      if model.planned.stateBytes > 0 {
        text += "  status = \(name)_initialize(state\(model.files.weights == nil ? "" : ", weights"));\n"
        text += "  if (status != 0) return status;\n"
      }
      switch threads.form {
      case .none, .openmp: text += "  status = \(name)_call(arena, state, weights, in, out);\n"
      case .pthreads:
        text += "  struct \(name)_threads threads;\n"
        text += "  status = \(name)_start_threads(&threads, \(threads.count));\n"
        text += "  if (status != 0) return status;\n"
        text += "  for (int i = 0; i < \(model.planned.stateBytes > 0 ? 1 : 3) && status == 0; i++) {\n"
        text += "    status = \(name)_call(&threads, arena, state, weights, in, out);\n  }\n"
        text += "  \(name)_stop_threads(&threads);\n"
      case .callback:
        text += "  struct \(name)_parallel parallel = {&splits, split};\n"
        text += "  status = \(name)_call(&parallel, arena, state, weights, in, out);\n"
      }
      for (index, size) in results.enumerated() { text += "  fwrite(out[\(index)], 1, \(size), outputs);\n" }
      for index in sizes.indices { text += "  free((void *)(size_t)in[\(index)]);\n" }
      for index in results.indices { text += "  free(out[\(index)]);\n" }
      text += "  free(weights);\n  free(arena);\n  free(state);\n  return status;\n}\n\n"
      calls +=
        goesOn
        ? "  printf(\"%d\\n\", model\(position)());\n"
        : "  if ((status = model\(position)()) != 0) return fprintf(stderr, \"\(name): %d\\n\", status), 1;\n"
    }
    return text + """
      int main(int argc, char **argv)
      {
        char path[4096];
        int status = 0;
        if (argc != 3) return 2;
        choice = atoi(argv[2]);
        snprintf(path, sizeof path, "%s/inputs", argv[1]);
        inputs = fopen(path, "rb");
        snprintf(path, sizeof path, "%s/outputs", argv[1]);
        outputs = fopen(path, "wb");
        if (!inputs || !outputs) return 2;
      \(calls)
        fclose(inputs);
        return fclose(outputs) != 0 || status;
      }

      """
  }

  /// A `parallel_for` that runs parts of uneven sizes, the last first.
  private static func splitter(_ count: Int) -> String {
    """
    static int splits = \(count);

    static void split(void *context, ptrdiff_t count, void (*body)(void *, ptrdiff_t, ptrdiff_t), void *arguments)
    {
      ptrdiff_t end = count;
      for (int i = *(int *)context; end > 0; i--) {
        const ptrdiff_t begin = i <= 1 ? 0 : end - (end + 1) / 2;
        body(arguments, begin, end);
        end = begin;
      }
    }


    """
  }

  /// Writes the files into a new folder under the temporary one; weights get the name of their model.
  public static func write(_ files: [CFiles]) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-c-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in files {
      try Data(file.source.utf8).write(to: folder.appendingPathComponent("\(file.name).c"))
      try Data(file.header.utf8).write(to: folder.appendingPathComponent(file.headerName))
      if let weights = file.weights {
        try Data(weights.bytes).write(to: folder.appendingPathComponent("\(file.name).weights"))
      }
    }
    return folder
  }

  /// Runs a command to its end and gives its output; throws it where the command fails.
  @discardableResult
  public static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw Failure(
        description: command.joined(separator: " ") + "\n\(process.terminationStatus)\n" + output.prefix(20000))
    }
    return output
  }
}
