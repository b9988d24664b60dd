"""A joint step of language model and TempNet. Ours: the difference of a long and a short run, which excludes start
and end. The share of the machine's matrix speed counts the arithmetic of the language model, not of the TempNet."""

import json
import statistics

import bench as shared
from bench import agree, fetched, novel, peer
from data import read_metrics

# The baselines in the paper's spirit, of 17 million parameters, and the paper's own shape, whose head is not tied. GPT-2's
# 50,257 ids are not padded to 50,304 on either side.
SHAPES = {
    "": {"batch": 16, "model": {"layers": 6, "width": 384, "heads": 6, "attention": "window"}},
    "125m": {"batch": 4, "model": {"layers": 12, "width": 768, "heads": 12, "attention": "window"}},
}
SETTINGS = {
    "objective": "robust", "entropy": 1.0, "context": 256, "seed": 1, "log_interval": 1,
    "validation_interval": 1 << 20, "checkpoint_interval": 1 << 20, "select": "last",
    # Without dropout, whose draws differ between libraries; a constant rate excludes the schedule from the comparison.
    "tempnet": {
        "hidden": 256, "coordinates": "published", "dropout": 0, "learning_rate": 3e-4, "schedule": "constant",
        "weight_decay": 0.1,
    },
    "optimiser": {
        "learning_rate": 6e-4, "learning_rate_floor": 6e-4, "warmup": 0, "weight_decay": 0.1, "beta1": 0.9,
        "beta2": 0.95, "epsilon": 1e-8, "gradient_clip": 1,
    },
}
# The shape for --smoke.
LEAST = {
    "batch": 2, "context": 32, "model": {"layers": 1, "width": 32, "heads": 2, "attention": "window"},
    "tempnet": SETTINGS["tempnet"] | {"hidden": 16},
}
WARM_UP = 2
# PyTorch's ways for the same step; the fastest counts.
MODES = {
    "eager": [], "compiled": ["--compile"], "eager, bfloat16": ["--autocast"],
    "compiled, bfloat16": ["--compile", "--autocast"],
}


def settings(bench, size=""):
    return SETTINGS | bench.size(SHAPES[size], LEAST) | bench.compute


def tokens(bench, size=""):
    """Tokens of a novel, to train and fit on."""
    vocabulary = {"tokenizer": str(fetched("gpt2"))} if size else {"vocabulary": bench.size(8192, 512)}
    return bench.tokens(f"novel{size}", corpus=[novel()], validation=bench.size(0.05, 0.005), test=0.01, **vocabulary)


def unmoved(configuration):
    """One step with rates of zero, which keeps the initial weights."""
    frozen = configuration | {"steps": 1}
    for section in ("optimiser", "tempnet"):
        frozen[section] = frozen[section] | {"learning_rate": 0, "learning_rate_floor": 0}
    return frozen


def measure(bench, size=""):
    configuration, text = settings(bench, size), tokens(bench, size)
    start, model = bench.work / f"start{size}", bench.work / f"model{size}"
    bench.program("pretrain", unmoved(configuration), start, "--tokens", text)
    # Ours has standardised coordinates by default; PyTorch has the published ones.
    standardised = configuration | {"tempnet": configuration["tempnet"] | {"coordinates": "standardised"}}
    ours = {"ours": configuration, "ours, standardised": standardised}
    # An emulated step in bfloat16 takes minutes and tells nothing.
    rates = bench.matrix_rate
    modes = {name: words for name, words in MODES.items()
             if "bfloat16" not in name or rates["bfloat16"] > rates["float32"] / 10}
    if bench.smoke:
        # Compiling takes most of a minute.
        modes = {"eager": []}
    times, peaks, losses = {name: [] for name in [*ours, *modes]}, {}, {}
    for number in range(bench.rounds):
        for name, chosen in ours.items():
            _, short, _ = bench.program("pretrain", chosen | {"steps": WARM_UP}, model, "--tokens", text)
            _, long, peaks[name] = bench.program(
                "pretrain", chosen | {"steps": WARM_UP + bench.steps}, model, "--tokens", text)
            times[name].append((long - short) / bench.steps)
            losses[name] = [line["training"]["loss"] for line in read_metrics(model, "training")]
        for mode, words in modes.items():
            # A way half as fast as the best in float32 in the first round will not be the fastest.
            if number and times[mode][0] > 2 * min(times["eager"][0], times["compiled"][0]):
                continue
            result = peer(
                "pretrain", "--tokens", text, "--model", start, "--configuration", json.dumps(configuration),
                "--steps", bench.steps, "--warm-up", WARM_UP, *words)
            times[mode].append(result["seconds_per_step"])
            peaks[mode], losses[mode] = result["peak_mib"], result["losses"]
    check = agree("losses of the first steps, ours and eager", losses["ours"], losses["eager"], bench.tolerance(1e-3))
    count = configuration["batch"] * configuration["context"]
    return {
        "seconds": times, "peak_mib": peaks, "losses": losses, "difference": check, "tokens_per_step": count,
        "parameters": result["parameters"], "operations_per_step": 3 * result["operations_per_token"] * count,
        "matrix_rate": bench.matrix_rate, "arithmetic": bench.arithmetic, "threads": bench.threads,
    }


def show(result):
    arithmetic, rate = result["operations_per_step"], result["matrix_rate"][result["arithmetic"]]

    def share(name):
        return f"  {arithmetic / statistics.median(result['seconds'][name]) / rate:4.0%} of {result['arithmetic']}'s rate"

    shared.show(
        f"joint pretraining of {result['parameters'] / 1e6:.0f} M parameters, seconds per step of "
        f"{result['tokens_per_step']} tokens, {result['threads']} threads",
        result["seconds"], result["peak_mib"],
        note=share)
    print(f"16 bytes for each parameter are {16 * result['parameters'] / 2**20:,.0f} MiB")
