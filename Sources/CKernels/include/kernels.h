#ifndef LATHE_KERNELS_H
#define LATHE_KERNELS_H

#include <stddef.h>

/* The inner loops of the interpreter, compiled for the processors that they may meet; the best that the processor has
   is chosen when a program is prepared. */

/* The widest vectors of this machine that the kernels know: their bytes, and how many registers there are. */
int lathe_vector_bytes(void);
int lathe_vector_registers(void);

/* A register tile: `columns` by `rows` vectors of `lanes` results, each reduced over
   `for step < steps, k < inner` at element `offsets[2 * step] + k * a_inner` of a and
   `offsets[2 * step + 1] + k * b_inner` of b. Strides are in elements. */
struct lathe_tile {
  int columns, rows, lanes;
  ptrdiff_t a_row, b_row, b_column;
  ptrdiff_t steps;
  const ptrdiff_t *offsets;
  ptrdiff_t inner, a_inner, b_inner;
  /* Whether sums are added to what is there. */
  int adds;
};

/* How a tile's results are joined. */
enum lathe_tile_kind {
  /* Sums of products: of a, one element for each row, in all lanes; of b, a vector for each column. */
  lathe_tile_outer,
  /* Sums of products of vectors: of a for each row, of b for each row. One column. */
  lathe_tile_product,
  /* Sums, or the greatest, of vectors of a for each row; NaN where one is. One column. */
  lathe_tile_sum,
  lathe_tile_maximum
};

/* Computes a tile: `sums[(column * rows + row) * lanes + lane]`. */
typedef void (*lathe_tile_kernel)(const struct lathe_tile *tile, const void *a, const void *b, void *sums);

/* The kernel for a kind and size of tile, of f64 or f32, with vectors of at most some bytes. */
lathe_tile_kernel lathe_tile_kernel_for(
    enum lathe_tile_kind kind, int is_double, int columns, int rows, int lanes, int vector_bytes);

/* Runs a kernel for all places of a nest of `depth` loops, the results one after the other. The outermost loop runs
   `count` times, whatever its extent. */
void lathe_run_tiles(
    lathe_tile_kernel kernel, const struct lathe_tile *tile, int is_double, int depth, ptrdiff_t count,
    const ptrdiff_t *extents, const ptrdiff_t *a_strides, const ptrdiff_t *b_strides, const void *a, const void *b,
    void *sums);

/* Elements in memory, in a nest of `depth` loops, 1 or more: the lanes of a register, innermost loop fastest. The
   outermost loop runs `count` times, whatever its extent. Strides are in elements. */
struct lathe_block {
  int depth;
  ptrdiff_t count;
  const ptrdiff_t *extents, *strides;
};

/* Copies elements of 1, 2, 4 or 8 bytes to neighbouring lanes, and back. */
void lathe_load_block(const struct lathe_block *block, size_t size, const void *from, void *lanes);
void lathe_store_block(const struct lathe_block *block, size_t size, void *to, const void *lanes);

/* Writes one element to all places. */
void lathe_fill_block(const struct lathe_block *block, size_t size, void *to, const void *element);

/* Sums of neighbours in a nest of `depth` loops, 1 or more: `terms` elements of a, or their products with those of b,
   from where the strides lead. The outermost loop runs `count` times, whatever its extent. Strides are in elements. */
struct lathe_rows {
  int depth;
  ptrdiff_t count;
  const ptrdiff_t *extents;
  ptrdiff_t terms;
  const ptrdiff_t *a_strides, *b_strides;
};

/* How many partial sums take turns in a sum. */
#define LATHE_ROW_PARTS 16

/* Computes the sums, one after the other; b may be NULL. */
void lathe_reduce_rows(const struct lathe_rows *rows, int is_double, const void *a, const void *b, void *sums);

/* Functions of two operands on strips of f32; NaN where an operand is. */
enum lathe_strip_function {
  lathe_strip_add,
  lathe_strip_subtract,
  lathe_strip_multiply,
  lathe_strip_divide,
  lathe_strip_maximum,
  lathe_strip_minimum
};

/* `to[i] = function(a[i], b[i])`; `uniform` is 1 where a, 2 where b is one element for all. The result may take the
   place of an operand that is no such element. */
void lathe_strip(
    enum lathe_strip_function function, float *to, const float *a, const float *b, ptrdiff_t count, int uniform);

/* Threads that share work: `count` parts, each of which is done once, by any of them. The caller is one, number 0. */
struct lathe_pool;
typedef void (*lathe_pool_body)(void *context, int worker, ptrdiff_t part);

/* As many threads as can be had, up to 65; NULL without memory. */
struct lathe_pool *lathe_pool_make(int threads);
int lathe_pool_threads(const struct lathe_pool *pool);
void lathe_pool_run(struct lathe_pool *pool, ptrdiff_t count, lathe_pool_body body, void *context);
void lathe_pool_free(struct lathe_pool *pool);

#endif
