/* Applies the reflector that column k of h and its factor describe to columns j... of a matrix with the same rows. */
static void routine_qr_reflect(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const real_t *h, real_t factor, real_t *a,
                               ptrdiff_t columns, ptrdiff_t first)
{
  for (ptrdiff_t j = first; j < columns; j++) {
    real_t sum = a[k * columns + j];
    for (ptrdiff_t i = k + 1; i < m; i++) sum += h[i * n + k] * a[i * columns + j];
    sum *= factor;
    a[k * columns + j] -= sum;
    for (ptrdiff_t i = k + 1; i < m; i++) a[i * columns + j] -= h[i * n + k] * sum;
  }
}

/* a = q r with orthonormal columns in q, min(m, n) or m of them, by Householder's reflectors; work holds a copy of a
   and a factor for each reflector. */
static int routine_qr(ptrdiff_t m, ptrdiff_t n, ptrdiff_t is_complete, const real_t *restrict a, real_t *restrict q,
                      real_t *restrict r, real_t *restrict work)
{
  const ptrdiff_t count = m < n ? m : n;
  const ptrdiff_t columns = is_complete ? m : count;
  real_t *const h = work;
  real_t *const factors = work + m * n;
  for (ptrdiff_t i = 0; i < m * n; i++) h[i] = a[i];
  for (ptrdiff_t k = 0; k < count; k++) {
    real_t largest = 0;
    for (ptrdiff_t i = k + 1; i < m; i++) {
      const real_t size = real_abs(h[i * n + k]);
      if (!(size <= largest)) largest = size;
    }
    factors[k] = 0;
    if (largest == 0) continue;
    if (real_abs(h[k * n + k]) > largest) largest = real_abs(h[k * n + k]);
    real_t sum = 0;
    for (ptrdiff_t i = k; i < m; i++) {
      h[i * n + k] /= largest;
      sum += h[i * n + k] * h[i * n + k];
    }
    const real_t head = h[k * n + k];
    const real_t diagonal = head > 0 ? -real_sqrt(sum) : real_sqrt(sum);
    factors[k] = (diagonal - head) / diagonal;
    for (ptrdiff_t i = k + 1; i < m; i++) h[i * n + k] /= head - diagonal;
    h[k * n + k] = diagonal * largest;
    routine_qr_reflect(m, n, k, h, factors[k], h, n, k + 1);
  }
  for (ptrdiff_t i = 0; i < columns; i++) {
    for (ptrdiff_t j = 0; j < n; j++) r[i * n + j] = i <= j ? h[i * n + j] : 0;
  }
  for (ptrdiff_t i = 0; i < m; i++) {
    for (ptrdiff_t j = 0; j < columns; j++) q[i * columns + j] = i == j;
  }
  for (ptrdiff_t k = count - 1; k >= 0; k--) routine_qr_reflect(m, n, k, h, factors[k], q, columns, k);
  return 0;
}
