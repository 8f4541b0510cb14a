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

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet. */
#if defined(__GNUC__)
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

/* gather */
EMBEDDING_KERNEL static void embedding_gather(
    const uint16_t *restrict table, /* bf16[100,16] */
    const int64_t *restrict tokens, /* i64[6,1] */
    uint16_t *restrict vectors)     /* bf16[6,16] */
{
  for (ptrdiff_t i = 0; i < 6; i++) {
    const int64_t a0 = tokens[i];
    for (ptrdiff_t j = 0; j < 16; j++) {
      vectors[i * 16 + j] = embedding_bf16_bits(a0 >= 0 && a0 < 100 ? embedding_bf16_value(table[j + a0 * 16]) : 0.0f);
    }
  }
}

int embedding_run(const uint16_t *restrict table, const int64_t *restrict tokens, uint16_t *restrict vectors)
{
  if (!table || !tokens || !vectors) return EMBEDDING_ERROR_NULL;
  embedding_gather(table, tokens, vectors);
  return EMBEDDING_OK;
}
