#include "routines.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

typedef double real_t;
#define real_abs fabs
#define real_sqrt sqrt
#define real_frexp frexp
#define real_ldexp ldexp
#define real_epsilon DBL_EPSILON
#define real_largest DBL_MAX

#include "../EmitC/Routines/scale.c"
#include "../EmitC/Routines/orientation.c"
#include "../EmitC/Routines/unit.c"

#include "../EmitC/Routines/cholesky.c"
#include "../EmitC/Routines/eig.c"
#include "../EmitC/Routines/eigh.c"
#include "../EmitC/Routines/lu.c"
#include "../EmitC/Routines/qr.c"
#include "../EmitC/Routines/svd.c"
#include "../EmitC/Routines/triangular_solve.c"

int lathe_cholesky(ptrdiff_t n, const double *a, double *l) { return routine_cholesky(n, a, l); }

int lathe_lu(ptrdiff_t m, ptrdiff_t n, const double *a, double *lu, int32_t *pivots, int64_t *permutation)
{
  return routine_lu(m, n, a, lu, pivots, permutation);
}

int lathe_triangular_solve(
    ptrdiff_t n, ptrdiff_t count, ptrdiff_t is_upper, ptrdiff_t is_unit, ptrdiff_t is_checked, const double *a,
    const double *b, double *x)
{
  return routine_triangular_solve(n, count, is_upper, is_unit, is_checked, a, b, x);
}

int lathe_qr(ptrdiff_t m, ptrdiff_t n, ptrdiff_t is_complete, const double *a, double *q, double *r, double *work)
{
  return routine_qr(m, n, is_complete, a, q, r, work);
}

int lathe_eigh(ptrdiff_t n, const double *a, double *w, double *v, double *work)
{
  return routine_eigh(n, a, w, v, work);
}

int lathe_svd(ptrdiff_t m, ptrdiff_t n, const double *a, double *u, double *s, double *vh, double *work)
{
  return routine_svd(m, n, a, u, s, vh, work);
}

int lathe_eig(ptrdiff_t n, const double *a, double *re, double *im, double *vr, double *vi, double *work)
{
  return routine_eig(n, a, re, im, vr, vi, work);
}

double lathe_orientation(ptrdiff_t n, const double *v, ptrdiff_t stride) { return routine_orientation(n, v, stride); }

int lathe_unit(ptrdiff_t n, double *re, double *im, ptrdiff_t stride) { return routine_unit(n, re, im, stride); }
