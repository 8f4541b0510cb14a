internal import LatheCore
internal import LatheNN

/// Writes, in programs that have values in place of memory.
extension Importer {
  /// Gives a name, and who shares its memory, a new content.
  ///
  /// The content goes back from a view to the tensor that it is a view of, and from there to the other views.
  func write(_ content: ProgramValue, to name: String, at index: Int) throws(TypeFault) {
    if case .tensor(let current)? = scope.values[name], case .tensor(let content) = content,
      current.value == content.value
    {
      return
    }
    let others = memory.others(than: name)
    guard others.contains(where: { memory.isRead($0, after: index) }) else { return try assign(content, to: name) }
    var written: Set = [name]
    try assign(content, to: name)
    var (place, content) = (name, content)
    while let view = memory.views[place] {
      content = view.isWhole ? content : try restored(view, content)
      place = view.source
      written.insert(place)
      try assign(content, to: place)
    }
    for other in others where !written.contains(other) {
      guard let view = memory.views[other], let source = scope.values[view.source] else { continue }
      try assign(view.isWhole ? source : seen(view), to: other)
    }
  }

  /// What a view shows of its source's present content.
  private func seen(_ view: SharedMemory.View) throws(TypeFault) -> ProgramValue {
    let isComplex = scope.values[view.source]?.isComplex ?? false
    guard let node = view.node, let (definition, schema) = Operator.named(node.target, ofComplex: isComplex),
      case let results = try definition.apply(Call(node, schema, scope, builder, evaluating: evaluating)),
      view.result < results.count
    else { throw TypeFault("writes to a view that cannot be made again") }
    switch results[view.result] {
    case .tensor, .complex: return results[view.result]
    default: throw TypeFault("writes to a view that cannot be made again")
    }
  }

  /// The source of a view with another content where the view is.
  private func restored(_ view: SharedMemory.View, _ content: ProgramValue) throws(TypeFault) -> ProgramValue {
    switch (scope.values[view.source], content) {
    case (.tensor(let source)?, .tensor(let content)): return .tensor(try restored(view, source, content))
    case (.complex(let source)?, .complex(let content)):
      // Views of both parts are alike, unless they are computed.
      guard let function = view.node?.function, Operator.isPartwise(function) else { break }
      return .complex(
        ComplexTensor(
          real: try restored(view, source.real, content.real), imaginary: try restored(view, source.imag, content.imag))
      )
    case (.complex(let source)?, .tensor(let content)):
      switch view.node?.function {
      case "view_as_real": return .complex(ComplexTensor(parts: content))
      case "real": return .complex(ComplexTensor(real: content, imaginary: source.imaginary))
      case "imag": return .complex(ComplexTensor(real: source.real, imaginary: content))
      default: break
      }
    default: break
    }
    throw TypeFault("writes to a view that cannot be made again")
  }

  private func restored(
    _ view: SharedMemory.View, _ source: Tensor, _ content: Tensor
  ) throws(TypeFault) -> Tensor {
    guard let node = view.node else { throw TypeFault("writes to a view that cannot be made again") }
    let (_, schema) = Operator.named(node.target) ?? internalError("a view by no operator")
    let call = Call(node, schema, scope, builder, evaluating: evaluating)
    switch node.shortTarget.split(separator: ".").dropFirst().first {
    case "select": return source.selectScatter(content, dim: try call.integer("dim"), index: try call.integer("index"))
    case "slice":
      let end = try call.bound("end")
      return source.sliceScatter(
        content, dim: try call.integer("dim"), start: try call.bound("start") ?? 0,
        end: end == Call.largestSize ? nil : end, step: try call.integer("step"))
    case "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as":
      if content.type.elementCount == source.type.elementCount, content.dtype == source.dtype {
        return content.reshape(source.shape)
      }
    default: break
    }
    // The view of the positions of the source's elements tells where the content goes.
    let count = source.shape.elementCount
    let present = scope.values[view.source]
    scope.values[view.source] = .tensor(
      builder.iota(TensorType(.i64, [count]), axis: 0).reshape(source.shape))
    defer { scope.values[view.source] = present }
    guard case .tensor(let positions) = try seen(view), positions.dtype == .i64, positions.shape == content.shape else {
      throw TypeFault("writes to memory that is seen as elements of another type")
    }
    return source.flatten().indexPut([positions.flatten()], content.flatten()).reshape(source.shape)
  }

  /// Gives one name a new content, and notes what lasts longer than the run.
  private func assign(_ content: ProgramValue, to name: String) throws(TypeFault) {
    defer { scope.values[name] = content }
    if let arguments = scope.arguments {
      guard !arguments.contains(name) else { throw TypeFault("writes to '\(name)', which the graph inside is given") }
      return
    }
    guard !constants.contains(name) else {
      throw TypeFault(
        "writes to '\(name)', a constant, which would keep its new content for the next run",
        help: "register it as a buffer")
    }
    if let state = states[name] { changed.insert(state) }
    if userInputs.contains(name) { writtenInputs.insert(name) }
  }
}
