"""Fits a TempNet to a frozen model in the published way on PyTorch: every step runs the model, then trains on its logits.

Also measures, on full logits of the validation tokens, the robust loss of its own network and of the one that
tempnet-fit made, so that both are judged by the same code. Prints JSON.
"""

import argparse
import json
import math
import pathlib
import resource
import time

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from data import read_tokens
from models import LanguageModel, TempNet, robust_loss

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tokens", required=True)
parser.add_argument("--model", required=True)
parser.add_argument("--fitted", required=True, help="the artifact of tempnet-fit")
parser.add_argument("--configuration", required=True, type=json.loads)
arguments = parser.parse_args()
settings = arguments.configuration
torch.set_num_threads(settings["threads"])
folder = pathlib.Path(arguments.model)

configuration = json.loads((folder / "config.json").read_text())
model = LanguageModel(configuration)
model.load_state_dict(load_file(folder / "model.safetensors"))
model.requires_grad_(False).eval()
with safe_open(pathlib.Path(arguments.fitted) / "tempnet.safetensors", "pt") as file:
    metadata = file.metadata()
rho, context = float(metadata["rho"]), configuration["context"]


def windows(split, tokens):
    """Inputs and labels, [rows, context]: as many windows as hold so many tokens, evenly spread over a split as
    tempnet-features takes them. Labels across documents and behind the end are -100."""
    ids, documents = read_tokens(arguments.tokens, split)
    labels = ids[1:].astype(np.int64)
    labels[documents[(documents > 0) & (documents < len(ids))] - 1] = -100
    windows = -(-len(labels) // context)
    wanted = min(windows, -(-tokens // context))
    chosen = np.arange(wanted) * windows // wanted

    def cut(values, filler):
        padded = np.full(windows * context, filler, dtype=np.int64)
        padded[: len(labels)] = values[: len(labels)]
        return torch.from_numpy(padded.reshape(windows, context)[chosen])

    return cut(ids, 0), cut(labels, -100)


@torch.no_grad()
def validation_loss(network):
    network.eval()
    total = count = 0
    for rows, targets in zip(*(part.split(8) for part in windows("validation", settings["validation_tokens"]))):
        logits, labels = model(rows).flatten(0, 1), targets.flatten()
        counted = int((labels != -100).sum())
        total += robust_loss(logits, labels, network(logits), rho).item() * counted
        count += counted
    return total / count


start = time.perf_counter()
torch.manual_seed(settings["seed"])
network = TempNet(metadata).train()
torch.nn.init.ones_(network.last.weight)
torch.nn.init.zeros_(network.last.bias)
optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.0, fused=True)
inputs, labels = windows("train", settings["train_tokens"])
rows_per_step = settings["batch"] // context
steps = settings["epochs"] * (len(inputs) // rows_per_step)
warm_up = round(settings["warmup"] * steps)
for step in range(steps):
    if step % (len(inputs) // rows_per_step) == 0:
        order = torch.randperm(len(inputs))
    first = step * rows_per_step % (len(inputs) // rows_per_step * rows_per_step)
    rows = order[first : first + rows_per_step]
    rising = (step + 1) / max(1, warm_up)
    falling = 0.5 * (1 + math.cos(math.pi * (step + 1 - warm_up) / (steps - warm_up)))
    optimiser.param_groups[0]["lr"] = settings["learning_rate"] * (rising if step < warm_up else falling)
    with torch.no_grad():
        logits = model(inputs[rows]).flatten(0, 1)
    loss = robust_loss(logits, labels[rows].flatten(), network(logits), rho)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

fitted = TempNet(metadata)
fitted.load_state_dict(load_file(pathlib.Path(arguments.fitted) / "tempnet.safetensors"))
print(
    json.dumps(
        {
            "seconds": seconds,
            "peak_mib": peak,
            "validation_loss": validation_loss(network),
            "validation_loss_of_ours": validation_loss(fitted),
        }
    )
)
