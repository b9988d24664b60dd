"""Writes the files of torch.save that PyTorchFileTests reads (torch 2.13.0).

Run in this folder: python3 make_pytorch.py
"""

import argparse
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch

whole = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
state = OrderedDict(
    weight=whole,
    transposed=whole.t(),
    part=whole[1:3, ::2],
    half=torch.tensor([1.5, -2.0, 65504.0]).half(),
    brain=torch.tensor([[1.5], [-3.0]]).bfloat16(),
    wide=torch.tensor(3.25, dtype=torch.float64),
    ids=torch.tensor([-1, 2**40]),
    parameter=torch.nn.Parameter(torch.tensor([7.0])),
    none=torch.zeros(0, 5),
)
torch.save(state, "state.pt")
torch.save(
    {
        "epoch": 3, "args": argparse.Namespace(lr=1e-3), "set": {1, 2}, "big": 2**80, "long": "x" * 300,
        "optimizer": torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))]).state_dict(),
        "state_dict": OrderedDict((f"module.{name}", tensor) for name, tensor in state.items()),
    },
    "checkpoint.pt",
)
torch.save(state, "before-1.6.pt", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(2, 2), "module.pt")
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), "program.pt")
for name in ("state", "checkpoint"):
    with zipfile.ZipFile(f"{name}.pt") as archive:
        Path(f"{name}.pkl").write_bytes(archive.read(f"{name}/data.pkl"))
