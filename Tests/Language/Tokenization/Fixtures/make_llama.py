#!/usr/bin/env python3
"""Makes llama/scores.json and llama/default.json: what llama.cpp (xllamacpp 2026.10.11549) makes of random texts with
random vocabularies of SentencePiece's kind, whose tokens have scores that may be equal, and with a byte-level one whose
file names no splitting rule.

Usage: make_llama.py [SEED [COUNT]], in the folder where this lies. Needs what make_rules.py made.
"""

import json
import pathlib
import random
import sys
import tempfile
import urllib.request

import gguf
import numpy
import xllamacpp

from make_added import PIECES

HERE = pathlib.Path(__file__).parent
KEY = "tokenizer.ggml."


def ids(entries, tokens, texts):
    """The ids of texts by a model of one block whose weights are all zero."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_context_length(64)
        writer.add_embedding_length(32)
        writer.add_block_count(1)
        writer.add_feed_forward_length(32)
        writer.add_head_count(2)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_token_list(tokens)
        for name, value in entries.items():
            add = {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string, list: writer.add_array}
            add[type(value)](KEY + name, value)
        shapes = {"token_embd": (len(tokens), 32), "output_norm": (32,), "output": (len(tokens), 32)}
        shapes |= {f"blk.0.attn_{part}": (32, 32) for part in ["q", "k", "v", "output"]}
        shapes |= {f"blk.0.ffn_{part}": (32, 32) for part in ["gate", "up", "down"]}
        shapes |= {"blk.0.attn_norm": (32,), "blk.0.ffn_norm": (32,)}
        for name, shape in shapes.items():
            writer.add_tensor(f"{name}.weight", numpy.zeros(shape, numpy.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        parameters = xllamacpp.CommonParams()
        parameters.model.path = path
        parameters.n_ctx, parameters.n_parallel, parameters.warmup = 64, 1, False
        parameters.cpuparams.n_threads = 1
        server = xllamacpp.Server(parameters)

        def tokenize(text):
            body = json.dumps({"content": text, "add_special": False, "parse_special": False}).encode()
            request = urllib.request.Request(
                f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"})
            return json.load(urllib.request.urlopen(request))["tokens"]

        return [tokenize(text) for text in texts]


def scores(draw):
    letters = sorted(set(draw.choice(["ab", "abc", "中国人民共", "aé"])) | {"▁"})
    words = {"".join(draw.choice(letters) for _ in range(draw.randint(2, 6))) for _ in range(draw.randint(5, 40))}
    # No token joins words.
    words = sorted(word for word in words if "▁" not in word.lstrip("▁"))
    draw.shuffle(words)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + letters + words
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(letters) + len(words))
    levels = draw.choice([1, max(1, len(words) // 3), 1000])
    values = [0.0] * 259 + [-2000.0 - i for i in range(len(letters))] + [-float(draw.randrange(levels)) for _ in words]
    prefix = draw.random() < 0.5
    pieces = [" " if letter == "▁" else letter for letter in letters] + [" "]
    texts = ["".join(draw.choice(pieces) for _ in range(draw.randint(1, 30))) for _ in range(20)]
    texts = [text for text in texts if text.strip()]
    entries = {"model": "llama", "scores": values, "token_type": kinds, "add_space_prefix": prefix, "bos_token_id": 1,
               "eos_token_id": 2}
    return {"letters": letters, "words": words, "scores": values[259 + len(letters):], "prefix": prefix, "texts": texts,
            "ids": ids(entries, tokens, texts)}


def default(draw):
    """A vocabulary in which any two of many characters merge, so that it shows where text is split."""
    model = json.loads((HERE / "rules" / "neox.json").read_text(encoding="utf-8"))["model"]
    tokens = [token for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1])]
    characters = "ĠĉĊč12ab.$'s-+#@²Â½"
    pairs = [a + " " + b for a in characters for b in characters if a + b not in model["vocab"]]
    draw.shuffle(pairs)
    tokens += [pair.replace(" ", "") for pair in pairs]
    merges = pairs + [" ".join(pair) for pair in model["merges"]]
    pieces = list(" \t\n\r12ab.$'s-+#@²½") * 8 + PIECES + [" 12", "१२३", "1", "₹", "€", "\ue000"]
    texts = ["".join(draw.choice(pieces) for _ in range(draw.randint(1, 14))) for _ in range(250)]
    texts = [text for text in texts if "<|endoftext|>" not in text]
    kinds = [3] + [1] * (len(tokens) - 1)
    entries = {"model": "gpt2", "merges": merges, "token_type": kinds, "bos_token_id": 0, "eos_token_id": 0}
    return {"tokens": tokens[400:], "merges": pairs, "texts": texts, "ids": ids(entries, tokens, texts)}


def main():
    seed, count = (int(number) for number in (sys.argv[1:] + ["1", "24"][len(sys.argv) - 1:]))
    draw = random.Random(seed)
    (HERE / "llama").mkdir(exist_ok=True)
    for name, content in [("scores", [scores(draw) for _ in range(count)]), ("default", default(draw))]:
        (HERE / "llama" / f"{name}.json").write_text(json.dumps(content) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
