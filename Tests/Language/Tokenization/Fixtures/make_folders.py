#!/usr/bin/env python3
"""Makes added/folders.json: folders with a vocabulary of the folder rules and random tokenizer_config.json,
special_tokens_map.json and added_tokens.json beside it, and what `AutoTokenizer` of transformers 5.23.0 with tokenizers
0.23.3 makes of random texts with each, special tokens being text and being meant.

Usage: make_folders.py [SEED [COUNT [FILE]]], in the folder where this lies. Needs what make_rules.py made.
"""

import json
import os
import pathlib
import random
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from make_added import PIECES, base
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
CONTENTS = ["<tool>", "<|user|>", "New York", "fox", "<a>", "<b>", "café", " x", "\n\n", "the", "ab"]
NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "image_token"]
FLAGS = ["single_word", "lstrip", "rstrip", "normalized", "special"]


def flags(draw):
    return {flag: draw.random() < 0.35 for flag in FLAGS}


def name_of(content, draw):
    """A special token as files name it."""
    if draw.random() < 0.7:
        return content
    return {"__type": "AddedToken", "content": content} | {flag: draw.random() < 0.3 for flag in FLAGS[:4]}


def folder(draw):
    """Random files by their names."""
    kind = draw.choice(["pair", "pair", "gpt2", "gpt2", "fast", "fast", "llama", "none"])
    rules = {"pair": ["gpt2"], "gpt2": ["gpt2", "prefix"], "llama": ["metaspace-first"]}.get(
        kind, ["neox", "gpt2", "qwen2", "llama2", "metaspace-first", "prefix", "replace"])
    rules = draw.choice(rules)
    file = base(rules)
    specials = [token for token in file["added_tokens"] if token["special"]]
    file["added_tokens"] = specials if draw.random() < 0.7 else []
    file["post_processor"] = None
    vocabulary = file["model"]["vocab"]
    count = len(vocabulary)
    contents = draw.sample(CONTENTS, draw.randint(1, 6))
    new = [content for content in contents if content not in vocabulary]
    if kind != "pair" and new and draw.random() < 0.4:
        token = {"id": count, "content": new.pop(0)} | flags(draw)
        file["added_tokens"].append(token)
    classes = {"pair": ["GPT2Tokenizer", "GPT2TokenizerFast"], "gpt2": ["GPT2Tokenizer", "GPT2TokenizerFast"],
               "fast": ["PreTrainedTokenizerFast", "TokenizersBackend"],
               "llama": ["LlamaTokenizer", "LlamaTokenizerFast"]}
    settings = {"tokenizer_class": draw.choice(classes[kind])} if kind != "none" else {}
    if kind != "none" and draw.random() < 0.5:
        settings["add_prefix_space"] = draw.random() < 0.5
    first = count + (len(file["added_tokens"]) > 0 and file["added_tokens"][-1]["id"] == count)
    stated = {content: first + place for place, content in enumerate(new[: draw.randint(0, len(new))])}
    if draw.random() < 0.2 and kind != "llama":
        stated |= {content: vocabulary[content] for content in contents if content in vocabulary}
    if stated and draw.random() < 0.1:
        stated[draw.choice(list(stated))] += draw.choice([1, -1, 5, -200])
    names = contents + [token["content"] for token in specials]

    def named():
        return {name: name_of(draw.choice(names), draw) for name in draw.sample(NAMES, draw.randint(0, 2))}

    settings |= {name: value for name, value in named().items() if name != "image_token" or isinstance(value, str)}
    key = draw.choice(["additional_special_tokens", "extra_special_tokens"])
    if draw.random() < 0.3:
        settings[key] = draw.sample(contents, draw.randint(1, len(contents)))
    files = {}
    if draw.random() < 0.5:
        tokens = {str(id): {"content": content} | flags(draw) for content, id in stated.items()}
        for token in file["added_tokens"]:
            # What is not listed again, the classes but these two lose.
            if kind in ["gpt2", "llama"] or draw.random() < 0.6:
                tokens[str(token["id"])] = {key: value for key, value in token.items() if key != "id"}
                if draw.random() < 0.3:
                    tokens[str(token["id"])]["rstrip"] = True
        settings["added_tokens_decoder"] = tokens
    elif stated:
        files["added_tokens.json"] = stated
    if draw.random() < 0.4:
        files["special_tokens_map.json"] = {
            name: value if isinstance(value, str) else {key: flag for key, flag in value.items() if key != "__type"}
            for name, value in named().items() if name != "image_token"}
        if draw.random() < 0.5:
            files["special_tokens_map.json"]["additional_special_tokens"] = draw.sample(contents, 1)
    if settings or kind == "pair":
        files["tokenizer_config.json"] = settings
    if kind == "pair":
        files |= {"vocab.json": None, "merges.txt": None}
    else:
        files["tokenizer.json"] = {"added_tokens": file["added_tokens"], "post_processor": None}
    # One that was given another's id may have taken its place.
    listed = settings.get("added_tokens_decoder", {})
    stated = files.get("added_tokens.json", {token["content"]: int(id) for id, token in listed.items()})
    return rules, file, files, stated


def write(path, file, files):
    for name, value in files.items():
        if name == "vocab.json":
            text = json.dumps(file["model"]["vocab"], ensure_ascii=False)
        elif name == "merges.txt":
            text = "#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in file["model"]["merges"])
        else:
            text = json.dumps(file if name == "tokenizer.json" else value, ensure_ascii=False)
        (path / name).write_text(text, encoding="utf-8")


def case(draw):
    rules, file, files, stated = folder(draw)
    with tempfile.TemporaryDirectory() as path:
        write(pathlib.Path(path), file, files)
        try:
            tokenizer = AutoTokenizer.from_pretrained(path)
        except Exception:
            return None
    source, changes = {"gpt2": ("neox", ["normalizer"]), "prefix": ("neox", ["normalizer", "pre_tokenizer"]),
                       "replace": ("llama2", ["normalizer"])}.get(rules, (rules, []))
    entry = {"base": source, "changes": {key: file[key] for key in changes}, "files": files}
    if any(tokenizer.convert_tokens_to_ids(content) != id for content, id in stated.items()):
        return entry | {"refused": True}
    pieces = PIECES + CONTENTS * 2
    texts = ["".join(draw.choice(pieces) for _ in range(draw.randint(1, 12))) for _ in range(12)]

    def ids(text, split):
        return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=split)

    return entry | {"size": len(tokenizer), "end": tokenizer.eos_token_id, "texts": texts,
                    "text": [ids(text, True) for text in texts], "meant": [ids(text, False) for text in texts]}


def main():
    seed, count, path = (sys.argv[1:] + ["1", "60", str(HERE / "added" / "folders.json")][len(sys.argv) - 1:])[:3]
    draw = random.Random(int(seed))
    cases = []
    while len(cases) < int(count):
        entry = case(draw)
        if entry:
            cases.append(entry)
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]\n")


if __name__ == "__main__":
    main()
