// What the decoders of the formats share.
#ifndef CPICTURES_DECODING_H
#define CPICTURES_DECODING_H

#include "cpictures.h"

#include <stdbool.h>

enum { decoded = 0, refused = 1, out_of_memory = 2 };

/// A file, and what was decoded of it so far.
struct decoding {
  const uint8_t *bytes;
  size_t count;
  size_t pixel_limit;
  char *message;
  size_t width;
  size_t height;
  /// 3 (RGB) or 4 (RGBA, not premultiplied) bytes a pixel.
  size_t channels;
  uint8_t *pixels;
  /// As in EXIF, 1 to 8; 1 is upright.
  int orientation;
};

/// Notes why the file is refused. Returns `refused`.
int refuse(struct decoding *decoding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Checks the size against the limit. Returns `decoded`, or `refused`.
int check_size(struct decoding *decoding, size_t width, size_t height);

/// Checks the size and allocates the pixels. Returns `decoded`, or why not.
int allocate(struct decoding *decoding, size_t width, size_t height, size_t channels);

/// Reads the orientation out of EXIF data, which begin with `Exif\0\0` or with the TIFF header. Data that cannot be
/// read leave it as it is.
void orient(struct decoding *decoding, const uint8_t *exif, size_t count);

int decode_jpeg(struct decoding *decoding);
int decode_png(struct decoding *decoding);
int decode_webp(struct decoding *decoding);
int decode_gif(struct decoding *decoding);

#endif
