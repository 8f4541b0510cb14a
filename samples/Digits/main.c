/* Trains LeNet on handwritten digits with the C that Lathe wrote, and nothing else:
 *
 *     swift run digits compile -o digits.c
 *     gcc -std=c11 -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math main.c digits.c -lm -o train
 *     ./train digits.bin 10 digits.state             ten epochs from new parameters, saved
 *     ./train digits.bin 10 digits.state digits.state     ten more, from what was saved
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

enum { COUNT = 1797, TRAINED = 1437, PIXELS = 64, BATCH = DIGITS_TRAIN_STEP_INPUT_DIGIT_COUNT };

static uint32_t random_state = 12345;

static unsigned char data[COUNT][PIXELS + 1];
static int order[COUNT];
static float image[BATCH * PIXELS];
static int64_t digit[BATCH];

/* Memory for the state and the arena, aligned as they have to be. */
static _Alignas(DIGITS_ALIGNMENT) unsigned char state[DIGITS_STATE_BYTES];
static _Alignas(DIGITS_ALIGNMENT) unsigned char arena[DIGITS_ARENA_BYTES];

static size_t to_file(void *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file); }
static size_t from_file(void *file, void *bytes, size_t size) { return fread(bytes, 1, size, file); }

/* Shuffles the first of the order. */
static void shuffle(int count)
{
  for (int i = count - 1; i > 0; i--) {
    random_state = random_state * 1664525u + 1013904223u;
    const int j = (int)((random_state >> 8) % (uint32_t)(i + 1)), other = order[i];
    order[i] = order[j];
    order[j] = other;
  }
}

/* Puts the digits at some positions of the order into the batch. */
static void take(int first)
{
  for (int i = 0; i < BATCH; i++) {
    const unsigned char *const sample = data[order[(first + i) % COUNT]];
    for (int p = 0; p < PIXELS; p++) image[i * PIXELS + p] = (float)sample[p] / 8 - 1;
    digit[i] = sample[PIXELS];
  }
}

/* The share of digits that were not trained with and are known. */
static double accuracy(void)
{
  int right = 0;
  static float scores[BATCH * 10];
  for (int first = TRAINED; first < COUNT; first += BATCH) {
    take(first);
    if (digits_predict(arena, state, image, scores) != DIGITS_OK) return 0;
    for (int i = 0; i < BATCH && first + i < COUNT; i++) {
      int best = 0;
      for (int c = 1; c < 10; c++) if (scores[i * 10 + c] > scores[i * 10 + best]) best = c;
      right += best == digit[i];
    }
  }
  return (double)right / (COUNT - TRAINED);
}

int main(int argc, char **argv)
{
  if (argc < 4) return fprintf(stderr, "usage: %s digits.bin EPOCHS STATE [STATE_TO_BEGIN_WITH]\n", argv[0]), 64;
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(data, 1, sizeof data, file) != sizeof data) return fprintf(stderr, "%s?\n", argv[1]), 1;
  fclose(file);

  const uint64_t seed = 1;
  int status = digits_initialize(arena, state, &seed);
  if (status == DIGITS_OK && argc > 4) {
    file = fopen(argv[4], "rb");
    status = file ? digits_load(state, from_file, file) : DIGITS_ERROR_FILE;
    if (file) fclose(file);
  }
  if (status != DIGITS_OK) return fprintf(stderr, "cannot begin: error %d\n", status), 1;

  const int epochs = atoi(argv[2]), steps = TRAINED / BATCH;
  for (int i = 0; i < COUNT; i++) order[i] = i;
  shuffle(COUNT);
  for (int epoch = 0; epoch < epochs; epoch++) {
    shuffle(TRAINED);
    double total = 0;
    for (int step = 0; step < steps; step++) {
      take(step * BATCH);
      /* A cosine from 0.05 to 0. */
      const double done = (double)(epoch * steps + step) / (epochs * steps);
      const double lr = 0.05 * (1 + cos(3.14159265358979 * done)) / 2;
      float loss, share;
      status = digits_train_step(arena, state, image, digit, &lr, &loss, &share);
      if (status != DIGITS_OK) return fprintf(stderr, "error %d\n", status), 1;
      total += loss;
    }
    printf("epoch %d: loss %.4f, held-out accuracy %.2f %%\n", epoch + 1, total / steps, 100 * accuracy());
  }

  file = fopen(argv[3], "wb");
  status = file ? digits_save(state, to_file, file) : DIGITS_ERROR_FILE;
  if (!file || fclose(file) != 0 || status != DIGITS_OK) return fprintf(stderr, "%s?\n", argv[3]), 1;
  return 0;
}
