#!/usr/bin/env python3
"""Small random CLIPs as open_clip and transformers write them, with their own embeddings, for Tests/Stages/ConvertStage.

    scripts/peers/make_published_encoders.py Tests/Stages/ConvertStage/Fixtures

Needs open_clip_torch, transformers, torch and safetensors (scripts/peers/imagetext.txt). Versions stand in expected.json.
"""
import json
import math
import shutil
import sys
from pathlib import Path

import open_clip
import safetensors.torch
import tokenizers
import torch
import transformers
from open_clip.model import CLIP, CustomTextCLIP

CAPTIONS = [
    "a photo of a cat", "The cat's  HAT; 12 cats!", "", "Ünïcode caf\u0065\u0301 \U0001f600 naïve", "it's we'll don't I'd",
    "<|endoftext|> within", "tab\tand\nline", "a cat " * 40,
]
PICTURES = 3


def vocabulary():
    """CLIP's bytes, a few merges, and its marks."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    merges = [
        ("c", "a"), ("ca", "t</w>"), ("a", "t</w>"), ("t", "h"), ("th", "e</w>"), ("p", "h"), ("o", "t"), ("ph", "ot"),
        ("phot", "o</w>"), ("o", "f</w>"), ("'", "s</w>"), ("l", "l</w>"), ("'", "ll</w>"), ("ca", "t"), ("cat", "s</w>"),
    ]
    tokens = letters + [letter + "</w>" for letter in letters] + [a + b for a, b in merges]
    return tokens + ["<|startoftext|>", "<|endoftext|>"], merges


def tokenizer():
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokens, merges = vocabulary()
    ids = {token: place for place, token in enumerate(tokens)}
    made = Tokenizer(
        models.BPE(
            vocab=ids, merges=merges, continuing_subword_prefix="", end_of_word_suffix="</w>", fuse_unk=False,
            unk_token="<|endoftext|>"))
    # As transformers' CLIPConverter has them.
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(
            Regex(r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", ids["<|endoftext|>"]), ("<|startoftext|>", ids["<|startoftext|>"]),
        add_prefix_space=False, trim_offsets=False)
    return made


def pixels(size):
    count = PICTURES * 3 * size * size
    return torch.tensor([math.sin(0.1 * i) for i in range(count)], dtype=torch.float64).float().reshape(
        PICTURES, 3, size, size)


def randomise(model, seed):
    """Every parameter differs from its initial value, so that none can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if name != "logit_scale":
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def ids_of(made, context):
    """Without the text that spells a mark, which tempnet keeps as text."""
    end = made.token_to_id("<|endoftext|>")
    rows = []
    for caption in CAPTIONS:
        if "<|" in caption:
            continue
        ids = made.encode(caption).ids
        rows.append(ids if len(ids) <= context else ids[: context - 1] + [end])
    return rows


def padded(rows, fill=0):
    width = max(map(len, rows))
    return torch.tensor([row + [fill] * (width - len(row)) for row in rows])


def finish(folder, image, text, rows, files):
    (folder / "expected.json").write_text(json.dumps({
        "open_clip": open_clip.__version__, "transformers": transformers.__version__, "torch": torch.__version__,
        "tokenizers": tokenizers.__version__, "captions": [c for c in CAPTIONS if "<|" not in c], "ids": rows,
        "image": image.tolist(), "text": text.tolist(),
    }, ensure_ascii=True) + "\n")
    for name, content in files.items():
        (folder / name).write_text(content)


def open_clip_case(folder, model_cfg, seed, custom=False, weights="safetensors", config=True, half=False, wrap=False):
    made = tokenizer()
    cfg = {key: value for key, value in model_cfg.items() if key != "custom_text"}
    model = randomise((CustomTextCLIP if custom else CLIP)(**cfg), seed)
    if half:
        model = model.half().float()
    rows = ids_of(made, cfg["text_cfg"]["context_length"])
    fixed = torch.zeros(len(rows), cfg["text_cfg"]["context_length"], dtype=torch.long)
    for place, row in enumerate(rows):
        fixed[place, : len(row)] = torch.tensor(row)
    with torch.no_grad():
        image = model.encode_image(pixels(cfg["vision_cfg"]["image_size"]), normalize=True)
        text = model.encode_text(fixed, normalize=True)
    state = {key: (value.half() if half else value).contiguous() for key, value in model.state_dict().items()}
    files = {"tokenizer.json": made.to_str()}
    if config:
        files["open_clip_config.json"] = json.dumps({"model_cfg": model_cfg, "preprocess_cfg": {
            "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}}, indent=1)
    if weights == "safetensors":
        safetensors.torch.save_file(state, folder / "open_clip_model.safetensors")
    elif wrap:
        torch.save({"epoch": 3, "name": "run", "state_dict": {f"module.{k}": v for k, v in state.items()}},
                   folder / weights)
    else:
        torch.save(state, folder / weights)
    finish(folder, image, text, rows, files)


def transformers_case(folder, text, vision, projection, seed, leave_out=(), half=False):
    made = tokenizer()
    end = made.token_to_id("<|endoftext|>")
    config = transformers.CLIPConfig(
        text_config={**text, "eos_token_id": end, "bos_token_id": end - 1, "pad_token_id": end},
        vision_config=vision, projection_dim=projection)
    model = randomise(transformers.CLIPModel(config), seed)
    if half:
        model = model.half().float()
    rows = ids_of(made, text["max_position_embeddings"])
    ids = padded(rows, end)
    mask = padded([[1] * len(row) for row in rows])
    with torch.no_grad():
        # get_*_features return the projected rows in every version; in some of them within an object.
        image = model.visual_projection(model.vision_model(pixel_values=pixels(vision["image_size"])).pooler_output)
        captions = model.text_projection(model.text_model(input_ids=ids, attention_mask=mask).pooler_output)
    unit = torch.nn.functional.normalize
    (model.half() if half else model).save_pretrained(folder, safe_serialization=True)
    stated = json.loads((folder / "config.json").read_text())
    for part, name in leave_out:
        (stated[part] if part else stated).pop(name, None)
    finish(folder, unit(image, dim=-1), unit(captions, dim=-1), rows,
           {"tokenizer.json": made.to_str(), "config.json": json.dumps(stated, indent=1)})


def main(target):
    tokens = len(vocabulary()[0])
    vision = {"image_size": 16, "patch_size": 8, "width": 16, "layers": 2, "head_width": 8}
    text = {"context_length": 24, "vocab_size": tokens, "width": 16, "heads": 2, "layers": 2}
    model = {"embed_dim": 12, "vision_cfg": vision, "text_cfg": text}

    def fresh(name):
        folder = target / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    open_clip_case(fresh("open-clip"), model, 1)
    open_clip_case(
        fresh("open-clip-quick"),
        {**model, "quick_gelu": True, "vision_cfg": {**vision, "mlp_ratio": 2.0, "layers": 1},
         "text_cfg": {**text, "mlp_ratio": 3.0, "heads": 4, "layers": 1}}, 2, weights="open_clip_pytorch_model.bin")
    open_clip_case(fresh("open-clip-custom"), {**model, "custom_text": True}, 3, custom=True)
    wide = {"embed_dim": 12, "quick_gelu": True, "vision_cfg": {**vision, "width": 64, "head_width": 64, "layers": 1},
            "text_cfg": {**text, "width": 64, "heads": 1, "layers": 1}}
    open_clip_case(fresh("bare"), wide, 4, weights="weights.pt", config=False, half=True, wrap=True)
    hf_text = {"vocab_size": tokens, "hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 2,
               "num_attention_heads": 2, "max_position_embeddings": 24}
    hf_vision = {"hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
                 "image_size": 16, "patch_size": 8}
    transformers_case(
        fresh("transformers"), hf_text, hf_vision, 12, 5,
        leave_out=[("text_config", "hidden_act"), ("vision_config", "hidden_act"), ("text_config", "layer_norm_eps")])
    transformers_case(
        fresh("transformers-gelu"),
        {**hf_text, "hidden_act": "gelu", "intermediate_size": 24, "layer_norm_eps": 1e-3},
        {**hf_vision, "hidden_act": "gelu", "intermediate_size": 40, "layer_norm_eps": 1e-4}, 8, 6, half=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
