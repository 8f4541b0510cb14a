/* Runs a model that Lathe wrote as C: nothing is allocated, and nothing is linked but the C library. */
#include <stdio.h>

#include "lenet.h"
#include "picture.h"

static _Alignas(LENET_ALIGNMENT) unsigned char arena[LENET_ARENA_BYTES];

int main(void)
{
  float picture[LENET_INPUT_INPUT_COUNT], logits[LENET_OUTPUT_LOGITS_COUNT];
  draw(picture);
  const int status = lenet_run(arena, picture, logits);
  if (status != LENET_OK) return fprintf(stderr, "lenet_run: error %d\n", status), 1;
  for (int i = 0; i < LENET_OUTPUT_LOGITS_COUNT; i++) printf("%d: %.4f\n", i, (double)logits[i]);
  return 0;
}
