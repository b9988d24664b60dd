"""Makes prefix.json: what lm-evaluation-harness 0.4.13 scores with model/ when its files name other borders of texts.

    pip install lm-eval==0.4.13 transformers==5.23.0 torch tokenizers && python make_prefix.py

For each way of naming them it holds what is put into tokenizer.json, the tokenizer_config.json, and log-likelihoods of
LAMBADA's items, of which the second and third have no context, and of pages.
"""
import json
import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
ITEMS = ["A guardian angel looks at the clear stone", "stone", "inside"]
# What the task's clean-up leaves as it is.
PAGES = [" ".join(["The lamp was lit and it shone over the sea"] * 25), "Two words"]
ADDED = [
    {"id": 600 + index, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
     "normalized": False, "special": True} for index, content in enumerate(["<|im_end|>", "<s>"])]
BEGIN = {
    "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [601], "tokens": ["<s>"]}}}
# As Qwen2 Instruct has it, and as Llama 2 has it.
VARIANTS = {
    "end": ({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": None, "eos_token": "<|im_end|>"}, None),
    "begin": ({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "<|im_end|>"}, BEGIN),
}


def requests(kind, arguments):
    return [Instance(request_type=kind, doc={}, arguments=pair, idx=0) for pair in arguments]


expected = {"added_tokens": ADDED, "items": ITEMS, "pages": PAGES, "variants": {}}
for name, (settings, processor) in VARIANTS.items():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "model", folder, dirs_exist_ok=True)
        path = pathlib.Path(folder) / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        tokenizer["added_tokens"] += ADDED
        tokenizer["post_processor"] = processor
        path.write_text(json.dumps(tokenizer))
        (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(settings))
        model = HFLM(
            pretrained=AutoModelForCausalLM.from_pretrained(folder), tokenizer=AutoTokenizer.from_pretrained(folder),
            batch_size=1, device="cpu", max_length=192)
        pairs = [(text.rpartition(" ")[0], " " + text.rpartition(" ")[2]) for text in ITEMS]
        expected["variants"][name] = {
            "tokenizer_config": settings, "post_processor": processor, "prefix": model.prefix_token_id,
            "lambada": [round(score, 5) for score, _ in model.loglikelihood(requests("loglikelihood", pairs))],
            "wikitext": [round(score, 4) for score in
                         model.loglikelihood_rolling(requests("loglikelihood_rolling", [(page,) for page in PAGES]))]}
(HERE / "prefix.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
