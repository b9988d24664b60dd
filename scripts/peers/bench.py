"""Common parts of the rows of scripts/bench: run our programs and their peers as processes, and measure time and memory."""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]


@dataclasses.dataclass(eq=False)
class Bench:
    """The settings of one run. `work` is a folder that is removed at its end."""

    programs: pathlib.Path
    work: pathlib.Path
    rounds: int
    steps: int
    threads: int
    arithmetic: str
    # Least sizes: shows that a row runs and that results agree; times mean nothing.
    smoke: bool = False

    def size(self, full, least):
        """The full size for measuring, or the least size with which the row still does everything."""
        return least if self.smoke else full

    @property
    def compute(self):
        """Settings of all our programs that compute."""
        return {"device": "cpu", "compute": self.arithmetic, "threads": self.threads}

    def tolerance(self, of_float32):
        """The tolerance between losses of two programs; 0.005 in bfloat16."""
        return of_float32 if self.arithmetic == "float32" else 5e-3

    def program(self, name, configuration, output, *words, environment=None):
        """Runs one of our programs with a new output folder, and with further environment variables."""
        shutil.rmtree(output, ignore_errors=True)
        file = output.with_suffix(".yaml")
        file.write_text(json.dumps(configuration))
        command = [self.programs / f"tempnet-{name}", *words, "--config", file, "--quiet", "--output", output]
        return run(command, environment)

    def tokens(self, name, **settings):
        """An artifact of tokens, made once."""
        output = self.work / f"tokens-{name}"
        if not output.exists():
            self.program("tokenize", settings, output)
        return output

    def verse(self):
        """122 MB of English; with --smoke a novel."""
        return pathlib.Path(novel()) if self.smoke else verse()

    def published_model(self):
        """SmolLM2-135M as a GGUF file; with --smoke a small model of our own."""
        return self.small_model if self.smoke else published_model()

    @functools.cached_property
    def small_model(self):
        tokens = self.tokens("small", corpus=[novel()], vocabulary=512, validation=0.01, test=0.01)
        model, exported = self.work / "small-model", self.work / "small-gguf"
        shape = {"layers": 2, "width": 64, "heads": 2, "norm": "rms", "activation": "swiglu", "biases": "none"}
        settings = {"objective": "cross_entropy", "context": 512, "batch": 1, "steps": 1, "seed": 1, "model": shape}
        self.program("pretrain", settings | self.compute, model, "--tokens", tokens)
        self.program("export", {"format": "gguf"}, exported, "--model", model)
        return exported / "model.gguf"

    @functools.cached_property
    def matrix_rate(self):
        """The most float operations per second that any matrix product of this machine reaches, by type."""
        rates = peer("rates", "--threads", self.threads, *self.size([], ["--least"]))
        print("matrix products: " + ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in rates.items()))
        return rates


def run(command, environment=None):
    """Runs a command; returns its output, seconds, and peak memory in MiB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(word) for word in command], stdout=output, stderr=errors, env=os.environ | (environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            errors.seek(0)
            sys.exit(f"bench: {command[0]} failed:\n{errors.read().decode()}")
        output.seek(0)
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def peer(name, *words, python=sys.executable):
    """Runs one of the programs beside this file; returns the JSON that it printed."""
    output, _, _ = run([python, HERE / f"{name}.py", *words])
    return json.loads(output)


def agree(what, ours, theirs, tolerance):
    """Ends the run if two lists of numbers differ by more than a relative tolerance; returns the largest difference."""
    difference = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
    print(f"{what}: largest relative difference {difference:.1e} (tolerance {tolerance:.0e})")
    if not difference <= tolerance:
        sys.exit(f"bench: {what} differ: {ours} and {theirs}")
    return difference


def fetched(data_set):
    """The folder of a data set."""
    subprocess.run([ROOT / "scripts/fetch-data", ROOT / f"data/{data_set}.yaml"], check=True)
    return ROOT / "data/cache" / data_set


def novel():
    return str(fetched("austen") / "emma.txt")


def verse():
    """122 MB of English."""
    return fetched("poetry") / "poetry.txt"


def published_model():
    return fetched("smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"


def installed(package, version, alone_with=None):
    """The programs of a Python package in an environment of its own, made once. It also has the packages of this one.

    With `alone_with`, a list of packages, only these are installed with it: its other requirements are for parts that are
    not used here, or are packages of this environment."""
    folder = ROOT / ".python" / f"{package}-{version}"
    # A plain path would ignore the path's .pth files, and so the torch that is borrowed from libtorch.
    outer = "".join(f"import site; site.addsitedir({path!r})\n" for path in sys.path if path.endswith("-packages"))
    further = [] if alone_with is None else ["--no-deps", *alone_with]
    install = [
        "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--prefer-binary",
        f"{package}=={version}", *further]
    # An environment of another recipe or Python is made anew.
    recipe = hashlib.sha256(json.dumps([sys.version, outer, install]).encode()).hexdigest()
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != recipe:
        print(f"installing {package} {version} ...", flush=True)
        run([sys.executable, "-m", "venv", "--clear", folder])
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "outer.pth").write_text(outer)
        run([folder / "bin/python", *install])
        complete.write_text(recipe)
    return folder / "bin"


def show(title, times, peaks, note=lambda name: ""):
    """Prints a table of medians in seconds. Rows of others have their ratio to the first line."""
    print(f"\n{title}\n{'':28}{'median':>12}{'ours is faster by':>20}{'peak memory':>14}")
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        ratio = "" if name.startswith("ours") else f"{median / first:.2f}"
        peak = f"{peaks[name]:,.0f} MiB" if name in peaks else ""
        print(f"{name:28}{median:>10.3f} s{ratio:>20}{peak:>14}{note(name)}")
