/* Images in memory, read and written by libpng and libjpeg.
 *
 * The libraries report what is wrong by longjmp, which must not pass through Swift: it ends here.
 */
#ifndef CODECS_H
#define CODECS_H

#include <stddef.h>

/* Pixels row by row, the channels of a pixel beside each other. */
struct codecs_image {
  size_t width, height;
  /* 1 is grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  int channels;
  /* The bits of a channel, 8 or 16; these are in the order of the machine. */
  int depth;
  /* Given to the caller, who frees it. */
  unsigned char *pixels;
};

/* The bytes of a message, with its end. */
enum { CODECS_MESSAGE_SIZE = 256 };

/* Read an image with the number of channels that is wanted, or with its own for 0. Nonzero, with a message, where that
 * fails. */
int codecs_decode_png(
  const unsigned char *bytes, size_t size, int channels, struct codecs_image *image, char *message);
int codecs_decode_jpeg(
  const unsigned char *bytes, size_t size, int channels, struct codecs_image *image, char *message);

/* Write an image to memory that is given to the caller, who frees it. Nonzero, with a message, where that fails. */
int codecs_encode_png(
  const struct codecs_image *image, int level, unsigned char **bytes, size_t *size, char *message);
int codecs_encode_jpeg(
  const struct codecs_image *image, int quality, unsigned char **bytes, size_t *size, char *message);

#endif
