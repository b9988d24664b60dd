#!/usr/bin/env python3
"""Writes the folder clip: a small vocabulary by CLIP's rules in both forms of files, and the ids that `tokenizers` gives.

Usage: make_clip.py PHRASES

PHRASES is a text file, one phrase a line (CLDR's English names and keywords of emoji were taken). Needs tokenizers as in
scripts/requirements.txt.
"""

import json
import pathlib
import sys

from make_wordpiece import TEXTS
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = pathlib.Path(__file__).parent / "clip"
START, END = "<|startoftext|>", "<|endoftext|>"
MORE = [
    "it's we'll I'd don't they're 've 'll'S 'SAY", "''s 't't", "1234 1a2b", "!!!'s?", "\u00a0no\u2003break\u2028s",
    "ΣΑΣ ẞ İ ǅ", "a" * 300, "\U0001d7d8 \u0b72 \u00bd", "x\u0301y\u0300\u0301", "\ud55c\uad6d \u1112\u1161\u11ab",
]


def rules(model):
    """As transformers' CLIPConverter has them."""
    made = Tokenizer(model)
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    made.decoder = decoders.ByteLevel()
    return made


def main():
    phrases = [line.strip() for line in open(sys.argv[1], encoding="utf-8")][:300]
    learner = rules(models.BPE(end_of_word_suffix="</w>"))
    learner.train_from_iterator(phrases + TEXTS, trainers.BpeTrainer(
        vocab_size=900, end_of_word_suffix="</w>", show_progress=False))
    merges = [tuple(merge) for merge in json.loads(learner.to_str())["model"]["merges"]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += [token for token in dict.fromkeys(a + b for a, b in merges) if token not in tokens] + [START, END]
    ids = {token: place for place, token in enumerate(tokens)}
    made = rules(models.BPE(
        vocab=ids, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=END))
    made.post_processor = processors.RobertaProcessing(
        (END, ids[END]), (START, ids[START]), add_prefix_space=False, trim_offsets=False)
    FOLDER.mkdir(exist_ok=True)
    made.save(str(FOLDER / "tokenizer.json"), pretty=False)
    (FOLDER / "vocab.json").write_text(json.dumps(ids) + "\n")
    (FOLDER / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    cases = [{"text": text, "ids": made.encode(text).ids} for text in TEXTS + MORE]
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
