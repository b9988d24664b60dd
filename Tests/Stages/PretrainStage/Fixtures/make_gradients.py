"""What one step of training sends back through small published models, computed with transformers and PyTorch.

    pip install torch transformers safetensors && python make_gradients.py

For models of Tests/Language/LanguageModels/Fixtures a window of 13 tokens is learned with three losses. A folder FAMILY-LOSS holds
the gradient of every parameter as if it were the parameter (config.json, model.safetensors), so that it is read as models
are; expected.json holds tokens and losses; FAMILY-robust also the TempNet, as our files have it, and the gradients of
its parameters, `gradient.NAME`. All computed in float64 and rounded.
"""
import json
import math
import pathlib
import shutil

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent.parent / "LanguageModels" / "Fixtures"
VOCABULARY, HIDDEN, RHO, BOUNDS = 29, 5, 1.5, (0.5, 3.0)
TOKENS = [(7 * i * i + 3) % VOCABULARY for i in range(13)]


class TempNet(torch.nn.Module):
    """The published network; no dropout."""

    def __init__(self):
        super().__init__()
        self.proj = torch.nn.Sequential(
            torch.nn.Linear(VOCABULARY, HIDDEN), torch.nn.Sigmoid(), torch.nn.Dropout(0), torch.nn.Linear(HIDDEN, HIDDEN))
        self.scaler = torch.nn.Parameter(torch.zeros(()))
        self.last = torch.nn.Linear(HIDDEN, 1)

    def forward(self, logits):
        scores = self.proj(F.normalize(logits, dim=-1))
        weights = torch.softmax(scores / self.scaler.exp(), -1)
        return BOUNDS[0] + (BOUNDS[1] - BOUNDS[0]) * torch.sigmoid(self.last((weights - 1 / HIDDEN) * scores))[:, 0]


def save(folder, gradients, family):
    shutil.rmtree(HERE / folder, ignore_errors=True)
    (HERE / folder).mkdir()
    shutil.copy(MODELS / family / "config.json", HERE / folder)
    save_file({name: value.float().contiguous() for name, value in gradients.items()}, HERE / folder / "model.safetensors")


def main():
    losses = {}
    for family in ("llama", "gpt2", "neox"):
        for kind in ("plain", "tempered", "robust"):
            torch.manual_seed(3)
            model = AutoModelForCausalLM.from_pretrained(
                MODELS / family, dtype=torch.float64, attn_implementation="eager").eval()
            tempnet = TempNet().double()
            for parameter in tempnet.parameters():
                parameter.data += 0.5 * torch.randn_like(parameter)
            tempnet = tempnet.float().double()  # As the file holds it.
            logits = model(torch.tensor([TOKENS[:-1]])).logits[0]
            labels = torch.tensor(TOKENS[1:])
            if kind == "robust":
                tau = tempnet(logits.detach())
                loss = (tau * (F.cross_entropy(logits / tau[:, None], labels, reduction="none")
                               + RHO - math.log(VOCABULARY))).mean()
            else:
                loss = F.cross_entropy(logits / (0.7 if kind == "tempered" else 1), labels)
            loss.backward()
            losses[f"{family}-{kind}"] = loss.item()
            # What files call GPT-NeoX's head.
            names = {"lm_head.weight": "embed_out.weight"} if family == "neox" else {}
            save(f"{family}-{kind}", {names.get(n, n): p.grad for n, p in model.named_parameters()}, family)
            if kind == "robust":
                settings = {
                    "format_version": 1, "vocabulary": VOCABULARY, "hidden": HIDDEN, "tau_min": BOUNDS[0],
                    "tau_max": BOUNDS[1], "rho": RHO, "entropy": math.log(VOCABULARY) - RHO, "input": "logits",
                    "normalisation_epsilon": 1e-12, "dropout": 0.0}
                tensors = {n: p.detach().float() for n, p in tempnet.named_parameters()}
                tensors |= {f"gradient.{n}": p.grad.float() for n, p in tempnet.named_parameters()}
                save_file(tensors, HERE / f"{family}-{kind}" / "tempnet.safetensors",
                          metadata={name: str(value) for name, value in settings.items()})
    (HERE / "expected.json").write_text(json.dumps({"tokens": TOKENS, "losses": losses}, indent=1) + "\n")


main()
