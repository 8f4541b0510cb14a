#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

#include "codecs.h"

/* The library's reports with the way back: they lie in the caller's frame and survive a jump. */
struct reports {
  struct jpeg_error_mgr manager;
  jmp_buf place;
  char *message;
};

static void fail(j_common_ptr codec)
{
  struct reports *const reports = (struct reports *)codec->err;
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  snprintf(reports->message, CODECS_MESSAGE_SIZE, "%s", text);
  longjmp(reports->place, 1);
}

static void fail_with(j_common_ptr codec, const char *text)
{
  struct reports *const reports = (struct reports *)codec->err;
  snprintf(reports->message, CODECS_MESSAGE_SIZE, "%s", text);
  longjmp(reports->place, 1);
}

/* The library goes on where data is missing or wrong, and invents pixels. */
static void judge(j_common_ptr codec, int level)
{
  if (level >= 0) return;
  switch (codec->err->msg_code) {
  case JWRN_BOGUS_PROGRESSION:
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_JPEG_EOF:
  case JWRN_MUST_RESYNC:
  case JWRN_NOT_SEQUENTIAL:
    fail(codec);
  }
}

static void keep_quiet(j_common_ptr codec) { (void)codec; }

static struct jpeg_error_mgr *begin(struct reports *reports, char *message)
{
  jpeg_std_error(&reports->manager);
  reports->manager.error_exit = fail;
  reports->manager.emit_message = judge;
  reports->manager.output_message = keep_quiet;
  reports->message = message;
  return &reports->manager;
}

/* The part of one number that another one of 255 leaves, as Pillow rounds it. */
static unsigned char rest(unsigned whole, unsigned share)
{
  const unsigned product = whole * share + 128;
  return (unsigned char)(whole - ((product + (product >> 8)) >> 8));
}

/* From cyan, magenta, yellow and black, which Adobe's programs write inverted, to red, green and blue. */
static void convert(const unsigned char *source, unsigned char *target, size_t count, int is_inverted)
{
  for (size_t i = 0; i < count; i++, source += 4, target += 3) {
    const unsigned light = is_inverted ? source[3] : 255u - source[3];
    for (int c = 0; c < 3; c++) target[c] = rest(light, is_inverted ? 255u - source[c] : source[c]);
  }
}

static void decode(j_decompress_ptr codec, size_t size, int channels, struct codecs_image *image, unsigned char **line)
{
  jpeg_read_header(codec, TRUE);
  const size_t width = codec->image_width, height = codec->image_height;
  /* A block of 64 pixels takes a bit at least. */
  if (!codec->arith_code && width * height / 1024 > size) {
    fail_with((j_common_ptr)codec, "it claims more pixels than its data can hold");
  }
  const int has_black = codec->num_components == 4;
  if (channels == 0) channels = codec->num_components == 1 ? 1 : 3;
  if (has_black && channels != 3) fail_with((j_common_ptr)codec, "it has cyan, magenta, yellow and black: read it as RGB");
  codec->out_color_space = has_black ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(codec);
  const size_t row = width * (size_t)channels;
  image->pixels = malloc(row * height);
  *line = has_black ? malloc(width * 4) : NULL;
  if (!image->pixels || (has_black && !*line)) fail_with((j_common_ptr)codec, "the memory is too small");
  while (codec->output_scanline < codec->output_height) {
    unsigned char *const target = image->pixels + codec->output_scanline * row;
    JSAMPROW rows[] = {has_black ? *line : target};
    jpeg_read_scanlines(codec, rows, 1);
    if (has_black) convert(*line, target, width, codec->saw_Adobe_marker);
  }
  jpeg_finish_decompress(codec);
  image->width = width;
  image->height = height;
  image->channels = channels;
  image->depth = 8;
}

int codecs_decode_jpeg(
  const unsigned char *bytes, size_t size, int channels, struct codecs_image *image, char *message)
{
  struct {
    struct jpeg_decompress_struct codec;
    struct reports reports;
    unsigned char *line;
  } work = {.line = NULL};
  volatile int status = 1;
  image->pixels = NULL;
  work.codec.err = begin(&work.reports, message);
  if (setjmp(work.reports.place) == 0) {
    jpeg_create_decompress(&work.codec);
    jpeg_mem_src(&work.codec, bytes, size);
    decode(&work.codec, size, channels, image, &work.line);
    status = 0;
  }
  jpeg_destroy_decompress(&work.codec);
  free(work.line);
  if (status != 0) {
    free(image->pixels);
    image->pixels = NULL;
  }
  return status;
}

static void encode(j_compress_ptr codec, const struct codecs_image *image, int quality)
{
  codec->image_width = (JDIMENSION)image->width;
  codec->image_height = (JDIMENSION)image->height;
  codec->input_components = image->channels;
  codec->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(codec);
  jpeg_set_quality(codec, quality, TRUE);
  jpeg_start_compress(codec, TRUE);
  const size_t row = image->width * (size_t)image->channels;
  while (codec->next_scanline < codec->image_height) {
    JSAMPROW rows[] = {image->pixels + codec->next_scanline * row};
    jpeg_write_scanlines(codec, rows, 1);
  }
  jpeg_finish_compress(codec);
}

int codecs_encode_jpeg(
  const struct codecs_image *image, int quality, unsigned char **bytes, size_t *size, char *message)
{
  struct {
    struct jpeg_compress_struct codec;
    struct reports reports;
    unsigned char *buffer;
    unsigned long size;
  } work = {.buffer = NULL, .size = 0};
  volatile int status = 1;
  work.codec.err = begin(&work.reports, message);
  if (setjmp(work.reports.place) == 0) {
    jpeg_create_compress(&work.codec);
    jpeg_mem_dest(&work.codec, &work.buffer, &work.size);
    encode(&work.codec, image, quality);
    status = 0;
  }
  jpeg_destroy_compress(&work.codec);
  if (status == 0) {
    *bytes = work.buffer;
    *size = work.size;
  } else {
    free(work.buffer);
  }
  return status;
}
