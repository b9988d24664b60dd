// WebP: a picture, or the first frame of an animation.
#include "decoding.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static void orient_webp(struct decoding *decoding, WebPDemuxer *demuxer) {
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    orient(decoding, chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
  }
}

/// Decodes a frame into its place on the canvas, which is transparent elsewhere.
static int read_frame(struct decoding *decoding, const WebPIterator *frame) {
  size_t const x = (size_t)frame->x_offset, y = (size_t)frame->y_offset;
  size_t const width = (size_t)frame->width, height = (size_t)frame->height;
  if (x > decoding->width || y > decoding->height || width > decoding->width - x || height > decoding->height - y) {
    return refuse(decoding, "has a frame beyond its canvas");
  }
  size_t const stride = decoding->width * 4;
  memset(decoding->pixels, 0, stride * decoding->height);
  size_t const start = y * stride + x * 4;
  uint8_t *end = WebPDecodeRGBAInto(frame->fragment.bytes, frame->fragment.size, decoding->pixels + start,
                                    stride * decoding->height - start, (int)stride);
  return end != NULL ? decoded : refuse(decoding, "cannot be decoded: damaged WebP data");
}

int decode_webp(struct decoding *decoding) {
  if (decoding->count < 12 || memcmp(decoding->bytes + 8, "WEBP", 4) != 0) {
    return refuse(decoding, "is none of JPEG, PNG, WebP and GIF");
  }
  WebPData const data = {.bytes = decoding->bytes, .size = decoding->count};
  WebPDemuxState state;
  WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
  if (demuxer == NULL) return refuse(decoding, "cannot be decoded: damaged WebP data");
  int outcome;
  WebPIterator frame;
  if (state != WEBP_DEMUX_DONE) {
    outcome = refuse(decoding, state == WEBP_DEMUX_PARSE_ERROR ? "cannot be decoded: damaged WebP data" : "is cut short");
  } else if (WebPDemuxGetFrame(demuxer, 1, &frame) == 0) {
    outcome = refuse(decoding, "holds no picture");
  } else {
    outcome = allocate(decoding, WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                       WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), 4);
    if (outcome == decoded) outcome = read_frame(decoding, &frame);
    if (outcome == decoded) orient_webp(decoding, demuxer);
    WebPDemuxReleaseIterator(&frame);
  }
  WebPDemuxDelete(demuxer);
  return outcome;
}
