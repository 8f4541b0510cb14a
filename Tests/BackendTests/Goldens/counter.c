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

/* The constants; their values are at the end of the file. */
static const float counter_initial_running_mean[4];

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

int counter_initialize(void *state)
{
  if (!state) return COUNTER_ERROR_NULL;
  unsigned char *const memory = state;
  memset(memory, 0, COUNTER_STATE_BYTES);
  memcpy(memory + 64, counter_initial_running_mean, 16); /* running.mean */
  return COUNTER_OK;
}

/* What a saved state begins with: magic, version, header size, fingerprint of the variables, data size. */
static const unsigned char counter_state_magic[32] = {
  76, 65, 84, 72, 69, 83, 84, 65, 1, 0, 0, 0, 40, 0, 0, 0,
  132, 117, 151, 101, 28, 16, 182, 131, 24, 0, 0, 0, 0, 0, 0, 0
};

/* FNV-1a over 64-bit words, of which the last one is filled with zeros. */
static uint64_t counter_state_hash(uint64_t hash, const unsigned char *bytes, size_t size)
{
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    memcpy(&word, bytes + i, size - i < 8 ? size - i : 8);
    hash = (hash ^ word) * UINT64_C(0x100000001b3);
  }
  return hash;
}

int counter_save(
    const void *state,
    size_t (*write)(void *context, const void *bytes, size_t size),
    void *context)
{
  if (!state || !write) return COUNTER_ERROR_NULL;
  const unsigned char *const memory = state;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < COUNTER_VARIABLE_COUNT; i++) {
    hash = counter_state_hash(hash, memory + counter_variables[i].offset, counter_variables[i].bytes);
  }
  if (write(context, counter_state_magic, sizeof counter_state_magic) != sizeof counter_state_magic) {
    return COUNTER_ERROR_FILE;
  }
  if (write(context, &hash, sizeof hash) != sizeof hash) return COUNTER_ERROR_FILE;
  for (size_t i = 0; i < COUNTER_VARIABLE_COUNT; i++) {
    const size_t bytes = counter_variables[i].bytes;
    if (bytes && write(context, memory + counter_variables[i].offset, bytes) != bytes) return COUNTER_ERROR_FILE;
  }
  return COUNTER_OK;
}

int counter_load(void *state, size_t (*read)(void *context, void *bytes, size_t size), void *context)
{
  if (!state || !read) return COUNTER_ERROR_NULL;
  unsigned char *const memory = state;
  unsigned char start[sizeof counter_state_magic];
  uint64_t expected;
  if (read(context, start, sizeof start) != sizeof start) return COUNTER_ERROR_FILE;
  if (memcmp(start, counter_state_magic, sizeof start) != 0) return COUNTER_ERROR_STATE;
  if (read(context, &expected, sizeof expected) != sizeof expected) return COUNTER_ERROR_FILE;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < COUNTER_VARIABLE_COUNT; i++) {
    const size_t bytes = counter_variables[i].bytes;
    unsigned char *const target = memory + counter_variables[i].offset;
    if (bytes && read(context, target, bytes) != bytes) return COUNTER_ERROR_FILE;
    hash = counter_state_hash(hash, target, bytes);
  }
  return hash == expected ? COUNTER_OK : COUNTER_ERROR_STATE;
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

/* f32[4] */
static const float counter_initial_running_mean[4] = {1.0f, 2.0f, 3.0f, 4.0f};
