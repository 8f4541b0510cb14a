import LatheCore
import Testing

/// One mistake each, and the whole diagnostic: what is wrong, with which operands, what would fit.
@Suite struct TypeRuleTests {
  private static let head = """
    func main(%a: f32[2,3], %b: f32[3,2], %e: f32[0,3], %i: i32[2,3], %j: i64[2,1], %k: f64[2,3], %n: f32[N,3], \
    %p: bool[2,3], %q: bool[], %s: f32[], %w: f32[6,2,3], %x: f32[1,4,5]) -> () {
    """

  private static let rows: [(statement: String, rendering: String)] = [
    (
      "%r = exp %i : f32[2,3]",
      """
      a.lathe:2:8: error: exp: is not defined on i32, only on floats
        note: %i: i32[2,3]
        help: convert the operand
      """
    ),
    (
      "%r = add %a, %b : f32[2,3]",
      """
      a.lathe:2:8: error: add: operands have different shapes, [2,3] and [3,2]
        note: %a: f32[2,3]
        note: %b: f32[3,2]
      """
    ),
    (
      "%r = add %a, %k : f32[2,3]",
      """
      a.lathe:2:8: error: add: operands have different element types, f32 and f64
        note: %a: f32[2,3]
        note: %k: f64[2,3]
        help: convert one of them
      """
    ),
    (
      "%r = add %a : f32[2,3]",
      """
      a.lathe:2:8: error: add: takes 2 operands, 1 given
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = add %p, %p : bool[2,3]",
      """
      a.lathe:2:8: error: add: is not defined on bool, only on numbers
        note: %p: bool[2,3]
        note: %p: bool[2,3]
        help: convert the operand
      """
    ),
    (
      "%r = and %a, %a : f32[2,3]",
      """
      a.lathe:2:8: error: and: is not defined on f32, only on integers or bool
        note: %a: f32[2,3]
        note: %a: f32[2,3]
        help: convert the operand
      """
    ),
    (
      "%r = shift_left %p, %p : bool[2,3]",
      """
      a.lathe:2:8: error: shift_left: is not defined on bool, only on integers
        note: %p: bool[2,3]
        note: %p: bool[2,3]
        help: convert the operand
      """
    ),
    (
      "%r = select %a, %a, %a : f32[2,3]",
      """
      a.lathe:2:8: error: select: the predicate is f32, not bool
        note: %a: f32[2,3]
        note: %a: f32[2,3]
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = select %p, %a, %k : f32[2,3]",
      """
      a.lathe:2:8: error: select: operands have different element types, f32 and f64
        note: %p: bool[2,3]
        note: %a: f32[2,3]
        note: %k: f64[2,3]
        help: convert one of them
      """
    ),
    (
      "%r = bitcast %a {to: f64} : f64[2,3]",
      """
      a.lathe:2:8: error: bitcast: f32 and f64 have different sizes
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = convert %a, %a {to: f64} : f64[2,3]",
      """
      a.lathe:2:8: error: convert: takes 1 operand, 2 given
        note: %a: f32[2,3]
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = convert %a {to: f31} : f64[2,3]",
      """
      a.lathe:2:8: error: convert: attribute 'to' is not a scalar type
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = convert %a : f64[2,3]",
      """
      a.lathe:2:8: error: convert: attribute 'to' is missing
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = detach %a {to: f32} : f32[2,3]",
      """
      a.lathe:2:8: error: detach: has no attribute 'to'
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = reshape %a {shape: [4]} : f32[4]",
      """
      a.lathe:2:8: error: reshape: [2,3] has 6 elements, [4] has 4
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = reshape %n {shape: [3]} : f32[3]",
      """
      a.lathe:2:8: error: reshape: [N,3] has 3*N elements, [3] has 3
        note: %n: f32[N,3]
      """
    ),
    (
      "%r = reshape %a {shape: [-2, -3]} : f32[2,3]",
      """
      a.lathe:2:8: error: reshape: the result f32[-2,-3] has the negative size -2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = permute %a {axes: [0, 0]} : f32[3,2]",
      """
      a.lathe:2:8: error: permute: [0, 0] is not a permutation of the axes of f32[2,3]
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = broadcast %a {shape: [2, 4], axes: [0, 1]} : f32[2,4]",
      """
      a.lathe:2:8: error: broadcast: axis 1 of f32[2,3] has size 3, [2,4] needs 4 or 1
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = broadcast %a {shape: [2, 3], axes: [1, 0]} : f32[2,3]",
      """
      a.lathe:2:8: error: broadcast: axes [1, 0] are not ascending
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = broadcast %a {shape: [2, 3], axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: broadcast: 1 axes are given for a tensor of rank 2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = slice %a {start: [0, 0], limit: [3, 3], stride: [1, 1]} : f32[2,3]",
      """
      a.lathe:2:8: error: slice: 0..<3 is outside axis 0 of size 2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = slice %a {start: [0, 0], limit: [2, 3], stride: [1, 0]} : f32[2,3]",
      """
      a.lathe:2:8: error: slice: stride 0 on axis 1 is not positive
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = slice %a {start: [0], limit: [2], stride: [1]} : f32[2,3]",
      """
      a.lathe:2:8: error: slice: start, limit and stride need 2 numbers each for f32[2,3]
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = reverse %a {axes: [2]} : f32[2,3]",
      """
      a.lathe:2:8: error: reverse: axes: axis 2 is outside a tensor of rank 2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = reverse %a {axes: [0, 0]} : f32[2,3]",
      """
      a.lathe:2:8: error: reverse: axes [0, 0] are not distinct
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = pad %a, %a {low: [0, 0], high: [0, 0], interior: [0, 0]} : f32[2,3]",
      """
      a.lathe:2:8: error: pad: the padding value f32[2,3] is not a scalar
        note: %a: f32[2,3]
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = pad %a, %s {low: [0, -4], high: [0, 0], interior: [0, 0]} : f32[2,3]",
      """
      a.lathe:2:8: error: pad: axis 1 of f32[2,3] would get size -1
        note: %a: f32[2,3]
        note: %s: f32[]
      """
    ),
    (
      "%r = pad %a, %s {low: [0, 0], high: [0, 0], interior: [0, -1]} : f32[2,3]",
      """
      a.lathe:2:8: error: pad: interior -1 on axis 1 is negative
        note: %a: f32[2,3]
        note: %s: f32[]
      """
    ),
    (
      "%r = pad %a, %s {low: [0], high: [0], interior: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: pad: low, high and interior need 2 numbers each for f32[2,3]
        note: %a: f32[2,3]
        note: %s: f32[]
      """
    ),
    (
      "%r = concatenate %a, %b {axis: 0} : f32[5,3]",
      """
      a.lathe:2:8: error: concatenate: sizes differ on axis 1, which is not the one joined (0): 3 in f32[2,3] and 2 \
      in f32[3,2]
        note: %a: f32[2,3]
        note: %b: f32[3,2]
      """
    ),
    (
      "%r = concatenate %a, %s {axis: 0} : f32[5,3]",
      """
      a.lathe:2:8: error: concatenate: operands have different ranks, f32[2,3] and f32[]
        note: %a: f32[2,3]
        note: %s: f32[]
      """
    ),
    (
      "%r = concatenate {axis: 0} : f32[5,3]",
      "a.lathe:2:8: error: concatenate: needs at least one operand"
    ),
    (
      "%r = gather %a, %s {batch: 0, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: the indices are f32, not integers
        note: %a: f32[2,3]
        note: %s: f32[]
      """
    ),
    (
      "%r = gather %a, %i {batch: 0, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: the last axis of the indices i32[2,3] must have size 1, one for each addressed axis
        note: %a: f32[2,3]
        note: %i: i32[2,3]
      """
    ),
    (
      "%r = gather %a, %i {batch: 1, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: axes [0] are not ascending after 1 batch axes
        note: %a: f32[2,3]
        note: %i: i32[2,3]
      """
    ),
    (
      "%r = gather %a, %i {batch: 2, axes: []} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: 2 batch axes do not fit f32[2,3] and indices i32[2,3]
        note: %a: f32[2,3]
        note: %i: i32[2,3]
      """
    ),
    (
      "%r = gather %a, %j {batch: 0, axes: [0], outside: clamp} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: outside is 'clamp', neither error nor ignored
        note: %a: f32[2,3]
        note: %j: i64[2,1]
      """
    ),
    (
      "%r = gather %e, %j {batch: 0, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: gather: axis 0 of f32[0,3] has no elements that the indices i64[2,1] could address
        note: %e: f32[0,3]
        note: %j: i64[2,1]
      """
    ),
    (
      """
      %c = constant [1, 2] : i64[2,1]
      %r = gather %a, %c {batch: 0, axes: [0]} : f32[2,3]
      """,
      """
      a.lathe:3:6: error: gather: index 2 is out of range for axis 0 of f32[2,3]
        note: %a: f32[2,3]
        note: constant: i64[2,1]
      """
    ),
    (
      """
      %c = constant [0, 1, 1, -1] : i32[2,2]
      %u = constant [0, 0] : f32[2]
      %r = scatter_sum %a, %c, %u {batch: 0, axes: [0, 1]} : f32[2,3]
      """,
      """
      a.lathe:4:6: error: scatter_sum: index -1 is out of range for axis 1 of f32[2,3]
        note: %a: f32[2,3]
        note: constant: i32[2,2]
        note: constant: f32[2]
      """
    ),
    (
      """
      %c = constant 5 : i64[]
      %d = broadcast %c {shape: [4,1], axes: []} : i64[4,1]
      %r = gather %a, %d {batch: 0, axes: [1]} : f32[4,2]
      """,
      """
      a.lathe:4:6: error: gather: index 5 is out of range for axis 1 of f32[2,3]
        note: %a: f32[2,3]
        note: %13 = broadcast: i64[4,1]
      """
    ),
    (
      "%r = scatter %a, %j, %k {batch: 0, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: scatter: operands have different element types, f32 and f64
        note: %a: f32[2,3]
        note: %j: i64[2,1]
        note: %k: f64[2,3]
        help: convert one of them
      """
    ),
    (
      "%r = scatter_sum %a, %j, %b {batch: 0, axes: [0]} : f32[2,3]",
      """
      a.lathe:2:8: error: scatter_sum: the updates f32[3,2] should have shape [2,3]
        note: %a: f32[2,3]
        note: %j: i64[2,1]
        note: %b: f32[3,2]
      """
    ),
    (
      "%r = reduce_sum %p {axes: [0]} : bool[3]",
      """
      a.lathe:2:8: error: reduce_sum: is not defined on bool
        note: %p: bool[2,3]
        help: convert the operand to i64
      """
    ),
    (
      "%r = reduce_max %a {axes: [2]} : f32[3]",
      """
      a.lathe:2:8: error: reduce_max: axes: axis 2 is outside a tensor of rank 2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = reduce_mean %a {axes: [1]} : f32[3]",
      """
      a.lathe:2:8: error: reduce_mean: no operation has this name
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = arg_sum %a {axis: 0} : i64[3]",
      """
      a.lathe:2:8: error: arg_sum: sum has no arg form
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = arg_max %e {axis: 0} : i64[3]",
      """
      a.lathe:2:8: error: arg_max: axis 0 of f32[0,3] is empty
        note: %e: f32[0,3]
      """
    ),
    (
      "%r = cumulative_sum %a {axis: -1, reverse: false} : f32[2,3]",
      """
      a.lathe:2:8: error: cumulative_sum: axes: axis -1 is outside a tensor of rank 2
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = cumulative_sum %a {axis: 0, reverse: 1} : f32[2,3]",
      """
      a.lathe:2:8: error: cumulative_sum: attribute 'reverse' is not true or false
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = dot %a, %b {left_batch: [], right_batch: [], left_contracting: [0], right_contracting: [0]} : \
      f32[3,2]
      """,
      """
      a.lathe:2:8: error: dot: contracted sizes differ, 2 (axis 0 of f32[2,3]) and 3 (axis 0 of f32[3,2])
        note: %a: f32[2,3]
        note: %b: f32[3,2]
      """
    ),
    (
      """
      %r = dot %a, %b {left_batch: [0], right_batch: [0], left_contracting: [], right_contracting: []} : \
      f32[3,2]
      """,
      """
      a.lathe:2:8: error: dot: batch sizes differ, 2 (axis 0 of f32[2,3]) and 3 (axis 0 of f32[3,2])
        note: %a: f32[2,3]
        note: %b: f32[3,2]
      """
    ),
    (
      """
      %r = dot %a, %b {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: []} : f32[3,2]
      """,
      """
      a.lathe:2:8: error: dot: the operands name different numbers of batch or contracted axes
        note: %a: f32[2,3]
        note: %b: f32[3,2]
      """
    ),
    (
      """
      %r = dot %p, %p {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : \
      f32[3,2]
      """,
      """
      a.lathe:2:8: error: dot: is not defined on bool
        note: %p: bool[2,3]
        note: %p: bool[2,3]
        help: convert the operands
      """
    ),
    (
      """
      %r = convolution %x, %w {stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1], groups: \
      1} : f32[1,6,3]
      """,
      """
      a.lathe:2:8: error: convolution: the input has 4 channels (axis 1 of f32[1,4,5]), the weight takes 2 (axis 1 \
      of f32[6,2,3], times 1 groups), a weight with 4 would fit
        note: %x: f32[1,4,5]
        note: %w: f32[6,2,3]
      """
    ),
    (
      """
      %r = convolution %x, %w {stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [3], groups: \
      2} : f32[1,6,3]
      """,
      """
      a.lathe:2:8: error: convolution: the kernel of size 7 is larger than the padded input of size 5 on spatial \
      axis 0
        note: %x: f32[1,4,5]
        note: %w: f32[6,2,3]
      """
    ),
    (
      """
      %r = convolution %x, %w {stride: [0], low: [0], high: [0], input_dilation: [1], dilation: [1], groups: \
      2} : f32[1,6,3]
      """,
      """
      a.lathe:2:8: error: convolution: strides, dilations and groups are positive, given 0
        note: %x: f32[1,4,5]
        note: %w: f32[6,2,3]
      """
    ),
    (
      """
      %r = convolution %x, %w {stride: [1], low: [0, 1], high: [0], input_dilation: [1], dilation: [1], \
      groups: 2} : f32[1,6,3]
      """,
      """
      a.lathe:2:8: error: convolution: padding and dilation need 1 numbers each
        note: %x: f32[1,4,5]
        note: %w: f32[6,2,3]
      """
    ),
    (
      """
      %r = convolution %x, %a {stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1], groups: \
      2} : f32[1,6,3]
      """,
      """
      a.lathe:2:8: error: convolution: 1 spatial axes need operands of rank 3, given f32[1,4,5] and f32[2,3]
        note: %x: f32[1,4,5]
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = window_max %a {size: [4], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1]} : \
      f32[2,3]
      """,
      """
      a.lathe:2:8: error: window_max: the window of size 4 is larger than the padded input of size 3 on window axis 0
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = window_max %a {size: [0], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1]} : \
      f32[2,3]
      """,
      """
      a.lathe:2:8: error: window_max: sizes, strides and dilations are positive, given 0
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = window_max %s {size: [1], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: [1]} : \
      f32[2,3]
      """,
      """
      a.lathe:2:8: error: window_max: a window of 1 axes does not fit f32[]
        note: %s: f32[]
      """
    ),
    (
      """
      %r = window_sum %a {size: [1], stride: [1, 1], low: [0], high: [0], input_dilation: [1], dilation: [1]} \
      : f32[2,3]
      """,
      """
      a.lathe:2:8: error: window_sum: stride, padding and dilation need 1 numbers each
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = window_arg_sum %a {size: [1], stride: [1], low: [0], high: [0], input_dilation: [1], dilation: \
      [1]} : f32[2,3]
      """,
      """
      a.lathe:2:8: error: window_arg_sum: sum has no arg form
        note: %a: f32[2,3]
      """
    ),
    (
      "%r = iota {dtype: i64, shape: [2], axis: 1} : i64[2]",
      "a.lathe:2:8: error: iota: axes: axis 1 is outside a tensor of rank 1"
    ),
    (
      "%r = iota {dtype: bool, shape: [2], axis: 0} : bool[2]",
      "a.lathe:2:8: error: iota: is not defined on bool"
    ),
    (
      "%r = slice %a {start: [4294967296, 0], limit: [2, 3], stride: [1, 1]} : f32[2,3]",
      """
      a.lathe:2:8: error: slice: attribute 'start' has 4294967296, beyond 2^31
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = cond %s, %a {then: func f(%x: f32[2,3]) -> (%y: f32[2,3]) { return %x }, else: func f(%x: \
      f32[2,3]) -> (%y: f32[2,3]) { return %x }} : f32[2,3]
      """,
      """
      a.lathe:2:8: error: cond: the predicate is f32[], not bool[]
        note: %s: f32[]
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = cond %q, %s {then: func f(%x: f32[2,3]) -> (%y: f32[2,3]) { return %x }, else: func f(%x: f32[]) \
      -> (%y: f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: cond: the first branch takes [f32[2,3]], given [f32[]]
        note: %q: bool[]
        note: %s: f32[]
      """
    ),
    (
      """
      %r = cond %q, %s {then: func f(%x: f32[]) -> (%y: f32[]) { return %x }, else: func f(%x: f32[]) -> () { \
      return }} : f32[]
      """,
      """
      a.lathe:2:8: error: cond: the branches give different types, [f32[]] and []
        note: %q: bool[]
        note: %s: f32[]
      """
    ),
    (
      """
      %r = while %s {state: 1, condition: func f(%x: f32[]) -> (%y: f32[]) { return %x }, body: func f(%x: \
      f32[]) -> (%y: f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: while: the condition gives [f32[]], not one bool[]
        note: %s: f32[]
      """
    ),
    (
      """
      %r = while %s {state: 2, condition: func f(%x: f32[]) -> (%y: f32[]) { return %x }, body: func f(%x: \
      f32[]) -> (%y: f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: while: 2 states of 1 operands
        note: %s: f32[]
      """
    ),
    (
      """
      %r = scan %s, %a {length: [3], carry: 1, sequences: 1, reverse: false, body: func f(%x: f32[], %y: \
      f32[3]) -> (%z: f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: scan: sequence 0 is f32[2,3], its first axis should have the scan's length 3
        note: %s: f32[]
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = scan %s, %a {length: [2], carry: 1, sequences: 1, reverse: false, body: func f(%x: f32[], %y: \
      f32[3]) -> (%z: f32[3]) { return %y }} : f32[]
      """,
      """
      a.lathe:2:8: error: scan: the body gives the carry [f32[3]], it starts as [f32[]]
        note: %s: f32[]
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = scan %s, %a {length: [2], carry: 2, sequences: 1, reverse: false, body: func f(%x: f32[], %y: \
      f32[3]) -> (%z: f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: scan: 2 carries and 1 sequences of 2 operands
        note: %s: f32[]
        note: %a: f32[2,3]
      """
    ),
    (
      """
      %r = scan %s, %a {length: [2], carry: 1, sequences: 1, reverse: false, body: func f(%x: f32[]) -> (%z: \
      f32[]) { return %x }} : f32[]
      """,
      """
      a.lathe:2:8: error: scan: the body takes [f32[]], given [f32[], f32[3]]
        note: %s: f32[]
        note: %a: f32[2,3]
      """
    ),
  ]

  @Test("a type rule names what is wrong", arguments: rows)
  func mistake(_ statement: String, _ rendering: String) {
    do {
      _ = try Graph(parsing: "\(Self.head)\n  \(statement)\n  return\n}", file: "a.lathe")
      Issue.record("no fault: \(statement)")
    } catch {
      #expect(error.description == rendering)
    }
  }
}
