/* a = v diag(w) v^T for a symmetric a, of which the lower triangle is read, by Jacobi's rotations; w ascends. 1 where
   they do not converge, as with numbers that are not finite. work holds two matrices. */
static int routine_eigh(ptrdiff_t n, const real_t *restrict a, real_t *restrict w, real_t *restrict v,
                        real_t *restrict work)
{
  real_t *const d = work;
  real_t *const rows = work + n * n; /* the eigenvectors */
  for (ptrdiff_t i = 0; i < n; i++) {
    for (ptrdiff_t j = 0; j < n; j++) {
      d[i * n + j] = i < j ? a[j * n + i] : a[i * n + j];
      rows[i * n + j] = i == j;
    }
  }
  const real_t scale = routine_scale(n * n, d);
  if (scale == 0) return 1;
  for (ptrdiff_t i = 0; i < n * n; i++) d[i] /= scale;
  int rounds = 0;
  for (bool is_done = false; !is_done; rounds++) {
    if (rounds == 60) return 1;
    is_done = true;
    for (ptrdiff_t p = 0; p < n; p++) {
      for (ptrdiff_t q = p + 1; q < n; q++) {
        const real_t off = d[p * n + q];
        const real_t least = real_abs(d[p * n + p]) < real_abs(d[q * n + q]) ? d[p * n + p] : d[q * n + q];
        /* Small beside both of its diagonal's numbers, or lost beside the whole matrix. */
        if (real_abs(off) <= real_epsilon * real_abs(least) || real_abs(off) <= real_epsilon * real_epsilon) {
          d[p * n + q] = d[q * n + p] = 0;
          continue;
        }
        is_done = false;
        const real_t slope = (d[q * n + q] - d[p * n + p]) / (2 * off);
        const real_t t = (slope < 0 ? -1 : 1) / (real_abs(slope) + real_sqrt(slope * slope + 1));
        const real_t c = 1 / real_sqrt(t * t + 1);
        const real_t s = t * c;
        d[p * n + p] -= t * off;
        d[q * n + q] += t * off;
        d[p * n + q] = d[q * n + p] = 0;
        for (ptrdiff_t k = 0; k < n; k++) {
          const real_t x = rows[p * n + k], y = rows[q * n + k];
          rows[p * n + k] = c * x - s * y;
          rows[q * n + k] = s * x + c * y;
          if (k == p || k == q) continue;
          const real_t f = d[p * n + k], g = d[q * n + k];
          d[k * n + p] = d[p * n + k] = c * f - s * g;
          d[k * n + q] = d[q * n + k] = s * f + c * g;
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < n; i++) w[i] = d[i * n + i];
  for (ptrdiff_t i = 0; i < n; i++) {
    ptrdiff_t best = i;
    for (ptrdiff_t j = i + 1; j < n; j++) {
      if (w[j] < w[best]) best = j;
    }
    const real_t value = w[best];
    w[best] = w[i];
    w[i] = value * scale; /* infinite where it lies beyond the type's range */
    const real_t sign = routine_orientation(n, rows + best * n, 1);
    for (ptrdiff_t j = 0; j < n; j++) {
      v[j * n + i] = sign * rows[best * n + j];
      rows[best * n + j] = rows[i * n + j];
    }
  }
  return 0;
}
