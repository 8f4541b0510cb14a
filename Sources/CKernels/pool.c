#include "kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Threads that wait for work: first awake, as the next kernel mostly comes soon, then asleep. */
struct lathe_pool {
  int threads;
  pthread_t ids[64];
  pthread_mutex_t mutex;
  pthread_cond_t work, done;
  /* Counts the jobs; workers take part in each once. */
  atomic_int job;
  atomic_int active;
  int ends;
  atomic_ptrdiff_t next;
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
#endif
}

static void take_parts(struct lathe_pool *pool, int worker) {
  for (;;) {
    const ptrdiff_t part = atomic_fetch_add(&pool->next, 1);
    if (part >= pool->count) return;
    pool->body(pool->context, worker, part);
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
    if (pool->ends) return NULL;
    take_parts(pool, number);
    if (atomic_fetch_sub(&pool->active, 1) == 1) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->done);
      pthread_mutex_unlock(&pool->mutex);
    }
  }
}

static void start_job(struct lathe_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->active, pool->threads - 1);
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
  atomic_store(&pool->next, 0);
  if (pool->threads > 1 && count > 1) start_job(pool);
  take_parts(pool, 0);
  for (int round = 0; round < rounds_awake && atomic_load(&pool->active) > 0; round++) relax();
  if (atomic_load(&pool->active) > 0) {
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->active) > 0) pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
  }
}

void lathe_pool_free(struct lathe_pool *pool) {
  if (pool == NULL) return;
  pool->ends = 1;
  start_job(pool);
  for (int i = 0; i < pool->threads - 1; i++) pthread_join(pool->ids[i], NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}
