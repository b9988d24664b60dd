#!/usr/bin/env python3
"""Prints the first lines of a text to which `tokenizers` gives other ids.

Usage: compare_ids.py TOKENIZER TEXT IDS

IDS is a JSON array with the ids of each line, without a limit.
"""

import json
import sys

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
lines = open(sys.argv[2], encoding="utf-8", newline="\n").read().split("\n")
given = json.load(open(sys.argv[3], encoding="utf-8"))
expected = [encoding.ids for encoding in tokenizer.encode_batch(lines)]
if len(given) != len(lines):
    print(f"{len(given)} lists of ids for {len(lines)} lines")
wrong = [(line, ids, other) for line, ids, other in zip(lines, expected, given) if ids != other]
for line, ids, other in wrong[:5]:
    print(f"{line!r}: {ids}, given {other}")
