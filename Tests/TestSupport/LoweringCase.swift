public import LatheCore
public import Testing

/// A small graph in text, of a kind that lowering once got wrong, with contents for its inputs.
public struct LoweringCase: Sendable, CustomTestStringConvertible {
  /// What the case is about.
  public let name: String
  /// The graph.
  public let graph: Graph
  /// Contents for the inputs, by name.
  public let inputs: [String: NDArray]
  /// What the graph means: its outputs by the reference evaluator.
  public let outputs: [String: NDArray]

  public var testDescription: String { name }

  /// A graph from the text of its function behind the name; inputs are small numbers of both signs.
  init(_ name: String, _ text: String) throws {
    self.name = name
    graph = try Graph(parsing: "func main" + text)
    var inputs: [String: NDArray] = [:]
    for (position, input) in graph.inputs.enumerated() {
      let type = graph.type(of: input)
      let shape = type.shape.known ?? []
      let numbers = PrimitiveCase.spread(count: shape.reduce(1, *), -2...2, seed: position)
      inputs[graph.inputName(input)] = try NDArray(
        dtype: type.dtype, shape: shape,
        values: numbers.map {
          type.dtype.isFloat ? .float($0) : .integer(type.dtype == .bool ? $0 > 0 ? 1 : 0 : Int($0))
        })
    }
    self.inputs = inputs
    outputs = try ReferenceEvaluator.run(graph, inputs: inputs).outputs
  }

  /// All cases.
  public static func all() throws -> [LoweringCase] { try made.get() }

  // Made once: to find out what graphs mean takes longer than to compile them.
  private static let made = Result { try scopes() + layouts() + phases() + empties() + integers() }

  /// Scalars that are computed in the blocks of their loops.
  private static func scopes() throws -> [LoweringCase] {
    [
      try LoweringCase(
        "softmax, then a sum over its rows",
        """
        (%s: f32[4,8]) -> (%y: f32[8]) {
          %0 = reduce_max %s {axes: [1]} : f32[4]
          %1 = broadcast %0 {axes: [0], shape: [4,8]} : f32[4,8]
          %2 = subtract %s, %1 : f32[4,8]
          %3 = exp %2 : f32[4,8]
          %4 = reduce_sum %3 {axes: [1]} : f32[4]
          %5 = broadcast %4 {axes: [0], shape: [4,8]} : f32[4,8]
          %6 = divide %3, %5 : f32[4,8]
          %7 = reduce_sum %6 {axes: [0]} : f32[8]
          return %7
        }
        """),
      try LoweringCase(
        "softmax, then a product over heads",
        """
        (%s: f64[2,3,5,8]) -> (%y: f64[2,5,8]) {
          %0 = exp %s : f64[2,3,5,8]
          %1 = reduce_sum %0 {axes: [3]} : f64[2,3,5]
          %2 = broadcast %1 {axes: [0,1,2], shape: [2,3,5,8]} : f64[2,3,5,8]
          %3 = divide %0, %2 : f64[2,3,5,8]
          %4 = reduce_product %3 {axes: [1]} : f64[2,5,8]
          return %4
        }
        """),
      try LoweringCase(
        "a function of a sum over rows, whose columns leave one behind vectors",
        """
        (%x: f32[3,17]) -> (%y: f32[17]) {
          %0 = reduce_sum %x {axes: [0]} : f32[17]
          %1 = exp %0 : f32[17]
          return %1
        }
        """),
      try LoweringCase(
        "a product of matrices, whose columns leave one behind vectors, and its epilogue",
        """
        (%x: f64[1,8], %w: f64[8,33], %b: f64[33]) -> (%y: f64[1,33]) {
          %0 = dot %x, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f64[1,33]
          %1 = broadcast %b {axes: [1], shape: [1,33]} : f64[1,33]
          %2 = add %0, %1 : f64[1,33]
          %3 = tanh %2 : f64[1,33]
          %4 = multiply %2, %3 : f64[1,33]
          return %4
        }
        """),
      try LoweringCase(
        "the greatest of all beside a transposition that threads share",
        """
        (%x: f32[190,200]) -> (%y: f32[200,190]) {
          %0 = reduce_max %x {axes: [0,1]} : f32[]
          %1 = broadcast %0 {axes: [], shape: [200,190]} : f32[200,190]
          %2 = permute %x {axes: [1,0]} : f32[200,190]
          %3 = subtract %2, %1 : f32[200,190]
          return %3
        }
        """),
    ]
  }

  /// Running reductions and scatters into places that are not in the plain order.
  private static func layouts() throws -> [LoweringCase] {
    let pairs = "constant [1, 0, 4, 0, 1, 0] : i64[3,2]"
    return [
      try LoweringCase(
        "a running sum, and a function of it, in the middle of a concatenation",
        """
        (%x: f32[2,3]) -> (%y: f32[2,12]) {
          %0 = cumulative_sum %x {axis: 1, reverse: false} : f32[2,3]
          %1 = atan %0 : f32[2,3]
          %2 = concatenate %x, %0, %1, %0 {axis: 1} : f32[2,12]
          return %2
        }
        """),
      try LoweringCase(
        "a running maximum from behind, at the front of a concatenation of images",
        """
        (%x: f32[2,3,4,5]) -> (%y: f32[2,6,4,5]) {
          %0 = cumulative_max %x {axis: 2, reverse: true} : f32[2,3,4,5]
          %1 = concatenate %0, %x {axis: 1} : f32[2,6,4,5]
          return %1
        }
        """),
      try LoweringCase(
        "a scatter beside what it scatters into",
        """
        (%x: f32[6,2], %u: f32[3]) -> (%y: f32[6,4]) {
          %i = \(pairs)
          %0 = scatter %x, %i, %u {batch: 0, axes: [0,1]} : f32[6,2]
          %1 = concatenate %0, %x {axis: 1} : f32[6,4]
          return %1
        }
        """),
      try LoweringCase(
        "a scatter that is concatenated twice",
        """
        (%x: f32[6,2], %u: f32[3]) -> (%y: f32[6,4]) {
          %i = \(pairs)
          %0 = scatter_max %x, %i, %u {batch: 0, axes: [0,1]} : f32[6,2]
          %1 = concatenate %0, %0 {axis: 1} : f32[6,4]
          return %1
        }
        """),
      try LoweringCase(
        "a convolution of a running sum along each axis, with borders",
        """
        (%x: f32[2,16,9], %w: f32[8,16,3]) -> (%y: f32[2,8,9], %z: f32[2,8,9], %v: f32[2,8,9]) {
          %0 = cumulative_sum %x {axis: 2, reverse: false} : f32[2,16,9]
          %1 = convolution %0, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[2,8,9]
          %2 = cumulative_sum %x {axis: 1, reverse: true} : f32[2,16,9]
          %3 = convolution %2, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[2,8,9]
          %4 = cumulative_min %x {axis: 0, reverse: false} : f32[2,16,9]
          %5 = convolution %4, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[2,8,9]
          return %1, %3, %5
        }
        """),
      try LoweringCase(
        "a convolution of a scatter of channels that fill no vector",
        """
        (%x: f32[2,7,9], %u: f32[3,7,9], %w: f32[5,7,3]) -> (%y: f32[2,5,9]) {
          %i = constant [1, 0, 1] : i64[3,1]
          %0 = scatter_sum %x, %i, %u {batch: 0, axes: [0]} : f32[2,7,9]
          %1 = convolution %0, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[2,5,9]
          return %1
        }
        """),
      try LoweringCase(
        "a convolution of a scatter of blocked channels, one of them twice",
        """
        (%x: f32[2,16,9], %u: f32[4], %w: f32[4,16,3]) -> (%y: f32[2,4,9]) {
          %i = constant [1, 3, 2, 0, 15, 8, 0, 8, 0, 1, 3, 2] : i64[4,3]
          %0 = scatter %x, %i, %u {batch: 0, axes: [0,1,2]} : f32[2,16,9]
          %1 = convolution %0, %w {stride: [1], low: [2], high: [0], input_dilation: [1], dilation: [1], groups: 1} : f32[2,4,9]
          return %1
        }
        """),
      try LoweringCase(
        "the gradient of a maximum pool behind a convolution",
        """
        (%d: f64[2,8,3], %p: f64[2,8,6], %w: f64[8,8,3]) -> (%y: f64[2,8,8]) {
          %i = window_arg_max %p {size: [2], stride: [2], low: [0], high: [0], input_dilation: [1], dilation: [1]} : i64[2,8,3]
          %z = constant 0.0 : f64[]
          %0 = broadcast %z {axes: [], shape: [2,8,6]} : f64[2,8,6]
          %1 = reshape %i {shape: [2,8,3,1]} : i64[2,8,3,1]
          %2 = scatter_sum %0, %1, %d {batch: 2, axes: [2]} : f64[2,8,6]
          %3 = convolution %2, %w {stride: [1], low: [2], high: [2], input_dilation: [1], dilation: [1], groups: 1} : f64[2,8,8]
          return %3
        }
        """),
      try LoweringCase(
        "a product of a running sum whose rows lie apart",
        """
        (%x: f32[9,512], %w: f32[512,3]) -> (%y: f32[9,3]) {
          %0 = cumulative_sum %x {axis: 0, reverse: false} : f32[9,512]
          %1 = dot %0, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[9,3]
          return %1
        }
        """),
      try LoweringCase(
        "a convolution of what a scan stacks",
        """
        (%x: f32[3,16,9], %w: f32[8,16,3]) -> (%y: f32[3,8,9]) {
          %0 = scan %x {
            length: [3], carry: 0, sequences: 1, reverse: false,
            body: func step(%a: f32[16,9]) -> (%r: f32[16,9]) {
              %0 = sin %a : f32[16,9]
              return %0
            }
          } : f32[3,16,9]
          %1 = convolution %0, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[3,8,9]
          return %1
        }
        """),
    ]
  }

  /// Positions that only every so many values of an index reach.
  private static func phases() throws -> [LoweringCase] {
    [
      try LoweringCase(
        "reductions over a dilated axis with gaps that count",
        """
        (%x: f32[2,3], %g: f32[]) -> (%sum: f32[], %rows: f32[5], %max: f32[], %product: f32[3]) {
          %0 = pad %x, %g {low: [0,0], high: [1,2], interior: [1,0]} : f32[4,5]
          %1 = reduce_sum %0 {axes: [0,1]} : f32[]
          %2 = exp %0 : f32[4,5]
          %3 = reduce_sum %2 {axes: [0]} : f32[5]
          %z = constant 0.0 : f32[]
          %4 = pad %x, %z {low: [0,0], high: [0,0], interior: [1,0]} : f32[3,3]
          %5 = reduce_max %4 {axes: [0,1]} : f32[]
          %6 = reduce_product %4 {axes: [0]} : f32[3]
          return %1, %3, %5, %6
        }
        """),
      try LoweringCase(
        "the gradient of a strided slice of a strided slice",
        """
        (%d: f64[1]) -> (%y: f64[9]) {
          %z = constant 0.0 : f64[]
          %0 = pad %d, %z {low: [0], high: [0], interior: [1]} : f64[1]
          %1 = pad %0, %z {low: [2], high: [6], interior: [1]} : f64[9]
          return %1
        }
        """),
      try LoweringCase(
        "a pad between the elements of a pad between elements",
        """
        (%d: f32[3,2]) -> (%y: f32[9,14]) {
          %z = constant 0.5 : f32[]
          %0 = pad %d, %z {low: [0,1], high: [0,0], interior: [1,2]} : f32[5,5]
          %1 = pad %0, %z {low: [0,2], high: [0,-1], interior: [1,2]} : f32[9,14]
          return %1
        }
        """),
    ]
  }

  /// Tensors without elements.
  private static func empties() throws -> [LoweringCase] {
    [
      try LoweringCase(
        "an extreme along empty axes",
        """
        (%x: f32[5,3,0,0]) -> (%y: f32[1,3,0,1], %z: f32[5,3]) {
          %0 = reduce_max %x {axes: [0,3]} : f32[3,0]
          %1 = reshape %0 {shape: [1,3,0,1]} : f32[1,3,0,1]
          %2 = reduce_max %x {axes: [2,3]} : f32[5,3]
          return %1, %2
        }
        """),
      try LoweringCase(
        "a product over nothing",
        """
        (%x: f32[2,0], %w: f32[0,4]) -> (%y: f32[2,4]) {
          %0 = exp %x : f32[2,0]
          %1 = sin %w : f32[0,4]
          %2 = dot %0, %1 {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[2,4]
          return %2
        }
        """),
      try LoweringCase(
        "softmax over nothing",
        """
        (%s: f32[3,0,3]) -> (%y: f32[3,0,3]) {
          %0 = reduce_max %s {axes: [1]} : f32[3,3]
          %1 = broadcast %0 {axes: [0,2], shape: [3,0,3]} : f32[3,0,3]
          %2 = subtract %s, %1 : f32[3,0,3]
          %3 = exp %2 : f32[3,0,3]
          %4 = reduce_sum %3 {axes: [1]} : f32[3,3]
          %5 = broadcast %4 {axes: [0,2], shape: [3,0,3]} : f32[3,0,3]
          %6 = divide %3, %5 : f32[3,0,3]
          return %6
        }
        """),
      try LoweringCase(
        "a state without elements",
        """
        (%x: f32[0,3]) -> (%y: f32[0,3]) {
          %0 = iota {dtype: i64, shape: [2], axis: 0} : i64[2]
          %1 = scan %x, %0 {
            length: [2],
            carry: 1,
            sequences: 1,
            reverse: false,
            body: func region(%arg0: f32[0,3], %arg1: i64[]) -> (%result0: f32[0,3]) {
              %0 = exp %arg0 : f32[0,3]
              return %0
            }
          } : f32[0,3]
          return %1
        }
        """),
      try LoweringCase(
        "pads, concatenations, scatters and windows of nothing",
        """
        (%x: f32[2,0], %u: f32[0,0], %c: f32[1,0,4], %w: f32[2,0,3]) -> (%a: f32[2,3], %b: f32[2,3], %d: f32[2,0], %e: f32[1,2,4]) {
          %z = constant 0.5 : f32[]
          %i = constant [] : i64[0,1]
          %0 = pad %x, %z {low: [0,1], high: [0,2], interior: [0,0]} : f32[2,3]
          %1 = concatenate %x, %0, %x {axis: 1} : f32[2,3]
          %2 = exp %1 : f32[2,3]
          %3 = scatter_sum %x, %i, %u {batch: 0, axes: [0]} : f32[2,0]
          %4 = convolution %c, %w {stride: [1], low: [1], high: [1], input_dilation: [1], dilation: [1], groups: 1} : f32[1,2,4]
          return %0, %2, %3, %4
        }
        """),
    ]
  }

  /// Integers that no float holds.
  private static func integers() throws -> [LoweringCase] {
    [
      try LoweringCase(
        "sums and products of 64-bit integers",
        """
        (%x: i64[2,3]) -> (%sum: i64[2], %product: i64[2], %running: i64[2,3], %dot: i64[2,2], %folded: i64[2]) {
          %c = constant [9007199254740993, 3, -5, 1152921504606846983, 576460752303423489, -2305843009213693949] : i64[2,3]
          %0 = add %x, %c : i64[2,3]
          %1 = reduce_sum %0 {axes: [1]} : i64[2]
          %2 = reduce_product %0 {axes: [1]} : i64[2]
          %3 = cumulative_sum %0 {axis: 1, reverse: false} : i64[2,3]
          %4 = dot %0, %c {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : i64[2,2]
          %5 = reduce_sum %c {axes: [1]} : i64[2]
          return %1, %2, %3, %4, %5
        }
        """)
    ]
  }
}
