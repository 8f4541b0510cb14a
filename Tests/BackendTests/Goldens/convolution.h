/* convolution: written by Lathe.
 *
 * input  image: f32[1,3,9,9]
 * output features: f32[1,4,5,5]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 512 bytes, in this file
 * 2700 multiply-adds
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */
#ifndef CONVOLUTION_H
#define CONVOLUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a run takes:
 *   512 bytes of constants in the source,
 *   at most CONVOLUTION_STACK_BYTES of stack, without what callbacks and interrupts take */
#define CONVOLUTION_ALIGNMENT 64
#define CONVOLUTION_ARENA_BYTES 0
#define CONVOLUTION_STACK_BYTES 1360
#define CONVOLUTION_RUN_MULTIPLY_ADDS 2700
#define CONVOLUTION_INPUT_IMAGE_COUNT 243
#define CONVOLUTION_OUTPUT_FEATURES_COUNT 100

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions return. */
enum convolution_status {
  CONVOLUTION_OK = 0, /* done */
  CONVOLUTION_ERROR_NULL = 1, /* a pointer is missing */
  CONVOLUTION_ERROR_ALIGNMENT = 2, /* arena, state or weights are not aligned to 64 bytes */
  CONVOLUTION_ERROR_SIZE = 3, /* the memory given is too small */
  CONVOLUTION_ERROR_WEIGHTS = 4, /* the weights belong to another model or are damaged */
  CONVOLUTION_ERROR_FILE = 5, /* the file cannot be read */
  CONVOLUTION_ERROR_INDEX = 6  /* an index in the data is out of range; what outputs and state hold is undefined */
};

/* Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.
 *
 * image: input f32[1,3,9,9]
 * features: output f32[1,4,5,5] */
int convolution_run(const float *image, float *features);

#ifdef __cplusplus
}
#endif

#endif
