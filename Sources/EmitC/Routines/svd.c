/* Makes vector k orthogonal to those before it, where its own direction is lost: the coordinate axis that has most
   left. */
static void routine_svd_complete(ptrdiff_t n, ptrdiff_t k, real_t *vectors)
{
  real_t *const v = vectors + k * n;
  ptrdiff_t best = 0;
  real_t most = -1;
  for (ptrdiff_t i = 0; i < n; i++) {
    real_t left = 1;
    for (ptrdiff_t j = 0; j < k; j++) left -= vectors[j * n + i] * vectors[j * n + i];
    if (left > most) {
      most = left;
      best = i;
    }
  }
  for (ptrdiff_t i = 0; i < n; i++) v[i] = i == best;
  for (int round = 0; round < 2; round++) {
    for (ptrdiff_t j = 0; j < k; j++) {
      real_t sum = 0;
      for (ptrdiff_t i = 0; i < n; i++) sum += vectors[j * n + i] * v[i];
      for (ptrdiff_t i = 0; i < n; i++) v[i] -= sum * vectors[j * n + i];
    }
    real_t sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += v[i] * v[i];
    sum = real_sqrt(sum);
    for (ptrdiff_t i = 0; i < n; i++) v[i] /= sum;
  }
}

/* a = u diag(s) vh with min(m, n) singular values, which descend, by one-sided Jacobi rotations of the shorter axis. 1
   where they do not converge, as with numbers that are not finite. work holds a copy of a and a matrix of rotations. */
static int routine_svd(ptrdiff_t m, ptrdiff_t n, const real_t *restrict a, real_t *restrict u, real_t *restrict s,
                       real_t *restrict vh, real_t *restrict work)
{
  const bool is_tall = m >= n;
  const ptrdiff_t count = is_tall ? n : m;
  const ptrdiff_t length = is_tall ? m : n;
  real_t *const rows = work; /* the columns of a tall matrix, the rows of a wide one */
  real_t *const turns = work + m * n;
  const real_t scale = routine_scale(m * n, a);
  if (scale == 0) return 1;
  for (ptrdiff_t i = 0; i < count; i++) {
    for (ptrdiff_t j = 0; j < length; j++) rows[i * length + j] = (is_tall ? a[j * n + i] : a[i * n + j]) / scale;
    for (ptrdiff_t j = 0; j < count; j++) turns[i * count + j] = i == j;
  }
  const real_t tolerance = real_epsilon * real_sqrt((real_t)length);
  real_t total = 0;
  for (ptrdiff_t i = 0; i < m * n; i++) total += rows[i] * rows[i];
  const real_t noise = tolerance * tolerance * total; /* the square of a length that is lost beside the matrix */
  int rounds = 0;
  for (bool is_done = false; !is_done; rounds++) {
    if (rounds == 60) return 1;
    is_done = true;
    for (ptrdiff_t p = 0; p < count; p++) {
      for (ptrdiff_t q = p + 1; q < count; q++) {
        real_t first = 0, second = 0, both = 0;
        for (ptrdiff_t k = 0; k < length; k++) {
          const real_t x = rows[p * length + k], y = rows[q * length + k];
          first += x * x;
          second += y * y;
          both += x * y;
        }
        if (first <= noise || second <= noise) continue;
        if (real_abs(both) <= tolerance * real_sqrt(first) * real_sqrt(second)) continue;
        is_done = false;
        const real_t slope = (second - first) / (2 * both);
        const real_t t = (slope < 0 ? -1 : 1) / (real_abs(slope) + real_sqrt(slope * slope + 1));
        const real_t c = 1 / real_sqrt(t * t + 1);
        const real_t sine = t * c;
        for (ptrdiff_t k = 0; k < length; k++) {
          const real_t x = rows[p * length + k], y = rows[q * length + k];
          rows[p * length + k] = c * x - sine * y;
          rows[q * length + k] = sine * x + c * y;
        }
        for (ptrdiff_t k = 0; k < count; k++) {
          const real_t x = turns[p * count + k], y = turns[q * count + k];
          turns[p * count + k] = c * x - sine * y;
          turns[q * count + k] = sine * x + c * y;
        }
      }
    }
  }
  for (ptrdiff_t i = 0; i < count; i++) {
    s[i] = 0;
    for (ptrdiff_t k = 0; k < length; k++) s[i] += rows[i * length + k] * rows[i * length + k];
    s[i] = real_sqrt(s[i]);
  }
  for (ptrdiff_t i = 0; i < count; i++) {
    ptrdiff_t best = i;
    for (ptrdiff_t j = i + 1; j < count; j++) {
      if (s[j] > s[best]) best = j;
    }
    const real_t value = s[best];
    s[best] = s[i];
    s[i] = value * scale; /* infinite where it lies beyond the type's range */
    for (ptrdiff_t k = 0; k < length; k++) {
      const real_t x = rows[best * length + k];
      rows[best * length + k] = rows[i * length + k];
      rows[i * length + k] = value > 0 ? x / value : x;
    }
    for (ptrdiff_t k = 0; k < count; k++) {
      const real_t x = turns[best * count + k];
      turns[best * count + k] = turns[i * count + k];
      turns[i * count + k] = x;
    }
    if (value * value <= noise) routine_svd_complete(length, i, rows);
    const real_t *const left = is_tall ? rows + i * length : turns + i * count;
    const real_t *const right = is_tall ? turns + i * count : rows + i * length;
    const real_t sign = routine_orientation(m, left, 1);
    for (ptrdiff_t k = 0; k < m; k++) u[k * count + i] = sign * left[k];
    for (ptrdiff_t k = 0; k < n; k++) vh[i * n + k] = sign * right[k];
  }
  return 0;
}
