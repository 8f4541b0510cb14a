/* Says which shape a picture shows, with the C that Lathe wrote, and nothing else:
 *
 *     swift run shapes learn samples/Shapes/images -o shapes.safetensors
 *     swift run shapes compile --state shapes.safetensors -o shapes.c
 *     gcc -std=c11 -O2 main.c shapes.c -lm -o classify
 *     ./classify picture.ppm                   32 x 32 pixels, as pngtopnm and djpeg write them
 */
#include <stdio.h>

#include "shapes.h"

enum { SIZE = 32 };

static _Alignas(SHAPES_ALIGNMENT) unsigned char arena[SHAPES_ARENA_BYTES];

int main(int argc, char **argv)
{
  static const char *const names[] = {"cross", "disc", "ring"};
  static unsigned char pixels[SIZE * SIZE * 3], picture[3 * SIZE * SIZE];
  int width = 0, height = 0;
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || width != SIZE || height != SIZE
      || fgetc(file) == EOF || fread(pixels, 1, sizeof pixels, file) != sizeof pixels) {
    return fprintf(stderr, "usage: %s PICTURE.ppm, of 32 x 32 pixels\n", argv[0]), 64;
  }
  fclose(file);

  /* The network takes the channels one behind the other. */
  for (int c = 0; c < 3; c++) for (int p = 0; p < SIZE * SIZE; p++) picture[c * SIZE * SIZE + p] = pixels[p * 3 + c];
  float chances[3];
  const int status = shapes_run(arena, picture, chances);
  if (status != SHAPES_OK) return fprintf(stderr, "error %d\n", status), 1;
  int best = 0;
  for (int c = 1; c < 3; c++) if (chances[c] > chances[best]) best = c;
  printf("%s, %.0f %%\n", names[best], 100.0 * (double)chances[best]);
  return 0;
}
