import Lathe
import Synchronization
import TestSupport
import Testing

/// What PyTorch says of itself and of the machine, and how arrays are compared and made for tests: its numbers and words.
@Suite("Facts of the host")
struct HostFactsTests {
  @Test("limits of floats")
  func floats() throws {
    let single = try finfo(.f32)
    #expect(single.bits == 32 && single.eps == 1.1920928955078125e-07 && single.max == 3.4028234663852886e+38)
    #expect(single.min == -single.max && single.tiny == 1.1754943508222875e-38 && single.resolution == 1e-06)
    #expect(single.smallestNormal == single.tiny && single.dtype == .f32)
    let double = try finfo(.f64)
    #expect(double.eps == 2.220446049250313e-16 && double.tiny == 2.2250738585072014e-308)
    #expect(double.max == 1.7976931348623157e+308 && double.resolution == 1e-15)
    let half = try finfo(.f16)
    #expect(half.eps == 0.0009765625 && half.max == 65504 && half.tiny == 6.103515625e-05 && half.resolution == 0.001)
    let brain = try finfo(.bf16)
    #expect(brain.eps == 0.0078125 && brain.max == 3.3895313892515355e+38 && brain.resolution == 0.01)
    let narrow = try finfo(.f8e4m3fn)
    #expect(narrow.bits == 8 && narrow.eps == 0.125 && narrow.max == 448 && narrow.min == -448)
    #expect(narrow.tiny == 0.015625 && narrow.resolution == 1)
    #expect(try finfo(.f8e5m2).max == 57344)
    #expect(try withDefaultDtype(.f64) { try finfo().bits } == 64)
    #expect(throws: DiagnosticsError.self) { try finfo(.i32) }
  }

  @Test("limits of integers")
  func integers() throws {
    #expect(try iinfo(.i8).min == -128 && iinfo(.i8).max == 127 && iinfo(.i8).bits == 8)
    #expect(try iinfo(.u8).min == 0 && iinfo(.u8).max == 255)
    #expect(try iinfo(.i64).min == Int.min && iinfo(.i64).max == UInt(Int.max))
    #expect(try iinfo(.u64).max == UInt.max && iinfo(.i4).max == 7 && iinfo(.i4).bits == 4)
    #expect(throws: DiagnosticsError.self) { try iinfo(.f32) }
    #expect(throws: DiagnosticsError.self) { try iinfo(.bool) }
  }

  private func message(_ actual: NDArray, _ expected: NDArray, rtol: Double? = nil, atol: Double? = nil) -> String? {
    do throws(DiagnosticsError) {
      try assertClose(actual, expected, rtol: rtol, atol: atol)
      return nil
    } catch {
      return error.diagnostics[0].message
    }
  }

  @Test("assertClose says what PyTorch says")
  func mismatches() throws {
    #expect(
      message(NDArray([1, 2, 3] as [Float]), NDArray([1, 2.5, 3] as [Float])) == """
        Tensor-likes are not close!

        Mismatched elements: 1 / 3 (33.3%)
        Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
        Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)
        """)
    #expect(
      message(
        try NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]), try NDArray([1, 2, 3.1, 0] as [Float], shape: [2, 2]))
          == """
          Tensor-likes are not close!

          Mismatched elements: 2 / 4 (50.0%)
          Greatest absolute difference: 4.0 at index (1, 1) (up to 1e-05 allowed)
          Greatest relative difference: inf at index (1, 1) (up to 1.3e-06 allowed)
          """)
    #expect(
      message(NDArray(scalar: .float(1), dtype: .f32), NDArray(scalar: .float(2), dtype: .f32)) == """
        Scalars are not close!

        Expected 2.0 but got 1.0.
        Absolute difference: 1.0 (up to 1e-05 allowed)
        Relative difference: 0.5 (up to 1.3e-06 allowed)
        """)
    #expect(
      message(NDArray([1, 2] as [Int64]), NDArray([1, 5] as [Int64])) == """
        Tensor-likes are not equal!

        Mismatched elements: 1 / 2 (50.0%)
        Greatest absolute difference: 3 at index (1,)
        Greatest relative difference: 0.6000000238418579 at index (1,)
        """)
    #expect(
      message(NDArray([1] as [Float]), NDArray([1.00002] as [Float])) == """
        Tensor-likes are not close!

        Mismatched elements: 1 / 1 (100.0%)
        Greatest absolute difference: 2.002716064453125e-05 at index (0,) (up to 1e-05 allowed)
        Greatest relative difference: 2.002676046686247e-05 at index (0,) (up to 1.3e-06 allowed)
        """)
    #expect(
      message(NDArray([1] as [Float]), NDArray([1] as [Double]))
        == "the values for attribute 'dtype' do not match: f32 != f64")
    #expect(
      message(NDArray([1, 2] as [Float]), NDArray([1] as [Float]))
        == "the values for attribute 'shape' do not match: [2] != [1]")
    #expect(message(NDArray([1] as [Float]), NDArray([1] as [Float]), rtol: 0.1) != nil)
  }

  @Test("assertClose lets pass what is close")
  func matches() throws {
    try assertClose(NDArray([1] as [Float]), NDArray([1.00001] as [Float]))
    try assertClose(NDArray([1] as [Float]), NDArray([1.00001]), checkDtype: false)
    try assertClose(NDArray([Double.nan, .infinity]), NDArray([Double.nan, .infinity]), equalNaN: true)
    try assertClose(
      try NDArray(dtype: .bf16, shape: [1], values: [.float(1.5)]),
      try NDArray(dtype: .bf16, shape: [1], values: [.float(1.51)]))
    #expect(message(NDArray([Double.nan]), NDArray([Double.nan])) != nil)
    #expect(message(NDArray([Double.infinity]), NDArray([1.0])) != nil)
    #expect(message(NDArray([1.0]), NDArray([1.0]), rtol: 0, atol: 0) == nil)
  }

  @Test("makeTensor draws PyTorch's numbers")
  func made() throws {
    func numbers(_ dtype: ScalarType, low: Double? = nil, high: Double? = nil, excludeZero: Bool = false) throws
      -> [Double]
    {
      try makeTensor(
        [2, 3], dtype: dtype, low: low, high: high, excludeZero: excludeZero, generator: Generator(seed: 3)
      ).doubles
    }
    #expect(
      try numbers(.f32) == [
        -8.923256874084473, -7.0997514724731445, -3.8548355102539062, -8.514813423156738, -0.5109415054321289,
        -7.917906761169434,
      ])
    #expect(
      try numbers(.f64) == [
        -8.386052478290631, -3.8386759190164748, 4.912468997914518, -5.851313472936696, 4.59665768962618,
        1.9485112845726895,
      ])
    #expect(
      try numbers(.f16, low: -1, high: 1) == [
        -0.99169921875, -0.7890625, -0.42822265625, -0.9462890625, -0.0567626953125, -0.8798828125,
      ])
    #expect(try numbers(.i64) == [4, 2, 7, 3, -7, 6] && numbers(.u8) == [6, 8, 7, 7, 0, 0])
    #expect(try numbers(.bool) == [0, 0, 1, 1, 0, 0])
    #expect(try numbers(.i32, low: -2, high: 2, excludeZero: true) == [1, -2, -1, 1, -2, -2])
    #expect(
      try numbers(.i64, low: 0, high: 0x1p40) == [
        455_570_294_424, 1_073_054_410_371, 790_795_084_744, 2_445_173_525, 1_088_503_892_627, 867_663_915_883,
      ])
    let wide = try makeTensor([3], dtype: .f32, low: -3e38, high: 3e38, generator: Generator(seed: 3)).doubles
    #expect(wide == [-2.97441881638515e+38, -2.3665838015853467e+38, -1.2849451066611191e+38])
    #expect(throws: DiagnosticsError.self) { try makeTensor([2], dtype: .f32, low: 1, high: 1) }
    #expect(throws: DiagnosticsError.self) { try makeTensor([2], dtype: .u8, low: -5, high: -1) }
    #expect(throws: DiagnosticsError.self) { try makeTensor([-2], dtype: .f32) }
  }

  /// Work that several threads share.
  private struct Wide: Module {
    let layer = Linear(64, 64)

    func callAsFunction(_ x: Tensor) -> Tensor { softmax(layer(x), dim: 1) }
  }

  @Test("the default number of threads does not change results")
  func threads() throws {
    #expect(throws: DiagnosticsError.self) { try setNumThreads(0) }
    let model = try compile(trace(Wide(), .f32(64, 64)))
    let x = try makeTensor([64, 64], dtype: .f32, generator: Generator(seed: 1))
    let before = getNumThreads()
    let expected = try model(x)
    try setNumThreads(2)
    var session = try model.session()
    let threads = session.threads
    #expect(threads == 2 && getNumThreads() == 2)
    #expect(try session.run([x]) == [expected])
    var native = try model.native()
    let parallel = try native.run([x])
    try setNumThreads(before)
    native = try model.native()
    #expect(try native.run([x]) == parallel)
  }

  @Test("there is no CUDA device, and whoever asks for one is told")
  func cuda() throws {
    #expect(!CUDA.isAvailable() && CUDA.deviceCount() == 0)
    try CUDA.setDevice(-1)
    #expect(try CUDA.withDevice(-1) { 7 } == 7)
    #expect(throws: DiagnosticsError.self) { try CUDA.currentDevice() }
    #expect(throws: DiagnosticsError.self) { try CUDA.withDevice(0) { 7 } }
    #expect(throws: DiagnosticsError.self) { try CUDA.synchronize() }
    let error = #expect(throws: DiagnosticsError.self) { try CUDA.setDevice(0) }
    #expect(error?.diagnostics[0].message.contains("there is no CUDA device") == true)
    #expect(error?.diagnostics[0].help?.contains("CompileOptions.target") == true)
  }

  @Test("what Lathe is made of, in words")
  func configuration() {
    let text = BuildConfiguration.show()
    for backend in BackendReport.all { #expect(text.contains("  \(backend.name): ")) }
    #expect(BackendReport.interpreter.isAvailable && BackendReport.c.detail.contains("x86-64-v3"))
    #expect(!BackendReport.cuda.isAvailable)
    #expect(BuildConfiguration.parallelInfo().contains("threads: "))
  }

  @Test("a queue runs in order, and its tasks give results and errors")
  func queue() async throws {
    let order = Mutex<[Int]>([])
    let queue = RunQueue()
    let slow = queue.run {
      try await Task.sleep(for: .milliseconds(20))
      order.withLock { $0.append(1) }
      return 1
    }
    let quick = queue.run { order.withLock { $0.append(2) } }
    let failing = queue.run { throw DiagnosticsError("does not work") }
    let other = RunQueue()
    other.wait(for: queue)
    other.run { order.withLock { $0.append(3) } }
    await other.synchronize()
    #expect(order.withLock { $0 } == [1, 2, 3])
    #expect(try await slow.value == 1)
    try await quick.value
    await #expect(throws: DiagnosticsError.self) { try await failing.value }
    let model = try compile(trace(Wide(), .f32(2, 64)))
    let x = try makeTensor([2, 64], dtype: .f32, generator: Generator(seed: 1))
    #expect(try await queue.run { try model(x) }.value == model(x))
    await queue.synchronize()
  }
}
