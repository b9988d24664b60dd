"""The best rate of PyTorch's matrix products on this machine: float operations per second for each type. Prints JSON."""

import argparse
import json
import time

import torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--least", action="store_true", help="small matrices, of which no rate is to be trusted")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)


def rate(size, kind, multiply=torch.mm):
    a, b = torch.randn(size, size).to(kind), torch.randn(size, size).to(kind)
    best = 0
    for _ in range(4):
        start = time.perf_counter()
        multiply(a, b)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def by_onednn(a, b):
    """The product that `torch.compile` uses for layers; faster than MKL on processors that are not Intel's."""
    return torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")


SIZES = (256,) if arguments.least else (1024, 2048, 4096)
WAYS = (torch.mm, by_onednn) if torch.backends.mkldnn.is_available() else (torch.mm,)
rates = {
    "float32": max(rate(size, torch.float32, way) for size in SIZES for way in WAYS),
    "bfloat16": rate(min(512, *SIZES), torch.bfloat16),
}
if rates["bfloat16"] > rates["float32"] / 10:
    # Other processors emulate it, and larger products take minutes.
    rates["bfloat16"] = max(rate(size, torch.bfloat16) for size in SIZES)
print(json.dumps(rates))
