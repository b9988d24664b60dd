#!/usr/bin/env python3
"""Writes the folder towers: a small model of open_clip's native form with embeddings and gradients.

Usage: make_own_towers.py

The classes below have open_clip's sizes, names and initial values: their state dicts load strictly into
open_clip.model.CLIP of the same configuration. Needs torch and safetensors as in scripts/requirements.txt.

    model.safetensors      weights
    cases.safetensors      pictures, ids, both embeddings, and two matrices that the loss multiplies them with
    gradients.safetensors  of sum(image * image_factor) + sum(text * text_factor), for every weight
    initial.json           mean and standard deviation of each weight of a larger model as it begins
"""

import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "towers"


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x, causal):
        length = x.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1) if causal else None
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        for block in self.resblocks:
            nn.init.normal_(block.attn.in_proj_weight, std=width**-0.5)
            nn.init.normal_(block.attn.out_proj.weight, std=width**-0.5 * (2 * layers) ** -0.5)
            nn.init.normal_(block.mlp["c_fc"].weight, std=(2 * width) ** -0.5)
            nn.init.normal_(block.mlp["c_proj"].weight, std=width**-0.5 * (2 * layers) ** -0.5)

    def forward(self, x, causal):
        for block in self.resblocks:
            x = block(x, causal)
        return x


class Vision(nn.Module):
    def __init__(self, size, patch, width, layers, heads, embed):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn((size // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads)
        self.proj = nn.Parameter(width**-0.5 * torch.randn(width, embed))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x), causal=False)[:, 0]) @ self.proj


class CLIP(nn.Module):
    def __init__(self, size, patch, width, layers, heads, embed, vocabulary, context, text_width, text_layers, text_heads):
        super().__init__()
        self.visual = Vision(size, patch, width, layers, heads, embed)
        self.token_embedding = nn.Embedding(vocabulary, text_width)
        self.positional_embedding = nn.Parameter(torch.randn(context, text_width) * 0.01)
        self.transformer = Transformer(text_width, text_layers, text_heads)
        self.ln_final = nn.LayerNorm(text_width)
        self.text_projection = nn.Parameter(torch.randn(text_width, embed) * text_width**-0.5)
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def image(self, pixels):
        return F.normalize(self.visual(pixels), dim=-1)

    def text(self, ids):
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        x = self.ln_final(self.transformer(x, causal=True))
        return F.normalize(x[torch.arange(len(ids)), ids.argmax(1)] @ self.text_projection, dim=-1)


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(5)
    model = CLIP(size=16, patch=8, width=8, layers=2, heads=2, embed=6, vocabulary=40, context=10, text_width=12, text_layers=2, text_heads=3)
    for name, tensor in model.named_parameters():
        if "bias" in name or "ln_" in name:  # Zeros and ones would hide a mistake.
            tensor.data += torch.randn_like(tensor) * 0.1
    pixels, ids = torch.randn(3, 3, 16, 16), torch.randint(1, 38, (3, 10))
    for row, end in enumerate((4, 9, 1)):
        ids[row, end], ids[row, end + 1 :] = 39, 0
    factors = torch.randn(3, 6), torch.randn(3, 6)
    image, text = model.image(pixels), model.text(ids)
    ((image * factors[0]).sum() + (text * factors[1]).sum()).backward()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, FOLDER / "model.safetensors")
    save_file({k: v.grad.contiguous() for k, v in model.named_parameters()}, FOLDER / "gradients.safetensors")
    cases = {"pixels": pixels, "ids": ids, "image": image.detach(), "text": text.detach(), "image_factor": factors[0], "text_factor": factors[1]}
    save_file(cases, FOLDER / "cases.safetensors")
    larger = CLIP(size=64, patch=16, width=128, layers=3, heads=2, embed=96, vocabulary=500, context=32, text_width=96, text_layers=2, text_heads=3)
    initial = {name: {"shape": list(t.shape), "mean": t.mean().item(), "deviation": t.std().item() if t.numel() > 1 else 0} for name, t in larger.named_parameters()}
    (FOLDER / "initial.json").write_text(json.dumps(initial, indent=1) + "\n")


if __name__ == "__main__":
    main()
