"""Encodes a text with tiktoken, or trains a vocabulary with `tokenizers`, and compares with the result of tempnet-tokenize.

Prints JSON: seconds, peak memory, whether ids or merges are equal.
"""

import argparse
import json
import os
import pathlib
import resource
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("work", choices=["encode", "train"])
parser.add_argument("--text", type=pathlib.Path, required=True)
parser.add_argument("--ours", type=pathlib.Path, required=True, help="the artifact of tempnet-tokenize")
parser.add_argument("--vocabulary", type=pathlib.Path, help="the folder of GPT-2's two files, to encode with")
parser.add_argument("--threads", type=int, default=1)
arguments = parser.parse_args()
# Both libraries read these when they are imported.
os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "true" if arguments.threads > 1 else "false"

GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


def encode():
    import numpy as np
    import tiktoken
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks

    from data import read_tokens

    folder = arguments.vocabulary
    ranks = data_gym_to_mergeable_bpe_ranks(
        vocab_bpe_file=str(folder / "vocab.bpe"), encoder_json_file=str(folder / "encoder.json"))
    encoding = tiktoken.Encoding("gpt2", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})
    text = arguments.text.read_text("utf-8")
    start = time.perf_counter()
    ids = encoding.encode_ordinary(text)
    seconds = time.perf_counter() - start
    ours, _ = read_tokens(arguments.ours, "train")
    # A document ends with the end-of-text token.
    return {"seconds": seconds, "equal": bool(np.array_equal(ours[:-1], ids)), "bytes": len(text.encode())}


def pieces():
    """The text in parts of about a megabyte, for parallel encoding. It is cut at line ends without white space beside
    them, where GPT-2's rule cuts too, so that the parts have the pieces of the whole."""
    piece, size = [], 0
    with open(arguments.text, encoding="utf-8", newline="\n") as file:
        for line in file:
            if size > 1 << 20 and not line[:1].isspace() and not piece[-1][-2:-1].isspace():
                yield "".join(piece)
                piece, size = [], 0
            piece.append(line)
            size += len(line)
    yield "".join(piece)


def train():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    ours = json.loads((arguments.ours / "tokenizer.json").read_text("utf-8"))
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(ours["model"]["vocab"]), special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    start = time.perf_counter()
    theirs.train_from_iterator(pieces(), trainer)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "equal": json.loads(theirs.to_str()) == ours}


result = {"encode": encode, "train": train}[arguments.work]()
result["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(result))
