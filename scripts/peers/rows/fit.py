"""From frozen SmolLM2-135M to a fitted TempNet. Ours: the model's pass over the text (tempnet-features) and the fit, with the
start of the programs. PyTorch: the published way, which runs the model in every step of every epoch. One epoch is measured in
the fastest way of PyTorch, without compiling; ten epochs count ten times as long."""

import collections
import json
import statistics

import bench as shared
from bench import agree, novel, peer

# Few validation tokens: our pass reads them too, PyTorch's timed part does not.
Sizes = collections.namedtuple("Sizes", "tokens validation window step large_step")
FULL = Sizes(tokens=16_384, validation=512, window=256, step=1_024, large_step=8_192)
LEAST = Sizes(tokens=1_024, validation=128, window=64, step=128, large_step=512)
SETTINGS = {
    "entropy": "auto", "hidden": 256, "dropout": 0, "learning_rate": 1e-3, "warmup": 0.05, "seed": 1,
    "keep_best": False, "validations": 1, "tau_min": 0.1, "tau_max": 3,
}


def measure(bench):
    sizes = bench.size(FULL, LEAST)
    model, features, fitted = bench.published_model(), bench.work / "smol-features", bench.work / "smol-tempnet"
    tokens = bench.tokens("smol", corpus=[novel()], tokenizer=str(model))
    passed = bench.compute | {
        "train_tokens": sizes.tokens, "validation_tokens": sizes.validation, "window": sizes.window}

    def fit(step, epochs, output=fitted):
        chosen = SETTINGS | bench.compute | {"batch": step, "epochs": epochs}
        _, seconds, peak = bench.program("fit", chosen, output, "--features", features)
        return seconds, peak, json.loads((output / "artifact.json").read_text())["summary"]["validation"]["robust_loss"]

    def theirs(*words):
        return peer(
            "fit", "--tokens", tokens, "--model", model, "--fitted", fitted, "--threads", bench.threads, "--configuration",
            json.dumps(SETTINGS | passed), "--step-tokens", sizes.step, *words)

    times = {name: [] for name in ("ours, one epoch", "PyTorch, one epoch", "ours, ten epochs", "PyTorch, ten epochs")}
    further, peaks, frozen, best = {}, {}, [], None
    for _ in range(bench.rounds):
        _, first, peak = bench.program("features", passed, features, "--model", model, "--tokens", tokens)
        frozen.append(first)
        times["ours, ten epochs"].append(first + fit(sizes.step, 10)[0])
        seconds, fit_peak, ours = fit(sizes.step, 1)
        times["ours, one epoch"].append(first + seconds)
        peaks["ours, one epoch"] = max(peak, fit_peak)
        if best is None:
            trials = theirs("--trials", *bench.size([], ["--eager"]))
            best = trials["best"]
        result = theirs(*best, "--epochs", 1)
        times["PyTorch, one epoch"].append(result["seconds"])
        times["PyTorch, ten epochs"].append(10 * result["seconds"])
        peaks["PyTorch, one epoch"] = result["peak_mib"]
    check = agree(
        "validation loss of our fit, by us and by PyTorch", [ours], [result["validation_loss_of_ours"]],
        bench.tolerance(1e-4))
    losses = {"ours": ours, "PyTorch": result["validation_loss"]}

    # A further fit on the same features; an epoch is the difference of a long and a short fit.
    for step in (sizes.step, sizes.large_step):
        name = f"{step} tokens per step"
        few, many = bench.size((2, 22), (2, 4))
        short, long = (statistics.median(fit(step, epochs)[0] for _ in range(bench.rounds)) for epochs in (few, many))
        further[name] = (long - short) / (many - few)
    _, _, ours_large = fit(sizes.large_step, 2)
    large = theirs(*best, "--epochs", 2, "--accumulate-to", sizes.large_step)
    return {
        "seconds": times, "peak_mib": peaks, "difference": check, "tokens": sizes.tokens, "validation_loss": losses,
        "further_seconds_per_epoch": further, "their_seconds_per_epoch": {
            f"{sizes.step} tokens per step": statistics.median(times["PyTorch, one epoch"]),
            f"{sizes.large_step} tokens per step": large["seconds"] / 2},
        "further_validation_loss": {"ours": ours_large, "PyTorch": large["validation_loss"]},
        "trials": trials["tokens_per_second"], "best": trials["best"], "threads": bench.threads,
        "frozen_pass": {
            "tokens_per_second": (sizes.tokens + sizes.validation) / statistics.median(frozen),
            "operations_per_token": result["operations_per_token"]},
        "matrix_rate": bench.matrix_rate, "arithmetic": bench.arithmetic,
    }


def show(result):
    for epochs in ("one epoch", "ten epochs"):
        times = {name: values for name, values in result["seconds"].items() if name.endswith(epochs)}
        shared.show(
            f"fit to frozen SmolLM2-135M, {epochs} of {result['tokens']} tokens, {result['threads']} threads",
            times, result["peak_mib"])
    print("PyTorch's ways, tokens per second: " + ", ".join(f"{k} {v:.0f}" for k, v in result["trials"].items())
          + "; the best counts, and decides how many tokens its steps have")
    rate = result["frozen_pass"]["tokens_per_second"]
    operations, matrix_rate = result["frozen_pass"]["operations_per_token"], result["matrix_rate"][result["arithmetic"]]
    share = rate * operations / matrix_rate
    print(f"our frozen pass: {rate:.0f} tokens/s, {share:.0%} of {result['arithmetic']}'s rate, which would be "
          f"{matrix_rate / operations:.0f} tokens/s")
    for name, ours in result["further_seconds_per_epoch"].items():
        theirs = result["their_seconds_per_epoch"][name]
        print(f"a further epoch, {name}: ours {ours:.3f} s, PyTorch {theirs:.1f} s, {theirs / ours:.0f} times")
    for what in ("validation_loss", "further_validation_loss"):
        print(f"{what.replace('_', ' ')}: " + ", ".join(f"{name} {loss:.5f}" for name, loss in result[what].items()))
