/* softmax: written by Lathe.
 *
 * input  scores: f32[8,40]
 * output probabilities: f32[8,40]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 0 bytes, in this file
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a run takes:
 *   at most SOFTMAX_STACK_BYTES of stack, without what callbacks and interrupts take */
#define SOFTMAX_ALIGNMENT 64
#define SOFTMAX_ARENA_BYTES 0
#define SOFTMAX_STACK_BYTES 1584
#define SOFTMAX_RUN_MULTIPLY_ADDS 0
#define SOFTMAX_INPUT_SCORES_COUNT 320
#define SOFTMAX_OUTPUT_PROBABILITIES_COUNT 320

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions return. */
enum softmax_status {
  SOFTMAX_OK = 0, /* done */
  SOFTMAX_ERROR_NULL = 1, /* a pointer is missing */
  SOFTMAX_ERROR_ALIGNMENT = 2, /* arena, state or weights are not aligned to 64 bytes */
  SOFTMAX_ERROR_SIZE = 3, /* the memory given is too small */
  SOFTMAX_ERROR_WEIGHTS = 4, /* the weights belong to another model or are damaged */
  SOFTMAX_ERROR_FILE = 5, /* the file cannot be read */
  SOFTMAX_ERROR_INDEX = 6  /* an index in the data is out of range; what outputs and state hold is undefined */
};

/* Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.
 *
 * scores: input f32[8,40]
 * probabilities: output f32[8,40] */
int softmax_run(const float *scores, float *probabilities);

#ifdef __cplusplus
}
#endif

#endif
