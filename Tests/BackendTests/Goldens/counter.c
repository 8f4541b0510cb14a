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

#include "counter.h"

#include <math.h>
#include <string.h>

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it
 * clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants. */
#if defined(__GNUC__) && !defined(__clang__)
#define COUNTER_KERNEL __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define COUNTER_KERNEL __attribute__((noinline))
#else
#define COUNTER_KERNEL
#endif

/* f32[4] */
static const float counter_initial_running_mean[4] = {1.0f, 2.0f, 3.0f, 4.0f};

/* add */
COUNTER_KERNEL static void counter_add(
    int64_t *restrict count) /* i64[] */
{
  count[0] = (int64_t)((uint64_t)count[0] + 1u);
}

/* multiply, multiply, add */
COUNTER_KERNEL static void counter_multiply_multiply_add(
    const float *restrict x,            /* f32[4] */
    const float *restrict running_mean, /* f32[4] */
    float *restrict add_1)              /* f32[4] */
{
  for (ptrdiff_t i = 0; i < 4; i++) {
    add_1[i] = running_mean[i] * 0.9f + x[i] * 0.1f;
  }
}

/* subtract */
COUNTER_KERNEL static void counter_subtract(
    const float *restrict x,            /* f32[4] */
    const float *restrict running_mean, /* f32[4] */
    float *restrict centred)            /* f32[4] */
{
  for (ptrdiff_t i = 0; i < 4; i++) {
    centred[i] = x[i] - running_mean[i];
  }
}

/* copy */
COUNTER_KERNEL static void counter_copy(
    const float *restrict add_1,  /* f32[4] */
    float *restrict running_mean) /* f32[4] */
{
  for (ptrdiff_t i = 0; i < 4; i++) {
    running_mean[i] = add_1[i];
  }
}

const struct counter_variable counter_variables[COUNTER_VARIABLE_COUNT] = {
  {"count", "i64", 0, {0}, 0, 8},
  {"running.mean", "f32", 1, {4}, 64, 16},
};

int counter_init_state(void *state)
{
  if (!state) return COUNTER_ERROR_NULL;
  unsigned char *const memory = state;
  memset(memory, 0, COUNTER_STATE_BYTES);
  memcpy(memory + 64, counter_initial_running_mean, 16); /* running.mean */
  return COUNTER_OK;
}

int counter_save_state(const void *state, void *bytes, size_t size)
{
  if (!state || !bytes) return COUNTER_ERROR_NULL;
  if (size != COUNTER_STATE_BYTES) return COUNTER_ERROR_SIZE;
  memcpy(bytes, state, COUNTER_STATE_BYTES);
  return COUNTER_OK;
}

int counter_load_state(void *state, const void *bytes, size_t size)
{
  if (!state || !bytes) return COUNTER_ERROR_NULL;
  if (size != COUNTER_STATE_BYTES) return COUNTER_ERROR_SIZE;
  memcpy(state, bytes, COUNTER_STATE_BYTES);
  return COUNTER_OK;
}

int counter_run(void *arena, void *state, const float *restrict x, float *restrict centred)
{
  if (!arena || !state || !x || !centred) return COUNTER_ERROR_NULL;
  if ((uintptr_t)arena % 64 != 0 || (uintptr_t)state % 64 != 0) return COUNTER_ERROR_ALIGNMENT;
  unsigned char *const memory = arena;
  int64_t *const count = (int64_t *)(void *)((unsigned char *)state + 0); /* i64[] */
  float *const running_mean = (float *)(void *)((unsigned char *)state + 64); /* f32[4] */
  float *const add_1 = (float *)(void *)(memory + 0); /* f32[4] */
  counter_add(count);
  counter_multiply_multiply_add(x, running_mean, add_1);
  counter_subtract(x, running_mean, centred);
  counter_copy(add_1, running_mean);
  return COUNTER_OK;
}
