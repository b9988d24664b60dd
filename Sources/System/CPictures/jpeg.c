// JPEG, by libjpeg-turbo's simple interface.
#include "decoding.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/// Finds the EXIF segment before the picture's data.
static void orient_jpeg(struct decoding *decoding) {
  const uint8_t *bytes = decoding->bytes;
  size_t place = 2;
  while (decoding->count - place >= 4 && bytes[place] == 0xFF) {
    uint8_t const marker = bytes[place + 1];
    if (marker == 0xFF) {
      place++;
      continue;
    }
    bool const is_start_of_data = marker == 0xDA || marker == 0xD9;
    size_t const length = (size_t)bytes[place + 2] << 8 | bytes[place + 3];
    if (is_start_of_data || length < 2 || length > decoding->count - place - 2) return;
    if (marker == 0xE1 && length >= 8 && memcmp(bytes + place + 4, "Exif\0", 6) == 0) {
      orient(decoding, bytes + place + 4, length - 2);
      return;
    }
    place += 2 + length;
  }
}

/// Whether a warning leaves the pixels as they were meant.
static bool is_harmless(const char *warning) {
  return strstr(warning, "extraneous bytes") != NULL || strstr(warning, "JFIF") != NULL ||
         strstr(warning, "Adobe") != NULL || strstr(warning, "SOS parameters") != NULL;
}

static int refuse_jpeg(struct decoding *decoding, const char *error) {
  if (strstr(error, "remature end") != NULL) return refuse(decoding, "is cut short");
  return refuse(decoding, "cannot be decoded: %s", error);
}

/// The first pass stops at the first warning. Where that is harmless, a second pass tells whether a later one is not.
static int read_pixels(struct decoding *decoding, tjhandle handle, int format) {
  int const flags[2] = {TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING, TJFLAG_LIMITSCANS};
  for (int pass = 0; pass < 2; pass++) {
    int const status = tjDecompress2(handle, decoding->bytes, (unsigned long)decoding->count, decoding->pixels,
                                     (int)decoding->width, 0, (int)decoding->height, format, flags[pass]);
    if (status == 0) return decoded;
    if (!is_harmless(tjGetErrorStr2(handle))) return refuse_jpeg(decoding, tjGetErrorStr2(handle));
    if (pass == 1) return tjGetErrorCode(handle) == TJERR_WARNING ? decoded : refuse_jpeg(decoding, tjGetErrorStr2(handle));
  }
  return decoded;
}

/// Turns CMYK into RGB in place by the naive formula, R = C K / 255, as Pillow does. The values are inverted, as Adobe's
/// programs write them; files without Adobe's marker are taken for such, as by Pillow and browsers.
static void convert_cmyk(struct decoding *decoding) {
  uint8_t *to = decoding->pixels;
  const uint8_t *from = decoding->pixels;
  for (size_t i = 0; i < decoding->width * decoding->height; i++, from += 4, to += 3) {
    unsigned const black = from[3];
    for (int j = 0; j < 3; j++) {
      unsigned const product = from[j] * black + 128;
      to[j] = (uint8_t)((product + (product >> 8)) >> 8);
    }
  }
  decoding->channels = 3;
}

int decode_jpeg(struct decoding *decoding) {
  tjhandle handle = tjInitDecompress();
  if (handle == NULL) return out_of_memory;
  int width = 0, height = 0, subsampling = 0, space = 0;
  int outcome;
  if (tjDecompressHeader3(handle, decoding->bytes, (unsigned long)decoding->count, &width, &height, &subsampling,
                          &space) != 0 &&
      !is_harmless(tjGetErrorStr2(handle))) {
    outcome = refuse_jpeg(decoding, tjGetErrorStr2(handle));
  } else {
    bool const is_cmyk = space == TJCS_CMYK || space == TJCS_YCCK;
    outcome = allocate(decoding, (size_t)width, (size_t)height, is_cmyk ? 4 : 3);
    if (outcome == decoded) outcome = read_pixels(decoding, handle, is_cmyk ? TJPF_CMYK : TJPF_RGB);
    if (outcome == decoded && is_cmyk) convert_cmyk(decoding);
  }
  tjDestroy(handle);
  if (outcome == decoded) orient_jpeg(decoding);
  return outcome;
}
