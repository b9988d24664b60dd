"""Makes the small random models in this folder with transformers, and what they compute.

    pip install torch transformers safetensors gguf && python make_models.py

Each folder holds what `save_pretrained` writes for a family (config.json, model.safetensors) and expected.safetensors:
tokens [2, 12], and for them the hidden state after the last norm and the logits, computed in float64. Where a family
has a GGUF form, model.gguf holds the same model: in float32, so that the same numbers are expected of it.
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from transformers import (
    GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig,
    MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM)

HERE = pathlib.Path(__file__).parent
VOCABULARY, CONTEXT, LENGTH = 29, 16, 12


def gpt2(**options):
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=16, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        **options))


def llama(kind, configuration, context=CONTEXT, **options):
    return kind(configuration(
        vocab_size=VOCABULARY, max_position_embeddings=context, hidden_size=16, intermediate_size=24,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, bos_token_id=0, eos_token_id=0, **options))


def neox(context=CONTEXT, **options):
    return GPTNeoXForCausalLM(GPTNeoXConfig(
        vocab_size=VOCABULARY, max_position_embeddings=context, hidden_size=16, intermediate_size=24,
        num_hidden_layers=2, num_attention_heads=2, bos_token_id=0, eos_token_id=0, **options))


MODELS = {
    'gpt2': lambda: gpt2(),
    'gpt2-exact-gelu-untied': lambda: gpt2(activation_function='gelu', tie_word_embeddings=False, n_inner=24),
    'llama': lambda: llama(LlamaForCausalLM, LlamaConfig, rms_norm_eps=1e-6, rope_theta=500.0),
    'llama-wide-heads-tied': lambda: llama(LlamaForCausalLM, LlamaConfig, head_dim=6, tie_word_embeddings=True),
    'qwen2': lambda: llama(Qwen2ForCausalLM, Qwen2Config),
    'neox': lambda: neox(rotary_pct=0.25),
    'neox-sequential': lambda: neox(rotary_pct=0.5, use_parallel_residual=False, rotary_emb_base=100),
    'mistral': lambda: llama(MistralForCausalLM, MistralConfig, sliding_window=None),
    'llama-linear': lambda: llama(LlamaForCausalLM, LlamaConfig, rope_parameters={
        'rope_type': 'linear', 'factor': 2.5, 'rope_theta': 500.0}),
    # Trained on 8 positions, read at 12.
    'llama-dynamic': lambda: llama(LlamaForCausalLM, LlamaConfig, context=8, hidden_act='silu', rope_parameters={
        'rope_type': 'dynamic', 'factor': 2.0, 'rope_theta': 500.0}),
    # Of the four frequencies of a head of 8 each of the three cases takes one at least.
    'llama-llama3': lambda: llama(LlamaForCausalLM, LlamaConfig, head_dim=8, rope_parameters={
        'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
        'original_max_position_embeddings': 32, 'rope_theta': 50.0}),
    'neox-linear': lambda: neox(rotary_pct=0.5, rope_parameters={
        'rope_type': 'linear', 'factor': 4.0, 'rope_theta': 300.0, 'partial_rotary_factor': 0.5}),
    'neox-dynamic-tanh-tied': lambda: neox(
        context=8, hidden_act='gelu_fast', tie_word_embeddings=True, rope_parameters={
            'rope_type': 'dynamic', 'factor': 2.0, 'rope_theta': 300.0, 'partial_rotary_factor': 0.5}),
    'qwen2-linear-tied': lambda: llama(
        Qwen2ForCausalLM, Qwen2Config, tie_word_embeddings=True, rope_parameters={
            'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 500.0}),
    'mistral-llama3': lambda: llama(MistralForCausalLM, MistralConfig, sliding_window=None, head_dim=8, rope_parameters={
        'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
        'original_max_position_embeddings': 32, 'rope_theta': 50.0}),
}
FORMS = {'llama-llama3': {'max_shard_size': '4KB'}, 'mistral': {'dtype': torch.bfloat16}, 'qwen2': {'dtype': torch.float16}}


def pairs(weight, heads):
    """The rows of each head in llama.cpp's order: elements that turn together are neighbours."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(model, path):
    """The model in GGUF, as llama.cpp's converter lays it out."""
    config, kind = model.config, model.config.model_type
    architecture = {'gpt2': 'gpt2', 'gpt_neox': 'gptneox', 'qwen2': 'qwen2'}.get(kind, 'llama')
    writer = gguf.GGUFWriter(path, architecture)
    layers, heads, width = config.num_hidden_layers, config.num_attention_heads, config.hidden_size
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    weights = {name: value.float().numpy() for name, value in model.state_dict().items()}
    tensors = {}
    if kind == 'gpt2':
        writer.add_feed_forward_length(config.n_inner or 4 * width)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        names = {'wte': 'token_embd', 'wpe': 'position_embd', 'ln_f': 'output_norm', 'ln_1': 'attn_norm',
                 'attn.c_attn': 'attn_qkv', 'attn.c_proj': 'attn_output', 'ln_2': 'ffn_norm', 'mlp.c_fc': 'ffn_up',
                 'mlp.c_proj': 'ffn_down'}
    elif kind == 'gpt_neox':
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_layer_norm_eps(config.layer_norm_eps)
        writer.add_parallel_residual(config.use_parallel_residual)
        writer.add_rope_dimension_count(int(config.rope_parameters['partial_rotary_factor'] * (width // heads)))
        writer.add_rope_freq_base(config.rope_parameters['rope_theta'])
        names = {'embed_in': 'token_embd', 'final_layer_norm': 'output_norm', 'input_layernorm': 'attn_norm',
                 'attention.query_key_value': 'attn_qkv', 'attention.dense': 'attn_output',
                 'post_attention_layernorm': 'ffn_norm', 'mlp.dense_h_to_4h': 'ffn_up', 'mlp.dense_4h_to_h': 'ffn_down'}
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        head_dim = getattr(config, 'head_dim', None) or width // heads
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
        writer.add_vocab_size(VOCABULARY)
        writer.add_rope_dimension_count(head_dim)
        writer.add_rope_freq_base(config.rope_parameters['rope_theta'])
        if config.rope_parameters['rope_type'] == 'linear':
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(config.rope_parameters['factor'])
        if config.rope_parameters['rope_type'] == 'llama3':
            plain = 1 / config.rope_parameters['rope_theta'] ** (np.arange(0, head_dim, 2) / head_dim)
            tensors['rope_freqs.weight'] = (plain / model.model.rotary_emb.inv_freq.numpy()).astype(np.float32)
        names = {'embed_tokens': 'token_embd', 'norm': 'output_norm', 'input_layernorm': 'attn_norm',
                 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v',
                 'self_attn.o_proj': 'attn_output', 'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate',
                 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down'}
    for name, value in weights.items():
        stem, end = name.rsplit('.', 1)
        parts = stem.split('.')[1:]
        if stem in ('lm_head', 'embed_out'):
            if not config.tie_word_embeddings:
                tensors['output.weight'] = value
            continue
        prefix = ''
        if parts[0] in ('h', 'layers'):
            prefix, parts = f'blk.{parts[1]}.', parts[2:]
        part = '.'.join(parts)
        if kind == 'gpt2' and end == 'weight' and '.c_' in part:
            value = value.T
        if kind == 'gpt_neox' and part == 'attention.query_key_value':
            value = value.reshape(heads, 3, width // heads, *value.shape[1:]).swapaxes(0, 1).reshape(value.shape)
        if architecture == 'llama' and part in ('self_attn.q_proj', 'self_attn.k_proj'):
            value = pairs(value, heads if part == 'self_attn.q_proj' else config.num_key_value_heads)
        tensors[f'{prefix}{names[part]}.{end}'] = value
    for name, value in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


for seed, (name, make) in enumerate(MODELS.items()):
    torch.manual_seed(seed)
    model = make().eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Wide enough that every part shows in the logits; norm scales stay near 1.
            is_norm_scale = parameter.ndim == 1 and parameter_name.endswith('weight')
            parameter.copy_(torch.randn_like(parameter) * 0.25 + (1.0 if is_norm_scale else 0.0))
    folder = HERE / name
    form = dict(FORMS.get(name, {}))
    model = model.to(form.pop('dtype', torch.float32))
    model.save_pretrained(folder, **form)
    # What rounding left, and rotary frequencies in full precision again.
    model = type(model).from_pretrained(folder, dtype=torch.float32).eval()
    (folder / 'generation_config.json').unlink()
    tokens = torch.randint(0, VOCABULARY, (2, LENGTH))
    with torch.no_grad():
        result = model.double()(tokens, output_hidden_states=True)
    expected = {'tokens': tokens, 'hidden': result.hidden_states[-1].float(), 'logits': result.logits.float()}
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / 'expected.safetensors')
    # GGUF says neither which GELU it is nor how a NeoX or dynamic rotation is scaled.
    if name not in ('gpt2-exact-gelu-untied', 'neox-linear', 'neox-dynamic-tanh-tied', 'llama-dynamic'):
        write_gguf(model.float(), folder / 'model.gguf')
    print(name, json.dumps({'largest logit': result.logits.abs().max().item()}))
