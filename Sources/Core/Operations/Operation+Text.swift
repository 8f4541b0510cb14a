/// The operations by the names that the text form writes.
extension Operation {
  /// The operation of a name with the given attributes.
  ///
  /// Inputs and variables have forms of their own in the text; they are not found here.
  ///
  /// - Throws: An unknown name, or attributes that are missing, of another kind, or not the operation's.
  package init(name: String, attributes: Attributes) throws(TypeFault) {
    self = try Self.named(name, attributes)
    let known = Set(definition.attributes.map(\.name))
    if let unknown = attributes.values.keys.filter({ !known.contains($0) }).min() {
      throw TypeFault(
        "has no attribute '\(unknown)'",
        help: known.isEmpty ? nil : "its attributes are \(definition.attributes.map(\.name).joined(separator: ", "))")
    }
  }

  private static func named(_ name: String, _ attributes: Attributes) throws(TypeFault) -> Operation {
    if let function = Pointwise(rawValue: name) { return .pointwise(function) }
    if let factorization = try Factorization(name, attributes) { return .factorization(factorization) }
    switch name {
    case "constant": return .constant(Constant(try attributes.array("value")))
    case "iota": return .iota(try Iota(attributes))
    case "random_bits": return .randomBits(try RandomBits(attributes))
    case "convert": return .convert(try Convert(attributes))
    case "bitcast": return .bitcast(try Bitcast(attributes))
    case "detach": return .detach(Detach())
    case "exchange": return .exchange(try Exchange(attributes))
    case "extent": return .extent(try Extent(attributes))
    case "reshape": return .reshape(try Reshape(attributes))
    case "permute": return .permute(try Permute(attributes))
    case "broadcast": return .broadcast(try Broadcast(attributes))
    case "slice": return .slice(try Slice(attributes))
    case "reverse": return .reverse(try Reverse(attributes))
    case "pad": return .pad(try Pad(attributes))
    case "concatenate": return .concatenate(try Concatenate(attributes))
    case "gather": return .gather(try Gather(attributes))
    case "arg_sort": return .argSort(try ArgSort(attributes))
    case "scatter": return .scatter(try Scatter(nil, attributes))
    case "dot": return .dot(try DotGeneral(attributes))
    case "convolution": return .convolution(try Convolution(attributes))
    case "cond": return .conditional(try Conditional(attributes))
    case "while": return .whileLoop(try WhileLoop(attributes))
    case "scan": return .scan(try Scan(attributes))
    case "call": return .call(try Call(attributes))
    default: break
    }
    // The rest are families, one member for each combiner: `reduce_sum`.
    for combiner in Combiner.allCases where name.hasSuffix("_\(combiner.rawValue)") {
      switch name.dropLast(combiner.rawValue.count + 1) {
      case "reduce": return .reduce(try Reduce(combiner, attributes))
      case "arg": return .argReduce(try ArgReduce(combiner, attributes))
      case "cumulative": return .cumulative(try CumulativeReduce(combiner, attributes))
      case "scatter": return .scatter(try Scatter(combiner, attributes))
      case "window": return .windowReduce(try WindowReduce(combiner, attributes))
      case "window_arg": return .windowArgReduce(try WindowArgReduce(combiner, attributes))
      default: break
      }
    }
    throw TypeFault("no operation has this name")
  }
}
