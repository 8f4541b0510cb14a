public import LatheCore

/// Sums of products by index names: `einsum("bij,bjk->bik", a, b)`.
///
/// Without `->` the result has the names that occur once, in alphabetical order. A name that an operand repeats takes
/// the diagonal; `...` stands for axes that broadcast. Operands are joined from the left.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.einsum.html
public func einsum(_ equation: String, _ operands: Tensor...) -> Tensor { einsum(equation, operands) }

/// Sums of products by index names, of a list of operands.
public func einsum(_ equation: String, _ operands: [Tensor]) -> Tensor {
  composite("einsum", operands) { () throws(TypeFault) -> Tensor in
    let plan = try EinsumPlan(equation, operands)
    var remaining = operands.enumerated().map { plan.terms[$0.offset] }
    var tensors: [Tensor] = []
    for (position, operand) in operands.enumerated() {
      var (tensor, names) = try operand.einsumDiagonals(remaining[position])
      let needed = plan.output + remaining[(position + 1)...].flatMap { $0 } + remaining[..<position].flatMap { $0 }
      (tensor, names) = tensor.einsumSummed(names) { needed.contains($0) }
      remaining[position] = names
      tensors.append(tensor)
    }
    guard var result = tensors.first else { throw TypeFault("needs at least one operand") }
    var names = remaining[0]
    for position in tensors.indices.dropFirst() {
      let needed = plan.output + remaining[(position + 1)...].flatMap { $0 }
      (result, names) = try einsumProduct(result, names, tensors[position], remaining[position]) { needed.contains($0) }
    }
    (result, names) = result.einsumSummed(names) { plan.output.contains($0) }
    return result.permute(plan.output.compactMap { names.firstIndex(of: $0) })
  }
}

/// An equation in names of axes; the axes under `...` are named by numbers from the right.
private struct EinsumPlan {
  var terms: [[String]]
  var output: [String]

  init(_ equation: String, _ operands: [Tensor]) throws(TypeFault) {
    let text = equation.filter { $0 != " " }
    let arrow = text.firstRange(of: "->")
    let left = arrow.map { String(text[..<$0.lowerBound]) } ?? text
    let inputs = left.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard inputs.count == operands.count else {
      throw TypeFault("'\(equation)' names \(inputs.count) operands, \(operands.count) given")
    }
    var terms: [[String]] = []
    var widest = 0
    for (input, operand) in zip(inputs, operands) {
      let names = try Self.names(input, rank: operand.rank, equation)
      widest = Swift.max(widest, names.filter { $0.hasPrefix("...") }.count)
      terms.append(names)
    }
    self.terms = terms
    let ellipsis = (0..<widest).reversed().map { "...\($0)" }
    if let arrow {
      let right = String(text[arrow.upperBound...])
      output = try Self.names(
        right, rank: right.filter(\.isLetter).count + (right.contains(".") ? widest : 0), equation)
    } else {
      let all = terms.flatMap { $0 }.filter { !$0.hasPrefix("...") }
      output = ellipsis + Set(all).filter { name in all.filter { $0 == name }.count == 1 }.sorted()
    }
    guard Set(output).count == output.count else { throw TypeFault("'\(equation)' repeats a name in the result") }
    for name in output where !terms.contains(where: { $0.contains(name) }) {
      throw TypeFault("'\(equation)' names '\(name)' in the result only")
    }
  }

  private static func names(_ term: String, rank: Int, _ equation: String) throws(TypeFault) -> [String] {
    let letters = term.filter { $0 != "." }
    guard letters.allSatisfy({ $0.isASCII && $0.isLetter }) else {
      throw TypeFault("'\(equation)' has a name that is no letter")
    }
    guard let dots = term.firstRange(of: "...") else {
      guard letters.count == term.count else { throw TypeFault("'\(equation)' has a lone dot") }
      guard letters.count == rank else {
        throw TypeFault("'\(term)' names \(letters.count) axes of an operand with \(rank)")
      }
      return letters.map { String($0) }
    }
    let before = term[..<dots.lowerBound].map { String($0) }
    let after = term[dots.upperBound...].map { String($0) }
    let covered = rank - before.count - after.count
    guard covered >= 0, before.count + after.count == letters.count else {
      throw TypeFault("'\(term)' does not name the \(rank) axes of its operand")
    }
    return before + (0..<covered).reversed().map { "...\($0)" } + after
  }
}

extension Tensor {
  /// Takes diagonals until no name is repeated.
  fileprivate func einsumDiagonals(_ names: [String]) throws(TypeFault) -> (Tensor, [String]) {
    var (tensor, names) = (self, names)
    while let second = names.indices.first(where: { names[..<$0].contains(names[$0]) }),
      let first = names.firstIndex(of: names[second])
    {
      guard tensor.shape[first] == tensor.shape[second] else {
        throw TypeFault("'\(names[second])' has sizes \(tensor.shape[first]) and \(tensor.shape[second]) in \(type)")
      }
      tensor = try tensor.diagonal(dim1: first, dim2: second).checked()
      let name = names[second]
      names.remove(at: second)
      names.remove(at: first)
      names.append(name)
    }
    return (tensor, names)
  }

  /// Sums the axes that nobody needs any more.
  fileprivate func einsumSummed(_ names: [String], _ isNeeded: (String) -> Bool) -> (Tensor, [String]) {
    let axes = names.indices.filter { !isNeeded(names[$0]) }
    return (axes.isEmpty ? self : sum(dim: axes), names.filter(isNeeded))
  }
}

private func einsumProduct(
  _ a: Tensor, _ left: [String], _ b: Tensor, _ right: [String], _ isNeeded: (String) -> Bool
) throws(TypeFault) -> (Tensor, [String]) {
  var (a, b) = (try a.checked(), try b.checked())
  let shared = left.filter { right.contains($0) }
  var sizes: [(left: Dim, right: Dim)] = []
  for name in shared {
    guard let l = left.firstIndex(of: name), let r = right.firstIndex(of: name) else { continue }
    let (x, y) = (a.shape[l], b.shape[r])
    guard x == y || x == 1 || y == 1 else {
      throw TypeFault("'\(name)' has size \(x) in \(a.type) and \(y) in \(b.type)")
    }
    sizes.append((x, y))
  }
  // A size 1 against another broadcasts: both get the larger one.
  func repeated(_ tensor: Tensor, _ names: [String], _ size: (Dim, Dim) -> Dim) -> Tensor {
    var shape = tensor.shape
    for (name, pair) in zip(shared, sizes) {
      if let axis = names.firstIndex(of: name) { shape[axis] = pair.left == 1 ? pair.right : pair.left }
    }
    return tensor.broadcast(to: shape, axes: Array(shape.indices))
  }
  a = repeated(a, left) { $0 == 1 ? $1 : $0 }
  b = repeated(b, right) { $0 == 1 ? $1 : $0 }
  let dtype = a.dtype.promoted(with: b.dtype)
  let batch = shared.filter(isNeeded)
  let contracted = shared.filter { !isNeeded($0) }
  func axes(_ names: [String], _ of: [String]) -> [Int] { names.compactMap { of.firstIndex(of: $0) } }
  let result = a.convert(to: dtype).dot(
    b.convert(to: dtype),
    DotGeneral(
      leftBatch: axes(batch, left), rightBatch: axes(batch, right), leftContracting: axes(contracted, left),
      rightContracting: axes(contracted, right)))
  return (result, batch + left.filter { !shared.contains($0) } + right.filter { !shared.contains($0) })
}
