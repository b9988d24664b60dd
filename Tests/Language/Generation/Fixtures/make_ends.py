"""Makes ends.gguf, a tiny model whose vocabulary has every token that llama.cpp takes for an end by its name, and ends.json,
the ids of those that it ends a text with.

    pip install gguf==0.19.0 xllamacpp==2026.10.11549 && python make_ends.py

llama.cpp tells them in its log when it loads the file. Half of the tokens are control tokens, half are none, since it goes
by names alone; `end_of_text` and `</s>` without their brackets, and names that are nearly right, are there too.
"""
import json
import pathlib
import re
import subprocess
import sys

import gguf
import numpy as np

HERE = pathlib.Path(__file__).parent
NAMES = [
    "<|endoftext|>", "<|eot_id|>", "<|im_end|>", "<|end|>", "<|flush|>", "<end_of_turn>", "</s>", "<|eom_id|>", "<EOT>",
    "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<｜end▁of▁sentence｜>",
    "[e~[", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|im_start|>", "<|eot_id", "end_of_text", "/s", "<stop>",
    "<|user|>", "<|assistant|>", "<pad>", "<|eod|>", "<|fim_prefix|>",
]


def byte_alphabet():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    return {**{byte: chr(byte) for byte in kept}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def write(path, names, stated):
    tokens = [byte_alphabet()[byte] for byte in range(256)] + names + ["th"]
    kinds = [gguf.TokenType.NORMAL] * 256 + [
        gguf.TokenType.CONTROL if index % 2 == 0 else gguf.TokenType.NORMAL for index in range(len(names))] + [
        gguf.TokenType.NORMAL]
    writer = gguf.GGUFWriter(path, "llama")
    width, hidden, heads = 8, 8, 1
    writer.add_context_length(32)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_feed_forward_length(hidden)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_token_merges(["t h"])
    for key, name in stated.items():
        writer.add_uint32(f"tokenizer.ggml.{key}", tokens.index(name) if isinstance(name, str) else name)
    random = np.random.default_rng(1)
    shapes = {"token_embd": (len(tokens), width), "output_norm": (width,), "blk.0.attn_norm": (width,),
              "blk.0.attn_q": (width, width), "blk.0.attn_k": (width, width), "blk.0.attn_v": (width, width),
              "blk.0.attn_output": (width, width), "blk.0.ffn_norm": (width,), "blk.0.ffn_gate": (hidden, width),
              "blk.0.ffn_up": (hidden, width), "blk.0.ffn_down": (width, hidden)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def ends(path):
    program = (
        "import sys, xllamacpp as x\np = x.CommonParams()\np.model.path = sys.argv[1]\np.n_ctx, p.n_parallel = 16, 1\n"
        "p.warmup, p.verbosity = False, 99\nserver = x.Server(p)\n"
        "import os\nos._exit(0)\n")
    log = subprocess.run(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    start = log.index("printing all EOG tokens")
    found = re.findall(r"^.*load:\s+- (\d+) \('", log[start:], re.M)
    assert found, log[-3000:]
    return sorted(set(map(int, found)))


if __name__ == "__main__":
    write(HERE / "ends.gguf", NAMES, {
        "bos_token_id": "<|im_start|>", "eos_token_id": "<stop>", "eot_token_id": "<|user|>",
        "eom_token_id": "<|assistant|>"})
    (HERE / "ends.json").write_text(json.dumps(ends(str(HERE / "ends.gguf"))) + "\n")
