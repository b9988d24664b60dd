"""A run of a finished pipeline with more than a gigabyte of artifacts: tempnet-run, and `dvc repro` of the same stages. The
least time of many runs counts, because longer ones waited for other work."""

import json
import os
import pathlib
import shutil

import bench as shared
from bench import installed, novel, run


def measure(bench):
    folder = bench.work / "finished"
    folder.mkdir()
    shutil.copy(novel(), folder / "text.txt")
    stages = {
        "tokens": {"run": "tokenize", "with": {"corpus": ["text.txt"], "vocabulary": 512}},
        "model": {"run": "pretrain", "from": {"tokens": "tokens"}, "with": bench.compute | {
            "entropy": 1.0, "steps": 1, "batch": 1, "model": {"layers": 1, "width": bench.size(1024, 64), "heads": 8}}},
        "features": {"run": "features", "from": {"model": "model", "tokens": "tokens"}, "with": bench.compute | {
            "train_tokens": bench.size(300_000, 4096), "validation_tokens": bench.size(8_192, 512)}},
        "tempnet": {"run": "fit", "from": {"features": "features"}, "with": bench.compute | {
            "entropy": "auto", "epochs": bench.size(0.1, 1)}},
    }
    (folder / "pipeline.yaml").write_text(json.dumps({"pipeline": "finished", "stages": stages}))
    ours = [bench.programs / "tempnet-run", "--quiet", folder / "pipeline.yaml"]
    dvc = [installed("dvc", "3.67.1") / "dvc"]
    here = pathlib.Path.cwd()
    os.chdir(folder)
    try:
        run(ours)
        # The same artifacts, each made by a copy, so that DVC's first run needs no training.
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
        for _ in range(bench.size(max(bench.rounds, 10), 1)):
            times["ours"].append(run(ours)[1])
        for _ in range(bench.rounds):
            times["dvc"].append(run([*dvc, "repro", "--quiet"])[1])
    finally:
        os.chdir(here)
    return {"seconds": {name: [min(values)] for name, values in times.items()}, "bytes": size}


def show(result):
    shared.show(f"a finished pipeline with {result['bytes'] / 1e9:.2f} GB of artifacts, run again", result["seconds"], {})
