import LatheCore
import TestSupport
import Testing

/// What the lowering decides, to be read: a graph's text in, its program's text out.
@Suite struct LoweringTextTests {
  private func expect(
    _ graph: String, _ target: Target, _ kernels: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let program = try Program(lowering: Graph(parsing: graph), target: target)
    try program.verify()
    #expect(
      program.text == (try Program(parsing: Self.head(program) + kernels + "\n}").text), sourceLocation: sourceLocation)
  }

  /// The line that names the program and its target.
  private static func head(_ program: Program) -> String { program.text.prefix { $0 != "\n" } + "\n" }

  // MARK: Fusion

  @Test("what leads into a reduction and what follows it are one kernel") func chains() throws {
    try expect(
      """
      func fused(%x: f32[2,4], %b: f32[4]) -> (%y: f32[2]) {
        %0 = broadcast %b {shape: [2, 4], axes: [1]} : f32[2,4]
        %1 = add %x, %0 : f32[2,4]
        %2 = exp %1 : f32[2,4]
        %3 = reduce_sum %2 {axes: [1]} : f32[2]
        %4 = negate %3 : f32[2]
        return %4
      }
      """, .generic,
      """
      input x: f32[2,4]
      input b: f32[4]
      output y: f32[2]
      kernel add_exp_reduce_sum "add, exp, reduce_sum, negate" {nodes: [2, 3, 4, 5, 6]} {
        for i0 < 2 {
          let r0: f32 = 0.0:f32
          r0 = sum over i1 < 4 of exp(add(x[4*i0 + i1], b[i1]))
          y[i0] = negate(r0)
        }
      }
      steps {
        run add_exp_reduce_sum
      }
      """)
  }

  @Test("a value that two reductions over different axes read is computed once") func readTwice() throws {
    try expect(
      """
      func twice(%x: f32[3,4]) -> (%y: f32[3], %z: f32[4]) {
        %0 = tanh %x : f32[3,4]
        %1 = reduce_max %0 {axes: [1]} : f32[3]
        %2 = reduce_max %0 {axes: [0]} : f32[4]
        return %1, %2
      }
      """, .generic,
      """
      input x: f32[3,4]
      output y: f32[3]
      output z: f32[4]
      temporary tanh: f32[3,4]
      kernel tanh_1 "tanh" {in_place: [x], nodes: [1]} {
        for i2 < 12 vector {
          tanh[i2] = tanh(x[i2])
        }
      }
      kernel reduce_max "reduce_max" {nodes: [2]} {
        for i0 < 3 {
          let r0: f32 = -inf:f32
          r0 = max over i1 < 4 of tanh[4*i0 + i1]
          y[i0] = r0
        }
      }
      kernel reduce_max_1 "reduce_max" {nodes: [3]} {
        local %a0: f32[4]
        for i0 < 4 vector {
          %a0[i0] = -inf:f32
        }
        for i1 < 3 {
          for i0 < 4 vector {
            %a0[i0] = maximum(%a0[i0], tanh[i0 + 4*i1])
          }
        }
        for i0 < 4 vector {
          z[i0] = %a0[i0]
        }
      }
      steps {
        run tanh_1
        run reduce_max
        run reduce_max_1
      }
      """)
  }

  @Test("the pieces of a concatenation are parts of one kernel") func concatenations() throws {
    try expect(
      """
      func joined(%x: f32[2,2], %z: f32[2,3]) -> (%y: f32[2,5]) {
        %0 = negate %x : f32[2,2]
        %1 = concatenate %0, %z {axis: 1} : f32[2,5]
        return %1
      }
      """, .generic,
      """
      input x: f32[2,2]
      input z: f32[2,3]
      output y: f32[2,5]
      kernel negate_concatenate "negate, concatenate" {nodes: [2, 3]} {
        part {
          for i0 < 2 {
            for i2 < 2 vector {
              y[5*i0 + i2] = negate(x[2*i0 + i2])
            }
          }
        }
        part {
          for i0 < 2 {
            for i3 < 3 vector {
              y[5*i0 + i3 + 2] = z[3*i0 + i3]
            }
          }
        }
      }
      steps {
        run negate_concatenate
      }
      """)
  }

  @Test("transposes and reshapes are index arithmetic") func views() throws {
    try expect(
      """
      func views(%x: f32[2,3]) -> (%y: f32[6]) {
        %0 = permute %x {axes: [1, 0]} : f32[3,2]
        %1 = negate %0 : f32[3,2]
        %2 = reshape %1 {shape: [6]} : f32[6]
        return %2
      }
      """, .generic,
      """
      input x: f32[2,3]
      output y: f32[6]
      kernel negate "negate" {nodes: [1, 2]} {
        for i0 < 3 {
          for i1 < 2 vector {
            y[2*i0 + i1] = negate(x[i0 + 3*i1])
          }
        }
      }
      steps {
        run negate
      }
      """)
  }

  // MARK: Layouts

  @Test("channels between convolutions are in blocks, and their weights packed") func blocks() throws {
    try expect(
      """
      func constants(%x: f32[1,4,2,2]) -> (%y: f32[1,4,2,2]) {
        %k = constant 0.5 : f32[4,4,1,1]
        %0 = convolution %x, %k {stride: [1,1], low: [0,0], high: [0,0], input_dilation: [1,1], dilation: [1,1], groups: 1} : f32[1,4,2,2]
        %1 = exp %0 : f32[1,4,2,2]
        %2 = convolution %1, %k {stride: [1,1], low: [0,0], high: [0,0], input_dilation: [1,1], dilation: [1,1], groups: 1} : f32[1,4,2,2]
        return %2
      }
      """, .x86V2,
      """
      input x: f32[1,4,2,2]
      output y: f32[1,4,2,2]
      constant weight: f32[4,4,1,1] = 0.5
      temporary exp: f32[1,1,2,2,4]
      constant weight_packed: f32[4,4] = 0.5 of f32[4,4,1,1] rearranged {origin: 0, extents: [4, 4], strides: [1, 4], filled: 4}
      kernel convolution_exp "convolution, exp" {macs: 64, nodes: [2, 3]} {
        local %a0: f32[16] in vectors of 4
        for i8 < 4 unrolled {
          for i4 < 4 lanes {
            %a0[i4 + 4*i8] = 0.0:f32
          }
        }
        for i5 < 4 unrolled {
          for i8 < 4 unrolled {
            let r0: f32 = x[4*i5 + i8]
            for i4 < 4 lanes {
              %a0[i4 + 4*i8] = add(%a0[i4 + 4*i8], multiply(r0, weight_packed[i4 + 4*i5]))
            }
          }
        }
        for i8 < 4 unrolled {
          for i4 < 4 lanes {
            exp[i4 + 4*i8] = exp(%a0[i4 + 4*i8])
          }
        }
      }
      kernel convolution "convolution" {macs: 64, nodes: [4]} {
        local %a0: f32[16]
        for i1 < 4 {
          for i7 < 4 vector {
            %a0[4*i1 + i7] = 0.0:f32
          }
        }
        for i4 < 4 {
          for i1 < 4 {
            let r0: f32 = weight[4*i1 + i4]
            for i7 < 4 vector {
              %a0[4*i1 + i7] = add(%a0[4*i1 + i7], multiply(exp[i4 + 4*i7], r0))
            }
          }
        }
        for i1 < 4 {
          for i7 < 4 vector {
            y[4*i1 + i7] = %a0[4*i1 + i7]
          }
        }
      }
      steps {
        run convolution_exp
        run convolution
      }
      """)
  }

  @Test("a cumulative sum reads blocks and writes rows") func cumulativeSums() throws {
    try expect(
      """
      func running(%x: f32[1,4,1,2], %k: f32[4,4,1,1]) -> (%y: f32[1,4,1,2]) {
        %0 = convolution %x, %k {stride: [1,1], low: [0,0], high: [0,0], input_dilation: [1,1], dilation: [1,1], groups: 1} : f32[1,4,1,2]
        %1 = cumulative_sum %0 {axis: 1, reverse: false} : f32[1,4,1,2]
        return %1
      }
      """, .x86V2,
      """
      input x: f32[1,4,1,2]
      input k: f32[4,4,1,1]
      output y: f32[1,4,1,2]
      temporary convolution: f32[1,1,1,2,4]
      kernel convolution_1 "convolution" {macs: 32, nodes: [2]} {
        for i3 < 2 {
          local %a0: f32[4]
          for i4 < 4 vector {
            %a0[i4] = 0.0:f32
          }
          for i5 < 4 {
            let r0: f32 = x[i3 + 2*i5]
            for i4 < 4 vector {
              %a0[i4] = add(%a0[i4], multiply(r0, k[4*i4 + i5]))
            }
          }
          for i4 < 4 vector {
            convolution[4*i3 + i4] = %a0[i4]
          }
        }
      }
      kernel cumulative_sum "cumulative_sum" {nodes: [3]} {
        for i3 < 2 {
          let r0: f32 = 0.0:f32
          for i1 < 4 {
            r0 = add(r0, convolution[i1 + 4*i3])
            y[2*i1 + i3] = r0
          }
        }
      }
      steps {
        run convolution_1
        run cumulative_sum
      }
      """)
  }

  // MARK: Schedules

  @Test("loops over neighbouring axes of the same step are one") func collapsing() throws {
    try expect(
      """
      func s(%x: f32[2,3,4]) -> (%y: f32[2,3,4]) {
        %0 = negate %x : f32[2,3,4]
        return %0
      }
      """, .generic,
      """
      input x: f32[2,3,4]
      output y: f32[2,3,4]
      kernel negate "negate" {in_place: [x], nodes: [1]} {
        for i4 < 24 vector {
          y[i4] = negate(x[i4])
        }
      }
      steps {
        run negate
      }
      """)
  }

  @Test("a sum of few results is partial sums side by side") func partialSums() throws {
    try expect(
      """
      func sums(%x: f32[146,4]) -> (%y: f32[4]) {
        %0 = reduce_sum %x {axes: [0]} : f32[4]
        return %0
      }
      """, .x86V2,
      """
      input x: f32[146,4]
      output y: f32[4]
      kernel reduce_sum "reduce_sum" {nodes: [1]} {
        local %a0: f32[8] in vectors of 4
        for i3 < 2 unrolled {
          for i0 < 4 lanes {
            %a0[i0 + 4*i3] = 0.0:f32
          }
        }
        for i2 < 73 {
          for i3 < 2 unrolled {
            for i0 < 4 lanes {
              %a0[i0 + 4*i3] = add(%a0[i0 + 4*i3], x[i0 + 8*i2 + 4*i3])
            }
          }
        }
        for i0 < 4 lanes {
          %a0[i0] = add(%a0[i0], %a0[i0 + 4])
        }
        for i0 < 4 lanes {
          y[i0] = %a0[i0]
        }
      }
      steps {
        run reduce_sum
      }
      """)
  }

  @Test("a long sum is cut into blocks: in rows, in tiles, in registers") func longSums() throws {
    try expect(
      """
      func sums(%x: f32[2048,4]) -> (%y: f32[4]) {
        %0 = reduce_sum %x {axes: [0]} : f32[4]
        return %0
      }
      """, .generic,
      """
      input x: f32[2048,4]
      output y: f32[4]
      kernel reduce_sum "reduce_sum" {nodes: [1]} {
        local %a0: f32[4]
        for i0 < 4 vector {
          %a0[i0] = 0.0:f32
        }
        for i3 < 4 {
          local %a1: f32[4]
          for i0 < 4 vector {
            %a1[i0] = 0.0:f32
          }
          for max(0, 512*i3) <= i1 < min(2048, 512*i3 + 512) {
            for i0 < 4 vector {
              %a1[i0] = add(%a1[i0], x[i0 + 4*i1])
            }
          }
          for i0 < 4 vector {
            %a0[i0] = add(%a0[i0], %a1[i0])
          }
        }
        for i0 < 4 vector {
          y[i0] = %a0[i0]
        }
      }
      steps {
        run reduce_sum
      }
      """)
    try expect(
      """
      func product(%x: f32[5,2048], %w: f32[2048,4]) -> (%y: f32[5,4]) {
        %0 = dot %x, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[5,4]
        return %0
      }
      """, .x86V2,
      """
      input x: f32[5,2048]
      input w: f32[2048,4]
      output y: f32[5,4]
      kernel dot "dot" {macs: 40960, nodes: [2]} {
        local %a1: f32[20] in vectors of 4
        for i0 < 5 unrolled {
          for i1 < 4 lanes {
            %a1[4*i0 + i1] = 0.0:f32
          }
        }
        for i4 < 4 {
          local %a0: f32[20] in vectors of 4
          for i0 < 5 unrolled {
            for i1 < 4 lanes {
              %a0[4*i0 + i1] = 0.0:f32
            }
          }
          for max(0, 512*i4) <= i2 < min(2048, 512*i4 + 512) {
            for i0 < 5 unrolled {
              let r0: f32 = x[2048*i0 + i2]
              for i1 < 4 lanes {
                %a0[4*i0 + i1] = add(%a0[4*i0 + i1], multiply(r0, w[i1 + 4*i2]))
              }
            }
          }
          for i0 < 5 unrolled {
            for i1 < 4 lanes {
              %a1[4*i0 + i1] = add(%a1[4*i0 + i1], %a0[4*i0 + i1])
            }
          }
        }
        for i0 < 5 unrolled {
          for i1 < 4 lanes {
            y[4*i0 + i1] = %a1[4*i0 + i1]
          }
        }
      }
      steps {
        run dot
      }
      """)
    try expect(
      """
      func sums(%x: f32[2,3,10000]) -> (%y: f32[3]) {
        %0 = reduce_sum %x {axes: [0, 2]} : f32[3]
        return %0
      }
      """, .generic,
      """
      input x: f32[2,3,10000]
      output y: f32[3]
      kernel reduce_sum "reduce_sum" {nodes: [1]} {
        for i0 < 3 {
          let r0: f32 = 0.0:f32
          for i1 < 2 {
            for i3 < 2 {
              let r1: f32 = 0.0:f32
              r1 = sum over max(0, 5000*i3) <= i2 < min(10000, 5000*i3 + 5000) in 16 lanes of x[10000*i0 + 30000*i1 + i2]
              r0 = add(r0, r1)
            }
          }
          y[i0] = r0
        }
      }
      steps {
        run reduce_sum
      }
      """)
  }

  @Test("a product is computed in register tiles") func tiles() throws {
    try expect(
      """
      func product(%x: f32[4,3], %w: f32[3,16]) -> (%y: f32[4,16]) {
        %0 = dot %x, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[4,16]
        return %0
      }
      """, .x86V2,
      """
      input x: f32[4,3]
      input w: f32[3,16]
      output y: f32[4,16]
      kernel dot "dot" {macs: 192, nodes: [2]} {
        for i5 < 2 {
          local %a0: f32[32] in vectors of 4
          for i6 < 2 unrolled {
            for i0 < 4 unrolled {
              for i4 < 4 lanes {
                %a0[4*i0 + i4 + 16*i6] = 0.0:f32
              }
            }
          }
          for i2 < 3 unrolled {
            for i0 < 4 unrolled {
              let r0: f32 = x[3*i0 + i2]
              for i6 < 2 unrolled {
                for i4 < 4 lanes {
                  %a0[4*i0 + i4 + 16*i6] = add(%a0[4*i0 + i4 + 16*i6], multiply(r0, w[16*i2 + i4 + 8*i5 + 4*i6]))
                }
              }
            }
          }
          for i6 < 2 unrolled {
            for i0 < 4 unrolled {
              for i4 < 4 lanes {
                y[16*i0 + i4 + 8*i5 + 4*i6] = %a0[4*i0 + i4 + 16*i6]
              }
            }
          }
        }
      }
      steps {
        run dot
      }
      """)
  }

  @Test("a reduction over rows runs in lanes over columns") func lanes() throws {
    try expect(
      """
      func twice(%x: f32[3,4]) -> (%y: f32[3], %z: f32[4]) {
        %0 = tanh %x : f32[3,4]
        %1 = reduce_max %0 {axes: [1]} : f32[3]
        %2 = reduce_max %0 {axes: [0]} : f32[4]
        return %1, %2
      }
      """, .x86V2,
      """
      input x: f32[3,4]
      output y: f32[3]
      output z: f32[4]
      temporary tanh: f32[3,4]
      kernel tanh_1 "tanh" {in_place: [x], nodes: [1]} {
        for i2 < 12 vector {
          tanh[i2] = tanh(x[i2])
        }
      }
      kernel reduce_max "reduce_max" {nodes: [2]} {
        for i0 < 3 {
          let r0: f32 = -inf:f32
          r0 = max over i1 < 4 of tanh[4*i0 + i1]
          y[i0] = r0
        }
      }
      kernel reduce_max_1 "reduce_max" {nodes: [3]} {
        local %a0: f32[4] in vectors of 4
        for i0 < 4 lanes {
          %a0[i0] = -inf:f32
        }
        for i1 < 3 unrolled {
          for i0 < 4 lanes {
            %a0[i0] = maximum(%a0[i0], tanh[i0 + 4*i1])
          }
        }
        for i0 < 4 lanes {
          z[i0] = %a0[i0]
        }
      }
      steps {
        run tanh_1
        run reduce_max
        run reduce_max_1
      }
      """)
  }

  // MARK: Slabs

  @Test("a product that only another reads is computed by rows, right before them") func products() throws {
    try expect(
      """
      func chain(%x: f32[8,4], %v: f32[4,16], %w: f32[16,4]) -> (%y: f32[8,4]) {
        %0 = dot %x, %v {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[8,16]
        %1 = dot %0, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[8,4]
        return %1
      }
      """, .nextToNoCache,
      """
      input x: f32[8,4]
      input v: f32[4,16]
      input w: f32[16,4]
      output y: f32[8,4]
      temporary dot: f32[4,16]
      kernel dot_1(t2 < 2) "dot" {macs: 256, nodes: [3]} {
        for i5 < 4 {
          for i7 < 2 {
            local %a0: f32[8] in vectors of 4
            for i6 < 1 unrolled {
              for i8 < 2 unrolled {
                for i4 < 4 lanes {
                  %a0[i4 + 4*i8] = 0.0:f32
                }
              }
            }
            for i2 < 4 unrolled {
              for i8 < 2 unrolled {
                let r0: f32 = x[16*t2 + i2 + 8*i7 + 4*i8]
                for i6 < 1 unrolled {
                  for i4 < 4 lanes {
                    %a0[i4 + 4*i8] = add(%a0[i4 + 4*i8], multiply(r0, v[16*i2 + i4 + 4*i5]))
                  }
                }
              }
            }
            for i6 < 1 unrolled {
              for i8 < 2 unrolled {
                for i4 < 4 lanes {
                  dot[i4 + 4*i5 + 32*i7 + 16*i8] = %a0[i4 + 4*i8]
                }
              }
            }
          }
        }
      }
      kernel dot_2(t2 < 2) "dot" {macs: 256, nodes: [4]} {
        for i3 < 2 {
          local %a0: f32[8] in vectors of 4
          for i4 < 2 unrolled {
            for i1 < 4 lanes {
              %a0[i1 + 4*i4] = 0.0:f32
            }
          }
          for i2 < 16 {
            for i4 < 2 unrolled {
              let r0: f32 = dot[i2 + 32*i3 + 16*i4]
              for i1 < 4 lanes {
                %a0[i1 + 4*i4] = add(%a0[i1 + 4*i4], multiply(r0, w[i1 + 4*i2]))
              }
            }
          }
          for i4 < 2 unrolled {
            for i1 < 4 lanes {
              y[16*t2 + i1 + 8*i3 + 4*i4] = %a0[i1 + 4*i4]
            }
          }
        }
      }
      steps {
        for t2 < 2 {
          run dot_1
          run dot_2
        }
      }
      """)
  }

  @Test("a slab that is left over runs behind the loop") func leftOver() throws {
    try expect(
      """
      func chain(%x: f32[5,4], %v: f32[4,16], %w: f32[16,4]) -> (%y: f32[5,4]) {
        %0 = dot %x, %v {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[5,16]
        %1 = exp %0 : f32[5,16]
        %2 = dot %1, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[5,4]
        return %2
      }
      """, .nextToNoCache,
      """
      input x: f32[5,4]
      input v: f32[4,16]
      input w: f32[16,4]
      output y: f32[5,4]
      temporary exp: f32[4,16]
      temporary exp_1: f32[1,16]
      kernel dot_exp(t2 < 1) "dot, exp" {macs: 256, nodes: [3, 4]} {
        for i5 < 4 {
          for i7 < 2 {
            local %a0: f32[8] in vectors of 4
            for i6 < 1 unrolled {
              for i8 < 2 unrolled {
                for i4 < 4 lanes {
                  %a0[i4 + 4*i8] = 0.0:f32
                }
              }
            }
            for i2 < 4 unrolled {
              for i8 < 2 unrolled {
                let r0: f32 = x[i2 + 8*i7 + 4*i8]
                for i6 < 1 unrolled {
                  for i4 < 4 lanes {
                    %a0[i4 + 4*i8] = add(%a0[i4 + 4*i8], multiply(r0, v[16*i2 + i4 + 4*i5]))
                  }
                }
              }
            }
            for i6 < 1 unrolled {
              for i8 < 2 unrolled {
                for i4 < 4 lanes {
                  exp[i4 + 4*i5 + 32*i7 + 16*i8] = exp(%a0[i4 + 4*i8])
                }
              }
            }
          }
        }
      }
      kernel dot(t2 < 1) "dot" {macs: 256, nodes: [5]} {
        for i3 < 2 {
          local %a0: f32[8] in vectors of 4
          for i4 < 2 unrolled {
            for i1 < 4 lanes {
              %a0[i1 + 4*i4] = 0.0:f32
            }
          }
          for i2 < 16 {
            for i4 < 2 unrolled {
              let r0: f32 = exp[i2 + 32*i3 + 16*i4]
              for i1 < 4 lanes {
                %a0[i1 + 4*i4] = add(%a0[i1 + 4*i4], multiply(r0, w[i1 + 4*i2]))
              }
            }
          }
          for i4 < 2 unrolled {
            for i1 < 4 lanes {
              y[i1 + 8*i3 + 4*i4] = %a0[i1 + 4*i4]
            }
          }
        }
      }
      kernel dot_exp_1 "dot, exp" {macs: 64, nodes: [3, 4]} {
        for i5 < 2 {
          local %a0: f32[8] in vectors of 4
          for i6 < 2 unrolled {
            for i4 < 4 lanes {
              %a0[i4 + 4*i6] = 0.0:f32
            }
          }
          for i2 < 4 unrolled {
            let r0: f32 = x[i2 + 16]
            for i6 < 2 unrolled {
              for i4 < 4 lanes {
                %a0[i4 + 4*i6] = add(%a0[i4 + 4*i6], multiply(r0, v[16*i2 + i4 + 8*i5 + 4*i6]))
              }
            }
          }
          for i6 < 2 unrolled {
            for i4 < 4 lanes {
              exp_1[i4 + 8*i5 + 4*i6] = exp(%a0[i4 + 4*i6])
            }
          }
        }
      }
      kernel dot_1 "dot" {macs: 64, nodes: [5]} {
        local %a0: f32[4] in vectors of 4
        for i1 < 4 lanes {
          %a0[i1] = 0.0:f32
        }
        for i2 < 16 {
          let r0: f32 = exp_1[i2]
          for i1 < 4 lanes {
            %a0[i1] = add(%a0[i1], multiply(r0, w[i1 + 4*i2]))
          }
        }
        for i1 < 4 lanes {
          y[i1 + 16] = %a0[i1]
        }
      }
      steps {
        for t2 < 1 {
          run dot_exp
          run dot
        }
        run dot_exp_1
        run dot_1
      }
      """)
  }
}
