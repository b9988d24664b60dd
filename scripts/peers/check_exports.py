#!/usr/bin/env python3
"""Loads every form in which tempnet-export writes a dual encoder in the library that it is for, and compares embeddings.

    python3 -m venv DIR && DIR/bin/pip install -r scripts/peers/imagetext.txt
    DIR/bin/python scripts/peers/check_exports.py --model MODEL --pairs PAIRS [--raw RAW --image-tower DIR --text-tower DIR]

MODEL is a dual encoder, PAIRS are pairs that it can read. Of an encoder of its own towers, PAIRS have the size that the
encoder reads, so that nothing is scaled twice. For heads, RAW are the embeddings of PAIRS that the heads read, in float32,
with the towers' folders. Ours are the rows that tempnet-embed gives. Prints the largest difference of each form, and ends
with 1 if one is above the limit.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import onnxruntime
import open_clip
import tokenizers
import torch
from PIL import Image
from safetensors.numpy import load_file
from transformers import AutoTokenizer, CLIPModel, CLIPProcessor

LIMIT = 1e-5

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--model", required=True, type=pathlib.Path)
parser.add_argument("--pairs", required=True, type=pathlib.Path)
parser.add_argument("--raw", type=pathlib.Path, help="embeddings that heads read")
parser.add_argument("--image-tower", type=pathlib.Path)
parser.add_argument("--text-tower", type=pathlib.Path)
parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path(".build/release"))
parser.add_argument("--most", type=int, default=64, help="pictures, and captions, that are compared")
arguments = parser.parse_args()

work = tempfile.TemporaryDirectory()
folder = pathlib.Path(work.name)
description = json.loads((arguments.model / "model.json").read_text())
pixels = np.load(arguments.pairs / "pictures.npy", mmap_mode="r")[: arguments.most]
captions = [json.loads(line)["text"] for line in open(arguments.pairs / "captions.jsonl", encoding="utf-8")]
captions = captions[: arguments.most]
pictures = [Image.fromarray(row) for row in pixels]
largest = {}


def run(program, *options):
    subprocess.run([arguments.programs / f"tempnet-{program}", *map(str, options), "--quiet"], check=True, stdout=subprocess.DEVNULL)


def export(form, *options):
    run("export", "--model", arguments.model, "--pairs", arguments.pairs, "--format", form, "--output", folder / form, *options)
    return folder / form


def compare(form, images, texts):
    for side, found, expected in (("image", images, ours["image"]), ("text", texts, ours["text"])):
        found = np.asarray(found, np.float32)
        expected = expected[: len(found)]
        assert found.shape == expected.shape, (form, side, found.shape, expected.shape)
        largest[f"{form}, {side}"] = float(np.abs(found - expected).max())


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def encoded(tokenizer, limit, padding):
    """Ids and mask of the captions as the library of a tokenizer.json makes them."""
    tokenizer.enable_truncation(limit)
    tokenizer.enable_padding(pad_id=padding)
    encodings = tokenizer.encode_batch(captions)
    return np.array([e.ids for e in encodings]), np.array([e.attention_mask for e in encodings])


def preprocessed(path):
    """Pixels of squares as preprocessor_config.json says."""
    settings = json.loads(path.read_text())
    size = settings["crop_size"]["height"]
    squares = [picture.resize((size, size), settings["resample"]) for picture in pictures]
    x = np.stack([np.asarray(square, np.float32) for square in squares]) * np.float32(settings["rescale_factor"])
    mean, deviation = (np.array(settings[name], np.float32) for name in ("image_mean", "image_std"))
    return ((x - mean) / deviation).transpose(0, 3, 1, 2)


def check_towers():
    context = description["text"]["context"]

    path = export("open_clip")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{path}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{path}")
    with torch.no_grad():
        images = model.eval().encode_image(torch.stack([preprocess(p) for p in pictures]), normalize=True).numpy()
        texts = model.encode_text(tokenizer(captions), normalize=True).numpy()
    # open_clip tidies captions before it encodes them; the encoder was trained on captions as they are.
    tidied = [index for index, caption in enumerate(captions) if tokenizer.clean_fn(caption) != caption]
    texts[tidied] = ours["text"][tidied]
    compare("open_clip", images, texts)
    print(f"{len(tidied)} of {len(captions)} captions are other ones to open_clip and are left out there")
    scale = model.logit_scale.item()

    path = export("huggingface")
    model, processor = CLIPModel.from_pretrained(path).eval(), CLIPProcessor.from_pretrained(path)
    inputs = processor(text=captions, images=pictures, return_tensors="pt", padding=True, truncation=True)
    with torch.no_grad():
        outputs = model(**inputs)
    compare("transformers", outputs.image_embeds, outputs.text_embeds)
    assert abs(model.logit_scale.item() - scale) < 1e-6
    largest["logit_scale"] = abs(scale - float(np.log(json.loads((folder / "ours/embeddings.json").read_text())["scale"])))
    # A caption that spells the end mark stays text.
    end = AutoTokenizer.from_pretrained(path).eos_token
    assert AutoTokenizer.from_pretrained(path)(f"a {end} b").input_ids.count(model.config.text_config.eos_token_id) == 1

    path = export("onnx")
    ids, _ = encoded(tokenizers.Tokenizer.from_file(str(path / "tokenizer.json")), context, model.config.text_config.eos_token_id)
    compare(
        "ONNX Runtime",
        session(path / "vision_model.onnx").run(None, {"pixel_values": preprocessed(path / "preprocessor_config.json")})[0],
        session(path / "text_model.onnx").run(None, {"input_ids": ids})[0])


def refused(form):
    """A form that there is not is refused by name."""
    options = ["--model", arguments.model, "--format", form, "--output", folder / form]
    result = subprocess.run([arguments.programs / "tempnet-export", *map(str, options)], capture_output=True, text=True)
    assert result.returncode == 64 and "no form in transformers or open_clip" in result.stderr, result


def check_heads():
    refused("open_clip")
    refused("huggingface")
    raw = load_file(arguments.raw / "embeddings.safetensors")
    raw = {side: raw[side][: arguments.most] for side in ("image", "text")}

    path = export("safetensors")
    sys.path.insert(0, str(path))
    from dual_encoder import Heads

    heads = Heads.load(path / "heads.safetensors")
    compare("NumPy, heads", heads.images(raw["image"]), heads.texts(raw["text"]))

    path = export("onnx")
    compare("ONNX Runtime, heads", *(
        session(path / f"{side}_head.onnx").run(None, {"embedding": raw[side]})[0] for side in ("image", "text")))

    if not arguments.image_tower:
        return
    (folder / "onnx").rename(folder / "onnx-heads")
    path = export(
        "onnx", "--set", f"image_tower={arguments.image_tower.resolve()}", "--set", f"text_tower={arguments.text_tower.resolve()}")
    ids, mask = encoded(tokenizers.Tokenizer.from_file(str(path / "tokenizer.json")), 128, 0)
    texts = session(path / "text_model.onnx").run(None, {"input_ids": ids, "attention_mask": mask})[0]
    # In parts, as the pictures of a whole set do not fit.
    x, vision = preprocessed(path / "preprocessor_config.json"), session(path / "vision_model.onnx")
    images = np.concatenate([vision.run(None, {"pixel_values": x[i : i + 16]})[0] for i in range(0, len(x), 16)])
    compare("ONNX Runtime, towers and heads", images, texts)


source = ("--embeddings", arguments.raw) if arguments.raw else ("--pairs", arguments.pairs)
run("embed", *source, "--model", arguments.model, "--output", folder / "ours", "--set", "compute=float32")
ours = load_file(folder / "ours/embeddings.safetensors")
check_heads() if description["form"] == "heads" else check_towers()
for name, difference in largest.items():
    print(f"{name}: {difference:.1e}")
sys.exit(any(difference > LIMIT for difference in largest.values()))
