/* Trains LeNet on handwritten digits in several processes, each with its part of every batch (see Makefile):
 *
 *     mpirun -n 2 ./parallel digits.bin 20
 *
 * prints the losses of 20 steps, means over the processes, and how long a step takes. Two processes with batches of 16
 * and one with batches of 32 train alike, to within rounding.
 *
 * To see what it gains that sums begin while gradients are still computed: "late" behind the number of steps begins all
 * of them when the first one is needed, and a number of MB/s behind that lets them take as long as on such a link.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "digits.h"

enum {
  COUNT = 1797,
  PIXELS = 64,
  BATCH = DIGITS_TRAIN_STEP_INPUT_DIGIT_COUNT,
  BUCKETS = DIGITS_TRAIN_STEP_BUCKET_COUNT
};

static unsigned char data[COUNT][PIXELS + 1];
static float image[BATCH * PIXELS];
static int64_t digit[BATCH];

static _Alignas(DIGITS_ALIGNMENT) unsigned char state[DIGITS_STATE_BYTES];
static _Alignas(DIGITS_ALIGNMENT) unsigned char arena[DIGITS_ARENA_BYTES];

/* The sums of a step's buckets. */
struct sums {
  int processes, late;
  /* Of the link, in bytes each second, or 0; when it is free again, and when sums have come over it. */
  double speed, is_free, arrivals[BUCKETS];
  MPI_Request requests[BUCKETS];
  float *gradients[BUCKETS];
  size_t counts[BUCKETS];
};

static int start(struct sums *sums, size_t bucket)
{
  if (sums->speed > 0) {
    const double now = MPI_Wtime();
    if (sums->is_free < now) sums->is_free = now;
    sums->is_free += (double)(sums->counts[bucket] * sizeof(float)) / sums->speed;
    sums->arrivals[bucket] = sums->is_free;
  }
  return MPI_Iallreduce(
           MPI_IN_PLACE, sums->gradients[bucket], (int)sums->counts[bucket], MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
           &sums->requests[bucket])
    != MPI_SUCCESS;
}

/* Begins the sum of a bucket. Sums go on in calls of MPI only, so that those before it are looked at as well. */
static int begin(void *context, size_t bucket, float *gradients, size_t count)
{
  struct sums *const sums = context;
  sums->gradients[bucket] = gradients;
  sums->counts[bucket] = count;
  if (sums->late) return 0;
  int done = 0;
  return start(sums, bucket)
    || MPI_Testall((int)bucket, sums->requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS;
}

/* Waits for the sum, and makes it the mean: the loss is a mean over the batch, and all have as many samples. */
static int end(void *context, size_t bucket)
{
  struct sums *const sums = context;
  if (sums->late && bucket == 0) {
    for (size_t other = 0; other < BUCKETS; other++) {
      if (start(sums, other)) return 1;
    }
  }
  if (MPI_Wait(&sums->requests[bucket], MPI_STATUS_IGNORE) != MPI_SUCCESS) return 1;
  const double rest = sums->speed > 0 ? sums->arrivals[bucket] - MPI_Wtime() : 0;
  if (rest > 0) {
    const struct timespec pause = {(time_t)rest, (long)((rest - (double)(time_t)rest) * 1e9)};
    nanosleep(&pause, NULL);
  }
  const float share = 1.0f / (float)sums->processes;
  for (size_t i = 0; i < sums->counts[bucket]; i++) sums->gradients[bucket][i] *= share;
  return 0;
}

/* Takes this process's part of a batch. */
static void take(int step, int rank, int processes)
{
  for (int i = 0; i < BATCH; i++) {
    const unsigned char *const sample = data[((step * processes + rank) * BATCH + i) % COUNT];
    for (int p = 0; p < PIXELS; p++) image[i * PIXELS + p] = (float)sample[p] / 8 - 1;
    digit[i] = sample[PIXELS];
  }
}

/* A process that goes wrong ends all of them: the others would wait for it. */
static int fail(const char *what, int code)
{
  fprintf(stderr, "%s: error %d\n", what, code);
  return MPI_Abort(MPI_COMM_WORLD, 1);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  int rank = 0, processes = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &processes);
  if (argc < 3) return fail("usage: parallel digits.bin STEPS [early|late [MB/s]]", 64);
  FILE *const file = fopen(argv[1], "rb");
  if (!file || fread(data, 1, sizeof data, file) != sizeof data) return fail(argv[1], 1);
  fclose(file);

  /* All begin with what the first one has drawn. */
  const uint64_t seed = 1;
  const int status = digits_initialize(arena, state, &seed);
  if (status != DIGITS_OK) return fail("initialize", status);
  MPI_Bcast(state, DIGITS_STATE_BYTES, MPI_BYTE, 0, MPI_COMM_WORLD);

  struct sums sums = {.processes = processes, .late = argc > 3 && strcmp(argv[3], "late") == 0};
  if (argc > 4) sums.speed = 1e6 * atof(argv[4]);
  for (int bucket = 0; bucket < BUCKETS; bucket++) sums.requests[bucket] = MPI_REQUEST_NULL;
  const struct digits_hooks hooks = {&sums, begin, end};
  const int steps = atoi(argv[2]);
  double seconds = 0, shortest = HUGE_VAL;
  for (int step = 0; step < steps; step++) {
    take(step, rank, processes);
    const double lr = 0.05;
    float loss = 0, accuracy = 0;
    const double began = MPI_Wtime();
    const int done = digits_train_step(arena, state, &hooks, image, digit, &lr, &loss, &accuracy);
    if (done != DIGITS_OK) return fail("train_step", done);
    const double time = MPI_Wtime() - began;
    seconds += time;
    if (time < shortest) shortest = time;
    double mean = loss;
    MPI_Allreduce(MPI_IN_PLACE, &mean, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf("%.9f\n", mean / processes);
  }
  if (rank == 0 && steps > 0) {
    fprintf(stderr, "%.3f ms for a step, %.3f for the shortest\n", 1e3 * seconds / steps, 1e3 * shortest);
  }
  MPI_Finalize();
  return 0;
}
