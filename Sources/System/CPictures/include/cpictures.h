// Decodes pictures of untrusted files: JPEG, PNG, WebP and GIF.
#ifndef CPICTURES_H
#define CPICTURES_H

#include <stddef.h>
#include <stdint.h>

/// A decoded picture: rows from the top, each pixel red, green, blue.
struct cpictures_picture {
  size_t width;
  size_t height;
  /// width x height x 3 bytes, from malloc; to be released with free.
  uint8_t *rgb;
};

enum { cpictures_message_size = 200 };

/// Decodes the first picture of a file: upright as its EXIF data say, 8 bits a channel, on white in the stored values,
/// (c a + 255 (255 - a) + 127) / 255. Gamma and colour profiles are ignored, as by Pillow.
///
/// Sizes are checked before anything is decoded. A file that ends too early is an error, even where its library would
/// fill the rest.
///
/// pixel_limit: the most pixels accepted.
/// message: has room for cpictures_message_size bytes; on failure a phrase such as "is cut short", to stand after the
/// name of the file.
///
/// Returns 0, or 1 with a message for a file that cannot be used, or 2 where memory ran out.
int cpictures_decode(const uint8_t *bytes, size_t count, size_t pixel_limit, struct cpictures_picture *picture,
                     char *message);

#endif
