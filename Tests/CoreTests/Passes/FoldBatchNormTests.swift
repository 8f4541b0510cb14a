import LatheCore
import TestSupport
import Testing

@Suite struct FoldBatchNormTests {
  @Test func batchNormFollowingABiasedConvolutionLeavesOneBias() throws {
    try expectRewrite(
      """
      func main(%x: f32[1,1,3,3]) -> (%y: f32[1,2,2,2]) {
        %w = constant [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] : f32[2,1,2,2]
        %0 = convolution %x, %w {stride: [1, 1], low: [0, 0], high: [0, 0], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,2,2,2]
        %bias = constant [1.0, 2.0] : f32[2]
        %1 = broadcast %bias {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %2 = add %0, %1 : f32[1,2,2,2]
        %mean = constant [0.5, -0.5] : f32[2,1,1]
        %3 = broadcast %mean {shape: [1, 2, 2, 2], axes: [1, 2, 3]} : f32[1,2,2,2]
        %4 = subtract %2, %3 : f32[1,2,2,2]
        %deviation = constant [2.0, 4.0] : f32[2]
        %5 = broadcast %deviation {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %6 = divide %4, %5 : f32[1,2,2,2]
        %7 = broadcast %bias {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %8 = multiply %7, %6 : f32[1,2,2,2]
        %9 = add %8, %5 : f32[1,2,2,2]
        return %9
      }
      """, .foldBatchNorm,
      """
      func main(%x: f32[1,1,3,3]) -> (%y: f32[1,2,2,2]) {
        %0 = constant [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0] : f32[2,1,2,2]
        %1 = convolution %x, %0 {stride: [1, 1], low: [0, 0], high: [0, 0], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,2,2,2]
        %2 = constant [2.25, 5.25] : f32[2]
        %3 = broadcast %2 {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %4 = add %1, %3 : f32[1,2,2,2]
        return %4
      }
      """, tolerance: 1e-6)
  }
}
