#ifndef LATHE_OPENBLAS_H
#define LATHE_OPENBLAS_H

/* The types of the functions that LatheRun looks up in libopenblas when it is first needed: the library is not linked,
   because it chooses its kernels when it is loaded, and the choice has to be made for it before (see BLAS.swift). */

typedef void (*lathe_sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void (*lathe_dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                            const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void (*lathe_set_num_threads)(int count);
typedef char *(*lathe_get_corename)(void);

#endif
