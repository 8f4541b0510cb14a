/* a x = b, where a is one triangle of a matrix, with ones on the diagonal if it is unit; 1 where it is to be checked
   and has a zero there. */
static int routine_triangular_solve(ptrdiff_t n, ptrdiff_t count, ptrdiff_t is_upper, ptrdiff_t is_unit,
                                    ptrdiff_t is_checked, const real_t *restrict a, const real_t *restrict b,
                                    real_t *restrict x)
{
  for (ptrdiff_t i = 0; i < n * count; i++) x[i] = b[i];
  for (ptrdiff_t step = 0; step < n; step++) {
    const ptrdiff_t i = is_upper ? n - 1 - step : step;
    const ptrdiff_t end = is_upper ? n : i;
    for (ptrdiff_t j = is_upper ? i + 1 : 0; j < end; j++) {
      const real_t factor = a[i * n + j];
      for (ptrdiff_t k = 0; k < count; k++) x[i * count + k] -= factor * x[j * count + k];
    }
    if (is_unit) continue;
    const real_t pivot = a[i * n + i];
    if (is_checked && pivot == 0) return 1;
    for (ptrdiff_t k = 0; k < count; k++) x[i * count + k] /= pivot;
  }
  return 0;
}
