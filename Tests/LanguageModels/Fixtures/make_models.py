"""Makes the small random models in this folder with transformers, and what they compute.

    pip install torch transformers safetensors && python make_models.py

Each folder holds what `save_pretrained` writes for a family (config.json, model.safetensors) and expected.safetensors:
tokens [2, 12], and for them the hidden state after the last norm and the logits, computed in float64.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import (
    GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config,
    Qwen2ForCausalLM)

HERE = pathlib.Path(__file__).parent
VOCABULARY, CONTEXT, LENGTH = 29, 16, 12


def gpt2(**options):
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=16, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        **options))


def llama(kind, configuration, **options):
    return kind(configuration(
        vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, hidden_size=16, intermediate_size=24,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, bos_token_id=0, eos_token_id=0, **options))


def neox(**options):
    return GPTNeoXForCausalLM(GPTNeoXConfig(
        vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, hidden_size=16, intermediate_size=24,
        num_hidden_layers=2, num_attention_heads=2, bos_token_id=0, eos_token_id=0, **options))


MODELS = {
    'gpt2': lambda: gpt2(),
    'gpt2-exact-gelu-untied': lambda: gpt2(activation_function='gelu', tie_word_embeddings=False, n_inner=24),
    'llama': lambda: llama(LlamaForCausalLM, LlamaConfig, rms_norm_eps=1e-6, rope_theta=500.0),
    'llama-wide-heads-tied': lambda: llama(LlamaForCausalLM, LlamaConfig, head_dim=6, tie_word_embeddings=True),
    'qwen2': lambda: llama(Qwen2ForCausalLM, Qwen2Config),
    'neox': lambda: neox(rotary_pct=0.25),
    'neox-sequential': lambda: neox(rotary_pct=0.5, use_parallel_residual=False, rotary_emb_base=100),
}

for seed, (name, make) in enumerate(MODELS.items()):
    torch.manual_seed(seed)
    model = make().eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Wide enough that every part shows in the logits; norm scales stay near 1.
            is_norm_scale = parameter.ndim == 1 and parameter_name.endswith('weight')
            parameter.copy_(torch.randn_like(parameter) * 0.25 + (1.0 if is_norm_scale else 0.0))
    folder = HERE / name
    model.save_pretrained(folder)
    (folder / 'generation_config.json').unlink()
    tokens = torch.randint(0, VOCABULARY, (2, LENGTH))
    with torch.no_grad():
        result = model.double()(tokens, output_hidden_states=True)
    expected = {'tokens': tokens, 'hidden': result.hidden_states[-1].float(), 'logits': result.logits.float()}
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / 'expected.safetensors')
    print(name, json.dumps({'largest logit': result.logits.abs().max().item()}))
