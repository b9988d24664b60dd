"""Milliseconds per token of SmolLM2's likeliest continuation, without and with a TempNet. The same tokens, because no
temperature changes which is the likeliest; the difference of a long and a short run leaves out the start. The two take
turns, and medians count: the machine's own noise is larger than a TempNet's cost."""

import json
import statistics
import sys

from bench import novel, published_model, run

SHORT, LONG, TURNS = 16, 144, 3


def measure(bench):
    model = published_model()
    features, fitted = bench.work / "generation-features", bench.work / "generation-tempnet"
    tokens = bench.tokens("smol", corpus=[novel()], tokenizer=str(model))
    few = bench.compute | {"train_tokens": 2048, "validation_tokens": 512, "window": 256}
    bench.program("features", few, features, "--model", model, "--tokens", tokens)
    settings = bench.compute | {"entropy": "auto", "epochs": 4, "batch": 512, "seed": 1}
    bench.program("fit", settings, fitted, "--features", features)
    policies = {"ours": fitted, "ours, temperature 1": "1"}
    times, texts = {name: [] for name in policies}, {}
    for _ in range(TURNS * bench.rounds):
        for name, policy in policies.items():
            seconds, count = [], []
            for length in (SHORT, LONG):
                output, taken, _ = run([
                    bench.programs / "tempnet-generate", "--model", model, "--policy", policy, "--top-k", 1, "--json",
                    "--prompt", "The history of the town begins", "--max-tokens", length, "--device", "cpu",
                    "--threads", bench.threads, "--quiet"])
                texts[name] = [token["id"] for token in json.loads(output)["tokens"]]
                seconds.append(taken)
                count.append(len(texts[name]))
            times[name].append(1000 * (seconds[1] - seconds[0]) / (count[1] - count[0]))
    if texts["ours"] != texts["ours, temperature 1"]:
        sys.exit("bench: a TempNet changed the likeliest token")
    return {"milliseconds_per_token": times, "tokens": len(texts["ours"]), "threads": bench.threads}


def show(result):
    medians = {name: statistics.median(values) for name, values in result["milliseconds_per_token"].items()}
    share = medians["ours"] / medians["ours, temperature 1"] - 1
    print(f"\ngeneration with SmolLM2, {result['tokens']} equal tokens, {result['threads']} threads")
    for name, values in result["milliseconds_per_token"].items():
        print(f"{name:24}{medians[name]:>8.2f} ms per token ({min(values):.2f} to {max(values):.2f})")
    print(f"a TempNet costs {100 * share:.1f} % more")
