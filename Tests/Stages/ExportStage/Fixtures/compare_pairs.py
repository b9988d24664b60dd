"""Prints the largest difference between our rows and temperatures and those of the exported files in NumPy and ONNX Runtime.

    python compare_pairs.py OURS.safetensors HEADS HEADS_ONNX NETS NETS_ONNX
"""

import sys

import numpy as np
import onnxruntime

ours, heads, heads_onnx, nets, nets_onnx = sys.argv[1:]
sys.path.insert(0, heads)
from dual_encoder import EmbeddingTempNet, Heads  # noqa: E402
from tempnet import read_safetensors  # noqa: E402

expected, _ = read_safetensors(ours)
largest = 0.0


def compare(found, name):
    global largest
    assert found.shape == expected[name].shape, (name, found.shape)
    largest = max(largest, float(np.abs(found - expected[name]).max()))


def run(path, rows):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"embedding": rows})[0]


towers = Heads.load(f"{heads}/heads.safetensors")
assert abs(towers.scale - 20) < 1e-4
compare(towers.images(expected["images"]), "image_rows")
compare(towers.texts(expected["texts"]), "text_rows")
for side in ("image", "text"):
    compare(run(f"{heads_onnx}/{side}_head.onnx", expected[f"{side}s"]), f"{side}_rows")
    rows = expected[f"{side}_rows"]
    compare(EmbeddingTempNet.load(f"{nets}/tempnets.safetensors", side)(rows), f"{side}_tau")
    compare(run(f"{nets_onnx}/{side}-tempnet.onnx", rows), f"{side}_tau")
print(largest)
