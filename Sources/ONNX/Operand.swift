internal import LatheCore

/// What a name of the model stands for while it is imported.
struct Operand {
  enum Content {
    case tensor(Tensor)
    /// Integers that shapes are made of, some of them symbolic.
    case sizes(Sizes)
    /// A list of tensors, whose length is known.
    case sequence([Tensor])
    /// An optional that holds nothing.
    case absent
  }

  let content: Content
  /// What the value (not only the type) depends on.
  let origin: Origin

  init(_ content: Content, origin: Origin = Origin()) {
    self.content = content
    switch content {
    case .sizes(let sizes): self.origin = Origin(symbols: Set(sizes.dimensions.flatMap(\.symbols)))
    case .tensor(let tensor): self.origin = tensor.literal == nil ? origin : Origin()
    case .sequence, .absent: self.origin = origin
    }
  }

  init(_ tensor: Tensor, origin: Origin = Origin()) {
    self.init(.tensor(tensor), origin: origin)
  }

  var isPoisoned: Bool {
    switch content {
    case .tensor(let tensor): tensor.isPoisoned
    case .sizes, .absent: false
    case .sequence(let tensors): tensors.contains(where: \.isPoisoned)
    }
  }

  /// The type as messages show it.
  var type: String {
    switch content {
    case .tensor(let tensor): tensor.isPoisoned ? "(faulty)" : tensor.type.description
    case .sizes(let sizes): "\(sizes.type) = \(sizes.dimensions.text)"
    case .sequence(let tensors): "sequence of \(tensors.count) tensors"
    case .absent: "optional without a value"
    }
  }

  /// The value as a tensor of a graph, or nil for what is none.
  func tensor(in builder: Builder) -> Tensor? {
    switch content {
    case .tensor(let tensor): tensor
    case .sizes(let sizes): sizes.tensor(in: builder)
    case .sequence, .absent: nil
    }
  }

  /// The value as sizes: an integer tensor of rank 0 or 1 whose elements are known, at least by name.
  var sizes: Sizes? {
    switch content {
    case .sizes(let sizes): return sizes
    case .tensor(let tensor):
      guard let literal = tensor.literal, literal.dtype.isInteger, literal.shape.count <= 1 else { return nil }
      return Sizes(literal.integers.map { Dim($0) }, isScalar: literal.shape.isEmpty, dtype: literal.dtype)
    case .sequence, .absent: return nil
    }
  }
}

/// What keeps a value from being known while the model is compiled.
struct Origin: Equatable {
  /// The inputs of the model, and parameters that are variables.
  var inputs: Set<String> = []
  /// The symbols of sizes.
  var symbols: Set<String> = []

  func union(_ other: Origin) -> Origin {
    Origin(inputs: inputs.union(other.inputs), symbols: symbols.union(other.symbols))
  }

  /// What makes the value known.
  var help: String? {
    var remedies: [String] = []
    if !symbols.isEmpty {
      remedies.append("give sizes: " + symbols.sorted().map { "--dim \($0)=SIZE" }.joined(separator: " "))
    }
    if !inputs.isEmpty {
      remedies.append("give inputs values: " + inputs.sorted().map { "--bind \($0)=FILE.npy" }.joined(separator: " "))
    }
    return remedies.isEmpty ? nil : remedies.joined(separator: "; ")
  }
}
