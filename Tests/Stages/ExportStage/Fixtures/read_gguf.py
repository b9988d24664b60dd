"""Reads an exported GGUF file with the gguf package and prints the largest difference from our temperatures.

    read_gguf.py alone tempnet.gguf ours.safetensors
    read_gguf.py copy model.gguf ours.safetensors original.gguf
"""
import sys

import numpy as np
from gguf import GGUFReader
from safetensors.numpy import load_file


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def main():
    kind, path, ours = sys.argv[1], sys.argv[2], load_file(sys.argv[3])
    reader = GGUFReader(path)
    value = {name: field.contents() for name, field in reader.fields.items()}
    logits, hidden = (ours[name].astype(np.float64) for name in ("logits", "hidden"))
    epsilon = value["tempnet.normalisation_epsilon"]
    rows = logits if value["tempnet.input"] == "logits" else logits - logits.max(-1, keepdims=True)
    if value["tempnet.input"] == "hidden":
        rows = hidden
    norm = np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), epsilon)
    scales = np.log(np.concatenate([norm, np.maximum(rows.std(-1, keepdims=True), epsilon)], -1))
    if kind == "alone":
        assert value["general.architecture"] == "tempnet"
        t = {tensor.name: tensor.data.astype(np.float64) for tensor in reader.tensors}
        columns = rows / norm
        if value["tempnet.input"] == "scaled":
            columns = np.concatenate([columns, scales], -1)
        product = columns @ t["proj.0.weight"].T
    else:
        compare(reader, GGUFReader(sys.argv[4]))
        size = value["tempnet.hidden"]
        t = {name[8:]: np.array(array, np.float64) for name, array in value.items()
             if name.startswith("tempnet.") and isinstance(array, list)}
        for name in ("folded.weight", "proj.3.weight", "scales.weight"):
            if name in t:
                t[name] = t[name].reshape(size, -1)
        product = hidden @ t["folded.weight"].T
        if "folded.row_sums" in t:
            product = product - logits.max(-1, keepdims=True) * t["folded.row_sums"]
        product = product / norm
        if "scales.weight" in t:
            product = product + scales @ t["scales.weight"].T
    scores = sigmoid(product + t["proj.0.bias"]) @ t["proj.3.weight"].T + t["proj.3.bias"]
    sharp = scores / np.exp(t["scaler"][0])
    weights = np.exp(sharp - sharp.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    pooled = ((weights - 1 / value["tempnet.hidden"]) * scores) @ t["last.weight"].reshape(-1) + t["last.bias"][0]
    low, high = value["tempnet.tau_min"], value["tempnet.tau_max"]
    print(np.abs(low + (high - low) * sigmoid(pooled) - ours["tau"]).max())


def compare(copy, original):
    """Every tensor and every entry of the original is in the copy, byte for byte and in its order."""
    assert [t.name for t in copy.tensors] == [t.name for t in original.tensors]
    for a, b in zip(copy.tensors, original.tensors):
        assert a.tensor_type == b.tensor_type and list(a.shape) == list(b.shape) and a.data.tobytes() == b.data.tobytes()
    names = [name for name in original.fields if not name.startswith("GGUF.")]
    assert [name for name in copy.fields if not name.startswith("GGUF.")][: len(names)] == names
    for name in names:
        a, b = copy.fields[name], original.fields[name]
        assert a.types == b.types and all(x.tobytes() == y.tobytes() for x, y in zip(a.parts, b.parts, strict=True)), name
    added = [name for name in copy.fields if name not in original.fields]
    assert all(name.startswith("tempnet.") or name == "general.sampling.temp" for name in added), added


main()
