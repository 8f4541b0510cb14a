#include "kernels.h"

#include <math.h>

/* Lanes do not depend on each other, though the result may take the place of an operand. */
#if defined(__clang__)
#define LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define LANES _Pragma("GCC ivdep")
#endif

/* One loop for each function and way of giving operands; compilers make vector code of them. */
#define EACH(EXPRESSION)                                                          \
  if (uniform == 0) {                                                             \
    LANES for (ptrdiff_t i = 0; i < count; i++) { const float x = a[i], y = b[i]; to[i] = EXPRESSION; } \
  } else if (uniform == 1) {                                                      \
    const float x = *a;                                                           \
    LANES for (ptrdiff_t i = 0; i < count; i++) { const float y = b[i]; to[i] = EXPRESSION; } \
  } else {                                                                        \
    const float y = *b;                                                           \
    LANES for (ptrdiff_t i = 0; i < count; i++) { const float x = a[i]; to[i] = EXPRESSION; } \
  }

#define STRIP(NAME, TARGET)                                                       \
  TARGET static void strip_##NAME(                                                \
      enum lathe_strip_function function, float *to, const float *a, const float *b, ptrdiff_t count, int uniform) { \
    switch (function) {                                                           \
    case lathe_strip_add: EACH(x + y) break;                                      \
    case lathe_strip_subtract: EACH(x - y) break;                                 \
    case lathe_strip_multiply: EACH(x * y) break;                                 \
    case lathe_strip_divide: EACH(x / y) break;                                   \
    case lathe_strip_maximum: EACH(y != y ? y : y >= x ? y : x) break;            \
    case lathe_strip_minimum: EACH(y != y ? y : y < x ? y : x) break;             \
    }                                                                             \
  }

#if defined(__x86_64__)
STRIP(avx512, __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))))
STRIP(avx2, __attribute__((target("avx2,fma"))))
#endif
STRIP(portable, )

void lathe_strip(
    enum lathe_strip_function function, float *to, const float *a, const float *b, ptrdiff_t count, int uniform) {
#if defined(__x86_64__)
  switch (lathe_vector_bytes()) {
  case 64: strip_avx512(function, to, a, b, count, uniform); return;
  case 32: strip_avx2(function, to, a, b, count, uniform); return;
  default: break;
  }
#endif
  strip_portable(function, to, a, b, count, uniform);
}
