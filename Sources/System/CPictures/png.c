// PNG, by libpng's classic interface. Its simplified interface would put transparent pixels on white in linear light and
// take 16-bit values without gamma for linear.
#include "decoding.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/// The state that outlives a jump.
struct reading {
  struct decoding *decoding;
  size_t place;
  png_structp png;
  png_infop info;
  png_infop end;
  png_bytepp rows;
  int outcome;
};

static void fail(png_structp png, png_const_charp message) {
  struct reading *reading = png_get_error_ptr(png);
  reading->outcome = strstr(message, "memory") != NULL
                         ? out_of_memory
                         : refuse(reading->decoding, "cannot be decoded: %s", message);
  longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void take(png_structp png, png_bytep to, size_t count) {
  struct reading *reading = png_get_io_ptr(png);
  if (count > reading->decoding->count - reading->place) {
    reading->outcome = refuse(reading->decoding, "is cut short");
    longjmp(png_jmpbuf(png), 1);
  }
  memcpy(to, reading->decoding->bytes + reading->place, count);
  reading->place += count;
}

static void orient_png(struct reading *reading, png_infop info) {
  png_bytep exif = NULL;
  png_uint_32 count = 0;
  if (png_get_eXIf_1(reading->png, info, &count, &exif) != 0) orient(reading->decoding, exif, count);
}

/// Asks for 8 bits of RGB or RGBA: palette, transparent colours and fewer bits expanded, 16 bits rounded, no gamma.
static void transform(png_structp png) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
}

static void read_picture(struct reading *reading) {
  struct decoding *decoding = reading->decoding;
  png_structp png = reading->png;
  png_read_info(png, reading->info);
  // Before libpng allocates its rows, which may be 16 GiB each.
  reading->outcome =
      check_size(decoding, png_get_image_width(png, reading->info), png_get_image_height(png, reading->info));
  if (reading->outcome != decoded) return;
  transform(png);
  png_read_update_info(png, reading->info);
  size_t const channels = png_get_channels(png, reading->info);
  if (channels != 3 && channels != 4) png_error(png, "has an unknown number of channels");
  reading->outcome = allocate(
      decoding, png_get_image_width(png, reading->info), png_get_image_height(png, reading->info), channels);
  if (reading->outcome != decoded) return;
  size_t const stride = decoding->width * channels;
  if (png_get_rowbytes(png, reading->info) != stride) png_error(png, "has rows of an unexpected length");
  reading->rows = malloc(decoding->height * sizeof(png_bytep));
  if (reading->rows == NULL) {
    reading->outcome = out_of_memory;
    return;
  }
  for (size_t y = 0; y < decoding->height; y++) reading->rows[y] = decoding->pixels + y * stride;
  png_read_image(png, reading->rows);
  png_read_end(png, reading->end);
  orient_png(reading, reading->info);
  orient_png(reading, reading->end);
}

int decode_png(struct decoding *decoding) {
  struct reading reading = {.decoding = decoding, .outcome = out_of_memory};
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, fail, ignore);
  if (reading.png == NULL) return out_of_memory;
  if (setjmp(png_jmpbuf(reading.png)) == 0) {
    reading.info = png_create_info_struct(reading.png);
    reading.end = png_create_info_struct(reading.png);
    if (reading.info != NULL && reading.end != NULL) {
      png_set_read_fn(reading.png, &reading, take);
      png_set_user_limits(reading.png, 0x7FFFFFFF, 0x7FFFFFFF);  // `check_size` checks them
      png_set_chunk_malloc_max(reading.png, 8 << 20);
      png_set_chunk_cache_max(reading.png, 128);
      read_picture(&reading);
    }
  }
  png_destroy_read_struct(&reading.png, &reading.info, &reading.end);
  free(reading.rows);
  return reading.outcome;
}
