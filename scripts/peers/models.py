"""The language model and the TempNet in plain PyTorch, with the tensor names of our files, so that weights load unchanged."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, cosines, sines):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotated(q, cosines, sines), rotated(k, cosines, sines), v, is_causal=True)
        return self.output(y.transpose(1, 2).reshape(batch, length, width))


def rotated(x, cosines, sines):
    first, second = x.chunk(2, -1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), -1)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.feed_forward_norm, self.feed_forward = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x, cosines, sines):
        x = x + self.attention(self.attention_norm(x), cosines, sines)
        return x + self.feed_forward(self.feed_forward_norm(x))


class LanguageModel(nn.Module):
    """Layer norm, rotary positions, GELU, biases everywhere, an untied head: the paper's 125M setting in small."""

    def __init__(self, configuration):
        super().__init__()
        expected = {
            "norm": "layer", "positions": "rotary", "rotary_fraction": 1, "activation": "gelu", "biases": "all",
            "tied_head": False, "parallel_residual": False, "attention": "window", "dropout": 0,
        }
        for key, value in expected.items():
            assert configuration[key] == value, f"{key} is {configuration[key]}; this peer knows {value} alone"
        width, heads, context = (configuration[key] for key in ("width", "heads", "context"))
        self.embedding = nn.Embedding(configuration["vocabulary"], width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(configuration["layers"]))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, configuration["vocabulary"], bias=False)
        half = width // heads // 2
        frequencies = configuration["rotary_base"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(context)[:, None] * frequencies
        self.register_buffer("cosines", angles.cos().float(), persistent=False)
        self.register_buffer("sines", angles.sin().float(), persistent=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        return self.head(self.norm(x))


class TempNet(nn.Module):
    """The published network (arXiv 2404.04575), from the metadata of our files."""

    def __init__(self, settings):
        super().__init__()
        vocabulary, hidden = int(settings["vocabulary"]), int(settings["hidden"])
        self.low, self.high = float(settings["tau_min"]), float(settings["tau_max"])
        self.centred = settings["input"] == "centred"
        dropout = nn.Dropout(float(settings["dropout"]))
        self.proj = nn.Sequential(nn.Linear(vocabulary, hidden), nn.Sigmoid(), dropout, nn.Linear(hidden, hidden))
        self.scaler = nn.Parameter(torch.zeros(()))
        self.last = nn.Linear(hidden, 1)

    def forward(self, logits):
        if self.centred:
            logits = logits - logits.amax(-1, keepdim=True)
        y = self.proj(F.normalize(logits, dim=-1))
        weights = torch.softmax(y / self.scaler.exp(), -1)
        pooled = self.last((weights - 1 / y.shape[-1]) * y).squeeze(-1)
        return (self.high - self.low) * torch.sigmoid(pooled) + self.low


def robust_loss(logits, labels, tau, rho):
    """The mean over labels other than -100."""
    cross_entropy = F.cross_entropy(logits / tau[:, None], labels, reduction="none", ignore_index=-100)
    counts = labels != -100
    loss = tau * (cross_entropy + rho - math.log(logits.shape[-1]))
    return (loss * counts).sum() / counts.sum()


def groups(module, rate, decay):
    """Optimiser groups: weight decay for matrices only."""
    parameters = list(module.parameters())
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "lr": rate, "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim < 2], "lr": rate, "weight_decay": 0.0},
    ]
