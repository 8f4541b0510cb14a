#include "kernels.h"

#include <string.h>

#define PARTS LATHE_ROW_PARTS

/* One sum: term k goes to part k % PARTS, products are rounded before they are added, and the parts are joined
   pairwise, as loop programs say it. */
#define ROW(NAME, TARGET, ELEMENT)                                                               \
  TARGET static inline ELEMENT NAME(const ELEMENT *a, const ELEMENT *b, ptrdiff_t terms) {       \
    typedef ELEMENT vector __attribute__((vector_size(PARTS * sizeof(ELEMENT))));                \
    vector sums = {0};                                                                           \
    ptrdiff_t k = 0;                                                                             \
    for (; k + PARTS <= terms; k += PARTS) {                                                     \
      vector x;                                                                                  \
      memcpy(&x, a + k, sizeof x);                                                               \
      if (b != NULL) {                                                                           \
        vector y;                                                                                \
        memcpy(&y, b + k, sizeof y);                                                             \
        x *= y;                                                                                  \
      }                                                                                          \
      sums += x;                                                                                 \
    }                                                                                            \
    for (int part = 0; k < terms; k++, part++) {                                                 \
      ELEMENT x = a[k];                                                                          \
      if (b != NULL) x *= b[k];                                                                  \
      sums[part] += x;                                                                           \
    }                                                                                            \
    for (int width = PARTS / 2; width > 0; width /= 2) {                                         \
      for (int part = 0; part < width; part++) sums[part] += sums[part + width];                 \
    }                                                                                            \
    return sums[0];                                                                              \
  }

#define ROWS(NAME, TARGET, ELEMENT)                                                              \
  ROW(row_##NAME##_##ELEMENT, TARGET, ELEMENT)                                                   \
  TARGET static ELEMENT *rows_##NAME##_##ELEMENT(                                                \
      const struct lathe_rows *rows, int level, ptrdiff_t count, const ELEMENT *a, const ELEMENT *b, ELEMENT *sums) { \
    for (ptrdiff_t i = 0; i < count; i++) {                                                      \
      if (level == rows->depth - 1) {                                                            \
        *sums++ = row_##NAME##_##ELEMENT(a, b, rows->terms);                                     \
      } else {                                                                                   \
        sums = rows_##NAME##_##ELEMENT(rows, level + 1, rows->extents[level + 1], a, b, sums);   \
      }                                                                                          \
      a += rows->a_strides[level];                                                               \
      if (b != NULL) b += rows->b_strides[level];                                                \
    }                                                                                            \
    return sums;                                                                                 \
  }

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define AVX2 __attribute__((target("avx2,fma")))
ROWS(avx512, AVX512, float)
ROWS(avx512, AVX512, double)
ROWS(avx2, AVX2, float)
ROWS(avx2, AVX2, double)
#endif
ROWS(portable, , float)
ROWS(portable, , double)

#define RUN(NAME)                                                                                \
  if (is_double) {                                                                               \
    rows_##NAME##_double(rows, 0, rows->count, a, b, sums);                                      \
  } else {                                                                                       \
    rows_##NAME##_float(rows, 0, rows->count, a, b, sums);                                       \
  }                                                                                              \
  return;

void lathe_reduce_rows(const struct lathe_rows *rows, int is_double, const void *a, const void *b, void *sums) {
#if defined(__x86_64__)
  switch (lathe_vector_bytes()) {
  case 64: RUN(avx512)
  case 32: RUN(avx2)
  default: break;
  }
#endif
  RUN(portable)
}
