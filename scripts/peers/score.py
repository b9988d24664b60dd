"""Scores requests with lm-evaluation-harness's own model class in float32, and prints seconds and log-likelihoods as JSON."""

import argparse
import gzip
import json
import os
import pathlib
import resource
import time

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import gguf
import tokenizers
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer

# Added to the number of an item for its requests without context.
WITHOUT_CONTEXT = 1_000_000

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True, type=pathlib.Path, help="a GGUF file, SmolLM2's or one with GPT-2's rule")
parser.add_argument("--requests", required=True, type=pathlib.Path)
parser.add_argument("--items", required=True, type=int)
parser.add_argument("--batches", required=True, type=int, nargs="+", help="of several sizes the quickest of a part is used")
parser.add_argument("--threads", required=True, type=int)
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)

with gzip.open(arguments.requests, "rt", encoding="utf-8") as file:
    lines = [line for line in map(json.loads, file) if line["doc_id"] % WITHOUT_CONTEXT < arguments.items]
# Item by item, with choices without context last, in the order of tempnet-evaluate.
lines.sort(key=lambda line: (line["doc_id"] % WITHOUT_CONTEXT, line["doc_id"], line["idx"]))
instances = [
    Instance("loglikelihood", line["doc"], (line["request"]["context"], line["request"]["continuation"]), line["idx"])
    for line in lines]
model = AutoModelForCausalLM.from_pretrained(
    arguments.model.parent, gguf_file=arguments.model.name, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(arguments.model.parent, gguf_file=arguments.model.name)
# transformers uses GPT-2's rule for every byte-level tokenizer in a GGUF file. SmolLM2's rule (`tokenizer.ggml.pre` smollm)
# first makes each digit a piece, and so splits spaces before digits differently.
if gguf.GGUFReader(arguments.model).fields["tokenizer.ggml.pre"].contents() == "smollm":
    tokenizer.backend_tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Digits(individual_digits=True),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)])


def scored(batch, part):
    harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch, device="cpu")
    start = time.perf_counter()
    answers = harness.loglikelihood(part, disable_tqdm=True)
    return time.perf_counter() - start, answers


# A part with the mixture of the whole.
part = instances[:: max(1, len(instances) // 64)]
trials = {batch: scored(batch, part)[0] for batch in arguments.batches} if len(arguments.batches) > 1 else {}
best = min(trials, key=trials.get) if trials else arguments.batches[0]
seconds, answers = scored(best, instances)
print(json.dumps({
    "seconds": seconds, "batch": best, "trials": trials,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "log_likelihoods": [float(value) for value, _ in answers], "greedy": [bool(greedy) for _, greedy in answers],
}))
