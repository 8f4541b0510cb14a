#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs.h"

/* What survives a jump: it lies in the caller's frame. */
struct work {
  jmp_buf place;
  char *message;
  const unsigned char *bytes;
  size_t left;
  png_structp png;
  png_infop info;
  png_bytep *rows;
  unsigned char *buffer;
  size_t size, capacity;
};

static void fail(png_structp png, png_const_charp text)
{
  struct work *const work = png_get_error_ptr(png);
  snprintf(work->message, CODECS_MESSAGE_SIZE, "%s", text);
  longjmp(work->place, 1);
}

static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void take(png_structp png, png_bytep target, size_t count)
{
  struct work *const work = png_get_io_ptr(png);
  if (count > work->left) png_error(png, "the file ends too early");
  memcpy(target, work->bytes, count);
  work->bytes += count;
  work->left -= count;
}

static void put(png_structp png, png_bytep source, size_t count)
{
  struct work *const work = png_get_io_ptr(png);
  if (count > work->capacity - work->size) {
    const size_t capacity = 2 * (work->capacity + count);
    unsigned char *const buffer = realloc(work->buffer, capacity);
    if (!buffer) png_error(png, "the memory is too small");
    work->buffer = buffer;
    work->capacity = capacity;
  }
  memcpy(work->buffer + work->size, source, count);
  work->size += count;
}

static void flush(png_structp png) { (void)png; }

/* Memory for so many pixels and the places of their rows. */
static void allocate(struct work *work, size_t height, size_t row)
{
  if (row == 0 || height > SIZE_MAX / row) png_error(work->png, "the memory is too small");
  work->buffer = malloc(height * row);
  work->rows = malloc(height * sizeof(png_bytep));
  if (!work->buffer || !work->rows) png_error(work->png, "the memory is too small");
  for (size_t y = 0; y < height; y++) work->rows[y] = work->buffer + y * row;
}

static void decode(struct work *work, int channels, struct codecs_image *image)
{
  png_structp png = work->png;
  png_infop info = work->info;
  const size_t size = work->left;
  png_set_read_fn(png, work, take);
  png_read_info(png, info);
  const png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  const int color = png_get_color_type(png, info);
  /* What deflate packs is at most 1032 times as large. */
  if (png_get_rowbytes(png, info) * (size_t)height / 1100 > size) {
    png_error(png, "it claims more pixels than its data can hold");
  }
  int has_alpha = (color & PNG_COLOR_MASK_ALPHA) != 0, has_color = (color & PNG_COLOR_MASK_COLOR) != 0;
  png_set_expand(png);
  if (png_get_valid(png, info, PNG_INFO_tRNS)) has_alpha = 1;
  if (channels == 0) channels = (has_color ? 3 : 1) + has_alpha;
  if (channels >= 3 && !has_color) png_set_gray_to_rgb(png);
  if (channels < 3 && has_color) png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.2989, 0.587);
  if (channels % 2 == 0 && !has_alpha) png_set_add_alpha(png, 0xffff, PNG_FILLER_AFTER);
  if (channels % 2 == 1 && has_alpha) png_set_strip_alpha(png);
  const unsigned short one = 1;
  if (png_get_bit_depth(png, info) == 16 && *(const unsigned char *)&one) png_set_swap(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_channels(png, info) != channels) png_error(png, "it has other channels than it claims");
  allocate(work, height, png_get_rowbytes(png, info));
  png_read_image(png, work->rows);
  png_read_end(png, NULL);
  image->width = width;
  image->height = height;
  image->channels = channels;
  image->depth = png_get_bit_depth(png, info);
  image->pixels = work->buffer;
  work->buffer = NULL;
}

int codecs_decode_png(
  const unsigned char *bytes, size_t size, int channels, struct codecs_image *image, char *message)
{
  struct work work = {.message = message, .bytes = bytes, .left = size};
  volatile int status = 1;
  snprintf(message, CODECS_MESSAGE_SIZE, "the memory is too small");
  if (setjmp(work.place) == 0) {
    work.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &work, fail, ignore);
    if (work.png) work.info = png_create_info_struct(work.png);
    if (work.info) {
      decode(&work, channels, image);
      status = 0;
    }
  }
  png_destroy_read_struct(&work.png, &work.info, NULL);
  free(work.rows);
  free(work.buffer);
  return status;
}

static void encode(struct work *work, const struct codecs_image *image, int level)
{
  static const int colors[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
  png_structp png = work->png;
  png_set_write_fn(png, work, put, flush);
  png_set_compression_level(png, level);
  png_set_IHDR(
    png, work->info, (png_uint_32)image->width, (png_uint_32)image->height, image->depth, colors[image->channels - 1],
    PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, work->info);
  const unsigned short one = 1;
  if (image->depth == 16 && *(const unsigned char *)&one) png_set_swap(png);
  const size_t row = image->width * (size_t)image->channels * (size_t)(image->depth / 8);
  for (size_t y = 0; y < image->height; y++) png_write_row(png, image->pixels + y * row);
  png_write_end(png, work->info);
}

int codecs_encode_png(
  const struct codecs_image *image, int level, unsigned char **bytes, size_t *size, char *message)
{
  struct work work = {.message = message};
  volatile int status = 1;
  snprintf(message, CODECS_MESSAGE_SIZE, "the memory is too small");
  if (setjmp(work.place) == 0) {
    work.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &work, fail, ignore);
    if (work.png) work.info = png_create_info_struct(work.png);
    if (work.info) {
      encode(&work, image, level);
      *bytes = work.buffer;
      *size = work.size;
      work.buffer = NULL;
      status = 0;
    }
  }
  png_destroy_write_struct(&work.png, &work.info);
  free(work.buffer);
  return status;
}
