/* linear: written by Lathe.
 *
 * input  x: f32[4,32]
 * input  weight: f32[10,32]
 * input  bias: f32[10]
 * output y: f32[4,10]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 0 bytes, in this file
 * 1280 multiply-adds
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */

#include "linear.h"

#include <math.h>
#include <string.h>

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it
 * clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants. */
#if defined(__GNUC__) && !defined(__clang__)
#define LINEAR_KERNEL __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define LINEAR_KERNEL __attribute__((noinline))
#else
#define LINEAR_KERNEL
#endif

static inline float linear_f32_bits_of_u32(uint32_t value)
{
  float bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline uint32_t linear_u32_bits_of_f32(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float linear_sigmoid_f32(float x)
{
  const float t = -fabsf(x);
  const float a = t < -105.0f ? -105.0f : t;
  const float shifted = a * 1.442695f + 12583166.0f;
  const float n = shifted - 12583166.0f;
  const float r = a - n * 0.69314575f - n * 1.4286068e-06f;
  const float q = (r * 0.0013819541f + 0.008368694f) * r + 0.04166828f;
  const uint32_t k = linear_u32_bits_of_f32(shifted);
  const uint32_t half = k >> 1;
  const float scale = linear_f32_bits_of_u32(half << 23);
  const float change = (((q * r + 0.16666521f) * r + 0.49999994f) * r * r + r) * scale;
  const float part = change + scale;
  const float rest = linear_f32_bits_of_u32((k - half) << 23);
  const float e = part * rest;
  const float quotient = e / (e + 1.0f);
  return x < 0.0f ? (e > 0.375f ? quotient : (change - part * quotient + scale) * rest) : 1.0f - quotient;
}

/* dot, add, sigmoid (1280 multiply-adds) */
LINEAR_KERNEL static void linear_dot_add_sigmoid(
    const float *restrict x,      /* f32[4,32] */
    const float *restrict weight, /* f32[10,32] */
    const float *restrict bias,   /* f32[10] */
    float *restrict y)            /* f32[4,10] */
{
  for (ptrdiff_t i = 0; i < 4; i++) {
    for (ptrdiff_t j = 0; j < 10; j++) {
      float sum = 0.0f;
      {
        float lanes[16] = {0.0f};
        ptrdiff_t k_start = 0;
        for (; k_start + 16 <= 32; k_start += 16) {
          for (ptrdiff_t l = 0; l < 16; l++) {
            const ptrdiff_t k = k_start + l;
            lanes[l] += x[i * 32 + k] * weight[j * 32 + k];
          }
        }
        for (ptrdiff_t half = 8; half > 0; half /= 2) {
          for (ptrdiff_t l = 0; l < half; l++) {
            lanes[l] += lanes[l + half];
          }
        }
        sum += lanes[0];
      }
      y[i * 10 + j] = linear_sigmoid_f32(sum + bias[j]);
    }
  }
}

int linear_run(
    const float *restrict x,
    const float *restrict weight,
    const float *restrict bias,
    float *restrict y)
{
  if (!x || !weight || !bias || !y) return LINEAR_ERROR_NULL;
  linear_dot_add_sigmoid(x, weight, bias, y);
  return LINEAR_OK;
}
