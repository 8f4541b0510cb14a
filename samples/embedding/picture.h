/* A picture to classify: a ring, 32x32 numbers from 0 to 1. */
#ifndef PICTURE_H
#define PICTURE_H

static inline void draw(float picture[32 * 32])
{
  for (int y = 0; y < 32; y++) {
    for (int x = 0; x < 32; x++) {
      const int distance = (2 * x - 31) * (2 * x - 31) + (2 * y - 31) * (2 * y - 31);
      picture[32 * y + x] = distance > 300 && distance < 600 ? 1 : 0;
    }
  }
}

#endif
