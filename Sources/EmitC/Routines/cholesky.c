/* a = l l^T for a symmetric positive-definite a, of which the lower triangle is read; 1 where it is not. */
static int routine_cholesky(ptrdiff_t n, const real_t *restrict a, real_t *restrict l)
{
  for (ptrdiff_t i = 0; i < n; i++) {
    for (ptrdiff_t j = 0; j < n; j++) {
      real_t rest = 0;
      if (j <= i) {
        rest = a[i * n + j];
        for (ptrdiff_t k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
      }
      if (j < i) {
        rest /= l[j * n + j];
      } else if (j == i) {
        if (!(rest > 0 && rest <= real_largest)) return 1;
        rest = real_sqrt(rest);
      }
      l[i * n + j] = rest;
    }
  }
  return 0;
}
