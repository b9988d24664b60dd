// GIF: the first frame, on a transparent canvas.
#include "decoding.h"

#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

struct gif_source {
  struct decoding *decoding;
  size_t place;
};

static int take(GifFileType *gif, GifByteType *to, int count) {
  struct gif_source *source = gif->UserData;
  size_t const left = source->decoding->count - source->place;
  size_t const taken = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;
  memcpy(to, source->decoding->bytes + source->place, taken);
  source->place += taken;
  return (int)taken;
}

static int refuse_gif(struct decoding *decoding, int error) {
  if (error == D_GIF_ERR_READ_FAILED || error == D_GIF_ERR_EOF_TOO_SOON) return refuse(decoding, "is cut short");
  const char *message = GifErrorString(error);
  return refuse(decoding, "cannot be decoded: %s", message != NULL ? message : "damaged GIF data");
}

/// Reads up to the first frame's description and notes its transparent colour, -1 for none.
static int find_frame(struct decoding *decoding, GifFileType *gif, int *transparent) {
  for (;;) {
    GifRecordType type;
    if (DGifGetRecordType(gif, &type) != GIF_OK) return refuse_gif(decoding, gif->Error);
    if (type == TERMINATE_RECORD_TYPE) return refuse(decoding, "holds no picture");
    if (type == IMAGE_DESC_RECORD_TYPE) {
      return DGifGetImageDesc(gif) == GIF_OK ? decoded : refuse_gif(decoding, gif->Error);
    }
    if (type != EXTENSION_RECORD_TYPE) continue;
    int code;
    GifByteType *block;
    if (DGifGetExtension(gif, &code, &block) != GIF_OK) return refuse_gif(decoding, gif->Error);
    while (block != NULL) {
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4) *transparent = block[1] & 1 ? block[4] : -1;
      if (DGifGetExtensionNext(gif, &block) != GIF_OK) return refuse_gif(decoding, gif->Error);
    }
  }
}

static void colour_row(uint8_t *to, const GifPixelType *indices, size_t count, const ColorMapObject *map,
                       int transparent) {
  for (size_t x = 0; x < count; x++, to += 4) {
    if (indices[x] == transparent) continue;
    GifColorType const black = {0, 0, 0};
    GifColorType const colour = indices[x] < map->ColorCount ? map->Colors[indices[x]] : black;
    to[0] = colour.Red;
    to[1] = colour.Green;
    to[2] = colour.Blue;
    to[3] = 255;
  }
}

/// Reads the rows of a frame that lies within the canvas, interlaced or not.
static int read_rows(struct decoding *decoding, GifFileType *gif, int transparent) {
  static const size_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  const GifImageDesc *frame = &gif->Image;
  const ColorMapObject *map = frame->ColorMap != NULL ? frame->ColorMap : gif->SColorMap;
  if (map == NULL) return refuse(decoding, "has no palette");
  size_t const width = (size_t)frame->Width, height = (size_t)frame->Height;
  GifPixelType *indices = malloc(width);
  if (indices == NULL) return out_of_memory;
  int outcome = decoded;
  for (int pass = 0; pass < (frame->Interlace ? 4 : 1) && outcome == decoded; pass++) {
    size_t const first = frame->Interlace ? starts[pass] : 0, step = frame->Interlace ? steps[pass] : 1;
    for (size_t y = first; y < height && outcome == decoded; y += step) {
      if (DGifGetLine(gif, indices, (int)width) != GIF_OK) {
        outcome = refuse_gif(decoding, gif->Error);
      } else {
        size_t const place = ((size_t)frame->Top + y) * decoding->width + (size_t)frame->Left;
        colour_row(decoding->pixels + place * 4, indices, width, map, transparent);
      }
    }
  }
  free(indices);
  return outcome;
}

static int read_gif(struct decoding *decoding, GifFileType *gif) {
  int transparent = -1;
  int outcome = find_frame(decoding, gif, &transparent);
  if (outcome != decoded) return outcome;
  const GifImageDesc *frame = &gif->Image;
  if (frame->Left < 0 || frame->Top < 0 || frame->Width <= 0 || frame->Height <= 0) {
    return refuse(decoding, "has a frame without pixels");
  }
  // A canvas that is too small, or none, grows to the frame, as in browsers and Pillow.
  size_t const right = (size_t)frame->Left + (size_t)frame->Width, bottom = (size_t)frame->Top + (size_t)frame->Height;
  size_t const width = gif->SWidth > 0 ? (size_t)gif->SWidth : 0, height = gif->SHeight > 0 ? (size_t)gif->SHeight : 0;
  outcome = allocate(decoding, width > right ? width : right, height > bottom ? height : bottom, 4);
  if (outcome != decoded) return outcome;
  memset(decoding->pixels, 0, decoding->width * decoding->height * 4);
  return read_rows(decoding, gif, transparent);
}

int decode_gif(struct decoding *decoding) {
  struct gif_source source = {.decoding = decoding};
  int error = 0;
  GifFileType *gif = DGifOpen(&source, take, &error);
  if (gif == NULL) return error == D_GIF_ERR_NOT_ENOUGH_MEM ? out_of_memory : refuse_gif(decoding, error);
  int const outcome = read_gif(decoding, gif);
  DGifCloseFile(gif, &error);
  return outcome;
}
