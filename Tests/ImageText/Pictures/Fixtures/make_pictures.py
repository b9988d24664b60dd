#!/usr/bin/env python3
"""Makes the pictures of this folder, and what they look like on white.

    python3 make_pictures.py          in this folder; made with Pillow 13.0.0 and NumPy 2.4.6

The pictures are computed, so nobody has rights to them. `expected/NAME.rgb` holds rows of RGB: what Pillow decodes, turned
by EXIF and put on white by its `alpha_composite`. 16-bit pictures are rounded by NumPy instead, because Pillow clips them.
`fixtures.json` states the sizes, and for damaged files a part of the message that is due. The seed is fixed.
"""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).parent
W, H = 29, 18
RANDOM = np.random.default_rng(7)
FIXTURES = {"decoded": {}, "refused": {}, "resized": []}


def picture(width=W, height=H, channels=4):
    """A smooth colourful picture with an edge, so that JPEG and WebP keep it well."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        127 + 120 * np.sin(x / 7 + y / 11),
        255 * x / max(width - 1, 1),
        np.where(x + y > (width + height) / 2, 200, 40),
        255 * (y + 1) / height,
    ]
    return np.stack([np.clip(plane, 0, 255).astype(np.uint8) for plane in planes[:channels]], axis=-1)


def on_white(image):
    image = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def add(name, data, expected=None):
    (FOLDER / name).write_bytes(data)
    if expected is None:
        expected = on_white(Image.open(io.BytesIO(data)))
    FIXTURES["decoded"][name] = {"width": expected.shape[1], "height": expected.shape[0]}
    (FOLDER / "expected" / f"{name}.rgb").write_bytes(np.ascontiguousarray(expected).tobytes())


def saved(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def plain_rows(array):
    return b"".join(b"\0" + row.tobytes() for row in array)


def adam7(array):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [array[y::dy, x::dx] for x, y, dx, dy in passes]
    return b"".join(plain_rows(part) for part in parts if part.size)


def rounded(values):
    return np.round(values.astype(np.float64) * 255 / 65535).astype(np.uint8)


def make_png():
    rgba = picture()
    add("rgba.png", saved(Image.fromarray(rgba), "PNG"))
    add("rgb.png", saved(Image.fromarray(rgba[..., :3]), "PNG"))
    add("grey-alpha.png", saved(Image.fromarray(rgba[..., [0, 3]], "LA"), "PNG"))
    add("grey.png", saved(Image.fromarray(rgba[..., 0]), "PNG"))
    add("interlaced.png", png(W, H, 8, 6, adam7(rgba), interlace=1))
    palette = Image.fromarray(rgba[..., :3]).quantize(16)
    add("palette.png", saved(palette, "PNG"))
    add("palette-2-bits.png", saved(Image.fromarray(rgba[..., :3]).quantize(4), "PNG", bits=2))
    add("palette-transparent.png", saved(palette, "PNG", transparency=bytes([0, 128, 255, 30] * 4)))
    add("bits-1.png", saved(Image.fromarray(rgba[..., 0] > 127), "PNG"))
    four = rgba[..., 0] >> 4
    packed = np.concatenate([four, np.zeros((H, W % 2), np.uint8)], axis=1)
    packed = (packed[:, 0::2] << 4 | packed[:, 1::2]).astype(np.uint8)
    add("grey-4-bits.png", png(W, H, 4, 0, plain_rows(packed)), np.repeat((four * 17)[..., None], 3, axis=-1))
    key = int(rgba[3, 5, 0])
    add("grey-key.png", png(W, H, 8, 0, plain_rows(rgba[..., 0]), chunk(b"tRNS", struct.pack(">H", key))))
    red, green, blue = (int(value) for value in rgba[3, 5, :3])
    key = chunk(b"tRNS", struct.pack(">HHH", red, green, blue))
    add("rgb-key.png", png(W, H, 8, 2, plain_rows(rgba[..., :3]), key))
    deep = RANDOM.integers(0, 65536, (H, W, 4)).astype(np.uint16)
    deep[0, :4, 0] = [0x8000, 0x7FFF, 0x0080, 0x0081]
    grey = np.repeat(rounded(deep[..., :1]), 3, axis=-1)
    add("grey-16-bits.png", png(W, H, 16, 0, plain_rows(deep[..., 0].astype(">u2"))), grey)
    add("rgb-16-bits.png", png(W, H, 16, 2, plain_rows(deep[..., :3].astype(">u2"))), rounded(deep[..., :3]))
    whole = on_white(Image.fromarray(rounded(deep)))
    add("rgba-16-bits.png", png(W, H, 16, 6, plain_rows(deep.astype(">u2"))), whole)
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    add("gamma.png", png(W, H, 8, 6, plain_rows(rgba), gamma), on_white(Image.fromarray(rgba)))
    other = Image.fromarray(255 - rgba)
    add("animated.png", saved(Image.fromarray(rgba), "PNG", save_all=True, append_images=[other]))


def make_jpeg():
    rgb = Image.fromarray(picture(channels=3))
    add("plain.jpg", saved(rgb, "JPEG", quality=90))
    add("progressive.jpg", saved(rgb, "JPEG", quality=90, progressive=True))
    add("grey.jpg", saved(rgb.convert("L"), "JPEG"))
    add("cmyk.jpg", saved(rgb.convert("CMYK"), "JPEG", quality=95))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "maker"
        add(f"turned-{orientation}.jpg", saved(rgb, "JPEG", quality=95, subsampling=0, exif=exif))
    exif = Image.Exif()
    exif[0x0112] = 6
    add("turned.png", saved(Image.fromarray(picture()), "PNG", exif=exif))
    add("turned.webp", saved(rgb, "WEBP", lossless=True, exif=exif))
    plain = (FOLDER / "plain.jpg").read_bytes()
    broken = b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + bytes(range(40))
    segment = b"\xff\xe1" + struct.pack(">H", len(broken) + 2) + broken
    add("broken-exif.jpg", plain[:2] + segment + plain[2:], on_white(Image.open(io.BytesIO(plain))))


def make_others():
    rgba = Image.fromarray(picture())
    add("alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
    add("lossy.webp", saved(rgba, "WEBP", quality=90))
    other = Image.fromarray(255 - picture())
    add("animated.webp", saved(rgba, "WEBP", save_all=True, append_images=[other], lossless=True, exact=True))
    palette = Image.fromarray(picture(channels=3)).quantize(32)
    add("plain.gif", saved(palette, "GIF", interlace=0))
    add("interlaced.gif", saved(palette, "GIF", interlace=1))
    add("transparent.gif", saved(palette, "GIF", transparency=3))
    frames = [Image.fromarray(255 - picture(channels=3)).quantize(32)]
    add("animated.gif", saved(palette, "GIF", save_all=True, append_images=frames))


def refuse(name, data, message):
    (FOLDER / name).write_bytes(data)
    FIXTURES["refused"][name] = message


def make_damaged():
    read = lambda name: (FOLDER / name).read_bytes()
    for name in ["plain.jpg", "progressive.jpg", "rgba.png", "alpha.webp", "plain.gif"]:
        data = read(name)
        refuse(f"cut-{name}", data[: len(data) * 3 // 4], "cut short")
    data = bytearray(read("rgba.png"))
    data[data.index(b"IDAT") + 8] ^= 1
    refuse("bad-crc.png", bytes(data), "cannot be decoded")
    refuse("empty.png", b"", "is empty")
    refuse("page.jpg", b"\n<!DOCTYPE html><html><body>404</body></html>", "HTML")
    refuse("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG")
    refuse("bitmap.bmp", saved(Image.fromarray(picture(channels=3)), "BMP"), "none of")
    refuse("huge.png", png(60000, 60000, 8, 2, b""), "60000 x 60000")
    data = bytearray(read("plain.jpg"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", 60000, 60000)
    refuse("huge.jpg", bytes(data), "60000 x 60000")


def make_resized():
    source = picture(61, 47, 3)
    source = np.clip(source.astype(int) + RANDOM.integers(-60, 60, source.shape), 0, 255).astype(np.uint8)
    (FOLDER / "source.rgb").write_bytes(source.tobytes())
    filters = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
    for filter, code in filters.items():
        for width, height in [(16, 16), (24, 40), (61, 20), (100, 90), (1, 1)]:
            name = f"{filter}-{width}x{height}.rgb"
            small = Image.fromarray(source).resize((width, height), code)
            (FOLDER / "expected" / name).write_bytes(np.asarray(small).tobytes())
            FIXTURES["resized"].append({"file": name, "filter": filter, "width": width, "height": height})


make_png()
make_jpeg()
make_others()
make_damaged()
make_resized()
(FOLDER / "fixtures.json").write_text(json.dumps(FIXTURES, indent=1) + "\n")
