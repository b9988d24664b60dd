#!/usr/bin/env python3
"""Writes other_losses.safetensors: the contrastive losses that the authors' fixtures do not have, in float64, by PyTorch's
own differentiation of the losses as they are defined. Nothing here is shared with the code under test.

    python3 make_other_losses.py       (PyTorch 2.13.0, safetensors)
"""
import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
B, D, N, UNITS = 8, 12, 24, 16
TAU, RHO, BOUNDS = 0.07, 0.7, (0.02, 0.2)
out = {}


def rows(count=B, width=D):
    return F.normalize(torch.randn(count, width), dim=1)


def both(image, text):
    """Similarities of each anchor with all candidates, for both sides."""
    s = image @ text.T
    return s, s.T


def keep(name, **tensors):
    out.update({f"{name}.{key}": value.detach().clone().contiguous() for key, value in tensors.items()})


def inputs():
    return rows().requires_grad_(), rows().requires_grad_()


def clip_learned():
    """open_clip: the mean of both cross-entropies of exp(logit_scale) s."""
    image, text = inputs()
    scale = torch.tensor(math.log(1 / TAU), requires_grad=True)
    labels = torch.arange(B)
    loss = sum(F.cross_entropy(scale.exp() * s, labels) for s in both(image, text)) / 2
    loss.backward()
    keep("clip_learned", image=image, text=text, loss=loss, **{"grad.image": image.grad, "grad.text": text.grad, "grad.logit_scale": scale.grad})


def net(x, w, form):
    hidden = x @ w["proj.weight"].T + w["proj.bias"]
    if form == "prototypes":
        y = torch.sigmoid(hidden) @ F.normalize(w["prototypes"], dim=1).T
        pooled = (torch.softmax(y / w["scaler"].exp(), 1) - 1 / UNITS) * torch.sigmoid(y)
    else:
        pooled = F.gelu(hidden)
    r = (pooled @ w["linear_1.weight"].T + w["linear_1.bias"])[:, 0]
    return BOUNDS[0] + (BOUNDS[1] - BOUNDS[0]) * torch.sigmoid(r)


def weights(form):
    hidden = D if form == "prototypes" else UNITS
    w = {"proj.weight": 2 * torch.randn(hidden, D), "proj.bias": torch.randn(hidden), "linear_1.weight": torch.randn(1, UNITS), "linear_1.bias": torch.randn(1)}
    if form == "prototypes":
        w |= {"scaler": torch.tensor(math.log(0.3)), "prototypes": torch.randn(UNITS, D)}
    return {key: value.requires_grad_() for key, value in w.items()}


def tempnet_cross_entropy(form):
    """TempNet without the robust loss: the mean of both cross-entropies of s_ij / tau_i, tau from a net on anchor i."""
    image, text = inputs()
    nets = {"image": weights(form), "text": weights(form)}
    taus = {"image": net(image.detach(), nets["image"], form), "text": net(text.detach(), nets["text"], form)}
    labels = torch.arange(B)
    loss = sum(F.cross_entropy(s / tau[:, None], labels) for s, tau in zip(both(image, text), taus.values())) / 2
    loss.backward()
    name = f"tempnet_{form}"
    keep(name, image=image, text=text, loss=loss, **{"grad.image": image.grad, "grad.text": text.grad})
    for side, w in nets.items():
        keep(name, **{f"tau.{side}": taus[side]})
        for key, value in w.items():
            keep(name, **{f"weight.{side}_temp_gen.{key}": value, f"grad.{side}_temp_gen.{key}": value.grad})


def negatives(s, tau):
    """exp((s_ij - s_ii) / tau) over j != i, [B, B - 1]."""
    return torch.exp((s - s.diagonal()[:, None]) / tau)[~torch.eye(B, dtype=bool)].reshape(B, B - 1)


def sogclr_gamma_1():
    """Without a moving average SogCLR descends tau log mean exp over the negatives, summed over the sides."""
    image, text = inputs()
    loss = sum((TAU * negatives(s, TAU).mean(1).log()).mean() for s in both(image, text))
    loss.backward()
    keep("sogclr_gamma_1", image=image, text=text, **{"grad.image": image.grad, "grad.text": text.grad})


def fastclip():
    """FastCLIP v3 (src/fast_clip/loss.py of Optimization-AI/fast_clip, one process): one learned temperature, per-sample
    averages u of the mean exponential, gamma falling as half a cosine. The objective is the mean over both sides of
    tau log u + rho tau; its derivative by tau reaches g once (the published code counts that path twice, as logit_scale is
    alive in both halves of its loss)."""
    u = {"image": torch.zeros(N), "text": torch.zeros(N)}
    scale = torch.tensor(math.log(1 / TAU))
    for step in range(3):
        gamma = 0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * step / 4))
        image, text = inputs()
        ids = torch.randperm(N)[:B].sort().values
        scale = scale.detach().requires_grad_()
        tau = 1 / scale.exp()
        loss = 0.0
        for side, s in zip(("image", "text"), both(image, text)):
            g = negatives(s, tau).mean(1)
            old = u[side][ids]
            new = torch.where(old == 0, g, (1 - gamma) * old + gamma * g).detach()
            u[side][ids] = new
            loss = loss + (tau.detach() * g / new + tau * (new.log() + RHO)).mean() / 2
        loss.backward()
        keep(f"fastclip.{step}", image=image, text=text, ids=ids, gamma=torch.tensor(gamma), logit_scale=scale, u_image=u["image"], u_text=u["text"],
             **{"grad.image": image.grad, "grad.text": text.grad, "grad.logit_scale": scale.grad})
        scale = scale + 0.1 * torch.randn(())


torch.manual_seed(7)
clip_learned()
tempnet_cross_entropy("prototypes")
tempnet_cross_entropy("layers")
sogclr_gamma_1()
fastclip()
save_file(out, pathlib.Path(__file__).parent / "other_losses.safetensors")
