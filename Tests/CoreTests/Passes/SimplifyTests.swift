import LatheCore
import TestSupport
import Testing

/// Every rule of `simplify`, text in and text out, and the same numbers before and after.
@Suite struct SimplifyTests {
  /// A function of one result, `%y`, before and after; the same where nothing should change.
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: String
    let result: String
    let before: String
    let after: String
    let tolerance: Double

    init(
      _ name: String, _ arguments: String, _ result: String, _ before: String, _ after: String? = nil,
      tolerance: Double = 0
    ) {
      self.name = name
      self.arguments = arguments
      self.result = result
      self.before = before
      self.after = after ?? before
      self.tolerance = tolerance
    }

    var testDescription: String { name }

    func text(_ body: String) -> String { "func main(\(arguments)) -> (%y: \(result)) {\n\(body)\n}" }
  }

  @Test("rules make less of graphs that mean the same", arguments: views + broadcasts + arithmetic + structure)
  func rule(_ row: Row) throws {
    try expectRewrite(row.text(row.before), .simplify, row.text(row.after), tolerance: row.tolerance)
  }

  static let views: [Row] = [
    Row(
      "identities", "%x: f32[2,3]", "f32[2,3]",
      """
      %0 = reshape %x {shape: [2, 3]} : f32[2,3]
      %1 = permute %0 {axes: [0, 1]} : f32[2,3]
      %2 = slice %1 {start: [0, 0], limit: [2, 3], stride: [1, 1]} : f32[2,3]
      %z = constant 1.0 : f32[]
      %3 = pad %2, %z {low: [0, 0], high: [0, 0], interior: [0, 0]} : f32[2,3]
      %4 = convert %3 {to: f32} : f32[2,3]
      %5 = broadcast %4 {shape: [2, 3], axes: [0, 1]} : f32[2,3]
      %6 = concatenate %5 {axis: 1} : f32[2,3]
      %7 = reverse %6 {axes: []} : f32[2,3]
      %8 = reduce_sum %7 {axes: []} : f32[2,3]
      return %8
      """, "return %x"),
    Row(
      "reshape of reshape", "%x: f32[2,6]", "f32[12]",
      """
      %0 = reshape %x {shape: [3, 4]} : f32[3,4]
      %1 = reshape %0 {shape: [12]} : f32[12]
      return %1
      """,
      """
      %0 = reshape %x {shape: [12]} : f32[12]
      return %0
      """),
    Row(
      "reshape and back", "%x: f32[N,6]", "f32[N,6]",
      """
      %0 = reshape %x {shape: [N, 2, 3]} : f32[N,2,3]
      %1 = reshape %0 {shape: [N, 6]} : f32[N,6]
      return %1
      """, "return %x"),
    Row(
      "permute of permute", "%x: f32[2,3,4]", "f32[3,2,4]",
      """
      %0 = permute %x {axes: [2, 0, 1]} : f32[4,2,3]
      %1 = permute %0 {axes: [2, 1, 0]} : f32[3,2,4]
      return %1
      """,
      """
      %0 = permute %x {axes: [1, 0, 2]} : f32[3,2,4]
      return %0
      """),
    Row(
      "permute of units", "%x: f32[2,1,3]", "f32[1,2,3]",
      """
      %0 = permute %x {axes: [1, 0, 2]} : f32[1,2,3]
      return %0
      """,
      """
      %0 = reshape %x {shape: [1, 2, 3]} : f32[1,2,3]
      return %0
      """),
    Row(
      "slice of slice", "%x: f32[10,4]", "f32[2,2]",
      """
      %0 = slice %x {start: [1, 0], limit: [10, 3], stride: [2, 1]} : f32[5,3]
      %1 = slice %0 {start: [1, 1], limit: [5, 3], stride: [2, 1]} : f32[2,2]
      return %1
      """,
      """
      %0 = slice %x {start: [3, 1], limit: [8, 3], stride: [4, 1]} : f32[2,2]
      return %0
      """),
    Row(
      "pad that cuts", "%x: f32[5]", "f32[2]",
      """
      %z = constant 1.0 : f32[]
      %0 = pad %x, %z {low: [-1], high: [-2], interior: [0]} : f32[2]
      return %0
      """,
      """
      %0 = slice %x {start: [1], limit: [3], stride: [1]} : f32[2]
      return %0
      """),
    Row(
      "pad of pad", "%x: f32[3]", "f32[6]",
      """
      %z = constant 1.0 : f32[]
      %0 = pad %x, %z {low: [1], high: [2], interior: [0]} : f32[6]
      %1 = pad %0, %z {low: [1], high: [-1], interior: [0]} : f32[6]
      return %1
      """,
      """
      %z = constant 1.0 : f32[]
      %0 = pad %x, %z {low: [2], high: [1], interior: [0]} : f32[6]
      return %0
      """),
    Row(
      "pad of another value stays", "%x: f32[3]", "f32[5]",
      """
      %z = constant 1.0 : f32[]
      %0 = pad %x, %z {low: [1], high: [0], interior: [0]} : f32[4]
      %w = constant 2.0 : f32[]
      %1 = pad %0, %w {low: [1], high: [0], interior: [0]} : f32[5]
      return %1
      """),
    Row(
      "convert through a wider type", "%x: i8[4]", "f32[4]",
      """
      %0 = convert %x {to: i32} : i32[4]
      %1 = convert %0 {to: f32} : f32[4]
      return %1
      """,
      """
      %0 = convert %x {to: f32} : f32[4]
      return %0
      """),
    Row(
      "convert through a narrower type stays", "%x: f32[4]", "f32[4]",
      """
      %0 = convert %x {to: f16} : f16[4]
      %1 = convert %0 {to: f32} : f32[4]
      return %1
      """),
    Row(
      "negative integers through floats to unsigned stay", "%x: i8[4]", "u8[4]",
      """
      %0 = convert %x {to: f32} : f32[4]
      %1 = convert %0 {to: u8} : u8[4]
      return %1
      """),
    Row(
      "reverse of reverse", "%x: f32[2,3,4]", "f32[2,3,4]",
      """
      %0 = reverse %x {axes: [0, 1]} : f32[2,3,4]
      %1 = reverse %0 {axes: [1, 2]} : f32[2,3,4]
      return %1
      """,
      """
      %0 = reverse %x {axes: [0, 2]} : f32[2,3,4]
      return %0
      """),
    Row(
      "concatenate of concatenate", "%x: f32[2], %z: f32[0]", "f32[6]",
      """
      %0 = concatenate %x, %z, %x {axis: 0} : f32[4]
      %1 = concatenate %0, %x {axis: 0} : f32[6]
      return %1
      """,
      """
      %0 = concatenate %x, %x, %x {axis: 0} : f32[6]
      return %0
      """),
    Row(
      "slice of concatenate", "%x: f32[2,3], %z: f32[2,4]", "f32[1,2]",
      """
      %0 = concatenate %x, %z {axis: 1} : f32[2,7]
      %1 = slice %0 {start: [1, 4], limit: [2, 6], stride: [1, 1]} : f32[1,2]
      return %1
      """,
      """
      %0 = slice %z {start: [1, 1], limit: [2, 3], stride: [1, 1]} : f32[1,2]
      return %0
      """),
  ]

  static let broadcasts: [Row] = [
    Row(
      "broadcast of broadcast", "%x: f32[3]", "f32[2,3,4]",
      """
      %0 = broadcast %x {shape: [3, 4], axes: [0]} : f32[3,4]
      %1 = broadcast %0 {shape: [2, 3, 4], axes: [1, 2]} : f32[2,3,4]
      return %1
      """,
      """
      %0 = broadcast %x {shape: [2, 3, 4], axes: [1]} : f32[2,3,4]
      return %0
      """),
    Row(
      "broadcast that repeats nothing", "%x: f32[3]", "f32[1,3]",
      """
      %0 = broadcast %x {shape: [1, 3], axes: [1]} : f32[1,3]
      return %0
      """,
      """
      %0 = reshape %x {shape: [1, 3]} : f32[1,3]
      return %0
      """),
    Row(
      "broadcast of reshape", "%x: f32[3]", "f32[2,3,4]",
      """
      %0 = reshape %x {shape: [3, 1]} : f32[3,1]
      %1 = broadcast %0 {shape: [2, 3, 4], axes: [1, 2]} : f32[2,3,4]
      return %1
      """,
      """
      %0 = broadcast %x {shape: [2, 3, 4], axes: [1]} : f32[2,3,4]
      return %0
      """),
    Row(
      "reshape of broadcast", "%x: f32[3]", "f32[3,1,4]",
      """
      %0 = broadcast %x {shape: [1, 3, 4], axes: [1]} : f32[1,3,4]
      %1 = reshape %0 {shape: [3, 1, 4]} : f32[3,1,4]
      return %1
      """,
      """
      %0 = broadcast %x {shape: [3, 1, 4], axes: [0]} : f32[3,1,4]
      return %0
      """),
    Row(
      "reshape of a number", "%x: f32[1]", "f32[12]",
      """
      %0 = broadcast %x {shape: [3, 4], axes: [0]} : f32[3,4]
      %1 = reshape %0 {shape: [12]} : f32[12]
      return %1
      """,
      """
      %0 = reshape %x {shape: []} : f32[]
      %1 = broadcast %0 {shape: [12], axes: []} : f32[12]
      return %1
      """),
    Row(
      "permute of broadcast", "%x: f32[2,3]", "f32[3,4,2]",
      """
      %0 = broadcast %x {shape: [2, 3, 4], axes: [0, 1]} : f32[2,3,4]
      %1 = permute %0 {axes: [1, 2, 0]} : f32[3,4,2]
      return %1
      """,
      """
      %0 = permute %x {axes: [1, 0]} : f32[3,2]
      %1 = broadcast %0 {shape: [3, 4, 2], axes: [0, 2]} : f32[3,4,2]
      return %1
      """),
    Row(
      "slice of broadcast", "%x: f32[1,3]", "f32[1,2,1]",
      """
      %0 = broadcast %x {shape: [2, 3, 4], axes: [0, 1]} : f32[2,3,4]
      %1 = slice %0 {start: [1, 1, 2], limit: [2, 3, 4], stride: [1, 1, 2]} : f32[1,2,1]
      return %1
      """,
      """
      %0 = slice %x {start: [0, 1], limit: [1, 3], stride: [1, 1]} : f32[1,2]
      %1 = reshape %0 {shape: [1, 2, 1]} : f32[1,2,1]
      return %1
      """),
    Row(
      "reverse of broadcast", "%x: f32[3]", "f32[2,3]",
      """
      %0 = broadcast %x {shape: [2, 3], axes: [1]} : f32[2,3]
      %1 = reverse %0 {axes: [0, 1]} : f32[2,3]
      return %1
      """,
      """
      %0 = reverse %x {axes: [0]} : f32[3]
      %1 = broadcast %0 {shape: [2, 3], axes: [1]} : f32[2,3]
      return %1
      """),
    Row(
      "maximum of copies", "%x: f32[3]", "f32[3]",
      """
      %0 = broadcast %x {shape: [2, 3], axes: [1]} : f32[2,3]
      %1 = reduce_max %0 {axes: [0]} : f32[3]
      return %1
      """, "return %x"),
    Row(
      "sum of copies of a literal", "", "f32[3]",
      """
      %c = constant 1.5 : f32[]
      %0 = broadcast %c {shape: [100, 3], axes: []} : f32[100,3]
      %1 = reduce_sum %0 {axes: [0]} : f32[3]
      return %1
      """,
      """
      %c = constant 150.0 : f32[]
      %0 = broadcast %c {shape: [3], axes: []} : f32[3]
      return %0
      """),
    Row(
      "sum of copies of a value stays", "%x: f32[3]", "f32[3]",
      """
      %0 = broadcast %x {shape: [2, 3], axes: [1]} : f32[2,3]
      %1 = reduce_sum %0 {axes: [0]} : f32[3]
      return %1
      """),
  ]

  /// `f(x, c)` for a number `c`.
  private static func number(
    _ name: String, _ type: String, _ function: String, _ number: String, _ after: String, tolerance: Double = 0
  ) -> Row {
    Row(
      name, "%x: \(type)[4]", "\(type)[4]",
      """
      %c = constant \(number) : \(type)[]
      %0 = broadcast %c {shape: [4], axes: []} : \(type)[4]
      %1 = \(function) %x, %0 : \(type)[4]
      return %1
      """, after, tolerance: tolerance)
  }

  static let arithmetic: [Row] = [
    number("x + 0", "f32", "add", "0.0", "return %x"),
    number("x - 0", "f32", "subtract", "0.0", "return %x"),
    number("x * 1", "f32", "multiply", "1.0", "return %x"),
    number("x / 1", "f16", "divide", "1.0", "return %x"),
    number("x ^ 1", "f32", "power", "1.0", "return %x"),
    number("maximum with -infinity", "f32", "maximum", "-inf", "return %x"),
    number("minimum with the greatest", "i8", "minimum", "127", "return %x"),
    number("and with all bits", "i8", "and", "-1", "return %x"),
    number("and with true", "bool", "and", "true", "return %x"),
    number("or with 0", "u8", "or", "0", "return %x"),
    number(
      "x * 0 of integers", "i32", "multiply", "0",
      """
      %c = constant 0 : i32[]
      %0 = broadcast %c {shape: [4], axes: []} : i32[4]
      return %0
      """),
    number(
      "x * 0 of floats stays", "f32", "multiply", "0.0",
      """
      %c = constant 0.0 : f32[]
      %0 = broadcast %c {shape: [4], axes: []} : f32[4]
      %1 = multiply %x, %0 : f32[4]
      return %1
      """),
    number("x * -1", "f32", "multiply", "-1.0", "%0 = negate %x : f32[4]\nreturn %0"),
    number(
      "unsigned x * 255 stays", "u8", "multiply", "255",
      """
      %c = constant 255 : u8[]
      %0 = broadcast %c {shape: [4], axes: []} : u8[4]
      %1 = multiply %x, %0 : u8[4]
      return %1
      """),
    number("square", "f32", "power", "2.0", "%0 = multiply %x, %x : f32[4]\nreturn %0", tolerance: 1e-7),
    number(
      "cube", "f64", "power", "3.0",
      """
      %0 = multiply %x, %x : f64[4]
      %1 = multiply %0, %x : f64[4]
      return %1
      """, tolerance: 1e-15),
    number("square root", "f32", "power", "0.5", "%0 = sqrt %x : f32[4]\nreturn %0", tolerance: 1e-7),
    number("reciprocal of a square root", "f32", "power", "-0.5", "%0 = rsqrt %x : f32[4]\nreturn %0", tolerance: 1e-7),
    number(
      "x / 8", "f32", "divide", "8.0",
      """
      %c = constant 0.125 : f32[]
      %0 = broadcast %c {shape: [4], axes: []} : f32[4]
      %1 = multiply %x, %0 : f32[4]
      return %1
      """),
    number(
      "x / 3 stays", "f32", "divide", "3.0",
      """
      %c = constant 3.0 : f32[]
      %0 = broadcast %c {shape: [4], axes: []} : f32[4]
      %1 = divide %x, %0 : f32[4]
      return %1
      """),
    Row(
      "0 - x", "%x: f32[4]", "f32[4]",
      """
      %c = constant 0.0 : f32[4]
      %0 = subtract %c, %x : f32[4]
      return %0
      """, "%0 = negate %x : f32[4]\nreturn %0"),
    Row(
      "x + -y and x - -y", "%x: f32[4], %z: f32[4]", "f32[4]",
      """
      %0 = negate %z : f32[4]
      %1 = add %x, %0 : f32[4]
      %2 = subtract %1, %0 : f32[4]
      return %2
      """,
      """
      %0 = subtract %x, %z : f32[4]
      %1 = add %0, %z : f32[4]
      return %1
      """),
    Row(
      "literals to the right", "%x: f32[2]", "bool[2]",
      """
      %c = constant [1.0, 2.0] : f32[2]
      %0 = add %c, %x : f32[2]
      %1 = less %c, %0 : bool[2]
      return %1
      """,
      """
      %c = constant [1.0, 2.0] : f32[2]
      %0 = add %x, %c : f32[2]
      %1 = greater %0, %c : bool[2]
      return %1
      """),
    Row(
      "1 / sqrt(x)", "%x: f32[2]", "f32[2]",
      """
      %c = constant 1.0 : f32[2]
      %0 = sqrt %x : f32[2]
      %1 = divide %c, %0 : f32[2]
      return %1
      """, "%0 = rsqrt %x : f32[2]\nreturn %0", tolerance: 1e-6),
    Row(
      "functions of themselves", "%x: f32[2]", "f32[2]",
      """
      %0 = negate %x : f32[2]
      %1 = negate %0 : f32[2]
      %2 = abs %1 : f32[2]
      %3 = abs %2 : f32[2]
      return %3
      """, "%0 = abs %x : f32[2]\nreturn %0"),
    Row(
      "select between equals", "%p: bool[2], %x: f32[2]", "f32[2]",
      """
      %0 = select %p, %x, %x : f32[2]
      return %0
      """, "return %x"),
    Row(
      "select by a known choice", "%x: f32[2], %z: f32[2]", "f32[2]",
      """
      %p = constant false : bool[2]
      %0 = select %p, %x, %z : f32[2]
      return %0
      """, "return %z"),
    Row(
      "relu of relu", "%x: f32[2]", "f32[2]",
      """
      %c = constant 0.0 : f32[2]
      %0 = maximum %x, %c : f32[2]
      %1 = maximum %0, %c : f32[2]
      return %1
      """,
      """
      %c = constant 0.0 : f32[2]
      %0 = maximum %x, %c : f32[2]
      return %0
      """),
    Row(
      "sums of integers with literals", "%x: i32[2]", "i32[2]",
      """
      %a = constant [1, 2] : i32[2]
      %b = constant [3, 4] : i32[2]
      %0 = add %x, %a : i32[2]
      %1 = add %0, %b : i32[2]
      return %1
      """,
      """
      %a = constant [4, 6] : i32[2]
      %0 = add %x, %a : i32[2]
      return %0
      """),
    Row(
      "sums of floats with literals stay", "%x: f32[2]", "f32[2]",
      """
      %a = constant [1.0, 2.0] : f32[2]
      %0 = add %x, %a : f32[2]
      %b = constant [3.0, 4.0] : f32[2]
      %1 = add %0, %b : f32[2]
      return %1
      """),
    Row(
      "x - x of integers", "%x: i32[2]", "i32[2]",
      """
      %0 = subtract %x, %x : i32[2]
      return %0
      """,
      """
      %c = constant 0 : i32[]
      %0 = broadcast %c {shape: [2], axes: []} : i32[2]
      return %0
      """),
  ]

  static let structure: [Row] = [
    Row(
      "reduction of units", "%x: f32[2,1,3]", "f32[3]",
      """
      %0 = reduce_max %x {axes: [0, 1]} : f32[3]
      return %0
      """,
      """
      %0 = reshape %x {shape: [2, 3]} : f32[2,3]
      %1 = reduce_max %0 {axes: [0]} : f32[3]
      return %1
      """),
    Row(
      "pad into convolution", "%x: f32[1,1,3,3], %w: f32[1,1,2,2]", "f32[1,1,4,4]",
      """
      %z = constant 0.0 : f32[]
      %0 = pad %x, %z {low: [0, 0, 1, 0], high: [0, 0, 1, 1], interior: [0, 0, 0, 0]} : f32[1,1,5,4]
      %1 = convolution %0, %w {stride: [1, 1], low: [0, 1], high: [0, 0], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,1,4,4]
      return %1
      """,
      """
      %0 = convolution %x, %w {stride: [1, 1], low: [1, 1], high: [1, 1], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,1,4,4]
      return %0
      """),
    Row(
      "pad with ones before a convolution stays", "%x: f32[1,1,3], %w: f32[1,1,2]", "f32[1,1,3]",
      """
      %z = constant 1.0 : f32[]
      %0 = pad %x, %z {low: [0, 0, 1], high: [0, 0, 0], interior: [0, 0, 0]} : f32[1,1,4]
      %1 = convolution %0, %w {stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1], groups: 1} : f32[1,1,3]
      return %1
      """),
    Row(
      "pad into windows", "%x: f32[2,4]", "f32[2,4]",
      """
      %z = constant -inf : f32[]
      %0 = pad %x, %z {low: [0, 1], high: [0, 0], interior: [0, 0]} : f32[2,5]
      %1 = window_max %0 {size: [2], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1]} : f32[2,4]
      return %1
      """,
      """
      %0 = window_max %x {size: [2], stride: [1], low: [1], high: [0], input_dilation: [1], dilation: [1]} : f32[2,4]
      return %0
      """),
    Row(
      "window of one", "%x: f32[2,4]", "f32[2,4]",
      """
      %0 = window_sum %x {size: [1], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1]} : f32[2,4]
      return %0
      """, "return %x"),
    Row(
      "batch of one", "%x: f32[1,2,3], %z: f32[4,1,3]", "f32[1,2,4]",
      """
      %0 = dot %x, %z {left_batch: [0], right_batch: [1], left_contracting: [2], right_contracting: [2]} : f32[1,2,4]
      return %0
      """,
      """
      %0 = reshape %x {shape: [2, 3]} : f32[2,3]
      %1 = reshape %z {shape: [4, 3]} : f32[4,3]
      %2 = dot %0, %1 {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : f32[2,4]
      %3 = reshape %2 {shape: [1, 2, 4]} : f32[1,2,4]
      return %3
      """),
    Row(
      "weights of a dot", "%x: f32[2,3]", "f32[2,2]",
      """
      %w = constant [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] : f32[2,3]
      %0 = dot %x, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : f32[2,2]
      return %0
      """,
      """
      %w = constant [1.0, 4.0, 2.0, 5.0, 3.0, 6.0] : f32[3,2]
      %0 = dot %x, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[2,2]
      return %0
      """),
    Row(
      "gather of evenly spaced places", "%x: f32[2,5]", "f32[2,2]",
      """
      %i = constant [1, 3] : i64[2,1]
      %0 = gather %x, %i {batch: 0, axes: [1]} : f32[2,2]
      return %0
      """,
      """
      %0 = slice %x {start: [0, 1], limit: [2, 4], stride: [1, 2]} : f32[2,2]
      %1 = permute %0 {axes: [1, 0]} : f32[2,2]
      return %1
      """),
    Row(
      "gather of one place", "%x: f32[2,5]", "f32[2]",
      """
      %i = constant 3 : i64[1]
      %0 = gather %x, %i {batch: 0, axes: [1]} : f32[2]
      return %0
      """,
      """
      %0 = slice %x {start: [0, 3], limit: [2, 4], stride: [1, 1]} : f32[2,1]
      %1 = reshape %0 {shape: [2]} : f32[2]
      return %1
      """),
    Row(
      "gather of a quantised table", "%q: u8[9,4], %s: f32[9]", "f32[2,4]",
      """
      %i = constant [7, 2] : i64[2,1]
      %z = constant 128.0 : f32[]
      %0 = convert %q {to: f32} : f32[9,4]
      %1 = broadcast %z {axes: [], shape: [9,4]} : f32[9,4]
      %2 = subtract %0, %1 : f32[9,4]
      %3 = broadcast %s {axes: [0], shape: [9,4]} : f32[9,4]
      %4 = multiply %2, %3 : f32[9,4]
      %5 = gather %4, %i {batch: 0, axes: [0]} : f32[2,4]
      return %5
      """,
      """
      %i = constant [7, 2] : i64[2,1]
      %0 = gather %q, %i {batch: 0, axes: [0]} : u8[2,4]
      %1 = convert %0 {to: f32} : f32[2,4]
      %2 = constant 128.0 : f32[2,4]
      %3 = subtract %1, %2 : f32[2,4]
      %4 = gather %s, %i {batch: 0, axes: [0]} : f32[2]
      %5 = broadcast %4 {axes: [0], shape: [2,4]} : f32[2,4]
      %6 = multiply %3, %5 : f32[2,4]
      return %6
      """),
    Row(
      "gather of columns that share a row", "%x: f32[5], %b: f32[3]", "f32[2,3]",
      """
      %i = constant [4, 1] : i64[2,1]
      %0 = broadcast %b {axes: [0], shape: [3,5]} : f32[3,5]
      %1 = broadcast %x {axes: [1], shape: [3,5]} : f32[3,5]
      %2 = add %0, %1 : f32[3,5]
      %3 = gather %2, %i {batch: 0, axes: [1]} : f32[2,3]
      return %3
      """,
      """
      %i = constant [4, 1] : i64[2,1]
      %0 = broadcast %b {axes: [1], shape: [2,3]} : f32[2,3]
      %1 = gather %x, %i {batch: 0, axes: [0]} : f32[2]
      %2 = broadcast %1 {axes: [0], shape: [2,3]} : f32[2,3]
      %3 = add %0, %2 : f32[2,3]
      return %3
      """),
    Row(
      "gather of a table that others read stays before them", "%q: u8[9,4]", "f32[2,4]",
      """
      %i = constant [7, 2] : i64[2,1]
      %0 = convert %q {to: f32} : f32[9,4]
      %1 = gather %0, %i {batch: 0, axes: [0]} : f32[2,4]
      %2 = slice %0 {start: [0, 0], limit: [2, 4], stride: [1, 1]} : f32[2,4]
      %3 = add %1, %2 : f32[2,4]
      return %3
      """),
    Row(
      "gather outside stays", "%x: f32[5]", "f32[2]",
      """
      %i = constant [4, 5] : i64[2,1]
      %0 = gather %x, %i {batch: 0, axes: [0], outside: ignored} : f32[2]
      return %0
      """),
    Row(
      "scatter of nothing", "%x: f32[5], %u: f32[0]", "f32[5]",
      """
      %i = constant [] : i64[0,1]
      %0 = scatter_sum %x, %i, %u {batch: 0, axes: [0]} : f32[5]
      return %0
      """, "return %x"),
    Row(
      "known branch", "%x: f32[2]", "f32[2]",
      """
      %p = constant true : bool[]
      %0 = cond %p, %x {
        then: func region(%a: f32[2]) -> (%r: f32[2]) {
          %0 = exp %a : f32[2]
          return %0
        },
        else: func region(%a: f32[2]) -> (%r: f32[2]) {
          return %a
        }
      } : f32[2]
      return %0
      """, "%0 = exp %x : f32[2]\nreturn %0"),
    Row(
      "bodies of loops", "%x: f32[2]", "f32[2]",
      """
      %0 = scan %x {
        length: [3],
        carry: 1,
        sequences: 0,
        reverse: false,
        body: func region(%a: f32[2]) -> (%r: f32[2]) {
          %0 = negate %a : f32[2]
          %1 = negate %0 : f32[2]
          %2 = sin %1 : f32[2]
          return %2
        }
      } : f32[2]
      return %0
      """,
      """
      %0 = scan %x {
        length: [3],
        carry: 1,
        sequences: 0,
        reverse: false,
        body: func region(%a: f32[2]) -> (%r: f32[2]) {
          %0 = sin %a : f32[2]
          return %0
        }
      } : f32[2]
      return %0
      """),
  ]
}
