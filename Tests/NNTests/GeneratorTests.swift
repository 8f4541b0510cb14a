import Lathe
import TestSupport
import Testing

/// torch.manual_seed(5), and the first three numbers and the last of a tensor.
private let initializerCases: [(rule: Initializer, shape: [Int], numbers: [Double])] = [
  (.uniform(-1, 3), [3, 4], [2.32100749, -0.49555635, 2.62987876, 1.25828505]),
  (.normal(mean: 1, std: 2), [2, 3], [0.0264385, -0.20764318, -0.11619246, 4.88556719]),
  (.normal(mean: 1, std: 2), [5, 7], [4.68465996, 2.03777432, -2.42384267, 0.64459085]),
  (.truncNormal(std: 0.5, a: -0.7, b: 1), [4, 6], [0.92116493, 0.25944358, 0.13263291, -0.03236759]),
  (.truncNormal(mean: 3), [4, 6], [1.42547607, 0.97064495, 1.62987876, 1.8512423]),
  (.eye, [2, 3], [1.0, 0.0, 0.0, 0.0]),
  (.dirac(groups: 2), [4, 2, 3], [0.0, 1.0, 0.0, 0.0]),
  (.xavierUniform(gain: 2), [3, 2, 3], [0.83547848, -0.9458729, 1.03082585, 0.37987465]),
  (.xavierNormal(), [4, 5], [0.86848265, 0.24460575, -0.80700743, -0.71037853]),
  (.kaimingUniform(a: 0.2, mode: .fanOut), [3, 2, 3], [0.52882624, -0.59870172, 0.65247369, 0.24044625]),
  (.kaimingNormal(nonlinearity: .relu), [4, 5], [1.16519165, 0.32817304, -1.08271408, -0.95307279]),
  (.orthogonal(gain: 2), [3, 5], [-0.82351923, -1.02152479, -0.94416827, 1.23829281]),
  (.orthogonal(), [5, 3], [-0.26000059, -0.37928665, -0.59187365, -0.23455438]),
  (.sparse(sparsity: 0.4, std: 1), [5, 4], [1.84232986, 0.51888716, 0.0, -1.50694036]),
  (.ones, [2, 2], [1, 1, 1, 1]), (.constant(0.5), [2, 2], [0.5, 0.5, 0.5, 0.5]),
]

/// torch.manual_seed(2), and the first three numbers and the last of parameters.
private let layerCases: [(make: @Sendable () -> any Parameterized, numbers: [String: [Double]])] = [
  (
    { Conv2d(2, 3, kernelSize: 3) },
    [
      "weight": [0.05406778, -0.05609108, 0.06463632, 0.13661435],
      "bias": [-0.05746644, -0.01049291, -0.04789998, -0.04789998],
    ]
  ),
  (
    { LSTM(3, 4, numLayers: 2, bidirectional: true) },
    [
      "weight_ih_l0": [0.11469507, -0.11898714, 0.13711435, 0.02212155],
      "weight_ih_l0_reverse": [-0.00534362, 0.35247958, -0.45618969, -0.42428023],
      "bias_hh_l1_reverse": [0.2184993, 0.10445368, -0.20414776, -0.11975724],
    ]
  ),
  (
    { LSTM(3, 4, projSize: 2) },
    [
      "weight_hh_l0": [0.05295277, 0.03818059, 0.26679885, -0.31605554],
      "weight_hr_l0": [-0.22262734, -0.02633089, -0.31104171, 0.27113599],
    ]
  ),
  (
    { MultiheadAttention(8, 2) },
    [
      "in_proj_weight": [-0.28475964, 0.13692832, -0.01639315, 0.35224047],
      "out_proj.weight": [0.08110166, -0.08413661, 0.09695448, 0.33972034], "out_proj.bias": [0, 0, 0, 0],
    ]
  ),
  ({ Embedding(5, 4, paddingIdx: 1) }, ["weight": [-1.04080117, 0.91660416, -1.3041904, 0.69896096]]),
  (
    { Bilinear(2, 3, 2) },
    [
      "weight": [0.16220333, -0.16827323, 0.19390896, 0.04699281],
      "bias": [-0.15549161, 0.57819903, 0.57819903],
    ]
  ),
  ({ GRUCell(2, 3) }, ["bias_hh": [-0.14076346, -0.02570227, -0.1173305, 0.16889355]]),
]

@Suite("Random numbers of the host against PyTorch")
struct GeneratorTests {
  private func expect(_ array: NDArray, _ numbers: [Double], _ comment: Comment? = nil) {
    #expect(array.doubles.count == numbers.count, comment)
    for (number, expected) in zip(array.doubles, numbers) {
      #expect(abs(number - expected) <= 1e-6 * max(1, abs(expected)), comment)
    }
  }

  @Test("manualSeed(0); rand(3)")
  func seed() throws {
    try Generator.$scoped.withValue(Generator()) {
      manualSeed(0)
      expect(try rand(3), [0.49625658988952637, 0.7682217955589294, 0.08847743272781372])
      #expect(Generator.default.initialSeed == 0)
      manualSeed(0)
      expect(try randn(4), [1.5409961, -0.2934289, -2.1787894, 0.5684313])
      let fork = Generator.default.clone()
      #expect(try rand(5, generator: fork) == rand(5))
    }
  }

  // torch.manual_seed(1), and then these calls one after another.
  @Test("calls in sequence take the words that PyTorch's take")
  func sequence() throws {
    let generator = Generator(seed: 1)
    expect(try rand(2, generator: generator), [0.7576315999031067, 0.2793108820915222])
    expect(try randn(3, generator: generator), [0.11631361395120621, 0.7213021516799927, 0.5635511875152588])
    expect(try randn(2, generator: generator), [1.1430565118789673, 0.8590086102485657])
    let block = try randn(17, generator: generator).doubles
    expect(NDArray([block[0], block[9], block[16]]), [-0.9648520350456238, 2.6890869140625, 1.5747981071472168])
    #expect(try randint(3, 9, [4], generator: generator).doubles == [6, 8, 7, 3])
    #expect(try randint(1 << 40, [2], generator: generator).doubles == [898_013_426_952, 927_880_674_957])
    #expect(try randperm(6, generator: generator).doubles == [1, 2, 4, 3, 0, 5])
    let chances = NDArray([0.2, 0.5, 0.8, 0.5] as [Float])
    #expect(try bernoulli(chances, generator: generator).doubles == [1, 0, 0, 0])
    expect(try rand(2, dtype: .f64, generator: generator), [0.7577616747798342, 0.9225126254801242])
    expect(try rand(2, dtype: .f16, generator: generator), [0.12054443359375, 0.1451416015625])
  }

  /// Calls by name, `FUNCTION/SEED/ARGUMENT/…`, and what PyTorch draws.
  private static let draws = goldenArrays("random.npz")

  private func draw(_ call: String) throws -> NDArray {
    let words = call.split(separator: "/").map(String.init)
    // Seeds are from -2^63 to 2^64 - 1.
    let generator = Generator()
    if let seed = UInt64(words[1]) {
      generator.manualSeed(seed)
    } else {
      generator.manualSeed(try #require(Int(words[1])))
    }
    let numbers = words.map { Int($0) ?? -1 }
    let weights = [0.1, 0.2, 0.0, 0.3, 0.4, 4.0, 3.0, 2.0, 1.0, 0.0].map { ScalarValue.float($0) }
    func dtype() throws -> ScalarType { try #require(ScalarType(rawValue: words[2])) }
    func floats(_ values: [Double], _ shape: [Int]) throws -> NDArray {
      try NDArray(dtype: dtype(), shape: shape, values: values.map { .float($0) })
    }
    switch words[0] {
    case "rand": return try rand(numbers[3], dtype: dtype(), generator: generator)
    case "randn": return try randn(numbers[3], dtype: dtype(), generator: generator)
    case "normal": return try normal(mean: 2, std: 3, [numbers[3]], dtype: dtype(), generator: generator)
    case "normals":
      let count = numbers[3]
      return try normal(
        mean: floats((0..<count).map { Double($0) }, [count]),
        std: floats([Double](repeating: 0.5, count: count), [count]),
        generator: generator)
    case "randint": return try randint(numbers[2], numbers[3], [numbers[4]], generator: generator)
    case "randperm": return try randperm(numbers[2], generator: generator)
    case "bernoulli":
      let chances = try NDArray(dtype: .f64, shape: [20], values: (0..<20).map { .float(Double($0) / 19) })
      return try bernoulli(chances.converted(to: dtype()), generator: generator)
    case "multinomial", "replacing":
      return try multinomial(
        NDArray(dtype: dtype(), shape: [2, 5], values: weights), numbers[3], replacement: words[0] == "replacing",
        generator: generator)
    case "state":
      _ = words[2] == "pending" ? try randn(1, generator: generator) : try rand(numbers[2], generator: generator)
      return generator.getState()
    default: throw DiagnosticsError("no function \(words[0])")
    }
  }

  @Test("what is drawn has the bits that PyTorch's numbers have", arguments: draws.keys.sorted())
  func bits(call: String) throws {
    let expected = try #require(Self.draws[call])
    let drawn = try draw(call)
    #expect(drawn.shape == expected.shape)
    #expect(drawn.converted(to: expected.dtype) == expected)
  }

  @Test("all calls of the golden file are there")
  func calls() { #expect(Self.draws.count == 103) }

  @Test("a generator goes on from a state, PyTorch's too")
  func states() throws {
    let generator = Generator(seed: 9)
    _ = try randn(1, generator: generator)
    let state = try #require(Self.draws["state/9/pending"])
    let other = Generator(seed: 0)
    try other.setState(state)
    #expect(other.initialSeed == 9)
    for _ in 0..<3 { #expect(try randn(5, generator: other) == randn(5, generator: generator)) }
    #expect(try rand(1000, generator: other) == rand(1000, generator: generator))
    #expect(other.getState() == generator.getState())
    for wrong in [NDArray([1, 2] as [Float]), try NDArray(repeating: .integer(0), dtype: .u8, shape: [5056])] {
      #expect(throws: DiagnosticsError.self) { try other.setState(wrong) }
    }
    try Generator.$scoped.withValue(Generator()) {
      manualSeed(-1)
      #expect(initialSeed() == .max)
      let saved = getRNGState()
      let numbers = try rand(3)
      try setRNGState(saved)
      #expect(try rand(3) == numbers)
      #expect(Generator.default.seed() == initialSeed() && initialSeed() != .max)
    }
  }

  @Test("the default type of floats is what is drawn")
  func defaultType() throws {
    let wide = try ScalarType.$defaultFloat.withValue(.f64) { [try rand(2), try randn(2, 0)] }
    #expect(wide.map(\.dtype) == [.f64, .f64])
    #expect(try randint(3, [2], dtype: .i32).dtype == .i32)
    #expect(try randperm(3, dtype: .u8).dtype == .u8)
  }

  @Test("a single category is drawn in one way, with replacement or without, as PyTorch draws it")
  func single() throws {
    let weights = try NDArray([0.1, 0.2, 0.3, 0.4, 4, 3, 2, 1], shape: [2, 4]).converted(to: .f32)
    for replacement in [true, false] {
      let generator = Generator(seed: 7)
      let drawn = try (0..<4).map { _ in
        try multinomial(weights, 1, replacement: replacement, generator: generator).doubles
      }
      #expect(drawn == [[1, 2], [3, 1], [0, 3], [3, 0]])
    }
  }

  @Test("what cannot be drawn is refused")
  func refused() throws {
    let weights = NDArray([0.5, 0, 0.5] as [Float])
    #expect(throws: DiagnosticsError.self) { try multinomial(weights, 3) }
    #expect(throws: DiagnosticsError.self) { try multinomial(weights, 0) }
    #expect(throws: DiagnosticsError.self) { try multinomial(weights, .max, replacement: true) }
    #expect(throws: DiagnosticsError.self) { try multinomial(NDArray([] as [Float]), 1) }
    #expect(throws: DiagnosticsError.self) { try multinomial(NDArray([-1, 2] as [Float]), 1) }
    #expect(throws: DiagnosticsError.self) { try multinomial(NDArray([0, 0] as [Float]), 1, replacement: true) }
    #expect(throws: DiagnosticsError.self) { try normal(mean: weights, std: NDArray([1, 2] as [Float])) }
    #expect(throws: DiagnosticsError.self) { try rand(-1) }
    #expect(throws: DiagnosticsError.self) { try randn(2, dtype: .i32) }
    #expect(throws: DiagnosticsError.self) { try randint(3, 3, [1]) }
    #expect(throws: DiagnosticsError.self) { try randperm(-1) }
    for dtype in [ScalarType.u8, .i8, .bool, .f16] {
      #expect(throws: DiagnosticsError.self) { try randint(0, 70_000, [1], dtype: dtype) }
    }
    #expect(throws: DiagnosticsError.self) { try randint(-1, 1, [1], dtype: .u64) }
    #expect(throws: DiagnosticsError.self) { try randperm(257, dtype: .u8) }
    #expect(throws: DiagnosticsError.self) { try randperm(129, dtype: .i8) }
    #expect(try randperm(256, dtype: .u8).doubles.sorted() == (0..<256).map(Double.init))
    #expect(throws: DiagnosticsError.self) { try normal(mean: 0, std: -1, [2]) }
    #expect(throws: DiagnosticsError.self) { try bernoulli(NDArray([2.0])) }
  }

  @Test("initializers give PyTorch's numbers", arguments: initializerCases.indices)
  func initializers(index: Int) throws {
    let (rule, shape, numbers) = initializerCases[index]
    let parameter = Parameter(shape, initializer: .zeros)
    try parameter.initialize(rule, generator: Generator(seed: 5))
    let all = try #require(parameter.data).doubles
    expect(NDArray(Array(all.prefix(3)) + all.suffix(1)), numbers, "\(rule)")
    if case .dirac = rule { #expect(all.filter { $0 == 1 }.count == 4) }
  }

  @Test("an initializer that does not fit is refused, where it is declared when tracing")
  func misfits() {
    let vector = Parameter([3], initializer: .zeros)
    for rule: Initializer in [
      .eye, .dirac(), .xavierUniform(), .kaimingNormal(), .orthogonal(), .sparse(sparsity: 0.5),
      .literal(NDArray([1] as [Float])), .uniform(1, 0), .normal(std: -1), .truncNormal(std: 0),
    ] {
      #expect(throws: DiagnosticsError.self, "\(rule)") { try vector.initialize(rule) }
    }
    struct Wrong: Module {
      let weight = Parameter([3], initializer: .orthogonal())
      func callAsFunction(_ x: Tensor) -> Tensor { x * weight(for: x) }
    }
    #expect(throws: DiagnosticsError.self) { try trace(Wrong(), .f32(3)) }
  }

  @Test("a parameter's rule can be replaced: drawn at once after manualSeed, else when traced or initialized")
  func replacedRule() throws {
    let parameter = Parameter([3, 4], initializer: .zeros)
    try parameter.copy(NDArray(repeating: .float(2), dtype: .f32, shape: [3, 4]))
    // By a generator that nobody has seeded.
    Generator.$scoped.withValue(Generator()) { parameter.initializer = .xavierUniform() }
    #expect(parameter.data == nil && parameter.initializer == .xavierUniform())
    let other = Parameter([3, 4], initializer: .zeros)
    try other.initialize(.kaimingNormal(), generator: Generator(seed: 5))
    Generator.$scoped.withValue(Generator()) {
      manualSeed(5)
      parameter.initializer = .kaimingNormal()
    }
    #expect(parameter.data == other.data && other.initializer == .zeros)
    struct Wrong: Module {
      let weight = Parameter([3], initializer: .zeros)
      init() { weight.initializer = .orthogonal() }
      func callAsFunction(_ x: Tensor) -> Tensor { x * weight(for: x) }
    }
    #expect(throws: DiagnosticsError.self) { try trace(Wrong(), .f32(3)) }
  }

  @Test("a million normal numbers take a time that grows with their count only", .timeLimit(.minutes(1)))
  func many() throws {
    let numbers = try randn(1 << 20, generator: Generator(seed: 1)).doubles
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let square = numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)
    #expect(abs(mean) < 0.01 && abs(square - 1) < 0.01)
  }

  @Test("gains")
  func gains() {
    #expect(calculateGain(.relu) == 2.0.squareRoot() && calculateGain(.tanh) == 5.0 / 3)
    #expect(abs(calculateGain(.leakyRelu, 0.2) - 1.38675) < 1e-5 && calculateGain(.selu) == 0.75)
    #expect(calculateGain(.conv2d) == 1 && calculateGain(.sigmoid) == 1)
  }

  @Test("layers made after manualSeed have the weights of PyTorch's", arguments: layerCases.indices)
  func layers(index: Int) throws {
    try Generator.$scoped.withValue(Generator()) {
      manualSeed(2)
      let layer = layerCases[index].make()
      let state = try layer.stateDict()
      for (name, numbers) in layerCases[index].numbers {
        let all = try #require(state[name]).doubles
        expect(NDArray(Array(all.prefix(3)) + all.suffix(1)), numbers, "\(name)")
      }
    }
  }
}
