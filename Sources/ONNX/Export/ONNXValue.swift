internal import LatheCore
internal import SwiftProtobuf

/// A value of a graph that is being written: what ONNX calls it, and what it is.
struct ONNXValue: Hashable {
  var name: String
  var type: TensorType

  var dtype: ScalarType { type.dtype }
  var shape: [Dim] { type.shape }
  var rank: Int { type.rank }
}

/// The nodes of one graph: of the model, or of a branch or a loop's body.
final class Block {
  /// Whether it is a branch or a loop's body.
  let isInner: Bool
  var nodes: [Onnx_NodeProto] = []
  /// The types of what the nodes give.
  var produced: [String: TensorType] = [:]
  /// What transpositions are of, so that two of them are one.
  var transposed: [String: (source: ONNXValue, permutation: [Int])] = [:]
  /// What reshapes are of, likewise.
  var reshaped: [String: ONNXValue] = [:]
  /// Numbers in a type that is computed with, by the values that are the same numbers as they are stored.
  var wide: [String: ONNXValue] = [:]
  /// The literals that are written here.
  var literals: [NDArray: ONNXValue] = [:]
  /// The tensors whose axes tell what sizes that data decides are.
  private var witnesses: [String: Witness] = [:]
  /// What such sizes, and those that depend on them, have been computed as.
  private var sizes: [Dim: ONNXValue] = [:]
  /// The block around it, whose values it sees.
  private let outer: Block?

  /// - Parameter outer: The block around that of a branch or a loop's body.
  init(in outer: Block? = nil) {
    self.outer = outer
    isInner = outer != nil
  }

  /// A tensor, and its axis that has a size.
  struct Witness {
    var value: ONNXValue
    var axis: Int
  }

  func witness(of size: String) -> Witness? { witnesses[size] ?? outer?.witness(of: size) }

  /// Notes which tensor tells a size from now on: a body that is written twice has its sizes twice.
  func note(_ witness: Witness, of size: String) {
    witnesses[size] = witness
    sizes = sizes.filter { !$0.key.extents.contains(size) }
  }

  func size(_ dimension: Dim) -> ONNXValue? {
    if let known = sizes[dimension] { return known }
    // What tells a part of it here is another than around.
    return dimension.extents.contains { witnesses[$0] != nil } ? nil : outer?.size(dimension)
  }

  func note(_ value: ONNXValue, of dimension: Dim) { sizes[dimension] = value }

  /// Drops nodes of which nothing is read.
  ///
  /// - Parameter names: What is read from outside.
  func prune(keeping names: some Sequence<String>) {
    var read = Set(names)
    var kept: [Onnx_NodeProto] = []
    for node in nodes.reversed() where node.output.contains(where: read.contains) {
      kept.append(node)
      read.formUnion(NodeOrder.names(readBy: node))
    }
    nodes = kept.reversed()
  }
}

extension Onnx_ValueInfoProto {
  /// A name with its type; a size that ONNX has no words for is left open.
  init(_ name: String, _ type: TensorType) {
    self.init()
    self.name = name
    self.type.tensorType.elemType = Int32(type.dtype.onnx.rawValue)
    self.type.tensorType.shape.dim = type.shape.map { size in
      .with { dimension in
        if let known = size.known {
          dimension.dimValue = Int64(known)
        } else if let formula = size.formula {
          dimension.dimParam = formula
        }
      }
    }
  }
}

extension Dim {
  /// The size as `dim_param` has it, `2*N + 1`; nil where it is a minimum, or data decides it.
  var formula: String? {
    typealias Formula = (text: String, isSum: Bool)?
    func factor(_ formula: (text: String, isSum: Bool)) -> String {
      formula.isSum ? "(\(formula.text))" : formula.text
    }
    let formula: Formula = computed(
      in: DimensionArithmetic<Formula>(
        number: { ("\($0)", false) }, symbol: { ($0, false) }, extent: { _ in nil },
        add: { a, b -> Formula in
          guard let a, let b else { return nil }
          return (b.text.hasPrefix("-") ? "\(a.text) - \(b.text.dropFirst())" : "\(a.text) + \(b.text)", true)
        },
        multiply: { a, b -> Formula in
          guard let a, let b else { return nil }
          return ("\(factor(a))*\(factor(b))", false)
        },
        floorDivide: { a, divisor -> Formula in a.map { ("\(factor($0))//\(divisor)", false) } },
        minimum: { _, _ -> Formula in nil }))
    return formula?.text
  }
}
