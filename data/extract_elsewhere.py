#!/usr/bin/env python3
"""Makes texts of domains that no TempNet here is fitted to: scripture, a lexicon of slang, an encyclopedia in French.

Usage: extract_elsewhere.py UNPACKED OUTPUT

As extract_domains.py, whose texts for validation it writes too: what is chosen on those is then tried elsewhere.
"""

import gzip
import pathlib
import re
import struct
import sys
import zlib

import extract_domains

SCRIPTURE = "usr/share/sword/modules/texts/ztext/engWEB2015eb/nt"
LEXICON = "usr/share/doc/jargon-text/jargon.txt.gz"


def scripture(tree):
    """The books of the New Testament in the World English Bible: SWORD's blocks of compressed OSIS."""
    index = (tree / f"{SCRIPTURE}.bzs").read_bytes()
    data = (tree / f"{SCRIPTURE}.bzz").read_bytes()
    for number, (offset, size, _unpacked) in enumerate(struct.iter_unpack("<III", index)):
        text = zlib.decompress(data[offset : offset + size]).decode("utf-8")
        text = re.sub(r"<note.*?</note>|<title.*?</title>", "", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text.replace("\n", " "))
        text = re.sub(r" (?=[,.;:?!’”])", "", re.sub(r"\s+", " ", text))
        yield f"book {number}", text.strip(), "test"


def lexicon(tree):
    """Entries of the Jargon File, some together; each begins with its word between colons."""
    text = gzip.decompress((tree / LEXICON).read_bytes()).decode("utf-8")
    entries = re.split(r"\n(?=   :[^\n]{1,60}:)", text.replace("\r", ""))[1:]
    for start in range(0, len(entries), 6):
        together = "\n".join(entries[start : start + 6])
        yield f"entry {start}", re.sub(r"^   ", "", together, flags=re.MULTILINE).strip(), "test"


def french(tree):
    for title, text, _split in extract_domains.encyclopedia(tree, "fr-fr"):
        yield title, text, "test"


def main():
    tree, output = map(pathlib.Path, sys.argv[1:])
    for domain, read in extract_domains.DOMAINS.items():
        documents = extract_domains.sample(read(tree), "validation", extract_domains.SIZES["validation"])
        extract_domains.write(output / f"{domain}-validation.jsonl", documents)
    for domain, read in {"scripture": scripture, "lexicon": lexicon, "french": french}.items():
        documents = extract_domains.sample(read(tree), "test", extract_domains.SIZES["test"])
        extract_domains.write(output / f"{domain}.jsonl", documents)


if __name__ == "__main__":
    main()
