#!/usr/bin/env python3
"""Compares the contexts and continuations of data/arc.yaml with those of lm-evaluation-harness 0.4.13.

    check_arc.py FOLDER    # data/cache/arc

Run by a Python that has lm_eval. The harness's own templates are filled with the question and the choices of twenty items of
each task, spread over the file. Prints what was compared, or ends with the first text that differs.
"""

import json
import pathlib
import sys

import lm_eval
import yaml
from jinja2 import BaseLoader, Environment, StrictUndefined

TASKS = ("arc_easy", "arc_challenge")
ITEMS = 20


def template(task, name):
    folder = pathlib.Path(lm_eval.__file__).parent / "tasks/arc"
    loader = yaml.SafeLoader
    loader.add_constructor("!function", lambda *_: None)
    settings = {}
    for file in ("arc_easy.yaml", f"{task}.yaml"):
        settings |= yaml.load((folder / file).read_text(), Loader=loader)
    return settings[name]


def render(text, document):
    return Environment(loader=BaseLoader, undefined=StrictUndefined).from_string(text).render(**document)


def main(folder):
    for task in TASKS:
        items = {}
        for line in open(folder / f"{task}.requests.jsonl"):
            request = json.loads(line)
            if request["doc_id"] < 1_000_000:
                items.setdefault(request["doc_id"], []).append(request)
        chosen = sorted(items)[:: len(items) // ITEMS][:ITEMS]
        for number in chosen:
            document = items[number][0]["doc"]
            question = document["query"].removeprefix("Question: ").removesuffix("\nAnswer:")
            fields = {"question": question, "choices": {"text": document["choices"]}}
            context = render(template(task, "doc_to_text"), fields)
            if template(task, "doc_to_choice") != "{{choices.text}}":
                sys.exit(f"{task}: the harness's choices are {template(task, 'doc_to_choice')}")
            for request, choice in zip(sorted(items[number], key=lambda r: r["idx"]), document["choices"], strict=True):
                own = request["request"]["context"], request["request"]["continuation"]
                if own != (context, " " + choice):
                    sys.exit(f"{task}, document {number}: {own} is not {(context, ' ' + choice)}")
        print(f"{task}: {len(chosen)} of {len(items)} items have the harness's contexts and continuations")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
