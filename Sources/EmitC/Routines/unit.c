/* Gives a complex vector the norm 1 and turns the first of its large numbers to be real and positive; 1 where it is not
   finite. */
static int routine_unit(ptrdiff_t n, real_t *re, real_t *im, ptrdiff_t stride)
{
  real_t largest = 0;
  for (ptrdiff_t i = 0; i < n * stride; i += stride) {
    if (!(real_abs(re[i]) <= real_largest && real_abs(im[i]) <= real_largest)) return 1;
    if (real_abs(re[i]) > largest) largest = real_abs(re[i]);
    if (real_abs(im[i]) > largest) largest = real_abs(im[i]);
  }
  if (largest == 0) return 0;
  real_t sum = 0, most = 0;
  for (ptrdiff_t i = 0; i < n * stride; i += stride) {
    re[i] /= largest;
    im[i] /= largest;
    const real_t size = re[i] * re[i] + im[i] * im[i];
    sum += size;
    if (size > most) most = size;
  }
  ptrdiff_t first = 0;
  while (re[first] * re[first] + im[first] * im[first] < (real_t)0.81 * most) first += stride;
  const real_t length = real_sqrt(re[first] * re[first] + im[first] * im[first]) * real_sqrt(sum);
  const real_t c = re[first] / length, s = im[first] / length;
  for (ptrdiff_t i = 0; i < n * stride; i += stride) {
    const real_t x = re[i], y = im[i];
    re[i] = c * x + s * y;
    im[i] = i == first ? 0 : c * y - s * x;
  }
  return 0;
}
