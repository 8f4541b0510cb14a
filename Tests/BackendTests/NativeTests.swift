import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Programs as machine code in this process.
@Suite struct NativeTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-cache-\(UUID().uuidString)")
  private var cache: CompilationCache { CompilationCache(folder: folder) }

  private func planned(_ name: String) throws -> PlannedProgram { try CGoldenTests.emit(name).1 }

  private func entries() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func runsAndKeepsState() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var model = try NativeModel(planned("counter"), cache: cache)
    let x = NDArray([1, 2, 3, 14] as [Float])
    #expect(try model.run([x]) == [NDArray([0, 0, 0, 10] as [Float])])
    #expect(try model.run([x])[0].doubles[3] < 9.01)
    #expect(try model.variable(named: "count") == NDArray(scalar: .integer(2), dtype: .i64))
    let saved = model.savedState()
    model.reset()
    #expect(try model.variable(named: "count") == NDArray(scalar: .integer(0), dtype: .i64))
    try model.restoreState(saved)
    #expect(try model.variable(named: "count") == NDArray(scalar: .integer(2), dtype: .i64))
    try model.setVariable(named: "running.mean", to: try NDArray.zeros(.f32, [4]))
    #expect(try model.run([x]) == [x])
  }

  @Test func wrongInputsAreDiagnosed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var model = try NativeModel(planned("counter"), cache: cache)
    func message(_ body: (inout NativeModel) throws -> Void) -> String {
      do { try body(&model) } catch { return "\(error)" }
      return ""
    }
    #expect(message { _ = try $0.run([]) }.contains("counter takes 1 input, given 0"))
    #expect(message { _ = try $0.run([try NDArray.zeros(.f64, [4])]) }.contains("input 'x' is f32[4], given f64[4]"))
    #expect(message { _ = try $0.variable(named: "mean") }.contains("the variables are: count, running.mean"))
  }

  @Test func largeWeightsAreNotCompiledIn() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let builder = Builder()
    let table = try NDArray(dtype: .f32, shape: [200_000], values: (0..<200_000).map { .float(Double($0)) })
    let x = builder.input("x", .f32(200_000))
    let graph = try builder.finish(name: "large", outputs: [("y", x + builder.constant(table))])
    var model = try NativeModel(PlannedProgram(planning: Program(lowering: graph)), cache: cache)
    #expect(try model.run([table])[0].doubles[199_999] == 399_998)
    let source = model.library.deletingPathExtension().appendingPathExtension("c")
    #expect(try Data(contentsOf: source).count < 100_000)
  }

  @Test func codeIsCompiledOnce() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try NativeModel(planned("softmax"), cache: cache)
    // a compiler that fails shows that it is not called again; the cache takes it for the one that made the entry
    let library = first.library
    let made = try FileManager.default.attributesOfItem(atPath: library.path)[.modificationDate] as? Date
    let second = try NativeModel(planned("softmax"), cache: cache)
    #expect(second.library == library)
    #expect(try FileManager.default.attributesOfItem(atPath: library.path)[.modificationDate] as? Date == made)
    #expect(try entries().count == 1)
    _ = try NativeModel(planned("softmax"), cache: cache, flags: ["-std=c11", "-O1"])
    #expect(try entries().count == 2)
  }

  @Test func entriesThatHoldSomethingElseAreNotUsed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try NativeModel(planned("softmax"), cache: cache).library
    let source = first.deletingPathExtension().appendingPathExtension("c")
    try Data("int other;".utf8).write(to: source)
    #expect(try NativeModel(planned("softmax"), cache: cache).library != first)
  }

  @Test func concurrentCompilationsShareOneEntry() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let planned = try planned("linear")
    let cache = cache
    let libraries = try await withThrowingTaskGroup(of: URL.self) { group in
      for _ in 0..<4 { group.addTask { try NativeModel(planned, cache: cache).library } }
      return try await group.reduce(into: Set<URL>()) { $0.insert($1) }
    }
    #expect(libraries.count == 1)
    #expect(try entries().count == 1)
  }

  @Test func failuresOfTheCompilerAreDiagnosed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    #expect(message { _ = try CCompiler.system(environment: ["PATH": "/nowhere"]) }.contains("no C compiler is found"))
    #expect(message { _ = try CCompiler.system(environment: ["CC": "nocc"]) }.contains("'nocc' is not found"))
    let planned = try planned("softmax")
    let text = message { _ = try NativeModel(planned, cache: cache, flags: ["-std=c11", "-include", "missing.h"]) }
    #expect(text.contains("the C compiler failed") && text.contains("missing.h"))
    #expect(try entries().isEmpty)
    let blocked = CompilationCache(folder: URL(fileURLWithPath: "/proc/lathe"))
    #expect(message { _ = try NativeModel(planned, cache: blocked) }.contains("set LATHE_CACHE"))
  }

  /// gcc 12.2 gives two neighbouring loads behind `?:` one mask, and makes wrong vectors of constants where it clones a
  /// kernel for them: what the code says, compilers must not get wrong.
  @Test func compilersUnderstandChoicesAndCopies() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let choice = """
      func prelu(%x: f32[9,5,2], %s: f32[9,20,2], %w: f32[20,1,1]) -> (%y: f32[9,20,2]) {
        %4 = convolution %x, %w {stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1], groups: 5} \
      : f32[9,20,2]
        %5 = constant 0.0 : f32[]
        %6 = broadcast %5 {shape: [9, 20, 2], axes: []} : f32[9,20,2]
        %7 = less %4, %6 : bool[9,20,2]
        %8 = multiply %4, %s : f32[9,20,2]
        %9 = select %7, %8, %4 : f32[9,20,2]
        return %9
      }
      """
    let copy = """
      func copy(%x: f32[1]) -> (%y: i64[60], %z: f32[1]) {
        %0 = constant [2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2, 0] : i64[60]
        %1 = exp %x : f32[1]
        return %0, %1
      }
      """
    for text in [choice, copy] {
      let graph = try Graph(parsing: text)
      let program = try Program(lowering: graph, target: CCompiler.system().hostTarget())
      var inputs: [String: NDArray] = [:]
      for port in program.inputs {
        let shape = port.type.shape.known ?? []
        let numbers = (0..<shape.reduce(1, *)).map { Float($0 * 37 % 101 - 50) / 16 }
        inputs[port.name] = try NDArray(numbers, shape: shape)
      }
      var model = try NativeModel(PlannedProgram(planning: program), cache: cache)
      let actual = try model.run(program, inputs)
      for (name, expected) in try ReferenceEvaluator.run(graph, inputs: inputs).outputs {
        for (a, b) in zip(try #require(actual[name]).doubles, expected.doubles) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(graph.name) \(name)")
        }
      }
    }
  }

  @Test func resultsAreWrittenIntoGivenTensors() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let planned = try planned("counter")
    var native = try NativeModel(planned, cache: cache)
    var session = Session(try Executable(planned))
    try Self.checkOutputs(&native)
    try Self.checkOutputs(&session)
  }

  private static func checkOutputs(_ model: inout some BackendModel & ~Copyable) throws {
    let x = NDArray([1, 2, 3, 14] as [Float])
    let first = NDArray([0, 0, 0, 10] as [Float])
    var outputs = try [NDArray.zeros(.f32, [4])]
    func memory() -> UnsafeRawPointer? { outputs[0].withUnsafeBytes { $0.baseAddress } }
    let place = memory()
    try model.run([x], into: &outputs)
    #expect(outputs == [first])
    #expect(memory() == place)
    // A copy keeps what it has.
    let kept = outputs
    try model.run([x], into: &outputs)
    #expect(kept == [first])
    #expect(outputs != kept)
    // An input may be an output's memory.
    var shared = [x]
    model.reset()
    try model.run(shared, into: &shared)
    #expect(shared == [first])
    for (wrong, message) in [
      ([], "gives 1 output, given 0"), ([try NDArray.zeros(.f64, [4])], "is f32[4], given f64[4]"),
      ([try NDArray.zeros(.f32, [2, 2])], "is f32[4], given f32[2,2]"),
    ] {
      var outputs = wrong
      do {
        try model.run([x], into: &outputs)
        Issue.record("\(message)")
      } catch {
        #expect("\(error)".contains(message))
      }
      #expect(outputs == wrong)
    }
  }
}
