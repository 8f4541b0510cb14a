#include "kernels.h"

#include <stdint.h>
#include <string.h>

/* The innermost loops of a block as one: a run of elements at one stride, or several short loops with the places of all
   their elements, so that each element costs a step of one loop. */
enum { MOST_PLACES = 64 };
struct run {
  ptrdiff_t count, stride;
  /* How many loops these are; where there are several, `places` are used in the place of the stride. */
  int loops;
  ptrdiff_t places[MOST_PLACES];
};

static void find_run(
    struct run *run, int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides) {
  run->loops = 1;
  run->count = depth == 1 ? count : extents[depth - 1];
  run->stride = strides[depth - 1];
  if (run->count >= (run->stride == 1 ? 4 : 16)) return;
  /* Not the outermost loop, whose count is another at the block's end. */
  while (run->loops < depth - 1 && run->count * extents[depth - 1 - run->loops] <= MOST_PLACES) {
    const int level = depth - 1 - run->loops;
    if (run->loops == 1) {
      for (ptrdiff_t i = 0; i < run->count; i++) run->places[i] = i * run->stride;
    }
    for (ptrdiff_t i = 1; i < extents[level]; i++) {
      for (ptrdiff_t j = 0; j < run->count; j++) {
        run->places[i * run->count + j] = run->places[j] + i * strides[level];
      }
    }
    run->count *= extents[level];
    run->loops++;
  }
}

/* Moves `count` runs that are `stride` apart, and gives the lanes behind theirs. */
typedef void *move_runs(const struct run *run, ptrdiff_t count, ptrdiff_t stride, void *memory, void *lanes);

static void *move_nest(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, const struct run *run,
    move_runs *move, size_t size, void *memory, void *lanes) {
  if (depth == 1) return move(run, count, *strides, memory, lanes);
  for (ptrdiff_t i = 0; i < count; i++) {
    lanes = move_nest(
        depth - 1, extents[1], extents + 1, strides + 1, run, move, size,
        (char *)memory + i * *strides * (ptrdiff_t)size, lanes);
  }
  return lanes;
}

static void move_block(const struct lathe_block *block, move_runs *move, size_t size, void *memory, void *lanes) {
  struct run run;
  find_run(&run, block->depth, block->count, block->extents, block->strides);
  if (run.loops == block->depth) {
    move(&run, 1, 0, memory, lanes);
  } else {
    move_nest(
        block->depth - run.loops, block->count, block->extents, block->strides, &run, move, size, memory, lanes);
  }
}

/* Copies few bytes. */
static inline void copy_bytes(char *to, const char *from, size_t bytes) {
  if (bytes > 256) {
    memcpy(to, from, bytes);
    return;
  }
  for (; bytes >= 32; bytes -= 32, to += 32, from += 32) memcpy(to, from, 32);
  if (bytes >= 16) memcpy(to, from, 16), bytes -= 16, to += 16, from += 16;
  for (; bytes >= 4; bytes -= 4, to += 4, from += 4) memcpy(to, from, 4);
  for (; bytes > 0; bytes--) *to++ = *from++;
}

/* Copies runs of neighbours, mostly short: those of a vector's length in loops that know it. */
static inline void copy_runs(
    ptrdiff_t count, size_t bytes, char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride) {
#define EACH_RUN(COPY) for (ptrdiff_t r = 0; r < count; r++, to += to_stride, from += from_stride) COPY
  switch (bytes) {
  case 16: EACH_RUN(memcpy(to, from, 16)); break;
  case 32: EACH_RUN(memcpy(to, from, 32)); break;
  case 64: EACH_RUN(memcpy(to, from, 64)); break;
  default: EACH_RUN(copy_bytes(to, from, bytes));
  }
#undef EACH_RUN
}

/* Compiled for each width of vectors; which one runs is found when the library is loaded. */
#if defined(__x86_64__) && defined(__linux__)
#define EACH_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define EACH_WIDTH
#endif

#define BLOCKS(ELEMENT)                                                                          \
  EACH_WIDTH static void *load_runs_##ELEMENT(                                                   \
      const struct run *run, ptrdiff_t count, ptrdiff_t distance, void *memory, void *to) {      \
    const ptrdiff_t length = run->count, stride = run->stride;                                   \
    ELEMENT *lanes = to;                                                                         \
    if (run->loops == 1 && stride == 1) {                                                        \
      const ptrdiff_t bytes = length * (ptrdiff_t)sizeof(ELEMENT);                               \
      copy_runs(count, (size_t)bytes, to, bytes, memory, distance * (ptrdiff_t)sizeof(ELEMENT)); \
      return lanes + count * length;                                                             \
    }                                                                                            \
    for (ptrdiff_t r = 0; r < count; r++, lanes += length) {                                     \
      const ELEMENT *from = (const ELEMENT *)memory + r * distance;                              \
      if (run->loops > 1) {                                                                      \
        for (ptrdiff_t i = 0; i < length; i++) lanes[i] = from[run->places[i]];                  \
      } else if (stride == 0) {                                                                  \
        const ELEMENT only = *from;                                                              \
        for (ptrdiff_t i = 0; i < length; i++) lanes[i] = only;                                  \
      } else {                                                                                   \
        for (ptrdiff_t i = 0; i < length; i++) lanes[i] = from[i * stride];                      \
      }                                                                                          \
    }                                                                                            \
    return lanes;                                                                                \
  }                                                                                              \
  EACH_WIDTH static void *store_runs_##ELEMENT(                                                  \
      const struct run *run, ptrdiff_t count, ptrdiff_t distance, void *memory, void *from) {    \
    const ptrdiff_t length = run->count, stride = run->stride;                                   \
    ELEMENT *lanes = from;                                                                       \
    if (run->loops == 1 && stride == 1) {                                                        \
      const ptrdiff_t bytes = length * (ptrdiff_t)sizeof(ELEMENT);                               \
      copy_runs(count, (size_t)bytes, memory, distance * (ptrdiff_t)sizeof(ELEMENT), from, bytes); \
      return lanes + count * length;                                                             \
    }                                                                                            \
    for (ptrdiff_t r = 0; r < count; r++, lanes += length) {                                     \
      ELEMENT *to = (ELEMENT *)memory + r * distance;                                            \
      if (run->loops > 1) {                                                                      \
        for (ptrdiff_t i = 0; i < length; i++) to[run->places[i]] = lanes[i];                    \
      } else {                                                                                   \
        for (ptrdiff_t i = 0; i < length; i++) to[i * stride] = lanes[i];                        \
      }                                                                                          \
    }                                                                                            \
    return lanes;                                                                                \
  }                                                                                              \
  EACH_WIDTH static void *fill_runs_##ELEMENT(                                                   \
      const struct run *run, ptrdiff_t count, ptrdiff_t distance, void *memory, void *from) {    \
    const ptrdiff_t length = run->count, stride = run->stride;                                   \
    const ELEMENT element = *(const ELEMENT *)from;                                              \
    for (ptrdiff_t r = 0; r < count; r++) {                                                      \
      ELEMENT *to = (ELEMENT *)memory + r * distance;                                            \
      if (run->loops > 1) {                                                                      \
        for (ptrdiff_t i = 0; i < length; i++) to[run->places[i]] = element;                     \
      } else if (stride == 1) {                                                                  \
        for (ptrdiff_t i = 0; i < length; i++) to[i] = element;                                  \
      } else {                                                                                   \
        for (ptrdiff_t i = 0; i < length; i++) to[i * stride] = element;                         \
      }                                                                                          \
    }                                                                                            \
    return from;                                                                                 \
  }

BLOCKS(uint8_t)
BLOCKS(uint16_t)
BLOCKS(float)
BLOCKS(double)

/* The function for elements of some bytes. */
#define OF_SIZE(FUNCTION, BYTES)                               \
  ((BYTES) == 1   ? FUNCTION##_uint8_t                         \
   : (BYTES) == 2 ? FUNCTION##_uint16_t                        \
   : (BYTES) == 4 ? FUNCTION##_float                           \
                  : FUNCTION##_double)

void lathe_load_block(const struct lathe_block *block, size_t size, const void *from, void *lanes) {
  /* What moves from memory only reads there. */
  move_block(block, OF_SIZE(load_runs, size), size, (void *)from, lanes);
}

void lathe_store_block(const struct lathe_block *block, size_t size, void *to, const void *lanes) {
  move_block(block, OF_SIZE(store_runs, size), size, to, (void *)lanes);
}

void lathe_fill_block(const struct lathe_block *block, size_t size, void *to, const void *element) {
  move_block(block, OF_SIZE(fill_runs, size), size, to, (void *)element);
}
