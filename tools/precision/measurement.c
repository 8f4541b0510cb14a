/* Measures a function that Lathe wrote over a range of bit patterns of float: tools/ulp compiles it with
 *
 * SCALAR, LANES     the emitted files to include; the latter is optional
 * RUN               the first one's function of arrays of BLOCK elements
 * VECTOR, FUNCTION  the second one's vector type and function of such
 * TARGET            the second one's attribute for the processor
 *
 * beside truth.c. Its arguments are the first pattern, how many blocks to measure, and of how many one. What it prints:
 * the greatest error in ulp and where it is; for how many patterns sign or kind of the result is wrong, and an example;
 * for how many the vector form has other bits, and an example; the seconds that the scalar form took. */
#include SCALAR

#ifdef LANES
#include LANES
#endif

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void truth(const float *x, double *y);
double exact(float x);

static uint32_t bits(float x)
{
  uint32_t result;
  memcpy(&result, &x, sizeof result);
  return result;
}

/* The distance of neighbouring floats at y; at infinity that beyond the largest one. */
static double ulp(double y)
{
  const double a = fabs(y);
  const int e = a < 0x1p-126 ? -126 : a >= 0x1p128 ? 128 : ilogb(a);
  return ldexp(1, e - 23);
}

/* The error, infinite where sign or kind is wrong; what is infinite counts as 2^128. */
static double error(float f, double y)
{
  if (isnan(f) || isnan(y)) return isnan(f) && isnan(y) ? 0 : INFINITY;
  if (!signbit(f) != !signbit(y)) return INFINITY;
  const double limit = 0x1p128;
  const double a = fmin(fabs((double)f), limit);
  const double b = fmin(fabs(y), limit);
  return fabs(a - b) / ulp(b);
}

#ifdef LANES
TARGET static void lanes(const float *x, float *y)
{
  for (int i = 0; i < BLOCK; i += (int)(sizeof(VECTOR) / sizeof(float))) {
    VECTOR v;
    memcpy(&v, x + i, sizeof v);
    v = FUNCTION(v);
    memcpy(y + i, &v, sizeof v);
  }
}
#endif

int main(int count, char **arguments)
{
  static float x[BLOCK], y[BLOCK], z[BLOCK], e[BLOCK];
  static double t[BLOCK];
  if (count != 4) return 2;
  const uint64_t first = strtoull(arguments[1], NULL, 0);
  const uint64_t blocks = strtoull(arguments[2], NULL, 0);
  const uint64_t stride = strtoull(arguments[3], NULL, 0);
  double worst = 0;
  float worstAt = 0, wrongAt = 0, differentAt = 0;
  uint64_t wrong = 0, different = 0;
  double seconds = 0;
  for (uint64_t block = 0; block < blocks; block++) {
    const uint64_t start = first + block * stride * BLOCK;
    for (int i = 0; i < BLOCK; i++) {
      const uint32_t pattern = (uint32_t)start + (uint32_t)i;
      memcpy(&x[i], &pattern, sizeof x[i]);
    }
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    RUN(x, y);
    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds += (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
#ifdef LANES
    lanes(x, z);
    const int forms = memcmp(y, z, sizeof y) ? 2 : 1;
    for (int i = 0; forms > 1 && i < BLOCK; i++) {
      if (bits(y[i]) == bits(z[i]) || (isnan(y[i]) && isnan(z[i]))) continue;
      different++;
      differentAt = x[i];
    }
#else
    const int forms = 1;
#endif
    truth(x, t);
    for (int form = 0; form < forms; form++) {
      const float *result = form ? z : y;
      /* an estimate that compilers turn into vector code; the suspicious ones are looked at again */
      for (int i = 0; i < BLOCK; i++) {
        const double limit = 0x1p128, b = t[i], f = (double)result[i];
        const double high = b > limit ? limit : b < -limit ? -limit : b;
        const double near = f > limit ? limit : f < -limit ? -limit : f;
        uint64_t pattern;
        memcpy(&pattern, &high, sizeof pattern);
        const uint64_t exponent = pattern >> 52 & 0x7ff;
        const uint64_t least = exponent < 897 ? 897 : exponent;
        const uint64_t inverse = (2046 + 23 - least) << 52;
        double scale;
        memcpy(&scale, &inverse, sizeof scale);
        const double distance = (high - near) * scale;
        const int sameSign = (int)(bits(result[i]) >> 31) == (int)(pattern >> 63);
        e[i] = sameSign ? (float)(distance < 0 ? -distance : distance) : INFINITY;
      }
      int suspicious = 0;
      for (int i = 0; i < BLOCK; i++) suspicious += !(e[i] <= (float)worst);
      for (int i = 0; suspicious && i < BLOCK; i++) {
        if (e[i] <= (float)worst) continue;
        const double now = error(result[i], exact(x[i]));
        if (isinf(now)) {
          wrong++;
          wrongAt = x[i];
        } else if (now > worst) {
          worst = now;
          worstAt = x[i];
        }
      }
    }
  }
  printf("%.9g %a %llu %a %llu %a %.9g\n", worst, (double)worstAt, (unsigned long long)wrong, (double)wrongAt,
    (unsigned long long)different, (double)differentAt, seconds);
  return 0;
}
