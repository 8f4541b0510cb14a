/* linear: written by Lathe.
 *
 * input  x: f32[4,32]
 * input  weight: f32[10,32]
 * input  bias: f32[10]
 * output y: f32[4,10]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 0 bytes, in this file
 * 1280 multiply-adds in kernels, scans counted once
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */

#include "linear.h"

#include <math.h>
#include <string.h>

static inline float linear_sigmoid_f32(float x)
{
  const float e = expf(-fabsf(x));
  return (x >= 0.0f ? 1.0f : e) / (1.0f + e);
}

/* dot, add, sigmoid (1280 multiply-adds) */
static void linear_dot_add_sigmoid(
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
