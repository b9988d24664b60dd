"""Checks what ModelFamilyTests expects of members of config.json against transformers: rotary settings, sliding windows, and
what is taken where nothing is said.

    pip install torch transformers==5.23.0 && python check_configurations.py
"""
from transformers import GPT2Config, GPTNeoXConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, Qwen2Config

SHAPE = {"vocab_size": 29, "max_position_embeddings": 16, "hidden_size": 16, "intermediate_size": 24,
         "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
OTHER = {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}


def rotary(**members):
    """The first frequency, 1 without a scaling, and the parameters that are in force."""
    config = LlamaConfig.from_dict({**SHAPE, **{k: dict(v) if isinstance(v, dict) else v for k, v in members.items()}})
    return LlamaForCausalLM(config).model.rotary_emb.inv_freq[0].item(), config.rope_parameters


assert rotary(rope_scaling={"type": "linear", "factor": 2.0})[0] == 0.5
assert rotary(rope_scaling={"type": "linear", "rope_type": "default", "factor": 2.0})[0] == 1
assert rotary(rope_scaling={"factor": 2.0})[0] == 1
assert rotary(rope_scaling={"type": "linear", "factor": 2.0}, rope_parameters=OTHER)[0] == 0.5
assert rotary(rope_scaling={"type": "linear", "factor": 2.0}, rope_parameters=OTHER)[1]["rope_theta"] == 10_000
assert rotary(rope_scaling={}, rope_parameters=OTHER)[0] == 0.25
assert rotary(rope_parameters=LLAMA3)[1]["original_max_position_embeddings"] == 16
assert rotary(rope_parameters=LLAMA3, original_max_position_embeddings=8)[1]["original_max_position_embeddings"] == 8
# These are refused here: transformers turns whole heads all the same, and passes over what is for some layers only.
assert len(LlamaForCausalLM(LlamaConfig(**SHAPE, partial_rotary_factor=0.5)).model.rotary_emb.inv_freq) == 2
assert rotary(rope_parameters={"full_attention": {"rope_type": "linear", "factor": 2.0}})[0] == 1


def window(kind, **members):
    """None where all tokens look back to the beginning."""
    config = kind.from_dict({**SHAPE, **members})
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"]
    return config.sliding_window if "sliding_attention" in kinds else None


assert window(MistralConfig, sliding_window=15) == 15 and window(MistralConfig, sliding_window=None) is None
assert window(MistralConfig) == 4096
assert window(Qwen2Config, sliding_window=15) is None
used = {"use_sliding_window": True, "sliding_window": 15}
assert window(Qwen2Config, **used) is None and window(Qwen2Config, **used, max_window_layers=1) == 15
assert window(Qwen2Config, **used, max_window_layers=2) is None
assert window(Qwen2Config, **used, layer_types=["full_attention"] * 2) is None
assert window(Qwen2Config, **used, layer_types=["full_attention", "sliding_attention"]) == 15

assert (GPT2Config().activation_function, GPTNeoXConfig().hidden_act, LlamaConfig().hidden_act) == ("gelu_new", "gelu", "silu")
assert MistralConfig.from_dict(SHAPE).num_key_value_heads == 8 and Qwen2Config.from_dict(SHAPE).num_key_value_heads == 32
print("as expected")
