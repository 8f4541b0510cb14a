/* The power of two that brings the largest number between 1 and 2, and loses nothing; 1 of zeros, 0 where a number is
   not finite. */
static real_t routine_scale(ptrdiff_t count, const real_t *a)
{
  real_t largest = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    if (!(real_abs(a[i]) <= real_largest)) return 0;
    if (real_abs(a[i]) > largest) largest = real_abs(a[i]);
  }
  if (largest == 0) return 1;
  int exponent;
  (void)real_frexp(largest, &exponent);
  return real_ldexp(1, exponent - 1);
}
