/* counter: written by Lathe.
 *
 * input  x: f32[4]
 * output centred: f32[4]
 *
 * arena 64 bytes (at least 64 are live at once)
 * state 128 bytes in 2 variables
 * weights 64 bytes, in this file
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a run takes:
 *   COUNTER_ARENA_BYTES of working memory,
 *   COUNTER_STATE_BYTES of state,
 *   64 bytes of constants in the source,
 *   at most COUNTER_STACK_BYTES of stack, without what callbacks and interrupts take */
#define COUNTER_ALIGNMENT 64
#define COUNTER_ARENA_BYTES 64
#define COUNTER_STACK_BYTES 1184
#define COUNTER_RUN_MULTIPLY_ADDS 0
#define COUNTER_STATE_BYTES 128
#define COUNTER_VARIABLE_COUNT 2
#define COUNTER_INPUT_X_COUNT 4
#define COUNTER_OUTPUT_CENTRED_COUNT 4

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions return. */
enum counter_status {
  COUNTER_OK = 0, /* done */
  COUNTER_ERROR_NULL = 1, /* a pointer is missing */
  COUNTER_ERROR_ALIGNMENT = 2, /* arena, state or weights are not aligned to 64 bytes */
  COUNTER_ERROR_SIZE = 3, /* the memory given is too small */
  COUNTER_ERROR_WEIGHTS = 4, /* the weights belong to another model or are damaged */
  COUNTER_ERROR_FILE = 5, /* the file cannot be read */
  COUNTER_ERROR_INDEX = 6, /* an index in the data is out of range; what outputs and state hold is undefined */
  COUNTER_ERROR_STATE = 9  /* the saved state is another model's or is damaged */
};

/* Computes the outputs from the inputs. Tensors are dense, the last axis contiguous, and do not overlap.
 *
 * arena: COUNTER_ARENA_BYTES bytes of working memory, aligned, without a declared type, as malloc's is;
 *   nothing in it outlasts the call,
 *   and calls with different arenas and states may run at once
 * state: the variables, aligned, filled by counter_initialize; read and updated
 * x: input f32[4]
 * centred: output f32[4] */
int counter_run(void *arena, void *state, const float *x, float *centred);

/* A named tensor in the state: "f32" and the like, sizes of the axes, where it starts, how long it is. */
struct counter_variable {
  const char *name;
  const char *dtype;
  size_t rank;
  size_t shape[1];
  size_t offset;
  size_t bytes;
};
extern const struct counter_variable counter_variables[COUNTER_VARIABLE_COUNT];

/* Writes the initial contents of all variables. */
int counter_initialize(void *state);

/* Hands the state to write, piece by piece, with a header that says which model's it is and a checksum. write returns
 * how many bytes it took; fewer than it was given end the saving. */
int counter_save(
    const void *state,
    size_t (*write)(void *context, const void *bytes, size_t size),
    void *context);

/* Takes from read what counter_save gave; read returns how many bytes it had. The state of another model, of another
 * version or of other sizes is refused before anything is changed; where bytes are missing or damaged, what the state
 * holds is undefined. */
int counter_load(void *state, size_t (*read)(void *context, void *bytes, size_t size), void *context);

#ifdef __cplusplus
}
#endif

#endif
