/// The primitives of Lathe's graphs: a closed set.
///
/// Everything else is a function written in these. Scalar functions are rows of `Pointwise`; every other case carries its definition as payload, one file a family.
package enum Operation: Hashable, Sendable {
  /// What a run is given, and what variables hold.
  case input(Input), variable(VariableRead)
  /// What is made of nothing.
  case constant(Constant), iota(Iota), randomBits(RandomBits)
  /// What is computed for each element by itself.
  case pointwise(Pointwise), convert(Convert), bitcast(Bitcast)
  /// The operand, without a gradient.
  case detach(Detach)
  /// The operand, as whoever runs the graph has changed it.
  case exchange(Exchange)
  /// How many elements there are, where data decides that.
  case extent(Extent)
  /// Where the operand's elements are.
  case reshape(Reshape), permute(Permute), broadcast(Broadcast), slice(Slice), reverse(Reverse)
  /// What puts elements beside each other.
  case pad(Pad), concatenate(Concatenate)
  /// What reads and writes by indices.
  case gather(Gather), scatter(Scatter)
  /// What elements along axes are combined to, or their order.
  case reduce(Reduce), argReduce(ArgReduce), argSort(ArgSort), cumulative(CumulativeReduce)
  /// Sums of products.
  case dot(DotGeneral), convolution(Convolution)
  /// What elements of windows are combined to.
  case windowReduce(WindowReduce), windowArgReduce(WindowArgReduce)
  /// What runs sub-graphs.
  case conditional(Conditional), whileLoop(WhileLoop), scan(Scan), call(Call)
  /// A routine of linear algebra.
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
    case .exchange(let payload): payload
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
  package var isSource: Bool {
    switch self {
    case .input, .variable, .constant: true
    default: false
    }
  }
}
