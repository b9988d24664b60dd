"""Reads artifacts as Sources/Storage/Artifacts/FORMAT.md describes them, and computes the programs' order of data."""

import json
import pathlib
import struct

import numpy as np

MASK64 = (1 << 64) - 1


def read_tokens(artifact, split):
    """The ids of a split, and where its documents begin."""
    ids, folder = [], pathlib.Path(artifact)
    for shard in sorted(folder.glob(f"{split}-*.tokens")):
        data = shard.read_bytes()
        magic, version, width, _, count = struct.unpack_from("<8sIIQQ", data)
        assert (magic, version) == (b"TNTOKENS", 1), shard
        ids.append(np.frombuffer(data, f"<u{width}", count, offset=32).astype(np.int64))
    data = (folder / f"{split}.documents").read_bytes()
    magic, version, size, count, _ = struct.unpack_from("<8sIIQQ", data)
    assert (magic, version, size) == (b"TNDOCUME", 1, 32), split
    records = np.frombuffer(data, "<u8", 4 * count, offset=32).reshape(count, 4)
    return np.concatenate(ids), records[:, 0].astype(np.int64)


def read_metrics(artifact, kind):
    """The lines of metrics.jsonl of one kind: `training` or `validation`."""
    lines = (pathlib.Path(artifact) / "metrics.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if kind in line]


def mixed(value):
    """splitmix64's finaliser, with which Sources/System/RandomNumbers/SplitMix64.swift derives seeds."""
    z = (value + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def derived(seed, stream, index):
    return mixed(mixed(mixed(seed) ^ stream) ^ index)


class Shuffle:
    """The random order of Sources/Training/Training/Shuffle.swift: a Feistel network with cycle walking."""

    def __init__(self, count, seed):
        self.count, self.seed = count, seed
        self.half = max(1, ((count - 1).bit_length() + 1) // 2)

    def __getitem__(self, position):
        value = position
        while True:
            value = self.permuted(value)
            if value < self.count:
                return value

    def permuted(self, value):
        mask = (1 << self.half) - 1
        left, right = value >> self.half, value & mask
        for step in range(6):
            scrambled = mixed(mixed(self.seed ^ step) ^ right) & mask
            left, right = right, left ^ scrambled
        return left << self.half | right


class Windows:
    """The training windows of Sources/Language/TokenWindows/Windows.swift."""

    ORDER, OFFSET = 2, 3

    def __init__(self, ids, documents, context, rows, seed):
        self.ids, self.documents = ids, documents
        self.context, self.rows, self.seed = context, rows, seed
        self.count = max(1, (len(ids) - context) // context)
        self.offsets = min(context, len(ids) - self.count * context)

    def batch(self, step):
        """Inputs and labels, both [rows, context]; labels that begin another document are -100."""
        windows = [self.window(self.start(position)) for position in range(step * self.rows, (step + 1) * self.rows)]
        return tuple(np.stack(part) for part in zip(*windows))

    def start(self, position):
        epoch, index = divmod(position, self.count)
        item = Shuffle(self.count, derived(self.seed, self.ORDER, epoch))[index]
        return derived(self.seed, self.OFFSET, epoch) % self.offsets + item * self.context

    def window(self, start):
        inputs = self.ids[start : start + self.context]
        labels = self.ids[start + 1 : start + self.context + 1].copy()
        inside = self.documents[(self.documents > start) & (self.documents <= start + self.context)]
        labels[inside - start - 1] = -100
        return inputs, labels
