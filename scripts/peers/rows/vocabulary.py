"""Learning 32,000 entries from 122 MB; ours encode the text with them as well."""

import sys

import bench as shared
from bench import peer


def measure(bench):
    text, output = bench.verse(), bench.work / "vocabulary"
    times, peaks = {"ours, and encoding": [], "tokenizers": []}, {}
    entries = bench.size(32_000, 1000)
    settings = {"corpus": [str(text)], "vocabulary": entries, "validation": 0, "test": 0, "threads": bench.threads}
    for _ in range(bench.rounds):
        _, seconds, peaks["ours, and encoding"] = bench.program("tokenize", settings, output)
        times["ours, and encoding"].append(seconds)
        result = peer("tokens", "train", "--text", text, "--ours", output, "--threads", bench.threads)
        if not result["equal"]:
            sys.exit("bench: our merges are not those of tokenizers")
        times["tokenizers"].append(result["seconds"])
        peaks["tokenizers"] = result["peak_mib"]
    return {
        "seconds": times, "peak_mib": peaks, "bytes": text.stat().st_size, "vocabulary": settings["vocabulary"],
        "threads": bench.threads,
    }


def show(result):
    shared.show(
        f"learning {result['vocabulary']:,} entries from {result['bytes'] / 1e6:.0f} MB, equal merges, "
        f"{result['threads']} threads", result["seconds"], result["peak_mib"])
