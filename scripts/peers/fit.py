"""Fits a TempNet to a frozen model in the published way on PyTorch: every step runs the model, then trains on its logits.

Also measures, on full logits of the validation tokens, the robust loss of its own network and of the one that
tempnet-fit made, so that both are judged by the same code. Prints JSON.
"""

import argparse
import contextlib
import json
import math
import pathlib
import resource
import time

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from data import read_tokens
from models import TempNet, robust_loss

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--tokens", required=True)
parser.add_argument("--model", required=True, type=pathlib.Path, help="a GGUF file")
parser.add_argument("--fitted", required=True, help="the artifact of tempnet-fit, from which settings are taken")
parser.add_argument("--configuration", required=True, type=json.loads)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--step-tokens", type=int, required=True, help="tokens that the model reads at once")
parser.add_argument("--accumulate-to", type=int, help="tokens per step of the optimiser; those read at once by default")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--compile", action="store_true")
parser.add_argument("--bfloat16", action="store_true", help="the model in bfloat16")
parser.add_argument("--trials", action="store_true", help="only try a few steps in every way, and say which is the best")
parser.add_argument("--eager", action="store_true", help="try no ways that compile")
arguments = parser.parse_args()
settings = arguments.configuration
torch.set_num_threads(arguments.threads)
window = settings["window"]
with safe_open(pathlib.Path(arguments.fitted) / "tempnet.safetensors", "pt") as file:
    metadata = file.metadata()
rho = float(metadata["rho"])


def loaded(dtype):
    model = AutoModelForCausalLM.from_pretrained(arguments.model.parent, gguf_file=arguments.model.name, dtype=dtype)
    return model.requires_grad_(False).eval()


def windows(split, tokens):
    """Inputs and labels, [rows, window]: windows with this number of tokens, evenly spread over a split as in
    tempnet-features. Labels in another document or after the end are -100."""
    ids, documents = read_tokens(arguments.tokens, split)
    labels = ids[1:].astype(np.int64)
    labels[documents[(documents > 0) & (documents < len(ids))] - 1] = -100
    count = -(-len(labels) // window)
    wanted = min(count, -(-tokens // window))
    chosen = np.arange(wanted) * count // wanted

    def cut(values, filler):
        padded = np.full(count * window, filler, dtype=np.int64)
        padded[: len(labels)] = values[: len(labels)]
        return torch.from_numpy(padded.reshape(count, window)[chosen])

    return cut(ids, 0), cut(labels, -100)


@torch.no_grad()
def validation_loss(model, network):
    network.eval()
    total = count = 0
    for rows, targets in zip(*(part.split(4) for part in windows("validation", settings["validation_tokens"]))):
        logits, labels = model(rows).logits.float().flatten(0, 1), targets.flatten()
        counted = int((labels != -100).sum())
        total += robust_loss(logits, labels, network(logits), rho).item() * counted
        count += counted
    return total / count


class Fit:
    def __init__(self, model, compiled):
        torch.manual_seed(settings["seed"])
        self.model, self.network = model, TempNet(metadata).train()
        torch.nn.init.ones_(self.network.last.weight)
        torch.nn.init.zeros_(self.network.last.bias)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), weight_decay=0.0, fused=True)
        self.logits = torch.compile(self._logits) if compiled else self._logits
        self.loss = torch.compile(self._loss) if compiled else self._loss
        self.inputs, self.labels = windows("train", settings["train_tokens"])

    def _logits(self, rows):
        with torch.no_grad():
            return self.model(rows, use_cache=False).logits.float().flatten(0, 1)

    def _loss(self, logits, labels):
        return robust_loss(logits, labels, self.network(logits), rho)

    def part(self, rows, share):
        """Reads rows and adds their share of a step's gradient."""
        loss = self.loss(self.logits(self.inputs[rows]), self.labels[rows].flatten()) * share
        loss.backward()
        return loss.item()

    def run(self, rows_at_once, rows_per_step, epochs):
        steps_per_epoch = len(self.inputs) // rows_per_step
        steps = epochs * steps_per_epoch
        warm_up = round(settings["warmup"] * steps)
        for step in range(steps):
            if step % steps_per_epoch == 0:
                order = torch.randperm(len(self.inputs))
            first = step % steps_per_epoch * rows_per_step
            rising = (step + 1) / max(1, warm_up)
            falling = 0.5 * (1 + math.cos(math.pi * (step + 1 - warm_up) / (steps - warm_up)))
            self.optimiser.param_groups[0]["lr"] = settings["learning_rate"] * (rising if step < warm_up else falling)
            for rows in order[first : first + rows_per_step].split(rows_at_once):
                self.part(rows, len(rows) / rows_per_step)
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)


def trials():
    """Tokens per second of each way, optimiser included: one step without timing, then one with. A way that fails is
    left out, and a type less than half as fast as the best so far on a single row is not tried further."""
    rates, words = {}, {}
    for dtype in (torch.float32, torch.bfloat16):
        model = loaded(dtype)
        if rates:
            fit, start = Fit(model, False), time.perf_counter()
            fit.part(torch.arange(1), 1)
            alone = f"eager {str(dtype).removeprefix('torch.')} 1x{window}"
            rates[alone] = window / (time.perf_counter() - start)
            words[alone] = ["--bfloat16", "--step-tokens", str(window)]
            if 2 * rates[alone] < max(rates.values()):
                continue
        for compiled in (False,) if arguments.eager else (False, True):
            for rows in (arguments.step_tokens // window, 4 * arguments.step_tokens // window):
                name = f"{'compiled' if compiled else 'eager'} {str(dtype).removeprefix('torch.')} {rows}x{window}"
                with contextlib.suppress(RuntimeError):
                    fit = Fit(model, compiled)
                    fit.part(torch.arange(rows), 1)
                    start = time.perf_counter()
                    fit.part(torch.arange(rows), 1)
                    fit.optimiser.step()
                    rates[name] = rows * window / (time.perf_counter() - start)
                    words[name] = (["--compile"] * compiled + ["--bfloat16"] * (dtype == torch.bfloat16)
                                   + ["--step-tokens", str(rows * window)])
                torch.compiler.reset()
    return {"tokens_per_second": rates, "best": words[max(rates, key=rates.get)]}


def main():
    if arguments.trials:
        return trials()
    model = loaded(torch.bfloat16 if arguments.bfloat16 else torch.float32)
    fit = Fit(model, arguments.compile)
    rows = arguments.step_tokens // window
    if arguments.compile:
        # Compiling is not timed; this gradient is dropped.
        fit.part(torch.arange(rows), 1)
        fit.optimiser.zero_grad(set_to_none=True)
    start = time.perf_counter()
    fit.run(rows, (arguments.accumulate_to or arguments.step_tokens) // window, arguments.epochs)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    fitted = TempNet(metadata)
    fitted.load_state_dict(load_file(pathlib.Path(arguments.fitted) / "tempnet.safetensors"))
    # Operations of the forward pass per token: two for each weight of a matrix product, where the head is the embedding,
    # and attention over half a window on average.
    matrices = sum(p.numel() for p in model.parameters() if p.ndim == 2)
    attention = 2 * model.config.num_hidden_layers * model.config.hidden_size * window
    return {
        "seconds": seconds, "peak_mib": peak, "operations_per_token": 2 * matrices + attention,
        "validation_loss": validation_loss(model, fit.network), "validation_loss_of_ours": validation_loss(model, fitted),
    }


print(json.dumps(main()))
