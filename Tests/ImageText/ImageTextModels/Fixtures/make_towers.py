#!/usr/bin/env python3
"""Writes the fixtures of the frozen towers' tests.

Usage: make_towers.py EFFICIENTNET_LITE_PYTORCH CACHE CAPTIONS

The first is a folder with the unpacked package efficientnet-lite-pytorch 0.1.0 of PyPI (not among the project's
requirements), the second the folder data/cache with efficientnet-lite0 and minilm, the third a text file with English
phrases, one a line (CLDR's names and keywords of emoji were taken). Needs torch, transformers, safetensors, tokenizers
as in scripts/requirements.txt.

    efficientnet/   a small network with random weights, pictures of odd and even size, its features
    sentences/      a small BERT with random weights and a WordPiece vocabulary, texts, their ids and embeddings
    lite0.safetensors    of the network that data/efficientnet-lite0.yaml describes: every 40th feature of 32 pictures
    minilm.jsonl, minilm.safetensors    of data/minilm.yaml: 64 texts of 1 to 128 tokens, every 16th number
"""

import json
import os
import pathlib
import random
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, sys.argv[1])
from efficientnet_lite_pytorch import EfficientNet  # noqa: E402
from efficientnet_lite_pytorch.utils import BlockDecoder, get_model_params  # noqa: E402


def pixels(count, size):
    """Pictures from whole-number arithmetic alone, which the tests repeat: uint8 [count, size, size, 3]."""
    p, y, x, c = numpy.meshgrid(*(numpy.arange(n) for n in (count, size, size, 3)), indexing="ij")
    return ((x * (p % 5 + 1) + y * (c + 2) * 3 // 2 + p * 37 + x * y // (p + 2) + (x // 16 ^ y // 16) * 8) % 256).astype("uint8")


def features(model, pictures):
    x = (torch.tensor(pictures).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        return model.eval().extract_features(x).mean((2, 3))


def lite(size, path=None, blocks=None, **settings):
    arguments, parameters = get_model_params("efficientnet-lite0", {"image_size": size, **settings})
    model = EfficientNet(BlockDecoder.decode(blocks) if blocks else arguments, parameters)
    if path:
        stored = load_file(path)
        missing, unexpected = model.load_state_dict(stored, strict=False)
        assert not unexpected and all("num_batches" in name or name.startswith("_fc") for name in missing)
    return model


def small_efficientnet(folder):
    torch.manual_seed(1)
    blocks = ["r1_k3_s11_e1_i32_o8", "r2_k5_s22_e2_i8_o8", "r1_k3_s22_e2_i8_o16"]
    os.makedirs(folder, exist_ok=True)
    cases, weights = {}, None
    for size in (16, 25):
        model = lite(size, blocks=blocks)
        if weights is None:
            for name, tensor in model.named_parameters():
                if "bn" in name:
                    tensor.data = torch.rand_like(tensor) + 0.5 if name.endswith("weight") else torch.randn_like(tensor) * 0.2
            for name, tensor in model.named_buffers():
                if name.endswith("running_mean"):
                    tensor.copy_(torch.randn_like(tensor) * 0.2)
                elif name.endswith("running_var"):
                    tensor.copy_(torch.rand_like(tensor) + 0.5)
            # Of the 1,280 channels the first 12 are kept.
            weights = {k: v for k, v in model.state_dict().items() if "num_batches" not in k and not k.startswith("_fc")}
            for name in list(weights):
                if name.startswith(("_conv_head", "_bn1")):
                    weights[name] = weights[name][:12].clone()
        full = {k: v for k, v in weights.items() if not k.startswith(("_conv_head", "_bn1"))}
        model.load_state_dict(full, strict=False)
        state = model.state_dict()
        for name in weights:
            if name.startswith(("_conv_head", "_bn1")):
                state[name][:12] = weights[name]
        pictures = pixels(3, size)
        cases[f"features_{size}"] = features(model, pictures)[:, :12].contiguous()
    save_file(weights, folder / "model.safetensors")
    save_file(cases, folder / "cases.safetensors")
    stages = [{"blocks": 1, "kernel": 3, "stride": 1, "expansion": 1, "channels": 8},
              {"blocks": 2, "kernel": 5, "stride": 2, "expansion": 2, "channels": 8},
              {"blocks": 1, "kernel": 3, "stride": 2, "expansion": 2, "channels": 16}]
    config = {"model_type": "efficientnet-lite", "name": "small", "stem": 32, "stages": stages, "width": 12,
              "batch_norm_epsilon": 0.001, "pixel_mean": 127.0, "pixel_scale": 128.0}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def wordpiece(lines, size):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=size, special_tokens=marks, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.enable_truncation(12)
    return tokenizer


def mean_pooled(model, rows):
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    with torch.no_grad():
        states = model.eval()(input_ids=ids, attention_mask=mask).last_hidden_state
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


TEXTS = ["", "a cat", "Grinning FACE with big eyes!", "crème brûlée", "İstanbul ΑΣ ẞ", "漢字 kanji,漢", "a\u0000b\u00ad\u200bc\td\ne",
         "unaffable" * 13, "x" * 100, "x" * 101, "e\u0301\u0323 \u0344", "don't. (stop) — “now”…", "👍🏽 thumbs up", "a\u3000b\u00a0c", "\u1e9b\u0323",
         "각 한국", "क्षि", "ﬁne", "$5+3=8", "one two three four five six seven eight nine ten eleven twelve"]


def small_sentences(folder, lines):
    os.makedirs(folder, exist_ok=True)
    tokenizer = wordpiece(lines + TEXTS, 400)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(2)
    config = BertConfig(vocab_size=400, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                        max_position_embeddings=16, type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12, initializer_range=0.3, attn_implementation="eager")
    model = BertModel(config, add_pooling_layer=False)
    for name, tensor in model.named_parameters():
        if name.endswith("bias") or "LayerNorm" in name:
            tensor.data += torch.randn_like(tensor) * 0.1
    weights = {k: v.contiguous() for k, v in model.state_dict().items() if v.is_floating_point()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.to_dict().items() if v is not None}, indent=2, sort_keys=True) + "\n")
    rows = [tokenizer.encode(text).ids for text in TEXTS]
    with open(folder / "texts.jsonl", "w", encoding="utf-8") as file:
        for text, ids in zip(TEXTS, rows):
            file.write(json.dumps({"text": text, "ids": ids}) + "\n")
    save_file({"embeddings": mean_pooled(model, rows)}, folder / "cases.safetensors")


def published(cache, lines):
    cases = {}
    for size in (128, 224):
        model = lite(size, cache / "efficientnet-lite0" / "model.safetensors")
        cases[f"features_{size}"] = features(model, pixels(32, size))[:, ::40].contiguous()
    save_file(cases, HERE / "lite0.safetensors")
    tokenizer = Tokenizer.from_file(str(cache / "minilm" / "tokenizer.json"))
    tokenizer.no_padding()
    words, texts = random.Random(3), []
    for number in range(64):
        text = ", ".join(words.choices(lines, k=1 + number * number // 160))
        texts.append(" ".join(text.split()[: max(1, 2 * number)]))
    rows = [tokenizer.encode(text).ids for text in texts]
    assert min(map(len, rows)) <= 4 and max(map(len, rows)) == 128
    with open(HERE / "minilm.jsonl", "w", encoding="utf-8") as file:
        for text, ids in zip(texts, rows):
            file.write(json.dumps({"text": text, "tokens": len(ids)}, ensure_ascii=False) + "\n")
    model = BertModel.from_pretrained(cache / "minilm", attn_implementation="eager")
    save_file({"embeddings": mean_pooled(model, rows)[:, ::16].contiguous()}, HERE / "minilm.safetensors")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    phrases = [line.strip() for line in open(sys.argv[3], encoding="utf-8")]
    small_efficientnet(HERE / "efficientnet")
    small_sentences(HERE / "sentences", phrases[:300])
    published(pathlib.Path(sys.argv[2]), phrases)
