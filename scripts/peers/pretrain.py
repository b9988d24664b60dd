"""Steps of joint pretraining on PyTorch, from weights and tokens of our programs. Prints losses and seconds as JSON.

The published objective, computed in the usual way: all logits of a batch at once. Weights, batches, schedule, clipping and
weight decay are those of the configuration that tempnet-pretrain was given.
"""

import argparse
import json
import math
import pathlib
import resource
import time

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from data import Windows, read_tokens
from models import LanguageModel, TempNet, groups, robust_loss

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tokens", required=True)
parser.add_argument("--model", required=True, help="an artifact with the weights to start from")
parser.add_argument("--configuration", required=True, type=json.loads)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--warm-up", type=int, required=True, help="steps that are not timed")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--autocast", action="store_true", help="matrix products in bfloat16")
arguments = parser.parse_args()
settings = arguments.configuration
torch.set_num_threads(settings["threads"])
folder = pathlib.Path(arguments.model)

model = LanguageModel(json.loads((folder / "config.json").read_text()))
model.load_state_dict(load_file(folder / "model.safetensors"))
with safe_open(folder / "tempnet.safetensors", "pt") as file:
    metadata = file.metadata()
tempnet = TempNet(metadata)
tempnet.load_state_dict(load_file(folder / "tempnet.safetensors"))
rho = float(metadata["rho"])

model_rate, tempnet_rate = settings["optimiser"]["learning_rate"], settings["tempnet"]["learning_rate"]
optimiser = torch.optim.AdamW(
    groups(model, model_rate, settings["optimiser"]["weight_decay"])
    + groups(tempnet, tempnet_rate, settings["tempnet"]["weight_decay"]),
    betas=(settings["optimiser"]["beta1"], settings["optimiser"]["beta2"]),
    eps=settings["optimiser"]["epsilon"],
    fused=True,
)


def loss_of(inputs, labels):
    logits = model(inputs).float().flatten(0, 1)
    return robust_loss(logits, labels.flatten(), tempnet(logits.detach()), rho)


step_loss = torch.compile(loss_of) if arguments.compile else loss_of
windows = Windows(*read_tokens(arguments.tokens, "train"), settings["context"], settings["batch"], settings["seed"])
losses = []
for step in range(arguments.warm_up + arguments.steps):
    if step == arguments.warm_up:
        start, computed = time.perf_counter(), time.process_time()
    inputs, labels = (torch.from_numpy(part) for part in windows.batch(step))
    with torch.autocast("cpu", torch.bfloat16, enabled=arguments.autocast):
        loss = step_loss(inputs, labels)
    loss.backward()
    for network in (model, tempnet):
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings["optimiser"]["gradient_clip"])
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    losses.append(loss.item())
seconds = (time.perf_counter() - start) / arguments.steps
computed = (time.process_time() - computed) / arguments.steps
assert all(map(math.isfinite, losses)), losses
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
# Operations of the forward pass per token: two for each weight of a matrix product, and attention over half a window.
matrices = sum(p.numel() for name, p in model.named_parameters() if p.ndim == 2 and not name.startswith("embedding"))
attention = 2 * len(model.blocks) * model.head.in_features * settings["context"]
print(json.dumps({
    "losses": losses, "seconds_per_step": seconds,
    "processor_seconds_per_step": computed, "peak_mib": peak, "operations_per_token": 2 * matrices + attention,
    "parameters": sum(p.numel() for network in (model, tempnet) for p in network.parameters()),
}))
