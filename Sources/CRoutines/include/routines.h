#ifndef LATHE_ROUTINES_H
#define LATHE_ROUTINES_H

#include <stddef.h>
#include <stdint.h>

/* Lathe's own factorizations in double precision: the texts in Sources/EmitC/Routines, which emitted C contains,
   compiled. All matrices are dense and row-major; each function says whether it failed. */

int lathe_cholesky(ptrdiff_t n, const double *a, double *l);
int lathe_lu(ptrdiff_t m, ptrdiff_t n, const double *a, double *lu, int32_t *pivots, int64_t *permutation);
int lathe_triangular_solve(
    ptrdiff_t n, ptrdiff_t count, ptrdiff_t is_upper, ptrdiff_t is_unit, ptrdiff_t is_checked, const double *a,
    const double *b, double *x);
int lathe_qr(ptrdiff_t m, ptrdiff_t n, ptrdiff_t is_complete, const double *a, double *q, double *r, double *work);
int lathe_eigh(ptrdiff_t n, const double *a, double *w, double *v, double *work);
int lathe_svd(ptrdiff_t m, ptrdiff_t n, const double *a, double *u, double *s, double *vh, double *work);
int lathe_eig(ptrdiff_t n, const double *a, double *re, double *im, double *vr, double *vi, double *work);

/* What makes the first of a vector's large numbers positive; how a complex vector gets norm 1 and a real one. */
double lathe_orientation(ptrdiff_t n, const double *v, ptrdiff_t stride);
int lathe_unit(ptrdiff_t n, double *re, double *im, ptrdiff_t stride);

#endif
