"""Compares ids with those of `tokenizers`. Usage: compare_tokenizer.py TOKENIZER TEXT IDS

TOKENIZER is a tokenizer.json or a GGUF file with a byte-level vocabulary, IDS a file of little-endian 32-bit ids of
TEXT's bytes.
"""

import pathlib
import sys

import numpy
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

path, text_path, ids_path = sys.argv[1:]
if path.endswith(".gguf"):
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    names = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({name: index for index, name in enumerate(names)}, merges))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert fields["tokenizer.ggml.pre"].contents() == "smollm"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
else:
    tokenizer = Tokenizer.from_file(path)
    tokenizer.encode_special_tokens = True
text = pathlib.Path(text_path).read_bytes().decode("utf-8", "replace")
ours = numpy.fromfile(ids_path, dtype="<i4").tolist()
theirs = tokenizer.encode(text, add_special_tokens=False).ids
if theirs != ours:
    first = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
    sys.exit(f"differs from id {first} on: {theirs[first:first + 8]}, ours {ours[first:first + 8]}")
