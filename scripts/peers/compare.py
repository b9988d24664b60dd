"""Compares our programs with the usual tools: same work, same data, same weights, in turn, in one run.

The run also checks the results of both sides: losses of the first steps have to agree, the fitted network's loss has to
equal that of a second implementation, and ids, merges and log-likelihoods have to be equal. Prints a table for each row,
and writes every figure as JSON.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import pathlib
import platform
import sys
import tempfile
import time

from bench import Bench

ROWS = [
    "encoding", "vocabulary", "pretraining", "pretraining-125m", "fit", "scoring", "generation", "precision",
    "finished", "start", "growth", "busy",
]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("rows", nargs="*", metavar="ROW", help="what to compare; everything if nothing is named")
parser.add_argument("--programs", type=lambda path: pathlib.Path(path).resolve(), required=True,
    help="the folder of the built programs")
parser.add_argument("--json", type=pathlib.Path, help="where the figures go: bench.json, or nowhere with --smoke")
parser.add_argument("--smoke", action="store_true",
    help="least sizes, no times: only that the rows run, and that what both sides compute agrees")
parser.add_argument("--rounds", type=int, default=3, help="how often each side is timed; medians count")
parser.add_argument("--steps", type=int, default=6, help="timed steps per round")
parser.add_argument(
    "--compute", choices=("auto", "float32", "bfloat16"), default="auto",
    help="what our programs multiply in; auto is bfloat16 where the processor multiplies it faster, as in the programs")
parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
arguments = parser.parse_args()
if arguments.smoke:
    arguments.rounds, arguments.steps = 1, 2
if arguments.json is None and not arguments.smoke:
    arguments.json = pathlib.Path("bench.json")
if unknown := [row for row in arguments.rows if row not in ROWS]:
    parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    units = [unit for unit in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if unit in flags]
    return {
        "processor": names[0] if names else platform.machine(), "units": units, "threads": arguments.threads,
        "system": platform.platform(), "python": platform.python_version(),
        "packages": (pathlib.Path(__file__).parents[1] / "requirements.txt").read_text().split("\n")[1:-1],
    }


results = {"machine": machine(), "rounds": arguments.rounds}
fastest = "bfloat16" if {"amx_bf16", "avx512_bf16"} & set(results["machine"]["units"]) else "float32"
results["arithmetic"] = arithmetic = fastest if arguments.compute == "auto" else arguments.compute
print(f"{results['machine']['processor']} ({', '.join(results['machine']['units'])}), {arguments.threads} threads, "
      f"{arithmetic}, " + ("least sizes" if arguments.smoke else f"medians of {arguments.rounds} rounds"))
with tempfile.TemporaryDirectory() as folder:
    bench = Bench(
        arguments.programs, pathlib.Path(folder), arguments.rounds, arguments.steps, arguments.threads, arithmetic,
        arguments.smoke)
    for row in arguments.rows or ROWS:
        name, _, size = row.partition("-")
        module = importlib.import_module(f"rows.{name}")
        start = time.perf_counter()
        results[row] = module.measure(bench, size) if size else module.measure(bench)
        # Whatever becomes of the other rows.
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")
        if arguments.smoke:
            # Its table is made too, and thrown away.
            with contextlib.redirect_stdout(io.StringIO()):
                module.show(results[row])
            print(f"{row}: runs, and the results agree ({time.perf_counter() - start:.0f} s)")
        else:
            module.show(results[row])
        sys.stdout.flush()
if arguments.json:
    print(f"\nall figures: {arguments.json}")
