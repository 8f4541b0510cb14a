#include "kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Blocks whose sums, with the vectors of a step, fit 32 registers: columns by rows. */
#define ROWS_9(M, C) M(C, 1) M(C, 2) M(C, 3) M(C, 4) M(C, 5) M(C, 6) M(C, 7) M(C, 8) M(C, 9)
#define ROWS_14(M, C) ROWS_9(M, C) M(C, 10) M(C, 11) M(C, 12) M(C, 13) M(C, 14)
#define ROWS_28(M, C)                                                                            \
  ROWS_14(M, C) M(C, 15) M(C, 16) M(C, 17) M(C, 18) M(C, 19) M(C, 20) M(C, 21) M(C, 22) M(C, 23) \
  M(C, 24) M(C, 25) M(C, 26) M(C, 27) M(C, 28)
#define ROWS_3(M, C) M(C, 1) M(C, 2) M(C, 3)
#define ROWS_4(M, C) ROWS_3(M, C) M(C, 4)
#define ROWS_5(M, C) ROWS_4(M, C) M(C, 5)
#define ROWS_7(M, C) ROWS_5(M, C) M(C, 6) M(C, 7)
#define EACH_OUTER(M)                                                                            \
  ROWS_28(M, 1) ROWS_14(M, 2) ROWS_9(M, 3) ROWS_7(M, 4) ROWS_5(M, 5) ROWS_4(M, 6) ROWS_4(M, 7)   \
  ROWS_3(M, 8)
#define EACH_WINDOW(M) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8)

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* Any tile, slowly, with the sums on the stack. */
#define GENERIC(TYPE)                                                                            \
  static void outer_##TYPE(const struct lathe_tile *t, const void *from, const void *with, void *to) { \
    const int lanes = t->lanes, rows = t->rows, count = t->columns * rows * lanes;               \
    TYPE sums[count];                                                                            \
    for (int i = 0; i < count; i++) sums[i] = 0;                                                 \
    for (ptrdiff_t step = 0; step < t->steps; step++) {                                          \
      for (ptrdiff_t k = 0; k < t->inner; k++) {                                                 \
        const TYPE *a = (const TYPE *)from + t->offsets[2 * step] + k * t->a_inner;              \
        const TYPE *b = (const TYPE *)with + t->offsets[2 * step + 1] + k * t->b_inner;          \
        for (int c = 0; c < t->columns; c++) {                                                   \
          for (int r = 0; r < rows; r++) {                                                       \
            TYPE *sum = sums + (c * rows + r) * lanes;                                           \
            for (int l = 0; l < lanes; l++) sum[l] += a[r * t->a_row] * b[c * t->b_column + l];  \
          }                                                                                      \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
    for (int i = 0; i < count; i++) ((TYPE *)to)[i] = t->adds ? ((TYPE *)to)[i] + sums[i] : sums[i]; \
  }                                                                                              \
  static void window_##TYPE(                                                                     \
      const struct lathe_tile *t, const void *from, const void *with, void *to, enum lathe_tile_kind kind) { \
    const int lanes = t->lanes, count = t->rows * lanes;                                         \
    TYPE sums[count];                                                                            \
    for (int i = 0; i < count; i++) sums[i] = kind == lathe_tile_maximum ? (TYPE)-INFINITY : 0;  \
    for (ptrdiff_t step = 0; step < t->steps; step++) {                                          \
      for (ptrdiff_t k = 0; k < t->inner; k++) {                                                 \
        for (int r = 0; r < t->rows; r++) {                                                      \
          TYPE *sum = sums + r * lanes;                                                          \
          const TYPE *a = (const TYPE *)from + t->offsets[2 * step] + k * t->a_inner + r * t->a_row; \
          const TYPE *b = with == NULL ? a                                                       \
            : (const TYPE *)with + t->offsets[2 * step + 1] + k * t->b_inner + r * t->b_row;     \
          for (int l = 0; l < lanes; l++) {                                                      \
            if (kind == lathe_tile_product) sum[l] += a[l] * b[l];                               \
            else if (kind == lathe_tile_sum) sum[l] += a[l];                                     \
            else if (!(sum[l] >= a[l]) && sum[l] == sum[l]) sum[l] = a[l];                       \
          }                                                                                      \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
    for (int i = 0; i < count; i++) ((TYPE *)to)[i] = t->adds ? ((TYPE *)to)[i] + sums[i] : sums[i]; \
  }                                                                                              \
  static void product_##TYPE(const struct lathe_tile *t, const void *from, const void *with, void *to) { \
    window_##TYPE(t, from, with, to, lathe_tile_product);                                        \
  }                                                                                              \
  static void sum_##TYPE(const struct lathe_tile *t, const void *from, const void *with, void *to) { \
    window_##TYPE(t, from, with, to, lathe_tile_sum);                                            \
  }                                                                                              \
  static void maximum_##TYPE(const struct lathe_tile *t, const void *from, const void *with, void *to) { \
    window_##TYPE(t, from, with, to, lathe_tile_maximum);                                        \
  }                                                                                              \
  static lathe_tile_kernel generic_##TYPE(enum lathe_tile_kind kind) {                           \
    switch (kind) {                                                                              \
    case lathe_tile_outer: return outer_##TYPE;                                                  \
    case lathe_tile_product: return product_##TYPE;                                              \
    case lathe_tile_sum: return sum_##TYPE;                                                      \
    default: return maximum_##TYPE;                                                              \
    }                                                                                            \
  }

GENERIC(float)
GENERIC(double)

#if defined(__x86_64__)
#include <immintrin.h>

/* AVX-512 leaves lanes out by masks, at no cost. */
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))

#define NAME f32x16
#define TARGET AVX512
#define ELEMENT float
#define VECTOR __m512
#define PREPARE const __mmask16 mask = (__mmask16)((1u << t->lanes) - 1);
#define LOAD(from) _mm512_maskz_loadu_ps(mask, from)
#define STORE(to, vector) _mm512_mask_storeu_ps(to, mask, vector)
#define MAXIMUM(a, b) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), _mm512_max_ps(b, a), b)
#include "tiles.inc"

#define NAME f32x8
#define TARGET AVX512
#define ELEMENT float
#define VECTOR __m256
#define PREPARE const __mmask8 mask = (__mmask8)((1u << t->lanes) - 1);
#define LOAD(from) _mm256_maskz_loadu_ps(mask, from)
#define STORE(to, vector) _mm256_mask_storeu_ps(to, mask, vector)
#define MAXIMUM(a, b) _mm256_mask_blend_ps(_mm256_cmp_ps_mask(b, b, _CMP_UNORD_Q), _mm256_max_ps(b, a), b)
#include "tiles.inc"

#define NAME f64x8
#define TARGET AVX512
#define ELEMENT double
#define VECTOR __m512d
#define PREPARE const __mmask8 mask = (__mmask8)((1u << t->lanes) - 1);
#define LOAD(from) _mm512_maskz_loadu_pd(mask, from)
#define STORE(to, vector) _mm512_mask_storeu_pd(to, mask, vector)
#define MAXIMUM(a, b) _mm512_mask_blend_pd(_mm512_cmp_pd_mask(b, b, _CMP_UNORD_Q), _mm512_max_pd(b, a), b)
#include "tiles.inc"

/* AVX2: whole vectors only. */
#define NAME f32x8_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define ELEMENT float
#define VECTOR __m256
#define PREPARE
#define LOAD(from) _mm256_loadu_ps(from)
#define STORE(to, vector) _mm256_storeu_ps(to, vector)
#define MAXIMUM(a, b) _mm256_blendv_ps(_mm256_max_ps(b, a), b, _mm256_cmp_ps(b, b, _CMP_UNORD_Q))
#include "tiles.inc"

#define NAME f64x4_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define ELEMENT double
#define VECTOR __m256d
#define PREPARE
#define LOAD(from) _mm256_loadu_pd(from)
#define STORE(to, vector) _mm256_storeu_pd(to, vector)
#define MAXIMUM(a, b) _mm256_blendv_pd(_mm256_max_pd(b, a), b, _mm256_cmp_pd(b, b, _CMP_UNORD_Q))
#include "tiles.inc"

static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
    && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

/* Vectors that every processor has. */
#define PORTABLE(VECTOR, ELEMENT, MASK, MASK_ELEMENT)                        \
  typedef ELEMENT VECTOR __attribute__((vector_size(16)));                  \
  typedef MASK_ELEMENT MASK __attribute__((vector_size(16)));               \
  static inline VECTOR load_##VECTOR(const ELEMENT *from) {                 \
    VECTOR result;                                                          \
    memcpy(&result, from, sizeof result);                                   \
    return result;                                                          \
  }                                                                         \
  static inline void store_##VECTOR(ELEMENT *to, VECTOR vector) {           \
    memcpy(to, &vector, sizeof vector);                                     \
  }                                                                         \
  static inline VECTOR maximum_##VECTOR(VECTOR a, VECTOR b) {               \
    const MASK stays = (MASK)(a >= b) | (MASK)(a != a);                     \
    return (VECTOR)((stays & (MASK)a) | (~stays & (MASK)b));                \
  }

PORTABLE(float4, float, int4, int32_t)
PORTABLE(double2, double, long2, int64_t)

#define NAME f32x4
#define TARGET
#define ELEMENT float
#define VECTOR float4
#define PREPARE
#define LOAD(from) load_float4(from)
#define STORE(to, vector) store_float4(to, vector)
#define MAXIMUM(a, b) maximum_float4(a, b)
#include "tiles.inc"

#define NAME f64x2
#define TARGET
#define ELEMENT double
#define VECTOR double2
#define PREPARE
#define LOAD(from) load_double2(from)
#define STORE(to, vector) store_double2(to, vector)
#define MAXIMUM(a, b) maximum_double2(a, b)
#include "tiles.inc"

int lathe_vector_bytes(void) {
#if defined(__x86_64__)
  if (has_avx512()) return 64;
  if (has_avx2()) return 32;
#endif
  return 16;
}

int lathe_vector_registers(void) {
#if defined(__x86_64__)
  return has_avx512() ? 32 : 16;
#elif defined(__aarch64__)
  return 32;
#else
  return 16;
#endif
}

lathe_tile_kernel lathe_tile_kernel_for(
    enum lathe_tile_kind kind, int is_double, int columns, int rows, int lanes, int vector_bytes) {
  lathe_tile_kernel result = NULL;
#if defined(__x86_64__)
  if (vector_bytes >= 64 && has_avx512()) {
    if (is_double) {
      if (lanes <= 8) result = f64x8_kernel_for_tile(kind, columns, rows);
    } else if (lanes <= 8) {
      result = f32x8_kernel_for_tile(kind, columns, rows);
    } else if (lanes <= 16) {
      result = f32x16_kernel_for_tile(kind, columns, rows);
    }
  } else if (vector_bytes >= 32 && has_avx2()) {
    if (is_double) {
      if (lanes == 4) result = f64x4_avx2_kernel_for_tile(kind, columns, rows);
    } else if (lanes == 8) {
      result = f32x8_avx2_kernel_for_tile(kind, columns, rows);
    }
  }
#else
  (void)vector_bytes;
#endif
  if (result == NULL && is_double && lanes == 2) result = f64x2_kernel_for_tile(kind, columns, rows);
  if (result == NULL && !is_double && lanes == 4) result = f32x4_kernel_for_tile(kind, columns, rows);
  if (result != NULL) return result;
  return is_double ? generic_double(kind) : generic_float(kind);
}

static void *run_tiles(
    lathe_tile_kernel kernel, const struct lathe_tile *tile, ptrdiff_t size, int depth, ptrdiff_t count,
    const ptrdiff_t *extents, const ptrdiff_t *a_strides, const ptrdiff_t *b_strides, const char *a, const char *b,
    char *sums) {
  for (ptrdiff_t i = 0; i < count; i++) {
    if (depth == 1) {
      kernel(tile, a, b, sums);
      sums += (ptrdiff_t)tile->columns * tile->rows * tile->lanes * size;
    } else {
      sums = run_tiles(
          kernel, tile, size, depth - 1, extents[1], extents + 1, a_strides + 1, b_strides + 1, a, b, sums);
    }
    a += a_strides[0] * size;
    if (b != NULL) b += b_strides[0] * size;
  }
  return sums;
}

void lathe_run_tiles(
    lathe_tile_kernel kernel, const struct lathe_tile *tile, int is_double, int depth, ptrdiff_t count,
    const ptrdiff_t *extents, const ptrdiff_t *a_strides, const ptrdiff_t *b_strides, const void *a, const void *b,
    void *sums) {
  if (depth == 0) {
    kernel(tile, a, b, sums);
  } else {
    run_tiles(
        kernel, tile, is_double ? sizeof(double) : sizeof(float), depth, count, extents, a_strides, b_strides, a, b,
        sums);
  }
}
