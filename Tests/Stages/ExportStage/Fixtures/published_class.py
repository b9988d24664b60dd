"""Loads exported weights, strictly, into a network like the published class, and prints the largest difference.

    published_class.py training|inference tempnet.safetensors ours.safetensors

The published class for training has a scaler of rank 0 and is given its bounds; that for inference has a scaler of one
element in half precision.
"""
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file


class TempNet(torch.nn.Module):
    def __init__(self, vocabulary, hidden, low, high, scaler):
        super().__init__()
        self.low, self.high, self.hidden = low, high, hidden
        self.proj = torch.nn.Sequential(
            torch.nn.Linear(vocabulary, hidden), torch.nn.Sigmoid(), torch.nn.Dropout(0.5),
            torch.nn.Linear(hidden, hidden))
        self.scaler = torch.nn.Parameter(scaler)
        self.last = torch.nn.Linear(hidden, 1)

    def forward(self, logits):
        scores = self.proj(torch.nn.functional.normalize(logits, dim=-1))
        weights = torch.softmax(scores / self.scaler.exp(), -1)
        return self.low + (self.high - self.low) * torch.sigmoid(self.last((weights - 1 / self.hidden) * scores))


variant, path, ours = sys.argv[1], sys.argv[2], load_file(sys.argv[3])
weights = load_file(path)
scaler = torch.zeros(()) if variant == "training" else torch.zeros(1, dtype=torch.float16)
net = TempNet(37, 8, 0.2, 3, scaler).eval()
if variant == "inference":
    net = net.half()
assert {name: (p.shape, p.dtype) for name, p in net.named_parameters()} == {
    name: (p.shape, p.dtype) for name, p in weights.items()}
assert safe_open(path, "pt").metadata()["tau_max"] == "3.0"
net.load_state_dict(weights, strict=True)
with torch.no_grad():
    print((net.float()(ours["logits"])[:, 0] - ours["tau"]).abs().max().item())
