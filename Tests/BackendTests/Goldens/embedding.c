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

#include "embedding.h"

#include <math.h>
#include <string.h>

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it
 * clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants. */
#if defined(__GNUC__) && !defined(__clang__)
#define EMBEDDING_KERNEL __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define EMBEDDING_KERNEL __attribute__((noinline))
#else
#define EMBEDDING_KERNEL
#endif

static inline uint16_t embedding_bf16_bits(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (uint16_t)(value != value ? bits >> 16 | 0x40u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float embedding_bf16_value(uint16_t bits)
{
  const uint32_t pattern = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &pattern, sizeof value);
  return value;
}

static inline int64_t embedding_checked_index(int64_t index, int64_t size, bool *outside)
{
  const bool inside = (uint64_t)index < (uint64_t)size; /* without a branch, so that loops become vectors */
  *outside |= !inside;
  return inside ? index : 0;
}

static inline void embedding_failed(int *failure)
{
  *failure = 1;
}

/* gather */
EMBEDDING_KERNEL static void embedding_gather(
    const uint16_t *restrict table, /* bf16[100,16] */
    const int64_t *restrict tokens, /* i64[6,1] */
    uint16_t *restrict vectors,     /* bf16[6,16] */
    int *failure)                   /* set where an index is out of range */
{
  bool outside = false;
  for (ptrdiff_t i = 0; i < 6; i++) {
    const int64_t a0 = embedding_checked_index(tokens[i], 100, &outside);
    for (ptrdiff_t j = 0; j < 16; j++) {
      vectors[i * 16 + j] = embedding_bf16_bits(embedding_bf16_value(table[j + a0 * 16]));
    }
  }
  if (outside) embedding_failed(failure);
}

int embedding_run(const uint16_t *restrict table, const int64_t *restrict tokens, uint16_t *restrict vectors)
{
  if (!table || !tokens || !vectors) return EMBEDDING_ERROR_NULL;
  int failure = 0;
  embedding_gather(table, tokens, vectors, &failure);
  if (failure) return EMBEDDING_ERROR_INDEX;
  return EMBEDDING_OK;
}
