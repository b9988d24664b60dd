#include "decoding.h"

#include <libexif/exif-data.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int refuse(struct decoding *decoding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(decoding->message, cpictures_message_size, format, arguments);
  va_end(arguments);
  return refused;
}

int check_size(struct decoding *decoding, size_t width, size_t height) {
  if (width == 0 || height == 0) return refuse(decoding, "has no pixels (%zu x %zu)", width, height);
  if (width > decoding->pixel_limit / height) {
    return refuse(decoding, "has %zu x %zu pixels, more than the %zu that are accepted", width, height,
                  decoding->pixel_limit);
  }
  return decoded;
}

int allocate(struct decoding *decoding, size_t width, size_t height, size_t channels) {
  int const outcome = check_size(decoding, width, height);
  if (outcome != decoded) return outcome;
  if (width > SIZE_MAX / channels / height) return out_of_memory;
  decoding->width = width;
  decoding->height = height;
  decoding->channels = channels;
  decoding->pixels = malloc(width * height * channels);
  return decoding->pixels != NULL ? decoded : out_of_memory;
}

void orient(struct decoding *decoding, const uint8_t *exif, size_t count) {
  static const uint8_t mark[6] = {'E', 'x', 'i', 'f', 0, 0};
  // A segment of a JPEG file has at most 65,533 bytes; whatever is larger is not worth the risk.
  if (count < 8 || count > 1 << 16) return;
  uint8_t *copy = malloc(count + sizeof mark);
  if (copy == NULL) return;
  size_t const start = memcmp(exif, mark, sizeof mark) == 0 ? 0 : sizeof mark;
  memcpy(copy, mark, start);
  memcpy(copy + start, exif, count);
  ExifData *data = exif_data_new();
  if (data != NULL) {
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_load_data(data, copy, (unsigned int)(count + start));
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry != NULL && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2) {
      int const orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
      if (orientation >= 1 && orientation <= 8) decoding->orientation = orientation;
    }
    exif_data_unref(data);
  }
  free(copy);
}

static int decode(struct decoding *decoding) {
  static const struct {
    const char *mark;
    size_t length;
    int (*decode)(struct decoding *);
  } formats[] = {
      {"\xFF\xD8\xFF", 3, decode_jpeg}, {"\x89PNG\r\n\x1A\n", 8, decode_png}, {"GIF87a", 6, decode_gif},
      {"GIF89a", 6, decode_gif},        {"RIFF", 4, decode_webp},
  };
  if (decoding->count == 0) return refuse(decoding, "is empty");
  for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
    if (decoding->count >= formats[i].length && memcmp(decoding->bytes, formats[i].mark, formats[i].length) == 0) {
      return formats[i].decode(decoding);
    }
  }
  size_t start = 0;
  while (start < decoding->count && memchr(" \t\r\n\xEF\xBB\xBF", decoding->bytes[start], 7) != NULL) start++;
  if (start < decoding->count && decoding->bytes[start] == '<') {
    return refuse(decoding, "is a text like HTML or SVG, not a picture of pixels");
  }
  return refuse(decoding, "is none of JPEG, PNG, WebP and GIF");
}

/// Where pixel (x, y) of the upright picture lies in the stored one. Orientations from 5 on swap width and height.
static size_t stored_pixel(const struct decoding *decoding, size_t x, size_t y) {
  size_t const w = decoding->width, h = decoding->height;
  switch (decoding->orientation) {
  case 2: return y * w + (w - 1 - x);
  case 3: return (h - 1 - y) * w + (w - 1 - x);
  case 4: return (h - 1 - y) * w + x;
  case 5: return x * w + y;
  case 6: return (h - 1 - x) * w + y;
  case 7: return (h - 1 - x) * w + (w - 1 - y);
  case 8: return x * w + (w - 1 - y);
  default: return y * w + x;
  }
}

static uint8_t on_white(unsigned value, unsigned alpha) {
  return (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/// Puts the pixels on white and upright.
static int finish(struct decoding *decoding, struct cpictures_picture *picture) {
  bool const is_turned = decoding->orientation >= 5;
  picture->width = is_turned ? decoding->height : decoding->width;
  picture->height = is_turned ? decoding->width : decoding->height;
  if (decoding->orientation == 1 && decoding->channels == 3) {
    picture->rgb = decoding->pixels;
    decoding->pixels = NULL;
    return decoded;
  }
  picture->rgb = malloc(decoding->width * decoding->height * 3);
  if (picture->rgb == NULL) return out_of_memory;
  uint8_t *to = picture->rgb;
  for (size_t y = 0; y < picture->height; y++) {
    for (size_t x = 0; x < picture->width; x++, to += 3) {
      const uint8_t *from = decoding->pixels + stored_pixel(decoding, x, y) * decoding->channels;
      unsigned const alpha = decoding->channels == 4 ? from[3] : 255;
      for (int i = 0; i < 3; i++) to[i] = on_white(from[i], alpha);
    }
  }
  return decoded;
}

int cpictures_decode(const uint8_t *bytes, size_t count, size_t pixel_limit, struct cpictures_picture *picture,
                     char *message) {
  struct decoding decoding = {
      .bytes = bytes, .count = count, .pixel_limit = pixel_limit, .message = message, .orientation = 1};
  message[0] = 0;
  picture->rgb = NULL;
  int outcome = decode(&decoding);
  if (outcome == decoded) outcome = finish(&decoding, picture);
  free(decoding.pixels);
  return outcome;
}
