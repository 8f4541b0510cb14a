/// A perceptron with a symbol for its batch.
let perceptron = """
  func mlp(%x: f32[N,4]) -> (%y: f32[N,3]) {
    var @fc.weight: f32[3,4] parameter = 0.5
    var @fc.bias: f32[3] parameter = [1, 2, 3]
    %0 = dot %x, @fc.weight {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : f32[N,3] // in fc
    %1 = broadcast @fc.bias {shape: [N,3], axes: [1]} : f32[N,3] // in fc
    %2 = add %0, %1 : f32[N,3] // in fc
    return %2
  }

  """

/// Three mistakes that have nothing to do with one another.
let faulty = """
  func main(%x: f32[2,4], %y: f32[3,4]) -> (%z: f32[2,4]) {
    %0 = add %x, %y : f32[2,4]
    %1 = permute %x {axes: [0,5]} : f32[4,2]
    %2 = reshape %y {shape: [5,5]} : f32[5,5]
    %3 = add %x, %0 : f32[2,4]
    return %3
  }

  """

/// The sum and the largest of integers, and a mean: several outputs, several types.
let statistics = """
  func statistics(%counts: i64[6], %weights: f32[2,3]) -> (%total: i64[], %"most/count": i64[], %sum: f32[]) {
    %0 = reduce_sum %counts {axes: [0]} : i64[]
    %1 = reduce_max %counts {axes: [0]} : i64[]
    %2 = reduce_sum %weights {axes: [0, 1]} : f32[]
    return %0, %1, %2
  }

  """

/// The first elements, as many as an input says, and the same twice.
let selection = """
  func selection(%x: f32[4], %n: i64[]) -> (%y: f32[?n0], %twice: f32[2*?n0]) {
    %0 = extent %n {size: [?n0], capacity: [4]} : i64[]
    %1 = slice %x {start: [0], limit: [?n0], stride: [1]} : f32[?n0]
    %2 = concatenate %1, %1 {axis: 0} : f32[2*?n0]
    return %1, %2
  }

  """
