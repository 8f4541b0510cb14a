/* embedding: written by Lathe.
 *
 * input  table: bf16[100,16]
 * input  tokens: i64[6,1]
 * output vectors: bf16[6,16]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 0 bytes, in this file
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */
#ifndef EMBEDDING_H
#define EMBEDDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a run takes:
 *   at most EMBEDDING_STACK_BYTES of stack, without what callbacks and interrupts take */
#define EMBEDDING_ALIGNMENT 64
#define EMBEDDING_ARENA_BYTES 0
#define EMBEDDING_STACK_BYTES 1152
#define EMBEDDING_RUN_MULTIPLY_ADDS 0
#define EMBEDDING_INPUT_TABLE_COUNT 1600
#define EMBEDDING_INPUT_TOKENS_COUNT 6
#define EMBEDDING_OUTPUT_VECTORS_COUNT 96

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions return. */
enum embedding_status {
  EMBEDDING_OK = 0, /* done */
  EMBEDDING_ERROR_NULL = 1, /* a pointer is missing */
  EMBEDDING_ERROR_ALIGNMENT = 2, /* arena, state or weights are not aligned to 64 bytes */
  EMBEDDING_ERROR_SIZE = 3, /* the memory given is too small */
  EMBEDDING_ERROR_WEIGHTS = 4, /* the weights belong to another model or are damaged */
  EMBEDDING_ERROR_FILE = 5, /* the file cannot be read */
  EMBEDDING_ERROR_INDEX = 6  /* an index in the data is out of range; what outputs and state hold is undefined */
};

/* Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.
 *
 * table: input bf16[100,16], elements are bit patterns
 * tokens: input i64[6,1]
 * vectors: output bf16[6,16], elements are bit patterns */
int embedding_run(const uint16_t *table, const int64_t *tokens, uint16_t *vectors);

#ifdef __cplusplus
}
#endif

#endif
