"""The effect of bfloat16 on quality: held-out losses of the default pipeline with its large products in float32 and in
bfloat16, and in float32 with another seed, to show the effect of chance. A processor without bfloat16 products makes the same
roundings in float32."""

import json
import os

from bench import ROOT, fetched, run

# The most that held-out losses may be higher, relative to the cross-entropy.
TOLERANCE = 5e-3
STAGES = ("model", "features", "tempnet", "evaluation")
# Without this each run would take the entropy of its own model, and so another robust loss.
ENTROPY = 4.5
# Settings of each stage for --smoke.
LEAST = {
    "tokens": ["vocabulary=300", "corpus=[data/cache/austen/northanger-abbey.txt]", "validation=0.02", "test=0.02"],
    "model": [
        "steps=2", "batch=2", "context=64", "model.layers=1", "model.width=16", "model.heads=1"],
    "features": ["train_tokens=512", "validation_tokens=128"], "tempnet": ["epochs=1", "batch=128"],
    "evaluation": ["bootstrap.resamples=100", "validation_tokens=512", "batch_tokens=8192"],
}
# The arithmetic and the seed of each run.
RUNS = {"float32": ("float32", 1), "bfloat16": ("bfloat16", 1), "float32, other seed": ("float32", 2)}


def measure(bench):
    fetched("austen")
    here = os.getcwd()
    # The pipeline's paths are relative to the root.
    os.chdir(ROOT)
    try:
        runs = {name: measured(bench, *chosen) for name, chosen in RUNS.items()}
    finally:
        os.chdir(here)
    first = runs["float32"]["losses"]
    differences = {
        name: {key: (loss - first[key]) / first["one, cross entropy"] for key, loss in run["losses"].items()}
        for name, run in runs.items() if name != "float32"
    }
    return {
        "runs": runs, "differences": differences, "threads": bench.threads,
        "is_as_good": max(differences["bfloat16"].values()) <= TOLERANCE,
    }


def measured(bench, arithmetic, seed):
    """Held-out losses of every policy, and the duration."""
    store = bench.work / f"store-{arithmetic}-{seed}"
    settings = [f"--set={stage}.{key}" for stage in STAGES
                for key in (f"compute={arithmetic}", "device=cpu", f"threads={bench.threads}")]
    settings += [f"--set={stage}.seed={seed}" for stage in ("model", "tempnet")]
    settings += [f"--set={stage}.entropy={ENTROPY}" for stage in ("tempnet", "evaluation")]
    settings += [f"--set={stage}.{setting}" for stage, least in bench.size({}, LEAST).items() for setting in least]
    _, seconds, _ = run(
        [bench.programs / "tempnet-run", "--quiet", "--store", store, *settings, "pipelines/austen.yaml"])
    results = json.loads((store / "latest/austen/evaluation/metrics.json").read_text())
    return {
        "seconds": seconds,
        "losses": {
            f"{policy['name']}, {loss.replace('_', ' ')}": policy[loss]
            for policy in results["policies"] for loss in ("cross_entropy", "robust_loss")
        },
    }


def show(result):
    runs, differences = result["runs"], result["differences"]
    print(f"\nthe default pipeline, {result['threads']} threads: held-out losses, differences in shares of the cross-entropy")
    print(" " * 36 + "".join(f"{name:>24}" for name in runs))
    for key, loss in runs["float32"]["losses"].items():
        others = "".join(f"{runs[name]['losses'][key]:>15.4f} {differences[name][key]:>+8.2%}" for name in differences)
        print(f"{key:36}{loss:>24.4f}{others}")
    print(" " * 36 + "".join(f"{run['seconds']:>22.0f} s" for run in runs.values()))
    if not result["is_as_good"]:
        print(f"bfloat16 is worse by more than {TOLERANCE:.1%}")
