#include "kernels.h"

#include <string.h>

/* The innermost loops of a block: one run, or several short loops with the places of all their elements, so that each
   element costs a step of one loop. */
enum { PATTERN = 64 };
struct pattern {
  int depth;
  ptrdiff_t count, stride;
  ptrdiff_t places[PATTERN];
};

static void find_pattern(struct pattern *pattern, int depth, const ptrdiff_t *extents, const ptrdiff_t *strides) {
  pattern->depth = 1;
  pattern->count = extents[depth - 1];
  pattern->stride = strides[depth - 1];
  if (pattern->count >= (pattern->stride == 1 ? 4 : 16)) return;
  while (pattern->depth < depth - 1 && pattern->count * extents[depth - 1 - pattern->depth] <= PATTERN) {
    const int level = depth - 1 - pattern->depth;
    if (pattern->depth == 1) {
      for (ptrdiff_t i = 0; i < pattern->count; i++) pattern->places[i] = i * pattern->stride;
    }
    for (ptrdiff_t i = 1; i < extents[level]; i++) {
      for (ptrdiff_t j = 0; j < pattern->count; j++) {
        pattern->places[i * pattern->count + j] = pattern->places[j] + i * strides[level];
      }
    }
    pattern->count *= extents[level];
    pattern->depth++;
  }
}

/* Neighbours, mostly few. */
static inline void copy_run(float *to, const float *from, ptrdiff_t count) {
  switch (count) {
  case 16: memcpy(to, from, 64); break;
  case 8: memcpy(to, from, 32); break;
  case 4: memcpy(to, from, 16); break;
  default:
    if (count > 64) {
      memcpy(to, from, (size_t)count * sizeof *to);
    } else {
      for (; count >= 8; count -= 8, to += 8, from += 8) memcpy(to, from, 32);
      if (count >= 4) memcpy(to, from, 16), count -= 4, to += 4, from += 4;
      for (ptrdiff_t i = 0; i < count; i++) to[i] = from[i];
    }
  }
}

static inline void load_run(const struct pattern *pattern, const float *from, float *lanes) {
  const ptrdiff_t count = pattern->count, stride = pattern->stride;
  if (pattern->depth > 1) {
    for (ptrdiff_t i = 0; i < count; i++) lanes[i] = from[pattern->places[i]];
  } else if (stride == 1) {
    copy_run(lanes, from, count);
  } else if (stride == 0) {
    const float only = *from;
    for (ptrdiff_t i = 0; i < count; i++) lanes[i] = only;
  } else {
    for (ptrdiff_t i = 0; i < count; i++) lanes[i] = from[i * stride];
  }
}

static float *load_block(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, const struct pattern *pattern,
    const float *from, float *lanes) {
  const ptrdiff_t stride = *strides;
  if (depth - 1 == pattern->depth) {
    for (ptrdiff_t i = 0; i < count; i++, lanes += pattern->count) load_run(pattern, from + i * stride, lanes);
  } else {
    for (ptrdiff_t i = 0; i < count; i++) {
      lanes = load_block(depth - 1, extents[1], extents + 1, strides + 1, pattern, from + i * stride, lanes);
    }
  }
  return lanes;
}

void lathe_load_block(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, const float *from, float *lanes) {
  struct pattern pattern;
  if (depth == 1) {
    pattern.depth = 1;
    pattern.count = count;
    pattern.stride = *strides;
    load_run(&pattern, from, lanes);
    return;
  }
  find_pattern(&pattern, depth, extents, strides);
  load_block(depth, count, extents, strides, &pattern, from, lanes);
}

static inline void store_run(const struct pattern *pattern, float *to, const float *lanes) {
  const ptrdiff_t count = pattern->count, stride = pattern->stride;
  if (pattern->depth > 1) {
    for (ptrdiff_t i = 0; i < count; i++) to[pattern->places[i]] = lanes[i];
  } else if (stride == 1) {
    copy_run(to, lanes, count);
  } else {
    for (ptrdiff_t i = 0; i < count; i++) to[i * stride] = lanes[i];
  }
}

static const float *store_block(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, const struct pattern *pattern,
    float *to, const float *lanes) {
  const ptrdiff_t stride = *strides;
  if (depth - 1 == pattern->depth) {
    for (ptrdiff_t i = 0; i < count; i++, lanes += pattern->count) store_run(pattern, to + i * stride, lanes);
  } else {
    for (ptrdiff_t i = 0; i < count; i++) {
      lanes = store_block(depth - 1, extents[1], extents + 1, strides + 1, pattern, to + i * stride, lanes);
    }
  }
  return lanes;
}

void lathe_store_block(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, float *to, const float *lanes) {
  struct pattern pattern;
  if (depth == 1) {
    pattern.depth = 1;
    pattern.count = count;
    pattern.stride = *strides;
    store_run(&pattern, to, lanes);
    return;
  }
  find_pattern(&pattern, depth, extents, strides);
  store_block(depth, count, extents, strides, &pattern, to, lanes);
}

void lathe_fill_block(
    int depth, ptrdiff_t count, const ptrdiff_t *extents, const ptrdiff_t *strides, float *to, float element) {
  const ptrdiff_t stride = *strides;
  if (depth > 1) {
    for (ptrdiff_t i = 0; i < count; i++) {
      lathe_fill_block(depth - 1, extents[1], extents + 1, strides + 1, to + i * stride, element);
    }
  } else if (stride == 1) {
    for (ptrdiff_t i = 0; i < count; i++) to[i] = element;
  } else {
    for (ptrdiff_t i = 0; i < count; i++) to[i * stride] = element;
  }
}
