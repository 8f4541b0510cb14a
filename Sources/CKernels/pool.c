#include "kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Threads that wait for work: first awake, as the next kernel mostly comes soon, then asleep. A job does not wait for
   threads that have no part of it, so that one that the system does not run holds up nobody. */
struct lathe_pool {
  int threads;
  pthread_t ids[64];
  pthread_mutex_t mutex;
  pthread_cond_t work, done;
  /* Counts the jobs. */
  atomic_int job;
  atomic_int ends;
  /* Parts that nobody has taken; below 0 where more were asked for. Who takes one finds the fields below as they are
     for its job, which does not end before the part does. */
  atomic_ptrdiff_t left;
  atomic_ptrdiff_t finished;
  ptrdiff_t count;
  lathe_pool_body body;
  void *context;
};

struct worker {
  struct lathe_pool *pool;
  int number;
};

enum { rounds_awake = 4000 };

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_parts(struct lathe_pool *pool, int worker) {
  for (;;) {
    const ptrdiff_t left = atomic_fetch_sub(&pool->left, 1);
    if (left <= 0) return;
    const ptrdiff_t count = pool->count;
    pool->body(pool->context, worker, count - left);
    if (atomic_fetch_add(&pool->finished, 1) + 1 == count && worker != 0) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

static void *work(void *argument) {
  struct worker *self = argument;
  struct lathe_pool *pool = self->pool;
  const int number = self->number;
  free(self);
  int seen = 0;
  for (;;) {
    for (int round = 0; round < rounds_awake && atomic_load(&pool->job) == seen; round++) relax();
    if (atomic_load(&pool->job) == seen) {
      pthread_mutex_lock(&pool->mutex);
      while (atomic_load(&pool->job) == seen) pthread_cond_wait(&pool->work, &pool->mutex);
      pthread_mutex_unlock(&pool->mutex);
    }
    seen = atomic_load(&pool->job);
    if (atomic_load(&pool->ends)) return NULL;
    take_parts(pool, number);
  }
}

static void wake(struct lathe_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->job, 1);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
}

struct lathe_pool *lathe_pool_make(int threads) {
  if (threads > 65) threads = 65;
  struct lathe_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  pool->threads = 1;
  while (pool->threads < threads) {
    struct worker *worker = malloc(sizeof *worker);
    if (worker == NULL) break;
    *worker = (struct worker){pool, pool->threads};
    if (pthread_create(&pool->ids[pool->threads - 1], NULL, work, worker) != 0) {
      free(worker);
      break;
    }
    pool->threads++;
  }
  return pool;
}

int lathe_pool_threads(const struct lathe_pool *pool) { return pool->threads; }

void lathe_pool_run(struct lathe_pool *pool, ptrdiff_t count, lathe_pool_body body, void *context) {
  pool->count = count;
  pool->body = body;
  pool->context = context;
  atomic_store(&pool->finished, 0);
  atomic_store(&pool->left, count);
  if (pool->threads > 1 && count > 1) wake(pool);
  take_parts(pool, 0);
  for (int round = 0; round < rounds_awake && atomic_load(&pool->finished) < count; round++) relax();
  if (atomic_load(&pool->finished) < count) {
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->finished) < count) pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
  }
}

void lathe_pool_free(struct lathe_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->ends, 1);
  wake(pool);
  for (int i = 0; i < pool->threads - 1; i++) pthread_join(pool->ids[i], NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
