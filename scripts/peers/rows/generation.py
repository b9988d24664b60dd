"""The time that a TempNet adds to a token of SmolLM2's likeliest continuation, which no temperature changes.

The noise of the machine is many times larger. So both run at once, each on a processor of its own, and are timed while both
write: other work slows both. Then they swap processors."""

import os
import statistics
import subprocess
import sys
import threading
import time

from bench import novel

TOKENS, TURNS = 320, 3
# Shares of the bytes. Before the first, one program may still load; after the last, the other may have ended.
FROM, TO = 0.25, 0.9


def written(command, processor):
    """Starts a program on one processor; fills a list with pairs of a time and all output until then."""
    pinned = ["taskset", "-c", processor, *command]
    process = subprocess.Popen([str(word) for word in pinned], stdout=subprocess.PIPE)
    pieces = []

    def read():
        text = b""
        with process.stdout:
            while piece := os.read(process.stdout.fileno(), 1 << 16):
                text += piece
                pieces.append((time.perf_counter(), text))
        if process.wait() != 0:
            pieces.clear()

    thread = threading.Thread(target=read)
    thread.start()
    return thread, pieces


def seconds_between(pieces, first, last):
    """The time between two numbers of written bytes."""
    start, end = (next(moment for moment, text in pieces if len(text) >= count) for count in (first, last))
    return end - start


def measure(bench):
    model, count = bench.published_model(), bench.size(TOKENS, 32)
    features, fitted = bench.work / "generation-features", bench.work / "generation-tempnet"
    tokens = bench.tokens("smol", corpus=[novel()], tokenizer=str(model))
    train, validation = bench.size((2048, 512), (512, 128))
    few = bench.compute | {"train_tokens": train, "validation_tokens": validation, "window": bench.size(256, 64)}
    bench.program("features", few, features, "--model", model, "--tokens", tokens)
    settings = bench.compute | {"entropy": "auto", "epochs": 4, "batch": bench.size(512, 128), "seed": 1}
    bench.program("fit", settings, fitted, "--features", features)
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        if not bench.smoke:
            sys.exit("bench: generation needs two processors")
        processors *= 2
    times = {}
    for compute in ("float32", "bfloat16"):
        times[compute] = []
        for turn in range(bench.size(2 * TURNS * bench.rounds, 1)):
            runs = [
                written([
                    bench.programs / "tempnet-generate", "--model", model, "--policy", policy, "--top-k", 1,
                    "--prompt", "The history of the town begins", "--max-tokens", count, "--device", "cpu",
                    "--compute", compute, "--threads", 1, "--quiet"], processors[(turn + place) % 2])
                for place, policy in enumerate((fitted, "1"))]
            for thread, _ in runs:
                thread.join()
            texts = [pieces[-1][1] if pieces else None for _, pieces in runs]
            if None in texts or texts[0] != texts[1]:
                sys.exit("bench: generation failed, or a TempNet changed the likeliest token")
            if bench.smoke:
                continue  # All may have come at once.
            first, last = (int(share * len(texts[0])) for share in (FROM, TO))
            ours, plain = (seconds_between(pieces, first, last) for _, pieces in runs)
            times[compute].append((ours, plain))
    return {"seconds": times, "tokens": count, "share_of_bytes": TO - FROM}


def show(result):
    print(f"\ngeneration with SmolLM2, {result['tokens']} tokens at most, equal, on one thread each, side by side")
    for compute, times in result["seconds"].items():
        if not times:
            continue
        ours, plain = (sum(side) for side in zip(*times))
        singles = ", ".join(f"{100 * (a / b - 1):+.1f}" for a, b in times)
        milliseconds = 1000 * statistics.mean(b for _, b in times) / (result["tokens"] * result["share_of_bytes"])
        print(f"{compute:10}{milliseconds:>8.1f} ms a token; a TempNet costs {100 * (ours / plain - 1):.1f} % more ({singles})")
