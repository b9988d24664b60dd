"""A text of 122 MB to tokens of GPT-2's vocabulary. Ours: a whole run, from the file to shards on disk. tiktoken: from text to
ids in memory, on the one core that it uses."""

import statistics
import sys

import bench as shared
from bench import fetched, peer


def measure(bench):
    text, vocabulary, output = bench.verse(), fetched("gpt2"), bench.work / "encoded"
    times, peaks = {"ours": [], "ours, one core": [], "tiktoken": []}, {}
    settings = {"corpus": [str(text)], "tokenizer": str(vocabulary), "validation": 0, "test": 0}
    for _ in range(bench.rounds):
        for name, threads in (("ours, one core", 1), ("ours", bench.threads)):
            _, seconds, peaks[name] = bench.program("tokenize", settings | {"threads": threads}, output)
            times[name].append(seconds)
        result = peer("tokens", "encode", "--text", text, "--ours", output, "--vocabulary", vocabulary)
        if not result["equal"]:
            sys.exit("bench: our ids are not tiktoken's")
        times["tiktoken"].append(result["seconds"])
        peaks["tiktoken"] = result["peak_mib"]
    return {"seconds": times, "peak_mib": peaks, "bytes": result["bytes"], "threads": bench.threads}


def show(result):
    shared.show(
        f"encoding {result['bytes'] / 1e6:.0f} MB with GPT-2's vocabulary, equal ids, {result['threads']} threads",
        result["seconds"], result["peak_mib"])
    one, theirs = (statistics.median(result["seconds"][name]) for name in ("ours, one core", "tiktoken"))
    print(f"on one core ours is faster by {theirs / one:.2f}")
