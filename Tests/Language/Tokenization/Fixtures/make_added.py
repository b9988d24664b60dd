#!/usr/bin/env python3
"""Makes added/tokens.json: vocabularies of the folder rules with random added tokens of all flags, and what Python's
`tokenizers` 0.23.3 makes of random texts with each, special tokens being text and being meant.

Usage: make_added.py [SEED [COUNT [FILE]]], in the folder where this lies. Needs what make_rules.py made.
"""

import json
import pathlib
import random
import sys
import unicodedata

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
BASES = ["neox", "smollm", "llama3", "qwen2", "qwen35", "cl100k", "o200k", "llama2", "metaspace-always",
         "metaspace-first", "metaspace-never"]
BLANK = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
PREFIXED = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
# Further rules: the base, and what of its file is replaced.
MORE = {
    "prefix": ("neox", {"pre_tokenizer": PREFIXED, "normalizer": None}),
    "prefix-nfc": ("neox", {"pre_tokenizer": PREFIXED}),
    "gpt2": ("neox", {"normalizer": None}),
    "replace": ("llama2", {"normalizer": BLANK}),
}
CONTENTS = [
    "<tool>", "<|user|>", "New York", "fox", "the", "a", "ab", "b a", " x", "x ", "  ", "   ", "\n", "\n\n", "\t",
    "é", "cafe\u0301", "café", "e\u0301", "▁", "▁a", "a▁b", "1", "12", "日本", "K", "\u212a", "ा", "\u200d", "_", "x_y",
    "!", "<s>x", "s>", "q\u0323\u0307", "q\u0307\u0323", "\u00a0", "\u3000z", "aa", "aba", "\u1100\u1161", "각", "o",
    "he", "Ġthe", "\u0301",
]
PIECES = [
    " ", " ", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\x1c", "a", "b", "x", "aa", "ab", "the",
    " the", "fox", "foxfox", "New York", "New", " York", "New  York", "York", "é", "e\u0301", "café", "cafe\u0301",
    "cafe", "\u0301", "q\u0307\u0323", "▁", "▁▁", " ▁", "1", "12", "123", "日本", "日", "!", "_", "-", "…", "K",
    "\u212a", "क", "ा", "\u200d", "²", "Ⓐ", "½", "<tool>", "<|user|>", "<s>", "</s>", "<|endoftext|>", "<s>x", "ǅ",
    "각", "\u1100\u1161", "\u11a8", "😀",
]


def base(name):
    source, changes = MORE.get(name, (name, {}))
    file = json.loads((HERE / "rules" / f"{source}.json").read_text(encoding="utf-8"))
    return file | changes


def added_tokens(file, draw):
    """Random tokens, with the ids that `tokenizers` gives them."""
    specials = [token for token in file["added_tokens"] if token["special"]]
    tokens = list(specials)
    for content in draw.sample(CONTENTS, draw.randint(1, 6)):
        flags = {flag: draw.random() < 0.3 for flag in ["single_word", "lstrip", "rstrip"]}
        tokens.append({"content": content, "normalized": draw.random() < 0.5, "special": draw.random() < 0.3} | flags)
    if draw.random() < 0.1:
        tokens[draw.randrange(len(specials))].update(rstrip=True, normalized=draw.random() < 0.5)
    for token in tokens:
        token.setdefault("id", 0)
    tokenizer = Tokenizer.from_str(json.dumps(file | {"added_tokens": tokens}))
    for token in tokens:
        token["id"] = tokenizer.token_to_id(token["content"])
    return sorted(tokens, key=lambda token: token["id"])


def random_texts(tokens, draw, count):
    contents = [token["content"] for token in tokens]
    for _ in range(count):
        pieces = PIECES + contents * 4
        yield "".join(draw.choice(pieces) for _ in range(draw.randint(1, 12)))


def ids(tokenizer, text, specials):
    tokenizer.encode_special_tokens = not specials
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    except BaseException:  # A token inside the white space that another took along makes it panic.
        return None


def is_ambiguous(tokens):
    """Whether two tokens are the same once normalised: which is found then depends on a hash table's order."""
    contents = [unicodedata.normalize("NFC", token["content"]) for token in tokens if token["normalized"]]
    return len(set(contents)) < len(contents)


def case(draw):
    name = draw.choice(BASES + list(MORE))
    file = base(name)
    tokens = added_tokens(file, draw)
    while is_ambiguous(tokens):
        tokens = added_tokens(file, draw)
    tokenizer = Tokenizer.from_str(json.dumps(file | {"added_tokens": tokens}))
    texts = list(random_texts(tokens, draw, 24))
    both = [(text, ids(tokenizer, text, False), ids(tokenizer, text, True)) for text in texts]
    both = [entry for entry in both if entry[1] is not None and entry[2] is not None]
    changes = {key: file[key] for key in MORE.get(name, ("", {}))[1]}
    return {"base": MORE.get(name, (name, {}))[0], "changes": changes, "added_tokens": tokens,
            "texts": [entry[0] for entry in both], "text": [entry[1] for entry in both],
            "meant": [entry[2] for entry in both]}


def main():
    seed, count, path = (sys.argv[1:] + ["1", "60", str(HERE / "added" / "tokens.json")][len(sys.argv) - 1:])[:3]
    draw = random.Random(int(seed))
    cases = [case(draw) for _ in range(int(count))]
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]\n")


if __name__ == "__main__":
    main()
