import Lathe
import LatheCore

/// What a model costs, in numbers that hold for every size of its symbols.
extension Graph {
  /// Multiply-accumulate operations of one run's contractions and convolutions; a loop without a known number of
  /// rounds counts one.
  var macs: Dim { nodes.reduce(Dim(0)) { $0 + macs(of: $1) } }

  /// The same of one node.
  func macs(of node: Node) -> Dim {
    let operands = node.operands.map { type(of: $0) }
    switch node.operation {
    case .dot(let axes):
      return node.types[0].shape.elementCount * axes.leftContracting.map { operands[0].shape[$0] }.elementCount
    case .convolution:
      return node.types[0].shape.elementCount * Array(operands[1].shape.dropFirst()).elementCount
    case .scan(let scan): return scan.length * scan.body.macs
    case .whileLoop(let loop): return loop.body.macs
    case .conditional(let choice): return choice.then.macs
    case .call(let call): return call.body.macs
    default: return 0
    }
  }

  /// The types of all that holds part of the model's knowledge; literals of equal contents are one.
  var parameterTypes: [TensorType] { nodes.flatMap { parameterTypes(of: $0) } }

  /// The types of a node that holds part of the model's knowledge: of a variable, a literal of several floats, and of such
  /// in the body of a loop.
  func parameterTypes(of node: Node) -> [TensorType] {
    switch node.operation {
    case .variable(let read): [read.type]
    case .constant(let constant) where constant.array.dtype.isFloat && constant.array.count > 1: [constant.array.type]
    case .scan(let scan): scan.body.parameterTypes
    case .whileLoop(let loop): loop.body.parameterTypes
    case .conditional(let choice): choice.then.parameterTypes + choice.otherwise.parameterTypes
    case .call(let call): call.body.parameterTypes
    default: []
    }
  }
}

extension [TensorType] {
  /// The elements of tensors of known sizes.
  var elementCount: Int { reduce(0) { $0 + ($1.elementCount ?? 0) } }
}

extension Dim {
  /// The number with its digits in groups, or the formula.
  var grouped: String { known.map(\.grouped) ?? description }
}
