/* What makes the first of a vector's large numbers positive: eigenvectors and singular vectors have no sign of their
   own. */
static real_t routine_orientation(ptrdiff_t n, const real_t *v, ptrdiff_t stride)
{
  real_t largest = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    if (real_abs(v[i * stride]) > largest) largest = real_abs(v[i * stride]);
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    if (real_abs(v[i * stride]) >= (real_t)0.9 * largest) return v[i * stride] < 0 ? -1 : 1;
  }
  return 1;
}
