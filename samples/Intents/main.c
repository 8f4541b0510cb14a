/* Says what a sentence means, given the numbers of its tokens, with the C that Lathe wrote, and nothing else:
 *
 *     swift run intents fit -o intents.safetensors
 *     swift run intents compile --parameters intents.safetensors -o intents.c
 *     gcc -std=c11 -O2 main.c intents.c -lm -o intents
 *     ./intents $(swift run intents tell --tokens "it is too dark in the hall")
 */
#include <stdio.h>
#include <stdlib.h>

#include "intents.h"

static const char *const names[INTENTS_OUTPUT_OUTPUT_COUNT] = {
  "heating", "lights_off", "lights_on", "music", "shopping", "timer", "weather"
};

static _Alignas(INTENTS_ALIGNMENT) unsigned char arena[INTENTS_ARENA_BYTES];

int main(int count, char **arguments)
{
  int64_t ids[INTENTS_INPUT_IDS_COUNT] = {0};
  float scores[INTENTS_OUTPUT_OUTPUT_COUNT];
  int best = 0;
  for (int i = 1; i < count && i <= INTENTS_INPUT_IDS_COUNT; i++) ids[i - 1] = strtoll(arguments[i], NULL, 10);
  const int status = intents_run(arena, ids, scores);
  if (status != INTENTS_OK) {
    fprintf(stderr, "error %d\n", status);
    return 1;
  }
  for (int i = 1; i < INTENTS_OUTPUT_OUTPUT_COUNT; i++) if (scores[i] > scores[best]) best = i;
  puts(names[best]);
  return 0;
}
