/* convolution: written by Lathe.
 *
 * input  image: f32[1,3,9,9]
 * output features: f32[1,4,5,5]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 512 bytes, in this file
 * 2700 multiply-adds in kernels, scans counted once
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */

#include "convolution.h"

#include <math.h>
#include <string.h>

static inline ptrdiff_t convolution_larger(ptrdiff_t a, ptrdiff_t b)
{
  return a > b ? a : b;
}

static inline float convolution_maximum_f32(float a, float b)
{
  return a > b || a != a ? a : b;
}

static inline ptrdiff_t convolution_smaller(ptrdiff_t a, ptrdiff_t b)
{
  return a < b ? a : b;
}

/* f32[4,3,3,3] */
static const float convolution_conv1[108] = {
  0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f,
  0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f,
  0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f,
  0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f,
  0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f,
  0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f,
  0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f,
  0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f,
  0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f, 0.0f, 0x1p-3f, 0x1p-2f, 0x1.8p-2f, 0x1p-1f, 0x1.4p-1f, 0x1.8p-1f,
  0.0f, 0x1p-3f, 0x1p-2f,
};
/* f32[1,4,1,1] */
static const float convolution_weight[4] = {0x1p-1f, -0x1p-2f, 0.0f, 1.0f};

/* convolution, add, maximum (2700 multiply-adds) */
static void convolution_convolution_add_maximum(
    const float *restrict image,  /* f32[1,3,9,9] */
    const float *restrict conv1,  /* f32[4,3,3,3] */
    const float *restrict weight, /* f32[1,4,1,1] */
    float *restrict features)     /* f32[1,4,5,5] */
{
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x0 = weight[i];
    for (ptrdiff_t j = 0; j < 5; j++) {
      float tile[5];
      for (ptrdiff_t k = 0; k < 5; k++) {
        tile[k] = 0.0f;
      }
      for (ptrdiff_t k = 0; k < 3; k++) {
        const ptrdiff_t m_begin = convolution_larger(1 - j * 2, 0);
        const ptrdiff_t m_end = convolution_smaller(10 - j * 2, 3);
        for (ptrdiff_t m = m_begin; m < m_end; m++) {
          for (ptrdiff_t n = 0; n < 3; n++) {
            const float x1 = conv1[i * 27 + k * 9 + m * 3 + n];
            const ptrdiff_t p_begin = convolution_larger((2 - n) / 2, 0);
            const ptrdiff_t p_end = convolution_smaller((11 - n) / 2, 5);
            for (ptrdiff_t p = p_begin; p < p_end; p++) {
              tile[p] += image[j * 18 + p * 2 + k * 81 + m * 9 + n - 10] * x1;
            }
          }
        }
      }
      for (ptrdiff_t k = 0; k < 5; k++) {
        features[i * 25 + j * 5 + k] = convolution_maximum_f32(tile[k] + x0, 0.0f);
      }
    }
  }
}

int convolution_run(const float *restrict image, float *restrict features)
{
  if (!image || !features) return CONVOLUTION_ERROR_NULL;
  convolution_convolution_add_maximum(image, convolution_conv1, convolution_weight, features);
  return CONVOLUTION_OK;
}
