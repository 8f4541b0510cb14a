/* convolution: written by Lathe.
 *
 * input  image: f32[1,3,9,9]
 * output features: f32[1,4,5,5]
 *
 * arena 0 bytes (at least 0 are live at once)
 * weights 512 bytes, in this file
 * 2700 multiply-adds
 *
 * For speed, compile with -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math;
 * link with -lm. */

#include "convolution.h"

#include <math.h>
#include <string.h>

/* Kernels stay functions of their own: where they are inlined, gcc forgets that their pointers do not meet; where it
 * clones them for constant arguments, gcc 12.2 makes wrong vectors of the constants. */
#if defined(__GNUC__) && !defined(__clang__)
#define CONVOLUTION_KERNEL __attribute__((noinline, noclone))
#elif defined(__GNUC__)
#define CONVOLUTION_KERNEL __attribute__((noinline))
#else
#define CONVOLUTION_KERNEL
#endif

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

/* The constants; their values are at the end of the file. */
static const float convolution_conv1[108];
static const float convolution_weight[4];

/* conv1 convolution, add, maximum (2700 multiply-adds) */
CONVOLUTION_KERNEL static void convolution_conv1_add_maximum(
    const float *restrict image,  /* f32[1,3,9,9] */
    const float *restrict conv1,  /* f32[4,3,3,3] */
    const float *restrict weight, /* f32[1,4,1,1] */
    float *restrict features)     /* f32[1,4,5,5] */
{
  for (ptrdiff_t i = 0; i < 5; i++) {
    float tile[20];
    for (ptrdiff_t j = 0; j < 4; j++) {
      for (ptrdiff_t k = 0; k < 5; k++) {
        tile[j * 5 + k] = 0.0f;
      }
    }
    for (ptrdiff_t j = 0; j < 3; j++) {
      const ptrdiff_t k_begin = convolution_larger(1 - i * 2, 0);
      const ptrdiff_t k_end = convolution_smaller(10 - i * 2, 3);
      for (ptrdiff_t k = k_begin; k < k_end; k++) {
        for (ptrdiff_t m = 0; m < 3; m++) {
          for (ptrdiff_t n = 0; n < 4; n++) {
            const float x0 = conv1[n * 27 + j * 9 + k * 3 + m];
            const ptrdiff_t p_begin = convolution_larger((2 - m) / 2, 0);
            const ptrdiff_t p_end = convolution_smaller((11 - m) / 2, 5);
            for (ptrdiff_t p = p_begin; p < p_end; p++) {
              tile[n * 5 + p] += image[i * 18 + p * 2 + j * 81 + k * 9 + m - 10] * x0;
            }
          }
        }
      }
    }
    for (ptrdiff_t j = 0; j < 4; j++) {
      const float x1 = weight[j];
      for (ptrdiff_t k = 0; k < 5; k++) {
        features[j * 25 + i * 5 + k] = convolution_maximum_f32(tile[j * 5 + k] + x1, 0.0f);
      }
    }
  }
}

int convolution_run(const float *restrict image, float *restrict features)
{
  if (!image || !features) return CONVOLUTION_ERROR_NULL;
  convolution_conv1_add_maximum(image, convolution_conv1, convolution_weight, features);
  return CONVOLUTION_OK;
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
