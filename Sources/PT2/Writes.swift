internal import LatheCore
internal import LatheNN

/// Writes, in programs that have values in place of memory.
extension Importer {
  /// Gives a name, and who shares its memory, a new content.
  ///
  /// The content goes back from a view to the tensor that it is a view of, and from there to the other views.
  func write(_ content: Tensor, to name: String, at index: Int) throws(TypeFault) {
    if case .tensor(let current)? = scope.values[name], current.value == content.value { return }
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
      guard let view = memory.views[other], case .tensor(let source)? = scope.values[view.source] else { continue }
      try assign(view.isWhole ? source : seen(view), to: other)
    }
  }

  /// What a view shows of its source's present content.
  private func seen(_ view: SharedMemory.View) throws(TypeFault) -> Tensor {
    guard let node = view.node, let (definition, schema) = Operator.named(node.target),
      case let results = try definition.apply(Call(node, schema, scope, builder, evaluating: evaluating)),
      view.result < results.count,
      case .tensor(let tensor) = results[view.result]
    else { throw TypeFault("writes to a view that cannot be made again") }
    return tensor
  }

  /// The source of a view with another content where the view is.
  private func restored(_ view: SharedMemory.View, _ content: Tensor) throws(TypeFault) -> Tensor {
    guard let node = view.node, case .tensor(let source)? = scope.values[view.source] else {
      throw TypeFault("writes to a view that cannot be made again")
    }
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
    scope.values[view.source] = .tensor(
      builder.iota(TensorType(.i64, [count]), axis: 0).reshape(source.shape))
    defer { scope.values[view.source] = .tensor(source) }
    let positions = try seen(view)
    guard positions.dtype == .i64, positions.shape == content.shape else {
      throw TypeFault("writes to memory that is seen as elements of another type")
    }
    return source.flatten().indexPut([positions.flatten()], content.flatten()).reshape(source.shape)
  }

  /// Gives one name a new content, and notes what lasts longer than the run.
  private func assign(_ content: Tensor, to name: String) throws(TypeFault) {
    defer { scope.values[name] = .tensor(content) }
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
