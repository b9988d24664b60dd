"""Compares a tokenizer.json with the one that `tokenizers` trains. Usage: compare_training.py TOKENIZER_JSON TEXT...

Also loads ours in `tokenizers` and compares ids of the texts. Every text is one document.
"""

import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

path, *texts = sys.argv[1:]
documents = [pathlib.Path(text).read_bytes().decode("utf-8", "replace") for text in texts]
ours = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))

theirs = Tokenizer(models.BPE())
theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
theirs.decoder = decoders.ByteLevel()
theirs.train_from_iterator(
    documents,
    trainers.BpeTrainer(
        vocab_size=len(ours["model"]["vocab"]),
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    ),
)
if json.loads(theirs.to_str()) != ours:
    merges = json.loads(theirs.to_str())["model"]["merges"]
    pairs = enumerate(zip(merges, ours["model"]["merges"]))
    sys.exit(f"other merges, the first: {next(((i, a, b) for i, (a, b) in pairs if a != b), 'none')}")
loaded = Tokenizer.from_file(path)
for document in documents:
    if loaded.encode(document).ids != theirs.encode(document).ids:
        sys.exit("other ids")
