"""The first 500 items of PIQA on SmolLM2-135M in float32. Ours: the whole program with start, loading, policies and report.
lm-evaluation-harness with transformers: only the scoring, at its best batch size."""

import json
import sys

import bench as shared
from bench import fetched, installed, novel, peer

# Float32 differs from the harness in float64 by up to 9e-4 nats in the harness and 1e-4 in ours (40 requests).
ITEMS, TOLERANCE = 500, 5e-3
# The one requirement of lm-eval's model class that scripts/requirements.txt lacks. The others, half a gigabyte, are for its
# own tasks and metrics.
FURTHER = ["dill==0.4.1"]


def measure(bench):
    items = bench.size(ITEMS, 4)
    model, requests = bench.published_model(), fetched("tasks") / "piqa.requests.jsonl.gz"
    # Evaluation needs text as well; one page costs next to nothing.
    page = bench.work / "page.txt"
    with open(novel(), encoding="utf-8") as file:
        page.write_text(file.read(4000), encoding="utf-8")
    tokens = bench.tokens("page", corpus=[str(page)], tokenizer=str(model), validation=0.1, test=0.1)
    python = installed("lm-eval", "0.4.13", alone_with=FURTHER) / "python"
    settings = bench.compute | {
        "compute": "float32", "tasks": [str(requests)], "task_limit": items, "rho": bench.size(8.0, 3.0)}
    output = bench.work / "scores"
    times, peaks, batches = {"ours": [], "lm-evaluation-harness": []}, {}, bench.size([1, 4, 16, 32], [1, 4])
    for _ in range(bench.rounds):
        _, seconds, peaks["ours"] = bench.program("evaluate", settings, output, "--model", model, "--tokens", tokens)
        times["ours"].append(seconds)
        result = peer(
            "score", "--model", model, "--requests", requests, "--items", items, "--threads", bench.threads,
            "--batches", *batches, python=python)
        trials, batches = result["trials"] or trials, [result["batch"]]
        times["lm-evaluation-harness"].append(result["seconds"])
        peaks["lm-evaluation-harness"] = result["peak_mib"]
    ours = [json.loads(line) for line in (output / "items-piqa.jsonl").read_text().splitlines()]
    return {
        "seconds": times, "peak_mib": peaks, "difference": compared(ours, result), "items": items,
        "requests": len(result["greedy"]), "batch": result["batch"], "trials": trials, "threads": bench.threads,
    }


def compared(items, theirs):
    """The largest difference of log-likelihoods in nats; greedy answers have to be the same."""
    requests = [request for item in items for request in item["requests"]]
    values = [request["log_likelihood"]["one"] for request in requests]
    difference = max(abs(a - b) for a, b in zip(values, theirs["log_likelihoods"], strict=True))
    if difference > TOLERANCE or [request["greedy"] for request in requests] != theirs["greedy"]:
        sys.exit(f"bench: log-likelihoods differ by up to {difference} nats, or greedy answers differ")
    return difference


def show(result):
    shared.show(
        f"PIQA's first {result['items']} items on SmolLM2, float32, {result['threads']} threads",
        result["seconds"], result["peak_mib"])
    print(f"{result['requests']} log-likelihoods agree within {result['difference']:.1e} nats; the harness's best batch "
          f"size is {result['batch']}")
