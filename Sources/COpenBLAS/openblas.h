#ifndef LATHE_OPENBLAS_H
#define LATHE_OPENBLAS_H

/* What Lathe calls of BLAS and LAPACK, as OpenBLAS exports it: matrices are column-major, everything goes by
   pointer, and behind the rest come the lengths of the words, which are 1. */

#include <stddef.h>

void openblas_set_num_threads(int count);

void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t uplo_length);
void sgetrf_(const int *m, const int *n, float *a, const int *lda, int *pivots, int *info);
void sgeqrf_(
    const int *m, const int *n, float *a, const int *lda, float *tau, float *work, const int *lwork, int *info);
void sorgqr_(
    const int *m, const int *n, const int *k, float *a, const int *lda, const float *tau, float *work,
    const int *lwork, int *info);
void ssyevd_(
    const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w, float *work,
    const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);
void sgesdd_(
    const char *jobz, const int *m, const int *n, float *a, const int *lda, float *s, float *u, const int *ldu,
    float *vt, const int *ldvt, float *work, const int *lwork, int *iwork, int *info, size_t jobz_length);
void sgeev_(
    const char *jobvl, const char *jobvr, const int *n, float *a, const int *lda, float *wr, float *wi, float *vl,
    const int *ldvl, float *vr, const int *ldvr, float *work, const int *lwork, int *info, size_t jobvl_length,
    size_t jobvr_length);
void strsm_(
    const char *side, const char *uplo, const char *transa, const char *diag, const int *m, const int *n,
    const float *alpha, const float *a, const int *lda, float *b, const int *ldb, size_t side_length,
    size_t uplo_length, size_t transa_length, size_t diag_length);

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_length);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
void dgeqrf_(
    const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork, int *info);
void dorgqr_(
    const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau, double *work,
    const int *lwork, int *info);
void dsyevd_(
    const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
    const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);
void dgesdd_(
    const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s, double *u, const int *ldu,
    double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info, size_t jobz_length);
void dgeev_(
    const char *jobvl, const char *jobvr, const int *n, double *a, const int *lda, double *wr, double *wi,
    double *vl, const int *ldvl, double *vr, const int *ldvr, double *work, const int *lwork, int *info,
    size_t jobvl_length, size_t jobvr_length);
void dtrsm_(
    const char *side, const char *uplo, const char *transa, const char *diag, const int *m, const int *n,
    const double *alpha, const double *a, const int *lda, double *b, const int *ldb, size_t side_length,
    size_t uplo_length, size_t transa_length, size_t diag_length);

#endif
