"""Prints the largest difference between our rows of pictures and captions and those of exported encoders.

    python compare_encoders.py towers OURS.safetensors CAPTIONS.json TRANSFORMERS_FOLDER ONNX_FOLDER
    python compare_encoders.py heads OURS.safetensors CAPTIONS.json ONNX_FOLDER

OURS holds pixels as an encoder reads them, and the rows of these and of the captions.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from safetensors.numpy import load_file
from tokenizers import Tokenizer

form, ours, captions = sys.argv[1], load_file(sys.argv[2]), json.load(open(sys.argv[3]))
folders = [pathlib.Path(argument) for argument in sys.argv[4:]]
largest = 0.0


def compare(found, name):
    global largest
    found = np.asarray(found)
    assert found.shape == ours[name].shape, (name, found.shape)
    largest = max(largest, float(np.abs(found - ours[name]).max()))


def run(path, inputs):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)[0]


if form == "towers":
    import torch
    from transformers import AutoTokenizer, CLIPModel

    model, tokenizer = CLIPModel.from_pretrained(folders[0]).eval(), AutoTokenizer.from_pretrained(folders[0])
    inputs = tokenizer(captions, padding=True, truncation=True, return_tensors="pt")
    end = model.config.text_config.eos_token_id
    assert (inputs.input_ids == end).any(1).all()
    with torch.no_grad():
        outputs = model(**inputs, pixel_values=torch.from_numpy(ours["pixels"]))
    compare(outputs.image_embeds, "image_rows")
    compare(outputs.text_embeds, "text_rows")
    assert abs(float(model.logit_scale) - float(ours["scale"])) < 1e-6
    ids = {"input_ids": inputs.input_ids.numpy()}
    # Padded to the whole context, as open_clip does.
    whole = tokenizer(captions, padding="max_length", truncation=True, return_tensors="np")
    compare(run(folders[1] / "text_model.onnx", {"input_ids": whole.input_ids}), "text_rows")
else:
    tokenizer = Tokenizer.from_file(str(folders[0] / "tokenizer.json"))
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(captions)
    ids = {
        "input_ids": np.array([e.ids for e in encodings]), "attention_mask": np.array([e.attention_mask for e in encodings])}
compare(run(folders[-1] / "vision_model.onnx", {"pixel_values": ours["pixels"]}), "image_rows")
compare(run(folders[-1] / "text_model.onnx", ids), "text_rows")
print(largest)
