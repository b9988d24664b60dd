#!/usr/bin/env python3
"""Takes the six novels out of Debian's r-cran-janeaustenr.

Usage: extract_austen.py UNPACKED OUTPUT

UNPACKED is the package's tree, OUTPUT the folder for the texts. The package keeps them in an R lazy-load database: one
record a novel, each a big-endian length and a zlib stream with a vector of lines in R's serialisation format (XDR).
"""

import pathlib
import struct
import sys
import zlib

DATABASE = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
# In the order of the database, which is that of R's object names: emma, mansfieldpark, northangerabbey, ...
NOVELS = [
    "emma",
    "mansfield-park",
    "northanger-abbey",
    "persuasion",
    "pride-and-prejudice",
    "sense-and-sensibility",
]
STRING_VECTOR = b"\0\0\0\x10"


def records(database):
    """The unpacked records of the database."""
    position = 0
    while position < len(database):
        stream = zlib.decompressobj()
        yield stream.decompress(database[position + 4 :])
        position = len(database) - len(stream.unused_data)


def lines(record):
    """The strings of the first vector of strings in a record."""
    position = record.index(STRING_VECTOR) + 4
    (count,) = struct.unpack_from(">I", record, position)
    position += 4
    for _ in range(count):
        _flags, length = struct.unpack_from(">Ii", record, position)  # A length of -1 is R's NA.
        position += 8
        yield record[position : position + max(length, 0)].decode("utf-8")
        position += max(length, 0)


def novels(unpacked):
    """The novels' texts by name."""
    found = [list(lines(record)) for record in records((unpacked / DATABASE).read_bytes())]
    if len(found) != len(NOVELS):
        sys.exit(f"expected {len(NOVELS)} novels, found {len(found)}")
    return {name: "".join(f"{line}\n" for line in text) for name, text in zip(NOVELS, found)}


def main():
    unpacked, output = map(pathlib.Path, sys.argv[1:])
    for name, text in novels(unpacked).items():
        (output / f"{name}.txt").write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    main()
