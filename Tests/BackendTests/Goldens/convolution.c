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

static inline float convolution_maximum_f32(float a, float b)
{
  return a > b || a != a ? a : b;
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
  float tile[4];
  for (ptrdiff_t i = 0; i < 4; i++) {
    tile[i] = 0.0f;
  }
  for (ptrdiff_t i = 0; i < 3; i++) {
    for (ptrdiff_t j = 1; j < 3; j++) {
      for (ptrdiff_t k = 1; k < 3; k++) {
        const float x0 = image[i * 81 + j * 9 + k - 10];
        for (ptrdiff_t m = 0; m < 4; m++) {
          tile[m] += x0 * conv1[m * 27 + i * 9 + j * 3 + k];
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    features[i * 25] = convolution_maximum_f32(tile[i] + weight[i], 0.0f);
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x1 = weight[i];
    for (ptrdiff_t j = 0; j < 3; j++) {
      float sum = 0.0f;
      for (ptrdiff_t k = 0; k < 3; k++) {
        for (ptrdiff_t m = 1; m < 3; m++) {
          for (ptrdiff_t n = 0; n < 3; n++) {
            sum += image[k * 81 + m * 9 + n + j * 2 - 8] * conv1[i * 27 + k * 9 + m * 3 + n];
          }
        }
      }
      features[i * 25 + j + 1] = convolution_maximum_f32(sum + x1, 0.0f);
    }
  }
  float tile2[4];
  for (ptrdiff_t i = 0; i < 4; i++) {
    tile2[i] = 0.0f;
  }
  for (ptrdiff_t i = 0; i < 3; i++) {
    for (ptrdiff_t j = 1; j < 3; j++) {
      for (ptrdiff_t k = 0; k < 2; k++) {
        const float x2 = image[i * 81 + j * 9 + k - 2];
        for (ptrdiff_t m = 0; m < 4; m++) {
          tile2[m] += x2 * conv1[m * 27 + i * 9 + j * 3 + k];
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    features[i * 25 + 4] = convolution_maximum_f32(tile2[i] + weight[i], 0.0f);
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x3 = weight[i];
    for (ptrdiff_t j = 0; j < 3; j++) {
      float sum2 = 0.0f;
      for (ptrdiff_t k = 0; k < 3; k++) {
        for (ptrdiff_t m = 0; m < 3; m++) {
          for (ptrdiff_t n = 1; n < 3; n++) {
            sum2 += image[k * 81 + m * 9 + n + j * 18 + 8] * conv1[i * 27 + k * 9 + m * 3 + n];
          }
        }
      }
      features[i * 25 + j * 5 + 5] = convolution_maximum_f32(sum2 + x3, 0.0f);
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x4 = weight[i];
    for (ptrdiff_t j = 0; j < 3; j++) {
      for (ptrdiff_t k = 0; k < 3; k++) {
        float sum3 = 0.0f;
        for (ptrdiff_t m = 0; m < 3; m++) {
          for (ptrdiff_t n = 0; n < 3; n++) {
            for (ptrdiff_t p = 0; p < 3; p++) {
              sum3 += image[m * 81 + n * 9 + p + j * 18 + k * 2 + 10] * conv1[i * 27 + m * 9 + n * 3 + p];
            }
          }
        }
        features[i * 25 + j * 5 + k + 6] = convolution_maximum_f32(sum3 + x4, 0.0f);
      }
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x5 = weight[i];
    for (ptrdiff_t j = 0; j < 3; j++) {
      float sum4 = 0.0f;
      for (ptrdiff_t k = 0; k < 3; k++) {
        for (ptrdiff_t m = 0; m < 3; m++) {
          for (ptrdiff_t n = 0; n < 2; n++) {
            sum4 += image[k * 81 + m * 9 + n + j * 18 + 16] * conv1[i * 27 + k * 9 + m * 3 + n];
          }
        }
      }
      features[i * 25 + j * 5 + 9] = convolution_maximum_f32(sum4 + x5, 0.0f);
    }
  }
  float tile3[4];
  for (ptrdiff_t i = 0; i < 4; i++) {
    tile3[i] = 0.0f;
  }
  for (ptrdiff_t i = 0; i < 3; i++) {
    for (ptrdiff_t j = 0; j < 2; j++) {
      for (ptrdiff_t k = 1; k < 3; k++) {
        const float x6 = image[i * 81 + j * 9 + k + 62];
        for (ptrdiff_t m = 0; m < 4; m++) {
          tile3[m] += x6 * conv1[m * 27 + i * 9 + j * 3 + k];
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    features[i * 25 + 20] = convolution_maximum_f32(tile3[i] + weight[i], 0.0f);
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    const float x7 = weight[i];
    for (ptrdiff_t j = 0; j < 3; j++) {
      float sum5 = 0.0f;
      for (ptrdiff_t k = 0; k < 3; k++) {
        for (ptrdiff_t m = 0; m < 2; m++) {
          for (ptrdiff_t n = 0; n < 3; n++) {
            sum5 += image[k * 81 + m * 9 + n + j * 2 + 64] * conv1[i * 27 + k * 9 + m * 3 + n];
          }
        }
      }
      features[i * 25 + j + 21] = convolution_maximum_f32(sum5 + x7, 0.0f);
    }
  }
  float tile4[4];
  for (ptrdiff_t i = 0; i < 4; i++) {
    tile4[i] = 0.0f;
  }
  for (ptrdiff_t i = 0; i < 3; i++) {
    for (ptrdiff_t j = 0; j < 2; j++) {
      for (ptrdiff_t k = 0; k < 2; k++) {
        const float x8 = image[i * 81 + j * 9 + k + 70];
        for (ptrdiff_t m = 0; m < 4; m++) {
          tile4[m] += x8 * conv1[m * 27 + i * 9 + j * 3 + k];
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < 4; i++) {
    features[i * 25 + 24] = convolution_maximum_f32(tile4[i] + weight[i], 0.0f);
  }
}

int convolution_run(const float *restrict image, float *restrict features)
{
  if (!image || !features) return CONVOLUTION_ERROR_NULL;
  convolution_convolution_add_maximum(image, convolution_conv1, convolution_weight, features);
  return CONVOLUTION_OK;
}
