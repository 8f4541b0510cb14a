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

#include "softmax.h"

#include <math.h>
#include <string.h>

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it
 * clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants. */
#if defined(__GNUC__) && !defined(__clang__)
#define SOFTMAX_KERNEL __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define SOFTMAX_KERNEL __attribute__((noinline))
#else
#define SOFTMAX_KERNEL
#endif

static inline float softmax_f32_bits_of_u32(uint32_t value)
{
  float bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float softmax_maximum_f32(float a, float b)
{
  return a > b || a != a ? a : b;
}

static inline uint32_t softmax_u32_bits_of_f32(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float softmax_exp_f32(float x)
{
  const float t = x > 90.0f ? 90.0f : x;
  const float a = t < -105.0f ? -105.0f : t;
  const float shifted = a * 1.442695f + 12583166.0f;
  const float n = shifted - 12583166.0f;
  const float r = a - n * 0.69314575f - n * 1.4286068e-06f;
  const float q = (r * 0.0013819541f + 0.008368694f) * r + 0.04166828f;
  const uint32_t k = softmax_u32_bits_of_f32(shifted);
  const uint32_t half = k >> 1;
  const float scale = softmax_f32_bits_of_u32(half << 23);
  const float rest = softmax_f32_bits_of_u32((k - half) << 23);
  return (((q * r + 0.16666521f) * r + 0.49999994f) * r * r + r + 1.0f) * scale * rest;
}

/* reduce_max, subtract, exp, reduce_sum, divide */
SOFTMAX_KERNEL static void softmax_reduce_max_subtract_exp(
    const float *restrict scores,  /* f32[8,40] */
    float *restrict probabilities) /* f32[8,40] */
{
  for (ptrdiff_t i = 0; i < 8; i++) {
    float max = -INFINITY;
    {
      float lanes[16];
      for (ptrdiff_t l = 0; l < 16; l++) lanes[l] = -INFINITY;
      ptrdiff_t j_start = 0;
      for (; j_start + 16 <= 40; j_start += 16) {
        for (ptrdiff_t l = 0; l < 16; l++) {
          const ptrdiff_t j = j_start + l;
          lanes[l] = softmax_maximum_f32(lanes[l], scores[i * 40 + j]);
        }
      }
      for (ptrdiff_t j = j_start; j < 40; j++) {
        lanes[j - j_start] = softmax_maximum_f32(lanes[j - j_start], scores[i * 40 + j]);
      }
      for (ptrdiff_t half = 8; half > 0; half /= 2) {
        for (ptrdiff_t l = 0; l < half; l++) {
          lanes[l] = softmax_maximum_f32(lanes[l], lanes[l + half]);
        }
      }
      max = softmax_maximum_f32(max, lanes[0]);
    }
    for (ptrdiff_t j = 0; j < 40; j++) {
      probabilities[i * 40 + j] = softmax_exp_f32(scores[i * 40 + j] - max);
    }
    float sum = 0.0f;
    {
      float lanes[16] = {0.0f};
      ptrdiff_t j_start = 0;
      for (; j_start + 16 <= 40; j_start += 16) {
        for (ptrdiff_t l = 0; l < 16; l++) {
          const ptrdiff_t j = j_start + l;
          lanes[l] += probabilities[i * 40 + j];
        }
      }
      for (ptrdiff_t j = j_start; j < 40; j++) {
        lanes[j - j_start] += probabilities[i * 40 + j];
      }
      for (ptrdiff_t half = 8; half > 0; half /= 2) {
        for (ptrdiff_t l = 0; l < half; l++) {
          lanes[l] += lanes[l + half];
        }
      }
      sum += lanes[0];
    }
    for (ptrdiff_t j = 0; j < 40; j++) {
      probabilities[i * 40 + j] = probabilities[i * 40 + j] / sum;
    }
  }
}

int softmax_run(const float *restrict scores, float *restrict probabilities)
{
  if (!scores || !probabilities) return SOFTMAX_ERROR_NULL;
  softmax_reduce_max_subtract_exp(scores, probabilities);
  return SOFTMAX_OK;
}
