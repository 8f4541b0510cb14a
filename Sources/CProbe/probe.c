#include "probe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A unit does one kind of work in vectors of one width. */
struct unit {
  /* Does `rounds` rounds of multiply-adds; the result only keeps the work from being removed. */
  float (*multiply_add)(long rounds);
  /* The f32 operations of a round. */
  double operations;
  /* Reads `bytes`, a multiple of 512, at an address aligned to 64. */
  int (*read)(const void *start, size_t bytes);
};

/* A multiply-add takes four or five cycles, and up to two (on Arm, four) start in each: fewer independent
   accumulators than their product would measure the latency. All of them are in registers, named, with the two factors:
   12 where there are 16 registers, 24 where there are 32. */
#define EACH_12(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
#define EACH_24(M) \
  EACH_12(M) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23)
#define DEFINE(i) vector a##i = x - (float)i;
#define ADVANCE(i) a##i = a##i * x + y;
#define COLLECT(i) sum += a##i;

#define UNIT(NAME, ATTRIBUTE, LANES, COUNT)                                                          \
  ATTRIBUTE static float multiply_add_##NAME(long rounds) {                                          \
    typedef float vector __attribute__((vector_size(4 * LANES)));                                    \
    volatile float factor = 0.999f, term = 0.001f;                                                   \
    vector x = (vector){0} + factor, y = (vector){0} + term, sum = {0};                              \
    EACH_##COUNT(DEFINE) for (long round = 0; round < rounds; round++) { EACH_##COUNT(ADVANCE) }     \
    EACH_##COUNT(COLLECT) return sum[0] + sum[LANES - 1];                                            \
  }                                                                                                  \
  ATTRIBUTE static int read_##NAME(const void *start, size_t bytes) {                                \
    typedef int vector __attribute__((vector_size(4 * LANES), may_alias));                           \
    const vector *at = start, *end = at + bytes / sizeof(vector);                                    \
    vector a = {0}, b = {0}, c = {0}, d = {0};                                                       \
    for (; at < end; at += 8) {                                                                      \
      a ^= at[0], b ^= at[1], c ^= at[2], d ^= at[3];                                                \
      a ^= at[4], b ^= at[5], c ^= at[6], d ^= at[7];                                                \
    }                                                                                                \
    a ^= b ^ c ^ d;                                                                                  \
    return a[0] ^ a[LANES - 1];                                                                      \
  }                                                                                                  \
  static const struct unit NAME = {multiply_add_##NAME, 2.0 * LANES * COUNT, read_##NAME};

#if defined(__x86_64__)
UNIT(avx512, __attribute__((target("avx512f,fma"))), 16, 24)
UNIT(avx2, __attribute__((target("avx2,fma"))), 8, 12)
UNIT(portable, , 4, 12)

static const struct unit *widest(void) {
  if (__builtin_cpu_supports("avx512f")) return &avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2;
  return &portable;
}
#else
UNIT(portable, , 4, 24)

static const struct unit *widest(void) { return &portable; }
#endif

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* What all threads of a measurement share. */
struct measurement {
  const struct unit *unit;
  size_t bytes;
  double seconds;
  atomic_int waiting;
};

/* One of the threads. */
struct worker {
  struct measurement *shared;
  unsigned char *memory;
  double best;
  int sink;
};

/* A piece of work of about 100 microseconds, and longer where the memory is larger: what it did, operations or bytes. */
static double piece(struct worker *worker, long rounds) {
  const struct unit *unit = worker->shared->unit;
  if (!worker->memory) {
    worker->sink ^= unit->multiply_add(rounds) > 0;
    return (double)rounds * unit->operations;
  }
  for (long round = 0; round < rounds; round++) worker->sink ^= unit->read(worker->memory, worker->shared->bytes);
  return (double)rounds * (double)worker->shared->bytes;
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct measurement *shared = worker->shared;
  long rounds = 1;
  for (;;) {
    double start = now();
    piece(worker, rounds);
    if (now() - start > 1e-4) break;
    rounds *= 2;
  }
  atomic_fetch_sub(&shared->waiting, 1);
  while (atomic_load(&shared->waiting) > 0) {}
  double end = now() + shared->seconds;
  for (int repetition = 0; repetition < 3 || now() < end; repetition++) {
    double start = now();
    double done = piece(worker, rounds);
    double rate = 1e-9 * done / (now() - start);
    if (rate > worker->best) worker->best = rate;
  }
  return NULL;
}

static double measure(int threads, size_t bytes, double seconds) {
  if (threads < 1) return 0;
  struct measurement shared = {.unit = widest(), .bytes = bytes, .seconds = seconds};
  struct worker *workers = calloc((size_t)threads, sizeof *workers);
  pthread_t *handles = calloc((size_t)threads, sizeof *handles);
  int ready = workers && handles, started = 0;
  for (int i = 0; ready && i < threads; i++) {
    workers[i].shared = &shared;
    if (bytes == 0) continue;
    void *memory = NULL;
    ready = posix_memalign(&memory, 4096, bytes) == 0;
    workers[i].memory = memory;
    if (ready) memset(memory, 1, bytes);
  }
  atomic_store(&shared.waiting, threads);
  for (; ready && started < threads; started++) {
    if (pthread_create(&handles[started], NULL, work, &workers[started]) != 0) break;
  }
  /* Threads that could not be started are not waited for. */
  atomic_fetch_sub(&shared.waiting, threads - started);
  double total = 0;
  for (int i = 0; i < started; i++) {
    pthread_join(handles[i], NULL);
    total += workers[i].best;
  }
  for (int i = 0; workers && i < threads; i++) free(workers[i].memory);
  free(workers);
  free(handles);
  return started == threads ? total : 0;
}

double probe_peak(int threads, double seconds) { return measure(threads, 0, seconds); }

double probe_bandwidth(int threads, size_t bytes, double seconds) {
  size_t whole = (bytes + 511) / 512 * 512;
  return measure(threads, whole > 0 ? whole : 512, seconds);
}
