# Copyright of the tempnet contributors. Licensed under the Apache License, Version 2.0.
"""Applies a TempNet: predicts the softmax temperature of each next-token distribution from its logits.

    net = TempNet.load("tempnet.safetensors")
    tau = net(logits)                    # NumPy or PyTorch, [..., vocabulary] -> [...]
    probabilities = softmax(logits / tau[..., None])

    tau = net(logits, hidden)            # a TempNet whose settings say "input: hidden" reads the last hidden state

    model.generate(..., do_sample=True, temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0,
                   logits_processor=[TempNetLogitsProcessor(net)])                          # Hugging Face
    vllm serve MODEL --logits-processors tempnet:VLLMTempNetProcessor --generation-config vllm \\
                     --logprobs-mode processed_logprobs                                     # vLLM

Without those settings `generate` takes a model's own, from its generation_config.json: of many chat models a temperature
of 0.6 or 0.7, which divides once more, top-k and top-p, which cut, and a penalty, which changes what TempNet reads. vLLM
does so without `--generation-config vllm`. The log-probabilities that it returns are those of the model unless its mode
is `processed_logprobs`.

Needs NumPy alone; PyTorch is imported when it is handed PyTorch tensors. The network and its robust loss are those of
"To Cool or not to Cool? Temperature Network Meets Large Foundation Models via DRO" (arXiv 2404.04575).
"""

import json
import math
import os
import struct
import sys
import warnings

import numpy as np

_DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
_INPUTS = ("logits", "centred", "scaled", "hidden")
_NAMES = ("proj.0.weight", "proj.0.bias", "proj.3.weight", "proj.3.bias", "scaler", "last.weight", "last.bias")


def read_safetensors(path):
    """Returns the tensors of a safetensors file as NumPy arrays, and its metadata; checks every offset."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
        if length > size - 8:
            raise ValueError(f"{path}: not a safetensors file")
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", None) or {}
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in _DTYPES:
            raise ValueError(f"{path}: {name} has the type {entry['dtype']}, which is not supported")
        begin, end = entry["data_offsets"]
        dtype = np.dtype(_DTYPES[entry["dtype"]]).newbyteorder("<")
        if not 0 <= begin <= end <= len(data) or end - begin != math.prod(entry["shape"]) * dtype.itemsize:
            raise ValueError(f"{path}: {name} lies outside the file or has another size than its shape")
        tensors[name] = np.frombuffer(data[begin:end], dtype).reshape(entry["shape"]).astype(np.float32)
    return tensors, metadata


class TempNet:
    """tau = tau_min + (tau_max - tau_min) * sigmoid(pooled scores of the normalised logits).

    `settings` are the strings of the file's metadata; what the weights do not say is there: the bounds, rho, whether
    the row's maximum is subtracted first (`input` is `centred`, or `scaled`, which adds the logarithms of the row's
    norm and standard deviation as two columns) and the least norm to divide by.
    """

    def __init__(self, tensors, settings):
        missing = [name for name in _NAMES if name not in tensors]
        if missing:
            raise ValueError(f"not a TempNet: {', '.join(missing)} missing")
        if settings.get("format_version") != "1" or settings.get("input") not in _INPUTS:
            raise ValueError("the TempNet's format or input is not one that this module knows")
        self.tensors = {name: tensors[name] for name in _NAMES}
        self.settings = dict(settings)
        self.vocabulary = int(settings["vocabulary"])
        self.hidden = int(settings["hidden"])
        self.tau_min = float(settings["tau_min"])
        self.tau_max = float(settings["tau_max"])
        self.rho = float(settings["rho"])
        self.input = settings["input"]
        self.centred = self.input in ("centred", "scaled")
        self.epsilon = float(settings["normalisation_epsilon"])
        columns = int(settings["width"]) if self.input == "hidden" else self.vocabulary + 2 * (self.input == "scaled")
        if self.tensors["proj.0.weight"].shape != (self.hidden, columns):
            raise ValueError("the TempNet's weights have another shape than its settings say")
        self._torch = {}

    @classmethod
    def load(cls, path):
        return cls(*read_safetensors(path))

    def __call__(self, logits, hidden=None):
        """Temperatures [...] of logits [..., vocabulary]: an array for an array, a tensor for a tensor.

        `hidden`, [..., width], are the hidden states that the logits were made of; only a TempNet that reads those
        needs them.
        """
        for given in (logits,) if hidden is None else (logits, hidden):
            if not isinstance(given, np.ndarray) and not _is_torch(given):
                raise TypeError(f"a TempNet reads NumPy arrays and PyTorch tensors, not {type(given).__name__}")
        if logits.shape[-1] != self.vocabulary:
            raise ValueError(f"{logits.shape[-1]} logits for a TempNet of {self.vocabulary}")
        source = logits
        if self.input == "hidden":
            if hidden is None:
                raise ValueError("this TempNet reads hidden states; hand them over as the second argument")
            source = hidden
        if isinstance(source, np.ndarray):
            return self._numpy(self._columns(source) @ self.tensors["proj.0.weight"].T)
        return self._pytorch(source)

    def folded(self, unembedding, bias=None):
        """A function (hidden, logits) -> temperatures for a model whose logits are `hidden @ unembedding.T + bias`.

        The first layer is multiplied through the unembedding [vocabulary, width] once; a token then costs
        `self.hidden * width` multiplications instead of `self.hidden * vocabulary`. NumPy only.
        """
        if self.input == "hidden":
            return lambda hidden, logits: self(logits, hidden)
        first = self.tensors["proj.0.weight"][:, : self.vocabulary]
        weight = (first @ unembedding).T
        offset = 0 if bias is None else first @ bias
        row_sums = first.sum(axis=1)

        def temperatures(hidden, logits):
            product = hidden @ weight + offset
            if self.centred:
                product = product - logits.max(axis=-1, keepdims=True) * row_sums
            rows, norm = self._rows(logits)
            product = product / norm
            if self.input == "scaled":
                product = product + self._scales(rows, norm) @ self.tensors["proj.0.weight"][:, self.vocabulary :].T
            return self._numpy(product)

        return temperatures

    def _rows(self, source):
        rows = source.astype(np.float32)
        if self.centred:
            rows = rows - rows.max(axis=-1, keepdims=True)
        return rows, np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), self.epsilon)

    def _scales(self, rows, norm):
        spread = np.maximum(rows.std(axis=-1, keepdims=True), self.epsilon)
        return np.log(np.concatenate([norm, spread], axis=-1))

    def _columns(self, source):
        """What the first layer reads."""
        rows, norm = self._rows(source)
        columns = rows / norm
        return columns if self.input != "scaled" else np.concatenate([columns, self._scales(rows, norm)], axis=-1)

    def _numpy(self, product):
        """What follows the first layer's product with the normalised input."""
        t = self.tensors
        scores = _sigmoid(product + t["proj.0.bias"]) @ t["proj.3.weight"].T + t["proj.3.bias"]
        sharp = scores / np.exp(t["scaler"].reshape(()))
        weights = np.exp(sharp - sharp.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        pooled = ((weights - 1 / self.hidden) * scores) @ t["last.weight"][0] + t["last.bias"][0]
        return self.tau_min + (self.tau_max - self.tau_min) * _sigmoid(pooled)

    def _pytorch(self, source):
        import torch

        if source.device not in self._torch:
            self._torch[source.device] = {k: torch.from_numpy(v).to(source.device) for k, v in self.tensors.items()}
        t = self._torch[source.device]
        with torch.no_grad():
            z = source.float()
            if self.centred:
                z = z - z.amax(-1, keepdim=True)
            norm = z.norm(dim=-1, keepdim=True).clamp_min(self.epsilon)
            if self.input == "scaled":
                spread = z.std(-1, keepdim=True, correction=0).clamp_min(self.epsilon)
                z = torch.cat([z / norm, norm.log(), spread.log()], -1)
            else:
                z = z / norm
            units = torch.sigmoid(z @ t["proj.0.weight"].T + t["proj.0.bias"])
            scores = units @ t["proj.3.weight"].T + t["proj.3.bias"]
            weights = torch.softmax(scores / t["scaler"].reshape(()).exp(), -1)
            pooled = ((weights - 1 / self.hidden) * scores) @ t["last.weight"][0] + t["last.bias"][0]
            return self.tau_min + (self.tau_max - self.tau_min) * torch.sigmoid(pooled)


class TempNetLogitsProcessor:
    """Divides the scores by the predicted temperature; for `logits_processor=` of Hugging Face's `generate`, or for a
    sampler of one's own with NumPy arrays or PyTorch tensors.

    Give `temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0` with it, or `generate` applies what the model's
    generation_config.json says beside it; the first time that it finds anything else at work it warns, and says what.
    Top-k, top-p and min-p that are wanted see the tempered distribution, as published. It must see the model's own
    logits: rows in which a mask has put -inf stay undivided, because their norm says nothing, and a mask of finite
    numbers (-1e9) is read as if it were logits and gives another temperature. A TempNet that reads hidden states cannot
    work here: `generate` hands on logits alone.
    """

    def __init__(self, net):
        if net.input == "hidden":
            raise ValueError("this TempNet reads hidden states, which a logits processor does not see")
        self.net = net
        self._has_warned = False

    def __call__(self, input_ids, scores):
        if not self._has_warned:
            # Whoever calls is the list of all processors that `generate` has put together; it hands itself to none.
            self._warn_of_others(sys._getframe(1).f_locals.get("self"))
        return _tempered(self.net, scores)

    def _warn_of_others(self, processors):
        if not isinstance(processors, (list, tuple)):
            return
        place = next((index for index, other in enumerate(processors) if other is self), None)
        others = [] if place is None else [
            (index > place, other) for index, other in enumerate(processors)
            if index != place and type(other).__name__ != "LogitNormalization"]
        if not others:
            return
        self._has_warned = True
        said = [f"{'after' if is_after else 'before'} TempNet {_described(other)}" for is_after, other in others]
        warnings.warn(
            f"other processors change the distribution: {', '.join(said)}; temperature=1.0, top_p=1.0, top_k=0, "
            "repetition_penalty=1.0 in the call of generate turns off what the model's generation_config.json asks for",
            stacklevel=3)


def _described(processor):
    """A processor's class and the numbers it works with."""
    numbers = [f"{name.lstrip('_')}={value}" for name, value in getattr(processor, "__dict__", {}).items()
               if isinstance(value, (int, float)) and name != "min_tokens_to_keep"]
    return f"{type(processor).__name__}({', '.join(numbers)})"


def _tempered(net, logits):
    """Rows of logits over their temperatures; rows with infinities in them, which others have masked, as they are:
    their norm says nothing."""
    if isinstance(logits, np.ndarray):
        with np.errstate(invalid="ignore"):
            tau = net(logits)
        # Whole numbers become floating, floating ones keep their precision.
        return logits / np.where(np.isfinite(tau), tau, 1)[..., None].astype(np.result_type(logits, np.float16))
    tau = net(logits)
    return logits / tau.where(tau.isfinite(), 1.0).unsqueeze(-1).to(logits.dtype)


def _vllm_processor():
    """The class for vLLM's `logits_processors`; made on demand, because vLLM takes seconds to import."""
    from vllm.v1.sample.logits_processor import LogitsProcessor

    class VLLMTempNetProcessor(LogitsProcessor):
        """Divides every request's logits by their predicted temperatures, in vLLM's V1 engine.

        Reads `additional_config={"tempnet": PATH}`, the file that the environment's TEMPNET names, or
        `tempnet.safetensors` beside this module. Leave the requests' `temperature` at 1; 0 stays greedy. Start the
        server with `--generation-config vllm`, or requests take their settings from the model's files. Cuts and
        penalties that are asked for come after TempNet, and are warned of once.
        """

        def __init__(self, vllm_config, device, is_pin_memory):
            beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tempnet.safetensors")
            additional = getattr(vllm_config, "additional_config", None)
            named = additional.get("tempnet") if isinstance(additional, dict) else None
            self.net = TempNet.load(named or os.environ.get("TEMPNET") or beside)
            if self.net.input == "hidden":
                raise ValueError("this TempNet reads hidden states, which a logits processor does not see")

        @classmethod
        def validate_params(cls, sampling_params):
            if sampling_params.temperature not in (0, 1):
                raise ValueError(
                    "TempNet sets the temperature: leave a request's at 1, or at 0 for greedy decoding; a server that "
                    "is not started with --generation-config vllm takes that of the model's generation_config.json")
            neutral = {"top_p": (1,), "top_k": (0, -1), "min_p": (0,), "repetition_penalty": (1,),
                       "presence_penalty": (0,), "frequency_penalty": (0,)}
            others = {name: getattr(sampling_params, name, None) for name in neutral}
            said = [f"{name}={value}" for name, value in others.items() if value is not None and value not in neutral[name]]
            if said and sampling_params.temperature != 0:
                warnings.warn(
                    f"a request changes the distribution after TempNet: {', '.join(said)}; a server that is not started "
                    "with --generation-config vllm takes such settings from the model's generation_config.json",
                    stacklevel=2)

        def is_argmax_invariant(self):
            # It is, but vLLM calls those that say so only after penalties, and TempNet reads the model's own logits.
            return False

        def update_state(self, batch_update):
            """Every request is treated alike, so there is no state."""

        def apply(self, logits):
            return _tempered(self.net, logits)

    VLLMTempNetProcessor.__qualname__ = "VLLMTempNetProcessor"  # Where other processes find it.
    return VLLMTempNetProcessor


def __getattr__(name):
    if name != "VLLMTempNetProcessor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, _vllm_processor())


def _is_torch(value):
    # Whoever has a tensor has imported PyTorch, which takes seconds.
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _sigmoid(x):
    # Split by sign, so that no exponential overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)
