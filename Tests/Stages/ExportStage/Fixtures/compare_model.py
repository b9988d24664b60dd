"""Loads an exported model and compares its logits. Usage: compare_model.py MODEL EXPECTED TOKENIZER_TEXT

MODEL is a folder for `transformers`, or a GGUF file, whose tensors and metadata the `gguf` package reads first. EXPECTED holds `tokens` and `logits`; TEXT is encoded with the
folder's tokenizer and must give the ids `text`. Of GGUF files with scaled rotation, which transformers does not read,
only tensors and metadata are looked at.
"""

import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file

path, expected_path, text = pathlib.Path(sys.argv[1]), *sys.argv[2:]
expected = load_file(expected_path)
options = {}
folder = path
if path.suffix == ".gguf":
    from gguf import GGUFReader

    reader = GGUFReader(path)
    assert reader.fields["tokenizer.ggml.model"].contents() == "gpt2"
    count = sum(int(tensor.data.size) for tensor in reader.tensors if tensor.name != "rope_freqs.weight")
    assert count == int(expected["parameters"]), (count, expected["parameters"])
    names = [tensor.name for tensor in reader.tensors]
    if "rope_freqs.weight" in names or any("rope.scaling" in key for key in reader.fields):
        sys.exit()
    options, folder = {"gguf_file": path.name}, path.parent
    if reader.fields["general.architecture"].contents() == "gpt2":
        # transformers takes the context for something else than the number of learned positions.
        options["config"] = transformers.AutoConfig.from_pretrained(folder, **options)
        options["config"].n_positions = int(reader.fields["gpt2.context_length"].contents())
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options).eval()
with torch.no_grad():
    logits = model(expected["tokens"]).logits
difference = (logits - expected["logits"]).abs().max().item()
if not difference < 1e-4:
    sys.exit(f"logits differ by {difference}")
if not options:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.encode(text)
    if ids != expected["text"].tolist():
        sys.exit(f"ids are {ids}, expected {expected['text'].tolist()}")
