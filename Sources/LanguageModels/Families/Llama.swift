import Artifacts
import Diagnostics

extension ModelFamily {
  /// Llama (Touvron et al. 2023) and what is built the same way: Mistral and Qwen2, without their sliding windows.
  static let llama = ModelFamily(
    modelTypes: ["llama", "mistral", "qwen2"],
    readConfiguration: { fields, source in
      try fields.require("attention_bias", is: false)
      try fields.require("mlp_bias", is: false)
      try fields.requireActivation("silu")
      let type = try fields.string("model_type")
      let context = try fields.integer("max_position_embeddings")
      try fields.refuseSlidingWindow(type, context: context)
      let rotary = try fields.rotary(base: "rope_theta", fraction: "partial_rotary_factor", defaultFraction: 1)
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: context, width: fields.integer("hidden_size"),
        layers: fields.integer("num_hidden_layers"), heads: fields.integer("num_attention_heads"),
        keyValueHeads: fields.integer(ifPresent: "num_key_value_heads"),
        headWidth: fields.integer(ifPresent: "head_dim"), feedForward: fields.integer("intermediate_size"),
        norm: .rms, normEpsilon: fields.number(ifPresent: "rms_norm_eps") ?? 1e-6, rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, activation: .swiglu, biases: type == "qwen2" ? .queryKeyValue : .none,
        tiedHead: fields.boolean(ifPresent: "tie_word_embeddings") ?? false, status: .badData, at: source)
    },
    layers: [
      "embedding": Source("model.embed_tokens"), "norm": Source("model.norm"), "head": Source("lm_head"),
    ],
    blockPrefix: "model.layers",
    blockLayers: [
      "attention_norm": Source("input_layernorm"),
      "attention.qkv": Source("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", arrangement: .stacked),
      "attention.output": Source("self_attn.o_proj"),
      "feed_forward_norm": Source("post_attention_layernorm"),
      "feed_forward.gate_up": Source("mlp.gate_proj", "mlp.up_proj", arrangement: .stacked),
      "feed_forward.down": Source("mlp.down_proj"),
    ],
    ignoredEnds: [".rotary_emb.inv_freq"])
}

extension JSONFields {
  /// A window that never binds within the context changes nothing.
  fileprivate mutating func refuseSlidingWindow(_ type: String, context: Int) throws {
    let isUsed = try boolean(ifPresent: "use_sliding_window") ?? (type == "mistral")
    if isUsed, let window = try integer(ifPresent: "sliding_window"), window < context {
      throw failure("sliding_window", "is \(window), less than the context: not supported")
    }
  }
}
