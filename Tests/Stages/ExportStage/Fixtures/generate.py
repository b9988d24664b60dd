"""Has Hugging Face's `generate` and a stand-in for vLLM use the bundle's logits processors; prints that all is equal.

    generate.py BUNDLE

vLLM is not installed here: the stand-in is the interface that its documentation states for
`vllm.v1.sample.logits_processor.LogitsProcessor`, called as its engine calls it.
"""
import abc
import pickle
import sys
import types
import warnings

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
# As chat models are published; no token ends the texts, or there would be too few to look at.
for name, value in {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05, "eos_token_id": None}.items():
    setattr(model.generation_config, name, value)
ALONE = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}


def generate(processor, **settings):
    """What `generate` makes, and the warnings of the processor."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = model.generate(
            torch.tensor([[3, 5], [7, 1]]), attention_mask=torch.ones(2, 2), do_sample=True, max_new_tokens=9,
            pad_token_id=0, logits_processor=LogitsProcessorList([processor]), output_scores=True,
            output_logits=True, return_dict_in_generate=True, **settings)
    assert len(made.scores) == 9
    return made, [str(one.message) for one in caught if "other processors" in str(one.message)]


# With the four settings every score is the logit over the temperature, and nothing is warned of.
made, said = generate(tempnet.TempNetLogitsProcessor(net), **ALONE)
assert len({round(float(net(l)[0]), 4) for l in made.logits}) > 3 and not said, said
for scores, logits in zip(made.scores, made.logits):
    assert (scores - logits / net(logits)[:, None]).abs().max() < 1e-4
# Without them the model's own are at work, which is said once.
processor = tempnet.TempNetLogitsProcessor(net)
_, said = generate(processor)
assert len(said) == 1, said
for word in ("before TempNet RepetitionPenaltyLogitsProcessor(", "penalty=1.05", "after TempNet TemperatureLogitsWarper(",
             "temperature=0.7", "top_k=20", "top_p=0.8", "top_k=0, repetition_penalty=1.0 in the call"):
    assert word in said[0], (word, said)
assert not generate(processor)[1]
# A second temperature divides once more, which is what the settings are for.
double, _ = generate(tempnet.TempNetLogitsProcessor(net), **{**ALONE, "temperature": 0.7})
for scores, logits in zip(double.scores, double.logits):
    assert (scores * 0.7 - logits / net(logits)[:, None]).abs().max() < 1e-4
# Called by itself, or by a list of its own, it has nothing to warn of; normalisation changes nothing.
with warnings.catch_warnings():
    warnings.simplefilter("error")
    tempnet.TempNetLogitsProcessor(net)(None, made.logits[0])
    LogitsProcessorList([tempnet.TempNetLogitsProcessor(net)])(None, made.logits[0])
    assert not generate(tempnet.TempNetLogitsProcessor(net), **ALONE, renormalize_logits=True)[1]


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
except ValueError as error:
    assert "--generation-config vllm" in str(error)
neutral = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0.0}
for changes, word in (({}, None), ({"top_k": 0}, None), ({"top_p": 0.8, "repetition_penalty": 1.05}, "top_p=0.8, repetition")):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind.validate_params(types.SimpleNamespace(temperature=1.0, **{**neutral, **changes}))
    assert [word in str(one.message) for one in caught] == ([True] if word else []), caught
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
