"""The share of the processors that joint pretraining gets beside other work: steps of the row `pretraining`, alone and beside
busy loops of the same priority; ours with all threads and with one, which waits for no other, and PyTorch's peer.

With a fair share, T threads beside L loops on P processors would take min(T, P) (T + L) / (P T) times as long as alone: for
two threads beside four loops on two processors, three times. Ours is the difference of a long and a short run, which excludes
start and end; PyTorch's peer counts the steps after the first ones.

One more run shows the loss of ours beside the loops: the seconds that its main thread computed in parallel regions and the
seconds that it waited in them for other threads, by the code that began the region."""

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import agree, peer
from data import read_metrics

from rows import pretraining

LOOPS, TURNS = 4, 5
GOAL, ADVANTAGE = 0.8, 1.5
# The loops end with the bench, also after a failure.
LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1 << 20): pass"
# Time for new loops to spread over the processors.
SETTLING = 1.0


@contextlib.contextmanager
def busy(loops):
    processes = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(loops)]
    try:
        time.sleep(SETTLING if loops else 0)
        yield
        if any(process.poll() is not None for process in processes):
            sys.exit("bench: a busy loop has ended by itself")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def processor_seconds():
    """Of all processes that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ours(bench, text, threads):
    """Wall and processor seconds of a step, and the losses."""
    configuration = pretraining.settings(bench) | {"threads": threads}
    model, costs = bench.work / "busy-model", []
    for steps in (pretraining.WARM_UP, pretraining.WARM_UP + bench.steps):
        before = processor_seconds()
        _, seconds, _ = bench.program("pretrain", configuration | {"steps": steps}, model, "--tokens", text)
        costs.append((seconds, processor_seconds() - before))
    (short, computed_short), (long, computed_long) = costs
    losses = [line["training"]["loss"] for line in read_metrics(model, "training")]
    return (long - short) / bench.steps, (computed_long - computed_short) / bench.steps, losses


def kind(library, symbol):
    """Who began a parallel region, by the library and the nearest exported symbol of the place."""
    if "libtorch" not in library:
        return "our kernels"
    # MKL is a part of libtorch's library, and its entries are exported.
    return "MKL" if symbol.startswith(("mkl_", "MKL", "SGEMM", "DGEMM", "cblas_", "vms", "vml")) else "libtorch's kernels"


def waiting(bench, text):
    """Regions, seconds in their bodies and seconds waited of each kind, in all steps of one run of ours beside loops."""
    shim, report = bench.work / "waiting.so", bench.work / "waiting"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", shim,
                    Path(__file__).parent.parent / "waiting.c", "-ldl"], check=True)
    configuration = pretraining.settings(bench) | {"threads": bench.threads, "steps": pretraining.WARM_UP + bench.steps}
    report.unlink(missing_ok=True)
    with busy(bench.size(LOOPS, 1)):
        _, seconds, _ = bench.program(
            "pretrain", configuration, bench.work / "busy-model", "--tokens", text,
            environment={"LD_PRELOAD": str(shim), "WAITING_REPORT": str(report)})
    kinds = {name: [0, 0.0, 0.0] for name in ("our kernels", "libtorch's kernels", "MKL")}
    for line in report.read_text().splitlines():
        regions, body, waited, library, symbol = line.split("\t")
        entry = kinds[kind(library, symbol)]
        for index, value in enumerate((int(regions), float(body), float(waited))):
            entry[index] += value
    return {"seconds": seconds, "kinds": kinds}


def theirs(bench, text, start):
    # The bench's arithmetic for ours.
    words = ["--autocast"] if bench.arithmetic == "bfloat16" else []
    result = peer(
        "pretrain", "--tokens", text, "--model", start, "--configuration", json.dumps(pretraining.settings(bench)),
        "--steps", bench.steps, "--warm-up", pretraining.WARM_UP, *words)
    return result["seconds_per_step"], result["processor_seconds_per_step"], result["losses"]


def measure(bench):
    text, start = pretraining.tokens(bench), bench.work / "busy-start"
    bench.program("pretrain", pretraining.unmoved(pretraining.settings(bench)), start, "--tokens", text)
    sides = {
        "ours": (bench.threads, lambda: ours(bench, text, bench.threads)),
        "PyTorch": (bench.threads, lambda: theirs(bench, text, start)),
        "ours, one thread": (1, lambda: ours(bench, text, 1)),
    }
    if bench.threads == 1:
        del sides["ours, one thread"]
    losses, some = {}, bench.size(LOOPS, 1)
    turns = {name: {0: [], some: []} for name in sides}
    for _ in range(bench.size(TURNS, 1)):
        for loops in (0, some):
            for name, (_, side) in sides.items():
                with busy(loops):
                    seconds, computed, found = side()
                turns[name][loops].append((seconds, computed))
                # Ours promises equal bytes for equal numbers of threads.
                if losses.setdefault(name, found) != found and name != "PyTorch":
                    sys.exit(f"bench: {name}: other losses beside busy loops: {losses[name]} and {found}")
    # With autocast PyTorch's logits are bfloat16 too.
    tolerance = 1e-3 if bench.arithmetic == "float32" else 1e-2
    check = agree("losses of the first steps, ours and PyTorch's", losses["ours"], losses["PyTorch"], tolerance)
    processors = len(os.sched_getaffinity(0))
    return {
        "sides": {
            name: {
                "threads": threads, "alone": turns[name][0], "busy": turns[name][some],
                "factor": factor(threads, some, processors),
            } for name, (threads, _) in sides.items()
        }, "waiting": waiting(bench, text) if bench.threads > 1 else None, "loops": some, "processors": processors, "difference": check, "arithmetic": bench.arithmetic,
    }


def factor(threads, loops, processors):
    """How much longer the same takes with a fair share than alone."""
    return max(1, min(threads, processors) * (threads + loops) / (processors * threads))


def median(costs):
    """Of wall and of processor seconds."""
    return [statistics.median(part) for part in zip(*costs)]


def share(side):
    return side["factor"] * median(side["alone"])[0] / median(side["busy"])[0]


def show(result):
    print(f"\njoint pretraining in {result['arithmetic']}, seconds per step (processor seconds), alone and beside "
          f"{result['loops']} busy loops on {result['processors']} processors, medians of {TURNS} turns")
    print(f"{'':20}{'threads':>8}{'alone':>18}{'beside loops':>20}{'fair share':>12}")
    for name, side in result["sides"].items():
        cells = [f"{wall:.3f} ({computed:.3f})" for wall, computed in (median(side["alone"]), median(side["busy"]))]
        print(f"{name:20}{side['threads']:>8}{cells[0]:>18}{cells[1]:>20}{share(side):>12.0%}")
    if result["waiting"]:
        seconds, kinds = result["waiting"]["seconds"], result["waiting"]["kinds"]
        print(f"\nwhere a run of {seconds:.1f} s beside the loops waits for its other threads")
        print(f"{'':20}{'regions':>8}{'in bodies, s':>18}{'waiting, s':>20}")
        for name, (regions, body, waited) in kinds.items():
            print(f"{name:20}{regions:>8}{body:>18.2f}{waited:>20.2f}")
    own, other = (share(result["sides"][name]) for name in ("ours", "PyTorch"))
    print(f"goals: {GOAL:.0%} of the fair share: {'reached' if own >= GOAL else 'not reached'}; {ADVANTAGE} times PyTorch's: "
          f"{own / other:.2f} times, {'reached' if own >= ADVANTAGE * other else 'not reached'}")
