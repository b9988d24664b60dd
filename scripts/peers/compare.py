"""Compares our programs with what people use otherwise: same work, same data, same weights, in turn, in one run.

What both sides compute is checked in the same run: losses of the first steps have to agree, the fitted network's loss
has to be what a second implementation finds, ids and merges have to be equal. Prints a table, and writes every figure as
JSON.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from data import read_metrics

HERE = pathlib.Path(__file__).parent

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("rows", nargs="*", metavar="ROW", help="what to compare; everything if nothing is named")
parser.add_argument("--programs", type=pathlib.Path, required=True, help="the folder of the built programs")
parser.add_argument("--json", type=pathlib.Path, default="bench.json", help="where the figures go")
parser.add_argument("--rounds", type=int, default=3, help="how often each side is timed; medians count")
parser.add_argument("--steps", type=int, default=6, help="timed steps per round")
parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
arguments = parser.parse_args()

COMPUTE = {"device": "cpu", "compute": "float32", "threads": arguments.threads}
# The size of the baselines in the paper's spirit: six layers, 17 million parameters, 4,096 tokens per step.
PRETRAIN = COMPUTE | {
    "objective": "robust", "entropy": 1.0, "context": 256, "batch": 16, "seed": 1, "log_interval": 1,
    "validation_interval": 1 << 20, "checkpoint_interval": 1 << 20, "select": "last",
    "model": {"layers": 6, "width": 384, "heads": 6, "attention": "window"},
    # Dropout draws differ between libraries, and a constant rate keeps the schedule out of the comparison.
    "tempnet": {
        "hidden": 256, "coordinates": "published", "dropout": 0, "learning_rate": 3e-4, "schedule": "constant",
        "weight_decay": 0.1,
    },
    "optimiser": {
        "learning_rate": 6e-4, "learning_rate_floor": 6e-4, "warmup": 0, "weight_decay": 0.1, "beta1": 0.9,
        "beta2": 0.95, "epsilon": 1e-8, "gradient_clip": 1,
    },
}
FEATURES = COMPUTE | {"train_tokens": 65_536, "validation_tokens": 8_192}
FIT = COMPUTE | {
    "entropy": "auto", "hidden": 256, "dropout": 0.1, "epochs": 4, "batch": 1024, "learning_rate": 3e-3, "warmup": 0.05,
    "seed": 1, "tau_min": 0.1, "tau_max": 3,
}


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def run(command):
    """Runs a command; what it printed, seconds, and the peak of its memory in MiB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            errors.seek(0)
            sys.exit(f"bench: {command[0]} failed:\n{errors.read().decode()}")
        output.seek(0)
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def program(name, configuration, output, *words):
    """Runs one of our programs into a folder that does not exist yet."""
    shutil.rmtree(output, ignore_errors=True)
    file = output.with_suffix(".yaml")
    file.write_text(json.dumps(configuration))
    return run([arguments.programs / f"tempnet-{name}", *words, "--config", file, "--quiet", "--output", output])


def peer(name, *words):
    output, _, _ = run([sys.executable, HERE / f"{name}.py", *words])
    return json.loads(output)


def agree(what, ours, theirs, tolerance):
    difference = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
    print(f"{what}: largest relative difference {difference:.1e} (tolerance {tolerance:.0e})")
    if not difference <= tolerance:
        sys.exit(f"bench: {what} differ: {ours} and {theirs}")
    return difference


def fetched(data_set):
    """The folder of a data set."""
    subprocess.run([HERE.parent / "fetch-data", HERE.parents[1] / f"data/{data_set}.yaml"], check=True)
    return HERE.parents[1] / "data/cache" / data_set


def installed(package, version):
    """The programs of a Python package in an environment of its own, made once."""
    folder = HERE.parents[1] / ".python" / f"{package}-{version}"
    if not (folder / "complete").exists():
        print(f"installing {package} {version} ...", flush=True)
        run([sys.executable, "-m", "venv", "--clear", folder])
        run([folder / "bin/python", "-m", "pip", "install", "--quiet", f"{package}=={version}"])
        (folder / "complete").touch()
    return folder / "bin"


def novel(work):
    """Tokens of a novel, to train and fit on; made once."""
    tokens = work / "tokens"
    if not tokens.exists():
        text = {"corpus": [str(fetched("austen") / "emma.txt")], "vocabulary": 8192, "validation": 0.05, "test": 0.01}
        program("tokenize", text, tokens)
    return tokens


def bench_encoding(work):
    """Seconds from a text of 122 MB to tokens: ours to shards on disk, the program's start and all reading and writing
    included, tiktoken's from text to ids in memory, on the one core that it uses."""
    text, vocabulary, output = fetched("poetry") / "poetry.txt", fetched("gpt2"), work / "encoded"
    times, peaks = {"ours": [], "ours, one core": [], "tiktoken": []}, {}
    settings = {"corpus": [str(text)], "tokenizer": str(vocabulary), "validation": 0, "test": 0}
    for _ in range(arguments.rounds):
        for name, threads in (("ours, one core", 1), ("ours", arguments.threads)):
            _, seconds, peaks[name] = program("tokenize", settings | {"threads": threads}, output)
            times[name].append(seconds)
        result = peer("tokens", "encode", "--text", text, "--ours", output, "--vocabulary", vocabulary)
        if not result["equal"]:
            sys.exit("bench: our ids are not tiktoken's")
        times["tiktoken"].append(result["seconds"])
        peaks["tiktoken"] = result["peak_mib"]
    return {"seconds": times, "peak_mib": peaks, "bytes": result["bytes"]}


def bench_vocabulary(work):
    """Seconds to learn 32,000 entries from 122 MB; ours encode the text with them as well."""
    text, output = fetched("poetry") / "poetry.txt", work / "vocabulary"
    times, peaks = {"ours, and encoding": [], "tokenizers": []}, {}
    settings = {"corpus": [str(text)], "vocabulary": 32_000, "validation": 0, "test": 0, "threads": arguments.threads}
    for _ in range(arguments.rounds):
        _, seconds, peaks["ours, and encoding"] = program("tokenize", settings, output)
        times["ours, and encoding"].append(seconds)
        result = peer("tokens", "train", "--text", text, "--ours", output, "--threads", arguments.threads)
        if not result["equal"]:
            sys.exit("bench: our merges are not those of tokenizers")
        times["tokenizers"].append(result["seconds"])
        peaks["tokenizers"] = result["peak_mib"]
    return {
        "seconds": times, "peak_mib": peaks, "bytes": text.stat().st_size, "vocabulary": settings["vocabulary"],
    }


def bench_pretraining(work):
    """Seconds per step. Ours: the difference of a long and a short run, which leaves out start and end."""
    tokens = novel(work)
    start = work / "start"
    frozen = json.loads(json.dumps(PRETRAIN)) | {"steps": 1}
    for section in ("optimiser", "tempnet"):
        frozen[section] |= {"learning_rate": 0, "learning_rate_floor": 0}
    program("pretrain", frozen, start, "--tokens", tokens)

    warm_up, steps, model = 2, arguments.steps, work / "model"
    # Standardised coordinates are our default; PyTorch has the published ones.
    standardised = PRETRAIN | {"tempnet": PRETRAIN["tempnet"] | {"coordinates": "standardised"}}
    ours = {"ours": PRETRAIN, "ours, standardised": standardised}
    times, peaks, losses = {name: [] for name in [*ours, "eager", "compiled"]}, {}, {}
    for _ in range(arguments.rounds):
        for name, settings in ours.items():
            _, short, _ = program("pretrain", settings | {"steps": warm_up}, work / "short", "--tokens", tokens)
            _, long, peaks[name] = program("pretrain", settings | {"steps": warm_up + steps}, model, "--tokens", tokens)
            times[name].append((long - short) / steps)
            losses[name] = [line["training"]["loss"] for line in read_metrics(model, "training")]
        for mode in ("eager", "compiled"):
            words = ["--tokens", tokens, "--model", start, "--configuration", json.dumps(PRETRAIN)]
            words += ["--steps", steps, "--warm-up", warm_up] + (["--compile"] if mode == "compiled" else [])
            result = peer("pretrain", *words)
            times[mode].append(result["seconds_per_step"])
            peaks[mode], losses[mode] = result["peak_mib"], result["losses"]
    check = agree("losses of the first steps, ours and eager", losses["ours"], losses["eager"], 1e-3)
    return {
        "seconds_per_step": times, "peak_mib": peaks, "losses": losses, "difference": check,
        "tokens_per_step": PRETRAIN["batch"] * PRETRAIN["context"],
    }


def bench_fit(work):
    """Seconds from a frozen model to a fitted network, programs' start included on our side."""
    tokens = novel(work)
    model, features, fitted = work / "frozen", work / "features", work / "tempnet"
    program("pretrain", PRETRAIN | {"steps": 8}, model, "--tokens", tokens)
    times, peaks = {"ours": [], "ours without features": [], "eager": []}, {}
    for _ in range(arguments.rounds):
        _, first, peak = program("features", FEATURES, features, "--model", model, "--tokens", tokens)
        _, second, fit_peak = program("fit", FIT, fitted, "--features", features)
        times["ours"].append(first + second)
        times["ours without features"].append(second)
        peaks["ours"] = max(peak, fit_peak)
        settings = json.dumps(FIT | FEATURES)
        result = peer("fit", "--tokens", tokens, "--model", model, "--fitted", fitted, "--configuration", settings)
        times["eager"].append(result["seconds"])
        peaks["eager"] = result["peak_mib"]
    manifest = json.loads((fitted / "artifact.json").read_text())
    ours = manifest["summary"]["validation"]["robust_loss"]
    check = agree("validation loss of our fit, by us and by PyTorch", [ours], [result["validation_loss_of_ours"]], 1e-4)
    return {
        "seconds": times, "peak_mib": peaks, "difference": check, "passes": FIT["epochs"],
        "tokens": FEATURES["train_tokens"], "validation_loss": {"ours": ours, "eager": result["validation_loss"]},
    }


def bench_generation(work):
    """Milliseconds per token of SmolLM2's likeliest continuation, without and with a TempNet. The same tokens, because no
    temperature changes which is the likeliest; the difference of a long and a short run leaves out the start."""
    model = fetched("smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
    tokens, features, fitted = work / "smol-tokens", work / "smol-features", work / "smol-tempnet"
    text = {"corpus": [str(fetched("austen") / "emma.txt")], "tokenizer": str(model)}
    program("tokenize", text, tokens)
    program("features", COMPUTE | {"train_tokens": 2048, "validation_tokens": 512, "window": 256}, features,
            "--model", model, "--tokens", tokens)
    program("fit", FIT | {"batch": 512}, fitted, "--features", features)
    policies = {"ours": fitted, "ours, temperature 1": "1"}
    times, texts = {name: [] for name in policies}, {}
    for _ in range(arguments.rounds):
        for name, policy in policies.items():
            seconds, count = [], []
            for length in (16, 144):
                output, taken, _ = run([
                    arguments.programs / "tempnet-generate", "--model", model, "--policy", policy, "--top-k", 1, "--json",
                    "--prompt", "The history of the town begins", "--max-tokens", length, "--device", "cpu",
                    "--threads", arguments.threads, "--quiet"])
                texts[name] = [token["id"] for token in json.loads(output)["tokens"]]
                seconds.append(taken)
                count.append(len(texts[name]))
            times[name].append(1000 * (seconds[1] - seconds[0]) / (count[1] - count[0]))
    if texts["ours"] != texts["ours, temperature 1"]:
        sys.exit("bench: a TempNet changed the likeliest token")
    return {"milliseconds_per_token": times, "tokens": len(texts["ours"])}


def bench_finished(work):
    """Seconds of a run that finds everything done, over more than a gigabyte of artifacts: tempnet-run, and `dvc repro` of
    the same stages. The least of many runs: a longer one had to wait for something else."""
    folder = work / "finished"
    folder.mkdir()
    shutil.copy(fetched("austen") / "emma.txt", folder / "text.txt")
    stages = {
        "tokens": {"run": "tokenize", "with": {"corpus": ["text.txt"], "vocabulary": 512}},
        "model": {"run": "pretrain", "from": {"tokens": "tokens"}, "with": COMPUTE | {
            "entropy": 1.0, "steps": 1, "batch": 1, "model": {"layers": 1, "width": 1024, "heads": 8}}},
        "features": {"run": "features", "from": {"model": "model", "tokens": "tokens"}, "with": COMPUTE | {
            "train_tokens": 300_000, "validation_tokens": 8_192}},
        "tempnet": {"run": "fit", "from": {"features": "features"}, "with": COMPUTE | {"entropy": "auto", "epochs": 0.1}},
    }
    (folder / "pipeline.yaml").write_text(json.dumps({"pipeline": "finished", "stages": stages}))
    ours = [arguments.programs / "tempnet-run", "--quiet", folder / "pipeline.yaml"]
    dvc = [installed("dvc", "3.67.1") / "dvc"]
    here = pathlib.Path.cwd()
    os.chdir(folder)
    try:
        run(ours)
        # The same artifacts, each made by a copy, so that DVC's first run takes no training.
        results = {name: (folder / "store/latest/finished" / name).resolve() for name in stages}
        size = sum(file.stat().st_size for result in results.values() for file in result.rglob("*"))
        run([*dvc, "init", "--no-scm", "--quiet"])
        (folder / "dvc.yaml").write_text(json.dumps({"stages": {
            name: {
                "cmd": f"cp -r {results[name]} {name}", "outs": [name],
                "deps": [*stage.get("from", {}).values(), *stage["with"].get("corpus", [])],
            } for name, stage in stages.items()
        }}))
        run([*dvc, "repro", "--quiet"])
        times = {"ours": [], "dvc": []}
        for _ in range(max(arguments.rounds, 10)):
            times["ours"].append(run(ours)[1])
        for _ in range(arguments.rounds):
            times["dvc"].append(run([*dvc, "repro", "--quiet"])[1])
    finally:
        os.chdir(here)
    return {"seconds": {name: [min(values)] for name, values in times.items()}, "bytes": size}


def show(title, times, peaks):
    print(f"\n{title}\n{'':24}{'median':>10}{'ours is faster by':>20}{'peak memory':>14}")
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        ratio = "" if name.startswith("ours") else f"{median / first:.2f}"
        peak = f"{peaks[name]:,.0f} MiB" if name in peaks else ""
        print(f"{name:24}{median:>8.3f} s{ratio:>20}{peak:>14}")


def show_pretraining(result):
    tokens = result["tokens_per_step"]
    show(
        f"joint pretraining, seconds per step of {tokens} tokens, float32, {arguments.threads} threads",
        result["seconds_per_step"], result["peak_mib"])


def show_fit(result):
    show(
        f"fit to a frozen model, {result['passes']} passes over {result['tokens']} tokens, float32", result["seconds"],
        result["peak_mib"])
    losses = result["validation_loss"]
    print(f"validation robust loss after the fit: ours {losses['ours']:.5f}, PyTorch {losses['eager']:.5f}")


def show_encoding(result):
    show(
        f"encoding {result['bytes'] / 1e6:.0f} MB with GPT-2's vocabulary, equal ids, {arguments.threads} threads",
        result["seconds"], result["peak_mib"])
    one, theirs = (statistics.median(result["seconds"][name]) for name in ("ours, one core", "tiktoken"))
    print(f"on one core ours is faster by {theirs / one:.2f}")


def show_vocabulary(result):
    show(
        f"learning {result['vocabulary']:,} entries from {result['bytes'] / 1e6:.0f} MB, equal merges, "
        f"{arguments.threads} threads", result["seconds"], result["peak_mib"])


def show_generation(result):
    medians = {name: statistics.median(values) for name, values in result["milliseconds_per_token"].items()}
    share = medians["ours"] / medians["ours, temperature 1"] - 1
    print(f"\ngeneration with SmolLM2, {result['tokens']} equal tokens, {arguments.threads} threads")
    for name, median in medians.items():
        print(f"{name:24}{median:>8.2f} ms per token")
    print(f"a TempNet costs {100 * share:.1f} % more")


def show_finished(result):
    show(f"a finished pipeline with {result['bytes'] / 1e9:.2f} GB of artifacts, run again", result["seconds"], {})


ROWS = {
    "encoding": (bench_encoding, show_encoding),
    "vocabulary": (bench_vocabulary, show_vocabulary),
    "pretraining": (bench_pretraining, show_pretraining),
    "fit": (bench_fit, show_fit),
    "generation": (bench_generation, show_generation),
    "finished": (bench_finished, show_finished),
}
if unknown := [row for row in arguments.rows if row not in ROWS]:
    parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")

machine = {"processor": processor(), "threads": arguments.threads}
print(f"{machine['processor']}, {machine['threads']} threads, medians of {arguments.rounds} rounds")
results = {"machine": machine, "rounds": arguments.rounds}
with tempfile.TemporaryDirectory() as folder:
    for row in arguments.rows or ROWS:
        measure, show_row = ROWS[row]
        results[row] = measure(pathlib.Path(folder))
        # Whatever becomes of the other rows.
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
        show_row(results[row])
        sys.stdout.flush()
print(f"\nall figures: {arguments.json}")
