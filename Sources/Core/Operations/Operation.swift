/// The primitives of Lathe's graphs: a closed set.
///
/// Everything else is a function written in these. Scalar functions are rows of `Pointwise`; every other case carries its definition as payload, one file a family.
public enum Operation: Hashable, Sendable {
  case input(Input)
  case variable(VariableRead)
  case constant(Constant)
  case iota(Iota)
  case randomBits(RandomBits)
  case pointwise(Pointwise)
  case convert(Convert)
  case bitcast(Bitcast)
  case detach(Detach)
  case extent(Extent)
  case reshape(Reshape)
  case permute(Permute)
  case broadcast(Broadcast)
  case slice(Slice)
  case reverse(Reverse)
  case pad(Pad)
  case concatenate(Concatenate)
  case gather(Gather)
  case scatter(Scatter)
  case reduce(Reduce)
  case argReduce(ArgReduce)
  case argSort(ArgSort)
  case cumulative(CumulativeReduce)
  case dot(DotGeneral)
  case convolution(Convolution)
  case windowReduce(WindowReduce)
  case windowArgReduce(WindowArgReduce)
  case conditional(Conditional)
  case whileLoop(WhileLoop)
  case scan(Scan)
  case call(Call)
  case factorization(Factorization)

  /// The rules of the operation: the only switch over all operations.
  package var definition: any OperationDefinition {
    switch self {
    case .input(let payload): payload
    case .variable(let payload): payload
    case .constant(let payload): payload
    case .iota(let payload): payload
    case .randomBits(let payload): payload
    case .pointwise(let payload): payload
    case .convert(let payload): payload
    case .bitcast(let payload): payload
    case .detach(let payload): payload
    case .extent(let payload): payload
    case .reshape(let payload): payload
    case .permute(let payload): payload
    case .broadcast(let payload): payload
    case .slice(let payload): payload
    case .reverse(let payload): payload
    case .pad(let payload): payload
    case .concatenate(let payload): payload
    case .gather(let payload): payload
    case .scatter(let payload): payload
    case .reduce(let payload): payload
    case .argReduce(let payload): payload
    case .argSort(let payload): payload
    case .cumulative(let payload): payload
    case .dot(let payload): payload
    case .convolution(let payload): payload
    case .windowReduce(let payload): payload
    case .windowArgReduce(let payload): payload
    case .conditional(let payload): payload
    case .whileLoop(let payload): payload
    case .scan(let payload): payload
    case .call(let payload): payload
    case .factorization(let payload): payload.definition
    }
  }

  package var name: String { definition.name }

  /// Whether elements are moved or converted, but not computed with: what formats that numbers are only stored in allow.
  var movesOnly: Bool {
    switch self {
    case .pointwise(let function): function == .select
    case .scatter(let scatter): scatter.combiner == nil
    case .input, .variable, .constant, .convert, .bitcast, .detach, .reshape, .permute, .broadcast, .slice, .reverse,
      .pad, .concatenate, .gather, .conditional, .whileLoop, .scan, .call:
      true
    default: false
    }
  }

  /// Whether the operation stands for something outside of the graph rather than for a computation.
  public var isSource: Bool {
    switch self {
    case .input, .variable, .constant: true
    default: false
    }
  }
}
