/* The complex quotient (a + b i) / (c + d i). */
static void routine_eig_divide(real_t a, real_t b, real_t c, real_t d, real_t *restrict x, real_t *restrict y)
{
  if (real_abs(c) > real_abs(d)) {
    const real_t ratio = d / c;
    const real_t size = c + ratio * d;
    *x = (a + ratio * b) / size;
    *y = (b - ratio * a) / size;
  } else {
    const real_t ratio = c / d;
    const real_t size = d + ratio * c;
    *x = (ratio * a + b) / size;
    *y = (ratio * b - a) / size;
  }
}

/* h becomes Hessenberg, v the orthogonal matrix that made it so. Source: EISPACK's orthes and ortran. */
static void routine_eig_reduce(ptrdiff_t n, real_t *restrict h, real_t *restrict v, real_t *restrict reflector,
                               real_t norm)
{
  for (ptrdiff_t m = 1; m < n - 1; m++) {
    real_t scale = 0;
    for (ptrdiff_t i = m; i < n; i++) scale += real_abs(h[i * n + m - 1]);
    if (scale <= real_epsilon * real_epsilon * norm) { /* lost beside the whole matrix */
      for (ptrdiff_t i = m; i < n; i++) h[i * n + m - 1] = 0;
      continue;
    }
    real_t size = 0;
    for (ptrdiff_t i = n - 1; i >= m; i--) {
      reflector[i] = h[i * n + m - 1] / scale;
      size += reflector[i] * reflector[i];
    }
    const real_t length = reflector[m] > 0 ? -real_sqrt(size) : real_sqrt(size);
    size -= reflector[m] * length;
    reflector[m] -= length;
    for (ptrdiff_t j = m; j < n; j++) {
      real_t sum = 0;
      for (ptrdiff_t i = n - 1; i >= m; i--) sum += reflector[i] * h[i * n + j];
      sum /= size;
      for (ptrdiff_t i = m; i < n; i++) h[i * n + j] -= sum * reflector[i];
    }
    for (ptrdiff_t i = 0; i < n; i++) {
      real_t sum = 0;
      for (ptrdiff_t j = n - 1; j >= m; j--) sum += reflector[j] * h[i * n + j];
      sum /= size;
      for (ptrdiff_t j = m; j < n; j++) h[i * n + j] -= sum * reflector[j];
    }
    reflector[m] *= scale;
    h[m * n + m - 1] = scale * length;
  }
  for (ptrdiff_t i = 0; i < n; i++) {
    for (ptrdiff_t j = 0; j < n; j++) v[i * n + j] = i == j;
  }
  for (ptrdiff_t m = n - 2; m > 0; m--) {
    if (h[m * n + m - 1] == 0) continue;
    for (ptrdiff_t i = m + 1; i < n; i++) reflector[i] = h[i * n + m - 1];
    for (ptrdiff_t j = m; j < n; j++) {
      real_t sum = 0;
      for (ptrdiff_t i = m; i < n; i++) sum += reflector[i] * v[i * n + j];
      sum = sum / reflector[m] / h[m * n + m - 1];
      for (ptrdiff_t i = m; i < n; i++) v[i * n + j] += sum * reflector[i];
    }
  }
}

/* The Hessenberg h becomes upper triangular but for blocks of two, whose eigenvalues are conjugate; v turns along. 1
   where that does not converge. Source: EISPACK's hqr2. */
static int routine_eig_iterate(ptrdiff_t n, real_t *restrict h, real_t *restrict v, real_t *restrict re,
                               real_t *restrict im, real_t norm)
{
  real_t shift = 0;
  int rounds = 0;
  for (ptrdiff_t last = n - 1; last >= 0;) {
    ptrdiff_t l = last;
    for (; l > 0; l--) {
      const real_t size = real_abs(h[(l - 1) * n + l - 1]) + real_abs(h[l * n + l]);
      /* Small beside its neighbours, or lost. */
      const real_t below = real_abs(h[l * n + l - 1]);
      if (below <= real_epsilon * size || below <= real_epsilon * real_epsilon * norm) break;
    }
    if (l == last) {
      h[last * n + last] += shift;
      re[last] = h[last * n + last];
      im[last] = 0;
      last--;
      rounds = 0;
      continue;
    }
    real_t x = h[last * n + last];
    real_t y = h[(last - 1) * n + last - 1];
    real_t w = h[last * n + last - 1] * h[(last - 1) * n + last];
    if (l == last - 1) {
      real_t p = (y - x) / 2;
      real_t q = p * p + w;
      real_t z = real_sqrt(real_abs(q));
      x += shift;
      h[last * n + last] = x;
      h[(last - 1) * n + last - 1] = y + shift;
      if (q >= 0) {
        z = p >= 0 ? p + z : p - z;
        re[last - 1] = x + z;
        re[last] = z != 0 ? x - w / z : x + z;
        im[last - 1] = im[last] = 0;
        x = h[last * n + last - 1];
        const real_t size = real_abs(x) + real_abs(z);
        p = x / size;
        q = z / size;
        const real_t length = real_sqrt(p * p + q * q);
        p /= length;
        q /= length;
        for (ptrdiff_t j = last - 1; j < n; j++) {
          z = h[(last - 1) * n + j];
          h[(last - 1) * n + j] = q * z + p * h[last * n + j];
          h[last * n + j] = q * h[last * n + j] - p * z;
        }
        for (ptrdiff_t i = 0; i <= last; i++) {
          z = h[i * n + last - 1];
          h[i * n + last - 1] = q * z + p * h[i * n + last];
          h[i * n + last] = q * h[i * n + last] - p * z;
        }
        for (ptrdiff_t i = 0; i < n; i++) {
          z = v[i * n + last - 1];
          v[i * n + last - 1] = q * z + p * v[i * n + last];
          v[i * n + last] = q * v[i * n + last] - p * z;
        }
      } else {
        re[last - 1] = re[last] = x + p;
        im[last - 1] = z;
        im[last] = -z;
      }
      last -= 2;
      rounds = 0;
      continue;
    }
    if (rounds == 60) return 1;
    if (rounds == 10 || rounds == 20 || rounds == 40) { /* a shift from outside breaks cycles */
      shift += x;
      for (ptrdiff_t i = 0; i <= last; i++) h[i * n + i] -= x;
      const real_t size = real_abs(h[last * n + last - 1]) + real_abs(h[(last - 1) * n + last - 2]);
      x = y = (real_t)0.75 * size;
      w = (real_t)-0.4375 * size * size;
    }
    rounds++;
    real_t p = 0, q = 0, r = 0;
    ptrdiff_t m = last - 2;
    for (; m >= l; m--) {
      const real_t z = h[m * n + m];
      const real_t a = x - z, b = y - z;
      p = (a * b - w) / h[(m + 1) * n + m] + h[m * n + m + 1];
      q = h[(m + 1) * n + m + 1] - z - a - b;
      r = h[(m + 2) * n + m + 1];
      const real_t size = real_abs(p) + real_abs(q) + real_abs(r);
      p /= size;
      q /= size;
      r /= size;
      if (m == l) break;
      const real_t around = real_abs(h[(m - 1) * n + m - 1]) + real_abs(z) + real_abs(h[(m + 1) * n + m + 1]);
      if (real_abs(h[m * n + m - 1]) * (real_abs(q) + real_abs(r)) < real_epsilon * (real_abs(p) * around)) break;
    }
    for (ptrdiff_t i = m + 2; i <= last; i++) {
      h[i * n + i - 2] = 0;
      if (i > m + 2) h[i * n + i - 3] = 0;
    }
    for (ptrdiff_t k = m; k < last; k++) {
      const bool has_third = k != last - 1;
      if (k != m) {
        p = h[k * n + k - 1];
        q = h[(k + 1) * n + k - 1];
        r = has_third ? h[(k + 2) * n + k - 1] : 0;
        x = real_abs(p) + real_abs(q) + real_abs(r);
        if (x == 0) continue;
        p /= x;
        q /= x;
        r /= x;
      }
      const real_t length = real_sqrt(p * p + q * q + r * r);
      const real_t size = p < 0 ? -length : length;
      if (size == 0) continue;
      if (k != m) {
        h[k * n + k - 1] = -size * x;
      } else if (l != m) {
        h[k * n + k - 1] = -h[k * n + k - 1];
      }
      p += size;
      x = p / size;
      y = q / size;
      const real_t z = r / size;
      q /= p;
      r /= p;
      for (ptrdiff_t j = k; j < n; j++) {
        real_t sum = h[k * n + j] + q * h[(k + 1) * n + j];
        if (has_third) {
          sum += r * h[(k + 2) * n + j];
          h[(k + 2) * n + j] -= sum * z;
        }
        h[k * n + j] -= sum * x;
        h[(k + 1) * n + j] -= sum * y;
      }
      for (ptrdiff_t i = 0; i <= last && i <= k + 3; i++) {
        real_t sum = x * h[i * n + k] + y * h[i * n + k + 1];
        if (has_third) {
          sum += z * h[i * n + k + 2];
          h[i * n + k + 2] -= sum * r;
        }
        h[i * n + k] -= sum;
        h[i * n + k + 1] -= sum * q;
      }
      for (ptrdiff_t i = 0; i < n; i++) {
        real_t sum = x * v[i * n + k] + y * v[i * n + k + 1];
        if (has_third) {
          sum += z * v[i * n + k + 2];
          v[i * n + k + 2] -= sum * r;
        }
        v[i * n + k] -= sum;
        v[i * n + k + 1] -= sum * q;
      }
    }
  }
  return 0;
}

/* The columns of h become the eigenvectors of what it was; of a conjugate pair, the real and the imaginary part of the
   first's. Source: EISPACK's hqr2. */
static void routine_eig_substitute(ptrdiff_t n, real_t *restrict h, const real_t *restrict re,
                                   const real_t *restrict im, real_t norm)
{
  const real_t least = real_epsilon * real_epsilon * norm; /* smaller divisors are replaced */
  for (ptrdiff_t c = n - 1; c >= 0; c--) {
    const real_t p = re[c], q = im[c];
    real_t z = 0, r = 0, s = 0;
    if (q == 0) {
      ptrdiff_t l = c;
      h[c * n + c] = 1;
      for (ptrdiff_t i = c - 1; i >= 0; i--) {
        const real_t w = h[i * n + i] - p;
        real_t sum = 0;
        for (ptrdiff_t j = l; j <= c; j++) sum += h[i * n + j] * h[j * n + c];
        if (im[i] < 0) {
          z = w;
          s = sum;
          continue;
        }
        l = i;
        if (im[i] == 0) {
          h[i * n + c] = -sum / (real_abs(w) > least ? w : real_epsilon * norm);
        } else {
          const real_t x = h[i * n + i + 1], y = h[(i + 1) * n + i];
          const real_t size = (re[i] - p) * (re[i] - p) + im[i] * im[i];
          const real_t t = (x * s - z * sum) / (size > least * least ? size : least * norm);
          h[i * n + c] = t;
          h[(i + 1) * n + c] = real_abs(x) > real_abs(z) ? (-sum - w * t) / x : (-s - y * t) / z;
        }
        const real_t t = real_abs(h[i * n + c]);
        if (real_epsilon * t * t > 1) {
          for (ptrdiff_t j = i; j <= c; j++) h[j * n + c] /= t;
        }
      }
    } else if (q < 0) {
      ptrdiff_t l = c - 1;
      const ptrdiff_t b = c - 1;
      if (real_abs(h[c * n + b]) > real_abs(h[b * n + c])) {
        h[b * n + b] = q / h[c * n + b];
        h[b * n + c] = -(h[c * n + c] - p) / h[c * n + b];
      } else {
        real_t x, y;
        routine_eig_divide(0, -h[b * n + c], h[b * n + b] - p, q, &x, &y);
        h[b * n + b] = x;
        h[b * n + c] = y;
      }
      h[c * n + b] = 0;
      h[c * n + c] = 1;
      for (ptrdiff_t i = c - 2; i >= 0; i--) {
        real_t ra = 0, sa = 0, u, t;
        for (ptrdiff_t j = l; j <= c; j++) {
          ra += h[i * n + j] * h[j * n + b];
          sa += h[i * n + j] * h[j * n + c];
        }
        const real_t w = h[i * n + i] - p;
        if (im[i] < 0) {
          z = w;
          r = ra;
          s = sa;
          continue;
        }
        l = i;
        if (im[i] == 0) {
          routine_eig_divide(-ra, -sa, w, q, &u, &t);
          h[i * n + b] = u;
          h[i * n + c] = t;
        } else {
          const real_t x = h[i * n + i + 1], y = h[(i + 1) * n + i];
          real_t vr = (re[i] - p) * (re[i] - p) + im[i] * im[i] - q * q;
          const real_t vi = (re[i] - p) * 2 * q;
          const real_t around = real_abs(w) + real_abs(q) + real_abs(x) + real_abs(y) + real_abs(z);
          if (real_abs(vr) + real_abs(vi) <= least * around) vr = real_epsilon * norm * around;
          routine_eig_divide(x * r - z * ra + q * sa, x * s - z * sa - q * ra, vr, vi, &u, &t);
          h[i * n + b] = u;
          h[i * n + c] = t;
          if (real_abs(x) > real_abs(z) + real_abs(q)) {
            h[(i + 1) * n + b] = (-ra - w * u + q * t) / x;
            h[(i + 1) * n + c] = (-sa - w * t - q * u) / x;
          } else {
            routine_eig_divide(-r - y * u, -s - y * t, z, q, &u, &t);
            h[(i + 1) * n + b] = u;
            h[(i + 1) * n + c] = t;
          }
        }
        const real_t first = real_abs(h[i * n + b]), second = real_abs(h[i * n + c]);
        const real_t larger = first > second ? first : second;
        if (real_epsilon * larger * larger > 1) {
          for (ptrdiff_t j = i; j <= c; j++) {
            h[j * n + b] /= larger;
            h[j * n + c] /= larger;
          }
        }
      }
    }
  }
}

/* a v = v diag(w) for complex w and v, whose columns have norm 1 and a real largest number; of conjugate pairs, the one
   with the positive imaginary part comes first. What lies beyond the type's range is infinite. 1 where the iteration does
   not converge, as with numbers that are not finite. work holds two matrices and a vector. */
static int routine_eig(ptrdiff_t n, const real_t *restrict a, real_t *restrict re, real_t *restrict im,
                       real_t *restrict vr, real_t *restrict vi, real_t *restrict work)
{
  real_t *const h = work;
  real_t *const v = work + n * n;
  const real_t scale = routine_scale(n * n, a);
  if (scale == 0) return 1;
  real_t norm = 0;
  for (ptrdiff_t i = 0; i < n * n; i++) {
    h[i] = a[i] / scale;
    norm += real_abs(h[i]);
  }
  if (norm == 0) norm = 1;
  routine_eig_reduce(n, h, v, work + 2 * n * n, norm);
  if (routine_eig_iterate(n, h, v, re, im, norm) != 0) return 1;
  routine_eig_substitute(n, h, re, im, norm);
  for (ptrdiff_t c = 0; c < n; c++) {
    const bool is_pair = im[c] != 0;
    for (ptrdiff_t i = 0; i < n; i++) {
      vr[i * n + c] = vi[i * n + c] = 0;
      for (ptrdiff_t k = 0; k < n && k <= c + is_pair; k++) {
        vr[i * n + c] += v[i * n + k] * h[k * n + c];
        if (is_pair) vi[i * n + c] += v[i * n + k] * h[k * n + c + 1];
      }
    }
    if (routine_unit(n, vr + c, vi + c, n) != 0) return 1;
    re[c] *= scale;
    im[c] *= scale;
    if (!is_pair) continue;
    re[c + 1] = re[c];
    im[c + 1] = -im[c];
    for (ptrdiff_t i = 0; i < n; i++) {
      vr[i * n + c + 1] = vr[i * n + c];
      vi[i * n + c + 1] = -vi[i * n + c];
    }
    c++;
  }
  return 0;
}
