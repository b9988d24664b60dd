"""Compares ids with those of `tiktoken` and `tokenizers`. Usage: compare_encoding.py VOCABULARY TEXT IDS

VOCABULARY is a folder with GPT-2's encoder.json and vocab.bpe, IDS a file of little-endian 32-bit ids of TEXT's bytes.
"""

import pathlib
import sys

import numpy
import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks
from tokenizers import Tokenizer, models, pre_tokenizers

PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"

folder, text_path, ids_path = sys.argv[1:]
encoder, merges = f"{folder}/encoder.json", f"{folder}/vocab.bpe"
text = pathlib.Path(text_path).read_bytes().decode("utf-8", "replace")
ours = numpy.fromfile(ids_path, dtype="<i4").tolist()

ranks = data_gym_to_mergeable_bpe_ranks(vocab_bpe_file=merges, encoder_json_file=encoder)
openai = tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})
face = Tokenizer(models.BPE.from_file(encoder, merges))
face.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
for name, theirs in (("tiktoken", openai.encode_ordinary(text)), ("tokenizers", face.encode(text).ids)):
    if theirs != ours:
        first = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
        sys.exit(f"{name} differs from id {first} on: {theirs[first:first + 8]}, ours {ours[first:first + 8]}")
