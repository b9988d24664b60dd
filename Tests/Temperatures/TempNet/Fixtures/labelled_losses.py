"""Writes labelled-losses.json: losses of rivals and their derivatives by the temperatures, in float64.

The losses are written from their papers' formulas and read like the published code: AutoDeco's `_compute_temp_loss`
(Zacks917/AutoDeco, model/templlm_auto.py) with the random numbers given, its form for Megatron, and the class
SelectiveSmoothingLoss of adaptive temperature scaling (Johnathan-Xie/adaptive-temperature-scaling, modeling.py) with uniform
smoothing of 1, a weight of 0.5 and weighted_average. Made with torch 2.13.0.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
N, V = 24, 17
logits = (torch.randn(N, V, dtype=torch.float64) * 2.5).round(decimals=4)
labels = torch.where(torch.rand(N) < 0.5, logits.argmax(1), torch.randint(0, V, (N,)))
tau = (0.4 + 1.6 * torch.rand(N, dtype=torch.float64)).round(decimals=4)
random = torch.rand(N, dtype=torch.float64)
correct = logits.argmax(1) == labels
kept = ~((random < 0.6) & correct)


def measured(loss):
    t = tau.clone().requires_grad_()
    value = loss(t)
    value.backward()
    return {"loss": value.item(), "gradient": t.grad.tolist()}


def autodeco(t):
    ce = F.cross_entropy(logits[kept] / t[kept, None], labels[kept], reduction="none")
    weight = torch.softmax(logits[kept], -1).gather(1, labels[kept, None])[:, 0]
    return (weight.detach() * ce).mean()


def autodeco_tempered(t):
    p = torch.softmax(logits[kept] / t[kept, None], -1).gather(1, labels[kept, None])[:, 0]
    return (-p.detach() * p.log()).mean()


def selective(t):
    scaled = logits / t[:, None]
    hard = F.cross_entropy(scaled[correct], labels[correct], reduction="none")
    smooth = F.cross_entropy(scaled[~correct], labels[~correct], reduction="none", label_smoothing=1.0)
    smooth_weight = 0.5 * correct.double().mean()
    hard_weight = 0.5 * (~correct).double().mean()
    total = smooth_weight + hard_weight
    return (hard * hard_weight / total).mean() + (smooth * smooth_weight / total).mean()


out = {
    "logits": logits.flatten().tolist(), "labels": labels.tolist(), "tau": tau.tolist(), "kept": kept.int().tolist(),
    "rows": N, "autodeco": measured(autodeco), "autodeco_by_tempered": measured(autodeco_tempered),
    "selective_smoothing": measured(selective),
}
pathlib.Path(__file__).with_name("labelled-losses.json").write_text(json.dumps(out) + "\n")
