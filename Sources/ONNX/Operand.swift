internal import LatheCore

/// What a name of the model stands for while it is imported.
struct Operand {
  enum Content {
    case tensor(Tensor)
    /// Integers that shapes are made of, some of them symbolic.
    case sizes(Sizes)
    /// A list of tensors, whose length is known.
    case sequence([Tensor])
  }

  var content: Content
  /// The inputs of the model that the value (not only the type) depends on.
  var inputs: Set<String> = []

  init(_ content: Content, inputs: Set<String> = []) {
    self.content = content
    self.inputs = inputs
  }

  init(_ tensor: Tensor, inputs: Set<String> = []) {
    self.init(.tensor(tensor), inputs: inputs)
  }

  var isPoisoned: Bool {
    switch content {
    case .tensor(let tensor): tensor.isPoisoned
    case .sizes: false
    case .sequence(let tensors): tensors.contains(where: \.isPoisoned)
    }
  }

  /// The type as messages show it.
  var type: String {
    switch content {
    case .tensor(let tensor): tensor.isPoisoned ? "(faulty)" : tensor.type.description
    case .sizes(let sizes): "\(sizes.type) = \(sizes.dimensions.text)"
    case .sequence(let tensors): "sequence of \(tensors.count) tensors"
    }
  }

  /// The value as a tensor of a graph, or nil for a sequence.
  func tensor(in builder: Builder) -> Tensor? {
    switch content {
    case .tensor(let tensor): tensor
    case .sizes(let sizes): sizes.tensor(in: builder)
    case .sequence: nil
    }
  }

  /// The value as sizes: an integer tensor of rank 0 or 1 whose elements are known, at least by name.
  var sizes: Sizes? {
    switch content {
    case .sizes(let sizes): return sizes
    case .tensor(let tensor):
      guard let literal = tensor.literal, literal.dtype.isInteger, literal.shape.count <= 1 else { return nil }
      return Sizes(literal.integers.map { Dimension($0) }, isScalar: literal.shape.isEmpty, dtype: literal.dtype)
    case .sequence: return nil
    }
  }
}
