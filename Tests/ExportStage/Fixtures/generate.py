"""Has Hugging Face's `generate` and a stand-in for vLLM use the bundle's logits processors; prints that all is equal.

    generate.py BUNDLE

vLLM is not installed here: the stand-in is the interface that its documentation states for
`vllm.v1.sample.logits_processor.LogitsProcessor`, called as its engine calls it.
"""
import abc
import pickle
import sys
import types

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessorList

sys.path.insert(0, sys.argv[1])
import tempnet  # noqa: E402

net = tempnet.TempNet.load(sys.argv[1] + "/tempnet.safetensors")
torch.manual_seed(1)
model = GPT2LMHeadModel(GPT2Config(
    vocab_size=37, n_positions=32, n_embd=12, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=36)).eval()
for parameter in model.parameters():
    parameter.data *= 8
made = model.generate(
    torch.tensor([[3, 5], [7, 1]]), attention_mask=torch.ones(2, 2), do_sample=True, top_k=0, max_new_tokens=9,
    pad_token_id=0, logits_processor=LogitsProcessorList([tempnet.TempNetLogitsProcessor(net)]), output_scores=True,
    output_logits=True, return_dict_in_generate=True)
assert len(made.scores) == 9 and len({round(float(net(l)[0]), 4) for l in made.logits}) > 3
for scores, logits in zip(made.scores, made.logits):
    assert (scores - logits / net(logits)[:, None]).abs().max() < 1e-4


class LogitsProcessor(abc.ABC):
    @classmethod
    def validate_params(cls, sampling_params):
        return None

    @abc.abstractmethod
    def __init__(self, vllm_config, device, is_pin_memory): ...

    @abc.abstractmethod
    def apply(self, logits): ...

    @abc.abstractmethod
    def is_argmax_invariant(self): ...

    @abc.abstractmethod
    def update_state(self, batch_update): ...


try:
    tempnet.VLLMTempNetProcessor
    raise SystemExit("vLLM should not be found")
except ImportError:
    pass
for name in ("vllm", "vllm.v1", "vllm.v1.sample", "vllm.v1.sample.logits_processor"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["vllm.v1.sample.logits_processor"].LogitsProcessor = LogitsProcessor
kind = tempnet.VLLMTempNetProcessor
assert issubclass(kind, LogitsProcessor) and pickle.loads(pickle.dumps(kind)) is kind
kind.validate_params(types.SimpleNamespace(temperature=1.0))
try:
    kind.validate_params(types.SimpleNamespace(temperature=0.7))
    raise SystemExit("a second temperature should be refused")
except ValueError:
    pass
logits = made.logits[0].clone()
for additional in ({}, {"tempnet": sys.argv[1] + "/tempnet.safetensors"}):
    processor = kind(types.SimpleNamespace(additional_config=additional), torch.device("cpu"), False)
    processor.update_state(None)
    assert (processor.apply(logits.clone()) - logits / net(logits)[:, None]).abs().max() < 1e-4
masked = logits.clone()
masked[0, 4] = -torch.inf
tempered = processor.apply(masked)
assert torch.equal(tempered[0], masked[0]) and not torch.equal(tempered[1], masked[1])
assert not processor.is_argmax_invariant()
print("generate and vllm: equal")
