"""What bfloat16 costs in quality: the default pipeline with its large products in float32 and in bfloat16, each stage as it
comes, and the held-out losses of both. Where a processor has no matrix units the same roundings are made in float32."""

import json
import os
import sys

from bench import ROOT, fetched, run

# Held-out losses may differ by so much, relative to the cross-entropy.
TOLERANCE = 5e-3
STAGES = ("model", "features", "tempnet", "evaluation")
# By itself each run would take the entropy of its own model, and measure another robust loss.
ENTROPY = 4.5


def measure(bench):
    fetched("austen")
    here = os.getcwd()
    # The pipeline's paths are relative to the root.
    os.chdir(ROOT)
    try:
        runs = {name: measured(bench, name) for name in ("float32", "bfloat16")}
    finally:
        os.chdir(here)
    first, second = runs.values()
    scale = first["policies"]["one"]["cross_entropy"]
    differences = {
        f"{policy}, {loss}": (second["policies"][policy][loss] - value) / scale
        for policy, losses in first["policies"].items() for loss, value in losses.items()
    }
    for name, difference in differences.items():
        if not abs(difference) <= TOLERANCE:
            sys.exit(f"bench: in bfloat16 the loss of {name} is off by {difference:.2%}")
    return {"runs": runs, "differences": differences, "threads": bench.threads}


def measured(bench, arithmetic):
    """Held-out losses of every policy, and how long it took."""
    store = bench.work / f"store-{arithmetic}"
    settings = [f"--set={stage}.{key}" for stage in STAGES
                for key in (f"compute={arithmetic}", "device=cpu", f"threads={bench.threads}")]
    settings += [f"--set={stage}.entropy={ENTROPY}" for stage in ("tempnet", "evaluation")]
    _, seconds, _ = run(
        [bench.programs / "tempnet-run", "--quiet", "--store", store, *settings, "pipelines/austen.yaml"])
    results = json.loads((store / "latest/austen/evaluation/metrics.json").read_text())
    return {
        "seconds": seconds,
        "policies": {
            policy["name"]: {loss: policy[loss] for loss in ("cross_entropy", "robust_loss")}
            for policy in results["policies"]
        },
    }


def show(result):
    print(f"\nthe default pipeline in float32 and bfloat16, {result['threads']} threads: held-out losses")
    runs = result["runs"]
    for policy, losses in runs["float32"]["policies"].items():
        for loss, value in losses.items():
            other = runs["bfloat16"]["policies"][policy][loss]
            print(f"{policy + ', ' + loss.replace('_', ' '):36}{value:>9.4f}{other:>9.4f}"
                  f"{result['differences'][f'{policy}, {loss}']:>+9.2%} of the cross-entropy")
    print(", ".join(f"{name} {run['seconds']:.0f} s" for name, run in runs.items()))
