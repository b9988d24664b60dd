# Copyright of the tempnet contributors. Licensed under the Apache License, Version 2.0.
"""Applies the heads of a dual encoder, and the TempNets of images and texts, with NumPy alone.

    heads = Heads.load("heads.safetensors")
    images = heads.images(tower_embeddings)          # [..., width of the image tower] -> unit rows [..., embed]
    texts = heads.texts(tower_embeddings)
    logits = heads.scale * images @ texts.T          # softmax over texts, at the encoder's own temperature

    net = EmbeddingTempNet.load("tempnets.safetensors", "image")
    tau = net(images)                                # unit rows [..., embed] -> temperatures [...]
    logits = images @ texts.T / tau[..., None]       # in place of the scale

The towers' own embeddings come from the towers that config.json of the heads names. TempNets are those of "To Cool or not to
Cool? Temperature Network Meets Large Foundation Models via DRO" (arXiv 2404.04575), or two linear layers.
"""

import math

import numpy as np

from tempnet import read_safetensors

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _linear(x, tensors, name):
    return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def _gelu(x):
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


class Heads:
    """A head for each side, Linear, GELU, Linear, on the embeddings of two frozen towers; rows of unit length."""

    def __init__(self, tensors):
        missing = [f"{side}_head.{layer}" for side in ("image", "text") for layer in ("0.weight", "3.weight")]
        missing = [name for name in missing + ["logit_scale"] if name not in tensors]
        if missing:
            raise ValueError(f"not the heads of a dual encoder: {', '.join(missing)} missing")
        self.tensors = tensors
        self.scale = math.exp(float(tensors["logit_scale"]))

    @classmethod
    def load(cls, path):
        return cls(read_safetensors(path)[0])

    def images(self, embeddings):
        return self._apply("image_head", embeddings)

    def texts(self, embeddings):
        return self._apply("text_head", embeddings)

    def _apply(self, name, embeddings):
        x = np.asarray(embeddings, np.float32)
        if x.shape[-1] != self.tensors[f"{name}.0.weight"].shape[1]:
            raise ValueError(f"{x.shape[-1]} numbers a row for a head of {self.tensors[f'{name}.0.weight'].shape[1]}")
        rows = _linear(_gelu(_linear(x, self.tensors, f"{name}.0")), self.tensors, f"{name}.3")
        return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


class EmbeddingTempNet:
    """tau = tau_min + (tau_max - tau_min) * sigmoid(...) of a unit row; the bounds stand in the file's metadata."""

    def __init__(self, tensors, settings, side):
        if settings.get("format_version") != "1" or settings.get("input") != "embedding":
            raise ValueError("the TempNet's format or input is not one that this module knows")
        prefix = f"{side}_temp_gen."
        self.tensors = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
        if "proj.weight" not in self.tensors:
            raise ValueError(f"the file holds no TempNet of the side {side}")
        self.settings = dict(settings)
        self.tau_min, self.tau_max = float(settings["tau_min"]), float(settings["tau_max"])

    @classmethod
    def load(cls, path, side):
        return cls(*read_safetensors(path), side)

    def __call__(self, embeddings):
        x = np.asarray(embeddings, np.float32)
        if x.shape[-1] != int(self.settings["width"]):
            raise ValueError(f"{x.shape[-1]} numbers a row for a TempNet of {self.settings['width']}")
        h = _linear(x, self.tensors, "proj")
        if self.settings["form"] == "prototypes":
            directions = self.tensors["prototypes"]
            directions = directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-12)
            y = _sigmoid(h) @ directions.T
            z = y / math.exp(float(self.tensors["scaler"].reshape(())))
            a = np.exp(z - z.max(axis=-1, keepdims=True))
            a = a / a.sum(axis=-1, keepdims=True)
            h = (a - 1 / y.shape[-1]) * _sigmoid(y)
        else:
            h = _gelu(h)
        return self.tau_min + (self.tau_max - self.tau_min) * _sigmoid(_linear(h, self.tensors, "linear_1")[..., 0])
