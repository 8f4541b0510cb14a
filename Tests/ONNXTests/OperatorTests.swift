import LatheCore
import SwiftProtobuf
import Testing

@testable import LatheONNX

/// One operator in one opset on literal inputs, with the values that numpy or the operator's text gives.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  let name: String
  let opset: Int
  let node: Onnx_NodeProto
  let inputs: [(name: String, array: NDArray)]
  let expected: [NDArray]

  init(
    _ name: String, opset: Int, _ node: Onnx_NodeProto, _ inputs: [(String, NDArray)], gives expected: NDArray...
  ) {
    self.name = name
    self.opset = opset
    self.node = node
    self.inputs = inputs.map { (name: $0.0, array: $0.1) }
    self.expected = expected
  }

  var testDescription: String { "\(name), opset \(opset)" }
}

private let row = f32([2, 3], [1, 2, 3, 4, 5, 6])
private let softmaxRow = [0.09003057, 0.24472847, 0.66524096]

private let cases: [OperatorCase] = [
  // Softmax of before opset 13 joins all axes from `axis` on.
  OperatorCase(
    "Softmax joins axes", opset: 11, node("Softmax", ["x"], .int("axis", 0)), [("x", f32([1, 3, 1], [1, 2, 3]))],
    gives: f32([1, 3, 1], softmaxRow)),
  OperatorCase(
    "Softmax along one axis", opset: 13, node("Softmax", ["x"], .int("axis", 0)), [("x", f32([1, 3, 1], [1, 2, 3]))],
    gives: f32([1, 3, 1], [1, 1, 1])),
  OperatorCase(
    "Softmax along the last axis by default", opset: 13, node("Softmax", ["x"]), [("x", f32([1, 1, 3], [1, 2, 3]))],
    gives: f32([1, 1, 3], softmaxRow)),
  OperatorCase(
    "Squeeze by attribute", opset: 11, node("Squeeze", ["x"], .ints("axes", [0])), [("x", f32([1, 2, 1], [1, 2]))],
    gives: f32([2, 1], [1, 2])),
  OperatorCase(
    "Squeeze by operand", opset: 13, node("Squeeze", ["x", "a"]), [("x", f32([1, 2, 1], [1, 2])), ("a", i64([-1]))],
    gives: f32([1, 2], [1, 2])),
  OperatorCase(
    "Squeeze of all axes of size 1", opset: 13, node("Squeeze", ["x"]), [("x", f32([1, 2, 1], [1, 2]))],
    gives: f32([2], [1, 2])),
  OperatorCase(
    "Unsqueeze by attribute", opset: 11, node("Unsqueeze", ["x"], .ints("axes", [0, 2])), [("x", f32([2], [1, 2]))],
    gives: f32([1, 2, 1], [1, 2])),
  OperatorCase(
    "Clip by attributes", opset: 6 + 4, node("Clip", ["x"], .float("min", 2), .float("max", 5)), [("x", row)],
    gives: f32([2, 3], [2, 2, 3, 4, 5, 5])),
  OperatorCase(
    "Clip by operands, the lower one left out", opset: 13, node("Clip", ["x", "", "h"]),
    [("x", row), ("h", f32([], [4]))], gives: f32([2, 3], [1, 2, 3, 4, 4, 4])),
  OperatorCase(
    "Pad by attributes", opset: 10, node("Pad", ["x"], .ints("pads", [0, 1, 0, 0]), .float("value", 9)), [("x", row)],
    gives: f32([2, 4], [9, 1, 2, 3, 9, 4, 5, 6])),
  OperatorCase(
    "Pad reflects", opset: 13, node("Pad", ["x", "p"], .string("mode", "reflect")),
    [("x", row), ("p", i64([0, 2, 0, 0]))],
    gives: f32([2, 5], [3, 2, 1, 2, 3, 6, 5, 4, 5, 6])),
  OperatorCase(
    "Pad of named axes", opset: 18, node("Pad", ["x", "p", "", "a"]),
    [("x", row), ("p", i64([1, 0])), ("a", i64([-1]))],
    gives: f32([2, 4], [0, 1, 2, 3, 0, 4, 5, 6])),
  OperatorCase(
    "Slice by attributes", opset: 9,
    node("Slice", ["x"], .ints("starts", [0, 1]), .ints("ends", [1, .max])), [("x", row)], gives: f32([1, 2], [2, 3])),
  OperatorCase(
    "Slice backwards by operands", opset: 10, node("Slice", ["x", "s", "e", "a", "t"]),
    [("x", row), ("s", i64([-1])), ("e", i64([.min])), ("a", i64([1])), ("t", i64([-2]))],
    gives: f32([2, 2], [3, 1, 6, 4])),
  OperatorCase(
    "Dropout is the identity", opset: 7, node("Dropout", ["x"], .float("ratio", 0.3)), [("x", row)], gives: row),
  OperatorCase(
    "Dropout gives a mask of ones", opset: 13, node("Dropout", ["x"], ["y", "m"]), [("x", row)], gives: row,
    unfailing { try NDArray([Bool](repeating: true, count: 6), shape: [2, 3]) }),
  OperatorCase(
    "Reshape copies and infers sizes", opset: 13, node("Reshape", ["x", "s"]), [("x", row), ("s", i64([0, -1, 1]))],
    gives: f32([2, 3, 1], [1, 2, 3, 4, 5, 6])),
  OperatorCase(
    "Flatten", opset: 13, node("Flatten", ["x"], .int("axis", 0)), [("x", row)],
    gives: f32([1, 6], [1, 2, 3, 4, 5, 6])),
  OperatorCase(
    "ReduceSum by attribute", opset: 11, node("ReduceSum", ["x"], .ints("axes", [1]), .int("keepdims", 0)),
    [("x", row)],
    gives: f32([2], [6, 15])),
  OperatorCase(
    "ReduceSum by operand", opset: 13, node("ReduceSum", ["x", "a"]), [("x", row), ("a", i64([0]))],
    gives: f32([1, 3], [5, 7, 9])),
  OperatorCase("ReduceMean of all", opset: 18, node("ReduceMean", ["x"]), [("x", row)], gives: f32([1, 1], [3.5])),
  OperatorCase(
    "ArgMax takes the last of equals", opset: 13,
    node("ArgMax", ["x"], .int("axis", 1), .int("keepdims", 0), .int("select_last_index", 1)),
    [("x", f32([1, 3], [5, 5, 1]))], gives: i64([1])),
  OperatorCase(
    "CumSum leaves the element itself out", opset: 14, node("CumSum", ["x", "a"], .int("exclusive", 1)),
    [("x", f32([3], [1, 2, 3])), ("a", i64([0], shape: []))], gives: f32([3], [0, 1, 3])),
  OperatorCase(
    "Gather counts from the end", opset: 13, node("Gather", ["x", "i"], .int("axis", 1)),
    [("x", row), ("i", i64([-1, 0]))], gives: f32([2, 2], [3, 1, 6, 4])),
  OperatorCase(
    "GatherElements", opset: 13, node("GatherElements", ["x", "i"], .int("axis", 1)),
    [("x", row), ("i", i64([2, 0], shape: [2, 1]))], gives: f32([2, 1], [3, 4])),
  OperatorCase(
    "ScatterElements adds", opset: 16, node("ScatterElements", ["x", "i", "u"], .string("reduction", "add")),
    [("x", f32([3], [1, 2, 3])), ("i", i64([1, 1])), ("u", f32([2], [10, 20]))], gives: f32([3], [1, 32, 3])),
  OperatorCase(
    "Mod has the sign of the divisor", opset: 13, node("Mod", ["a", "b"]),
    [("a", i64([-4, 7, 5])), ("b", i64([3, -3, 8]))],
    gives: i64([2, -2, 5])),
  OperatorCase(
    "Div of integers truncates", opset: 13, node("Div", ["a", "b"]), [("a", i64([-7, 7])), ("b", i64([2, 2]))],
    gives: i64([-3, 3])),
  OperatorCase(
    "Pow keeps the base's type", opset: 13, node("Pow", ["a", "b"]), [("a", i64([2, 3])), ("b", f32([2], [3, 2]))],
    gives: i64([8, 9])),
  OperatorCase(
    "Gemm", opset: 13, node("Gemm", ["a", "b", "c"], .int("transB", 1), .float("alpha", 2), .float("beta", 0.5)),
    [("a", f32([1, 2], [1, 2])), ("b", f32([2, 2], [3, 4, 5, 6])), ("c", f32([2], [2, 4]))],
    gives: f32([1, 2], [23, 36])),
  OperatorCase(
    "Conv with SAME_LOWER", opset: 11, node("Conv", ["x", "w"], .string("auto_pad", "SAME_LOWER")),
    [("x", f32([1, 1, 3], [1, 2, 3])), ("w", f32([1, 1, 2], [1, 10]))], gives: f32([1, 1, 3], [10, 21, 32])),
  OperatorCase(
    "ConvTranspose", opset: 11, node("ConvTranspose", ["x", "w"], .ints("strides", [2])),
    [("x", f32([1, 1, 2], [1, 2])), ("w", f32([1, 1, 3], [1, 1, 1]))], gives: f32([1, 1, 5], [1, 1, 3, 2, 2])),
  OperatorCase(
    "MaxPool rounds up", opset: 12,
    node("MaxPool", ["x"], .ints("kernel_shape", [2]), .ints("strides", [2]), .int("ceil_mode", 1)),
    [("x", f32([1, 1, 3], [1, 2, 3]))], gives: f32([1, 1, 2], [2, 3])),
  OperatorCase(
    "AveragePool leaves padding out", opset: 7,
    node("AveragePool", ["x"], .ints("kernel_shape", [3]), .ints("pads", [1, 1])),
    [("x", f32([1, 1, 3], [1, 2, 3]))], gives: f32([1, 1, 3], [1.5, 2, 2.5])),
  OperatorCase(
    "AveragePool counts padding", opset: 7,
    node("AveragePool", ["x"], .ints("kernel_shape", [3]), .ints("pads", [1, 1]), .int("count_include_pad", 1)),
    [("x", f32([1, 1, 3], [1, 2, 3]))], gives: f32([1, 1, 3], [1, 2, 5.0 / 3])),
  OperatorCase(
    "LRN", opset: 13, node("LRN", ["x"], .int("size", 3), .float("alpha", 3), .float("beta", 1), .float("bias", 1)),
    [("x", f32([1, 3, 1, 1], [1, 2, 3]))], gives: f32([1, 3, 1, 1], [1.0 / 6, 2.0 / 15, 3.0 / 14])),
  OperatorCase(
    "Upsample by attribute", opset: 7, node("Upsample", ["x"], .floats("scales", [1, 2])),
    [("x", f32([1, 2], [1, 2]))],
    gives: f32([1, 4], [1, 1, 2, 2])),
  OperatorCase(
    "Upsample by operand", opset: 9, node("Upsample", ["x", "s"]),
    [("x", f32([1, 2], [1, 2])), ("s", f32([2], [1, 2]))], gives: f32([1, 4], [1, 1, 2, 2])),
  OperatorCase(
    "Resize to less before texts say what is nearest", opset: 10, node("Resize", ["x", "s"]),
    [("x", f32([8], [0, 1, 2, 3, 4, 5, 6, 7])), ("s", f32([1], [0.6]))], gives: f32([4], [0, 2, 4, 5])),
  OperatorCase(
    "Resize, linear, half pixels", opset: 11, node("Resize", ["x", "r", "s"], .string("mode", "linear")),
    [("x", f32([1, 2], [1, 2])), ("r", f32([0], [])), ("s", f32([2], [1, 2]))],
    gives: f32([1, 4], [1, 1.25, 1.75, 2])),
  OperatorCase(
    "Resize, linear, aligned corners", opset: 13,
    node(
      "Resize", ["x", "", "", "z"], .string("mode", "linear"),
      .string("coordinate_transformation_mode", "align_corners")),
    [("x", f32([1, 2], [1, 4])), ("z", i64([1, 4]))], gives: f32([1, 4], [1, 2, 3, 4])),
  OperatorCase(
    "Split by attribute", opset: 11, node("Split", ["x"], ["a", "b"], .int("axis", 1), .ints("split", [1, 2])),
    [("x", row)],
    gives: f32([2, 1], [1, 4]), f32([2, 2], [2, 3, 5, 6])),
  OperatorCase(
    "Split into uneven parts", opset: 18, node("Split", ["x"], ["a", "b"], .int("axis", 1), .int("num_outputs", 2)),
    [("x", row)], gives: f32([2, 2], [1, 2, 4, 5]), f32([2, 1], [3, 6])),
  OperatorCase(
    "OneHot", opset: 11, node("OneHot", ["i", "d", "v"]),
    [("i", i64([1, -1])), ("d", i64([3], shape: [])), ("v", f32([2], [0, 5]))],
    gives: f32([2, 3], [0, 5, 0, 0, 0, 5])),
  OperatorCase(
    "DepthToSpace, columns first", opset: 11, node("DepthToSpace", ["x"], .int("blocksize", 2), .string("mode", "CRD")),
    [("x", f32([1, 4, 1, 1], [1, 2, 3, 4]))], gives: f32([1, 1, 2, 2], [1, 2, 3, 4])),
  OperatorCase(
    "Range downwards", opset: 11, node("Range", ["a", "b", "c"]),
    [("a", f32([], [5])), ("b", f32([], [0])), ("c", f32([], [-2]))], gives: f32([3], [5, 3, 1])),
  OperatorCase(
    "Einsum", opset: 12, node("Einsum", ["a", "b"], .string("equation", "ij,jk->ik")),
    [("a", f32([1, 2], [1, 2])), ("b", f32([2, 1], [3, 4]))], gives: f32([1, 1], [11])),
  OperatorCase(
    "Trilu", opset: 14, node("Trilu", ["x"], .int("upper", 0)), [("x", f32([2, 2], [1, 2, 3, 4]))],
    gives: f32([2, 2], [1, 0, 3, 4])),
  OperatorCase("Erf of integers", opset: 13, node("Erf", ["x"]), [("x", i64([-9, 0, 9]))], gives: i64([-1, 0, 1])),
  OperatorCase(
    "Resize of integers between them", opset: 13, node("Resize", ["x", "", "s"], .string("mode", "linear")),
    [("x", i64([0, 10])), ("s", f32([1], [2]))], gives: i64([0, 2, 7, 10])),
  OperatorCase(
    "Gemm of integers by a fraction", opset: 13, node("Gemm", ["a", "b"], .float("alpha", 0.5)),
    [("a", i64([6], shape: [1, 1])), ("b", i64([3], shape: [1, 1]))], gives: i64([9], shape: [1, 1])),
  OperatorCase(
    "Shrink of integers by a fraction", opset: 9, node("Shrink", ["x"], .float("lambd", 1.5), .float("bias", 1.5)),
    [("x", i64([-3, -1, 2, 100]))], gives: i64([-1, 0, 0, 98])),
  OperatorCase(
    "Shrink of large integers", opset: 9, node("Shrink", ["x"], .float("bias", 1)),
    [("x", i64([9_007_199_254_740_995]))], gives: i64([9_007_199_254_740_994])),
  OperatorCase("Sign", opset: 13, node("Sign", ["x"]), [("x", f32([2], [-3, 0]))], gives: f32([2], [-1, 0])),
  OperatorCase(
    "Resize by a factor that f32 rounds", opset: 13, node("Resize", ["x", "", "s"]),
    [("x", f32([50], Array(repeating: 1, count: 50))), ("s", f32([1], [0.7]))],
    gives: f32([35], Array(repeating: 1, count: 35))),
  OperatorCase(
    "Resize to the nearest of places that f32 rounds", opset: 13, node("Resize", ["x", "", "s"]),
    [("x", f32([7], [0, 1, 2, 3, 4, 5, 6])), ("s", f32([1], [0.7]))], gives: f32([4], [0, 2, 3, 4])),
  OperatorCase(
    "Resize to one element", opset: 13,
    node(
      "Resize", ["x", "", "s"], .string("coordinate_transformation_mode", "pytorch_half_pixel"),
      .string("nearest_mode", "round_prefer_ceil")),
    [("x", f32([3], [0, 1, 2])), ("s", f32([1], [0.5]))], gives: f32([1], [0])),
  OperatorCase(
    "MaxPool of a window larger than the operand", opset: 12,
    node("MaxPool", ["x"], .ints("kernel_shape", [2]), .ints("strides", [2]), .int("ceil_mode", 1)),
    [("x", f32([1, 1, 1], [3]))], gives: f32([1, 1, 1], [3])),
  // By a stride: no element, as ONNX's formula and ONNX Runtime have it.
  OperatorCase(
    "MaxPool of a window that is larger by a stride", opset: 12,
    node("MaxPool", ["x"], ["y", "i"], .ints("kernel_shape", [5, 2]), .ints("strides", [2, 1])),
    [("x", f32([1, 1, 3, 3], (0..<9).map(Double.init)))], gives: f32([1, 1, 0, 2], []), i64([], shape: [1, 1, 0, 2])),
  OperatorCase(
    "AveragePool of a window that is larger by a stride", opset: 19,
    node("AveragePool", ["x"], .ints("kernel_shape", [5]), .ints("pads", [1, 0]), .int("ceil_mode", 1)),
    [("x", f32([1, 2, 3], (0..<6).map(Double.init)))], gives: f32([1, 2, 0], [])),
  OperatorCase(
    "LpPool of a window that is larger by a stride", opset: 18, node("LpPool", ["x"], .ints("kernel_shape", [4])),
    [("x", f32([1, 1, 3], [0, 1, 2]))], gives: f32([1, 1, 0], [])),
  OperatorCase(
    "MaxPool with places in the order of columns", opset: 12,
    node("MaxPool", ["x"], ["y", "i"], .ints("kernel_shape", [2, 2, 2]), .int("storage_order", 1)),
    [("x", f32([1, 1, 3, 2, 4], (0..<24).map(Double.init)))],
    gives: f32([1, 1, 2, 1, 3], [13, 14, 15, 21, 22, 23]), i64([10, 16, 22, 11, 17, 23], shape: [1, 1, 2, 1, 3])),
  OperatorCase(
    "ScatterND of truths, whose sum is or", opset: 16, node("ScatterND", ["x", "i", "u"], .string("reduction", "add")),
    [
      ("x", NDArray([true, false, false, true])), ("i", i64([1, 3, 3], shape: [3, 1])),
      ("u", NDArray([true, true, false])),
    ],
    gives: NDArray([true, true, false, true])),
  OperatorCase(
    "ScatterElements of truths, whose product is and", opset: 16,
    node("ScatterElements", ["x", "i", "u"], .string("reduction", "mul")),
    [("x", NDArray([true, true, false, true])), ("i", i64([1, 3, 3])), ("u", NDArray([true, true, false]))],
    gives: NDArray([true, true, false, false])),
  OperatorCase(
    "Hardmax of nothing", opset: 13, node("Hardmax", ["x"]), [("x", f32([2, 0], []))], gives: f32([2, 0], [])),
  OperatorCase(
    "DynamicQuantizeLinear of zeros", opset: 11, node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"]),
    [("x", f32([2], [0, 0]))], gives: NDArray([0, 0] as [UInt8]), f32([], [1]), NDArray(scalar: .integer(0), dtype: .u8)
  ),
  OperatorCase(
    "Pad of what is cut off first", opset: 13, node("Pad", ["x", "p"], .string("mode", "edge")),
    [("x", f32([4], [1, 2, 3, 4])), ("p", i64([-1, 2]))], gives: f32([5], [2, 3, 4, 4, 4])),
  OperatorCase(
    "LayerNormalization of f64 with statistics of f32", opset: 17, node("LayerNormalization", ["x", "s"], ["y", "m"]),
    [("x", unfailing { try NDArray([1.0, 3], shape: [1, 2]) }), ("s", NDArray([1.0, 1]))],
    gives: unfailing { try NDArray([-0.999995, 0.999995], shape: [1, 2]) }, f32([1, 1], [2])),
  OperatorCase(
    "TopK", opset: 11, node("TopK", ["x", "k"], ["v", "i"]),
    [("x", f32([2, 3], [1, 3, 2, 5, 4, 5])), ("k", i64([2]))],
    gives: f32([2, 2], [3, 2, 5, 5]), unfailing { try NDArray([1, 2, 0, 2] as [Int64], shape: [2, 2]) }),
  OperatorCase(
    "TopK of the least, along another axis", opset: 11,
    node("TopK", ["x", "k"], ["v", "i"], .int("axis", 0), .int("largest", 0)),
    [("x", f32([3, 1], [2, 1, 1])), ("k", i64([2]))], gives: f32([2, 1], [1, 1]),
    unfailing { try NDArray([1, 2] as [Int64], shape: [2, 1]) }),
  OperatorCase(
    "TopK by attribute", opset: 7, node("TopK", ["x"], ["v", "i"], .int("k", 1)), [("x", f32([3], [1, 3, 2]))],
    gives: f32([1], [3]), i64([1])),
  OperatorCase(
    "IsInf of one sign", opset: 10, node("IsInf", ["x"], .int("detect_negative", 0)),
    [("x", f32([3], [.infinity, -.infinity, 1]))], gives: NDArray([true, false, false])),
  OperatorCase(
    "RNN", opset: 14, node("RNN", ["x", "w", "r"], ["y", "h"], .int("hidden_size", 1)),
    [
      ("x", f32([2, 1, 1], [1, 1])), ("w", f32([1, 1, 1], [0.5])), ("r", f32([1, 1, 1], [1])),
    ], gives: f32([2, 1, 1, 1], [0.46211716, 0.74521974]), f32([1, 1, 1], [0.74521974])),
  // What the first operator sets say otherwise.
  OperatorCase(
    "Add from an axis on", opset: 6, node("Add", ["x", "b"], .int("broadcast", 1), .int("axis", 0)),
    [("x", row), ("b", f32([2], [10, 20]))], gives: f32([2, 3], [11, 12, 13, 24, 25, 26])),
  OperatorCase(
    "Less from the end", opset: 1, node("Less", ["x", "b"], .int("broadcast", 1)),
    [("x", row), ("b", f32([3], [2, 2, 4]))],
    gives: unfailing { try NDArray([true, false, true, false, false, false], shape: [2, 3]) }),
  OperatorCase(
    "PRelu of channels", opset: 6, node("PRelu", ["x", "s"]),
    [("x", f32([1, 2, 2], [-1, 1, -2, 2])), ("s", f32([2], [0.5, 0.25]))], gives: f32([1, 2, 2], [-0.5, 1, -0.5, 2])),
  OperatorCase(
    "Reshape by attribute", opset: 1, node("Reshape", ["x"], .ints("shape", [3, -1])), [("x", row)],
    gives: f32([3, 2], [1, 2, 3, 4, 5, 6])),
  OperatorCase(
    "Cast to a named type", opset: 1, node("Cast", ["x"], .string("to", "INT64")), [("x", f32([2], [1.5, -2]))],
    gives: i64([1, -2])),
  OperatorCase(
    "Tile of one axis", opset: 1, node("Tile", ["x", "t", "a"]),
    [("x", f32([2, 1], [1, 2])), ("t", f32([], [2])), ("a", f32([], [1]))], gives: f32([2, 2], [1, 1, 2, 2])),
  OperatorCase(
    "Concat along the second axis by default", opset: 1, node("Concat", ["x", "x"]), [("x", f32([2, 1], [1, 2]))],
    gives: f32([2, 2], [1, 1, 2, 2])),
  OperatorCase(
    "Pad by paddings", opset: 1, node("Pad", ["x"], .ints("paddings", [1, 0])), [("x", f32([1], [5]))],
    gives: f32([2], [0, 5])),
  OperatorCase(
    "Upsample by two factors", opset: 1,
    node("Upsample", ["x"], .float("height_scale", 1), .float("width_scale", 2)), [("x", f32([1, 1, 1, 2], [1, 2]))],
    gives: f32([1, 1, 1, 4], [1, 1, 2, 2])),
  OperatorCase(
    "LpPool of a float order", opset: 1, node("LpPool", ["x"], .ints("kernel_shape", [2]), .float("p", 2)),
    [("x", f32([1, 1, 2], [3, 4]))], gives: f32([1, 1, 1], [5])),
  OperatorCase(
    "ImageScaler", opset: 1, node("ImageScaler", ["x"], .float("scale", 2), .floats("bias", [1, -1])),
    [("x", f32([1, 2, 1, 1], [1, 2]))], gives: f32([1, 2, 1, 1], [3, 3])),
  OperatorCase(
    "Crop", opset: 1, node("Crop", ["x"], .ints("border", [1, 0, 1, 0])), [("x", f32([1, 1, 1, 3], [1, 2, 3]))],
    gives: f32([1, 1, 1, 1], [2])),
  OperatorCase(
    "MeanVarianceNormalization over the batch, too", opset: 1, node("MeanVarianceNormalization", ["x"]),
    [("x", f32([2, 1, 1, 2], [1, 3, 5, 7]))],
    gives: f32([2, 1, 1, 2], [-1.34164079, -0.4472136, 0.4472136, 1.34164079])),
  OperatorCase(
    "MeanVarianceNormalization without the variance", opset: 1,
    node("MeanVarianceNormalization", ["x"], .int("across_channels", 1), .int("normalize_variance", 0)),
    [("x", f32([1, 2, 1, 2], [1, 3, 5, 7]))], gives: f32([1, 2, 1, 2], [-3, -1, 1, 3])),
  OperatorCase(
    "Clip to finite numbers by default", opset: 6, node("Clip", ["x"], .float("min", 2)),
    [("x", f32([2], [.infinity, 1]))], gives: f32([2], [Double(Float.greatestFiniteMagnitude), 2])),
  OperatorCase(
    "Resize at TensorFlow's places", opset: 11,
    node(
      "Resize", ["x", "", "", "s"], .string("coordinate_transformation_mode", "tf_half_pixel_for_nn"),
      .string("nearest_mode", "floor")),
    [("x", f32([1, 1, 1, 4], [0, 1, 2, 3])), ("s", i64([1, 1, 1, 7]))],
    gives: f32([1, 1, 1, 7], [0, 0, 1, 2, 2, 3, 3])),
  OperatorCase(
    "Resize of a region between two elements", opset: 11,
    node(
      "Resize", ["x", "r", "", "s"], .string("coordinate_transformation_mode", "tf_crop_and_resize"),
      .float("extrapolation_value", 9)),
    [
      ("x", f32([1, 1, 1, 6], [0, 1, 2, 3, 4, 5])), ("r", f32([8], [0, 0, 0, 0.3, 1, 1, 1, 1.2])),
      ("s", i64([1, 1, 1, 4])),
    ], gives: f32([1, 1, 1, 4], [1, 3, 4, 9])),
  // Types that meet.
  OperatorCase(
    "Pow of halves by finer numbers", opset: 15, node("Pow", ["x", "e"]),
    [("x", array(.f16, [1], [3])), ("e", f32([1], [5.4321]))], gives: array(.f16, [1], [390.75])),
  OperatorCase(
    "Pow by an odd number that no float has", opset: 15, node("Pow", ["x", "e"]),
    [("x", f32([1], [-1])), ("e", i64([16_777_217]))], gives: f32([1], [-1])),
  OperatorCase(
    "Pow of an integer that no float has", opset: 15, node("Pow", ["x", "e"]),
    [("x", array(.i32, [1], [16_777_217])), ("e", f32([1], [1]))], gives: array(.i32, [1], [16_777_217])),
  OperatorCase(
    "Gemm of integers with fractions", opset: 13,
    node("Gemm", ["a", "b", "c"], .float("alpha", 0.5), .float("beta", 0.5)),
    [("a", array(.i32, [1, 1], [3])), ("b", array(.i32, [1, 1], [1])), ("c", array(.i32, [], [1]))],
    gives: array(.i32, [1, 1], [2])),
  OperatorCase(
    "GridSample of the nearest bytes", opset: 20, node("GridSample", ["x", "g"], .string("mode", "nearest")),
    [("x", array(.u8, [1, 1, 1, 3], [10, 20, 30])), ("g", f32([1, 1, 2, 2], [-0.6, 0, 0.6, 0]))],
    gives: array(.u8, [1, 1, 1, 2], [10, 30])),
  OperatorCase(
    "GridSample between integers", opset: 20, node("GridSample", ["x", "g"]),
    [("x", array(.i64, [1, 1, 1, 3], [10, 20, 30])), ("g", f32([1, 1, 1, 2], [0.5, 0]))],
    gives: array(.i64, [1, 1, 1, 1], [27])),
  OperatorCase(
    "QuantizeLinear to no named type", opset: 23,
    node("QuantizeLinear", ["x", "s"], .int("output_dtype", 0), .int("precision", 0)),
    [("x", f32([2], [1, 2])), ("s", f32([], [0.5]))], gives: array(.u8, [2], [2, 4])),
  // Numbers beyond what is common.
  OperatorCase(
    "Range of numbers that no float has", opset: 11, node("Range", ["a", "b", "d"]),
    [("a", array(.i64, [], [1 << 60])), ("b", array(.i64, [], [(1 << 60) + 5])), ("d", array(.i64, [], [2]))],
    gives: i64([1 << 60, (1 << 60) + 2, (1 << 60) + 4])),
  OperatorCase(
    "Range over all numbers", opset: 11, node("Range", ["a", "b", "d"]),
    [("a", array(.i64, [], [.max])), ("b", array(.i64, [], [.min])), ("d", array(.i64, [], [.min]))],
    gives: i64([.max, -1])),
  OperatorCase(
    "Trilu far from the diagonal", opset: 14, node("Trilu", ["x", "k"], .int("upper", 0)),
    [("x", row), ("k", array(.i64, [], [1 << 40]))], gives: row),
  OperatorCase(
    "Pad goes around twice", opset: 19, node("Pad", ["x", "p"], .string("mode", "wrap")),
    [("x", f32([3], [1, 2, 3])), ("p", i64([4, 5]))], gives: f32([12], [3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2])),
  OperatorCase(
    "Pad reflects twice, what is left", opset: 13, node("Pad", ["x", "p"], .string("mode", "reflect")),
    [("x", f32([4], [9, 1, 2, 3])), ("p", i64([-1, 5]))], gives: f32([8], [1, 2, 3, 2, 1, 2, 3, 2])),
]

private func array(_ dtype: ScalarType, _ shape: [Int], _ values: [Int]) -> NDArray {
  unfailing { try NDArray(dtype: dtype, shape: shape, values: values.map { .integer($0) }) }
}

private func array(_ dtype: ScalarType, _ shape: [Int], _ values: [Double]) -> NDArray {
  unfailing { try NDArray(dtype: dtype, shape: shape, values: values.map { .float($0) }) }
}

@Test("an operator gives what its definition says", arguments: cases)
func operatorGives(_ test: OperatorCase) throws {
  var model = TestModel(
    opset: test.opset, [test.node], inputs: test.inputs.map { ($0.name, $0.array.type) }, outputs: test.node.output)
  let results = try model.run(Dictionary(uniqueKeysWithValues: test.inputs.map { ($0.name, $0.array) }))
  try check(results, test)
  // The same with all operands as initializers, where much is computed while the graph is built.
  model.proto.graph.input = []
  for input in test.inputs { model = model.initializer(input.name, input.array) }
  try check(try model.run(), test)
}

private func check(_ results: [String: NDArray], _ test: OperatorCase) throws {
  for (name, expected) in zip(test.node.output, test.expected) {
    let actual = try #require(results[name])
    #expect(actual.type == expected.type)
    for (a, b) in zip(actual.doubles, expected.doubles) { #expect(abs(a - b) <= 1e-6 + 1e-5 * abs(b)) }
  }
}

@Test("batch normalization in every form of the operator", arguments: [7, 9, 14, 15])
func batchNormalization(_ opset: Int) throws {
  let model = TestModel(
    opset: opset, [node("BatchNormalization", ["x", "s", "b", "m", "v"], .float("epsilon", 0))],
    inputs: [("x", .f32(1, 2, 1))]
  )
  .initializer("s", f32([2], [1, 2])).initializer("b", f32([2], [0, 1])).initializer("m", f32([2], [1, 1]))
  .initializer("v", f32([2], [4, 4]))
  #expect(try model.run(["x": f32([1, 2, 1], [5, 5])])["y"]?.doubles == [2, 5])
}

/// What ONNX Runtime 1.31 gives from opset 7 on: averages, and then the mean and the inverse deviation of the batch.
@Test("the training of old operator sets gives four statistics", arguments: [1, 6, 7, 9, 13])
func oldTrainingBatchNormalization(_ opset: Int) throws {
  var attributes: [Onnx_AttributeProto] = [.float("momentum", 0.75)]
  if opset == 1 { attributes += [.ints("consumed_inputs", [0, 0, 0, 1, 1])] }
  if opset < 7 { attributes += [.int("is_test", 0)] }
  var model = TestModel(
    opset: opset, [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "rm", "rv", "sm", "sv"])],
    inputs: [("x", .f32(3, 2, 2))], outputs: ["y", "rm", "rv", "sm", "sv"]
  )
  .initializer("s", f32([2], [1, 2])).initializer("b", f32([2], [0.5, 0])).initializer("m", f32([2], [0, 1]))
  .initializer("v", f32([2], [1, 2]))
  model.proto.graph.node[0].attribute = attributes
  let x = f32([3, 2, 2], [1, 2, 0, 1, 3, 5, 2, 2, 4, 3, 1, 6])
  let wanted: [String: [Double]] = [
    "y": [
      -1.049189, -0.274594, -2.088929, -1.044464, 0.5, 2.049189, 0, 0, 1.274594, 0.5, -1.044464, 4.177857,
    ],
    "rm": [0.75, 1.25], "rv": [1.166667, 2.416667], "sm": [3, 2], "sv": [0.774594, 0.522232],
  ]
  for (name, numbers) in try model.run(["x": x]) {
    for (a, b) in zip(numbers.doubles, wanted[name] ?? []) { #expect(abs(a - b) < 1e-5, "\(name)") }
  }
  // The first result alone is training where the attribute says so.
  model.proto.graph.output.removeLast(4)
  model.proto.graph.node[0].output = ["y"]
  let alone = try #require(try model.run(["x": x])["y"]?.doubles)
  let isTraining = abs(alone[0] - 0.5) > 1 && abs(alone[0] + 1) < 0.5
  #expect(isTraining == (opset < 7))
}

@Test("places with parameters of their own are channels")
func placesAsChannels() throws {
  let model = TestModel(
    opset: 7,
    [node("BatchNormalization", ["x", "s", "b", "m", "v"], .int("spatial", 0), .float("epsilon", 0))],
    inputs: [("x", .f32(2, 1, 2))]
  )
  .initializer("s", f32([1, 2], [1, 2])).initializer("b", f32([1, 2], [0, 1])).initializer("m", f32([1, 2], [1, 3]))
  .initializer("v", f32([1, 2], [4, 1]))
  #expect(try model.run(["x": f32([2, 1, 2], [5, 5, 1, 3])])["y"]?.doubles == [2, 5, 0, 1])
}

@Test("a training batch normalization also gives the averages")
func trainingBatchNormalization() throws {
  let model = TestModel(
    opset: 15,
    [
      node(
        "BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "rm", "rv"], .int("training_mode", 1),
        .float("momentum", 0.5),
        .float("epsilon", 0))
    ], inputs: [("x", .f32(2, 1))], outputs: ["y", "rm", "rv"]
  )
  .initializer("s", f32([1], [1])).initializer("b", f32([1], [0])).initializer("m", f32([1], [0]))
  .initializer("v", f32([1], [1]))
  let results = try model.run(["x": f32([2, 1], [1, 5])])
  #expect(results["y"]?.doubles == [-1, 1])
  #expect(results["rm"]?.doubles == [1.5])
  #expect(results["rv"]?.doubles == [2.5])
}
