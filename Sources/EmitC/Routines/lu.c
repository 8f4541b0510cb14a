/* Row permutation[i] of a is row i of l u, whose factors lie in one matrix without the ones on the diagonal of l;
   step k exchanged row k for row pivots[k] - 1, the one with the largest number below the diagonal. */
static int routine_lu(ptrdiff_t m, ptrdiff_t n, const real_t *restrict a, real_t *restrict lu, int32_t *restrict pivots,
                      int64_t *restrict permutation)
{
  for (ptrdiff_t i = 0; i < m * n; i++) lu[i] = a[i];
  for (ptrdiff_t i = 0; i < m; i++) permutation[i] = (int64_t)i;
  for (ptrdiff_t k = 0; k < m && k < n; k++) {
    ptrdiff_t best = k;
    for (ptrdiff_t i = k + 1; i < m; i++) {
      if (real_abs(lu[i * n + k]) > real_abs(lu[best * n + k])) best = i;
    }
    pivots[k] = (int32_t)(best + 1);
    if (best != k) {
      for (ptrdiff_t j = 0; j < n; j++) {
        const real_t other = lu[k * n + j];
        lu[k * n + j] = lu[best * n + j];
        lu[best * n + j] = other;
      }
      const int64_t other = permutation[k];
      permutation[k] = permutation[best];
      permutation[best] = other;
    }
    const real_t pivot = lu[k * n + k];
    if (pivot == 0) continue;
    for (ptrdiff_t i = k + 1; i < m; i++) {
      const real_t factor = lu[i * n + k] / pivot;
      lu[i * n + k] = factor;
      for (ptrdiff_t j = k + 1; j < n; j++) lu[i * n + j] -= factor * lu[k * n + j];
    }
  }
  return 0;
}
