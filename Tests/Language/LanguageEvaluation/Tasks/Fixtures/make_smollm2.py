"""Makes smollm2.json: what lm-evaluation-harness 0.4.13 makes of SmolLM2-135M-Instruct, de-quantised, in float64.

    pip install lm-eval==0.4.13 transformers==5.23.0 torch tokenizers gguf==0.19.0
    scripts/fetch-data data/smollm2.yaml && scripts/fetch-data data/tasks.yaml
    python make_smollm2.py data/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf data/cache/tasks

The tasks are those of make_fixtures.py and, as `requests_NAME`, the first items of request files of data/tasks.yaml.
Texts are not repeated: only the requests' log-likelihoods, which are greedy, and the metrics.
"""
import json
import pathlib
import sys
import tempfile

import make_fixtures
import torch
from gguf import GGUFReader
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

# Short enough that some contexts lose their beginning and pages need several windows.
CONTEXT = 256
# Items of request files.
ITEMS = {"piqa": 60, "openbookqa": 30, "arc_easy": 30, "hellaswag": 15, "lambada": 40}


def tokenizer_of(path):
    """The file's own vocabulary with the rules that it names; transformers makes GPT-2's rules of them."""
    fields = GGUFReader(path).fields
    names = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({name: index for index, name in enumerate(names)}, merges))
    assert fields["tokenizer.ggml.pre"].contents() == "smollm"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=names[fields["tokenizer.ggml.bos_token_id"].contents()],
        eos_token=names[fields["tokenizer.ggml.eos_token_id"].contents()])


def short(expected):
    """An item a line would be long enough, so a task a line it is."""
    lines = []
    for task, results in expected.items():
        values = [[float(f"{value:.8g}") for value in item["log_likelihoods"]] for item in results["items"]]
        greedy = [[int(flag) for flag in item["greedy"]] for item in results["items"]]
        lines.append(f"{json.dumps(task)}: " + json.dumps(
            {"metrics": results["metrics"], "log_likelihoods": values, "greedy": greedy}, separators=(",", ":")))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    path, tasks = map(pathlib.Path, sys.argv[1:])
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float64)
    with tempfile.TemporaryDirectory() as folder:
        files = [make_fixtures.request_task(tasks / f"{name}.requests.jsonl.gz", folder, count)
                 for name, count in ITEMS.items()]
        requests = {f"requests_{name}": statement for name, statement in zip(ITEMS, files)}
        expected = make_fixtures.evaluate(
            model, tokenizer_of(str(path)), {**make_fixtures.harness_tasks(), **requests}, max_length=CONTEXT)
    (make_fixtures.HERE / "smollm2.json").write_text(short(expected), encoding="utf-8")


if __name__ == "__main__":
    main()
