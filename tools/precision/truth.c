/* The function in double, for tools/ulp: TRUTH is an expression in x. Many at once by the C library's vector functions
 * where there are such (a few ulp of double off, which is nothing in float), and one by the ordinary ones. */
#if defined(__x86_64__) && defined(__linux__)
/* tells the compiler of the vector form */
#define MANY(name) __attribute__((simd("notinbranch"))) double name(double);
MANY(exp) MANY(exp2) MANY(expm1) MANY(log) MANY(log1p) MANY(log2) MANY(log10) MANY(sin) MANY(cos)
MANY(tan) MANY(asin) MANY(acos) MANY(atan) MANY(sinh) MANY(cosh) MANY(tanh) MANY(asinh) MANY(acosh)
MANY(atanh) MANY(erf) MANY(erfc)
#endif
#include <math.h>

void truth(const float *values, double *results)
{
  for (int i = 0; i < BLOCK; i++) {
    const double x = (double)values[i];
    results[i] = TRUTH;
  }
}

__attribute__((noinline, optimize("no-tree-vectorize"))) double exact(float value)
{
  const double x = (double)value;
  return TRUTH;
}
