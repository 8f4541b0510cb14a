/* linear: written by Lathe.
 *
 * input  x: f32[4,32]
 * input  weight: f32[10,32]
 * input  bias: f32[10]
 * output y: f32[4,10]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 0 bytes, in this file
 * 1280 multiply-adds
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */
#ifndef LINEAR_H
#define LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a run takes:
 *   at most LINEAR_STACK_BYTES of stack, without what callbacks and interrupts take */
#define LINEAR_ALIGNMENT 64
#define LINEAR_ARENA_BYTES 0
#define LINEAR_STACK_BYTES 1648
#define LINEAR_RUN_MULTIPLY_ADDS 1280
#define LINEAR_INPUT_X_COUNT 128
#define LINEAR_INPUT_WEIGHT_COUNT 320
#define LINEAR_INPUT_BIAS_COUNT 10
#define LINEAR_OUTPUT_Y_COUNT 40

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions return. */
enum linear_status {
  LINEAR_OK = 0, /* done */
  LINEAR_ERROR_NULL = 1, /* a pointer is missing */
  LINEAR_ERROR_ALIGNMENT = 2, /* arena, state or weights are not aligned to 64 bytes */
  LINEAR_ERROR_SIZE = 3, /* the memory given is too small */
  LINEAR_ERROR_WEIGHTS = 4, /* the weights belong to another model or are damaged */
  LINEAR_ERROR_FILE = 5, /* the file cannot be read */
  LINEAR_ERROR_INDEX = 6  /* an index in the data is out of range; what outputs and state hold is undefined */
};

/* Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.
 *
 * x: input f32[4,32]
 * weight: input f32[10,32]
 * bias: input f32[10]
 * y: output f32[4,10] */
int linear_run(const float *x, const float *weight, const float *bias, float *y);

#ifdef __cplusplus
}
#endif

#endif
