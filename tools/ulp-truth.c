/* The function in double, for tools/ulp: TRUTH is an expression in x. Many at once by the C library's vector functions
 * where there are such (a few ulp of double off, which is nothing in float), and one by the ordinary ones. */
#if defined(__x86_64__) && defined(__linux__)
#define VECTORIZED(name) __attribute__((simd("notinbranch"))) double name(double)
VECTORIZED(exp); VECTORIZED(exp2); VECTORIZED(expm1); VECTORIZED(log); VECTORIZED(log1p); VECTORIZED(log2);
VECTORIZED(log10); VECTORIZED(sin); VECTORIZED(cos); VECTORIZED(tan); VECTORIZED(asin); VECTORIZED(acos);
VECTORIZED(atan); VECTORIZED(sinh); VECTORIZED(cosh); VECTORIZED(tanh); VECTORIZED(asinh); VECTORIZED(acosh);
VECTORIZED(atanh); VECTORIZED(erf); VECTORIZED(erfc);
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
